package schema

import (
	"math"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql"
)

// parseRetry normalises a speculative retry policy: ALWAYS, NEVER (NONE), 99p (99percentile), 25ms, MIN(a,b), MAX(a,b).
// Source: org.apache.cassandra.service.reads.SpeculativeRetryPolicy.fromString.
func parseRetry(s string) (string, error) {
	switch strings.ToUpper(s) {
	case "ALWAYS":
		return "ALWAYS", nil
	case "NEVER", "NONE":
		return "NEVER", nil
	}
	if p, _, err := simpleRetry(s); p != "" || err != nil {
		return p, err
	}
	if p, err := hybridRetry(s); p != "" || err != nil {
		return p, err
	}
	return "", badRetry(s)
}

func badRetry(s string) error {
	return cql.Configf("Invalid value %s for option 'speculative_retry'", s)
}

// simpleRetry reads a percentile or a fixed time; the result is "" when s is neither.
func simpleRetry(s string) (policy, kind string, err error) {
	lower := strings.ToLower(s)
	number := strings.TrimRight(lower, "abcdefghijklmnopqrstuvwxyz")
	if number == "" || strings.Trim(number, "0123456789.") != "" {
		return "", "", nil
	}
	unit := lower[len(number):]
	v, bad := strconv.ParseFloat(number, 64)
	switch {
	case unit != "p" && unit != "percentile" && unit != "ms":
		return "", "", nil
	case bad != nil:
		return "", "", badRetry(s)
	case unit == "ms":
		return strconv.Itoa(int(min(v, math.MaxInt32))) + "ms", "FIXED", nil
	case v <= 0 || v >= 100:
		return "", "", cql.Configf("Invalid value %s for PERCENTILE option 'speculative_retry': must be between (0.0 and 100.0)", s)
	}
	return strconv.FormatFloat(math.RoundToEven(v*1e4)/1e4, 'f', -1, 64) + "p", "PERCENTILE", nil
}

// hybridRetry reads MIN(a,b) or MAX(a,b); the result is "" when s is neither.
func hybridRetry(s string) (string, error) {
	name, rest, ok := strings.Cut(s, "(")
	name = strings.ToUpper(name)
	inner, ok2 := strings.CutSuffix(rest, ")")
	first, second, ok3 := strings.Cut(inner, ",")
	if !ok || !ok2 || !ok3 || name != "MIN" && name != "MAX" {
		return "", nil
	}
	a, kindA, errA := simpleRetry(strings.TrimRight(first, " \t\r\n"))
	b, kindB, errB := simpleRetry(strings.TrimLeft(second, " \t\r\n"))
	switch {
	case errA != nil || errB != nil || a == "" || b == "":
		return "", badRetry(s)
	case kindA == kindB:
		return "", cql.Configf("Invalid value %s for option 'speculative_retry': MIN()/MAX() arguments should be of different types, "+
			"but both are of type %s", s, kindA)
	}
	return name + "(" + a + "," + b + ")", nil
}
