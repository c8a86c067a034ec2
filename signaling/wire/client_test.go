package wire_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/livekit"
	"github.com/pion/ice/v4"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"google.golang.org/protobuf/proto"
)

// client is a small LiveKit client: it negotiates like an SDK and remembers
// every message in order, so that tests can ask for what must have come first.
type client struct {
	t         *testing.T
	single    bool
	pub       *webrtc.PeerConnection
	sub       *webrtc.PeerConnection // nil in single mode
	joined    *livekit.JoinResponse
	media     func(*webrtc.MediaEngine) error // registers codecs
	nego      sync.Mutex
	answering sync.Mutex

	mu       sync.Mutex
	ws       *websocket.Conn
	log      []*livekit.SignalResponse
	changed  chan struct{} // closed and replaced with each message
	offerID  uint32
	answers  map[uint32]chan *livekit.SessionDescription
	tracks   map[string]*webrtc.TrackRemote // by msid track id
	packets  map[string]int                 // RTP packets by msid track id
	channels map[string]*webrtc.DataChannel // to send on
	data     []*livekit.DataPacket
	closing  bool
	asked    uint32
	rude     bool // does not answer a close of its signal connection
	manual   bool // leaves offers of the server and requirements unanswered
	readers  sync.WaitGroup

	settings func(*webrtc.SettingEngine) // of connections made from now on
	hear     func(track string, p *rtp.Packet)
	believes func(answer string) string // instead of what the server says
}

type clientOption func(*client, *livekit.JoinRequest)

func manualSubscribe(_ *client, r *livekit.JoinRequest) { r.ConnectionSettings.AutoSubscribe = false }
func passive(c *client, _ *livekit.JoinRequest)         { c.manual = true }
func goSDK(_ *client, r *livekit.JoinRequest)           { r.ClientInfo.Sdk = livekit.ClientInfo_GO }

// join connects in one of the two modes and waits for the JoinResponse.
func (s *server) join(single bool, tok string, opts ...clientOption) *client {
	s.t.Helper()
	return s.joinAs(newClient(s.t, single), tok, opts...)
}

func (s *server) joinAs(c *client, tok string, opts ...clientOption) *client {
	s.t.Helper()
	req := &livekit.JoinRequest{
		ClientInfo:         &livekit.ClientInfo{Sdk: livekit.ClientInfo_JS, Protocol: 17, ClientProtocol: 1, Version: "2.23.0"},
		ConnectionSettings: &livekit.ConnectionSettings{AutoSubscribe: true},
	}
	for _, o := range opts {
		o(c, req)
	}
	c.dial(s, tok, req)
	msg := c.wait("join", func(m *livekit.SignalResponse) bool { return m.GetJoin() != nil || m.GetLeave() != nil })
	c.joined = msg.GetJoin()
	if c.joined == nil {
		s.t.Fatalf("join refused: %v", msg)
	}
	return c
}

// connect joins and waits until the participant is ACTIVE with data channels.
func (s *server) connect(single bool, tok string, opts ...clientOption) *client {
	s.t.Helper()
	return s.connectAs(newClient(s.t, single), tok, opts...)
}

func (s *server) connectAs(c *client, tok string, opts ...clientOption) *client {
	s.t.Helper()
	s.joinAs(c, tok, opts...)
	c.openChannels()
	c.negotiate()
	c.waitActive()
	return c
}

// newClient knows the codecs that Pion knows, unless media registers others.
func newClient(t *testing.T, single bool, media ...func(*webrtc.MediaEngine) error) *client {
	c := &client{
		t: t, single: single, changed: make(chan struct{}),
		answers: map[uint32]chan *livekit.SessionDescription{}, tracks: map[string]*webrtc.TrackRemote{},
		packets: map[string]int{}, channels: map[string]*webrtc.DataChannel{},
	}
	c.media = append(media, (*webrtc.MediaEngine).RegisterDefaultCodecs)[0]
	c.pub = c.newPC(livekit.SignalTarget_PUBLISHER)
	if !single {
		c.sub = c.newPC(livekit.SignalTarget_SUBSCRIBER)
	}
	t.Cleanup(c.close)
	return c
}

