package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// engine is what is measured. put and get may be called by many goroutines, each with a session of its own.
type engine interface {
	// session returns the state of one goroutine.
	session() session
	// settle flushes and waits until nothing runs in the background.
	settle() error
	// scan reads every row of the small partitions and returns their number; wide the rows of the one large partition.
	scan() (int, error)
	wide() (int, error)
	// compact merges everything to one table.
	compact() error
	// durable comes before puts that wait for the disk.
	durable() error
	close() error
}

// session is one goroutine's use of an engine.
type session interface {
	// put writes a row, with sync only when it is durable does it return.
	put(key, value []byte, sync bool) error
	// putWide writes a row of the large partition.
	putWide(clustering uint64, value []byte) error
	// get reports whether there is a row, and reads its value.
	get(key []byte) (bool, error)
}

// figure is what one phase of one run took.
type figure struct {
	Ops  int
	Wall time.Duration
	CPU  time.Duration // of all threads, user and system
	GC   float64       // the collector's share of the CPU, in percent
	RSS  int64         // bytes resident after it
	Disk int64         // bytes of files after it
}

const keyBytes, valueBytes, wideValueBytes = 16, 100, 180

// makeKey writes key number i: keys are in no order of their numbers.
func makeKey(dst *[keyBytes]byte, i uint64) []byte {
	x := i * 0x9E3779B97F4A7C15
	x ^= x >> 29
	x *= 0xBF58476D1CE4E5B9
	x ^= x >> 32
	binary.BigEndian.PutUint64(dst[:], x)
	binary.BigEndian.PutUint64(dst[8:], i)
	return dst[:]
}

// fillValue writes a value of which half can be compressed.
func fillValue(dst []byte, r *rand.PCG) {
	half := len(dst) / 2
	for i := 0; i < half; i += 8 {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], r.Uint64())
		copy(dst[i:half], b[:])
	}
}

// meter measures a phase.
type meter struct {
	start    time.Time
	cpu      time.Duration
	gc, busy float64
}

func startMeter() meter {
	gc, busy := collector()
	return meter{time.Now(), cpuTime(), gc, busy}
}

func (m meter) stop(ops int, dir string) figure {
	gc, busy := collector()
	return figure{
		Ops: ops, Wall: time.Since(m.start), CPU: cpuTime() - m.cpu, GC: 100 * (gc - m.gc) / max(busy-m.busy, 1e-9), RSS: resident(),
		Disk: diskBytes(dir),
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// collector returns the seconds that the collector took, without what it used of idle time, and those that all took. Both are
// the runtime's: it counts by the clock, so that on a busy machine only their ratio means something.
func collector() (gc, busy float64) {
	s := []metrics.Sample{
		{Name: "/cpu/classes/gc/total:cpu-seconds"}, {Name: "/cpu/classes/gc/mark/idle:cpu-seconds"},
		{Name: "/cpu/classes/total:cpu-seconds"}, {Name: "/cpu/classes/idle:cpu-seconds"},
	}
	metrics.Read(s)
	gc = s[0].Value.Float64() - s[1].Value.Float64()
	return gc, s[2].Value.Float64() - s[3].Value.Float64() - s[1].Value.Float64()
}

// resident is the process's resident memory in bytes.
func resident() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(b), &size, &pages); err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

func diskBytes(dir string) (n int64) {
	_ = filepath.Walk(dir, func(_ string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			n += info.Size()
		}
		return nil
	})
	return n
}

