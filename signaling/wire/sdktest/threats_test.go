package sdktest

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// The threats to a meeting that need media to be shown: what others of them can be shown
// at the door alone is in cmd/aparte/threats.

// meetingRoom is a meeting of the program with a host in it.
type meetingRoom struct {
	t     *testing.T
	j     *journal
	srv   *server
	agent *http.Client
	id    string
	host  *rawClient
	voice *rawTrack // of the host, playing
}

func newMeeting(t *testing.T, single bool) *meetingRoom {
	t.Helper()
	return newMeetingAt(t, t.TempDir(), single)
}

// newMeetingAt is newMeeting with the folder of the server's data.
func newMeetingAt(t *testing.T, dataDir string, single bool) *meetingRoom {
	t.Helper()
	return newMeetingOn(t, ownServer(t, dataDir), single)
}

// newMeetingOn begins one on a server.
func newMeetingOn(t *testing.T, srv *server, single bool) *meetingRoom {
	t.Helper()
	m := &meetingRoom{t: t, j: newJournal(t), srv: srv}
	m.agent = m.srv.signIn(t)
	var made struct{ ID string }
	m.must(m.agent, "", "meetings", map[string]any{"title": "Coopération consulaire"}, &made)
	m.id = made.ID
	var seat struct{ Token, Identity string }
	m.must(m.agent, "", "meetings/"+m.id+"/join", nil, &seat)
	m.host = m.join(seat.Identity, seat.Token, single)
	m.voice = m.host.publish(livekit.TrackType_AUDIO, "voice", microphone)
	m.voice.play()
	return m
}

// microphone is what the permission to speak allows.
func microphone(r *livekit.AddTrackRequest) { r.Source = livekit.TrackSource_MICROPHONE }

func (m *meetingRoom) join(identity, token string, single bool) *rawClient {
	m.t.Helper()
	return rawJoin(m.t, m.j, identity, rawSetup{server: m.srv, token: token, single: single}).connect()
}

// call asks the API as an agent or with a lobby session.
func (m *meetingRoom) call(client *http.Client, session, path string, body any) (int, []byte) {
	m.t.Helper()
	return m.send(http.MethodPost, client, session, path, body)
}

func (m *meetingRoom) send(method string, client *http.Client, session, path string, body any) (int, []byte) {
	m.t.Helper()
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			m.t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(m.t.Context(), method, m.srv.base.JoinPath("api/v1", path).String(), bytes.NewReader(raw))
	if err != nil {
		m.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if session != "" {
		req.Header.Set("Authorization", "Bearer "+session)
	}
	res, err := client.Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return res.StatusCode, answer
}

func (m *meetingRoom) must(client *http.Client, session, path string, body, into any) {
	m.t.Helper()
	status, answer := m.call(client, session, path, body)
	if status >= 300 {
		m.t.Fatalf("%s: %d %s", path, status, answer)
	}
	if into != nil {
		unmarshal(m.t, answer, into)
	}
}

// invited is a guest who was let in, with everything that it was ever given.
type invited struct {
	link, code, session, token, identity string
}

// invite makes a personal link, opens it, knocks and lets in.
func (m *meetingRoom) invite(name string, as ...string) invited {
	m.t.Helper()
	g := m.comes(name, as...)
	var all struct {
		Knocks []struct{ ID, Identity string }
	}
	m.must(m.agent, "", "meetings/"+m.id+"/knocks/admit-all", map[string]any{}, &all)
	var token struct{ Token, Identity string }
	m.must(http.DefaultClient, g.session, "guest/token", nil, &token)
	g.token, g.identity = token.Token, token.Identity
	return g
}

// observes is invite for an observer.
func (m *meetingRoom) observes(name string) invited { return m.invite(name, "observer") }

// comes makes a personal link, opens it and knocks.
func (m *meetingRoom) comes(name string, as ...string) invited {
	m.t.Helper()
	code := make([]byte, 32)
	_, _ = rand.Read(code)
	sum := sha256.Sum256(code)
	g := invited{code: base64.RawURLEncoding.EncodeToString(code)}
	var link struct{ ID string }
	draft := map[string]any{
		"kind": "personal", "guest_name": name, "expires_at": time.Now().Add(time.Hour), "code_hash": base64.RawURLEncoding.EncodeToString(sum[:]),
	}
	if len(as) > 0 {
		draft["role"] = as[0]
	}
	m.must(m.agent, "", "meetings/"+m.id+"/links", draft, &link)
	g.link = link.ID
	var redeemed struct{ Session string }
	m.must(http.DefaultClient, "", "guest/redeem", map[string]any{"link_id": g.link, "code": g.code}, &redeemed)
	g.session = redeemed.Session
	m.must(http.DefaultClient, g.session, "guest/knock", map[string]any{"name": name}, nil)
	return g
}

// opens says whether a token still opens any door, in any form of the protocol.
func (m *meetingRoom) opens(token, sid string) (doors []string) {
	m.t.Helper()
	for _, single := range []bool{false, true} {
		for _, path := range []string{"", "validate"} {
			for _, resume := range []bool{false, true} {
				s := rawSetup{server: m.srv, single: single}
				if resume {
					s.query = map[string][]string{"reconnect": {"1"}, "sid": {sid}}
					s.edit = func(r *livekit.JoinRequest) { r.Reconnect, r.ParticipantSid = true, sid }
				}
				u := s.url(m.t, token)
				u = u.JoinPath(path)
				req, err := http.NewRequestWithContext(m.t.Context(), http.MethodGet, u.String(), nil)
				if err != nil {
					m.t.Fatal(err)
				}
				if path == "" {
					for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
						req.Header.Set(k, v)
					}
				}
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					m.t.Fatal(err)
				}
				res.Body.Close()
				if res.StatusCode != http.StatusUnauthorized {
					doors = append(doors, fmt.Sprintf("%s resume %t: %s", u.Path, resume, res.Status))
				}
			}
		}
	}
	return doors
}

