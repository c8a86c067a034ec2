package publish

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/transport/v5/packetio"

	"aparte/sfu/codec"
	"aparte/sfu/ring"
)

var (
	vp8  = Codec{PayloadType: 96, Type: codec.VP8, ClockRate: 90000, RTXPayloadType: 97}
	opus = Codec{PayloadType: 111, Type: codec.Opus, ClockRate: 48000}
	ext  = Extensions{MID: 4, RID: 10, RepairedRID: 11, TransportCC: 3, AudioLevel: 1}
)

// fixture is a receiver with what it sent.
type fixture struct {
	*Receiver
	video, audio *Track
	sent         []rtcp.Packet
	seen         []string // Sink calls
}

type sink struct{ f *fixture }

func (s sink) Packets(layer int, last bool) {
	s.f.seen = append(s.f.seen, fmt.Sprintf("%d%v", layer, last))
}
func (s sink) Sync() {}

func newFixture(sections ...Section) *fixture {
	f := &fixture{
		video: NewTrack(TrackConfig{ID: "TR_v", Kind: Video}),
		audio: NewTrack(TrackConfig{ID: "TR_a", Kind: Audio}),
	}
	f.Receiver = NewReceiver(ReceiverConfig{WriteRTCP: func(p []rtcp.Packet) error {
		f.sent = append(f.sent, p...)
		return nil
	}})
	for i := range sections {
		if sections[i].Kind == Video {
			sections[i].Track = f.video
		} else {
			sections[i].Track = f.audio
		}
	}
	f.SetSections(sections)
	f.video.Attach(sink{f})
	f.audio.Attach(sink{f})
	return f
}

func videoSection() Section {
	return Section{MID: "1", Kind: Video, Codecs: []Codec{vp8}, Ext: ext, SSRCs: []SSRC{{SSRC: 1000}, {SSRC: 2000, Repairs: 1000}}}
}

func simulcastSection() Section {
	return Section{MID: "1", Kind: Video, Codecs: []Codec{vp8}, Ext: ext, RIDs: []string{"q", "h", "f"}}
}

func audioSection() Section {
	return Section{MID: "0", Kind: Audio, Codecs: []Codec{opus}, Ext: ext, SSRCs: []SSRC{{SSRC: 3000}}}
}

func keyframe(fill byte) []byte {
	return []byte{0x10, 0x50, 0x01, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01, fill}
}
func delta(fill byte) []byte { return []byte{0x10, 0x51, 0, fill} }

type option func(*rtp.Packet)

func withExt(id uint8, value string) option {
	return func(p *rtp.Packet) { _ = p.SetExtension(id, []byte(value)) }
}

func marked(p *rtp.Packet) { p.Marker = true }

func (f *fixture) write(t testing.TB, ssrc uint32, pt uint8, seq uint16, ts uint32, payload []byte, opts ...option) {
	t.Helper()
	p := &rtp.Packet{
		Header:  rtp.Header{Version: 2, SSRC: ssrc, PayloadType: pt, SequenceNumber: seq, Timestamp: ts},
		Payload: payload,
	}
	for _, o := range opts {
		o(p)
	}
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	tap := f.Buffer(packetio.RTPBufferPacket, ssrc)
	if _, err := tap.Write(b); err != nil {
		t.Fatal(err)
	}
	_ = tap.Close()
}

func (f *fixture) rtcp(t testing.TB, ssrc uint32, p rtcp.Packet) {
	t.Helper()
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.Buffer(packetio.RTCPBufferPacket, ssrc).Write(b)
}

func (f *fixture) tickFor(d time.Duration) {
	for range int(d / (10 * time.Millisecond)) {
		f.Tick(time.Now())
		time.Sleep(10 * time.Millisecond)
	}
}

func count[T rtcp.Packet](f *fixture) (n int) {
	for _, p := range f.sent {
		if _, ok := p.(T); ok {
			n++
		}
	}
	return n
}

func payloads(t testing.TB, tr *Track, layer int) (all []string) {
	t.Helper()
	l := tr.Layer(layer)
	if l == nil {
		return nil
	}
	b := ring.NewBatch(1000, 1000*ring.MaxPayload)
	l.Ring().Read(0, b)
	for _, p := range b.Packets {
		last := ""
		if n := len(p.Payload); n > 0 {
			last = string(p.Payload[n-1:])
		}
		all = append(all, fmt.Sprintf("%d:%s", uint16(p.ExtSeq), last))
	}
	return all
}

