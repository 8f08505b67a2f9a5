package sstable

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/storage/cache"
	"github.com/helenusdb/helenus/storage/vfs"
)

// damage is one change of one file.
type damage struct {
	file string
	bit  int // -1 for a truncation
	size int // of the truncated file
}

func (d damage) String() string {
	if d.bit < 0 {
		return fmt.Sprintf("%s cut to %d bytes", d.file, d.size)
	}
	return fmt.Sprintf("%s with bit %d of byte %d flipped", d.file, d.bit%8, d.bit/8)
}

// load copies a table into memory.
func (g golden) load(t testing.TB) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(g.dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), g.desc.String()+"-") {
			if files[e.Name()], err = os.ReadFile(filepath.Join(g.dir, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	return files
}

func inMemory(t testing.TB, files map[string][]byte) *vfs.Mem {
	t.Helper()
	m := vfs.NewMem()
	if err := m.MkdirAll("d"); err != nil {
		t.Fatal(err)
	}
	for name, b := range files {
		f, err := m.Create("d/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt(b, 0); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return m
}

// maxDamaged bounds what reading a damaged table of a few kilobytes may allocate in all.
const maxDamaged = 64 << 20

// try opens, verifies and dumps a table. err is what was found; dump is what is printed when nothing was.
func try(fsys vfs.FS, desc Descriptor) (dump []byte, err error) {
	r, err := Open(fsys, "d", desc, OpenOptions{Cache: cache.New(1 << 20)})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	verified := r.Verify()
	var b bytes.Buffer
	dumped := r.Dump(&b, DumpOptions{Now: dumpedAt})
	if verified != nil {
		return b.Bytes(), verified
	}
	if dumped == nil {
		dumped = lookups(&b, r.Self())
	}
	return b.Bytes(), dumped
}

// lookups appends what looking the first keys up gives, forward and reversed.
func lookups(b *bytes.Buffer, v *View) error {
	s := v.scan(All())
	for p := s.next(); p != nil; p = s.next() {
		if p.start > 2<<10 {
			return nil
		}
		for _, reversed := range []bool{false, true} {
			q, err := new(Finder).lookup(v, p.Key, nil, reversed)
			if err != nil {
				return err
			}
			fmt.Fprintf(b, "key %x there %v\n", p.Key, q != nil)
			if q == nil {
				continue
			}
			var content []unfiltered
			for u := q.next(); u != nil; u = q.next() {
				content = append(content, keep(u))
			}
			b.WriteString(show(v, content, reversed))
			if q.err != nil {
				return q.err
			}
		}
	}
	return s.err
}

// TestDamage flips single bits and cuts files short. Each must be found by opening or verifying the table, or change
// nothing of what is read. Versions m* have no checksum over Statistics.db: a changed name or bound there cannot be found.
func TestDamage(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	tables := goldens(t)
	found, harmless := 0, map[string]int{}
	const damages, small, perSmall, perLarge = 2000, 40 << 10, 20, 2
	for n := 0; n < damages; {
		g := tables[r.IntN(len(tables))]
		files := g.load(t)
		total := 0
		for _, b := range files {
			total += len(b)
		}
		tries := perSmall
		if total > small {
			if tries = perLarge; r.IntN(3) > 0 {
				continue
			}
		}
		want, err := try(inMemory(t, files), g.desc)
		if err != nil {
			t.Fatalf("%s: %v", g, err)
		}
		for range tries {
			n++
			d := randomDamage(r, files)
			old := files[d.file]
			if d.bit < 0 {
				files[d.file] = old[:d.size]
			} else {
				files[d.file] = bytes.Clone(old)
				files[d.file][d.bit/8] ^= 1 << (d.bit % 8)
			}
			m := inMemory(t, files)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got, err := try(m, g.desc)
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > maxDamaged+20*uint64(total) {
				t.Errorf("%s, %s: %d bytes allocated", g, d, used)
			}
			unchecked := g.desc.Version[0] == 'm' && strings.HasSuffix(d.file, CompStatistics)
			switch {
			case err != nil:
				if found++; !errors.Is(err, ErrCorrupt) && !isMissing(err) {
					t.Errorf("%s, %s: %v does not say that it is corrupt", g, d, err)
				}
			case bytes.Equal(got, want) || unchecked:
				harmless[d.file[strings.LastIndexByte(d.file, '-')+1:]]++
			default:
				t.Errorf("%s, %s: not found, and the table reads otherwise: %s", g, d, firstDifference(got, want))
			}
			files[d.file] = old
		}
	}
	t.Log(found, "of", damages, "are found, harmless were", harmless)
}

func randomDamage(r *rand.Rand, files map[string][]byte) damage {
	var names []string
	for name, b := range files {
		if len(b) > 0 {
			names = append(names, name)
		}
	}
	// The order of a map is not that of the seed.
	for i := range names {
		for j := i + 1; j < len(names); j++ {
			if names[j] < names[i] {
				names[i], names[j] = names[j], names[i]
			}
		}
	}
	d := damage{file: names[r.IntN(len(names))], bit: -1}
	size := len(files[d.file])
	if r.IntN(5) == 0 {
		d.size = r.IntN(size)
	} else {
		d.bit = r.IntN(8 * size)
	}
	return d
}
