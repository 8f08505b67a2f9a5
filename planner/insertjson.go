package planner

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
)

// JSONInsert is the values of INSERT JSON: one text that holds them all.
type JSONInsert struct {
	Value Term
	// Columns are all columns of the table, in the order in which Cassandra decodes their values and finds faults.
	Columns []*schema.Column
	// Unset says that columns which the text leaves out stay as they are; else they become null.
	Unset bool
	// base is the index behind the last bind marker: column i of Columns has its value at base + i.
	base int
}

// jsonTerm is the value of one column of INSERT JSON, which Bind has put behind the bound values.
type jsonTerm struct {
	typ   *types.Type
	index int
}

func (t *jsonTerm) Type() *types.Type { return t.typ }

func (t *jsonTerm) Eval(env *Env) ([]byte, bool, error) {
	v := &env.Values[t.index]
	return v.Bytes, v.Unset, nil
}

// insertJSON prepares INSERT JSON: it writes all columns. Source: UpdateStatement.ParsedInsertJson.
func (s *scope) insertJSON(m *ModificationPlan, st *ast.Insert) error {
	v, err := s.term(st.JSON, s.named("[json]", types.TText))
	if err != nil {
		return err
	}
	m.JSON = &JSONInsert{Value: v, Columns: javaOrder(m.Table.AllColumns()), Unset: st.JSONUnset, base: len(s.markers)}
	w := &Restrictions{
		Table: m.Table, partition: make([]*restriction, len(m.Table.PartitionKey)),
		clustering: make([]*restriction, len(m.Table.Clustering)),
	}
	for i, c := range m.JSON.Columns {
		t := &jsonTerm{c.Type, m.JSON.base + i}
		if !c.IsPrimaryKey() {
			m.put(setTo(c, t))
			continue
		}
		x := &restriction{kind: isEQ, columns: []*schema.Column{c}, values: []tupleValue{{items: []Term{t}}}}
		if err := w.add(x, whereInsert, false); err != nil {
			return err
		}
	}
	m.Where = w
	if err := w.check(whereInsert, whereOptions{}); err != nil {
		return err
	}
	if _, ok := st.JSON.(*ast.Literal); ok {
		// A text that is there already is refused at once.
		_, err = m.JSON.Bind(&Env{})
	}
	return err
}

// Bind decodes the text of one execution and returns the Env in which the plan's terms have their values.
// Source: org.apache.cassandra.cql3.Json.parseJson.
func (j *JSONInsert) Bind(env *Env) (*Env, error) {
	text, unset, err := j.Value.Eval(env)
	if err != nil {
		return nil, err
	}
	if text == nil && !unset {
		return nil, errNullJSON
	}
	object, err := jsonMap(string(text))
	if err != nil {
		return nil, err
	}
	given, names := columnsOfJSON(object)
	bound := *env
	bound.Values = make([]Value, j.base+len(j.Columns))
	copy(bound.Values, env.Values)
	for i, c := range j.Columns {
		v := &bound.Values[j.base+i]
		decoded, ok := given[c.Name]
		if !ok {
			v.Unset = j.Unset
			continue
		}
		if v.Bytes, err = c.Type.FromJSON(decoded); err != nil {
			if strings.HasSuffix(err.Error(), " to a duration") || strings.HasPrefix(err.Error(), "Invalid duration") {
				return nil, err
			}
			return nil, cql.Invalidf("Error decoding JSON value for %s: %s", c.Name, err)
		}
		delete(given, c.Name)
	}
	for _, name := range names {
		if _, left := given[name]; left {
			return nil, cql.Invalidf("JSON values map contains unrecognized column: %s", name)
		}
	}
	return &bound, nil
}

