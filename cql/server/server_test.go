package server

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/wire"
)

var versions = []cql.Version{cql.V3, cql.V4, cql.V5}

// modes are all forms that a connection can have.
func modes() (list []struct {
	v    cql.Version
	comp wire.Compression
}) {
	for _, v := range versions {
		for _, comp := range []wire.Compression{wire.NoCompression, wire.LZ4, wire.Snappy} {
			if v == cql.V5 && comp == wire.Snappy {
				continue
			}
			list = append(list, struct {
				v    cql.Version
				comp wire.Compression
			}{v, comp})
		}
	}
	return list
}

func TestEcho(t *testing.T) {
	_, addr := start(t, Options{})
	for _, m := range modes() {
		t.Run(fmt.Sprintf("%s %s", m.v, m.comp), func(t *testing.T) {
			c := connect(t, addr, m.v, m.comp)
			c.wantAlive()
			for _, n := range []int{0, 1, 100, 1000, 40_000, 131_000, 131_071, 131_072, 300_000, 5 << 20} {
				for _, text := range []string{strings.Repeat("x", n), noise(n)} {
					c.query(5, text)
					e := c.read()
					if got := string(e.Body[4:]); got != text {
						t.Fatalf("%d bytes came back as %d", len(text), len(got))
					}
				}
			}
			c.wantAlive()
		})
	}
}

// noise returns n bytes of text that do not compress.
func noise(n int) string {
	b := make([]byte, n)
	x := uint32(2463534242)
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x>>24)&0x3f + 0x30
	}
	return string(b)
}

func TestPipeline(t *testing.T) {
	_, addr := start(t, Options{})
	for _, m := range modes() {
		t.Run(fmt.Sprintf("%s %s", m.v, m.comp), func(t *testing.T) {
			c := connect(t, addr, m.v, m.comp)
			const n = 2000
			texts := []string{"void", "go", "detach", strings.Repeat("y", 300), strings.Repeat("z", 20_000)}
			go func() {
				for i := range n {
					c.add(int16(i), wire.OpQuery, 0, queryBody(m.v, texts[i%len(texts)]))
					if i%17 == 0 || i == n-1 {
						if _, err := c.net.Write(c.out.Bytes()); err != nil {
							return
						}
						c.out.Clear(1 << 20)
					}
				}
			}()
			seen := make(map[int16]bool)
			for range n {
				e := c.read()
				want := texts[int(e.Stream)%len(texts)]
				if seen[e.Stream] {
					t.Fatalf("two answers on stream %d", e.Stream)
				}
				seen[e.Stream] = true
				if got := string(e.Body[4:]); want != "void" && got != want {
					t.Fatalf("stream %d: %.20q, want %.20q", e.Stream, got, want)
				}
			}
		})
	}
}

// BenchmarkLoopback keeps 64 requests in flight on one connection: an EXECUTE that is answered where it was read, and
// a QUERY that is answered from another goroutine.
func BenchmarkLoopback(b *testing.B) {
	_, addr := start(b, Options{})
	for _, m := range modes() {
		x := wire.Execute{ID: make([]byte, 16), ResultMetadataID: make([]byte, 16), QueryParams: wire.QueryParams{
			Consistency: cql.One, Values: []wire.Value{{Bytes: make([]byte, 16)}, {Bytes: make([]byte, 8)}, {Bytes: make([]byte, 40)}},
		}}
		b.Run(fmt.Sprintf("v%d-%s-inline", m.v, m.comp), func(b *testing.B) {
			pipeline(b, connect(b, addr, m.v, m.comp), wire.OpExecute, x.Append(nil, m.v))
		})
		b.Run(fmt.Sprintf("v%d-%s-go", m.v, m.comp), func(b *testing.B) {
			pipeline(b, connect(b, addr, m.v, m.comp), wire.OpQuery, queryBody(m.v, "go"))
		})
	}
}

// pipeline sends messages in rounds of 64 and reads their answers.
func pipeline(b *testing.B, c *client, op wire.Opcode, body []byte) {
	const depth = 64
	for i := range depth {
		c.add(int16(i), op, 0, body)
	}
	frames := bytes.Clone(c.out.Bytes())
	_ = c.net.SetReadDeadline(time.Now().Add(time.Hour))
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += depth {
		if _, err := c.net.Write(frames); err != nil {
			b.Fatal(err)
		}
		for range depth {
			if _, err := c.message(); err != nil {
				b.Fatal(err)
			}
		}
	}
}
