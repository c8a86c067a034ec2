package meeting

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/recording"
	"aparte/signaling/role"
)

// Recordings that were started: listed, taken away, deleted, and deleted by themselves.

const (
	// maxListed is how many recordings of a meeting are listed.
	maxListed = 200
	// maxDownloads is how many times that parts of them were taken away are.
	maxDownloads = 1000
	// maxExpiredRecordings is how many one sweep deletes.
	maxExpiredRecordings = 50
	// expireAgain is how long after one could not be deleted that is tried again.
	expireAgain = 10 * time.Minute
)

type listRecordings struct{ byAgent }

func (listRecordings) command() role.Command { return role.ListRecordings }

func (listRecordings) do(*live, time.Time) (any, error) { return struct{}{}, nil }

// KeptRecording is a recording that was started, as hosts see it.
type KeptRecording struct {
	recording.Recording
	Parts     []recording.Part     // in order
	Downloads []recording.Download // newest first
}

// Recordings lists the recordings of a meeting that were started, newest first, with
// what everybody answered and with who took them away.
func (m *Meetings) Recordings(ctx context.Context, by Agent, id string) ([]KeptRecording, error) {
	if _, err := m.ask(ctx, id, listRecordings{byAgent{by}}); err != nil {
		return nil, err
	}
	found, err := m.cfg.Store.Recordings(ctx, id, maxListed)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	downloads, err := m.cfg.Store.Downloads(ctx, id, maxDownloads)
	if err != nil {
		return nil, err
	}
	all := make([]KeptRecording, len(found))
	for i, r := range found {
		all[i].Recording = r
		if all[i].Parts, err = m.cfg.Kept.Parts(ctx, r.ID); err != nil { // the others are there all the same
			m.cfg.Log.WarnContext(ctx, "look for what there is of a recording", "meeting", id, "recording", r.ID, "err", err)
		}
	}
	for _, d := range downloads {
		if i := slices.IndexFunc(all, func(r KeptRecording) bool { return r.ID == d.Recording }); i >= 0 {
			all[i].Downloads = append(all[i].Downloads, d)
		}
	}
	return all, nil
}

type mayDownload struct{ byAgent }

func (mayDownload) command() role.Command { return role.DownloadRecording }

func (mayDownload) do(*live, time.Time) (any, error) { return struct{}{}, nil }

// downloaded is told before the first byte of it goes.
type downloaded struct {
	mayDownload
	recording string
	part      int
}

func (a downloaded) do(l *live, _ time.Time) (any, error) {
	l.note(audit.Did(audit.RecordingDownloaded).On(audit.OfRecording, a.recording).With("part", strconv.Itoa(a.part)))
	return struct{}{}, nil
}

// DownloadedPart is a part of a recording on its way to a host.
type DownloadedPart struct {
	recording.PartFile
	Of recording.Recording
}

// MayDownload says whether somebody may take a recording away now, and finds it. Refused
// with recording.ErrNone, also once the recording's time is over.
func (m *Meetings) MayDownload(ctx context.Context, by Agent, id, which string) (recording.Recording, error) {
	if _, err := m.ask(ctx, id, mayDownload{byAgent{by}}); err != nil {
		return recording.Recording{}, err
	}
	r, err := m.cfg.Store.StartedRecording(ctx, id, which)
	if err != nil {
		return recording.Recording{}, err
	}
	if over := r.ExpiresAt(); !over.IsZero() && !m.cfg.now().Before(over) {
		return recording.Recording{}, recording.ErrNone
	}
	return r, nil
}

// DownloadRecording opens a part of a recording to be taken away, as it is kept. The
// audit trail has who did when it returns. Whoever gets the part closes it. Refused as by
// MayDownload, or with recording.ErrWriting.
func (m *Meetings) DownloadRecording(ctx context.Context, by Agent, id, which string, part int) (DownloadedPart, error) {
	r, err := m.MayDownload(ctx, by, id, which)
	if err != nil {
		return DownloadedPart{}, err
	}
	file, err := m.cfg.Kept.OpenPart(ctx, which, part)
	if err != nil {
		return DownloadedPart{}, err
	}
	if _, err := m.ask(ctx, id, downloaded{mayDownload{byAgent{by}}, which, part}); err != nil {
		return DownloadedPart{}, errors.Join(err, file.Close())
	}
	return DownloadedPart{file, r}, nil
}

// RecordingKey is what verifies that a recording is this server's; recording.ErrNoRecorder
// if it has never made one.
func (m *Meetings) RecordingKey() (recording.NodeKey, error) {
	return m.cfg.Kept.NodeKey()
}

type mayDeleteRecording struct {
	byAgent
	recording string
}

func (mayDeleteRecording) command() role.Command { return role.DeleteRecording }

func (a mayDeleteRecording) do(l *live, _ time.Time) (any, error) {
	if l.recording != nil && l.recording.ID == a.recording {
		return nil, recording.ErrOngoing
	}
	return struct{}{}, nil
}

// deletedRecording is told once nothing is left of it.
type deletedRecording struct {
	act
	recording string
	because   string
}

func (a deletedRecording) actor() audit.Actor { return actorOf(a.act) }

func (a deletedRecording) do(l *live, _ time.Time) (any, error) {
	l.note(audit.Did(audit.RecordingDeleted).On(audit.OfRecording, a.recording).With("because", a.because))
	l.changes.forgetRecording(a.recording)
	return struct{}{}, nil
}

// DeleteRecording deletes a recording that has stopped, what was taken first: should the
// server stop in between, it is still listed and can be deleted again.
func (m *Meetings) DeleteRecording(ctx context.Context, by Agent, id, which string) error {
	may := mayDeleteRecording{byAgent{by}, which}
	if _, err := m.ask(ctx, id, may); err != nil {
		return err
	}
	if _, err := m.cfg.Store.StartedRecording(ctx, id, which); err != nil {
		return err
	}
	return m.deleteRecording(ctx, id, deletedRecording{may, which, "host"})
}

func (m *Meetings) deleteRecording(ctx context.Context, id string, a deletedRecording) error {
	if err := m.cfg.Kept.Delete(ctx, a.recording); err != nil {
		return err
	}
	_, err := m.ask(ctx, id, a)
	return err
}

// expiring is how far the sweeps have come in deleting recordings whose time is over.
type expiring struct {
	after recording.Recording // whose time was over last
	again time.Time           // when those are tried again that could not be deleted; zero: there are none
}

// sweepRecordings deletes recordings whose time is over. Those that cannot be deleted
// are left behind for a while: whatever is over later comes after them, and does not wait.
func (m *Meetings) sweepRecordings(ctx context.Context) {
	now := m.cfg.now()
	if again := m.expiring.again; !again.IsZero() && !now.Before(again) {
		m.expiring = expiring{}
	}
	all, err := m.cfg.Store.ExpiredRecordings(ctx, now, m.expiring.after, maxExpiredRecordings)
	if err != nil {
		m.cfg.Log.WarnContext(ctx, "look for recordings whose time is over", "err", err)
	}
	for _, r := range all {
		m.expiring.after = r
		if err := m.deleteRecording(ctx, r.Meeting, deletedRecording{lookAround{}, r.ID, "expired"}); err != nil {
			m.expiring.again = cmp.Or(m.expiring.again, now.Add(expireAgain))
			m.cfg.Log.WarnContext(ctx, "delete recording whose time is over", "meeting", r.Meeting, "recording", r.ID, "err", err)
		}
	}
}
