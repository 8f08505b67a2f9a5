package coordinator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/helenusdb/helenus/cluster/ring"
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// fate is what a fake replica does with a write.
type fate uint8

const (
	answers fate = iota
	fails
	silent
	late // answers after the timeout
)

// fake is a replica on a simulated network: what it answers arrives as events of the fake clock.
type fake struct {
	fate  fate
	delay time.Duration
	clock Clock
	got   int
}

func (f *fake) Write(_ []request.Mutation, _ time.Time, done func(error)) {
	f.got++
	switch f.fate {
	case answers, late:
		f.clock.AfterFunc(f.delay, func() { done(nil) })
	case fails:
		f.clock.AfterFunc(f.delay, func() { done(&FailureError{cql.ReasonUnknown, errors.New("disk on fire")}) })
	}
}

func (f *fake) Read(context.Context, *request.Read) (row.Iterator, error) { return nil, nil }
func (f *fake) Apply([]request.Mutation) error                            { f.got++; return nil }
func (f *fake) ApplyCounter([]request.Mutation) error                     { f.got++; return nil }
func (f *fake) Lock(*schema.Table, []byte) func()                         { return func() {} }

// bubbleClock is the virtual time of a synctest bubble.
type bubbleClock struct{}

func (bubbleClock) Now() time.Time { return time.Now() }

func (bubbleClock) AfterFunc(d time.Duration, f func()) func() {
	t := time.AfterFunc(d, f)
	return func() { t.Stop() }
}

type fakeNet struct {
	replicas map[*ring.Node]*fake
	down     map[*ring.Node]bool
}

func (n *fakeNet) Replica(x *ring.Node) Replica { return n.replicas[x] }
func (n *fakeNet) Alive(x *ring.Node) bool      { return !n.down[x] }

// TestWriteOutcomes draws clusters of one to five nodes whose replicas answer, fail, stay silent or are down, and holds what the
// client is told against counting by hand: success exactly when enough answered in time.
func TestWriteOutcomes(t *testing.T) {
	for seed := range uint64(3000) {
		synctest.Test(t, func(t *testing.T) { writeOutcome(t, seed) })
	}
}

func writeOutcome(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	n := 1 + r.IntN(5)
	clock := bubbleClock{}
	net := &fakeNet{map[*ring.Node]*fake{}, map[*ring.Node]bool{}}
	var nodes []*ring.Node
	for i := range n {
		x := &ring.Node{DC: "dc1", Rack: "r", Tokens: []token.Token{token.FromInt64(int64(i))}}
		x.ID[0] = byte(i)
		x.Internode = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(i + 1)}), 7000)
		nodes = append(nodes, x)
		f := &fake{clock: clock, fate: fate(r.IntN(4)), delay: time.Duration(r.IntN(1900)) * time.Millisecond}
		if f.fate == late {
			f.delay += 2100 * time.Millisecond
		}
		net.replicas[x] = f
		net.down[x] = i > 0 && r.IntN(5) == 0
	}
	rf := 1 + r.IntN(5)
	s, err := ring.ParseStrategy(map[string]string{"class": "SimpleStrategy", "replication_factor": fmt.Sprint(rf)})
	if err != nil {
		t.Fatal(err)
	}
	p := ring.NewPlacement(ring.New(nodes), s, nodes[0])
	cl := []cql.Consistency{cql.One, cql.Two, cql.Quorum, cql.All, cql.LocalQuorum}[r.IntN(5)]
	m := request.Mutation{Key: []byte("k"), Token: token.FromInt64(int64(r.IntN(n)))}

	need, live, good, bad := p.BlockFor(cl, "dc1"), 0, 0, 0
	for _, x := range p.Replicas(m.Token) {
		if f := net.replicas[x]; !net.down[x] {
			live++
			if f.fate == answers {
				good++
			} else if f.fate == fails {
				bad++
			}
		}
	}
	want := "timeout"
	switch {
	case live < need:
		want = "unavailable"
	case good >= need:
		want = "ok"
	case live-bad < need:
		want = "failure"
	}
	if live == 1 && len(p.Replicas(m.Token)) == 1 && p.Replicas(m.Token)[0] == nodes[0] && live >= need {
		want = "ok" // the local way has no network to lose an answer
	}

	c := New(nodes[0], net.replicas[nodes[0]], net, clock, Timeouts{})
	got := outcome(t, c.Write(p, []request.Mutation{m}, cl, cql.WriteSimple))
	if got != want {
		t.Fatalf("seed %d: %v of %d live, %d good, %d bad, need %d: %s, want %s", seed, cl, live, good, bad, need, got, want)
	}
}

