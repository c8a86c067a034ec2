package wire

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/livekit"
	"golang.org/x/time/rate"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"aparte/sfu"
)

const (
	// maxMessage is what one signal message may hold: an SDP of a large room
	// is about 100 kB. Longer ones are refused, those over hardLimit close.
	maxMessage = 256 << 10
	hardLimit  = 4 << 20
	// Messages a second, and in a burst (candidates come in bursts).
	maxRate, maxBurst = 100, 300
	// maxRefused is how many refusals in a row, without a good message
	// between them, end the connection.
	maxRefused = 200
	// outQueue holds what a room says while the client's network hangs.
	outQueue = 512
	// outBytes is what these may amount to; one message alone may be larger.
	outBytes = 4 << 20

	writeLimit   = 10 * time.Second
	flushLimit   = 2 * time.Second // for what is queued when closing
	lingerLimit  = time.Second     // for the client to take it, see writeLoop
	pingEvery    = 10 * time.Second
	silenceLimit = 30 * time.Second // three pings unanswered
)

// conn is one client's WebSocket. It implements sfu.Signal.
type conn struct {
	// Set at creation.
	ws    *websocket.Conn
	log   *slog.Logger
	wake  chan struct{} // holds one: there is something in out
	close chan struct{} // closed by Close: flush and end
	done  chan struct{} // closed when the writer ended
	rate  *rate.Limiter
	count *counters
	terse bool // the client fails on a RequestResponse

	once sync.Once
	text atomic.Bool // the client speaks protojson: answer in kind

	// Guarded by mu. The queue is a slice: it is empty nearly always, and a channel would
	// hold its places for everyone.
	mu     sync.Mutex
	out    []*livekit.SignalResponse
	queued int64 // bytes in out, and in the message that is written
	left   bool  // a leave is queued: it is the last word
	code   int   // why we close, for the close frame
	reason string
	ending bool // the last frame is out: read on only until the client closes

	refused int // owned by readLoop
}

func newConn(ws *websocket.Conn, log *slog.Logger, count *counters) *conn {
	c := &conn{
		ws: ws, log: log, count: count,
		wake:  make(chan struct{}, 1),
		close: make(chan struct{}),
		done:  make(chan struct{}),
		rate:  rate.NewLimiter(maxRate, maxBurst),
		code:  websocket.CloseNormalClosure,
	}
	ws.SetReadLimit(hardLimit)
	go c.writeLoop()
	return c
}

// Send queues a message for the client and never blocks. A client that does
// not take its messages is closed: it will resume and be told everything anew.
func (c *conn) Send(m *livekit.SignalResponse) {
	select {
	case <-c.close:
		return
	default:
	}
	messages, bytes, ok := c.enqueue(m)
	if !ok {
		c.count.queueFull.Add(1)
		c.log.Warn("signal queue full, closing", "messages", messages, "bytes", bytes)
		c.closeWith(websocket.ClosePolicyViolation, "signal queue full")
		return
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// enqueue tells what is queued, and whether there was room. After a leave nothing is
// queued any more.
func (c *conn) enqueue(m *livekit.SignalResponse) (messages int, bytes int64, ok bool) {
	size := int64(proto.Size(m))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left { // such as a token that was being signed meanwhile
		return len(c.out), c.queued, true
	}
	c.left = m.GetLeave() != nil
	if len(c.out) == outQueue || c.queued > 0 && c.queued+size > outBytes {
		return len(c.out), c.queued, false
	}
	c.out = append(c.out, m)
	c.queued += size
	return len(c.out), c.queued, true
}

// next takes the oldest message out of the queue; nil when there is none.
func (c *conn) next() *livekit.SignalResponse {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.out) == 0 {
		c.out = nil
		return nil
	}
	m := c.out[0]
	c.out[0] = nil
	c.out = c.out[1:]
	return m
}

// written notes that m left the queue for good.
func (c *conn) written(m *livekit.SignalResponse) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queued -= int64(proto.Size(m))
}

// Close sends what is queued, then closes the socket. It does not wait.
func (c *conn) Close() { c.closeWith(websocket.CloseNormalClosure, "") }

func (c *conn) closeWith(code int, reason string) {
	c.once.Do(func() {
		c.mu.Lock()
		c.code, c.reason = code, reason
		c.mu.Unlock()
		close(c.close)
	})
}

// writeLoop is the only writer of data frames. It does not close the socket
// after the last one: with unread bytes of the client in it, closing would
// reset the connection, and the client might never see why.
func (c *conn) writeLoop() {
	defer close(c.done)
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		select {
		case <-c.wake:
			m := c.next()
			if m == nil {
				continue
			}
			if !c.write(m, writeLimit) {
				return
			}
			select { // there may be more
			case c.wake <- struct{}{}:
			default:
			}
		case <-ping.C:
			if c.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeLimit)) != nil {
				c.abort()
				return
			}
		case <-c.close:
			c.flush()
			c.mu.Lock()
			c.ending = true
			_ = c.ws.SetReadDeadline(time.Now().Add(lingerLimit)) // fails on a closed socket only
			c.mu.Unlock()
			return
		}
	}
}

