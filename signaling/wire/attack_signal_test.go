package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/livekit"
	"github.com/pion/webrtc/v4"
)

func offerOf(sdp string) *livekit.SignalRequest {
	return &livekit.SignalRequest{Message: &livekit.SignalRequest_Offer{Offer: &livekit.SessionDescription{Type: "offer", Sdp: sdp, Id: 1}}}
}

// sdpWith is a description that Pion would take, with something more.
func sdpWith(session, media string, more ...string) string {
	return "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" +
		"a=fingerprint:sha-256 " + strings.Repeat("AB:", 31) + "AB\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdabcdabcdabcdabcdabcd\r\na=setup:actpass\r\n" +
		session + mLine("0") + media + strings.Join(more, "")
}

func mLine(mid string) string {
	return "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:" + mid + "\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
}

func many(n int, line func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(line(i))
	}
	return b.String()
}

// Descriptions that are broken, or ask for more than anybody has: whoever sends one
// is told to join anew, and it is counted.
func TestBadDescriptions(t *testing.T) {
	s := attacked(t)
	p := newPair(t, s, nil)
	cases := map[string]string{
		"no SDP":          "nonsense",
		"only lines":      strings.Repeat("\r\n", 1000),
		"zero bytes":      strings.Repeat("\x00", 1000),
		"no media":        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n",
		"many m-lines":    sdpWith("", "", many(400, func(i int) string { return mLine(fmt.Sprint(i + 1)) })),
		"many ssrcs":      sdpWith("", many(40, func(i int) string { return fmt.Sprintf("a=ssrc:%d cname:x\r\n", i+1) })),
		"many rids":       sdpWith("", many(9, func(i int) string { return fmt.Sprintf("a=rid:%d send\r\n", i) })),
		"many attributes": sdpWith("", many(1000, func(int) string { return "a=x:y\r\n" })),
		"many codecs":     sdpWith("", many(500, func(i int) string { return fmt.Sprintf("a=rtpmap:%d opus/48000/2\r\n", i%128) })),
		"mid twice":       sdpWith("", "", mLine("0")),
		"no mid":          sdpWith("", "", "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n"),
		"long mid":        sdpWith("", "", mLine(strings.Repeat("m", 100))),
		"long msid":       sdpWith("", "a=msid:"+strings.Repeat("s", 300)+" t\r\n"),
		"no fingerprint":  "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdabcdabcdabcdabcdabcd\r\n" + mLine("0"),
		"no ufrag":        strings.ReplaceAll(sdpWith("", ""), "a=ice-ufrag:abcd\r\n", ""),
		"port":            strings.ReplaceAll(sdpWith("", ""), "m=audio 9", "m=audio 99999999999999999999"),
	}
	before := s.engine.Refusals().Descriptions
	for name, sdp := range cases {
		eve := s.join(true, s.token("eve "+name, "r"), passive)
		eve.send(offerOf(sdp))
		l := eve.wait(name+": leave", isLeave).GetLeave()
		if l.Action != livekit.LeaveRequest_RECONNECT || l.Reason != livekit.DisconnectReason_STATE_MISMATCH {
			t.Errorf("%s: leave %v", name, l)
		}
		eve.close()
	}
	p.grows("session_description", uint64(len(cases)), before, func() uint64 { return s.engine.Refusals().Descriptions })
	p.check()
	p.settles()
}

// refused waits for so many refusals of a kind.
func (c *client) refused(what string, why livekit.RequestResponse_Reason, n int) {
	c.t.Helper()
	c.until(fmt.Sprintf("%s: %d of %s", what, n, why), func() bool {
		got := 0
		for _, m := range c.log {
			if m.GetRequestResponse() != nil && m.GetRequestResponse().Reason == why {
				got++
			}
		}
		return got >= n
	})
}

func (c *client) raw(kind int, b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ws != nil {
		_ = c.ws.WriteMessage(kind, b) // a closed socket shows in what does not come back
	}
}