// keeper is a replica that is still at work when the request has its answer.
type keeper struct {
	fake
	ms []request.Mutation
}

func (k *keeper) Write(ms []request.Mutation, _ time.Time, done func(error)) {
	k.ms = ms
	done(nil)
}

// TestReplicasKeepTheirOwn holds that mutations sent to several replicas are not the caller's memory.
func TestReplicasKeepTheirOwn(t *testing.T) {
	nodes := []*ring.Node{{DC: "dc1", Tokens: []token.Token{{}}}, {DC: "dc1", Tokens: []token.Token{{Prefix: 1}}}}
	s, err := ring.ParseStrategy(map[string]string{"class": "SimpleStrategy", "replication_factor": "2"})
	if err != nil {
		t.Fatal(err)
	}
	k := &keeper{}
	net := &fakeNet{down: map[*ring.Node]bool{nodes[1]: true}}
	c := New(nodes[0], k, net, bubbleClock{}, Timeouts{})
	ms := []request.Mutation{{Key: []byte("key"), Data: []byte("data")}}
	if err := c.Write(ring.NewPlacement(ring.New(nodes), s, nodes[0]), ms, cql.One, cql.WriteSimple); err != nil {
		t.Fatal(err)
	}
	copy(ms[0].Key, "###")
	copy(ms[0].Data, "####")
	if len(k.ms) != 1 || string(k.ms[0].Key) != "key" || string(k.ms[0].Data) != "data" {
		t.Errorf("the replica has %+v", k.ms)
	}
}

func outcome(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return "ok"
	}
	e, ok := errors.AsType[*cql.Error](err)
	if !ok {
		t.Fatalf("not an answer for a client: %v", err)
	}
	switch d := e.Detail.(type) {
	case *cql.Unavailable:
		return "unavailable"
	case *cql.WriteTimeout:
		if d.Received >= d.BlockFor {
			t.Fatalf("timeout with %d of %d", d.Received, d.BlockFor)
		}
		return "timeout"
	case *cql.WriteFailure:
		if len(d.Failures) == 0 {
			t.Fatal("failure without one")
		}
		return "failure"
	}
	return e.Message
}

// TestFailureText holds the text that a live server gave for a failed replica.
func TestFailureText(t *testing.T) {
	a := Acks{Consistency: cql.One, Need: 1, Asked: 1}
	a.Fail(cql.Failure{Endpoint: netip.MustParseAddrPort("127.0.0.1:7000"), Reason: cql.ReasonIndexNotAvailable})
	if got, want := a.ReadFailure(false).Message, "Operation failed - received 0 responses and 1 failures: INDEX_NOT_AVAILABLE from /127.0.0.1:7000"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func BenchmarkWriteLocal(b *testing.B) {
	n := &ring.Node{DC: "dc1", Tokens: []token.Token{{}}}
	s, _ := ring.ParseStrategy(map[string]string{"class": "SimpleStrategy", "replication_factor": "1"})
	p := ring.NewPlacement(ring.New([]*ring.Node{n}), s, n)
	c := New(n, &fake{}, &fakeNet{}, bubbleClock{}, Timeouts{})
	ms := []request.Mutation{{Key: []byte("k")}}
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Write(p, ms, cql.One, cql.WriteSimple); err != nil {
			b.Fatal(err)
		}
	}
}
