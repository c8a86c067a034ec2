package client

import "testing"

func TestLayout(t *testing.T) {
	const offer = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n" +
		"m=audio 9 UDP/TLS/RTP/SAVPF 109\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\na=msid:PA_1|TR_1 TR_1\r\na=rtpmap:109 opus/48000/2\r\n" +
		"a=extmap:7/recvonly " + uriTWCC + "\r\n" +
		"m=video 9 UDP/TLS/RTP/SAVPF 120 124\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=sendonly\r\na=msid:PA_1|TR_2 TR_2\r\n" +
		"a=rtpmap:120 VP8/90000\r\na=rtpmap:124 rtx/90000\r\na=fmtp:124 apt=120\r\na=ssrc-group:FID 5 6\r\na=ssrc-group:FID bad\r\n" +
		"m=video 9 UDP/TLS/RTP/SAVPF 120\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\na=sendonly\r\na=rtpmap:120 VP8/90000\r\n" +
		"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:3\r\n"
	l, err := readLayout(offer)
	if err != nil {
		t.Fatal(err)
	}
	if l.twccID != 7 || l.sending != 2 || l.repairs[6] != 5 || len(l.repairs) != 1 {
		t.Errorf("%+v", l)
	}
	for pt, want := range map[uint8]format{109: {}, 120: {video: true, vp8: true}, 124: {video: true, rtx: true}} {
		if got, ok := l.formats[pt]; !ok || got != want {
			t.Errorf("payload type %d: %+v, want %+v", pt, got, want)
		}
	}
	if _, err := readLayout("nonsense"); err == nil {
		t.Error("nonsense was taken")
	}
}
