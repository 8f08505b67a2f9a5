package function

import (
	"time"

	"github.com/helenusdb/helenus/cql/types"
)

// dayMillis is the number of milliseconds of a day.
const dayMillis = 24 * 60 * 60 * 1000

// timeFunctions are the functions that tell the time and those that turn one of its types into another.
// Source: TimeFcts, UuidFcts.
func timeFunctions() []*Function {
	var all []*Function
	add := func(f *Function, old string) {
		all = append(all, f)
		if old != "" {
			g := *f
			g.Name = old
			all = append(all, &g)
		}
	}
	add(clock("now", types.TTimeuuid, nowTimeuuid), "")
	add(clock("current_timeuuid", types.TTimeuuid, nowTimeuuid), "currenttimeuuid")
	add(clock("current_timestamp", types.TTimestamp, func(env *Env) []byte { return types.AppendInt64(nil, env.NowMillis()) }),
		"currenttimestamp")
	add(clock("current_date", types.TDate, func(env *Env) []byte { return dateOf(env.NowMillis()) }), "currentdate")
	add(clock("current_time", types.TTime, func(env *Env) []byte {
		return types.AppendInt64(nil, modulo(env.NowMillis(), dayMillis)*int64(time.Millisecond))
	}), "currenttime")
	add(clock("uuid", types.TUUID, func(env *Env) []byte {
		u := types.NewUUID(env.Random())
		return u[:]
	}), "")

	add(fromMillis("min_timeuuid", types.TTimestamp, types.TTimeuuid, func(ms int64) []byte {
		u := types.MinTimeuuid(ms)
		return u[:]
	}), "mintimeuuid")
	add(fromMillis("max_timeuuid", types.TTimestamp, types.TTimeuuid, func(ms int64) []byte {
		u := types.MaxTimeuuid(ms)
		return u[:]
	}), "maxtimeuuid")
	for _, t := range list(types.TTimeuuid, types.TTimestamp) {
		add(monotonic(fromMillis("to_date", t, types.TDate, dateOf)), "todate")
	}
	for _, t := range list(types.TTimeuuid, types.TDate) {
		add(monotonic(fromMillis("to_timestamp", t, types.TTimestamp, timestampOf)), "totimestamp")
	}
	for _, t := range list(types.TTimeuuid, types.TTimestamp, types.TDate) {
		add(monotonic(fromMillis("to_unix_timestamp", t, types.TBigint, timestampOf)), "tounixtimestamp")
	}
	return all
}

// clock returns a function without arguments that is not pure.
func clock(name string, ret *types.Type, f func(env *Env) []byte) *Function {
	return &Function{Name: name, Return: ret, Call: func(env *Env, _ [][]byte) ([]byte, error) { return f(env), nil }}
}

// nowTimeuuid is now().
func nowTimeuuid(env *Env) []byte {
	u := env.Timeuuid()
	return u[:]
}

// monotonic marks f as monotonic and returns it.
func monotonic(f *Function) *Function {
	f.Monotonic = true
	return f
}

// fromMillis returns a function of a timeuuid, timestamp or date that depends on its milliseconds alone.
func fromMillis(name string, from, to *types.Type, f func(ms int64) []byte) *Function {
	return scalar(name, list(from), to, func(args [][]byte) ([]byte, error) { return f(millisOf(from, args[0])), nil })
}

// millisOf returns the milliseconds since 1970-01-01 of a timeuuid, timestamp or date.
func millisOf(t *types.Type, v []byte) int64 {
	switch t.Kind {
	case types.Timeuuid:
		return types.TimeuuidMillis(v)
	case types.Date:
		return int64(types.Days(v)) * dayMillis
	}
	return types.Int64(v)
}

// dateOf returns the date of milliseconds since 1970-01-01. Before then parts of days are cut off toward the later day, as
// in Cassandra.
func dateOf(ms int64) []byte { return types.AppendDate(nil, int32(ms/dayMillis)) }

// timestampOf returns the timestamp, or bigint, of milliseconds since 1970-01-01.
func timestampOf(ms int64) []byte { return types.AppendInt64(nil, ms) }

// floorDiv is a/b rounded down; b is positive.
func floorDiv(a, b int64) int64 { return (a - modulo(a, b)) / b }

// modulo is a mod b in [0, b); b is positive.
func modulo(a, b int64) int64 {
	m := a % b
	if m < 0 {
		m += b
	}
	return m
}

// addDuration adds d, times sign, to milliseconds since 1970-01-01: months first, to the end of a month that is too short,
// then days, then nanoseconds. Source: org.apache.cassandra.cql3.Duration.addTo.
func addDuration(ms int64, d types.DurationValue, sign int64) int64 {
	if d.Months != 0 {
		ms = addMonths(ms, sign*int64(d.Months))
	}
	return ms + sign*(int64(d.Days)*dayMillis+d.Nanos/int64(time.Millisecond))
}

// addMonths moves to the same day and time of another month, or to its last day. Deviation: Cassandra takes dates before
// October 1582 for Julian ones here.
func addMonths(ms, months int64) int64 {
	t := time.UnixMilli(ms).UTC()
	month := int64(t.Month()) - 1 + months
	year := t.Year() + int(floorDiv(month, 12))
	first := time.Date(year, time.Month(modulo(month, 12)+1), 1, 0, 0, 0, 0, time.UTC)
	day := min(t.Day(), first.AddDate(0, 1, -1).Day())
	return first.UnixMilli() + int64(day-1)*dayMillis + modulo(ms, dayMillis)
}
