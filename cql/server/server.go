package server

import (
	"container/list"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/wire"
)

// Options says what a Server is made of.
type Options struct {
	// Handler is given the requests.
	Handler Handler
	// Auth checks logins; nil lets everybody in (AllowAllAuthenticator).
	Auth Authenticator
	// Limits bounds what clients can do; its zero value means the defaults.
	Limits Limits
	// Logger is where events of connections are told; nil drops them.
	Logger *slog.Logger
}

// Server serves the native protocol on any number of listeners.
type Server struct {
	handler Handler
	auth    Authenticator
	limits  Limits
	log     *slog.Logger
	budget  budget // of requests in flight and answers that wait to be read
	large   budget // of large messages that are being received
	draft   draft  // of large

	lastID    atomic.Uint32
	coarse    atomic.Int64 // nanoseconds since the start, plus 1; stepped by the janitor
	lastFault atomic.Int64 // when a fault was logged
	refused   atomic.Uint64

	mu          sync.Mutex // guards the rest
	stopping    bool
	listeners   map[net.Listener]struct{}
	conns       map[*Conn]struct{}
	handshaking list.List // of *Conn, the oldest first
	places      map[*Conn]*list.Element
	addresses   map[netip.Addr]*address
	watched     bool           // there is a janitor
	done        chan struct{}  // closed when the server stops
	ended       chan struct{}  // closed when the last connection has ended, for the janitor
	running     sync.WaitGroup // the connections
	janitors    sync.WaitGroup
}

// ErrClosed is returned by Serve after Shutdown or Close.
var ErrClosed = errors.New("server closed")

// New returns a server that serves nothing yet.
func New(o Options) *Server {
	s := &Server{
		handler: o.Handler, auth: o.Auth, limits: o.Limits.withDefaults(), log: o.Logger,
		listeners: make(map[net.Listener]struct{}), conns: make(map[*Conn]struct{}), places: make(map[*Conn]*list.Element),
		addresses: make(map[netip.Addr]*address), done: make(chan struct{}), ended: make(chan struct{}),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.budget.limit, s.large.limit, s.draft = s.limits.MaxBytes, s.limits.MaxLargeBytes, newDraft()
	s.coarse.Store(1)
	return s
}

// Serve accepts connections from l until Shutdown, Close or an error of l, and returns why. It closes l.
func (s *Server) Serve(l net.Listener) error {
	defer func() { _ = l.Close() }()
	s.mu.Lock()
	if s.stopping {
		s.mu.Unlock()
		return ErrClosed
	}
	s.listeners[l] = struct{}{}
	if !s.watched {
		s.watched = true
		s.janitors.Go(s.janitor)
	}
	s.mu.Unlock()
	wait := time.Duration(0)
	for {
		nc, err := l.Accept()
		if err == nil {
			wait = 0
			s.start(nc)
			continue
		}
		select {
		case <-s.done:
			return ErrClosed
		default:
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		// Too many open files, or a client that was gone at once: others will come.
		wait = min(max(2*wait, 5*time.Millisecond), time.Second)
		s.log.Warn("accept failed", slog.String("error", err.Error()))
		select {
		case <-s.done:
		case <-time.After(wait):
		}
	}
}

// start begins to serve an accepted connection, or refuses it.
func (s *Server) start(nc net.Conn) {
	c := &Conn{srv: s, net: nc, id: s.lastID.Add(1), remote: addrPort(nc.RemoteAddr()), room: make(chan struct{}, 1)}
	c.dec = wire.Decoder{MaxFrame: s.limits.MaxFrame, Limited: true, Channel: c.String(), Reserve: c.reserve}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.born = s.now()
	var oldest *Conn
	s.mu.Lock()
	group := s.addresses[c.remote.Addr()]
	switch {
	case s.stopping:
		s.mu.Unlock()
		c.Close()
		return
	case len(s.conns) >= s.limits.MaxConnections || group != nil && group.conns >= s.limits.MaxConnectionsPerAddress:
		s.mu.Unlock()
		s.refused.Add(1)
		if tcp, ok := nc.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		c.Close()
		return
	}
	if group == nil {
		group = &address{slots: make(chan struct{}, s.limits.MaxHandshakesPerAddress)}
		s.addresses[c.remote.Addr()] = group
	}
	group.conns++
	c.group = group
	s.conns[c] = struct{}{}
	s.places[c] = s.handshaking.PushBack(c)
	if s.handshaking.Len() > s.limits.MaxHandshakes {
		oldest = s.handshaking.Front().Value.(*Conn)
	}
	s.running.Go(c.serve)
	s.mu.Unlock()
	if oldest != nil {
		s.leave(oldest)
		oldest.Close()
	}
}

// addrPort returns an address of any network; one that is not IP is zero.
func addrPort(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		ap := tcp.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	ap, _ := netip.ParseAddrPort(a.String())
	return ap
}

// leave takes c out of the connections that are not READY.
func (s *Server) leave(c *Conn) {
	s.mu.Lock()
	if place := s.places[c]; place != nil {
		s.handshaking.Remove(place)
		delete(s.places, c)
	}
	s.mu.Unlock()
}

// remove forgets c.
func (s *Server) remove(c *Conn) {
	s.mu.Lock()
	delete(s.conns, c)
	if c.group.conns--; c.group.conns == 0 {
		delete(s.addresses, c.remote.Addr())
	}
	s.mu.Unlock()
}

// Broadcast sends e to every client that registered for its kind.
func (s *Server) Broadcast(e *wire.Event) {
	var bodies [cql.V5 + 1][]byte
	for _, c := range s.all() {
		if !c.Registered(e.Type) {
			continue
		}
		v := c.Version()
		if bodies[v] == nil {
			bodies[v] = wire.AppendEvent(nil, v, e)
		}
		c.sendEvent(bodies[v])
	}
}

// all returns the connections of this moment.
func (s *Server) all() []*Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*Conn, 0, len(s.conns))
	for c := range s.conns {
		list = append(list, c)
	}
	return list
}

