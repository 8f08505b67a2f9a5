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

// printValue is the canonical text of a value. Text is quoted; null, empty and what does not decode are told apart:
// `null`, `empty`, `!0x..`.
func printValue(t *colType, b []byte) string {
	if b == nil {
		return "null"
	}
	switch t.kind {
	case "text", "ascii":
		return strconv.Quote(string(b))
	case "blob", kindCustom:
		return "0x" + hex.EncodeToString(b)
	}
	if len(b) == 0 {
		return "empty"
	}
	if s, ok := printKnown(t, b); ok {
		return s
	}
	return "!0x" + hex.EncodeToString(b)
}

// printKnown prints a value that is not empty; false when the bytes are not of the type.
func printKnown(t *colType, b []byte) (string, bool) {
	switch t.kind {
	case kindList, kindSet:
		return printElements(t, b)
	case kindMap:
		return printMap(t, b)
	case kindTuple, kindUDT:
		return printFields(t, b)
	case kindVector:
		return printVector(t, b)
	case "varint":
		return signedBig(b).String(), true
	case "decimal":
		if len(b) < 5 {
			return "", false
		}
		return fmt.Sprintf("%sE%d", signedBig(b[4:]), -int64(int32(binary.BigEndian.Uint32(b)))), true
	case "duration":
		return printDuration(b)
	case "inet":
		a, ok := netip.AddrFromSlice(b)
		return a.String(), ok
	case "uuid", "timeuuid":
		if len(b) != 16 {
			return "", false
		}
		h := hex.EncodeToString(b)
		return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], true
	}
	return printNumber(t.kind, b)
}

func printNumber(kind string, b []byte) (string, bool) {
	sizes := map[string]int{"boolean": 1, "tinyint": 1, "smallint": 2, "int": 4, "float": 4, "date": 4, "bigint": 8,
		"counter": 8, "double": 8, "timestamp": 8, "time": 8}
	if sizes[kind] != len(b) {
		return "", false
	}
	n := signedBig(b).Int64()
	switch kind {
	case "boolean":
		if b[0] > 1 {
			return "", false
		}
		return strconv.FormatBool(b[0] == 1), true
	case "float":
		return strconv.FormatFloat(float64(math.Float32frombits(uint32(n))), 'g', -1, 32), true
	case "double":
		return strconv.FormatFloat(math.Float64frombits(uint64(n)), 'g', -1, 64), true
	case "timestamp":
		if n < -62135596800000 || n > 253402300799999 {
			return strconv.FormatInt(n, 10) + "ms", true
		}
		return time.UnixMilli(n).UTC().Format("2006-01-02T15:04:05.000Z"), true
	case "date":
		days := int64(uint32(n)) - 1<<31
		if days < -719162 || days > 2932896 {
			return strconv.FormatInt(days, 10) + "d", true
		}
		return time.Unix(days*86400, 0).UTC().Format("2006-01-02"), true
	case "time":
		if n < 0 || n >= 86400e9 {
			return strconv.FormatInt(n, 10) + "ns", true
		}
		return time.Unix(0, n).UTC().Format("15:04:05.000000000"), true
	}
	return strconv.FormatInt(n, 10), true
}

// signedBig reads two's complement, big-endian.
func signedBig(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

// readVint reads Cassandra's unsigned variable-length integer: leading ones of the first byte count the bytes after it.
func readVint(b []byte) (v uint64, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	extra := 0
	for extra < 8 && b[0]&(0x80>>extra) != 0 {
		extra++
	}
	if len(b) < extra+1 {
		return 0, 0
	}
	if extra < 8 {
		v = uint64(b[0] & (0xFF >> (extra + 1)))
	}
	for _, c := range b[1 : extra+1] {
		v = v<<8 | uint64(c)
	}
	return v, extra + 1
}

func printDuration(b []byte) (string, bool) {
	var parts [3]int64
	for i := range parts {
		v, n := readVint(b)
		if n == 0 {
			return "", false
		}
		parts[i] = int64(v>>1) ^ -int64(v&1)
		b = b[n:]
	}
	return fmt.Sprintf("%dmo%dd%dns", parts[0], parts[1], parts[2]), len(b) == 0
}

func printElements(t *colType, b []byte) (string, bool) {
	r := &reader{b: b}
	n := int(r.int())
	var out []string
	for i := 0; i < n && r.err == nil; i++ {
		out = append(out, printValue(t.sub[0], r.bytes()))
	}
	open, end := "[", "]"
	if t.kind == kindSet {
		open, end = "{", "}"
	}
	return open + strings.Join(out, ", ") + end, r.err == nil && len(r.b) == 0
}

func printMap(t *colType, b []byte) (string, bool) {
	r := &reader{b: b}
	n := int(r.int())
	var out []string
	for i := 0; i < n && r.err == nil; i++ {
		k := printValue(t.sub[0], r.bytes())
		out = append(out, k+": "+printValue(t.sub[1], r.bytes()))
	}
	return "{" + strings.Join(out, ", ") + "}", r.err == nil && len(r.b) == 0
}

// printFields prints a tuple or UDT; fields that the bytes end before are left out.
func printFields(t *colType, b []byte) (string, bool) {
	r := &reader{b: b}
	var out []string
	for i, s := range t.sub {
		if len(r.b) == 0 {
			break
		}
		text := printValue(s, r.bytes())
		if t.kind == kindUDT {
			text = t.fields[i] + ": " + text
		}
		out = append(out, text)
	}
	open, end := "(", ")"
	if t.kind == kindUDT {
		open, end = "{", "}"
	}
	return open + strings.Join(out, ", ") + end, r.err == nil && len(r.b) == 0
}

func printVector(t *colType, b []byte) (string, bool) {
	r := &reader{b: b}
	size := t.sub[0].fixedSize()
	var out []string
	for range t.size {
		n := size
		if n == 0 {
			v, used := readVint(r.b)
			if used == 0 {
				return "", false
			}
			r.take(used)
			n = int(v)
		}
		out = append(out, printValue(t.sub[0], r.take(n)))
	}
	return "[" + strings.Join(out, ", ") + "]", r.err == nil && len(r.b) == 0
}
