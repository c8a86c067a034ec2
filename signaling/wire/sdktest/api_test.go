package sdktest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// admin calls RoomService as JSON, with grants of its own.
type admin struct {
	t     *testing.T
	grant auth.VideoGrant
}

func adminOf(t *testing.T, room string) admin {
	return admin{t, auth.VideoGrant{RoomAdmin: true, Room: room}}
}

// call returns the status, and the code of a refusal.
func (a admin) call(method string, req, res proto.Message) (int, string) {
	a.t.Helper()
	token, err := auth.NewAccessToken(devKey, devSecret).SetVideoGrant(&a.grant).ToJWT()
	if err != nil {
		a.t.Fatal(err)
	}
	return callTwirp(a.t, method, token, req, res)
}

func callTwirp(t *testing.T, method, token string, req, res proto.Message) (int, string) {
	t.Helper()
	body, err := protojson.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, shared.base.JoinPath("twirp/livekit.RoomService", method).String(), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		var refusal struct{ Code, Msg string }
		if err := json.Unmarshal(raw, &refusal); err != nil || refusal.Msg == "" {
			t.Errorf("%s: %s: %s", method, answer.Status, raw)
		}
		return answer.StatusCode, refusal.Code
	}
	if res != nil {
		if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(raw, res); err != nil {
			t.Errorf("%s: %v: %s", method, err, raw)
		}
	}
	return answer.StatusCode, ""
}

// must is a call that has to succeed.
func (a admin) must(method string, req, res proto.Message) {
	a.t.Helper()
	if status, code := a.call(method, req, res); status != http.StatusOK {
		a.t.Fatalf("%s: %d %s", method, status, code)
	}
}

