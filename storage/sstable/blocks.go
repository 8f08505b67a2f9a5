package sstable

import "github.com/helenusdb/helenus/storage/row"

// blockIndex is the index within a wide partition: blocks of consecutive rows and markers.
type blockIndex interface {
	// floor returns the last block that begins at or before a place, or the first one.
	floor(cut row.Cut) (block, error)
	// before returns the block that stands before one; it is not asked for that of the first.
	before(b *block) (block, error)
}

// block is one block of a partition.
type block struct {
	// start and end are counted from the start of the partition. The end of the last block may be that of the partition's rows
	// or behind it.
	start, end int64
	// open is the deletion that is open where the block begins.
	open        row.Deletion
	first, last bool
	// number is the block's in Index.db, leaf what leads to it in Rows.db.
	number int
	leaf   []byte
}

// wholePartition is the one block of a partition without an index.
type wholePartition struct{ p *partition }

func (w *wholePartition) floor(row.Cut) (block, error) {
	return block{start: w.p.rows - w.p.start, end: w.p.w.p.length - w.p.start, open: row.Live, first: true, last: true}, nil
}

func (w *wholePartition) before(*block) (block, error) { return w.floor(row.Cut{}) }
