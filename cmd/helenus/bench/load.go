package bench

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/wire"
)

// Options say what load to make. The zero value of a field means the default beside it.
type Options struct {
	Addr        string        // 127.0.0.1:9042
	Workload    string        // write, read or mixed
	Workers     int           // 64: requests in flight
	Connections int           // 4
	Duration    time.Duration // 10 s, after Warmup
	Warmup      time.Duration // 0: none
	Rows        int           // 100000: partitions written and read
	ValueBytes  int           // 100
	Rate        float64       // 0: closed loop; else operations per second, open loop
	Consistency cql.Consistency
	Keyspace    string    // bench
	Fill        bool      // write all rows before a read or mixed load
	Seed        uint64    // of the keys
	Progress    io.Writer // nil: no progress lines
}

func (o Options) withDefaults() Options {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	set(&o.Workers, 64)
	set(&o.Connections, 4)
	set(&o.Rows, 100_000)
	set(&o.ValueBytes, 100)
	if o.Addr == "" {
		o.Addr = "127.0.0.1:9042"
	}
	if o.Duration == 0 {
		o.Duration = 10 * time.Second
	}
	if o.Keyspace == "" {
		o.Keyspace = "bench"
	}
	o.Connections = min(o.Connections, o.Workers)
	return o
}

// Report is what a run measured. Latencies are microseconds; in a closed loop they are corrected for coordinated omission: a
// stall also counts for the requests that it kept from being sent.
type Report struct {
	Workload    string  `json:"workload"`
	Workers     int     `json:"workers"`
	Connections int     `json:"connections"`
	Seconds     float64 `json:"seconds"`
	Filled      int64   `json:"filled"` // rows written before the measurement
	Operations  int64   `json:"operations"`
	Errors      int64   `json:"errors"`
	FirstError  string  `json:"first_error,omitempty"`
	PerSecond   float64 `json:"operations_per_second"`
	MeanUs      float64 `json:"mean_us"`
	P50Us       int64   `json:"p50_us"`
	P99Us       int64   `json:"p99_us"`
	P999Us      int64   `json:"p999_us"`
	MaxUs       int64   `json:"max_us"`
}

