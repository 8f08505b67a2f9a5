package bench

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// TestLoadAgainstFloor runs each workload, closed and open, for a moment and holds that the figures fit together.
func TestLoadAgainstFloor(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go ServeFloor(l, 100)
	for _, o := range []Options{
		{Workload: "write"},
		{Workload: "read"},
		{Workload: "mixed", Fill: true, Rows: 500, Warmup: 50 * time.Millisecond},
		{Workload: "write", Rate: 2000},
	} {
		o.Addr, o.Duration, o.Workers = l.Addr().String(), 200*time.Millisecond, 10
		r, err := Run(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		if r.Operations == 0 || r.Errors != 0 || r.P50Us > r.P99Us || r.P99Us > r.MaxUs {
			t.Errorf("%+v", r)
		}
		if o.Rate > 0 && r.PerSecond > o.Rate*1.1 {
			t.Errorf("%.0f op/s where %.0f were asked", r.PerSecond, o.Rate)
		}
		if err := r.WriteJSON(filepath.Join(t.TempDir(), "r.json")); err != nil {
			t.Fatal(err)
		}
	}
}

// TestServerGone holds that a run against a server that goes away ends with an error and does not hang.
func TestServerGone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		c, err := l.Accept()
		if err == nil {
			time.Sleep(20 * time.Millisecond)
			c.Close()
		}
		l.Close()
	}()
	if _, err := Run(context.Background(), Options{Addr: l.Addr().String(), Workload: "write", Duration: time.Second}); err == nil {
		t.Error("no error")
	}
}