func (c *client) newPC(target livekit.SignalTarget) *webrtc.PeerConnection {
	m := &webrtc.MediaEngine{}
	if err := c.media(m); err != nil {
		c.t.Fatal(err)
	}
	for kind, uris := range map[webrtc.RTPCodecType][]string{
		webrtc.RTPCodecTypeAudio: {"urn:ietf:params:rtp-hdrext:sdes:mid", "urn:ietf:params:rtp-hdrext:ssrc-audio-level"},
		webrtc.RTPCodecTypeVideo: {"urn:ietf:params:rtp-hdrext:sdes:mid", "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"},
	} {
		for _, uri := range uris {
			if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, kind); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	var e webrtc.SettingEngine
	e.SetIncludeLoopbackCandidate(true)
	e.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetICETimeouts(5*time.Second, 25*time.Second, 250*time.Millisecond) // checks often: see shortICE
	if c.settings != nil {
		c.settings(&e)
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(e)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		c.t.Fatal(err)
	}
	pc.OnICECandidate(func(cand *webrtc.ICECandidate) {
		if cand == nil {
			return
		}
		raw, err := json.Marshal(cand.ToJSON())
		if err != nil {
			return
		}
		c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Trickle{
			Trickle: &livekit.TrickleRequest{CandidateInit: string(raw), Target: target},
		}})
	})
	pc.OnTrack(func(tr *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		c.mu.Lock()
		c.tracks[tr.ID()] = tr
		c.notify()
		c.mu.Unlock()
		for {
			p, _, err := tr.ReadRTP()
			if err != nil {
				return
			}
			c.mu.Lock()
			if c.hear != nil {
				c.hear(tr.ID(), p)
			}
			c.packets[tr.ID()]++
			c.notify()
			c.mu.Unlock()
		}
	})
	pc.OnDataChannel(func(dc *webrtc.DataChannel) { dc.OnMessage(c.takeData) })
	return pc
}

// notify wakes waiters. Caller holds mu.
func (c *client) notify() {
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *client) takeData(m webrtc.DataChannelMessage) {
	var p livekit.DataPacket
	if err := proto.Unmarshal(m.Data, &p); err != nil {
		c.t.Errorf("data packet: %v", err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.data = append(c.data, &p)
	c.notify()
}

func joinURL(s *server, single bool, req *livekit.JoinRequest) string {
	if single {
		body, err := proto.Marshal(req)
		if err != nil {
			s.t.Fatal(err)
		}
		wrapped, err := proto.Marshal(&livekit.WrappedJoinRequest{JoinRequest: body})
		if err != nil {
			s.t.Fatal(err)
		}
		return s.url + "/rtc/v1?join_request=" + base64.RawURLEncoding.EncodeToString(wrapped)
	}
	q := url.Values{
		"sdk": {strings.ToLower(req.ClientInfo.Sdk.String())}, "protocol": {fmt.Sprint(req.ClientInfo.Protocol)},
		"client_protocol": {fmt.Sprint(req.ClientInfo.ClientProtocol)},
	}
	if !req.ConnectionSettings.AutoSubscribe {
		q.Set("auto_subscribe", "0")
	}
	if req.Reconnect {
		q.Set("reconnect", "1")
		q.Set("sid", req.ParticipantSid)
	}
	return s.url + "/rtc?" + q.Encode()
}

// dial opens a signal connection and starts reading it.
func (c *client) dial(s *server, tok string, req *livekit.JoinRequest) {
	c.t.Helper()
	ws, resp, err := websocket.DefaultDialer.Dial(joinURL(s, c.single, req), http.Header{"Authorization": {"Bearer " + tok}})
	if err != nil {
		c.t.Fatalf("dial: %v (%v)", err, resp)
	}
	resp.Body.Close()
	if c.rude {
		ws.SetCloseHandler(func(int, string) error { return nil })
	}
	c.mu.Lock()
	c.ws = ws
	c.mu.Unlock()
	c.readers.Go(func() { c.read(ws) })
}

func (c *client) read(ws *websocket.Conn) {
	for {
		_, raw, err := ws.ReadMessage()
		if err != nil {
			return
		}
		m := &livekit.SignalResponse{}
		if err := proto.Unmarshal(raw, m); err != nil {
			c.t.Errorf("signal message: %v", err)
			return
		}
		c.mu.Lock()
		if c.ws != ws { // dropped: what still came on it belongs to no other connection
			c.mu.Unlock()
			return
		}
		c.log = append(c.log, m)
		manual := c.manual
		if a := m.GetAnswer(); a != nil && c.answers[a.Id] != nil {
			c.answers[a.Id] <- a
			delete(c.answers, a.Id)
		}
		c.notify()
		c.mu.Unlock()
		switch {
		case manual:
		case m.GetOffer() != nil && c.sub != nil:
			c.answer(m.GetOffer())
		case m.GetMediaSectionsRequirement() != nil:
			c.readers.Go(func() { c.meet(m.GetMediaSectionsRequirement()) })
		}
	}
}

func (c *client) send(m *livekit.SignalRequest) {
	raw, err := proto.Marshal(m)
	if err != nil {
		c.t.Errorf("encode: %v", err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ws != nil {
		_ = c.ws.WriteMessage(websocket.BinaryMessage, raw) // a closed socket shows in what does not come back
	}
}

// answer takes an offer of the server for the subscriber connection.
func (c *client) answer(o *livekit.SessionDescription) {
	c.answering.Lock() // what read the last connection may still be at it
	defer c.answering.Unlock()
	if err := c.sub.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: o.Sdp}); err != nil {
		c.errorf("server's offer: %v", err)
		return
	}
	a, err := c.sub.CreateAnswer(nil)
	if err == nil {
		err = c.sub.SetLocalDescription(a)
	}
	if err != nil {
		c.errorf("answer: %v", err)
		return
	}
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Answer{
		Answer: &livekit.SessionDescription{Type: "answer", Sdp: a.SDP, Id: o.Id},
	}})
}

