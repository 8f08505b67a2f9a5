package compaction

import (
	"fmt"
	"slices"

	"github.com/helenusdb/helenus/cql/schema"
)

// SetThroughput changes how many bytes tasks read a second, 0 for no bound. Tasks that run follow at once.
func (m *Manager) SetThroughput(bytes int64) { m.limit.SetRate(bytes) }

// Throughput returns the bound in bytes a second, 0 for none.
func (m *Manager) Throughput() int64 { return m.limit.Rate() }

// SetConcurrent changes how many tasks run at once. Those that run are not stopped.
func (m *Manager) SetConcurrent(n int) {
	m.mu.Lock()
	m.concurrent = max(n, 1)
	m.changed.Broadcast()
	m.mu.Unlock()
	m.poke()
}

// Concurrent returns how many tasks may run at once.
func (m *Manager) Concurrent() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.concurrent
}

// SetAuto turns background compaction of a table on or off. Jobs that run are not stopped.
func (m *Manager) SetAuto(table schema.UUID, on bool) {
	m.mu.Lock()
	if st := m.stores[table]; st != nil {
		st.auto, st.look = on, true
	}
	m.mu.Unlock()
	m.poke()
}

// Auto reports whether a table is compacted in the background: it was not turned off here nor by the table's options.
func (m *Manager) Auto(table schema.UUID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	st := m.stores[table]
	return st != nil && st.auto && AutoCompaction(st.Schema())
}

// Pending estimates how many background tasks a table has before it.
func (m *Manager) Pending(table schema.UUID) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	st := m.stores[table]
	if st == nil {
		return 0
	}
	return m.strategiesLocked(st).Pending(m.viewLocked(st))
}

// Running returns the jobs that run, the oldest first.
func (m *Manager) Running() []Info {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Info
	for j := range m.jobs {
		out = append(out, j.info())
	}
	slices.SortFunc(out, func(a, b Info) int { return a.Started.Compare(b.Started) })
	return out
}

// History returns the last completed tasks, the oldest first.
func (m *Manager) History() []Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.history)
}

// Stats returns what was done since the start.
func (m *Manager) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stats
}

// Stop stops all jobs of a kind and reports how many there were. They end soon after, and background tasks may be picked anew.
func (m *Manager) Stop(kind Kind) (n int) {
	return m.stopJobs(func(j *Job) bool { return j.kind == kind })
}

// StopID stops the job with an id and reports whether there is one.
func (m *Manager) StopID(id string) bool {
	return m.stopJobs(func(j *Job) bool { return j.id == id }) > 0
}

func (m *Manager) stopJobs(which func(*Job) bool) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for j := range m.jobs {
		if which(j) {
			j.stop(fmt.Errorf("%w: an operator asked for it", ErrStopped))
			n++
		}
	}
	m.changed.Broadcast()
	return n
}

// stopJobsLocked stops the jobs of a table and waits for their end.
func (m *Manager) stopJobsLocked(table schema.UUID, why error) {
	for {
		any := false
		for j := range m.jobs {
			if j.store.Schema().ID == table {
				j.stop(why)
				any = true
			}
		}
		if !any {
			return
		}
		m.changed.Broadcast()
		m.changed.Wait()
	}
}
