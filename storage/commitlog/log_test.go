package commitlog

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/helenusdb/helenus/storage/vfs"
)

const dir = "/log"

func newMem(t testing.TB) *vfs.Mem {
	m := vfs.NewMem()
	if err := m.MkdirAll(dir); err != nil {
		t.Fatal(err)
	}
	return m
}

// open replays the log of fs and returns it with the bodies it held; it is not started.
func open(t testing.TB, fs vfs.FS, opts Options) (*Log, []string, Stats) {
	t.Helper()
	l, got, stats, err := tryOpen(fs, opts)
	if err != nil {
		t.Fatal(err)
	}
	return l, got, stats
}

func tryOpen(fs vfs.FS, opts Options) (*Log, []string, Stats, error) {
	l := Open(fs, dir, opts)
	var got []string
	stats, err := l.Replay(func(r Record) error {
		if r.Sequence != uint64(len(got)+1) {
			return fmt.Errorf("record %d has sequence %d", len(got), r.Sequence)
		}
		got = append(got, string(r.Body))
		return nil
	})
	return l, got, stats, err
}

// TestLog holds, in each mode, that what was waited for is there after a restart, over several segments and restarts.
func TestLog(t *testing.T) {
	for name, opts := range map[string]Options{
		"periodic": {SegmentSize: 4096}, "batch": {SegmentSize: 4096, Mode: Batch},
		"group": {SegmentSize: 4096, Mode: Group, Window: time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			fs := newMem(t)
			var want []string
			for range 3 {
				l, got, stats := open(t, fs, opts)
				if fmt.Sprint(got) != fmt.Sprint(want) || stats.TornBytes != 0 {
					t.Fatalf("found %d records, want %d; %+v", len(got), len(want), stats)
				}
				l.Start()
				for i := range 100 {
					body := fmt.Sprintf("record %d of %d %s", i, len(want), bytes.Repeat([]byte{'x'}, i))
					if _, _, err := l.Append([]byte(body)); err != nil {
						t.Fatal(err)
					}
					want = append(want, body)
				}
				if err := l.Sync(); err != nil {
					t.Fatal(err)
				}
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
				if _, _, err := l.Append(nil); !errors.Is(err, ErrClosed) {
					t.Errorf("append to a closed log: %v", err)
				}
			}
		})
	}
}

// TestCrash cuts the power at random moments of parallel writers: every record that was waited for is there, none is
// invented, and the order of each writer is kept.
func TestCrash(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for round := range 60 {
		mode := []Mode{Batch, Group, Periodic}[round%3]
		fs := newMem(t)
		opts := Options{SegmentSize: 2048, Mode: mode, Window: 50 * time.Microsecond}
		var mu sync.Mutex
		appended, acked := map[string]bool{}, map[string]bool{}
		for range 2 { // a crash after a crash
			l, got, _, err := tryOpen(fs, opts)
			if err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			there := map[string]bool{}
			for _, b := range got {
				if there[b] = true; !appended[b] {
					t.Fatalf("round %d: %q was never appended", round, b)
				}
			}
			for b := range acked {
				if !there[b] {
					t.Fatalf("round %d: %q was acknowledged and is gone", round, b)
				}
			}
			l.Start()
			var wg sync.WaitGroup
			for w := range 4 {
				n, size := 1+r.IntN(40), r.IntN(300)
				wg.Go(func() {
					for i := range n {
						body := fmt.Sprintf("%d/%d/%d/%s", len(got), w, i, bytes.Repeat([]byte{'y'}, size))
						mu.Lock()
						appended[body] = true
						mu.Unlock()
						_, c, err := l.Append([]byte(body))
						if err != nil {
							t.Error(err)
							return
						}
						if mode == Periodic {
							if i%10 != 9 {
								continue
							}
							err = l.Sync()
						} else {
							err = c.Wait()
						}
						if err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						acked[body] = true
						mu.Unlock()
					}
				})
			}
			if r.IntN(2) == 0 {
				time.Sleep(time.Duration(r.IntN(1500)) * time.Microsecond)
			} else {
				wg.Wait()
			}
			// What is acknowledged before the clone is taken must be in it.
			mu.Lock()
			before := map[string]bool{}
			for b := range acked {
				before[b] = true
			}
			mu.Unlock()
			clone := fs.CrashClone(r)
			wg.Wait()
			l.Close()
			fs, acked = clone, before
		}
	}
}

