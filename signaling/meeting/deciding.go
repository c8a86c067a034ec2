package meeting

import (
	"context"
	"errors"
	"slices"
	"time"

	"aparte/signaling/lobby"
	"aparte/signaling/profile"
	"aparte/signaling/role"
)

// The hosts' decisions on those who knock.

type admit struct {
	byAgent
	knock       string
	permissions lobby.Permissions
	usual       Usual
}

func (admit) command() role.Command { return role.Admit }

func (a admit) do(l *live, now time.Time) (any, error) {
	h, err := a.alive(l)
	if err != nil {
		return nil, err
	}
	k, err := l.admit(h, a.knock, a.permissions, a.usual, now)
	if err != nil {
		return nil, err
	}
	return l.knockView(k), nil
}

// admit lets somebody in who waits, and opens a meeting that was not open yet: the host has
// decided that somebody shall be in it.
func (l *live) admit(h lobby.Host, knock string, p lobby.Permissions, usual Usual, now time.Time) (lobby.Knock, error) {
	before, _ := l.lobby.KnockByID(knock)
	if l.meeting.Locked && before.Status != lobby.Admitted {
		return lobby.Knock{}, ErrLocked
	}
	if err := l.profile.Available(); err != nil {
		return lobby.Knock{}, err
	}
	if before.Status == lobby.Waiting {
		if err := l.admits(before); err != nil {
			return lobby.Knock{}, err
		}
	}
	p, err := l.givenTo(before, p, usual)
	if err != nil {
		return lobby.Knock{}, err
	}
	admission, err := newID(l.cfg.Random)
	if err != nil {
		return lobby.Knock{}, err
	}
	identity, err := newIdentity(l.cfg.Random)
	if err != nil {
		return lobby.Knock{}, err
	}
	opened, err := l.meeting.Open(now)
	if err != nil {
		return lobby.Knock{}, err
	}
	if l.roleBy(before.Link) == role.Observer {
		p = permissionsOf(role.Observer) // a host may allow the chat later
	}
	k, err := l.lobby.Admit(knock, h, p, admission, identity, now) // an agent's grant is a seat
	if err != nil {
		return lobby.Knock{}, err
	}
	if l.meeting.State != opened.State {
		l.setMeeting(opened)
	}
	if v, ok := l.meeting.member(k.Account); ok && before.Status == lobby.Waiting && p != lobby.Everything() {
		l.setMeeting(l.meeting.with(v.permitted(p))) // of agents their own permissions hold, wherever they are
	}
	return k, nil
}

// Admit lets in somebody who waits. What the profile never gives, and whoever came in a way
// that it does not allow, is a *profile.RefusedError.
func (m *Meetings) Admit(ctx context.Context, by Agent, id, knock string, p lobby.Permissions) (KnockView, error) {
	return answer[KnockView](ctx, m, id, admit{byAgent{by}, knock, p, Usual{}})
}

// AdmitAsUsual is Admit with some permissions as the profile has them.
func (m *Meetings) AdmitAsUsual(ctx context.Context, by Agent, id, knock string, p lobby.Permissions, usual Usual) (KnockView, error) {
	return answer[KnockView](ctx, m, id, admit{byAgent{by}, knock, p, usual})
}

type admitAll struct {
	byAgent
	except []string
}

func (admitAll) command() role.Command { return role.Admit }

func (a admitAll) do(l *live, now time.Time) (any, error) {
	h, err := a.alive(l)
	if err != nil {
		return nil, err
	}
	for _, k := range l.lobby.Knocks() {
		if k.Status != lobby.Waiting || slices.Contains(a.except, k.ID) {
			continue
		}
		_, err := l.admit(h, k.ID, lobby.Everything(), Usual{Share: true, Files: true}, now)
		if _, ok := errors.AsType[*profile.RefusedError](err); ok {
			continue // whoever came in a way that the profile does not allow waits on
		}
		if err != nil {
			return nil, err
		}
	}
	return l.knockViews(), nil
}

// AdmitAll lets in everybody who waits, but for some, and for whom the profile does not
// let in.
func (m *Meetings) AdmitAll(ctx context.Context, by Agent, id string, except []string) ([]KnockView, error) {
	return answer[[]KnockView](ctx, m, id, admitAll{byAgent{by}, except})
}

type deny struct {
	byAgent
	knock, message string
}

func (deny) command() role.Command { return role.Deny }

func (a deny) do(l *live, now time.Time) (any, error) {
	h, err := a.alive(l)
	if err != nil {
		return nil, err
	}
	k, err := l.lobby.Deny(a.knock, h, a.message, now)
	if err != nil {
		return nil, err
	}
	return l.knockView(k), nil
}

