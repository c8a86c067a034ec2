package wire_test

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/dtls/v3"
	"github.com/pion/stun/v4"
	"github.com/pion/webrtc/v4"
)

// isSRTP tells media from the rest (RFC 7983).
func isSRTP(b []byte) bool { return len(b) > 20 && b[0] >= 128 && b[0] <= 191 }

// Somebody on ann's path repeats each of her packets and adds forged ones, ten for
// each: nothing of that is heard, everything of hers is, and all of it is counted.
func TestForgedAndReplayedPackets(t *testing.T) {
	var replayed, forged atomic.Uint64
	l := newLine(t, func(b []byte) (extra [][]byte) {
		if !isSRTP(b) {
			return nil
		}
		for i := range 5 {
			extra = append(extra, bytes.Clone(b))
			replayed.Add(1)
			bad := bytes.Clone(b)
			bad[len(bad)-1-i] ^= 0xff // the tag, and what is before it
			binary.BigEndian.PutUint16(bad[2:], binary.BigEndian.Uint16(bad[2:])+uint16(i)+1)
			extra = append(extra, bad)
			forged.Add(1)
		}
		return extra
	})
	s := attacked(t)
	p := newPair(t, s, l)
	before := s.engine.Refusals()
	p.bob.until("more of ann", func() bool { return len(p.heard) > 100 })
	p.check()
	p.grows("srtp_replayed", 300, before.Replayed, func() uint64 { return s.engine.Refusals().Replayed })
	p.grows("srtp_forged", 300, before.Forged, func() uint64 { return s.engine.Refusals().Forged })
	// A forged packet with the number of one that came counts as replayed.
	if r := s.engine.Refusals(); r.Replayed+r.Forged > replayed.Load()+forged.Load() {
		t.Errorf("counted %+v of %d replayed and %d forged packets", r, replayed.Load(), forged.Load())
	}
}

// stranger is a socket nobody knows.
func stranger(t *testing.T, s *server) net.Conn {
	t.Helper()
	conn, err := net.Dial("udp4", s.engine.LocalAddrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// Datagrams of strangers, many more than there are packets in the call: garbage,
// packets that look like media, DTLS, and STUN for nobody or with a wrong password.
func TestStrangersAreNotHeard(t *testing.T) {
	s := attacked(t)
	p := newPair(t, s, nil)
	ufrag := iceUfrag(t, p.ann.pub)
	attacks := map[string]func() []byte{
		"garbage": func() []byte {
			b := make([]byte, 200)
			_, _ = rand.Read(b) // never fails
			return b
		},
		"media": func() []byte { return append([]byte{0x80, 111, 0, 1}, make([]byte, 100)...) },
		"empty": func() []byte { return nil },
		"one":   func() []byte { return []byte{22} },
		"DTLS": func() []byte {
			return append([]byte{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 1, 0, 50, 1}, make([]byte, 49)...)
		},
		"STUN":    func() []byte { return stunFor(t, "nobody:nobody", "wrong") },
		"ann's":   func() []byte { return stunFor(t, ufrag, "wrong") },
		"no name": func() []byte { return stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw },
		"broken": func() []byte {
			b := stunFor(t, ufrag, "wrong")
			b[21] = 0xff // an attribute longer than the message
			return b
		},
	}
	before := s.engine.Stats().Unknown
	for name, write := range attacks {
		conn := stranger(t, s)
		for range 500 {
			if _, err := conn.Write(write()); err != nil && name != "empty" {
				t.Logf("%s: %v", name, err) // the kernel may tell of a full buffer
			}
		}
	}
	p.check()
	p.grows("udp_unknown", 500, before, func() uint64 { return s.engine.Stats().Unknown })
	p.settles()
}

// iceUfrag is how a client's checks name a connection: the server's fragment, then
// its own.
func iceUfrag(t *testing.T, pc *webrtc.PeerConnection) string {
	t.Helper()
	find := func(sdp string) string {
		_, rest, _ := strings.Cut(sdp, "a=ice-ufrag:")
		name, _, _ := strings.Cut(rest, "\r\n")
		return name
	}
	return find(pc.RemoteDescription().SDP) + ":" + find(pc.LocalDescription().SDP)
}

func stunFor(t *testing.T, user, password string) []byte {
	t.Helper()
	m, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.NewUsername(user),
		stun.NewShortTermIntegrity(password), stun.Fingerprint)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

// While a call is being set up a stranger begins a DTLS handshake with the port,
// from an address that no check has proven (RFC 8826; other servers answered it).
func TestAStrangersHandshakeIsNotAnswered(t *testing.T) {
	s := attacked(t)
	p := newPair(t, s, nil)
	before := s.engine.Stats().Unknown
	answered := make(chan error, 1)
	conn := stranger(t, s)
	client, err := dtls.ClientWithOptions(packetConn{conn}, conn.RemoteAddr(), dtls.WithInsecureSkipVerify(true))
	if err != nil {
		t.Fatal(err)
	}
	go func() { answered <- client.HandshakeContext(t.Context()) }()
	p.grows("udp_unknown", 2, before, func() uint64 { return s.engine.Stats().Unknown })
	carol := s.connect(true, s.token("carol", "r"))
	carol.flows(p.mic.Sid)
	conn.Close()
	client.Close()
	if err := <-answered; err == nil {
		t.Error("the handshake of a stranger succeeded")
	}
	carol.close()
	p.check()
}

// packetConn makes a connected socket one for a given address.
type packetConn struct{ net.Conn }

func (c packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := c.Read(b)
	return n, c.RemoteAddr(), err
}
func (c packetConn) WriteTo(b []byte, _ net.Addr) (int, error) { return c.Write(b) }

// Whoever shows another certificate than it announced gets no media and sends none.
func TestWrongFingerprint(t *testing.T) {
	s := attacked(t)
	p := newPair(t, s, nil)
	before := s.engine.Refusals().NeverConnected
	eve := newClient(t, true)
	s.joinAs(eve, s.token("eve", "r"))
	eve.openChannels()
	eve.addTrack(audio, "mic")
	eve.addSender(audio, "mic")
	offer, err := eve.pub.CreateOffer(nil)
	if err == nil {
		err = eve.pub.SetLocalDescription(offer)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(offer.SDP, "a=fingerprint:sha-256 ")
	shown, _, _ := strings.Cut(rest, "\r\n")
	other := strings.Repeat("AB:", 31) + "AB"
	got := make(chan *livekit.SessionDescription, 1)
	eve.mu.Lock()
	eve.answers[1] = got
	eve.mu.Unlock()
	eve.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Offer{Offer: &livekit.SessionDescription{
		Type: "offer", Sdp: strings.ReplaceAll(offer.SDP, shown, other), Id: 1,
	}}})
	if err := eve.pub.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: (<-got).Sdp}); err != nil {
		t.Fatal(err)
	}
	p.grows("never_connected", 1, before, func() uint64 { return s.engine.Refusals().NeverConnected })
	eve.mu.Lock()
	heard := eve.packets[p.mic.Sid]
	eve.mu.Unlock()
	if heard != 0 {
		t.Errorf("eve heard %d packets", heard)
	}
	eve.close()
	p.check()
}