// TestTornTail cuts the last segment at every byte, and damages every byte of its last record: it opens, with all records
// before.
func TestTornTail(t *testing.T) {
	fs := newMem(t)
	opts := Options{SegmentSize: 1 << 16, Mode: Batch}
	l, _, _ := open(t, fs, opts)
	l.Start()
	var ends []int
	for i := range 20 {
		_, c, err := l.Append(bytes.Repeat([]byte{byte('a' + i)}, 10+i*3))
		if err != nil || c.Wait() != nil {
			t.Fatal(err)
		}
		ends = append(ends, l.pos)
	}
	l.Close()
	name := path.Join(dir, segmentName(1))
	whole := read(t, fs, name)
	if len(whole) != ends[19] {
		t.Fatalf("a closed segment has %d bytes, want %d", len(whole), ends[19])
	}
	count := func(size int) int {
		n := 0
		for n < len(ends) && size >= endOfBody(ends, n) {
			n++
		}
		return n
	}
	for size := range len(whole) {
		c := newMem(t)
		write(t, c, name, whole[:size])
		l, got, _, err := tryOpen(c, opts)
		if err != nil || len(got) != count(size) {
			t.Fatalf("cut at %d: %d records, want %d, %v", size, len(got), count(size), err)
		}
		// It goes on, and what is added is there the next time.
		l.Start()
		if _, w, err := l.Append([]byte("more")); err != nil || w.Wait() != nil {
			t.Fatal(err)
		}
		l.Close()
		if _, again, _, err := tryOpen(c, opts); err != nil || len(again) != len(got)+1 {
			t.Fatalf("cut at %d, after one more: %d records, want %d, %v", size, len(again), len(got)+1, err)
		}
	}
	for at := ends[18]; at < endOfBody(ends, 19); at++ {
		c := newMem(t)
		bad := bytes.Clone(whole)
		bad[at] ^= 0x40
		write(t, c, name, append(bad, make([]byte, 4096)...))
		if _, got, _, err := tryOpen(c, opts); err != nil || len(got) != 19 {
			t.Fatalf("damaged at %d: %d records, want 19, %v", at, len(got), err)
		}
	}
}

// endOfBody is where the body of record i of TestTornTail ends.
func endOfBody(ends []int, i int) int {
	start := segmentHeader
	if i > 0 {
		start = ends[i-1]
	}
	return start + recordHeader + 10 + i*3
}

