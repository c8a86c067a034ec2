package wire

import (
	"log/slog"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/livekit"
)

// A client that reads nothing is closed before its queue costs much memory,
// however few and large the messages are.
func TestQueueIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	message := func(n int) *livekit.SignalResponse {
		return &livekit.SignalResponse{Message: &livekit.SignalResponse_RefreshToken{RefreshToken: string(make([]byte, n))}}
	}
	c := &conn{log: slog.New(slog.DiscardHandler), count: &counters{}, wake: make(chan struct{}, 1), close: make(chan struct{})}
	closed := func() bool {
		select {
		case <-c.close:
			return true
		default:
			return false
		}
	}
	c.Send(message(2 * outBytes)) // a large room's list is larger than the bound
	if closed() {
		t.Fatal("one message alone is too large")
	}
	c.written(c.next())
	for range 8 {
		c.Send(message(outBytes / 8))
	}
	if !closed() || c.code != websocket.ClosePolicyViolation || c.reason == "" {
		t.Errorf("closed %v, %d %q", closed(), c.code, c.reason)
	}
	if c.queued > outBytes {
		t.Errorf("%d bytes are queued", c.queued)
	}
	before := len(c.out)
	c.Send(message(1))
	if len(c.out) != before {
		t.Error("a closed connection takes messages")
	}
}

// Nor however many and small they are; and they leave in order.
func TestQueueIsBoundedInMessages(t *testing.T) {
	t.Parallel()
	c := &conn{log: slog.New(slog.DiscardHandler), count: &counters{}, wake: make(chan struct{}, 1), close: make(chan struct{})}
	for i := range outQueue + 1 {
		select {
		case <-c.close:
			t.Fatalf("closed after %d messages", i)
		default:
		}
		c.Send(&livekit.SignalResponse{Message: &livekit.SignalResponse_Pong{Pong: int64(i)}})
	}
	select {
	case <-c.close:
	default:
		t.Fatal("not closed")
	}
	for i := range outQueue {
		m := c.next()
		if m.GetPong() != int64(i) {
			t.Fatalf("message %d is %v", i, m)
		}
		c.written(m)
	}
	if c.next() != nil || c.queued != 0 {
		t.Errorf("something is left: %d bytes", c.queued)
	}
}

// A leave is the last word, whoever still has something to say.
func TestNothingFollowsALeave(t *testing.T) {
	t.Parallel()
	c := &conn{log: slog.New(slog.DiscardHandler), count: &counters{}, wake: make(chan struct{}, 1), close: make(chan struct{})}
	c.Send(&livekit.SignalResponse{Message: &livekit.SignalResponse_Leave{Leave: &livekit.LeaveRequest{}}})
	c.Send(&livekit.SignalResponse{Message: &livekit.SignalResponse_RefreshToken{RefreshToken: "late"}})
	if m := c.next(); m.GetLeave() == nil {
		t.Fatalf("%v instead of the leave", m)
	}
	if m := c.next(); m != nil {
		t.Errorf("%v after the leave", m)
	}
}
