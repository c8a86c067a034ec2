package wire

import (
	"context"
	"errors"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"

	"aparte/sfu"
)

// Refusals an Authorizer wraps. What else it puts into the error's text is
// shown to the client, so it holds no secrets.
var (
	// ErrUnauthorized: no token, a bad one, or one whose grant is gone (401, final for clients).
	ErrUnauthorized = errors.New("unauthorized")
	// ErrForbidden: a good token that does not allow this (403, final for clients).
	ErrForbidden = errors.New("forbidden")
	// ErrNotFound: the room does not exist and is not created by joining (404).
	ErrNotFound = errors.New("requested room does not exist")
	// ErrUnavailable: full, or shutting down (503).
	ErrUnavailable = errors.New("unavailable")
)

// Authorizer says who may be where. Every join, resume and validate asks it anew.
type Authorizer interface {
	// Authorize verifies a LiveKit token (signature, time, key id) and returns
	// the live grant behind it. The error wraps one of the errors above; any
	// other is our fault and answered with 500.
	Authorize(ctx context.Context, token string) (*Grant, error)
	// Refresh issues a new token with the grant's current rights. What g says of
	// rights, name, metadata and attributes is how the session stands now; where
	// there is a record of the grant, that decides instead. An error that
	// wraps ErrUnauthorized or ErrForbidden means that the grant is gone: the
	// session ends.
	Refresh(ctx context.Context, g *Grant) (string, error)
}

// Grant is what a verified token allows now.
type Grant struct {
	ID string // what to look up again at Refresh; never shown to others
	// Room is the room's name, Space where it is: rooms of different spaces never
	// meet, even with the same name.
	Room  string
	Space sfu.SpaceKind

	Identity    string
	Name        string
	Metadata    string
	Attributes  map[string]string
	Kind        livekit.ParticipantInfo_Kind
	KindDetails []livekit.ParticipantInfo_KindDetail
	Video       *auth.VideoGrant
	RoomConfig  *livekit.RoomConfiguration // for the room this join creates; may be nil
	Ways        sfu.Ways                   // that media may take; 0: all
	Expires     time.Time
}