// TestDamage holds that damage which no crash explains stops the start and names file and offset: in the middle of the last
// segment, anywhere in another, a missing segment, a log that ends too early.
func TestDamage(t *testing.T) {
	fs := newMem(t)
	opts := Options{SegmentSize: 4096, Mode: Batch}
	l, _, _ := open(t, fs, opts)
	l.Start()
	for i := range 40 {
		if _, c, err := l.Append(bytes.Repeat([]byte{byte(i)}, 200)); err != nil || c.Wait() != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	clone := func() *vfs.Mem { return fs.CrashClone(rand.New(rand.NewPCG(1, 1))) }
	flip := func(m *vfs.Mem, id uint64, at int) {
		name := path.Join(dir, segmentName(id))
		b := read(t, m, name)
		b[at] ^= 1
		write(t, m, name, b)
	}
	for name, harm := range map[string]func(m *vfs.Mem){
		"middle of the last":    func(m *vfs.Mem) { flip(m, 3, 48+100) },
		"header of the last":    func(m *vfs.Mem) { flip(m, 3, 20) },
		"header of the first":   func(m *vfs.Mem) { flip(m, 1, 0) },
		"last record of second": func(m *vfs.Mem) { flip(m, 2, len(read(t, m, path.Join(dir, segmentName(2))))-3) },
		"length of a record":    func(m *vfs.Mem) { flip(m, 2, 48+3) },
		"missing segment":       func(m *vfs.Mem) { m.Remove(path.Join(dir, segmentName(2))) },
	} {
		m := clone()
		harm(m)
		if _, _, _, err := tryOpen(m, opts); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
	skip := opts
	skip.SkipCorrupt = true
	m := clone()
	flip(m, 2, 48+3)
	n := 0
	stats, err := Open(m, dir, skip).Replay(func(Record) error { n++; return nil })
	if err != nil || stats.SkippedBytes == 0 || n != 40-18 {
		t.Errorf("damage skipped: %d records, %+v, %v", n, stats, err)
	}
	early := opts
	early.MinSequence = 41
	if _, _, _, err := tryOpen(clone(), early); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a log that ends early: %v", err)
	}
}

// TestFailure holds that after any failing operation nothing is acknowledged any more, waiters included, and that the
// records acknowledged before are kept.
func TestFailure(t *testing.T) {
	boom := errors.New("boom")
	for n := 1; ; n++ {
		mem := newMem(t)
		var mu sync.Mutex
		count, failed := 0, false
		fs := &vfs.Faulty{FS: mem, Hook: func(op vfs.Op, name string) error {
			mu.Lock()
			defer mu.Unlock()
			if op == vfs.OpList || op == vfs.OpOpen {
				return nil
			}
			if count++; count == n {
				failed = true
				return boom
			}
			return nil
		}}
		opts := Options{SegmentSize: 1024, Mode: Batch}
		l, _, _ := open(t, fs, opts)
		l.Start()
		var acked []string
		for i := range 20 {
			body := fmt.Sprintf("%d %s", i, bytes.Repeat([]byte{'z'}, 100))
			_, c, err := l.Append([]byte(body))
			if err == nil {
				err = c.Wait()
			}
			if err == nil {
				if mu.Lock(); failed {
					t.Errorf("failure %d: %d is acknowledged after it", n, i)
				}
				mu.Unlock()
				acked = append(acked, body)
			} else if !errors.Is(err, boom) {
				t.Errorf("failure %d: %v", n, err)
			}
		}
		l.Close()
		if !failed {
			if n < 20 {
				t.Errorf("only %d operations", n)
			}
			return
		}
		_, got, _ := open(t, mem, opts)
		if len(got) < len(acked) || fmt.Sprint(got[:len(acked)]) != fmt.Sprint(acked) {
			t.Errorf("failure %d: %d acknowledged, %d found", n, len(acked), len(got))
		}
	}
}

// TestPeriodic holds the times of the periodic mode: written after 100 ms, synced after the period, and appends wait when a
// sync is overdue.
func TestPeriodic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := newMem(t)
		var mu sync.Mutex
		var writes, syncs []time.Duration
		begin := time.Now()
		var hang time.Duration
		fs := &vfs.Faulty{FS: mem, Hook: func(op vfs.Op, name string) error {
			mu.Lock()
			switch op {
			case vfs.OpWrite:
				writes = append(writes, time.Since(begin))
			case vfs.OpSync:
				syncs = append(syncs, time.Since(begin))
				d := hang
				mu.Unlock()
				time.Sleep(d)
				return nil
			}
			mu.Unlock()
			return nil
		}}
		l, _, _ := open(t, fs, Options{Period: time.Second})
		l.Start()
		appendOne := func() Commit {
			_, c, err := l.Append([]byte("x"))
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		if c := appendOne(); !c.Done() {
			t.Error("a periodic append is not done at once")
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		mu.Lock()
		if len(writes) == 0 || writes[0] != writeDelay || len(syncs) != 1 || syncs[0] != writeDelay+time.Second {
			t.Errorf("writes at %v, syncs at %v", writes, syncs)
		}
		hang = 10 * time.Second
		mu.Unlock()
		appendOne() // written at 3.1 s, its sync begins at 4.1 s and hangs until 14.1 s
		time.Sleep(1500 * time.Millisecond)
		if c := appendOne(); !c.Done() {
			t.Error("an append waits before the sync is late")
		}
		time.Sleep(500 * time.Millisecond)
		c := appendOne()
		if c.Done() {
			t.Error("an append does not wait although the sync is late")
		}
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if c := appendOne(); !c.Done() {
			t.Error("an append waits after the late sync was done")
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestTooLarge holds that a record may fill a segment and no more.
func TestTooLarge(t *testing.T) {
	fs := newMem(t)
	l, _, _ := open(t, fs, Options{SegmentSize: 4096})
	l.Start()
	if _, _, err := l.Append(make([]byte, l.MaxRecord()+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a record over a segment: %v", err)
	}
	for range 3 {
		if _, _, err := l.Append(make([]byte, l.MaxRecord())); err != nil {
			t.Errorf("a record that fills a segment: %v", err)
		}
	}
	l.Close()
	if _, got, stats := open(t, fs, Options{SegmentSize: 4096}); len(got) != 3 || stats.Segments != 3 {
		t.Errorf("found %d records in %d segments", len(got), stats.Segments)
	}
}

func read(t testing.TB, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	size, _ := f.Size()
	b := make([]byte, size)
	f.ReadAt(b, 0)
	return b
}

func write(t testing.TB, fs vfs.FS, name string, b []byte) {
	t.Helper()
	f, err := fs.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteAt(b, 0)
	f.Sync()
}

// FuzzReplay gives a last segment of any bytes: it opens or is refused, and never panics.
func FuzzReplay(f *testing.F) {
	fs := newMem(f)
	l, _, _ := open(f, fs, Options{Mode: Batch})
	l.Start()
	for i := range 5 {
		l.Append(bytes.Repeat([]byte{1}, i*9))
	}
	l.Close()
	whole := read(f, fs, path.Join(dir, segmentName(1)))
	f.Add(whole)
	f.Add(whole[:100])
	f.Add([]byte(segmentMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := newMem(t)
		write(t, m, path.Join(dir, segmentName(1)), b)
		if _, _, _, err := tryOpen(m, Options{}); err == nil {
			if _, _, _, err := tryOpen(m, Options{}); err != nil {
				t.Errorf("opened once, then %v", err)
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	for _, mode := range []Mode{Periodic, Batch} {
		b.Run([]string{"periodic", "batch"}[mode], func(b *testing.B) {
			l := Open(vfs.OS{}, b.TempDir(), Options{Mode: mode})
			if _, err := l.Replay(nil); err != nil {
				b.Fatal(err)
			}
			l.Start()
			defer l.Close()
			body := make([]byte, 200)
			b.ReportAllocs()
			for b.Loop() {
				_, c, err := l.Append(body)
				if err != nil || c.Wait() != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendBatchParallel(b *testing.B) {
	l := Open(vfs.OS{}, b.TempDir(), Options{Mode: Batch})
	if _, err := l.Replay(nil); err != nil {
		b.Fatal(err)
	}
	l.Start()
	defer l.Close()
	body := make([]byte, 200)
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, c, err := l.Append(body)
			if err != nil || c.Wait() != nil {
				b.Fatal(err)
			}
		}
	})
}