// Frames that are no messages, too long, too deep or too many are refused one by
// one, with a reason; who goes on with them is cut off.
func TestBadSignalFrames(t *testing.T) {
	s := attacked(t)
	p := newPair(t, s, nil)
	for name, a := range map[string]struct {
		kind int
		body []byte
		why  livekit.RequestResponse_Reason
	}{
		"binary garbage": {websocket.BinaryMessage, []byte{0xff, 0xff, 0xff, 0xff, 0x0f}, livekit.RequestResponse_INVALID_REQUEST},
		"endless varint": {websocket.BinaryMessage, []byte(strings.Repeat("\xff", 4000)), livekit.RequestResponse_INVALID_REQUEST},
		"text garbage":   {websocket.TextMessage, []byte("{]"), livekit.RequestResponse_INVALID_REQUEST},
		"deep JSON":      {websocket.TextMessage, []byte(`{"offer":` + strings.Repeat("[", 100000)), livekit.RequestResponse_INVALID_REQUEST},
		"deep unknown":   {websocket.TextMessage, []byte(`{"x":` + strings.Repeat(`{"x":`, 30000) + "1" + strings.Repeat("}", 30001)), livekit.RequestResponse_INVALID_REQUEST},
		"not UTF-8":      {websocket.BinaryMessage, []byte{0x0a, 0x04, 0x0a, 0x02, 0xff, 0xfe}, livekit.RequestResponse_INVALID_REQUEST},
		"long":           {websocket.BinaryMessage, make([]byte, 300<<10), livekit.RequestResponse_LIMIT_EXCEEDED},
	} {
		eve := s.join(true, s.token("eve "+name, "r"), passive)
		eve.raw(a.kind, a.body)
		eve.refused(name, a.why, 1)
		eve.close()
	}
	eve := s.join(true, s.token("eve", "r"), passive)
	for range 300 {
		eve.raw(websocket.BinaryMessage, []byte{0xff})
	}
	eve.refused("garbage again and again", livekit.RequestResponse_INVALID_REQUEST, 150)
	if st := s.wire.Stats(); st.NotDecoded < 156 || st.TooLong != 1 {
		t.Errorf("counted %+v", st)
	}
	eve.close()
	p.check()
	p.settles()
}

// Ten times the messages that are allowed: what is above the rate is refused, and
// what everybody is told of waits.
func TestSignalFlood(t *testing.T) {
	s := attacked(t)
	p := newPair(t, s, nil)
	mallory := s.join(true, s.token("mallory", "r"), passive)
	for range 1000 {
		mallory.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Mute{Mute: &livekit.MuteTrackRequest{Sid: p.mic.Sid, Muted: true}}})
	}
	eve := s.join(true, s.token("eve", "r"), passive)
	for range 1000 {
		eve.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Trickle{Trickle: &livekit.TrickleRequest{}}})
	}
	eve.refused("flood", livekit.RequestResponse_LIMIT_EXCEEDED, 100)
	if st := s.wire.Stats(); st.TooMany < 100 {
		t.Errorf("counted %+v", st)
	}
	eve.close()
	mallory.close()
	p.check()
	p.settles()
}

// A message that names somebody else's track or participant changes nothing there.
func TestOthersIDs(t *testing.T) {
	s := attacked(t)
	p := newPair(t, s, nil)
	mic, ann := p.mic.Sid, p.ann.joined.Participant.Sid
	before := s.sfu.Integration().Participants("r")
	messages := map[string]*livekit.SignalRequest{
		"mute":        {Message: &livekit.SignalRequest_Mute{Mute: &livekit.MuteTrackRequest{Sid: mic, Muted: true}}},
		"audio track": {Message: &livekit.SignalRequest_UpdateAudioTrack{UpdateAudioTrack: &livekit.UpdateLocalAudioTrack{TrackSid: mic, Features: []livekit.AudioTrackFeature{livekit.AudioTrackFeature_TF_STEREO}}}},
		"video track": {Message: &livekit.SignalRequest_UpdateVideoTrack{UpdateVideoTrack: &livekit.UpdateLocalVideoTrack{TrackSid: mic, Width: 1, Height: 1}}},
		"settings":    {Message: &livekit.SignalRequest_TrackSetting{TrackSetting: &livekit.UpdateTrackSettings{TrackSids: []string{mic}, Disabled: true}}},
		"wishes":      {Message: &livekit.SignalRequest_Subscription{Subscription: &livekit.UpdateSubscription{TrackSids: []string{mic}, ParticipantTracks: []*livekit.ParticipantTracks{{ParticipantSid: ann, TrackSids: []string{mic}}}}}},
		"permission": {Message: &livekit.SignalRequest_SubscriptionPermission{SubscriptionPermission: &livekit.SubscriptionPermission{
			TrackPermissions: []*livekit.TrackPermission{{ParticipantSid: ann, ParticipantIdentity: "ann", TrackSids: []string{mic}}},
		}}},
		"backup codec": {Message: &livekit.SignalRequest_AddTrack{AddTrack: &livekit.AddTrackRequest{Cid: "c", Type: livekit.TrackType_VIDEO, Sid: mic}}},
		"leave of it":  {Message: &livekit.SignalRequest_SyncState{SyncState: &livekit.SyncState{PublishTracks: []*livekit.TrackPublishedResponse{{Cid: "mic", Track: p.mic}}}}},
	}
	for name, m := range messages {
		eve := s.connect(true, s.token("eve "+name, "r"))
		eve.send(m)
		// Its own change, and that is seen after whatever the message did.
		if name != "leave of it" {
			eve.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateMetadata{UpdateMetadata: &livekit.UpdateParticipantMetadata{Metadata: "done"}}})
			eve.info("eve "+name, "done", func(i *livekit.ParticipantInfo) bool { return i.Metadata == "done" })
		} else if l := eve.wait("leave", isLeave).GetLeave(); l.Reason != livekit.DisconnectReason_STATE_MISMATCH {
			t.Errorf("leave %v", l)
		}
		eve.close()
	}
	find := func(list []*livekit.ParticipantInfo, who string) string {
		for _, i := range list {
			if i.Identity == who {
				return i.String()
			}
		}
		return ""
	}
	after := s.sfu.Integration().Participants("r")
	for _, who := range []string{"ann", "bob"} {
		if b, a := find(before, who), find(after, who); a != b {
			t.Errorf("%s was\n%s\nand is\n%s", who, b, a)
		}
	}
	p.check()
}

