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
	c := &conn{log: slog.New(slog.DiscardHandler), count: &counters{}, out: make(chan *livekit.SignalResponse, outQueue), close: make(chan struct{})}
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
	c.queued.Add(-c.queued.Load())
	for range 8 {
		c.Send(message(outBytes / 8))
	}
	if !closed() || c.code != websocket.ClosePolicyViolation || c.reason == "" {
		t.Errorf("closed %v, %d %q", closed(), c.code, c.reason)
	}
	if c.queued.Load() > outBytes {
		t.Errorf("%d bytes are queued", c.queued.Load())
	}
	before := len(c.out)
	c.Send(message(1))
	if len(c.out) != before {
		t.Error("a closed connection takes messages")
	}
}
