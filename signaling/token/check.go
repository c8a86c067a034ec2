package token

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"

	"aparte/sfu"
	"aparte/signaling/netcheck"
	"aparte/signaling/wire"
)

// checkIssuer names the key of network checks. No API key may be called so.
const checkIssuer = "aparte-check"

// Seats looks up who may be in a network check now.
type Seats interface {
	Seat(ctx context.Context, room, id string) (netcheck.Seat, time.Time, error)
}

// Checks issues and checks the tokens of network checks. As with meetings, a token
// names a seat, and what that allows is looked up each time.
type Checks struct {
	key   []byte
	seats Seats
	now   func() time.Time
}

// NewChecks makes the issuer. Its key lives as long as the process: so do checks.
func NewChecks(seats Seats, now func() time.Time, random io.Reader) (*Checks, error) {
	key := make([]byte, meetingKeySize)
	if _, err := io.ReadFull(random, key); err != nil {
		return nil, fmt.Errorf("key of network checks: %w", err)
	}
	return &Checks{key: key, seats: seats, now: now}, nil
}

// Issue signs a token for a seat, good until the check ends.
func (c *Checks) Issue(s netcheck.Seat, ends time.Time) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: checkIssuer, Subject: s.Identity, ID: s.ID,
			NotBefore: jwt.NewNumericDate(c.now()), ExpiresAt: jwt.NewNumericDate(ends),
		},
		Video: checkGrant(s),
	})
	t.Header["kid"] = checkIssuer
	text, err := t.SignedString(c.key)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return text, nil
}

// Authorize verifies a token and looks its seat up.
func (c *Checks) Authorize(ctx context.Context, text string) (*wire.Grant, error) {
	var said claims
	_, err := jwt.ParseWithClaims(text, &said, func(*jwt.Token) (any, error) { return c.key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(checkIssuer),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(c.now))
	if err != nil || said.Video == nil {
		return nil, fmt.Errorf("%w: invalid token", wire.ErrUnauthorized)
	}
	s, ends, err := c.seats.Seat(ctx, said.Video.Room, said.ID)
	if err != nil {
		return nil, fmt.Errorf("%w: the network check is over", wire.ErrUnauthorized)
	}
	return &wire.Grant{
		ID: s.ID, Room: s.Room, Space: sfu.CheckSpace, Identity: s.Identity, Kind: livekit.ParticipantInfo_STANDARD,
		Video: checkGrant(s), Ways: ways[s.Way], Expires: ends,
	}, nil
}

// Refresh issues the token anew while the check runs.
func (c *Checks) Refresh(ctx context.Context, g *wire.Grant) (string, error) {
	s, ends, err := c.seats.Seat(ctx, g.Room, g.ID)
	if errors.Is(err, netcheck.ErrOver) {
		return "", fmt.Errorf("%w: the network check is over", wire.ErrUnauthorized)
	}
	if err != nil {
		return "", fmt.Errorf("%w: try again", wire.ErrUnavailable)
	}
	return c.Issue(s, ends)
}

var ways = map[netcheck.Way]sfu.Ways{
	netcheck.Any: 0, netcheck.UDP: sfu.UDP, netcheck.TCP: sfu.TCP, netcheck.Relay: sfu.Relay,
}

// checkGrant lets one send a picture and a sound, the others receive them, and nobody
// say anything: a check is no way to talk.
func checkGrant(s netcheck.Seat) *auth.VideoGrant {
	v := &auth.VideoGrant{RoomJoin: true, Room: s.Room}
	v.UpdateFromPermission(&livekit.ParticipantPermission{
		CanPublish: s.Sends, CanSubscribe: !s.Sends,
		CanPublishSources: []livekit.TrackSource{livekit.TrackSource_CAMERA, livekit.TrackSource_MICROPHONE},
	})
	return v
}
