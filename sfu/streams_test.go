package sfu

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/transport/v5/packetio"

	"aparte/sfu/codec"
	"aparte/sfu/congestion"
	"aparte/sfu/forward"
	"aparte/sfu/publish"
)

func TestStreamStates(t *testing.T) {
	const paused, active, nothing = "paused", "active", ""
	var s streamState
	now := time.Unix(1000, 0)
	for i, c := range []struct {
		after time.Duration
		held  bool
		want  string
	}{
		{0, false, nothing},
		{0, true, nothing}, // it may be a moment
		{pausedFor - 1, true, nothing},
		{time.Second, false, nothing},
		{time.Second, true, nothing},
		{pausedFor, true, paused},
		{time.Second, true, nothing}, // once
		{time.Second, false, active},
		{time.Second, false, nothing},
	} {
		now = now.Add(c.after)
		got := nothing
		if state, tell := s.next(c.held, now); tell {
			got = map[livekit.StreamState]string{livekit.StreamState_ACTIVE: active, livekit.StreamState_PAUSED: paused}[state]
		}
		if got != c.want {
			t.Fatalf("%d: %q, want %q", i, got, c.want)
		}
	}
}

func TestRanks(t *testing.T) {
	camera := &livekit.TrackInfo{Source: livekit.TrackSource_CAMERA}
	screen := &livekit.TrackInfo{Source: livekit.TrackSource_SCREEN_SHARE}
	for _, c := range []struct {
		name string
		set  trackSettings
		info *livekit.TrackInfo
		want congestion.Rank
	}{
		{"a small picture", trackSettings{told: true, width: 320, height: 180}, camera, congestion.Rest},
		{"nothing said", trackSettings{}, camera, congestion.Rest},
		{"a large one", trackSettings{told: true, width: 1280, height: 720}, camera, congestion.Pinned},
		{"with a priority", trackSettings{told: true, priority: 1}, camera, congestion.Pinned},
		{"a screen, however small", trackSettings{told: true, width: 320, height: 180}, screen, congestion.Screen},
	} {
		if got := c.set.rank(c.info); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestMicrophonesByKindOfRoom(t *testing.T) {
	var l Limits
	l.setDefaults()
	if l.microphones(MeetingSpace) != 3 || l.microphones(IntegrationSpace) > 0 {
		t.Fatal(l.microphones(MeetingSpace), l.microphones(IntegrationSpace))
	}
	l = Limits{Microphones: -1, IntegrationMicrophones: 5}
	l.setDefaults()
	if l.microphones(MeetingSpace) > 0 || l.microphones(IntegrationSpace) != 5 {
		t.Fatal(l.microphones(MeetingSpace), l.microphones(IntegrationSpace))
	}
	unit := New(Config{Log: slog.New(slog.DiscardHandler)})
	defer func() { _ = unit.Close(t.Context()) }()
	r := newRoom(unit, JoinParams{Room: RoomKey{Space: MeetingSpace, Name: "m"}})
	mic := &livekit.TrackInfo{Type: livekit.TrackType_AUDIO, Source: livekit.TrackSource_MICROPHONE}
	film := &livekit.TrackInfo{Type: livekit.TrackType_AUDIO, Source: livekit.TrackSource_SCREEN_SHARE_AUDIO}
	if r.floorFor(mic) == nil || r.floorFor(film) != nil {
		t.Fatal("a film's sound must not have to compete with voices")
	}
	r = newRoom(unit, JoinParams{Room: RoomKey{Name: "i"}})
	if r.floorFor(mic) != nil {
		t.Fatal("integration rooms hear everyone unless asked otherwise")
	}
}

// heard keeps what a client is told.
type heard struct{ states []*livekit.StreamStateInfo }

func (h *heard) Send(m *livekit.SignalResponse) {
	h.states = append(h.states, m.GetStreamStateUpdate().GetStreamStates()...)
}
func (*heard) Close() {}

// discardRTP is a path on which everything vanishes.
type discardRTP struct{}

func (discardRTP) WriteRTP(_ *rtp.Header, payload []byte) (int, error) { return len(payload), nil }

// A picture that does not fit is said to be paused, and to be active when it flows.
func TestClientsHearOfHeldPictures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := forward.NewWorker(forward.WorkerConfig{})
		defer w.Close()
		rc := publish.NewReceiver(publish.ReceiverConfig{})
		media := publish.NewTrack(publish.TrackConfig{ID: "TR_v", Kind: publish.Video})
		vp8 := []publish.Codec{{PayloadType: 96, Type: codec.VP8, ClockRate: 90000}}
		rc.SetSections([]publish.Section{{MID: "0", Kind: publish.Video, Track: media, SSRCs: []publish.SSRC{{SSRC: 1}}, Codecs: vp8}})
		w.AddTicker(rc)
		defer w.RemoveTicker(rc)

		unit := New(Config{Log: slog.New(slog.DiscardHandler)})
		defer func() { _ = unit.Close(t.Context()) }()
		told := &heard{}
		s := newSession(newRoom(unit, JoinParams{}), &livekit.ParticipantInfo{Sid: "PA_b"}, &JoinParams{}, told)
		sub := w.NewSubscriber(forward.SubscriberConfig{OnStreamState: s.wake})
		down := sub.NewDownTrack(media)
		s.downs["TR_v"] = &subscription{w: wanted{sid: "TR_v", stream: "PA_a|TR_v", media: media, info: &livekit.TrackInfo{}}, down: down}
		down.Bind(forward.Binding{Writer: discardRTP{}, SSRC: 7, Codecs: vp8, Ext: publish.Extensions{TransportCC: 3}})

		seq := uint16(0)
		seconds := func(n int, bps float32) {
			remb, err := (&rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: bps, SSRCs: []uint32{7}}).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			for i := range n * 50 { // 500 kbit/s
				seq++
				p := rtp.Packet{
					Header:  rtp.Header{Version: 2, SSRC: 1, PayloadType: 96, SequenceNumber: seq, Timestamp: uint32(seq) * 1800, Marker: true},
					Payload: make([]byte, 1200),
				}
				copy(p.Payload, []byte{0x10, byte(i % 10)})
				raw, err := p.Marshal()
				if err != nil {
					t.Fatal(err)
				}
				_, _ = rc.Buffer(packetio.RTPBufferPacket, 1).Write(raw)
				if i%50 == 0 {
					sub.HandleRTCP(7, remb)
					s.tellStreams(time.Now())
				}
				time.Sleep(20 * time.Millisecond)
			}
			synctest.Wait()
			s.tellStreams(time.Now())
		}
		for i, c := range []struct {
			bps  float32
			want string
		}{{2_000_000, ""}, {100_000, "PAUSED"}, {2_000_000, "ACTIVE"}} {
			told.states = nil
			seconds(5, c.bps)
			got := ""
			for _, st := range told.states {
				if st.ParticipantSid != "PA_a" || st.TrackSid != "TR_v" {
					t.Fatal(st)
				}
				got += st.State.String()
			}
			if got != c.want || down.Held() != (c.want == "PAUSED") {
				t.Fatalf("step %d: told %q, want %q; held %t", i, got, c.want, down.Held())
			}
		}
		// Whoever resumes may have missed it.
		told.states = nil
		s.forgetStreams()
		s.tellStreams(time.Now())
		if len(told.states) != 1 || told.states[0].State != livekit.StreamState_ACTIVE {
			t.Fatal(told.states)
		}
	})
}
