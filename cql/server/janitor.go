package server

import (
	"log/slog"
	"time"

	"github.com/helenusdb/helenus/cql/wire"
)

// noDeadline takes a deadline away.
var noDeadline time.Time

// now returns the server's coarse time: nanoseconds, never 0, exact to a tick.
func (s *Server) now() int64 { return s.coarse.Load() }

// janitor keeps the coarse time and looks at every connection once a tick, until the last one has ended.
func (s *Server) janitor() {
	start := time.Now()
	ticker := time.NewTicker(s.limits.tick())
	defer ticker.Stop()
	for {
		select {
		case <-s.ended:
			return
		case <-ticker.C:
		}
		now := int64(time.Since(start)) + 1
		s.coarse.Store(now)
		for _, c := range s.all() {
			c.check(now)
		}
	}
}

// check ends a connection that has used up a time, and wakes one that holds memory without need.
func (c *Conn) check(now int64) {
	l := &c.srv.limits
	late := func(since int64, limit time.Duration) bool { return since != 0 && now-since > int64(limit) }
	switch {
	case stage(c.stage.Load()) != stageReady && late(c.born, l.HandshakeTimeout), late(c.inFrame.Load(), l.FrameTimeout),
		late(c.inWrite.Load(), l.WriteTimeout):
		c.Close()
	case late(c.parked.Load(), idleTime):
		_ = c.net.SetReadDeadline(past)
	}
}

// logFault tells of input for which a connection is closed, at most once a minute: anybody can send it. What good clients
// send too is told to nobody but who looks for it.
func (s *Server) logFault(c *Conn, f *wire.Fault) {
	if f.Usual {
		s.log.Debug("client tries a version that is not spoken", slog.String("client", c.remote.String()),
			slog.String("error", f.Err.Message))
		return
	}
	last, now := s.lastFault.Load(), s.now()
	if last != 0 && now-last < int64(time.Minute) || !s.lastFault.CompareAndSwap(last, now) {
		return
	}
	s.log.Warn("client sent what is no message of the protocol", slog.String("client", c.remote.String()), slog.String("error",
		f.Err.Message))
}