// Shutdown ends the server: it accepts no more, answers the requests that it has received, and returns when all
// connections have ended. When ctx ends first it closes them, waits for the requests that still run, and returns
// ctx's error.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop()
	for _, c := range s.all() {
		c.drain()
	}
	done := make(chan struct{})
	go func() {
		s.wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	for _, c := range s.all() {
		c.Close()
	}
	<-done
	return ctx.Err()
}

// Close ends the server and all connections at once, and returns when the requests in flight have ended.
func (s *Server) Close() error {
	s.stop()
	for _, c := range s.all() {
		c.Close()
	}
	s.wait()
	return nil
}

// wait returns when all goroutines of the server have ended.
func (s *Server) wait() {
	s.running.Wait()
	s.mu.Lock()
	if s.watched {
		s.watched = false
		close(s.ended)
	}
	s.mu.Unlock()
	s.janitors.Wait()
}

// stop closes the listeners and lets nobody in any more.
func (s *Server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return
	}
	s.stopping = true
	close(s.done)
	for l := range s.listeners {
		_ = l.Close()
	}
}

// Client describes a connection, for system_views.clients and nodetool.
type Client struct {
	ID       uint32
	Address  netip.AddrPort
	Version  cql.Version // 0 before STARTUP
	Stage    string      // ESTABLISHED, AUTHENTICATING or READY
	User     string
	Keyspace string
	Options  map[string]string
	Events   wire.EventType
	Requests uint64
}

// Clients returns all connections in the order in which they came.
func (s *Server) Clients() []Client {
	conns := s.all()
	list := make([]Client, 0, len(conns))
	for _, c := range conns {
		cl := Client{
			ID: c.id, Address: c.remote, Version: c.Version(), Stage: stage(c.stage.Load()).String(), User: c.User(),
			Options: c.Options(), Events: wire.EventType(c.events.Load()), Requests: c.served.Load(),
		}
		if ks := c.keyspace.Load(); ks != nil {
			cl.Keyspace = *ks
		}
		list = append(list, cl)
	}
	slices.SortFunc(list, func(a, b Client) int { return int(int32(a.ID - b.ID)) })
	return list
}

// Stats are the server's gauges and counters.
type Stats struct {
	Connections int    // open now
	Handshakes  int    // of those, not READY
	Refused     uint64 // connections over a limit, ever
	Bytes       int64  // of requests in flight, with their overhead, and of answers that wait
	LargeBytes  int64  // of large messages that are being received
}

// Stats returns the figures of this moment.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Connections: len(s.conns), Handshakes: s.handshaking.Len(), Refused: s.refused.Load(), Bytes: s.budget.used.Load(),
		LargeBytes: s.large.used.Load()}
}
