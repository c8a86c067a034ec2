package meeting

import (
	"context"
	"errors"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/lobby"
	"aparte/signaling/role"
)

// What hosts allow and forbid one person in the call: a guest, whose permissions are
// those of the admission, or an agent who was named and does not moderate, with whose
// name in the meeting they are kept.

// ErrOfModerator refuses to change what a host or co-host may do.
var ErrOfModerator = errors.New("hosts and co-hosts may do everything")

// Permitted is what somebody was given.
type Permitted struct {
	Identity string
	// Permissions are without what is forbidden to all.
	Permissions lobby.Permissions
	Knock       *KnockView // of a guest; nil for agents
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
	if seat, ok := l.seatByIdentity(a.identity); ok {
		return a.ofAgent(l, h, seat.Account)
	}
	return a.ofGuest(l, h)
}

func (a permit) ofGuest(l *live, h lobby.Host) (any, error) {
	before, _ := l.grantOf(a.identity)
	given, err := l.given(a.permissions, a.usual, l.permissionsNow(a.identity))
	if err != nil {
		return nil, err
	}
	k, err := l.lobby.Permit(a.identity, mayBe(l.roleOf(a.identity), given))
	if err != nil {
		return nil, err
	}
	l.decideAnew(k.Identity)
	l.ruleOn(h, k.Identity, before, l.ruled(l.admittedGrant(k)))
	view := l.knockView(k)
	return Permitted{k.Identity, k.Permissions, &view}, nil
}

func (a permit) ofAgent(l *live, h lobby.Host, account string) (any, error) {
	v, ok := l.meeting.member(account)
	switch {
	case !ok:
		return nil, ErrNoMember
	case v.Role.Moderates():
		return nil, ErrOfModerator
	}
	seats := l.seatsOf(account) // one for each of the agent's sessions
	before := make([]Grant, len(seats))
	for i, s := range seats {
		before[i] = l.ruled(l.seatGrant(s))
	}
	after := v.permitted(a.permissions)
	if after != v {
		p := after.Permissions()
		l.note(audit.Did(audit.ParticipantPermitted).On(audit.Participant, a.identity).On(audit.Account, account).
			WithFlag("speak", p.Speak).WithFlag("camera", p.Camera).WithFlag("share", p.Share).WithFlag("chat", p.Chat).WithFlag("files", p.Files))
		l.setMeeting(l.meeting.with(after))
	}
	l.decideAnew(account)
	for i, s := range seats {
		l.ruleOn(h, account, before[i], l.ruled(l.seatGrant(s)))
	}
	return Permitted{a.identity, after.Permissions(), nil}, nil
}

// ruleOn has the call obey what somebody may do from now on, and tells them. key is
// theirs as of keyOf.
func (l *live) ruleOn(h lobby.Host, key string, before, after Grant) {
	l.permit = append(l.permit, permitOf(after))
	if lost := rightsOf(before.Permissions).without(rightsOf(after.Permissions)); lost != (Rights{}) {
		l.taking = append(l.taking, taking{key: key, rights: lost})
	}
	l.tellRights(h.Name, before.Permissions, after.Permissions, after.Identity)
	l.dirty, l.rosterDirty = true, true
}

func (l *live) seatsOf(account string) (all []Seat) {
	for _, s := range l.seats {
		if s.Account == account {
			all = append(all, s)
		}
	}
	return all
}

// ownPermissions are what hosts gave somebody, without what is forbidden to all.
func (l *live) ownPermissions(identity string) lobby.Permissions {
	if seat, ok := l.seatByIdentity(identity); ok {
		v, _ := l.meeting.member(seat.Account)
		return v.Permissions()
	}
	for _, k := range l.admitted() {
		if k.Identity == identity {
			return mayBe(l.roleBy(k.Link), k.Permissions)
		}
	}
	return lobby.Permissions{}
}

// Permit changes what somebody in the call who does not moderate may do, at once. For a
// named agent it holds as long as the agent is named and moderates nothing. A refusal is
// ErrOfModerator or, for guests, what the profile never gives: a *profile.RefusedError.
func (m *Meetings) Permit(ctx context.Context, by Agent, id, identity string, p lobby.Permissions) (Permitted, error) {
	return answer[Permitted](ctx, m, id, permit{byAgent{by}, identity, p, Usual{}})
}

// PermitAsUsual is Permit with some permissions of a guest as the profile has them: given
// where it allows them, as they were where a host grants them.
func (m *Meetings) PermitAsUsual(ctx context.Context, by Agent, id, identity string, p lobby.Permissions, usual Usual) (Permitted, error) {
	return answer[Permitted](ctx, m, id, permit{byAgent{by}, identity, p, usual})
}