func (c *rawClient) packetsOf(sid string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.packets[sid]
}

// CVE-2024-33530, CVE-2022-41961: after a host has removed a guest nothing is forwarded to or
// from either of its tabs, which hold on to their connections, and nothing that it was ever
// given opens anything.
func TestARemovedGuestIsOutInBothTabs(t *testing.T) {
	t.Parallel()
	for _, single := range []bool{false, true} {
		t.Run(fmt.Sprintf("single %t", single), func(t *testing.T) {
			t.Parallel()
			m := newMeeting(t, single)
			w, g := m.invite("Témoin"), m.invite("Inês Duarte")
			witness := m.join(w.identity, w.token, single)
			tab1 := m.join(g.identity, g.token, single)
			tab1.receives(m.voice.sid(), 5)
			var again struct{ Token string }
			m.must(http.DefaultClient, g.session, "guest/token", nil, &again)
			tab2 := m.join(g.identity, again.Token, single)
			tab2.receives(m.voice.sid(), 5)
			own := tab2.publish(livekit.TrackType_AUDIO, "own", microphone)
			own.play()
			witness.receives(own.sid(), 5)
			witness.receives(m.voice.sid(), 5)

			began := time.Now()
			m.must(m.agent, "", "meetings/"+m.id+"/participants/"+g.identity+"/remove", nil, nil)
			answered := time.Since(began)
			witness.moreOf(m.voice.sid(), 5) // 100 ms, for what was on its way
			first, second, heard := tab1.packetsOf(m.voice.sid()), tab2.packetsOf(m.voice.sid()), witness.packetsOf(own.sid())
			t.Logf("the host had the answer after %s", answered)
			witness.moreOf(m.voice.sid(), 50)
			if a, b, c := tab1.packetsOf(m.voice.sid())-first, tab2.packetsOf(m.voice.sid())-second, witness.packetsOf(own.sid())-heard; a+b+c > 0 {
				t.Errorf("in the second after the removal %d packets reached the first tab, %d the second, %d came from it", a, b, c)
			}

			tokens := map[string]string{"the first token": g.token, "the second token": again.Token}
			for i, c := range []*rawClient{tab1, tab2} {
				for n, text := range allOf(c, (*livekit.SignalResponse).GetRefreshToken) {
					if text != "" {
						tokens[fmt.Sprintf("token %d refreshed in tab %d", n, i+1)] = text
					}
				}
			}
			if len(tokens) < 3 {
				t.Error("no tab was given a refreshed token: that case was not tried")
			}
			for what, token := range tokens {
				for _, sid := range []string{tab1.sid(), tab2.sid()} {
					if doors := m.opens(token, sid); len(doors) > 0 {
						t.Errorf("%s opens %v", what, doors)
					}
				}
			}
			for _, c := range []struct {
				session, path string
				body          any
				code          string
			}{
				{g.session, "guest/token", nil, "denied"},
				{g.session, "guest/knock", map[string]any{"name": "Inês Duarte"}, "denied"},
				{"", "guest/redeem", map[string]any{"link_id": g.link, "code": g.code}, "link-in-use"},
			} {
				if status, answer := m.call(http.DefaultClient, c.session, c.path, c.body); !strings.Contains(string(answer), "urn:aparte:problem:"+c.code) {
					t.Errorf("%s: %d %s, want %s", c.path, status, answer, c.code)
				}
			}
			if doors := m.opens(w.token, witness.sid()); len(doors) != 8 {
				t.Errorf("the doors that stay open to whoever stays: %v", doors)
			}
		})
	}
}

