package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cmd/helenus/config"
)

// inProcess starts a node in this process and returns its address.
func inProcess(tb testing.TB, memory bool) string {
	tb.Helper()
	cfg := config.Default()
	cfg.NativePort = 0
	cfg.DataDir = filepath.Join(tb.TempDir(), "data")
	f := &startFlags{memory: memory, readyFile: filepath.Join(tb.TempDir(), "ready")}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serve(ctx, cfg, f, slog.New(slog.DiscardHandler)) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	})
	for range 5000 {
		if b, err := os.ReadFile(f.readyFile); err == nil {
			return strings.TrimSpace(string(b))
		}
		time.Sleep(time.Millisecond)
	}
	tb.Fatal("not ready")
	return ""
}

// rawClient speaks v4 and allocates nothing once it is set up, so that what is counted is the server's.
type rawClient struct {
	tb  testing.TB
	c   net.Conn
	buf [64 << 10]byte
}

func dialRaw(tb testing.TB, addr string) *rawClient {
	tb.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	r := &rawClient{tb: tb, c: c}
	r.call(1, append([]byte{0, 1, 0, 11}, "CQL_VERSION\x00\x053.0.0"...))
	return r
}

// frame returns a request of stream 0.
func frame(op byte, body []byte) []byte {
	f := append([]byte{4, 0, 0, 0, op}, binary.BigEndian.AppendUint32(nil, uint32(len(body)))...)
	return append(f, body...)
}

// call makes one request and returns the body of its answer, which must not be an error.
func (r *rawClient) call(op byte, body []byte) []byte {
	r.tb.Helper()
	if _, err := r.c.Write(frame(op, body)); err != nil {
		r.tb.Fatal(err)
	}
	if _, err := io.ReadFull(r.c, r.buf[:9]); err != nil {
		r.tb.Fatal(err)
	}
	answer := r.buf[4]
	n := binary.BigEndian.Uint32(r.buf[5:])
	if _, err := io.ReadFull(r.c, r.buf[:n]); err != nil {
		r.tb.Fatal(err)
	}
	if answer == 0 {
		r.tb.Fatalf("error: %q", r.buf[:n])
	}
	return bytes.Clone(r.buf[:n])
}

func long(text string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)
}

func (r *rawClient) query(text string) []byte { return r.call(7, append(long(text), 0, 1, 0)) }

// execute returns an EXECUTE frame of a statement, with the given values, rows without metadata.
func (r *rawClient) execute(text string, values ...[]byte) []byte {
	b := r.call(9, long(text))
	n := binary.BigEndian.Uint16(b[4:])
	body := append([]byte(nil), b[4:6+n]...)
	body = append(body, 0, 1, 0x03)
	body = binary.BigEndian.AppendUint16(body, uint16(len(values)))
	for _, v := range values {
		body = append(binary.BigEndian.AppendUint32(body, uint32(len(v))), v...)
	}
	return frame(10, body)
}

// pipeline sends a block of frames and reads answers until all of its requests are answered.
func (r *rawClient) pipeline(block []byte, answerBytes int) {
	if _, err := r.c.Write(block); err != nil {
		r.tb.Fatal(err)
	}
	for answerBytes > 0 {
		n, err := r.c.Read(r.buf[:min(len(r.buf), answerBytes)])
		if err != nil {
			r.tb.Fatal(err)
		}
		answerBytes -= n
	}
}

const benchTable = "CREATE TABLE b.t (pk bigint, ck bigint, v blob, PRIMARY KEY (pk, ck))"

