package meeting

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/signaling/audit"
	"aparte/signaling/lobby"
	"aparte/signaling/name"
	"aparte/signaling/profile"
	"aparte/signaling/role"
)

// What hosts ask of a meeting: a method of Meetings and the request behind it.

// byAgent is part of every request of an agent.
type byAgent struct{ agent Agent }

// as is the agent's role. To whoever has none the meeting does not exist.
func (b byAgent) as(l *live, _ time.Time) (role.Role, error) {
	r, _, ok := l.meeting.Role(b.agent.Account)
	if !ok {
		return "", ErrNotFound
	}
	return r, nil
}

// host is the agent as the lobby knows hosts.
func (b byAgent) host(l *live) (lobby.Host, error) {
	_, p, ok := l.meeting.Role(b.agent.Account)
	if !ok {
		return lobby.Host{}, ErrNotFound
	}
	return lobby.Host(p), nil
}

// alive refuses an ended meeting too.
func (b byAgent) alive(l *live) (lobby.Host, error) {
	h, err := b.host(l)
	if err == nil && l.meeting.State == Ended {
		err = ErrEnded
	}
	return h, err
}

// ErrNoPost refuses an agent who acts for no post.
var ErrNoPost = errors.New("you act for no post")

// postOf is the post of a meeting to be.
func (d Draft) postOf(by Agent) (string, error) {
	switch {
	case len(by.Posts) == 0:
		return "", ErrNoPost
	case d.Post == "" && len(by.Posts) > 1:
		return "", &name.Error{At: "post", Reason: "is required: you act for several posts"}
	case d.Post == "":
		return by.Posts[0], nil
	case !slices.Contains(by.Posts, d.Post):
		return "", &name.Error{At: "post", Reason: "is not a post you act for"}
	}
	return d.Post, nil
}

// Create makes a meeting of a post, of which the agent is the organiser.
func (m *Meetings) Create(ctx context.Context, by Agent, d Draft) (Summary, error) {
	var err error
	if d.Post, err = d.postOf(by); err != nil {
		return Summary{}, err
	}
	id, err := newID(m.cfg.Random)
	if err != nil {
		return Summary{}, err
	}
	if d.Profile == "" {
		d.Profile = profile.Standard
	}
	under, err := m.newestProfile(ctx, d.Post, d.Profile)
	if errors.Is(err, profile.ErrNotFound) {
		return Summary{}, &name.Error{At: "profile", Reason: "is none that there is"}
	}
	if err != nil {
		return Summary{}, err
	}
	made, err := New(d, id, Person{by.Account, by.Name}, under, m.cfg.now())
	if err != nil {
		return Summary{}, err
	}
	if err := m.cfg.Store.SaveMeeting(ctx, Changes{ID: id, Meeting: &made, Audit: []audit.Draft{created(made)}}); err != nil {
		return Summary{}, err
	}
	return Summary{Meeting: made, Role: role.Host}, nil
}

// List returns the meetings in which an agent has a role, newest first; those of
// one post, or of all ("").
func (m *Meetings) List(ctx context.Context, by Agent, post string) ([]Summary, error) {
	all, err := m.cfg.Store.MeetingsOf(ctx, by.Account, post)
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].Present = m.presentIn(all[i].ID)
		all[i] = all[i].seenBy(all[i].Role)
	}
	return all, nil
}

type lookAround struct{ byServer }

func (lookAround) command() role.Command { return role.Keep }

func (lookAround) do(*live, time.Time) (any, error) { return struct{}{}, nil }

type lookAt struct{ byAgent }

func (lookAt) command() role.Command { return role.LookAt }

func (a lookAt) do(l *live, _ time.Time) (any, error) { return l.summaryFor(a.agent), nil }

// Get returns a meeting to an agent who has a role in it.
func (m *Meetings) Get(ctx context.Context, by Agent, id string) (Summary, error) {
	return answer[Summary](ctx, m, id, lookAt{byAgent{by}})
}

