// Package server is the door for CQL clients: it accepts connections, does the handshake, takes requests off the
// sockets and puts replies on them. What a statement means is not its matter: a Handler is given each QUERY, PREPARE,
// EXECUTE and BATCH, and answers.
//
// Its nouns: Server holds the connections and the bounds that they share; Conn is one client; Request is one message
// that waits for its one answer.
//
// Each connection has one goroutine. It reads as much as has come, serves the requests one after another, and writes
// their replies together when no whole message is left, so that a pipelining client costs two system calls for many
// requests. A request that has to wait leaves this goroutine by Request.Detach or Request.Go; replies of such are
// gathered in a queue that a second goroutine, which lives while there is something to write, drains. A connection on
// which nothing happens holds neither of the large buffers.
//
// Everything that a peer can choose is bounded by Limits. Time limits are kept by one goroutine that looks at all
// connections once a tick; there are no timers per request.
//
// Floor: above cql/wire. Source: org.apache.cassandra.transport (Server, PipelineConfigurator, CQLMessageHandler,
// ServerConnection); native_protocol_v5.spec 2.
package server
