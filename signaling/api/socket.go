package api

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"aparte/signaling/api/strict"
)

// Close codes of our sockets, beside those of RFC 6455.
const (
	closeMalformed  = 4400 // a frame that is not what the contract says
	closeBadSession = 4401
	closeNoHello    = 4408
	closeSignedOut  = 4410 // the agent's session has ended
	closeTooSlow    = websocket.CloseTryAgainLater
)

// maxFrame bounds what a client may send in one message, in bytes.
const maxFrame = 4 << 10

// Bounds on open sockets, of this process and of one source.
const (
	maxSockets          = 20_000
	maxSocketsPerSource = 2_000
)

// sockets are those open now, to count them, to end them and to wait for them.
type sockets struct {
	wg sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	count    int
	bySource map[string]int
	open     map[*socketConn]struct{}
}

// enter takes a place for one more socket; leave gives it back.
func (s *sockets) enter(source string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.count >= maxSockets || s.bySource[source] >= maxSocketsPerSource {
		return false
	}
	if s.open == nil {
		s.open, s.bySource = make(map[*socketConn]struct{}), make(map[string]int)
	}
	s.count++
	s.bySource[source]++
	s.wg.Add(1)
	return true
}

func (s *sockets) leave(source string) {
	s.mu.Lock()
	s.count--
	if s.bySource[source]--; s.bySource[source] == 0 {
		delete(s.bySource, source)
	}
	s.mu.Unlock()
	s.wg.Done()
}

func (s *sockets) add(c *socketConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.open[c] = struct{}{}
	}
	return !s.closed
}

func (s *sockets) remove(c *socketConn) {
	s.mu.Lock()
	delete(s.open, c)
	s.mu.Unlock()
}

func (s *sockets) close() {
	s.mu.Lock()
	s.closed = true
	all := make([]*socketConn, 0, len(s.open))
	for c := range s.open {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		c.end(websocket.CloseGoingAway, "server is stopping")
	}
	s.wg.Wait()
}

// socketConn is one socket. One goroutine writes frames, one reads; end may be
// called from anywhere.
type socketConn struct {
	ws     *websocket.Conn
	timing Timing
	once   sync.Once
}

// serveSocket upgrades a request from one of our own pages and serves it until
// the function returns. A missing Origin is refused like a foreign one: browsers
// always send it.
func (a *API) serveSocket(w http.ResponseWriter, r *http.Request, serve func(*socketConn)) {
	source := a.source(r)
	if !a.sockets.enter(source) {
		sendProblem(w, tooMany(crowdedWait))
		return
	}
	defer a.sockets.leave(source)
	upgrader := websocket.Upgrader{
		HandshakeTimeout: a.timing.Write, ReadBufferSize: 1024, WriteBufferSize: 4096,
		CheckOrigin: a.ourOrigin,
		Error: func(w http.ResponseWriter, _ *http.Request, status int, reason error) {
			sendProblem(w, problem(status, codeInvalid, reason.Error()))
		},
	}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // answered above
	}
	c := &socketConn{ws: ws, timing: a.timing}
	defer c.end(websocket.CloseNormalClosure, "")
	ws.SetReadLimit(maxFrame)
	if !a.sockets.add(c) {
		c.end(websocket.CloseGoingAway, "server is stopping")
		return
	}
	defer a.sockets.remove(c)
	serve(c)
}

func (a *API) ourOrigin(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	return len(origins) == 1 && slices.Contains(a.origins, strings.ToLower(origins[0]))
}

// end closes the socket with a code; only the first call counts.
func (c *socketConn) end(code int, reason string) {
	c.once.Do(func() {
		frame := websocket.FormatCloseMessage(code, reason)
		_ = c.ws.WriteControl(websocket.CloseMessage, frame, time.Now().Add(c.timing.Write))
		_ = c.ws.Close()
	})
}

// send writes one message, for the writing goroutine only.
func (c *socketConn) send(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := c.ws.SetWriteDeadline(time.Now().Add(c.timing.Write)); err != nil {
		return err
	}
	return c.ws.WriteMessage(websocket.TextMessage, data)
}

func (c *socketConn) ping() error {
	return c.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(c.timing.Write))
}

// receive reads one text message into v, strictly. The bool says whether the
// message was bad, as opposed to the connection.
func (c *socketConn) receive(v any) (malformed bool, err error) {
	kind, data, err := c.ws.ReadMessage()
	if err != nil {
		return errors.Is(err, websocket.ErrReadLimit), err
	}
	if kind != websocket.TextMessage {
		return true, strict.ErrRefused
	}
	if err := strict.Decode(data, v); err != nil {
		return true, err
	}
	return false, nil
}

// listen hands messages to got, on a goroutine of its own, until the socket ends
// or got returns false; then it closes the channel it returned.
func (c *socketConn) listen(fresh func() any, got func(any) bool) <-chan struct{} {
	done := make(chan struct{})
	alive := func() error { return c.ws.SetReadDeadline(time.Now().Add(2*c.timing.Ping + c.timing.Write)) }
	c.ws.SetPongHandler(func(string) error { return alive() })
	go func() {
		defer close(done)
		if alive() != nil {
			return
		}
		for {
			v := fresh()
			malformed, err := c.receive(v)
			if malformed {
				c.end(closeMalformed, "malformed message")
			}
			if err != nil || !got(v) {
				return
			}
		}
	}()
	return done
}

func timedOut(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}
