package schema_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql/schema"
)

// script reads the schema statements of testdata, so that this package's tests need no parser: only well-formed CQL, in the
// forms that the recordings use.
type script struct {
	words []word
	i     int
}

type word struct {
	text  string
	plain bool // neither quoted nor a string
	str   bool
}

var wordRE = regexp.MustCompile(`^(?:'(?:[^']|'')*'|"(?:[^"]|"")*"|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|` +
	`-?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|[\pL_][\pL\d_]*|\S)`)

func newScript(text string) *script {
	s := &script{}
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		m := wordRE.FindString(text)
		text = text[len(m):]
		switch m[0] {
		case '\'':
			s.words = append(s.words, word{text: strings.ReplaceAll(m[1:len(m)-1], "''", "'"), str: true})
		case '"':
			s.words = append(s.words, word{text: strings.ReplaceAll(m[1:len(m)-1], `""`, `"`)})
		default:
			if m != "NaN" {
				m = strings.ToLower(m)
			}
			s.words = append(s.words, word{text: m, plain: true})
		}
	}
	return s
}

func (s *script) peek(texts ...string) bool {
	for k, t := range texts {
		if s.i+k >= len(s.words) || !s.words[s.i+k].plain || s.words[s.i+k].text != t {
			return false
		}
	}
	return true
}

func (s *script) accept(texts ...string) bool {
	if !s.peek(texts...) {
		return false
	}
	s.i += len(texts)
	return true
}

func (s *script) expect(t string) {
	if !s.accept(t) {
		panic(fmt.Sprintf("want %s at %v", t, s.words[s.i:]))
	}
}

func (s *script) more() bool { return s.i < len(s.words) }

func (s *script) next() string {
	s.i++
	return s.words[s.i-1].text
}

func (s *script) name() (ks, name string) {
	name = s.next()
	if s.accept(".") {
		ks, name = name, s.next()
	}
	return ks, name
}

// list reads (a, b).
func (s *script) list(item func()) {
	s.expect("(")
	for !s.accept(")") {
		item()
		s.accept(",")
	}
}

const nativeNames = " ascii bigint blob boolean counter decimal double float int text varchar timestamp uuid varint timeuuid " +
	"inet date time smallint tinyint duration list set map tuple vector "

func (s *script) typ() *schema.TypeRef {
	r := &schema.TypeRef{}
	if s.accept("frozen", "<") {
		r = s.typ()
		r.Frozen = true
		s.expect(">")
		return r
	}
	w := s.words[s.i]
	if w.str {
		s.i++
		r.Class = w.text
		return r
	}
	r.Keyspace, r.Name = s.name()
	r.IsUser = r.Keyspace != "" || !w.plain || !strings.Contains(nativeNames, " "+r.Name+" ")
	if s.accept("<") {
		for !s.accept(">") {
			if n, err := strconv.Atoi(s.words[s.i].text); err == nil {
				r.Dim = n
				s.i++
			} else {
				r.Params = append(r.Params, s.typ())
			}
			s.accept(",")
		}
	}
	return r
}

// props reads WITH a = b AND ...
func (s *script) props(special func() bool) (p []schema.Property) {
	if !s.accept("with") {
		return nil
	}
	for {
		if special == nil || !special() {
			e := schema.Property{Name: s.next()}
			s.expect("=")
			if s.accept("{") {
				e.IsMap = true
				for !s.accept("}") {
					e.Keys = append(e.Keys, s.next())
					s.expect(":")
					e.Values = append(e.Values, s.next())
					s.accept(",")
				}
			} else {
				e.Value = s.next()
			}
			p = append(p, e)
		}
		if !s.accept("and") {
			return p
		}
	}
}

func (s *script) column() schema.ColumnDef {
	c := schema.ColumnDef{Name: s.next(), Type: s.typ()}
	c.Static = s.accept("static")
	c.Masked = s.accept("masked", "with", "default")
	c.PrimaryKey = s.accept("primary", "key")
	return c
}

