package planner

import (
	"cmp"
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/parser/ast"
)

// errAnonymous is the answer to what needs a login.
var errAnonymous = cql.Unauthorizedf("You have to be logged in and not anonymous to perform this request")

// refuseOther answers a statement that nothing carries out: those on roles and permissions as Cassandra does without
// authentication, others by saying so.
func refuseOther(st *ast.Other) error {
	w := &wordReader{text: st.Text}
	switch verb, what := w.word(), w.word(); verb + " " + what {
	case "create role", "create user":
		return refuseCreateRole(w)
	case "alter role", "alter user":
		return refuseAlterRole(w)
	}
	for word := range strings.FieldsSeq(st.What) {
		switch word {
		case "ROLE", "ROLES", "USER", "USERS", "IDENTITY", "GRANT", "REVOKE", "LIST", "PERMISSIONS":
			return errAnonymous
		}
	}
	return cql.Invalidf("%s is not supported by Helenus yet", st.What)
}

// roleOptions is what a statement says of a role, as far as it decides how somebody without a login is refused.
type roleOptions struct {
	any       bool
	superuser string // "", "true", "false"
	// unsupported is the option that a cluster without passwords does not know, a password before others, "" for none.
	unsupported string
	// places says what the role's access is bound to, "" for none.
	places string
}

// readRoleOptions reads what follows a role's name.
func readRoleOptions(w *wordReader) (o roleOptions) {
	for {
		switch word := w.word(); word {
		case "":
			return o
		case "with", "and":
			continue
		case "hashed":
			w.skip("password")
			o.unsupported = "HASHED_PASSWORD"
		case "password":
			o.unsupported = "PASSWORD"
		case "options":
			o.unsupported = cmp.Or(o.unsupported, "OPTIONS")
		case "nosuperuser":
			o.superuser = "false"
		case "superuser":
			o.superuser = "true"
			if w.skip("=") {
				o.superuser = w.word()
			}
		case "datacenters", "cidrs":
			o.places = word
		}
		o.any = true
	}
}

// refuseCreateRole makes the checks of CREATE ROLE and CREATE USER that come before that of the login.
// Source: org.apache.cassandra.cql3.statements.CreateRoleStatement.authorize, validate.
func refuseCreateRole(w *wordReader) error {
	w.skip("if", "not", "exists")
	name := w.next()
	o := readRoleOptions(w)
	switch {
	case o.superuser == "true":
		return cql.Unauthorizedf("Only superusers can create a role with superuser status")
	case o.unsupported != "":
		return unsupportedRoleOption(o.unsupported)
	case strings.Trim(name, `"'`) == "":
		return cql.Invalidf("Role name can't be an empty string")
	}
	return errAnonymous
}

// refuseAlterRole does the same for ALTER ROLE and ALTER USER. Source: AlterRoleStatement.authorize, validate.
func refuseAlterRole(w *wordReader) error {
	w.skip("if", "exists")
	w.next()
	o := readRoleOptions(w)
	switch {
	case o.superuser != "":
		return cql.Unauthorizedf("Only superusers are allowed to alter superuser status")
	case o.places == "datacenters":
		return cql.Unauthorizedf("Only superusers are allowed to alter access to datacenters.")
	case o.places == "cidrs":
		return cql.Unauthorizedf("Only superusers are allowed to alter access from CIDR groups.")
	case o.unsupported != "":
		return unsupportedRoleOption(o.unsupported)
	case !o.any:
		return cql.Invalidf("ALTER [ROLE|USER] can't be empty")
	}
	return errAnonymous
}

func unsupportedRoleOption(name string) error {
	return cql.Invalidf("org.apache.cassandra.auth.CassandraRoleManager doesn't support %s", name)
}
