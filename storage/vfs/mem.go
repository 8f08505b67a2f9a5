package vfs

import (
	"io"
	"io/fs"
	"math/rand/v2"
	"path"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

// sector is the unit in which a cut of power keeps or loses what was not synced.
const sector = 512

// Mem is a file system in memory. It knows what was synced: CrashClone returns what a cut of power could leave.
type Mem struct {
	mu    sync.Mutex
	dirs  map[string]bool
	files map[string]*memNode
	// durable is the names that SyncDir has made safe, pending the changes of names since, in order.
	durable map[string]*memNode
	pending []nameChange
	locks   map[string]bool
	// capacity bounds the bytes of all files; 0 is no bound.
	capacity int64
}

// memVolume is what Space says of a Mem without a capacity.
const memVolume = 1 << 50

// nameChange sets name to node, or removes it when node is nil.
type nameChange struct {
	name string
	node *memNode
}

// memNode is the content of a file.
type memNode struct {
	mu     sync.Mutex
	mod    time.Time
	data   []byte
	synced []byte        // content at the last Sync
	dirty  []memMutation // since then, in order
}

// memMutation is a write of data at off, or with nil data a truncation to off.
type memMutation struct {
	off  int64
	data []byte
}

// NewMem returns an empty file system in memory.
func NewMem() *Mem {
	return &Mem{dirs: map[string]bool{}, files: map[string]*memNode{}, durable: map[string]*memNode{}, locks: map[string]bool{}}
}

// SetCapacity bounds the bytes of all files from now on; writes that would go beyond fail with ENOSPC. 0 is no bound.
func (m *Mem) SetCapacity(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.capacity = bytes
}

// usedLocked returns the bytes of all files that have a name.
func (m *Mem) usedLocked() int64 {
	var n int64
	seen := make(map[*memNode]bool, len(m.files))
	for _, f := range m.files {
		if !seen[f] {
			seen[f] = true
			f.mu.Lock()
			n += int64(len(f.data))
			f.mu.Unlock()
		}
	}
	return n
}

// CrashClone returns a file system as a cut of power could leave m: of what was not synced, a random part. Of the names in
// a folder that was not synced, the changes up to a random one are there, in each folder another one; of a file's writes,
// any sectors.
func (m *Mem) CrashClone(r *rand.Rand) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := NewMem()
	for d := range m.dirs {
		out.dirs[d] = true
	}
	names := make(map[string]*memNode, len(m.durable))
	for n, f := range m.durable {
		names[n] = f
	}
	lost := map[string]bool{} // folders whose later changes are not there
	for i := range m.pending {
		c := &m.pending[i]
		d := path.Dir(c.name)
		if !lost[d] && r.IntN(m.pendingLocked(d, i)+1) == 0 {
			lost[d] = true
		}
		if !lost[d] {
			apply(names, *c)
		}
	}
	clones := map[*memNode]*memNode{}
	sorted := make([]string, 0, len(names))
	for n := range names {
		sorted = append(sorted, n)
	}
	sort.Strings(sorted)
	for _, n := range sorted {
		f := names[n]
		if clones[f] == nil {
			clones[f] = f.crash(r)
		}
		out.files[n], out.durable[n] = clones[f], clones[f]
		out.makeDirs(path.Dir(n)) // a folder is not removed before its files
	}
	return out
}

// pendingLocked returns how many changes of a folder's names there are from the i-th pending one.
func (m *Mem) pendingLocked(dir string, i int) int {
	n := 0
	for ; i < len(m.pending); i++ {
		if path.Dir(m.pending[i].name) == dir {
			n++
		}
	}
	return n
}

func apply(names map[string]*memNode, c nameChange) {
	if c.node == nil {
		delete(names, c.name)
		return
	}
	names[c.name] = c.node
}