// verdicts on each message of a client that names somebody else, by its name in the protocol.
// What a client is told in return; nobody else may notice anything. A message that has no
// verdict here fails the test.
var verdicts = map[string]string{
	"offer":                        "ends the sender's session",
	"answer":                       "ends the sender's session",
	"trickle":                      "ignored",
	"add_track":                    "REFUSED",
	"mute":                         "ignored",
	"subscription":                 "about what the sender receives",
	"track_setting":                "about what the sender receives",
	"leave":                        "ends the sender's session",
	"update_layers":                "ignored",
	"subscription_permission":      "about the sender's own tracks",
	"sync_state":                   "ends the sender's session",
	"simulate":                     "about the sender's own session",
	"ping":                         "answered with a pong",
	"update_metadata":              "REFUSED",
	"ping_req":                     "answered with a pong",
	"update_audio_track":           "ignored",
	"update_video_track":           "ignored",
	"publish_data_track_request":   "REFUSED",
	"unpublish_data_track_request": "REFUSED",
	"update_data_subscription":     "ignored",
	"store_data_blob_request":      "REFUSED",
	"get_data_blob_request":        "REFUSED",
}

// CVE-2022-41960, JSA-2022-0004: every message of the protocol, filled with another
// participant's ids.
func TestIdsInMessagesAreNotBelieved(t *testing.T) {
	t.Parallel()
	m := newMeeting(t, false)
	v := m.invite("Victime")
	victim := m.join(v.identity, v.token, false)
	voice := victim.publish(livekit.TrackType_AUDIO, "voice", microphone)
	voice.play()
	m.host.receives(voice.sid(), 5)
	before := proto.CloneOf(m.host.info(v.identity, "publishes", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 1 }))
	ids := victimIDs{track: voice.sid(), participant: victim.sid(), identity: v.identity}

	var attacker *rawClient
	fields := (&livekit.SignalRequest{}).ProtoReflect().Descriptor().Oneofs().ByName("message").Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		name := string(field.Name())
		want, judged := verdicts[name]
		if !judged {
			t.Errorf("message %q has no verdict: say what it may do with another's ids", name)
			continue
		}
		if attacker == nil {
			g := m.invite("Mallory, " + name)
			attacker = rawJoin(t, m.j, g.identity, rawSetup{server: m.srv, token: g.token})
		}
		attacker.settle()
		attacker.forget()
		msg := &livekit.SignalRequest{}
		if field.Message() == nil {
			msg.ProtoReflect().Set(field, ids.value(field))
		} else {
			ids.fill(msg.ProtoReflect().Mutable(field).Message(), 4)
		}
		attacker.send(msg)
		got := attacker.outcome()
		if got == "ended" {
			attacker = nil
			got = "ends the sender's session"
		}
		if got != want && (got != "" || want == "REFUSED" || strings.HasPrefix(want, "ends") || strings.HasPrefix(want, "answered")) {
			t.Errorf("%s with another's ids: %q, want %q", name, got, want)
		}
		// Everybody else is as before, and hears as before.
		for _, c := range []*rawClient{m.host, victim} {
			c.settle()
		}
		m.host.moreOf(voice.sid(), 5)
		victim.moreOf(m.voice.sid(), 5)
	}
	all := m.host.updates(v.identity)
	after := proto.CloneOf(all[len(all)-1])
	after.Version, after.State, before.Version, before.State = 0, 0, 0, 0
	if !proto.Equal(after, before) {
		t.Errorf("the victim is now %v\nwas %v", after, before)
	}
	for _, c := range []*rawClient{m.host, victim} {
		c.mu.Lock()
		for _, r := range c.log {
			if r.GetLeave() != nil || r.GetMute() != nil || r.GetTrackUnpublished() != nil || strings.Contains(r.String(), `"evil"`) {
				t.Errorf("%s was told %s", c.name, brief(r))
			}
		}
		c.mu.Unlock()
	}
}

// outcome is what the client is told next about what it sent: a refusal, a pong, its end, or
// nothing ("") by the time that a later message is answered.
func (c *rawClient) outcome() string {
	c.t.Helper()
	c.mu.Lock()
	c.offerID++
	sid := fmt.Sprintf("TR_settle%d", c.offerID)
	c.mu.Unlock()
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Subscription{
		Subscription: &livekit.UpdateSubscription{TrackSids: []string{sid}, Subscribe: true},
	}})
	found := ""
	c.until("an outcome", func() bool {
		settled := false
		for _, r := range c.log {
			switch {
			case r.GetLeave() != nil:
				found = "ended"
				return true
			case r.GetRequestResponse() != nil && r.GetRequestResponse().Reason != livekit.RequestResponse_OK:
				found = "REFUSED"
			case r.GetPongResp() != nil, r.GetPong() != 0:
				found = "answered with a pong"
			case r.GetTrackPublished() != nil:
				found = "published"
			case r.GetSubscriptionResponse().GetTrackSid() == sid:
				settled = true
			}
		}
		if c.ended != nil {
			found = "ended"
		}
		return settled || c.ended != nil
	})
	return found
}

