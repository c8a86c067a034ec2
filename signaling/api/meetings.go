package api

import (
	"context"
	"time"

	"aparte/signaling/lobby"
	"aparte/signaling/meeting"
)

// optional is a time that may be absent.
func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func given(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}

func meetingOf(v meeting.Summary) Meeting {
	return Meeting{
		ID: v.ID, Post: v.Post, Title: v.Title, State: string(v.State),
		Organiser: Person{ID: v.Organiser.Account, Name: v.Organiser.Name},
		StartsAt:  optional(v.StartsAt), EndsAt: optional(v.EndsAt),
		CreatedAt: v.CreatedAt.UTC(), EndedAt: optional(v.EndedAt), Permanent: v.Permanent,
		Role: string(v.Role), Waiting: v.Waiting, Present: v.Present, Profile: v.Profile, Locked: v.Locked,
	}
}

func knockOf(v meeting.KnockView) Knock {
	out := Knock{
		ID: v.ID, Status: string(v.Status), Name: v.Name, Organisation: v.Organisation,
		Since: v.Since.UTC(), DecidedAt: optional(v.DecidedAt), DecidedBy: v.DecidedByName, Identity: v.Identity,
		Removed: !v.RemovedAt.IsZero(), NameDiffers: v.Differs, NameSuspicious: v.Suspicious,
		Bound: v.Bound, PINPassed: v.PINPassed,
		Banned: v.Banned(), SentBack: !v.SentBackAt.IsZero(), KnownBy: string(v.Known), Messages: lobbyMessagesOf(v.Thread),
	}
	if v.OfAgent() {
		out.Agent = &KnockAgent{Role: string(v.Role)}
	} else {
		out.Link = &KnockLink{ID: v.Via.ID, Label: v.Via.Label, Kind: string(v.Via.Kind), GuestName: v.Via.GuestName, PIN: v.Via.HasPIN(), Role: string(v.Via.Role)}
	}
	switch v.Status {
	case lobby.Admitted:
		out.Permissions = permissionsGiven(v.Permissions)
	case lobby.Waiting:
		out.Usual = permissionsGiven(v.Usual)
	}
	return out
}

func knocksOf(all []meeting.KnockView) []Knock {
	out := make([]Knock, len(all))
	for i, v := range all {
		out[i] = knockOf(v)
	}
	return out
}

func meetingAnswer(v meeting.Summary, err error) (*output[Meeting], error) {
	if err != nil {
		return nil, err
	}
	return &output[Meeting]{meetingOf(v)}, nil
}

func knockAnswer(v meeting.KnockView, err error) (*output[Knock], error) {
	if err != nil {
		return nil, err
	}
	return &output[Knock]{knockOf(v)}, nil
}

func knocksAnswer(v []meeting.KnockView, err error) (*output[KnockList], error) {
	if err != nil {
		return nil, err
	}
	return &output[KnockList]{KnockList{knocksOf(v)}}, nil
}

// tokenAnswer turns a grant into a media token.
func (a *API) tokenAnswer(ctx context.Context, g meeting.Grant, err error) (*output[MediaToken], error) {
	if err != nil {
		return nil, err
	}
	token, err := a.tokens.Issue(g)
	if err != nil {
		return nil, err
	}
	return &output[MediaToken]{MediaToken{URL: a.socketURL(request(ctx)), Token: token, Identity: g.Identity}}, nil
}

func (a *API) listMeetings(ctx context.Context, in *inPosts) (*output[MeetingList], error) {
	all, err := a.meetings.List(ctx, theAgent(ctx).agent(), in.Post)
	if err != nil {
		return nil, err
	}
	list := MeetingList{Meetings: make([]Meeting, len(all))}
	for i, v := range all {
		list.Meetings[i] = meetingOf(v)
	}
	return &output[MeetingList]{list}, nil
}

