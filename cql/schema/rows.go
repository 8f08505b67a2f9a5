package schema

import (
	"github.com/helenusdb/helenus/cql/types"
)

// SystemRows returns the rows of a table of system_schema: each has the values of its columns in the order of SELECT *, nil for
// null. Rows are in the order of their keys as text; ok is false for a table that system_schema does not have. Virtual keyspaces
// are left out: VirtualRows has them. Source: org.apache.cassandra.schema.SchemaKeyspace.
func SystemRows(s *Snapshot, table string) (rows [][][]byte, ok bool) {
	return schemaRows(s, table, systemRows)
}

// VirtualRows returns the rows of a table of system_virtual_schema in the same form.
func VirtualRows(s *Snapshot, table string) (rows [][][]byte, ok bool) {
	return schemaRows(s, table, virtualRows)
}

var systemRows = map[string]func(*Keyspace) [][][]byte{
	"keyspaces": func(k *Keyspace) [][][]byte {
		return [][][]byte{{[]byte(k.Name), boolValue(k.DurableWrites), textMap(k.Replication)}}
	},
	"tables":          tableRows,
	"columns":         columnRows,
	"dropped_columns": droppedRows,
	"indexes":         indexRows,
	"types":           typeRows,
	"column_masks":    noRows,
	"functions":       noRows,
	"aggregates":      noRows,
	"triggers":        noRows,
	"views":           noRows,
}

var virtualRows = map[string]func(*Keyspace) [][][]byte{
	"keyspaces": func(k *Keyspace) [][][]byte { return [][][]byte{{[]byte(k.Name)}} },
	"tables": func(k *Keyspace) (rows [][][]byte) {
		for _, n := range k.TableNames() {
			rows = append(rows, [][]byte{[]byte(k.Name), []byte(n), []byte(k.Tables[n].Options.Comment)})
		}
		return rows
	},
	"columns": columnRows,
}

func noRows(*Keyspace) [][][]byte { return nil }

func schemaRows(s *Snapshot, table string, makers map[string]func(*Keyspace) [][][]byte) ([][][]byte, bool) {
	f, ok := makers[table]
	if !ok {
		return nil, false
	}
	_, ofReal := makers["indexes"]
	var rows [][][]byte
	for _, n := range s.KeyspaceNames() {
		if k := s.Keyspaces[n]; k.Virtual != ofReal {
			rows = append(rows, f(k)...)
		}
	}
	return rows, true
}

func tableRows(k *Keyspace) (rows [][][]byte) {
	for _, n := range k.TableNames() {
		t := k.Tables[n]
		o := &t.Options
		flags := []string{"compound"}
		if t.Counter {
			flags = append(flags, "counter")
		}
		var memtable []byte
		if o.Memtable != "" {
			memtable = []byte(o.Memtable)
		}
		rows = append(rows, [][]byte{
			[]byte(k.Name), []byte(n),
			[]byte(o.AdditionalWritePolicy),
			falseOrNull(o.AllowAutoSnapshot),
			doubleValue(o.BloomFilterFPChance),
			textMap(o.Caching),
			nil, // cdc is written only where the setting cdc_enabled is on
			[]byte(o.Comment),
			textMap(o.Compaction),
			textMap(o.Compression),
			doubleValue(o.CRCCheckChance),
			doubleValue(0), // dclocal_read_repair_chance
			intValue(o.DefaultTTL),
			blobMap(o.Extensions),
			textList(flags),
			intValue(o.GCGraceSeconds),
			t.ID.bytes(),
			falseOrNull(o.IncrementalBackups),
			intValue(o.MaxIndexInterval),
			memtable,
			intValue(o.MemtableFlushPeriodMs),
			intValue(o.MinIndexInterval),
			[]byte(o.ReadRepair),
			doubleValue(0), // read_repair_chance
			[]byte(o.SpeculativeRetry),
		})
	}
	return rows
}

func columnRows(k *Keyspace) (rows [][][]byte) {
	for _, n := range k.TableNames() {
		t := k.Tables[n]
		for _, column := range sortedKeys(t.ByName) {
			c := t.ByName[column]
			order := "none"
			if c.Kind == Clustering {
				order = "asc"
				if c.Desc {
					order = "desc"
				}
			}
			rows = append(rows, [][]byte{
				[]byte(k.Name), []byte(n), []byte(c.Name), []byte(order), []byte(c.Name), []byte(c.Kind.String()),
				intValue(int32(c.Position)), []byte(c.Type.String()),
			})
		}
	}
	return rows
}

// droppedRows leaves out the local system keyspaces, whose dropped columns Cassandra knows without having written them down.
func droppedRows(k *Keyspace) (rows [][][]byte) {
	if isLocalSystem(k.Name) {
		return nil
	}
	for _, n := range k.TableNames() {
		t := k.Tables[n]
		dropped := make(map[string]DroppedColumn)
		for _, d := range t.allDropped() {
			dropped[d.Column.Name] = d
		}
		for _, column := range sortedKeys(dropped) {
			d := dropped[column]
			rows = append(rows, [][]byte{
				[]byte(k.Name), []byte(n), []byte(column), types.AppendInt64(nil, d.At/1000), []byte(d.Column.Kind.String()),
				[]byte(d.Column.Type.String()),
			})
		}
	}
	return rows
}

func indexRows(k *Keyspace) (rows [][][]byte) {
	for _, n := range k.TableNames() {
		for _, x := range k.Tables[n].Indexes {
			rows = append(rows, [][]byte{[]byte(k.Name), []byte(n), []byte(x.Name), []byte(x.Kind), textMap(x.Options)})
		}
	}
	return rows
}

func typeRows(k *Keyspace) (rows [][][]byte) {
	for _, n := range k.TypeNames() {
		t := k.Types[n]
		var fields []string
		for _, e := range t.Elems {
			fields = append(fields, e.String())
		}
		rows = append(rows, [][]byte{[]byte(k.Name), []byte(n), textList(t.Fields), textList(fields)})
	}
	return rows
}

func boolValue(v bool) []byte      { return types.AppendBool(nil, v) }
func intValue(v int32) []byte      { return types.AppendInt32(nil, v) }
func doubleValue(v float64) []byte { return types.AppendFloat64(nil, v) }
func (u UUID) bytes() []byte       { return u[:] }

// falseOrNull is how flags that are true by default are shown.
func falseOrNull(v *bool) []byte {
	if isFalse(v) {
		return boolValue(false)
	}
	return nil
}

// textList returns a list<text>, or a set<text> when items are sorted.
func textList(items []string) []byte {
	v := types.AppendCount(nil, len(items))
	for _, s := range items {
		v = types.AppendElement(v, []byte(s))
	}
	return v
}

func textMap(m map[string]string) []byte {
	v := types.AppendCount(nil, len(m))
	for _, k := range sortedKeys(m) {
		v = types.AppendElement(types.AppendElement(v, []byte(k)), []byte(m[k]))
	}
	return v
}

func blobMap(m map[string][]byte) []byte {
	v := types.AppendCount(nil, len(m))
	for _, k := range sortedKeys(m) {
		v = types.AppendElement(types.AppendElement(v, []byte(k)), m[k])
	}
	return v
}
