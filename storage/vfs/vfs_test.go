package vfs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"
)

// TestImplementations runs one script on every implementation: they must not differ.
func TestImplementations(t *testing.T) {
	for name, make := range map[string]func(t *testing.T) (FS, string){
		"os":     func(t *testing.T) (FS, string) { return OS{}, filepath.ToSlash(t.TempDir()) },
		"mem":    func(*testing.T) (FS, string) { return NewMem(), "/x" },
		"faulty": func(*testing.T) (FS, string) { return &Faulty{NewMem(), func(Op, string) error { return nil }}, "/x" },
	} {
		t.Run(name, func(t *testing.T) {
			f, dir := make(t)
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(f.MkdirAll(dir + "/a/b"))
			if _, err := f.Open(dir + "/a/none"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("open of a missing file: %v", err)
			}
			if _, err := f.Create(dir + "/none/x"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("create in a missing folder: %v", err)
			}
			if err := f.Remove(dir + "/a/none"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("remove of a missing file: %v", err)
			}
			x, err := f.Create(dir + "/a/x")
			must(err)
			_, err = x.WriteAt([]byte("hello"), 3)
			must(err)
			must(x.Truncate(6))
			must(x.Sync())
			if n, err := x.Size(); n != 6 || err != nil {
				t.Errorf("size is %d, %v", n, err)
			}
			got := []byte("########")
			if n, err := x.ReadAt(got, 0); n != 6 || err != io.EOF || !bytes.Equal(got[:6], []byte("\x00\x00\x00hel")) {
				t.Errorf("read %d %q, %v", n, got, err)
			}
			if _, err := x.ReadAt(got, 9); err != io.EOF {
				t.Errorf("read behind the end: %v", err)
			}
			must(x.Close())
			must(f.Rename(dir+"/a/x", dir+"/a/y"))
			must(f.SyncDir(dir + "/a"))
			names, err := f.List(dir + "/a")
			if len(names) != 2 || names[0] != "b" || names[1] != "y" || err != nil {
				t.Errorf("names are %v, %v", names, err)
			}
			y, err := f.Open(dir + "/a/y")
			must(err)
			must(y.Truncate(2))
			must(y.Truncate(4))
			if n, err := y.ReadAt(got[:4], 0); n != 4 || err != nil || string(got[:4]) != "\x00\x00\x00\x00" {
				t.Errorf("after two truncations %d %q, %v", n, got[:4], err)
			}
			must(y.Close())
			must(f.Link(dir+"/a/y", dir+"/a/b/z"))
			if err := f.Link(dir+"/a/y", dir+"/a/b/z"); !errors.Is(err, fs.ErrExist) {
				t.Errorf("link to a name that is there: %v", err)
			}
			if err := f.Link(dir+"/a/none", dir+"/a/b/w"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("link from a missing file: %v", err)
			}
			must(f.Remove(dir + "/a/y"))
			info, err := f.Stat(dir + "/a/b/z")
			if err != nil || info.Dir || info.Size != 4 || info.ModTime.IsZero() {
				t.Errorf("a linked file is %+v, %v", info, err)
			}
			if info, err = f.Stat(dir + "/a/b"); err != nil || !info.Dir {
				t.Errorf("a folder is %+v, %v", info, err)
			}
			if _, err = f.Stat(dir + "/a/none"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("stat of a missing file: %v", err)
			}
			if err := f.RemoveDir(dir + "/a"); err == nil {
				t.Error("removed a folder that is not empty")
			}
			must(RemoveAll(f, dir+"/a"))
			must(RemoveAll(f, dir+"/a"))
			if _, err := f.List(dir + "/a"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("list of a removed folder: %v", err)
			}
			if free, total, err := f.Space(dir); err != nil || free <= 0 || total < free {
				t.Errorf("space is %d of %d, %v", free, total, err)
			}
			lock, err := f.Lock(dir + "/lock")
			must(err)
			if _, err := f.Lock(dir + "/lock"); err == nil {
				t.Error("locked twice")
			}
			must(lock.Close())
			lock, err = f.Lock(dir + "/lock")
			must(err)
			must(lock.Close())
		})
	}
}

