package sdktest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"
	sdkinterceptor "github.com/livekit/server-sdk-go/v2/pkg/interceptor"
	"github.com/livekit/server-sdk-go/v2/signalling"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/rtcerr"
)

// The API key and secret of --dev.
const (
	devKey    = "devkey"
	devSecret = "secret"
)

// client is one SDK client with its proxy, and its relay if it has one.
type client struct {
	t     *testing.T
	j     *journal
	name  string
	room  *lksdk.Room
	proxy *proxy
	relay *relay // nil without setup.relayed
	// strict: every video has to begin with a key frame. With one connection
	// nobody can know when the client has applied an answer, and with loss the
	// beginning may be lost for good: then the client asks, as browsers do.
	strict   bool
	patience int  // see stream
	waits    bool // for ever, for what is missing: the test looks at it

	mu           sync.Mutex
	streams      []*stream // as subscribed, oldest first
	messages     []message
	disconnected []lksdk.DisconnectionReason
	reconnecting int
	reconnected  int
	events       []string // "joined bob", "left bob", "muted TR_", ...
}

type message struct {
	from, topic, text string
}

// setup is how a client joins. The zero value has all rights, two peer
// connections and no relay.
type setup struct {
	room     string
	server   *server // nil: the shared one
	token    string  // instead of one made here
	single   bool    // one peer connection; always relayed
	relayed  bool
	loss     float64 // of every datagram, both ways; needs relayed
	manual   bool    // no auto-subscription
	patience int     // see stream

	name, metadata string
	attributes     map[string]string
	grant          func(*auth.VideoGrant)
	callback       func(*lksdk.RoomCallback)
}

func accessToken(room, identity string, change func(*auth.AccessToken, *auth.VideoGrant)) string {
	token := auth.NewAccessToken(devKey, devSecret).SetIdentity(identity).SetValidFor(time.Hour)
	grant := &auth.VideoGrant{RoomJoin: true, Room: room}
	if change != nil {
		change(token, grant)
	}
	text, err := token.SetVideoGrant(grant).ToJWT()
	if err != nil {
		panic(err) // of what stands in this file
	}
	return text
}

// join connects a client, or fails the test.
func join(t *testing.T, j *journal, identity string, s setup) *client {
	t.Helper()
	c := newClient(t, j, identity, s)
	if err := c.connect(s); err != nil {
		t.Fatalf("%s: %v", identity, err)
	}
	return c
}

func newClient(t *testing.T, j *journal, identity string, s setup) *client {
	t.Helper()
	c := &client{t: t, j: j, name: identity, strict: !s.single && s.loss == 0, patience: s.patience, waits: s.loss > 0}
	t.Cleanup(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, s := range c.streams {
			s.mu.Lock()
			if s.missed != "" {
				t.Errorf("%s, %s: %s", identity, s.sid, s.missed)
			}
			s.mu.Unlock()
		}
	})
	srv := s.server
	if srv == nil {
		srv = shared
	}
	if s.relayed || s.single {
		c.relay = newRelay(t, j, s.loss, uint64(len(identity))+1)
	}
	c.proxy = newProxy(t, j, identity, srv.base, c.relay)
	cb := c.callbacks()
	if s.callback != nil {
		s.callback(cb)
	}
	c.room = lksdk.NewRoom(cb)
	if s.single {
		useSingleConnection(t, c.room, c.relay)
	}
	return c
}

func (c *client) connect(s setup) error {
	token := s.token
	if token == "" {
		token = accessToken(s.room, c.name, func(a *auth.AccessToken, g *auth.VideoGrant) {
			a.SetName(s.name).SetMetadata(s.metadata).SetAttributes(s.attributes)
			if s.grant != nil {
				s.grant(g)
			}
		})
	}
	err := c.room.JoinWithToken(c.proxy.url(), token, lksdk.WithAutoSubscribe(!s.manual), withCodecs, withoutRTT(c.t))
	if err == nil {
		c.t.Cleanup(c.room.Disconnect)
	}
	return err
}

