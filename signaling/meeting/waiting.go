package meeting

import (
	"context"
	"errors"
	"time"

	"aparte/signaling/lobby"
	"aparte/signaling/role"
)

// Agents who have to wait: those who do not moderate, under a profile with which everybody
// but hosts does. They knock, wait and are let in like guests, by their account; Join is
// their way in afterwards.

// letIn says whether an agent was admitted, or why they may not come in: nobody who has
// to knock does without an admission, and nobody who was refused.
func (l *live) letIn(account string, r role.Role) (admitted bool, err error) {
	if r.Moderates() {
		return false, nil
	}
	if err := l.lobby.AgentKeptOut(account); err != nil {
		return false, err
	}
	if !l.profile.Rules.MustKnock(r) {
		return false, nil
	}
	if _, admitted := l.lobby.AdmissionOf(account); !admitted {
		return false, ErrMustKnock
	}
	return true, nil
}

// settle brings what the lobby has of an agent in line with their role and the profile,
// after either changed. Who has no role any more has no knock and no seat; who needs not
// knock does not wait; who has to from now on and is in the call stays until they leave.
func (l *live) settle(account string) {
	r, p, named := l.meeting.Role(account)
	switch {
	case !named:
		l.lobby.Spare(account, false)
		l.unseat(account)
	case !l.profile.Rules.MustKnock(r):
		l.dirty, l.rosterDirty = true, true
		l.lobby.Spare(account, r.Moderates())
	case l.agentInCall(account):
		id, err := newID(l.cfg.Random)
		if err != nil {
			l.cfg.Log.Error("let an agent stay", "meeting", l.id, "err", err)
			l.unseat(account)
			return
		}
		l.dirty, l.rosterDirty = true, true // by what they are in
		l.lobby.LetStay(lobby.Agent(p), id, l.cfg.now())
	}
}

// agentInCall tells whether an agent is in the call by any session.
func (l *live) agentInCall(account string) bool {
	for _, s := range l.seats {
		if _, in := l.inCall[s.Identity]; in && s.Account == account {
			return true
		}
	}
	return false
}

// unseat takes an agent's seats away and the agent out of the call, in every session.
func (l *live) unseat(account string) {
	for _, s := range l.seats {
		if s.Account == account {
			l.dropSeat(s)
			l.sendOut(s.Identity)
		}
	}
}

// AgentView is what an agent is told of their own way in. It is comparable.
type AgentView struct {
	LobbyView
	Role role.Role
}

// agentView is what an agent is told now.
func (l *live) agentView(account string) AgentView {
	k, knocked := l.lobby.KnockOfAgent(account)
	r, _, _ := l.meeting.Role(account)
	v := AgentView{l.lobbyView(k, knocked), r}
	_, err := l.letIn(account, r)
	switch {
	case l.meeting.State == Ended:
		v.Screen = ScreenEnded
	case r.Moderates() || err == nil && !l.profile.Rules.MustKnock(r):
		v.Screen = ScreenFree
	case errors.Is(err, lobby.ErrBanned):
		v.Screen = ScreenBanned
	case k.Status == lobby.Expired && !k.RemovedAt.IsZero():
		v.Screen = ScreenRemoved
	case k.Status == lobby.Expired: // let stay and gone, unnamed and named again, lifted: nothing to explain
		v.Screen = ScreenEntry
	default:
		v.Screen = screen(l.meeting.State, false, k)
	}
	return v
}

type lookAtKnock struct{ byAgent }

func (lookAtKnock) command() role.Command { return role.LookAt }

func (a lookAtKnock) do(l *live, _ time.Time) (any, error) { return l.agentView(a.agent.Account), nil }

// LookAsAgent returns how an agent's own way in stands.
func (m *Meetings) LookAsAgent(ctx context.Context, by Agent, id string) (AgentView, error) {
	return answer[AgentView](ctx, m, id, lookAtKnock{byAgent{by}})
}

type knockAsAgent struct{ byAgent }

