package client

import (
	"context"
	"fmt"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/webrtc/v4"
)

// signal does what a message of the server asks.
func (c *Client) signal(m *livekit.SignalResponse) error {
	switch m := m.Message.(type) {
	case *livekit.SignalResponse_Answer:
		return c.answered(m.Answer)
	case *livekit.SignalResponse_Offer:
		return c.offered(m.Offer)
	case *livekit.SignalResponse_Trickle:
		return c.trickled(m.Trickle)
	case *livekit.SignalResponse_TrackPublished:
		return c.published(m.TrackPublished)
	case *livekit.SignalResponse_MediaSectionsRequirement:
		return c.addSections(m.MediaSectionsRequirement)
	case *livekit.SignalResponse_Mute:
		for _, p := range c.publishing {
			if p.sid == m.Mute.Sid {
				p.muted.Store(m.Mute.Muted)
			}
		}
	case *livekit.SignalResponse_RequestResponse:
		if r := m.RequestResponse; r.Reason != livekit.RequestResponse_OK {
			c.cfg.Figures.Fail("request refused: " + r.Reason.String())
		}
	case *livekit.SignalResponse_Leave:
		return c.fail("server ended it: "+m.Leave.Reason.String(), fmt.Errorf("action %s", m.Leave.Action))
	}
	return nil
}

// resume opens a new socket for the same session and restarts ICE.
func (c *Client) resume(ctx context.Context) error {
	if c.ws != nil {
		_ = c.ws.Close() // its reader's word is not heard any more
	}
	ws, err := c.dial(ctx, c.sid, nil)
	if err != nil {
		c.ws = nil
		return fmt.Errorf("resume: %w", err)
	}
	m, err := first(ws)
	if err == nil && m.GetReconnect() == nil {
		err = fmt.Errorf("first message is %T", m.Message)
	}
	if err != nil {
		_ = ws.Close()
		c.ws = nil
		return fmt.Errorf("resume: %w", err)
	}
	c.ws = ws
	go c.read(ws)
	c.syncState()
	switch {
	case c.pub.pc.SignalingState() == webrtc.SignalingStateHaveLocalOffer:
		c.repeat()
	case c.cfg.Single || c.pub.negotiated():
		c.offering = false
		return c.offer(true)
	}
	return nil
}

// syncState tells what we believe to be published.
func (c *Client) syncState() {
	s := &livekit.SyncState{Subscription: &livekit.UpdateSubscription{}}
	for _, p := range c.publishing {
		if p.info != nil {
			s.PublishTracks = append(s.PublishTracks, &livekit.TrackPublishedResponse{Cid: p.cid, Track: p.info})
		}
	}
	if c.subscribed != nil {
		s.Offer = c.subscribed
		if d := c.sub.pc.LocalDescription(); d != nil {
			s.Answer = &livekit.SessionDescription{Type: "answer", Sdp: d.SDP}
		}
	}
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_SyncState{SyncState: s}})
}
