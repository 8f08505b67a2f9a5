package types

import (
	"math"

	"github.com/helenusdb/helenus/cql"
)

// DurationValue is a value of the duration type: months, days and nanoseconds, kept apart and all of one sign.
type DurationValue struct {
	Months, Days int32
	Nanos        int64
}

// AppendDuration appends d in its wire form: three signed vints.
func AppendDuration(dst []byte, d DurationValue) []byte {
	return AppendVint(AppendVint(AppendVint(dst, int64(d.Months)), int64(d.Days)), d.Nanos)
}

// ParseDurationBytes reads a duration; bytes behind the three numbers are ignored, as Cassandra does.
// The error is an InvalidRequest. Source: DurationSerializer.validate.
func ParseDurationBytes(v []byte) (DurationValue, error) {
	if len(v) < 3 {
		return DurationValue{}, cql.Invalidf("Expected at least 3 bytes for a duration (%d)", len(v))
	}
	months, v, ok1 := Vint(v)
	days, v, ok2 := Vint(v)
	nanos, _, ok3 := Vint(v)
	switch {
	case !ok1 || !ok2 || !ok3:
		return DurationValue{}, cql.Invalidf("Not enough bytes to read a duration")
	case months != int64(int32(months)):
		return DurationValue{}, cql.Invalidf("The duration months must be a 32 bits integer but was: %d", months)
	case days != int64(int32(days)):
		return DurationValue{}, cql.Invalidf("The duration days must be a 32 bits integer but was: %d", days)
	}
	d := DurationValue{int32(months), int32(days), nanos}
	if !d.oneSign() {
		return DurationValue{}, cql.Invalidf("The duration months, days and nanoseconds must be all of the same sign (%d, %d, %d)",
			months, days, nanos)
	}
	return d, nil
}

// oneSign reports whether no field of d is negative or none is positive.
func (d DurationValue) oneSign() bool {
	return d.Months >= 0 && d.Days >= 0 && d.Nanos >= 0 || d.Months <= 0 && d.Days <= 0 && d.Nanos <= 0
}

// IsNegative reports whether d is below zero.
func (d DurationValue) IsNegative() bool { return d.Months < 0 || d.Days < 0 || d.Nanos < 0 }

// Negate returns -d; ok is false when a field has no negation.
func (d DurationValue) Negate() (n DurationValue, ok bool) {
	if d.Months == math.MinInt32 || d.Days == math.MinInt32 || d.Nanos == math.MinInt64 {
		return DurationValue{}, false
	}
	return DurationValue{-d.Months, -d.Days, -d.Nanos}, true
}
