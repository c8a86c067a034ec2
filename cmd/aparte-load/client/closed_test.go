package client

import (
	"errors"
	"testing"

	"github.com/pion/webrtc/v4"
)

// The server closes a connection while the client negotiates on it: what it says on
// the signal is why. Everything else that fails there is a failure.
func TestClosedWhileNegotiating(t *testing.T) {
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	if err := pc.Close(); err != nil {
		t.Fatal(err)
	}
	_, closed := pc.CreateOffer(nil)
	if closed == nil {
		t.Fatal("a closed connection makes offers")
	}
	c := &Client{cfg: Config{Figures: &Figures{}}}
	if err := c.failUnlessClosed("make offer", closed); err != nil {
		t.Errorf("closed: %v", err)
	}
	if err := c.failUnlessClosed("make offer", errors.New("no codecs")); err == nil {
		t.Error("another error is none")
	}
}
