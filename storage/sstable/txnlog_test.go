package sstable

import (
	"errors"
	"testing"

	"github.com/helenusdb/helenus/storage/vfs"
)

// Lines that Cassandra 5.0.6 wrote.
const (
	logAdd    = "ADD:[/tmp/cassandra-oracle/n1/data/system/table_estimates-176c39cdb93d33a5a2188eb06a56f66e/nb-188-big-,0,8][2284389317]\n"
	logCommit = "COMMIT:[,0,0][2613697770]\n"
)

// TestTransactionLog holds which tables the logs of a folder make void.
func TestTransactionLog(t *testing.T) {
	const name = "nb_txn_flush_0fcc0d80-e8e2-11f1-946a-6bd2e6c0886e.log"
	for _, v := range []struct {
		name, text string
		void       bool
		bad        bool
	}{
		{name, logAdd, true, false},
		{name, logAdd + logCommit, false, false},
		{name, logAdd + "COMMIT:[,0,0][26136", true, false},
		{name, "ADD:[/tmp/", false, false},
		{name, "", false, false},
		{name, logAdd + "COMMIT:[,0,0][2613697771]\n", false, true},
		{name, logAdd + "COMMIT:[,0,0][26136\n", false, true},
		{name, logCommit + logAdd, false, true},
		{name, "ADD:[/x/nb-188-big-,0,8][2284389317]\n" + logAdd, false, true},
		{"nb_txn_flush.log", "nonsense\n", false, false},
	} {
		fs := vfs.NewMem()
		if err := fs.MkdirAll("/d"); err != nil {
			t.Fatal(err)
		}
		f, err := fs.Create("/d/" + v.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte(v.text), 0); err != nil {
			t.Fatal(err)
		}
		void, err := Void(fs, "/d")
		if (err != nil) != v.bad || err != nil && !errors.Is(err, ErrCorrupt) || void[Descriptor{"nb", "188", "big"}] != v.void {
			t.Errorf("%q: %v, %v", v.text, void, err)
		}
	}
}

// FuzzTransactionLog finds no panic, and no void table in what has no record.
func FuzzTransactionLog(f *testing.F) {
	f.Add(logAdd + logCommit)
	f.Add(logAdd)
	f.Fuzz(func(t *testing.T, text string) {
		added, removed, committed, err := parseTransactionLog("x", text)
		if err != nil && (added != nil || removed != nil || committed) {
			t.Error("an error and a result")
		}
	})
}
