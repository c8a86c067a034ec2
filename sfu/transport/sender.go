package transport

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"aparte/sfu/forward"
	"aparte/sfu/publish"
)

// Outgoing is a track we want to send to the client.
type Outgoing struct {
	TrackID  string // the msid's track id, "TR_..."
	StreamID string // the msid's stream id, "PA_...|TR_..."
	Kind     publish.Kind
	Stereo   bool // sound with two channels
	Down     *forward.DownTrack
}

// sender is an Outgoing on one of our sections. To Pion it is a TrackLocal
// that learns payload types, extension ids and SSRCs when bound and hands them
// to the DownTrack; Pion never sees a packet before it is written.
type sender struct {
	out  Outgoing
	peer *Peer
	tr   *webrtc.RTPTransceiver
	rtp  *webrtc.RTPSender

	mu    sync.Mutex
	held  *forward.Binding // guarded by mu; bound by flow
	since time.Time        // guarded by mu; when Bind held it back
}

var _ webrtc.TrackLocal = (*sender)(nil)

func (s *sender) ID() string                { return s.out.TrackID }
func (s *sender) StreamID() string          { return s.out.StreamID }
func (s *sender) RID() string               { return "" }
func (s *sender) Kind() webrtc.RTPCodecType { return pionKind(s.out.Kind) }

// Bind is called inside SetLocalDescription (we answer) or
// SetRemoteDescription (we offered), often before the publisher's first packet.
func (s *sender) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	var first *webrtc.RTPCodecParameters
	params := ctx.CodecParameters()
	for i := range params {
		if !strings.EqualFold(params[i].MimeType, webrtc.MimeTypeRTX) {
			first = &params[i]
			break
		}
	}
	if first == nil {
		return webrtc.RTPCodecParameters{}, fmt.Errorf("bind %s: %w", s.out.TrackID, webrtc.ErrUnsupportedCodec)
	}
	b := forward.Binding{
		Writer:  ctx.WriteStream(),
		SSRC:    uint32(ctx.SSRC()),
		RTXSSRC: uint32(ctx.SSRCRetransmission()),
		Codecs:  codecsOf(params),
	}
	for _, e := range ctx.HeaderExtensions() {
		b.Ext.Set(e.URI, uint8(e.ID))
	}
	s.peer.receiver.ExpectReports()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held, s.since = &b, time.Now()
	return *first, nil
}

// flow hands over what Bind held back by a time, and otherwise tells since when it is.
func (s *sender) flow(by time.Time) (since time.Time) {
	s.mu.Lock()
	b := s.held
	if b != nil && s.since.After(by) {
		defer s.mu.Unlock()
		return s.since
	}
	s.held = nil
	s.mu.Unlock()
	if b != nil {
		s.out.Down.Bind(*b)
	}
	return time.Time{}
}

// holds tells whether Bind held back something that has not flowed.
func (s *sender) holds() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held != nil
}

func (s *sender) Unbind(webrtc.TrackLocalContext) error {
	s.mu.Lock()
	s.held = nil
	down := s.out.Down
	s.mu.Unlock()
	if down != nil {
		down.Unbind()
	}
	return nil
}

// forget lets go of the track: Pion keeps a sender as long as the connection, also one
// that was removed.
func (s *sender) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out.Down, s.held = nil, nil
}

// release frees the section of every sender that is no longer wanted; a freed
// section can be filled again in the same answer. Caller holds mu.
func (p *Peer) release(want []Outgoing) {
	keep := make(map[string]*forward.DownTrack, len(want))
	for _, w := range want {
		keep[w.TrackID] = w.Down
	}
	for id, s := range p.senders {
		if down, ok := keep[id]; ok && down == s.out.Down {
			continue
		}
		delete(p.senders, id)
		if err := s.tr.SetSender(s.rtp, nil); err != nil {
			p.cfg.Log.Debug("remove track", "track", id, "error", err)
		}
		s.forget()
		p.parting = append(p.parting, parting{s.rtp, time.Now()})
	}
	p.partWith(time.Now())
}

// parting is a sender that was taken off its section at a time, and not stopped yet.
type parting struct {
	rtp *webrtc.RTPSender
	at  time.Time
}

// partingAfter is longer than a client goes on to report on a track that our
// description took away.
const partingAfter = 10 * time.Second

// partWith stops senders that went long enough ago. Stopped at once, a sender takes its
// SRTCP stream with it, and the client's next report makes Pion open another for that
// SSRC which it keeps as long as the connection. Caller holds mu.
func (p *Peer) partWith(now time.Time) {
	n := 0
	for n < len(p.parting) && now.Sub(p.parting[n].at) >= partingAfter {
		if err := p.parting[n].rtp.Stop(); err != nil {
			p.cfg.Log.Debug("stop sender", "error", err)
		}
		n++
	}
	p.parting = slices.Delete(p.parting, 0, n)
}

// fill puts out on a transceiver without sender. We choose the section, which
// pc.AddTrack would not let us. Caller holds mu.
func (p *Peer) fill(tr *webrtc.RTPTransceiver, out Outgoing) error {
	s := &sender{out: out, tr: tr, peer: p}
	rtp, err := p.api.NewRTPSender(s, p.pc.SCTP().Transport())
	if err != nil {
		return fmt.Errorf("new sender: %w", err)
	}
	if err := tr.SetSender(rtp, s); err != nil {
		return fmt.Errorf("set sender on %s: %w", tr.Mid(), err)
	}
	s.rtp = rtp
	p.senders[out.TrackID] = s
	return nil
}

// mids maps the sections we send on to track ids. Caller holds mu.
func (p *Peer) mids() map[string]string {
	m := make(map[string]string, len(p.senders))
	for id, s := range p.senders {
		if mid := s.tr.Mid(); mid != "" {
			m[mid] = id
		}
	}
	return m
}

// stereo lists the sections we send two channels on. Caller holds mu.
func (p *Peer) stereo() map[string]bool {
	var m map[string]bool
	for _, s := range p.senders {
		if mid := s.tr.Mid(); s.out.Stereo && mid != "" {
			if m == nil {
				m = map[string]bool{}
			}
			m[mid] = true
		}
	}
	return m
}
