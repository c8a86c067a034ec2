package api

import (
	"cmp"
	"context"

	"aparte/signaling/meeting"
)

func guestViewOf(v meeting.GuestView) GuestView {
	out := GuestView{
		Meeting: lobbyMeetingOf(v.LobbyView), Knock: ownKnockOf(v.LobbyView),
		Link: GuestLink{
			Kind: string(v.Kind), GuestName: v.GuestName, Organisation: v.Organisation, Language: v.Language,
			PIN: v.AsksPIN, ExpiresAt: v.LinkExpiresAt.UTC(),
		},
		Binding:   GuestBinding{Session: v.Session, Challenge: v.Challenge, Bound: v.Bound},
		HostKnows: v.HostKnows, KnownBy: v.KnownBy, HostPresent: v.HostPresent, HostWatching: v.HostWatching,
		RecognisedBy: string(v.Known), Status: string(v.Screen),
	}
	return out
}

func lobbyMeetingOf(v meeting.LobbyView) GuestMeeting {
	return GuestMeeting{
		Title: v.Title, Organiser: v.Organiser, StartsAt: optional(v.StartsAt), EndsAt: optional(v.EndsAt), TimeZone: v.PostZone,
		State: string(v.State), Profile: v.Profile.ID, ProfileName: Text(v.Profile.Name), Sentence: Text(v.Profile.Sentence), KeepChatDays: v.KeepChatDays, Locked: v.Locked,
		Recording: cmp.Or(string(v.Recording), "none"), RecordingWatchable: v.RecordingWatchable,
	}
}

// ownKnockOf is the knock of whoever is told, nil if they made none.
func ownKnockOf(v meeting.LobbyView) *GuestKnock {
	if !v.Knocked {
		return nil
	}
	return &GuestKnock{
		Status: string(v.Knock.Status), Since: v.Knock.Since.UTC(), Name: v.Knock.Name,
		Organisation: v.Knock.Organisation, Message: v.Knock.Message,
		SentBack: !v.Knock.SentBackAt.IsZero(), Messages: lobbyMessagesOf(v.Thread),
	}
}

func guestAnswer(v meeting.GuestView, err error) (*output[GuestView], error) {
	if err != nil {
		return nil, err
	}
	return &output[GuestView]{guestViewOf(v)}, nil
}

func (a *API) getGuest(ctx context.Context, _ *none) (*output[GuestView], error) {
	return guestAnswer(a.meetings.Look(ctx, theGuest(ctx)))
}

func (a *API) withdraw(ctx context.Context, _ *none) (*output[GuestView], error) {
	return guestAnswer(a.meetings.Withdraw(ctx, theGuest(ctx)))
}

func (a *API) guestToken(ctx context.Context, _ *none) (*output[MediaToken], error) {
	g, err := a.meetings.Claim(ctx, theGuest(ctx))
	return a.tokenAnswer(ctx, g, err)
}