// Deny refuses a waiting guest.
func (m *Meetings) Deny(ctx context.Context, by Agent, id, knock, message string) (KnockView, error) {
	return answer[KnockView](ctx, m, id, deny{byAgent{by}, knock, message})
}

type lift struct {
	byAgent
	knock string
}

func (lift) command() role.Command { return role.Lift }

func (a lift) do(l *live, now time.Time) (any, error) {
	h, err := a.alive(l)
	if err != nil {
		return nil, err
	}
	k, err := l.lobby.Lift(a.knock, h, now)
	if err != nil {
		return nil, err
	}
	return l.knockView(k), nil
}

// Lift allows a denied, removed or banned guest to knock again.
func (m *Meetings) Lift(ctx context.Context, by Agent, id, knock string) (KnockView, error) {
	return answer[KnockView](ctx, m, id, lift{byAgent{by}, knock})
}

type remove struct {
	byAgent
	identity string
}

func (remove) command() role.Command { return role.Remove }

func (a remove) do(l *live, now time.Time) (any, error) {
	h, err := a.alive(l)
	if err != nil {
		return nil, err
	}
	if seat, ok := l.seatByIdentity(a.identity); ok {
		if _, err := l.lobby.RemoveAgent(seat.Account, h, now); err == nil {
			l.unseat(seat.Account)
			return struct{}{}, nil
		}
		l.dropSeat(seat) // who needs no admission may come back: hosts, and agents where only guests wait
		l.sendOut(a.identity)
		return struct{}{}, nil
	}
	if _, err := l.lobby.Remove(a.identity, h, now); err != nil {
		return nil, lobby.ErrNoKnock
	}
	l.sendOut(a.identity)
	return struct{}{}, nil
}

// Remove removes somebody from the call. Whoever was admitted is so no more: a guest is
// refused until a host lifts it, an agent may knock again.
func (m *Meetings) Remove(ctx context.Context, by Agent, id, identity string) error {
	_, err := m.ask(ctx, id, remove{byAgent{by}, identity})
	return err
}

type watchAsHost struct {
	byAgent
	watch *HostWatch
}

func (watchAsHost) command() role.Command { return role.WatchLobby }

func (a watchAsHost) do(l *live, _ time.Time) (any, error) {
	if _, err := a.host(l); err != nil {
		return nil, err
	}
	if len(l.hosts) >= maxHostWatches {
		return nil, lobby.ErrCrowded
	}
	l.hosts[a.watch] = struct{}{}
	l.begun = append(l.begun, func() { l.dropHost(a.watch) })
	l.hostsDirty = l.hostsDirty || len(l.hosts) == 1
	l.dirty = true // tell sends the snapshot
	return struct{}{}, nil
}

// maxHostWatches bounds the host sockets of one meeting.
const maxHostWatches = 200

type unwatchAsHost struct {
	byServer
	watch *HostWatch
}

func (unwatchAsHost) command() role.Command { return role.Keep }

func (a unwatchAsHost) do(l *live, _ time.Time) (any, error) {
	l.dropHost(a.watch)
	return struct{}{}, nil
}

// WatchAsHost follows a meeting as one of its hosts; a snapshot comes first. End
// it with Unwatch.
func (m *Meetings) WatchAsHost(ctx context.Context, by Agent, id string) (*HostWatch, error) {
	events := make(chan HostEvent, m.cfg.HostQueue)
	w := &HostWatch{Events: events, events: events, agent: by, pending: make(map[string]delivery)}
	if _, err := m.ask(ctx, id, watchAsHost{byAgent{by}, w}); err != nil {
		return nil, err
	}
	w.release = func() { m.tellOnly(id, unwatchAsHost{watch: w}) }
	return w, nil
}

// Unwatch ends the watch; it may be called once.
func (w *HostWatch) Unwatch() { w.release() }

type sawKnocks struct {
	byAgent
	watch *HostWatch
	seq   uint64
}

func (sawKnocks) command() role.Command { return role.WatchLobby }

func (a sawKnocks) do(l *live, _ time.Time) (any, error) {
	if _, ok := l.hosts[a.watch]; !ok {
		return struct{}{}, nil
	}
	for id, d := range a.watch.pending {
		if d.seq <= a.seq {
			l.seen[id] = sighting{d.since, a.watch.agent.Name}
			delete(a.watch.pending, id)
			l.retell[d.who] = struct{}{}
			l.dirty = true
		}
	}
	return struct{}{}, nil
}

// Seen says that the host's screen has shown what came up to seq; those
// who wait there are told that a host knows.
func (m *Meetings) Seen(ctx context.Context, id string, w *HostWatch, seq uint64) error {
	_, err := m.ask(ctx, id, sawKnocks{byAgent{w.agent}, w, seq})
	return err
}
