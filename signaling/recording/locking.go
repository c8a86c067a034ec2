package recording

import (
	"errors"
	"time"
)

// ErrLocked says that the store deletes nothing of a recording before its time is over.
var ErrLocked = errors.New("the recording is locked in the store until its time is over: nobody can delete it before")

// LegalHold is whether what a store has of a recording is under legal hold there. It
// follows the recording's own.
type LegalHold string

// The states of it. Nothing has to be lifted where there never was one.
const (
	NeverHeld LegalHold = ""
	HeldThere LegalHold = "on"
	HoldOver  LegalHold = "off"
)

// Lock is how a store of recordings keeps what it has of one from being deleted, by
// anybody.
type Lock struct {
	Until time.Time // zero: not by time
	Hold  LegalHold
}

// Equal tells whether two are the same.
func (l Lock) Equal(other Lock) bool { return l.Until.Equal(other.Until) && l.Hold == other.Hold }

// LockNow is how the recording is to be locked in the store as it stands. Policy: what goes
// there is locked; without it only what was locked once follows its hold.
//
// While a recording is under way it is not known when it ends. Then it is locked until when
// it would be deleted if it had ended as it began, which is never later than people were
// told; once it has ended, until it is deleted. An end is never brought forward, since a
// store does not do that.
func (e Entry) LockNow(policy bool) Lock {
	l := e.Lock
	if !policy && l == (Lock{}) {
		return l
	}
	if policy && e.Deletion == nil && !e.StartedAt.IsZero() {
		until := e.ExpiresAt()
		if until.IsZero() {
			until = e.StartedAt.AddDate(0, 0, e.KeepDays)
		}
		if until.After(l.Until) {
			l.Until = until
		}
	}
	switch {
	case e.Hold != nil:
		l.Hold = HeldThere
	case l.Hold == HeldThere:
		l.Hold = HoldOver
	}
	return l
}
