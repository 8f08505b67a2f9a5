package server

import (
	"errors"
	"os"
	"time"
)

var (
	errDraining = errors.New("the server is shutting down")
	errOver     = errors.New("the connection was closed")
)

// fill writes what is gathered and then reads more, at least one byte. No bytes that were read before are needed any
// more but in.b[r:w].
func (c *Conn) fill() error {
	if !c.flush() {
		return errOver
	}
	if err := c.makeRoom(); err != nil {
		return err
	}
	c.dec.Trim(busyChunk) // a segment takes little to unpack to much, and there may be thousands who wait
	for {
		if c.draining.Load() {
			return errDraining
		}
		n, err := c.read()
		if n > 0 {
			c.arrived = time.Now()
			return nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		// The janitor, or drain, has woken us; the other case is that it meant a read that had just ended.
		if err := c.net.SetReadDeadline(noDeadline); err != nil {
			return err
		}
		c.shrink()
	}
}

// shrink gives up the memory that an idle connection does not need. That of its Request is among it: what a handler
// keeps there may hold on to a chunk.
func (c *Conn) shrink() {
	if c.r == c.w && !c.in.shared() && len(c.in.b) > 1<<minChunkBits {
		c.in.release()
		c.in, c.r, c.w = newChunk(1), 0, 0
		c.holdChunk(0)
	}
	c.dec.Trim(0)
	c.settle()
	if c.req != nil {
		requests.Put(c.req)
		c.req = nil
	}
}

// read reads once into the room behind w, and tells the janitor what it waits for.
func (c *Conn) read() (int, error) {
	now := c.srv.now()
	if c.w > c.r || c.dec.InFrame() {
		if c.mark == 0 {
			c.mark, c.got = now, 0
		}
		c.inFrame.Store(c.mark)
	} else {
		c.mark = 0
		c.inFrame.Store(0)
	}
	if len(c.in.b) > 1<<minChunkBits || c.dec.Held() > 0 {
		c.parked.Store(now)
	}
	n, err := c.net.Read(c.in.b[c.w:])
	c.inFrame.Store(0)
	c.parked.Store(0)
	c.w += n
	if c.got += n; c.got >= frameStep {
		c.mark = 0
	}
	return n, err
}

// makeRoom makes in ready for a read: with free bytes behind w, and as large as the next message needs as far as it
// has been received, which is at most twice of what there is.
func (c *Conn) makeRoom() error {
	need := c.dec.Need()
	if c.in == nil {
		c.in = newChunk(1)
		return nil
	}
	if c.w == len(c.in.b) && len(c.in.b) < busyChunk && !c.dec.Limited {
		c.replace(busyChunk) // more comes at once than fits: the client is busy
		return nil
	}
	have := c.w - c.r
	if have == 0 && !c.in.shared() {
		c.r, c.w = 0, 0
		if len(c.in.b) > 1<<maxChunkBits {
			c.replace(busyChunk)
			c.holdChunk(0)
		}
		return nil
	}
	free := len(c.in.b) - c.w
	if have == 0 && free >= len(c.in.b)/4 || have > 0 && free > 0 && c.r+need <= len(c.in.b) {
		return nil
	}
	if have > 0 && free > 0 && len(c.in.b)-c.r > busyChunk {
		return nil // the message is larger than the chunk, which grows only as it comes
	}
	if !c.in.shared() && c.r > 0 && (need <= len(c.in.b) || c.w == len(c.in.b)) {
		copy(c.in.b, c.in.b[c.r:c.w])
		c.r, c.w = 0, have
		if need <= len(c.in.b) {
			return nil
		}
	}
	size := 1
	if have > 0 {
		size = max(have+1, min(need, 2*max(len(c.in.b), have)))
	}
	if !c.dec.Limited {
		size = max(size, busyChunk)
	}
	if !c.holdChunk(size) {
		return errOver
	}
	c.replace(size)
	return nil
}

// replace moves what is left to be used into a chunk of size bytes.
func (c *Conn) replace(size int) {
	next := newChunk(size)
	c.w = copy(next.b, c.in.b[c.r:c.w])
	c.r = 0
	c.in.release()
	c.in = next
}
