package transport

import (
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"aparte/sfu/publish"
)

// mute drops what a client says over SCTP: DTLS records of application data (RFC 6347
// section 4.1).
type mute struct {
	net.PacketConn
	on   atomic.Bool
	sent atomic.Int32 // SRTCP packets
}

func (m *mute) WriteTo(b []byte, to net.Addr) (int, error) {
	switch {
	case m.on.Load() && b[0] == 23:
		return len(b), nil
	case b[0]>>6 == 2:
		m.sent.Add(1)
	}
	return m.PacketConn.WriteTo(b, to)
}

// unanswered is a connection, offered by us with data channels alone, whose client never
// answers SCTP; then we offered a track, and the client answered.
func unanswered(t *testing.T, e *Engine) (p *Peer, client *webrtc.PeerConnection, conn *mute) {
	t.Helper()
	up := make(chan struct{}, 1)
	p, err := e.NewPeer(PeerConfig{
		Offers: true, Log: slog.New(slog.DiscardHandler),
		OnWritable: func() {}, OnData: func(Label, []byte) {},
		OnState: func(s State) {
			if s == Connected {
				up <- struct{}{}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close) // a test that ends before its time holds up nobody
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn = &mute{PacketConn: udp}
	conn.on.Store(true)
	var s webrtc.SettingEngine
	s.SetICEUDPMux(webrtc.NewICEUDPMux(nil, conn))
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	s.SetIncludeLoopbackCandidate(true)
	media := &webrtc.MediaEngine{}
	if err := media.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	client, err = webrtc.NewAPI(webrtc.WithSettingEngine(s), webrtc.WithMediaEngine(media)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = client.Close()
		_ = udp.Close()
	})
	answer := func(want []Outgoing) {
		t.Helper()
		offer, err := p.Offer(want, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := client.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer.SDP}); err != nil {
			t.Fatal(err)
		}
		made, err := client.CreateAnswer(nil)
		if err != nil {
			t.Fatal(err)
		}
		gathered := webrtc.GatheringCompletePromise(client)
		if err := client.SetLocalDescription(made); err != nil {
			t.Fatal(err)
		}
		<-gathered
		if _, err := p.SetAnswer(client.LocalDescription().SDP); err != nil {
			t.Fatal(err)
		}
	}
	answer(nil)
	select {
	case <-up:
	case <-time.After(hangLimit):
		t.Fatal("no connection")
	}
	track := publish.NewTrack(publish.TrackConfig{ID: "TR_a", Kind: publish.Audio})
	down := p.NewDownTrack(track)
	t.Cleanup(down.Close)
	answer([]Outgoing{{TrackID: "TR_a", StreamID: "PA_a", Kind: publish.Audio, Down: down}})
	return p, client, conn
}

// feedback sends RTCP of the client about a source that nobody declared, until the
// server has read it.
func feedback(t *testing.T, e *Engine, client *webrtc.PeerConnection, conn *mute) {
	t.Helper()
	end := time.Now().Add(hangLimit)
	for before := e.Stats().Received; conn.sent.Load() == 0 || e.Stats().Received < before+8; {
		// The client's DTLS may not be up yet.
		if err := client.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{SenderSSRC: 7, MediaSSRC: 8}}); time.Now().After(end) {
			t.Fatalf("the server reads nothing, the last was sent with: %v", err)
		}
		time.Sleep(time.Millisecond)
	}
}

func closes(t *testing.T, p *Peer) {
	t.Helper()
	closed := make(chan struct{})
	go func() {
		p.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(hangLimit):
		t.Fatal("connection does not close")
	}
}

// While the client does not answer SCTP, Pion does not begin to take media.
func TestNothingBeginsSRTPBeforePionTakesIt(t *testing.T) {
	e := tcpEngine(t, "127.0.0.1")
	p, client, conn := unanswered(t, e)
	if p.Flow(time.Now().Add(time.Hour)).IsZero() {
		t.Error("media flows")
	}
	if err := p.writeRTCP([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 1}}); err != nil {
		t.Error(err)
	}
	feedback(t, e, client, conn)
	closes(t, p)
	if n := e.Refusals().Stuck; n != 0 {
		t.Errorf("%d connections left behind", n)
	}
}

// And once it answers, media flows.
func TestMediaFlowsOnceSCTPIsUp(t *testing.T) {
	e := tcpEngine(t, "127.0.0.1")
	p, _, conn := unanswered(t, e)
	defer closes(t, p)
	conn.on.Store(false)
	for end := time.Now().Add(hangLimit); !p.Flow(time.Now()).IsZero(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("media is held back for ever")
		}
	}
}

// A connection that Pion cannot close holds up neither who closes it nor the worker,
// which serves everybody else.
func TestConnectionThatDoesNotClose(t *testing.T) {
	e := tcpEngine(t, "127.0.0.1")
	e.closeLimit = 100 * time.Millisecond
	p, client, conn := unanswered(t, e)
	if err := p.pc.WriteRTCP([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 1}}); err != nil { // what writeRTCP is kept from
		t.Fatal(err)
	}
	feedback(t, e, client, conn)
	closes(t, p)
	if n := e.Refusals().Stuck; n != 1 {
		t.Errorf("%d connections left behind", n)
	}
	if err := p.writeRTCP([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 1}}); err != nil { // as of a tick that was on its way
		t.Error(err)
	}
}