// withCodecs asks for retransmission of Opus, too, as browsers do in LiveKit's
// own client; the SDK's default asks for it with video only.
func withCodecs(p *signalling.ConnectParams) {
	opus := webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1",
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}},
	}
	vp8 := webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeVP8, ClockRate: 90000,
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}},
	}
	rtx := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=96"}
	p.Codecs = []webrtc.RTPCodecParameters{
		{RTPCodecCapability: opus, PayloadType: 111},
		{RTPCodecCapability: vp8, PayloadType: 96},
		{RTPCodecCapability: rtx, PayloadType: 97},
	}
}

// withoutRTT takes the SDK's own interceptors but one: measuring the round trip
// has a data race in v2.13.0 (NackQueue.SetRTT beside NackQueue.Pairs).
func withoutRTT(t *testing.T) lksdk.ConnectOption {
	t.Helper()
	responder, err := nack.NewResponderInterceptor()
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := report.NewReceiverInterceptor()
	if err != nil {
		t.Fatal(err)
	}
	sender, err := report.NewSenderInterceptor()
	if err != nil {
		t.Fatal(err)
	}
	feedback, err := twcc.NewSenderInterceptor()
	if err != nil {
		t.Fatal(err)
	}
	return lksdk.WithInterceptors([]interceptor.Factory{
		&sdkinterceptor.NackGeneratorInterceptorFactory{}, responder, receiver, sender, feedback,
		sdkinterceptor.NewLimitSizeInterceptorFactory(),
	})
}

// askKeyframe is what a decoder does that has nothing to begin with.
func (c *client) askKeyframe(ssrc uint32) {
	pc := c.room.LocalParticipant.GetSubscriberPeerConnection()
	if pc == nil {
		pc = c.room.LocalParticipant.GetPublisherPeerConnection()
	}
	if pc == nil {
		return // over
	}
	c.j.note("%s asks for a key frame", c.name)
	_ = pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: ssrc}}) // asked again with the next frame
}

// unpublish ends a track. The SDK removes each sender twice and returns Pion's
// complaint about the second time.
func (c *client) unpublish(sid string) {
	c.t.Helper()
	err := c.room.LocalParticipant.UnpublishTrack(sid)
	if twice := (*rtcerr.InvalidAccessError)(nil); err != nil && !errors.As(err, &twice) {
		c.t.Fatalf("%s unpublishes: %v", c.name, err)
	}
}

func (c *client) callbacks() *lksdk.RoomCallback {
	cb := lksdk.NewRoomCallback()
	cb.OnDisconnectedWithReason = func(r lksdk.DisconnectionReason) {
		c.mu.Lock()
		c.disconnected = append(c.disconnected, r)
		c.mu.Unlock()
		c.j.note("%s: disconnected: %s", c.name, r)
	}
	cb.OnReconnecting = func() {
		c.mu.Lock()
		c.reconnecting++
		c.mu.Unlock()
		c.j.note("%s: reconnecting", c.name)
	}
	cb.OnReconnected = func() {
		c.mu.Lock()
		c.reconnected++
		c.mu.Unlock()
		c.j.note("%s: reconnected", c.name)
	}
	cb.OnParticipantConnected = func(p *lksdk.RemoteParticipant) { c.event("joined %s", p.Identity()) }
	cb.OnParticipantDisconnected = func(p *lksdk.RemoteParticipant) { c.event("left %s", p.Identity()) }
	cb.OnTrackPublished = func(p *lksdk.RemoteTrackPublication, _ *lksdk.RemoteParticipant) { c.event("published %s", p.SID()) }
	cb.OnTrackUnpublished = func(p *lksdk.RemoteTrackPublication, _ *lksdk.RemoteParticipant) { c.event("unpublished %s", p.SID()) }
	cb.OnTrackMuted = func(p lksdk.TrackPublication, _ lksdk.Participant) { c.event("muted %s", p.SID()) }
	cb.OnTrackUnmuted = func(p lksdk.TrackPublication, _ lksdk.Participant) { c.event("unmuted %s", p.SID()) }
	cb.OnTrackSubscriptionFailed = func(sid string, _ *lksdk.RemoteParticipant) { c.event("subscription failed %s", sid) }
	cb.OnTrackSubscribed = func(track *webrtc.TrackRemote, pub *lksdk.RemoteTrackPublication, p *lksdk.RemoteParticipant) {
		s := newStream(c.j, track)
		s.sid, s.strict, s.patience = pub.SID(), c.strict, c.patience
		if s.patience == 0 && !c.waits {
			s.patience, s.whole = givenUp, true
		}
		s.pli = func() { c.askKeyframe(s.ssrc) }
		c.mu.Lock()
		c.streams = append(c.streams, s)
		c.mu.Unlock()
		c.event("subscribed %s", pub.SID())
		go s.read(track)
	}
	cb.OnDataPacket = func(data lksdk.DataPacket, params lksdk.DataReceiveParams) {
		u, ok := data.(*lksdk.UserDataPacket)
		if !ok {
			return
		}
		c.mu.Lock()
		c.messages = append(c.messages, message{params.SenderIdentity, u.Topic, string(u.Payload)})
		c.mu.Unlock()
		c.j.wake()
	}
	return cb
}

