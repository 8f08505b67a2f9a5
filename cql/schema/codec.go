package schema

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/helenusdb/helenus/cql/types"
)

// The format of changes: a byte of the format's version, a byte of the change, then its fields in the order of the structs.
// Numbers are varints, strings and lists have their length before them, map entries are in the order of their keys, so that one
// change has one encoding. Release 0.1 reads and writes version 1.
const changeVersion = 1

const (
	opPutKeyspace = iota + 1
	opRemoveKeyspace
	opPutTable
	opRemoveTable
	opPutType
	opRemoveType
)

// maxTypeDepth bounds how deep a decoded type nests; ResolveType allows no deeper one.
const maxTypeDepth = 64

// ErrBadChange is returned when bytes are not an encoded change.
var ErrBadChange = errors.New("malformed schema change")

// AppendChange appends c to dst in the form that DecodeChange reads.
func AppendChange(dst []byte, c Change) []byte {
	dst = append(dst, changeVersion)
	switch c := c.(type) {
	case *PutKeyspace:
		dst = appendString(append(dst, opPutKeyspace), c.Name)
		return appendStringMap(appendBool(dst, c.DurableWrites), c.Replication)
	case *RemoveKeyspace:
		return appendString(append(dst, opRemoveKeyspace), c.Name)
	case *PutTable:
		return appendTable(append(dst, opPutTable), c.Table)
	case *RemoveTable:
		return appendString(appendString(append(dst, opRemoveTable), c.Keyspace), c.Name)
	case *PutType:
		return appendType(append(dst, opPutType), c.Type)
	case *RemoveType:
		return appendString(appendString(append(dst, opRemoveType), c.Keyspace), c.Name)
	}
	return dst
}

// DecodeChange reads one change, which must fill b. Nothing of b is kept. The error is ErrBadChange.
func DecodeChange(b []byte) (Change, error) {
	d := &decoder{b: b}
	if d.byte() != changeVersion {
		return nil, ErrBadChange
	}
	var c Change
	switch d.byte() {
	case opPutKeyspace:
		c = &PutKeyspace{d.string(), d.bool(), d.stringMap()}
	case opRemoveKeyspace:
		c = &RemoveKeyspace{d.string()}
	case opPutTable:
		c = &PutTable{d.table()}
	case opRemoveTable:
		c = &RemoveTable{d.string(), d.string()}
	case opPutType:
		t := d.typ(0)
		if t.Kind != types.UDT || t.Frozen {
			d.bad = true
		}
		c = &PutType{t}
	case opRemoveType:
		c = &RemoveType{d.string(), d.string()}
	default:
		d.bad = true
	}
	if d.bad || len(d.b) > 0 {
		return nil, ErrBadChange
	}
	return c, nil
}

func appendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// appendOptBool writes nil, false and true as 0, 1 0 and 1 1.
func appendOptBool(dst []byte, v *bool) []byte {
	if v == nil {
		return append(dst, 0)
	}
	return appendBool(append(dst, 1), *v)
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendFloat(dst []byte, v float64) []byte {
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(v))
}

func appendStringMap(dst []byte, m map[string]string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(m)))
	for _, k := range sortedKeys(m) {
		dst = appendString(appendString(dst, k), m[k])
	}
	return dst
}

func appendType(dst []byte, t *types.Type) []byte {
	dst = appendBool(append(dst, byte(t.Kind)), t.Frozen)
	switch t.Kind {
	case types.Custom:
		return appendString(dst, t.Class)
	case types.Vector:
		dst = binary.AppendUvarint(dst, uint64(t.Dim))
	case types.UDT:
		dst = appendString(appendString(dst, t.Keyspace), t.Name)
	}
	dst = binary.AppendUvarint(dst, uint64(len(t.Elems)))
	for i, e := range t.Elems {
		if t.Kind == types.UDT {
			dst = appendString(dst, t.Fields[i])
		}
		dst = appendType(dst, e)
	}
	return dst
}

func appendColumn(dst []byte, c *Column) []byte {
	dst = binary.AppendUvarint(appendString(dst, c.Name), uint64(c.ID))
	dst = binary.AppendVarint(append(dst, byte(c.Kind)), int64(c.Position))
	dst = appendBool(appendType(dst, c.Type), c.Desc)
	return binary.AppendVarint(dst, c.DroppedAt)
}

