package client

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"aparte/cmd/aparte-load/media"
)

// Source is something to publish.
type Source struct {
	Kind       livekit.TrackSource // MICROPHONE, CAMERA or SCREEN_SHARE
	Layers     []media.Layer       // of a picture, lowest first
	BitrateBps int                 // of a microphone
	Level      int                 // of a microphone, -dBov
}

func (s *Source) audio() bool { return s.Kind == livekit.TrackSource_MICROPHONE }

// publication is a source on its way. Owned by run but for muted.
type publication struct {
	source  *Source
	cid     string
	sid     string             // "" until the server answered
	info    *livekit.TrackInfo // as the server told
	outlets []*outlet
	muted   atomic.Bool
}

// announce asks for a track.
func (c *Client) announce(s *Source) {
	p := &publication{source: s, cid: fmt.Sprintf("load-%d-%016x", len(c.publishing), rand.Uint64())}
	c.publishing = append(c.publishing, p)
	req := &livekit.AddTrackRequest{Cid: p.cid, Name: p.cid, Type: livekit.TrackType_AUDIO, Source: s.Kind}
	if !s.audio() {
		top := s.Layers[len(s.Layers)-1]
		req.Type = livekit.TrackType_VIDEO
		req.Width, req.Height = uint32(top.Width), uint32(top.Height)
		for i, l := range s.Layers {
			quality := livekit.VideoQuality(i)
			if len(s.Layers) == 1 {
				quality = livekit.VideoQuality_HIGH
			}
			req.Layers = append(req.Layers, &livekit.VideoLayer{
				Quality: quality, Width: uint32(l.Width), Height: uint32(l.Height), Bitrate: uint32(l.BitrateBps),
			})
		}
		req.SimulcastCodecs = []*livekit.SimulcastCodec{{Codec: "vp8", Cid: p.cid, Layers: req.Layers}}
	}
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: req}})
}

// published offers the track that the server knows now.
func (c *Client) published(r *livekit.TrackPublishedResponse) error {
	for _, p := range c.publishing {
		if p.cid != r.Cid || p.sid != "" {
			continue
		}
		p.sid, p.info = r.GetTrack().GetSid(), r.GetTrack()
		if err := c.addOutlets(p); err != nil {
			return c.fail("publish", err)
		}
		c.sending.add(p)
		return c.offer(false)
	}
	return nil
}

// addOutlets makes the section of a publication, one outlet for each layer.
func (c *Client) addOutlets(p *publication) error {
	var tr *webrtc.RTPTransceiver
	mid := func() string { return tr.Mid() }
	if p.source.audio() {
		p.outlets = []*outlet{{
			id: p.cid, stream: "load", kind: webrtc.RTPCodecTypeAudio, clockRate: 48000, mid: mid,
			again: make(chan []uint16, 4), audio: media.NewAudio(p.source.BitrateBps),
		}}
	}
	for _, l := range p.source.Layers {
		p.outlets = append(p.outlets, &outlet{
			id: p.cid, stream: "load", rid: l.RID, kind: webrtc.RTPCodecTypeVideo, clockRate: 90000, mid: mid,
			again: make(chan []uint16, 4), video: media.NewVideo(l),
		})
	}
	var err error
	tr, err = c.pub.pc.AddTransceiverFromTrack(p.outlets[0], webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return err
	}
	for _, o := range p.outlets[1:] {
		if err := tr.Sender().AddEncoding(o); err != nil {
			return err
		}
	}
	return nil
}

// learn notes the SSRCs of what was bound, for feedback.
func (p *peer) learn(all []*publication) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pub := range all {
		for _, o := range pub.outlets {
			if b := o.bound.Load(); b != nil {
				p.outlets[b.ssrc] = o
			}
		}
	}
}

// sender is the goroutine that sends a participant's media.
type sender struct {
	client *Client
	pokes  chan struct{}
	added  chan *publication
	quit   chan struct{}
	done   chan struct{}
	once   sync.Once
	ending sync.Once

	// Owned by run.
	sources []*sending
	number  uint16 // transport-wide
	buf     []byte
}

// sending is a publication in the sender's hands.
type sending struct {
	*publication
	every, next time.Duration // since the sender began
	rest        bool          // was muted
}

func newSender(c *Client) *sender {
	return &sender{
		client: c, pokes: make(chan struct{}, 1), added: make(chan *publication, 16),
		quit: make(chan struct{}), done: make(chan struct{}), buf: make([]byte, 2+media.MaxPayload),
	}
}

// start begins to send; the transport is up. It may be called again.
func (s *sender) start() { s.once.Do(func() { go s.run() }) }

func (s *sender) add(p *publication) {
	select {
	case s.added <- p:
	case <-s.quit:
	}
}

