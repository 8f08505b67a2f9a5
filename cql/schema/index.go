package schema

import (
	"slices"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

// legacyIndex is the implementation of an index without USING, and the one that Helenus has.
const legacyIndex = "legacy_local_table"

var targetNames = [...]string{
	TargetSimple: "", TargetValues: "values", TargetKeys: "keys", TargetEntries: "entries", TargetFull: "full",
}

// String returns the function that CREATE INDEX writes around the column, "" for none.
func (t IndexTarget) String() string { return targetNames[t] }

// CreateIndex carries out CREATE INDEX.
// Source: org.apache.cassandra.cql3.statements.schema.CreateIndexStatement; cql.md 1.8.
//
// Deviation: storage-attached and SASI indexes are refused.
func CreateIndex(s *Snapshot, d IndexDef) (Result, error) {
	if err := checkModifiable(d.Keyspace, "ALTER", tableResource(d.Keyspace, d.Table)); err != nil {
		return Result{}, err
	}
	using := legacyIndex
	if d.HasUsing {
		using = d.Using
	}
	custom := d.Custom || using != legacyIndex
	if !custom && len(d.Options) > 0 {
		return Result{}, cql.Invalidf("Cannot specify options for a non-CUSTOM index")
	}
	k := s.Keyspaces[d.Keyspace]
	if k == nil {
		return Result{}, cql.Invalidf("Keyspace '%s' doesn't exist", d.Keyspace)
	}
	t := k.Tables[d.Table]
	if t == nil {
		return Result{}, cql.Invalidf("Table '%s' doesn't exist", d.Table)
	}
	if d.Name != "" && k.indexTable(d.Name) != nil {
		if d.IfNotExists {
			return noOp()
		}
		return Result{}, cql.Invalidf("Index '%s' already exists", d.Name)
	}
	switch {
	case t.Counter:
		return Result{}, cql.Invalidf("Secondary indexes on counter tables aren't supported")
	case !custom && len(d.Targets) == 0:
		return Result{}, cql.Invalidf("Only CUSTOM indexes can be created without specifying a target column")
	case !custom && len(d.Targets) > 1:
		return Result{}, cql.Invalidf("Only CUSTOM indexes support multiple columns")
	}
	x := &Index{Kind: "COMPOSITES"}
	for _, target := range d.Targets {
		var err error
		if x.Column, x.Target, err = checkTarget(t, target); err != nil {
			return Result{}, err
		}
	}
	if x.Name = d.Name; x.Name == "" {
		x.Name = k.newIndexName(t, d.Targets)
	}
	for _, o := range t.Indexes {
		if !custom && o.Column == x.Column && o.Target == x.Target {
			if d.IfNotExists {
				return noOp()
			}
			return Result{}, cql.Invalidf("Index %s is a duplicate of existing index %s", x.Name, o.Name)
		}
	}
	if !isWord(x.Name) {
		return Result{}, cql.Configf("Illegal index name %s", x.Name)
	}
	if custom {
		return Result{}, refuseCustom(using)
	}
	x.Options = map[string]string{"target": x.target()}
	n := t.clone()
	n.Indexes = append(n.Indexes, x)
	n.Finish()
	return done(&PutTable{n}, Event{"UPDATED", "TABLE", t.Keyspace, t.Name})
}

// target prints what system_schema.indexes.options shows as target.
func (x *Index) target() string {
	column := types.QuoteIdent(x.Column.Name)
	if x.Target == TargetSimple {
		return column
	}
	return x.Target.String() + "(" + column + ")"
}

// refuseCustom says why there is no index of a class.
func refuseCustom(class string) error {
	switch short := class[strings.LastIndexByte(class, '.')+1:]; {
	case strings.EqualFold(class, "sai") || short == "StorageAttachedIndex":
		return cql.Invalidf("Storage-attached indexes are not supported by Helenus yet")
	case short == "SASIIndex":
		return cql.Invalidf("SASI indexes are disabled. Enable in cassandra.yaml to use.")
	}
	return cql.Configf("Unable to find custom indexer class '%s'", class)
}

// checkTarget returns the column of a target and what of it is indexed.
func checkTarget(t *Table, d TargetDef) (*Column, IndexTarget, error) {
	c := t.ByName[d.Column]
	if c == nil {
		return nil, 0, cql.Invalidf("Undefined column name %s in table %s.%s", types.QuoteIdent(d.Column), t.Keyspace, t.Name)
	}
	target := IndexTarget(max(slices.Index(targetNames[:], d.Kind), 0))
	if target == TargetSimple && c.Type.IsCollection() {
		target = TargetValues
	}
	if err := checkDuration(c.Type); err != nil {
		return nil, 0, err
	}
	frozenCollection := c.Type.IsCollection() && c.Type.Frozen
	name := types.QuoteIdent(c.Name)
	switch {
	case c.Kind == PartitionKey && len(t.PartitionKey) == 1:
		return nil, 0, cql.Invalidf("Cannot create secondary index on the only partition key column %s", name)
	case target == TargetFull && !frozenCollection:
		return nil, 0, cql.Invalidf("full() indexes can only be created on frozen collections")
	case target != TargetFull && frozenCollection:
		return nil, 0, cql.Invalidf("Cannot create %s() index on frozen column %s. Frozen collections are immutable and must be fully "+
			"indexed by using the 'full(%s)' modifier", target, name, name)
	case target != TargetSimple && !c.Type.IsCollection():
		return nil, 0, cql.Invalidf("Cannot create %s() index on %s. Non-collection columns only support simple indexes", target, name)
	case (target == TargetKeys || target == TargetEntries) && c.Type.Kind != types.Map:
		return nil, 0, cql.Invalidf("Cannot create index on %s of column %s with non-map type", target, name)
	case c.Type.Kind == types.UDT && c.Type.IsMultiCell():
		return nil, 0, cql.Invalidf("Cannot create index on non-frozen UDT column %s", name)
	}
	return c, target, nil
}

// checkDuration refuses a type in which durations stand; those in the elements of a set of frozen collections and in vectors
// are not seen, as in Cassandra.
func checkDuration(t *types.Type) error {
	if t.Kind == types.Duration {
		return cql.Invalidf("Secondary indexes are not supported on duration columns")
	}
	direct := slices.ContainsFunc(t.Elems, func(e *types.Type) bool { return e.Kind == types.Duration })
	switch {
	case (t.Kind == types.List || t.Kind == types.Map) && direct:
		return cql.Invalidf("Secondary indexes are not supported on collections containing durations")
	case t.Kind == types.Tuple && t.ReferencesDuration():
		return cql.Invalidf("Secondary indexes are not supported on tuples containing durations")
	case t.Kind == types.UDT && t.ReferencesDuration():
		return cql.Invalidf("Secondary indexes are not supported on UDTs containing durations")
	}
	return nil
}

// indexTable returns the table that has an index of the name, or nil.
func (k *Keyspace) indexTable(name string) *Table {
	for _, n := range k.TableNames() {
		if k.Tables[n].Index(name) != nil {
			return k.Tables[n]
		}
	}
	return nil
}

// newIndexName makes the name of an index that was given none.
func (k *Keyspace) newIndexName(t *Table, targets []TargetDef) string {
	base := t.Name + "_"
	if len(targets) == 1 {
		base += targets[0].Column + "_"
	}
	base = wordChars(base + "idx")
	name := base
	for i := 1; k.indexTable(name) != nil; i++ {
		name = base + "_" + strconv.Itoa(i)
	}
	return name
}

// DropIndex carries out DROP INDEX. Source: org.apache.cassandra.cql3.statements.schema.DropIndexStatement.
func DropIndex(s *Snapshot, d DropDef) (Result, error) {
	if lower := strings.ToLower(d.Keyspace); isLocalSystem(lower) || isVirtualSystem(lower) {
		return Result{}, cql.Invalidf("System keyspace '%s' is not user-modifiable", d.Keyspace)
	}
	var t *Table
	if k := s.Keyspaces[d.Keyspace]; k != nil {
		t = k.indexTable(d.Name)
	}
	if t == nil {
		return missing(d.IfExists, "Index '%s.%s' doesn't exist'", d.Keyspace, d.Name)
	}
	n := t.clone()
	n.Indexes = slices.DeleteFunc(n.Indexes, func(x *Index) bool { return x.Name == d.Name })
	return done(&PutTable{n}, Event{"UPDATED", "TABLE", t.Keyspace, t.Name})
}
