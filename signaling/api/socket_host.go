package api

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"aparte/signaling/login"
	"aparte/signaling/meeting"
)

// maxCommands bounds a host's messages, per second.
const maxCommands = 100

// hostSocket tells a host what happens in the lobby and the call.
func (a *API) hostSocket(w http.ResponseWriter, r *http.Request) {
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
	watch, err := a.meetings.WatchAsHost(r.Context(), k.agent(), id)
	if err != nil {
		sendProblem(w, a.asProblem(r.Context(), err))
		return
	}
	defer watch.Unwatch()
	a.serveSocket(w, r, func(c *socketConn) { a.serveHost(r.Context(), c, k, id, watch) })
}

func (a *API) serveHost(ctx context.Context, c *socketConn, k known, id string, watch *meeting.HostWatch) {
	var sent atomic.Uint64 // seq of the last message on its way
	limit := newPerSecond(maxCommands)
	done := c.listen(func() any { return new(HostCommand) }, func(v any) bool {
		command, _ := v.(*HostCommand)
		if command.Type != "seen" || !limit.allow(time.Now()) {
			c.end(closeMalformed, "unknown or too many messages")
			return false
		}
		seq := sent.Load()
		if command.Seq != 0 {
			seq = min(seq, command.Seq)
		}
		return a.meetings.Seen(ctx, id, watch, seq) == nil
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
		case event, ok := <-watch.Events:
			if !ok {
				a.endHost(ctx, c, k, watch)
				return
			}
			// Before it is sent: the answer must not overtake the note.
			sent.Store(event.Seq)
			err = c.send(hostMessageOf(event))
		}
		if err != nil {
			return
		}
	}
}

func (a *API) endHost(ctx context.Context, c *socketConn, k known, watch *meeting.HostWatch) {
	switch {
	case watch.Slow():
		c.end(closeTooSlow, "too slow")
	case errors.Is(a.login.Alive(ctx, k.session.ID), login.ErrNoSession):
		c.end(closeSignedOut, "signed out")
	default:
		c.end(websocket.CloseGoingAway, "not available")
	}
}

func hostMessageOf(e meeting.HostEvent) HostMessage {
	m := HostMessage{Seq: e.Seq}
	if e.Meeting != nil {
		v := meetingOf(*e.Meeting)
		m.Type, m.Meeting = "meeting", &v
	}
	if e.Knock != nil {
		v := knockOf(*e.Knock)
		m.Type, m.Knock = "knock", &v
	}
	if e.Roster {
		m.Type, m.Participants = "participants", participantsOf(e.Participants)
	}
	if e.Snapshot {
		m.Type, m.Knocks, m.Participants = "snapshot", knocksOf(e.Knocks), participantsOf(e.Participants)
	}
	return m
}

func participantsOf(all []meeting.Participant) []Participant {
	out := make([]Participant, len(all))
	for i, p := range all {
		out[i] = Participant{Identity: p.Identity, Name: p.Name, Role: string(p.Role), Permissions: *permissionsGiven(p.Permissions), Knock: p.Knock}
	}
	return out
}

// perSecond counts within whole seconds; one goroutine uses it.
type perSecond struct {
	limit, count int
	second       int64
}

func newPerSecond(limit int) *perSecond { return &perSecond{limit: limit} }

func (p *perSecond) allow(now time.Time) bool {
	if s := now.Unix(); s != p.second {
		p.second, p.count = s, 0
	}
	p.count++
	return p.count <= p.limit
}
