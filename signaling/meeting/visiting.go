package meeting

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/role"
)

// What guests ask of a meeting.

// Caller is a guest's session as found by its token.
type Caller struct{ meeting, session string }

// Session is the id of the lobby session, which tells callers apart.
func (c Caller) Session() string { return c.session }

// Recognise finds the session behind a token: lobby.ErrNoSession if there is
// none. Whether it is still alive is decided by each request.
func (m *Meetings) Recognise(ctx context.Context, token string) (Caller, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != 32 {
		return Caller{}, lobby.ErrNoSession
	}
	s, err := m.cfg.Store.LobbySession(ctx, sha256.Sum256(raw))
	if err != nil {
		return Caller{}, err
	}
	if !m.cfg.now().Before(s.ExpiresAt) {
		return Caller{}, lobby.ErrNoSession
	}
	return Caller{s.Meeting, s.ID}, nil
}

// bySession is part of every request of a guest.
type bySession struct{ session string }

// as is the guest's role: at the door until somebody has let them in.
func (b bySession) as(l *live, _ time.Time) (role.Role, error) {
	k, _ := l.lobby.KnockOf(b.session)
	if in, ok := l.lobby.Admission(k.Admission); ok {
		return l.roleBy(in.Link), nil
	}
	return role.Door, nil
}

type lookAsGuest struct{ bySession }

func (lookAsGuest) command() role.Command { return role.LookAsGuest }

func (a lookAsGuest) do(l *live, now time.Time) (any, error) {
	s, err := l.lobby.Session(a.session, now)
	if err != nil {
		return nil, err
	}
	return l.view(s), nil
}

// Look returns what the guest is told now.
func (m *Meetings) Look(ctx context.Context, c Caller) (GuestView, error) {
	return answer[GuestView](ctx, m, c.meeting, lookAsGuest{bySession{c.session}})
}

type checkWay struct{ bySession }

func (checkWay) command() role.Command { return role.CheckWay }

func (a checkWay) do(l *live, now time.Time) (any, error) {
	_, err := l.lobby.Session(a.session, now)
	return struct{}{}, err
}

// CheckWay says whether a guest may look at the way to the server: nil while the
// session lives.
func (m *Meetings) CheckWay(ctx context.Context, c Caller) error {
	_, err := m.ask(ctx, c.meeting, checkWay{bySession{c.session}})
	return err
}

type withdraw struct{ bySession }

func (withdraw) command() role.Command { return role.Withdraw }

func (a withdraw) do(l *live, now time.Time) (any, error) {
	if _, err := l.lobby.Withdraw(a.session, now); err != nil {
		return nil, err
	}
	return lookAsGuest(a).do(l, now)
}

// Withdraw stops waiting.
func (m *Meetings) Withdraw(ctx context.Context, c Caller) (GuestView, error) {
	return answer[GuestView](ctx, m, c.meeting, withdraw{bySession{c.session}})
}

type claim struct{ bySession }

func (claim) command() role.Command { return role.Claim }

func (a claim) do(l *live, now time.Time) (any, error) {
	s, err := l.lobby.Session(a.session, now)
	if err != nil {
		return nil, err
	}
	if l.meeting.State == Ended {
		return nil, ErrEnded
	}
	if err := l.profile.Available(); err != nil {
		return nil, err
	}
	if l.lobby.Void(s) {
		return nil, link.ErrRevoked
	}
	k, _ := l.lobby.KnockOf(s.ID)
	if k.Status == lobby.Denied {
		return nil, l.lobby.KeptOut(s)
	}
	admitted, ok := l.lobby.Admission(k.Admission)
	if !ok || l.meeting.State != Open {
		return nil, ErrNotAdmitted
	}
	return l.ruled(l.admittedGrant(admitted)), nil
}

// Claim returns the grant of an admitted guest, and nobody else's.
func (m *Meetings) Claim(ctx context.Context, c Caller) (Grant, error) {
	return answer[Grant](ctx, m, c.meeting, claim{bySession{c.session}})
}

type watchAsGuest struct {
	bySession
	watch *GuestWatch
}

// maxGuestWatches bounds the lobby sockets of one session; the oldest goes.
const maxGuestWatches = 4

func (watchAsGuest) command() role.Command { return role.LookAsGuest }

func (a watchAsGuest) do(l *live, now time.Time) (any, error) {
	if _, err := l.lobby.Session(a.session, now); err != nil {
		return nil, err
	}
	follow(l.guests, a.watch, maxGuestWatches, l.dropGuest)
	l.retell[a.session] = struct{}{}
	l.begun = append(l.begun, func() { l.dropGuest(a.watch) })
	l.dirty = true // tell sends the first view
	return struct{}{}, nil
}

type unwatchAsGuest struct {
	byServer
	watch *GuestWatch
}

func (unwatchAsGuest) command() role.Command { return role.Keep }

func (a unwatchAsGuest) do(l *live, _ time.Time) (any, error) {
	l.dropGuest(a.watch)
	return struct{}{}, nil
}

// WatchAsGuest follows a guest's own state, beginning with the present one. End
// it with Unwatch.
func (m *Meetings) WatchAsGuest(ctx context.Context, c Caller) (*GuestWatch, error) {
	w := newWatch[GuestView](c.session)
	if _, err := m.ask(ctx, c.meeting, watchAsGuest{bySession{c.session}, w}); err != nil {
		return nil, err
	}
	w.release = func() { m.tellOnly(c.meeting, unwatchAsGuest{watch: w}) }
	return w, nil
}
