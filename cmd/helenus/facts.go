package main

import (
	"strings"

	"github.com/helenusdb/helenus/cluster"
	"github.com/helenusdb/helenus/cql/server"
	"github.com/helenusdb/helenus/cql/session"
)

// clientFacts are the rows of system_views.clients.
func clientFacts(srv *server.Server) []cluster.ClientFacts {
	var out []cluster.ClientFacts
	for _, c := range srv.Clients() {
		out = append(out, cluster.ClientFacts{
			Address: c.Address, Hostname: c.Address.Addr().String(), Username: c.User, Stage: strings.ToLower(c.Stage), ProtocolVersion: int32(c.Version),
			Options: c.Options, DriverName: c.Options["DRIVER_NAME"], DriverVersion: c.Options["DRIVER_VERSION"], Requests: int64(c.Requests),
			Keyspace: c.Keyspace,
		})
	}
	return out
}

// preparedFacts are the rows of system.prepared_statements.
func preparedFacts(h *session.Handler) []cluster.PreparedFacts {
	var out []cluster.PreparedFacts
	for _, p := range h.PreparedStatements() {
		out = append(out, cluster.PreparedFacts{ID: p.ID[:], Keyspace: p.Keyspace, Query: p.Text})
	}
	return out
}