// meet adds the sections the server misses and offers again.
func (c *client) meet(r *livekit.MediaSectionsRequirement) {
	c.addSections(int(r.NumAudios), int(r.NumVideos))
	c.negotiate()
}

func (c *client) addSections(audio, video int) {
	for kind, n := range map[webrtc.RTPCodecType]int{webrtc.RTPCodecTypeAudio: audio, webrtc.RTPCodecTypeVideo: video} {
		for range n {
			init := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
			if _, err := c.pub.AddTransceiverFromKind(kind, init); err != nil {
				c.errorf("add section: %v", err)
			}
		}
	}
}

// openChannels makes the client's data channels and, in single mode, the
// sections SDKs begin with.
func (c *client) openChannels() {
	no, zero := false, uint16(0)
	for label, init := range map[string]*webrtc.DataChannelInit{
		"_reliable": nil, "_lossy": {Ordered: &no, MaxRetransmits: &zero}, "_data_track": {Ordered: &no, MaxRetransmits: &zero},
	} {
		dc, err := c.pub.CreateDataChannel(label, init)
		if err != nil {
			c.t.Fatal(err)
		}
		dc.OnMessage(c.takeData)
		dc.OnOpen(func() { c.mu.Lock(); c.notify(); c.mu.Unlock() })
		c.channels[label] = dc
	}
	if c.single {
		c.addSections(3, 3)
	}
}

// negotiate offers on the publisher connection and applies the answer.
func (c *client) negotiate() *livekit.SessionDescription {
	c.nego.Lock() // one exchange at a time
	defer c.nego.Unlock()
	return c.exchange(nil)
}

func (c *client) exchange(opts *webrtc.OfferOptions) *livekit.SessionDescription {
	o, err := c.pub.CreateOffer(opts)
	if err == nil {
		err = c.pub.SetLocalDescription(o)
	}
	if err != nil {
		c.errorf("offer: %v", err)
		return nil
	}
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return nil
	}
	c.offerID++
	id := c.offerID
	got := make(chan *livekit.SessionDescription, 1)
	c.answers[id] = got
	c.mu.Unlock()
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Offer{
		Offer: &livekit.SessionDescription{Type: "offer", Sdp: o.SDP, Id: id},
	}})
	select {
	case a := <-got:
		if a == nil {
			return nil // closing
		}
		if c.believes != nil {
			a.Sdp = c.believes(a.Sdp)
		}
		if err := c.pub.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: a.Sdp}); err != nil {
			c.errorf("server's answer: %v", err)
		}
		return a
	case <-time.After(hang):
		c.errorf("no answer to our offer")
		return nil
	}
}

