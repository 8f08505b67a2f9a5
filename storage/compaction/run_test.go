package compaction

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/sstable"
	"github.com/helenusdb/helenus/storage/vfs"
)

var quiet = slog.New(slog.DiscardHandler)

// settle runs background tasks one after the other until there are none.
func settle(t testing.TB, m *Manager, s *memStore) (tasks int) {
	t.Helper()
	for {
		m.mu.Lock()
		st := m.stores[s.table.ID]
		m.mu.Unlock()
		job, task := m.next(st)
		if job == nil {
			return tasks
		}
		if err := m.execute(job, task); err != nil {
			t.Fatalf("%s: %v", told(task), err)
		}
		if tasks++; tasks > 500 {
			t.Fatal("does not come to rest")
		}
	}
}

// everything is each operation of a manager, by name.
func everything(ctx context.Context, m *Manager, s *memStore) map[string]func() error {
	id := s.table.ID
	return map[string]func() error{
		"major": func() error { return m.Major(ctx, id, false) },
		"split": func() error { return m.Major(ctx, id, true) },
		"user defined": func() error {
			var ids []string
			for i, l := range s.tables {
				if i%2 == 0 {
					ids = append(ids, l.ID)
				}
			}
			return m.UserDefined(ctx, id, ids)
		},
		"range": func() error {
			return m.Range(ctx, id, []token.Range{{Start: token.FromInt64(0), End: token.FromInt64(math.MaxInt64 / 2)}})
		},
		"garbage of rows":  func() error { return m.GarbageCollect(ctx, id, ProvideRow, 0) },
		"garbage of cells": func() error { return m.GarbageCollect(ctx, id, ProvideCell, 1) },
		"upgrade":          func() error { return m.Upgrade(ctx, id, true, 0) },
		"relevel":          func() error { return m.Relevel(ctx, id) },
		"cleanup of nothing": func() error {
			return m.Cleanup(ctx, id, []token.Range{{Start: token.FromInt64(5), End: token.FromInt64(5)}}, 0)
		},
		"verify": func() error {
			bad, err := m.Verify(ctx, id)
			if len(bad) > 0 {
				return bad[0].Err
			}
			return err
		},
	}
}

// TestNoLogicalChange writes random data to several tables and runs every strategy and operation: what clients see stays the
// same, and without purgeable tombstones so does all that is stored.
func TestNoLogicalChange(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(26) {
		r := rand.New(rand.NewPCG(seed, 1))
		opts := allStrategies[seed%uint64(len(allStrategies))]
		table := testTable(opts)
		table.Options.Compaction["min_threshold"] = "2"
		purges := seed%2 == 1
		if !purges {
			table.Options.GCGraceSeconds = 100 * day
		}
		s := newStore(t, vfs.NewMem(), table)
		m := newManager(t, s)
		ops := everything(ctx, m, s)
		for range 4 {
			for range 1 + r.IntN(6) {
				for range r.IntN(40) {
					s.random(r, 30)
				}
				s.flush()
			}
			for range r.IntN(20) {
				s.random(r, 30)
			}
			live, stored := s.live(), s.stored()
			check := func(what string) {
				t.Helper()
				if got := s.live(); got != live {
					t.Fatalf("seed %d, %s: %s changed what clients see\n%s", seed, opts, what, difference(got, live))
				}
				if got := s.stored(); !purges && got != stored {
					t.Fatalf("seed %d, %s: %s changed what is stored\n%s", seed, opts, what, difference(got, stored))
				}
			}
			settle(t, m, s)
			check("background")
			for name, op := range ops {
				if r.IntN(3) > 0 {
					continue
				}
				if err := op(); err != nil {
					t.Fatalf("seed %d, %s: %s: %v", seed, opts, name, err)
				}
				check(name)
			}
		}
		for _, l := range s.tables {
			if err := l.Reader.Verify(); err != nil {
				t.Fatalf("seed %d: %s: %v", seed, l.ID, err)
			}
		}
	}
}

