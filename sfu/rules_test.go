package sfu

import (
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"

	"aparte/sfu/publish"
)

func TestLayerForSettings(t *testing.T) {
	layers := []*livekit.VideoLayer{
		{Quality: livekit.VideoQuality_LOW, Width: 320, Height: 180},
		{Quality: livekit.VideoQuality_MEDIUM, Width: 640, Height: 360},
		{Quality: livekit.VideoQuality_HIGH, Width: 1280, Height: 720},
	}
	all := layers
	for _, tt := range []struct {
		name string
		set  trackSettings
		info []*livekit.VideoLayer
		want int
	}{
		{"never told", trackSettings{}, all, 2},
		{"low", trackSettings{told: true, quality: livekit.VideoQuality_LOW}, all, 0},
		{"medium", trackSettings{told: true, quality: livekit.VideoQuality_MEDIUM}, all, 1},
		{"high", trackSettings{told: true, quality: livekit.VideoQuality_HIGH}, all, 2},
		{"size wins over quality", trackSettings{told: true, quality: livekit.VideoQuality_HIGH, width: 300, height: 100}, all, 0},
		{"exactly the size", trackSettings{told: true, width: 320, height: 180}, all, 0},
		{"a bit more", trackSettings{told: true, width: 321, height: 180}, all, 1},
		{"higher than all", trackSettings{told: true, width: 4000, height: 3000}, all, 2},
		{"portrait", trackSettings{told: true, width: 200, height: 400}, all, 2},
		{"two layers", trackSettings{told: true, width: 600, height: 300}, layers[:2], 1},
		{"one layer", trackSettings{told: true, quality: livekit.VideoQuality_LOW}, layers[2:], 2},
		{"no layers told", trackSettings{told: true, quality: livekit.VideoQuality_LOW}, nil, 2},
	} {
		if got := tt.set.layer(tt.info); got != tt.want {
			t.Errorf("%s: layer %d, want %d", tt.name, got, tt.want)
		}
	}
}

// A quality is a place among simulcast's rids, but the nth layer of SVC.
func TestLayerInTheStream(t *testing.T) {
	low, medium, high := livekit.VideoQuality_LOW, livekit.VideoQuality_MEDIUM, livekit.VideoQuality_HIGH
	for _, tt := range []struct {
		name   string
		layers []*livekit.VideoLayer
		want   [3]int // of LOW, MEDIUM, HIGH
	}{
		{"simulcast", []*livekit.VideoLayer{{Quality: low, Rid: "q"}, {Quality: medium, Rid: "h"}}, [3]int{0, 1, 2}},
		{"SVC of three", []*livekit.VideoLayer{{Quality: low}, {Quality: medium}, {Quality: high}}, [3]int{0, 1, 2}},
		{"SVC of two", []*livekit.VideoLayer{{Quality: medium}, {Quality: high}}, [3]int{0, 0, 1}},
		{"one", []*livekit.VideoLayer{{Quality: high}}, [3]int{0, 1, 2}},
	} {
		for quality, want := range tt.want {
			if got := inStream(tt.layers, quality); got != want {
				t.Errorf("%s, quality %d: layer %d, want %d", tt.name, quality, got, want)
			}
		}
	}
}

