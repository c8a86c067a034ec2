package meeting

import (
	"context"
	"strings"
	"time"

	"aparte/signaling/name"
	"aparte/signaling/recording"
)

// Recordings across meetings: those of whoever asks.

// RecordingsOf is why somebody sees recordings.
type RecordingsOf string

// The reasons; "" is any.
const (
	HostedByMe   RecordingsOf = "hosted" // they moderate the meeting
	SharedWithMe RecordingsOf = "shared"
	OfMyPosts    RecordingsOf = "post" // which they administer
)

// RecordingFilter says which recordings are looked for. What is zero leaves nothing out.
type RecordingFilter struct {
	Of           RecordingsOf
	Post         string // id
	Title        string // words of the meeting's title, or beginnings of them
	Since, Until time.Time
	Held         bool   // on hold
	Recording    string // id: that one alone
	// After are start and id of the one that was listed last.
	After   time.Time
	AfterID string
}

// FoundRecording is a recording with its meeting.
type FoundRecording struct {
	KeptRecording
	Title    string // of the meeting
	Post     string // id
	PostName string
}

// FindRecordings lists the recordings that somebody has something to do with, newest
// first, limit at most; more: there are others after those.
func (m *Meetings) FindRecordings(ctx context.Context, by Agent, f RecordingFilter, limit int) (all []FoundRecording, more bool, err error) {
	wanted := strings.Fields(name.Folded(f.Title))
	narrow := func(title string) bool {
		title = name.Folded(title)
		for _, word := range wanted {
			if !strings.Contains(title, word) {
				return false
			}
		}
		return true
	}
	all, err = m.cfg.Store.FindRecordings(ctx, by.Account, f, m.cfg.now(), narrow, limit+1)
	if err != nil {
		return nil, false, err
	}
	if more = len(all) > limit; more {
		all = all[:limit]
	}
	found := make([]recording.Entry, len(all))
	for i, r := range all {
		found[i] = r.Entry
	}
	parts := m.partsOf(ctx, found)
	for i := range all {
		if all[i].KeptRecording, err = m.seen(ctx, found[i], all[i].Access, parts[i]); err != nil {
			return nil, false, err
		}
	}
	return all, more, nil
}

// PostRecordings is what the recordings of a post take.
type PostRecordings struct {
	Post, Name string
	Stopped    int64                 // bytes of those that have stopped
	Ongoing    []recording.Recording // those that have not, without what was answered
}
