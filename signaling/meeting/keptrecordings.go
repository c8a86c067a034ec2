package meeting

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/recording"
	"aparte/signaling/role"
)

// Recordings that were started: listed for the hosts of their meeting, and taken away.

const (
	// maxListed is how many recordings of a meeting are listed.
	maxListed = 200
	// maxDownloads is how many lines of who took one away are.
	maxDownloads = 200
	// partsTime is for how long a list looks what there is of its recordings. It is longer
	// than a store has for one answer (recorder/keep), so that of one that does not answer
	// that is known, and the next list need not wait for it.
	partsTime = 15 * time.Second
)

// KeptRecording is a recording that was started, as somebody sees it.
type KeptRecording struct {
	recording.Entry
	Parts     []recording.Part     // in order
	Downloads []recording.Download // newest first
	Access    recording.Access     // of who sees it
	May       []recording.Act      // what they may do with it now
	Film      *KeptFilm            // nil: there is and will be none
}

type listRecordings struct{ byAgent }

func (listRecordings) command() role.Command { return role.ListRecordings }

func (a listRecordings) do(l *live, _ time.Time) (any, error) { return a.access(l), nil }

// access is what the agent has to do with the meeting's recordings, but for what is shared.
func (b byAgent) access(l *live) recording.Access {
	r, _, _ := l.meeting.Role(b.agent.Account)
	return recording.Access{Host: r == role.Host, Cohost: r == role.Cohost, Administrator: slices.Contains(b.agent.Administers, l.meeting.Post)}
}