// columnsOfJSON returns the members of an object by the columns that their keys name, and those names in order. A key that
// is not the name as it is comes after those that are: of {"i": 1, "I": 2} and of {"I": 2, "i": 1} the 2 counts.
// Source: JsonUtils.handleCaseSensitivity.
func columnsOfJSON(o *types.JSONObject) (given map[string]any, names []string) {
	given = make(map[string]any, len(o.Keys))
	for i, key := range o.Keys {
		if types.JSONName(key) == key {
			given[key] = o.Values[i]
			names = append(names, key)
		}
	}
	for i, key := range o.Keys {
		if name := types.JSONName(key); name != key {
			given[name] = o.Values[i]
			names = append(names, name)
		}
	}
	return given, names
}

// javaOrder sorts columns as a Java HashMap keeps them that has their names, as byte buffers, for keys.
func javaOrder(columns []*schema.Column) []*schema.Column {
	buckets := uint32(16)
	for len(columns) > int(buckets)*3/4 {
		buckets *= 2
	}
	bucket := func(c *schema.Column) uint32 {
		h := uint32(1)
		for i := len(c.Name) - 1; i >= 0; i-- {
			h = 31*h + uint32(int32(int8(c.Name[i])))
		}
		return (h ^ h>>16) & (buckets - 1)
	}
	slices.SortStableFunc(columns, func(a, b *schema.Column) int { return int(bucket(a)) - int(bucket(b)) })
	return columns
}

// errNullJSON answers INSERT JSON of null.
var errNullJSON = cql.Invalidf("Got null for INSERT JSON values")

// jsonMap decodes a text that has to be a JSON object.
func jsonMap(text string) (*types.JSONObject, error) {
	refuse := func(why string) (*types.JSONObject, error) {
		return nil, cql.Invalidf("Could not decode JSON string as a map: %s. (String was: %s)", why, text)
	}
	decoded, err := types.DecodeJSON(text)
	if err != nil {
		return refuse(jacksonClass(err.Error()) + ": " + err.Error())
	}
	const mismatch = "com.fasterxml.jackson.databind.exc.MismatchedInputException: "
	what := ""
	switch v := decoded.(type) {
	case nil:
		return nil, errNullJSON
	case *types.JSONObject:
		return v, nil
	case string:
		return refuse(mismatch + "Cannot construct instance of `java.util.LinkedHashMap` (although at least one Creator " +
			"exists): no String-argument constructor/factory method to deserialize from String value ('" + v + "')" + jsonStart(text))
	case []any:
		what = "Array value (token `JsonToken.START_ARRAY`)"
	case bool:
		what = "Boolean value (token `JsonToken.VALUE_" + strings.ToUpper(strconv.FormatBool(v)) + "`)"
	case float64:
		what = "Floating-point value (token `JsonToken.VALUE_NUMBER_FLOAT`)"
	default:
		what = "Integer value (token `JsonToken.VALUE_NUMBER_INT`)"
	}
	return refuse(mismatch + "Cannot deserialize value of type `java.util.LinkedHashMap<java.lang.Object,java.lang.Object>` from " +
		what + jsonStart(text))
}

// jsonStart is the place of the first value of text, as Cassandra's decoder prints it.
func jsonStart(text string) string {
	blank := text[:len(text)-len(strings.TrimLeft(text, " \t\r\n"))]
	line := strings.Count(blank, "\n")
	column := len(blank) - strings.LastIndexByte(blank, '\n')
	return fmt.Sprintf("\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: %d, column: %d]",
		line+1, column)
}

// jacksonClass is the Java class of a decoder's error, by its message.
func jacksonClass(message string) string {
	switch {
	case strings.HasPrefix(message, "No content to map"):
		return "com.fasterxml.jackson.databind.exc.MismatchedInputException"
	case strings.HasPrefix(message, "Unexpected end-of-input"):
		return "com.fasterxml.jackson.core.io.JsonEOFException"
	case strings.Contains(message, "exceeds the maximum allowed"):
		return "com.fasterxml.jackson.core.exc.StreamConstraintsException"
	}
	return "com.fasterxml.jackson.core.JsonParseException"
}
