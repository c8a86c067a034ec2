package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// pen writes what no library would: any header, any payload.
type pen struct {
	webrtc.TrackLocal
	write webrtc.TrackLocalWriter
	ssrc  uint32
	pt    uint8
}

func (p *pen) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	codec, err := p.TrackLocal.Bind(c)
	p.write, p.ssrc, p.pt = c.WriteStream(), uint32(c.SSRC()), uint8(codec.PayloadType)
	return codec, err
}

// publishPen is publish for one who writes by hand.
func (c *client) publishPen(kind webrtc.RTPCodecType, cid string) (*pen, *livekit.TrackInfo) {
	c.t.Helper()
	info := c.addTrack(kind, cid)
	mime := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
	if kind == video {
		mime = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}
	}
	track, err := webrtc.NewTrackLocalStaticRTP(mime, cid, "stream")
	if err != nil {
		c.t.Fatal(err)
	}
	p := &pen{TrackLocal: track}
	if _, err := c.pub.AddTransceiverFromTrack(p, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
		c.t.Fatal(err)
	}
	c.negotiate()
	return p, info
}

func (p *pen) packet(edit func(*rtp.Header), payload []byte) {
	h := &rtp.Header{Version: 2, PayloadType: p.pt, SSRC: p.ssrc, Marker: true}
	edit(h)
	_, _ = p.write.WriteRTP(h, payload) // the connection may have been ended
}

// Packets that are well encrypted and badly made: codec headers that lead out of the
// packet, nothing but padding, payload types and numbers out of nowhere. Lengths of
// padding and extensions that lead out of it (CVE-2025-49140) Pion does not write:
// those are FuzzRTP's of package publish.
func TestMalformedRTP(t *testing.T) {
	s := attacked(t)
	p := newPair(t, s, nil)
	eve := s.connect(true, s.token("eve", "r"))
	mic, micInfo := eve.publishPen(audio, "mic")
	cam, camInfo := eve.publishPen(video, "cam")
	before := s.engine.Receiving()
	n := uint16(0)
	next := func(h *rtp.Header) { n++; h.SequenceNumber, h.Timestamp = n, uint32(n)*960 }
	for range 50 {
		for _, pen := range []*pen{mic, cam} {
			pen.packet(func(h *rtp.Header) { next(h); h.Padding, h.PaddingSize = true, 255 }, make([]byte, 255))
			pen.packet(next, nil)
			pen.packet(func(h *rtp.Header) {
				next(h)
				h.Extension, h.ExtensionProfile = true, 0x1234 // not one of RFC 8285
				h.Extensions = nil
			}, []byte{1})
			pen.packet(func(h *rtp.Header) { next(h); h.PayloadType = 127 }, []byte{1, 2, 3})
			pen.packet(func(h *rtp.Header) { next(h); h.CSRC = make([]uint32, 15) }, []byte{1, 2, 3})
			pen.packet(func(h *rtp.Header) { next(h); h.SequenceNumber *= 4093; h.Timestamp ^= 0x80000000 }, []byte{1, 2, 3})
			pen.packet(next, make([]byte, 1400))
		}
		// VP8 descriptors that promise more than there is (RFC 7741).
		for _, payload := range [][]byte{{0x80}, {0x90, 0xf0}, {0x90, 0x80, 0x80}, {0xff, 0xff, 0xff, 0xff, 0xff}, {0x10}} {
			cam.packet(next, payload)
		}
	}
	p.grows("malformed", 100, before.Malformed, func() uint64 { return s.engine.Receiving().Malformed })
	p.grows("unknown_codec", 20, before.UnknownCodec, func() uint64 { return s.engine.Receiving().UnknownCodec })
	// She can still be heard.
	feed(t, mic.TrackLocal.(*webrtc.TrackLocalStaticRTP), nil)
	p.bob.flows(micInfo.Sid)
	if camInfo.Sid == "" {
		t.Error("no sid")
	}
	p.check()
	if n := p.captured.fromOthers(); n == 0 {
		t.Error("nothing of hers came to the recorder: what is malformed was not tried on it")
	}
}

