package abuse

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// goodClient is the one that must not suffer: four connections, each of which inserts and selects prepared, one after
// another, at fixed times. A request that is due while the one before it is not answered counts from when it was due, so
// that a stall is not hidden. Beside that it connects anew twice a second.
type goodClient struct {
	addr  string
	conns int
	first int           // key
	every time.Duration // of each connection
	phase atomic.Int32  // where samples go; negative: nowhere
	stop  chan struct{}
	wg    sync.WaitGroup

	mu         sync.Mutex
	samples    [][]time.Duration // by phase: of requests
	connects   [][]time.Duration // by phase: from connect to the first answer
	errs       []error
	unprepared int
}

// goodForms are its connections.
var goodForms = []form{{v: 4}, {v: 5}, {4, "lz4"}, {5, "lz4"}}

const (
	goodInsert = "INSERT INTO camp.good (k, v) VALUES (?, ?)"
	goodSelect = "SELECT v FROM camp.good WHERE k = ?"
	goodKeys   = 1000
)

// newGood returns a good client that makes rate requests a second on conns connections.
func newGood(addr string, rate, conns int) *goodClient {
	return &goodClient{addr: addr, conns: conns, every: time.Duration(conns) * time.Second / time.Duration(rate),
		stop: make(chan struct{})}
}

// startGood starts a good client that notes its times in so many phases; none while phase is negative.
func startGood(addr string, rate, phases int) *goodClient {
	g := newGood(addr, rate, len(goodForms))
	g.samples, g.connects = make([][]time.Duration, phases), make([][]time.Duration, phases)
	g.phase.Store(-1)
	for i, f := range goodForms {
		g.wg.Go(func() { g.note(g.work(i, f)) })
	}
	g.wg.Go(g.connectAnew)
	return g
}

// note keeps an error.
func (g *goodClient) note(err error) {
	if err != nil {
		g.mu.Lock()
		g.errs = append(g.errs, err)
		g.mu.Unlock()
	}
}

// end stops the client and returns what went wrong.
func (g *goodClient) end() []error {
	close(g.stop)
	g.wg.Wait()
	return g.errs
}

// goodConn is one connection with its two statements.
type goodConn struct {
	*peer
	ids [2][2][]byte // of insert and select: id and metadata id
}

func (g *goodClient) dial(f form) (*goodConn, error) {
	p, err := login(g.addr, "", f)
	if err != nil {
		return nil, err
	}
	c := &goodConn{peer: p}
	return c, c.prepare()
}

func (c *goodConn) prepare() error {
	for i, text := range []string{goodInsert, goodSelect} {
		e, err := c.call(1, opPrepare, prepare(c.v, text))
		if err != nil {
			return err
		}
		if c.ids[i][0], c.ids[i][1] = e.preparedID(); c.ids[i][0] == nil {
			return fmt.Errorf("PREPARE: %s", e)
		}
	}
	return nil
}

// work makes the requests of one connection.
func (g *goodClient) work(n int, f form) error {
	c, err := g.dial(f)
	if err != nil {
		return err
	}
	defer c.close()
	last := map[int]int{} // what it wrote
	due := time.Now()
	for i := 0; ; i++ {
		due = due.Add(g.every)
		began := due
		if d := time.Until(due); d > 0 {
			select {
			case <-g.stop:
				return nil
			case <-time.After(d):
			}
			began = time.Now() // waking late is not the server's doing
		}
		k := g.first + n*goodKeys + i/2%goodKeys
		which := i % 2
		values := [][]byte{long(nil, k)}
		if which == 0 {
			last[k] = i
			values = append(values, bytes.Repeat(long(nil, i), 25))
		}
		e, err := c.call(int16(i&0x7fff), opExecute, execute(f.v, c.ids[which][0], c.ids[which][1], values...))
		if err != nil {
			return fmt.Errorf("a good request on %s: %w", f, err)
		}
		code, _ := e.failure()
		switch {
		case code == 0x2500: // others have filled the cache; a driver does the same
			g.mu.Lock()
			g.unprepared++
			g.mu.Unlock()
			if err := c.prepare(); err != nil {
				return err
			}
			continue
		case code >= 0:
			return fmt.Errorf("a good request on %s: %s", f, e)
		case which == 1 && !bytes.HasSuffix(e.body, bytes.Repeat(binary.BigEndian.AppendUint32(nil, uint32(last[k])), 25)):
			return fmt.Errorf("a good client on %s does not find what it wrote: %s", f, e)
		}
		g.sample(g.samples, time.Since(began))
	}
}

func (g *goodClient) sample(to [][]time.Duration, d time.Duration) {
	if phase := int(g.phase.Load()); phase >= 0 && phase < len(to) {
		g.mu.Lock()
		to[phase] = append(to[phase], d)
		g.mu.Unlock()
	}
}

// connectAnew opens a connection twice a second and asks something on it.
func (g *goodClient) connectAnew() {
	for i := 0; ; i++ {
		select {
		case <-g.stop:
			return
		case <-time.After(500 * time.Millisecond):
		}
		began := time.Now()
		p, err := login(g.addr, "", goodForms[i%len(goodForms)])
		if err == nil {
			_, err = p.call(1, opQuery, query(p.v, goodQuery))
			p.close()
		}
		if err != nil {
			g.note(fmt.Errorf("a good client that connects: %w", err))
			return
		}
		g.sample(g.connects, time.Since(began))
	}
}

// quantile returns the q-quantile of a list, which it sorts.
func quantile(list []time.Duration, q float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[min(int(float64(len(list))*q), len(list)-1)]
}
