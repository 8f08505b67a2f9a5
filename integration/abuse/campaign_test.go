package abuse

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/helenusdb/helenus/integration/start"
)

// The campaign's bounds.
const (
	maxRSS      = 512 // MiB, at any time
	maxP99Ratio = 2.0 // of the good client, with abuse to without
	minIdle     = 0.3 // share of the processors, beside abuse, for this to mean anything
	goodRate    = 800 // requests a second
	abuseRate   = 1200
)

// The phases of the campaign.
const (
	quiet = iota
	honest
	abused
)

var phases = []string{"alone", "beside honest clients", "beside abuse"}

// TestCampaign sends ABUSE_FRAMES malformed inputs (20,000) made from ABUSE_SEED, ABUSE_RATE a second, with half-sent
// headers, connection storms and clients that never read, while a good client works.
//
// What is compared is the good client's p99 with abuse and without, in turns of some seconds in one run, so that other
// load on the machine falls on both. So that it is the server's answer to abuse that is measured and not the want of
// processors, the abusers are a process of their own that runs only when nobody else wants to, and keep to a rate that
// leaves the machine idle time; and in a third turn they make honest requests that cost the node as much processor time
// as the abuse did. The ratio fails the test only when ABUSE_STRICT is set, and not when the machine was busy with other
// things. The processor time of all is printed.
func TestCampaign(t *testing.T) {
	frames := setting(t, "ABUSE_FRAMES", 20_000)
	seed := setting(t, "ABUSE_SEED", uint64(time.Now().UnixNano())%1_000_000)
	rate := setting(t, "ABUSE_RATE", abuseRate)
	t.Logf("seed %d, %d frames, %d a second", seed, frames, rate)
	c := newCampaign(t)
	rounds := min(max(frames/25_000, 4), 40)
	window := time.Duration(float64(frames) / float64(rounds) / float64(rate) * float64(time.Second))
	other := min(max(window/3, 2*time.Second), 8*time.Second)
	total := report{Kinds: map[string]int{}}
	neighbours := order{Honest: 4000, Seconds: 2}
	perRequest := c.cost(func() { c.abuser.do(t, neighbours) }) / (neighbours.Honest * neighbours.Seconds)
	neighbours.Seconds = other.Seconds()
	for round := range rounds {
		c.measure(quiet, func() { time.Sleep(other) })
		o := order{Seed: seed, From: frames * round / rounds, Rate: float64(rate), Storms: 100, Unread: 8, Held: 500}
		if o.Frames = frames*(round+1)/rounds - o.From; window > 10*time.Second {
			o.Held = 3000
		}
		var r report
		c.measure(abused, func() { r = c.abuser.do(t, o) })
		total.add(r)
		settled(t, c.node, c.fds)
		at, base := c.times[abused], c.times[quiet]
		neighbours.Honest = (at.node.Seconds()/at.wall.Seconds() - base.node.Seconds()/base.wall.Seconds()) / perRequest
		c.measure(honest, func() { c.abuser.do(t, neighbours) })
		settled(t, c.node, c.fds)
	}
	t.Logf("honest clients beside it: %.0f requests a second", neighbours.Honest)
	c.judge(t, total)
}

// cost returns the processor time in seconds that f costs the node, beside the good client.
func (c *campaign) cost(f func()) float64 {
	before := c.node.cpu()
	time.Sleep(2 * time.Second)
	base := c.node.cpu()
	began := time.Now()
	f()
	return (c.node.cpu() - base).Seconds() - (base-before).Seconds()/2*time.Since(began).Seconds()
}