func expectPayloads(t testing.TB, tr *Track, layer int, want string) {
	t.Helper()
	if got := fmt.Sprint(payloads(t, tr, layer)); got != want {
		t.Fatalf("layer %d: %s, want %s", layer, got, want)
	}
}

func TestMapsSSRCsOfTheSDP(t *testing.T) {
	f := newFixture(videoSection(), audioSection())
	f.write(t, 1000, 96, 5, 0, keyframe('a'), marked)
	f.write(t, 3000, 111, 9, 0, []byte("x"))
	f.write(t, 4444, 99, 1, 0, []byte("y"))
	expectPayloads(t, f.video, 0, "[5:a]")
	expectPayloads(t, f.audio, 0, "[9:x]")
	if s := f.Stats(); s.UnknownSource != 1 || s.Packets != 3 {
		t.Fatalf("%+v", s)
	}
	if fmt.Sprint(f.seen) != "[0true 0true]" {
		t.Fatal(f.seen)
	}
	if l := f.video.Layers(); len(l) != 1 || l[0].Width != 640 || l[0].Height != 360 {
		t.Fatalf("%+v", l)
	}
}

func TestMapsSimulcastByRID(t *testing.T) {
	f := newFixture(simulcastSection())
	for i, rid := range []string{"f", "q", "h"} {
		ssrc := uint32(100 + i)
		f.write(t, ssrc, 96, 1, 0, keyframe('1'), withExt(ext.MID, "1"), withExt(ext.RID, rid))
		f.write(t, ssrc, 96, 3, 0, delta('3')) // browsers stop sending the ids
		rtx := append([]byte{0, 2}, delta('2')...)
		f.write(t, 200+uint32(i), 97, 77, 0, rtx, withExt(ext.MID, "1"), withExt(ext.RepairedRID, rid))
	}
	for layer := range 3 {
		expectPayloads(t, f.video, layer, "[1:1 3:3 2:2]")
	}
	if s := f.Stats(); s.Recovered != 3 {
		t.Fatalf("%+v", s)
	}
}

// Media may come before the section is known: it is dropped, and a key frame is
// asked for as soon as it is.
func TestPacketsBeforeTheSection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.write(t, 100, 96, 1, 0, keyframe('1'), withExt(ext.MID, "1"))
		s := simulcastSection()
		s.Track = f.video
		f.SetSections([]Section{s})
		f.write(t, 100, 96, 2, 0, delta('2'), withExt(ext.MID, "1"), withExt(ext.RID, "h"))
		f.tickFor(20 * time.Millisecond)
		expectPayloads(t, f.video, 1, "[2:2]")
		if count[*rtcp.PictureLossIndication](f) != 1 {
			t.Fatal(f.sent)
		}
	})
}

func TestSectionWithoutTrackAndWithUnknownPT(t *testing.T) {
	f := newFixture(videoSection())
	f.write(t, 1000, 55, 1, 0, keyframe('1'))
	s := videoSection()
	f.SetSections([]Section{s})
	f.write(t, 1000, 96, 2, 0, keyframe('1'))
	if s := f.Stats(); s.UnknownCodec != 1 || s.NoTrack != 1 {
		t.Fatalf("%+v", s)
	}
}

func TestFallsBackToThePayloadType(t *testing.T) {
	s := videoSection()
	s.SSRCs = nil
	f := newFixture(s, audioSection())
	f.write(t, 31337, 96, 1, 0, keyframe('1'))
	expectPayloads(t, f.video, 0, "[1:1]")
}

func TestRTX(t *testing.T) {
	f := newFixture(videoSection())
	rtx := func(osn uint16, payload []byte) {
		f.write(t, 2000, 97, 500+osn, 9, append([]byte{byte(osn >> 8), byte(osn)}, payload...))
	}
	rtx(4, delta('x')) // before the primary: nothing to repair
	f.write(t, 1000, 96, 65535, 0, keyframe('a'))
	f.write(t, 1000, 96, 1, 0, delta('c'))
	rtx(0, delta('b'))
	rtx(0, delta('b'))     // a probe: old packet again
	rtx(65535, delta('?')) // what we had
	f.write(t, 2000, 97, 600, 9, nil)
	f.write(t, 2000, 97, 601, 9, []byte{1})
	expectPayloads(t, f.video, 0, "[65535:a 1:c 0:b]")
	if s := f.Stats(); s.Recovered != 1 || s.Duplicate != 2 || s.Padding != 2 || s.Late != 1 {
		t.Fatalf("%+v", s)
	}
}

