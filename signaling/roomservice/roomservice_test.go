package roomservice_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"github.com/twitchtv/twirp"

	"aparte/sfu"
)

// calls are all methods, each on a room and a participant in it.
var calls = map[string]func(context.Context, livekit.RoomService, string, string, string) error{
	"CreateRoom": func(ctx context.Context, c livekit.RoomService, room, _, _ string) error {
		_, err := c.CreateRoom(ctx, &livekit.CreateRoomRequest{Name: room, Metadata: "taken over"})
		return err
	},
	"ListRooms": func(ctx context.Context, c livekit.RoomService, room, _, _ string) error {
		_, err := c.ListRooms(ctx, &livekit.ListRoomsRequest{Names: []string{room}})
		return err
	},
	"DeleteRoom": func(ctx context.Context, c livekit.RoomService, room, _, _ string) error {
		_, err := c.DeleteRoom(ctx, &livekit.DeleteRoomRequest{Room: room})
		return err
	},
	"ListParticipants": func(ctx context.Context, c livekit.RoomService, room, _, _ string) error {
		_, err := c.ListParticipants(ctx, &livekit.ListParticipantsRequest{Room: room})
		return err
	},
	"GetParticipant": func(ctx context.Context, c livekit.RoomService, room, who, _ string) error {
		_, err := c.GetParticipant(ctx, &livekit.RoomParticipantIdentity{Room: room, Identity: who})
		return err
	},
	"RemoveParticipant": func(ctx context.Context, c livekit.RoomService, room, who, _ string) error {
		_, err := c.RemoveParticipant(ctx, &livekit.RoomParticipantIdentity{Room: room, Identity: who})
		return err
	},
	"MutePublishedTrack": func(ctx context.Context, c livekit.RoomService, room, who, sid string) error {
		_, err := c.MutePublishedTrack(ctx, &livekit.MuteRoomTrackRequest{Room: room, Identity: who, TrackSid: sid, Muted: true})
		return err
	},
	"UpdateParticipant": func(ctx context.Context, c livekit.RoomService, room, who, _ string) error {
		_, err := c.UpdateParticipant(ctx, &livekit.UpdateParticipantRequest{
			Room: room, Identity: who, Metadata: "m", Name: "n", Attributes: map[string]string{"a": "b"},
			Permission: &livekit.ParticipantPermission{CanSubscribe: true},
		})
		return err
	},
	"UpdateSubscriptions": func(ctx context.Context, c livekit.RoomService, room, who, sid string) error {
		_, err := c.UpdateSubscriptions(ctx, &livekit.UpdateSubscriptionsRequest{Room: room, Identity: who, TrackSids: []string{sid}})
		return err
	},
	"SendData": func(ctx context.Context, c livekit.RoomService, room, who, _ string) error {
		_, err := c.SendData(ctx, &livekit.SendDataRequest{Room: room, Data: []byte("x"), DestinationIdentities: []string{who}})
		return err
	},
	"UpdateRoomMetadata": func(ctx context.Context, c livekit.RoomService, room, _, _ string) error {
		_, err := c.UpdateRoomMetadata(ctx, &livekit.UpdateRoomMetadataRequest{Room: room, Metadata: "changed"})
		return err
	},
	"ForwardParticipant": func(ctx context.Context, c livekit.RoomService, room, who, _ string) error {
		_, err := c.ForwardParticipant(ctx, &livekit.ForwardParticipantRequest{Room: room, Identity: who, DestinationRoom: "elsewhere"})
		return err
	},
	"MoveParticipant": func(ctx context.Context, c livekit.RoomService, room, who, _ string) error {
		_, err := c.MoveParticipant(ctx, &livekit.MoveParticipantRequest{Room: room, Identity: who, DestinationRoom: "elsewhere"})
		return err
	},
	"PerformRpc": func(ctx context.Context, c livekit.RoomService, room, who, _ string) error {
		_, err := c.PerformRpc(ctx, &livekit.PerformRpcRequest{Room: room, DestinationIdentity: who, Method: "m"})
		return err
	},
}

func code(err error) twirp.ErrorCode {
	if e, ok := errors.AsType[twirp.Error](err); ok {
		return e.Code()
	}
	return ""
}

func isCode(t *testing.T, what string, err error, want twirp.ErrorCode) {
	t.Helper()
	if code(err) != want {
		t.Errorf("%s: %v, want %q", what, err, want)
	}
}

