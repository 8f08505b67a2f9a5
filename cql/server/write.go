package server

import (
	"github.com/helenusdb/helenus/cql/wire"
)

// output returns the buffer that replies of the connection's goroutine are gathered in.
func (c *Conn) output() *wire.Output {
	if c.out == nil {
		c.out = c.newOutput()
	}
	return c.out
}

// newOutput returns an empty buffer for this connection.
func (c *Conn) newOutput() *wire.Output {
	out := outputs.Get().(*wire.Output)
	c.mu.Lock()
	out.Reset(c.framed, c.compression, keepOutput)
	c.mu.Unlock()
	return out
}

// tailLocked returns the buffer at the end of the queue that small messages are copied to.
func (c *Conn) tailLocked() *wire.Output {
	if c.open {
		if last := c.queue[len(c.queue)-1]; last.Len() < flushSize {
			return last
		}
	}
	out := outputs.Get().(*wire.Output)
	out.Reset(c.framed, c.compression, keepOutput)
	c.queue = append(c.queue, out)
	c.open = true
	return out
}

// enqueue queues the reply in out, from any goroutine, and takes out.
func (c *Conn) enqueue(out *wire.Output) {
	single := out.Single()
	if len(single) > smallReply {
		single = nil
	}
	if single == nil {
		out.Bytes() // closes the segment here rather than under the lock
	}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		putOutput(out)
		return
	}
	if single != nil {
		c.countLocked(len(single))
		c.tailLocked().Add(single)
	} else {
		c.countLocked(out.Len())
		c.queue = append(c.queue, out)
		c.open = false
	}
	c.startFlushLocked()
	c.mu.Unlock()
	if single != nil {
		putOutput(out)
	}
}

// countLocked counts n bytes that wait to be written. They are memory like the requests that they answer.
func (c *Conn) countLocked(n int) {
	c.queueBytes += n
	c.queued.Add(int64(n))
	c.srv.budget.take(int64(n))
}

// written takes n bytes off again, and wakes the connection's goroutine, if it waits for room.
func (c *Conn) written(n int) {
	if n == 0 {
		return
	}
	c.queued.Add(-int64(n))
	c.srv.budget.give(int64(n))
	c.poke()
	if c.gated.Load() && !c.Clogged() {
		c.mu.Lock()
		if c.gated.Load() { // another goroutine may have written at the same time
			c.gated.Store(false)
			close(c.gate)
		}
		c.mu.Unlock()
	}
}

// AwaitReader waits until the connection is not clogged, or its client is gone. Thousands of requests may have been taken
// before the first of them is answered.
func (c *Conn) AwaitReader() {
	for c.Clogged() {
		c.mu.Lock()
		if !c.gated.Load() {
			c.gate = make(chan struct{})
			c.gated.Store(true)
		}
		gate := c.gate
		c.mu.Unlock()
		if !c.Clogged() { // written may have looked at gated before it was set
			return
		}
		select {
		case <-gate:
		case <-c.ctx.Done():
			return
		}
	}
}

// startFlushLocked starts a goroutine that drains the queue, unless there is one.
func (c *Conn) startFlushLocked() {
	if !c.flushing {
		c.flushing = true
		c.flushers.Go(c.drainQueue)
	}
}

func (c *Conn) drainQueue() {
	for {
		c.wmu.Lock()
		queue, n := c.takeQueue(true)
		if len(queue) == 0 {
			c.wmu.Unlock()
			return
		}
		c.write(queue, nil)
		c.wmu.Unlock()
		c.written(n)
	}
}

// takeQueue returns what is queued, until the next call, and how many bytes were counted for it. An empty queue ends
// the flushing goroutine when last is true. wmu must be held.
func (c *Conn) takeQueue(last bool) (queue []*wire.Output, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	queue, n = c.queue, c.queueBytes
	if len(queue) == 0 {
		if last {
			c.flushing = false
		}
		return nil, 0
	}
	c.queue, c.spare = c.spare[:0], queue
	c.open, c.eventBytes, c.queueBytes = false, 0, 0
	return queue, n
}

// flush writes what the connection's goroutine has gathered, and before it what is queued. It reports whether the
// connection is still good.
func (c *Conn) flush() bool {
	if c.out == nil {
		return c.ctx.Err() == nil
	}
	out := c.out
	c.out = nil
	c.wmu.Lock()
	queue, n := c.takeQueue(false)
	ok := c.write(queue, out)
	c.wmu.Unlock()
	c.written(n)
	return ok
}

// flushLast writes what is left; nothing is taken afterwards.
func (c *Conn) flushLast() {
	c.flush()
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.flushers.Wait()
}

// write writes the buffers in one call and gives them back. wmu must be held.
func (c *Conn) write(queue []*wire.Output, last *wire.Output) bool {
	if last != nil {
		queue = append(queue, last)
	}
	ok := c.ctx.Err() == nil
	if ok {
		if len(queue) == 1 {
			ok = c.writeBytes(queue[0].Bytes())
		} else {
			ok = c.writeAll(queue)
		}
	}
	for i, out := range queue {
		putOutput(out)
		queue[i] = nil
	}
	if !ok {
		c.Close()
	}
	return ok
}

// writeAll writes several buffers with as few system calls as the connection allows.
func (c *Conn) writeAll(queue []*wire.Output) bool {
	c.iov = c.iov[:0]
	size := 0
	for _, out := range queue {
		b := out.Bytes()
		if size+len(b) > writeStep && size > 0 {
			if !c.writeVector() {
				return false
			}
			size = 0
		}
		if len(b) > writeStep {
			if !c.writeBytes(b) {
				return false
			}
			continue
		}
		c.iov = append(c.iov, b)
		size += len(b)
	}
	return size == 0 || c.writeVector()
}

// writeVector writes iov and empties it.
func (c *Conn) writeVector() bool {
	all := c.iov
	c.inWrite.Store(c.srv.now())
	_, err := c.iov.WriteTo(c.net)
	c.inWrite.Store(0)
	clear(all)
	c.iov = all[:0]
	return err == nil
}

// writeBytes writes b in steps, each of which the janitor gives WriteTimeout.
func (c *Conn) writeBytes(b []byte) bool {
	for len(b) > 0 {
		n := min(len(b), writeStep)
		c.inWrite.Store(c.srv.now())
		_, err := c.net.Write(b[:n])
		c.inWrite.Store(0)
		if err != nil {
			return false
		}
		b = b[n:]
	}
	return true
}
