package login

import (
	"context"
	"errors"
	"slices"
	"time"

	"aparte/signaling/audit"
)

// SignIn checks a password and begins a session; token is what the browser
// keeps. Refusals: ErrRefused, *TooManyError, ErrBusy.
func (l *Login) SignIn(ctx context.Context, email, password string, from From) (a Account, token string, err error) {
	email = normalEmail(email)
	a, hash, err := l.store.AccountByEmail(ctx, email)
	switch {
	case errors.Is(err, ErrRefused):
		hash = "" // compared all the same: an unknown email takes as long
	case err != nil:
		return Account{}, "", err
	case a.State() == Disabled:
		hash = "" // no password is right: what is told, counted and timed is that of a wrong one
	}
	ok, err := l.guess(ctx, "sign in\x00"+email, from.Source, hash, password)
	if err == nil && !ok {
		err = ErrRefused
	}
	if err != nil {
		l.noteRefused(ctx, audit.Did(audit.SignInRefused).By(audit.Nobody, "").With("with", "password").Typed("email", bounded(email)), err, from.Source)
		return Account{}, "", err
	}
	s, token, err := l.newSession(a.ID, false, from)
	if err != nil {
		return Account{}, "", err
	}
	if err := l.store.AddSession(ctx, s, l.signedIn(a.ID, s)); err != nil {
		return Account{}, "", err
	}
	return a, token, nil
}

// guess compares a password for a purpose, as often as the source may:
// *TooManyError during a pause.
func (l *Login) guess(ctx context.Context, purpose, source, hash, password string) (right bool, err error) {
	key := purpose + "\x00" + source
	if wait, ok := l.passwords.Begin(key); !ok {
		return false, &TooManyError{wait}
	}
	lane := l.hasher.fast
	if l.wrong.Empty(source) {
		lane = l.hasher.slow
	}
	right, err = l.hasher.matches(ctx, lane, hash, password)
	switch {
	case err != nil:
		l.passwords.Undo(key)
	case right:
		l.passwords.Right(key)
	default:
		l.wrong.Take(source)
	}
	return right, err
}

// SignInOnce uses a one-time code. A right one is let in whatever its source has
// tried before.
func (l *Login) SignInOnce(ctx context.Context, code string, from From) (a Account, token string, err error) {
	s, token, err := l.newSession("", true, from)
	if err != nil {
		return Account{}, "", err
	}
	hash := hashOf(code)
	owner, err := l.store.CodeOf(ctx, hash, s.CreatedAt)
	if err != nil {
		return Account{}, "", l.charge(ctx, err, from.Source)
	}
	a, err = l.store.SignInOnce(ctx, hash, s, l.signedIn(owner, s))
	if err != nil {
		return Account{}, "", l.charge(ctx, err, from.Source)
	}
	return a, token, nil
}

// charge counts a wrong code and makes its refusal, the longer one if there were
// many. Other errors stay as they are.
func (l *Login) charge(ctx context.Context, err error, source string) error {
	if !errors.Is(err, ErrRefused) {
		return err
	}
	if wait, ok := l.codes.Take(source); !ok {
		err = &TooManyError{wait}
	}
	l.noteRefused(ctx, audit.Did(audit.SignInRefused).By(audit.Nobody, "").With("with", "one_time_code"), err, source)
	return err
}

// Who finds the live session of a token, and notes that it is used, and from where.
func (l *Login) Who(ctx context.Context, token string, from From) (Session, Account, error) {
	s, a, err := l.store.SessionByToken(ctx, hashOf(token))
	if err != nil {
		return Session{}, Account{}, err
	}
	now := l.now()
	if !s.alive(now) {
		return Session{}, Account{}, ErrNoSession
	}
	l.touch(ctx, s, now, from)
	return s, a, nil
}

// touch notes that a session is used. If that cannot be stored the session is
// good all the same: it only looks idle for longer than it is. Nobody waits long for a
// disk that does not answer: an administrator who asks what is wrong comes by here.
func (l *Login) touch(ctx context.Context, s Session, now time.Time, from From) {
	if now.Sub(s.UsedAt) < touchEvery {
		return
	}
	noted := make(chan error, 1)
	go func() { noted <- l.store.TouchSession(ctx, s.ID, now, from) }()
	late := time.NewTimer(touchWait)
	defer late.Stop()
	select {
	case err := <-noted:
		if err != nil && ctx.Err() == nil {
			l.log.WarnContext(ctx, "note use of session", "session", s.ID, "err", err)
		}
	case <-late.C:
		l.log.WarnContext(ctx, "note use of session: the database does not answer", "session", s.ID)
	}
}

// Alive says whether a session still is: nil or ErrNoSession. Being asked counts
// as use: somebody in a call is not idle.
func (l *Login) Alive(ctx context.Context, sessionID string) error {
	s, err := l.store.SessionByID(ctx, sessionID)
	if err != nil {
		return err
	}
	now := l.now()
	if !s.alive(now) {
		return ErrNoSession
	}
	l.touch(ctx, s, now, From{})
	return nil
}

// Sessions lists the sessions of one's account that are alive, last used first.
func (l *Login) Sessions(ctx context.Context, s Session) ([]Session, error) {
	return l.alive(ctx, s.Account)
}

func (l *Login) alive(ctx context.Context, account string) ([]Session, error) {
	all, err := l.store.SessionsOf(ctx, account)
	if err != nil {
		return nil, err
	}
	now := l.now()
	return slices.DeleteFunc(all, func(one Session) bool { return !one.alive(now) }), nil
}

// EndSession ends another session of one's account, or says ErrNoSuch. Whoever calls has
// it leave calls and sockets, too.
func (l *Login) EndSession(ctx context.Context, s Session, id string) error {
	err := l.store.DropSessionOf(ctx, s.Account, id, l.did(audit.SessionEnded, s.Account).On(audit.Session, id))
	if errors.Is(err, ErrNoSession) {
		return ErrNoSuch // the caller's own is alive
	}
	return err
}

// SignOut ends a session.
func (l *Login) SignOut(ctx context.Context, s Session) error {
	return l.store.DropSession(ctx, s.ID, l.did(audit.SessionSignedOut, s.Account).On(audit.Session, s.ID))
}
