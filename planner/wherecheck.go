package planner

import (
	"slices"
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/request"
)

// filteringText refuses a statement that would have to look at more than it returns.
const filteringText = "Cannot execute this query as it might involve data filtering and thus may have unpredictable performance. " +
	"If you want to execute this query despite the performance unpredictability, use ALLOW FILTERING"

// mustAllow reports whether t is filtered only when the statement says so. Source:
// StatementRestrictions.requiresAllowFilteringIfNotSpecified.
func mustAllow(t *schema.Table) bool {
	return !t.Virtual || t.Keyspace == "system_views" && t.Name == "system_logs"
}

// check decides how the restrictions are carried out and refuses what the statement cannot do.
// Source: the end of the constructor of StatementRestrictions.
func (r *Restrictions) check(kind whereKind, o whereOptions) error {
	queriable := kind == whereSelect && (r.anySupporting(r.clustering) || r.anySupporting(r.partition) || r.anySupporting(r.other))
	if err := r.checkPartition(kind, queriable, o.allowFiltering); err != nil {
		return err
	}
	if r.usesIndex || r.partitionFilters() {
		r.filtered = append(r.filtered, r.partition...)
	}
	if o.onlyStatics && r.HasClustering() {
		switch kind {
		case whereUpdate, whereDelete:
			return cql.Invalidf("Invalid restrictions on clustering columns since the %s statement modifies only static columns",
				kind)
		case whereSelect:
			return cql.Invalidf("Cannot restrict clustering columns when selecting only static columns")
		}
	}
	if err := r.checkClustering(kind, queriable, o); err != nil {
		return err
	}
	if r.KeyRange && kind == whereSelect && r.anySupporting(r.clustering) {
		r.usesIndex = true
	}
	if r.usesIndex || r.clusteringFilters() {
		r.filtered = append(r.filtered, r.clustering...)
	}
	if len(r.other) > 0 {
		if kind != whereSelect {
			return cql.Invalidf("Non PRIMARY KEY columns found in where clause: %s ", r.otherNames())
		}
		if queriable {
			r.usesIndex = true
		} else if !o.allowFiltering && mustAllow(r.Table) {
			return cql.Invalidf(filteringText)
		}
	}
	if r.usesIndex && r.KeyIN() {
		return cql.Invalidf("Select on indexed columns and with IN clause for the PRIMARY KEY are not supported")
	}
	r.plan()
	return nil
}

// otherNames are the names of the restricted columns outside of the primary key.
func (r *Restrictions) otherNames() string {
	names := make([]string, 0, len(r.other))
	for _, x := range r.sortedOther() {
		names = append(names, x.columns[0].Name)
	}
	return strings.Join(names, ", ")
}

// sortedOther are the restrictions outside of the primary key in the order of SELECT *.
func (r *Restrictions) sortedOther() []*restriction {
	rank := func(c *schema.Column) int {
		if i := slices.Index(r.Table.Static, c); i >= 0 {
			return i
		}
		return len(r.Table.Static) + slices.Index(r.Table.Regular, c)
	}
	slices.SortFunc(r.other, func(a, b *restriction) int { return rank(a.columns[0]) - rank(b.columns[0]) })
	return r.other
}

// partitionFilters reports whether restrictions of the partition key do not give whole keys.
// Source: PartitionKeySingleRestrictionSet.needFiltering.
func (r *Restrictions) partitionFilters() bool {
	if lastRestriction(r.partition) == nil {
		return false
	}
	for _, x := range r.partition {
		if x == nil || x.kind == isSlice || x.kind == isContains {
			return true
		}
	}
	return false
}

func (r *Restrictions) checkPartition(kind whereKind, queriable, allowFiltering bool) error {
	if kind != whereSelect {
		if r.token != nil && lastRestriction(r.partition) == nil {
			return cql.Invalidf("The token function cannot be used in WHERE clauses for %s statements", kind)
		}
		var missing []*schema.Column
		for i, x := range r.partition {
			if x == nil {
				missing = append(missing, r.Table.PartitionKey[i])
			}
		}
		if len(missing) > 0 {
			return cql.Invalidf("Some partition key parts are missing: %s", columnList(missing, ", "))
		}
		for _, x := range r.partition {
			if x.kind == isSlice {
				return cql.Invalidf(
					"Only EQ and IN relation are supported on the partition key (unless you use the token() function) for %s statements", kind,
				)
			}
		}
		return nil
	}
	restricted := lastRestriction(r.partition) != nil
	if r.token != nil && !restricted {
		r.KeyRange = true
	}
	if r.token == nil && !restricted {
		r.KeyRange, r.usesIndex = true, queriable
	}
	if r.partitionFilters() {
		if !allowFiltering && !queriable && mustAllow(r.Table) {
			return cql.Invalidf(filteringText)
		}
		r.KeyRange, r.usesIndex = true, queriable
	}
	return nil
}

// clusteringFilters reports whether some restriction of a clustering column does not bound slices.
// Source: ClusteringColumnRestrictions.needFiltering.
func (r *Restrictions) clusteringFilters() bool {
	position := 0
	var slice *restriction
	for i, x := range r.clustering {
		if x == nil || i > 0 && r.clustering[i-1] == x {
			continue
		}
		if x.kind == isContains || x.columns[0].Position != position || slice != nil && slice.columns[0] != x.columns[0] {
			return true
		}
		if x.kind == isSlice {
			slice = x
		} else {
			position = x.columns[len(x.columns)-1].Position + 1
		}
	}
	return false
}

