package wire

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/sfu"
)

// refreshPause is the least time between two tokens: a client may change its
// metadata ten times a second, and a token costs a signature and, for a meeting, a
// look at the database.
const refreshPause = time.Second

// refresher sends a token with the current rights after the join, when they or what
// the participant says of itself changed, and every few minutes: a client whose
// token ran out could not come back. When the grant is gone the session ends.
// Between the times it is a timer, not a goroutine.
type refresher struct {
	// Set at creation.
	server  *Server
	ctx     context.Context // ends with stop
	cancel  context.CancelFunc
	grant   *Grant
	session *sfu.Session
	conn    *conn

	mu      sync.Mutex
	ended   bool        // guarded by mu
	again   bool        // guarded by mu: something changed while a token was made
	at      time.Time   // guarded by mu: when the last one was
	timer   *time.Timer // guarded by mu
	running sync.WaitGroup
}

// refresh begins; stop ends it and waits.
func (s *Server) refresh(g *Grant, session *sfu.Session, c *conn) *refresher {
	r := &refresher{server: s, grant: g, session: session, conn: c}
	r.ctx, r.cancel = context.WithCancel(s.ctx)
	r.mu.Lock()
	r.schedule(0)
	r.mu.Unlock()
	session.OnRestated(r.soon)
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

// soon makes the next token due, as far as the pause allows.
func (r *refresher) soon() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer.Stop() && !r.ended {
		r.timer.Reset(max(0, refreshPause-time.Since(r.at)))
		return
	}
	r.again = true
}

// schedule arms the timer. Caller holds mu.
func (r *refresher) schedule(pause time.Duration) {
	if r.ended {
		return
	}
	r.running.Add(1)
	r.timer = time.AfterFunc(pause, func() {
		defer r.running.Done()
		goOn := r.once()
		r.mu.Lock()
		defer r.mu.Unlock()
		if !goOn {
			return
		}
		r.at = time.Now()
		next := r.server.cfg.RefreshEvery
		if r.again {
			next = refreshPause
		}
		r.again = false
		r.schedule(next)
	})
}

// once sends a token; false when there will be none any more.
func (r *refresher) once() bool {
	text, err := r.server.cfg.Authorizer.Refresh(r.ctx, standing(r.grant, r.session.Standing()))
	switch {
	case err == nil:
		r.conn.Send(&livekit.SignalResponse{Message: &livekit.SignalResponse_RefreshToken{RefreshToken: text}})
	case errors.Is(err, ErrUnauthorized), errors.Is(err, ErrForbidden):
		r.session.Remove(livekit.DisconnectReason_PARTICIPANT_REMOVED)
		return false
	case r.ctx.Err() == nil:
		// The token they have is good for a while: try again next time.
		r.server.counters.tokensFailed.Add(1)
		r.conn.log.Warn("refresh token", "error", err)
	}
	return r.ctx.Err() == nil
}

// standing is the grant as it is by now: the token of the join knows nothing of
// what was allowed, withdrawn or renamed since.
func standing(g *Grant, now sfu.Standing) *Grant {
	out := *g
	out.Name, out.Metadata, out.Attributes = now.Name, now.Metadata, now.Attributes
	out.Video = g.Video.Clone()
	out.Video.UpdateFromPermission(now.Permission)
	return &out
}
