package types

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql"
)

// parseInet reads an address as Java's InetAddress does: IPv4 in one to four parts, IPv6 with or without brackets and
// scope; an IPv4-mapped one becomes 4 bytes.
//
// Deviation: a host name is refused; Cassandra asks the resolver of the node's machine for it.
func parseInet(s string) ([]byte, error) {
	if v, ok := parseIPv4(s); ok {
		return v, nil
	}
	text := s
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") && strings.Contains(s, ":") {
		text = s[1 : len(s)-1]
	}
	if a, err := netip.ParseAddr(trimHexGroups(text)); err == nil && a.Is6() {
		a = a.WithZone("").Unmap()
		return a.AsSlice(), nil
	}
	return nil, cql.Invalidf("Unable to make inet address from '%s'", s)
}

// trimHexGroups drops leading zeros beyond four digits in the groups of an IPv6 address, which Java allows.
func trimHexGroups(s string) string {
	groups := strings.Split(s, ":")
	for i, g := range groups {
		for len(g) > 4 && g[0] == '0' && !strings.ContainsAny(g, ".%") {
			g = g[1:]
		}
		groups[i] = g
	}
	return strings.Join(groups, ":")
}

// parseIPv4 reads one to four decimal parts; the last one fills the bytes that the others leave.
func parseIPv4(s string) ([]byte, bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return nil, false
	}
	var addr uint64
	for i, p := range parts {
		if !isDigits(p) {
			return nil, false
		}
		n, err := strconv.ParseUint(p, 10, 32)
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (5 - len(parts))
		}
		if err != nil || n >= 1<<bits {
			return nil, false
		}
		addr = addr<<bits | n
	}
	return binary.BigEndian.AppendUint32(nil, uint32(addr)), true
}

// appendInet appends an address of 4 or 16 bytes in Java's form: IPv6 in eight groups without abbreviation, an
// IPv4-mapped one as IPv4.
func appendInet(dst, v []byte) []byte {
	if a, ok := netip.AddrFromSlice(v); ok {
		if a = a.Unmap(); a.Is4() {
			return a.AppendTo(dst)
		}
	}
	for i := 0; i < len(v); i += 2 {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = strconv.AppendUint(dst, uint64(binary.BigEndian.Uint16(v[i:])), 16)
	}
	return dst
}
