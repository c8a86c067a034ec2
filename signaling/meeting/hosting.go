package meeting

import (
	"context"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/signaling/audit"
	"aparte/signaling/lobby"
)

// What hosts ask of a meeting: a method of Meetings and the request behind it.

// byHost is part of every request that only a host may make.
type byHost struct{ agent Agent }

// host refuses whoever does not host the meeting, as if it did not exist.
func (b byHost) host(l *live) (lobby.Host, error) {
	p, ok := l.meeting.Host(b.agent.Account)
	if !ok {
		return lobby.Host{}, ErrNotFound
	}
	return lobby.Host(p), nil
}

// alive refuses an ended meeting too.
func (b byHost) alive(l *live) (lobby.Host, error) {
	h, err := b.host(l)
	if err == nil && l.meeting.State == Ended {
		err = ErrEnded
	}
	return h, err
}

// Create makes a meeting of which the agent is the organiser.
func (m *Meetings) Create(ctx context.Context, by Agent, d Draft) (Summary, error) {
	id, err := newID(m.cfg.Random)
	if err != nil {
		return Summary{}, err
	}
	made, err := New(d, id, Person{by.Account, by.Name}, m.cfg.now())
	if err != nil {
		return Summary{}, err
	}
	if err := m.cfg.Store.SaveMeeting(ctx, Changes{Meeting: &made, Audit: []audit.Draft{created(made)}}); err != nil {
		return Summary{}, err
	}
	return Summary{Meeting: made}, nil
}

// List returns the meetings an agent hosts, newest first.
func (m *Meetings) List(ctx context.Context, by Agent) ([]Summary, error) {
	all, err := m.cfg.Store.MeetingsOf(ctx, by.Account)
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].Present = m.presentIn(all[i].ID)
	}
	return all, nil
}

type lookAround struct{}

func (lookAround) do(*live, time.Time) (any, error) { return struct{}{}, nil }

type lookAt struct{ byHost }

func (a lookAt) do(l *live, _ time.Time) (any, error) {
	if _, err := a.host(l); err != nil {
		return nil, err
	}
	return l.summary(), nil
}

// Get returns a meeting to one of its hosts.
func (m *Meetings) Get(ctx context.Context, by Agent, id string) (Summary, error) {
	return answer[Summary](ctx, m, id, lookAt{byHost{by}})
}

type join struct{ byHost }

func (a join) do(l *live, now time.Time) (any, error) {
	h, err := a.host(l)
	if err != nil {
		return nil, err
	}
	opened, err := l.meeting.Open(now)
	if err != nil {
		return nil, err
	}
	seat, ok := l.seatOf(a.agent.Session)
	if !ok {
		if seat, err = l.newSeat(a.agent, now); err != nil {
			return nil, err
		}
	}
	if l.meeting.State != opened.State {
		l.setMeeting(opened)
	}
	return seat.grant(h.Name), nil
}

// Join opens the meeting if it is not open yet and gives a host a seat in it.
func (m *Meetings) Join(ctx context.Context, by Agent, id string) (Grant, error) {
	return answer[Grant](ctx, m, id, join{byHost{by}})
}

type open struct{ byHost }

func (a open) do(l *live, now time.Time) (any, error) {
	if _, err := a.host(l); err != nil {
		return nil, err
	}
	opened, err := l.meeting.Open(now)
	if err != nil {
		return nil, err
	}
	if l.meeting.State != opened.State {
		l.setMeeting(opened)
	}
	return l.summary(), nil
}

// Open opens a scheduled meeting without joining it.
func (m *Meetings) Open(ctx context.Context, by Agent, id string) (Summary, error) {
	return answer[Summary](ctx, m, id, open{byHost{by}})
}

type end struct{ byHost }

func (a end) do(l *live, now time.Time) (any, error) {
	if _, err := a.host(l); err != nil {
		return nil, err
	}
	if l.meeting.State != Ended {
		l.setMeeting(l.meeting.End(now))
		l.lobby.Close()
	}
	l.close = true
	return l.summary(), nil
}

// End ends the meeting for all, at once.
func (m *Meetings) End(ctx context.Context, by Agent, id string) (Summary, error) {
	return answer[Summary](ctx, m, id, end{byHost{by}})
}

// sendOut has identities leave the call once the decision is durable.
func (l *live) sendOut(identities ...string) {
	for _, identity := range identities {
		l.leave = append(l.leave, leaving{identity, livekit.DisconnectReason_PARTICIPANT_REMOVED})
	}
}

type listKnocks struct{ byHost }

func (a listKnocks) do(l *live, _ time.Time) (any, error) {
	if _, err := a.host(l); err != nil {
		return nil, err
	}
	return l.knockViews(), nil
}

// Knocks returns the knocks in order of arrival.
func (m *Meetings) Knocks(ctx context.Context, by Agent, id string) ([]KnockView, error) {
	return answer[[]KnockView](ctx, m, id, listKnocks{byHost{by}})
}
