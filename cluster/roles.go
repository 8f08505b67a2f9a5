package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/helenusdb/helenus/cluster/system"
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// ClientFacts is a row of system_views.clients.
type ClientFacts = system.Client

// PreparedFacts is a row of system.prepared_statements.
type PreparedFacts = system.Prepared

// Role is a row of system_auth.roles.
type Role struct {
	SaltedHash          string // bcrypt; "" for none
	CanLogin, Superuser bool
}

// The account that Cassandra makes when authentication is switched on, which drivers' tests log in with.
const (
	defaultSuperuser = "cassandra"
	// defaultPasswordHash is bcrypt of "cassandra".
	defaultPasswordHash = "$2a$10$UO3e0EfTJxiChI2NQlrFl.P5peNpk9wWQ73ZdQ/dzUIDHtqB03brG"
)

// errDefaultPassword is returned when the default account would be reachable from other machines.
var errDefaultPassword = errors.New("the role cassandra has its default password: roles cannot be changed yet, so a node with " +
	"PasswordAuthenticator listens on loopback only")

// EnsureDefaultSuperuser makes the default account when there is no role yet. It refuses unless clients are of this machine.
func (n *Node) EnsureDefaultSuperuser(loopback bool) error {
	r, ok, err := n.Role(defaultSuperuser)
	if err != nil {
		return err
	}
	if (!ok || r.SaltedHash == defaultPasswordHash) && !loopback {
		return errDefaultPassword
	}
	if ok {
		return nil
	}
	t := n.Schema().Table("system_auth", "roles")
	var b request.Builder
	b.Reset(t, []byte(defaultSuperuser), n.opts.Partitioner.Token([]byte(defaultSuperuser)))
	b.Row(nil)
	b.Liveness(row.Liveness{Timestamp: 0, Expiry: row.NoLocal})
	for name, value := range map[string][]byte{"can_login": {1}, "is_superuser": {1}, "salted_hash": []byte(defaultPasswordHash)} {
		b.Cell(row.Cell{Column: t.ByName[name].ID, Value: value, Local: row.NoLocal})
	}
	return n.Write(context.Background(), []request.Mutation{b.Mutation()}, cql.WriteSimple, cql.One)
}

// Role reads a role; ok is false when there is none.
func (n *Node) Role(name string) (r Role, ok bool, err error) {
	t := n.Schema().Table("system_auth", "roles")
	if t == nil || name == "" {
		return Role{}, false, nil
	}
	rd := &request.Read{Table: t, Keys: [][]byte{[]byte(name)}, Now: time.Now().Unix()}
	it, err := n.Read(context.Background(), rd, cql.One)
	if err != nil {
		return Role{}, false, err
	}
	defer it.Close()
	if it.NextPartition() {
		if x := it.NextRow(); x != nil {
			ok = true
			r.SaltedHash = string(value(t, x, "salted_hash"))
			r.CanLogin = isTrue(value(t, x, "can_login"))
			r.Superuser = isTrue(value(t, x, "is_superuser"))
		}
	}
	return r, ok, it.Err()
}

func value(t *schema.Table, r *row.Row, column string) []byte {
	if c := r.Cell(t.ByName[column].ID); c != nil {
		return c.Value
	}
	return nil
}

func isTrue(v []byte) bool { return len(v) == 1 && v[0] != 0 }
