package schema

import (
	"crypto/md5"
	"fmt"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql"
)

// String prints u as usual: 8-4-4-4-12 hexadecimal digits.
func (u UUID) String() string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// Parse reads s as loosely as java.util.UUID.fromString: five groups of hexadecimal digits, of which the last that fit are
// taken. The error is the answer to a bad WITH ID; u is then of no use.
func (u *UUID) Parse(s string) error {
	groups := strings.Split(s, "-")
	if len(groups) != 5 || len(s) > 36 {
		return cql.Configf("Invalid table id")
	}
	at := 0
	for i, width := range [...]int{4, 2, 2, 2, 6} {
		n, err := strconv.ParseUint(groups[i], 16, 63)
		if err != nil {
			return cql.Configf("Invalid table id")
		}
		for j := width - 1; j >= 0; j-- {
			u[at+j] = byte(n)
			n >>= 8
		}
		at += width
	}
	return nil
}

// TableID returns the fixed id of a system table: the name-based UUID of keyspace and table name.
// Source: org.apache.cassandra.schema.TableId.forSystemTable.
func TableID(keyspace, table string) UUID {
	sum := md5.Sum([]byte(keyspace + table))
	return nameUUID(sum[:])
}

// nameUUID makes a version 3 UUID of an MD5 sum.
func nameUUID(sum []byte) (u UUID) {
	copy(u[:], sum)
	u[6] = u[6]&0x0f | 0x30
	u[8] = u[8]&0x3f | 0x80
	return u
}
