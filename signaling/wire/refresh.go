package wire

import (
	"context"
	"errors"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/sfu"
)

// refresh sends a token with the current rights after the join and then every
// few minutes: a client whose token ran out could not come back. When the grant
// is gone the session ends.
func (s *Server) refresh(ctx context.Context, g *Grant, session *sfu.Session, c *conn) {
	tick := time.NewTicker(s.cfg.RefreshEvery)
	defer tick.Stop()
	for {
		text, err := s.cfg.Authorizer.Refresh(ctx, g)
		switch {
		case err == nil:
			c.Send(&livekit.SignalResponse{Message: &livekit.SignalResponse_RefreshToken{RefreshToken: text}})
		case errors.Is(err, ErrUnauthorized), errors.Is(err, ErrForbidden):
			session.Remove(livekit.DisconnectReason_PARTICIPANT_REMOVED)
			return
		case ctx.Err() == nil:
			// The token they have is good for a while: try again next time.
			c.log.Warn("refresh token", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