// Recordings lists the recordings of a meeting that were started, newest first, with
// what everybody answered and with who took them away.
func (m *Meetings) Recordings(ctx context.Context, by Agent, id string) ([]KeptRecording, error) {
	who, err := answer[recording.Access](ctx, m, id, listRecordings{byAgent{by}})
	if err != nil {
		return nil, err
	}
	found, err := m.cfg.Store.Recordings(ctx, id, maxListed)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	parts := m.partsOf(ctx, found)
	all := make([]KeptRecording, len(found))
	for i, e := range found {
		if all[i], err = m.seen(ctx, e, who, parts[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// partsOf is what there is of each of some recordings, looked for within partsTime in all.
// One of which that cannot be seen, or not in time, has none, and is listed all the same.
func (m *Meetings) partsOf(ctx context.Context, found []recording.Entry) [][]recording.Part {
	within, cancel := context.WithTimeout(ctx, partsTime)
	defer cancel()
	all := make([][]recording.Part, len(found))
	unseen, first, why := 0, recording.Entry{}, error(nil)
	for i, e := range found {
		var err error
		// Also when the time is over: it is the store alone that is not asked then.
		if all[i], err = m.cfg.Kept.Parts(within, e.ID); err == nil {
			continue
		}
		if unseen++; unseen == 1 {
			first, why = e, err
		}
	}
	if unseen > 0 {
		m.cfg.Log.WarnContext(ctx, "look for what there is of recordings", "unseen", unseen, "meeting", first.Meeting, "recording", first.ID, "err", why)
	}
	return all
}

// seen is a recording as somebody sees it: whoever lifts a hold reads why there is one,
// hosts who declined, and both who else gets it. Of whom it is shared with nothing is told
// but what they get.
func (m *Meetings) seen(ctx context.Context, e recording.Entry, who recording.Access, parts []recording.Part) (KeptRecording, error) {
	now := m.cfg.now()
	v := KeptRecording{Entry: e, Access: who, May: e.Allowed(who, now), Parts: parts}
	var err error
	if v.Film, err = m.film(ctx, e.Recording); err != nil {
		return v, err
	}
	if e.Hold != nil && !who.Administrator {
		v.Hold = &recording.Hold{Since: e.Hold.Since}
	}
	if !who.Hosts() {
		v.Consents = slices.DeleteFunc(slices.Clone(e.Consents), func(c recording.Consent) bool { return !c.Recorded })
	}
	if !now.Before(e.Lock.Until) {
		v.Lock.Until = time.Time{} // it is over
	}
	v.Shares = slices.DeleteFunc(slices.Clone(e.Shares), func(s recording.Share) bool { return !now.Before(s.Until) || e.Expired(now) })
	if !who.Hosts() && !who.Administrator {
		v.Hold, v.Shares, v.Lock = nil, nil, recording.Lock{}
		return v, nil
	}
	v.Downloads, err = m.cfg.Store.Downloads(ctx, e.ID, maxDownloads)
	return v, err
}

// byReader is part of what somebody asks who gets a recording: a host, or a colleague
// with whom it is shared, as the caller has looked up. To whom it is not shared it is as
// if there were none.
type byReader struct {
	byAgent
	shared bool
}

func (b byReader) as(l *live, now time.Time) (role.Role, error) {
	r, err := b.byAgent.as(l, now)
	if b.shared && !r.Moderates() && l.meeting.Acting[b.agent.Account] {
		return role.Colleague, nil
	}
	return r, err
}

type mayDownload struct{ byReader }

func (mayDownload) command() role.Command { return role.DownloadRecording }

func (a mayDownload) do(l *live, _ time.Time) (any, error) { return a.access(l), nil }

// downloaded is told before the first byte of it goes.
type downloaded struct {
	mayDownload
	what recording.Download
}

func (a downloaded) do(l *live, now time.Time) (any, error) {
	d := a.what
	d.Account, d.At = a.agent.Account, now
	l.note(audit.Did(audit.RecordingDownloaded).On(audit.OfRecording, d.Recording).With("part", strconv.Itoa(d.Part)))
	l.changes.Downloads = append(l.changes.Downloads, d)
	return struct{}{}, nil
}

// DownloadedPart is a part of a recording on its way to somebody.
type DownloadedPart struct {
	recording.PartFile
	Of recording.Recording
}

// MayDownload says whether somebody may take a recording away now, and finds it. Refused
// with recording.ErrNone, also once the recording's time is over, or recording.ErrNotTheirs.
func (m *Meetings) MayDownload(ctx context.Context, by Agent, id, which string) (recording.Recording, error) {
	e, _, err := m.mayDownload(ctx, by, id, which)
	return e.Recording, err
}

func (m *Meetings) mayDownload(ctx context.Context, by Agent, id, which string) (recording.Entry, mayDownload, error) {
	var may mayDownload
	e, err := m.mayRead(ctx, by, id, which, recording.ToDownload, func(b byReader) act {
		may = mayDownload{b}
		return may
	})
	return e, may, err
}

// mayRead says whether somebody who gets a recording may do something with it now, and
// finds it; ask is what the meeting is asked, of who they are.
func (m *Meetings) mayRead(ctx context.Context, by Agent, id, which string, do recording.Act, ask func(byReader) act) (recording.Entry, error) {
	e, none := m.cfg.Store.StartedRecording(ctx, id, which)
	if none != nil && !errors.Is(none, recording.ErrNone) {
		return e, none
	}
	now, until := m.cfg.now(), e.SharedWith(by.Account)
	who, err := answer[recording.Access](ctx, m, id, ask(byReader{byAgent{by}, now.Before(until)}))
	if err == nil { // what there is nobody learns who may not have it
		err = none
	}
	if err != nil {
		return e, err
	}
	who.SharedUntil = until
	return e, e.May(do, who, now)
}

// DownloadRecording opens a part of a recording to be taken away, as it is kept. The list
// of downloads and the audit trail have who did when it returns, unless nothing is asked for;
// extent says how much is, of a part. Whoever gets the part closes it. Refused as by
// MayDownload, or with recording.ErrWriting or recording.ErrStoreAway.
func (m *Meetings) DownloadRecording(ctx context.Context, by Agent, id, which string, part int, extent func(recording.Part) recording.Extent) (DownloadedPart, error) {
	e, may, err := m.mayDownload(ctx, by, id, which)
	if err != nil {
		return DownloadedPart{}, err
	}
	file, err := m.cfg.Kept.OpenPart(ctx, which, part)
	if err != nil {
		return DownloadedPart{}, err
	}
	what := recording.Download{Recording: which, What: recording.ThePart, Part: part, Extent: extent(file.Part)}
	if what.Extent == recording.Nothing {
		return DownloadedPart{file, e.Recording}, nil
	}
	if _, err := m.ask(ctx, id, downloaded{may, what}); err != nil {
		return DownloadedPart{}, errors.Join(err, file.Close())
	}
	return DownloadedPart{file, e.Recording}, nil
}

// RecordingKey is what verifies that a recording is this server's.
func (m *Meetings) RecordingKey() (recording.NodeKey, error) {
	return m.cfg.Kept.NodeKey()
}
