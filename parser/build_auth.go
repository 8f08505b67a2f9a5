package parser

import (
	"strings"

	"github.com/helenusdb/helenus/cql"
)

// roleOptions refuses options that are given twice or exclude each other. Source: org.apache.cassandra.auth.RoleOptions.
func (b *builder) roleOptions(in []roleOption) {
	seen := map[string]bool{}
	for _, o := range in {
		name := o.name()
		if name != "" && seen[name] {
			b.refuse(syntaxError("Multiple definition for property '" + name + "'"))
		}
		seen[name] = true
	}
	if seen["PASSWORD"] && seen["HASHED_PASSWORD"] {
		b.refuse(cql.Syntaxf("Options 'password' and 'hashed password' are mutually exclusive"))
	}
}

// name returns the name of an option that may be given once, or "".
func (o *roleOption) name() string {
	switch {
	case o.Password != nil:
		return "PASSWORD"
	case o.Hashed != nil:
		return "HASHED_PASSWORD"
	case o.Options != nil:
		return "OPTIONS"
	case o.Superuser != nil:
		return "SUPERUSER"
	case o.Login != nil:
		return "LOGIN"
	}
	return ""
}

// permissions refuses a list of permissions of which none fits the resource. Source: Parser.g, filterPermissions, and
// IResource.applicablePermissions.
func (b *builder) permissions(p *permissions, r *resource) {
	if p.All {
		return
	}
	class, fitting := r.applicable()
	for _, one := range p.List {
		if strings.Contains(fitting, " "+one.Name+one.Others+" ") {
			return
		}
	}
	b.refuse(cql.Syntaxf("Resource type %s does not support any of the requested permissions", class))
}

// applicable returns the class of a resource and the permissions that may be granted on it.
func (r *resource) applicable() (class, permissions string) {
	const data = " ALTER DROP SELECT MODIFY AUTHORIZE UNMASK SELECT_MASKED "
	switch {
	case r.AllRoles:
		return "RoleResource", " CREATE ALTER DROP AUTHORIZE DESCRIBE "
	case r.Role != nil:
		return "RoleResource", " ALTER DROP AUTHORIZE DESCRIBE "
	case r.AllFunctions != nil:
		return "FunctionResource", " CREATE ALTER DROP AUTHORIZE EXECUTE "
	case r.Function != nil:
		return "FunctionResource", " ALTER DROP AUTHORIZE EXECUTE "
	case r.AllMBeans, r.MBean != nil:
		return "JMXResource", " AUTHORIZE DESCRIBE EXECUTE MODIFY SELECT "
	case r.Table != nil:
		return "DataResource", data
	}
	return "DataResource", data + "CREATE "
}
