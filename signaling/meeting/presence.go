package meeting

import (
	"context"
	"errors"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/signaling/audit"
	"aparte/signaling/lobby"
	"aparte/signaling/role"
)

// Grant is the right to be in the call of a meeting, as it stands now. Media
// tokens name its ID; nothing else about it is believed from a token.
type Grant struct {
	ID           string
	Meeting      string
	Identity     string
	Name         string
	Organisation string
	Role         role.Role
	Permissions  lobby.Permissions
	AgentSession string // agents: the session it dies with
	CallState    string // JSON of CallState, for the call that this one may begin
}

// Permission says in LiveKit's words what a grant allows. Nobody publishes data packets
// in a meeting: what is written goes through the rules (chat.go), and only the server
// sends, so that a packet's origin is never in doubt.
func (g Grant) Permission() *livekit.ParticipantPermission {
	var sources []livekit.TrackSource
	may := mayBe(g.Role, g.Permissions) // whatever else was decided
	if may.Speak {
		sources = append(sources, livekit.TrackSource_MICROPHONE)
	}
	if may.Camera {
		sources = append(sources, livekit.TrackSource_CAMERA)
	}
	if may.Share {
		sources = append(sources, livekit.TrackSource_SCREEN_SHARE, livekit.TrackSource_SCREEN_SHARE_AUDIO)
	}
	return &livekit.ParticipantPermission{
		CanSubscribe:      true,
		CanPublish:        len(sources) > 0, // no sources would mean all of them
		CanPublishSources: sources,
	}
}

func (l *live) admittedGrant(k lobby.Knock) Grant {
	return Grant{
		ID: k.Admission, Meeting: k.Meeting, Identity: k.Identity, Name: k.Name,
		Organisation: k.Organisation, Role: l.roleBy(k.Link), Permissions: k.Permissions,
	}
}

// roleBy is what one is who came in by a guest link.
func (l *live) roleBy(linkID string) role.Role {
	if via, ok := l.lobby.Link(linkID); ok && via.Role == role.Observer {
		return role.Observer
	}
	return role.Guest
}

// mayBe is what of permissions a role may be given: observers publish nothing.
func mayBe(r role.Role, p lobby.Permissions) lobby.Permissions {
	if r == role.Observer {
		return lobby.Permissions{Chat: p.Chat}
	}
	return p
}

// seatGrant is the grant of an agent's seat, as the agent is named now.
func (l *live) seatGrant(s Seat) Grant {
	v, _ := l.meeting.member(s.Account)
	return Grant{
		ID: s.ID, Meeting: s.Meeting, Identity: s.Identity, Name: v.Name,
		Role: v.Role, Permissions: v.Permissions(), AgentSession: s.Session,
	}
}

// seated says whether a seat holds now: not where its agent has no role any more, or needs
// an admission and has none.
func (l *live) seated(s Seat) error {
	r, _, named := l.meeting.Role(s.Account)
	if !named {
		return ErrNotAdmitted
	}
	if _, admitted := l.lobby.AdmissionOf(s.Account); !admitted && l.profile.Rules.MustKnock(r) {
		return ErrNotAdmitted
	}
	return nil
}

// permissionsOf is what a named agent may do in the call, unless hosts decide otherwise.
func permissionsOf(r role.Role) lobby.Permissions {
	if r == role.Observer {
		return lobby.Permissions{}
	}
	return lobby.Everything()
}

// granted finds a live grant by its id.
func (l *live) granted(id string) (Grant, error) {
	if l.meeting.State == Ended {
		return Grant{}, ErrEnded
	}
	if l.meeting.State != Open {
		return Grant{}, ErrNotAdmitted
	}
	if err := l.profile.Available(); err != nil {
		return Grant{}, err
	}
	if seat, ok := l.seats[id]; ok {
		if err := l.seated(seat); err != nil {
			return Grant{}, err
		}
		return l.ruled(l.seatGrant(seat)), nil
	}
	if k, ok := l.lobby.Admission(id); ok {
		return l.ruled(l.admittedGrant(k)), nil
	}
	return Grant{}, ErrNotAdmitted
}

// ruled adds what holds in the call, and takes away what is forbidden to all.
func (l *live) ruled(g Grant) Grant {
	g.CallState = l.stateText()
	if !g.Role.Moderates() {
		g.Permissions = l.taken.from(l.keyOf(g.Identity), l.meeting.Forbidden.from(g.Permissions))
	}
	if g.Role == role.Guest {
		g.Permissions = l.profile.Rules.Permits(g.Permissions)
	}
	return g
}

// grantOf finds the live grant of an identity.
func (l *live) grantOf(identity string) (Grant, error) {
	if seat, ok := l.seatByIdentity(identity); ok {
		return l.granted(seat.ID)
	}
	for _, k := range l.lobby.Knocks() {
		if k.Status == lobby.Admitted && k.Identity == identity {
			return l.granted(k.Admission)
		}
	}
	return Grant{}, ErrNotAdmitted
}

type lookUpGrant struct {
	byServer
	grant string
}

func (lookUpGrant) command() role.Command { return role.Keep }

func (a lookUpGrant) do(l *live, _ time.Time) (any, error) { return l.granted(a.grant) }

// Grant looks a grant up by its id: at every join, resume and refresh. It is
// refused with ErrNotFound, ErrEnded or ErrNotAdmitted. Whether a host's session
// is still alive is for the caller to ask (AgentSession).
func (m *Meetings) Grant(ctx context.Context, id, grant string) (Grant, error) {
	return answer[Grant](ctx, m, id, lookUpGrant{grant: grant})
}

