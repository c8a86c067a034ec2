package login

import (
	"context"
	"errors"
	"time"
)

// SignIn checks a password and begins a session; token is what the browser
// keeps. Refusals: ErrRefused, *TooManyError, ErrBusy.
func (l *Login) SignIn(ctx context.Context, email, password, source string) (a Account, token string, err error) {
	email = normalEmail(email)
	pair := email + "\x00" + source
	if err := l.allow(pair, source); err != nil {
		return Account{}, "", err
	}
	a, hash, err := l.store.AccountByEmail(ctx, email)
	switch {
	case errors.Is(err, ErrRefused):
		hash = "" // compared all the same: an unknown email takes as long
	case err != nil:
		return Account{}, "", err
	}
	ok, err := l.hasher.matches(ctx, hash, password)
	if err != nil {
		l.refund(pair, source)
		return Account{}, "", err
	}
	if !ok {
		return Account{}, "", ErrRefused
	}
	l.refund(pair, source)
	s, token, err := l.newSession(a.ID, false)
	if err != nil {
		return Account{}, "", err
	}
	return a, token, l.store.AddSession(ctx, s)
}

// allow takes a try from both throttles.
func (l *Login) allow(pair, source string) error {
	if wait, ok := l.bySource.Take(source); !ok {
		return &TooManyError{wait}
	}
	if wait, ok := l.byAccount.Take(pair); !ok {
		return &TooManyError{wait}
	}
	return nil
}

func (l *Login) refund(pair, source string) {
	l.byAccount.Refund(pair)
	l.bySource.Refund(source)
}

// SignInOnce uses a one-time code.
func (l *Login) SignInOnce(ctx context.Context, code, source string) (a Account, token string, err error) {
	if wait, ok := l.bySource.Take(source); !ok {
		return Account{}, "", &TooManyError{wait}
	}
	s, token, err := l.newSession("", true)
	if err != nil {
		return Account{}, "", err
	}
	a, err = l.store.SignInOnce(ctx, hashOf(code), s)
	if err != nil {
		return Account{}, "", err
	}
	l.bySource.Refund(source)
	return a, token, nil
}

// Who finds the live session of a token, and notes that it is used.
func (l *Login) Who(ctx context.Context, token string) (Session, Account, error) {
	s, a, err := l.store.SessionByToken(ctx, hashOf(token))
	if err != nil {
		return Session{}, Account{}, err
	}
	now := l.now()
	if !s.alive(now) {
		return Session{}, Account{}, ErrNoSession
	}
	return s, a, l.touch(ctx, s, now)
}

func (l *Login) touch(ctx context.Context, s Session, now time.Time) error {
	if now.Sub(s.UsedAt) < touchEvery {
		return nil
	}
	return l.store.TouchSession(ctx, s.ID, now)
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
	return l.touch(ctx, s, now)
}

// SignOut ends a session.
func (l *Login) SignOut(ctx context.Context, s Session) error {
	return l.store.DropSession(ctx, s.ID)
}