// TestPurge drives the decision table of storage.md 2 through files: one deletion, and what stands in its way.
func TestPurge(t *testing.T) {
	const old, young = now - 11*day, now - 9*day // gc_grace_seconds is 10 days
	for _, c := range []struct {
		name    string
		local   int64
		bystand int64 // timestamp of a row of the same partition in a table that takes no part, 0 for none
		mem     int64 // the same in the memtable
		other   bool  // the bystander is of another partition
		kept    bool
	}{
		{"old enough", old, 0, 0, false, false},
		{"too young", young, 0, 0, false, true},
		{"older data elsewhere", old, 99, 0, false, true},
		{"equal data elsewhere", old, 100, 0, false, true},
		{"newer data elsewhere", old, 101, 0, false, false},
		{"older data of another partition elsewhere", old, 99, 0, true, false},
		{"older data in the memtable", old, 0, 99, false, true},
		{"newer data in the memtable", old, 0, 101, false, false},
		{"older data of another partition in the memtable", old, 0, 99, true, false},
	} {
		for _, kind := range []string{"row", "range", "partition", "cell"} {
			s := newStore(t, vfs.NewMem(), testTable("SizeTiered"))
			m := newManager(t, s)
			other := 1
			if c.other {
				other = 2
			}
			s.insert(1, 1, 50)
			s.flush()
			d := row.Deletion{Timestamp: 100, Local: c.local}
			s.apply(1, func(b *request.Builder) {
				switch kind {
				case "partition":
					b.DeletePartition(d)
				case "range":
					b.DeleteRange(row.Slice{Start: row.Bound{Inclusive: true}, End: row.Bound{Values: [][]byte{intValue(5)}, Inclusive: true}}, d)
				case "row":
					b.Row([][]byte{intValue(1)})
					b.DeleteRow(d)
				case "cell":
					b.Row([][]byte{intValue(1)})
					b.Cell(row.Cell{Column: colA, Timestamp: 100, Local: c.local})
				}
			})
			s.flush()
			ids := []string{s.tables[0].ID, s.tables[1].ID}
			if c.bystand > 0 {
				s.insert(other, 9, c.bystand)
				s.flush()
			}
			if c.mem > 0 {
				s.insert(other, 9, c.mem)
			}
			if err := m.UserDefined(context.Background(), s.table.ID, ids); err != nil {
				t.Fatal(err)
			}
			if got := s.deletions(); (got == " 100") != c.kept {
				t.Errorf("%s, %s: deletions%s are left", kind, c.name, got)
			}
		}
	}
}

// TestFlushDuringTask holds that a memtable which is flushed while a task runs still bounds what is purged.
func TestFlushDuringTask(t *testing.T) {
	s := newStore(t, vfs.NewMem(), testTable("SizeTiered"))
	dead := func() {
		s.apply(1, func(b *request.Builder) { b.DeletePartition(row.Deletion{Timestamp: 100, Local: now - 11*day}) })
	}
	dead()
	s.flush()
	s.insert(1, 1, 99)
	b := newPurgeBounds(s, []*Table{s.tables[0].Table})
	defer b.close()
	k := intValue(1)
	if least, any := b.of(token.Murmur3{}.Token(k), k); !any || least != 99 {
		t.Errorf("memtable: %d, %v", least, any)
	}
	s.flush()
	if least, any := b.of(token.Murmur3{}.Token(k), k); !any || least != 99 {
		t.Errorf("flushed: %d, %v", least, any)
	}
}

// TestExpiredAreCheckedAgain holds that a table which was to be dropped unread is read when something older came meanwhile.
func TestExpiredAreCheckedAgain(t *testing.T) {
	for _, late := range []bool{false, true} {
		s := newStore(t, vfs.NewMem(), testTable("TimeWindow"))
		m := newManager(t, s)
		s.apply(1, func(b *request.Builder) { b.DeletePartition(row.Deletion{Timestamp: 100, Local: now - 11*day}) })
		s.flush()
		job, task := m.next(m.stores[s.table.ID])
		if told(task) != "COMPACTION [1] L0 -1" {
			t.Fatal(told(task))
		}
		if late {
			s.insert(1, 1, 99)
		}
		if err := m.execute(job, task); err != nil {
			t.Fatal(err)
		}
		if got := len(s.tables); got != 0 != late {
			t.Errorf("late %v: %d tables", late, got)
		}
		if late && s.live() != "" {
			t.Errorf("deleted data is back: %s", s.live())
		}
	}
}

