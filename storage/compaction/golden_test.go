package compaction

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/storage/merge"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/sstable"
	"github.com/helenusdb/helenus/storage/vfs"
)

// goldenRoots hold tables that Cassandra wrote, of all versions: a part of them, and all, which stand beside the repository.
var goldenRoots = []string{"../sstable/testdata", "../../../shared/golden-sstables"}

// TestGolden upgrades and scrubs tables that Cassandra wrote, of all versions and with all types, but not those of its indexes,
// which have an order of their own: what they say stays the same.
func TestGolden(t *testing.T) {
	n := 0
	for _, root := range goldenRoots {
		if _, err := os.Stat(root); err != nil {
			t.Logf("%s is not there", root)
			continue
		}
		err := filepath.WalkDir(root, func(dir string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			tables, err := sstable.List(vfs.OS{}, dir)
			for _, desc := range tables {
				n++
				upgradeGolden(t, dir, desc)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Log(n, "tables")
}

// upgradeGolden rewrites one table, unless it is damaged or of a kind that is not written any more.
func upgradeGolden(t *testing.T, dir string, desc sstable.Descriptor) {
	t.Helper()
	r, err := sstable.Open(vfs.OS{}, dir, desc)
	if err != nil {
		return
	}
	if r.Statistics().Stats.LegacyCounters || strings.HasSuffix(r.Statistics().Partitioner, "LocalPartitioner") || r.Verify() != nil {
		r.Close()
		return
	}
	table := *r.Self().Table()
	table.Options.BloomFilterFPChance, table.Options.MinIndexInterval = 0.01, 128
	s := newStore(t, vfs.NewMem(), &table)
	x := Describe(r.Statistics())
	x.ID, x.Size = "golden", r.DataSize()
	x.First.Token, x.First.Bytes = r.First()
	x.Last.Token, x.Last.Bytes = r.Last()
	s.tables = []Live{{Table: &x, View: r.Self(), Reader: r}}
	print := func() string {
		l := row.NewLayout(&table)
		src := merge.Check(l, s.tables[0].View.Scan(sstable.All()))
		// Cassandra keeps what a deletion in the same table hides; a merge does not.
		src = merge.Purge(src, merge.Purger{Now: 0, GCBefore: math.MinInt64})
		return printed(t, merge.Rows(context.Background(), l, src), true)
	}
	before := print()
	if last := r.Statistics().Stats.MaxLocal; last != row.NoLocal && last >= math.MaxInt32 {
		// What expires behind the end of version nb expires there.
		before = strings.ReplaceAll(before, fmt.Sprint(last), fmt.Sprint(math.MaxInt32-1))
	}
	m := NewManager(Options{FS: s.fs, Now: testClock, Log: quiet})
	defer m.Close()
	m.Add(s)
	if err := m.Upgrade(context.Background(), table.ID, true, 0); err != nil {
		t.Errorf("%s %s: upgrade: %v", dir, desc, err)
		return
	}
	if lost, err := m.Scrub(context.Background(), table.ID, 0); err != nil || len(lost) > 0 {
		t.Errorf("%s %s: scrub: %v, %v", dir, desc, lost, err)
	}
	if len(s.tables) != 1 {
		t.Errorf("%s %s: %d tables", dir, desc, len(s.tables))
		return
	}
	if after := print(); after != before {
		t.Errorf("%s %s: changed\n%s", dir, desc, difference(after, before))
	}
	if err := s.tables[0].Reader.Verify(); err != nil {
		t.Errorf("%s %s: %v", dir, desc, err)
	}
}
