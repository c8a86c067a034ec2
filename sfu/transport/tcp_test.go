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
	e, err := NewEngine(Config{Addrs: []netip.Addr{at.Addr()}, TCP: []netip.AddrPort{at}, Log: slog.New(slog.DiscardHandler)})
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

// dial connects a client that may use the network types given, and returns it with
// the protocol of the way it found.
func dial(t *testing.T, e *Engine, cfg PeerConfig, types ...webrtc.NetworkType) (protocol string, answer string) {
	t.Helper()
	cfg.Log = slog.New(slog.DiscardHandler)
	cfg.OnState, cfg.OnWritable, cfg.OnData = func(State) {}, func() {}, func(Label, []byte) {}
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
	offer, err := client.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	got, err := p.Answer(offer.SDP, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: got.SDP}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-opened:
	case <-time.After(hangLimit):
		t.Fatalf("no connection over %v\n%s", types, got.SDP)
	}
	pair, err := client.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil {
		t.Fatalf("no pair: %v", err)
	}
	return pair.Remote.Protocol.String(), got.SDP
}

// Pion gathers nothing on ::1; connections over IPv6 are tested in tcp/.
func TestMediaOverTCP(t *testing.T) {
	e := tcpEngine(t, "127.0.0.1")
	protocol, _ := dial(t, e, PeerConfig{}, webrtc.NetworkTypeTCP4)
	if protocol != "tcp" {
		t.Errorf("connected over %s", protocol)
	}
	if s := e.TCPStats(); s.Accepted == 0 || s.Received == 0 || s.Sent == 0 || s.QueueFull != 0 {
		t.Errorf("got %+v", s)
	}
}

func TestUDPIsPreferred(t *testing.T) {
	e := tcpEngine(t, "127.0.0.1")
	protocol, answer := dial(t, e, PeerConfig{}, webrtc.NetworkTypeUDP4, webrtc.NetworkTypeTCP4)
	if protocol != "udp" || !strings.Contains(answer, "tcptype passive") {
		t.Errorf("connected over %s by\n%s", protocol, answer)
	}
}

func TestClientsWithoutTCPAreNotOfferedAny(t *testing.T) {
	e := tcpEngine(t, "127.0.0.1")
	if _, answer := dial(t, e, PeerConfig{NoTCP: true}, webrtc.NetworkTypeUDP4); strings.Contains(answer, "tcptype") {
		t.Errorf("offered TCP:\n%s", answer)
	}
}