// TestSpace holds that inputs are left out when the disk is full, and that these bound what is purged (CASSANDRA-18507).
func TestSpace(t *testing.T) {
	mem := vfs.NewMem()
	fs := &tight{FS: mem, free: math.MaxInt64}
	s := newStore(t, fs, testTable("SizeTiered min_threshold=2"))
	m := newManager(t, s)
	for i := range 2000 { // the large table has what is deleted
		s.insert(i, 1, 50)
	}
	s.flush()
	for i := range 20 {
		s.apply(i, func(b *request.Builder) { b.DeletePartition(row.Deletion{Timestamp: 100, Local: now - 11*day}) })
	}
	s.flush()
	s.insert(5000, 1, 60)
	s.flush()
	live := s.live()
	fs.free = s.tables[0].Size / 2
	job, task := m.next(m.stores[s.table.ID])
	if len(task.Inputs) != 3 {
		t.Fatal(told(task))
	}
	if err := m.execute(job, task); err != nil {
		t.Fatal(err)
	}
	if st := m.Stats(); len(s.tables) != 2 || st.Reduced != 1 || st.Dropped != 1 {
		t.Errorf("%d tables, %+v", len(s.tables), st)
	}
	if got := s.live(); got != live {
		t.Error("deleted data is back")
	}
	fs.free = 10
	if err := m.Major(context.Background(), s.table.ID, false); !errors.Is(err, ErrSpace) {
		t.Errorf("without space: %v", err)
	}
	if got := m.UserDefined(context.Background(), s.table.ID, []string{"nb-99-big"}); !errors.Is(got, ErrGone) {
		t.Errorf("what is not there: %v", got)
	}
}

// tight is a file system that says how much is free.
type tight struct {
	vfs.FS
	free int64
}

func (f *tight) Space(string) (free, total int64, err error) { return f.free, f.free, nil }

// TestFailures lets each operation of the file system fail in turn: the task ends with an error or is done, nothing is lost,
// and no file of an output is left behind when it failed.
func TestFailures(t *testing.T) {
	broken := errors.New("broken")
	for n := int64(1); ; n++ {
		var count, on atomic.Int64
		mem := vfs.NewMem()
		failed := ""
		fs := &vfs.Faulty{FS: mem, Hook: func(op vfs.Op, name string) error {
			if on.Load() == 1 && op != vfs.OpRemove && op != vfs.OpClose && op != vfs.OpList && count.Add(1) == n {
				failed = string(op) + " " + name
				return broken
			}
			return nil
		}}
		table := testTable("Leveled sstable_size_in_mb=1")
		s := newStore(t, fs, table)
		m := newManager(t, s)
		r := rand.New(rand.NewPCG(3, 3))
		for range 3 {
			for range 60 {
				s.random(r, 40)
			}
			s.flush()
		}
		live := s.live()
		on.Store(1)
		err := m.Major(context.Background(), table.ID, false)
		on.Store(0)
		if err != nil && !errors.Is(err, broken) {
			t.Fatalf("operation %d: %v", n, err)
		}
		if got := s.live(); got != live {
			t.Fatalf("operation %d %s: %v\n%s", n, failed, err, difference(got, live))
		}
		names, _ := mem.List("data")
		files := map[string]bool{}
		for _, name := range names {
			d, _, err := sstable.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[d.String()] = true
		}
		if len(files) != len(s.tables) {
			t.Fatalf("operation %d: %v\n%d tables have files, %d are live", n, err, len(files), len(s.tables))
		}
		if err == nil {
			if count.Load() < 20 {
				t.Errorf("only %d operations", count.Load())
			}
			return
		}
	}
}

