package sdktest

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"github.com/pion/webrtc/v4"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// rawClient speaks the protocol by hand: a WebSocket, and Pion's connections
// where a case needs media (rawmedia_test.go). It does nothing by itself that
// an SDK would do, unless it was told to by connect.
type rawClient struct {
	// Set at creation.
	t    *testing.T
	j    *journal
	name string
	s    rawSetup

	join *livekit.JoinResponse // set by joined
	pub  *webrtc.PeerConnection
	sub  *webrtc.PeerConnection // nil with one connection
	nego sync.Mutex             // one exchange of offer and answer at a time

	readers sync.WaitGroup

	mu       sync.Mutex
	ws       *websocket.Conn
	wsDone   chan struct{} // closed when ws was read to its end
	log      []*livekit.SignalResponse
	frames   []int // kinds of the WebSocket messages of log
	pings    int   // WebSocket pings of the server
	ended    error // how the WebSocket ended
	closing  bool
	offerID  uint32
	offers   int // of the server, answered
	answers  map[uint32]chan *livekit.SessionDescription
	tracks   map[string]*webrtc.TrackRemote // by msid track id
	streams  map[string]string              // msid stream id by track id
	packets  map[string]int                 // RTP packets by msid track id
	channels map[string]*webrtc.DataChannel // of the client, by label
	opened   []string                       // labels of the server's channels
	data     []received1
}

// received1 is a data packet and the channel it came by.
type received1 struct {
	label  string
	packet *livekit.DataPacket
}

// rawSetup is how a raw client joins. The zero value is protocol v0 with all
// rights.
type rawSetup struct {
	room   string
	server *server // nil: the shared one
	token  string  // instead of one made here
	grant  func(*auth.AccessToken, *auth.VideoGrant)

	single bool // /rtc/v1 with a join_request
	path   string
	query  url.Values                 // added to protocol v0's query
	edit   func(*livekit.JoinRequest) // of a join_request
	gzip   bool
	header http.Header // added
	text   bool        // speaks protojson
	hole   *blackHole  // media goes through it
	// ice changes how connections are made; else they are over UDP.
	ice    func(*rawClient, *webrtc.SettingEngine, *webrtc.Configuration)
	manual bool // leaves offers and requirements of the server to the test
}

func (s rawSetup) address() *url.URL {
	if s.server != nil {
		return s.server.base
	}
	return shared.base
}

func (s rawSetup) request(t *testing.T) *livekit.JoinRequest {
	t.Helper()
	req := &livekit.JoinRequest{
		ClientInfo:         &livekit.ClientInfo{Sdk: livekit.ClientInfo_JS, Protocol: 17, ClientProtocol: 1, Version: "2.23.0"},
		ConnectionSettings: &livekit.ConnectionSettings{AutoSubscribe: true},
	}
	if s.edit != nil {
		s.edit(req)
	}
	return req
}

// url is what the client asks for, without the scheme of WebSockets.
func (s rawSetup) url(t *testing.T, token string) *url.URL {
	t.Helper()
	path := "rtc"
	query := url.Values{"access_token": {token}}
	if s.single {
		path = "rtc/v1"
		query.Set("join_request", wrap(t, s.request(t), s.gzip))
	} else {
		query.Set("protocol", "17")
		query.Set("sdk", "js")
		query.Set("client_protocol", "1")
	}
	for k, v := range s.query {
		query[k] = v
	}
	if s.path != "" {
		path = s.path
	}
	u := s.address().JoinPath(path)
	u.RawQuery = query.Encode()
	return u
}

func wrap(t *testing.T, req *livekit.JoinRequest, zip bool) string {
	t.Helper()
	body := encode(t, req)
	wrapped := &livekit.WrappedJoinRequest{JoinRequest: body}
	if zip {
		wrapped.Compression, wrapped.JoinRequest = livekit.WrappedJoinRequest_GZIP, zipped(t, body)
	}
	return base64.RawURLEncoding.EncodeToString(encode(t, wrapped))
}