func TestServerAPI(t *testing.T) {
	t.Parallel()
	row(t, "api-grants", func(t *testing.T) {
		room := roomName(t)
		rawJoin(t, newJournal(t), "alice", rawSetup{room: room})
		if status, code := callTwirp(t, "ListRooms", "", &livekit.ListRoomsRequest{}, nil); status != http.StatusUnauthorized || code != "unauthenticated" {
			t.Errorf("without a token: %d %s", status, code)
		}
		if status, code := callTwirp(t, "ListRooms", foreignToken(t, devKey, "wrong"), &livekit.ListRoomsRequest{}, nil); status != http.StatusUnauthorized || code != "unauthenticated" {
			t.Errorf("with another's: %d %s", status, code)
		}
		for method, req := range map[string]proto.Message{
			"CreateRoom": &livekit.CreateRoomRequest{Name: room}, "ListRooms": &livekit.ListRoomsRequest{}, "DeleteRoom": &livekit.DeleteRoomRequest{Room: room},
			"ListParticipants": &livekit.ListParticipantsRequest{Room: room}, "RemoveParticipant": &livekit.RoomParticipantIdentity{Room: room, Identity: "alice"},
			"UpdateRoomMetadata": &livekit.UpdateRoomMetadataRequest{Room: room}, "SendData": &livekit.SendDataRequest{Room: room},
		} {
			other := admin{t, auth.VideoGrant{RoomJoin: true, Room: room}}
			if slices.Contains([]string{"ListParticipants", "RemoveParticipant", "UpdateRoomMetadata", "SendData"}, method) {
				other.grant = auth.VideoGrant{RoomAdmin: true, Room: "another room"}
			}
			if status, code := other.call(method, req, nil); status != http.StatusUnauthorized && status != http.StatusForbidden || code == "" {
				t.Errorf("%s without the right: %d %s", method, status, code)
			}
		}
	})
	row(t, "api-not-found", func(t *testing.T) {
		room := roomName(t)
		for method, req := range map[string]proto.Message{
			"GetParticipant":     &livekit.RoomParticipantIdentity{Room: room, Identity: "nobody"},
			"RemoveParticipant":  &livekit.RoomParticipantIdentity{Room: room, Identity: "nobody"},
			"UpdateRoomMetadata": &livekit.UpdateRoomMetadataRequest{Room: room, Metadata: "x"},
		} {
			if status, code := adminOf(t, room).call(method, req, nil); status != http.StatusNotFound || code != "not_found" {
				t.Errorf("%s: %d %s", method, status, code)
			}
		}
	})
	row(t, "api-participant", func(t *testing.T) {
		j := newJournal(t)
		room := roomName(t)
		alice := rawJoin(t, j, "alice", rawSetup{room: room}).connect()
		voice := alice.publish(livekit.TrackType_AUDIO, "voice")
		alice.settle()
		var p livekit.ParticipantInfo
		adminOf(t, room).must("GetParticipant", &livekit.RoomParticipantIdentity{Room: room, Identity: "alice"}, &p)
		if p.Sid != alice.sid() || len(p.Tracks) != 1 || p.Tracks[0].Sid != voice.sid() || p.State != livekit.ParticipantInfo_ACTIVE {
			t.Errorf("alice is %v", &p)
		}
	})
	row(t, "api-remove break-kick", func(t *testing.T) {
		j := newJournal(t)
		room := roomName(t)
		alice, bob := rawJoin(t, j, "alice", rawSetup{room: room}), rawJoin(t, j, "bob", rawSetup{room: room})
		adminOf(t, room).must("RemoveParticipant", &livekit.RoomParticipantIdentity{Room: room, Identity: "alice"}, nil)
		if l := alice.leave(); l.Reason != livekit.DisconnectReason_PARTICIPANT_REMOVED || l.Action != livekit.LeaveRequest_DISCONNECT || l.CanReconnect {
			t.Errorf("told %v", l)
		}
		if p := bob.info("alice", "goes", inState(livekit.ParticipantInfo_DISCONNECTED)); p.DisconnectReason != livekit.DisconnectReason_PARTICIPANT_REMOVED {
			t.Errorf("bob is told %s", p.DisconnectReason)
		}
	})
	row(t, "api-delete break-kick", func(t *testing.T) {
		j := newJournal(t)
		room := roomName(t)
		alice, bob := rawJoin(t, j, "alice", rawSetup{room: room}), rawJoin(t, j, "bob", rawSetup{room: room, single: true})
		admin{t, auth.VideoGrant{RoomCreate: true}}.must("DeleteRoom", &livekit.DeleteRoomRequest{Room: room}, nil)
		for _, c := range []*rawClient{alice, bob} {
			if l := c.leave(); l.Reason != livekit.DisconnectReason_ROOM_DELETED || l.Action != livekit.LeaveRequest_DISCONNECT {
				t.Errorf("%s is told %v", c.name, l)
			}
		}
	})
	row(t, "api-room-metadata", func(t *testing.T) {
		j := newJournal(t)
		room := roomName(t)
		alice := rawJoin(t, j, "alice", rawSetup{room: room})
		adminOf(t, room).must("UpdateRoomMetadata", &livekit.UpdateRoomMetadataRequest{Room: room, Metadata: "agenda"}, nil)
		alice.wait("metadata", func(m *livekit.SignalResponse) bool { return m.GetRoomUpdate().GetRoom().GetMetadata() == "agenda" })
		if got := rawJoin(t, j, "bob", rawSetup{room: room}).join.Room.Metadata; got != "agenda" {
			t.Errorf("bob reads %q", got)
		}
	})
	row(t, "api-send-data", func(t *testing.T) {
		j := newJournal(t)
		room := roomName(t)
		alice, bob := rawJoin(t, j, "alice", rawSetup{room: room}).connect(), rawJoin(t, j, "bob", rawSetup{room: room, single: true}).connect()
		send := func(text string, to ...string) {
			adminOf(t, room).must("SendData", &livekit.SendDataRequest{Room: room, Data: []byte(text), Kind: livekit.DataPacket_RELIABLE, DestinationIdentities: to}, nil)
		}
		send("for bob", "bob")
		send("for all")
		for _, c := range []*rawClient{alice, bob} {
			if p := c.heard("for all"); p.Sequence != 0 || p.ParticipantIdentity != "" {
				t.Errorf("%s heard %v", c.name, p)
			}
		}
		if got := texts(alice); !slices.Equal(got, []string{"for all"}) {
			t.Errorf("alice heard %q", got)
		}
		bob.heard("for bob")
	})
	row(t, "api-mute", func(t *testing.T) {
		j := newJournal(t)
		room := roomName(t)
		alice, bob := rawJoin(t, j, "alice", rawSetup{room: room}).connect(), rawJoin(t, j, "bob", rawSetup{room: room})
		voice := alice.publish(livekit.TrackType_AUDIO, "voice")
		req := &livekit.MuteRoomTrackRequest{Room: room, Identity: "alice", TrackSid: voice.sid(), Muted: true}
		var res livekit.MuteRoomTrackResponse
		adminOf(t, room).must("MutePublishedTrack", req, &res)
		if res.Track.GetSid() != voice.sid() || !res.Track.Muted {
			t.Errorf("answered %v", &res)
		}
		m := alice.wait("mute", func(m *livekit.SignalResponse) bool { return m.GetMute() != nil }).GetMute()
		if m.Sid != voice.sid() || !m.Muted {
			t.Errorf("alice is told %v", m)
		}
		bob.info("alice", "is muted", func(p *livekit.ParticipantInfo) bool { return trackOf(p, voice.sid()).GetMuted() })
		req.Muted = false // nobody opens another's microphone
		if status, code := adminOf(t, room).call("MutePublishedTrack", req, nil); status == http.StatusOK {
			t.Errorf("unmuted from afar: %d %s", status, code)
		}
	})
	row(t, "api-subscriptions", func(t *testing.T) {
		j := newJournal(t)
		room := roomName(t)
		alice, bob := rawJoin(t, j, "alice", rawSetup{room: room}).connect(), rawJoin(t, j, "bob", rawSetup{room: room, query: map[string][]string{"auto_subscribe": {"0"}}}).connect()
		voice := alice.publish(livekit.TrackType_AUDIO, "voice")
		voice.play()
		adminOf(t, room).must("UpdateSubscriptions", &livekit.UpdateSubscriptionsRequest{Room: room, Identity: "bob", TrackSids: []string{voice.sid()}, Subscribe: true}, nil)
		bob.receives(voice.sid(), 5)
	})
}

