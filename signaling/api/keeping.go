package api

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"aparte/signaling/meeting"
)

// Recordings across meetings, shared with colleagues, and put on hold.

// FoundRecording is a recording with where it belongs.
type FoundRecording struct {
	Recording Recording  `json:"recording"`
	Meeting   string     `json:"meeting" doc:"Id of the meeting."`
	Title     string     `json:"title" doc:"The meeting's."`
	Post      string     `json:"post" doc:"Id of the post."`
	PostName  string     `json:"post_name"`
	Role      string     `json:"role,omitempty" enum:"host,cohost" doc:"One's own in the meeting; absent: it is not one's to look at."`
	Until     *time.Time `json:"until,omitempty" doc:"Until when it is shared with one; absent: it is not."`
}

// FoundRecordings is a page of them.
type FoundRecordings struct {
	Recordings []FoundRecording `json:"recordings" nullable:"false" doc:"Newest first."`
	Next       string           `json:"next,omitempty" doc:"What the next page is asked for with; absent: there is none."`
}

type (
	recordingBody[T any] struct {
		ID        string `path:"id" maxLength:"64"`
		Recording string `path:"recording" maxLength:"64"`
		Body      T
	}
	inRecordingShare struct {
		ID        string `path:"id" maxLength:"64"`
		Recording string `path:"recording" maxLength:"64"`
		Account   string `path:"account" maxLength:"64"`
	}
	inPostRecording struct {
		Post      string `path:"post" maxLength:"64"`
		ID        string `path:"id" maxLength:"64"`
		Recording string `path:"recording" maxLength:"64"`
	}
	postRecordingBody[T any] struct {
		Post      string `path:"post" maxLength:"64"`
		ID        string `path:"id" maxLength:"64"`
		Recording string `path:"recording" maxLength:"64"`
		Body      T
	}
	inRecordings struct {
		Of    string    `query:"of" enum:"hosted,shared,post" doc:"Only those of meetings that one hosts, those shared with one, or those of posts that one administers. Absent: all."`
		Post  string    `query:"post" maxLength:"64" doc:"Id of a post; absent: all of one's own."`
		Title string    `query:"title" maxLength:"200" doc:"Words of the meeting's title, or parts of them; accents and capitals do not count."`
		Since time.Time `query:"since" doc:"Begun then or later."`
		Until time.Time `query:"until" doc:"Begun before."`
		Held  bool      `query:"held" doc:"Only those on hold."`
		One   string    `query:"recording" maxLength:"64" doc:"Id of a recording: that one alone."`
		After string    `query:"after" maxLength:"200" doc:"The page before's next."`
		Limit int       `query:"limit" minimum:"1" maximum:"50" default:"20"`
	}
)

func (a *API) findRecordings(ctx context.Context, in *inRecordings) (*output[FoundRecordings], error) {
	f := meeting.RecordingFilter{Of: meeting.RecordingsOf(in.Of), Post: in.Post, Title: in.Title, Since: in.Since, Until: in.Until, Held: in.Held, Recording: in.One}
	if in.After != "" {
		var ok bool
		if f.After, f.AfterID, ok = placeOf(in.After); !ok {
			return nil, fieldProblem("query.after", "is no place in the list")
		}
	}
	all, more, err := a.meetings.FindRecordings(ctx, theAgent(ctx).agent(), f, in.Limit)
	if err != nil {
		return nil, err
	}
	out := FoundRecordings{Recordings: make([]FoundRecording, len(all))}
	for i, r := range all {
		found := FoundRecording{Recording: recordingOf(r.KeptRecording), Meeting: r.Meeting, Title: r.Title, Post: r.Post, PostName: r.PostName, Until: optional(r.Access.SharedUntil)}
		switch {
		case r.Access.Host:
			found.Role = "host"
		case r.Access.Cohost:
			found.Role = "cohost"
		}
		out.Recordings[i] = found
	}
	if more {
		last := all[len(all)-1]
		out.Next = placeAfter(last.StartedAt, last.ID)
	}
	return &output[FoundRecordings]{out}, nil
}

// placeAfter is where a list goes on after a recording.
func placeAfter(at time.Time, id string) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", at.UnixMilli(), id))
}

// placeOf reads what placeAfter wrote.
func placeOf(text string) (at time.Time, id string, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return at, "", false
	}
	ms, id, ok := strings.Cut(string(raw), " ")
	n, err := strconv.ParseInt(ms, 10, 64)
	return time.UnixMilli(n).UTC(), id, ok && err == nil
}

func (a *API) shareRecording(ctx context.Context, in *recordingBody[ShareDraft]) (*output[RecordingShare], error) {
	var until time.Time
	if in.Body.Until != nil {
		until = *in.Body.Until
	}
	made, err := a.meetings.ShareRecording(ctx, theAgent(ctx).agent(), in.ID, in.Recording, in.Body.Email, until)
	if err != nil {
		return nil, err
	}
	return &output[RecordingShare]{shareOf(made)}, nil
}

func (a *API) unshareRecording(ctx context.Context, in *inRecordingShare) (*none, error) {
	return &none{}, a.meetings.UnshareRecording(ctx, theAgent(ctx).agent(), in.ID, in.Recording, in.Account)
}

func (a *API) holdRecording(ctx context.Context, in *postRecordingBody[HoldDraft]) (*output[RecordingHold], error) {
	if err := a.posts.Administers(ctx, theAgent(ctx).account.ID, in.Post); err != nil {
		return nil, err
	}
	h, err := a.meetings.HoldRecording(ctx, theAgent(ctx).agent(), in.Post, in.ID, in.Recording, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &output[RecordingHold]{RecordingHold{Since: h.Since.UTC(), By: h.ByName, Reason: h.Reason}}, nil
}

func (a *API) liftHold(ctx context.Context, in *inPostRecording) (*none, error) {
	if err := a.posts.Administers(ctx, theAgent(ctx).account.ID, in.Post); err != nil {
		return nil, err
	}
	return &none{}, a.meetings.LiftHold(ctx, theAgent(ctx).agent(), in.Post, in.ID, in.Recording)
}
