package sfu

import (
	"log/slog"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/sfu/congestion"
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
	if l.microphones(true) != 3 || l.microphones(false) > 0 {
		t.Fatal(l.microphones(true), l.microphones(false))
	}
	l = Limits{Microphones: -1, IntegrationMicrophones: 5}
	l.setDefaults()
	if l.microphones(true) > 0 || l.microphones(false) != 5 {
		t.Fatal(l.microphones(true), l.microphones(false))
	}
	unit := New(Config{Log: slog.New(slog.DiscardHandler)})
	defer func() { _ = unit.Close(t.Context()) }()
	r := newRoom(unit, JoinParams{Room: RoomKey{Meeting: true, Name: "m"}})
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
