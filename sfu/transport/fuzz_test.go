package transport

import (
	"errors"
	"log/slog"
	"net/netip"
	"testing"

	"github.com/pion/webrtc/v4"
)

// fuzzPeer is a connection that nobody connects to.
func fuzzPeer(f *testing.F, full bool) func() *Peer {
	f.Helper()
	log := slog.New(slog.DiscardHandler)
	engine, err := NewEngine(Config{Addrs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Log: log})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := engine.Close(); err != nil {
			f.Error(err)
		}
	})
	return func() *Peer {
		p, err := engine.NewPeer(PeerConfig{
			FullICE: full, Log: log,
			OnState: func(State) {}, OnData: func(Label, []byte) {}, OnWritable: func() {},
		})
		if err != nil {
			f.Fatal(err)
		}
		return p
	}
}

// realOffer is one of Pion's own.
func realOffer(f *testing.F) string {
	f.Helper()
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		f.Fatal(err)
	}
	defer pc.Close()
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		if _, err := pc.AddTransceiverFromKind(kind); err != nil {
			f.Fatal(err)
		}
	}
	if _, err := pc.CreateDataChannel("_reliable", nil); err != nil {
		f.Fatal(err)
	}
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		f.Fatal(err)
	}
	return offer.SDP
}

// FuzzAnswer offers anything to a whole connection, Pion's part of it included: it
// is answered or refused, and a second, good offer finds nothing broken.
func FuzzAnswer(f *testing.F) {
	peer, good := fuzzPeer(f, false), realOffer(f)
	f.Add(good)
	f.Add(head + section("audio", "0", "a=sendrecv", "a=ssrc:1 msid:s t", "a=rtpmap:96 opus/48000/2"))
	f.Fuzz(func(t *testing.T, text string) {
		p := peer()
		defer p.Close()
		if answer, err := p.Answer(text, nil); err == nil && answer.SDP == "" {
			t.Error("an empty answer")
		}
		if _, err := p.Answer(good, nil); err != nil && !errors.Is(err, ErrDescription) {
			t.Errorf("untyped error %v", err)
		}
	})
}

// FuzzCandidate trickles anything: before a description and after it.
func FuzzCandidate(f *testing.F) {
	peer, good := fuzzPeer(f, true), realOffer(f)
	for _, text := range []string{
		`{"candidate":"candidate:1 1 udp 2130706431 127.0.0.1 9 typ host","sdpMid":"0","sdpMLineIndex":0}`,
		`{"candidate":"candidate:1 1 tcp 1 ::1 9 typ host tcptype passive ufrag x"}`, `{"candidate":""}`, `{`, `null`, `[]`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		p := peer()
		defer p.Close()
		_ = p.AddCandidate(text) // refused or not: nothing may break
		if _, err := p.Answer(good, nil); err == nil {
			_ = p.AddCandidate(text)
		}
	})
}
