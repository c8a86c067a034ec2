package token

import (
	"context"
	"fmt"
	"time"

	"github.com/livekit/protocol/auth"

	"aparte/signaling/wire"
)

// refreshedLife is how long a refreshed token is good for at least.
const refreshedLife = 10 * time.Minute

// Keys are API keys with their secrets.
type Keys map[string]string

// Integration admits to integration rooms, which never meet the rooms of
// meetings: whoever holds a token that one of the keys signed. It is a
// wire.Authorizer.
type Integration struct {
	Keys Keys
	Now  func() time.Time // for how long the original token still lives
}

// Issuer reads which key claims to have signed a token, without verifying it.
func Issuer(text string) (string, error) {
	v, err := auth.ParseAPIToken(text)
	if err != nil {
		return "", fmt.Errorf("%w: not a token", wire.ErrUnauthorized)
	}
	return v.APIKey(), nil
}

// Authorize verifies a token that an API key signed. Signature, time (60 s of
// leeway) and key must be right; what it allows is in the grant.
func (i Integration) Authorize(_ context.Context, text string) (*wire.Grant, error) {
	v, err := auth.ParseAPIToken(text)
	if err != nil {
		return nil, fmt.Errorf("%w: not a token", wire.ErrUnauthorized)
	}
	secret, ok := i.Keys[v.APIKey()]
	if !ok || secret == "" {
		return nil, fmt.Errorf("%w: unknown API key", wire.ErrUnauthorized)
	}
	registered, claims, err := v.Verify(secret)
	if err != nil {
		return nil, fmt.Errorf("%w: invalid token: %w", wire.ErrUnauthorized, err)
	}
	g := &wire.Grant{
		ID:          v.APIKey(),
		Identity:    claims.Identity,
		Name:        claims.Name,
		Metadata:    claims.Metadata,
		Attributes:  claims.Attributes,
		Kind:        claims.GetParticipantKind(),
		KindDetails: claims.GetKindDetails(),
		Video:       claims.Video,
		RoomConfig:  claims.GetRoomConfiguration(),
	}
	if claims.Video != nil {
		g.Room = claims.Video.Room
	}
	if registered.ExpiresAt != nil {
		g.Expires = registered.ExpiresAt.Time
	}
	return g, nil
}

// Refresh signs a token with the rights that g has now. It lives ten minutes, or
// as long as the original still would.
func (i Integration) Refresh(_ context.Context, g *wire.Grant) (string, error) {
	secret, ok := i.Keys[g.ID]
	if !ok || secret == "" {
		return "", fmt.Errorf("%w: API key withdrawn", wire.ErrUnauthorized)
	}
	t := auth.NewAccessToken(g.ID, secret).
		SetIdentity(g.Identity).
		SetName(g.Name).
		SetMetadata(g.Metadata).
		SetAttributes(g.Attributes).
		SetKind(g.Kind).
		SetKindDetail(g.KindDetails...).
		SetRoomConfig(g.RoomConfig).
		SetAllowSensitiveCredentials(true). // they were in its own token
		SetVideoGrant(g.Video).
		SetValidFor(max(refreshedLife, g.Expires.Sub(i.Now())))
	text, err := t.ToJWT()
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return text, nil
}
