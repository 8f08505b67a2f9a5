package vfs

// Op names an operation for the hook of a Faulty.
type Op string

// The operations.
const (
	OpCreate   Op = "create"
	OpOpen     Op = "open"
	OpRemove   Op = "remove"
	OpRename   Op = "rename"
	OpLink     Op = "link"
	OpMkdir    Op = "mkdir"
	OpRmdir    Op = "rmdir"
	OpStat     Op = "stat"
	OpSpace    Op = "space"
	OpList     Op = "list"
	OpSyncDir  Op = "syncdir"
	OpRead     Op = "read"
	OpWrite    Op = "write"
	OpSize     Op = "size"
	OpTruncate Op = "truncate"
	OpSync     Op = "sync"
	OpClose    Op = "close"
)

// Faulty is an FS whose operations ask a hook first: what it returns, unless nil, is what the operation fails with. The
// operation is then not done.
type Faulty struct {
	FS
	// Hook may be called by many goroutines. name is the file's or the folder's.
	Hook func(op Op, name string) error
}

// faultyFile is a file of a Faulty.
type faultyFile struct {
	File
	name string
	hook func(op Op, name string) error
}

// Create implements FS.
func (f *Faulty) Create(name string) (File, error) {
	if err := f.Hook(OpCreate, name); err != nil {
		return nil, err
	}
	return f.wrap(name)(f.FS.Create(name))
}

// Open implements FS.
func (f *Faulty) Open(name string) (File, error) {
	if err := f.Hook(OpOpen, name); err != nil {
		return nil, err
	}
	return f.wrap(name)(f.FS.Open(name))
}

func (f *Faulty) wrap(name string) func(File, error) (File, error) {
	return func(file File, err error) (File, error) {
		if err != nil {
			return nil, err
		}
		return &faultyFile{file, name, f.Hook}, nil
	}
}

// Remove implements FS.
func (f *Faulty) Remove(name string) error {
	if err := f.Hook(OpRemove, name); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

// Rename implements FS.
func (f *Faulty) Rename(from, to string) error {
	if err := f.Hook(OpRename, from); err != nil {
		return err
	}
	return f.FS.Rename(from, to)
}

// MkdirAll implements FS.
func (f *Faulty) MkdirAll(dir string) error {
	if err := f.Hook(OpMkdir, dir); err != nil {
		return err
	}
	return f.FS.MkdirAll(dir)
}

// Link implements FS.
func (f *Faulty) Link(from, to string) error {
	if err := f.Hook(OpLink, to); err != nil {
		return err
	}
	return f.FS.Link(from, to)
}

// RemoveDir implements FS.
func (f *Faulty) RemoveDir(dir string) error {
	if err := f.Hook(OpRmdir, dir); err != nil {
		return err
	}
	return f.FS.RemoveDir(dir)
}

// Stat implements FS.
func (f *Faulty) Stat(name string) (Info, error) {
	if err := f.Hook(OpStat, name); err != nil {
		return Info{}, err
	}
	return f.FS.Stat(name)
}

// Space implements FS.
func (f *Faulty) Space(dir string) (free, total int64, err error) {
	if err := f.Hook(OpSpace, dir); err != nil {
		return 0, 0, err
	}
	return f.FS.Space(dir)
}

// List implements FS.
func (f *Faulty) List(dir string) ([]string, error) {
	if err := f.Hook(OpList, dir); err != nil {
		return nil, err
	}
	return f.FS.List(dir)
}

// SyncDir implements FS.
func (f *Faulty) SyncDir(dir string) error {
	if err := f.Hook(OpSyncDir, dir); err != nil {
		return err
	}
	return f.FS.SyncDir(dir)
}

// ReadAt implements io.ReaderAt.
func (f *faultyFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.hook(OpRead, f.name); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

// WriteAt implements io.WriterAt.
func (f *faultyFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.hook(OpWrite, f.name); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, off)
}

// Size implements File.
func (f *faultyFile) Size() (int64, error) {
	if err := f.hook(OpSize, f.name); err != nil {
		return 0, err
	}
	return f.File.Size()
}

// Truncate implements File.
func (f *faultyFile) Truncate(size int64) error {
	if err := f.hook(OpTruncate, f.name); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

// Sync implements File.
func (f *faultyFile) Sync() error {
	if err := f.hook(OpSync, f.name); err != nil {
		return err
	}
	return f.File.Sync()
}

// Close implements io.Closer.
func (f *faultyFile) Close() error {
	if err := f.hook(OpClose, f.name); err != nil {
		return err
	}
	return f.File.Close()
}
