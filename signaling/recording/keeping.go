package recording

import (
	"errors"
	"slices"
	"time"
)

// What is decided about a recording once it was started: who else gets it, that it must
// not be deleted, that it is being. Whoever decides does so in the transaction that stores
// it, by what is stored then: of two that come together one is first, and the other one
// is told.

// Entry is a recording that was started, with what was decided about it since.
type Entry struct {
	Recording
	Keeping
}

// Keeping is what was decided.
type Keeping struct {
	Hold     *Hold     // nil: none
	Deletion *Deletion // that has begun; nil: none has
	Shares   []Share   // by name, also those that are over
	Lock     Lock      // in the store; follows from the rest (LockNow), not decided by anybody
}

// Hold keeps a recording from being deleted, by its host and by time, until it is lifted,
// and its film from being replaced. It gives nobody access.
type Hold struct {
	By     string // account of the administrator of the post
	ByName string // theirs, then
	Reason string
	Since  time.Time
}

// Deletion is that everything there is of a recording is being deleted: from then on
// nobody gets it, and nothing but its end comes after.
type Deletion struct {
	By      string // account of the host; "": the server
	Because string // ByTheHost or ByTime
	Since   time.Time
	Tried   time.Time // last
}

// Why a recording is deleted.
const (
	ByTheHost = "host"
	ByTime    = "expired"
)

// Share is that a colleague gets one recording, and nothing else of its meeting.
type Share struct {
	Account string
	Name    string // of the account, now
	Since   time.Time
	Until   time.Time // not later than the recording expires
}

// Act is something that is done with a recording that was started.
type Act string

// The acts. Lift ends a hold.
const (
	ToDownload Act = "download"
	ToWatch    Act = "watch"   // its film, where there is or will be one
	ToCompose  Act = "compose" // its film in another layout or format
	ToShare    Act = "share"
	ToDelete   Act = "delete"
	ToHold     Act = "hold"
	ToLift     Act = "lift"
)

// Acts are all acts, in the order in which they are told.
func Acts() []Act { return []Act{ToDownload, ToWatch, ToCompose, ToShare, ToDelete, ToHold, ToLift} }

// Access is what somebody has to do with a recording.
type Access struct {
	Host, Cohost  bool      // of its meeting
	Administrator bool      // of its post
	SharedUntil   time.Time // zero: it was not shared with them
}

// Hosts tells whether they moderate the meeting.
func (a Access) Hosts() bool { return a.Host || a.Cohost }

// MaxShares is with how many a recording is shared.
const MaxShares = 50

// Why something is refused that is asked about a recording that was started.
var (
	ErrHeld     = errors.New("the recording is on hold: an administrator of the post lifts it")
	ErrNotHeld  = errors.New("the recording is not on hold")
	ErrDeleting = errors.New("the recording is being deleted already")
	ErrShares   = errors.New("the recording is shared with so many that nobody else gets it")
	// ErrNotTheirs is for whoever has nothing to do with it that would allow the act.
	ErrNotTheirs = errors.New("not for you")
)

// Expired tells whether its time is over.
func (r Recording) Expired(now time.Time) bool {
	over := r.ExpiresAt()
	return !over.IsZero() && !now.Before(over)
}

// gone tells whether nobody gets it any more, whatever there still is of it. A hold
// changes nothing about that: what people were told when they agreed still counts.
func (e Entry) gone(now time.Time) bool { return e.Deletion != nil || e.Expired(now) }

// May says why somebody may not do something with the recording now; nil: they may.
func (e Entry) May(act Act, who Access, now time.Time) error {
	switch act {
	case ToDownload:
		switch {
		case !who.Hosts() && !now.Before(who.SharedUntil):
			return ErrNotTheirs
		case e.gone(now):
			return ErrNone
		}
		return nil
	case ToWatch:
		if err := e.May(ToDownload, who, now); err != nil || e.Watchable && e.State == Stopped {
			return err
		}
		return ErrNone
	case ToCompose:
		if !who.Hosts() {
			return ErrNotTheirs
		}
		if err := e.May(ToWatch, who, now); err != nil || e.Hold == nil {
			return err
		}
		return ErrHeld // the film that is there would go
	case ToShare:
		switch {
		case !who.Hosts():
			return ErrNotTheirs
		case e.gone(now):
			return ErrNone
		case e.State != Stopped: // until when it is kept nobody knows yet
			return ErrOngoing
		}
		return nil
	case ToDelete:
		switch {
		case !who.Host:
			return ErrNotTheirs
		case e.State != Stopped:
			return ErrOngoing
		case e.Hold != nil:
			return ErrHeld
		case now.Before(e.Lock.Until):
			return ErrLocked
		}
		return nil
	case ToHold:
		switch {
		case !who.Administrator:
			return ErrNotTheirs
		case e.Deletion != nil:
			return ErrDeleting
		case e.Hold != nil:
			return ErrHeld
		}
		return nil
	case ToLift:
		switch {
		case !who.Administrator:
			return ErrNotTheirs
		case e.Hold == nil:
			return ErrNotHeld
		}
		return nil
	}
	return ErrNotTheirs
}

// Allowed are the acts that somebody may do now.
func (e Entry) Allowed(who Access, now time.Time) []Act {
	return slices.DeleteFunc(Acts(), func(act Act) bool { return e.May(act, who, now) != nil })
}

// Listed tells whether somebody sees that there is the recording.
func (e Entry) Listed(who Access, now time.Time) bool {
	return who.Hosts() || who.Administrator || e.May(ToDownload, who, now) == nil
}

// SharedWith is until when the recording is shared with an account; zero: it is not.
func (k Keeping) SharedWith(account string) time.Time {
	for _, s := range k.Shares {
		if s.Account == account && account != "" {
			return s.Until
		}
	}
	return time.Time{}
}

// Share is the recording shared with a colleague until a time, which is brought forward
// to where it expires; zero: until then. Shared again, the time changes.
func (e Entry) Share(s Share) (Keeping, Share, error) {
	over := e.ExpiresAt()
	if s.Until.IsZero() || s.Until.After(over) {
		s.Until = over
	}
	k := e.Keeping
	k.Shares = slices.DeleteFunc(slices.Clone(k.Shares), func(other Share) bool {
		return other.Account == s.Account || !s.Since.Before(other.Until) // and those that are over
	})
	if len(k.Shares) >= MaxShares {
		return e.Keeping, s, ErrShares
	}
	k.Shares = append(k.Shares, s)
	return k, s, nil
}

// Unshare takes it back; false: it was not shared with them.
func (e Entry) Unshare(account string) (Keeping, bool) {
	k := e.Keeping
	k.Shares = slices.DeleteFunc(slices.Clone(k.Shares), func(s Share) bool { return s.Account == account })
	return k, len(k.Shares) < len(e.Shares)
}

// Delete is the recording whose deletion begins, or is tried once more.
func (e Entry) Delete(d Deletion) Keeping {
	k := e.Keeping
	if k.Deletion != nil { // whoever began it did it
		tried := d.Tried
		d = *k.Deletion
		d.Tried = tried
	}
	k.Deletion = &d
	return k
}

// Expire says why the sweep may not delete the recording now; nil: it may.
func (e Entry) Expire(now time.Time) error {
	switch {
	case e.Hold != nil:
		return ErrHeld
	case e.State != Stopped || !e.gone(now):
		return ErrState
	}
	return nil
}