func (f *memNode) crash(r *rand.Rand) *memNode {
	f.mu.Lock()
	defer f.mu.Unlock()
	data := append([]byte(nil), f.synced...)
	for _, w := range f.dirty {
		if w.data == nil {
			if r.IntN(2) == 0 {
				data = resize(data, w.off)
			}
			continue
		}
		for at := int64(0); at < int64(len(w.data)); {
			end := min((w.off+at)/sector*sector+sector-w.off, int64(len(w.data)))
			if r.IntN(2) == 0 {
				data = overwrite(data, w.off+at, w.data[at:end])
			}
			at = end
		}
	}
	return &memNode{mod: f.mod, data: data, synced: append([]byte(nil), data...)}
}

func resize(data []byte, size int64) []byte {
	if size <= int64(len(data)) {
		return data[:size:size]
	}
	return append(data, make([]byte, size-int64(len(data)))...)
}

func overwrite(data []byte, off int64, p []byte) []byte {
	if end := off + int64(len(p)); end > int64(len(data)) {
		data = resize(data, end)
	}
	copy(data[off:], p)
	return data
}

func (m *Mem) change(name string, node *memNode) {
	c := nameChange{name, node}
	apply(m.files, c)
	m.pending = append(m.pending, c)
}

// Create implements FS.
func (m *Mem) Create(name string) (File, error) {
	name = path.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := path.Dir(name); d != "." && d != "/" && !m.dirs[d] {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrNotExist}
	}
	node := &memNode{mod: time.Now()}
	m.change(name, node)
	return &memFile{mem: m, node: node}, nil
}

// Open implements FS.
func (m *Mem) Open(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	node := m.files[path.Clean(name)]
	if node == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &memFile{mem: m, node: node}, nil
}

// Remove implements FS.
func (m *Mem) Remove(name string) error {
	name = path.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	m.change(name, nil)
	return nil
}

// Rename implements FS.
func (m *Mem) Rename(from, to string) error {
	from, to = path.Clean(from), path.Clean(to)
	m.mu.Lock()
	defer m.mu.Unlock()
	node := m.files[from]
	if node == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	m.change(to, node)
	m.change(from, nil)
	return nil
}

// MkdirAll implements FS. Folders are durable at once.
func (m *Mem) MkdirAll(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.makeDirs(dir)
	return nil
}

func (m *Mem) makeDirs(dir string) {
	for d := path.Clean(dir); d != "." && d != "/"; d = path.Dir(d) {
		m.dirs[d] = true
	}
}

// RemoveDir implements FS. It is durable at once.
func (m *Mem) RemoveDir(dir string) error {
	dir = path.Clean(dir)
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.dirs[dir] {
		return &fs.PathError{Op: "rmdir", Path: dir, Err: fs.ErrNotExist}
	}
	for n := range m.files {
		if path.Dir(n) == dir {
			return &fs.PathError{Op: "rmdir", Path: dir, Err: syscall.ENOTEMPTY}
		}
	}
	for d := range m.dirs {
		if d != dir && path.Dir(d) == dir {
			return &fs.PathError{Op: "rmdir", Path: dir, Err: syscall.ENOTEMPTY}
		}
	}
	delete(m.dirs, dir)
	return nil
}

// Link implements FS.
func (m *Mem) Link(from, to string) error {
	from, to = path.Clean(from), path.Clean(to)
	m.mu.Lock()
	defer m.mu.Unlock()
	node := m.files[from]
	if d := path.Dir(to); node == nil || d != "." && d != "/" && !m.dirs[d] {
		return &fs.PathError{Op: "link", Path: from, Err: fs.ErrNotExist}
	}
	if m.files[to] != nil || m.dirs[to] {
		return &fs.PathError{Op: "link", Path: to, Err: fs.ErrExist}
	}
	m.change(to, node)
	return nil
}

