package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gorilla/websocket"

	"aparte/signaling/lobby"
	"aparte/signaling/meeting"
)

// lobbySocket tells a guest their own state as it changes. The session comes as
// the first frame: no cookie, no secret in the URL.
func (a *API) lobbySocket(w http.ResponseWriter, r *http.Request) {
	if !a.ourOrigin(r) {
		a.foreign(w, r)
		return
	}
	a.serveSocket(w, r, func(c *socketConn) {
		caller, ok := a.greet(r.Context(), c)
		if !ok {
			return
		}
		watch, err := a.meetings.WatchAsGuest(r.Context(), caller)
		if err != nil {
			a.endGuest(r.Context(), c, err)
			return
		}
		defer watch.Unwatch()
		a.serveGuest(r.Context(), c, caller, watch)
	})
}

// greet waits for the first frame and recognises its session.
func (a *API) greet(ctx context.Context, c *socketConn) (meeting.Caller, bool) {
	if c.ws.SetReadDeadline(time.Now().Add(a.timing.Hello)) != nil {
		return meeting.Caller{}, false
	}
	var hello GuestHello
	malformed, err := c.receive(&hello)
	switch {
	case malformed:
		c.end(closeMalformed, "malformed first message")
	case timedOut(err):
		c.end(closeNoHello, "no session in time")
	}
	if err != nil {
		return meeting.Caller{}, false
	}
	caller, err := a.meetings.Recognise(ctx, hello.Session)
	if err != nil {
		a.endGuest(ctx, c, err)
		return meeting.Caller{}, false
	}
	return caller, true
}

func (a *API) serveGuest(ctx context.Context, c *socketConn, caller meeting.Caller, watch *meeting.GuestWatch) {
	// A guest has nothing more to say here: knocking is a call of the API.
	done := c.listen(func() any { return new(struct{}) }, func(any) bool {
		c.end(closeMalformed, "nothing more is expected")
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
			err = c.ping()
		case view, ok := <-watch.Views:
			if !ok {
				_, err = a.meetings.Look(ctx, caller)
				a.endGuest(ctx, c, err)
				return
			}
			err = c.send(GuestMessage{Type: "state", Guest: guestViewOf(view)})
		}
		if err != nil {
			return
		}
	}
}

// endGuest says why by the close code.
func (a *API) endGuest(ctx context.Context, c *socketConn, err error) {
	switch {
	case errors.Is(err, lobby.ErrNoSession):
		c.end(closeBadSession, "no such session")
	case err == nil: // more tabs of this session than we follow
		c.end(closeTooSlow, "followed elsewhere")
	default:
		a.log.WarnContext(ctx, "lobby socket", "err", err)
		c.end(websocket.CloseGoingAway, "not available")
	}
}
