package threats

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"
)

// signal is a client of the LiveKit protocol that speaks and never connects media: all
// that a door can be tried with.
type signal struct {
	t     testing.TB
	p     *program
	token string
	sid   string // of the participant

	ws *websocket.Conn

	mu    sync.Mutex
	log   []*livekit.SignalResponse // guarded by mu
	ended error                     // guarded by mu
	news  chan struct{}             // holds one when something came
}

// wire asks for a WebSocket of the protocol; v1 sends an empty join_request. The socket
// is nil when it was refused.
func (p *program) wire(token string, v1 bool, reconnect string) (*websocket.Conn, answer) {
	p.t.Helper()
	query := url.Values{"access_token": {token}}
	path := "/rtc"
	if v1 {
		path = "/rtc/v1"
		query.Set("join_request", joinRequest(p.t, reconnect))
	} else {
		query.Set("protocol", "17")
		query.Set("sdk", "js")
		if reconnect != "" {
			query.Set("reconnect", "1")
			query.Set("sid", reconnect)
		}
	}
	return p.person().socket(path+"?"+query.Encode(), nil)
}

func joinRequest(t testing.TB, reconnect string) string {
	t.Helper()
	raw := marshal(t, &livekit.JoinRequest{
		ClientInfo:         &livekit.ClientInfo{Sdk: livekit.ClientInfo_JS, Protocol: 17, Version: "2.23.0"},
		ConnectionSettings: &livekit.ConnectionSettings{AutoSubscribe: true},
		Reconnect:          reconnect != "", ParticipantSid: reconnect,
	})
	return base64.RawURLEncoding.EncodeToString(marshal(t, &livekit.WrappedJoinRequest{JoinRequest: raw}))
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	raw, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// firstOf reads the first message of an open socket.
func firstOf(ws *websocket.Conn) (*livekit.SignalResponse, error) {
	if err := ws.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	_, raw, err := ws.ReadMessage()
	if err != nil {
		return nil, err
	}
	m := &livekit.SignalResponse{}
	return m, proto.Unmarshal(raw, m)
}

// join enters the room of the token.
func (p *program) join(token string) *signal {
	p.t.Helper()
	s := &signal{t: p.t, p: p, token: token, news: make(chan struct{}, 1)}
	s.open("")
	return s
}

func (s *signal) open(reconnect string) {
	s.t.Helper()
	ws, got := s.p.wire(s.token, false, reconnect)
	if ws == nil {
		s.t.Fatalf("join: %d %s", got.status, got.body)
	}
	first, err := firstOf(ws)
	switch {
	case err != nil:
		s.t.Fatal(err)
	case reconnect == "" && first.GetJoin() != nil:
		s.sid = first.GetJoin().Participant.Sid
	case reconnect != "" && first.GetReconnect() != nil:
	default:
		s.t.Fatalf("the first message is %T", first.Message)
	}
	s.ws = ws
	go s.read(ws)
}

func (s *signal) read(ws *websocket.Conn) {
	_ = ws.SetReadDeadline(time.Time{}) // the next read tells
	for {
		_, raw, err := ws.ReadMessage()
		m := &livekit.SignalResponse{}
		if err == nil {
			err = proto.Unmarshal(raw, m)
		}
		s.mu.Lock()
		if s.ended = err; err == nil {
			s.log = append(s.log, m)
		}
		s.mu.Unlock()
		select {
		case s.news <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// heard waits for a message.
func (s *signal) heard(what string, match func(*livekit.SignalResponse) bool) *livekit.SignalResponse {
	s.t.Helper()
	limit := time.After(patience)
	for {
		s.mu.Lock()
		i := slices.IndexFunc(s.log, match)
		var found *livekit.SignalResponse
		if i >= 0 {
			found = s.log[i]
		}
		ended := s.ended
		s.mu.Unlock()
		if found != nil {
			return found
		}
		if ended != nil {
			s.t.Fatalf("%s: the signal ended: %v", what, ended)
		}
		select {
		case <-s.news:
		case <-limit:
			s.t.Fatalf("never: %s", what)
		}
	}
}

func (s *signal) send(m *livekit.SignalRequest) {
	s.t.Helper()
	if err := s.ws.WriteMessage(websocket.BinaryMessage, marshal(s.t, m)); err != nil {
		s.t.Error(err)
	}
}

// leave says good-bye.
func (s *signal) leave() {
	s.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Leave{Leave: &livekit.LeaveRequest{Reason: livekit.DisconnectReason_CLIENT_INITIATED}}})
}

// cut breaks the connection as a network does.
func (s *signal) cut() { _ = s.ws.NetConn().Close() }

func (s *signal) resume() {
	s.t.Helper()
	s.open(s.sid)
}

func participant(m *livekit.SignalResponse, identity string) *livekit.ParticipantInfo {
	for _, i := range m.GetUpdate().GetParticipants() {
		if i.Identity == identity {
			return i
		}
	}
	return nil
}

func offerFrame(t testing.TB) []byte {
	return marshal(t, &livekit.SignalRequest{Message: &livekit.SignalRequest_Offer{Offer: &livekit.SessionDescription{Type: "offer", Sdp: "v=0\r\n"}}})
}

func subscribeFrame(t testing.TB) []byte {
	return marshal(t, &livekit.SignalRequest{Message: &livekit.SignalRequest_Subscription{
		Subscription: &livekit.UpdateSubscription{TrackSids: []string{"TR_x"}, Subscribe: true},
	}})
}

// moved is the cookie jar of an agent for the server at another port.
func (p *program) moved(agent *person) http.CookieJar {
	fresh := p.person().client.Jar
	u, err := url.Parse(p.url)
	if err != nil {
		p.t.Fatal(err)
	}
	fresh.SetCookies(u, []*http.Cookie{{Name: "aparte", Value: agent.cookie()}})
	return fresh
}
