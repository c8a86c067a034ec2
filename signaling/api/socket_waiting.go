package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gorilla/websocket"

	"aparte/signaling/login"
	"aparte/signaling/meeting"
)

// agentLobbySocket tells an agent how their own way into a meeting stands. Unlike guests,
// who have no cookie, agents are known by theirs; so the Origin decides who may ask.
func (a *API) agentLobbySocket(w http.ResponseWriter, r *http.Request) {
	if !a.ourOrigin(r) {
		a.foreign(w, r)
		return
	}
	k, err := a.whoIs(r)
	if err != nil {
		sendProblem(w, a.asProblem(r.Context(), err))
		return
	}
	id := r.PathValue("id")
	watch, err := a.meetings.WatchAsAgent(r.Context(), k.agent(), id)
	if err != nil {
		sendProblem(w, a.asProblem(r.Context(), err))
		return
	}
	defer watch.Unwatch()
	a.serveSocket(w, r, func(c *socketConn) { a.serveAgent(r.Context(), c, k, id, watch) })
}

func (a *API) serveAgent(ctx context.Context, c *socketConn, k known, id string, watch *meeting.AgentWatch) {
	done := c.listen(func() any { return new(struct{}) }, func(any) bool {
		c.end(closeMalformed, "nothing is expected")
		return false
	})
	defer func() { c.end(websocket.CloseNormalClosure, ""); <-done }()
	ticker := time.NewTicker(a.timing.Ping)
	defer ticker.Stop()
	for {
		var err error
		select {
		case <-done:
			return
		case <-ticker.C:
			if err := a.login.Alive(ctx, k.session.ID); errors.Is(err, login.ErrNoSession) {
				c.end(closeSignedOut, "signed out")
				return
			}
			err = c.ping()
		case view, ok := <-watch.Views:
			if !ok {
				a.endAgent(ctx, c, k, id)
				return
			}
			err = c.send(AgentMessage{Type: "state", Agent: agentViewOf(view)})
		}
		if err != nil {
			return
		}
	}
}

// endAgent says why by the close code.
func (a *API) endAgent(ctx context.Context, c *socketConn, k known, id string) {
	if errors.Is(a.login.Alive(ctx, k.session.ID), login.ErrNoSession) {
		c.end(closeSignedOut, "signed out")
		return
	}
	switch _, err := a.meetings.LookAsAgent(ctx, k.agent(), id); {
	case err == nil: // more pages of this agent than we follow
		c.end(closeTooSlow, "followed elsewhere")
	case errors.Is(err, meeting.ErrNotFound):
		c.end(closeBadSession, "no such meeting, or not yours")
	default:
		c.end(websocket.CloseGoingAway, "not available")
	}
}