func TestTrackInfoEchoesTheRequest(t *testing.T) {
	info := trackInfo(&livekit.AddTrackRequest{
		Cid: "c", Name: "n", Type: livekit.TrackType_VIDEO, Source: livekit.TrackSource_SCREEN_SHARE, Width: 1280, Height: 720,
		Encryption:      livekit.Encryption_GCM,
		Layers:          []*livekit.VideoLayer{{Quality: livekit.VideoQuality_LOW}, {Quality: livekit.VideoQuality_MEDIUM}},
		SimulcastCodecs: []*livekit.SimulcastCodec{{Codec: "h265", Cid: "c"}},
	})
	if info.Stream != "screen" || info.Encryption != livekit.Encryption_GCM || info.Width != 1280 || info.Sid[:5] != "TR_VS" {
		t.Errorf("info %v", info)
	}
	if info.Codecs[0].MimeType != "video/VP8" {
		t.Errorf("codec %s: h265 is not enabled here and must be reported as what replaces it", info.Codecs[0].MimeType)
	}
	if !info.Simulcast || len(info.Layers) != 2 || info.Codecs[0].Layers[1].Rid != "h" || info.Codecs[0].Layers[1].SpatialLayer != 1 { //nolint:staticcheck // clients still read it
		t.Errorf("layers %v", info.Codecs[0].Layers)
	}
	audio := trackInfo(&livekit.AddTrackRequest{Type: livekit.TrackType_AUDIO, AudioFeatures: []livekit.AudioTrackFeature{
		livekit.AudioTrackFeature_TF_STEREO, livekit.AudioTrackFeature_TF_NO_DTX,
	}})
	if !audio.Stereo || !audio.DisableDtx || audio.MimeType != "audio/opus" { //nolint:staticcheck // clients still read it
		t.Errorf("audio %v", audio)
	}
}

func TestQualityBorders(t *testing.T) {
	for _, tt := range []struct {
		loss float64
		rtt  time.Duration
		want livekit.ConnectionQuality
	}{
		{0, 0, livekit.ConnectionQuality_EXCELLENT},
		{0.019, 399 * time.Millisecond, livekit.ConnectionQuality_EXCELLENT},
		{0.02, 0, livekit.ConnectionQuality_GOOD},
		{0, 400 * time.Millisecond, livekit.ConnectionQuality_GOOD},
		{0.08, 0, livekit.ConnectionQuality_POOR},
		{0, time.Second, livekit.ConnectionQuality_POOR},
		{1, time.Minute, livekit.ConnectionQuality_POOR}, // never LOST
	} {
		if got := quality(tt.loss, tt.rtt); got != tt.want {
			t.Errorf("loss %v, rtt %v: %v, want %v", tt.loss, tt.rtt, got, tt.want)
		}
	}
}

func TestSpeakerDeltas(t *testing.T) {
	m := &member{told: map[string]bool{}}
	heard := map[string]bool{"me": true, "a": true}
	changed := func(sids ...string) map[string]*livekit.SpeakerInfo {
		out := map[string]*livekit.SpeakerInfo{}
		for _, sid := range sids {
			out[sid] = &livekit.SpeakerInfo{Sid: sid, Level: 0.5, Active: true}
		}
		return out
	}
	for i, step := range []struct {
		heard   map[string]bool
		now     map[string]float32
		changed map[string]*livekit.SpeakerInfo
		want    []string
	}{
		{heard, map[string]float32{"a": 0.5, "stranger": 0.9}, changed("a", "stranger"), []string{"a on"}},
		{heard, map[string]float32{"a": 0.5}, nil, nil}, // nothing new
		{heard, map[string]float32{"a": 0.8, "me": 0.3}, changed("a"), []string{"a on", "me on"}},
		{map[string]bool{"me": true}, map[string]float32{"a": 0.8, "me": 0.3}, nil, []string{"a off"}}, // unsubscribed
		{heard, map[string]float32{"a": 0.8}, nil, []string{"a on", "me off"}},
		{heard, nil, nil, []string{"a off"}},
		{heard, nil, nil, nil},
	} {
		var got []string
		for _, s := range m.speakerDelta(step.heard, step.now, step.changed) {
			word := " off"
			if s.Active {
				word = " on"
			}
			if s.Active != (s.Level > 0) {
				t.Errorf("step %d: %v", i, s)
			}
			got = append(got, s.Sid+word)
		}
		slices.Sort(got)
		if !slices.Equal(got, step.want) {
			t.Errorf("step %d: %q, want %q", i, got, step.want)
		}
	}
}

