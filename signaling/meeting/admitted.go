package meeting

import (
	"context"
	"time"

	"aparte/signaling/lobby"
	"aparte/signaling/role"
)

// The hosts' decisions on those who are in, and on who shall not come back.

type ban struct {
	byAgent
	knock, message string
}

func (ban) command() role.Command { return role.Ban }

func (a ban) do(l *live, now time.Time) (any, error) {
	h, err := a.alive(l)
	if err != nil {
		return nil, err
	}
	k, out, err := l.lobby.Ban(a.knock, h, a.message, now)
	if err != nil {
		return nil, err
	}
	l.sendOut(out...)
	if k.OfAgent() {
		l.unseat(k.Account)
	}
	return l.knockView(k), nil
}

// Ban keeps somebody out until Lift, wherever the knock stands: every admission
// and all waiting of the same person ends.
func (m *Meetings) Ban(ctx context.Context, by Agent, id, knock, message string) (KnockView, error) {
	return answer[KnockView](ctx, m, id, ban{byAgent{by}, knock, message})
}

type sendBack struct {
	byAgent
	identity string
}

func (sendBack) command() role.Command { return role.SendBack }

func (a sendBack) do(l *live, now time.Time) (any, error) {
	if _, err := a.alive(l); err != nil {
		return nil, err
	}
	if seat, ok := l.seatByIdentity(a.identity); ok {
		k, err := l.lobby.SendBackAgent(seat.Account, now)
		if err != nil {
			return nil, lobby.ErrNoKnock // agents who need no admission have nowhere to go back to
		}
		l.unseat(seat.Account)
		return l.knockView(k), nil
	}
	k, err := l.lobby.SendBack(a.identity, now)
	if err != nil {
		return nil, err
	}
	l.sendOut(a.identity)
	return l.knockView(k), nil
}

// SendBack returns somebody who was let in from the call to the lobby; of an agent, all
// sessions. The media stop and the
// admission dies before it returns.
func (m *Meetings) SendBack(ctx context.Context, by Agent, id, identity string) (KnockView, error) {
	return answer[KnockView](ctx, m, id, sendBack{byAgent{by}, identity})
}
