package abuse

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// abuserEnv is set, to the address of the node, in the process that does the abuse.
const abuserEnv = "HELENUS_ABUSE_ADDR"

// order is what an abuser is told to do; it is done when all of Frames have been sent, and everything that it opened is
// closed then. It is one line of JSON, as is the report.
type order struct {
	// Honest, unless 0, is the whole order: so many good requests in a second for Seconds.
	Honest, Seconds float64

	Seed         uint64
	From, Frames uint64  // numbers of the malformed inputs
	Rate         float64 // of them in a second
	Held         int     // half-sent headers held open, about
	Storms       int     // connections in a second that say nothing
	Unread       int     // connections that send requests and read nothing
}

// report is what an abuser has done.
type report struct {
	Frames      uint64
	Connections uint64         // for the frames
	Kinds       map[string]int // of frames, by name
	Answers     uint64         // to the frames
	Refused     uint64         // connections that the server did not take
	Held        int            // half-sent headers open at once, at most
	Storms      uint64
	Unread      uint64   // requests whose answers nobody reads
	Findings    []string // what the server should not have done
}

// abuser carries out orders from in until it ends.
func abuser(in io.Reader, out io.Writer) error {
	addr := os.Getenv(abuserEnv)
	do := func(o order) (report, error) {
		if o.Honest > 0 {
			return report{}, beHonest(addr, o)
		}
		return carryOut(addr, o), nil
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return err
		}
		r, err := do(o)
		if err == nil {
			err = json.NewEncoder(out).Encode(r)
		}
		if err != nil {
			return err
		}
	}
	return lines.Err()
}

// attack is an order being carried out.
type attack struct {
	order
	addr   string
	next   atomic.Uint64 // frame to be taken
	pace   *pace
	over   chan struct{} // closed when the frames are sent
	report report
	mu     sync.Mutex // guards report
	held   atomic.Int64
}

// beHonest makes good requests: a neighbour for the good client whose cost is all that is wrong with it.
func beHonest(addr string, o order) error {
	g := newGood(addr, int(o.Honest), 2*len(goodForms))
	g.first = 1 << 20
	for i := range g.conns {
		g.wg.Go(func() { g.note(g.work(i, goodForms[i%len(goodForms)])) })
	}
	time.Sleep(time.Duration(o.Seconds * float64(time.Second)))
	return errors.Join(g.end()...)
}

// frameWorkers is how many connections send malformed input at once.
const frameWorkers = 8

func carryOut(addr string, o order) report {
	a := &attack{order: o, addr: addr, pace: &pace{every: time.Duration(float64(time.Second) / o.Rate)}, over: make(chan struct{})}
	a.report.Kinds = map[string]int{}
	var frames, others sync.WaitGroup
	for range frameWorkers {
		frames.Go(a.sendFrames)
	}
	others.Go(a.holdHalves)
	others.Go(a.storm)
	for i := range o.Unread {
		others.Go(func() { a.neverRead(i) })
	}
	frames.Wait()
	close(a.over)
	others.Wait()
	return a.report
}

// pace spreads events evenly over time, however many goroutines wait for it.
type pace struct {
	every time.Duration
	mu    sync.Mutex
	due   time.Time
}

// wait returns when n events may happen.
func (p *pace) wait(n int) {
	p.mu.Lock()
	now := time.Now()
	if p.due.Before(now) {
		p.due = now
	}
	p.due = p.due.Add(time.Duration(n) * p.every)
	d := p.due.Sub(now)
	p.mu.Unlock()
	time.Sleep(d)
}

// source returns one of 32 addresses of this machine, none of them that of the good client.
func source(n int) string { return fmt.Sprintf("127.0.1.%d", 1+n%32) }

// perConnection is how many inputs follow each other on one connection, at most.
const perConnection = 6

// sendFrames sends malformed inputs until there are none left. Each connection is half closed behind its last input, so
// that the server has seen all of it when it closes too.
func (a *attack) sendFrames() {
	var held bad // taken, and for the next connection
	var heldAt uint64
	for {
		var list []bad
		var first uint64
		for len(list) < perConnection {
			b, i := held, heldAt
			if held.bytes == nil {
				n := a.next.Add(1) - 1
				if n >= a.Frames {
					break
				}
				i = a.From + n
				var kind int
				b, kind = makeBad(a.Seed, i)
				if b.bytes == nil {
					b.bytes = []byte{}
				}
				a.count(func(r *report) { r.Frames++; r.Kinds[kinds[kind].name]++ })
			}
			held = bad{}
			if len(list) > 0 && (b.on != list[0].on) {
				held, heldAt = b, i
				break
			}
			if len(list) == 0 {
				first = i
			}
			list = append(list, b)
			if !b.whole {
				break
			}
		}
		if len(list) == 0 {
			return
		}
		a.pace.wait(len(list))
		answers, err := a.exchange(list, int(first))
		a.count(func(r *report) {
			r.Connections++
			r.Answers += uint64(answers)
			if err != nil && len(r.Findings) < 20 {
				r.Findings = append(r.Findings, fmt.Sprintf("seed %d, input %d and %d more on %s: %v", a.Seed, first, len(list)-1,
					list[0].on, err))
			}
		})
	}
}

