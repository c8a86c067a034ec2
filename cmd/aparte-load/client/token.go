package client

import (
	"fmt"
	"time"

	"github.com/livekit/protocol/auth"
)

// Keys sign tokens.
type Keys struct{ Key, Secret string }

// tokenLife is longer than any load runs.
const tokenLife = 24 * time.Hour

// Token lets identity into the room.
func (k Keys) Token(room, identity string, publish, subscribe bool) (string, error) {
	grant := &auth.VideoGrant{RoomJoin: true, Room: room}
	grant.SetCanPublish(publish)
	grant.SetCanPublishData(true)
	grant.SetCanSubscribe(subscribe)
	token, err := auth.NewAccessToken(k.Key, k.Secret).
		SetVideoGrant(grant).SetIdentity(identity).SetName(identity).SetValidFor(tokenLife).ToJWT()
	if err != nil {
		return "", fmt.Errorf("sign token of %s: %w", identity, err)
	}
	return token, nil
}
