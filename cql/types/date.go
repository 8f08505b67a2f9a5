package types

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/helenusdb/helenus/cql"
)

// dayNanos is the number of nanoseconds of a day.
const dayNanos = int64(24 * time.Hour)

// parseDate reads a date: ISO, a year of more than four digits behind a sign, or a number of days where 2147483648 is
// 1970-01-01. Source: org.apache.cassandra.serializers.SimpleDateSerializer.dateStringToDays.
func parseDate(s string) ([]byte, error) {
	if isDigits(strings.TrimPrefix(s, "-")) {
		n, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			return nil, cql.Invalidf("Unable to make unsigned int (for date) from: '%s'", s)
		}
		return binary.BigEndian.AppendUint32(nil, uint32(n)), nil
	}
	c, rest, ok := parseDateOnly(s)
	// Beyond 292 million years the milliseconds that Cassandra counts in between overflow.
	if !ok || rest != "" || c.day > daysIn(c.year, c.month) || c.year > 292278993 || c.year < -292275054 {
		return nil, cql.Invalidf("Unable to coerce '%s' to a formatted date (long)", s)
	}
	days := time.Date(int(c.year), time.Month(c.month), c.day, 0, 0, 0, 0, time.UTC).Unix() / 86400
	switch {
	case days > math.MaxInt32:
		return nil, cql.Invalidf("Input date %s is greater than max supported date +5881580-07-11T00:00Z", s)
	case days < math.MinInt32:
		return nil, cql.Invalidf("Input date %s is less than min supported date -5877641-06-23T00:00Z", s)
	}
	return AppendDate(nil, int32(days)), nil
}

// appendDate appends the date of days since 1970-01-01 as ISO: years beyond four digits have a sign, so have negative ones.
func appendDate(dst []byte, days int32) []byte {
	t := time.Unix(int64(days)*86400, 0).UTC()
	year := int64(t.Year())
	switch {
	case year < 0:
		dst = append(dst, '-')
		year = -year
	case year > 9999:
		dst = append(dst, '+')
	}
	dst = appendPadded(dst, year, 4)
	dst = appendPadded(append(dst, '-'), int64(t.Month()), 2)
	return appendPadded(append(dst, '-'), int64(t.Day()), 2)
}

// parseTime reads a time of day: hh:mm:ss with up to nine digits of a fraction, or nanoseconds.
// Source: org.apache.cassandra.serializers.TimeSerializer.timeStringToLong.
func parseTime(s string) ([]byte, error) {
	if isDigits(strings.TrimPrefix(s, "-")) {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 || n >= dayNanos {
			return nil, cql.Invalidf("Unable to make long (for time) from: '%s'", s)
		}
		return AppendInt64(nil, n), nil
	}
	n, ok := parseTimeOfDay(s)
	if !ok {
		return nil, cql.Invalidf("(TimeType) Unable to coerce '%s' to a formatted time (long)", s)
	}
	return AppendInt64(nil, n), nil
}

// parseTimeOfDay reads hh:mm:ss[.fraction]; the parts may have any number of leading zeros.
func parseTimeOfDay(s string) (nanos int64, ok bool) {
	hours, rest, ok1 := strings.Cut(s, ":")
	minutes, seconds, ok2 := strings.Cut(rest, ":")
	seconds, fraction, hasFraction := strings.Cut(seconds, ".")
	h, err1 := strconv.ParseInt(hours, 10, 64)
	m, err2 := strconv.ParseInt(minutes, 10, 64)
	sec, err3 := strconv.ParseInt(seconds, 10, 64)
	if !ok1 || !ok2 || err1 != nil || err2 != nil || err3 != nil ||
		h < 0 || h > 23 || m < 0 || m > 59 || sec < 0 || sec > 59 {
		return 0, false
	}
	nano := int64(0)
	if hasFraction {
		if len(fraction) > 9 || !isDigits(fraction) {
			return 0, false
		}
		nano, _ = strconv.ParseInt(fraction+"000000000"[len(fraction):], 10, 64)
	}
	return ((h*60+m)*60+sec)*1e9 + nano, true
}

// appendTime appends nanoseconds of the day as hh:mm:ss.nnnnnnnnn. Bound values are not checked, so that others come
// here too: hours wrap, negative ones print as they do in Java.
func appendTime(dst []byte, n int64) []byte {
	dst = appendPadded(dst, n/3600e9%24, 2)
	dst = appendPadded(append(dst, ':'), n/60e9%60, 2)
	dst = appendPadded(append(dst, ':'), n/1e9%60, 2)
	return appendPadded(append(dst, '.'), n%1e9, 9)
}
