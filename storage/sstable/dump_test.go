package sstable

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// dumpedAt is a time between those at which something in the tables expires.
const dumpedAt = 1795500000

// letters stands in the stored dumps for a run of one letter.
var letters = regexp.MustCompile(`<(\d+) (.)>`)

// storedDump returns what sstabledump printed of a table; ok is false where it failed or was not asked.
func (g golden) storedDump(t *testing.T) (b []byte, ok bool) {
	for _, name := range []string{"dump.json", "dump-" + g.desc.ID + ".json"} {
		b, err := os.ReadFile(filepath.Join(g.dir, name))
		if err == nil {
			return letters.ReplaceAllFunc(b, func(m []byte) []byte {
				parts := letters.FindSubmatch(m)
				n, err := strconv.Atoi(string(parts[1]))
				if err != nil {
					t.Fatal(err)
				}
				return bytes.Repeat(parts[2], n)
			}), true
		} else if !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return nil, false
}

// firstDifference shows where two texts part.
func firstDifference(a, b []byte) string {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	from := max(0, i-120)
	return fmt.Sprintf("\n got %q\nwant %q", a[from:min(len(a), i+120)], b[from:min(len(b), i+120)])
}

// TestGoldenDump compares the dump of every table with Cassandra's own, byte for byte.
func TestGoldenDump(t *testing.T) {
	equal := 0
	for _, g := range goldens(t) {
		want, ok := g.storedDump(t)
		var got bytes.Buffer
		keys := bytes.HasPrefix(want, []byte("[ ["))
		if err := g.open(t).Dump(&got, DumpOptions{KeysOnly: keys, Now: dumpedAt}); err != nil {
			t.Errorf("%s: %v", g, err)
			continue
		}
		if !ok {
			continue
		}
		if !bytes.Equal(got.Bytes(), want) {
			if strings.Contains(g.dir, ".by_") {
				t.Logf("%s: an index of a collection: %s", g, firstDifference(got.Bytes(), want))
				continue
			}
			t.Errorf("%s: %s", g, firstDifference(got.Bytes(), want))
			continue
		}
		equal++
	}
	t.Log(equal, "dumps are equal")
}

// TestInstant compares times with java.time.Instant's text.
func TestInstant(t *testing.T) {
	for us, want := range map[int64]string{
		0: "1970-01-01T00:00:00Z", -1: "1970-01-01T00:00:00.999999Z", 1700000000000000: "2023-11-14T22:13:20Z",
		1700000000001000: "2023-11-14T22:13:20.001Z", 1<<63 - 1: "+294247-01-10T04:00:54.854775807Z",
		-1<<63 + 1: "-290308-12-21T19:59:06.145224192Z",
	} {
		if got := microText(us); got != want {
			t.Errorf("%d is %s, want %s", us, got, want)
		}
	}
}

// TestDumpOptions compares with what sstabledump printed with its options -t, -l, -k and -x.
func TestDumpOptions(t *testing.T) {
	g := golden{"testdata/nb/mixed", Descriptor{Version: "nb", ID: "1", Format: "big"}}
	for name, o := range map[string]DumpOptions{
		"raw":    {Raw: true},
		"lines":  {Lines: true},
		"except": {Lines: true, Raw: true, Except: []string{"k1:1", "k3:3"}},
		"keys":   {Keys: []string{"k5:5", "k2:2"}},
	} {
		want, err := os.ReadFile(filepath.Join(g.dir, "dump-1-"+name+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		o.Now = dumpedAt
		if err := g.open(t).Dump(&got, o); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: %s", name, firstDifference(got.Bytes(), want))
		}
	}
}

// TestDumpDebug compares with what sstabledump -d printed.
func TestDumpDebug(t *testing.T) {
	for _, dir := range []string{"testdata/nb/counts", "testdata/nb/wide"} {
		want, err := os.ReadFile(filepath.Join(dir, "dump-1-debug.txt"))
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := (golden{dir, Descriptor{Version: "nb", ID: "1", Format: "big"}}).open(t).Dump(&got, DumpOptions{Debug: true}); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: %s", dir, firstDifference(got.Bytes(), want))
		}
	}
	for _, g := range goldens(t) {
		if err := g.open(t).Dump(new(bytes.Buffer), DumpOptions{Debug: true}); err != nil {
			t.Errorf("%s: %v", g, err)
		}
	}
}