func (l *live) seatOf(session string) (Seat, bool) {
	for _, s := range l.seats {
		if s.Session == session {
			return s, true
		}
	}
	return Seat{}, false
}

func (l *live) seatByIdentity(identity string) (Seat, bool) {
	for _, s := range l.seats {
		if s.Identity == identity {
			return s, true
		}
	}
	return Seat{}, false
}

func (l *live) newSeat(a Agent, now time.Time) (Seat, error) {
	id, err := newID(l.cfg.Random)
	if err != nil {
		return Seat{}, err
	}
	identity, err := newIdentity(l.cfg.Random)
	if err != nil {
		return Seat{}, err
	}
	s := Seat{ID: id, Meeting: l.id, Account: a.Account, Session: a.Session, Identity: identity, CreatedAt: now}
	l.seats[id] = s
	l.note(audit.Did(audit.HostSeated).On(audit.Participant, s.Identity).On(audit.Session, s.Session))
	l.changes.Seats = append(l.changes.Seats, s)
	return s, nil
}

func (l *live) dropSeat(s Seat) {
	delete(l.seats, s.ID)
	l.note(audit.Did(audit.HostUnseated).On(audit.Account, s.Account).On(audit.Participant, s.Identity).On(audit.Session, s.Session))
	l.changes.DroppedSeats = append(l.changes.DroppedSeats, s.ID)
}

type joined struct {
	byServer
	identity, sid string
}

func (joined) command() role.Command { return role.Keep }

func (a joined) do(l *live, now time.Time) (any, error) {
	g, err := l.grantOf(a.identity)
	if err != nil {
		// Removed while the join was under way: the removal found nobody yet.
		l.sendOut(a.identity)
		return nil, err
	}
	p := Participant{Identity: a.identity, Name: g.Name, Role: g.Role, Since: now, may: g.Permissions, grant: g.ID, sid: a.sid, actor: l.whoIs(a.identity)}
	if before, in := l.inCall[a.identity]; in {
		p.Since = before.Since
	}
	if _, in := l.inCall[a.identity]; !in {
		l.came(p, g.Organisation)
	}
	l.noteJoined(p)
	l.arrived(g.ID)
	l.hands.back(a.identity, now)
	l.inCall[a.identity] = p
	l.dirty, l.rosterDirty = true, true
	// What it may do may have changed meanwhile, too.
	l.permit = append(l.permit, permitOf(g))
	l.words.repeat(a.identity)
	return nil, nil
}

type left struct {
	byServer
	identity, sid string
}

func (left) command() role.Command { return role.Keep }

func (a left) do(l *live, now time.Time) (any, error) {
	// Somebody who came back on a new connection leaves the old one afterwards.
	if p, ok := l.inCall[a.identity]; ok && p.sid == a.sid {
		delete(l.inCall, a.identity)
		l.stepBack(a.identity)
		l.words.forget(a.identity)
		l.hands.away(a.identity, now)
		l.noteLeft(p)
		l.went(p, now)
		if seat, ok := l.seatByIdentity(a.identity); ok && !l.agentInCall(seat.Account) {
			l.lobby.AgentLeft(seat.Account)
		}
		l.dirty, l.rosterDirty = true, true
	}
	return nil, nil
}

// Joined says that a participant is in the call, by the connection sid. It does
// not wait.
func (m *Meetings) Joined(room, identity, sid string) {
	m.tellOnly(room, joined{identity: identity, sid: sid})
}

// Left says that a participant's connection has left the call. It does not wait.
func (m *Meetings) Left(room, identity, sid string) {
	m.tellOnly(room, left{identity: identity, sid: sid})
}

// tellOnly has a live meeting do an act in order with the others of this
// goroutine, without waiting for it.
func (m *Meetings) tellOnly(id string, a act) {
	l, err := m.acquire(id)
	if err != nil {
		return
	}
	reply := make(chan outcome, 1)
	done := func() {
		select {
		case out := <-reply:
			if len(out.leave)+len(out.permit)+len(out.anyway)+len(out.orders) > 0 || l.words.news() || l.captor.News() || out.close {
				m.presence.Go(func() { m.obey(l, out) })
			}
		default:
		}
		m.release(l)
	}
	select {
	case l.requests <- request{act: a, reply: reply, done: done}:
	case <-l.stop:
		m.release(l)
	}
}

type endSession struct {
	byServer
	session string
}

func (endSession) command() role.Command { return role.Keep }

func (a endSession) do(l *live, _ time.Time) (any, error) {
	if seat, ok := l.seatOf(a.session); ok {
		l.dropSeat(seat)
		l.sendOut(seat.Identity)
	}
	for w := range l.hosts {
		if w.agent.Session == a.session {
			l.dropHost(w)
		}
	}
	for w := range l.agents {
		if w.session == a.session {
			l.dropAgent(w)
		}
	}
	return struct{}{}, nil
}

// EndSession takes an agent's session that has ended out of every call.
func (m *Meetings) EndSession(ctx context.Context, session string) error {
	m.board.endSession(session)
	ids, err := m.cfg.Store.SeatedIn(ctx, session)
	if err != nil {
		return err
	}
	m.mu.Lock()
	for id := range m.live { // whoever only watches has no seat
		ids = append(ids, id)
	}
	m.mu.Unlock()
	var all error
	for _, id := range ids {
		if _, err := m.ask(ctx, id, endSession{session: session}); err != nil && !errors.Is(err, ErrNotFound) {
			all = errors.Join(all, err)
		}
	}
	return all
}