// victimIDs are put wherever a message has room for an id.
type victimIDs struct{ track, participant, identity string }

// fill sets every field of a message: ids to the victim's, words to evil ones, flags to true,
// numbers to one; and so on in what it holds, to a depth.
func (v victimIDs) fill(m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		switch {
		case field.IsMap():
			if field.MapKey().Kind() == protoreflect.StringKind && field.MapValue().Kind() == protoreflect.StringKind {
				m.Mutable(field).Map().Set(protoreflect.ValueOfString("evil").MapKey(), protoreflect.ValueOfString("evil"))
			}
		case field.ContainingOneof() != nil && m.WhichOneof(field.ContainingOneof()) != nil:
			// one of it is enough
		case field.Message() != nil && depth == 0:
		case field.Message() != nil && field.IsList():
			v.fill(m.Mutable(field).List().AppendMutable().Message(), depth-1)
		case field.Message() != nil:
			v.fill(m.Mutable(field).Message(), depth-1)
		case field.IsList():
			m.Mutable(field).List().Append(v.value(field))
		default:
			m.Set(field, v.value(field))
		}
	}
}

func (v victimIDs) value(field protoreflect.FieldDescriptor) protoreflect.Value {
	name := string(field.Name())
	switch field.Kind() {
	case protoreflect.StringKind:
		switch {
		case strings.Contains(name, "identit"):
			return protoreflect.ValueOfString(v.identity)
		case strings.Contains(name, "participant"):
			return protoreflect.ValueOfString(v.participant)
		case strings.Contains(name, "sid"), strings.Contains(name, "cid"), strings.Contains(name, "id"):
			return protoreflect.ValueOfString(v.track)
		}
		return protoreflect.ValueOfString("evil")
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte("evil"))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(field.Enum().Values().Get(field.Enum().Values().Len() - 1).Number())
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(1)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(1)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(1)
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(1)
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(1)
	default:
		return protoreflect.ValueOfFloat64(1)
	}
}

// What people write, show and ask for goes through the API, which says who they are. No
// data of a participant's own is passed on in a meeting, whatever its kind and in whoever's
// name; what does not decode disturbs nobody (CVE-2025-61602).
func TestNobodyWritesInAnothersName(t *testing.T) {
	t.Parallel()
	m := newMeeting(t, false)
	v, g := m.invite("Victime"), m.invite("Mallory")
	victim := m.join(v.identity, v.token, false)
	attacker := m.join(g.identity, g.token, false)
	ids := victimIDs{track: "TR_x", participant: victim.sid(), identity: v.identity}
	const dropped = `aparte_room_dropped_total{reason="not_allowed"}`
	before, sent := m.srv.metric(t, dropped), 0
	fields := (&livekit.DataPacket{}).ProtoReflect().Descriptor().Oneofs().ByName("value").Fields()
	for i := range fields.Len() {
		packet := &livekit.DataPacket{ParticipantIdentity: v.identity, ParticipantSid: victim.sid()}
		ids.fill(packet.ProtoReflect().Mutable(fields.Get(i)).Message(), 4)
		attacker.say("_reliable", packet)
		sent++
	}
	for _, text := range []string{"<b>bold</b>", "\u202eexe", "a\r\nb", "\x00", strings.Repeat("é", 4000)} {
		attacker.say("_reliable", user(text))
		sent++
	}
	channel := attacker.channels["_reliable"]
	for _, raw := range [][]byte{{0xff}, bytes.Repeat([]byte{0x0a}, 1000), []byte("hello"), {0x12, 0xff, 0xff, 0xff, 0xff, 0x0f}} {
		if err := channel.Send(raw); err != nil {
			t.Fatal(err)
		}
		sent++
	}
	tick, late := time.NewTicker(50*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for m.srv.metric(t, dropped) < before+sent {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%d of %d messages have come to the server and were dropped", m.srv.metric(t, dropped)-before, sent)
		}
	}
	for who, c := range map[string]*rawClient{"the host": m.host, "the victim": victim} {
		c.mu.Lock()
		for _, d := range c.data {
			if d.packet.GetUser().GetTopic() == "" || d.packet.ParticipantIdentity != "" {
				t.Errorf("%s was sent %v", who, d.packet)
			}
		}
		c.mu.Unlock()
	}
	victim.moreOf(m.voice.sid(), 5)
}