// TestCrashClone holds that what was synced is always there, and that of the rest nothing is invented and both outcomes
// happen.
func TestCrashClone(t *testing.T) {
	m := NewMem()
	m.MkdirAll("/d")
	a, _ := m.Create("/d/a")
	a.WriteAt(bytes.Repeat([]byte{1}, 2*sector), 0)
	a.Sync()
	m.SyncDir("/d")
	a.WriteAt(bytes.Repeat([]byte{2}, 2*sector), sector)
	m.Create("/d/b")
	var kept, lost, named, unnamed int
	for seed := range uint64(64) {
		c := m.CrashClone(rand.New(rand.NewPCG(seed, 0)))
		f, err := c.Open("/d/a")
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		buf := make([]byte, 3*sector)
		n, _ := f.ReadAt(buf, 0)
		if n < 2*sector || !bytes.Equal(buf[:sector], bytes.Repeat([]byte{1}, sector)) {
			t.Fatalf("seed %d: synced bytes are lost", seed)
		}
		for _, b := range buf[sector:n] {
			switch b {
			case 1:
				lost++
			case 2:
				kept++
			case 0:
			default:
				t.Fatalf("seed %d: byte %d was never written", seed, b)
			}
		}
		if _, err := c.Open("/d/b"); err == nil {
			named++
		} else {
			unnamed++
		}
	}
	if kept == 0 || lost == 0 || named == 0 || unnamed == 0 {
		t.Errorf("kept %d, lost %d, named %d, unnamed %d: all must happen", kept, lost, named, unnamed)
	}
}

// TestFaulty holds that a failing hook stops the operation.
func TestFaulty(t *testing.T) {
	boom := errors.New("boom")
	var fail Op
	f := &Faulty{NewMem(), func(op Op, _ string) error {
		if op == fail {
			return boom
		}
		return nil
	}}
	f.MkdirAll("/d")
	x, _ := f.Create("/d/x")
	for op, call := range map[Op]func() error{
		OpCreate:   func() error { _, err := f.Create("/d/y"); return err },
		OpOpen:     func() error { _, err := f.Open("/d/x"); return err },
		OpRemove:   func() error { return f.Remove("/d/x") },
		OpRename:   func() error { return f.Rename("/d/x", "/d/z") },
		OpMkdir:    func() error { return f.MkdirAll("/e") },
		OpLink:     func() error { return f.Link("/d/x", "/d/y") },
		OpRmdir:    func() error { return f.RemoveDir("/d") },
		OpStat:     func() error { _, err := f.Stat("/d/x"); return err },
		OpSpace:    func() error { _, _, err := f.Space("/d"); return err },
		OpList:     func() error { _, err := f.List("/d"); return err },
		OpSyncDir:  func() error { return f.SyncDir("/d") },
		OpRead:     func() error { _, err := x.ReadAt(nil, 0); return err },
		OpWrite:    func() error { _, err := x.WriteAt([]byte("x"), 0); return err },
		OpSize:     func() error { _, err := x.Size(); return err },
		OpTruncate: func() error { return x.Truncate(9) },
		OpSync:     x.Sync,
		OpClose:    x.Close,
	} {
		if fail = op; call() != boom {
			t.Errorf("%s did not fail", op)
		}
	}
	fail = ""
	if names, _ := f.List("/d"); len(names) != 1 || names[0] != "x" {
		t.Errorf("names are %v", names)
	}
	if n, _ := x.Size(); n != 0 {
		t.Errorf("size is %d", n)
	}
}

// TestCrashCloneLinks holds that after a crash the names of a file still share its content, and that a name which was synced
// is there although the first one was removed.
func TestCrashCloneLinks(t *testing.T) {
	for seed := range uint64(64) {
		m := NewMem()
		m.MkdirAll("/d/s")
		a, _ := m.Create("/d/a")
		a.WriteAt([]byte("abc"), 0)
		a.Sync()
		m.SyncDir("/d")
		if err := m.Link("/d/a", "/d/s/b"); err != nil {
			t.Fatal(err)
		}
		m.SyncDir("/d/s")
		m.Remove("/d/a")
		c := m.CrashClone(rand.New(rand.NewPCG(seed, 0)))
		b, err := c.Open("/d/s/b")
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 3)
		if b.ReadAt(got, 0); string(got) != "abc" {
			t.Fatalf("seed %d: the link holds %q", seed, got)
		}
		if first, err := c.Open("/d/a"); err == nil {
			b.WriteAt([]byte("x"), 0)
			if first.ReadAt(got, 0); string(got) != "xbc" {
				t.Fatalf("seed %d: the names do not share their content", seed)
			}
		}
	}
}

// TestCapacity holds that a full Mem refuses to grow, and takes writes again when there is room.
func TestCapacity(t *testing.T) {
	m := NewMem()
	a, _ := m.Create("a")
	m.SetCapacity(10)
	if _, err := a.WriteAt(make([]byte, 11), 0); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a write beyond the capacity: %v", err)
	}
	if _, err := a.WriteAt(make([]byte, 10), 0); err != nil {
		t.Error(err)
	}
	if free, total, _ := m.Space("."); free != 0 || total != 10 {
		t.Errorf("%d of %d are free", free, total)
	}
	if _, err := a.WriteAt([]byte{1}, 3); err != nil {
		t.Error(err)
	}
	m.SetCapacity(12)
	if _, err := a.WriteAt([]byte{1}, 10); err != nil {
		t.Error(err)
	}
}