// A meeting is out of reach: whatever is called on a room of its name, it is the
// integration's room that is meant, and where there is none nothing is found.
func TestMeetingsAreOutOfReach(t *testing.T) {
	r := newRig(t)
	meeting, _ := r.join(sfu.RoomKey{Space: sfu.MeetingSpace, Name: "both"}, "ann")
	alone, aloneTrack := r.join(sfu.RoomKey{Space: sfu.MeetingSpace, Name: "alone"}, "ann")
	before := snapshot(t, r.sfu.Meetings(), "both") + snapshot(t, r.sfu.Meetings(), "alone")
	heard, heardAlone := meeting.count(), alone.count()

	for name, call := range calls {
		ann, track := r.join(sfu.RoomKey{Name: "both"}, "ann")
		c := r.client(everything("both"), false)
		err := call(t.Context(), c, "both", "ann", track)
		switch name {
		case "ForwardParticipant", "MoveParticipant", "PerformRpc":
			isCode(t, name, err, twirp.Unimplemented)
		default:
			if err != nil {
				t.Errorf("%s on the integration's room: %v", name, err)
			}
		}
		ann.session.Remove(livekit.DisconnectReason_CLIENT_INITIATED)

		c = r.client(everything("alone"), true)
		err = call(t.Context(), c, "alone", "ann", aloneTrack)
		switch name {
		case "ForwardParticipant", "MoveParticipant", "PerformRpc":
			isCode(t, name, err, twirp.Unimplemented)
		case "ListRooms", "ListParticipants", "CreateRoom":
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		default:
			isCode(t, name+" on a meeting's name", err, twirp.NotFound)
		}
		r.sfu.Integration().CloseRoom("alone", livekit.DisconnectReason_ROOM_CLOSED) // of CreateRoom
	}
	c := r.client(everything("alone"), false)
	if list, err := c.ListRooms(t.Context(), &livekit.ListRoomsRequest{}); err != nil || slices.ContainsFunc(list.Rooms, func(r *livekit.Room) bool { return r.Name == "alone" }) {
		t.Errorf("rooms %v, %v: the meeting is among them", list, err)
	}
	if list, err := c.ListParticipants(t.Context(), &livekit.ListParticipantsRequest{Room: "alone"}); err != nil || len(list.Participants) != 0 {
		t.Errorf("participants of a meeting: %v, %v", list, err)
	}
	if after := snapshot(t, r.sfu.Meetings(), "both") + snapshot(t, r.sfu.Meetings(), "alone"); after != before {
		t.Error("a meeting changed")
	}
	if meeting.count() != heard || alone.count() != heardAlone {
		t.Errorf("participants of meetings heard %d and %d messages", meeting.count()-heard, alone.count()-heardAlone)
	}
}

// Every method refuses a caller without token, with a bad one, and without the grant.
func TestEveryMethodNeedsItsGrant(t *testing.T) {
	r := newRig(t)
	_, track := r.join(sfu.RoomKey{Name: "r"}, "ann")
	before := snapshot(t, r.sfu.Integration(), "r")
	full := everything("r")
	for name, call := range calls {
		for what, h := range map[string]*http.Client{
			"no token":        {},
			"unknown key":     {Transport: &bearing{bearer(t, "other", apiSecret, full)}},
			"wrong secret":    {Transport: &bearing{bearer(t, apiKey, "wrong", full)}},
			"a meeting's key": {Transport: &bearing{bearer(t, "aparte-meetings", apiSecret, full)}},
			"garbage":         {Transport: &bearing{"garbage"}},
		} {
			isCode(t, name+", "+what, call(t.Context(), livekit.NewRoomServiceProtobufClient(r.url, h), "r", "ann", track), twirp.Unauthenticated)
		}
		for what, grant := range map[string]*auth.VideoGrant{
			"joining only":  {RoomJoin: true, Room: "r"},
			"another room":  {RoomAdmin: true, Room: "other"},
			"no room named": {RoomAdmin: true},
		} {
			isCode(t, name+", "+what, call(t.Context(), r.client(grant, false), "r", "ann", track), twirp.PermissionDenied)
		}
	}
	isCode(t, "empty room", calls["DeleteRoom"](t.Context(), r.client(everything(""), false), "", "", ""), twirp.NotFound)
	isCode(t, "empty name", calls["CreateRoom"](t.Context(), r.client(everything(""), false), "", "", ""), twirp.InvalidArgument)
	isCode(t, "admin of no room", calls["ListParticipants"](t.Context(), r.client(everything(""), false), "", "", ""), twirp.PermissionDenied)
	if snapshot(t, r.sfu.Integration(), "r") != before {
		t.Error("a refused call changed the room")
	}
}

