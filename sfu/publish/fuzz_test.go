package publish

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/transport/v5/packetio"
)

func fuzzed() *fixture {
	s := simulcastSection()
	s.SSRCs = []SSRC{{SSRC: 1000}, {SSRC: 2000, Repairs: 1000}}
	s.Codecs = append(s.Codecs, Codec{PayloadType: 98, Type: 2, ClockRate: 90000}, Codec{PayloadType: 99, Type: 3, ClockRate: 90000})
	f := newFixture(s, audioSection())
	f.cfg.OnRTCP = func(uint32, []byte) {}
	return f
}

// FuzzRTP gives the tap any bytes, twice, as a peer that passed DTLS could.
func FuzzRTP(f *testing.F) {
	for _, p := range []*rtp.Packet{
		{Header: rtp.Header{Version: 2, SSRC: 1000, PayloadType: 96}, Payload: keyframe('a')},
		{Header: rtp.Header{Version: 2, SSRC: 3000, PayloadType: 111, Marker: true}, Payload: []byte("opus")},
		{Header: rtp.Header{Version: 2, SSRC: 7, PayloadType: 96, Padding: true, PaddingSize: 9}, Payload: delta('x')},
	} {
		_ = p.SetExtension(ext.MID, []byte("1"))
		_ = p.SetExtension(ext.RID, []byte("h"))
		_ = p.SetExtension(ext.TransportCC, []byte{1, 2})
		b, err := p.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, b)
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		fx := fuzzed()
		tap := fx.Buffer(packetio.RTPBufferPacket, 1000)
		for range 2 {
			_, _ = tap.Write(a)
			_, _ = tap.Write(b)
		}
		fx.Tick(time.Now())
		s := fx.Stats()
		dropped := s.Malformed + s.UnknownSource + s.NoTrack + s.UnknownCodec + s.Duplicate + s.Late + s.Oversized + s.Overflow
		var stored uint64
		for _, tr := range []*Track{fx.video, fx.audio} {
			for _, l := range tr.Layers() {
				stored += l.Packets
			}
		}
		// Padding and malformed payloads may be stored for their number alone.
		if s.Packets != 4 || stored+dropped+s.Padding < 4 {
			t.Fatalf("a packet is neither stored nor counted: %d %+v", stored, s)
		}
	})
}

// FuzzRTX unwraps any payload behind a valid header.
func FuzzRTX(f *testing.F) {
	f.Add(uint16(2), []byte{0, 2, 0x10, 0x51, 0, 'b'}, false)
	f.Add(uint16(3), []byte{}, true)
	f.Fuzz(func(t *testing.T, seq uint16, payload []byte, marker bool) {
		fx := fuzzed()
		fx.write(t, 1000, 96, 1, 0, keyframe('a'), withExt(ext.MID, "1"), withExt(ext.RID, "q"))
		fx.write(t, 2000, 97, seq, 0, payload, func(p *rtp.Packet) { p.Marker = marker })
		if s := fx.Stats(); s.Packets != 2 {
			t.Fatalf("%+v", s)
		}
	})
}

// FuzzRTCP gives the tap any bytes for an SSRC that sends and for one that does
// not.
func FuzzRTCP(f *testing.F) {
	for _, p := range []rtcp.Packet{
		&rtcp.SenderReport{SSRC: 1000, NTPTime: 1 << 40, RTPTime: 9, Reports: []rtcp.ReceptionReport{{SSRC: 1}}},
		&rtcp.ReceiverReport{SSRC: 1, Reports: []rtcp.ReceptionReport{{SSRC: 1000}}},
		&rtcp.TransportLayerNack{MediaSSRC: 5, Nacks: []rtcp.NackPair{{PacketID: 1}}},
	} {
		b, err := p.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint32(1000), b)
	}
	f.Fuzz(func(_ *testing.T, ssrc uint32, b []byte) {
		fx := fuzzed()
		tap := fx.Buffer(packetio.RTPBufferPacket, 1000)
		raw, _ := (&rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 1000, PayloadType: 96}, Payload: keyframe('a')}).Marshal()
		_, _ = tap.Write(raw)
		_, _ = fx.Buffer(packetio.RTCPBufferPacket, ssrc).Write(b)
		_, _ = fx.Buffer(packetio.RTCPBufferPacket, 1000).Write(b)
		fx.Tick(time.Now())
	})
}