// TestDamage holds that a task which meets damage ends, and that the table is left alone from then on.
func TestDamage(t *testing.T) {
	mem := vfs.NewMem()
	s := newStore(t, mem, testTable("SizeTiered min_threshold=2"))
	m := newManager(t, s)
	for k := range 3 {
		for i := range 500 {
			s.insert(i, k, int64(k+1))
		}
		s.flush()
	}
	f, err := mem.Open(path.Join("data", "nb-2-big-Data.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 200); err != nil {
		t.Fatal(err)
	}
	job, task := m.next(m.stores[s.table.ID])
	err = m.execute(job, task)
	if bad := damaged(err); bad == nil || bad.ID != "nb-2-big" {
		t.Fatalf("error %v", err)
	}
	if len(s.tables) != 3 {
		t.Errorf("%d tables", len(s.tables))
	}
	job, task = m.next(m.stores[s.table.ID])
	if told(task) != "COMPACTION [1 3] L0" {
		t.Fatal(told(task))
	}
	if err := m.execute(job, task); err != nil {
		t.Fatal(err)
	}
	bad, err := m.Verify(context.Background(), s.table.ID)
	if err != nil || len(bad) != 1 || bad[0].ID != "nb-2-big" {
		t.Errorf("verify: %v, %v", bad, err)
	}
}

// TestGone holds that a task whose inputs are truncated meanwhile changes nothing and leaves nothing.
func TestGone(t *testing.T) {
	mem := vfs.NewMem()
	s := newStore(t, mem, testTable("SizeTiered min_threshold=2"))
	m := newManager(t, s)
	for k := range 2 {
		s.insert(k, 1, 1)
		s.flush()
	}
	s.exchange = func([]string, []Output) error { return ErrGone }
	job, task := m.next(m.stores[s.table.ID])
	if err := m.execute(job, task); !errors.Is(err, ErrGone) {
		t.Fatal(err)
	}
	names, _ := mem.List("data")
	for _, n := range names {
		if strings.HasPrefix(n, "nb-3-") {
			t.Errorf("%s is left", n)
		}
	}
	if len(m.Running()) != 0 || len(m.running[s.table.ID]) != 0 {
		t.Error("the job is not over")
	}
}

// TestCuts holds where outputs end: at a size, at tokens, going up levels, in halves.
func TestCuts(t *testing.T) {
	fill := func(opts string) (*memStore, *Manager) {
		s := newStore(t, vfs.NewMem(), testTable(opts))
		r := rand.New(rand.NewPCG(9, 9))
		for i := range 4000 {
			s.apply(i, func(b *request.Builder) {
				b.Row([][]byte{intValue(1)})
				v := make([]byte, 600)
				for i := range v {
					v[i] = byte(r.Uint32())
				}
				b.Cell(row.Cell{Column: colB, Value: v, Timestamp: 1, Local: row.NoLocal})
			})
		}
		s.flush()
		return s, newManager(t, s)
	}
	s, m := fill("Leveled sstable_size_in_mb=1 fanout_size=1")
	live := s.live()
	if err := m.Major(context.Background(), s.table.ID, false); err != nil {
		t.Fatal(err)
	}
	var tables []*Table
	levels := ""
	for _, l := range s.tables {
		tables = append(tables, l.Table)
		levels += fmt.Sprint(l.Level)
	}
	if levels != "123" || s.live() != live {
		t.Errorf("levels %s", levels)
	}
	checkLevels(t, "major", tables)
	s, m = fill("Unified target_sstable_size=1MiB min_sstable_size=0B base_shard_count=2 sstable_growth=0")
	if err := m.Major(context.Background(), s.table.ID, false); err != nil {
		t.Fatal(err)
	}
	if len(s.tables) != 2 || s.tables[0].Last.Token.Int64() >= 0 || s.tables[1].First.Token.Int64() < 0 {
		t.Errorf("%d shards", len(s.tables))
	}
	s, m = fill("SizeTiered")
	if err := m.operate(context.Background(), s.table.ID, true, 1, func(v *View, s *Strategies) []*Task {
		tasks := s.Major(v, true)
		tasks[0].Sizes = []int64{1 * mib, mib / 2}
		return tasks
	}); err != nil {
		t.Fatal(err)
	}
	if len(s.tables) != 3 || s.tables[0].Size < mib*9/10 || s.tables[1].Size < mib*4/10 || s.tables[1].Size > mib*6/10 {
		t.Errorf("%d parts", len(s.tables))
	}
}

// TestCleanup holds that what the node does not own is dropped.
func TestCleanup(t *testing.T) {
	s := newStore(t, vfs.NewMem(), testTable("SizeTiered"))
	m := newManager(t, s)
	for i := range 100 {
		s.insert(i, 1, 1)
	}
	s.flush()
	half := []token.Range{{Start: token.FromInt64(0), End: token.FromInt64(math.MaxInt64)}}
	if err := m.Cleanup(context.Background(), s.table.ID, half, 0); err != nil {
		t.Fatal(err)
	}
	kept := strings.Count(s.live(), " row")
	want := 0
	for i := range 100 {
		if (token.Murmur3{}).Token(intValue(i)).Int64() > 0 {
			want++
		}
	}
	if kept != want || want == 0 || want == 100 {
		t.Errorf("%d partitions, want %d", kept, want)
	}
}

// TestGarbage holds which data garbagecollect drops although no other table is rewritten with it.
func TestGarbage(t *testing.T) {
	for _, c := range []struct {
		by   Provide
		want string
	}{{ProvideRow, "1 2"}, {ProvideCell, "1"}} {
		s := newStore(t, vfs.NewMem(), testTable("SizeTiered"))
		m := newManager(t, s)
		for ck := 1; ck <= 5; ck++ {
			s.insert(1, ck, 10)
		}
		s.flush()
		s.insert(1, 2, 20)
		s.apply(1, func(b *request.Builder) {
			d := row.Deletion{Timestamp: 15, Local: now}
			b.DeleteRange(row.Slice{Start: row.Bound{Values: [][]byte{intValue(3)}, Inclusive: true}, End: row.Bound{Values: [][]byte{intValue(4)}, Inclusive: true}}, d)
			b.Row([][]byte{intValue(5)})
			b.DeleteRow(d)
		})
		s.flush()
		live := s.live()
		if err := m.GarbageCollect(context.Background(), s.table.ID, c.by, 1); err != nil {
			t.Fatal(err)
		}
		if s.live() != live {
			t.Errorf("%v: clients see\n%s\nnot\n%s", c.by, s.live(), live)
		}
		p, err := s.tables[0].View.Lookup(intValue(1), nil, false)
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for u := p.Rows.Next(); u != nil; u = p.Rows.Next() {
			left = append(left, fmt.Sprint(u.Row.Clustering[0][3]))
		}
		if got := strings.Join(left, " "); got != c.want {
			t.Errorf("%v: rows %s are left, want %s", c.by, got, c.want)
		}
	}
}

// TestBackground lets the loop compact what is flushed, stops tasks, and turns it off and on.
func TestBackground(t *testing.T) {
	s := newStore(t, vfs.NewMem(), testTable("SizeTiered"))
	m := newManager(t, s)
	m.SetAuto(s.table.ID, false)
	m.Start()
	count := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.tables)
	}
	for i := range 8 {
		s.insert(i, 1, 1)
		s.flush()
		m.Notify(s.table.ID)
	}
	time.Sleep(20 * time.Millisecond)
	if n := count(); n != 8 || m.Auto(s.table.ID) {
		t.Errorf("%d tables while turned off", n)
	}
	if n := m.Pending(s.table.ID); n != 1 {
		t.Errorf("%d pending", n)
	}
	m.SetAuto(s.table.ID, true)
	wait(t, func() bool { return count() == 1 })
	wait(t, func() bool { return len(m.History()) == 1 })
	h := m.History()[0]
	if h.Keyspace != "ks" || h.Table != "t" || h.Inputs != 8 || h.Outputs != 1 || h.Merged[1] != 8 || h.BytesIn == 0 || h.BytesOut == 0 {
		t.Errorf("%+v", h)
	}
	if st := m.Stats(); st.Completed != 1 || st.Bytes != h.BytesIn {
		t.Errorf("%+v", st)
	}
}

