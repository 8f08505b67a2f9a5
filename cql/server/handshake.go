package server

import (
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/wire"
)

// handshake serves a message before READY. Source: ServerConnection.validateNewMessage, StartupMessage.execute,
// AuthResponse.execute.
func (c *Conn) handshake(e *wire.Envelope) bool {
	if c.early++; c.early > maxEarlyMessages {
		return c.fault(&wire.Fault{Err: cql.Protocolf("Too many messages before STARTUP"), Stream: e.Stream, Version: e.Version,
			Close: true})
	}
	if stage(c.stage.Load()) == stageAuth {
		if e.Opcode != wire.OpAuthResponse {
			return c.unexpected(e, "expecting SASL_RESPONSE")
		}
		return c.login(e)
	}
	switch e.Opcode {
	case wire.OpOptions:
		c.faults = 0
		c.send(e.Version, e.Stream, wire.OpSupported, wire.AppendSupported)
		return true
	case wire.OpStartup:
		return c.startup(e)
	}
	return c.unexpected(e, "expecting STARTUP or OPTIONS")
}

func (c *Conn) startup(e *wire.Envelope) bool {
	s, err := wire.DecodeStartup(e.Body, e.Version)
	if err != nil {
		answer, _ := wire.AsError(err)
		return c.fault(&wire.Fault{Err: answer, Stream: e.Stream, Version: e.Version, Close: s.Options == nil})
	}
	c.faults = 0
	c.throw = s.ThrowOnOverload
	c.version.Store(uint32(e.Version))
	c.identity.Store(&identity{options: s.Options})
	c.dec.SetReady(e.Version, s.Compression)
	// What follows the answer is compressed, and in v5 in segments; in v3 and v4 the answer itself is already compressed.
	if e.Version < cql.V5 {
		c.switchOutput(false, s.Compression)
	}
	if c.srv.auth == nil {
		c.send(e.Version, e.Stream, wire.OpReady, nil)
	} else {
		c.stage.Store(uint32(stageAuth))
		class := c.srv.auth.Class()
		c.send(e.Version, e.Stream, wire.OpAuthenticate, func(dst []byte) []byte { return wire.AppendAuthenticate(dst, class) })
	}
	if e.Version >= cql.V5 {
		c.switchOutput(true, s.Compression)
	}
	if c.srv.auth == nil {
		c.ready()
	}
	return true
}

// switchOutput makes all further messages go out in the form that STARTUP agreed on. What is gathered is written first.
func (c *Conn) switchOutput(framed bool, comp wire.Compression) {
	c.flush()
	c.mu.Lock()
	c.framed, c.compression = framed, comp
	c.mu.Unlock()
}

func (c *Conn) login(e *wire.Envelope) bool {
	token, err := wire.DecodeAuthToken(e.Body)
	if err != nil {
		answer, _ := wire.AsError(err)
		return c.fault(&wire.Fault{Err: answer, Stream: e.Stream, Version: e.Version})
	}
	user, err := c.srv.auth.Login(token)
	if err != nil {
		c.authFails++
		c.refuse(e, err)
		return c.authFails < maxAuthFailures
	}
	c.identity.Store(&identity{options: c.identity.Load().options, user: user})
	c.send(e.Version, e.Stream, wire.OpAuthSuccess, nullToken)
	c.ready()
	return true
}

// ready makes the handler's conversation.
func (c *Conn) ready() {
	c.dec.Limited = false
	c.handler = c.srv.handler.NewConn(c)
	c.stage.Store(uint32(stageReady))
	c.leaveHandshake()
}
