package types

import (
	"math"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql"
)

// durationUnit is a unit of the duration syntax: what it is called in errors, and how many months, days or nanoseconds.
type durationUnit struct {
	symbol, name string
	months, days int64
	nanos        int64
}

// durationUnits are in descending order, as they must be written.
var durationUnits = [...]durationUnit{
	{"y", "years", 12, 0, 0}, {"mo", "months", 1, 0, 0}, {"w", "weeks", 0, 7, 0}, {"d", "days", 0, 1, 0},
	{"h", "hours", 0, 0, 3600e9}, {"m", "minutes", 0, 0, 60e9}, {"s", "seconds", 0, 0, 1e9},
	{"ms", "milliseconds", 0, 0, 1e6}, {"us", "microseconds", 0, 0, 1e3}, {"ns", "nanoseconds", 0, 0, 1},
}

// durationBuilder adds up units in order. Source: org.apache.cassandra.cql3.Duration.Builder.
type durationBuilder struct {
	months, days, nanos int64
	last                int // index of the last unit, -1 before the first
}

// add adds the digits of a unit.
func (b *durationBuilder) add(digits string, unit int) error {
	u := durationUnits[unit]
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return cql.Serverf("java.lang.NumberFormatException: For input string: \"%s\"", digits)
	}
	if unit == b.last {
		return cql.Invalidf("Invalid duration. The %s are specified multiple times", u.name)
	}
	if unit < b.last {
		return cql.Invalidf("Invalid duration. The %s should be after %s", durationUnits[b.last].name, u.name)
	}
	b.last = unit
	switch {
	case u.months > 0:
		return addLimited(&b.months, n, u.months, math.MaxInt32, "months")
	case u.days > 0:
		return addLimited(&b.days, n, u.days, math.MaxInt32, "days")
	}
	return addLimited(&b.nanos, n, u.nanos, math.MaxInt64, "nanoseconds")
}

// addLimited adds n*per to total, which may not pass limit. Cassandra's text names the limit of an int for all of them.
func addLimited(total *int64, n, per, limit int64, name string) error {
	if n > (limit-*total)/per {
		return cql.Invalidf("Invalid duration. The total number of %s must be less or equal to 2147483647", name)
	}
	*total += n * per
	return nil
}

// ParseDuration reads a duration in any of its three forms: 1y2mo3d4h, P1Y2M3DT4H (or P2W), P0001-02-03T04:05:06, each
// with an optional minus in front. The error is an InvalidRequest. Source: org.apache.cassandra.cql3.Duration.from.
func ParseDuration(s string) (DurationValue, error) {
	text, negative := strings.CutPrefix(s, "-")
	b := durationBuilder{last: -1}
	var ok bool
	var err error
	switch {
	case !strings.HasPrefix(text, "P"):
		ok, err = b.standard(text)
	case strings.HasSuffix(text, "W"):
		ok, err = b.iso(text[1:], "W", []int{2})
	case strings.Contains(text, "-"):
		ok, err = b.alternative(text[1:])
	default:
		date, clock, _ := strings.Cut(text[1:], "T")
		if ok, err = b.iso(date, "YMD", []int{0, 1, 3}); ok && err == nil {
			ok, err = b.iso(clock, "HMS", []int{4, 5, 6})
		}
	}
	if !ok {
		return DurationValue{}, cql.Invalidf("Unable to convert '%s' to a duration", text)
	}
	if err != nil {
		return DurationValue{}, err
	}
	d := DurationValue{int32(b.months), int32(b.days), b.nanos}
	if negative {
		d, _ = d.Negate()
	}
	return d, nil
}

// standard reads numbers with units. ok is false when s is something else.
func (b *durationBuilder) standard(s string) (ok bool, err error) {
	if s == "" {
		return false, nil
	}
	for s != "" && err == nil {
		i := 0
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		unit, size := unitAt(s[i:])
		if i == 0 || unit < 0 {
			return false, nil
		}
		err = b.add(s[:i], unit)
		s = s[i+size:]
	}
	// What follows an error need not be looked at for the text to be right, but it has to be a duration at all.
	return s == "" || isStandard(s), err
}

// isStandard reports whether s is numbers with units.
func isStandard(s string) bool {
	for s != "" {
		i := 0
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		unit, size := unitAt(s[i:])
		if i == 0 || unit < 0 {
			return false
		}
		s = s[i+size:]
	}
	return true
}

// unitAt returns the unit that s starts with and the length of its symbol; -1 when there is none.
func unitAt(s string) (unit, size int) {
	if strings.HasPrefix(s, "µs") || strings.HasPrefix(s, "µS") {
		return 8, len("µs")
	}
	unit = -1
	for i, u := range durationUnits {
		if n := len(u.symbol); n > size && len(s) >= n && strings.EqualFold(s[:n], u.symbol) {
			unit, size = i, n
		}
	}
	return unit, size
}

// iso reads numbers with the given letters, each at most once and in order.
func (b *durationBuilder) iso(s, letters string, units []int) (ok bool, err error) {
	next := 0
	for s != "" && err == nil {
		i := 0
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		if i == 0 || i == len(s) {
			return false, nil
		}
		k := strings.IndexByte(letters, s[i])
		if k < next {
			return false, nil
		}
		next = k + 1
		err = b.add(s[:i], units[k])
		s = s[i+1:]
	}
	return true, err
}

// alternative reads yyyy-mm-ddThh:mm:ss, of any digits.
func (b *durationBuilder) alternative(s string) (ok bool, err error) {
	const shape = "dddd-dd-ddTdd:dd:dd"
	if len(s) != len(shape) {
		return false, nil
	}
	for i := range len(s) {
		if isDigit := s[i] >= '0' && s[i] <= '9'; isDigit != (shape[i] == 'd') || !isDigit && s[i] != shape[i] {
			return false, nil
		}
	}
	for i, unit := range []int{0, 1, 3, 4, 5, 6} {
		start := 0
		if i > 0 {
			start = 2 + 3*i
		}
		end := 4 + 3*i
		if err := b.add(s[start:end], unit); err != nil {
			return true, err
		}
	}
	return true, nil
}

// Append appends d in the form 1y2mo3d4h5m6s7ms8us9ns; nothing for no duration.
func (d DurationValue) Append(dst []byte) []byte {
	months, days, nanos := d.Months, d.Days, d.Nanos
	if d.IsNegative() {
		dst = append(dst, '-')
		// The least numbers have no negation and stay negative, and are then left out: so it is in Java.
		months, days, nanos = max(months, -months), max(days, -days), max(nanos, -nanos)
	}
	dst = appendUnit(dst, int64(months/12), "y")
	dst = appendUnit(dst, int64(months%12), "mo")
	dst = appendUnit(dst, int64(days), "d")
	for _, u := range durationUnits[4:] {
		dst = appendUnit(dst, nanos/u.nanos, u.symbol)
		nanos %= u.nanos
	}
	return dst
}

// appendUnit appends n and its unit when there are any.
func appendUnit(dst []byte, n int64, symbol string) []byte {
	if n <= 0 {
		return dst
	}
	return append(strconv.AppendInt(dst, n, 10), symbol...)
}
