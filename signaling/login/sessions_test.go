package login

import (
	"context"
	"crypto/rand"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// stuck is a store whose disk does not answer: it is read from memory, and nothing is
// written.
type stuck struct {
	Store
	session Session
	release chan struct{}
}

func (s *stuck) SessionByToken(context.Context, [32]byte) (Session, Account, error) {
	return s.session, Account{ID: s.session.Account}, nil
}

func (s *stuck) TouchSession(context.Context, string, time.Time, From) error {
	<-s.release
	return nil
}

// Noting that a session is used is worth little: it holds up nobody for long.
func TestASessionIsKnownWhileNothingCanBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		store := &stuck{session: Session{ID: "s", Account: "a", CreatedAt: now, UsedAt: now}, release: make(chan struct{})}
		l := New(store, time.Now, rand.Reader, slog.New(slog.DiscardHandler))
		time.Sleep(touchEvery)
		begun := time.Now()
		_, account, err := l.Who(t.Context(), "token", From{})
		if took := time.Since(begun); err != nil || account.ID != "a" || took != touchWait {
			t.Errorf("%+v, %v after %s, want a after %s", account, err, took, touchWait)
		}
		close(store.release)
		begun = time.Now()
		if _, _, err := l.Who(t.Context(), "token", From{}); err != nil || time.Since(begun) != 0 {
			t.Errorf("once it is written again: %v after %s", err, time.Since(begun))
		}
	})
}
