package wire_test

import (
	"crypto"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/fingerprint"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	dtlsnet "github.com/pion/dtls/v3/pkg/net"
	"github.com/pion/ice/v4"
)

// handshake joins as somebody whose offer has nothing but data channels, and returns
// the DTLS connection below them: what is written to it is taken for SCTP.
func handshake(t *testing.T, s *server, identity string) *dtls.Conn {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	agent, err := ice.NewAgentWithOptions(ice.WithIncludeLoopback(),
		ice.WithNetworkTypes([]ice.NetworkType{ice.NetworkTypeUDP4}),
		ice.WithCandidateTypes([]ice.CandidateType{ice.CandidateTypeHost}))
	must(err)
	t.Cleanup(func() { _ = agent.Close() })
	gathered := make(chan struct{})
	must(agent.OnCandidate(func(c ice.Candidate) {
		if c == nil {
			close(gathered)
		}
	}))
	must(agent.GatherCandidates())
	<-gathered
	ufrag, pwd, err := agent.GetLocalUserCredentials()
	must(err)
	cert, err := selfsign.GenerateSelfSigned()
	must(err)
	parsed, err := x509.ParseCertificate(cert.Certificate[0])
	must(err)
	shown, err := fingerprint.Fingerprint(parsed, crypto.SHA256)
	must(err)
	offer := strings.Join([]string{
		"v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0",
		"m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0",
		"a=ice-ufrag:" + ufrag, "a=ice-pwd:" + pwd, "a=fingerprint:sha-256 " + shown,
		"a=setup:actpass", "a=mid:0", "a=sctp-port:5000", "",
	}, "\r\n")
	c := newClient(t, true)
	s.joinAs(c, s.token(identity, "r"), manualSubscribe)
	got := make(chan *livekit.SessionDescription, 1)
	c.mu.Lock()
	c.answers[1] = got
	c.mu.Unlock()
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Offer{Offer: &livekit.SessionDescription{Type: "offer", Sdp: offer, Id: 1}}})
	var theirs, secret string
	for line := range strings.SplitSeq((<-got).Sdp, "\r\n") {
		key, value, _ := strings.Cut(line, ":")
		switch key {
		case "a=ice-ufrag":
			theirs = value
		case "a=ice-pwd":
			secret = value
		case "a=candidate":
			candidate, err := ice.UnmarshalCandidate(value)
			must(err)
			must(agent.AddRemoteCandidate(candidate))
		}
	}
	conn, err := agent.Dial(t.Context(), theirs, secret)
	must(err)
	secured, err := dtls.ClientWithOptions(dtlsnet.PacketConnFromConn(conn), conn.RemoteAddr(),
		dtls.WithCertificates(cert), dtls.WithInsecureSkipVerify(true),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM))
	must(err)
	t.Cleanup(func() { _ = secured.Close() })
	must(secured.HandshakeContext(t.Context()))
	return secured
}

// sctp makes a packet of RFC 9260 section 3 with a right checksum.
func sctp(tag uint32, chunks ...byte) []byte {
	b := make([]byte, 12, 12+len(chunks))
	binary.BigEndian.PutUint16(b, 5000)
	binary.BigEndian.PutUint16(b[2:], 5000)
	binary.BigEndian.PutUint32(b[4:], tag)
	b = append(b, chunks...)
	binary.LittleEndian.PutUint32(b[8:], crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// chunk has the length field that is told, whatever is in it.
func chunk(kind, flags byte, length uint16, body ...byte) []byte {
	return append([]byte{kind, flags, byte(length >> 8), byte(length)}, body...)
}

// Behind a good handshake come packets that are not SCTP, or break its rules.
func TestMalformedSCTP(t *testing.T) {
	s := attacked(t)
	p := newPair(t, s, nil)
	before := s.engine.Refusals().Associations
	packets := map[string][]byte{
		"nothing":                {0},
		"a header cut short":     sctp(0)[:11],
		"a wrong checksum":       append(sctp(0, chunk(1, 0, 20, make([]byte, 16)...)...), 0),
		"a chunk longer than it": sctp(0, chunk(1, 0, 0xffff, make([]byte, 16)...)...),
		"a chunk of no length":   sctp(0, chunk(1, 0, 0, make([]byte, 16)...)...),
		"an empty INIT":          sctp(0, chunk(1, 0, 4)...),
		"INIT without streams":   sctp(0, chunk(1, 0, 20, make([]byte, 16)...)...),
		"INIT with a tag":        sctp(7, chunk(1, 0, 20, 0, 0, 0, 1, 0, 0, 16, 0, 0, 1, 0, 1, 0, 0, 0, 1)...),
		"DATA of nobody":         sctp(0, chunk(0, 3, 16, make([]byte, 12)...)...),
		"DATA cut short":         sctp(0, chunk(0, 3, 5, 0)...),
		"SACK with many gaps":    sctp(0, chunk(3, 0, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff)...),
		"RECONFIG of nothing":    sctp(0, chunk(130, 0, 8, 0, 13, 0, 0)...),
		"FORWARD-TSN far ahead":  sctp(0, chunk(192, 0, 8, 0xff, 0xff, 0xff, 0xff)...),
		"COOKIE-ECHO of nobody":  sctp(0, chunk(10, 0, 8, 1, 2, 3, 4)...),
		"HEARTBEAT of nothing":   sctp(0, chunk(4, 0, 4)...),
		"an unknown chunk":       sctp(0, chunk(77, 0, 8, 1, 2, 3, 4)...),
	}
	for round := range 3 {
		conn := handshake(t, s, fmt.Sprint("eve", round))
		for range 20 {
			for name, b := range packets {
				if _, err := conn.Write(b); err != nil {
					t.Logf("%s: %v", name, err) // we may have ended it
				}
			}
		}
	}
	p.grows("sctp_malformed", 100, before, func() uint64 { return s.engine.Refusals().Associations })
	p.check()
}
