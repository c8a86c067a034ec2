package meeting

import (
	"context"
	"errors"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/recording"
	"aparte/signaling/role"
)

// Recordings are deleted by the host of their meeting, and by themselves once their time
// is over. That a deletion begins is stored first, which is where it meets a hold: of the
// two the first one counts. Then everything there is of the recording is deleted, and
// then what is known of it. Whatever fails or stops in between is gone on with by the
// sweeps.

const (
	// maxDueRecordings is how many one sweep deletes.
	maxDueRecordings = 50
	// deleteAgain is how long after a deletion was tried last it is tried again.
	deleteAgain = 10 * time.Minute
)

type mayDeleteRecording struct {
	byAgent
	recording string
}

func (mayDeleteRecording) command() role.Command { return role.DeleteRecording }

func (a mayDeleteRecording) do(l *live, _ time.Time) (any, error) {
	if l.recording != nil && l.recording.ID == a.recording {
		return nil, recording.ErrOngoing
	}
	return a.access(l), nil
}

// deletedRecording is told once nothing is left of it, as done by whoever began.
type deletedRecording struct {
	byServer
	recording string
	deletion  recording.Deletion
}

func (deletedRecording) command() role.Command { return role.Keep }

func (a deletedRecording) actor() audit.Actor { return actorOfDeletion(a.deletion) }

func actorOfDeletion(d recording.Deletion) audit.Actor {
	if d.By == "" {
		return audit.Actor{Kind: audit.Server}
	}
	return audit.Actor{Kind: audit.Agent, ID: d.By}
}

func (a deletedRecording) do(l *live, _ time.Time) (any, error) {
	l.note(audit.Did(audit.RecordingDeleted).On(audit.OfRecording, a.recording).With("because", a.deletion.Because))
	l.changes.forgetRecording(a.recording)
	return struct{}{}, nil
}

// DeleteRecording deletes a recording that has stopped. Refused with recording.ErrOngoing,
// ErrHeld, ErrLocked, ErrNotTheirs or ErrNone. Once it has begun it is not refused any more:
// left tells that something is left of it, as while the store is away. Nobody gets that, the
// list says that it is being deleted, and the sweeps go on.
func (m *Meetings) DeleteRecording(ctx context.Context, by Agent, id, which string) (left bool, err error) {
	who, err := answer[recording.Access](ctx, m, id, mayDeleteRecording{byAgent{by}, which})
	if err != nil {
		return false, err
	}
	now := m.cfg.now()
	begun, err := m.beginDeletion(ctx, id, which, func(e recording.Entry) (recording.Deletion, error) {
		return recording.Deletion{By: by.Account, Because: recording.ByTheHost, Since: now, Tried: now}, e.May(recording.ToDelete, who, now)
	})
	if err != nil {
		return false, err
	}
	if err = m.carryOut(ctx, id, which, begun); err != nil {
		m.cfg.Log.WarnContext(ctx, "delete recording: it is gone on with later", "meeting", id, "recording", which, "err", err)
	}
	return err != nil, nil
}

// beginDeletion stores that a deletion begins, if it may.
func (m *Meetings) beginDeletion(ctx context.Context, id, which string, may func(recording.Entry) (recording.Deletion, error)) (begun recording.Deletion, err error) {
	err = m.cfg.Store.KeepRecording(ctx, id, which, func(e recording.Entry) (recording.Keeping, []audit.Draft, error) {
		d, err := may(e)
		if err != nil {
			return recording.Keeping{}, nil, err
		}
		k := e.Delete(d)
		begun = *k.Deletion
		if e.Deletion != nil {
			return k, nil, nil
		}
		told := audit.Did(audit.RecordingDeletion).On(audit.OfRecording, which).With("because", d.Because)
		told.Actor, told.Meeting, told.Time = actorOfDeletion(d), id, d.Since
		return k, []audit.Draft{told}, nil
	})
	return begun, err
}

// carryOut deletes everything there is of a recording, and then what is known of it.
func (m *Meetings) carryOut(ctx context.Context, id, which string, begun recording.Deletion) error {
	if err := m.cfg.Kept.Delete(ctx, which); err != nil {
		return err
	}
	// Of several who delete it at once one tells of it.
	m.deleted.Lock()
	defer m.deleted.Unlock()
	switch _, err := m.cfg.Store.StartedRecording(ctx, id, which); {
	case errors.Is(err, recording.ErrNone):
		return nil
	case err != nil:
		return err
	}
	_, err := m.ask(ctx, id, deletedRecording{recording: which, deletion: begun})
	return err
}

// SweepRecordings deletes recordings whose time is over, and goes on with deletions that
// were not carried through. What is held is not looked at, and what cannot be deleted is
// left for a while. Call it every minute or so, from a goroutine of its own: they are
// deleted one after the other, which takes as long as disk and store want, and ends with
// ctx as soon as they let it. What it leaves is gone on with by the next.
func (m *Meetings) SweepRecordings(ctx context.Context) {
	now := m.cfg.now()
	all, err := m.cfg.Store.DueRecordings(ctx, now, now.Add(-deleteAgain), maxDueRecordings)
	if err != nil {
		m.cfg.Log.WarnContext(ctx, "look for recordings whose time is over", "err", err)
	}
	for _, r := range all {
		begun, err := m.beginDeletion(ctx, r.Meeting, r.ID, func(e recording.Entry) (recording.Deletion, error) {
			now := m.cfg.now() // those before may have taken their time
			return recording.Deletion{Because: recording.ByTime, Since: now, Tried: now}, e.Expire(now)
		})
		if err == nil {
			err = m.carryOut(ctx, r.Meeting, r.ID, begun)
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			m.cfg.Log.WarnContext(ctx, "delete recording whose time is over", "meeting", r.Meeting, "recording", r.ID, "err", err)
		}
	}
}
