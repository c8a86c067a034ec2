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
	return l.knockView(k), nil
}

// Ban keeps a guest out until Lift, wherever the knock stands: every admission
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
	k, err := l.lobby.SendBack(a.identity, now)
	if err != nil {
		return nil, err
	}
	l.sendOut(a.identity)
	return l.knockView(k), nil
}

// SendBack returns a guest from the call to the lobby. The media stop and the
// admission dies before it returns.
func (m *Meetings) SendBack(ctx context.Context, by Agent, id, identity string) (KnockView, error) {
	return answer[KnockView](ctx, m, id, sendBack{byAgent{by}, identity})
}

type permit struct {
	byAgent
	identity    string
	permissions lobby.Permissions
	usual       Usual
}

func (permit) command() role.Command { return role.Permit }

func (a permit) do(l *live, _ time.Time) (any, error) {
	h, err := a.alive(l)
	if err != nil {
		return nil, err
	}
	before, _ := l.grantOf(a.identity)
	given, err := l.given(a.permissions, a.usual, l.permissionsNow(a.identity))
	if err != nil {
		return nil, err
	}
	k, err := l.lobby.Permit(a.identity, mayBe(l.roleOf(a.identity), given))
	if err != nil {
		return nil, err
	}
	g := l.ruled(l.admittedGrant(k))
	l.permit = append(l.permit, permitOf(g))
	l.tellRights(h.Name, before.Permissions, g.Permissions, k.Identity)
	return l.knockView(k), nil
}

// Permit changes what an admitted guest may do, in the call at once. What the profile
// never gives is a *profile.RefusedError.
func (m *Meetings) Permit(ctx context.Context, by Agent, id, identity string, p lobby.Permissions) (KnockView, error) {
	return answer[KnockView](ctx, m, id, permit{byAgent{by}, identity, p, Usual{}})
}

// PermitAsUsual is Permit with some permissions as the profile has them: given where it
// allows them, as they were where a host grants them.
func (m *Meetings) PermitAsUsual(ctx context.Context, by Agent, id, identity string, p lobby.Permissions, usual Usual) (KnockView, error) {
	return answer[KnockView](ctx, m, id, permit{byAgent{by}, identity, p, usual})
}