func (a *attack) count(f func(*report)) {
	a.mu.Lock()
	f(&a.report)
	a.mu.Unlock()
}

// exchange sends inputs on a new connection and reads until the server closes it.
func (a *attack) exchange(list []bad, from int) (answers int, err error) {
	p, err := a.connect(from, list[0].on)
	if p == nil || err != nil {
		return 0, err
	}
	defer p.reset() // nothing is left; a TIME_WAIT less
	var all []byte
	for _, b := range list {
		all = append(all, b.bytes...)
	}
	if p.write(all) != nil {
		return 0, nil // the server had enough
	}
	_ = p.net.CloseWrite()
	return p.drain(60 * time.Second)
}

// connect opens a connection, with a handshake when f is not zero. It returns nil without an error when the server does
// not take it.
func (a *attack) connect(from int, f form) (*peer, error) {
	p, err := dial(a.addr, source(from))
	if err == nil && f.v != 0 {
		err = p.start(f)
		if err != nil {
			p.close()
		}
	}
	if err != nil {
		a.count(func(r *report) { r.Refused++ })
		return nil, nil
	}
	return p, nil
}

// holdHalves opens connections that stop in the middle of a header and holds them, until the server closes them.
func (a *attack) holdHalves() {
	if a.Held == 0 {
		return
	}
	r := rand.New(rand.NewPCG(a.Seed, a.From))
	var wg sync.WaitGroup
	defer wg.Wait()
	for n := 0; ; n++ {
		select {
		case <-a.over:
			return
		case <-time.After(4 * time.Millisecond):
		}
		if int(a.held.Load()) >= a.Held {
			continue
		}
		f := form{}
		if n%4 != 0 {
			f = forms[n/4%len(forms)]
		}
		p, err := a.connect(n, f)
		if p == nil || err != nil {
			continue
		}
		b := (&maker{r}).message(f)
		if f.v == 4 && n%8 == 1 {
			b = append(envelope{first: 4, op: opQuery}.header(16<<20-headerSize), make([]byte, 1000)...)
		} else {
			b = b[:1+r.IntN(5)]
		}
		if p.write(b) != nil {
			p.close()
			continue
		}
		open := int(a.held.Add(1))
		a.count(func(r *report) { r.Held = max(r.Held, open) })
		wg.Go(func() {
			defer a.held.Add(-1)
			defer p.reset()
			a.linger(p)
		})
	}
}

// linger returns when the server has closed p, or the attack is over.
func (a *attack) linger(p *peer) {
	gone := make(chan struct{})
	_ = p.net.SetReadDeadline(time.Time{})
	go func() {
		_, _ = io.Copy(io.Discard, p.net)
		close(gone)
	}()
	select {
	case <-gone:
	case <-a.over:
		_ = p.net.SetReadDeadline(time.Unix(1, 0))
		<-gone
	}
}

// storm connects and closes, in the ways that there are, and connects and says nothing.
func (a *attack) storm() {
	if a.Storms == 0 {
		return
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	pace := pace{every: time.Second / time.Duration(a.Storms)}
	for n := 0; ; n++ {
		select {
		case <-a.over:
			return
		default:
		}
		pace.wait(1)
		p, err := a.connect(n, form{})
		if p == nil || err != nil {
			continue
		}
		a.count(func(r *report) { r.Storms++ })
		switch n % 4 {
		case 0:
			p.close()
		case 1:
			p.reset()
		case 2:
			_ = p.write(frame(4, 0, opStartup, startup("CQL_VERSION", "3.0.0")))
			p.reset()
		case 3:
			wg.Go(func() {
				a.linger(p)
				p.reset()
			})
		}
	}
}

// unreadTexts are asked for by those who do not read. They cost little: what scans cost others is another matter, and what
// unread scans hold is TestNeverReads'.
var unreadTexts = []string{
	goodQuery, "SELECT * FROM camp.good LIMIT 100", "SELECT * FROM nowhere.nothing",
	"SELECT v FROM camp.good WHERE k IN (1, 2, 3, 4, 5)",
}

// neverRead asks again and again, as fast as the server takes it but for a limit, and reads nothing.
func (a *attack) neverRead(i int) {
	f := forms[i%len(forms)]
	pace := pace{every: time.Second / 40}
	var p *peer
	for {
		select {
		case <-a.over:
			if p != nil {
				p.reset()
			}
			return
		default:
		}
		const burst = 4
		pace.wait(burst)
		if p == nil {
			if p, _ = a.connect(i, f); p == nil {
				continue
			}
			_ = p.net.SetReadBuffer(4 << 10)
		}
		b := p.wrap(bytes.Repeat(frame(f.v, int16(i), opQuery, query(f.v, unreadTexts[i%len(unreadTexts)])), burst))
		_ = p.net.SetWriteDeadline(time.Now().Add(time.Second))
		switch n, err := p.net.Write(b); {
		case err == nil:
			a.count(func(r *report) { r.Unread += burst })
		case n == 0 && os.IsTimeout(err): // the server reads no more
		default:
			p.reset() // a part of a segment has gone out, or the server has closed
			p = nil
		}
	}
}
