package system

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/helenusdb/helenus/cql/types"
)

// text returns a text value; an empty one is null.
func text(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

func integer(n int32) []byte  { return types.AppendInt32(nil, n) }
func long(n int64) []byte     { return types.AppendInt64(nil, n) }
func double(f float64) []byte { return types.AppendFloat64(nil, f) }

// inet returns the address of a, null when there is none.
func inet(a netip.AddrPort) []byte {
	if !a.IsValid() {
		return nil
	}
	return a.Addr().Unmap().AsSlice()
}

// port returns the port of a, null when there is none.
func port(a netip.AddrPort) []byte {
	if !a.IsValid() {
		return nil
	}
	return integer(int32(a.Port()))
}

// textSet returns a set<text>; an empty one is null.
func textSet(items []string) []byte {
	if len(items) == 0 {
		return nil
	}
	items = slices.Compact(slices.Sorted(slices.Values(items)))
	v := types.AppendCount(nil, len(items))
	for _, s := range items {
		v = types.AppendElement(v, []byte(s))
	}
	return v
}

// textMap returns a frozen map<text, text>.
func textMap(m map[string]string) []byte {
	v := types.AppendCount(nil, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		v = types.AppendElement(types.AppendElement(v, []byte(k)), []byte(m[k]))
	}
	return v
}
