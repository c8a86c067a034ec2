package client

import (
	"encoding/json"
	"errors"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/webrtc/v4"
)

// slots are the sections of each kind that livekit-client keeps free for the server
// in its first offer of the one-connection form.
const slots = 3

var errUnexpected = errors.New("the protocol does not allow it")

// firstOffer goes with the join of /rtc/v1.
func (c *Client) firstOffer() (*livekit.SessionDescription, error) {
	for range slots {
		for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
			if err := c.addSlot(kind); err != nil {
				return nil, err
			}
		}
	}
	offer, err := c.makeOffer(false)
	if err == nil {
		c.offering = true
	}
	return offer, err
}

func (c *Client) addSlot(kind webrtc.RTPCodecType) error {
	_, err := c.pub.pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	return err
}

func (c *Client) makeOffer(restart bool) (*livekit.SessionDescription, error) {
	offer, err := c.pub.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	if err != nil {
		return nil, err
	}
	if err := c.pub.pc.SetLocalDescription(offer); err != nil {
		return nil, err
	}
	c.offerID++
	return &livekit.SessionDescription{Type: "offer", Sdp: offer.SDP, Id: c.offerID}, nil
}

// offer makes one, or notes that one is due: only one may be out.
func (c *Client) offer(restart bool) error {
	c.restart = c.restart || restart
	if c.offering {
		c.dirty = true
		return nil
	}
	offer, err := c.makeOffer(c.restart)
	if err != nil {
		return c.failUnlessClosed("make offer", err)
	}
	c.offering, c.dirty, c.restart = true, false, false
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Offer{Offer: offer}})
	return nil
}

// repeat sends an offer again whose answer was lost with the signal, and another after
// it: Pion cannot take it back.
func (c *Client) repeat() {
	c.offering, c.dirty, c.restart = true, true, true
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Offer{Offer: &livekit.SessionDescription{
		Type: "offer", Sdp: c.pub.pc.PendingLocalDescription().SDP, Id: c.offerID,
	}}})
}

// answered applies the answer to our last offer.
func (c *Client) answered(a *livekit.SessionDescription) error {
	if !c.offering || a.Id != 0 && a.Id != c.offerID {
		return nil
	}
	l, err := readLayout(a.Sdp)
	if err != nil {
		return c.fail("read answer", err)
	}
	c.pub.receiver.layout.Store(l)
	if err := c.pub.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: a.Sdp}); err != nil {
		return c.failUnlessClosed("apply answer", err)
	}
	c.offering = false
	c.pub.addEarly()
	c.pub.learn(c.publishing)
	if c.dirty {
		return c.offer(false)
	}
	return nil
}

// offered answers the server's offer on the subscriber connection.
func (c *Client) offered(o *livekit.SessionDescription) error {
	if c.sub == nil {
		return c.fail("offer in single connection mode", errUnexpected)
	}
	l, err := readLayout(o.Sdp)
	if err != nil {
		return c.fail("read offer", err)
	}
	c.sub.receiver.layout.Store(l)
	if err := c.sub.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: o.Sdp}); err != nil {
		return c.failUnlessClosed("apply offer", err)
	}
	c.sub.addEarly()
	answer, err := c.sub.pc.CreateAnswer(nil)
	if err != nil {
		return c.failUnlessClosed("make answer", err)
	}
	if err := c.sub.pc.SetLocalDescription(answer); err != nil {
		return c.failUnlessClosed("make answer", err)
	}
	c.subscribed = o
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Answer{
		Answer: &livekit.SessionDescription{Type: "answer", Sdp: answer.SDP, Id: o.Id},
	}})
	return nil
}

// addSections makes room for more tracks, and offers it.
func (c *Client) addSections(r *livekit.MediaSectionsRequirement) error {
	for range r.NumAudios {
		if err := c.addSlot(webrtc.RTPCodecTypeAudio); err != nil {
			return c.failUnlessClosed("add section", err)
		}
	}
	for range r.NumVideos {
		if err := c.addSlot(webrtc.RTPCodecTypeVideo); err != nil {
			return c.failUnlessClosed("add section", err)
		}
	}
	return c.offer(false)
}

// trickle sends a candidate of ours.
func (c *Client) trickle(e candidate) {
	target := livekit.SignalTarget_PUBLISHER
	if e.peer == c.sub {
		target = livekit.SignalTarget_SUBSCRIBER
	}
	text, err := json.Marshal(e.init)
	if err != nil {
		return // strings and numbers do marshal
	}
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Trickle{
		Trickle: &livekit.TrickleRequest{CandidateInit: string(text), Target: target},
	}})
}

// trickled takes one of the server's; those that come before its description wait.
func (c *Client) trickled(t *livekit.TrickleRequest) error {
	p := c.pub
	if t.Target == livekit.SignalTarget_SUBSCRIBER {
		p = c.sub
	}
	if p == nil || t.CandidateInit == "" {
		return nil
	}
	var init webrtc.ICECandidateInit
	if err := json.Unmarshal([]byte(t.CandidateInit), &init); err != nil {
		return c.fail("read candidate", err)
	}
	if p.pc.RemoteDescription() == nil {
		p.early = append(p.early, init)
		return nil
	}
	if err := p.pc.AddICECandidate(init); err != nil {
		return c.fail("apply candidate", err)
	}
	return nil
}

// addEarly takes the candidates that waited. One that does not fit is not the last.
func (p *peer) addEarly() {
	for _, init := range p.early {
		_ = p.pc.AddICECandidate(init)
	}
	p.early = nil
}

// failUnlessClosed leaves it to the signal to say why the server closed the connection
// that was being negotiated: over UDP that overtakes its leave. If no leave comes, the
// end of the signal is the failure.
func (c *Client) failUnlessClosed(reason string, err error) error {
	if errors.Is(err, webrtc.ErrConnectionClosed) {
		return nil
	}
	return c.fail(reason, err)
}
