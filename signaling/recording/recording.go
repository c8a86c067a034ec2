// Package recording holds the rules of recording a call: who has agreed, what may be
// taken, and when it stops. Start at Recording, one that was asked for; captor.go
// carries out what was decided about it, recorder.go says what is wanted of whatever
// writes it down.
//
// Nobody is recorded who has not agreed to this recording, and whose answer is not
// durable. What is decided here is decided in memory: a meeting stores it, tells it, and
// only then has the Captor follow.
package recording

import (
	"errors"
	"slices"
	"time"

	"aparte/signaling/profile"
)

// State is where a recording stands.
//
//	          start            pause
//	asking ──────────▶ running ◀────▶ paused
//	   │                 │  │  resume   │
//	   │ cancel          │  └─────┬─────┘
//	   ▼                 │        │ the server went down
//	(forgotten)          │        ▼
//	                     │   interrupted ── resume: a new part ──▶ running
//	                     ▼        │ stop
//	                  stopping ───┴──▶ stopped
//
// From running and paused everything ends in stopping, while what was taken is being
// closed, and then in stopped, which is for good. After a crash a recording is
// interrupted and takes nothing: people in the call have seen the mark go out, so that
// it goes on only by a host's act, which everybody hears of. What everybody answered
// stays, since it was about this recording.
type State string

// The states of a recording.
const (
	Asking      State = "asking"
	Running     State = "running"
	Paused      State = "paused"
	Interrupted State = "interrupted"
	Stopping    State = "stopping"
	Stopped     State = "stopped"
)

// Live tells whether a recording in this state may still take something.
func (s State) Live() bool {
	return s == Asking || s == Running || s == Paused || s == Interrupted
}

// Begun tells whether it is under way: running, or paused.
func (s State) Begun() bool { return s == Running || s == Paused }

// Answer is what somebody said when asked. Who said nothing is left out.
type Answer string

// Withdrawn is a yes that was taken back. A changed mind is another answer.
const (
	Agreed    Answer = "agreed"
	Declined  Answer = "declined"
	Withdrawn Answer = "withdrawn"
)

// Reason is why a recording stopped or was interrupted.
type Reason string

// The reasons.
const (
	ByHost    Reason = "host"
	AtEnd     Reason = "meeting-ended"
	Alone     Reason = "nobody-recorded" // nobody who agreed was in the call for a while
	ByRule    Reason = "profile"         // the security profile allows none any more
	NoRoom    Reason = "no-room"         // the disk
	OverQuota Reason = "quota"           // the recordings of the post take all they may
	Failed    Reason = "failed"          // the recorder
	Shutdown  Reason = "server-stopped"
	Crashed   Reason = "server-crashed"
)

// Consent is a person's answer.
type Consent struct {
	// Person is who stays the same over reloads: an agent's account, a guest's identity.
	Person string
	Name   string // theirs, then
	Answer Answer
	At     time.Time
	// Recorded: they were let through while it ran, so that they may be heard or seen in it.
	Recorded bool
}

// Recording is one that was asked for. Times are zero where absent.
type Recording struct {
	ID      string
	Meeting string
	State   State
	// AskedBy is the account of the host, Purpose what they said it is for.
	AskedBy, AskedByName string
	Purpose              string
	Profile              string // id of the security profile under which it was asked for
	ProfileVersion       int
	Policy               profile.Recording
	// Watchable: the server holds a key to it, so that hosts can watch it there. It is what
	// everybody was told who was asked, whatever the server is set to later.
	Watchable          bool
	KeepDays           int // for how many days after its end it is kept
	AskedAt            time.Time
	StartedAt, EndedAt time.Time
	Part               int    // from 1; each resumption after an interruption begins a new one
	Because            Reason // why it stopped or was interrupted last
	Bytes              int64  // of the parts that are over, be it that they broke off
	Sealed             bool   // can be read with the post's private key alone
	Consents           []Consent
}

// Watchable tells whether a recording under a policy is sealed to the server's own key as
// well, if the server has one. What is sealed to the archive alone never is.
func Watchable(p profile.Recording, serverKey bool) bool {
	return serverKey && p == profile.RecordingConsent
}

