package meeting

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/lobby"
	"aparte/signaling/name"
	"aparte/signaling/role"
)

// Who is named in a meeting: its host, and the agents whom the host names co-host,
// participant or observer, before or during it.

// maxMembers bounds the agents who are named in one meeting.
const maxMembers = 200

type listMembers struct{ byAgent }

func (listMembers) command() role.Command { return role.ListMembers }

func (a listMembers) do(l *live, _ time.Time) (any, error) { return l.members(), nil }

// members are all who are named, the host first.
func (l *live) members() []Member {
	return append([]Member{{Person: l.meeting.Organiser, Role: role.Host}}, l.meeting.Members...)
}

// Members lists who is named in a meeting, the host first.
func (m *Meetings) Members(ctx context.Context, by Agent, id string) ([]Member, error) {
	return answer[[]Member](ctx, m, id, listMembers{byAgent{by}})
}

// whom is an agent by account or, where that is "", by identity in the call.
type whom struct{ account, identity string }

// of finds the agent among those who are named.
func (w whom) of(l *live) (Person, role.Role, error) {
	account := w.account
	if account == "" {
		seat, ok := l.seatByIdentity(w.identity)
		if !ok {
			return Person{}, "", l.noAgent(w.identity)
		}
		account = seat.Account
	}
	r, p, named := l.meeting.Role(account)
	if !named {
		return Person{}, "", ErrNoMember
	}
	return p, r, nil
}

// noAgent says why an identity is none of an agent.
func (l *live) noAgent(identity string) error {
	for _, k := range l.lobby.Knocks() {
		if k.Status == lobby.Admitted && k.Identity == identity {
			return ErrOfGuest
		}
	}
	return ErrNoMember
}

type mayName struct{ byAgent }

func (mayName) command() role.Command { return role.NameMember }

func (a mayName) do(l *live, _ time.Time) (any, error) {
	_, err := a.alive(l)
	return struct{}{}, err
}

type nameMember struct {
	byAgent
	whom   whom
	person Person // known already; zero: whom
	role   role.Role
}

func (nameMember) command() role.Command { return role.NameMember }

func (a nameMember) do(l *live, _ time.Time) (any, error) {
	if _, err := a.alive(l); err != nil {
		return nil, err
	}
	if a.role != role.Cohost && a.role != role.Participant && a.role != role.Observer {
		return nil, &name.Error{At: "role", Reason: "must be cohost, participant or observer"}
	}
	p := a.person
	if p == (Person{}) {
		var err error
		if p, _, err = a.whom.of(l); err != nil {
			return nil, err
		}
	}
	switch before, _, named := l.meeting.Role(p.Account); {
	case before == role.Host:
		return nil, ErrOfHost
	case !named && len(l.meeting.Members) >= maxMembers:
		return nil, ErrMembers
	case before != a.role:
		l.name(p, a.role, "")
	}
	v, _ := l.meeting.member(p.Account)
	return v, nil
}

// name gives an agent a role, in the call at once.
func (l *live) name(p Person, as role.Role, why string) {
	l.setMeeting(l.meeting.named(p, as))
	l.note(audit.Did(audit.MemberNamed).On(audit.Account, p.Account).With("role", string(as)).With("because", why))
	l.roleChanged(p.Account)
}

// NameByEmail names the agent who signs in with an address. The refusals of its own are
// a *name.Error, ErrOfHost and ErrMembers.
func (m *Meetings) NameByEmail(ctx context.Context, by Agent, id, email string, as role.Role) (Member, error) {
	// Whether an account exists is no answer to who may not name anybody.
	if _, err := m.ask(ctx, id, mayName{byAgent{by}}); err != nil {
		return Member{}, err
	}
	p, err := m.cfg.Store.AgentByEmail(ctx, id, strings.ToLower(strings.TrimSpace(email)))
	if errors.Is(err, ErrNoAccount) {
		return Member{}, &name.Error{At: "email", Reason: "is not the address of an account of your post"}
	}
	if err != nil {
		return Member{}, fmt.Errorf("find account: %w", err)
	}
	return answer[Member](ctx, m, id, nameMember{byAgent{by}, whom{}, p, as})
}

// NameMember gives another role to a member. Refusals of its own are ErrNoMember,
// ErrOfHost and a *name.Error.
func (m *Meetings) NameMember(ctx context.Context, by Agent, id, account string, as role.Role) (Member, error) {
	return answer[Member](ctx, m, id, nameMember{byAgent: byAgent{by}, whom: whom{account: account}, role: as})
}

