package sstable

import (
	"path"

	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/row"
)

// First returns the lowest key with its token; the key is nil for an empty table. It is not to be changed.
func (r *Reader) First() (token.Token, []byte) {
	return r.firstToken, r.first
}

// Last returns the highest key with its token.
func (r *Reader) Last() (token.Token, []byte) {
	return r.lastToken, r.last
}

// EstimatedKeys returns the number of partitions, as the statistics have counted them.
func (r *Reader) EstimatedKeys() int64 {
	n := int64(0)
	for _, b := range r.stats.Stats.PartitionSizes {
		n += b.Count
	}
	return n
}

// DataSize returns the size of Data.db on disk.
func (r *Reader) DataSize() int64 { return r.data.size }

// components are the files that a table can have.
var components = [...]string{
	CompData, CompIndex, CompSummary, CompFilter, CompStatistics, CompCompression, CompCRC, CompDigest, CompTOC, CompPartitions, CompRows,
}

// Size returns the size of all components on disk. It looks at the files.
func (r *Reader) Size() (int64, error) {
	total := int64(0)
	for _, c := range components {
		name := r.desc.File(c)
		info, err := r.fs.Stat(path.Join(r.dir, name))
		if err != nil && !isMissing(err) {
			return 0, ioError(name, 0, err)
		}
		total += info.Size
	}
	return total, nil
}

// HasTombstones reports whether the table can hold a deletion or something that expires. A table without any has nothing to
// say about what others hold.
func (r *Reader) HasTombstones() bool { return r.stats.Stats.MinLocal != row.NoLocal }

// HasPartitionDeletions reports whether a whole partition can be deleted in the table. Versions before oa do not tell it apart
// from other deletions.
func (r *Reader) HasPartitionDeletions() bool {
	return r.HasTombstones() && r.stats.Stats.PartitionDeletions
}

// HasStatics reports whether the table can hold static rows.
func (r *Reader) HasStatics() bool { return len(r.stats.Header.Static) > 0 }

// InRange reports whether the table can hold a partition of the range.
func (r *Reader) InRange(rg Range) bool {
	return r.first != nil && !r.before(r.lastToken, r.last, &rg) && !r.behind(r.firstToken, r.first, &rg)
}

// Covers reports whether a row, or a deletion of rows, of the table can be inside of one of the slices; nil stands for all.
// What is false says nothing of static rows and of deletions of whole partitions, which HasStatics and HasPartitionDeletions
// are for. Source: CASSANDRA-14861 for which versions tell the truth.
func (v *View) Covers(slices []row.Slice) bool {
	low, high, ok := v.covered()
	if !ok || slices == nil {
		return true
	}
	for i := range slices {
		start, end := row.StartCut(slices[i].Start), row.EndCut(slices[i].End)
		if v.compare(start.Values, side(start), high.Values, side(high)) < 0 &&
			v.compare(low.Values, side(low), end.Values, side(end)) < 0 {
			return true
		}
	}
	return false
}

// covered returns the places that all rows and markers stand between; ok is false when that is not known.
func (v *View) covered() (low, high row.Cut, ok bool) {
	st := &v.r.stats.Stats
	if c := st.Covered; c != nil {
		low, high = row.Cut{Values: v.known(c.Start.Values)}, row.Cut{Values: v.known(c.End.Values), After: true}
		return low, high, true
	}
	if !v.r.desc.Version.AccurateBounds() {
		return row.Cut{}, row.Cut{}, false
	}
	return row.Cut{Values: v.known(st.MinClustering)}, row.Cut{Values: v.known(st.MaxClustering), After: true}, true
}

// known cuts a prefix before the first value that is null or empty: the statistics do not tell one from the other.
func (v *View) known(values [][]byte) [][]byte {
	values = values[:min(len(values), len(v.values))]
	if i := indexEmpty(values); i >= 0 {
		return values[:i]
	}
	return values
}

func indexEmpty(values [][]byte) int {
	for i, v := range values {
		if len(v) == 0 {
			return i
		}
	}
	return -1
}