func TestNACKRetriesThenKeyframe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(videoSection())
		f.write(t, 1000, 96, 65534, 0, keyframe('a'))
		f.write(t, 1000, 96, 1, 0, delta('d')) // 65535 and 0 are missing
		f.Tick(time.Now())
		var nack *rtcp.TransportLayerNack
		for _, p := range f.sent {
			if n, ok := p.(*rtcp.TransportLayerNack); ok {
				nack = n
			}
		}
		if nack == nil || nack.MediaSSRC != 1000 || fmt.Sprint(nack.Nacks[0].PacketList()) != "[65535 0]" {
			t.Fatal(f.sent)
		}
		f.write(t, 1000, 96, 0, 0, delta('c'))
		f.tickFor(time.Second)
		if n := count[*rtcp.TransportLayerNack](f); n != nackTries {
			t.Fatalf("%d NACKs", n)
		}
		// The first PLI came before (key frame arrived: none was wanted), so this
		// one is for the lost packet.
		if n := count[*rtcp.PictureLossIndication](f); n != 1 {
			t.Fatalf("%d PLIs", n)
		}
		if s := f.Stats(); s.NACKs != 11 || s.NACKGivenUp != 1 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestHugeGapAsksForAKeyframe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(videoSection())
		f.write(t, 1000, 96, 1, 0, keyframe('a'))
		f.write(t, 1000, 96, 5000, 0, delta('d'))
		f.tickFor(10 * time.Millisecond)
		if count[*rtcp.TransportLayerNack](f) != 0 || count[*rtcp.PictureLossIndication](f) != 1 {
			t.Fatal(f.sent)
		}
	})
}

// Requests that come too fast are deferred, never dropped, and a key frame that
// comes meanwhile answers them.
func TestPLIIsDeferred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(videoSection())
		f.write(t, 1000, 96, 1, 0, keyframe('a'))
		f.video.RequestKeyframe(0)
		f.tickFor(20 * time.Millisecond)
		if n := count[*rtcp.PictureLossIndication](f); n != 1 {
			t.Fatalf("%d PLIs at first", n)
		}
		for range 10 {
			f.video.RequestKeyframe(-1)
			f.tickFor(20 * time.Millisecond)
		}
		if n := count[*rtcp.PictureLossIndication](f); n != 1 {
			t.Fatalf("%d PLIs within 220 ms", n)
		}
		f.tickFor(300 * time.Millisecond)
		if n := count[*rtcp.PictureLossIndication](f); n != 2 {
			t.Fatalf("%d PLIs: the deferred one is missing", n)
		}
		f.video.RequestKeyframe(0)
		f.write(t, 1000, 96, 2, 0, keyframe('b'))
		f.tickFor(time.Second)
		if n := count[*rtcp.PictureLossIndication](f); n != 2 {
			t.Fatalf("%d PLIs: the key frame was no answer", n)
		}
	})
}

func TestRequestWakesTheTicker(t *testing.T) {
	f := newFixture(videoSection())
	woken := 0
	f.SetWake(func() { woken++ })
	f.write(t, 1000, 96, 1, 0, keyframe('a'))
	f.video.RequestKeyframe(0)
	if woken != 1 {
		t.Fatal(woken)
	}
}

func TestTransportCCForAllSSRCs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(videoSection())
		for i, ssrc := range []uint32{1000, 2000, 9999} { // media, RTX, unknown
			f.write(t, ssrc, 96+uint8(i), uint16(i), 0, delta('x'), withExt(ext.TransportCC, string([]byte{0, byte(i)})))
		}
		f.tickFor(200 * time.Millisecond)
		seen := 0
		for _, p := range f.sent {
			if cc, ok := p.(*rtcp.TransportLayerCC); ok {
				seen += int(cc.PacketStatusCount)
			}
		}
		if seen != 3 {
			t.Fatalf("%d packets reported: %v", seen, f.sent)
		}
	})
}

func TestReceiverReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(audioSection())
		f.write(t, 3000, 111, 65535, 0, []byte("a"))
		sent := time.Now().Add(-40 * time.Millisecond)
		f.rtcp(t, 3000, &rtcp.SenderReport{SSRC: 3000, NTPTime: toNTP(sent), RTPTime: 960})
		time.Sleep(500 * time.Millisecond)
		f.write(t, 3000, 111, 3, 0, []byte("b")) // 0, 1, 2 lost
		f.Tick(time.Now())
		rr := lastReport(f)
		if rr == nil || rr.SSRC != 3000 || rr.LastSequenceNumber != 1<<16+3 || rr.TotalLost != 3 ||
			rr.FractionLost != 3*256/5 || rr.LastSenderReport != uint32(toNTP(sent)>>16) || rr.Delay != 1<<15 {
			t.Fatalf("%+v", rr)
		}
		clock := f.audio.Layer(0).Clock()
		if clock == nil {
			t.Fatal("no clock")
		}
		later := time.Now().Add(time.Second)
		if ts := clock.At(later); clock.When(ts).Sub(later).Abs() > time.Millisecond {
			t.Fatal("At and When disagree")
		}
		if got := clock.At(time.Now().Add(-500 * time.Millisecond)); int32(got-960) < -48 || int32(got-960) > 48 {
			t.Fatalf("report arrived at timestamp %d, want 960", got)
		}
	})
}

func lastReport(f *fixture) *rtcp.ReceptionReport {
	for i := range f.sent {
		if rr, ok := f.sent[len(f.sent)-1-i].(*rtcp.ReceiverReport); ok && len(rr.Reports) > 0 {
			return &rr.Reports[0]
		}
	}
	return nil
}

func toNTP(t time.Time) uint64 {
	return uint64(t.Unix()-ntpEpoch)<<32 | uint64(t.Nanosecond())<<32/1e9
}

// Pion delivers a compound once for each SSRC it names; reports about our own
// streams go to OnRTCP with that SSRC, sender reports stay.
func TestRTCPGoesWhereItBelongs(t *testing.T) {
	f := newFixture(audioSection())
	var got []uint32
	f.cfg.OnRTCP = func(ssrc uint32, _ []byte) { got = append(got, ssrc) }
	sr := &rtcp.SenderReport{SSRC: 3000, Reports: []rtcp.ReceptionReport{{SSRC: 42}}}
	f.write(t, 3000, 111, 1, 0, []byte("a"))
	f.rtcp(t, 3000, sr)
	f.rtcp(t, 42, sr)
	f.rtcp(t, 43, &rtcp.PictureLossIndication{MediaSSRC: 43})
	f.rtcp(t, 3000, &rtcp.Goodbye{Sources: []uint32{3000}})
	if fmt.Sprint(got) != "[42 43]" || f.audio.Layer(0).Clock() == nil {
		t.Fatal(got)
	}
	_, _ = f.Buffer(packetio.RTCPBufferPacket, 1).Write([]byte{1, 2, 3})
	if f.Stats().Malformed != 1 {
		t.Fatal(f.Stats())
	}
}

func TestAudioLevel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(audioSection())
		talk := func(level byte, n int) {
			for i := range n {
				seq := uint16(time.Now().UnixMilli() / 20)
				f.write(t, 3000, 111, seq, uint32(i)*960, []byte("a"), withExt(ext.AudioLevel, string([]byte{0x80 | level})))
				time.Sleep(20 * time.Millisecond)
			}
		}
		talk(20, 50)
		if level, speaking := f.audio.Level(); !speaking || level < 0.09 || level > 0.11 {
			t.Fatal("talking:", level, speaking)
		}
		talk(70, 50)
		if level, speaking := f.audio.Level(); speaking {
			t.Fatal("noise counts as speech:", level)
		}
		talk(20, 50)
		time.Sleep(2 * time.Second)
		if _, speaking := f.audio.Level(); speaking {
			t.Fatal("still speaking after silence")
		}
	})
}

