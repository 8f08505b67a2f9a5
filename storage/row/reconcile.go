package row

import "bytes"

// Reconcile returns which of two cells of one column and path survives; neither is a counter. The greater timestamp wins;
// on a tie what expires or is deleted beats what is neither, whatever the clock says; then a tombstone beats an expiring
// cell; then the later local time; then the smaller TTL; then the greater value by unsigned bytes. It is commutative and
// associative, which replicas rely on to converge. Neither input is copied or kept.
//
// Source: org.apache.cassandra.db.rows.Cells.resolveRegular, 5.0.6; storage.md 2.
func Reconcile(a, b *Cell) *Cell {
	if a.Timestamp != b.Timestamp {
		if a.Timestamp > b.Timestamp {
			return a
		}
		return b
	}
	if af, bf := a.Local != NoLocal, b.Local != NoLocal; af != bf {
		if af {
			return a
		}
		return b
	} else if af {
		if at, bt := a.IsTombstone(), b.IsTombstone(); at != bt {
			if at {
				return a
			}
			return b
		}
		if a.Local != b.Local {
			if a.Local > b.Local {
				return a
			}
			return b
		}
		if a.TTL != b.TTL {
			if a.TTL < b.TTL {
				return a
			}
			return b
		}
	}
	if bytes.Compare(a.Value, b.Value) >= 0 {
		return a
	}
	return b
}

// expiredMarker is the TTL of a marker that is born expired, by which views delete their rows.
const expiredMarker = 1<<31 - 1

// Supersedes reports whether marker l replaces m: the greater timestamp; on a tie the born-expired one, then the one that
// expires, then the later expiry, then the smaller TTL. Source: org.apache.cassandra.db.LivenessInfo.supersedes, 5.0.6.
func (l Liveness) Supersedes(m Liveness) bool {
	if l.Timestamp != m.Timestamp {
		return l.Timestamp > m.Timestamp
	}
	if le, me := l.TTL == expiredMarker, m.TTL == expiredMarker; le != me {
		return le
	}
	if lx, mx := l.TTL > 0, m.TTL > 0; lx != mx {
		return lx
	} else if !lx {
		return false
	}
	if l.Expiry != m.Expiry {
		return l.Expiry > m.Expiry
	}
	return l.TTL < m.TTL
}

// Max returns the one of two deletions that supersedes the other.
func (d Deletion) Max(e Deletion) Deletion {
	if e.Supersedes(d) {
		return e
	}
	return d
}