// NameParticipant gives another role to an agent in the call: ErrOfGuest if it is none.
func (m *Meetings) NameParticipant(ctx context.Context, by Agent, id, identity string, as role.Role) (Member, error) {
	return answer[Member](ctx, m, id, nameMember{byAgent: byAgent{by}, whom: whom{identity: identity}, role: as})
}

type unnameMember struct {
	byAgent
	account string
}

func (unnameMember) command() role.Command { return role.NameMember }

func (a unnameMember) do(l *live, _ time.Time) (any, error) {
	if _, err := a.alive(l); err != nil {
		return nil, err
	}
	p, r, err := whom{account: a.account}.of(l)
	switch {
	case err != nil:
		return nil, err
	case r == role.Host:
		return nil, ErrOfHost
	}
	l.setMeeting(l.meeting.without(p.Account))
	l.note(audit.Did(audit.MemberUnnamed).On(audit.Account, p.Account).With("role", string(r)))
	l.roleChanged(p.Account)
	return struct{}{}, nil
}

// UnnameMember takes a member's role away, and the member out of the call.
func (m *Meetings) UnnameMember(ctx context.Context, by Agent, id, account string) error {
	_, err := m.ask(ctx, id, unnameMember{byAgent{by}, account})
	return err
}

type handOver struct {
	byAgent
	whom whom
}

func (handOver) command() role.Command { return role.HandOver }

func (a handOver) do(l *live, _ time.Time) (any, error) {
	if _, err := a.alive(l); err != nil {
		return nil, err
	}
	to, r, err := a.whom.of(l)
	switch {
	case err != nil:
		return nil, err
	case r != role.Cohost:
		return nil, ErrNotCohost
	}
	before := l.meeting.Organiser
	l.setMeeting(l.meeting.handedOver(to))
	l.note(audit.Did(audit.HostHandedOver).On(audit.Account, to.Account))
	l.roleChanged(before.Account)
	l.roleChanged(to.Account)
	return l.members(), nil
}

// HandOver makes a co-host the host; the host of before stays as co-host. Refusals of
// its own are ErrNoMember and ErrNotCohost.
func (m *Meetings) HandOver(ctx context.Context, by Agent, id, account string) ([]Member, error) {
	return answer[[]Member](ctx, m, id, handOver{byAgent{by}, whom{account: account}})
}

// HandOverTo is HandOver by the identity of a co-host in the call: ErrOfGuest if it is a
// guest's.
func (m *Meetings) HandOverTo(ctx context.Context, by Agent, id, identity string) ([]Member, error) {
	return answer[[]Member](ctx, m, id, handOver{byAgent{by}, whom{identity: identity}})
}

// roleChanged has an account be in the call, and follow the lobby, as what it is now.
func (l *live) roleChanged(account string) {
	l.settle(account)
	r, _, named := l.meeting.Role(account)
	for _, s := range l.seats {
		switch in, present := l.inCall[s.Identity]; {
		case s.Account != account:
		case present:
			in.Role = r
			l.inCall[s.Identity] = in
			l.dirty, l.rosterDirty = true, true
			l.permit = append(l.permit, permitOf(l.ruled(l.seatGrant(s))))
		}
	}
	if !named {
		for w := range l.agents {
			if w.who == account {
				l.dropAgent(w)
			}
		}
	}
	if !role.WatchLobby.May(r) {
		for w := range l.hosts {
			if w.agent.Account == account {
				l.dropHost(w)
			}
		}
	}
	if !named || r.Moderates() {
		l.decideAnew(account)
	}
	l.renamed[account] = struct{}{}
	l.dirty = true
}

// tellRenamed tells the pages of agents whose role changed where guests wait, or that
// it is not theirs to know any more.
func (l *live) tellRenamed() {
	for account := range l.renamed {
		notice := Notice{Meeting: l.id}
		if r, _, _ := l.meeting.Role(account); r.Moderates() {
			notice = l.notice()
		}
		l.board.post([]string{account}, notice)
	}
	clear(l.renamed)
}

// roleOf is the role of an identity that may be in the call; "" if there is none.
func (l *live) roleOf(identity string) role.Role {
	g, err := l.grantOf(identity)
	if err != nil {
		return ""
	}
	return g.Role
}