func benchNode(tb testing.TB, memory bool) *rawClient {
	tb.Helper()
	r := dialRaw(tb, inProcess(tb, memory))
	r.query("CREATE KEYSPACE b WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
	r.query(benchTable)
	return r
}

var (
	key   = []byte{0, 0, 0, 0, 0, 0, 0, 1}
	value = bytes.Repeat([]byte{7}, 100)
)

const (
	insertText = "INSERT INTO b.t (pk, ck, v) VALUES (?, ?, ?)"
	selectText = "SELECT pk, ck, v FROM b.t WHERE pk = ?"
	voidBytes  = 9 + 4
	rowBytes   = 9 + 4 + 4 + 4 + 4 + 3*4 + 8 + 8 + 100
	depth      = 64 // requests in one block
)

// TestExecuteAllocations holds what one EXECUTE costs the server in allocations: none for an insert into table and log but what
// grows, 12 for a read.
func TestExecuteAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("pools drop what they hold under the race detector")
	}
	r := benchNode(t, false)
	for _, v := range []struct {
		name   string
		frame  []byte
		answer int
		limit  float64
	}{
		{"insert", r.execute(insertText, key, key, value), voidBytes, 0.5},
		{"select", r.execute(selectText, key), rowBytes, 12},
	} {
		block := bytes.Repeat(v.frame, depth)
		run := func(n int) {
			for range n {
				r.pipeline(block, depth*v.answer)
			}
		}
		run(50)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		const blocks = 300
		run(blocks)
		runtime.ReadMemStats(&after)
		per := float64(after.Mallocs-before.Mallocs) / (blocks * depth)
		t.Logf("%s: %.2f allocations, %.0f bytes", v.name, per, float64(after.TotalAlloc-before.TotalAlloc)/(blocks*depth))
		if per > v.limit {
			t.Errorf("%s costs %.2f allocations, more than %.1f", v.name, per, v.limit)
		}
	}
}

func benchmarkExecute(b *testing.B, text string, answer int, values ...[]byte) {
	r := benchNode(b, false)
	r.pipeline(r.execute(insertText, key, key, value), voidBytes)
	block := bytes.Repeat(r.execute(text, values...), depth)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += depth {
		r.pipeline(block, depth*answer)
	}
}

// BenchmarkInsert is one EXECUTE of a one-row insert, 64 in flight on one connection, client included.
func BenchmarkInsert(b *testing.B) { benchmarkExecute(b, insertText, voidBytes, key, key, value) }

// BenchmarkSelect is one EXECUTE that reads one row, likewise.
func BenchmarkSelect(b *testing.B) { benchmarkExecute(b, selectText, rowBytes, key) }

// TestLiteralsStayApart holds that the literals of one statement never reach the execution of another, whatever is pooled.
func TestLiteralsStayApart(t *testing.T) {
	r := benchNode(t, true)
	for pk := range 9 {
		r.query("INSERT INTO b.t (pk, ck, v) VALUES (" + string(rune('0'+pk)) + ", 7, 0x0" + string(rune('0'+pk)) + ")")
	}
	prepared := r.execute("SELECT v FROM b.t WHERE pk = 5 AND ck = ?", []byte{0, 0, 0, 0, 0, 0, 0, 7})
	for pk := range 9 {
		for _, v := range []struct {
			frame []byte
			want  byte
		}{
			{frame(7, append(long("SELECT v FROM b.t WHERE pk = "+string(rune('0'+pk))+" AND ck = 7"), 0, 1, 2)), byte(pk)},
			{prepared, 5},
		} {
			if got := r.call(v.frame[4], v.frame[9:]); got[len(got)-1] != v.want {
				t.Fatalf("row %d came where %d was asked for", got[len(got)-1], v.want)
			}
		}
	}
}

// TestPagingSurvivesAlter holds that a column added between two pages does not end the paging (the Node.js driver's suite).
func TestPagingSurvivesAlter(t *testing.T) {
	r := benchNode(t, true)
	r.query("INSERT INTO b.t (pk, ck, v) VALUES (1, 1, 0x01)")
	r.query("INSERT INTO b.t (pk, ck, v) VALUES (1, 2, 0x02)")
	body := long("SELECT * FROM b.t WHERE pk = 1")
	got := r.call(7, append(body, 0, 1, 0x06, 0, 0, 0, 1)) // one row a page, no metadata
	n := binary.BigEndian.Uint32(got[12:])
	state := got[12 : 16+n]
	r.query("ALTER TABLE b.t ADD w int")
	next := append(append(long("SELECT * FROM b.t WHERE pk = 1"), 0, 1, 0x0e, 0, 0, 0, 1), state...)
	if got := r.call(7, next); !bytes.Contains(got, []byte{0, 0, 0, 1, 2}) {
		t.Errorf("the second page is %x", got)
	}
}