func (s *script) names() (names []string) {
	s.list(func() { names = append(names, s.next()) })
	return names
}

func (s *script) columnsOrOne(one func()) {
	if s.peek("(") {
		s.list(one)
	} else {
		one()
	}
}

func (s *script) renames() (r []schema.Rename) {
	for {
		from := s.next()
		s.expect("to")
		r = append(r, schema.Rename{From: from, To: s.next()})
		if !s.accept("and") {
			return r
		}
	}
}

// run carries out the statement on n; ok is false when it is not a schema statement.
func (s *script) run(n *schema.Snapshot, env *schema.Env, current string) (r schema.Result, err error, ok bool) {
	qualify := func(ks, name string) (string, string) {
		if ks == "" {
			ks = current
		}
		return ks, name
	}
	switch {
	case s.accept("create", "keyspace"):
		d := schema.KeyspaceDef{If: s.accept("if", "not", "exists"), Name: s.next()}
		d.With = s.props(nil)
		r, err = schema.CreateKeyspace(n, env, d)
	case s.accept("alter", "keyspace"):
		d := schema.KeyspaceDef{If: s.accept("if", "exists"), Name: s.next()}
		d.With = s.props(nil)
		r, err = schema.AlterKeyspace(n, env, d)
	case s.accept("drop", "keyspace"):
		r, err = schema.DropKeyspace(n, schema.DropDef{IfExists: s.accept("if", "exists"), Keyspace: s.next()})
	case s.accept("drop", "table"), s.accept("drop", "type"), s.accept("drop", "index"):
		kind := s.words[s.i-1].text
		d := schema.DropDef{IfExists: s.accept("if", "exists")}
		d.Keyspace, d.Name = qualify(s.name())
		f := map[string]func(*schema.Snapshot, schema.DropDef) (schema.Result, error){
			"table": schema.DropTable, "type": schema.DropType, "index": schema.DropIndex,
		}[kind]
		r, err = f(n, d)
	case s.accept("create", "table"):
		r, err = schema.CreateTable(n, env, s.createTable(qualify))
	case s.accept("alter", "table"):
		r, err = schema.AlterTable(n, env, s.alterTable(qualify))
	case s.accept("create", "type"):
		d := schema.TypeDef{IfNotExists: s.accept("if", "not", "exists")}
		d.Keyspace, d.Name = qualify(s.name())
		s.list(func() {
			d.Fields = append(d.Fields, s.next())
			d.Types = append(d.Types, s.typ())
		})
		r, err = schema.CreateType(n, d)
	case s.accept("alter", "type"):
		d := schema.TypeAlterDef{IfExists: s.accept("if", "exists")}
		d.Keyspace, d.Name = qualify(s.name())
		switch {
		case s.accept("add"):
			d.FieldIf = s.accept("if", "not", "exists")
			d.Field, d.Type = s.next(), s.typ()
		case s.accept("rename"):
			d.Kind, d.FieldIf = schema.TypeRename, s.accept("if", "exists")
			d.Renames = s.renames()
		case s.accept("alter"):
			d.Kind = schema.TypeAlter
			s.next()
			s.expect("type")
			s.typ()
		}
		r, err = schema.AlterType(n, d)
	case s.accept("create", "index"), s.accept("create", "custom", "index"):
		r, err = schema.CreateIndex(n, s.createIndex(qualify))
	default:
		return r, nil, false
	}
	return r, err, true
}

