package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"aparte/signaling/meeting"
	"aparte/signaling/recording"
)

// What was recorded: listed, taken away part by part, and deleted.

// Recording is one that was started.
type Recording struct {
	ID        string              `json:"id"`
	State     string              `json:"state" enum:"running,paused,interrupted,stopping,stopped"`
	By        string              `json:"by" doc:"Name of the host who asked."`
	Purpose   string              `json:"purpose"`
	From      time.Time           `json:"from"`
	To        *time.Time          `json:"to,omitempty"`
	ExpiresAt *time.Time          `json:"expires_at,omitempty" doc:"When it is deleted."`
	People    []RecordedPerson    `json:"people" nullable:"false" doc:"Who is in it."`
	Bytes     int64               `json:"bytes" doc:"Of its parts that are over: closed, or broken off."`
	Sealed    bool                `json:"sealed" doc:"Can be read with the post's private key alone."`
	Film      *Film               `json:"film,omitempty" doc:"What hosts watch of it, where the server holds a key to it; absent: there is and will be none."`
	Declined  []string            `json:"declined" nullable:"false" doc:"Names of those who were asked, declined, and are not in it; for hosts."`
	Parts     []RecordingPart     `json:"parts" nullable:"false" doc:"Its files, in order."`
	Downloads []RecordingDownload `json:"downloads" nullable:"false" doc:"Who took it away, newest first, 200 at most; for hosts and for administrators of the post."`
	Because   string              `json:"because,omitempty" enum:"host,meeting-ended,nobody-recorded,profile,no-room,quota,failed,server-stopped,server-crashed" doc:"Why it stopped or was interrupted."`
	Shares    []RecordingShare    `json:"shares" nullable:"false" doc:"Who gets it besides the hosts, by name; for hosts and for administrators of the post."`
	Hold      *RecordingHold      `json:"hold,omitempty" doc:"It is on hold, so that nothing deletes it; for hosts and for administrators of the post."`
	Locked    *time.Time          `json:"locked_until,omitempty" doc:"Until when the store lets nobody delete it; absent: not, or not any more. While it is under way this may become later; for hosts and for administrators of the post."`
	Deleting  bool                `json:"deleting" doc:"Its deletion has begun: nobody gets it any more."`
	May       []string            `json:"may" nullable:"false" enum:"download,watch,compose,share,delete,hold,lift" doc:"What one may do with it now; lift: end its hold."`
}

// RecordingShare is that a colleague gets a recording.
type RecordingShare struct {
	Account string    `json:"account" doc:"Id of their account."`
	Name    string    `json:"name"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until" doc:"Not later than the recording is kept."`
}

// RecordingHold is that nothing deletes a recording.
type RecordingHold struct {
	Since  time.Time `json:"since"`
	By     string    `json:"by,omitempty" doc:"Name of the administrator who put it on hold; for administrators of the post."`
	Reason string    `json:"reason,omitempty" doc:"For administrators of the post."`
}

// ShareDraft is with whom a recording is shared.
type ShareDraft struct {
	Email string     `json:"email" minLength:"3" maxLength:"254" doc:"Address by which somebody signs in who acts for the post."`
	Until *time.Time `json:"until,omitempty" doc:"Absent, or later than the recording is kept: until then."`
}

// HoldDraft is why a recording is put on hold.
type HoldDraft struct {
	Reason string `json:"reason" minLength:"1" maxLength:"200" doc:"Only administrators of the post read it, and the audit trail has it."`
}

// RecordingPart is a file of a recording. Another one begins where a server went down.
type RecordingPart struct {
	Number    int    `json:"number" doc:"From 1."`
	Name      string `json:"name" doc:"What it is called when it is taken away."`
	Bytes     int64  `json:"bytes"`
	Closed    bool   `json:"closed" doc:"Nothing more is written to it, so that it can be taken away."`
	BrokenOff bool   `json:"broken_off" doc:"It ends where the server went down or its disk failed, without a signed closing: it opens up to its last whole half second, and 'aparte record verify' calls it not closed."`
	SHA256    string `json:"sha256,omitempty" doc:"Of the whole file, in hexadecimal; absent until it is closed and was read through once. Whether it is as it was recorded is said by 'aparte record verify', not by this."`
	Stored    string `json:"stored" enum:"here,uploading,there" doc:"Where it lies: on this server, there and on its way to the store, or in the store."`
}