func TestWants(t *testing.T) {
	yes := &livekit.ParticipantPermission{CanSubscribe: true}
	sub := func(edit func(*member)) *member {
		m := &member{
			s: &Session{params: JoinParams{AutoSubscribe: true}}, active: true, explicit: map[string]bool{},
			info: &livekit.ParticipantInfo{Sid: "PA_sub", Identity: "sub", Permission: yes},
		}
		edit(m)
		return m
	}
	pub := &member{info: &livekit.ParticipantInfo{Sid: "PA_pub"}}
	tr := &track{owner: pub, info: &livekit.TrackInfo{Sid: "TR_1"}}
	for _, tt := range []struct {
		name   string
		edit   func(*member)
		allows *livekit.SubscriptionPermission
		want   bool
	}{
		{"automatically", func(*member) {}, nil, true},
		{"before it is connected", func(m *member) { m.active = false }, nil, true},
		{"without the right", func(m *member) { m.info.Permission = &livekit.ParticipantPermission{} }, nil, false},
		{"manual, not asked", func(m *member) { m.s.params.AutoSubscribe = false }, nil, false},
		{"manual, asked", func(m *member) { m.s.params.AutoSubscribe = false; m.explicit["TR_1"] = true }, nil, true},
		{"automatic, refused", func(m *member) { m.explicit["TR_1"] = false }, nil, false},
		{"publisher allows nobody", func(*member) {}, &livekit.SubscriptionPermission{}, false},
		{"publisher allows this track by sid", func(*member) {}, &livekit.SubscriptionPermission{TrackPermissions: []*livekit.TrackPermission{{ParticipantSid: "PA_sub", TrackSids: []string{"TR_1"}}}}, true},
		{"publisher allows another track", func(*member) {}, &livekit.SubscriptionPermission{TrackPermissions: []*livekit.TrackPermission{{ParticipantSid: "PA_sub", TrackSids: []string{"TR_2"}}}}, false},
		{"publisher allows another person", func(*member) {}, &livekit.SubscriptionPermission{TrackPermissions: []*livekit.TrackPermission{{ParticipantIdentity: "x", AllTracks: true}}}, false},
		{"recorders are exempt", func(m *member) { m.info.Kind = livekit.ParticipantInfo_EGRESS }, &livekit.SubscriptionPermission{}, true},
	} {
		pub.allows = tt.allows
		if got := wants(sub(tt.edit), tr); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	if wants(pub, tr) {
		t.Error("a publisher is sent its own track")
	}
}

func TestOutboxIsBounded(t *testing.T) {
	o := newOutbox(1000, &counters{})
	o.opened = true
	flood, polite := &Session{}, &Session{}
	packet := make([]byte, 100)
	for o.add(flood, 0, packet) == nil {
	}
	if o.size > 1000/shares {
		t.Errorf("one sender holds %d bytes of 1000", o.size)
	}
	if o.add(polite, 0, packet) != nil {
		t.Error("the flood of one leaves no room for another")
	}
	const more = 10
	for range more {
		another := &Session{}
		for o.add(another, 0, packet) == nil {
		}
	}
	if most := 1000 + more*len(packet); o.size > most {
		t.Errorf("%d bytes wait, at most %d may: the limit and one packet of each late sender", o.size, most)
	}
	full := o.add(polite, 0, make([]byte, 200))
	if full == nil {
		t.Fatal("more than the limit was taken")
	}
	if o.add(&Session{}, 0, packet) != nil {
		t.Error("floods of others hold one who has nothing waiting")
	}
	for range maxLossy + 5 {
		o.addLossy(packet)
	}
	if len(o.lossy) != maxLossy || o.count.dataLossyFull.Load() != 5 {
		t.Errorf("%d lossy packets wait, %d were dropped", len(o.lossy), o.count.dataLossyFull.Load())
	}
	o.close()
	<-full // those who wait are let go
	if o.add(polite, 0, packet) != nil || len(o.reliable) != 0 {
		t.Error("a closed outbox takes packets")
	}
}

// Who has not opened its channel is as one that joins later.
func TestOutboxOfALateReceiver(t *testing.T) {
	o := newOutbox(1000, &counters{})
	from := &Session{}
	for i := range 50 {
		if o.add(from, 0, append(make([]byte, 99), byte(i))) != nil {
			t.Fatal("a receiver that is still connecting holds the sender")
		}
	}
	if n := len(o.reliable); n != 2 || o.reliable[n-1].packet[99] != 49 {
		t.Errorf("%d packets are kept, the last is %d", n, o.reliable[n-1].packet[99])
	}
}

func TestDeparturesAreSmall(t *testing.T) {
	r := &room{}
	r.remember(&livekit.ParticipantInfo{Sid: "PA_1", Identity: "a", State: livekit.ParticipantInfo_DISCONNECTED, Metadata: string(make([]byte, 60000)), Attributes: map[string]string{"k": string(make([]byte, 60000))}})
	if n := proto.Size(r.left[0].info()); n > 100 {
		t.Errorf("%d bytes are kept of somebody who left", n)
	}
	for range 2000 {
		r.remember(&livekit.ParticipantInfo{})
	}
	if len(r.left) > 1000 {
		t.Errorf("%d departures kept", len(r.left))
	}
}

func TestCapabilitiesAreThoseWeKnow(t *testing.T) {
	got := knownCapabilities(slices.Repeat([]livekit.ClientInfo_Capability{0, 1, 2, 77, 1}, 1000))
	if want := []livekit.ClientInfo_Capability{1, 2}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestEveryChangeRaisesTheVersion(t *testing.T) {
	m := &member{s: &Session{}, info: &livekit.ParticipantInfo{Version: 7, Attributes: map[string]string{"a": "b"}}}
	before := m.info
	m.change(func(p *livekit.ParticipantInfo) { p.Attributes["a"] = "c" })
	if m.info.Version != 8 || before.Version != 7 || before.Attributes["a"] != "b" {
		t.Errorf("before %v, after %v: infos in flight must not change", before, m.info)
	}
}

// slowListener blocks until it is let go.
type slowListener struct {
	free chan struct{}
	got  []string
}

func (l *slowListener) Told(e Event) {
	<-l.free
	sign := map[EventKind]string{Joined: "", Left: "-"}[e.Kind]
	l.got = append(l.got, sign+e.Participant.Identity)
}

func TestEventsDoNotWaitForTheListener(t *testing.T) {
	l := &slowListener{free: make(chan struct{})}
	q := newEventQueue(l, slog.New(slog.NewTextHandler(io.Discard, nil)))
	a, b := &livekit.ParticipantInfo{Identity: "a"}, &livekit.ParticipantInfo{Identity: "b"}
	q.add(Event{Kind: Joined, Participant: a})
	q.add(Event{Kind: Left, Participant: a})
	q.add(Event{Kind: Joined, Participant: b})
	close(l.free)
	q.close()
	if want := []string{"a", "-a", "b"}; !slices.Equal(l.got, want) {
		t.Errorf("heard %q, want %q", l.got, want)
	}
}

func TestKindOf(t *testing.T) {
	if kindOf(&livekit.TrackInfo{Type: livekit.TrackType_AUDIO}) != publish.Audio || kindOf(&livekit.TrackInfo{Type: livekit.TrackType_VIDEO}) != publish.Video {
		t.Error("kinds mixed up")
	}
}

// ear is a client that keeps what it is told.
type ear struct{ heard []*livekit.SignalResponse }

func (e *ear) Send(m *livekit.SignalResponse) { e.heard = append(e.heard, m) }
func (*ear) Close()                           {}

func TestAnswersDoNotRepeatLongRequests(t *testing.T) {
	long := strings.Repeat("x", 2*maxEcho)
	track := &livekit.AddTrackRequest{Cid: long, Type: livekit.TrackType_AUDIO}
	update := &livekit.UpdateParticipantMetadata{RequestId: 7, Metadata: long}
	e := &ear{}
	s := New(Config{Log: slog.New(slog.DiscardHandler)})
	defer s.events.close()
	p := JoinParams{Identity: "p", Permission: &livekit.ParticipantPermission{CanPublish: true}}
	session := newRoom(s, p).newMember(&p, e).s
	session.addTrack(track)
	e.Send(Refusal(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: track}}, livekit.RequestResponse_LIMIT_EXCEEDED, "no"))
	e.Send(Refusal(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateMetadata{UpdateMetadata: update}}, livekit.RequestResponse_LIMIT_EXCEEDED, "no"))
	if len(e.heard) != 3 {
		t.Fatalf("%d answers, want 3", len(e.heard))
	}
	for i, m := range e.heard {
		if n := proto.Size(m); n > maxEcho {
			t.Errorf("answer %d has %d bytes", i, n)
		}
	}
	if id := e.heard[2].GetRequestResponse().GetRequestId(); id != 7 {
		t.Errorf("request id %d, want 7", id)
	}
	short := &livekit.AddTrackRequest{Cid: "c", Type: livekit.TrackType_AUDIO}
	if got := Refusal(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: short}}, 0, ""); got.GetRequestResponse().GetAddTrack().GetCid() != "c" {
		t.Error("a short request does not stand in its answer")
	}
}

