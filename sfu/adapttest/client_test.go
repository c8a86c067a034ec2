package adapttest

import (
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/transport/v5/vnet"
	"github.com/pion/webrtc/v4"

	"aparte/sfu"
)

// client is a participant: its signalling and one Pion connection, on which it
// either publishes or receives.
type client struct {
	w       *world
	name    string
	link    *link // to it
	pc      *webrtc.PeerConnection
	session *sfu.Session
	inbox   chan *livekit.SignalResponse
	quit    chan struct{}
	done    sync.WaitGroup
	closing sync.Once

	answers   chan string
	published chan *livekit.TrackInfo
	connected chan struct{}

	mu      sync.Mutex
	streams map[string]*stream // received, by track sid
	states  []said
}

// said is a StreamStateUpdate about one track.
type said struct {
	at    time.Time
	sid   string
	state livekit.StreamState
}

// Send is sfu.Signal's: it must not block.
func (c *client) Send(m *livekit.SignalResponse) {
	select {
	case c.inbox <- m:
	case <-c.quit:
	}
}

// Close is sfu.Signal's.
func (c *client) Close() {}

func (w *world) client(name string, publish, subscribe bool) *client {
	w.t.Helper()
	host := w.host()
	c := &client{
		w: w, name: name, link: w.shaper.link(fmt.Sprintf("10.0.0.%d", w.hosts)),
		inbox: make(chan *livekit.SignalResponse, 1000), quit: make(chan struct{}),
		answers: make(chan string, 10), published: make(chan *livekit.TrackInfo, 10), connected: make(chan struct{}),
		streams: map[string]*stream{},
	}
	c.pc = newPC(w.t, host)
	var once sync.Once
	c.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			once.Do(func() { close(c.connected) })
		}
	})
	c.pc.OnTrack(c.receive)
	w.clients = append(w.clients, c)
	var err error
	if c.session, err = w.unit.Join(sfu.JoinParams{
		Room: sfu.RoomKey{Space: w.space, Name: "r"}, Identity: name, Permission: permission(publish, subscribe), AutoSubscribe: true,
		Client: &livekit.ClientInfo{Protocol: 16},
	}, c); err != nil {
		w.t.Fatal(err)
	}
	c.done.Go(c.run)
	return c
}

func newPC(t testing.TB, host *vnet.Net) *webrtc.PeerConnection {
	t.Helper()
	me := &webrtc.MediaEngine{}
	if err := me.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	if err := me.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: audioLevelURI}, webrtc.RTPCodecTypeAudio); err != nil {
		t.Fatal(err)
	}
	ir := &interceptor.Registry{}
	if err := webrtc.RegisterDefaultInterceptors(me, ir); err != nil {
		t.Fatal(err)
	}
	var se webrtc.SettingEngine
	se.SetNet(host)
	se.LoggerFactory = quiet()
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	se.SetIPFilter(func(ip net.IP) bool { return !ip.IsLoopback() })
	se.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	se.SetICETimeouts(time.Minute, time.Minute, 2*time.Second) // outages are part of the tests
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(me), webrtc.WithInterceptorRegistry(ir), webrtc.WithSettingEngine(se)).
		NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	return pc
}

func (c *client) close() {
	c.closing.Do(func() {
		close(c.quit)
		if err := c.pc.GracefulClose(); err != nil {
			c.w.t.Error(err)
		}
		c.done.Wait()
	})
}

func (c *client) ask(m *livekit.SignalRequest) { c.session.Handle(c, m) }

// run follows what the server says.
func (c *client) run() {
	for {
		select {
		case m := <-c.inbox:
			c.hear(m)
		case <-c.quit:
			return
		}
	}
}

func (c *client) hear(m *livekit.SignalResponse) {
	switch m := m.GetMessage().(type) {
	case *livekit.SignalResponse_Offer:
		c.answer(m.Offer)
	case *livekit.SignalResponse_Answer:
		c.answers <- m.Answer.GetSdp()
	case *livekit.SignalResponse_TrackPublished:
		c.published <- m.TrackPublished.GetTrack()
	case *livekit.SignalResponse_StreamStateUpdate:
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, s := range m.StreamStateUpdate.GetStreamStates() {
			c.states = append(c.states, said{time.Now(), s.TrackSid, s.State})
		}
	}
}

// answer takes an offer of the server's for what we receive.
func (c *client) answer(o *livekit.SessionDescription) {
	fail := func(err error) bool {
		if err != nil {
			select {
			case <-c.quit:
			default:
				c.w.t.Error(err)
			}
		}
		return err != nil
	}
	if fail(c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: o.GetSdp()})) {
		return
	}
	answer, err := c.pc.CreateAnswer(nil)
	if fail(err) {
		return
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if fail(c.pc.SetLocalDescription(answer)) {
		return
	}
	<-gathered
	c.ask(&livekit.SignalRequest{Message: &livekit.SignalRequest_Answer{Answer: &livekit.SessionDescription{
		Type: "answer", Sdp: c.pc.LocalDescription().SDP, Id: o.GetId(),
	}}})
}

// offer negotiates what we publish.
func (c *client) offer() {
	t := c.w.t
	t.Helper()
	offer, err := c.pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	c.ask(&livekit.SignalRequest{Message: &livekit.SignalRequest_Offer{Offer: &livekit.SessionDescription{
		Type: "offer", Sdp: c.pc.LocalDescription().SDP, Id: uint32(len(c.pc.GetTransceivers())),
	}}})
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: <-c.answers}); err != nil {
		t.Fatal(err)
	}
	<-c.connected
}

// told is what was last said of a track; ACTIVE when nothing was.
func (c *client) told(sid string) livekit.StreamState {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range slices.Backward(c.states) {
		if s.sid == sid {
			return s.state
		}
	}
	return livekit.StreamState_ACTIVE
}

// want is UpdateTrackSettings: the size at which a picture is shown.
func (c *client) want(sid string, width, height, priority uint32) {
	c.ask(&livekit.SignalRequest{Message: &livekit.SignalRequest_TrackSetting{TrackSetting: &livekit.UpdateTrackSettings{
		TrackSids: []string{sid}, Width: width, Height: height, Priority: priority,
	}}})
}

func (c *client) describe() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.name + ":"
	for sid, st := range c.streams {
		s += fmt.Sprintf(" %s layer %d tid %d %d packets;", sid, st.layerNow(), st.tidNow(), st.packets)
	}
	for _, x := range c.states {
		s += fmt.Sprintf(" %s %s;", x.sid, x.state)
	}
	return s
}
