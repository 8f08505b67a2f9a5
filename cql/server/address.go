package server

// address is what the connections of one client address share. conns is guarded by Server.mu.
type address struct {
	conns int
	slots chan struct{} // one place for each connection in its handshake
}

// enter waits for a place in the handshake, and returns false when done is closed first.
func (a *address) enter(done <-chan struct{}) bool {
	select {
	case a.slots <- struct{}{}:
		return true
	default:
	}
	select {
	case a.slots <- struct{}{}:
		return true
	case <-done:
		return false
	}
}

// leaveHandshake gives the connection's place in the handshake to the next, once. It is called by the connection's
// goroutine, when the client is READY or the connection ends.
func (c *Conn) leaveHandshake() {
	if c.seated {
		c.seated = false
		<-c.group.slots
		c.srv.leave(c)
	}
}
