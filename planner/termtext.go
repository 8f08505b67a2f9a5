package planner

import (
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
)

// termText is e as Cassandra's error messages show it, which is not always the CQL that was written: operators are calls
// of their functions. Source: org.apache.cassandra.cql3.Term.Raw.getText.
func termText(e ast.Expr) string {
	var b strings.Builder
	appendTerm(&b, e)
	return b.String()
}

// operatorFunctions are the functions behind the operators. Source: org.apache.cassandra.cql3.functions.OperationFcts.
var operatorFunctions = map[byte]string{'+': "_add", '-': "_substract", '*': "_multiply", '/': "_divide", '%': "_modulo"}

func appendTerm(b *strings.Builder, e ast.Expr) {
	switch e := e.(type) {
	case *ast.Literal:
		appendLiteral(b, e)
	case *ast.Marker:
		b.WriteByte('?')
	case *ast.Column:
		b.WriteString(types.QuoteIdent(e.Name))
	case *ast.Call:
		if e.Func.Keyspace != "" {
			b.WriteString(types.QuoteIdent(e.Func.Keyspace) + ".")
		}
		b.WriteString(types.QuoteIdent(e.Func.Name))
		appendTerms(b, "(", e.Args, ")")
	case *ast.TypeHint:
		b.WriteString("(" + typeText(e.Type) + ")")
		appendTerm(b, e.Of)
	case *ast.Cast:
		appendTerms(b, "system.cast_as_"+typeText(e.Type)+"(", []ast.Expr{e.Of}, ")")
	case *ast.Binary:
		appendTerms(b, `system."`+operatorFunctions[e.Op]+`"(`, []ast.Expr{e.L, e.R}, ")")
	case *ast.Negate:
		appendTerms(b, `system."_negate"(`, []ast.Expr{e.Of}, ")")
	case *ast.List:
		appendTerms(b, "[", e.Items, "]")
	case *ast.Set:
		appendTerms(b, "{", e.Items, "}")
	case *ast.Tuple:
		appendTerms(b, "(", e.Items, ")")
	case *ast.Map:
		b.WriteByte('{')
		for i, k := range e.Keys {
			if i > 0 {
				b.WriteString(", ")
			}
			appendTerm(b, k)
			b.WriteString(": ")
			appendTerm(b, e.Values[i])
		}
		b.WriteByte('}')
	case *ast.UDT:
		b.WriteByte('{')
		for i, f := range e.Fields {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(f + ": ")
			appendTerm(b, e.Values[i])
		}
		b.WriteByte('}')
	}
}

func appendTerms(b *strings.Builder, open string, items []ast.Expr, end string) {
	b.WriteString(open)
	for i, e := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		appendTerm(b, e)
	}
	b.WriteString(end)
}

func appendLiteral(b *strings.Builder, e *ast.Literal) {
	switch e.Kind {
	case ast.NullLiteral:
		b.WriteString("NULL")
	case ast.StringLiteral:
		b.WriteString("'" + e.Text + "'")
	default:
		b.WriteString(literalRaw(e))
	}
}

// typeText is a type as it was written, in Cassandra's spelling. Source: CQL3Type.Raw.toString.
func typeText(t *ast.TypeName) string {
	var b strings.Builder
	if t.Frozen {
		b.WriteString("frozen<")
	}
	switch {
	case t.Class != "":
		b.WriteString("'" + t.Class + "'")
	case t.IsUser && t.Keyspace != "":
		b.WriteString(types.QuoteIdent(t.Keyspace) + "." + types.QuoteIdent(t.Name))
	case t.IsUser:
		b.WriteString(types.QuoteIdent(t.Name))
	default:
		b.WriteString(t.Name)
	}
	if len(t.Params) > 0 {
		b.WriteByte('<')
		for i, p := range t.Params {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(typeText(p))
		}
		if t.Name == "vector" {
			b.WriteString(", " + strconv.Itoa(t.Dim))
		}
		b.WriteByte('>')
	}
	if t.Frozen {
		b.WriteByte('>')
	}
	return b.String()
}