// RecordingDownload is that somebody took a part away, or began to.
type RecordingDownload struct {
	Name   string    `json:"name,omitempty" doc:"Of who did; absent: their account is no more."`
	What   string    `json:"what" enum:"part,film"`
	Part   int       `json:"part" doc:"From 1; 0: the film."`
	Extent string    `json:"extent,omitempty" enum:"whole,range" doc:"whole: all of it was asked for at least once; range: bytes of it. Absent: not known."`
	At     time.Time `json:"at" doc:"Last within the hour: of one person, part and hour there is one line."`
}

// NodeKey verifies that a recording is this server's, and opens nothing.
type NodeKey struct {
	Type      string `json:"type" enum:"aparte-node-key"`
	Node      string `json:"node" doc:"Name under which the server signs."`
	Algorithm string `json:"algorithm" enum:"Ed25519"`
	Key       string `json:"key" doc:"NAME+ID+KEY (c2sp.org/signed-note)."`

	From    *time.Time   `json:"from,omitempty" doc:"Since when the server has signed with it; absent: not known."`
	Earlier []EarlierKey `json:"earlier,omitempty" doc:"Keys that it signed with before, the last one first: older recordings verify with these."`
}

// EarlierKey is one that a server signed its recordings with before.
type EarlierKey struct {
	Key   string     `json:"key"`
	From  *time.Time `json:"from,omitempty" doc:"Absent: not known."`
	Until time.Time  `json:"until"`
}

// RecordedPerson is somebody who is in a recording.
type RecordedPerson struct {
	Name      string `json:"name"`
	Withdrawn bool   `json:"withdrawn" doc:"They took their agreement back: from then on they are not in it."`
}

// RecordingList are the recordings of a meeting.
type RecordingList struct {
	Recordings []Recording `json:"recordings" nullable:"false" doc:"Newest first, 200 at most."`
}

type (
	inRecording struct {
		ID        string `path:"id" maxLength:"64"`
		Recording string `path:"recording" maxLength:"64"`
	}
	inRecordingPart struct {
		ID        string `path:"id" maxLength:"64"`
		Recording string `path:"recording" maxLength:"64"`
		Part      int    `path:"part" minimum:"1" maximum:"9999" doc:"Its number, from 1."`
	}
)

func recordingOf(r meeting.KeptRecording) Recording {
	out := Recording{
		ID: r.ID, State: string(r.State), By: r.AskedByName, Purpose: r.Purpose, From: r.StartedAt.UTC(), To: optional(r.EndedAt),
		ExpiresAt: optional(r.ExpiresAt()), People: []RecordedPerson{}, Declined: []string{}, Bytes: r.Bytes, Sealed: r.Sealed, Because: string(r.Because), Film: filmOf(r.Film),
		Parts: make([]RecordingPart, len(r.Parts)), Downloads: make([]RecordingDownload, len(r.Downloads)),
	}
	for _, c := range r.Consents {
		switch {
		case c.Recorded:
			out.People = append(out.People, RecordedPerson{Name: c.Name, Withdrawn: c.Answer != recording.Agreed})
		case c.Answer != recording.Agreed:
			out.Declined = append(out.Declined, c.Name)
		}
	}
	for i, p := range r.Parts {
		out.Parts[i] = RecordingPart{Number: p.Number, Name: partName(r.Recording, p.Number), Bytes: p.Bytes, Closed: p.Closed, BrokenOff: p.BrokenOff, SHA256: p.SHA256, Stored: string(p.Stored)}
	}
	for i, d := range r.Downloads {
		out.Downloads[i] = RecordingDownload{Name: d.Name, What: string(d.What), Part: d.Part, Extent: string(d.Extent), At: d.At.UTC()}
	}
	out.Deleting, out.Shares, out.May = r.Deletion != nil, make([]RecordingShare, len(r.Shares)), make([]string, len(r.May))
	for i, s := range r.Shares {
		out.Shares[i] = shareOf(s)
	}
	if h := r.Hold; h != nil {
		out.Hold = &RecordingHold{Since: h.Since.UTC(), By: h.ByName, Reason: h.Reason}
	}
	out.Locked = optional(r.Lock.Until)
	for i, act := range r.May {
		out.May[i] = string(act)
	}
	return out
}