// TestTurns holds that a store with much to do does not keep another from its turn.
func TestTurns(t *testing.T) {
	mem := vfs.NewMem()
	busy := newStore(t, mem, testTable("SizeTiered min_threshold=2 max_threshold=2"))
	table := testTable("SizeTiered min_threshold=2")
	table.Name, table.ID[0] = "u", 1
	other := newStore(t, mem, table)
	if other.dir = "other"; mem.MkdirAll(other.dir) != nil {
		t.Fatal("no folder")
	}
	m := NewManager(Options{FS: mem, Now: testClock, Log: quiet, Concurrent: 1})
	t.Cleanup(m.Close)
	m.Add(busy)
	m.Add(other)
	for i := range 8 {
		busy.insert(i, 1, 1)
		busy.flush()
		if i < 2 {
			other.insert(i, 1, 1)
			other.flush()
		}
	}
	for m.background() {
		m.wait.Wait()
	}
	if h := m.History(); len(h) < 3 || h[0].Table == h[1].Table || len(busy.tables) != 1 || len(other.tables) != 1 {
		t.Errorf("%d tasks, %d and %d tables", len(h), len(busy.tables), len(other.tables))
	}
}

// wait waits until something has happened.
func wait(t testing.TB, done func() bool) {
	t.Helper()
	for begun := time.Now(); !done(); time.Sleep(time.Millisecond) {
		if time.Since(begun) > 10*time.Second {
			t.Fatal("waited for too long")
		}
	}
}