// A client that uses ever new SSRCs is told to join anew.
func TestTooManySSRCs(t *testing.T) {
	s := attacked(t)
	p := newPair(t, s, nil)
	before, dropped := s.engine.Refusals().SSRCs, s.engine.Receiving().Overflow
	eve := s.connect(true, s.token("eve", "r"))
	mic, _ := eve.publishPen(audio, "mic")
	for i := range uint32(6000) {
		mic.packet(func(h *rtp.Header) { h.SSRC = 1000 + i }, []byte{1})
	}
	if l := eve.wait("leave", isLeave).GetLeave(); l.Reason != livekit.DisconnectReason_MEDIA_FAILURE || l.Action != livekit.LeaveRequest_RECONNECT {
		t.Errorf("leave %v", l)
	}
	p.grows("too_many_ssrcs", 1, before, func() uint64 { return s.engine.Refusals().SSRCs })
	p.grows("too_many_ssrcs of RTP", 0, dropped, func() uint64 { return s.engine.Receiving().Overflow })
	eve.close()
	p.check()
	p.settles()
}

// RTCP that is broken, about streams of others, or far too much of it.
func TestBadRTCP(t *testing.T) {
	s := attacked(t)
	p := newPair(t, s, nil)
	eve := s.connect(true, s.token("eve", "r"))
	_, _ = eve.publishPen(audio, "mic")
	eve.flows(p.mic.Sid)
	eve.mu.Lock()
	down := uint32(eve.tracks[p.mic.Sid].SSRC()) // what the server sends her
	eve.mu.Unlock()
	ann := uint32(p.ann.pub.GetSenders()[0].GetParameters().Encodings[0].SSRC)
	write := func(list ...rtcp.Packet) {
		_ = eve.pub.WriteRTCP(list) // the connection may have been ended
	}
	raw := func(b ...byte) rtcp.Packet {
		r := rtcp.RawPacket(b)
		return &r
	}
	media := []byte{byte(down >> 24), byte(down >> 16), byte(down >> 8), byte(down)}
	nacks := make([]rtcp.NackPair, 250)
	for i := range nacks {
		nacks[i] = rtcp.NackPair{PacketID: uint16(i * 17), LostPackets: 0xffff}
	}
	before := s.engine.Forwarding()
	for range 300 {
		for _, ssrc := range []uint32{down, ann, 1} {
			write(&rtcp.TransportLayerNack{SenderSSRC: 1, MediaSSRC: ssrc, Nacks: nacks})
			write(&rtcp.PictureLossIndication{SenderSSRC: 1, MediaSSRC: ssrc})
			write(&rtcp.ReceiverReport{SSRC: 1, Reports: []rtcp.ReceptionReport{{SSRC: ssrc, FractionLost: 255, TotalLost: 0xffffff}}})
			write(&rtcp.SenderReport{SSRC: ssrc, NTPTime: ^uint64(0), RTPTime: ^uint32(0)})
			write(&rtcp.Goodbye{Sources: []uint32{ssrc}})
		}
		// Transport-wide feedback of 65,535 packets in one chunk, and cut off.
		write(raw(append([]byte{0x8f, 205, 0, 5, 0, 0, 0, 1}, append(media, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0x5f, 0xff, 0, 0)...)...))
		write(raw(append([]byte{0x81, 205, 0, 2, 0, 0, 0, 1}, media...)...))
		write(raw(0x80, 200, 0, 1, 0, 0, 0, 1))
		write(raw(0x9f, 202, 0, 1, 0, 0, 0, 1))
		write(raw(0xbf, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0))
	}
	p.grows("nack_limited, requests_full, flooded", 1, 0, func() uint64 {
		now := s.engine.Forwarding()
		return now.Flooded + now.NACKLimited + now.NACKThrottled + now.NACKMisses + now.RequestsDropped -
			before.Flooded - before.NACKLimited - before.NACKThrottled - before.NACKMisses - before.RequestsDropped
	})
	eve.close()
	p.check()
	p.settles()
}

