package sfu

import (
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/sfu/publish"
)

func TestLayerForSettings(t *testing.T) {
	layers := []*livekit.VideoLayer{
		{Quality: livekit.VideoQuality_LOW, Width: 320, Height: 180},
		{Quality: livekit.VideoQuality_MEDIUM, Width: 640, Height: 360},
		{Quality: livekit.VideoQuality_HIGH, Width: 1280, Height: 720},
	}
	info := func(l ...*livekit.VideoLayer) *livekit.TrackInfo {
		return &livekit.TrackInfo{Codecs: []*livekit.SimulcastCodecInfo{{Layers: l}}}
	}
	all := info(layers...)
	for _, tt := range []struct {
		name string
		set  trackSettings
		info *livekit.TrackInfo
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
		{"two layers", trackSettings{told: true, width: 600, height: 300}, info(layers[:2]...), 1},
		{"one layer", trackSettings{told: true, quality: livekit.VideoQuality_LOW}, info(layers[2]), 2},
		{"no layers told", trackSettings{told: true, quality: livekit.VideoQuality_LOW}, &livekit.TrackInfo{}, 2},
	} {
		if got := tt.set.layer(tt.info); got != tt.want {
			t.Errorf("%s: layer %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestTrackInfoEchoesTheRequest(t *testing.T) {
	info := trackInfo(&livekit.AddTrackRequest{
		Cid: "c", Name: "n", Type: livekit.TrackType_VIDEO, Source: livekit.TrackSource_SCREEN_SHARE, Width: 1280, Height: 720,
		Encryption:      livekit.Encryption_GCM,
		Layers:          []*livekit.VideoLayer{{Quality: livekit.VideoQuality_LOW}, {Quality: livekit.VideoQuality_MEDIUM}},
		SimulcastCodecs: []*livekit.SimulcastCodec{{Codec: "vp9", Cid: "c"}, {Codec: "vp8"}},
	})
	if info.Stream != "screen" || info.Encryption != livekit.Encryption_GCM || info.Width != 1280 || info.Sid[:5] != "TR_VS" {
		t.Errorf("info %v", info)
	}
	if info.Codecs[0].MimeType != "video/VP8" {
		t.Errorf("codec %s: vp9 is not offered here and must be reported as what replaces it", info.Codecs[0].MimeType)
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
		{"not before it is connected", func(m *member) { m.active = false }, nil, false},
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
	o := newOutbox(1000)
	packet := make([]byte, 100)
	for i := range 10 {
		if !o.add(true, packet) {
			t.Fatalf("packet %d of 10 refused", i)
		}
	}
	if o.add(true, packet) {
		t.Error("more than the limit was taken")
	}
	if !o.add(true, packet) || len(o.reliable) != 10 {
		t.Error("the overflow is told once, and nothing is queued after it")
	}
	o = newOutbox(1000)
	for range maxLossy + 5 {
		o.add(false, packet)
	}
	if len(o.lossy) != maxLossy || o.dropped != 5 {
		t.Errorf("%d lossy packets wait, %d were dropped", len(o.lossy), o.dropped)
	}
	o.close()
	if o.add(true, packet); len(o.reliable) != 0 {
		t.Error("a closed outbox takes packets")
	}
}

func TestEveryChangeRaisesTheVersion(t *testing.T) {
	m := &member{info: &livekit.ParticipantInfo{Version: 7, Attributes: map[string]string{"a": "b"}}}
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

func (l *slowListener) Joined(m Member) { <-l.free; l.got = append(l.got, m.Identity) }
func (l *slowListener) Left(m Member, _ livekit.DisconnectReason) {
	l.got = append(l.got, "-"+m.Identity)
}

func TestEventsDoNotWaitForTheListener(t *testing.T) {
	l := &slowListener{free: make(chan struct{})}
	q := newEventQueue(l, slog.New(slog.NewTextHandler(io.Discard, nil)))
	q.add(event{joined: true, member: Member{Identity: "a"}})
	q.add(event{member: Member{Identity: "a"}})
	q.add(event{joined: true, member: Member{Identity: "b"}})
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