// TestThroughput holds that reading is held to the limit, that progress is shown, that a change of the limit is followed at
// once, and that a task can be stopped.
func TestThroughput(t *testing.T) {
	mem := vfs.NewMem()
	s := newStore(t, mem, testTable("SizeTiered"))
	m := newManager(t, s)
	for i := range 3000 {
		s.insert(i, 1, int64(i))
	}
	s.flush()
	size := s.tables[0].Size
	m.SetThroughput(size * 2)
	begun := time.Now()
	if err := m.Major(context.Background(), s.table.ID, false); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(begun); d < 300*time.Millisecond || d > 3*time.Second {
		t.Errorf("half a second's worth took %v", d)
	}
	m.SetThroughput(size / 1000)
	done := make(chan error)
	go func() { done <- m.Major(context.Background(), s.table.ID, false) }()
	wait(t, func() bool { return len(m.Running()) == 1 && m.Running()[0].Completed > 0 })
	i := m.Running()[0]
	if i.Kind != Major || i.Completed >= i.Total || i.Unit != "bytes" || i.Table != "t" || i.Tables[0] != s.tables[0].ID {
		t.Errorf("%+v", i)
	}
	if m.Stop(Compact) != 0 || m.Stop(Major) != 1 {
		t.Error("stop")
	}
	if err := <-done; !errors.Is(err, ErrStopped) {
		t.Errorf("stopped: %v", err)
	}
	go func() { done <- m.Major(context.Background(), s.table.ID, false) }()
	wait(t, func() bool { return len(m.Running()) == 1 && m.Running()[0].Completed > 0 })
	m.SetThroughput(0)
	if err := <-done; err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := m.Major(ctx, s.table.ID, false); !errors.Is(err, ErrStopped) || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if len(m.Running()) != 0 {
		t.Error("jobs are left")
	}
}