func TestNewSSRCForALayer(t *testing.T) {
	f := newFixture(simulcastSection())
	f.write(t, 100, 96, 1, 0, keyframe('1'), withExt(ext.MID, "1"), withExt(ext.RID, "q"))
	f.write(t, 101, 96, 900, 0, keyframe('2'), withExt(ext.MID, "1"), withExt(ext.RID, "q"))
	expectPayloads(t, f.video, 0, "[1:1 900:2]")
	b := ring.NewBatch(9, 9*ring.MaxPayload)
	f.video.Layer(0).Ring().Read(0, b)
	if b.Packets[0].Epoch == b.Packets[1].Epoch || f.video.Layer(0).SSRC() != 101 {
		t.Fatal("the change of source is not visible")
	}
}

func TestPaddingKeepsItsNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(videoSection())
		f.write(t, 1000, 96, 1, 0, keyframe('a'))
		f.write(t, 1000, 96, 2, 0, nil, func(p *rtp.Packet) { p.Padding = true; p.PaddingSize = 200 })
		f.write(t, 1000, 96, 3, 0, delta('c'))
		expectPayloads(t, f.video, 0, "[1:a 2: 3:c]")
		f.tickFor(50 * time.Millisecond)
		if count[*rtcp.TransportLayerNack](f) != 0 {
			t.Fatal("padding was asked for again")
		}
	})
}

func TestClosedTrackTakesNothing(t *testing.T) {
	f := newFixture(videoSection())
	f.video.Close()
	f.write(t, 1000, 96, 1, 0, keyframe('a'))
	if f.Stats().NoTrack != 1 || len(f.seen) != 0 {
		t.Fatal(f.Stats(), f.seen)
	}
}

func TestBounds(t *testing.T) {
	overflows := make(chan struct{}, 10)
	r := NewReceiver(ReceiverConfig{OnOverflow: func() { overflows <- struct{}{} }})
	for i := range uint32(3 * maxSources) {
		_, _ = r.Buffer(packetio.RTPBufferPacket, i).Write(binary.BigEndian.AppendUint32([]byte{0x80, 96, 0, 1, 0, 0, 0, 0}, i))
	}
	<-overflows
	if n := len(r.sources); n > maxSources {
		t.Fatalf("%d sources", n)
	}
	if len(overflows) != 0 {
		t.Fatal("told more than once")
	}
	if r.Stats().Overflow != 2*maxSources {
		t.Fatalf("%+v", r.Stats())
	}
}

func TestTapReadEndsAtOnce(t *testing.T) {
	tap := NewReceiver(ReceiverConfig{}).Buffer(packetio.RTPBufferPacket, 1)
	if n, err := tap.Read(make([]byte, 1500)); n != 0 || !errors.Is(err, io.EOF) {
		t.Fatal(n, err)
	}
	if err := tap.(interface{ SetReadDeadline(time.Time) error }).SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	_ = tap.Close()
	if _, err := tap.Write([]byte{1}); !errors.Is(err, io.ErrClosedPipe) {
		t.Fatal(err)
	}
}

func TestIngestAllocatesNothing(t *testing.T) {
	f := newFixture(videoSection())
	f.video.Detach(sink{f})
	p := &rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 1000, PayloadType: 96}, Payload: append(keyframe('a'), make([]byte, 1100)...)}
	_ = p.SetExtension(ext.TransportCC, []byte{0, 0})
	_ = p.SetExtension(ext.MID, []byte("1"))
	b, _ := p.Marshal()
	tap := f.Buffer(packetio.RTPBufferPacket, 1000)
	seq := uint16(0)
	write := func() {
		seq++
		binary.BigEndian.PutUint16(b[2:], seq)
		_, _ = tap.Write(b)
	}
	for range 4000 { // let the ring grow
		write()
	}
	if n := testing.AllocsPerRun(1000, write); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func BenchmarkIngest(b *testing.B) {
	f := newFixture(videoSection())
	f.video.Detach(sink{f})
	p := &rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 1000, PayloadType: 96}, Payload: append(delta('a'), make([]byte, 1100)...)}
	_ = p.SetExtension(ext.TransportCC, []byte{0, 0})
	raw, _ := p.Marshal()
	tap := f.Buffer(packetio.RTPBufferPacket, 1000)
	seq := uint16(0)
	b.ReportAllocs()
	for b.Loop() {
		seq++
		binary.BigEndian.PutUint16(raw[2:], seq)
		_, _ = tap.Write(raw)
	}
}