// Why something about a recording is refused.
var (
	ErrNone     = errors.New("no such recording")
	ErrNoAsking = errors.New("no recording was asked for")
	ErrState    = errors.New("the recording is not in a state for that")
	ErrOngoing  = errors.New("a recording is asked for or under way: stop it first")
	ErrOther    = errors.New("another recording is asked for now: look at it again")
)

// Start begins to record whoever agreed.
func (r Recording) Start(now time.Time) (Recording, error) {
	if r.State != Asking {
		return r, ErrState
	}
	r.State, r.StartedAt, r.Part = Running, now, 1
	return r, nil
}

// Pause takes nothing until Resume. To pause what is paused changes nothing.
func (r Recording) Pause() (Recording, error) {
	if !r.State.Begun() {
		return r, ErrState
	}
	r.State = Paused
	return r, nil
}

// Resume goes on, after an interruption as a new part. To resume what runs changes nothing.
func (r Recording) Resume() (Recording, error) {
	switch r.State {
	case Running, Paused:
	case Interrupted:
		r.Part++
	default:
		return r, ErrState
	}
	r.State, r.Because = Running, ""
	return r, nil
}

// Stop ends it. What is under way has to be closed first (Close); an interrupted one is
// closed already, and one that never started is Stopped with no StartedAt.
func (r Recording) Stop(because Reason, now time.Time) (Recording, error) {
	switch {
	case !r.State.Live():
		return r, ErrState
	case r.State.Begun():
		r.State = Stopping
	default:
		r.State = Stopped
	}
	r.Because, r.EndedAt = because, now
	return r, nil
}

// Interrupt notes that nothing is taken any more without anybody having decided so.
func (r Recording) Interrupt(because Reason) Recording {
	if r.State.Begun() {
		r.State, r.Because = Interrupted, because
	}
	return r
}

// Close notes what is known of a part that is over.
func (r Recording) Close(s Summary) Recording {
	r.Bytes += s.Bytes
	r.Sealed = r.Sealed || s.Sealed
	if r.State == Stopping {
		r.State = Stopped
	}
	return r
}

// Of is what a person answered; false: nothing yet.
func (r Recording) Of(person string) (Consent, bool) {
	i := slices.IndexFunc(r.Consents, func(c Consent) bool { return c.Person == person })
	if i < 0 {
		return Consent{}, false
	}
	return r.Consents[i], true
}

// Has tells whether a person's yes holds.
func (r Recording) Has(person string) bool {
	c, ok := r.Of(person)
	return ok && person != "" && c.Answer == Agreed
}

// Answered is the recording with somebody's answer, and the answer as it counts: no
// after a yes is Withdrawn, and a withdrawal of what was never given is Declined.
func (r Recording) Answered(person, name string, said Answer, now time.Time) (Recording, Consent, error) {
	if !r.State.Live() {
		return r, Consent{}, ErrState
	}
	c, before := r.Of(person)
	if said != Agreed {
		said = Declined
		if before && (c.Answer == Agreed || c.Answer == Withdrawn) {
			said = Withdrawn
		}
	}
	if before && c.Answer == said {
		return r, c, nil
	}
	c.Person, c.Name, c.Answer, c.At = person, name, said, now
	return r.with(c), c, nil
}

// Include notes that a person is let through from now on.
func (r Recording) Include(person string) (Recording, Consent, bool) {
	c, ok := r.Of(person)
	if !ok || c.Recorded || c.Answer != Agreed || r.State != Running {
		return r, c, false
	}
	c.Recorded = true
	return r.with(c), c, true
}

// with is the recording with a consent in place of the person's before.
func (r Recording) with(c Consent) Recording {
	r.Consents = slices.Clone(r.Consents)
	if i := slices.IndexFunc(r.Consents, func(other Consent) bool { return other.Person == c.Person }); i >= 0 {
		r.Consents[i] = c
	} else {
		r.Consents = append(r.Consents, c)
	}
	return r
}

// ExpiresAt is when it is deleted; zero: it has not ended.
func (r Recording) ExpiresAt() time.Time {
	if r.EndedAt.IsZero() {
		return time.Time{}
	}
	return r.EndedAt.AddDate(0, 0, r.KeepDays)
}