func BenchmarkCompaction(b *testing.B) {
	for _, n := range []int{1, 4} {
		b.Run(fmt.Sprintf("%dtables", n), func(b *testing.B) {
			s := newStore(b, vfs.OS{}, testTable("SizeTiered"))
			r := rand.New(rand.NewPCG(1, 1))
			const rows = 200_000
			for i := range rows {
				s.apply(r.IntN(rows/10), func(bl *request.Builder) {
					bl.Row([][]byte{intValue(r.IntN(1000))})
					bl.Liveness(row.Liveness{Timestamp: int64(i), Expiry: row.NoLocal})
					bl.Cell(row.Cell{Column: colA, Value: intValue(i), Timestamp: int64(i), Local: row.NoLocal})
					v := make([]byte, 120)
					for j := range v {
						v[j] = "abcdefghijklmnop"[r.IntN(16)]
					}
					bl.Cell(row.Cell{Column: colB, Value: v, Timestamp: int64(i), Local: row.NoLocal})
				})
				if i%(rows/n) == rows/n-1 {
					s.flush()
				}
			}
			s.flush()
			var raw int64
			for _, l := range s.tables {
				raw += l.Reader.DataLength()
			}
			s.exchange = func([]string, []Output) error { return errKept }
			m := newManager(b, s)
			b.SetBytes(raw)
			b.ReportAllocs()
			begun := cpuTime(b)
			for b.Loop() {
				if err := m.Major(context.Background(), s.table.ID, false); !errors.Is(err, errKept) {
					b.Fatal(err)
				}
			}
			cpu := cpuTime(b) - begun
			b.ReportMetric(float64(cpu.Microseconds())/float64(b.N)/rows, "cpu-us/row")
			b.ReportMetric(float64(raw)/(1<<20)*float64(b.N)/cpu.Seconds(), "MB/cpu-s")
		})
	}
}

// cpuTime is what the process has used of the processors: the machine may be busy with other things.
func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// errKept keeps the inputs of a benchmark.
var errKept = errors.New("kept")

// TestScrub damages tables at random and holds that a scrub keeps every partition that can be read, and no other.
func TestScrub(t *testing.T) {
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 8))
		mem := vfs.NewMem()
		table := testTable("SizeTiered")
		table.Options.GCGraceSeconds = 100 * day
		s := newStore(t, mem, table)
		m := newManager(t, s)
		for i := range 300 {
			s.apply(i, func(b *request.Builder) {
				for ck := range 1 + r.IntN(5) {
					b.Row([][]byte{intValue(ck)})
					v := make([]byte, 200+r.IntN(300))
					for i := range v {
						v[i] = byte(r.Uint32())
					}
					b.Cell(row.Cell{Column: colB, Value: v, Timestamp: 1, Local: row.NoLocal})
				}
			})
		}
		s.flush()
		before := partitions(s.live())
		f, err := mem.Open(path.Join("data", "nb-1-big-Data.db"))
		if err != nil {
			t.Fatal(err)
		}
		size, _ := f.Size()
		hits := r.IntN(4)
		for range hits {
			if _, err := f.WriteAt([]byte{byte(r.Uint32()), 2, 3}, r.Int64N(size-3)); err != nil {
				t.Fatal(err)
			}
		}
		damage, err := m.Scrub(context.Background(), table.ID, 0)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		after := partitions(s.live())
		lost := 0
		if len(damage) > 0 {
			lost = damage[0].Lost
		}
		if len(after)+lost != len(before) || (hits == 0) != (lost == 0) {
			t.Errorf("seed %d: %d partitions of %d are left, %d lost by %d hits", seed, len(after), len(before), lost, hits)
		}
		for key, p := range after {
			if before[key] != p {
				t.Fatalf("seed %d: partition %s is %s, was %s", seed, key, p, before[key])
			}
		}
		if bad, err := m.Verify(context.Background(), table.ID); err != nil || len(bad) > 0 {
			t.Errorf("seed %d: after the scrub %v, %v", seed, bad, err)
		}
	}
}

// partitions splits a printed store by key.
func partitions(printed string) map[string]string {
	out := map[string]string{}
	key := ""
	for line := range strings.SplitSeq(printed, "\n") {
		if strings.HasPrefix(line, " ") {
			out[key] += line
		} else if line != "" {
			key = line
			out[key] = ""
		}
	}
	return out
}
