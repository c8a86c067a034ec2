package api

import (
	"context"

	"aparte/signaling/lobby"
)

// What hosts decide besides letting in and refusing, and what is written between
// them and those who wait.

func (a *API) banKnock(ctx context.Context, in *knockBody[Ban]) (*output[Knock], error) {
	return knockAnswer(a.meetings.Ban(ctx, theAgent(ctx).agent(), in.ID, in.Knock, in.Body.Message))
}

func (a *API) sendBack(ctx context.Context, in *inParticipant) (*output[Knock], error) {
	return knockAnswer(a.meetings.SendBack(ctx, theAgent(ctx).agent(), in.ID, in.Identity))
}

// Permitted is what somebody in the call was given.
type Permitted struct {
	Identity    string      `json:"identity"`
	Permissions Permissions `json:"permissions" doc:"What is forbidden to all is not taken off."`
	Knock       *Knock      `json:"knock,omitempty" doc:"Of a guest."`
}

func (a *API) permit(ctx context.Context, in *participantBody[Permissions]) (*output[Permitted], error) {
	given, err := a.meetings.PermitAsUsual(ctx, theAgent(ctx).agent(), in.ID, in.Identity, permissionsOf(&in.Body), usualOf(&in.Body))
	if err != nil {
		return nil, err
	}
	body := Permitted{Identity: given.Identity, Permissions: *permissionsGiven(given.Permissions)}
	if given.Knock != nil {
		k := knockOf(*given.Knock)
		body.Knock = &k
	}
	return &output[Permitted]{Body: body}, nil
}

func (a *API) writeKnock(ctx context.Context, in *knockBody[LobbyText]) (*output[Knock], error) {
	return knockAnswer(a.meetings.Write(ctx, theAgent(ctx).agent(), in.ID, in.Knock, in.Body.Text))
}

func (a *API) writeAllKnocks(ctx context.Context, in *meetingBody[LobbyText]) (*output[KnockList], error) {
	return knocksAnswer(a.meetings.WriteAll(ctx, theAgent(ctx).agent(), in.ID, in.Body.Text))
}

func (a *API) reply(ctx context.Context, in *input[LobbyText]) (*output[GuestView], error) {
	return guestAnswer(a.meetings.Reply(ctx, theGuest(ctx), in.Body.Text))
}

func lobbyMessagesOf(t *lobby.Thread) []LobbyMessage {
	if t == nil {
		return []LobbyMessage{}
	}
	out := make([]LobbyMessage, len(t.Messages))
	for i, m := range t.Messages {
		out[i] = LobbyMessage{Seq: m.Seq, ByHost: m.ByHost, ByName: m.ByName, Text: m.Text, At: m.At.UTC()}
	}
	return out
}

func permissionsGiven(p lobby.Permissions) *Permissions {
	return &Permissions{Speak: &p.Speak, Camera: &p.Camera, Share: &p.Share, Chat: &p.Chat, Files: &p.Files}
}
