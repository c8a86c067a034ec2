package api

import (
	"context"
	"errors"

	"aparte/signaling/link"
	"aparte/signaling/meeting"
)

func guestViewOf(v meeting.GuestView) GuestView {
	out := GuestView{
		Meeting: GuestMeeting{
			Title: v.Title, Organiser: v.Organiser, StartsAt: optional(v.StartsAt), EndsAt: optional(v.EndsAt),
			State: string(v.State), Profile: v.Profile,
		},
		Link:      GuestLink{Kind: string(v.Kind), GuestName: v.GuestName, Organisation: v.Organisation},
		HostKnows: v.HostKnows, HostPresent: v.HostPresent, Status: string(v.Screen),
	}
	if v.Knocked {
		out.Knock = &GuestKnock{
			Status: string(v.Knock.Status), Since: v.Knock.Since.UTC(), Name: v.Knock.Name,
			Organisation: v.Knock.Organisation, Message: v.Knock.Message,
		}
	}
	return out
}

func guestAnswer(v meeting.GuestView, err error) (*output[GuestView], error) {
	if err != nil {
		return nil, err
	}
	return &output[GuestView]{guestViewOf(v)}, nil
}

// redeemLink lets a right code through whatever its source has tried before: an
// office behind one address is not locked out by one of its people. Wrong ones
// are counted by source; over the limit they learn nothing any more.
func (a *API) redeemLink(ctx context.Context, in *input[Redeem]) (*output[Redeemed], error) {
	session, v, err := a.meetings.Redeem(ctx, in.Body.LinkID, in.Body.Code)
	if errors.Is(err, link.ErrUnknown) {
		if wait, ok := a.wrongCodes.Take(a.source(request(ctx))); !ok {
			return nil, tooMany(wait)
		}
	}
	if err != nil {
		return nil, err
	}
	return &output[Redeemed]{Redeemed{Session: session, Guest: guestViewOf(v)}}, nil
}

func (a *API) getGuest(ctx context.Context, _ *none) (*output[GuestView], error) {
	return guestAnswer(a.meetings.Look(ctx, theGuest(ctx)))
}

func (a *API) knock(ctx context.Context, in *input[GuestName]) (*output[GuestView], error) {
	return guestAnswer(a.meetings.Knock(ctx, theGuest(ctx), in.Body.Name, in.Body.Organisation))
}

func (a *API) withdraw(ctx context.Context, _ *none) (*output[GuestView], error) {
	return guestAnswer(a.meetings.Withdraw(ctx, theGuest(ctx)))
}

func (a *API) guestToken(ctx context.Context, _ *none) (*output[MediaToken], error) {
	g, err := a.meetings.Claim(ctx, theGuest(ctx))
	return a.tokenAnswer(ctx, g, err)
}