func zipped(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(body)
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encode(t *testing.T, m proto.Message) []byte {
	t.Helper()
	raw, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// rawDial opens the WebSocket and reads it. It waits for nothing.
func rawDial(t *testing.T, j *journal, identity string, s rawSetup) *rawClient {
	t.Helper()
	c := rawPrepare(t, j, identity, s)
	c.dial()
	return c
}

// rawPrepare makes a client that asks the server nothing yet.
func rawPrepare(t *testing.T, j *journal, identity string, s rawSetup) *rawClient {
	t.Helper()
	c := &rawClient{
		t: t, j: j, name: identity, s: s,
		answers: map[uint32]chan *livekit.SessionDescription{}, tracks: map[string]*webrtc.TrackRemote{},
		streams: map[string]string{}, packets: map[string]int{}, channels: map[string]*webrtc.DataChannel{},
	}
	t.Cleanup(c.close)
	if c.s.token == "" {
		c.s.token = accessToken(s.room, identity, s.grant)
	}
	return c
}

// dial opens a WebSocket, the first or one to resume by.
func (c *rawClient) dial() {
	c.t.Helper()
	u := c.s.url(c.t, c.s.token)
	u.Scheme = map[string]string{"http": "ws", "https": "wss"}[u.Scheme]
	ws, res, err := websocket.DefaultDialer.DialContext(c.t.Context(), u.String(), c.s.header)
	if err != nil {
		c.t.Fatalf("%s: %v (%v)", c.name, err, res)
	}
	res.Body.Close()
	ws.SetPingHandler(func(text string) error {
		c.mu.Lock()
		c.pings++
		c.mu.Unlock()
		c.j.wake()
		return ws.WriteControl(websocket.PongMessage, []byte(text), deadline())
	})
	done := make(chan struct{})
	c.mu.Lock()
	c.ws, c.ended, c.wsDone = ws, nil, done
	c.mu.Unlock()
	c.readers.Go(func() {
		defer close(done)
		c.read(ws)
	})
}

// rawJoin dials and waits for the JoinResponse.
func rawJoin(t *testing.T, j *journal, identity string, s rawSetup) *rawClient {
	t.Helper()
	c := rawDial(t, j, identity, s)
	c.joined()
	return c
}

func (c *rawClient) joined() *livekit.JoinResponse {
	c.t.Helper()
	first := c.wait("first message", func(*livekit.SignalResponse) bool { return true })
	if c.join = first.GetJoin(); c.join == nil {
		c.t.Fatalf("%s: the first message is %s", c.name, brief(first))
	}
	return c.join
}

func (c *rawClient) sid() string { return c.join.Participant.Sid }

func (c *rawClient) read(ws *websocket.Conn) {
	for {
		kind, raw, err := ws.ReadMessage()
		if err != nil {
			c.mu.Lock()
			if c.ws == ws {
				c.ended = err
			}
			c.mu.Unlock()
			c.j.note("%s: signal ended: %v", c.name, err)
			return
		}
		m := &livekit.SignalResponse{}
		if kind == websocket.TextMessage {
			err = protojson.Unmarshal(raw, m)
		} else {
			err = proto.Unmarshal(raw, m)
		}
		if err != nil {
			c.errorf("%s: the server sent what is no SignalResponse: %v", c.name, err)
			return
		}
		c.mu.Lock()
		c.log, c.frames = append(c.log, m), append(c.frames, kind)
		if a := m.GetAnswer(); a != nil && c.answers[a.Id] != nil {
			c.answers[a.Id] <- a
			delete(c.answers, a.Id)
		}
		connected := c.pub != nil && !c.s.manual
		c.mu.Unlock()
		c.j.note("%s ← %s", c.name, brief(m))
		switch {
		case !connected:
		case m.GetOffer() != nil && c.sub != nil:
			c.answer(m.GetOffer())
		case m.GetMediaSectionsRequirement() != nil:
			c.readers.Go(func() { c.meet(m.GetMediaSectionsRequirement()) })
		}
	}
}

func (c *rawClient) send(m *livekit.SignalRequest) {
	c.t.Helper()
	kind, raw, err := websocket.BinaryMessage, []byte(nil), error(nil)
	if c.s.text {
		kind = websocket.TextMessage
		raw, err = protojson.Marshal(m)
	} else {
		raw, err = proto.Marshal(m)
	}
	if err != nil {
		c.errorf("encode: %v", err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ws != nil {
		_ = c.ws.WriteMessage(kind, raw) // a closed socket shows in what does not come back
	}
}

// wait returns the first message since forget that matches.
func (c *rawClient) wait(what string, match func(*livekit.SignalResponse) bool) *livekit.SignalResponse {
	c.t.Helper()
	var found *livekit.SignalResponse
	c.until(what, func() bool {
		i := slices.IndexFunc(c.log, match)
		if i >= 0 {
			found = c.log[i]
		}
		return i >= 0
	})
	return found
}

// until waits for a condition on the client's state, looked at under mu.
func (c *rawClient) until(what string, holds func() bool) {
	c.t.Helper()
	c.j.wait(c.name+": "+what, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return holds()
	})
}

// allOf returns the messages of one kind, oldest first.
func allOf[T any](c *rawClient, take func(*livekit.SignalResponse) T) []T {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []T
	for _, m := range c.log {
		if v := take(m); any(v) != nil && !isNil(v) {
			out = append(out, v)
		}
	}
	return out
}

// forget drops the messages so far, so that wait sees only later ones.
func (c *rawClient) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log, c.frames = nil, nil
}

// settle returns when all that this client sent was worked on, by its session
// and by its room: the answer to a wish for a track that does not exist comes
// after the answers to everything before.
func (c *rawClient) settle() {
	c.t.Helper()
	c.mu.Lock()
	c.offerID++
	sid := fmt.Sprintf("TR_settle%d", c.offerID)
	c.mu.Unlock()
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Subscription{
		Subscription: &livekit.UpdateSubscription{TrackSids: []string{sid}, Subscribe: true},
	}})
	c.wait("settle", func(m *livekit.SignalResponse) bool { return m.GetSubscriptionResponse().GetTrackSid() == sid })
}

