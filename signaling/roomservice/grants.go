package roomservice

import (
	"context"

	"github.com/livekit/protocol/auth"
	"github.com/twitchtv/twirp"

	"aparte/sfu"
	"aparte/signaling/wire"
)

type grantKey struct{}

// withGrant is the one value a context carries here: Twirp's handlers get nothing
// else from the request.
func withGrant(ctx context.Context, g *wire.Grant) context.Context {
	return context.WithValue(ctx, grantKey{}, g)
}

// need refuses a call whose token lacks a grant.
func need(ctx context.Context, what string, has func(*auth.VideoGrant) bool) error {
	g, _ := ctx.Value(grantKey{}).(*wire.Grant)
	if g == nil || g.Space != sfu.IntegrationSpace || g.Video == nil || !has(g.Video) {
		return twirp.PermissionDenied.Error("the token does not grant " + what)
	}
	return nil
}

func needCreate(ctx context.Context) error {
	return need(ctx, "roomCreate", func(v *auth.VideoGrant) bool { return v.RoomCreate })
}

func needList(ctx context.Context) error {
	return need(ctx, "roomList", func(v *auth.VideoGrant) bool { return v.RoomList })
}

// needAdmin wants roomAdmin for this very room.
func needAdmin(ctx context.Context, room string) error {
	return need(ctx, "roomAdmin of this room", func(v *auth.VideoGrant) bool {
		return v.RoomAdmin && room != "" && v.Room == room
	})
}
