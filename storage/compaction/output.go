package compaction

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/sstable"
	"github.com/helenusdb/helenus/storage/vfs"
)

// output writes the tables that a task makes, one after the other, cut between partitions as the task says. It is used by one
// goroutine. Source: org.apache.cassandra.db.compaction.writers.
type output struct {
	fs    vfs.FS
	store Store
	task  *Task
	opts  sstable.WriterOptions

	w    *sstable.Writer
	desc sstable.Descriptor
	done []written

	level   int
	onLevel int64 // bytes written to the level
	sizes   int   // how many of task.Sizes are used up
	bounds  int   // how many of task.Bounds are passed
}

// written is a finished output.
type written struct {
	Output
	size int64
}

// exactKeys is up to how many keys a writer may keep the hashes of all in memory, to size its Bloom filter when it has seen
// them.
const exactKeys = 512 << 10

// newOutput returns the output of a task with the given inputs, whose tables are not none.
func newOutput(fs vfs.FS, s Store, t *Task, inputs []Live, base sstable.WriterOptions) *output {
	o := &output{fs: fs, store: s, task: t, opts: base, level: t.Level}
	o.opts.Table = inputs[0].View.Table()
	o.opts.Partitioner, o.opts.RepairedAt = inputs[0].Reader.Statistics().Partitioner, inputs[0].RepairedAt
	o.opts.Encoding = encodingOf(inputs)
	o.opts.Static, o.opts.Regular = columnsOf(o.opts.Table, inputs)
	var keys, size int64
	for _, in := range inputs {
		o.opts.RepairedAt = min(o.opts.RepairedAt, in.RepairedAt)
		keys += in.Keys
		size += in.Size
	}
	if parts := int64(len(t.Bounds) + 1); t.MaxSize == 0 && parts > 1 {
		keys = keys/parts + 1
	}
	if t.MaxSize > 0 && size > t.MaxSize {
		keys = int64(float64(keys)*float64(t.MaxSize)/float64(size)) + 1
	}
	if keys > exactKeys {
		o.opts.ExpectedKeys = keys
	}
	return o
}

// encodingOf returns the lowest of what the inputs are encoded relative to.
func encodingOf(inputs []Live) sstable.EncodingStats {
	var e sstable.EncodingStats
	for i, in := range inputs {
		h := &in.Reader.Statistics().Header
		f := sstable.EncodingStats{MinTimestamp: h.MinTimestamp, MinLocal: h.MinLocal, MinTTL: int32(h.MinTTL)}
		if i == 0 {
			e = f
			continue
		}
		e.MinTimestamp, e.MinLocal, e.MinTTL = min(e.MinTimestamp, f.MinTimestamp), min(e.MinLocal, f.MinLocal), min(e.MinTTL, f.MinTTL)
	}
	return e
}

// columnsOf returns the columns of t that any of the inputs lists: fewer columns make shorter rows. The slices are never nil.
func columnsOf(t *schema.Table, inputs []Live) (static, regular []*schema.Column) {
	has := map[string]bool{}
	for _, in := range inputs {
		h := &in.Reader.Statistics().Header
		for _, c := range h.Static {
			has[c.Name] = true
		}
		for _, c := range h.Regular {
			has[c.Name] = true
		}
	}
	pick := func(columns []*schema.Column) []*schema.Column {
		out := []*schema.Column{}
		for _, c := range columns {
			if has[c.Name] {
				out = append(out, c)
			}
		}
		return out
	}
	return pick(t.Static), pick(t.Regular)
}

// append writes a partition, to a new table when it is time for one.
func (o *output) append(p *row.Partition) error {
	full := false
	for o.bounds < len(o.task.Bounds) && o.task.Bounds[o.bounds].Less(p.Token) {
		o.bounds++
		full = true
	}
	if o.w != nil && o.w.Keys() > 0 && (full || o.full()) {
		if err := o.finish(); err != nil {
			return err
		}
	}
	if o.w == nil {
		var err error
		if o.desc, err = o.store.Next(); err != nil {
			return err
		}
		opts := o.opts
		opts.Level = int32(o.level)
		w, err := sstable.NewWriter(o.fs, o.store.Dir(), o.desc, opts)
		if err != nil {
			return err
		}
		o.w = w
	}
	return o.w.Append(p)
}

// full reports whether the current table has reached its size.
func (o *output) full() bool {
	size := o.w.Size()
	if o.sizes < len(o.task.Sizes) {
		if size < o.task.Sizes[o.sizes] {
			return false
		}
		o.sizes++
		return true
	}
	return o.task.MaxSize > 0 && size >= o.task.MaxSize
}

// finish completes the current table.
func (o *output) finish() error {
	w := o.w
	if w == nil {
		return nil
	}
	keys, size := w.Keys(), w.Size()
	if err := w.Finish(); err != nil {
		return err
	}
	o.w = nil
	if keys == 0 {
		return nil
	}
	o.done = append(o.done, written{Output{o.desc, o.level, o.opts.RepairedAt}, size})
	if o.onLevel += size; o.level-o.task.Level < len(o.task.LevelBytes) && o.onLevel > o.task.LevelBytes[o.level-o.task.Level] {
		o.level, o.onLevel = o.level+1, 0
	}
	return nil
}

// outputs returns what was written.
func (o *output) outputs() []Output {
	out := make([]Output, len(o.done))
	for i, d := range o.done {
		out[i] = d.Output
	}
	return out
}

// size returns the bytes written.
func (o *output) size() (n int64) {
	for _, d := range o.done {
		n += d.size
	}
	return n
}

// abort removes all that was written.
func (o *output) abort() error {
	var errs []error
	if o.w != nil {
		errs = append(errs, o.w.Abort())
		o.w = nil
	}
	for _, d := range o.done {
		errs = append(errs, removeFiles(o.fs, o.store.Dir(), d.Descriptor))
	}
	o.done = nil
	return errors.Join(errs...)
}

// removeFiles removes the components of a table, TOC.txt first: without it a table does not count as whole.
func removeFiles(fs vfs.FS, dir string, d sstable.Descriptor) error {
	names, err := fs.List(dir)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, d.String()+"-") })
	slices.SortStableFunc(names, func(a, b string) int {
		switch toc := d.File(sstable.CompTOC); {
		case a == toc && b != toc:
			return -1
		case b == toc && a != toc:
			return 1
		}
		return 0
	})
	var errs []error
	for _, n := range names {
		errs = append(errs, fs.Remove(path.Join(dir, n)))
	}
	return errors.Join(append(errs, fs.SyncDir(dir))...)
}
