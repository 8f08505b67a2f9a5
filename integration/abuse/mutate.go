package abuse

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
)

// bad is one malformed input.
type bad struct {
	on    form   // of the connection; zero is one before STARTUP
	bytes []byte // what is written behind the handshake
	// whole says that its length is not a lie: the server can step over it, so that more can follow.
	whole bool
}

// kinds names the ways in which makeBad spoils input, with their shares.
var kinds = []struct {
	name  string
	share int
	make  func(*maker) bad
}{
	{"random bytes", 10, (*maker).noise},
	{"flipped bits", 25, (*maker).flipped},
	{"flipped bits in the body", 20, (*maker).flippedBody},
	{"random body", 10, (*maker).randomBody},
	{"segment with a wrong checksum", 10, (*maker).badSegment},
	{"lying length", 10, (*maker).lyingLength},
	{"cut off", 8, (*maker).cut},
	{"spliced", 5, (*maker).spliced},
	{"bomb", 2, (*maker).bomb},
}

// maker makes malformed input out of good messages.
type maker struct{ r *rand.Rand }

// makeBad returns the i-th input of a seed, always the same, and the number of its kind.
func makeBad(seed, i uint64) (b bad, kind int) {
	m := maker{rand.New(rand.NewPCG(seed, i))}
	n := m.r.IntN(100)
	for kind = range kinds {
		if n -= kinds[kind].share; n < 0 {
			break
		}
	}
	return kinds[kind].make(&m), kind
}

// form draws a connection; one of ten is before STARTUP.
func (m *maker) form() form {
	if m.r.IntN(10) == 0 {
		return form{}
	}
	return forms[m.r.IntN(len(forms))]
}

func (m *maker) rand(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(m.r.Uint32())
	}
	return b
}

// flip flips up to 8 bits of b.
func (m *maker) flip(b []byte) {
	for range 1 + m.r.IntN(8) {
		b[m.r.IntN(len(b))] ^= 1 << m.r.IntN(8)
	}
}

// texts are statements that work on the campaign's keyspace and change no schema.
var texts = []string{
	goodQuery,
	"SELECT * FROM system.local",
	"SELECT k, c, v FROM camp.bad WHERE k = 5 AND c > 3 ORDER BY c DESC LIMIT 10",
	"SELECT count(*) FROM camp.bad WHERE k IN (1, 2, 3)",
	"SELECT JSON * FROM camp.bad WHERE token(k) > 0 LIMIT 3",
	"INSERT INTO camp.bad (k, c, v, s, l) VALUES (7, 1, 0xcafe, 'text', [1, 2, 3]) USING TTL 100 AND TIMESTAMP 1234567",
	"UPDATE camp.bad SET l = [4, 5], m['a'] = 1 WHERE k = 7 AND c = 1",
	"DELETE l[0] FROM camp.bad WHERE k = 7 AND c = 1",
	"BEGIN UNLOGGED BATCH INSERT INTO camp.bad (k, c) VALUES (1, 2); DELETE FROM camp.bad WHERE k = 1 AND c = 3 APPLY BATCH",
	"INSERT INTO camp.bad (k, c) VALUES (8, 1) IF NOT EXISTS",
	"USE camp",
	"DESCRIBE TABLE camp.bad",
}

// good returns a message that a server of version v understands, of any opcode that clients send.
func (m *maker) good(v byte, started bool) envelope {
	e := envelope{first: v, stream: int16(m.r.IntN(1 << 15))}
	text := texts[m.r.IntN(len(texts))]
	ops := []byte{opQuery, opQuery, opQuery, opPrepare, opExecute, opBatch, opBatch, opRegister, opOptions, opAuthResponse,
		opStartup}
	if !started {
		ops = []byte{opStartup, opStartup, opOptions, opQuery, opAuthResponse}
	}
	switch e.op = ops[m.r.IntN(len(ops))]; e.op {
	case opQuery:
		e.body = append(longText(nil, text), m.params(v)...)
		if m.r.IntN(10) == 0 {
			e.flags |= flagTracing
		}
	case opPrepare:
		e.body = prepare(v, text)
	case opExecute:
		e.body = append(executeID(v, m.rand(16), m.rand(16)), m.params(v)...)
	case opBatch:
		e.body = batch(v, byte(m.r.IntN(3)), texts[5], texts[6], texts[7])
	case opRegister:
		e.body = text2(short(nil, 2), "SCHEMA_CHANGE", "STATUS_CHANGE")
	case opAuthResponse:
		e.body = value(nil, []byte("\x00user\x00password"))
	case opStartup:
		e.body = startup("CQL_VERSION", "3.4.5", "COMPRESSION", []string{"lz4", "snappy", ""}[m.r.IntN(3)], "DRIVER_NAME", "abuse")
	}
	if v >= 4 && e.op == opQuery && m.r.IntN(10) == 0 {
		e.flags |= flagPayload
		e.body = append(value(text2(short(nil, 1), "key"), []byte("payload")), e.body...)
	}
	return e
}

func text2(dst []byte, list ...string) []byte {
	for _, s := range list {
		dst = text(dst, s)
	}
	return dst
}

// params returns query parameters with all that a version knows.
func (m *maker) params(v byte) []byte {
	flags := withPageSize | withSerial | withTimestamp
	rest := slices.Concat(long(nil, 1+m.r.IntN(100)), short(nil, serial), m.rand(7))
	rest = slices.Insert(rest, 6, byte(0)) // a timestamp that is not negative
	if m.r.IntN(2) == 0 {
		flags |= withValues
		rest = append(valueList([][]byte{m.rand(4), nil, m.rand(m.r.IntN(30))}), rest...)
	}
	if v >= 5 {
		flags |= withNow
		rest = long(rest, m.r.IntN(1<<31-1))
	}
	return params(v, one+m.r.IntN(3), flags, rest)
}

