// Package roomservice is the server API of LiveKit's SDKs, RoomService over Twirp,
// for the rooms of integrations. It sees no other room: it is made on one of the
// SFU's spaces, and the tokens it takes are those that an API key signed.
//
// server.go checks the token and the size of a request, grants.go what it allows,
// rooms.go and participants.go do the work.
package roomservice

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/livekit/protocol/livekit"
	"github.com/twitchtv/twirp"

	"aparte/sfu"
	"aparte/signaling/wire"
)

// maxRequest bounds a request, in bytes: the largest field is metadata of 64 kB,
// which JSON may write six times as long.
const maxRequest = 512 << 10

// Authorizer verifies a token that an API key signed. Its errors wrap those of
// package wire.
type Authorizer interface {
	Authorize(ctx context.Context, token string) (*wire.Grant, error)
}

// Config is what the service stands on; all of it is required.
type Config struct {
	SFU        *sfu.SFU
	Authorizer Authorizer
	Log        *slog.Logger
}

// service answers RoomService's methods.
type service struct {
	rooms sfu.Space
	log   *slog.Logger
}

// New answers /twirp/.
func New(cfg Config) http.Handler {
	s := &service{rooms: cfg.SFU.Integration(), log: cfg.Log}
	return &guard{auth: cfg.Authorizer, log: cfg.Log, next: livekit.NewRoomServiceServer(s)}
}

// guard looks at token and size before anything is decoded.
type guard struct {
	auth Authorizer
	log  *slog.Logger
	next http.Handler
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	ctx, err := g.authorize(r)
	if err == nil {
		r.Body, err = readBody(w, r)
	}
	if err != nil {
		_ = twirp.WriteError(w, err) // a client that went away is no news
		return
	}
	g.next.ServeHTTP(w, r.WithContext(ctx))
}

func (g *guard) authorize(r *http.Request) (context.Context, error) {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || text == "" {
		return nil, twirp.Unauthenticated.Error("a bearer token is missing")
	}
	grant, err := g.auth.Authorize(r.Context(), strings.TrimSpace(text))
	switch {
	case errors.Is(err, wire.ErrUnauthorized), errors.Is(err, wire.ErrForbidden):
		return nil, twirp.Unauthenticated.Error(err.Error())
	case err != nil:
		g.log.Error("room service", "error", err)
		return nil, twirp.InternalError("internal error")
	}
	return withGrant(r.Context(), grant), nil
}

func readBody(w http.ResponseWriter, r *http.Request) (io.ReadCloser, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if tooLong := (&http.MaxBytesError{}); errors.As(err, &tooLong) {
		return nil, twirp.ResourceExhausted.Error(fmt.Sprintf("request over %d bytes", maxRequest))
	}
	if err != nil {
		return nil, twirp.Malformed.Error("the request's body ended early")
	}
	return io.NopCloser(bytes.NewReader(body)), nil
}

// problem words an error of the SFU for the caller.
func (s *service) problem(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sfu.ErrNoRoom), errors.Is(err, sfu.ErrNoParticipant), errors.Is(err, sfu.ErrNoTrack):
		return twirp.NotFound.Error(err.Error())
	case errors.Is(err, sfu.ErrTooLong), errors.Is(err, sfu.ErrDataTooLong):
		return twirp.InvalidArgument.Error(err.Error())
	case errors.Is(err, sfu.ErrFull):
		return twirp.ResourceExhausted.Error("too many rooms")
	case errors.Is(err, sfu.ErrClosing):
		return twirp.Unavailable.Error(err.Error())
	case errors.Is(err, sfu.ErrSlow):
		return twirp.DeadlineExceeded.Error(err.Error())
	}
	s.log.Error("room service", "error", err)
	return twirp.InternalError("internal error")
}