type join struct{ byAgent }

func (join) command() role.Command { return role.Join }

func (a join) do(l *live, now time.Time) (any, error) {
	r, _, _ := l.meeting.Role(a.agent.Account)
	if l.meeting.State == Ended {
		return nil, ErrEnded
	}
	if err := l.profile.Available(); err != nil {
		return nil, err
	}
	admitted, err := l.letIn(a.agent.Account, r)
	if err != nil {
		return nil, err
	}
	seat, ok := l.seatOf(a.agent.Session)
	if err := l.waitsForHost(r, ok || admitted); err != nil {
		return nil, err
	}
	opened, err := l.meeting.Open(now)
	if err != nil {
		return nil, err
	}
	if !ok {
		if l.meeting.Locked && !r.Moderates() && !admitted {
			return nil, ErrLocked
		}
		if seat, err = l.newSeat(a.agent, now); err != nil {
			return nil, err
		}
	}
	if l.meeting.State != opened.State {
		l.setMeeting(opened)
	}
	return l.granted(seat.ID)
}

// waitsForHost says why an agent who does not moderate cannot come in yet.
func (l *live) waitsForHost(r role.Role, seated bool) error {
	switch {
	case role.Open.May(r) || l.meeting.State == Ended:
		return nil
	case l.meeting.State == Scheduled:
		return ErrNotOpen
	case l.hostless() && !seated:
		return ErrNoHost
	}
	return nil
}

// Join gives an agent a seat in the meeting. A host opens it by that; others are
// refused with ErrNotOpen before, and with ErrNoHost while the hosts have left. Under a
// profile that has agents wait they are refused with ErrMustKnock until a host has let
// them in, and with lobby.ErrDenied or ErrBanned once one has refused them.
func (m *Meetings) Join(ctx context.Context, by Agent, id string) (Grant, error) {
	return answer[Grant](ctx, m, id, join{byAgent{by}})
}

type open struct{ byAgent }

func (open) command() role.Command { return role.Open }

func (a open) do(l *live, now time.Time) (any, error) {
	if _, err := a.host(l); err != nil {
		return nil, err
	}
	if err := l.profile.Available(); err != nil {
		return nil, err
	}
	opened, err := l.meeting.Open(now)
	if err != nil {
		return nil, err
	}
	if l.meeting.State != opened.State {
		l.setMeeting(opened)
	}
	return l.summaryFor(a.agent), nil
}

// Open opens a scheduled meeting without joining it.
func (m *Meetings) Open(ctx context.Context, by Agent, id string) (Summary, error) {
	return answer[Summary](ctx, m, id, open{byAgent{by}})
}

type end struct{ byAgent }

func (end) command() role.Command { return role.End }

func (a end) do(l *live, now time.Time) (any, error) {
	if _, err := a.host(l); err != nil {
		return nil, err
	}
	l.finish(now)
	l.close = true
	return l.summaryFor(a.agent), nil
}

// End ends the meeting for all, at once; of a permanent one the sitting.
func (m *Meetings) End(ctx context.Context, by Agent, id string) (Summary, error) {
	return answer[Summary](ctx, m, id, end{byAgent{by}})
}

// sendOut has identities leave the call once the decision is durable.
func (l *live) sendOut(identities ...string) {
	for _, identity := range identities {
		l.hands.lower(identity)
		l.leave = append(l.leave, leaving{identity, livekit.DisconnectReason_PARTICIPANT_REMOVED})
	}
}

type listKnocks struct{ byAgent }

func (listKnocks) command() role.Command { return role.WatchLobby }

func (a listKnocks) do(l *live, _ time.Time) (any, error) {
	if _, err := a.host(l); err != nil {
		return nil, err
	}
	return l.knockViews(), nil
}

// Knocks returns the knocks in order of arrival.
func (m *Meetings) Knocks(ctx context.Context, by Agent, id string) ([]KnockView, error) {
	return answer[[]KnockView](ctx, m, id, listKnocks{byAgent{by}})
}
