package oracle

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// column type kinds: the native ones by their CQL name, and these.
const (
	kindList   = "list"
	kindSet    = "set"
	kindMap    = "map"
	kindTuple  = "tuple"
	kindUDT    = "udt"
	kindVector = "vector"
	kindCustom = "custom"
)

// colType is the type of a column or bind marker as the server described it.
type colType struct {
	kind   string
	sub    []*colType
	fields []string // of a UDT
	name   string   // of a UDT with its keyspace; class of a custom type as sent
	size   int      // of a vector
	wire   string   // how it was sent when that was a class name
}

// optionNames are the CQL names of the type options without parameters. Source: native_protocol_v5.spec 4.2.5.2.
var optionNames = map[uint16]string{1: "ascii", 2: "bigint", 3: "blob", 4: "boolean", 5: "counter", 6: "decimal",
	7: "double", 8: "float", 9: "int", 10: "text(0x0A)", 11: "timestamp", 12: "uuid", 13: "text", 14: "varint",
	15: "timeuuid", 16: "inet", 17: "date", 18: "time", 19: "smallint", 20: "tinyint", 21: "duration"}

// readType reads a type option.
func (r *reader) readType() *colType {
	id := r.short()
	if name, ok := optionNames[id]; ok {
		return &colType{kind: name}
	}
	switch id {
	case 0:
		class := r.string()
		t := parseClass(class)
		t.wire = class
		return t
	case 0x20:
		return &colType{kind: kindList, sub: []*colType{r.readType()}}
	case 0x22:
		return &colType{kind: kindSet, sub: []*colType{r.readType()}}
	case 0x21:
		k := r.readType()
		return &colType{kind: kindMap, sub: []*colType{k, r.readType()}}
	case 0x30:
		ks := r.string()
		t := &colType{kind: kindUDT, name: ks + "." + r.string()}
		n := int(r.short())
		for i := 0; i < n && r.err == nil; i++ {
			t.fields = append(t.fields, r.string())
			t.sub = append(t.sub, r.readType())
		}
		return t
	case 0x31:
		t := &colType{kind: kindTuple}
		n := int(r.short())
		for i := 0; i < n && r.err == nil; i++ {
			t.sub = append(t.sub, r.readType())
		}
		return t
	}
	if r.err == nil {
		r.err = fmt.Errorf("unknown type option 0x%04x", id)
	}
	return &colType{kind: kindCustom}
}

// String prints a type as it was sent: CQL form, class names in quotes.
func (t *colType) String() string {
	if t.wire != "" {
		return "'" + t.wire + "'"
	}
	var sub []string
	for i, s := range t.sub {
		text := s.String()
		if t.kind == kindUDT {
			text = t.fields[i] + " " + text
		}
		sub = append(sub, text)
	}
	switch t.kind {
	case kindUDT:
		return t.name + "{" + strings.Join(sub, ", ") + "}"
	case kindVector:
		return fmt.Sprintf("vector<%s, %d>", t.sub[0], t.size)
	}
	if len(sub) == 0 {
		return t.kind
	}
	return t.kind + "<" + strings.Join(sub, ", ") + ">"
}

// classNames are Cassandra's marshal classes and the kinds they stand for.
var classNames = map[string]string{"AsciiType": "ascii", "LongType": "bigint", "BytesType": "blob", "BooleanType": "boolean",
	"CounterColumnType": "counter", "DecimalType": "decimal", "DoubleType": "double", "FloatType": "float", "Int32Type": "int",
	"TimestampType": "timestamp", "UUIDType": "uuid", "UTF8Type": "text", "IntegerType": "varint", "TimeUUIDType": "timeuuid",
	"InetAddressType": "inet", "SimpleDateType": "date", "TimeType": "time", "ShortType": "smallint", "ByteType": "tinyint",
	"DurationType": "duration", "ListType": kindList, "SetType": kindSet, "MapType": kindMap, "TupleType": kindTuple,
	"UserType": kindUDT, "VectorType": kindVector}

// parseClass understands a marshal class as far as values can be printed by it; the rest prints as hex.
func parseClass(class string) *colType {
	p := &classParser{s: class}
	t := p.parse()
	if p.bad || strings.TrimSpace(p.s) != "" {
		return &colType{kind: kindCustom, name: class}
	}
	return t
}

