package sfu

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/transport/v5/packetio"

	"aparte/sfu/codec"
	"aparte/sfu/publish"
	"aparte/sfu/tap"
)

// tapStage is a room that runs, without connections: what comes is written where Pion
// would write it.
type tapStage struct {
	t    testing.TB
	unit *SFU
	room *room
}

func newTapStage(t testing.TB) *tapStage {
	unit := New(Config{Log: slog.New(slog.DiscardHandler)})
	r, err := unit.room(JoinParams{Room: RoomKey{MeetingSpace, "r"}}, true)
	if err != nil {
		t.Fatal(err)
	}
	st := &tapStage{t: t, unit: unit, room: r}
	t.Cleanup(func() {
		if err := unit.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return st
}

// close ends the room within a bubble.
func (st *tapStage) close() { st.room.close(livekit.DisconnectReason_ROOM_DELETED) }

type doRequest struct {
	f    func(r *room)
	done chan struct{}
}

func (q *doRequest) serve(r *room) {
	q.f(r)
	close(q.done)
}

// in runs f in the room's goroutine.
func (st *tapStage) in(f func(r *room)) {
	q := &doRequest{f, make(chan struct{})}
	if st.room.ask(q) {
		<-q.done
	}
}

func (st *tapStage) tap(sink tap.Sink) *Tap {
	st.t.Helper()
	tap, err := st.unit.Meetings().Tap("r", TapConfig{Sink: sink})
	if err != nil {
		st.t.Fatal(err)
	}
	return tap
}

// allow lets somebody through, from the next moment on.
func allow(tap *Tap, identities ...string) {
	for _, identity := range identities {
		tap.Allow(identity)
	}
	time.Sleep(time.Millisecond)
}

// tapped is somebody who publishes.
type tapped struct {
	st       *tapStage
	identity string
	ear      *ear
	receiver *publish.Receiver
	sections []publish.Section
}

func (st *tapStage) join(identity string) *tapped {
	p := &tapped{st: st, identity: identity, ear: &ear{}, receiver: publish.NewReceiver(publish.ReceiverConfig{})}
	st.in(func(r *room) {
		yes := &livekit.ParticipantPermission{CanPublish: true, CanSubscribe: true}
		m := r.newMember(&JoinParams{Identity: identity, Permission: yes, Client: browser}, p.ear)
		m.active = true
		r.members[identity] = m
		r.membersChanged()
	})
	return p
}

func (p *tapped) leave() {
	p.st.in(func(r *room) {
		r.drop(r.members[p.identity], livekit.DisconnectReason_CLIENT_INITIATED, livekit.LeaveRequest_DISCONNECT)
	})
}

const (
	opusPT, redPT, vp8PT, rtxPT, vp9PT, h264PT, av1PT = 111, 63, 96, 97, 98, 102, 45
)

// publish adds a track; its section is the nth. SSRCs are 1000 times the section's
// number and one more for each layer, without RTX; of a single one 5 more repairs it.
func (p *tapped) publish(info *livekit.TrackInfo) *publish.Track {
	p.st.t.Helper()
	n := uint32(len(p.sections) + 1)
	sec := publish.Section{MID: fmt.Sprint(n), Kind: publish.Audio, Ext: publish.Extensions{MID: 4, RID: 10, AudioLevel: 1}}
	sec.Codecs = []publish.Codec{
		{PayloadType: opusPT, Type: codec.Opus, MimeType: "audio/opus", ClockRate: 48000, Channels: 2, Fmtp: "useinbandfec=1"},
		{PayloadType: redPT, Type: codec.RED, MimeType: "audio/red", ClockRate: 48000, Channels: 2},
	}
	if info.Type == livekit.TrackType_VIDEO {
		sec.Kind = publish.Video
		sec.Codecs = []publish.Codec{
			{PayloadType: vp8PT, Type: codec.VP8, MimeType: "video/VP8", ClockRate: 90000, RTXPayloadType: rtxPT},
			{PayloadType: vp9PT, Type: codec.VP9, MimeType: "video/VP9", ClockRate: 90000, Fmtp: "profile-id=0"},
			{PayloadType: h264PT, Type: codec.H264, MimeType: "video/H264", ClockRate: 90000, Fmtp: "packetization-mode=1"},
			{PayloadType: av1PT, Type: codec.AV1, MimeType: "video/AV1", ClockRate: 90000},
		}
	}
	sec.SSRCs = []publish.SSRC{{SSRC: 1000 * n}}
	if info.Type == livekit.TrackType_VIDEO && len(info.Codecs[0].Layers) > 1 {
		sec.RIDs, sec.SSRCs = []string{"q", "h", "f"}, nil
	} else {
		sec.SSRCs = append(sec.SSRCs, publish.SSRC{SSRC: 1000*n + 5, Repairs: 1000 * n})
	}
	sec.Track = publish.NewTrack(publish.TrackConfig{ID: info.Sid, Kind: sec.Kind, Sealed: info.Encryption != livekit.Encryption_NONE})
	ok := false
	p.st.in(func(r *room) {
		reply := make(chan bool, 1)
		(&publishRequest{s: r.members[p.identity].s, info: info, media: sec.Track, reply: reply}).serve(r)
		ok = <-reply
	})
	if !ok {
		p.st.t.Fatal("not published")
	}
	p.sections = append(p.sections, sec)
	p.receiver.SetSections(p.sections)
	return sec.Track
}

func (p *tapped) unpublish(sid string) {
	p.st.in(func(r *room) {
		(&unpublishRequest{r.members[p.identity].s, sid}).serve(r)
	})
}

func camera(sid string, layers int) *livekit.TrackInfo {
	info := simulcastInfo()
	info.Sid, info.Type, info.Source = sid, livekit.TrackType_VIDEO, livekit.TrackSource_CAMERA
	for i, rid := range []string{"q", "h", "f"} {
		l := info.Codecs[0].Layers[i]
		l.Width, l.Height, l.Rid = 320<<i, 180<<i, rid
	}
	info.Codecs[0].Layers = info.Codecs[0].Layers[:layers]
	return info
}

func microphone(sid string) *livekit.TrackInfo {
	return &livekit.TrackInfo{
		Sid: sid, Type: livekit.TrackType_AUDIO, Source: livekit.TrackSource_MICROPHONE,
		Codecs: []*livekit.SimulcastCodecInfo{{MimeType: "audio/opus"}},
	}
}

var (
	tapKey   = []byte{0x10, 0x50, 0x01, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01}
	tapDelta = []byte{0x10, 0x51, 0}
)

// write is one packet; layer -1 where there is no simulcast.
func (p *tapped) write(section int, layer int, pt uint8, seq uint16, payload []byte) {
	ssrc := uint32(1000 * section)
	h := rtp.Header{Version: 2, PayloadType: pt, SequenceNumber: seq, Timestamp: uint32(seq) * 960, Marker: true}
	if layer >= 0 {
		ssrc += uint32(layer)
		_ = h.SetExtension(4, []byte(p.sections[section-1].MID))
		_ = h.SetExtension(10, []byte{"qhf"[layer]})
	}
	if pt == rtxPT {
		ssrc += 5
	}
	h.SSRC = ssrc
	p.put(&rtp.Packet{Header: h, Payload: payload})
}

func (p *tapped) put(pkt *rtp.Packet) {
	b, err := pkt.Marshal()
	if err != nil {
		p.st.t.Fatal(err)
	}
	buf := p.receiver.Buffer(packetio.RTPBufferPacket, pkt.SSRC)
	_, _ = buf.Write(b)
	_ = buf.Close()
}

func (p *tapped) report(ssrc uint32, r rtcp.SenderReport) {
	r.SSRC = ssrc
	b, err := r.Marshal()
	if err != nil {
		p.st.t.Fatal(err)
	}
	_, _ = p.receiver.Buffer(packetio.RTCPBufferPacket, ssrc).Write(b)
}

// tape is a sink that writes down what it is told, in words.
type tape struct {
	mu      sync.Mutex
	words   []string
	streams map[uint32]tap.Stream
	count   int // of packets
}

func (s *tape) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.words = append(s.words, fmt.Sprintf(format, args...))
}

func (s *tape) Begin(b tap.Stream) {
	s.say("begin %d %s/%s %s", b.ID, b.Identity, b.Track, b.Mime)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams == nil {
		s.streams = map[uint32]tap.Stream{}
	}
	s.streams[b.ID] = b
}

func (s *tape) Packet(stream uint32, _ time.Time, raw []byte) {
	var p rtp.Packet
	if err := p.Unmarshal(raw); err != nil {
		s.say("no RTP: %v", err)
		return
	}
	s.mu.Lock()
	b := s.streams[stream]
	s.count++
	s.mu.Unlock()
	if p.SSRC != b.SSRC || p.PayloadType != b.PayloadType {
		s.say("stream %d: SSRC %d, payload type %d", stream, p.SSRC, p.PayloadType)
	}
	switch text := string(p.Payload); {
	case strings.HasPrefix(text, string(tapKey)):
		s.say("%d:%d K", stream, p.SequenceNumber)
	case strings.HasPrefix(text, string(tapDelta)):
		s.say("%d:%d", stream, p.SequenceNumber)
	default:
		s.say("%d:%d %q", stream, p.SequenceNumber, text)
	}
}

func (s *tape) Report(stream uint32, _ time.Time, r tap.SenderReport) {
	s.say("report %d %+v", stream, r)
}
func (s *tape) End(stream uint32, _ time.Time)              { s.say("end %d", stream) }
func (s *tape) Muted(track string, muted bool, _ time.Time) { s.say("muted %s %t", track, muted) }

func (s *tape) Speaking(identities []string, _ time.Time) { s.say("speaking %v", identities) }

// heard is what the tape says since it was last asked, after the tap has looked.
func (s *tape) heard(t *testing.T, want ...string) {
	t.Helper()
	time.Sleep(2 * tapEvery)
	if got := s.all(); !slices.Equal(got, want) {
		t.Errorf("heard\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// ended are streams that end together, in whichever order.
func (s *tape) ended(t *testing.T, want ...string) {
	t.Helper()
	if got := s.all(); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("heard\n\t%s\nwant, in whichever order,\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// all is what it says since it was last asked.
func (s *tape) all() (words []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	words, s.words = s.words, nil
	return words
}

func (s *tape) packets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

func (s *tape) stream(id uint32) tap.Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streams[id]
}

func inTapStage(t *testing.T, test func(*testing.T, *tapStage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		st := newTapStage(t)
		defer st.close()
		test(t, st)
	})
}

func TestNobodyIsTappedButWhoIsAllowed(t *testing.T) {
	inTapStage(t, func(t *testing.T, st *tapStage) {
		ann, bob, s := st.join("ann"), st.join("bob"), &tape{}
		ann.publish(microphone("TR_a"))
		bob.publish(microphone("TR_b"))
		both := func(seq uint16) {
			time.Sleep(20 * time.Millisecond)
			ann.write(1, -1, opusPT, seq, []byte("ann"))
			bob.write(1, -1, opusPT, seq, []byte("bob"))
		}
		both(1)
		pass := st.tap(s)
		both(2)
		s.heard(t)
		time.Sleep(time.Millisecond)
		pass.Allow("ann")
		both(3)
		s.heard(t, "begin 1 ann/TR_a audio/opus", `1:3 "ann"`)
		begun := s.stream(1)
		if want := (tap.Stream{
			ID: 1, Identity: "ann", Track: "TR_a", Source: "microphone", Mime: "audio/opus", Fmtp: "useinbandfec=1",
			SSRC: 1000, PayloadType: opusPT, RED: redPT, ClockRate: 48000, Channels: 2,
		}); begun != want {
			t.Errorf("began %+v, want %+v", begun, want)
		}
		both(4)
		pass.Forbid("ann") // what it was not told of by now it is told no more
		both(5)
		s.heard(t, "end 1")
		allow(pass, "bob", "ann")
		both(6)
		s.heard(t, "begin 2 ann/TR_a audio/opus", `2:6 "ann"`, "begin 3 bob/TR_b audio/opus", `3:6 "bob"`)
	})
}

// What was sent before somebody was let through, or while they were not, is not taken, also
// if it was lost and comes afterwards.
func TestWhatComesLateIsNotTaken(t *testing.T) {
	inTapStage(t, func(t *testing.T, st *tapStage) {
		ann, s := st.join("ann"), &tape{}
		ann.publish(microphone("TR_a"))
		ann.publish(camera("TR_v", 1))
		pass := st.tap(s)
		sends := func(seq uint16) {
			ann.write(1, -1, opusPT, seq, []byte("a"))
			ann.write(2, -1, vp8PT, seq, tapKey)
		}
		late := func(seq uint16) {
			ann.write(1, -1, opusPT, seq, []byte("late"))
			ann.write(1, -1, redPT, seq+3, append([]byte{0x80 | opusPT, 960 >> 6, 960 << 2 & 0xff, 4, opusPT}, "latea"...))
			ann.write(2, -1, rtxPT, 70+seq, append([]byte{0, byte(seq)}, tapKey...))
		}
		sends(3)
		sends(1) // in another order than it was sent
		time.Sleep(time.Millisecond)
		allow(pass, "ann")
		sends(4)
		late(2)
		s.heard(t, "begin 1 ann/TR_a audio/opus", `1:4 "a"`, `1:5 "a"`, "begin 2 ann/TR_v video/VP8", "2:4 K")
		pass.Forbid("ann")
		sends(6)
		sends(8)
		time.Sleep(2 * tapEvery)
		s.ended(t, "end 1", "end 2")
		allow(pass, "ann")
		sends(9)
		late(7)
		s.heard(t, "begin 3 ann/TR_a audio/opus", `3:9 "a"`, `3:10 "a"`, "begin 4 ann/TR_v video/VP8", "4:9 K")
	})
}

// Each packet is told once, as the publisher numbered it, whichever way it came.
func TestTappedPacketsAreUniqueAndUnwrapped(t *testing.T) {
	inTapStage(t, func(t *testing.T, st *tapStage) {
		ann, s := st.join("ann"), &tape{}
		allow(st.tap(s), "ann")
		ann.publish(camera("TR_v", 1))
		ann.publish(microphone("TR_a"))
		time.Sleep(2 * tapEvery)
		ann.write(1, -1, vp8PT, 1, tapKey)
		ann.write(1, -1, vp8PT, 3, tapDelta)
		ann.write(1, -1, vp8PT, 3, tapDelta)
		ann.write(1, -1, rtxPT, 77, append([]byte{0, 2}, tapDelta...))
		ann.write(1, -1, rtxPT, 78, append([]byte{0, 3}, tapDelta...))
		ann.write(1, -1, rtxPT, 79, nil)    // a probe
		ann.write(1, -1, vp8PT, 4, nil)     // padding counts
		ann.write(1, -1, vp8PT, 65530, nil) // stray
		ann.write(2, -1, redPT, 10, append([]byte{opusPT}, "a"...))
		ann.write(2, -1, redPT, 12, append([]byte{0x80 | opusPT, 960 >> 6, 960 << 2 & 0xff, 1, opusPT}, "bc"...))
		ann.write(2, -1, redPT, 13, append([]byte{0x80 | opusPT, 960 >> 6, 960 << 2 & 0xff, 1, opusPT}, "cd"...))
		s.heard(t, "begin 1 ann/TR_v video/VP8", "1:1 K", "1:3", "1:2", `1:4 ""`, `1:65530 ""`,
			"begin 2 ann/TR_a audio/opus", `2:10 "a"`, `2:11 "b"`, `2:12 "c"`, `2:13 "d"`)
	})
}

// What comes anew is another stream: a source, a numbering, a codec, the track itself
// and its owner.
func TestTappedStreamsBeginAnew(t *testing.T) {
	inTapStage(t, func(t *testing.T, st *tapStage) {
		ann, s := st.join("ann"), &tape{}
		allow(st.tap(s), "ann")
		ann.publish(camera("TR_v", 1))
		ann.write(1, -1, vp8PT, 1, tapKey)
		s.heard(t, "begin 1 ann/TR_v video/VP8", "1:1 K")
		ann.write(1, -1, h264PT, 2, []byte{0x67, 1, 2, 3})
		s.heard(t, "end 1", "begin 2 ann/TR_v video/H264", `2:2 "g\x01\x02\x03"`)
		for i := range uint16(20) { // the encoder started over
			ann.write(1, -1, vp8PT, 40000+i, tapDelta)
		}
		time.Sleep(2 * tapEvery)
		if heard := s.all(); !slices.Contains(heard, "begin 3 ann/TR_v video/VP8") {
			t.Errorf("heard %v", heard)
		}
		ann.sections[0].SSRCs = []publish.SSRC{{SSRC: 4000}}
		ann.receiver.SetSections(ann.sections)
		ann.put(&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: vp8PT, SequenceNumber: 7, SSRC: 4000}, Payload: tapKey})
		s.heard(t, "end 3", "begin 4 ann/TR_v video/VP8", "4:7 K")
		if b := s.stream(4); b.SSRC != 4000 {
			t.Errorf("began %+v", b)
		}

		ann.write(1, -1, vp8PT, 50, tapKey) // and back
		ann.unpublish("TR_v")
		ann.write(1, -1, vp8PT, 51, tapKey) // nobody takes it any more
		s.heard(t, "end 4", "begin 5 ann/TR_v video/VP8", "5:50 K", "end 5")
		ann.publish(microphone("TR_a"))
		time.Sleep(2 * tapEvery)
		ann.write(2, -1, opusPT, 1, []byte("a"))
		ann.leave()
		s.heard(t, "begin 6 ann/TR_a audio/opus", `6:1 "a"`, "end 6")
		ann = st.join("ann")
		ann.publish(microphone("TR_c"))
		ann.write(1, -1, opusPT, 9, []byte("c"))
		s.heard(t, "begin 7 ann/TR_c audio/opus", `7:9 "c"`)
	})
}

// Of simulcast the highest layer is told that comes. Another one begins with a key
// frame, and the one before goes on until then.
func TestTappedLayers(t *testing.T) {
	inTapStage(t, func(t *testing.T, st *tapStage) {
		ann, s := st.join("ann"), &tape{}
		allow(st.tap(s), "ann")
		ann.publish(camera("TR_v", 3))
		ann.write(1, 0, vp8PT, 1, tapKey)
		s.heard(t, "begin 1 ann/TR_v video/VP8", "1:1 K")
		ann.write(1, 2, vp8PT, 1, tapDelta)
		ann.write(1, 0, vp8PT, 2, tapDelta)
		s.heard(t, "1:2")
		ann.write(1, 2, vp8PT, 3, tapDelta) // of the key frame, whose first packet was lost
		ann.write(1, 2, vp8PT, 2, tapKey)
		ann.write(1, 0, vp8PT, 3, tapDelta)
		s.heard(t, "1:3", "end 1", "begin 2 ann/TR_v video/VP8", "2:3", "2:2 K")
		if b := s.stream(2); b.RID != "f" || b.SSRC != 1002 {
			t.Errorf("began %+v", b)
		}

		// The highest stops. The next one is taken, with a key frame that came meanwhile.
		low := uint16(4)
		for range 20 {
			if time.Sleep(100 * time.Millisecond); low == 10 {
				ann.write(1, 0, vp8PT, low, tapKey)
			} else {
				ann.write(1, 0, vp8PT, low, tapDelta)
			}
			low++
		}
		time.Sleep(2 * tapEvery)
		heard := s.all()
		if want := []string{"end 2", "begin 3 ann/TR_v video/VP8", "3:10 K", "3:11"}; !slices.Equal(heard[:min(4, len(heard))], want) {
			t.Errorf("heard %v, want %v and so on", heard, want)
		}
		// What it was told of the highest is not told again when that comes back.
		ann.write(1, 2, vp8PT, 4, tapDelta)
		s.heard(t)
		ann.write(1, 2, vp8PT, 5, tapKey)
		s.heard(t, "end 3", "begin 4 ann/TR_v video/VP8", "4:5 K")
	})
}

// Another codec tells its key frames otherwise: AV1 by the bit of its aggregation header that
// a new sequence begins (AV1 RTP specification, 4.4).
func TestTappedLayersOfAV1(t *testing.T) {
	inTapStage(t, func(t *testing.T, st *tapStage) {
		ann, s := st.join("ann"), &tape{}
		allow(st.tap(s), "ann")
		ann.publish(camera("TR_v", 3))
		key, delta := []byte{0x18, 0x0a, 0x01}, []byte{0x10, 0x32, 0x01}
		ann.write(1, 0, av1PT, 1, key)
		s.heard(t, "begin 1 ann/TR_v video/AV1", `1:1 "\x18\n\x01"`)
		ann.write(1, 2, av1PT, 1, delta)
		ann.write(1, 0, av1PT, 2, delta)
		s.heard(t, `1:2 "\x102\x01"`)
		ann.write(1, 2, av1PT, 2, key)
		ann.write(1, 0, av1PT, 3, delta)
		s.heard(t, `1:3 "\x102\x01"`, "end 1", "begin 2 ann/TR_v video/AV1", `2:2 "\x18\n\x01"`)
		if b := s.stream(2); b.RID != "f" || b.SSRC != 1002 || b.PayloadType != av1PT || b.ClockRate != 90000 {
			t.Errorf("began %+v", b)
		}
	})
}

// Layers inside a stream come as they are, whatever the tap needs of them.
func TestTappedSVC(t *testing.T) {
	inTapStage(t, func(t *testing.T, st *tapStage) {
		ann, s := st.join("ann"), &tape{}
		tap, err := st.unit.Meetings().Tap("r", TapConfig{Sink: s, Width: 320, Height: 180})
		if err != nil {
			t.Fatal(err)
		}
		allow(tap, "ann")
		info := camera("TR_v", 3)
		for _, l := range info.Codecs[0].Layers {
			l.Rid = "" // one stream, one SSRC
		}
		media := ann.publish(info)
		ann.sections[0].RIDs, ann.sections[0].SSRCs = nil, []publish.SSRC{{SSRC: 1000}}
		ann.receiver.SetSections(ann.sections)
		ann.write(1, -1, vp9PT, 1, []byte{0x2c, 0x00, 0, 'a'})
		ann.write(1, -1, vp9PT, 2, []byte{0x2c, 0x03, 0, 'b'})
		ann.write(1, -1, vp9PT, 3, []byte{0x2c, 0x05, 0, 'c'})
		s.heard(t, "begin 1 ann/TR_v video/VP9", `1:1 ",\x00\x00a"`, `1:2 ",\x03\x00b"`, `1:3 ",\x05\x00c"`)
		if !media.SVC() {
			t.Error("no layers were seen in the stream")
		}
	})
}

// Whoever resumes goes on in the same streams, whichever protocol it speaks.
func TestTappedResume(t *testing.T) {
	for _, single := range []bool{false, true} {
		inTapStage(t, func(t *testing.T, st *tapStage) {
			ann, s := st.join("ann"), &tape{}
			allow(st.tap(s), "ann")
			ann.publish(microphone("TR_a"))
			ann.write(1, -1, opusPT, 1, []byte("a"))
			s.heard(t, "begin 1 ann/TR_a audio/opus", `1:1 "a"`)
			st.in(func(r *room) {
				m := r.members["ann"]
				m.s.single = single
				(&signalLost{m.s, ann.ear}).serve(r)
				reply := make(chan joinReply, 1)
				(&resumeRequest{params: JoinParams{Identity: "ann", SingleConn: single, Permission: m.info.Permission}, signal: &ear{}, reply: reply}).serve(r)
				if got := <-reply; got.err != nil {
					t.Error(got.err)
				}
			})
			ann.write(1, -1, opusPT, 2, []byte("b"))
			s.heard(t, `1:2 "b"`)
		})
	}
}

// When everybody moves to the backup codec, so does the tap.
func TestTappedBackup(t *testing.T) {
	inTapStage(t, func(t *testing.T, st *tapStage) {
		ann, eve, s := st.join("ann"), st.join("eve"), &tape{}
		allow(st.tap(s), "ann")
		info := camera("TR_v", 1)
		info.BackupCodecPolicy = livekit.BackupCodecPolicy_REGRESSION
		info.Codecs = append(info.Codecs, &livekit.SimulcastCodecInfo{MimeType: "video/H264", Layers: info.Codecs[0].Layers})
		ann.publish(info)
		ann.write(1, -1, vp8PT, 1, tapKey)
		s.heard(t, "begin 1 ann/TR_v video/VP8", "1:1 K")
		ann.sections = append(ann.sections, ann.sections[0])
		backup := publish.NewTrack(publish.TrackConfig{ID: "TR_v", Kind: publish.Video})
		ann.sections[1].MID, ann.sections[1].SSRCs, ann.sections[1].Track = "2", []publish.SSRC{{SSRC: 2000}}, backup
		ann.receiver.SetSections(ann.sections)
		ann.write(2, -1, h264PT, 1, []byte{0x67, 1})
		s.heard(t)
		st.in(func(r *room) {
			reply := make(chan bool, 1)
			(&backupRequest{s: r.members["ann"].s, sid: "TR_v", codec: info.Codecs[1], media: backup, reply: reply}).serve(r)
			r.tracks[0].subscribed(r.members["eve"], true)
			(&wishRequest{r.members[eve.identity].s, "TR_v", wish{backup: true}}).serve(r)
		})
		ann.write(2, -1, h264PT, 2, []byte{0x67, 2})
		s.heard(t, "end 1", "begin 2 ann/TR_v video/H264", `2:1 "g\x01"`, `2:2 "g\x02"`)
	})
}

// A tap has the publisher send what it takes when nobody watches, and no more.
func TestATapIsASubscriber(t *testing.T) {
	inTapStage(t, func(t *testing.T, st *tapStage) {
		ann := st.join("ann")
		ann.publish(camera("TR_v", 3))
		said := &publisher{}
		st.in(func(r *room) { r.members["ann"].s.signal.Store(&signalBox{said}) })
		told := func(after time.Duration, want ...string) {
			t.Helper()
			time.Sleep(after)
			var got []string
			st.in(func(*room) { got, said.told = said.told, nil })
			if !slices.Equal(got, want) {
				t.Errorf("told %q, want %q", got, want)
			}
		}
		tap := st.tap(&tape{})
		told(aWhile, "vp8:")
		tap.Allow("ann")
		told(0, "vp8:LMH")
		tap.Forbid("ann")
		told(aWhile, "vp8:")
		tap.Allow("ann")
		told(0, "vp8:LMH")
		tap.Close()
		told(aWhile, "vp8:")
		small, err := st.unit.Meetings().Tap("r", TapConfig{Sink: &tape{}, Width: 640, Height: 360})
		if err != nil {
			t.Fatal(err)
		}
		small.Allow("ann")
		told(0, "vp8:LM")
		small.Close()
		st.in(func(r *room) {
			for _, m := range r.members["ann"].s.signal.Load().Signal.(*publisher).told {
				t.Errorf("and then %s", m)
			}
		})
	})
}

// Of hidden participants, of what is encrypted end to end and of what somebody may not
// publish, a recording knows nothing.
func TestTappedAreNoHiddenOnes(t *testing.T) {
	inTapStage(t, func(t *testing.T, st *tapStage) {
		ghost, s := st.join("ghost"), &tape{}
		st.in(func(r *room) { hide(r.members["ghost"]) })
		ann := st.join("ann")
		tap := st.tap(s)
		allow(tap, "ghost", "ann")
		ghost.publish(microphone("TR_g"))
		ann.publish(microphone("TR_a"))
		ghost.write(1, -1, opusPT, 1, []byte("boo"))
		sealed := microphone("TR_s")
		sealed.Encryption = livekit.Encryption_GCM
		ann.publish(sealed)
		ann.write(2, -1, opusPT, 1, []byte("cipher"))
		s.heard(t)
		st.unit.Meetings().SetPermission("r", "ann", &livekit.ParticipantPermission{
			CanPublish: true, CanPublishSources: []livekit.TrackSource{livekit.TrackSource_CAMERA},
		})
		ann.write(1, -1, opusPT, 1, []byte("a"))
		s.heard(t)
	})
}

func TestTappedMutesAndSpeakers(t *testing.T) {
	inTapStage(t, func(t *testing.T, st *tapStage) {
		ann, bob, s := st.join("ann"), st.join("bob"), &tape{}
		info := microphone("TR_a")
		info.Muted = true
		ann.publish(info)
		bob.publish(microphone("TR_b"))
		tap := st.tap(s)
		s.heard(t)
		tap.Allow("ann")
		s.heard(t, "muted TR_a true")
		mute := func(p *tapped, sid string, muted bool) {
			st.in(func(r *room) { (&muteRequest{r.members[p.identity].s, sid, muted}).serve(r) })
		}
		mute(ann, "TR_a", false)
		mute(bob, "TR_b", true)
		s.heard(t, "muted TR_a false")
		mute(bob, "TR_b", false)

		speak := func(levels ...byte) {
			seq := uint16(1)
			for range 50 {
				time.Sleep(20 * time.Millisecond)
				for i, p := range []*tapped{ann, bob}[:len(levels)] {
					h := rtp.Header{Version: 2, PayloadType: opusPT, SSRC: 1000, SequenceNumber: seq, Timestamp: uint32(seq) * 960}
					_ = h.SetExtension(1, []byte{levels[i]})
					p.put(&rtp.Packet{Header: h, Payload: []byte("la")})
				}
				seq++
			}
		}
		only := func(want ...string) {
			t.Helper()
			time.Sleep(2 * tapEvery)
			got := slices.DeleteFunc(s.all(), func(w string) bool { return !strings.HasPrefix(w, "speaking") })
			if !slices.Equal(got, want) {
				t.Errorf("heard %q, want %q", got, want)
			}
		}
		speak(20, 10)
		only("speaking [ann]") // bob is louder, and not let through
		tap.Allow("bob")
		only("speaking [bob ann]")
		tap.Forbid("ann")
		only("speaking [bob]")
		time.Sleep(3 * time.Second)
		only("speaking []")
	})
}

func TestTappedReports(t *testing.T) {
	inTapStage(t, func(t *testing.T, st *tapStage) {
		ann, s := st.join("ann"), &tape{}
		tap := st.tap(s)
		ann.publish(microphone("TR_a"))
		ann.write(1, -1, opusPT, 1, []byte("a"))
		ann.report(1000, rtcp.SenderReport{NTPTime: 1 << 32})
		time.Sleep(time.Millisecond)
		allow(tap, "ann")
		ann.write(1, -1, opusPT, 2, []byte("b"))
		ann.report(1000, rtcp.SenderReport{NTPTime: 2 << 32, RTPTime: 960, PacketCount: 2, OctetCount: 2})
		ann.report(77, rtcp.SenderReport{NTPTime: 3 << 32})
		s.heard(t, "begin 1 ann/TR_a audio/opus", `1:2 "b"`, "report 1 {NTP:8589934592 RTP:960 Packets:2 Octets:2}")
		for i := range uint64(20) {
			ann.report(1000, rtcp.SenderReport{NTPTime: (10 + i) << 32})
			s.heard(t, fmt.Sprintf("report 1 {NTP:%d RTP:0 Packets:0 Octets:0}", (10+i)<<32))
		}
	})
}

// Clients show that they are recorded from the moment there is a tap, also those who
// come later, and not any more when it is closed.
func TestATapIsNoSecret(t *testing.T) {
	inTapStage(t, func(t *testing.T, st *tapStage) {
		ann := st.join("ann")
		recorded := func(want bool) {
			t.Helper()
			is, told := false, false
			st.in(func(*room) {
				for _, m := range ann.ear.heard {
					if u := m.GetRoomUpdate(); u != nil {
						is, told = u.Room.ActiveRecording, true
					}
				}
				ann.ear.heard = nil
			})
			if !told || is != want {
				t.Errorf("ann was told %t: recorded %t, want %t", told, is, want)
			}
		}
		tap := st.tap(&tape{})
		recorded(true)
		st.in(func(r *room) {
			bob := r.newMember(&JoinParams{Identity: "bob", Permission: &livekit.ParticipantPermission{CanSubscribe: true}}, &ear{})
			if join := r.joinResponse(bob).GetJoin(); !join.Room.ActiveRecording {
				t.Error("bob joins a room that is recorded, and does not hear of it")
			}
		})
		second := st.tap(&tape{})
		tap.Close()
		st.in(func(r *room) {
			if !r.info.ActiveRecording {
				t.Error("the second tap is still there")
			}
		})
		second.Close()
		recorded(false)
		tap.Close() // again
		<-tap.Done()
	})
}

func TestATapEndsWithItsRoom(t *testing.T) {
	inTapStage(t, func(t *testing.T, st *tapStage) {
		ann, s := st.join("ann"), &tape{}
		tap := st.tap(s)
		allow(tap, "ann")
		ann.publish(microphone("TR_a"))
		ann.write(1, -1, opusPT, 2, []byte("b"))
		time.Sleep(2 * tapEvery)
		ann.write(1, -1, opusPT, 3, []byte("c"))
		st.unit.Meetings().CloseRoom("r", livekit.DisconnectReason_ROOM_DELETED)
		<-tap.Done()
		s.heard(t, "begin 1 ann/TR_a audio/opus", `1:2 "b"`, `1:3 "c"`, "end 1")
		tap.Forbid("ann")
		tap.Allow("ann")
		tap.Close()
		s.heard(t)
		if _, err := st.unit.Meetings().Tap("r", TapConfig{Sink: s}); !errors.Is(err, ErrNoRoom) {
			t.Errorf("a tap of a room that has ended: %v", err)
		}
	})
}

// blocking is a sink that answers when it is let.
type blocking struct {
	tape
	entered, release chan struct{}
}

func (b *blocking) Packet(stream uint32, at time.Time, raw []byte) {
	select {
	case b.entered <- struct{}{}:
	default:
	}
	<-b.release
	b.tape.Packet(stream, at, raw)
}

// A sink that does not answer holds up neither the publisher nor the room nor another
// tap. What it misses is counted.
func TestATapThatBlocks(t *testing.T) {
	inTapStage(t, func(t *testing.T, st *tapStage) {
		ann := st.join("ann")
		ann.publish(microphone("TR_a"))
		stuck := &blocking{entered: make(chan struct{}, 1), release: make(chan struct{})}
		s := &tape{}
		tap, other := st.tap(stuck), st.tap(s)
		allow(tap, "ann")
		allow(other, "ann")
		ann.write(1, -1, opusPT, 1, []byte("a"))
		<-stuck.entered
		const many = 1000
		for seq := uint16(2); seq <= many; seq++ { // returns: nobody waits
			time.Sleep(5 * time.Millisecond)
			ann.write(1, -1, opusPT, seq, []byte("a"))
		}
		bob := st.join("bob") // the room answers
		bob.publish(microphone("TR_b"))
		time.Sleep(2 * tapEvery)
		if n := s.packets(); n != many || other.Lost() > 0 {
			t.Errorf("the other tap heard %d packets of %d, and lost %d", n, many, other.Lost())
		}
		close(stuck.release)
		time.Sleep(2 * tapEvery)
		if n := stuck.packets(); n < 50 || n == many || tap.Lost() != uint64(many-n) {
			t.Errorf("it heard %d packets of %d, and lost %d", n, many, tap.Lost())
		}
	})
}

// failing is a sink that panics at the first packet.
type failing struct{ tape }

func (*failing) Packet(uint32, time.Time, []byte) { panic("disk on fire") }

func TestATapWhoseSinkPanics(t *testing.T) {
	inTapStage(t, func(t *testing.T, st *tapStage) {
		ann := st.join("ann")
		ann.publish(microphone("TR_a"))
		tap := st.tap(&failing{})
		allow(tap, "ann")
		ann.write(1, -1, opusPT, 1, []byte("a"))
		<-tap.Done()
		if !errors.Is(tap.Err(), ErrSinkFailed) {
			t.Errorf("it ended with %v", tap.Err())
		}
		st.in(func(r *room) {
			if r.info.ActiveRecording {
				t.Error("the room is said to be recorded")
			}
		})
		tap.Close()
		closed := st.tap(&tape{})
		if closed.Close(); closed.Err() != nil {
			t.Errorf("closed, and it ended with %v", closed.Err())
		}
	})
}

// ending is a sink that panics when a stream ends: within Forbid and Close, in the goroutine
// of whoever calls them.
type ending struct{ tape }

func (*ending) End(uint32, time.Time) { panic("disk on fire") }

// Whoever forbids, or closes, is none the worse for a sink that panics then, and neither is
// the room.
func TestATapWhoseSinkPanicsAtTheEnd(t *testing.T) {
	for name, end := range map[string]func(*Tap){
		"forbidden": func(tap *Tap) { tap.Forbid("ann") }, "closed": (*Tap).Close,
	} {
		t.Run(name, func(t *testing.T) {
			inTapStage(t, func(t *testing.T, st *tapStage) {
				ann := st.join("ann")
				ann.publish(microphone("TR_a"))
				sink := &ending{}
				tap := st.tap(sink)
				allow(tap, "ann")
				ann.write(1, -1, opusPT, 1, []byte("a"))
				time.Sleep(2 * tapEvery)
				end(tap)
				<-tap.Done()
				if !errors.Is(tap.Err(), ErrSinkFailed) {
					t.Errorf("it ended with %v", tap.Err())
				}
				told := sink.packets()
				tap.Forbid("ann")
				tap.Allow("ann")
				ann.write(1, -1, opusPT, 2, []byte("b"))
				time.Sleep(2 * tapEvery)
				tap.Close()
				if n := sink.packets(); n != told || told == 0 {
					t.Errorf("it was told %d things, and %d after it had failed", told, n-told)
				}
				st.in(func(r *room) {
					if r.info.ActiveRecording {
						t.Error("the room is said to be recorded")
					}
				})
				again := &tape{}
				another := st.tap(again)
				allow(another, "ann")
				ann.write(1, -1, opusPT, 3, []byte("c"))
				time.Sleep(2 * tapEvery)
				if another.Close(); len(again.all()) == 0 || another.Err() != nil {
					t.Errorf("the next tap was told %q, %v", again.all(), another.Err())
				}
			})
		})
	}
}

// gate is a sink that knows what must not come.
type gate struct {
	tape
	shut, inside atomic.Bool
	packets      atomic.Int64
	wrong        atomic.Int64
}

func (g *gate) Packet(uint32, time.Time, []byte) { g.pass(); g.packets.Add(1) }

func (g *gate) Report(uint32, time.Time, tap.SenderReport) { g.pass() }

func (g *gate) pass() {
	g.inside.Store(true)
	if g.shut.Load() {
		g.wrong.Add(1)
	}
	runtime.Gosched()
	if g.shut.Load() {
		g.wrong.Add(1)
	}
	g.inside.Store(false)
}

// When Forbid or Close has returned, no call is under way and none comes, however busy
// the publisher is. No clock is asked.
func TestForbidIsAFence(t *testing.T) {
	st := newTapStage(t)
	ann, g := st.join("ann"), &gate{}
	ann.publish(microphone("TR_a"))
	quit := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for seq := uint16(1); ; seq++ {
			select {
			case <-quit:
				return
			default:
				ann.write(1, -1, opusPT, seq, []byte("a"))
				ann.report(1000, rtcp.SenderReport{NTPTime: uint64(seq) << 32})
			}
		}
	})
	defer writing.Wait()
	defer close(quit)
	check := func(what string) {
		g.shut.Store(true)
		if g.inside.Load() {
			t.Errorf("%s returned while a call was under way", what)
		}
		ann.write(1, -1, opusPT, 9, []byte("a"))
	}
	for range 5 {
		tap := st.tap(g)
		for range 3 {
			g.shut.Store(false)
			tap.Allow("ann")
			for before := g.packets.Load(); g.packets.Load() == before; {
				runtime.Gosched()
			}
			tap.Forbid("ann")
			check("Forbid")
		}
		g.shut.Store(false)
		tap.Allow("ann")
		tap.Close()
		check("Close")
	}
	if n := g.wrong.Load(); n > 0 {
		t.Errorf("%d calls after the fence", n)
	}
}