func (a *API) createMeeting(ctx context.Context, in *input[MeetingDraft]) (*output[Meeting], error) {
	return meetingAnswer(a.meetings.Create(ctx, theAgent(ctx).agent(), meeting.Draft{
		Post: in.Body.Post, Title: in.Body.Title, StartsAt: given(in.Body.StartsAt), EndsAt: given(in.Body.EndsAt), Profile: in.Body.Profile,
		Permanent: in.Body.Permanent,
	}))
}

func (a *API) getMeeting(ctx context.Context, in *inMeeting) (*output[Meeting], error) {
	return meetingAnswer(a.meetings.Get(ctx, theAgent(ctx).agent(), in.ID))
}

func (a *API) joinMeeting(ctx context.Context, in *inMeeting) (*output[MediaToken], error) {
	g, err := a.meetings.Join(ctx, theAgent(ctx).agent(), in.ID)
	return a.tokenAnswer(ctx, g, err)
}

func (a *API) endMeeting(ctx context.Context, in *inMeeting) (*output[Meeting], error) {
	return meetingAnswer(a.meetings.End(ctx, theAgent(ctx).agent(), in.ID))
}

func (a *API) endMeetingForGood(ctx context.Context, in *inMeeting) (*output[Meeting], error) {
	return meetingAnswer(a.meetings.EndForGood(ctx, theAgent(ctx).agent(), in.ID))
}

func (a *API) editMeeting(ctx context.Context, in *meetingBody[MeetingEdit]) (*output[Meeting], error) {
	return meetingAnswer(a.meetings.Edit(ctx, theAgent(ctx).agent(), in.ID, meeting.Said{
		Title: in.Body.Title, StartsAt: given(in.Body.StartsAt), EndsAt: given(in.Body.EndsAt), Permanent: in.Body.Permanent,
	}))
}

func (a *API) removeParticipant(ctx context.Context, in *inParticipant) (*none, error) {
	return &none{}, a.meetings.Remove(ctx, theAgent(ctx).agent(), in.ID, in.Identity)
}

func (a *API) listKnocks(ctx context.Context, in *inMeeting) (*output[KnockList], error) {
	return knocksAnswer(a.meetings.Knocks(ctx, theAgent(ctx).agent(), in.ID))
}

func (a *API) admitKnock(ctx context.Context, in *knockBody[Admit]) (*output[Knock], error) {
	given := in.Body.Permissions
	return knockAnswer(a.meetings.AdmitAsUsual(ctx, theAgent(ctx).agent(), in.ID, in.Knock, permissionsOf(given), usualOf(given)))
}

// usualOf are the permissions of which nothing was said.
func usualOf(p *Permissions) meeting.Usual {
	return meeting.Usual{Share: p == nil || p.Share == nil, Files: p == nil || p.Files == nil}
}

func permissionsOf(p *Permissions) lobby.Permissions {
	if p == nil {
		return lobby.Everything()
	}
	yes := func(b *bool) bool { return b == nil || *b }
	return lobby.Permissions{Speak: yes(p.Speak), Camera: yes(p.Camera), Share: yes(p.Share), Chat: yes(p.Chat), Files: yes(p.Files)}
}

func (a *API) denyKnock(ctx context.Context, in *knockBody[Deny]) (*output[Knock], error) {
	return knockAnswer(a.meetings.Deny(ctx, theAgent(ctx).agent(), in.ID, in.Knock, in.Body.Message))
}

func (a *API) liftKnock(ctx context.Context, in *inKnock) (*output[Knock], error) {
	return knockAnswer(a.meetings.Lift(ctx, theAgent(ctx).agent(), in.ID, in.Knock))
}

func (a *API) admitAllKnocks(ctx context.Context, in *meetingBody[AdmitAll]) (*output[KnockList], error) {
	return knocksAnswer(a.meetings.AdmitAll(ctx, theAgent(ctx).agent(), in.ID, in.Body.Except))
}