func shareOf(s recording.Share) RecordingShare {
	return RecordingShare{Account: s.Account, Name: s.Name, Since: s.Since.UTC(), Until: s.Until.UTC()}
}

func (a *API) listRecordings(ctx context.Context, in *inMeeting) (*output[RecordingList], error) {
	all, err := a.meetings.Recordings(ctx, theAgent(ctx).agent(), in.ID)
	if err != nil {
		return nil, err
	}
	out := RecordingList{Recordings: make([]Recording, len(all))}
	for i, r := range all {
		out.Recordings[i] = recordingOf(r)
	}
	return &output[RecordingList]{out}, nil
}

// RecordingDeleted is what became of a deletion that was allowed.
type RecordingDeleted struct {
	Left bool `json:"left" doc:"Something is left of it, as while its store is away: nobody gets it any more, and it is deleted as soon as that is possible."`
}

func (a *API) deleteRecording(ctx context.Context, in *inRecording) (*output[RecordingDeleted], error) {
	left, err := a.meetings.DeleteRecording(ctx, theAgent(ctx).agent(), in.ID, in.Recording)
	if err != nil {
		return nil, err
	}
	return &output[RecordingDeleted]{RecordingDeleted{left}}, nil
}

// tarType is what a part is.
const tarType = "application/x-tar"

// partName is what a part is called when it is taken away.
func partName(r recording.Recording, part int) string {
	return fmt.Sprintf("recording-%s-%s-part-%04d.tar", r.StartedAt.UTC().Format(time.DateOnly), r.ID, part)
}

// partTag says what is in a part: one that is closed never changes, so that what it is
// called suffices.
func partTag(id string, p recording.Part) string {
	return fmt.Sprintf(`"%s-%d-%d"`, id, p.Number, p.Bytes)
}

// extentOf is how much of something of a size a request asks for.
func extentOf(r *http.Request, tag string, size int64) recording.Extent {
	if r.Method == http.MethodHead {
		return recording.Nothing
	}
	asked, condition := oneRange(r).Header.Get("Range"), r.Header.Get("If-Range")
	if asked == "" || condition != "" && condition != tag {
		return recording.Whole
	}
	from, to, _ := strings.Cut(strings.TrimPrefix(asked, "bytes="), "-")
	first, fromErr := strconv.ParseInt(from, 10, 64)
	last, toErr := strconv.ParseInt(to, 10, 64)
	fromEnd := from == "" && toErr == nil && last >= size
	if fromEnd || fromErr == nil && first == 0 && (to == "" || toErr == nil && last >= size-1) {
		return recording.Whole
	}
	return recording.Range
}

func (a *API) downloadRecording(ctx context.Context, in *inRecordingPart) (*huma.StreamResponse, error) {
	file, err := a.meetings.DownloadRecording(ctx, theAgent(ctx).agent(), in.ID, in.Recording, in.Part, func(p recording.Part) recording.Extent {
		return extentOf(request(ctx), partTag(in.Recording, p), p.Bytes)
	})
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer func() { _ = file.Close() }() // it was only read
		r, w := humago.Unwrap(ctx)
		handOver(w.Header(), tarType, partName(file.Of, in.Part))
		w.Header().Set("ETag", partTag(in.Recording, file.Part))
		a.give(w, r, file.Modified, file, func() error {
			k, err := a.whoIs(r)
			if err == nil {
				_, err = a.meetings.MayDownload(r.Context(), k.agent(), in.ID, in.Recording)
			}
			return err
		})
	}}, nil
}

func (a *API) nodeKey(context.Context, *none) (*output[NodeKey], error) {
	key, err := a.meetings.RecordingKey()
	if err != nil {
		return nil, err
	}
	told := NodeKey{Type: "aparte-node-key", Node: key.Node, Algorithm: "Ed25519", Key: key.Key, From: optional(key.From)}
	for _, e := range key.Earlier {
		told.Earlier = append(told.Earlier, EarlierKey{e.Key, optional(e.From), e.Until.UTC()})
	}
	return &output[NodeKey]{told}, nil
}