// parallel calls f for the numbers 0 to n-1 from goroutines that each have a session.
func parallel(e engine, goroutines, n int, f func(s session, i int) error) error {
	var next atomic.Int64
	errs := make(chan error, goroutines)
	const batch = 256
	for range goroutines {
		s := e.session()
		go func() {
			for {
				from := int(next.Add(batch)) - batch
				if from >= n {
					errs <- nil
					return
				}
				for i := from; i < min(from+batch, n); i++ {
					if err := f(s, i); err != nil {
						errs <- err
						return
					}
				}
			}
		}()
	}
	var first error
	for range goroutines {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// work runs all phases on one engine and returns their figures.
func work(name, dir, profiles, only string, s sizes) (map[string]figure, error) {
	runtime.GOMAXPROCS(min(runtime.GOMAXPROCS(0), 2))
	data := filepath.Join(dir, "data")
	e, err := open(name, data, s)
	if err != nil {
		return nil, err
	}
	out := map[string]figure{}
	phase := func(n string, f func() (int, error)) error {
		if only != "" && n != "put" && n != "put wide" && !strings.Contains(n, only) {
			return nil
		}
		return profiled(profiles, name+"-"+strings.ReplaceAll(n, " ", "-"), func() error {
			m := startMeter()
			ops, err := f()
			if err != nil {
				return fmt.Errorf("%s: %w", n, err)
			}
			out[n] = m.stop(ops, data)
			fmt.Fprintf(os.Stderr, "  %-12s %8d ops %8.2f s wall %8.3f us CPU/op  GC %4.1f %%  RSS %5d MiB  disk %5d MiB\n", n, ops,
				out[n].Wall.Seconds(), perOp(out[n]), out[n].GC, out[n].RSS>>20, out[n].Disk>>20)
			return nil
		})
	}
	phases := []struct {
		name string
		run  func() (int, error)
	}{
		{"put", func() (int, error) { return s.Rows, errFirst(load(e, s.Rows), e.settle) }},
		{"get", func() (int, error) { return s.Gets, gets(e, s.Gets, s.Rows, 0) }},
		{"get again", func() (int, error) { return s.Gets, gets(e, s.Gets, s.Rows, 0) }},
		{"get absent", func() (int, error) { return s.Gets, gets(e, s.Gets, s.Rows, 1<<40) }},
		{"scan", func() (int, error) { return counted(e.scan, s.Rows) }},
		{"put wide", func() (int, error) { return s.Wide, errFirst(loadWide(e, s.Wide), e.settle) }},
		{"scan wide", func() (int, error) { return counted(e.wide, s.Wide) }},
		{"compact", func() (int, error) { return s.Rows + s.Wide, e.compact() }},
		{"get compacted", func() (int, error) { return s.Gets, gets(e, s.Gets, s.Rows, 0) }},
		{"durable 64", func() (int, error) { return durable(e, 64, s.Durable, s.Rows) }},
		{"durable 512", func() (int, error) { return durable(e, 512, s.Durable, s.Rows) }},
	}
	for _, p := range phases {
		if p.name == "durable 64" {
			if err := e.durable(); err != nil {
				return nil, err
			}
		}
		if err := phase(p.name, p.run); err != nil {
			return nil, err
		}
		debug.FreeOSMemory()
	}
	return out, e.close()
}

func errFirst(err error, then func() error) error {
	if err != nil {
		return err
	}
	return then()
}

func load(e engine, rows int) error {
	var pool sync.Pool
	pool.New = func() any { return newRows() }
	return parallel(e, 16, rows, func(s session, i int) error {
		x := pool.Get().(*rowMaker)
		defer pool.Put(x)
		fillValue(x.value[:], x.random)
		return s.put(makeKey(&x.key, uint64(i)), x.value[:], false)
	})
}

// rowMaker is the memory in which keys and values are made.
type rowMaker struct {
	key    [keyBytes]byte
	value  [valueBytes]byte
	random *rand.PCG
}

func newRows() *rowMaker { return &rowMaker{random: rand.NewPCG(rand.Uint64(), 1)} }

func loadWide(e engine, rows int) error {
	return parallel(e, 4, rows, func(s session, i int) error {
		var value [wideValueBytes]byte
		fillValue(value[:], rand.NewPCG(uint64(i), 2))
		return s.putWide(uint64(i), value[:])
	})
}

// gets reads random keys that are there, or with a shift others that are not, from 16 goroutines.
func gets(e engine, n, rows int, shift uint64) error {
	return parallel(e, 16, n, func(s session, i int) error {
		var key [keyBytes]byte
		k := uint64(i) * 0xD6E8FEB86659FD93
		k ^= k >> 31
		found, err := s.get(makeKey(&key, k%uint64(rows)+shift))
		if err == nil && found != (shift == 0) {
			err = fmt.Errorf("key %d found: %v", k%uint64(rows)+shift, found)
		}
		return err
	})
}

// counted runs a scan and checks how many rows it saw.
func counted(f func() (int, error), want int) (int, error) {
	n, err := f()
	if err == nil && n != want {
		err = fmt.Errorf("%d rows of %d", n, want)
	}
	return n, err
}

// durable puts rows from writers that each wait for the disk, for a time.
func durable(e engine, writers int, long time.Duration, rows int) (int, error) {
	var acks atomic.Int64
	stop := time.Now().Add(long)
	errs := make(chan error, writers)
	for w := range writers {
		s, x := e.session(), newRows()
		go func() {
			for i := 0; time.Now().Before(stop); i++ {
				fillValue(x.value[:], x.random)
				if err := s.put(makeKey(&x.key, uint64((i*writers+w)%rows)), x.value[:], true); err != nil {
					errs <- err
					return
				}
				acks.Add(1)
			}
			errs <- nil
		}()
	}
	var first error
	for range writers {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return int(acks.Load()), first
}

func open(name, dir string, s sizes) (engine, error) {
	switch name {
	case "pebble":
		return openPebble(dir, s)
	case "helenus":
		return openHelenus(dir, s)
	}
	return nil, fmt.Errorf("no engine %q", name)
}
