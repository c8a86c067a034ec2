package transport

import (
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// hangLimit bounds the waiting for events; nothing takes that long.
const hangLimit = 40 * time.Second

// tcpEngine is an engine on one address that is reached over TCP as well.
func tcpEngine(t *testing.T, address string) *Engine {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().(*net.TCPAddr).AddrPort()
	relay, err := net.ListenPacket("udp4", "127.0.0.2:0") // candidates there are told to nobody
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewEngine(Config{Addrs: []netip.Addr{at.Addr()}, TCP: []netip.AddrPort{at}, Relay: relay, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go e.ServeTCP(c)
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		accepting.Wait()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// dialled is a connection with both its ends.
type dialled struct {
	peer     *Peer
	client   *webrtc.PeerConnection
	channel  *webrtc.DataChannel
	protocol string // of the way it found
	answer   string
	data     chan string // what the server has from the client
}

// dial connects a client that may use the network types given.
func dial(t *testing.T, e *Engine, cfg PeerConfig, types ...webrtc.NetworkType) dialled {
	t.Helper()
	data := make(chan string, 10)
	cfg.Log = slog.New(slog.DiscardHandler)
	connected := make(chan struct{}) // as we see it, which may be after the client does
	var once sync.Once
	cfg.OnState = func(s State) {
		if s == Connected {
			once.Do(func() { close(connected) })
		}
	}
	cfg.OnWritable = func() {}
	cfg.OnData = func(_ Label, b []byte) { data <- string(b) }
	p, err := e.NewPeer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	var s webrtc.SettingEngine
	s.SetNetworkTypes(types)
	s.SetIncludeLoopbackCandidate(true)
	client, err := webrtc.NewAPI(webrtc.WithSettingEngine(s)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.GracefulClose() })
	opened := make(chan struct{})
	dc, err := client.CreateDataChannel(string(Reliable), nil)
	if err != nil {
		t.Fatal(err)
	}
	dc.OnOpen(func() { close(opened) })
	d := dialled{peer: p, client: client, channel: dc, data: data}
	d.negotiate(t, nil)
	for _, done := range []chan struct{}{opened, connected} {
		select {
		case <-done:
		case <-time.After(hangLimit):
			t.Fatalf("no connection over %v\n%s", types, d.answer)
		}
	}
	pair, err := client.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil {
		t.Fatalf("no pair: %v", err)
	}
	d.protocol = pair.Remote.Protocol.String()
	return d
}

// negotiate has the client make an offer, and gives it the answer.
func (d *dialled) negotiate(t *testing.T, options *webrtc.OfferOptions) {
	t.Helper()
	offer, err := d.client.CreateOffer(options)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.client.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	got, err := d.peer.Answer(offer.SDP, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.client.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: got.SDP}); err != nil {
		t.Fatal(err)
	}
	d.answer = got.SDP
}

// says sends over the connection and waits until it is there.
func (d *dialled) says(t *testing.T, text string) {
	t.Helper()
	if err := d.channel.SendText(text); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-d.data:
		if got != text {
			t.Fatalf("got %q, want %q", got, text)
		}
	case <-time.After(hangLimit):
		t.Fatalf("%q does not come through", text)
	}
}

// Whoever is connected over UDP does not keep a way over TCP for good, and has one again
// when ICE restarts. Whoever is connected over TCP keeps it.
func TestSpareWaysAreGivenUp(t *testing.T) {
	e := tcpEngine(t, "127.0.0.1")
	// A client that offers both may happen to choose TCP; the ways are kept ready all the same.
	d := dial(t, e, PeerConfig{}, webrtc.NetworkTypeUDP4)
	now := time.Now()
	ways := func() int {
		e.relay.mu.Lock()
		defer e.relay.mu.Unlock()
		if n := e.tcp.Sessions(); n != len(e.relay.conns) {
			t.Errorf("%d ways over TCP and %d over the relay", n, len(e.relay.conns))
		}
		return e.tcp.Sessions()
	}
	d.peer.GiveUpSpareWays(now)
	d.peer.GiveUpSpareWays(now.Add(spareAfter - time.Millisecond))
	if ways() != 1 {
		t.Fatalf("%d ways over TCP in the first seconds", ways())
	}
	d.peer.GiveUpSpareWays(now.Add(spareAfter))
	if ways() != 0 {
		t.Fatalf("%d ways over TCP are kept", ways())
	}
	d.says(t, "over UDP alone")
	d.negotiate(t, &webrtc.OfferOptions{ICERestart: true})
	if ways() != 1 {
		t.Errorf("%d ways over TCP after an ICE restart", ways())
	}
	d.says(t, "after a restart")
	d.peer.GiveUpSpareWays(now.Add(spareAfter))
	if ways() != 1 {
		t.Error("an ICE restart does not begin the time anew")
	}

	over := dial(t, e, PeerConfig{}, webrtc.NetworkTypeTCP4)
	over.peer.GiveUpSpareWays(now)
	over.peer.GiveUpSpareWays(now.Add(time.Hour))
	over.says(t, "over TCP")
	if ways() != 2 {
		t.Errorf("%d ways over TCP, one is in use and one restarted", ways())
	}
	d.peer.Close()
	over.peer.Close()
	if ways() != 0 {
		t.Errorf("%d ways of closed connections", ways())
	}
}

// Pion gathers nothing on ::1; connections over IPv6 are tested in tcp/.
func TestMediaOverTCP(t *testing.T) {
	e := tcpEngine(t, "127.0.0.1")
	d := dial(t, e, PeerConfig{}, webrtc.NetworkTypeTCP4)
	if d.protocol != "tcp" {
		t.Errorf("connected over %s", d.protocol)
	}
	if s := e.TCPStats(); s.Accepted == 0 || s.Received == 0 || s.Sent == 0 || s.QueueFull != 0 {
		t.Errorf("got %+v", s)
	}
}

func TestUDPIsPreferred(t *testing.T) {
	e := tcpEngine(t, "127.0.0.1")
	d := dial(t, e, PeerConfig{}, webrtc.NetworkTypeUDP4, webrtc.NetworkTypeTCP4)
	if d.protocol != "udp" || !strings.Contains(d.answer, "tcptype passive") {
		t.Errorf("connected over %s by\n%s", d.protocol, d.answer)
	}
}

func TestClientsWithoutTCPAreNotOfferedAny(t *testing.T) {
	e := tcpEngine(t, "127.0.0.1")
	if d := dial(t, e, PeerConfig{Ways: UDP}, webrtc.NetworkTypeUDP4); strings.Contains(d.answer, "tcptype") {
		t.Errorf("offered TCP:\n%s", d.answer)
	}
}
