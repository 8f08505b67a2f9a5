// Package admin is the local endpoint of a node for its operator: verbs over HTTP and JSON, one table of them all. Its nouns
// are the Server and the Node, which is what the verbs need of the node they are for.
//
// A verb is a POST of a JSON object, its arguments, to /v1/ and its name; the answer is a JSON object. GET /v1/ lists the verbs.
// An error is {"error": text, "kind": kind}, the kind being one of the constants below.
//
// Who may call: without a token only clients of this machine, and no web page in a browser of it: a request must name a
// loopback address as its host, come from one, have a content type that a form cannot have, and no origin. With a token every
// request must bring it, as a bearer token or as the password of basic authentication with any name.
//
// Floor: above cql/schema. Source: org.apache.cassandra.tools.NodeProbe, service.StorageServiceMBean; ecosystem.md 3.2.
package admin

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// DefaultPort is where nodetool looks for a node.
const DefaultPort = 7199

// Bounds of the endpoint: bytes of a request's head and body, requests at a time, and how long a request may take to arrive.
const (
	maxHead     = 16 << 10
	maxBody     = 1 << 20
	maxRequests = 32
	arriveTime  = 10 * time.Second
	idleTime    = time.Minute
)

// The kinds of errors.
const (
	// KindArgument is a call that names what is not there, or asks for what makes no sense.
	KindArgument = "argument"
	// KindRefused is one too, which nodetool has always told as something that failed.
	KindRefused = "refused"
	// KindFailed is a call that was understood and could not be carried out.
	KindFailed = "failed"
	// KindUnsupported is a call for what this version does not do.
	KindUnsupported = "unsupported"
	// KindDenied is a call by someone who may not.
	KindDenied = "denied"
)