func (c *conn) flush() {
	until := time.Now().Add(flushLimit)
	for m := c.next(); m != nil; m = c.next() {
		if !c.write(m, time.Until(until)) {
			return
		}
	}
	c.mu.Lock()
	frame := websocket.FormatCloseMessage(c.code, c.reason)
	c.mu.Unlock()
	// The peer may be gone already; then there is nobody to tell.
	_ = c.ws.WriteControl(websocket.CloseMessage, frame, until)
}

func (c *conn) write(m *livekit.SignalResponse, limit time.Duration) bool {
	defer c.written(m)
	kind := websocket.BinaryMessage
	var raw []byte
	var err error
	if c.text.Load() {
		kind = websocket.TextMessage
		raw, err = protojson.Marshal(m)
	} else {
		raw, err = proto.Marshal(m)
	}
	if err != nil {
		c.log.Error("encode signal message", "error", err)
		return true
	}
	if err := c.ws.SetWriteDeadline(time.Now().Add(limit)); err != nil {
		return false
	}
	if err := c.ws.WriteMessage(kind, raw); err != nil {
		c.abort()
		return false
	}
	return true
}

// abort ends a connection that takes nothing any more.
func (c *conn) abort() {
	c.closeWith(websocket.CloseNormalClosure, "")
	_ = c.ws.Close()
}

// extend allows the client to be silent for a while from now on.
func (c *conn) extend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ending {
		_ = c.ws.SetReadDeadline(time.Now().Add(silenceLimit)) // fails on a closed socket only
	}
}

// end closes the connection and waits: what is queued is sent, what the client
// still sends is dropped until it closes its side.
func (c *conn) end() {
	c.Close()
	<-c.done
	for {
		if _, _, err := c.ws.NextReader(); err != nil {
			break
		}
	}
	_ = c.ws.Close()
}

// readLoop hands messages to the session, in order, until the socket ends.
// Pings are answered here, never behind room work.
func (c *conn) readLoop(session *sfu.Session) {
	c.extend()
	c.ws.SetPongHandler(func(string) error { c.extend(); return nil })
	for {
		kind, r, err := c.ws.NextReader()
		if err != nil {
			return
		}
		raw, err := readMessage(r)
		c.extend()
		switch {
		case errors.Is(err, errTooLong):
			c.count.tooLong.Add(1)
			if !c.refuse(nil, livekit.RequestResponse_LIMIT_EXCEEDED, err.Error()) {
				return
			}
			continue
		case err != nil:
			return
		}
		msg, err := decode(kind, raw)
		if err != nil {
			c.count.notDecoded.Add(1)
			if !c.refuse(nil, livekit.RequestResponse_INVALID_REQUEST, "not a signal message") {
				return
			}
			continue
		}
		c.text.Store(kind == websocket.TextMessage)
		if !c.rate.Allow() {
			c.count.tooMany.Add(1)
			if !c.refuse(msg, livekit.RequestResponse_LIMIT_EXCEEDED, fmt.Sprintf("over %d messages a second", maxRate)) {
				return
			}
			continue
		}
		c.refused = 0
		if c.pong(msg) {
			continue
		}
		if !session.Handle(c, msg) {
			return
		}
	}
}

var errTooLong = fmt.Errorf("signal message over %d bytes", maxMessage)

func readMessage(r io.Reader) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxMessage+1))
	if err != nil {
		return nil, err
	}
	if len(raw) <= maxMessage {
		return raw, nil
	}
	if _, err := io.Copy(io.Discard, r); err != nil { // hardLimit ends this
		return nil, err
	}
	return nil, errTooLong
}

func decode(kind int, raw []byte) (*livekit.SignalRequest, error) {
	msg := &livekit.SignalRequest{}
	if kind == websocket.TextMessage {
		return msg, protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(raw, msg)
	}
	return msg, proto.Unmarshal(raw, msg)
}

// pong answers both forms of ping, in milliseconds.
func (c *conn) pong(msg *livekit.SignalRequest) bool {
	now := time.Now().UnixMilli()
	switch m := msg.Message.(type) {
	case *livekit.SignalRequest_Ping:
		c.Send(&livekit.SignalResponse{Message: &livekit.SignalResponse_Pong{Pong: now}})
	case *livekit.SignalRequest_PingReq:
		c.Send(&livekit.SignalResponse{Message: &livekit.SignalResponse_PongResp{
			PongResp: &livekit.Pong{LastPingTimestamp: m.PingReq.GetTimestamp(), Timestamp: now},
		}})
	default:
		return false
	}
	return true
}

// refuse answers a message that is not handled. It returns false when the
// client keeps sending such: the connection ends, with the reason named.
func (c *conn) refuse(msg *livekit.SignalRequest, why livekit.RequestResponse_Reason, text string) bool {
	if c.refused++; c.refused > maxRefused {
		c.log.Warn("too many refused signal messages, closing", "last", text)
		c.closeWith(websocket.ClosePolicyViolation, text)
		return false
	}
	if !c.terse {
		c.Send(sfu.Refusal(msg, why, text))
	}
	return true
}
