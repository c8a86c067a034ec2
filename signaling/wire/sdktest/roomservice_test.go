package sdktest

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"

	"aparte/signaling/wire/sdktest/conform"
)

// The server API as its own client calls it, on a room with a client in it.
func TestRoomServiceClient(t *testing.T) {
	proves(t, conform.Go, "api-rooms", "api-participants", "api-mute", "api-send-data", "api-update", "api-room-metadata",
		"perm-publish", "api-remove", "api-delete", "api-grants")
	j := newJournal(t)
	name := roomName(t)
	service := lksdk.NewRoomServiceClient(shared.base.String(), devKey, devSecret)
	ctx := t.Context()

	room, err := service.CreateRoom(ctx, &livekit.CreateRoomRequest{Name: name, Metadata: "first", MaxParticipants: 5})
	if err != nil {
		t.Fatal(err)
	}
	if room.Metadata != "first" || room.MaxParticipants != 5 {
		t.Errorf("room %v", room)
	}
	ann := join(t, j, "ann", setup{room: name, callback: func(cb *lksdk.RoomCallback) {
		cb.OnRoomMetadataChanged = func(string) { j.wake() }
		cb.OnMetadataChanged = func(string, lksdk.Participant) { j.wake() }
		cb.OnAttributesChanged = func(map[string]string, lksdk.Participant) { j.wake() }
	}})
	bob := join(t, j, "bob", setup{room: name})
	if got := ann.room.SID(); got != room.Sid {
		t.Errorf("ann is in %s, want the room that was made, %s", got, room.Sid)
	}
	mic, _ := audioTrack(t, j, &clips.speech)
	pub := bob.publish(mic, &lksdk.TrackPublicationOptions{Name: "mic", Source: livekit.TrackSource_MICROPHONE})
	j.wait("ann sees bob's track", func() bool { return ann.saw("published %s", pub.SID()) })

	rooms, err := service.ListRooms(ctx, &livekit.ListRoomsRequest{Names: []string{name}})
	if err != nil || len(rooms.Rooms) != 1 || rooms.Rooms[0].NumParticipants != 2 {
		t.Errorf("rooms %v, %v", rooms, err)
	}
	list, err := service.ListParticipants(ctx, &livekit.ListParticipantsRequest{Room: name})
	if err != nil || !slices.ContainsFunc(list.Participants, func(p *livekit.ParticipantInfo) bool {
		return p.Identity == "bob" && len(p.Tracks) == 1 && p.Tracks[0].Sid == pub.SID()
	}) {
		t.Errorf("participants %v, %v: want bob with his track", list, err)
	}

	if _, err := service.MutePublishedTrack(ctx, &livekit.MuteRoomTrackRequest{Room: name, Identity: "bob", TrackSid: pub.SID(), Muted: true}); err != nil {
		t.Error(err)
	}
	j.wait("ann hears that bob is muted", func() bool { return ann.saw("muted %s", pub.SID()) })

	topic := "news"
	payload := []byte("from the server")
	if _, err := service.SendData(ctx, &livekit.SendDataRequest{Room: name, Data: payload, Kind: livekit.DataPacket_RELIABLE, Topic: &topic, DestinationIdentities: []string{"ann"}}); err != nil {
		t.Error(err)
	}
	if _, err := service.SendData(ctx, &livekit.SendDataRequest{Room: name, Data: []byte("for bob"), Kind: livekit.DataPacket_RELIABLE, DestinationSids: []string{bob.room.LocalParticipant.SID()}}); err != nil { //nolint:staticcheck // older tools name sids
		t.Error(err)
	}
	j.wait("data comes to those it is for", func() bool {
		return slices.Equal(ann.texts(), []string{"news: from the server"}) && slices.Equal(bob.texts(), []string{": for bob"})
	})

	if _, err := service.UpdateParticipant(ctx, &livekit.UpdateParticipantRequest{Room: name, Identity: "bob", Metadata: "chair", Name: "Bob", Attributes: map[string]string{"seat": "1"}}); err != nil {
		t.Error(err)
	}
	if _, err := service.UpdateRoomMetadata(ctx, &livekit.UpdateRoomMetadataRequest{Room: name, Metadata: "second"}); err != nil {
		t.Error(err)
	}
	j.wait("ann sees the changes", func() bool {
		p := ann.room.GetParticipantByIdentity("bob")
		return p != nil && p.Metadata() == "chair" && p.Name() == "Bob" && p.Attributes()["seat"] == "1" && ann.room.Metadata() == "second"
	})

	// Publishing is taken away: the track goes, and comes back for nobody.
	if _, err := service.UpdateParticipant(ctx, &livekit.UpdateParticipantRequest{Room: name, Identity: "bob", Permission: &livekit.ParticipantPermission{CanSubscribe: true}}); err != nil {
		t.Error(err)
	}
	j.wait("bob's track is gone", func() bool {
		return ann.saw("unpublished %s", pub.SID())
	})

	if _, err := service.RemoveParticipant(ctx, &livekit.RoomParticipantIdentity{Room: name, Identity: "bob"}); err != nil {
		t.Error(err)
	}
	j.wait("bob is out", func() bool { return slices.Contains(bob.goodbyes(), lksdk.ParticipantRemoved) })
	if _, err := service.DeleteRoom(ctx, &livekit.DeleteRoomRequest{Room: name}); err != nil {
		t.Error(err)
	}
	j.wait("ann is out", func() bool { return len(ann.goodbyes()) == 1 })
	if _, err := service.DeleteRoom(ctx, &livekit.DeleteRoomRequest{Room: name}); err == nil {
		t.Error("a room was deleted twice")
	}

	wrong := lksdk.NewRoomServiceClient(shared.base.String(), devKey, "not the secret")
	if _, err := wrong.ListRooms(ctx, &livekit.ListRoomsRequest{}); err == nil {
		t.Error("a token with a wrong signature was taken")
	}
}

// Pages of any origin may call, errors included.
func TestTwirpAnswersEveryOrigin(t *testing.T) {
	proves(t, conform.Go, "api-origin")
	for _, method := range []string{http.MethodOptions, http.MethodPost} {
		req, err := http.NewRequestWithContext(t.Context(), method, shared.base.JoinPath("twirp/livekit.RoomService/ListRooms").String(), bytes.NewReader([]byte("{}")))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", "https://elsewhere.example")
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := res.Header.Get("Access-Control-Allow-Origin"); got != "*" {
			t.Errorf("%s: %s, Access-Control-Allow-Origin %q", method, res.Status, got)
		}
		if want := map[string]int{http.MethodOptions: 204, http.MethodPost: 401}[method]; res.StatusCode != want {
			t.Errorf("%s: %s, want %d", method, res.Status, want)
		}
	}
}

func (c *client) texts() (out []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.messages {
		out = append(out, fmt.Sprintf("%s: %s", m.topic, m.text))
	}
	return out
}