// Error is what a verb answers when it does not succeed.
type Error struct {
	Kind    string `json:"kind"`
	Message string `json:"error"`
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// Argument returns an error of KindArgument.
func Argument(format string, args ...any) error {
	return &Error{Kind: KindArgument, Message: fmt.Sprintf(format, args...)}
}

// Refused returns an error of KindRefused.
func Refused(format string, args ...any) error {
	return &Error{Kind: KindRefused, Message: fmt.Sprintf(format, args...)}
}

// Failed returns an error of KindFailed.
func Failed(format string, args ...any) error {
	return &Error{Kind: KindFailed, Message: fmt.Sprintf(format, args...)}
}

// Unsupported returns an error of KindUnsupported.
func Unsupported(format string, args ...any) error {
	return &Error{Kind: KindUnsupported, Message: fmt.Sprintf(format, args...)}
}

// Options say how to serve. Log must be set.
type Options struct {
	// Token is what callers must bring; "" lets in the users of this machine, and only them.
	Token string
	Log   *slog.Logger
}

// Server is the endpoint of one node.
type Server struct {
	node     Node
	opts     Options
	http     *http.Server
	stop     context.CancelFunc
	base     context.Context
	requests chan struct{}
}

// New returns a server that is not serving yet.
func New(node Node, o Options) *Server {
	s := &Server{node: node, opts: o, requests: make(chan struct{}, maxRequests)}
	s.base, s.stop = context.WithCancel(context.Background())
	s.http = &http.Server{
		Handler: s, MaxHeaderBytes: maxHead, ReadHeaderTimeout: arriveTime, ReadTimeout: arriveTime, IdleTimeout: idleTime,
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	return s
}

// Check returns why an address may not be listened on with these options: beyond this machine there must be a token.
func (o *Options) Check(a netip.Addr) error {
	if !a.IsLoopback() && o.Token == "" {
		return fmt.Errorf("%s is reachable from other machines: the admin endpoint listens there only with a token", a)
	}
	return nil
}

// Serve answers on a listener until Close; it then returns nil.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Close stops listening, waits for the requests in flight as long as ctx lasts, and ends what is left.
func (s *Server) Close(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	s.stop()
	if err != nil {
		return errors.Join(err, s.http.Close())
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case s.requests <- struct{}{}:
		defer func() { <-s.requests }()
	default:
		s.refuse(w, http.StatusServiceUnavailable, &Error{KindFailed, "too many admin requests at a time"})
		return
	}
	if status, err := s.admit(r); err != nil {
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Basic realm="helenus"`)
		}
		s.refuse(w, status, &Error{KindDenied, err.Error()})
		return
	}
	name, ok := strings.CutPrefix(r.URL.Path, "/v1/")
	if !ok {
		s.refuse(w, http.StatusNotFound, &Error{KindArgument, "verbs are below /v1/"})
		return
	}
	if name == "" && r.Method == http.MethodGet {
		s.answer(w, map[string]any{"verbs": Verbs()})
		return
	}
	v, ok := verbs[name]
	if !ok {
		s.refuse(w, http.StatusNotFound, &Error{KindArgument, fmt.Sprintf("unknown verb %q", name)})
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		s.refuse(w, http.StatusMethodNotAllowed, &Error{KindArgument, "verbs are called by POST"})
		return
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		s.refuse(w, http.StatusUnsupportedMediaType, &Error{KindArgument, "arguments are application/json"})
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		s.refuse(w, http.StatusRequestEntityTooLarge, &Error{KindArgument, err.Error()})
		return
	}
	ctx := r.Context()
	if v.detached {
		ctx = s.base
	}
	began := time.Now()
	result, err := v.call(ctx, s.node, body)
	if v.changes {
		attrs := []any{slog.String("verb", name), slog.String("client", r.RemoteAddr), slog.Int64("took_ms", time.Since(began).Milliseconds())}
		if err != nil {
			attrs = append(attrs, slog.String("error", err.Error()))
		}
		s.opts.Log.Info("Admin verb", attrs...)
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	s.answer(w, result)
}

// admit returns why a request is not let in.
func (s *Server) admit(r *http.Request) (status int, err error) {
	if s.opts.Token != "" {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			_, given, _ = r.BasicAuth()
		}
		if subtle.ConstantTimeCompare([]byte(given), []byte(s.opts.Token)) != 1 {
			return http.StatusUnauthorized, errors.New("the admin endpoint wants its token: give it as the password")
		}
		return 0, nil
	}
	if a, err := netip.ParseAddrPort(r.RemoteAddr); err != nil || !a.Addr().Unmap().IsLoopback() {
		return http.StatusForbidden, errors.New("without a token only this machine may call the admin endpoint")
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	ours := host == "localhost" || err == nil && a.IsLoopback()
	if site := r.Header.Get("Sec-Fetch-Site"); !ours || r.Header.Get("Origin") != "" || site != "" && site != "none" {
		return http.StatusForbidden, errors.New("web pages may not call the admin endpoint")
	}
	return 0, nil
}

// fail answers with an error of a verb.
func (s *Server) fail(w http.ResponseWriter, err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{KindFailed, err.Error()}
	}
	status := http.StatusInternalServerError
	switch e.Kind {
	case KindArgument, KindRefused:
		status = http.StatusBadRequest
	case KindUnsupported:
		status = http.StatusNotImplemented
	}
	s.refuse(w, status, &Error{e.Kind, err.Error()})
}

func (s *Server) refuse(w http.ResponseWriter, status int, e *Error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	s.write(w, e)
}

func (s *Server) answer(w http.ResponseWriter, v any) {
	if v == nil {
		v = struct{}{}
	}
	w.Header().Set("Content-Type", "application/json")
	s.write(w, v)
}

func (s *Server) write(w io.Writer, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		s.opts.Log.Error("Admin answer", slog.String("error", err.Error()))
		return
	}
	if _, err := w.Write(append(b, '\n')); err != nil {
		s.opts.Log.Debug("Admin answer", slog.String("error", err.Error()))
	}
}