type classParser struct {
	s   string
	bad bool
}

func (p *classParser) word() string {
	p.s = strings.TrimLeft(p.s, " ")
	n := strings.IndexAny(p.s, "(),:")
	if n < 0 {
		n = len(p.s)
	}
	w := strings.TrimSpace(p.s[:n])
	p.s = p.s[n:]
	return w
}

func (p *classParser) eat(c byte) bool {
	p.s = strings.TrimLeft(p.s, " ")
	if p.s == "" || p.s[0] != c {
		return false
	}
	p.s = p.s[1:]
	return true
}

func (p *classParser) parse() *colType {
	word := p.word()
	name := word[strings.LastIndexByte(word, '.')+1:]
	if name == "FrozenType" || name == "ReversedType" {
		p.bad = p.bad || !p.eat('(')
		t := p.parse()
		p.bad = p.bad || !p.eat(')')
		return t
	}
	kind, ok := classNames[name]
	if !ok {
		p.bad = true
		return &colType{kind: kindCustom}
	}
	t := &colType{kind: kind}
	if !p.eat('(') {
		return t
	}
	if kind == kindUDT {
		t.name = p.word()
		p.bad = p.bad || !p.eat(',')
		raw, err := hex.DecodeString(p.word())
		p.bad = p.bad || err != nil
		t.name += "." + string(raw)
		for !p.bad && p.eat(',') {
			raw, err := hex.DecodeString(p.word())
			p.bad = err != nil || !p.eat(':')
			t.fields = append(t.fields, string(raw))
			t.sub = append(t.sub, p.parse())
		}
	} else {
		t.sub = append(t.sub, p.parse())
		for !p.bad && p.eat(',') {
			if kind == kindVector {
				n, err := strconv.Atoi(p.word())
				p.bad = err != nil || n < 1
				t.size = n
				continue
			}
			t.sub = append(t.sub, p.parse())
		}
	}
	p.bad = p.bad || !p.eat(')')
	return t
}

// parseCQLType reads a type in CQL form, for the values of unprepared statements.
func parseCQLType(s string) (*colType, error) {
	s = strings.TrimSpace(s)
	name, args, ok := strings.Cut(s, "<")
	if !ok {
		switch s {
		case "varchar":
			s = "text"
		}
		for _, n := range optionNames {
			if n == s {
				return &colType{kind: s}, nil
			}
		}
		return nil, fmt.Errorf("unknown type %q", s)
	}
	if !strings.HasSuffix(args, ">") {
		return nil, fmt.Errorf("unfinished type %q", s)
	}
	t := &colType{kind: strings.TrimSpace(name)}
	for _, part := range splitTop(args[:len(args)-1], ',') {
		if n, err := strconv.Atoi(strings.TrimSpace(part)); err == nil && t.kind == kindVector {
			t.size = n
			continue
		}
		sub, err := parseCQLType(part)
		if err != nil {
			return nil, err
		}
		t.sub = append(t.sub, sub)
	}
	if t.kind == "frozen" {
		return t.sub[0], nil
	}
	return t, nil
}

// splitTop splits at sep where no bracket and no quote is open.
func splitTop(s string, sep byte) []string {
	var out []string
	depth, start, quoted := 0, 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\'':
			quoted = !quoted
		case quoted:
		case strings.IndexByte("<([{", c) >= 0:
			depth++
		case strings.IndexByte(">)]}", c) >= 0:
			depth--
		case c == sep && depth == 0:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	if strings.TrimSpace(s[start:]) != "" || len(out) > 0 {
		out = append(out, s[start:])
	}
	return out
}

// fixedSize is the size of a value inside a vector without a length before it, 0 when it has one.
// Source: AbstractType.valueLengthIfFixed of Cassandra 5.0.
func (t *colType) fixedSize() int {
	switch t.kind {
	case "boolean":
		return 1
	case "int", "float":
		return 4
	case "bigint", "double", "timestamp":
		return 8
	case "uuid", "timeuuid":
		return 16
	case kindVector:
		if n := t.sub[0].fixedSize(); n > 0 {
			return n * t.size
		}
	}
	return 0
}
