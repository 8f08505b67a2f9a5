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
	goodRate    = 800 // requests a second
	abuseRate   = 1200
)

// TestCampaign sends ABUSE_FRAMES malformed inputs (20,000) made from ABUSE_SEED, ABUSE_RATE a second, with half-sent
// headers, connection storms and clients that never read, while a good client works.
//
// What is compared is the good client's p99 with abuse and without, in turns of some seconds in one run, so that other
// load on the machine falls on both. So that it is the server's answer to abuse that is measured and not the want of
// processors, the abusers are a process of their own with the lowest priority, and keep to a rate that leaves the machine
// idle time; the processor time of all is printed. The ratio fails the test only when ABUSE_STRICT is set: it says
// nothing where the machine is busy with other things.
func TestCampaign(t *testing.T) {
	frames := setting(t, "ABUSE_FRAMES", 20_000)
	seed := setting(t, "ABUSE_SEED", uint64(time.Now().UnixNano())%1_000_000)
	rate := setting(t, "ABUSE_RATE", abuseRate)
	t.Logf("seed %d, %d frames, %d a second", seed, frames, rate)
	c := newCampaign(t)
	rounds := min(max(frames/5000, 4), 25)
	window := time.Duration(float64(frames) / float64(rounds) / float64(rate) * float64(time.Second))
	quiet := min(max(window/2, 2*time.Second), 10*time.Second)
	total := report{Kinds: map[string]int{}}
	for round := range rounds {
		c.measure(0, func() { time.Sleep(quiet) })
		o := order{Seed: seed, From: frames * round / rounds, Rate: float64(rate), Storms: 100, Unread: 8, Held: 500}
		if o.Frames = frames*(round+1)/rounds - o.From; window > 10*time.Second {
			o.Held = 3000
		}
		var r report
		c.measure(1, func() { r = c.abuser.do(t, o) })
		total.add(r)
		settled(t, c.node, c.fds)
	}
	c.judge(t, total)
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
	times   [2]phaseTimes
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
	c.good = startGood(n.Address, goodRate, 2)
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
	for i, name := range []string{"without abuse", "with abuse"} {
		at, list, connects := c.times[i], c.good.samples[i], c.good.connects[i]
		t.Logf("%-13s %6.1f s: good requests %d, p50 %s, p99 %s, p99.9 %s, max %s; %d connects, p50 %s, max %s", name,
			at.wall.Seconds(), len(list),
			us(quantile(list, .5)), us(quantile(list, .99)), us(quantile(list, .999)), us(quantile(list, 1)), len(connects),
			us(quantile(connects, .5)), us(quantile(connects, 1)))
		share := func(d time.Duration) float64 { return 100 * d.Seconds() / at.wall.Seconds() }
		t.Logf("%-13s of %d processors: node %.0f%%, good client %.0f%%, abusers %.0f%%, idle %.0f%%", name, runtime.NumCPU(),
			share(at.node),
			share(at.self), share(at.abusers), share(at.idle))
	}
	ratio := float64(quantile(c.good.samples[1], .99)) / float64(max(quantile(c.good.samples[0], .99), 1))
	t.Logf("p99 with abuse is %.2f times that without (at most %.1f); %d statements prepared again", ratio, maxP99Ratio,
		c.good.unprepared)
	if ratio > maxP99Ratio && os.Getenv("ABUSE_STRICT") != "" {
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

// startAbusers starts this test program again, with the lowest priority.
func startAbusers(t *testing.T, addr string) *abusers {
	t.Helper()
	cmd := exec.Command("nice", "-n", "19", os.Args[0])
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