func (s *sender) poke() {
	select {
	case s.pokes <- struct{}{}:
	default:
	}
}

// stop ends it and waits.
func (s *sender) stop() {
	s.ending.Do(func() { close(s.quit) })
	s.once.Do(func() { close(s.done) }) // never started
	<-s.done
}

// run sends each source at its pace.
func (s *sender) run() {
	defer close(s.done)
	begin := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	report := time.Duration(0)
	for {
		select {
		case <-s.quit:
			return
		case p := <-s.added:
			s.take(p, time.Since(begin))
		case <-s.pokes:
			s.resend()
		case <-timer.C:
		}
		now := time.Since(begin)
		if now >= report {
			s.report()
			report = now + time.Second
		}
		next := now + time.Second
		for _, x := range s.sources {
			if x.next <= now {
				s.send(x)
				if x.next += x.every; x.next < now-200*time.Millisecond {
					x.next = now // we were held up: do not catch up in a burst
				}
			}
			next = min(next, x.next)
		}
		timer.Reset(next - time.Since(begin))
	}
}

// take begins a source at a moment of its own, so that many do not send at once.
func (s *sender) take(p *publication, now time.Duration) {
	x := &sending{publication: p, every: media.AudioEvery}
	if v := p.outlets[0].video; v != nil {
		x.every = v.Every()
	}
	x.next = now + rand.N(x.every)
	s.sources = append(s.sources, x)
}

// send sends a source's next frame, all layers of it.
func (s *sender) send(x *sending) {
	if x.muted.Load() {
		x.rest = true
		return
	}
	if x.rest {
		x.rest = false
		for _, o := range x.outlets {
			o.keyframe.Store(true)
		}
	}
	for _, o := range x.outlets {
		b := o.bound.Load()
		if b == nil {
			continue
		}
		if o.audio != nil {
			seq, ts, payload := o.audio.Frame(s.buf, time.Now())
			b.header.Marker = false
			s.write(o, b, seq, ts, payload, x.source.Level)
			continue
		}
		for _, p := range o.video.Frame(o.keyframe.Swap(false)) {
			b.header.Marker = p.Marker
			s.write(o, b, p.Seq, p.Timestamp, p.Payload(s.buf, time.Now()), -1)
		}
	}
}

func (s *sender) write(o *outlet, b *binding, seq uint16, ts uint32, payload []byte, level int) {
	s.number++
	h := &b.header
	b.extensions(h, o.known.Load(), s.number, level)
	h.Version, h.PayloadType, h.SSRC = 2, b.payloadType, b.ssrc
	h.SequenceNumber, h.Timestamp = seq, ts
	f := s.client.cfg.Figures
	if _, err := b.writer.WriteRTP(h, payload); err != nil {
		f.WriteErrors.Add(1)
		return
	}
	o.packets++
	o.octets += uint32(len(payload))
	f.SentPackets.Add(1)
	f.SentBytes.Add(uint64(len(payload)))
}

// resend answers what the server asked for again, RFC 4588 where that was negotiated.
func (s *sender) resend() {
	for _, x := range s.sources {
		for _, o := range x.outlets {
			b := o.bound.Load()
			select {
			case seqs := <-o.again:
				for _, seq := range seqs {
					if b != nil && o.video != nil {
						s.again(o, b, seq)
					}
				}
			default:
			}
		}
	}
}

func (s *sender) again(o *outlet, b *binding, seq uint16) {
	p, ok := o.video.Again(seq)
	if !ok || b.rtxType == 0 || b.rtxSSRC == 0 {
		return
	}
	payload := p.Payload(s.buf[2:], time.Now())
	s.buf[0], s.buf[1] = byte(seq>>8), byte(seq)
	s.number++
	b.rtxSeq++
	h := &b.rtx
	b.extensions(h, true, s.number, -1)
	h.Version, h.PayloadType, h.SSRC = 2, b.rtxType, b.rtxSSRC
	h.SequenceNumber, h.Timestamp, h.Marker = b.rtxSeq, p.Timestamp, p.Marker
	if _, err := b.writer.WriteRTP(h, s.buf[:2+len(payload)]); err == nil {
		s.client.cfg.Figures.Resent.Add(1)
	}
}

// report sends sender reports: servers align layers and sound by them.
func (s *sender) report() {
	now := time.Now()
	var out []rtcp.Packet
	for _, x := range s.sources {
		for _, o := range x.outlets {
			b := o.bound.Load()
			if b == nil || o.packets == 0 {
				continue
			}
			out = append(out, o.report(b.ssrc, o.timestamp(), now))
		}
	}
	for _, packet := range out {
		_ = s.client.pub.pc.WriteRTCP([]rtcp.Packet{packet}) // the next one comes in a second
	}
}
