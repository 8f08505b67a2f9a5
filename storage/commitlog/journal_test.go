package commitlog

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/helenusdb/helenus/storage/vfs"
)

const journalName = "/log/journal"

func openJournal(t testing.TB, fs vfs.FS) (*Journal, []string) {
	t.Helper()
	j, records, err := OpenJournal(fs, journalName)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range records {
		got = append(got, string(r))
	}
	return j, got
}

// TestJournal holds that every acknowledged record is there after any crash, the file torn at every byte of the last
// included, and that damage is told.
func TestJournal(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for range 50 {
		fs := newMem(t)
		j, _ := openJournal(t, fs)
		var want []string
		for i := range r.IntN(8) {
			body := fmt.Sprint(i, bytes.Repeat([]byte{'j'}, r.IntN(2000)))
			if err := j.Append([]byte(body)); err != nil {
				t.Fatal(err)
			}
			want = append(want, body)
		}
		if _, got := openJournal(t, fs.CrashClone(r)); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("found %d records, want %d", len(got), len(want))
		}
		j.Close()
		if err := j.Append(nil); !errors.Is(err, ErrClosed) {
			t.Errorf("append to a closed journal: %v", err)
		}
	}
	fs := newMem(t)
	j, _ := openJournal(t, fs)
	for i := range 3 {
		if err := j.Append(bytes.Repeat([]byte{byte('a' + i)}, 30)); err != nil {
			t.Fatal(err)
		}
	}
	whole := read(t, fs, journalName)
	for size := range len(whole) {
		m := newMem(t)
		write(t, m, journalName, whole[:size])
		j, got := openJournal(t, m)
		if want := max(0, size-journalHeader) / (journalRecord + 30); len(got) != want {
			t.Fatalf("cut at %d: %d records, want %d", size, len(got), want)
		}
		if err := j.Append([]byte("more")); err != nil {
			t.Fatal(err)
		}
		if _, again := openJournal(t, m); len(again) != len(got)+1 || again[len(got)] != "more" {
			t.Fatalf("cut at %d: %q after one more", size, again)
		}
	}
	for at := range len(whole) {
		m := newMem(t)
		bad := bytes.Clone(whole)
		bad[at] ^= 0x10
		write(t, m, journalName, bad)
		_, records, err := OpenJournal(m, journalName)
		if last := at >= len(whole)-journalRecord-30; last != (err == nil) || err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("damage at %d: %d records, %v", at, len(records), err)
		}
	}
}

// TestJournalFailure holds that a journal refuses everything after a failed sync.
func TestJournalFailure(t *testing.T) {
	boom := errors.New("boom")
	fail := false
	fs := &vfs.Faulty{FS: newMem(t), Hook: func(op vfs.Op, _ string) error {
		if fail && op == vfs.OpSync {
			return boom
		}
		return nil
	}}
	j, _ := openJournal(t, fs)
	fail = true
	if err := j.Append([]byte("x")); !errors.Is(err, boom) {
		t.Errorf("append: %v", err)
	}
	fail = false
	if err := j.Append([]byte("y")); !errors.Is(err, boom) {
		t.Errorf("append after a failure: %v", err)
	}
}

// FuzzJournal opens any bytes: records or an error, and never a panic.
func FuzzJournal(f *testing.F) {
	fs := newMem(f)
	j, _ := openJournal(f, fs)
	j.Append([]byte("one"))
	j.Append([]byte("two"))
	f.Add(read(f, fs, journalName))
	f.Add([]byte(journalMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := newMem(t)
		write(t, m, journalName, b)
		if _, records, err := OpenJournal(m, journalName); err == nil {
			if _, again, err := OpenJournal(m, journalName); err != nil || len(again) != len(records) {
				t.Errorf("opened once with %d records, then %d, %v", len(records), len(again), err)
			}
		}
	})
}
