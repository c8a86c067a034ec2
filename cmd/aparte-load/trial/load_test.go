package trial

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"aparte/cmd/aparte-load/client"
	"aparte/cmd/aparte-load/load"
)

// Whoever stops a load gets the figures until then, and nobody stays behind.
func TestStopped(t *testing.T) {
	t.Parallel()
	p := start(t)
	// Once there are figures: no time that one could name is enough on every machine.
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	var figures client.Figures
	var watching sync.WaitGroup
	watching.Go(func() {
		_ = until(ctx, func() bool { return figures.ReceivedPackets.Load() > 0 }) // what came is told below
		cancel()
	})
	defer watching.Wait()
	defer cancel()
	r, err := load.Run(ctx, load.Config{
		Plan: load.Plan{
			Rooms: 1, Mesh: 2, Audio: true, Video: load.VideoNone, Prefix: "stopped",
			VideoBps: 300_000, AudioBps: 24_000, FPS: 10,
		},
		URL: p.url, Keys: keys, Single: true, JoinsPerSecond: 20, Duration: time.Hour, JoinLimit: patience, Figures: &figures,
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
		var figures client.Figures
		r, err := load.Run(t.Context(), load.Config{
			Plan: c.plan, URL: p.url, Keys: keys, Single: c.signal == "v1",
			JoinsPerSecond: 20, Duration: 5 * time.Second, JoinLimit: patience,
			Process: p.process, Go: p.profiles, Figures: &figures,
			OnPeak: func(ctx context.Context) error {
				ctx, cancel := context.WithTimeout(ctx, patience)
				defer cancel()
				if err := p.late(ctx, c.plan.Prefix+"-0", c.signal == "v1"); err != nil {
					return err
				}
				// What a busy machine drops is asked for again; when they leave some may be on its way.
				if err := until(ctx, func() bool { return figures.Lost.Load() == 0 }); err != nil {
					return fmt.Errorf("%d packets lost: %w", figures.Lost.Load(), err)
				}
				return nil
			},
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
		if r.WriteErrors > 0 {
			t.Errorf("%s: %d packets were not taken", c.signal, r.WriteErrors)
		}
		if r.AudioLatency.Count == 0 || r.VideoLatency.Count == 0 {
			t.Errorf("%s: latency of %d audio and %d video packets", c.signal, r.AudioLatency.Count, r.VideoLatency.Count)
		}
		// Every microphone sends 50 packets a second to two others, in two rooms: what comes of one
		// second, since what a busy machine keeps them from sending for longer is not sent later.
		if least := uint64(2 * 3 * 2 * 50); r.AudioLatency.Count < least {
			t.Errorf("%s: %d audio packets received in 5 s, at least %d expected", c.signal, r.AudioLatency.Count, least)
		}
		if r.Memory.Peak == nil || r.Memory.Peak.RSSBytes < 1<<20 || r.Memory.Peak.InUseBytes < 1<<20 || r.Memory.After == nil {
			t.Errorf("%s: memory %+v", c.signal, r.Memory)
		}
	}
}

// until waits for what nobody tells of.
func until(ctx context.Context, is func() bool) error {
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// late joins where everybody is in, and leaves once it has got all that was there: what comes
// first is timed of nobody else for certain.
func (p *program) late(ctx context.Context, room string, single bool) error {
	token, err := keys.Token(room, "late", false, true)
	if err != nil {
		return err
	}
	pulse := client.NewPulse()
	defer pulse.Close()
	var figures client.Figures
	c, err := client.Join(ctx, client.Config{URL: p.url, Token: token, Single: single, Subscribe: true, Figures: &figures, Pulse: pulse})
	if err != nil {
		return err
	}
	defer c.Leave()
	if err := until(ctx, func() bool { return figures.FirstKeyframe.Count() > 0 }); err != nil {
		return fmt.Errorf("some of what was there does not come: %w", err)
	}
	if figures.FirstMedia.Count() != 1 || figures.FirstAudio.Count() != 1 {
		return fmt.Errorf("%d first packets, %d of sound", figures.FirstMedia.Count(), figures.FirstAudio.Count())
	}
	return nil
}
