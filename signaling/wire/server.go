package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"aparte/sfu"
)

// Config is what a Server stands on.
type Config struct {
	SFU        *sfu.SFU   // required
	Authorizer Authorizer // required
	Log        *slog.Logger
	// RefreshEvery is the pause between refresh_token messages; 0 means 5 min.
	RefreshEvery time.Duration
}

// Server answers /rtc, /rtc/v1, their /validate and /settings/regions.
// It is an http.Handler; give the http.Server 64 kB for request lines
// (MaxHeaderBytes), because join_request carries an SDP.
type Server struct {
	// Set at creation.
	cfg      Config
	upgrader websocket.Upgrader
	ctx      context.Context // ends with Close
	stop     context.CancelFunc

	conns    sync.WaitGroup // one per upgraded connection
	joins    pace
	counters counters

	mu     sync.Mutex
	closed bool // guarded by mu: no connection is added any more
}

// NewServer makes a Server; Close it after the SFU.
func NewServer(cfg Config) *Server {
	if cfg.RefreshEvery == 0 {
		cfg.RefreshEvery = 5 * time.Minute
	}
	s := &Server{cfg: cfg}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.upgrader = websocket.Upgrader{
		HandshakeTimeout: 5 * time.Second,
		ReadBufferSize:   1024, // for each client, all the time; messages may be longer
		WriteBufferSize:  4096,
		WriteBufferPool:  &sync.Pool{},
		// A token in the query is the only credential and no cookie counts,
		// so any page may ask (architecture, decision 9).
		CheckOrigin: func(*http.Request) bool { return true },
	}
	return s
}

// Close ends the connections that are left and waits for their goroutines.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.conns.Wait()
}

// maxURI is how long a request line may be: a join_request with an SDP has 10 kB.
// The http.Server takes a bit more, so that the answer to a longer one is ours and
// a browser can read it.
const maxURI = 64 << 10

// ServeHTTP implements http.Handler. Every answer, errors included, carries
// the CORS header: browsers read the body of a failed validate to learn why.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
		h.Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	defer s.recovered(w, r)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD, OPTIONS")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if len(r.RequestURI) > maxURI {
		http.Error(w, "request line over 64 kB", http.StatusRequestURITooLong)
		return
	}
	// Clients append to any base path and may leave a double slash.
	path := "/" + strings.TrimLeft(r.URL.Path, "/")
	switch path {
	case "/rtc":
		s.rtc(w, r, false)
	case "/rtc/v1":
		s.rtc(w, r, true)
	case "/rtc/validate":
		s.validate(w, r, false)
	case "/rtc/v1/validate":
		s.validate(w, r, true)
	default:
		// /settings/regions among them: one node has no regions.
		http.Error(w, "not found", http.StatusNotFound)
	}
}

// recovered answers for a bug of ours; net/http would close the connection, and a
// browser take that for a server it cannot reach.
func (s *Server) recovered(w http.ResponseWriter, r *http.Request) {
	what := recover()
	if what == nil {
		return
	}
	if err, ok := what.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(what)
	}
	s.panicked(r.URL.Path, what)
	// On an upgraded connection this fails, and the socket is closed instead.
	http.Error(w, "internal error", http.StatusInternalServerError)
}

// survived ends one connection for a bug of ours, and not the process with the
// meetings of everybody else.
func (s *Server) survived(ws *websocket.Conn, path string) {
	if what := recover(); what != nil {
		s.panicked(path, what)
		_ = ws.Close()
	}
}

func (s *Server) panicked(path string, what any) {
	s.counters.panics.Add(1)
	s.cfg.Log.Error("panic in a request", "path", path, "panic", what, "stack", string(debug.Stack()))
}

func (s *Server) rtc(w http.ResponseWriter, r *http.Request, v1 bool) {
	if !websocket.IsWebSocketUpgrade(r) {
		http.Error(w, "this is a WebSocket endpoint", http.StatusNotFound)
		return
	}
	j, err := s.check(r, v1)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	if !s.joins.allow(j.params.Room, j.params.Identity) {
		s.counters.tooOften.Add(1)
		s.refuse(w, r, fmt.Errorf("%w: joining too often", ErrUnavailable))
		return
	}
	ws, err := s.upgrader.Upgrade(w, r, http.Header{"Access-Control-Allow-Origin": {"*"}})
	if err != nil {
		return // Upgrade has answered
	}
	if !s.begin() {
		_ = ws.Close() // while shutting down there is nobody to join
		return
	}
	// In a goroutine of its own: this one holds the request, whose line carried an SDP,
	// and the buffers of net/http. The path is a part of that line.
	path := strings.Clone(r.URL.Path)
	go func() {
		defer s.conns.Done()
		defer s.survived(ws, path)
		s.session(ws, j)
	}()
}

// begin counts a connection in, unless Close is waiting for the others.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.conns.Add(1)
	}
	return !s.closed
}

func (s *Server) validate(w http.ResponseWriter, r *http.Request, v1 bool) {
	if _, err := s.check(r, v1); err != nil {
		s.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("success")) // a client that went away is no news
}

// refuse answers with the status clients decide by and the reason in plain text.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, ErrUnauthorized):
		status = http.StatusUnauthorized
	case errors.Is(err, ErrForbidden):
		status = http.StatusForbidden
	case errors.Is(err, errBadRequest):
		status = http.StatusBadRequest
	case errors.Is(err, ErrNotFound), errors.Is(err, sfu.ErrNoRoom):
		status = http.StatusNotFound
	case errors.Is(err, ErrUnavailable), errors.Is(err, sfu.ErrFull), errors.Is(err, sfu.ErrClosing):
		status = http.StatusServiceUnavailable
	}
	s.counters.refused.Add(1)
	if status == http.StatusInternalServerError {
		s.cfg.Log.Error("join failed", "path", r.URL.Path, "error", err)
		err = errors.New("internal error")
	}
	http.Error(w, err.Error(), status)
}
