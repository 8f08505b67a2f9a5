package compaction

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
)

// ErrStopped is wrapped by the error of a task that was stopped: by an operator, a major compaction, or the end of the process.
// Source: org.apache.cassandra.db.compaction.CompactionInterruptedException.
var ErrStopped = errors.New("the compaction was stopped")

// Job is a task that runs.
type Job struct {
	id      string
	kind    Kind
	store   Store
	tables  []string
	started time.Time
	// total and completed are bytes on disk of the inputs.
	total, completed atomic.Int64
	// cancel is nil until the job begins to run; stopped is why it is not to. Both are guarded by the manager's mutex.
	cancel  context.CancelCauseFunc
	stopped error
}

// stop ends the job soon. The manager's mutex is held.
func (j *Job) stop(why error) {
	if j.stopped == nil {
		j.stopped = why
	}
	if j.cancel != nil {
		j.cancel(why)
	}
}

// Info is the state of a job as compactionstats shows it. Bytes are those of the inputs on disk.
type Info struct {
	ID              string // a time-based UUID
	Kind            Kind
	Keyspace, Table string
	Completed       int64
	Total           int64
	Unit            string
	Started         time.Time
	// Tables are the ids of the inputs, Directory where outputs go.
	Tables    []string
	Directory string
}

func (j *Job) info() Info {
	t := j.store.Schema()
	return Info{
		ID: j.id, Kind: j.kind, Keyspace: t.Keyspace, Table: t.Name, Completed: min(j.completed.Load(), j.total.Load()),
		Total: j.total.Load(), Unit: "bytes", Started: j.started, Tables: j.tables,
		Directory: j.store.Dir(),
	}
}

// gregorian is the start of the time of version 1 UUIDs, 15 October 1582, in seconds before 1970.
const gregorian = 12219292800

// newID returns a time-based UUID of a moment as text, with a random node.
func newID(at time.Time) string {
	var b [16]byte
	rand.Read(b[8:])
	ticks := uint64(at.Unix()+gregorian)*1e7 + uint64(at.Nanosecond()/100)
	binary.BigEndian.PutUint32(b[:], uint32(ticks))
	binary.BigEndian.PutUint16(b[4:], uint16(ticks>>32))
	binary.BigEndian.PutUint16(b[6:], uint16(ticks>>48)&0x0fff|0x1000)
	b[8], b[10] = b[8]&0x3f|0x80, b[10]|1
	return schema.UUID(b).String()
}

// Entry is a task that was completed, as compactionhistory shows it.
type Entry struct {
	ID                string
	Kind              Kind
	Keyspace, Table   string
	At                time.Time
	Took              time.Duration
	BytesIn, BytesOut int64
	// Merged counts partitions of the outputs by how many inputs had them.
	Merged          map[int]int64
	Inputs, Outputs int
	// Expired is how many of the inputs were dropped unread.
	Expired int
}

// Stats counts what was done since the start.
type Stats struct {
	Completed int64 // tasks
	Bytes     int64 // read by completed tasks
	Aborted   int64 // tasks stopped or failed
	Reduced   int64 // tasks that left out inputs for want of space
	Dropped   int64 // inputs that were left out
}
