package function

import (
	"math"
	"sort"
	"time"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

// floorFunctions round times down to multiples of a duration. Source: TimeFcts.FloorFunction.
func floorFunctions() []*Function {
	var all []*Function
	for _, t := range list(types.TTimestamp, types.TTimeuuid, types.TDate) {
		start, ret := types.TTimestamp, types.TTimestamp
		if t.Kind == types.Date {
			start, ret = types.TDate, types.TDate
		}
		two := list(t, types.TDuration)
		all = append(all, monotonic(scalar("floor", two, ret, func(args [][]byte) ([]byte, error) {
			return floorTo(t, args[0], args[1], 0)
		})))
		three := list(t, types.TDuration, start)
		all = append(all, monotonic(scalar("floor", three, ret, func(args [][]byte) ([]byte, error) {
			return floorTo(t, args[0], args[1], millisOf(start, args[2]))
		})))
	}
	ofTime := list(types.TTime, types.TDuration)
	return append(all, monotonic(scalar("floor", ofTime, types.TTime, func(args [][]byte) ([]byte, error) {
		return floorTime(types.Int64(args[0]), args[1])
	})))
}

// errNegative is returned for a duration below zero.
var errNegative = cql.Invalidf("Negative durations are not supported by the floor function")

// floorTo returns the greatest multiple of a duration, counted from start, that is not after the time v of type t.
func floorTo(t *types.Type, v, duration []byte, start int64) ([]byte, error) {
	d, err := types.ParseDurationBytes(duration)
	if err != nil {
		return nil, err
	}
	if t.Kind == types.Date && d.Nanos != 0 {
		return nil, cql.Invalidf("The floor on date values cannot be computed for the %s duration as precision is below 1 day",
			d.Append(nil))
	}
	ms := millisOf(t, v)
	switch {
	case d.Nanos%int64(time.Millisecond) != 0:
		return nil, cql.Invalidf("The floor cannot be computed for the %s duration as precision is below 1 millisecond", d.Append(nil))
	case start > ms:
		return nil, cql.Invalidf("The floor function starting time is greater than the provided time")
	case d.IsNegative():
		return nil, errNegative
	}
	if d.Months == 0 {
		if step := int64(d.Days)*dayMillis + d.Nanos/int64(time.Millisecond); step > 0 {
			ms -= int64((uint64(ms) - uint64(start)) % uint64(step)) // no signed number holds every difference
		}
	} else {
		ms = floorMonths(ms, start, d)
	}
	if t.Kind == types.Date {
		return dateOf(ms), nil
	}
	return timestampOf(ms), nil
}

// floorMonths finds the multiple of a duration with months. Like Cassandra it counts months by the calendar alone, so that
// the result may lie a few days after the time when the duration is nothing but months.
func floorMonths(ms, start int64, d types.DurationValue) int64 {
	months := int64(d.Months)
	n := (monthOf(ms) - monthOf(start)) / months
	millis := int64(d.Days)*dayMillis + d.Nanos/int64(time.Millisecond)
	base := addMonths(start, n*months)
	if millis == 0 {
		return base
	}
	// No more multiples fit than of the days and milliseconds alone; up to there nothing overflows.
	n = min(n, int64(min(uint64(ms)-uint64(start), math.MaxInt64))/millis)
	if n > maxFloorSteps {
		// So many multiples are not tried one by one; ends of months make no difference that counts here.
		n = int64(sort.Search(int(n), func(k int) bool { return addMonths(start, int64(k+1)*months) > ms-int64(k+1)*millis }))
	}
	base = addMonths(start, n*months)
	for base > ms-n*millis {
		n--
		base = addMonths(base, -months)
	}
	return max(base+n*millis, start)
}

// maxFloorSteps bounds how many multiples floorMonths tries one by one.
const maxFloorSteps = 10000

// monthOf returns the number of months since year 0 of a time.
func monthOf(ms int64) int64 {
	t := time.UnixMilli(ms).UTC()
	return int64(t.Year())*12 + int64(t.Month()) - 1
}

// floorTime rounds a time of day down.
func floorTime(nanos int64, duration []byte) ([]byte, error) {
	d, err := types.ParseDurationBytes(duration)
	switch {
	case err != nil:
		return nil, err
	case d.IsNegative():
		return nil, errNegative
	case d.Months != 0 || d.Days != 0 || d.Nanos > dayMillis*int64(time.Millisecond):
		return nil, cql.Invalidf("For time values, the floor can only be computed for durations smaller that a day")
	case d.Nanos > 0:
		nanos -= nanos % d.Nanos
	}
	return types.AppendInt64(nil, nanos), nil
}
