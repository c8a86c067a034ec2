package transport

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"aparte/sfu/codec"
	"aparte/sfu/publish"
)

const head = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"

func section(kind, mid string, lines ...string) string {
	return "m=" + kind + " 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:" + mid + "\r\n" +
		strings.Join(append(lines, ""), "\r\n")
}

func TestParseOffer(t *testing.T) {
	offer := head +
		section("video", "0", "a=sendonly", "a=msid:stream cam", "a=rid:q send", "a=rid:h send", "a=rid:f send", "a=rid:x recv", "a=simulcast:send q;h;f") +
		section("audio", "1", "a=sendrecv", "a=ssrc:11 cname:x", "a=ssrc:11 msid:s2 mic", "a=ssrc:12 cname:x", "a=ssrc-group:FID 11 12") +
		section("video", "2", "a=recvonly") +
		section("video", "3", "a=inactive") +
		strings.Replace(section("audio", "4", "a=sendonly"), " 9 ", " 0 ", 1) +
		strings.Replace(section("audio", "5", "a=sendonly", "a=bundle-only"), " 9 ", " 0 ", 1) +
		"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:6\r\na=sendrecv\r\n"
	got, err := ParseOffer(offer)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		sends, receives, media bool
		stream, track          string
	}{
		{true, false, true, "stream", "cam"},
		{true, true, true, "s2", "mic"},
		{false, true, true, "", ""},
		{false, false, true, "", ""},
		{false, false, true, "", ""}, // stopped
		{true, false, true, "", ""},  // bundle-only has port 0 too
		{false, false, false, "", ""},
	}
	for i, w := range want {
		s := got[i]
		if s.Sends != w.sends || s.Receives != w.receives || s.Media != w.media || s.StreamID != w.stream || s.TrackID != w.track {
			t.Errorf("section %d: %+v", i, s)
		}
	}
	if !slices.Equal(got[0].RIDs, []string{"q", "h", "f"}) || !got[0].Simulcast {
		t.Errorf("rids %v", got[0].RIDs)
	}
	if want := []publish.SSRC{{SSRC: 11}, {SSRC: 12, Repairs: 11}}; !slices.Equal(got[1].SSRCs, want) {
		t.Errorf("SSRCs %v", got[1].SSRCs)
	}
}

func TestParseOfferLimits(t *testing.T) {
	many := head
	for i := range MaxSections + 1 {
		many += section("audio", fmt.Sprint(i))
	}
	var ssrcs []string
	for i := range maxSSRCs + 1 {
		ssrcs = append(ssrcs, fmt.Sprintf("a=ssrc:%d cname:x", i+1))
	}
	for name, sdp := range map[string]string{
		"empty":           "",
		"not SDP":         "hello",
		"no sections":     head,
		"long":            head + strings.Repeat("a=x\r\n", MaxSDPBytes/5),
		"many sections":   many,
		"no mid":          head + strings.Replace(section("audio", "0"), "a=mid:0\r\n", "", 1),
		"mid twice":       head + section("audio", "0") + section("video", "0"),
		"many attributes": head + section("audio", "0", slices.Repeat([]string{"a=x"}, maxAttributes+1)...),
		"many SSRCs":      head + section("audio", "0", ssrcs...),
		"long msid":       head + section("audio", "0", "a=msid:s "+strings.Repeat("t", maxStreamID+1)),
		"long msid, ssrc": head + section("audio", "0", "a=ssrc:1 msid:"+strings.Repeat("s", maxStreamID+1)+" t"),
		"many rids":       head + section("video", "0", "a=rid:1 send", "a=rid:2 send", "a=rid:3 send", "a=rid:4 send"),
	} {
		if _, err := ParseOffer(sdp); !errors.Is(err, ErrDescription) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNegotiated(t *testing.T) {
	sections := []Section{
		{MID: "v", Kind: publish.Video, Media: true, Sends: true},
		{MID: "a", Kind: publish.Audio, Media: true, Sends: true},
	}
	answer := head + section("video", "v", "a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96",
		"a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid", "a=extmap:10/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", "a=recvonly") +
		strings.Replace(section("audio", "a"), " 9 ", " 0 ", 1)
	if err := negotiated(sections, answer); err != nil {
		t.Fatal(err)
	}
	v := sections[0]
	if len(v.Codecs) != 1 || v.Codecs[0].Type != codec.VP8 || v.Codecs[0].PayloadType != 96 || v.Codecs[0].RTXPayloadType != 97 || v.Codecs[0].ClockRate != 90000 {
		t.Errorf("codecs %+v", v.Codecs)
	}
	if v.Ext.MID != 4 || v.Ext.RID != 10 {
		t.Errorf("extensions %+v", v.Ext)
	}
	if sections[1].Sends {
		t.Error("a rejected section counts as sending")
	}
}

func FuzzParseOffer(f *testing.F) {
	f.Add(head + section("video", "0", "a=sendonly", "a=msid:s t", "a=rid:q send", "a=simulcast:send q"))
	f.Add(head + section("audio", "0", "a=ssrc:1 msid:s t", "a=ssrc-group:FID 1 2", "a=extmap:1/sendrecv u", "a=rtpmap:96 opus/48000/2", "a=fmtp:96 x=1"))
	f.Fuzz(func(t *testing.T, text string) {
		sections, err := ParseOffer(text)
		if err != nil {
			if !errors.Is(err, ErrDescription) {
				t.Errorf("untyped error %v", err)
			}
			return
		}
		if len(sections) > MaxSections {
			t.Errorf("%d sections", len(sections))
		}
		for _, s := range sections {
			if len(s.SSRCs) > maxSSRCs || len(s.RIDs) > maxRIDs || s.MID == "" {
				t.Errorf("section %+v", s)
			}
			a := Answer{SDP: text, Sections: sections}
			if err := a.Tune(map[string]Tuning{s.MID: {First: codec.H264, DTX: true, Stereo: true}}); err != nil {
				t.Errorf("what parsed once does not again: %v", err)
			}
		}
		if err := negotiated(sections, text); err != nil {
			t.Error(err)
		}
	})
}

// As ICE-lite we need none of the client's candidates; each costs a good deal.
func TestCandidatesInDescriptions(t *testing.T) {
	text := head + strings.Repeat("a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n", 300) + "a=x\r\n"
	lite := &Peer{}
	if got := lite.fewCandidates(text); got != head+"a=x\r\n" {
		t.Errorf("got %d bytes", len(got))
	}
	full := &Peer{cfg: PeerConfig{FullICE: true}}
	if got := strings.Count(full.fewCandidates(text), "a=candidate:"); got != maxCandidates {
		t.Errorf("%d candidates kept, want %d", got, maxCandidates)
	}
}
