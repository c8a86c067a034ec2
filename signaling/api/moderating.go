package api

import (
	"context"

	"aparte/signaling/meeting"
)

// What hosts do in the call.

// RightsForAll is what everybody but hosts may do from now on; what is absent stays as
// it is.
type RightsForAll struct {
	Speak  *bool `json:"speak,omitempty"`
	Camera *bool `json:"camera,omitempty"`
	Share  *bool `json:"share,omitempty"`
	Chat   *bool `json:"chat,omitempty"`
	React  *bool `json:"react,omitempty"`
	Hand   *bool `json:"hand,omitempty"`
	Files  *bool `json:"files,omitempty"`
}

// Spotlight is who is in front for everybody.
type Spotlight struct {
	Identities []string `json:"identities" nullable:"false" maxItems:"3" doc:"In order; empty: nobody."`
}

// Lock closes a meeting to whoever is not in, or opens it again.
type Lock struct {
	Locked bool `json:"locked"`
}

func (a *API) mute(ctx context.Context, in *inParticipant) (*none, error) {
	return &none{}, a.meetings.Mute(ctx, theAgent(ctx).agent(), in.ID, in.Identity)
}

func (a *API) muteAll(ctx context.Context, in *inMeeting) (*none, error) {
	return &none{}, a.meetings.MuteAll(ctx, theAgent(ctx).agent(), in.ID)
}

func (a *API) askUnmute(ctx context.Context, in *inParticipant) (*none, error) {
	return &none{}, a.meetings.AskUnmute(ctx, theAgent(ctx).agent(), in.ID, in.Identity)
}

func (a *API) askUnmuteAll(ctx context.Context, in *inMeeting) (*none, error) {
	return &none{}, a.meetings.AskUnmuteAll(ctx, theAgent(ctx).agent(), in.ID)
}

func (a *API) stopCamera(ctx context.Context, in *inParticipant) (*none, error) {
	return &none{}, a.meetings.StopCamera(ctx, theAgent(ctx).agent(), in.ID, in.Identity)
}

func (a *API) stopShare(ctx context.Context, in *inParticipant) (*none, error) {
	return &none{}, a.meetings.StopShare(ctx, theAgent(ctx).agent(), in.ID, in.Identity)
}

func (a *API) permitAll(ctx context.Context, in *meetingBody[RightsForAll]) (*none, error) {
	return &none{}, a.meetings.PermitAll(ctx, theAgent(ctx).agent(), in.ID, meeting.RightsChange(in.Body))
}

func (a *API) spotlight(ctx context.Context, in *meetingBody[Spotlight]) (*none, error) {
	return &none{}, a.meetings.Spotlight(ctx, theAgent(ctx).agent(), in.ID, in.Body.Identities)
}

func (a *API) lock(ctx context.Context, in *meetingBody[Lock]) (*none, error) {
	return &none{}, a.meetings.Lock(ctx, theAgent(ctx).agent(), in.ID, in.Body.Locked)
}