// WriteJSON writes the report as one JSON object.
func (r *Report) WriteJSON(path string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// histogram bounds: 1 µs to 60 s at three digits.
const (
	lowestUs, highestUs = 1, 60_000_000
	digits              = 3
)

// load is one run.
type load struct {
	o           Options
	conns       []*conn
	write, read []byte       // prepared ids
	started     atomic.Int64 // operations given out, for the open loop's clock
	ops, errs   atomic.Int64
	filled      atomic.Int64
	firstErr    atomic.Pointer[string]
}

// Run makes the load and reports. It ends early when ctx does.
func Run(ctx context.Context, o Options) (*Report, error) {
	o = o.withDefaults()
	l := &load{o: o}
	defer func() {
		for _, c := range l.conns {
			c.close()
		}
	}()
	for i := range o.Connections {
		per := (o.Workers - i + o.Connections - 1) / o.Connections
		c, err := dial(ctx, o.Addr, per)
		if err != nil {
			return nil, err
		}
		l.conns = append(l.conns, c)
	}
	if err := l.setup(); err != nil {
		return nil, err
	}
	if o.Fill && o.Workload != "write" {
		if err := l.fill(ctx); err != nil {
			return nil, err
		}
	}
	if o.Warmup > 0 {
		if _, _, err := l.run(ctx, o.Warmup, nil); err != nil {
			return nil, err
		}
		l.ops.Store(0)
		l.errs.Store(0)
		l.started.Store(0)
	}
	h, took, err := l.run(ctx, o.Duration, o.Progress)
	if err != nil {
		return nil, err
	}
	r := &Report{
		Filled: l.filled.Load(), Workload: o.Workload, Workers: o.Workers, Connections: o.Connections, Seconds: took.Seconds(),
		Operations: l.ops.Load(), Errors: l.errs.Load(), PerSecond: float64(l.ops.Load()) / took.Seconds(), MeanUs: h.Mean(),
		P50Us: h.ValueAtQuantile(50), P99Us: h.ValueAtQuantile(99), P999Us: h.ValueAtQuantile(99.9), MaxUs: h.Max(),
	}
	if e := l.firstErr.Load(); e != nil {
		r.FirstError = *e
	}
	return r, nil
}

func (l *load) setup() error {
	s, ks := l.conns[0].streams[0], l.o.Keyspace
	for _, text := range []string{
		"CREATE KEYSPACE IF NOT EXISTS " + ks + " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
		"CREATE TABLE IF NOT EXISTS " + ks + ".data (pk bigint, ck bigint, v blob, PRIMARY KEY (pk, ck))",
	} {
		if err := s.query(text); err != nil {
			return err
		}
	}
	var err error
	if l.write, err = s.prepare("INSERT INTO " + ks + ".data (pk, ck, v) VALUES (?, ?, ?)"); err != nil {
		return err
	}
	l.read, err = s.prepare("SELECT pk, ck, v FROM " + ks + ".data WHERE pk = ?")
	return err
}

// fill writes every row once.
func (l *load) fill(ctx context.Context) error {
	var next atomic.Int64
	return l.each(func(s *stream, w *worker) error {
		for n := next.Add(1) - 1; n < int64(l.o.Rows) && ctx.Err() == nil; n = next.Add(1) - 1 {
			if err := answerError(s.do(wire.OpExecute, w.insert(n))); err != nil {
				return err
			}
			l.filled.Add(1)
		}
		return nil
	})
}

// each runs f once for every worker and returns the first error.
func (l *load) each(f func(*stream, *worker) error) error {
	var wg sync.WaitGroup
	errs := make(chan error, l.o.Workers)
	n := 0
	for _, c := range l.conns {
		for _, s := range c.streams {
			w := &worker{l: l, rand: rand.New(rand.NewPCG(l.o.Seed, uint64(n))), value: make([]byte, l.o.ValueBytes)}
			for i := range w.value {
				w.value[i] = byte(w.rand.Uint32())
			}
			n++
			wg.Go(func() {
				if err := f(s, w); err != nil {
					errs <- err
				}
			})
		}
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// run makes the load for d and returns the latencies of all workers.
func (l *load) run(ctx context.Context, d time.Duration, progress io.Writer) (*hdrhistogram.Histogram, time.Duration, error) {
	start := time.Now()
	ctx, cancel := context.WithDeadline(ctx, start.Add(d))
	defer cancel()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	if progress != nil {
		wg.Go(func() { l.progress(progress, start, stop) })
	}
	var mu sync.Mutex
	all := hdrhistogram.New(lowestUs, highestUs, digits)
	err := l.each(func(s *stream, w *worker) error {
		h := hdrhistogram.New(lowestUs, highestUs, digits)
		var err error
		if l.o.Rate > 0 {
			err = w.open(ctx, s, h, start)
		} else {
			err = w.closed(ctx, s, h)
		}
		mu.Lock()
		defer mu.Unlock()
		all.Merge(h)
		return err
	})
	took := time.Since(start)
	close(stop)
	wg.Wait()
	return all, took, err
}

func (l *load) progress(out io.Writer, start time.Time, stop chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var last int64
	for {
		select {
		case <-stop:
			return
		case now := <-tick.C:
			ops := l.ops.Load()
			fmt.Fprintf(out, "%4.0fs  %9d op/s  %9d done  %d errors\n", now.Sub(start).Seconds(), ops-last, ops, l.errs.Load())
			last = ops
		}
	}
}

// worker makes the requests of one stream.
type worker struct {
	l     *load
	rand  *rand.Rand
	body  []byte
	value []byte
}

func (w *worker) insert(pk int64) []byte {
	var key [8]byte
	binary.BigEndian.PutUint64(key[:], uint64(pk))
	w.body = appendExecute(w.body[:0], w.l.write, w.l.o.Consistency, 3)
	w.body = wire.AppendBytes(w.body, key[:])
	w.body = wire.AppendBytes(w.body, key[:])
	w.body = wire.AppendBytes(w.body, w.value)
	return w.body
}

func (w *worker) selectRow(pk int64) []byte {
	var key [8]byte
	binary.BigEndian.PutUint64(key[:], uint64(pk))
	w.body = appendExecute(w.body[:0], w.l.read, w.l.o.Consistency, 1)
	w.body = wire.AppendBytes(w.body, key[:])
	return w.body
}

// one makes one request of the workload.
func (w *worker) one(s *stream) error {
	pk := w.rand.Int64N(int64(w.l.o.Rows))
	var body []byte
	if w.l.o.Workload == "write" || w.l.o.Workload == "mixed" && w.rand.Uint32()&1 == 0 {
		binary.BigEndian.PutUint32(w.value, w.rand.Uint32())
		body = w.insert(pk)
	} else {
		body = w.selectRow(pk)
	}
	r := s.do(wire.OpExecute, body)
	if r.err != nil {
		return r.err
	}
	w.l.ops.Add(1)
	if err := answerError(r); err != nil {
		w.l.errs.Add(1)
		text := err.Error()
		w.l.firstErr.CompareAndSwap(nil, &text)
	}
	return nil
}

// closed sends the next request when the last was answered. Its latencies are corrected with the worker's own mean as the
// interval at which it would have sent.
func (w *worker) closed(ctx context.Context, s *stream, h *hdrhistogram.Histogram) error {
	var sum, n int64
	for ctx.Err() == nil {
		t := time.Now()
		if err := w.one(s); err != nil {
			return err
		}
		us := max(time.Since(t).Microseconds(), lowestUs)
		sum, n = sum+us, n+1
		if err := h.RecordCorrectedValue(min(us, highestUs), sum/n+1); err != nil {
			return err
		}
	}
	return nil
}

// open sends at the moments that the rate gives, counted from the start; latency counts from that moment even when the request
// had to wait for a free worker.
func (w *worker) open(ctx context.Context, s *stream, h *hdrhistogram.Histogram, start time.Time) error {
	for {
		n := w.l.started.Add(1) - 1
		due := start.Add(time.Duration(float64(n) / w.l.o.Rate * float64(time.Second)))
		if d := time.Until(due); d > 0 {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(d):
			}
		} else if ctx.Err() != nil {
			return nil
		}
		if err := w.one(s); err != nil {
			return err
		}
		if err := h.RecordValue(min(max(time.Since(due).Microseconds(), lowestUs), highestUs)); err != nil {
			return err
		}
	}
}
