package trial

import (
	"context"
	"strings"
	"testing"
	"time"

	"aparte/cmd/aparte-load/load"
)

// Whoever stops a load gets the figures until then, and nobody stays behind.
func TestStopped(t *testing.T) {
	t.Parallel()
	p := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	r, err := load.Run(ctx, load.Config{
		Plan: load.Plan{
			Rooms: 1, Mesh: 2, Audio: true, Video: load.VideoNone, Prefix: "stopped",
			VideoBps: 300_000, AudioBps: 24_000, FPS: 10,
		},
		URL: p.url, Keys: keys, Single: true, JoinsPerSecond: 20, Duration: time.Hour, JoinLimit: patience,
	})
	if err != nil || !r.Interrupted || r.Received == 0 {
		t.Errorf("%v, interrupted %t, %d packets received", err, r.Interrupted, r.Received)
	}
}

// Two rooms of three, in both forms of the protocol: everybody gets in, everything is
// received, and on loopback nothing is lost.
func TestLoad(t *testing.T) {
	t.Parallel()
	p := start(t)
	for _, c := range []struct {
		signal string
		plan   load.Plan
		tracks int64
	}{
		{"v1", load.Plan{Mesh: 3, Audio: true, Video: load.VideoSimulcast, Screen: 1}, 28},
		{"v0", load.Plan{Publishers: 3, Subscribers: 2, Audio: true, Video: load.VideoSingle}, 24},
	} {
		c.plan.Rooms, c.plan.Prefix, c.plan.Speakers = 2, "trial-"+c.signal, 1
		c.plan.VideoBps, c.plan.AudioBps, c.plan.FPS = 300_000, 24_000, 10
		r, err := load.Run(t.Context(), load.Config{
			Plan: c.plan, URL: p.url, Keys: keys, Single: c.signal == "v1",
			JoinsPerSecond: 20, Duration: 2 * time.Second, JoinLimit: patience,
			Process: p.process, Go: p.profiles,
		})
		if err != nil {
			t.Fatalf("%s: %v", c.signal, err)
		}
		var text strings.Builder
		if err := r.Text(&text); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s:\n%s", c.signal, text.String())
		if !r.OK() || len(r.Failures) > 0 {
			t.Errorf("%s: %d of %d joined, failures %v", c.signal, r.Joined, r.Participants, r.Failures)
		}
		if r.Tracks != c.tracks || r.TracksWanted != c.tracks {
			t.Errorf("%s: %d of %d tracks came, want %d", c.signal, r.Tracks, r.TracksWanted, c.tracks)
		}
		if r.Lost > 0 || r.WriteErrors > 0 {
			t.Errorf("%s: %d packets lost, %d not taken", c.signal, r.Lost, r.WriteErrors)
		}
		if r.AudioLatency.Count == 0 || r.VideoLatency.Count == 0 || r.FirstKeyframe.Count == 0 {
			t.Errorf("%s: latency of %d audio and %d video packets, %d first key frames",
				c.signal, r.AudioLatency.Count, r.VideoLatency.Count, r.FirstKeyframe.Count)
		}
		// Every microphone sends 50 packets a second to two others, in two rooms.
		if least := uint64(2 * 3 * 2 * 50 * 2 / 2); r.AudioLatency.Count < least {
			t.Errorf("%s: %d audio packets received in 2 s, at least %d expected", c.signal, r.AudioLatency.Count, least)
		}
		if r.Memory.Peak == nil || r.Memory.Peak.RSSBytes < 1<<20 || r.Memory.Peak.InUseBytes < 1<<20 || r.Memory.After == nil {
			t.Errorf("%s: memory %+v", c.signal, r.Memory)
		}
	}
}