// info waits until a participant looks like match to this client.
func (c *rawClient) info(identity, what string, match func(*livekit.ParticipantInfo) bool) *livekit.ParticipantInfo {
	c.t.Helper()
	var found *livekit.ParticipantInfo
	c.wait(identity+" "+what, func(m *livekit.SignalResponse) bool {
		for _, p := range m.GetUpdate().GetParticipants() {
			if p.Identity == identity && match(p) {
				found = p
				return true
			}
		}
		return false
	})
	return found
}

func inState(state livekit.ParticipantInfo_State) func(*livekit.ParticipantInfo) bool {
	return func(p *livekit.ParticipantInfo) bool { return p.State == state }
}

// updates are all infos about an identity, oldest first.
func (c *rawClient) updates(identity string) (out []*livekit.ParticipantInfo) {
	for _, u := range allOf(c, (*livekit.SignalResponse).GetUpdate) {
		for _, p := range u.Participants {
			if p.Identity == identity {
				out = append(out, p)
			}
		}
	}
	return out
}

// names tells what came, in order.
func (c *rawClient) names() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, m := range c.log {
		out = append(out, strings.TrimPrefix(fmt.Sprintf("%T", m.Message), "*livekit.SignalResponse_"))
	}
	return out
}

// gone waits until the server ended the signal connection, and returns how.
func (c *rawClient) gone() error {
	c.t.Helper()
	var err error
	c.until("the server closes the signal", func() bool { err = c.ended; return err != nil })
	return err
}

// cut breaks the WebSocket as a network does. When it returns no more messages
// come by it.
func (c *rawClient) cut() {
	c.mu.Lock()
	ws, done := c.ws, c.wsDone
	c.ws = nil
	c.mu.Unlock()
	if ws != nil {
		_ = ws.NetConn().Close()
		<-done
	}
}

func (c *rawClient) close() {
	c.mu.Lock()
	c.closing = true
	for id, answer := range c.answers { // nobody answers any more
		close(answer)
		delete(c.answers, id)
	}
	c.mu.Unlock()
	c.cut()
	for _, pc := range []*webrtc.PeerConnection{c.pub, c.sub} {
		if pc != nil {
			_ = pc.GracefulClose()
		}
	}
	c.readers.Wait()
}

// errorf fails the test unless the client is closing.
func (c *rawClient) errorf(format string, args ...any) {
	c.mu.Lock()
	closing := c.closing
	c.mu.Unlock()
	for _, a := range args {
		err, ok := a.(error)
		closing = closing || ok && errors.Is(err, webrtc.ErrConnectionClosed)
	}
	if !closing {
		c.t.Errorf(format, args...)
	}
}