func TestSubscriptionPermissionsAreBounded(t *testing.T) {
	entry := func(n, size int) *livekit.TrackPermission {
		return &livekit.TrackPermission{TrackSids: slices.Repeat([]string{strings.Repeat("x", size)}, n)}
	}
	for _, tt := range []struct {
		p    []*livekit.TrackPermission
		want bool
	}{
		{nil, true},
		{slices.Repeat([]*livekit.TrackPermission{entry(64, 22)}, 500), true},
		{slices.Repeat([]*livekit.TrackPermission{entry(0, 0)}, 501), false},
		{[]*livekit.TrackPermission{entry(65, 22)}, false},
		{[]*livekit.TrackPermission{entry(1, 65)}, false},
	} {
		if got := reasonable(&livekit.SubscriptionPermission{TrackPermissions: tt.p}); got != tt.want {
			t.Errorf("%d entries: %v", len(tt.p), got)
		}
	}
}

// One space's rooms must not keep the other's from opening.
func TestRoomLimitIsPerSpace(t *testing.T) {
	s := New(Config{Log: slog.New(slog.DiscardHandler), Limits: Limits{Rooms: 1}})
	defer s.events.close()
	p := func(in SpaceKind, name string) JoinParams { return JoinParams{Room: RoomKey{in, name}} }
	first, err := s.room(p(IntegrationSpace, "a"), true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.room(p(IntegrationSpace, "b"), true); !errors.Is(err, ErrFull) {
		t.Errorf("a second room: %v", err)
	}
	if err := s.Admits(p(IntegrationSpace, "b")); !errors.Is(err, ErrFull) {
		t.Errorf("admits a second room: %v", err)
	}
	meeting, err := s.room(p(MeetingSpace, "b"), true)
	if err != nil {
		t.Fatalf("a room of the other space: %v", err)
	}
	first.close(0)
	again, err := s.room(p(IntegrationSpace, "b"), true)
	if err != nil {
		t.Fatalf("after the first closed: %v", err)
	}
	meeting.close(0)
	again.close(0)
	s.running.Wait()
}

func TestPausesBetweenWordsAreBridged(t *testing.T) {
	tr := &track{
		owner: &member{info: &livekit.ParticipantInfo{Sid: "PA_a"}},
		info:  &livekit.TrackInfo{},
		media: publish.NewTrack(publish.TrackConfig{ID: "TR_a", Kind: publish.Audio}),
	}
	r := &room{tracks: []*track{tr}, speaking: map[string]float32{}, silent: map[string]int{}}
	tick := func(speaks bool) bool {
		now := map[string]float32{}
		if speaks {
			now["PA_a"] = 0.5
		}
		r.bridgePauses(now)
		r.speaking = now
		_, active := now["PA_a"]
		return active
	}
	for i, step := range []struct{ speaks, want bool }{
		{false, false}, {true, true}, {false, true}, {true, true}, {false, true}, {false, true}, {false, false}, {false, false}, {true, true},
	} {
		if got := tick(step.speaks); got != step.want {
			t.Errorf("tick %d: active %v", i, got)
		}
	}
	tr.info = &livekit.TrackInfo{Muted: true}
	if tick(false) {
		t.Error("who mutes is still shown to speak")
	}
	if len(r.silent) != 0 {
		t.Errorf("counters are left: %v", r.silent)
	}
}