// wait returns the first message, past or future, that matches.
func (c *client) wait(what string, match func(*livekit.SignalResponse) bool) *livekit.SignalResponse {
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

// until waits for a condition on the client's state, checked under mu.
func (c *client) until(what string, cond func() bool) {
	c.t.Helper()
	deadline := time.After(hang)
	for {
		c.mu.Lock()
		ok, changed := cond(), c.changed
		c.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			c.mu.Lock()
			defer c.mu.Unlock()
			c.t.Fatalf("%s did not come; got %s", what, kinds(c.log))
		}
	}
}

func kinds(log []*livekit.SignalResponse) string {
	var out []string
	for _, m := range log {
		out = append(out, strings.TrimPrefix(fmt.Sprintf("%T", m.Message), "*livekit.SignalResponse_"))
	}
	return strings.Join(out, " ")
}

// forget drops the messages so far, so that wait sees only later ones.
func (c *client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = nil
}

func (c *client) waitActive() {
	c.t.Helper()
	c.wait("own ACTIVE", func(m *livekit.SignalResponse) bool {
		return slices.ContainsFunc(m.GetUpdate().GetParticipants(), func(p *livekit.ParticipantInfo) bool {
			return p.Sid == c.joined.Participant.Sid && p.State == livekit.ParticipantInfo_ACTIVE
		})
	})
}

// info waits for a participant to look like match.
func (c *client) info(identity, what string, match func(*livekit.ParticipantInfo) bool) *livekit.ParticipantInfo {
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

// publish announces and negotiates a track, and returns what to write to.
func (c *client) publish(kind webrtc.RTPCodecType, cid string, edit ...func(*livekit.AddTrackRequest)) (*webrtc.TrackLocalStaticRTP, *webrtc.RTPSender, *livekit.TrackInfo) {
	c.t.Helper()
	info := c.addTrack(kind, cid, edit...)
	track, sender := c.addSender(kind, cid)
	c.negotiate()
	return track, sender, info
}

func (c *client) addTrack(kind webrtc.RTPCodecType, cid string, edit ...func(*livekit.AddTrackRequest)) *livekit.TrackInfo {
	c.t.Helper()
	req := &livekit.AddTrackRequest{Cid: cid, Name: cid, Type: livekit.TrackType_AUDIO, Source: livekit.TrackSource_MICROPHONE}
	if kind == webrtc.RTPCodecTypeVideo {
		req.Type, req.Source = livekit.TrackType_VIDEO, livekit.TrackSource_CAMERA
		req.Width, req.Height = 640, 360
		req.Layers = []*livekit.VideoLayer{{Quality: livekit.VideoQuality_HIGH, Width: 640, Height: 360}}
	}
	for _, e := range edit {
		e(req)
	}
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: req}})
	m := c.wait("TrackPublished "+cid, func(m *livekit.SignalResponse) bool { return m.GetTrackPublished().GetCid() == cid })
	return m.GetTrackPublished().Track
}

func (c *client) addSender(kind webrtc.RTPCodecType, cid string) (*webrtc.TrackLocalStaticRTP, *webrtc.RTPSender) {
	c.t.Helper()
	mime := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
	if kind == webrtc.RTPCodecTypeVideo {
		mime = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}
	}
	track, err := webrtc.NewTrackLocalStaticRTP(mime, cid, "stream")
	if err != nil {
		c.t.Fatal(err)
	}
	tr, err := c.pub.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		c.t.Fatal(err)
	}
	return track, tr.Sender()
}

// drop cuts the signal connection without a word.
func (c *client) drop() {
	c.mu.Lock()
	ws := c.ws
	c.ws = nil
	c.mu.Unlock()
	if ws != nil {
		ws.Close()
	}
}

// errorf fails the test unless the client is closing, or the server closed its
// connection.
func (c *client) errorf(format string, args ...any) {
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

func (c *client) close() {
	c.mu.Lock()
	c.closing = true
	for id, got := range c.answers { // nobody answers any more
		close(got)
		delete(c.answers, id)
	}
	c.mu.Unlock()
	c.drop()
	// First those who negotiate: Pion's connection, closed before it had an ICE
	// agent, makes one for a description that is being set meanwhile, and nobody
	// closes that.
	c.readers.Wait()
	for _, pc := range []*webrtc.PeerConnection{c.pub, c.sub} {
		if pc != nil {
			_ = pc.GracefulClose()
		}
	}
}
