package client

import (
	"fmt"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/sdp/v3"
	"github.com/pion/transport/v5/stdnet"
	"github.com/pion/webrtc/v4"
)

// peer is one connection.
type peer struct {
	pc       *webrtc.PeerConnection
	receiver *receiver

	mu      sync.Mutex
	outlets map[uint32]*outlet // guarded by mu, by SSRC

	early []webrtc.ICECandidateInit // owned by run: came before a description
}

// newPeer makes a connection; own is the one that we make the offers for.
func (c *Client) newPeer(own bool) (*peer, error) {
	p := &peer{receiver: newReceiver(c.cfg.Figures), outlets: map[uint32]*outlet{}}
	receives := own == c.cfg.Single
	p.receiver.onRTCP = func(ssrc uint32, raw []byte) { c.feedback(p, ssrc, raw) }
	p.receiver.onFirst = func(f firstPacket) {
		if receives {
			c.firsts.packet(f)
		}
	}
	api, err := c.api(p.receiver)
	if err != nil {
		return nil, err
	}
	if p.pc, err = api.NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle}); err != nil {
		return nil, err
	}
	p.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected && receives {
			c.firsts.connected(time.Now())
		}
		c.tell(stateChanged{p, s})
	})
	p.pc.OnICECandidate(func(i *webrtc.ICECandidate) {
		if i != nil {
			c.tell(candidate{p, i.ToJSON()})
		}
	})
	c.cfg.Pulse.add(p)
	if !own {
		return p, nil
	}
	return p, p.openChannels()
}

// openChannels are those of the protocol, which the client opens.
func (p *peer) openChannels() error {
	ordered, unordered, never := true, false, uint16(0)
	for _, ch := range []struct {
		label string
		init  webrtc.DataChannelInit
	}{
		{"_lossy", webrtc.DataChannelInit{Ordered: &unordered, MaxRetransmits: &never}},
		{"_reliable", webrtc.DataChannelInit{Ordered: &ordered}},
	} {
		if _, err := p.pc.CreateDataChannel(ch.label, &ch.init); err != nil {
			return fmt.Errorf("open channel %s: %w", ch.label, err)
		}
	}
	return nil
}

// api has what the load needs and nothing else: VP8 and Opus, no interceptors, and
// the tap in place of Pion's receive buffers.
func (c *Client) api(r *receiver) (*webrtc.API, error) {
	m := &webrtc.MediaEngine{}
	feedback := []webrtc.RTCPFeedback{
		{Type: "transport-cc"},
		{Type: "ccm", Parameter: "fir"},
		{Type: "nack"},
		{Type: "nack", Parameter: "pli"},
	}
	for _, p := range []struct {
		kind  webrtc.RTPCodecType
		codec webrtc.RTPCodecParameters
	}{
		{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecParameters{PayloadType: 111, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1", RTCPFeedback: feedback[:1],
		}}},
		{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecParameters{PayloadType: 96, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeVP8, ClockRate: 90000, RTCPFeedback: feedback,
		}}},
		{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecParameters{PayloadType: 97, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=96",
		}}},
	} {
		if err := m.RegisterCodec(p.codec, p.kind); err != nil {
			return nil, err
		}
	}
	for kind, uris := range map[webrtc.RTPCodecType][]string{
		webrtc.RTPCodecTypeAudio: {sdp.SDESMidURI, uriTWCC, sdp.AudioLevelURI},
		webrtc.RTPCodecTypeVideo: {sdp.SDESMidURI, uriTWCC, sdp.SDESRTPStreamIDURI, sdp.SDESRepairRTPStreamIDURI},
	} {
		for _, uri := range uris {
			if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, kind); err != nil {
				return nil, err
			}
		}
	}
	var s webrtc.SettingEngine
	s.LoggerFactory = silent{}
	network, err := stdnet.NewNet()
	if err != nil {
		return nil, err
	}
	s.SetNet(quietNet{network, &c.dead})
	s.BufferFactory = r.buffer
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.DisableActiveTCP(true)
	if loopback(c.cfg.URL) {
		s.SetIncludeLoopbackCandidate(true)
		s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	}
	return webrtc.NewAPI(
		webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(&interceptor.Registry{}), webrtc.WithSettingEngine(s),
	), nil
}

// loopback tells whether the server is on this machine and reached by IPv4.
func loopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.Is4() && ip.IsLoopback()
}

// negotiated tells whether an answer was ever applied.
func (p *peer) negotiated() bool { return p.pc.RemoteDescription() != nil }

func (p *peer) close(pulse *Pulse) {
	pulse.remove(p)
	p.receiver.close()
	_ = p.pc.Close() // a connection that is gone needs no good-bye
}

// feedback takes RTCP about what we send, in Pion's goroutine.
func (c *Client) feedback(p *peer, ssrc uint32, raw []byte) {
	packets, err := rtcp.Unmarshal(raw)
	if err != nil {
		return
	}
	p.mu.Lock()
	o := p.outlets[ssrc]
	p.mu.Unlock()
	if o == nil {
		return
	}
	for _, packet := range packets {
		if o.handleRTCP(packet) {
			c.cfg.Figures.KeyframeRequests.Add(1)
		}
	}
	if len(o.again) > 0 {
		c.sending.poke()
	}
}

// Pulse sends what receivers owe. One goroutine does it for all of a load.
type Pulse struct {
	quit, done chan struct{}

	mu    sync.Mutex
	peers map[*peer]struct{} // guarded by mu
}

// pulseEvery is how often transport-wide feedback goes out, as browsers do at some
// Mbit/s.
const pulseEvery = 60 * time.Millisecond

// NewPulse starts the goroutine. Close ends it.
func NewPulse() *Pulse {
	p := &Pulse{quit: make(chan struct{}), done: make(chan struct{}), peers: map[*peer]struct{}{}}
	go p.run()
	return p
}

// Close waits for the goroutine.
func (p *Pulse) Close() {
	close(p.quit)
	<-p.done
}

func (p *Pulse) add(x *peer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.peers[x] = struct{}{}
}

func (p *Pulse) remove(x *peer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.peers, x)
}

func (p *Pulse) run() {
	defer close(p.done)
	tick := time.NewTicker(pulseEvery)
	defer tick.Stop()
	var all []*peer
	for {
		select {
		case <-p.quit:
			return
		case <-tick.C:
		}
		p.mu.Lock()
		all = all[:0]
		for x := range p.peers {
			all = append(all, x)
		}
		p.mu.Unlock()
		for _, x := range all {
			for _, packet := range x.receiver.feedback(time.Now()) {
				_ = x.pc.WriteRTCP([]rtcp.Packet{packet}) // fails on one that just closed
			}
		}
	}
}