// setting reads a number from the environment.
func setting(t *testing.T, name string, standard uint64) uint64 {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return standard
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// add adds what another order brought.
func (r *report) add(o report) {
	r.Frames += o.Frames
	r.Connections += o.Connections
	r.Answers += o.Answers
	r.Refused += o.Refused
	r.Storms += o.Storms
	r.Unread += o.Unread
	r.Held = max(r.Held, o.Held)
	r.Findings = append(r.Findings, o.Findings...)
	for k, n := range o.Kinds {
		r.Kinds[k] += n
	}
}

// phaseTimes is processor time in one phase; idle is that of the machine.
type phaseTimes struct{ wall, node, self, abusers, idle time.Duration }

// campaign is a node with all that goes for it.
type campaign struct {
	started *start.Node
	node    process
	good    *goodClient
	abuser  *abusers
	fds     int // with the good client connected
	base    int // MiB
	peak    atomic.Int64
	times   [3]phaseTimes
}

func newCampaign(t *testing.T) *campaign {
	t.Setenv("GOTRACEBACK", "all")
	n, err := start.Helenus()
	if err != nil {
		t.Fatal(err)
	}
	c := &campaign{started: n, node: process(n.PID())}
	p := open(t, n.Address, form{v: 4})
	for _, text := range []string{
		"CREATE KEYSPACE camp WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
		"CREATE TABLE camp.good (k int PRIMARY KEY, v blob)",
		"CREATE TABLE camp.bad (k int, c int, v blob, s text, l list<int>, m map<text, int>, PRIMARY KEY (k, c))",
	} {
		if e := call(t, p, 1, opQuery, query(4, text)); e.op != opResult {
			t.Fatal(e)
		}
	}
	p.close()
	c.good = startGood(n.Address, goodRate, len(phases))
	c.abuser = startAbusers(t, n.Address)
	time.Sleep(time.Second)
	c.fds, c.base = c.node.fds(), c.node.rss()
	go func() {
		for c.node.fds() > 0 {
			c.peak.Store(max(c.peak.Load(), int64(c.node.rss())))
			time.Sleep(100 * time.Millisecond)
		}
	}()
	return c
}

// measure has the good client's samples and all processor time of f counted to a phase.
func (c *campaign) measure(phase int, f func()) {
	time.Sleep(200 * time.Millisecond)
	self := process(os.Getpid())
	before := phaseTimes{node: c.node.cpu(), self: self.cpu(), abusers: c.abuser.cpu(), idle: idle()}
	began := time.Now()
	c.good.phase.Store(int32(phase))
	f()
	c.good.phase.Store(-1)
	at := &c.times[phase]
	at.wall += time.Since(began)
	at.node += c.node.cpu() - before.node
	at.self += self.cpu() - before.self
	at.abusers += c.abuser.cpu() - before.abusers
	at.idle += idle() - before.idle
}

// judge prints the figures and holds them to the bounds.
func (c *campaign) judge(t *testing.T, total report) {
	c.abuser.end(t)
	for _, err := range c.good.end() {
		t.Error(err)
	}
	for _, s := range total.Findings {
		t.Error(s)
	}
	settled(t, c.node, c.fds-len(goodForms))
	t.Logf("%d malformed inputs on %d connections, %d answers; %d connections refused", total.Frames, total.Connections,
		total.Answers, total.Refused)
	for _, k := range kinds {
		t.Logf("  %7d %s", total.Kinds[k.name], k.name)
	}
	t.Logf("%d half-sent headers held at once, %d connections that said nothing or little, %d requests whose answers nobody read",
		total.Held, total.Storms, total.Unread)
	for i, name := range phases {
		at, list, connects := c.times[i], c.good.samples[i], c.good.connects[i]
		t.Logf("%-21s %6.1f s: good requests %d, p50 %s, p99 %s, p99.9 %s, max %s; %d connects, p50 %s, max %s", name,
			at.wall.Seconds(), len(list),
			us(quantile(list, .5)), us(quantile(list, .99)), us(quantile(list, .999)), us(quantile(list, 1)), len(connects),
			us(quantile(connects, .5)), us(quantile(connects, 1)))
		share := func(d time.Duration) float64 { return 100 * d.Seconds() / at.wall.Seconds() }
		t.Logf("%-21s of %d processors: node %.0f%%, good client %.0f%%, abusers %.0f%%, idle %.0f%%", name, runtime.NumCPU(),
			share(at.node),
			share(at.self), share(at.abusers), share(at.idle))
	}
	p99 := func(phase int) float64 { return float64(max(quantile(c.good.samples[phase], .99), 1)) }
	ratio := p99(abused) / p99(quiet)
	t.Logf("p99 beside abuse is %.2f times that alone (at most %.1f) and %.2f times that beside honest clients", ratio, maxP99Ratio,
		p99(abused)/p99(honest))
	t.Logf("%d statements prepared again", c.good.unprepared)
	idle := c.times[abused].idle.Seconds() / c.times[abused].wall.Seconds() / float64(runtime.NumCPU())
	switch {
	case idle < minIdle:
		t.Logf("the machine was idle for %.0f%% alone: other work on it shows in these times, and nothing follows from them", 100*idle)
	case ratio > maxP99Ratio && os.Getenv("ABUSE_STRICT") != "":
		t.Errorf("the good client's p99 is %.2f times as long beside abuse", ratio)
	}
	peak := int(c.peak.Load())
	t.Logf("resident memory: %d MiB before, %d at most, %d after; the limit is %d", c.base, peak, c.node.rss(), maxRSS)
	if peak > maxRSS {
		t.Errorf("resident memory of %d MiB, the limit is %d", peak, maxRSS)
	}
	c.leftovers(t)
}

func us(d time.Duration) string { return d.Round(time.Microsecond).String() }

// leftovers ends the node and compares its goroutines and open files with those of a node that has seen nothing.
func (c *campaign) leftovers(t *testing.T) {
	fds := c.node.fds()
	log, err := c.started.Dump()
	if err != nil {
		t.Error(err)
	}
	log, stacks, _ := strings.Cut(log, "SIGQUIT: quit")
	if err := panics(log); err != nil {
		t.Error(err)
	}
	t.Logf("the node has logged %d lines", strings.Count(log, "\n"))
	fresh, err := start.Helenus()
	if err != nil {
		t.Fatal(err)
	}
	well(t, fresh.Address)
	time.Sleep(time.Second)
	freshFDs := process(fresh.PID()).fds()
	freshLog, err := fresh.Dump()
	if err != nil {
		t.Error(err)
	}
	n, m := goroutines(stacks), goroutines(freshLog)
	t.Logf("%d goroutines and %d open files at the end, %d and %d of a fresh node", n, fds, m, freshFDs)
	if n > m+3 || fds > freshFDs+3 {
		t.Errorf("goroutines or open files are left behind:\n%.20000s", stacks)
	}
}

// goroutines counts those of a dump.
func goroutines(dump string) int { return strings.Count(dump, "\ngoroutine ") }

// abusers is the process that does the abuse.
type abusers struct {
	cmd *exec.Cmd
	in  *json.Encoder
	out *bufio.Scanner
	end func(*testing.T)
}

// startAbusers starts this test program again, to run when nobody else wants the processors.
func startAbusers(t *testing.T, addr string) *abusers {
	t.Helper()
	cmd := exec.Command("chrt", "--idle", "0", os.Args[0])
	cmd.Env = append(os.Environ(), abuserEnv+"="+addr)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	a := &abusers{cmd: cmd, in: json.NewEncoder(in), out: bufio.NewScanner(out)}
	a.out.Buffer(nil, 1<<20)
	a.end = func(t *testing.T) {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	return a
}

func (a *abusers) cpu() time.Duration { return process(a.cmd.Process.Pid).cpu() }

// do has an order carried out.
func (a *abusers) do(t *testing.T, o order) (r report) {
	if err := a.in.Encode(o); err != nil {
		t.Fatal(err)
	}
	if !a.out.Scan() {
		t.Fatalf("the abusers have ended: %v", a.out.Err())
	}
	if err := json.Unmarshal(a.out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestMakeBad holds that input follows from its seed and number alone.
func TestMakeBad(t *testing.T) {
	for i := range uint64(20_000) {
		a, kind := makeBad(7, i)
		b, _ := makeBad(7, i)
		if fmt.Sprint(a) != fmt.Sprint(b) {
			t.Fatalf("input %d (%s) is not always the same", i, kinds[kind].name)
		}
	}
}
