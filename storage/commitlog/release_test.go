package commitlog

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/helenusdb/helenus/storage/vfs"
)

// replayFrom replays the log of fs and returns the sequences of its records.
func replayFrom(fs vfs.FS, opts Options) (*Log, []uint64, error) {
	l := Open(fs, dir, opts)
	var got []uint64
	_, err := l.Replay(func(r Record) error {
		got = append(got, r.Sequence)
		return nil
	})
	return l, got, err
}

// TestRelease holds that what is released goes, that all above stays, and that sequences go on over any number of restarts,
// with no segment left but the last.
func TestRelease(t *testing.T) {
	fs := newMem(t)
	opts := Options{SegmentSize: 1024, Mode: Batch}
	var next uint64 = 1
	for round := range 6 {
		l, got, err := replayFrom(fs, opts)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		for i, seq := range got {
			if seq != got[0]+uint64(i) {
				t.Fatalf("round %d: %d follows %d", round, seq, got[i-1])
			}
		}
		if len(got) > 0 && (got[0] > opts.Released+1 || got[len(got)-1] != next-1) {
			t.Fatalf("round %d: records %d to %d, released %d, next is %d", round, got[0], got[len(got)-1], opts.Released, next)
		}
		l.Start()
		for range 40 {
			seq, c, err := l.Append(make([]byte, 100))
			if err != nil || c.Wait() != nil || seq != next {
				t.Fatal(seq, next, err)
			}
			next++
		}
		before := l.Size()
		if ex := l.Excess(before / 2); ex == 0 || ex >= next {
			t.Errorf("round %d: excess of half of %d bytes is %d", round, before, ex)
		}
		if ex := l.Excess(before); ex != 0 {
			t.Errorf("round %d: excess is %d", round, ex)
		}
		opts.Released = next - 1 - uint64(round%2)*20
		if seq, ok := l.Releasable(opts.Released); !ok || seq > opts.Released {
			t.Errorf("round %d: %d is releasable, %v", round, seq, ok)
		}
		if err := l.Release(opts.Released); err != nil {
			t.Fatal(err)
		}
		if _, ok := l.Releasable(opts.Released); ok || l.Size() >= before {
			t.Errorf("round %d: %d of %d bytes are left", round, l.Size(), before)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReleaseCrash cuts the power while segments are released: with what was said to be released the log opens, and holds all
// that was not.
func TestReleaseCrash(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		fs := newMem(t)
		opts := Options{SegmentSize: 512, Mode: Batch}
		l, _, _ := replayFrom(fs, opts)
		l.Start()
		n := 1 + r.IntN(60)
		for range n {
			if _, c, err := l.Append(make([]byte, r.IntN(200))); err != nil || c.Wait() != nil {
				t.Fatal(err)
			}
		}
		opts.Released, opts.MinSequence = uint64(r.IntN(n+1)), uint64(n)
		if err := l.Release(opts.Released); err != nil {
			t.Fatal(err)
		}
		crashed := fs.CrashClone(r)
		l.Close()
		again, got, err := replayFrom(crashed, opts)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for seq := opts.Released + 1; seq <= uint64(n); seq++ {
			if !slices.Contains(got, seq) {
				t.Fatalf("seed %d: record %d of %d is gone, released was %d: %v", seed, seq, n, opts.Released, got)
			}
		}
		again.Start()
		if seq, _, err := again.Append(nil); err != nil || seq != uint64(n+1) {
			t.Fatalf("seed %d: the next record is %d, %v", seed, seq, err)
		}
		again.Close()
	}
}

// TestReleaseRefused holds that a log whose first segments are gone without having been released is refused.
func TestReleaseRefused(t *testing.T) {
	fs := newMem(t)
	opts := Options{SegmentSize: 512, Mode: Batch}
	l, _, _ := replayFrom(fs, opts)
	l.Start()
	for range 20 {
		if _, c, err := l.Append(make([]byte, 100)); err != nil || c.Wait() != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	if err := fs.Remove(dir + "/" + segmentName(1)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := replayFrom(fs, opts); !errors.Is(err, ErrCorrupt) {
		t.Errorf("the first segment is gone: %v", err)
	}
	// A removal that fails is tried again.
	boom, fail := errors.New("boom"), true
	faulty := &vfs.Faulty{FS: fs, Hook: func(op vfs.Op, _ string) error {
		if op == vfs.OpRemove && fail {
			return boom
		}
		return nil
	}}
	opts.Released = 6
	fail = false
	l, _, err := replayFrom(faulty, opts)
	if err != nil {
		t.Fatal(err)
	}
	fail = true
	before := fmt.Sprint(l.Size())
	if err := l.Release(12); !errors.Is(err, boom) || fmt.Sprint(l.Size()) != before {
		t.Errorf("removal failed: %v", err)
	}
	fail = false
	if err := l.Release(12); err != nil || fmt.Sprint(l.Size()) == before {
		t.Errorf("removal again: %v", err)
	}
}

// TestNotify holds that the callback comes once for each NotifyBytes.
func TestNotify(t *testing.T) {
	n := 0
	l, _, _ := replayFrom(newMem(t), Options{Notify: func() { n++ }, NotifyBytes: 1000})
	l.Start()
	for range 100 {
		if _, _, err := l.Append(make([]byte, 104)); err != nil {
			t.Fatal(err)
		}
	}
	if l.Close(); n != 12 { // records take 128 bytes: every eighth
		t.Errorf("notified %d times", n)
	}
}

// TestReplaceJournal holds that after a crash at any moment of the replacement one of the journals is there, whole.
func TestReplaceJournal(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 0))
		mem := newMem(t)
		j, _ := openJournal(t, mem)
		for i := range 10 {
			if err := j.Append(fmt.Append(nil, "old ", i)); err != nil {
				t.Fatal(err)
			}
		}
		steps := r.IntN(6)
		faulty := &vfs.Faulty{FS: mem, Hook: func(vfs.Op, string) error {
			if steps--; steps < 0 {
				return errors.New("boom")
			}
			return nil
		}}
		next, err := ReplaceJournal(faulty, journalName, [][]byte{[]byte("new 0"), []byte("new 1")})
		done := err == nil
		if done {
			if err := next.Append([]byte("new 2")); err == nil && next.Size() != 8+3*13 {
				t.Errorf("size is %d", next.Size())
			}
		}
		_, got := openJournal(t, mem.CrashClone(r))
		if old := len(got) == 10 && got[9] == "old 9"; !old && !(len(got) >= 2 && got[1] == "new 1") || old && done {
			t.Fatalf("seed %d: found %q, replaced %v", seed, got, done)
		}
	}
}

// TestFullDisk fills the disk: records wait, none is lost and none acknowledged before it is written, and they go on when there is
// room. A log that closes meanwhile says what is wrong.
func TestFullDisk(t *testing.T) {
	for _, mode := range []Mode{Batch, Periodic} {
		fs := newMem(t)
		l, _, _ := replayFrom(fs, Options{SegmentSize: 4096, Mode: mode, Period: time.Millisecond})
		l.Start()
		append := func() Commit {
			_, c, err := l.Append(make([]byte, 1000))
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		append()
		if err := l.Sync(); err != nil {
			t.Fatal(err)
		}
		_, total, _ := fs.Space(dir)
		free, _, _ := fs.Space(dir)
		fs.SetCapacity(total - free + 5000)
		for range 20 {
			append()
		}
		for begun := time.Now(); !l.Full(); time.Sleep(time.Millisecond) {
			if time.Since(begun) > 5*time.Second {
				t.Fatal("the log is not full")
			}
		}
		fs.SetCapacity(0)
		if err := l.Sync(); err != nil || l.Full() {
			t.Errorf("after room was made: %v, full %v", err, l.Full())
		}
		fs.SetCapacity(1)
		append()
		if err := l.Close(); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("closed on a full disk: %v", err)
		}
		if _, got, err := replayFrom(fs, Options{}); err != nil || len(got) < 21 {
			t.Errorf("%d records, %v", len(got), err)
		}
	}
}
