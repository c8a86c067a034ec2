package meeting

import (
	"context"
	"time"

	"aparte/signaling/role"
)

// What hosts and those who wait write to each other.

type write struct {
	byAgent
	knock, text string
}

func (write) command() role.Command { return role.WriteLobby }

func (a write) do(l *live, now time.Time) (any, error) {
	h, err := a.alive(l)
	if err != nil {
		return nil, err
	}
	k, err := l.lobby.Write(a.knock, h, a.text, now)
	if err != nil {
		return nil, err
	}
	return l.knockView(k), nil
}

// Write writes to a guest who waits.
func (m *Meetings) Write(ctx context.Context, by Agent, id, knock, text string) (KnockView, error) {
	return answer[KnockView](ctx, m, id, write{byAgent{by}, knock, text})
}

type writeAll struct {
	byAgent
	text string
}

func (writeAll) command() role.Command { return role.WriteLobby }

func (a writeAll) do(l *live, now time.Time) (any, error) {
	h, err := a.alive(l)
	if err != nil {
		return nil, err
	}
	told, err := l.lobby.WriteAll(h, a.text, now)
	if err != nil {
		return nil, err
	}
	views := make([]KnockView, len(told))
	for i, k := range told {
		views[i] = l.knockView(k)
	}
	return views, nil
}

// WriteAll writes to everybody who waits and returns whom it reached.
func (m *Meetings) WriteAll(ctx context.Context, by Agent, id, text string) ([]KnockView, error) {
	return answer[[]KnockView](ctx, m, id, writeAll{byAgent{by}, text})
}

type reply struct {
	bySession
	text string
}

func (reply) command() role.Command { return role.Reply }

func (a reply) do(l *live, now time.Time) (any, error) {
	if _, err := l.lobby.Reply(a.session, a.text, now); err != nil {
		return nil, err
	}
	return lookAsGuest{a.bySession}.do(l, now)
}

// Reply answers the hosts, who must have written first (lobby.ErrNothingSaid).
func (m *Meetings) Reply(ctx context.Context, c Caller, text string) (GuestView, error) {
	return answer[GuestView](ctx, m, c.meeting, reply{bySession{c.session}, text})
}
