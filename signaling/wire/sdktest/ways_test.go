package sdktest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/webrtc/v4"

	"aparte/signaling/wire/sdktest/conform"
)

// Set by run before the tests, only read by them.
var certFile, keyFile string

// trustCertificate makes a certificate for 127.0.0.1 that signs itself, and has this
// process trust it and no other: what connects over TLS does so as it would anywhere.
func trustCertificate(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sdktest"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	return errors.Join(
		os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600),
		os.Setenv("SSL_CERT_FILE", certFile), os.Setenv("SSL_CERT_DIR", dir),
	)
}

// call has two clients see, hear and write to each other, and tells how the pair of
// each of their connections is made.
func call(t *testing.T, s rawSetup) []*webrtc.ICECandidatePair {
	t.Helper()
	j := newJournal(t)
	alice := rawJoin(t, j, "alice", s).connect()
	voice := alice.publish(livekit.TrackType_AUDIO, "voice")
	camera := alice.publish(livekit.TrackType_VIDEO, "camera")
	voice.play()
	camera.play()
	bob := rawJoin(t, j, "bob", s).connect()
	bob.receives(voice.sid(), 20)
	bob.receives(camera.sid(), 20)
	alice.say("_reliable", user("hello bob"))
	bob.heard("hello bob")
	var pairs []*webrtc.ICECandidatePair
	for _, c := range []*rawClient{alice, bob} {
		for _, pc := range []*webrtc.PeerConnection{c.pub, c.sub} {
			if pc == nil {
				continue
			}
			pair, err := pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
			if err != nil || pair == nil {
				t.Fatalf("%s: no pair: %v", c.name, err)
			}
			pairs = append(pairs, pair)
		}
	}
	return pairs
}

// Where UDP does not pass: media over TCP, and through the relay.
func TestWays(t *testing.T) {
	both := func(t *testing.T, f func(t *testing.T, s rawSetup)) {
		for _, single := range []bool{false, true} {
			t.Run(modeName(single), func(t *testing.T) { f(t, rawSetup{room: roomName(t), single: single}) })
		}
	}
	row(t, "pc-tcp", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			s.ice = func(_ *rawClient, e *webrtc.SettingEngine, _ *webrtc.Configuration) {
				e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
				e.DisableActiveTCP(false)
			}
			for _, pair := range call(t, s) {
				if pair.Remote.Protocol != webrtc.ICEProtocolTCP {
					t.Errorf("connected by %s", pair)
				}
			}
		})
	})
	t.Run("pc-turn", func(t *testing.T) {
		proves(t, conform.Raw, "pc-turn")
		t.Parallel()
		udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := udp.LocalAddr().(*net.UDPAddr).Port
		_ = udp.Close() // is free now, and most probably stays so
		server := ownServer(t, t.TempDir(), "--tls-cert-file", certFile, "--tls-key-file", keyFile,
			"--turn-udp-port", strconv.Itoa(port), "--media-addresses", "127.0.0.1")
		for _, way := range []string{"turns:", "turn:", "udp"} {
			t.Run(way, func(t *testing.T) {
				both(t, func(t *testing.T, s rawSetup) {
					s.server = server
					s.ice = func(c *rawClient, _ *webrtc.SettingEngine, config *webrtc.Configuration) {
						config.ICETransportPolicy = webrtc.ICETransportPolicyRelay
						config.ICEServers = []webrtc.ICEServer{relayBy(t, c.join, way)}
					}
					for _, pair := range call(t, s) {
						if pair.Local.Typ != webrtc.ICECandidateTypeRelay {
							t.Errorf("connected by %s", pair)
						}
					}
				})
			})
		}
	})
}

// relayBy picks the address of the relay that is reached by TLS (turns:), TCP (turn:)
// or UDP.
func relayBy(t *testing.T, join *livekit.JoinResponse, way string) webrtc.ICEServer {
	t.Helper()
	for _, s := range join.IceServers {
		i := slices.IndexFunc(s.Urls, func(u string) bool {
			if way == "udp" {
				return strings.HasSuffix(u, "?transport=udp")
			}
			return strings.HasPrefix(u, way) && strings.HasSuffix(u, "?transport=tcp")
		})
		if i >= 0 {
			return webrtc.ICEServer{URLs: s.Urls[i : i+1], Username: s.Username, Credential: s.Credential}
		}
	}
	t.Fatalf("no %s in %v", way, join.IceServers)
	return webrtc.ICEServer{}
}
