package hook

import (
	"crypto/rand"

	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/encoding/protojson"

	"aparte/sfu"
)

// parcel is an event on its way to one receiver.
type parcel struct {
	kind, room string
	body       []byte
}

// word turns an event of a room into the JSON of LiveKit's; false for those of
// which webhooks say nothing.
func word(e sfu.Event) (parcel, bool) {
	kind := name(e)
	if kind == "" {
		return parcel{}, false
	}
	body, err := protojson.Marshal(&livekit.WebhookEvent{
		Event:         kind,
		Id:            "EV_" + rand.Text()[:16],
		CreatedAt:     e.At.Unix(),
		Room:          e.Room,
		Participant:   e.Participant,
		Track:         e.Track,
		RoomEndReason: e.Ended,
	})
	if err != nil { // a string of a client that is no UTF-8; the wire refuses those
		return parcel{}, false
	}
	return parcel{kind: kind, room: e.Room.GetName(), body: body}, true
}

// name is what LiveKit calls an event. A participant has joined when its media
// connection is up; one that never got so far was aborted.
func name(e sfu.Event) string {
	switch e.Kind {
	case sfu.RoomStarted:
		return "room_started"
	case sfu.RoomFinished:
		return "room_finished"
	case sfu.Connected:
		return "participant_joined"
	case sfu.Left:
		if e.WasConnected {
			return "participant_left"
		}
		return "participant_connection_aborted"
	case sfu.TrackPublished:
		return "track_published"
	case sfu.TrackUnpublished:
		return "track_unpublished"
	}
	return ""
}
