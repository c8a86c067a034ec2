package meeting

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/name"
	"aparte/signaling/recording"
	"aparte/signaling/role"
)

// Recordings are shared by hosts with colleagues at the post, and put on hold by the
// post's administrators.

type mayShare struct{ byAgent }

func (mayShare) command() role.Command { return role.ShareRecording }

func (a mayShare) do(l *live, _ time.Time) (any, error) { return a.access(l), nil }

// keepRecording has something decided about a recording.
func (m *Meetings) keepRecording(ctx context.Context, by Agent, id, which string, decide func(recording.Entry) (recording.Keeping, audit.Draft, error)) error {
	now := m.cfg.now()
	return m.cfg.Store.KeepRecording(ctx, id, which, func(e recording.Entry) (recording.Keeping, []audit.Draft, error) {
		k, told, err := decide(e)
		told = told.By(audit.Agent, by.Account).On(audit.OfRecording, which)
		told.Meeting, told.Time = id, now
		return k, []audit.Draft{told}, err
	})
}

// ShareRecording has the colleague who signs in with an address get a recording until a
// time, or until it expires (zero, or later than that); shared again, the time changes.
// Refusals of its own are a *name.Error, recording.ErrNone, ErrNotTheirs,
// ErrOngoing and ErrShares.
func (m *Meetings) ShareRecording(ctx context.Context, by Agent, id, which, email string, until time.Time) (recording.Share, error) {
	// Whether an account exists is no answer to who may not share anything.
	who, err := answer[recording.Access](ctx, m, id, mayShare{byAgent{by}})
	if err != nil {
		return recording.Share{}, err
	}
	now := m.cfg.now()
	if !until.IsZero() && !until.After(now) {
		return recording.Share{}, &name.Error{At: "until", Reason: "is over already"}
	}
	p, err := m.cfg.Store.AgentByEmail(ctx, id, strings.ToLower(strings.TrimSpace(email)))
	if errors.Is(err, ErrNoAccount) {
		return recording.Share{}, &name.Error{At: "email", Reason: "is not the address of an account of your post"}
	}
	if err != nil {
		return recording.Share{}, fmt.Errorf("find account: %w", err)
	}
	var made recording.Share
	err = m.keepRecording(ctx, by, id, which, func(e recording.Entry) (recording.Keeping, audit.Draft, error) {
		if err := e.May(recording.ToShare, who, now); err != nil {
			return recording.Keeping{}, audit.Draft{}, err
		}
		k, s, err := e.Share(recording.Share{Account: p.Account, Name: p.Name, Since: now, Until: until})
		made = s
		return k, audit.Did(audit.RecordingShared).On(audit.Account, p.Account).WithTime("until", s.Until), err
	})
	return made, err
}

// UnshareRecording takes a recording back from somebody; a download of theirs that is
// under way ends. ErrNoMember: it is not shared with them.
func (m *Meetings) UnshareRecording(ctx context.Context, by Agent, id, which, account string) error {
	if _, err := m.ask(ctx, id, mayShare{byAgent{by}}); err != nil {
		return err
	}
	return m.keepRecording(ctx, by, id, which, func(e recording.Entry) (recording.Keeping, audit.Draft, error) {
		k, was := e.Unshare(account)
		if !was {
			return recording.Keeping{}, audit.Draft{}, ErrNoMember
		}
		return k, audit.Did(audit.RecordingUnshared).On(audit.Account, account), nil
	})
}

// MaxHoldReason is how long the reason of a hold may be, in characters.
const MaxHoldReason = 200

type mayHold struct{ byAdministrator }

func (mayHold) command() role.Command { return role.HoldRecording }

func (mayHold) do(*live, time.Time) (any, error) { return struct{}{}, nil }

// HoldRecording puts a recording of a post on hold: when it returns, nothing deletes it
// until the hold is lifted. Whether whoever asks administers the post is for the caller
// to know; so it is below. Refused with recording.ErrDeleting once its deletion has begun,
// ErrHeld, ErrNone or a *name.Error.
func (m *Meetings) HoldRecording(ctx context.Context, by Agent, post, id, which, reason string) (recording.Hold, error) {
	if _, err := m.ask(ctx, id, mayHold{byAdministrator{by, post}}); err != nil {
		return recording.Hold{}, err
	}
	reason, err := name.Required("reason", reason, MaxHoldReason)
	if err != nil {
		return recording.Hold{}, err
	}
	now := m.cfg.now()
	made := recording.Hold{By: by.Account, ByName: by.Name, Reason: reason, Since: now}
	err = m.keepRecording(ctx, by, id, which, func(e recording.Entry) (recording.Keeping, audit.Draft, error) {
		k := e.Keeping
		k.Hold = &made
		return k, audit.Did(audit.RecordingHeld).Typed("reason", reason), e.May(recording.ToHold, recording.Access{Administrator: true}, now)
	})
	return made, err
}

// LiftHold ends a hold; what has expired meanwhile goes with the next sweep.
// recording.ErrNotHeld: there is none.
func (m *Meetings) LiftHold(ctx context.Context, by Agent, post, id, which string) error {
	if _, err := m.ask(ctx, id, mayHold{byAdministrator{by, post}}); err != nil {
		return err
	}
	now := m.cfg.now()
	return m.keepRecording(ctx, by, id, which, func(e recording.Entry) (recording.Keeping, audit.Draft, error) {
		k := e.Keeping
		k.Hold = nil
		return k, audit.Did(audit.RecordingHoldLifted), e.May(recording.ToLift, recording.Access{Administrator: true}, now)
	})
}