// Ids that are somebody else's already: SSRC, msid and cid of ann's microphone. Both
// are heard, each on its own.
func TestDuplicateIDs(t *testing.T) {
	s := attacked(t)
	p := newPair(t, s, nil)
	ssrc := p.ann.pub.GetSenders()[0].GetParameters().Encodings[0].SSRC
	eve := s.connect(true, s.token("eve", "r"))
	info := eve.addTrack(audio, "mic")
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "mic", "stream")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := eve.pub.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{
		Direction:     webrtc.RTPTransceiverDirectionSendonly,
		SendEncodings: []webrtc.RTPEncodingParameters{{RTPCodingParameters: webrtc.RTPCodingParameters{SSRC: ssrc}}},
	}); err != nil {
		t.Fatal(err)
	}
	eve.negotiate()
	if info.Sid == p.mic.Sid {
		t.Errorf("eve's track has ann's sid %s", info.Sid)
	}
	feed(t, track, nil)
	p.bob.flows(info.Sid)
	// The same again from herself: refused, or the same track, never a second one.
	for range 3 {
		eve.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: &livekit.AddTrackRequest{Cid: "mic", Type: livekit.TrackType_AUDIO}}})
	}
	eve.refused("cid in use", livekit.RequestResponse_QUEUED, 3)
	p.check()
}

// More tracks than anybody has, or described at a length nobody needs.
func TestTooManyTracks(t *testing.T) {
	s := attacked(t)
	p := newPair(t, s, nil)
	eve := s.join(true, s.token("eve", "r"), passive)
	add := func(r *livekit.AddTrackRequest) {
		eve.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: r}})
	}
	for i := range 40 {
		add(&livekit.AddTrackRequest{Cid: fmt.Sprint(i), Type: livekit.TrackType_AUDIO})
	}
	eve.refused("tracks", livekit.RequestResponse_LIMIT_EXCEEDED, 8)
	for _, r := range []*livekit.AddTrackRequest{
		{Cid: "", Type: livekit.TrackType_AUDIO},
		{Cid: "x", Type: livekit.TrackType_VIDEO, Layers: make([]*livekit.VideoLayer, 50)},
		{Cid: "x", Type: livekit.TrackType_AUDIO, Name: strings.Repeat("n", 5000)},
	} {
		for i := range r.Layers {
			r.Layers[i] = &livekit.VideoLayer{}
		}
		add(r)
	}
	eve.refused("requests", livekit.RequestResponse_INVALID_REQUEST, 3)
	add(&livekit.AddTrackRequest{Cid: "y", Type: livekit.TrackType_DATA})
	eve.refused("kind", livekit.RequestResponse_UNSUPPORTED_TYPE, 1)
	if got := s.sfu.Stats().TracksRefused; got != 12 {
		t.Errorf("counted %d refused tracks, want 8 too many, 3 badly described, 1 of another kind", got)
	}
	eve.close()
	p.check()
	p.settles()
}

// Candidates that are none, and more than anybody has.
func TestBadCandidates(t *testing.T) {
	s := attacked(t)
	p := newPair(t, s, nil)
	before := s.engine.Refusals().Candidates
	eve := s.connect(true, s.token("eve", "r"))
	for _, text := range []string{"{", strings.Repeat("x", 5000), `{"candidate":{}}`, `{"candidate":"` + strings.Repeat("x", 4096) + `"}`} {
		eve.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Trickle{Trickle: &livekit.TrickleRequest{CandidateInit: text}}})
	}
	for i := range 100 { // of ICE-lite none is looked at
		eve.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Trickle{Trickle: &livekit.TrickleRequest{
			CandidateInit: fmt.Sprintf(`{"candidate":"candidate:%d 1 udp 1 10.0.0.1 %d typ host","sdpMid":"0"}`, i, i+1),
		}}})
	}
	p.grows("candidate", 4, before, func() uint64 { return s.engine.Refusals().Candidates })
	eve.flows(p.mic.Sid)
	eve.close()
	p.check()
	p.settles()
}
