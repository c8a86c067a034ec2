package token

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"

	"aparte/sfu"
	"aparte/signaling/login"
	"aparte/signaling/meeting"
	"aparte/signaling/wire"
)

const (
	// meetingIssuer names the internal key in iss and kid. No API key may be
	// called so.
	meetingIssuer = "aparte-meeting"
	// meetingLife is how long a token opens the door; a client that stays is
	// given new ones.
	meetingLife = 10 * time.Minute
	// meetingLeeway is for clocks of several nodes, all ours.
	meetingLeeway = 5 * time.Second
	// meetingKeySize is the least size of the internal key, in bytes (RFC 7518,
	// section 3.2, for HS256).
	meetingKeySize = 32
)

// Grants looks up who may be in a meeting now.
type Grants interface {
	Grant(ctx context.Context, meetingID, grantID string) (meeting.Grant, error)
}

// Sessions says whether an agent's session is alive: nil if it is.
type Sessions interface {
	Alive(ctx context.Context, sessionID string) error
}

// Meetings issues and checks the tokens of meeting rooms. Such a token carries
// the id of a grant (jti); what the grant allows is looked up each time, and
// nothing else in the token is believed.
type Meetings struct {
	key      []byte
	grants   Grants
	sessions Sessions
	now      func() time.Time
	log      *slog.Logger
}

// NewMeetings makes the issuer from the internal key, of 32 bytes at least. The
// log is told why a grant could not be looked up; clients are not.
func NewMeetings(key []byte, grants Grants, sessions Sessions, now func() time.Time, log *slog.Logger) (*Meetings, error) {
	if len(key) < meetingKeySize {
		return nil, fmt.Errorf("internal key of %d bytes, want %d", len(key), meetingKeySize)
	}
	return &Meetings{key: key, grants: grants, sessions: sessions, now: now, log: log}, nil
}

// claims are those of a LiveKit token that our clients look at.
type claims struct {
	jwt.RegisteredClaims
	Name       string            `json:"name,omitempty"`
	Video      *auth.VideoGrant  `json:"video,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
}

// Issue signs a token for a live grant.
func (m *Meetings) Issue(g meeting.Grant) (string, error) {
	if g.ID == "" || g.Meeting == "" || g.Identity == "" {
		return "", errors.New("sign token: incomplete grant")
	}
	now := m.now()
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: meetingIssuer, Subject: g.Identity, ID: g.ID,
			NotBefore: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(meetingLife)),
		},
		Name: g.Name, Video: videoGrant(g), Attributes: attributes(g),
	})
	t.Header["kid"] = meetingIssuer
	text, err := t.SignedString(m.key)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return text, nil
}

// Authorize verifies a token and returns the grant as it stands now.
func (m *Meetings) Authorize(ctx context.Context, text string) (*wire.Grant, error) {
	var c claims
	_, err := jwt.ParseWithClaims(text, &c, func(*jwt.Token) (any, error) { return m.key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(meetingIssuer),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(m.now), jwt.WithLeeway(meetingLeeway))
	if err != nil {
		return nil, fmt.Errorf("%w: invalid token", wire.ErrUnauthorized)
	}
	if c.Video == nil || c.Video.Room == "" || c.ID == "" {
		return nil, fmt.Errorf("%w: token names no grant", wire.ErrUnauthorized)
	}
	g, err := m.alive(ctx, c.Video.Room, c.ID)
	if err != nil {
		return nil, err
	}
	if g.Identity != c.Subject {
		return nil, fmt.Errorf("%w: token and grant differ", wire.ErrUnauthorized)
	}
	return wireGrant(g, c.ExpiresAt.Time), nil
}

// Refresh issues a token with the grant's rights of now, or says that it is gone.
func (m *Meetings) Refresh(ctx context.Context, old *wire.Grant) (string, error) {
	g, err := m.alive(ctx, old.Room, old.ID)
	if err != nil {
		return "", err
	}
	return m.Issue(g)
}

// alive looks a grant up; a host's dies with the agent's session too.
func (m *Meetings) alive(ctx context.Context, meetingID, grantID string) (meeting.Grant, error) {
	g, err := m.grants.Grant(ctx, meetingID, grantID)
	if err == nil && g.AgentSession != "" {
		err = m.sessions.Alive(ctx, g.AgentSession)
	}
	switch {
	case err == nil && g.Meeting == meetingID && g.ID == grantID:
		return g, nil
	case errors.Is(err, meeting.ErrEnded):
		return meeting.Grant{}, fmt.Errorf("%w: the meeting has ended", wire.ErrUnauthorized)
	case err == nil, errors.Is(err, meeting.ErrNotFound), errors.Is(err, meeting.ErrNotAdmitted), errors.Is(err, login.ErrNoSession):
		return meeting.Grant{}, fmt.Errorf("%w: no longer admitted", wire.ErrUnauthorized)
	default:
		// A store that fails is no verdict: who is in a call stays in it. The cause
		// stops here, because the text of what is returned is shown to clients.
		if ctx.Err() == nil {
			m.log.WarnContext(ctx, "look up grant", "meeting", meetingID, "err", err)
		}
		return meeting.Grant{}, fmt.Errorf("%w: try again", wire.ErrUnavailable)
	}
}

func wireGrant(g meeting.Grant, expires time.Time) *wire.Grant {
	return &wire.Grant{
		ID: g.ID, Room: g.Meeting, Space: sfu.MeetingSpace, Identity: g.Identity, Name: g.Name,
		Attributes: attributes(g), Kind: livekit.ParticipantInfo_STANDARD, Video: videoGrant(g), Expires: expires,
		RoomConfig: &livekit.RoomConfiguration{Metadata: g.CallState},
	}
}

// attributes tell the other participants who somebody is.
func attributes(g meeting.Grant) map[string]string {
	a := map[string]string{"aparte.role": string(g.Role)}
	if g.Organisation != "" {
		a["aparte.organisation"] = g.Organisation
	}
	if g.AgentSession == "" { // by a guest link, whatever the role
		a["aparte.outside"] = "1"
	}
	return a
}

// videoGrant is the grant's permission as a token carries it.
func videoGrant(g meeting.Grant) *auth.VideoGrant {
	v := &auth.VideoGrant{RoomJoin: true, Room: g.Meeting}
	v.UpdateFromPermission(g.Permission())
	return v
}
