package oracle

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// boundValue is one entry of a `-- values` line: `[name=][type:]literal`, where the literal may be null, unset or 0x..
type boundValue struct {
	name string
	typ  *colType // nil: the type of the prepared marker
	text string
}

// parseBoundValues reads a `-- values` line.
func parseBoundValues(s string) ([]boundValue, error) {
	var out []boundValue
	for _, part := range splitTop(s, ',') {
		part = strings.TrimSpace(part)
		var v boundValue
		if name, rest, ok := strings.Cut(part, "="); ok && isWord(name) {
			v.name, part = name, rest
		}
		if typ, rest, ok := strings.Cut(part, ":"); ok && !strings.ContainsAny(typ, "'[{(") {
			t, err := parseCQLType(typ)
			if err != nil {
				return nil, err
			}
			v.typ, part = t, rest
		}
		v.text = strings.TrimSpace(part)
		out = append(out, v)
	}
	return out, nil
}

func isWord(s string) bool {
	for _, c := range s {
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// encode gives the bytes to send; unset is told by the flag. declared is the prepared marker's type, or nil.
func (v boundValue) encode(declared *colType) (b []byte, unset bool, err error) {
	switch {
	case v.text == "null":
		return nil, false, nil
	case v.text == "unset":
		return nil, true, nil
	}
	t := v.typ
	if t == nil {
		t = declared
	}
	if strings.HasPrefix(v.text, "0x") {
		b, err = hex.DecodeString(v.text[2:])
		return b, false, err
	}
	if t == nil {
		return nil, false, fmt.Errorf("value %s needs its type written before it", v.text)
	}
	b, err = encodeLiteral(t, v.text)
	return b, false, err
}

// encodeLiteral encodes one literal of a script; a blank result of null inside collections is a null element.
func encodeLiteral(t *colType, s string) ([]byte, error) {
	s = strings.TrimSpace(s)
	switch s {
	case "null":
		return nil, nil
	}
	if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		s = strings.ReplaceAll(s[1:len(s)-1], "''", "'")
		if t.kind == "text" || t.kind == "ascii" {
			return []byte(s), nil
		}
	}
	switch t.kind {
	case kindList, kindSet, kindMap, kindTuple, kindUDT, kindVector:
		return encodeNested(t, s)
	case "blob", kindCustom:
		return hex.DecodeString(strings.TrimPrefix(s, "0x"))
	case "uuid", "timeuuid":
		return hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	case "boolean":
		if s == "true" {
			return []byte{1}, nil
		}
		return []byte{0}, nil
	case "inet":
		a, err := netip.ParseAddr(s)
		return a.AsSlice(), err
	case "float":
		f, err := strconv.ParseFloat(s, 32)
		return binary.BigEndian.AppendUint32(nil, math.Float32bits(float32(f))), err
	case "double":
		f, err := strconv.ParseFloat(s, 64)
		return binary.BigEndian.AppendUint64(nil, math.Float64bits(f)), err
	case "varint":
		n, ok := new(big.Int).SetString(s, 10)
		if !ok {
			return nil, fmt.Errorf("not a number: %s", s)
		}
		return appendBig(nil, n), nil
	case "decimal":
		return encodeDecimal(s)
	case "date":
		d, err := time.Parse("2006-01-02", s)
		return binary.BigEndian.AppendUint32(nil, uint32(d.Unix()/86400+1<<31)), err
	case "timestamp":
		if d, err := time.Parse("2006-01-02T15:04:05.000Z", s); err == nil {
			s = strconv.FormatInt(d.UnixMilli(), 10)
		}
	case "duration":
		return encodeDuration(s)
	}
	return encodeInteger(t.kind, s)
}

func encodeInteger(kind, s string) ([]byte, error) {
	sizes := map[string]int{"tinyint": 1, "smallint": 2, "int": 4, "bigint": 8, "counter": 8, "timestamp": 8, "time": 8}
	size := sizes[kind]
	if size == 0 {
		return nil, fmt.Errorf("no literals for type %s", kind)
	}
	n, err := strconv.ParseInt(s, 10, 8*size)
	b := binary.BigEndian.AppendUint64(nil, uint64(n))
	return b[8-size:], err
}

// appendBig appends the shortest two's complement of n.
func appendBig(dst []byte, n *big.Int) []byte {
	size := n.BitLen()/8 + 1
	m := new(big.Int).Set(n)
	if n.Sign() < 0 {
		size = new(big.Int).Not(n).BitLen()/8 + 1
		m.Add(m, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
	}
	return append(dst, m.FillBytes(make([]byte, size))...)
}

// encodeDecimal reads `digitsE-scale` or a plain decimal number.
func encodeDecimal(s string) ([]byte, error) {
	digits, exp, _ := strings.Cut(s, "E")
	scale := 0
	if exp != "" {
		n, err := strconv.Atoi(exp)
		if err != nil {
			return nil, err
		}
		scale = -n
	}
	if whole, frac, ok := strings.Cut(digits, "."); ok {
		digits, scale = whole+frac, scale+len(frac)
	}
	n, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return nil, fmt.Errorf("not a number: %s", s)
	}
	return appendBig(binary.BigEndian.AppendUint32(nil, uint32(scale)), n), nil
}

// encodeDuration reads `months/days/nanoseconds`.
func encodeDuration(s string) ([]byte, error) {
	var out []byte
	parts := strings.Split(s, "/")
	if len(parts) != 3 {
		return nil, fmt.Errorf("a duration is written months/days/nanoseconds, not %s", s)
	}
	for _, p := range parts {
		n, err := strconv.ParseInt(p, 10, 64)
		if err != nil {
			return nil, err
		}
		out = appendVint(out, uint64(n<<1)^uint64(n>>63))
	}
	return out, nil
}

// appendVint appends Cassandra's unsigned variable-length integer.
func appendVint(dst []byte, v uint64) []byte {
	extra := 0
	for extra < 8 && v>>(7*(extra+1)) != 0 {
		extra++
	}
	if extra == 8 {
		return binary.BigEndian.AppendUint64(append(dst, 0xFF), v)
	}
	b := binary.BigEndian.AppendUint64(nil, v)[7-extra:]
	b[0] |= byte(0xFF << (8 - extra))
	return append(dst, b...)
}

// encodeNested reads `[a, b]`, `{a, b}`, `{a: b}` or `(a, b)`; a UDT is written by position like a tuple.
func encodeNested(t *colType, s string) ([]byte, error) {
	if len(s) < 2 {
		return nil, fmt.Errorf("not a %s: %s", t.kind, s)
	}
	var items []string
	for _, part := range splitTop(s[1:len(s)-1], ',') {
		if t.kind == kindMap {
			items = append(items, splitTop(part, ':')...)
		} else {
			items = append(items, part)
		}
	}
	var out []byte
	switch t.kind {
	case kindList, kindSet:
		out = binary.BigEndian.AppendUint32(out, uint32(len(items)))
	case kindMap:
		out = binary.BigEndian.AppendUint32(out, uint32(len(items)/2))
	}
	for i, item := range items {
		b, err := encodeLiteral(t.sub[i%len(t.sub)], item)
		if err != nil {
			return nil, err
		}
		switch {
		case t.kind != kindVector:
			out = appendBytes(out, b)
		case t.sub[0].fixedSize() > 0:
			out = append(out, b...)
		default:
			out = append(appendVint(out, uint64(len(b))), b...)
		}
	}
	return out, nil
}
