package token

import (
	"context"

	"aparte/sfu"
	"aparte/signaling/wire"
)

// Spaces joins the spaces of rooms: who signed a token decides which one it can
// reach.
type Spaces struct {
	Meetings    wire.Authorizer
	Checks      wire.Authorizer
	Integration wire.Authorizer
}

// Authorize asks the space that the token's issuer belongs to.
func (s Spaces) Authorize(ctx context.Context, text string) (*wire.Grant, error) {
	issuer, err := Issuer(text)
	if err != nil {
		return nil, err
	}
	switch issuer {
	case meetingIssuer:
		return s.Meetings.Authorize(ctx, text)
	case checkIssuer:
		return s.Checks.Authorize(ctx, text)
	}
	return s.Integration.Authorize(ctx, text)
}

// Refresh asks the space that the grant belongs to.
func (s Spaces) Refresh(ctx context.Context, g *wire.Grant) (string, error) {
	switch g.Space {
	case sfu.MeetingSpace:
		return s.Meetings.Refresh(ctx, g)
	case sfu.CheckSpace:
		return s.Checks.Refresh(ctx, g)
	}
	return s.Integration.Refresh(ctx, g)
}
