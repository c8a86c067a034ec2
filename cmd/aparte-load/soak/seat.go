package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/cmd/aparte-load/client"
	"aparte/cmd/aparte-load/media"
)

// takenOver is what the earlier session of an identity hears when the next one joins.
const takenOver = "server ended it: DUPLICATE_IDENTITY"

// seat is somebody who comes and goes, in one of two identities: one that vanished is
// sometimes followed by itself, and sometimes left for the server to miss.
type seat struct {
	soak *soak
	room string
	n    int
	rand *rand.Rand
	self int // 0 or 1
}

// sit joins, does things, leaves, and begins anew.
func (x *seat) sit(ctx context.Context) {
	for x.pause(ctx, 0, time.Second) {
		c := x.join(ctx, "joins")
		if c == nil {
			continue
		}
		x.live(ctx, c)
	}
}

// pause waits for a random time; false when it is all over.
func (x *seat) pause(ctx context.Context, least, most time.Duration) bool {
	timer := time.NewTimer(least + time.Duration(x.rand.Int64N(int64(most-least))))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (x *seat) join(ctx context.Context, act string) *client.Client {
	s := x.soak
	identity := fmt.Sprintf("seat-%d-%d", x.n, x.self)
	token, err := s.cfg.Keys.Token(x.room, identity, true, true)
	if err != nil {
		s.figures.Fail("no token")
		return nil
	}
	sources := []client.Source{{Kind: livekit.TrackSource_MICROPHONE, BitrateBps: 24_000, Level: media.Loud}}
	if x.rand.IntN(3) == 0 {
		sources = append(sources, client.Source{Kind: livekit.TrackSource_CAMERA, Layers: []media.Layer{
			{RID: "q", Width: 320, Height: 180, BitrateBps: 60_000, FPS: 10},
			{RID: "h", Width: 640, Height: 360, BitrateBps: 150_000, FPS: 10},
		}})
	}
	s.count(act)
	// Not cut short by the end: a join that fails is a failure.
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), joinLimit)
	defer cancel()
	c, err := client.Join(limited, client.Config{
		URL: s.cfg.URL, Token: token, Single: x.rand.IntN(2) == 0, Subscribe: true, Restless: true, Sources: sources,
		Figures: s.figures, Pulse: s.pulse,
	})
	if err != nil {
		return nil // counted by its reason
	}
	return c
}

// live is one stay. Whatever happens, nobody of ours is in at its end but those the
// server must miss.
func (x *seat) live(ctx context.Context, c *client.Client) {
	for x.pause(ctx, 300*time.Millisecond, 2*time.Second) {
		switch x.rand.IntN(10) {
		case 0, 1, 2:
			muted := x.rand.IntN(2) == 0
			x.soak.count("mutes, unmutes")
			_ = c.Mute(0, muted) // it may have been ended, which its Done tells
		case 3, 4:
			x.resume(ctx, c)
		case 5:
			c = x.rejoin(ctx, c)
		case 6, 7:
			x.soak.count("leaves")
			c.Leave()
			return
		case 8:
			x.soak.count("vanished, others came")
			c.Kill()
			x.self = 1 - x.self
			return
		case 9:
			x.soak.count("vanished, came back")
			c.Kill()
			return
		}
		if c == nil || ended(c) {
			return
		}
	}
	c.Leave()
}

// resume cuts the signal, stays away a moment, and comes back to the same session.
func (x *seat) resume(ctx context.Context, c *client.Client) {
	if c.CutSignal() != nil || !x.pause(ctx, 0, 500*time.Millisecond) {
		return
	}
	limited, cancel := context.WithTimeout(ctx, resumeLimit)
	defer cancel()
	x.soak.count("resumes")
	// Clients try again when a server takes longer than they wait, as on a machine
	// that is full.
	for {
		err := c.Resume(limited)
		if err == nil || ctx.Err() != nil || ended(c) {
			return
		}
		if limited.Err() != nil {
			x.soak.figures.Fail(err.Error())
			return
		}
		x.soak.count("resumes tried again")
		if !x.pause(ctx, 200*time.Millisecond, time.Second) {
			return
		}
	}
}

const joinLimit, resumeLimit = 30 * time.Second, 30 * time.Second

// rejoin is a full reconnect: a new session takes over from the one that is still in.
func (x *seat) rejoin(ctx context.Context, old *client.Client) *client.Client {
	next := x.join(ctx, "full reconnects")
	old.Kill()
	return next
}

func ended(c *client.Client) bool {
	select {
	case <-c.Done():
		return true
	default:
		return false
	}
}
