package types

import (
	"math"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zone names must not depend on the machine

	"github.com/helenusdb/helenus/cql"
)

// zoneRegions gives the region that Java 17 takes an abbreviation for; summer time follows the region, not the
// abbreviation. Some are not what one expects: BST is Bougainville.
var zoneRegions = map[string]string{
	"UTC": "UTC", "GMT": "UTC", "UT": "UTC", "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "PT": "America/Los_Angeles",
	"MST": "America/Denver", "MDT": "America/Denver", "CST": "America/Chicago", "CDT": "America/Chicago", "CT": "America/Chicago",
	"EST": "America/New_York", "EDT": "America/New_York", "ET": "America/New_York", "AKST": "America/Anchorage",
	"AKDT": "America/Anchorage", "HST": "Pacific/Honolulu", "AST": "America/Halifax", "ADT": "America/Halifax",
	"NST": "America/St_Johns", "NDT": "America/St_Johns", "BRT": "America/Sao_Paulo", "ART": "America/Argentina/Buenos_Aires",
	"WET": "Europe/Lisbon", "WEST": "Europe/Lisbon", "CET": "Europe/Paris", "CEST": "Europe/Paris", "EET": "Europe/Bucharest",
	"EEST": "Europe/Bucharest", "MSK": "Europe/Moscow", "BST": "Pacific/Bougainville", "IST": "Europe/Dublin",
	"SAST": "Africa/Johannesburg", "EAT": "Africa/Nairobi", "WAT": "Africa/Lagos", "CAT": "Africa/Harare", "PKT": "Asia/Karachi",
	"NPT": "Asia/Katmandu", "BDT": "Asia/Dhaka", "ICT": "Asia/Bangkok", "WIB": "Asia/Jakarta", "SGT": "Asia/Singapore",
	"HKT": "Asia/Hong_Kong", "JST": "Asia/Tokyo", "KST": "Asia/Seoul", "AWST": "Australia/Perth", "AEST": "Australia/Sydney",
	"AEDT": "Australia/Sydney", "ACDT": "Australia/Adelaide", "NZST": "Pacific/Auckland", "NZDT": "Pacific/Auckland",
}

// ParseTimestamp reads a timestamp in milliseconds since 1970-01-01: a date with or without a time and a zone, a number
// of milliseconds, or "now" in any case. Without a zone it is UTC. Fractions of milliseconds are cut off; the 30th of
// February is its last day. Forms are in cql.md 2.12 (115).
//
// Deviation: zones are known by offset, by region (Europe/Berlin) and by the usual abbreviations, not by every name and
// language that Java has. Source: org.apache.cassandra.serializers.TimestampSerializer.dateStringToTimestamp.
func ParseTimestamp(s string) (ms int64, err error) {
	if strings.EqualFold(s, "now") {
		return time.Now().UnixMilli(), nil
	}
	if isDigits(strings.TrimPrefix(s, "-")) {
		ms, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return 0, cql.Invalidf("Unable to make long (for date) from: '%s'", s)
		}
		return ms, nil
	}
	t, rest, ok := parseDateTime(s)
	if !ok {
		t, rest, ok = parseDateOnly(s)
	}
	if ok {
		if ms, ok := t.inZone(rest); ok {
			return ms, nil
		}
	}
	return 0, cql.Invalidf("Unable to parse a date/time from '%s'", s)
}

// civil is a date and time without a zone.
type civil struct {
	year                                int64
	month, day, hour, minute, sec, nano int
}

// takeNumber reads between low and high digits.
func takeNumber(s string, low, high int) (n int, rest string, ok bool) {
	i := 0
	for i < len(s) && i < high && s[i] >= '0' && s[i] <= '9' {
		n = n*10 + int(s[i]-'0')
		i++
	}
	return n, s[i:], i >= low
}

// takeField reads a separator and one or two digits up to limit.
func takeField(s string, separators string, limit int) (n int, rest string, ok bool) {
	if s == "" || strings.IndexByte(separators, s[0]) < 0 {
		return 0, s, false
	}
	n, rest, ok = takeNumber(s[1:], 1, 2)
	return n, rest, ok && n <= limit
}

// parseDateTime reads yyyy-M-d[T| ]H:m[:s[.fraction]] and returns what follows it.
func parseDateTime(s string) (c civil, rest string, ok bool) {
	year, rest, ok := takeNumber(s, 4, 4)
	c.year = int64(year)
	fields := []*int{&c.month, &c.day, &c.hour, &c.minute}
	separators := []string{"-", "-", "T ", ":"}
	limits := []int{12, 31, 24, 59}
	for i := 0; ok && i < len(fields); i++ {
		*fields[i], rest, ok = takeField(rest, separators[i], limits[i])
	}
	if !ok || year == 0 || c.month == 0 || c.day == 0 {
		return c, rest, false
	}
	if strings.HasPrefix(rest, ":") {
		if c.sec, rest, ok = takeField(rest, ":", 59); !ok {
			return c, rest, false
		}
		if strings.HasPrefix(rest, ".") {
			digits := rest[1:]
			c.nano, rest, _ = takeNumber(digits, 0, 9)
			for range 9 - (len(digits) - len(rest)) {
				c.nano *= 10
			}
		}
	}
	if c.hour == 24 && (c.minute > 0 || c.sec > 0 || c.nano > 0) {
		return c, rest, false
	}
	return c, rest, true
}