// Rights change while somebody is in, as when a lobby lets them through.
func TestPermissions(t *testing.T) {
	t.Parallel()
	both := func(t *testing.T, f func(t *testing.T, j *journal, s rawSetup)) {
		for _, single := range []bool{false, true} {
			f(t, newJournal(t), rawSetup{room: roomName(t), single: single})
		}
	}
	allow := func(t *testing.T, room, who string, p *livekit.ParticipantPermission) {
		t.Helper()
		adminOf(t, room).must("UpdateParticipant", &livekit.UpdateParticipantRequest{Room: room, Identity: who, Permission: p}, nil)
	}
	row(t, "perm-told", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			alice, bob := rawJoin(t, j, "alice", s), rawJoin(t, j, "bob", s)
			alice.wait("refresh_token", func(m *livekit.SignalResponse) bool { return m.GetRefreshToken() != "" })
			alice.forget()
			allow(t, s.room, "alice", &livekit.ParticipantPermission{CanSubscribe: true, CanPublishData: true})
			for _, c := range []*rawClient{alice, bob} {
				c.info("alice", "may publish no more", func(p *livekit.ParticipantInfo) bool { return p.Permission != nil && !p.Permission.CanPublish })
			}
			text := alice.wait("refresh_token", func(m *livekit.SignalResponse) bool { return m.GetRefreshToken() != "" }).GetRefreshToken()
			again := rawJoin(t, j, "alice", rawSetup{token: text}).join.Participant.Permission
			if again.CanPublish || !again.CanSubscribe || !again.CanPublishData {
				t.Errorf("the new token allows %v", again)
			}
		})
	})
	row(t, "perm-publish", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			alice, bob := rawJoin(t, j, "alice", s).connect(), rawJoin(t, j, "bob", s).connect()
			voice := alice.publish(livekit.TrackType_AUDIO, "voice")
			voice.play()
			bob.receives(voice.sid(), 5)
			allow(t, s.room, "alice", &livekit.ParticipantPermission{CanSubscribe: true})
			alice.wait("TrackUnpublished", func(m *livekit.SignalResponse) bool { return m.GetTrackUnpublished().GetTrackSid() == voice.sid() })
			bob.info("alice", "has no track", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 0 && !p.Permission.GetCanPublish() })
			alice.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: addRequest(livekit.TrackType_AUDIO, "more")}})
			alice.refusal(livekit.RequestResponse_NOT_ALLOWED)
			allow(t, s.room, "alice", &livekit.ParticipantPermission{CanSubscribe: true, CanPublish: true, CanPublishData: true})
			alice.info("alice", "may again", func(p *livekit.ParticipantInfo) bool {
				return p.Permission.GetCanPublish() && p.Permission.CanPublishData
			})
			again := alice.publish(livekit.TrackType_AUDIO, "again")
			again.play()
			bob.receives(again.sid(), 5)
			alice.say("_reliable", user("heard"))
			bob.heard("heard")
		})
	})
	row(t, "perm-subscribe", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			alice := rawJoin(t, j, "alice", rawSetup{room: s.room}).connect()
			bob, witness := rawJoin(t, j, "bob", s).connect(), rawJoin(t, j, "witness", rawSetup{room: s.room}).connect()
			voice := alice.publish(livekit.TrackType_AUDIO, "voice")
			voice.play()
			bob.receives(voice.sid(), 5)
			allow(t, s.room, "bob", &livekit.ParticipantPermission{CanPublish: true})
			bob.info("bob", "may not subscribe", func(p *livekit.ParticipantInfo) bool { return p.Permission != nil && !p.Permission.CanSubscribe })
			witness.moreOf(voice.sid(), 25)
			bob.mu.Lock()
			n := bob.packets[voice.sid()]
			bob.mu.Unlock()
			witness.moreOf(voice.sid(), 25)
			bob.mu.Lock()
			more := bob.packets[voice.sid()] - n
			bob.mu.Unlock()
			if more > 0 {
				t.Errorf("bob hears %d more packets", more)
			}
			allow(t, s.room, "bob", &livekit.ParticipantPermission{CanPublish: true, CanSubscribe: true})
			bob.moreOf(voice.sid(), 5)
		})
	})
	row(t, "perm-lobby", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			host := rawJoin(t, j, "host", rawSetup{room: s.room}).connect()
			voice := host.publish(livekit.TrackType_AUDIO, "voice")
			voice.play()
			waiting := s
			waiting.grant = noRights
			guest := rawJoin(t, j, "guest", waiting).connect()
			allow(t, s.room, "guest", &livekit.ParticipantPermission{CanSubscribe: true, CanPublish: true, CanPublishData: true})
			guest.receives(voice.sid(), 5)
			own := guest.publish(livekit.TrackType_AUDIO, "own")
			own.play()
			host.receives(own.sid(), 5)
			guest.mu.Lock()
			defer guest.mu.Unlock()
			known := slices.ContainsFunc(guest.join.OtherParticipants, func(p *livekit.ParticipantInfo) bool { return trackOf(p, voice.sid()) != nil })
			for _, m := range guest.log {
				for _, p := range m.GetUpdate().GetParticipants() {
					known = known || trackOf(p, voice.sid()) != nil
				}
				if !known && strings.Contains(m.GetOffer().GetSdp()+m.GetAnswer().GetSdp(), voice.sid()) {
					t.Error("a description came before whom it names")
				}
			}
		})
	})
}