// What the publisher's goroutine pays for a tap, over what it pays without, in the same
// run: nothing, since another one reads the rings.
func BenchmarkTap(b *testing.B) {
	const block = 64
	p := &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: vp8PT, SSRC: 1000}, Payload: append(slices.Clone(tapDelta), make([]byte, 1100)...)}
	raw, err := p.Marshal()
	if err != nil {
		b.Fatal(err)
	}
	var buffers [2]io.ReadWriteCloser
	for i := range buffers {
		st := newTapStage(b)
		ann := st.join("ann")
		ann.publish(camera("TR_v", 1))
		if i == 1 {
			allow(st.tap(&gate{}), "ann")
		}
		buffers[i] = ann.receiver.Buffer(packetio.RTPBufferPacket, 1000)
	}
	var took [2]time.Duration
	b.ReportAllocs()
	seq := uint16(0)
	for b.Loop() {
		for i, buf := range buffers {
			begun := time.Now()
			for n := range uint16(block) {
				binary.BigEndian.PutUint16(raw[2:], seq+n)
				_, _ = buf.Write(raw)
			}
			took[i] += time.Since(begun)
		}
		seq += block
	}
	b.ReportMetric(float64(took[0])/float64(b.N)/block, "ns/packet")
	b.ReportMetric(float64(took[1])/float64(took[0]), "x-untapped")
}