// parseDateOnly reads an ISO date, a year of more than four digits behind a sign, and returns what follows it.
func parseDateOnly(s string) (c civil, rest string, ok bool) {
	sign := ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign = s[:1]
		s = s[1:]
	}
	high := 4
	if sign != "" {
		high = 10
	}
	year, rest, ok := takeNumber(s, 4, high)
	if digits := len(s) - len(rest); !ok || sign == "+" && digits == 4 || sign == "-" && year == 0 || year > 999999999 {
		return c, rest, false
	}
	c.year = int64(year)
	if sign == "-" {
		c.year = -c.year
	}
	if len(rest) < 6 || rest[0] != '-' || rest[3] != '-' {
		return c, rest, false
	}
	var okMonth, okDay bool
	c.month, _, okMonth = takeNumber(rest[1:3], 2, 2)
	c.day, _, okDay = takeNumber(rest[4:6], 2, 2)
	return c, rest[6:], okMonth && okDay && c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= 31
}

// daysIn returns the length of a month.
func daysIn(year int64, month int) int {
	return time.Date(int(year), time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// inZone returns the milliseconds since 1970-01-01 of c in the zone that zone spells. A day behind the end of its month
// becomes the last one.
func (c civil) inZone(zone string) (ms int64, ok bool) {
	loc, ok := parseZone(zone)
	if !ok {
		return 0, false
	}
	day := min(c.day, daysIn(c.year, c.month))
	t := time.Date(int(c.year), time.Month(c.month), day, c.hour, c.minute, c.sec, c.nano, loc)
	sec := t.Unix()
	if sec > math.MaxInt64/1000-1 || sec < math.MinInt64/1000+1 {
		return 0, false
	}
	return t.UnixMilli(), true
}

// parseZone reads nothing, an offset, Z, or a blank and an offset or a name.
func parseZone(s string) (*time.Location, bool) {
	name := strings.TrimPrefix(s, " ")
	switch {
	case s == "" || name == "Z":
		return time.UTC, true
	case name == "":
		return nil, false
	}
	if name[0] == '+' || name[0] == '-' {
		return parseOffset(name)
	}
	if name == s {
		return nil, false
	}
	for _, prefix := range []string{"UTC", "GMT", "UT"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && len(rest) == 6 && rest[3] == ':' {
			return parseOffset(rest)
		}
	}
	region := zoneRegions[name]
	if region == "" && strings.Contains(name, "/") {
		region = name
	}
	if region == "" {
		return nil, false
	}
	loc, err := time.LoadLocation(region)
	return loc, err == nil
}

// parseOffset reads +hh, +hhmm or +hh:mm up to 18 hours.
func parseOffset(s string) (*time.Location, bool) {
	hours, rest, ok := takeNumber(s[1:], 2, 2)
	minutes := 0
	if ok && rest != "" {
		minutes, rest, ok = takeNumber(strings.TrimPrefix(rest, ":"), 2, 2)
	}
	if !ok || rest != "" || minutes > 59 || hours*60+minutes > 18*60 {
		return nil, false
	}
	seconds := (hours*60 + minutes) * 60
	if s[0] == '-' {
		seconds = -seconds
	}
	return time.FixedZone("", seconds), true
}

// appendTimestamp appends milliseconds since 1970-01-01 in UTC, with T or a blank before the time. A year before 1 is
// printed as a year of its era: year 0 as 0001.
func appendTimestamp(dst []byte, ms int64, separator byte) []byte {
	t := time.UnixMilli(ms).UTC()
	year := t.Year()
	if year < 1 {
		year = 1 - year
	}
	if year > 9999 {
		dst = append(dst, '+')
	}
	dst = appendPadded(dst, int64(year), 4)
	dst = appendPadded(append(dst, '-'), int64(t.Month()), 2)
	dst = appendPadded(append(dst, '-'), int64(t.Day()), 2)
	dst = appendPadded(append(dst, separator), int64(t.Hour()), 2)
	dst = appendPadded(append(dst, ':'), int64(t.Minute()), 2)
	dst = appendPadded(append(dst, ':'), int64(t.Second()), 2)
	dst = appendPadded(append(dst, '.'), int64(t.Nanosecond()/1e6), 3)
	return append(dst, 'Z')
}

// appendPadded appends n with zeros before it up to width digits; a negative n gets them all, before its sign.
func appendPadded(dst []byte, n int64, width int) []byte {
	for digits := width - 1; digits > 0 && n < int64(powersOf10[digits]); digits-- {
		dst = append(dst, '0')
	}
	return strconv.AppendInt(dst, n, 10)
}