func TestHTTPStatusAndForms(t *testing.T) {
	r := newRig(t)
	good := "Bearer " + bearer(t, apiKey, apiSecret, everything("r"))
	post := func(path, contentType, authorization, body string) (int, string, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", contentType)
		if authorization != "" {
			req.Header.Set("Authorization", authorization)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		var e struct{ Code, Msg string }
		if resp.StatusCode != http.StatusOK {
			if err := json.Unmarshal(raw, &e); err != nil || e.Msg == "" {
				t.Errorf("%s: answer %q is no Twirp error", path, raw)
			}
		}
		return resp.StatusCode, e.Code, string(raw)
	}
	const base = "/twirp/livekit.RoomService/"
	deep := strings.Repeat(`{"a":`, 50000) + "1" + strings.Repeat("}", 50000)
	for _, tt := range []struct {
		what, path, contentType, authorization, body string
		status                                       int
		code                                         string
	}{
		{"no token", base + "ListRooms", "application/json", "", "{}", 401, "unauthenticated"},
		{"not bearer", base + "ListRooms", "application/json", "Basic abc", "{}", 401, "unauthenticated"},
		{"not granted", base + "ListParticipants", "application/json", good, `{"room":"other"}`, 403, "permission_denied"},
		{"no such participant", base + "GetParticipant", "application/json", good, `{"room":"r","identity":"x"}`, 404, "not_found"},
		{"no such method", base + "Nothing", "application/json", good, "{}", 404, "bad_route"},
		{"no such service", "/twirp/livekit.Egress/ListEgress", "application/json", good, "{}", 404, "bad_route"},
		{"not JSON", base + "ListRooms", "application/json", good, "{", 400, "malformed"},
		{"deep JSON", base + "ListRooms", "application/json", good, deep, 400, "malformed"},
		{"not protobuf", base + "CreateRoom", "application/protobuf", good, "\xff\xff\xff", 400, "malformed"},
		{"too long", base + "CreateRoom", "application/json", good, `{"name":"` + strings.Repeat("x", 600<<10) + `"}`, 429, "resource_exhausted"},
		{"name too long", base + "CreateRoom", "application/json", good, `{"name":"` + strings.Repeat("x", 300) + `"}`, 400, "invalid_argument"},
		{"unmute", base + "MutePublishedTrack", "application/json", good, `{"room":"r","identity":"a","track_sid":"t","muted":false}`, 412, "failed_precondition"},
		{"later", base + "PerformRpc", "application/json", good, `{"room":"r"}`, 501, "unimplemented"},
		{"good", base + "ListRooms", "application/json", good, `{}`, 200, ""},
	} {
		if status, got, body := post(tt.path, tt.contentType, tt.authorization, tt.body); status != tt.status || got != tt.code {
			t.Errorf("%s: %d %s %.200s, want %d %s", tt.what, status, got, body, tt.status, tt.code)
		}
	}
}

func TestRooms(t *testing.T) {
	r := newRig(t)
	for _, json := range []bool{false, true} {
		c := r.client(everything("r"), json)
		made, err := c.CreateRoom(t.Context(), &livekit.CreateRoomRequest{
			Name: "r", EmptyTimeout: 60, DepartureTimeout: 7, MaxParticipants: 1, Metadata: "m",
		})
		if err != nil {
			t.Fatal(err)
		}
		if made.Name != "r" || made.EmptyTimeout != 60 || made.DepartureTimeout != 7 || made.MaxParticipants != 1 || made.Metadata != "m" || !strings.HasPrefix(made.Sid, "RM_") {
			t.Errorf("room %v", made)
		}
		again, err := c.CreateRoom(t.Context(), &livekit.CreateRoomRequest{Name: "r", Metadata: "other"})
		if err != nil || again.Sid != made.Sid || again.Metadata != "m" {
			t.Errorf("made again: %v, %v: want the room there is", again, err)
		}
		ann, _ := r.join(sfu.RoomKey{Name: "r"}, "ann")
		if _, err := r.sfu.Join(sfu.JoinParams{Room: sfu.RoomKey{Name: "r"}, Identity: "bob", Permission: &livekit.ParticipantPermission{}}, &guest{}); !errors.Is(err, sfu.ErrFull) {
			t.Errorf("a second participant: %v, want it full", err)
		}
		if _, err := c.CreateRoom(t.Context(), &livekit.CreateRoomRequest{Name: "s"}); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct{ names, want []string }{
			{nil, []string{"r", "s"}}, {[]string{"s", "nowhere"}, []string{"s"}}, {[]string{"nowhere"}, nil},
		} {
			list, err := c.ListRooms(t.Context(), &livekit.ListRoomsRequest{Names: tt.names})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, room := range list.Rooms {
				got = append(got, room.Name)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("rooms %q of %q, want %q", got, tt.names, tt.want)
			}
		}
		if info, err := c.UpdateRoomMetadata(t.Context(), &livekit.UpdateRoomMetadataRequest{Room: "r", Metadata: "new"}); err != nil || info.Metadata != "new" || info.NumParticipants != 1 {
			t.Errorf("room %v, %v", info, err)
		}
		ann.wait(t, "metadata", func(m *livekit.SignalResponse) bool { return m.GetRoomUpdate().GetRoom().GetMetadata() == "new" })
		_, err = c.UpdateRoomMetadata(t.Context(), &livekit.UpdateRoomMetadataRequest{Room: "r", Metadata: strings.Repeat("x", 65<<10)})
		isCode(t, "long metadata", err, twirp.InvalidArgument)
		for _, name := range []string{"r", "s"} {
			if _, err := c.DeleteRoom(t.Context(), &livekit.DeleteRoomRequest{Room: name}); err != nil {
				t.Error(err)
			}
			_, err = c.DeleteRoom(t.Context(), &livekit.DeleteRoomRequest{Room: name})
			isCode(t, "deleted twice", err, twirp.NotFound)
		}
		l := ann.wait(t, "leave", func(m *livekit.SignalResponse) bool { return m.GetLeave() != nil }).GetLeave()
		if l.Reason != livekit.DisconnectReason_ROOM_DELETED || l.Action != livekit.LeaveRequest_DISCONNECT {
			t.Errorf("leave %v", l)
		}
	}
	c := r.client(everything(""), false)
	for i := range 21 {
		_, err := c.CreateRoom(t.Context(), &livekit.CreateRoomRequest{Name: "n" + strings.Repeat("x", i)})
		if want := map[bool]twirp.ErrorCode{true: twirp.ResourceExhausted}[i == 20]; code(err) != want {
			t.Errorf("room %d: %v", i, err)
		}
	}
}

func TestParticipants(t *testing.T) {
	r := newRig(t)
	c := r.client(everything("r"), false)
	ann, mic := r.join(sfu.RoomKey{Name: "r"}, "ann")
	bob, _ := r.join(sfu.RoomKey{Name: "r"}, "bob")
	list, err := c.ListParticipants(t.Context(), &livekit.ListParticipantsRequest{Room: "r"})
	if err != nil || len(list.Participants) != 2 || list.Participants[0].Identity != "ann" || len(list.Participants[0].Tracks) != 1 {
		t.Errorf("participants %v, %v", list, err)
	}
	p, err := c.GetParticipant(t.Context(), &livekit.RoomParticipantIdentity{Room: "r", Identity: "bob"})
	if err != nil || p.Sid != bob.sid {
		t.Errorf("participant %v, %v", p, err)
	}

	muted, err := c.MutePublishedTrack(t.Context(), &livekit.MuteRoomTrackRequest{Room: "r", Identity: "ann", TrackSid: mic, Muted: true})
	if err != nil || !muted.Track.Muted || muted.Track.Sid != mic {
		t.Errorf("muted %v, %v", muted, err)
	}
	ann.wait(t, "mute", func(m *livekit.SignalResponse) bool { return m.GetMute().GetSid() == mic && m.GetMute().GetMuted() })
	annIs := func(muted bool) func(*livekit.SignalResponse) bool {
		return func(m *livekit.SignalResponse) bool {
			return slices.ContainsFunc(m.GetUpdate().GetParticipants(), func(p *livekit.ParticipantInfo) bool {
				return p.Identity == "ann" && len(p.Tracks) == 1 && p.Tracks[0].Muted == muted
			})
		}
	}
	bob.wait(t, "muted", annIs(true))
	told := bob.count()
	_, err = c.MutePublishedTrack(t.Context(), &livekit.MuteRoomTrackRequest{Room: "r", Identity: "bob", TrackSid: mic, Muted: true})
	isCode(t, "another's track", err, twirp.NotFound)
	// It is the client that opens its microphone again.
	ann.session.Handle(ann, &livekit.SignalRequest{Message: &livekit.SignalRequest_Mute{Mute: &livekit.MuteTrackRequest{Sid: mic, Muted: true}}})
	ann.session.Handle(ann, &livekit.SignalRequest{Message: &livekit.SignalRequest_Mute{Mute: &livekit.MuteTrackRequest{Sid: mic}}})
	bob.waitAfter(t, told, "open again", annIs(false))

	p, err = c.UpdateParticipant(t.Context(), &livekit.UpdateParticipantRequest{
		Room: "r", Identity: "ann", Name: "Ann", Metadata: "m", Attributes: map[string]string{"a": "1", "b": "2"},
	})
	if err != nil || p.Name != "Ann" || p.Metadata != "m" || p.Attributes["b"] != "2" || len(p.Tracks) != 1 {
		t.Errorf("participant %v, %v", p, err)
	}
	p, err = c.UpdateParticipant(t.Context(), &livekit.UpdateParticipantRequest{
		Room: "r", Identity: "ann", Attributes: map[string]string{"a": ""},
		Permission: &livekit.ParticipantPermission{CanSubscribe: true, Hidden: true},
	})
	if err != nil || p.Name != "Ann" || len(p.Attributes) != 1 || len(p.Tracks) != 0 || p.Permission.CanPublish || p.Permission.Hidden {
		t.Errorf("participant %v, %v: want what was left, no track, and not hidden", p, err)
	}
	ann.wait(t, "unpublished", func(m *livekit.SignalResponse) bool { return m.GetTrackUnpublished().GetTrackSid() == mic })
	_, err = c.UpdateParticipant(t.Context(), &livekit.UpdateParticipantRequest{Room: "r", Identity: "ann", Name: strings.Repeat("x", 300)})
	isCode(t, "long name", err, twirp.InvalidArgument)

	_, err = c.UpdateSubscriptions(t.Context(), &livekit.UpdateSubscriptionsRequest{Room: "r", Identity: "bob", TrackSids: []string{"TR_none"}, Subscribe: true})
	if err != nil {
		t.Error(err)
	}
	bob.wait(t, "subscription answered", func(m *livekit.SignalResponse) bool {
		return m.GetSubscriptionResponse().GetTrackSid() == "TR_none"
	})
	_, err = c.UpdateSubscriptions(t.Context(), &livekit.UpdateSubscriptionsRequest{Room: "r", Identity: "bob", TrackSids: make([]string, 1000)})
	isCode(t, "many tracks", err, twirp.InvalidArgument)

	if _, err = c.RemoveParticipant(t.Context(), &livekit.RoomParticipantIdentity{Room: "r", Identity: "bob"}); err != nil {
		t.Error(err)
	}
	l := bob.wait(t, "leave", func(m *livekit.SignalResponse) bool { return m.GetLeave() != nil }).GetLeave()
	if l.Reason != livekit.DisconnectReason_PARTICIPANT_REMOVED {
		t.Errorf("leave %v", l)
	}
	_, err = c.RemoveParticipant(t.Context(), &livekit.RoomParticipantIdentity{Room: "r", Identity: "bob"})
	isCode(t, "removed twice", err, twirp.NotFound)
}

func TestSendDataIsBounded(t *testing.T) {
	r := newRig(t)
	r.join(sfu.RoomKey{Name: "r"}, "ann")
	c := r.client(everything("r"), false)
	topic := strings.Repeat("x", 2000)
	for what, q := range map[string]*livekit.SendDataRequest{
		"long":      {Room: "r", Data: bytes.Repeat([]byte("x"), 64001)},
		"receivers": {Room: "r", DestinationIdentities: make([]string, 1001)},
		"topic":     {Room: "r", Topic: &topic},
		"kind":      {Room: "r", Kind: 7},
	} {
		_, err := c.SendData(t.Context(), q)
		isCode(t, what, err, twirp.InvalidArgument)
	}
	// Nobody reads at the other end: the oldest packets make room, no call hangs.
	limit := time.Now().Add(hang)
	for range 200 {
		if _, err := c.SendData(t.Context(), &livekit.SendDataRequest{Room: "r", Data: bytes.Repeat([]byte("x"), 64000)}); err != nil {
			t.Fatal(err)
		}
	}
	if time.Now().After(limit) {
		t.Error("calls waited for a participant that takes nothing")
	}
}