// pack returns an envelope in the form of a connection, compressed where that is agreed.
func (m *maker) pack(f form, e envelope) []byte {
	switch {
	case f.v >= 5 && f.comp == "lz4":
		b := e.bytes()
		if len(b) <= maxPayload && m.r.IntN(2) == 0 {
			return segment{payload: lz4Literal(b), self: true, lz4: true, raw: len(b)}.bytes()
		}
		return segments(b, true)
	case f.v >= 5:
		return segments(e.bytes(), false)
	case f.comp == "lz4" && m.r.IntN(2) == 0:
		e.flags |= flagCompressed
		e.body = append(long(nil, len(e.body)), lz4Literal(e.body)...)
	case f.comp == "snappy" && m.r.IntN(2) == 0 && len(e.body) > 0:
		e.flags |= flagCompressed
		e.body = snappyLiteral(e.body)
	}
	return e.bytes()
}

// message returns a good message in the form of f.
func (m *maker) message(f form) []byte {
	v := f.v
	if v == 0 {
		v = 3 + byte(m.r.IntN(3))
	}
	return m.pack(f, m.good(v, f.v != 0))
}

func (m *maker) noise() bad { return bad{on: m.form(), bytes: m.rand(1 + m.r.IntN(2000))} }

func (m *maker) flipped() bad {
	f := m.form()
	b := m.message(f)
	m.flip(b)
	return bad{on: f, bytes: b}
}

func (m *maker) flippedBody() bad {
	f := m.form()
	e := m.good(max(f.v, 3), f.v != 0)
	if len(e.body) > 0 {
		m.flip(e.body)
	}
	return bad{on: f, bytes: m.pack(f, e), whole: true}
}

func (m *maker) randomBody() bad {
	f := m.form()
	e := m.good(max(f.v, 3), f.v != 0)
	e.body = m.rand(m.r.IntN(300))
	return bad{on: f, bytes: m.pack(f, e), whole: true}
}

func (m *maker) badSegment() bad {
	f := form{v: 5}
	if m.r.IntN(2) == 0 {
		f.comp = "lz4"
	}
	b := m.message(f)
	switch m.r.IntN(3) {
	case 0:
		m.flip(b[:6])
	case 1:
		m.flip(b[6:])
	default:
		m.flip(b[len(b)-4:])
	}
	return bad{on: f, bytes: b}
}

// lyingLength puts another number in the place of a length: the envelope's, or anything in the body.
func (m *maker) lyingLength() bad {
	f := m.form()
	e := m.good(max(f.v, 3), f.v != 0)
	lie := []uint32{0, 1, 0x7fffffff, 0xffffffff, 0x80000000, 16 << 20, 16<<20 + 1, 64 << 20, 256 << 20, uint32(len(e.body) + 1),
		uint32(len(e.body) - 1), m.r.Uint32()}[m.r.IntN(12)]
	if m.r.IntN(2) == 0 && len(e.body) >= 4 {
		binary.BigEndian.PutUint32(e.body[m.r.IntN(len(e.body)-3):], lie)
		return bad{on: f, bytes: m.pack(f, e), whole: true}
	}
	b := e.bytes()
	binary.BigEndian.PutUint32(b[5:], lie)
	if f.v >= 5 {
		b = segments(b, f.comp == "lz4")
	}
	return bad{on: f, bytes: b}
}

func (m *maker) cut() bad {
	f := m.form()
	b := m.message(f)
	return bad{on: f, bytes: b[:m.r.IntN(len(b))]}
}

// spliced puts a piece of a message into another.
func (m *maker) spliced() bad {
	f := m.form()
	a, b := m.message(f), m.message(m.form())
	return bad{on: f, bytes: slices.Concat(a[:m.r.IntN(len(a)+1)], b[m.r.IntN(len(b)):], a)}
}

// bomb is a little that claims to become much, or does.
func (m *maker) bomb() bad {
	size := []int{1 << 20, 16<<20 - 1, 16 << 20, 16<<20 + 1, 1 << 30, 1<<31 - 1, -1}[m.r.IntN(7)]
	e := envelope{first: 3 + byte(m.r.IntN(2)), flags: flagCompressed, stream: 1, op: opQuery}
	if m.r.IntN(20) == 0 { // what it says is true
		real := 1<<20 + 64*m.r.IntN(200_000)
		if m.r.IntN(2) == 0 {
			e.body = append(long(nil, real), lz4Run(' ', real)...)
			return bad{on: form{e.first, "lz4"}, bytes: e.bytes(), whole: true}
		}
		e.body = snappyRun(' ', real)
		return bad{on: form{e.first, "snappy"}, bytes: e.bytes(), whole: true}
	}
	switch m.r.IntN(3) {
	case 0:
		e.body = append(long(nil, size), lz4Run(0, 32+m.r.IntN(1<<18))...)
		return bad{on: form{e.first, "lz4"}, bytes: e.bytes()}
	case 1:
		e.body = append(binary.AppendUvarint(nil, uint64(uint32(size))), snappyRun(0, 64*m.r.IntN(100))...)
		return bad{on: form{e.first, "snappy"}, bytes: e.bytes()}
	}
	s := segment{payload: lz4Run(0, 32+m.r.IntN(maxPayload)), self: m.r.IntN(2) == 0, lz4: true, raw: m.r.IntN(maxPayload + 1)}
	return bad{on: form{5, "lz4"}, bytes: s.bytes()}
}
