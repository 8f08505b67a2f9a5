package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// exampleTables are tables that Cassandra wrote, with what its tools print of them.
const exampleTables = "../../storage/sstable/testdata"

// TestSSTableTools calls the tools as a user would and compares with Cassandra's.
func TestSSTableTools(t *testing.T) {
	root, err := filepath.Abs(exampleTables)
	if err != nil {
		t.Fatal(err)
	}
	stored := func(name string) string {
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	data := filepath.Join(root, "nb/mixed/nb-1-big-Data.db")
	for _, v := range []struct {
		args []string
		want string
	}{
		{[]string{"dump", data}, stored("nb/mixed/dump-1.json")},
		{[]string{"dump", "-t", data}, stored("nb/mixed/dump-1-raw.txt")},
		{[]string{"dump", data, "-l"}, stored("nb/mixed/dump-1-lines.txt")},
		{[]string{"dump", data, "-k", "k5:5", "-k", "k2:2"}, stored("nb/mixed/dump-1-keys.txt")},
		{[]string{"dump", filepath.Join(root, "da/plain/da-1-bti-Partitions.db")}, stored("da/plain/dump-1.json")},
	} {
		code, out, errs := call(t, append([]string{"sstable"}, v.args...)...)
		if code != 0 || out != v.want || errs != "" {
			t.Errorf("%v: exit %d, %q, %d bytes for %d", v.args, code, errs, len(out), len(v.want))
		}
	}
	code, out, errs := call(t, "sstable", "meta", filepath.Join(root, "nb/mixed"), filepath.Join(root, "nb/plain/nb-1-big-Data.db"))
	if code != 0 || errs != "" || strings.Count(out, "SSTable: ") != 2 || !strings.Contains(out, "\nKeyType: ") {
		t.Errorf("meta: exit %d, %q, %s", code, errs, out)
	}
	code, out, errs = call(t, "sstable", "verify", filepath.Join(root, "nb/mixed"))
	if code != 0 || !strings.HasSuffix(out, "nb/mixed/nb-1-big: ok\n") {
		t.Errorf("verify: exit %d, %q, %q", code, out, errs)
	}
}

// TestSSTableVerifyDamage flips a bit: the table is named, the code is 1, and another table is still looked at.
func TestSSTableVerifyDamage(t *testing.T) {
	dir := t.TempDir()
	names, err := filepath.Glob(filepath.Join(exampleTables, "nb/plain/nb-1-big-*"))
	if err != nil || len(names) == 0 {
		t.Fatal(err, names)
	}
	for _, id := range []string{"1", "2"} {
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			b = bytes.Clone(b)
			if id == "1" && strings.HasSuffix(name, "Data.db") {
				b[len(b)/2] ^= 4
			}
			if err := os.WriteFile(filepath.Join(dir, strings.Replace(filepath.Base(name), "-1-", "-"+id+"-", 1)), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	code, out, errs := call(t, "sstable", "verify", dir)
	if code != 1 || !strings.Contains(out, "nb-1-big: corrupt sstable: nb-1-big-Data.db at offset") ||
		!strings.Contains(out, "nb-2-big: ok") || !strings.Contains(errs, "1 of 2 tables are damaged") {
		t.Errorf("exit %d, %q, %q", code, out, errs)
	}
}

// TestSSTableCalls holds what is said to calls that cannot be followed.
func TestSSTableCalls(t *testing.T) {
	for _, v := range []struct {
		args string
		code int
		want string
	}{
		{"sstable", exitUsage, "say what to do"},
		{"sstable dump", exitUsage, "requires at least 1 arg(s)"},
		{"sstable undo x", exitUsage, `unknown command "undo"`},
		{"sstable dump --colour x", exitUsage, "unknown flag: --colour"},
		{"sstable dump nb-9-big-Data.db", 1, "no such file"},
		{"sstable meta -t DAYS x", exitUsage, "DAYS"},
		{"sstable verify .", 1, "there are no tables in this folder"},
	} {
		code, _, errs := call(t, strings.Fields(v.args)...)
		if code != v.code || !strings.Contains(errs, v.want) {
			t.Errorf("%s: exit %d, %q; want %d, %q", v.args, code, errs, v.code, v.want)
		}
	}
}