func (s *script) createTable(qualify func(ks, name string) (string, string)) schema.TableDef {
	d := schema.TableDef{IfNotExists: s.accept("if", "not", "exists")}
	ks, name := s.name()
	d.Unqualified = ks == ""
	d.Keyspace, d.Name = qualify(ks, name)
	s.list(func() {
		if !s.accept("primary", "key") {
			d.Columns = append(d.Columns, s.column())
			return
		}
		var k schema.KeyDef
		first := true
		s.list(func() {
			switch {
			case first && s.peek("("):
				k.Partition = s.names()
			case first:
				k.Partition = []string{s.next()}
			default:
				k.Clustering = append(k.Clustering, s.next())
			}
			first = false
		})
		d.Keys = append(d.Keys, k)
	})
	d.With = s.props(func() bool {
		switch {
		case s.accept("compact", "storage"):
			d.CompactStorage = true
		case s.accept("clustering", "order", "by"):
			s.list(func() {
				o := schema.OrderDef{Column: s.next()}
				o.Desc = s.next() == "desc"
				d.Order = append(d.Order, o)
			})
		default:
			return false
		}
		return true
	})
	return d
}

func (s *script) alterTable(qualify func(ks, name string) (string, string)) schema.TableAlter {
	d := schema.TableAlter{IfExists: s.accept("if", "exists")}
	d.Keyspace, d.Name = qualify(s.name())
	switch {
	case s.accept("drop", "compact", "storage"):
		d.Kind = schema.AlterDropCompact
	case s.accept("add"):
		d.ColumnIf = s.accept("if", "not", "exists")
		s.columnsOrOne(func() { d.Add = append(d.Add, s.column()) })
	case s.accept("drop"):
		d.Kind, d.ColumnIf = schema.AlterDrop, s.accept("if", "exists")
		s.columnsOrOne(func() { d.Drop = append(d.Drop, s.next()) })
		if s.accept("using", "timestamp") {
			d.Timestamp = s.next()
		}
	case s.accept("rename"):
		d.Kind, d.ColumnIf = schema.AlterRename, s.accept("if", "exists")
		d.Renames = s.renames()
	case s.accept("alter"):
		d.ColumnIf = s.accept("if", "exists")
		d.Column = s.next()
		switch {
		case s.accept("type"):
			s.typ()
			d.Kind = schema.AlterColumnType
		case s.accept("masked", "with", "default"):
			d.Kind = schema.AlterMask
		case s.accept("drop", "masked"):
			d.Kind = schema.AlterDropMask
		}
	default:
		d.Kind = schema.AlterWith
		d.With = s.props(nil)
	}
	return d
}

func (s *script) createIndex(qualify func(ks, name string) (string, string)) schema.IndexDef {
	d := schema.IndexDef{Custom: s.words[s.i-2].text == "custom", IfNotExists: s.accept("if", "not", "exists")}
	if !s.peek("on") {
		d.Name = s.next()
	}
	s.expect("on")
	d.Keyspace, d.Table = qualify(s.name())
	s.list(func() {
		t := schema.TargetDef{Column: s.next()}
		if s.accept("(") {
			t = schema.TargetDef{Kind: t.Column, Column: s.next()}
			s.expect(")")
		}
		d.Targets = append(d.Targets, t)
	})
	if d.HasUsing = s.accept("using"); d.HasUsing {
		d.Using = s.next()
	}
	if p := s.props(nil); len(p) > 0 {
		d.Options = map[string]string{}
		for i, k := range p[0].Keys {
			d.Options[k] = p[0].Values[i]
		}
	}
	return d
}

// describe reads DESCRIBE.
func (s *script) describe(current string) (d schema.DescribeDef, ok bool) {
	if !s.accept("describe") {
		return d, false
	}
	d.Current = current
	kinds := []string{
		"keyspaces", "tables", "types", "functions", "aggregates", "schema", "cluster", "keyspace", "table", "index",
		"materialized", "type", "function", "aggregate",
	}
	d.Kind = schema.DescribeGeneric
	d.Full, d.Only = s.accept("full"), s.accept("only")
	for i, k := range kinds {
		if s.accept(k) {
			d.Kind = schema.DescribeKind(i)
			s.accept("view")
			break
		}
	}
	if s.more() && !s.peek("with", "internals") {
		d.Keyspace, d.Name = s.name()
	}
	d.Internals = s.accept("with", "internals")
	return d, true
}
