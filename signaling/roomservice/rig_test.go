package roomservice_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"github.com/pion/webrtc/v4"
	"google.golang.org/protobuf/proto"

	"aparte/sfu"
	"aparte/sfu/leaktest"
	"aparte/sfu/transport"
	"aparte/signaling/roomservice"
	"aparte/signaling/token"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

const (
	apiKey, apiSecret = "testkey", "testsecret"
	hang              = 20 * time.Second
)

// rig is the service on rooms of its own.
type rig struct {
	t   *testing.T
	sfu *sfu.SFU
	url string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	engine, err := transport.NewEngine(transport.Config{Addrs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	rooms := sfu.New(sfu.Config{Engine: engine, Log: log, Limits: sfu.Limits{Rooms: 20}})
	web := httptest.NewServer(roomservice.New(roomservice.Config{
		SFU: rooms, Log: log, Authorizer: token.Integration{Keys: token.Keys{apiKey: apiSecret}, Now: time.Now},
	}))
	t.Cleanup(func() {
		web.Close()
		ctx, cancel := context.WithTimeout(context.Background(), hang)
		defer cancel()
		if err := rooms.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return &rig{t: t, sfu: rooms, url: web.URL}
}

// bearer signs what a caller may do.
func bearer(t *testing.T, key, secret string, grant *auth.VideoGrant) string {
	t.Helper()
	text, err := auth.NewAccessToken(key, secret).SetVideoGrant(grant).SetValidFor(time.Minute).ToJWT()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// client calls as somebody with a grant.
func (r *rig) client(grant *auth.VideoGrant, json bool) livekit.RoomService {
	h := &http.Client{Transport: &bearing{bearer(r.t, apiKey, apiSecret, grant)}}
	if json {
		return livekit.NewRoomServiceJSONClient(r.url, h)
	}
	return livekit.NewRoomServiceProtobufClient(r.url, h)
}

type bearing struct{ token string }

func (b *bearing) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return http.DefaultTransport.RoundTrip(r)
}

// everything is the grant of one who administers a room.
func everything(room string) *auth.VideoGrant {
	return &auth.VideoGrant{RoomCreate: true, RoomList: true, RoomAdmin: true, Room: room}
}

// guest is a participant without media; it keeps what it is told.
type guest struct {
	session *sfu.Session
	sid     string

	mu     sync.Mutex
	heard  []*livekit.SignalResponse
	closed bool
	news   chan struct{} // closed and replaced with each message
}

func (g *guest) Send(m *livekit.SignalResponse) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.heard = append(g.heard, m)
	close(g.news)
	g.news = make(chan struct{})
}

func (g *guest) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

// count is how many messages it heard.
func (g *guest) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.heard)
}

// wait returns the first message that matches.
func (g *guest) wait(t *testing.T, what string, match func(*livekit.SignalResponse) bool) *livekit.SignalResponse {
	t.Helper()
	return g.waitAfter(t, 0, what, match)
}

// waitAfter leaves out the first n messages.
func (g *guest) waitAfter(t *testing.T, n int, what string, match func(*livekit.SignalResponse) bool) *livekit.SignalResponse {
	t.Helper()
	limit := time.After(hang)
	for {
		g.mu.Lock()
		heard, news := slices.Clone(g.heard[n:]), g.news
		g.mu.Unlock()
		i := slices.IndexFunc(heard, match)
		if i >= 0 {
			return heard[i]
		}
		select {
		case <-news:
		case <-limit:
			t.Fatalf("%s: not heard in %v", what, heard)
		}
	}
}

// join puts a guest with a microphone into a room of either space.
func (r *rig) join(key sfu.RoomKey, identity string) (*guest, string) {
	r.t.Helper()
	g := &guest{news: make(chan struct{})}
	session, err := r.sfu.Join(sfu.JoinParams{
		Room: key, Identity: identity, SingleConn: true, AutoSubscribe: true,
		Client:         &livekit.ClientInfo{Sdk: livekit.ClientInfo_JS, Protocol: 17},
		Permission:     &livekit.ParticipantPermission{CanPublish: true, CanSubscribe: true, CanPublishData: true, CanUpdateMetadata: true},
		AddTracks:      []*livekit.AddTrackRequest{{Cid: "mic", Type: livekit.TrackType_AUDIO, Source: livekit.TrackSource_MICROPHONE}},
		PublisherOffer: &livekit.SessionDescription{Type: "offer", Sdp: offer(r.t), Id: 1},
	}, g)
	if err != nil {
		r.t.Fatal(err)
	}
	g.session, g.sid = session, session.SID()
	var sid string
	g.wait(r.t, "own track", func(m *livekit.SignalResponse) bool {
		for _, p := range m.GetUpdate().GetParticipants() {
			if p.Sid == g.sid && len(p.Tracks) == 1 {
				sid = p.Tracks[0].Sid
			}
		}
		return sid != ""
	})
	g.wait(r.t, "answer", func(m *livekit.SignalResponse) bool { return m.GetAnswer() != nil })
	return g, sid
}

// offer is what a client with a microphone offers; it never connects.
func offer(t *testing.T) string {
	t.Helper()
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	mic, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "mic", "stream")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pc.AddTransceiverFromTrack(mic); err != nil {
		t.Fatal(err)
	}
	if _, err := pc.CreateDataChannel("_reliable", nil); err != nil {
		t.Fatal(err)
	}
	o, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	return o.SDP
}

// snapshot is all that a space says of a room.
func snapshot(t *testing.T, sp sfu.Space, name string) string {
	t.Helper()
	var all []byte
	for _, room := range sp.Rooms() {
		if room.Name == name {
			raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(room)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, raw...)
		}
	}
	for _, p := range sp.Participants(name) {
		raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, raw...)
	}
	return string(all)
}
