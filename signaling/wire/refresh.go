package wire

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/sfu"
)

// refresher sends a token with the current rights after the join and then every
// few minutes: a client whose token ran out could not come back. When the grant
// is gone the session ends. Between the times it is a timer, not a goroutine.
type refresher struct {
	// Set at creation.
	server  *Server
	ctx     context.Context // ends with stop
	cancel  context.CancelFunc
	grant   *Grant
	session *sfu.Session
	conn    *conn

	mu      sync.Mutex
	ended   bool // guarded by mu
	timer   *time.Timer
	running sync.WaitGroup
}

// refresh begins; stop ends it and waits.
func (s *Server) refresh(g *Grant, session *sfu.Session, c *conn) *refresher {
	r := &refresher{server: s, grant: g, session: session, conn: c}
	r.ctx, r.cancel = context.WithCancel(s.ctx)
	r.schedule(0)
	return r
}

func (r *refresher) stop() {
	r.mu.Lock()
	r.ended = true
	if r.timer.Stop() {
		r.running.Done()
	}
	r.mu.Unlock()
	r.cancel()
	r.running.Wait()
}

func (r *refresher) schedule(pause time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	r.running.Add(1)
	r.timer = time.AfterFunc(pause, func() {
		defer r.running.Done()
		if r.once() {
			r.schedule(r.server.cfg.RefreshEvery)
		}
	})
}

// once sends a token; false when there will be none any more.
func (r *refresher) once() bool {
	text, err := r.server.cfg.Authorizer.Refresh(r.ctx, r.grant)
	switch {
	case err == nil:
		r.conn.Send(&livekit.SignalResponse{Message: &livekit.SignalResponse_RefreshToken{RefreshToken: text}})
	case errors.Is(err, ErrUnauthorized), errors.Is(err, ErrForbidden):
		r.session.Remove(livekit.DisconnectReason_PARTICIPANT_REMOVED)
		return false
	case r.ctx.Err() == nil:
		// The token they have is good for a while: try again next time.
		r.conn.log.Warn("refresh token", "error", err)
	}
	return r.ctx.Err() == nil
}
