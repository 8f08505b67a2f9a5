package server

// largeMemory is from where the memory that a message being received takes, in bytes, is counted against the budget that
// all connections share for it; less of it is covered by the number of connections. The budget is one of its own, so that
// those who hold it with messages that they do not finish stop nobody with small ones.
const largeMemory = frameStep

// holding is what a connection holds of the memory for large messages. It belongs to the connection's goroutine.
type holding struct {
	chunk, decoder int64 // bytes
	charged        int64 // their sum, as the budget counts it
	draft          bool  // has gone over the budget
}

// holdChunk counts n bytes of the chunk, waiting until there is memory. It returns false when the connection has ended.
func (c *Conn) holdChunk(n int) bool {
	if n <= largeMemory {
		n = 0
	}
	return c.hold(int64(n), c.held.decoder)
}

// reserve counts n bytes of the decoder in the same way. It is the decoder's Reserve.
func (c *Conn) reserve(n int) bool { return c.hold(c.held.chunk, int64(n)) }

// settle counts what the decoder still holds when a message has been served.
func (c *Conn) settle() {
	if c.held.decoder == 0 || c.dec.InFrame() {
		return
	}
	c.dec.Trim(largeMemory)
	n := c.dec.Held()
	if n <= largeMemory {
		n = 0
	}
	c.hold(c.held.chunk, int64(n))
}

// hold counts memory of a message that is being received. While it waits the socket is not read, and the time of the
// message runs: who holds memory and waits is closed when that is up.
func (c *Conn) hold(chunk, decoder int64) bool {
	h, b := &c.held, &c.srv.large
	more := chunk + decoder - h.charged
	switch {
	case more < 0:
		if h.draft && b.used.Load()+more <= b.limit || chunk+decoder == 0 {
			c.endDraft()
		}
		b.give(-more)
	case h.draft:
		b.take(more)
	case more > 0 && !b.tryTake(more) && !c.awaitMemory(more):
		return false
	}
	h.chunk, h.decoder, h.charged = chunk, decoder, chunk+decoder
	return true
}

// awaitMemory takes n bytes when there are so many, or when no other connection goes over the budget.
func (c *Conn) awaitMemory(n int64) bool {
	if !c.flush() {
		return false
	}
	if c.mark == 0 {
		c.mark, c.got = c.srv.now(), 0
	}
	c.inFrame.Store(c.mark)
	defer c.inFrame.Store(0)
	b := &c.srv.large
	return b.wait(func() bool {
		if b.tryTake(n) {
			return true
		}
		if c.srv.draft.take() {
			c.held.draft = true
			b.take(n)
			return true
		}
		return false
	}, nil, c.ctx.Done())
}

func (c *Conn) endDraft() {
	if c.held.draft {
		c.held.draft = false
		c.srv.draft.give()
	}
}