// Stat implements FS.
func (m *Mem) Stat(name string) (Info, error) {
	name = path.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dirs[name] {
		return Info{Dir: true}, nil
	}
	node := m.files[name]
	if node == nil {
		return Info{}, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	node.mu.Lock()
	defer node.mu.Unlock()
	return Info{Size: int64(len(node.data)), ModTime: node.mod}, nil
}

// Space implements FS.
func (m *Mem) Space(string) (free, total int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.capacity == 0 {
		return memVolume, memVolume, nil
	}
	return max(m.capacity-m.usedLocked(), 0), m.capacity, nil
}

// reserve fails when files may not grow by n bytes.
func (m *Mem) reserve(n int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.capacity > 0 && n > 0 && m.usedLocked()+n > m.capacity {
		return syscall.ENOSPC
	}
	return nil
}

// List implements FS.
func (m *Mem) List(dir string) ([]string, error) {
	dir = path.Clean(dir)
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.dirs[dir] {
		return nil, &fs.PathError{Op: "list", Path: dir, Err: fs.ErrNotExist}
	}
	names := []string{}
	for n := range m.files {
		if path.Dir(n) == dir {
			names = append(names, path.Base(n))
		}
	}
	for d := range m.dirs {
		if d != dir && path.Dir(d) == dir {
			names = append(names, strings.TrimPrefix(d, dir+"/"))
		}
	}
	sort.Strings(names)
	return names, nil
}

// SyncDir implements FS.
func (m *Mem) SyncDir(dir string) error {
	dir = path.Clean(dir)
	m.mu.Lock()
	defer m.mu.Unlock()
	rest := m.pending[:0]
	for _, c := range m.pending {
		if path.Dir(c.name) == dir {
			apply(m.durable, c)
		} else {
			rest = append(rest, c)
		}
	}
	m.pending = rest
	return nil
}

// Lock implements FS. Locks do not outlive a crash.
func (m *Mem) Lock(name string) (io.Closer, error) {
	name = path.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locks[name] {
		return nil, &fs.PathError{Op: "lock", Path: name, Err: fs.ErrPermission}
	}
	m.locks[name] = true
	return &memLock{m, name}, nil
}

// memLock is a held lock of Mem.
type memLock struct {
	m    *Mem
	name string
}

// Close implements io.Closer.
func (l *memLock) Close() error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	delete(l.m.locks, l.name)
	return nil
}

// memFile is an open file of Mem.
type memFile struct {
	mem  *Mem
	node *memNode
}

// ReadAt implements io.ReaderAt.
func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	f.node.mu.Lock()
	defer f.node.mu.Unlock()
	if off >= int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.node.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements io.WriterAt.
func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	size, _ := f.Size()
	if err := f.mem.reserve(off + int64(len(p)) - size); err != nil {
		return 0, err
	}
	f.node.mu.Lock()
	defer f.node.mu.Unlock()
	f.node.mod = time.Now()
	f.node.data = overwrite(f.node.data, off, p)
	f.node.dirty = append(f.node.dirty, memMutation{off, append([]byte{}, p...)})
	return len(p), nil
}

// Size implements File.
func (f *memFile) Size() (int64, error) {
	f.node.mu.Lock()
	defer f.node.mu.Unlock()
	return int64(len(f.node.data)), nil
}

// Truncate implements File.
func (f *memFile) Truncate(size int64) error {
	f.node.mu.Lock()
	defer f.node.mu.Unlock()
	f.node.data = resize(f.node.data, size)
	f.node.dirty = append(f.node.dirty, memMutation{size, nil})
	return nil
}

// Sync implements File.
func (f *memFile) Sync() error {
	f.node.mu.Lock()
	defer f.node.mu.Unlock()
	for _, w := range f.node.dirty {
		if w.data == nil {
			f.node.synced = resize(f.node.synced, w.off)
		} else {
			f.node.synced = overwrite(f.node.synced, w.off, w.data)
		}
	}
	f.node.dirty = nil
	return nil
}

// Close implements io.Closer.
func (f *memFile) Close() error { return nil }
