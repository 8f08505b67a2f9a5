package sstable

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/vfs"
)

// Writer writes a table of version nb. It is used by one goroutine. After an error only Abort is of use.
// Source: org.apache.cassandra.io.sstable.format.big.BigTableWriter; storage.md 1.
type Writer struct {
	fs    vfs.FS
	dir   string
	desc  Descriptor
	opts  WriterOptions
	stats Statistics
	order partitioned
	rows  clusteringOrder
	made  []string // files that were created
	err   error

	data   dataWriter
	index  indexWriter
	filter filterBuilder
	seen   collector
	enc    encoder
	blocks blockBuilder
	// last is the partition before.
	lastToken token.Token
	lastKey   []byte
	// lowest and highest are the ends of all clusterings and bounds; at is scratch.
	lowest, highest edge
	at              edge
	// prefix and cursor are scratch.
	prefix []byte
	cursor cursor
}

// NewWriter creates the files of a table that is to be written; the folder must be there. The caller calls Finish or Abort.
func NewWriter(fs vfs.FS, dir string, d Descriptor, o WriterOptions) (*Writer, error) {
	if d.Version != "nb" || d.Format != "big" {
		return nil, fmt.Errorf("%s: %w: only nb of format big is written", d, ErrVersion)
	}
	w := &Writer{fs: fs, dir: dir, desc: d, opts: o, seen: newCollector()}
	how, err := compressionOf(&o.Table.Options, o.Compression)
	if err != nil {
		return nil, err
	}
	if err := w.describe(); err != nil {
		return nil, err
	}
	w.filter = newFilterBuilder(w.stats.FilterChance, o.ExpectedKeys)
	w.index.interval = int64(max(o.Table.Options.MinIndexInterval, 1))
	w.blocks.size = int64(o.ColumnIndexSize)
	if o.ColumnIndexSize <= 0 {
		w.blocks.size = defaultColumnIndexSize
	}
	side := CompCRC
	if how != nil {
		side = CompCompression
	}
	w.made = []string{CompData, CompIndex, side}
	if err := w.data.open(fs, dir, d, how); err != nil {
		return nil, w.give(err)
	}
	if err := w.index.out.create(fs, dir, d.File(CompIndex)); err != nil {
		return nil, w.give(err)
	}
	return w, nil
}

// give removes what was made and returns err.
func (w *Writer) give(err error) error {
	if e := w.Abort(); e != nil {
		return fmt.Errorf("%w; and %w", err, e)
	}
	return err
}

// Size returns how many bytes of the data and the index there are so far, on disk or on the way there.
func (w *Writer) Size() int64 { return w.data.out.size() + int64(len(w.data.buf)) + w.index.out.size() }

// Keys returns the number of partitions written so far.
func (w *Writer) Keys() int64 { return w.index.keys }

// Finish writes what is left and makes all files durable, TOC.txt last. A table without a partition leaves no files.
func (w *Writer) Finish() error {
	if w.err != nil {
		return w.err
	}
	if w.index.keys == 0 {
		return w.Abort()
	}
	w.err = w.finish()
	return w.err
}

func (w *Writer) finish() error {
	if err := w.data.finish(); err != nil {
		return err
	}
	if err := w.index.out.finish(); err != nil {
		return err
	}
	w.summarize()
	if head, bits, ok := w.filter.finish(); ok {
		if err := w.component(CompFilter, head, bits); err != nil {
			return err
		}
	}
	for _, c := range []struct {
		component string
		content   []byte
	}{
		{CompSummary, w.index.summary()},
		{CompStatistics, appendStatistics(nil, &w.stats)},
		{CompDigest, w.data.digest()},
	} {
		if err := w.component(c.component, c.content); err != nil {
			return err
		}
	}
	toc := append(slices.Clone(w.made), CompTOC)
	slices.Sort(toc)
	if err := w.component(CompTOC, []byte(strings.Join(toc, "\n")+"\n")); err != nil {
		return err
	}
	return w.fs.SyncDir(w.dir)
}

// summarize completes the statistics.
func (w *Writer) summarize() {
	s := &w.stats.Stats
	w.seen.fill(s)
	w.stats.Cardinality = w.seen.keys.appendTo(nil)
	none := LogPosition{Segment: -1}
	s.LogLower, s.LogUpper = none, none
	s.CompressionRatio = w.data.ratio()
	s.Level, s.RepairedAt, s.HostID = w.opts.Level, w.opts.RepairedAt, w.opts.HostID
	s.MinClustering, s.MaxClustering = w.lowest.values, w.highest.values
}

// component writes a whole file.
func (w *Writer) component(name string, parts ...[]byte) error {
	w.made = append(w.made, name)
	out := output{}
	if err := out.create(w.fs, w.dir, w.desc.File(name)); err != nil {
		return err
	}
	defer out.close()
	for _, p := range parts {
		out.buf = p
		if err := out.flush(); err != nil {
			return err
		}
	}
	return out.finish()
}

// Abort removes the files. It may be called after Finish has failed, and does nothing when it was called before.
func (w *Writer) Abort() error {
	if w.err == nil {
		w.err = fmt.Errorf("%s: the writer has ended", w.desc)
	}
	first := error(nil)
	for _, o := range []*output{&w.data.out, &w.data.side, &w.index.out} {
		if err := o.close(); first == nil {
			first = err
		}
	}
	for _, name := range w.made {
		if err := w.fs.Remove(path.Join(w.dir, w.desc.File(name))); err != nil && !isMissing(err) && first == nil {
			first = err
		}
	}
	w.made = nil
	return first
}
