package soak

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/livekit/protocol/livekit"

	"aparte/cmd/aparte-load/client"
	"aparte/cmd/aparte-load/media"
)

// errGone says that somebody who was to stay did not.
var errGone = errors.New("a participant who was to stay was put out")

// stay lets the stayers in, by turns in one form of the protocol and the other. They
// talk and receive everything that comes and goes.
func (s *soak) stay(ctx context.Context) (in []*client.Client, err error) {
	for room := range s.cfg.Rooms {
		for n := range s.cfg.Stayers {
			token, err := s.cfg.Keys.Token(roomName(room), fmt.Sprintf("stayer-%d", n), true, true)
			if err != nil {
				return in, err
			}
			limited, cancel := context.WithTimeout(ctx, joinLimit)
			c, err := client.Join(limited, client.Config{
				URL: s.cfg.URL, Token: token, Single: (room+n)%2 == 0, Subscribe: true, Restless: true,
				Sources: []client.Source{{Kind: livekit.TrackSource_MICROPHONE, BitrateBps: 24_000, Level: media.Loud}},
				Figures: s.figures, Pulse: s.pulse,
			})
			cancel()
			if err != nil {
				return in, err
			}
			in = append(in, c)
		}
	}
	return in, nil
}

// stayed says whether all of them still are in.
func stayed(in []*client.Client) error {
	if slices.ContainsFunc(in, ended) {
		return errGone
	}
	return nil
}

func roomName(room int) string { return fmt.Sprintf("soak-%d", room) }