func appendDropped(dst []byte, m map[string]DroppedColumn) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(m)))
	for _, n := range sortedKeys(m) {
		dst = binary.AppendVarint(appendColumn(dst, m[n].Column), m[n].At)
	}
	return dst
}

func appendTable(dst []byte, t *Table) []byte {
	dst = append(appendString(appendString(dst, t.Keyspace), t.Name), t.ID[:]...)
	dst = binary.AppendUvarint(appendBool(appendBool(dst, t.Virtual), t.Counter), uint64(t.NextColumn))
	columns := t.AllColumns()
	dst = binary.AppendUvarint(dst, uint64(len(columns)))
	for _, c := range columns {
		dst = appendColumn(dst, c)
	}
	dst = appendDropped(appendDropped(dst, t.Dropped), t.Readded)
	dst = appendOptions(dst, &t.Options)
	dst = binary.AppendUvarint(dst, uint64(len(t.Indexes)))
	for _, x := range t.Indexes {
		dst = appendStringMap(appendString(appendString(dst, x.Name), x.Kind), x.Options)
		dst = append(binary.AppendUvarint(dst, uint64(x.Column.ID)), byte(x.Target))
	}
	return dst
}

func appendOptions(dst []byte, o *Options) []byte {
	dst = appendFloat(appendString(dst, o.Comment), o.BloomFilterFPChance)
	dst = appendOptBool(appendStringMap(dst, o.Caching), o.CDC)
	dst = appendStringMap(appendStringMap(dst, o.Compaction), o.Compression)
	dst = appendFloat(appendString(dst, o.Memtable), o.CRCCheckChance)
	dst = binary.AppendUvarint(dst, uint64(len(o.Extensions)))
	for _, k := range sortedKeys(o.Extensions) {
		dst = appendString(appendString(dst, k), string(o.Extensions[k]))
	}
	for _, n := range []int32{o.DefaultTTL, o.GCGraceSeconds, o.MaxIndexInterval, o.MinIndexInterval, o.MemtableFlushPeriodMs} {
		dst = binary.AppendVarint(dst, int64(n))
	}
	for _, s := range []string{o.SpeculativeRetry, o.AdditionalWritePolicy, o.ReadRepair} {
		dst = appendString(dst, s)
	}
	return appendOptBool(appendOptBool(dst, o.AllowAutoSnapshot), o.IncrementalBackups)
}

// decoder takes fields off b; after the first that is not there every other is zero and bad is set.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) take(n uint64) []byte {
	if d.bad || n > uint64(len(d.b)) {
		d.bad, d.b = true, nil
		return nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) byte() byte {
	if v := d.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (d *decoder) bool() bool {
	v := d.byte()
	d.bad = d.bad || v > 1
	return v == 1
}

func (d *decoder) optBool() *bool {
	if !d.bool() {
		return nil
	}
	v := d.bool()
	return &v
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.take(uint64(n))
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.take(uint64(n))
	return v
}

func (d *decoder) int32() int32 {
	v := d.varint()
	d.bad = d.bad || v != int64(int32(v))
	return int32(v)
}

func (d *decoder) id() ColumnID {
	v := d.uvarint()
	d.bad = d.bad || v > math.MaxUint32
	return ColumnID(v)
}

// count reads how many elements of at least one byte follow.
func (d *decoder) count() int {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.bad, d.b = true, nil
		return 0
	}
	return int(n)
}

func (d *decoder) string() string { return string(d.take(d.uvarint())) }

func (d *decoder) float() float64 {
	v := d.take(8)
	if v == nil {
		return 0
	}
	return math.Float64frombits(binary.BigEndian.Uint64(v))
}

func (d *decoder) stringMap() map[string]string {
	n := d.count()
	m := make(map[string]string, min(n, 64))
	for ; n > 0 && !d.bad; n-- {
		k := d.string()
		m[k] = d.string()
	}
	return m
}

// typ never returns nil, so that callers need not ask before they look.
func (d *decoder) typ(depth int) *types.Type {
	t := &types.Type{Kind: types.Kind(d.byte())}
	t.Frozen = d.bool()
	if t.Kind == types.Invalid || t.Kind > types.Empty || depth > maxTypeDepth {
		d.bad = true
	}
	if d.bad {
		return types.TBlob
	}
	switch t.Kind {
	case types.Custom:
		t.Class = d.string()
		return t
	case types.Vector:
		n := d.uvarint()
		d.bad = d.bad || n == 0 || n > math.MaxInt32
		t.Dim = int(n)
	case types.UDT:
		t.Keyspace, t.Name = d.string(), d.string()
	}
	n := d.count()
	if want := elemCount(t.Kind); want >= 0 && n != want {
		d.bad = true
	}
	for i := 0; i < n && !d.bad; i++ {
		if t.Kind == types.UDT {
			t.Fields = append(t.Fields, d.string())
		}
		t.Elems = append(t.Elems, d.typ(depth+1))
	}
	if n := nativeType(t.Kind); n != nil && !t.Frozen {
		return n
	}
	return t
}