// Data channels by the dozen, with labels nobody knows; messages that are too long,
// that are none, and many.
func TestBadData(t *testing.T) {
	s := attacked(t)
	p := newPair(t, s, nil)
	before := s.engine.Refusals()
	eve := s.connect(true, s.token("eve", "r"))
	for i := range 40 {
		if _, err := eve.pub.CreateDataChannel(fmt.Sprint("channel", i, strings.Repeat("x", 1000)), nil); err != nil {
			t.Fatal(err)
		}
	}
	p.grows("data_channel", 20, before.Channels, func() uint64 { return s.engine.Refusals().Channels })
	eve.close()

	for name, message := range map[string][]byte{
		"garbage": []byte(strings.Repeat("\xff", 1000)),
		"empty":   {},
		"others'": mustPacket(t, &livekit.DataPacket{ParticipantIdentity: "ann", ParticipantSid: p.ann.joined.Participant.Sid, Sequence: 1 << 31, Value: &livekit.DataPacket_User{User: &livekit.UserPacket{Payload: []byte("999"), ParticipantIdentity: "ann"}}}), //nolint:staticcheck // what is forged
		"to many": mustPacket(t, &livekit.DataPacket{DestinationIdentities: make([]string, 5000), Value: &livekit.DataPacket_User{User: &livekit.UserPacket{Payload: []byte("x")}}}),
		"speaker": mustPacket(t, &livekit.DataPacket{Value: &livekit.DataPacket_Speaker{Speaker: &livekit.ActiveSpeakerUpdate{Speakers: []*livekit.SpeakerInfo{{Sid: p.ann.joined.Participant.Sid}}}}}), //nolint:staticcheck // what is forged
	} {
		eve := s.connect(true, s.token("eve "+name, "r"))
		eve.until(name+": channels", func() bool {
			return eve.channels["_reliable"].ReadyState() == webrtc.DataChannelStateOpen && eve.channels["_lossy"].ReadyState() == webrtc.DataChannelStateOpen
		})
		refused := s.sfu.Stats().DataNotAllowed
		for range 50 {
			for _, label := range []string{"_reliable", "_lossy"} {
				if err := eve.channels[label].Send(message); err != nil {
					t.Logf("%s: %v", name, err)
				}
			}
		}
		switch name {
		case "garbage":
			p.grows("data malformed", 10, 0, func() uint64 { return s.sfu.Stats().DataMalformed })
		case "to many", "speaker":
			p.grows("data not allowed", 10, refused, func() uint64 { return s.sfu.Stats().DataNotAllowed })
		}
		eve.close()
	}
	p.check()
	p.bob.mu.Lock()
	for _, d := range p.bob.data {
		if d.GetSpeaker() != nil || //nolint:staticcheck // what was forged
			d.ParticipantIdentity != "ann" && string(d.GetUser().GetPayload()) == "999" && d.ParticipantSid == p.ann.joined.Participant.Sid {
			t.Errorf("bob got %v", d)
		}
	}
	p.bob.mu.Unlock()
	p.settles()
}

// A message over the limit ends its channel, and nothing else.
func TestLongDataMessage(t *testing.T) {
	s := attacked(t)
	p := newPair(t, s, nil)
	before := s.engine.Refusals().Messages
	eve := newClient(t, true)
	s.joinAs(eve, s.token("eve", "r"))
	eve.openChannels()
	eve.believes = func(sdp string) string {
		return strings.ReplaceAll(sdp, "a=max-message-size:65536", "a=max-message-size:1000000")
	}
	eve.negotiate()
	eve.waitActive()
	eve.until("channel", func() bool { return eve.channels["_reliable"].ReadyState() == webrtc.DataChannelStateOpen })
	if err := eve.channels["_reliable"].Send(make([]byte, 300000)); err != nil {
		t.Fatal(err)
	}
	p.grows("data_message", 1, before, func() uint64 { return s.engine.Refusals().Messages })
	eve.flows(p.mic.Sid)
	eve.close()
	p.check()
	p.settles()
}

// A flood of messages is held at its sender.
func TestDataFlood(t *testing.T) {
	s := attacked(t)
	p := newPair(t, s, nil)
	eve := s.connect(true, s.token("eve", "r"))
	eve.until("channels", func() bool {
		return eve.channels["_reliable"].ReadyState() == webrtc.DataChannelStateOpen && eve.channels["_lossy"].ReadyState() == webrtc.DataChannelStateOpen
	})
	big := mustPacket(t, &livekit.DataPacket{Value: &livekit.DataPacket_User{User: &livekit.UserPacket{Payload: make([]byte, 15000)}}})
	for range 1000 { // 15 MB on each
		for _, label := range []string{"_reliable", "_lossy"} {
			if err := eve.channels[label].Send(big); err != nil {
				t.Logf("send: %v", err)
			}
		}
	}
	p.check()
	eve.close()
	p.settles()
}
