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

// noticeSocket tells an agent where guests wait, whatever page is open.
func (a *API) noticeSocket(w http.ResponseWriter, r *http.Request) {
	if !a.ourOrigin(r) {
		a.foreign(w, r)
		return
	}
	k, err := a.whoIs(r)
	if err != nil {
		sendProblem(w, a.asProblem(r.Context(), err))
		return
	}
	watch, err := a.meetings.WatchNotices(r.Context(), k.agent())
	if err != nil {
		sendProblem(w, a.asProblem(r.Context(), err))
		return
	}
	defer watch.Unwatch()
	a.serveSocket(w, r, func(c *socketConn) { a.serveNotices(r.Context(), c, k, watch) })
}

func (a *API) serveNotices(ctx context.Context, c *socketConn, k known, watch *meeting.NoticeWatch) {
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
		case list, ok := <-watch.Notices:
			if !ok {
				if errors.Is(a.login.Alive(ctx, k.session.ID), login.ErrNoSession) {
					c.end(closeSignedOut, "signed out")
				} else {
					c.end(websocket.CloseGoingAway, "not available")
				}
				return
			}
			err = c.send(NoticeMessage{Type: "notices", Notices: noticesOf(list)})
		}
		if err != nil {
			return
		}
	}
}

func noticesOf(list []meeting.Notice) []Notice {
	out := make([]Notice, len(list))
	for i, n := range list {
		out[i] = Notice{Meeting: n.Meeting, Title: n.Title, Waiting: n.Waiting, Newest: optional(n.Newest)}
	}
	return out
}