// elemCount returns how many elements a type of the kind has, -1 for any number.
func elemCount(k types.Kind) int {
	switch k {
	case types.List, types.Set, types.Vector:
		return 1
	case types.Map:
		return 2
	case types.Tuple, types.UDT:
		return -1
	}
	return 0
}

func (d *decoder) column(ks, table string) *Column {
	c := &Column{Keyspace: ks, Table: table, Name: d.string(), ID: d.id()}
	c.Kind = ColumnKind(d.byte())
	c.Position = int(d.int32())
	c.Type, c.Desc, c.DroppedAt = d.typ(0), d.bool(), d.varint()
	d.bad = d.bad || c.Kind > Regular || c.ID == 0
	return c
}

func (d *decoder) dropped(ks, table string) map[string]DroppedColumn {
	n := d.count()
	if n == 0 {
		return nil
	}
	m := make(map[string]DroppedColumn, min(n, 64))
	for ; n > 0 && !d.bad; n-- {
		c := d.column(ks, table)
		m[c.Name] = DroppedColumn{Column: c, At: d.varint()}
	}
	return m
}

func (d *decoder) table() *Table {
	t := &Table{Keyspace: d.string(), Name: d.string()}
	copy(t.ID[:], d.take(16))
	t.Virtual, t.Counter, t.NextColumn = d.bool(), d.bool(), d.id()
	names, ids := map[string]bool{}, map[ColumnID]*Column{}
	for n := d.count(); n > 0 && !d.bad; n-- {
		c := d.column(t.Keyspace, t.Name)
		if d.bad = d.bad || names[c.Name] || ids[c.ID] != nil || c.ID >= t.NextColumn; d.bad {
			break
		}
		names[c.Name], ids[c.ID] = true, c
		d.place(t, c)
	}
	t.Dropped, t.Readded = d.dropped(t.Keyspace, t.Name), d.dropped(t.Keyspace, t.Name)
	d.options(&t.Options)
	for n := d.count(); n > 0 && !d.bad; n-- {
		x := &Index{Name: d.string(), Kind: d.string(), Options: d.stringMap(), Column: ids[d.id()], Target: IndexTarget(d.byte())}
		if d.bad = d.bad || x.Column == nil || x.Target > TargetFull; d.bad {
			break
		}
		t.Indexes = append(t.Indexes, x)
	}
	d.bad = d.bad || len(t.PartitionKey) == 0
	if !d.bad {
		t.Finish()
	}
	return t
}

// place puts c among the columns of its kind, where its position must be the next one.
func (d *decoder) place(t *Table, c *Column) {
	lists := [...]*[]*Column{&t.PartitionKey, &t.Clustering, &t.Static, &t.Regular}
	list := lists[c.Kind]
	want := -1
	if c.IsPrimaryKey() {
		want = len(*list)
	}
	d.bad = d.bad || c.Position != want
	*list = append(*list, c)
}

func (d *decoder) options(o *Options) {
	o.Comment, o.BloomFilterFPChance = d.string(), d.float()
	o.Caching, o.CDC = d.stringMap(), d.optBool()
	o.Compaction, o.Compression = d.stringMap(), d.stringMap()
	o.Memtable, o.CRCCheckChance = d.string(), d.float()
	if n := d.count(); n > 0 {
		o.Extensions = make(map[string][]byte, min(n, 64))
		for ; n > 0 && !d.bad; n-- {
			k := d.string()
			o.Extensions[k] = []byte(d.string())
		}
	}
	o.DefaultTTL, o.GCGraceSeconds, o.MaxIndexInterval = d.int32(), d.int32(), d.int32()
	o.MinIndexInterval, o.MemtableFlushPeriodMs = d.int32(), d.int32()
	o.SpeculativeRetry, o.AdditionalWritePolicy, o.ReadRepair = d.string(), d.string(), d.string()
	o.AllowAutoSnapshot, o.IncrementalBackups = d.optBool(), d.optBool()
}