func (knockAsAgent) command() role.Command { return role.Knock }

func (a knockAsAgent) do(l *live, now time.Time) (any, error) {
	if l.meeting.State == Ended {
		return nil, ErrEnded
	}
	if err := l.profile.Available(); err != nil {
		return nil, err
	}
	r, p, _ := l.meeting.Role(a.agent.Account)
	if _, err := l.letIn(a.agent.Account, r); !errors.Is(err, ErrMustKnock) {
		if err != nil {
			return nil, err
		}
		return l.agentView(a.agent.Account), nil // nothing to ask for
	}
	id, err := newID(l.cfg.Random)
	if err != nil {
		return nil, err
	}
	if _, err := l.lobby.KnockAsAgent(lobby.Agent(p), id, now); err != nil {
		return nil, err
	}
	return l.agentView(a.agent.Account), nil
}

// KnockAsAgent asks to enter, by an agent who has to (ErrMustKnock); for others it does
// nothing. Knocking again keeps the place in the queue.
func (m *Meetings) KnockAsAgent(ctx context.Context, by Agent, id string) (AgentView, error) {
	return answer[AgentView](ctx, m, id, knockAsAgent{byAgent{by}})
}

type withdrawAsAgent struct{ byAgent }

func (withdrawAsAgent) command() role.Command { return role.Withdraw }

func (a withdrawAsAgent) do(l *live, _ time.Time) (any, error) {
	if _, err := l.lobby.WithdrawAgent(a.agent.Account); err != nil {
		return nil, err
	}
	return l.agentView(a.agent.Account), nil
}

// WithdrawAsAgent stops waiting.
func (m *Meetings) WithdrawAsAgent(ctx context.Context, by Agent, id string) (AgentView, error) {
	return answer[AgentView](ctx, m, id, withdrawAsAgent{byAgent{by}})
}

type replyAsAgent struct {
	byAgent
	text string
}

func (replyAsAgent) command() role.Command { return role.Reply }

func (a replyAsAgent) do(l *live, now time.Time) (any, error) {
	if _, err := l.lobby.ReplyAsAgent(a.agent.Account, a.text, now); err != nil {
		return nil, err
	}
	return l.agentView(a.agent.Account), nil
}

// ReplyAsAgent answers the hosts, who must have written first (lobby.ErrNothingSaid).
func (m *Meetings) ReplyAsAgent(ctx context.Context, by Agent, id, text string) (AgentView, error) {
	return answer[AgentView](ctx, m, id, replyAsAgent{byAgent{by}, text})
}

// maxAgentWatches bounds the lobby sockets of one agent in a meeting; the oldest goes.
const maxAgentWatches = 8

type watchAsAgent struct {
	byAgent
	watch *AgentWatch
}

func (watchAsAgent) command() role.Command { return role.LookAt }

func (a watchAsAgent) do(l *live, _ time.Time) (any, error) {
	follow(l.agents, a.watch, maxAgentWatches, l.dropAgent)
	l.begun = append(l.begun, func() { l.dropAgent(a.watch) })
	l.dirty = true // tell sends the first view
	return struct{}{}, nil
}

type unwatchAsAgent struct {
	byServer
	watch *AgentWatch
}

func (unwatchAsAgent) command() role.Command { return role.Keep }

func (a unwatchAsAgent) do(l *live, _ time.Time) (any, error) {
	l.dropAgent(a.watch)
	return struct{}{}, nil
}

// WatchAsAgent follows an agent's own way in, beginning with how it stands. End it with
// Unwatch.
func (m *Meetings) WatchAsAgent(ctx context.Context, by Agent, id string) (*AgentWatch, error) {
	w := newWatch[AgentView](by.Account)
	w.session = by.Session
	if _, err := m.ask(ctx, id, watchAsAgent{byAgent{by}, w}); err != nil {
		return nil, err
	}
	w.release = func() { m.tellOnly(id, unwatchAsAgent{watch: w}) }
	return w, nil
}
