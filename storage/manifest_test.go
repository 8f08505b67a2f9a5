package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/commitlog"
	"github.com/helenusdb/helenus/storage/sstable"
	"github.com/helenusdb/helenus/storage/vfs"
)

const manifestName = "/m/manifest.journal"

func newManifestFS(t testing.TB) *vfs.Mem {
	fs := vfs.NewMem()
	if err := fs.MkdirAll("/m"); err != nil {
		t.Fatal(err)
	}
	return fs
}

func tableNumber(n uint64) sstable.Descriptor {
	return sstable.Descriptor{Version: "nb", ID: fmt.Sprint(n), Format: "big"}
}

// TestManifestOld opens a manifest as it was when it held truncations alone.
func TestManifestOld(t *testing.T) {
	fs := newManifestFS(t)
	j, _, err := commitlog.OpenJournal(fs, manifestName)
	if err != nil {
		t.Fatal(err)
	}
	id := schema.UUID{1, 2, 3}
	if err := j.Append(binary.LittleEndian.AppendUint64(append([]byte{1}, id[:]...), 77)); err != nil {
		t.Fatal(err)
	}
	j.Close()
	m, err := openManifest(fs, manifestName)
	if err != nil || m.state.tables[id].truncated != 77 || m.state.reached != 77 || m.state.released != 0 {
		t.Errorf("%+v, %v", m, err)
	}
}

// TestManifest makes random edits, with failing writes and cuts of power between them, and compares what a start finds: the
// state after the last edit that was durable, or after one of those that failed behind it.
func TestManifest(t *testing.T) {
	boom := errors.New("boom")
	for seed := range uint64(15) {
		r := rand.New(rand.NewPCG(seed, 0))
		mem := newManifestFS(t)
		failing := false
		fs := &vfs.Faulty{FS: mem, Hook: func(op vfs.Op, _ string) error {
			if failing && op != vfs.OpClose && r.IntN(3) == 0 {
				return boom
			}
			return nil
		}}
		m, err := openManifest(fs, manifestName)
		if err != nil {
			t.Fatal(err)
		}
		ids := []schema.UUID{{1}, {2}, {3}}
		snapshot := func(m *manifest) string { return showState(&m.state) }
		possible := []string{snapshot(m)} // what a crash may leave
		for step := range 300 {
			id := ids[r.IntN(len(ids))]
			var e edit
			for range 1 + r.IntN(3) {
				d := tableNumber(r.Uint64N(20) + 1)
				switch r.IntN(9) {
				case 0:
					e = e.flushed(id, r.Uint64N(1000))
				case 1:
					e = e.truncated(id, r.Uint64N(1000))
				case 2:
					e = e.released(r.Uint64N(1000))
				case 3, 4, 5:
					e = e.add(id, d, liveTable{int32(r.IntN(5)), r.Int64N(100)})
				case 6:
					e = e.remove(id, d)
				case 7:
					e = e.forget(id, d)
				case 8:
					e = e.begun(id, d)
				}
			}
			if r.IntN(40) == 0 {
				e = e.dropped(id)
			}
			failing = r.IntN(4) == 0
			err := m.commit(e)
			failing = false
			if err == nil {
				possible = nil
			} else if !errors.Is(err, boom) {
				t.Fatal(err)
			}
			possible = append(possible, snapshot(m))
			if r.IntN(10) > 0 {
				continue
			}
			crashed, err := openManifest(mem.CrashClone(r), manifestName)
			if err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, step, err)
			}
			found := false
			for _, p := range possible {
				found = found || p == snapshot(crashed)
			}
			if !found {
				t.Fatalf("seed %d, step %d: found\n%s\nwant one of %d, the last\n%s", seed, step, snapshot(crashed), len(possible),
					possible[len(possible)-1])
			}
		}
		if err := m.settle(); err != nil {
			t.Fatal(err)
		}
		want := snapshot(m)
		m.close()
		if m, err = openManifest(mem, manifestName); err != nil || snapshot(m) != want {
			t.Fatalf("seed %d: after all %v", seed, err)
		}
	}
}

// showState prints a state.
func showState(s *manifestState) string {
	out := fmt.Sprintln(s.reached, s.released)
	for i := range 4 {
		if t := s.tables[schema.UUID{byte(i)}]; t != nil && len(t.live)+len(t.dead)+int(t.flushed+t.truncated+t.generation) > 0 {
			out += fmt.Sprintln(i, t.live, t.dead, t.begun, t.flushed, t.truncated, t.generation)
		}
	}
	return out
}

// TestManifestRewritten holds that the file stays within a few times what it says.
func TestManifestRewritten(t *testing.T) {
	fs := newManifestFS(t)
	m, err := openManifest(fs, manifestName)
	if err != nil {
		t.Fatal(err)
	}
	id := schema.UUID{9}
	for i := range uint64(5000) {
		e := edit(nil).add(id, tableNumber(i+1), liveTable{}).flushed(id, i)
		if i > 0 {
			e = e.remove(id, tableNumber(i)).forget(id, tableNumber(i))
		}
		if err := m.commit(e); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := fs.Stat(manifestName); err != nil || info.Size > rewriteSize+1000 {
		t.Errorf("%d bytes, %v", info.Size, err)
	}
	m.close()
	m, err = openManifest(fs, manifestName)
	if err != nil || len(m.state.tables[id].live) != 1 || m.next(id) != 5001 {
		t.Errorf("%+v, %v", m.state.tables[id], err)
	}
}

// FuzzManifest holds that no edit is taken that cannot be read, and that what is taken comes back as it was.
func FuzzManifest(f *testing.F) {
	id := schema.UUID{7}
	f.Add([]byte(edit(nil).add(id, tableNumber(3), liveTable{1, 2}).remove(id, tableNumber(2)).flushed(id, 9).truncated(id, 4).released(3)))
	f.Add([]byte(edit(nil).generation(id, 3).forget(id, tableNumber(1)).reached(8).dropped(id)))
	f.Fuzz(func(t *testing.T, b []byte) {
		a := manifestState{tables: map[schema.UUID]*tableState{}}
		if a.apply(b) != nil {
			return
		}
		c := manifestState{tables: map[schema.UUID]*tableState{}}
		if err := c.apply(a.encode()); err != nil {
			t.Fatal(err)
		}
		if x, y := a.encode(), c.encode(); len(x) != len(y) || a.reached != c.reached || a.released != c.released {
			t.Fatalf("%x\n%x", x, y)
		}
	})
}
