package sdktest

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/webrtc/v4"
)

// singleRoom lets the SDK's one connection receive, too. The SDK sets OnTrack
// on the subscriber's connection only, which does not exist in this mode.
type singleRoom struct {
	*lksdk.Room
	engine *lksdk.RTCEngine // set before the room joins
	relay  *relay
}

// OnRoomJoined comes after the connection was made and before any media.
func (r *singleRoom) OnRoomJoined(room *livekit.Room, self *livekit.ParticipantInfo, others []*livekit.ParticipantInfo, server *livekit.ServerInfo, trailer []byte) {
	if publisher, ok := r.engine.Publisher(); ok {
		pc := publisher.PeerConnection()
		pc.OnTrack(r.OnMediaTrack)
		pc.OnSignalingStateChange(func(state webrtc.SignalingState) {
			if d := pc.CurrentRemoteDescription(); state == webrtc.SignalingStateStable && d != nil {
				r.relay.announce(d.SDP)
			}
		})
	}
	r.Room.OnRoomJoined(room, self, others, server, trailer)
}

// useSingleConnection switches a room that has not joined yet to the SDK's
// mode of one peer connection (join_request, protocol v1). The SDK has it but
// turns it on only from its own version 3.0.0, by a private field: the only
// way to test it now.
//
// The relay drops what comes before the answer that announces it, as browsers
// do. Pion reads such packets twice, with a data race (webrtc v4.2.11,
// handleIncomingSSRC beside startReceiver).
func useSingleConnection(t *testing.T, room *lksdk.Room, relay *relay) {
	t.Helper()
	relay.announce("")
	single := &singleRoom{Room: room, relay: relay}
	single.engine = lksdk.NewRTCEngine(true, single, func() string { return room.LocalParticipant.SID() })
	set(t, room, "useSinglePeerConnection", true)
	set(t, room, "engine", single.engine)
	set(t, room.LocalParticipant, "engine", single.engine)
}

func set(t *testing.T, owner any, name string, value any) {
	t.Helper()
	field := reflect.ValueOf(owner).Elem().FieldByName(name)
	if !field.IsValid() {
		t.Fatalf("%T has no field %s: is this another version of the SDK?", owner, name)
	}
	reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Set(reflect.ValueOf(value))
}