func (r *Restrictions) checkClustering(kind whereKind, queriable bool, o whereOptions) error {
	if kind == whereUpdate || kind == whereInsert {
		for _, x := range r.clustering {
			if x != nil && x.kind == isSlice {
				return cql.Invalidf("Slice restrictions are not supported on the clustering columns in %s statements", kind)
			}
		}
		var missing []*schema.Column
		for i, x := range r.clustering {
			if x == nil {
				missing = append(missing, r.Table.Clustering[i])
			}
		}
		if len(missing) > 0 && !o.onlyStatics {
			return cql.Invalidf("Some clustering keys are missing: %s", columnList(missing, ", "))
		}
		return nil
	}
	for _, x := range r.clustering {
		if x != nil && x.kind == isContains && !queriable && !o.allowFiltering {
			return cql.Invalidf("Clustering columns can only be restricted with CONTAINS with a secondary index or filtering")
		}
	}
	if !r.clusteringFilters() {
		return nil
	}
	if queriable {
		r.usesIndex = true
		return nil
	}
	if o.allowFiltering {
		return nil
	}
	n := 0
	for i, x := range r.clustering {
		if x == nil {
			continue
		}
		if i != n {
			return cql.Invalidf(`PRIMARY KEY column "%s" cannot be restricted as preceding column "%s" is not restricted`,
				r.Table.Clustering[i].Name, r.Table.Clustering[n].Name)
		}
		n++
	}
	return nil
}

// needsFiltering reports whether a read that has no whole partition key, or that uses an index, drops rows that it reads:
// unless one index supports all that rows are filtered by. Source: StatementRestrictions.needFiltering, IndexRestrictions.
func (r *Restrictions) needsFiltering() bool {
	filtered := slices.DeleteFunc(append(slices.Clone(r.filtered), r.other...), func(x *restriction) bool { return x == nil })
	if len(filtered) == 0 {
		return r.HasClustering()
	}
	for _, x := range r.other {
		if x.kind == isContains && len(x.terms) > 1 {
			return true
		}
	}
	for _, index := range r.Table.Indexes {
		unsupported := func(x *restriction) bool { return len(x.columns) > 1 || x.filterFor(index) == nil }
		if index.Kind != "CUSTOM" && !slices.ContainsFunc(filtered, unsupported) {
			return false
		}
	}
	return true
}

// plan divides the restrictions into keys, slices and filters and picks the index.
func (r *Restrictions) plan() {
	if r.KeyRange {
		for _, x := range r.partition {
			if x != nil {
				r.filters = append(r.filters, x.asFilters()...)
			}
		}
	}
	position, sliced := 0, false
	for i, x := range r.clustering {
		if x == nil || i > 0 && r.clustering[i-1] == x {
			continue
		}
		if x.kind == isContains || i != position || sliced {
			r.filters = append(r.filters, x.asFilters()...)
			continue
		}
		r.slices = append(r.slices, x)
		sliced = x.kind == isSlice
		position += len(x.columns)
	}
	for _, x := range r.sortedOther() {
		r.filters = append(r.filters, x.asFilters()...)
	}
	if !r.KeyRange || !r.usesIndex {
		return
	}
	for _, list := range [][]*restriction{r.other, r.clustering, r.partition} {
		for _, x := range list {
			if x == nil {
				continue
			}
			if r.Index = r.supporting(x); r.Index != nil {
				r.indexTerm = x.filterFor(r.Index)
				return
			}
		}
	}
}

// asFilters is the restriction as terms of a row filter. What a filter cannot do is refused when the statement runs.
func (x *restriction) asFilters() []filterTerm {
	if x.kind == isContains {
		return x.terms
	}
	var list []filterTerm
	add := func(op request.Op, v *tupleValue) {
		for i, c := range x.columns {
			f := filterTerm{column: c, op: op, component: -1}
			if v.whole != nil {
				f.value, f.component = v.whole, i
			} else {
				f.value = v.items[i]
			}
			list = append(list, f)
		}
	}
	switch {
	case x.kind == isEQ:
		add(request.OpEQ, &x.values[0])
	case x.multi && (x.kind == isSlice || len(x.columns) > 1):
		f := filterTerm{column: x.columns[0], refusal: "Multicolumn IN filters are not supported"}
		if x.kind == isSlice {
			f.refusal = "Multi-column slice restrictions cannot be used for filtering."
		}
		list = append(list, f)
	case x.kind == isIN:
		f := filterTerm{column: x.columns[0], op: request.OpIN, marker: x.marker, values: []Term{}, component: -1}
		if x.multi && x.marker != nil {
			f.component = 0
		}
		for i := range x.values {
			if w := x.values[i].whole; w != nil {
				f.values = append(f.values, &componentTerm{w, 0})
			} else {
				f.values = append(f.values, x.values[i].items[0])
			}
		}
		list = append(list, f)
	default:
		if x.start != nil {
			add(boundOp(request.OpGT, request.OpGE, x.start), &x.start.tupleValue)
		}
		if x.end != nil {
			add(boundOp(request.OpLT, request.OpLE, x.end), &x.end.tupleValue)
		}
	}
	return list
}

func boundOp(open, closed request.Op, b *bound) request.Op {
	if b.inclusive {
		return closed
	}
	return open
}

// filterFor is the term of x that index can look up, or nil.
func (x *restriction) filterFor(index *schema.Index) *filterTerm {
	if !slices.Contains(x.columns, index.Column) {
		return nil
	}
	var want request.Op
	switch index.Target {
	case schema.TargetSimple, schema.TargetFull:
		if x.kind != isEQ {
			return nil
		}
		for _, f := range x.asFilters() {
			if f.column == index.Column {
				return &f
			}
		}
		return nil
	case schema.TargetValues:
		want = request.OpContains
	case schema.TargetKeys:
		want = request.OpContainsKey
	case schema.TargetEntries:
		want = request.OpMapEntry
	}
	for i := range x.terms {
		if x.terms[i].op == want {
			return &x.terms[i]
		}
	}
	return nil
}