func (c *client) event(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	c.mu.Lock()
	c.events = append(c.events, text)
	c.mu.Unlock()
	c.j.note("%s: %s", c.name, text)
}

// saw tells whether an event happened.
func (c *client) saw(format string, args ...any) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.events, fmt.Sprintf(format, args...))
}

// stream returns the newest stream of a track, or nil.
func (c *client) stream(sid string) *stream {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range slices.Backward(c.streams) {
		if s.sid == sid {
			return s
		}
	}
	return nil
}

// subscribed waits for a track and some frames of it.
func (c *client) subscribed(sid string, frames int) *stream {
	c.t.Helper()
	var s *stream
	c.j.wait(fmt.Sprintf("%s receives %d frames of %s", c.name, frames, sid), func() bool {
		s = c.stream(sid)
		return s != nil && s.count() >= frames
	})
	return s
}

// more waits for n more frames.
func (c *client) more(s *stream, n int) {
	c.t.Helper()
	from := s.count()
	c.j.wait(fmt.Sprintf("%s receives %d more frames of %s", c.name, n, s.sid), func() bool { return s.count() >= from+n })
}

func (c *client) received() []message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.messages)
}

func (c *client) goodbyes() []lksdk.DisconnectionReason {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.disconnected)
}

func (c *client) reconnects() (began, done int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reconnecting, c.reconnected
}

// publish publishes a track, or fails the test. It returns the track's sid.
func (c *client) publish(track *lksdk.LocalTrack, opts *lksdk.TrackPublicationOptions) *lksdk.LocalTrackPublication {
	c.t.Helper()
	pub, err := c.room.LocalParticipant.PublishTrack(track, opts)
	if err != nil {
		c.t.Fatalf("%s publishes: %v", c.name, err)
	}
	return pub
}

// publication is another participant's track as this client knows it.
func (c *client) publication(sid string) *lksdk.RemoteTrackPublication {
	c.t.Helper()
	for _, p := range c.room.GetRemoteParticipants() {
		for _, pub := range p.TrackPublications() {
			if r, ok := pub.(*lksdk.RemoteTrackPublication); ok && r.SID() == sid {
				return r
			}
		}
	}
	c.t.Fatalf("%s knows no track %s", c.name, sid)
	return nil
}

// participant is the newest the server told this client about an identity,
// whose participant it may be itself; nil when nothing or gone.
func (c *client) participant(identity string) *livekit.ParticipantInfo {
	infos := map[string]*livekit.ParticipantInfo{}
	put := func(p *livekit.ParticipantInfo) {
		if p.State == livekit.ParticipantInfo_DISCONNECTED {
			delete(infos, p.Identity)
			return
		}
		infos[p.Identity] = p
	}
	for _, m := range received(c.proxy, func(m *livekit.SignalResponse) *livekit.SignalResponse { return m }) {
		if join := m.GetJoin(); join != nil {
			clear(infos)
			put(join.Participant)
			for _, p := range join.OtherParticipants {
				put(p)
			}
		}
		for _, p := range m.GetUpdate().GetParticipants() {
			put(p)
		}
	}
	return infos[identity]
}

// others are the identities the server told this client of.
func (c *client) others() []string {
	var out []string
	for _, p := range c.room.GetRemoteParticipants() {
		out = append(out, p.Identity())
	}
	slices.Sort(out)
	return out
}

// roomName is a room of its own for each run of each test.
func roomName(t *testing.T) string { return t.Name() + " " + rand.Text()[:6] }
