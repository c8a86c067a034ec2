package transport

import (
	"strings"
	"testing"

	"aparte/sfu/codec"
)

func tuned(t *testing.T, answer string, tunings map[string]Tuning) *Answer {
	t.Helper()
	sections, err := ParseOffer(answer)
	if err != nil {
		t.Fatal(err)
	}
	if err := negotiated(sections, answer); err != nil {
		t.Fatal(err)
	}
	a := &Answer{SDP: answer, Sections: sections, stereo: map[string]bool{"down": true}}
	if err := a.Tune(tunings); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTuneOpus(t *testing.T) {
	sound := func(mid string) string {
		return section("audio", mid, "a=rtpmap:96 opus/48000/2", "a=fmtp:96 minptime=10; stereo=1;x=y")
	}
	for _, tt := range []struct {
		name string
		with Tuning
		want string
	}{
		{"voice", Tuning{DTX: true}, "a=fmtp:96 minptime=10;x=y;usedtx=1\r\n"},
		{"music", Tuning{Stereo: true}, "a=fmtp:96 minptime=10;x=y;stereo=1;maxaveragebitrate=510000\r\n"},
		{"both", Tuning{DTX: true, Stereo: true}, "a=fmtp:96 minptime=10;x=y;usedtx=1;stereo=1;maxaveragebitrate=510000\r\n"},
		{"neither", Tuning{}, "a=fmtp:96 minptime=10;x=y\r\n"},
	} {
		a := tuned(t, head+sound("a")+sound("b"), map[string]Tuning{"a": tt.with})
		first, second, _ := strings.Cut(a.SDP, "a=mid:b")
		if !strings.Contains(first, tt.want) || !strings.Contains(second, "a=fmtp:96 minptime=10; stereo=1;x=y\r\n") {
			t.Errorf("%s:\n%s", tt.name, a.SDP)
		}
	}
	a := tuned(t, head+sound("down"), nil)
	if !strings.Contains(a.SDP, "a=fmtp:96 minptime=10;stereo=1;x=y;sprop-stereo=1\r\n") {
		t.Errorf("a section with two channels:\n%s", a.SDP)
	}
}

func TestTuneOrder(t *testing.T) {
	video := strings.Replace(section("video", "v",
		"a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96",
		"a=rtpmap:98 H264/90000", "a=fmtp:98 packetization-mode=1", "a=rtpmap:99 rtx/90000", "a=fmtp:99 apt=98",
		"a=rtpmap:100 H264/90000", "a=fmtp:100 packetization-mode=0"), "SAVPF 96 97", "SAVPF 96 97 98 99 100", 1)
	a := tuned(t, head+video, map[string]Tuning{"v": {First: codec.H264}})
	if !strings.Contains(a.SDP, "SAVPF 98 100 96 97 99\r\n") {
		t.Errorf("answer:\n%s", a.SDP)
	}
	if c := a.Sections[0].Codecs; len(c) != 3 || c[0].PayloadType != 98 || c[0].RTXPayloadType != 99 || c[1].PayloadType != 100 || c[2].Type != codec.VP8 {
		t.Errorf("codecs %+v", c)
	}
	a = tuned(t, head+video, map[string]Tuning{"v": {First: codec.AV1}})
	if !strings.Contains(a.SDP, "SAVPF 96 97 98 99 100\r\n") {
		t.Errorf("a codec that was not negotiated:\n%s", a.SDP)
	}
}
