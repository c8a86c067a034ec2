package sdktest

import (
	"encoding/json"
	"net"
	"sync/atomic"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/ice/v4"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"google.golang.org/protobuf/proto"
)

func deadline() time.Time { return time.Now().Add(patience) }

// connect brings the media connections up, as SDKs do after the join.
func (c *rawClient) connect() *rawClient {
	c.t.Helper()
	c.makePeers()
	c.openChannels()
	c.negotiate()
	c.info(c.name, "is active", inState(livekit.ParticipantInfo_ACTIVE))
	return c
}

// connectAt joins with an offer and an announced track in the join_request, as
// Chromium's livekit-client does.
func (c *rawClient) connectAt(kind livekit.TrackType, cid string) {
	c.t.Helper()
	c.makePeers()
	c.openChannels()
	c.addSender(kind, cid)
	gathered := webrtc.GatheringCompletePromise(c.pub)
	_, got := c.offer(nil) // is not sent: there is no socket yet
	<-gathered
	c.s.edit = func(r *livekit.JoinRequest) {
		r.AddTrackRequests = []*livekit.AddTrackRequest{addRequest(kind, cid)}
		r.PublisherOffer = &livekit.SessionDescription{Type: "offer", Sdp: c.pub.LocalDescription().SDP, Id: c.offerID}
	}
	c.dial()
	c.joined()
	select {
	case a := <-got:
		c.apply(a)
	case <-time.After(patience):
		c.t.Fatalf("%s: no answer to the offer of the join; got %v", c.name, c.names())
	}
	c.info(c.name, "is active", inState(livekit.ParticipantInfo_ACTIVE))
}

// makePeers makes the connections; offers that came before are answered.
func (c *rawClient) makePeers() {
	c.t.Helper()
	pub := c.newPC(livekit.SignalTarget_PUBLISHER)
	var sub *webrtc.PeerConnection
	if !c.s.single {
		sub = c.newPC(livekit.SignalTarget_SUBSCRIBER)
	}
	c.mu.Lock()
	var early []*livekit.SessionDescription
	for _, m := range c.log {
		if o := m.GetOffer(); o != nil {
			early = append(early, o)
		}
	}
	c.pub, c.sub = pub, sub
	manual := c.s.manual
	c.mu.Unlock()
	for _, o := range early {
		if !manual && sub != nil {
			c.answer(o)
		}
	}
}

// codecs are what browsers offer.
func rawCodecs() *webrtc.MediaEngine {
	m := &webrtc.MediaEngine{}
	audio := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1"}
	red := webrtc.RTPCodecCapability{MimeType: "audio/red", ClockRate: 48000, Channels: 2, SDPFmtpLine: "111/111"}
	feedback := []webrtc.RTCPFeedback{{Type: "transport-cc"}, {Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	video := func(mime, fmtp string) webrtc.RTPCodecCapability {
		return webrtc.RTPCodecCapability{MimeType: mime, ClockRate: 90000, SDPFmtpLine: fmtp, RTCPFeedback: feedback}
	}
	rtx := func(apt string) webrtc.RTPCodecCapability {
		return webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=" + apt}
	}
	for _, c := range []webrtc.RTPCodecParameters{
		{RTPCodecCapability: video(webrtc.MimeTypeVP8, ""), PayloadType: 96},
		{RTPCodecCapability: rtx("96"), PayloadType: 97},
		{RTPCodecCapability: video(webrtc.MimeTypeH264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"), PayloadType: 102},
		{RTPCodecCapability: rtx("102"), PayloadType: 103},
		{RTPCodecCapability: video(webrtc.MimeTypeVP9, "profile-id=0"), PayloadType: 98},
		{RTPCodecCapability: rtx("98"), PayloadType: 99},
		{RTPCodecCapability: video(webrtc.MimeTypeAV1, ""), PayloadType: 45},
		{RTPCodecCapability: rtx("45"), PayloadType: 46},
	} {
		if err := m.RegisterCodec(c, webrtc.RTPCodecTypeVideo); err != nil {
			panic(err) // of what stands in this file
		}
	}
	for _, c := range []webrtc.RTPCodecParameters{{RTPCodecCapability: audio, PayloadType: 111}, {RTPCodecCapability: red, PayloadType: 63}} {
		if err := m.RegisterCodec(c, webrtc.RTPCodecTypeAudio); err != nil {
			panic(err) // of what stands in this file
		}
	}
	const dependencyDescriptor = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
	for kind, uris := range map[webrtc.RTPCodecType][]string{
		webrtc.RTPCodecTypeAudio: {mid, audioLevel, transportCC},
		webrtc.RTPCodecTypeVideo: {mid, rid, repairedRID, transportCC, dependencyDescriptor},
	} {
		for _, uri := range uris {
			if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, kind); err != nil {
				panic(err) // of what stands in this file
			}
		}
	}
	return m
}

const (
	mid         = "urn:ietf:params:rtp-hdrext:sdes:mid"
	rid         = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
	repairedRID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
	audioLevel  = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
	transportCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
)

func (c *rawClient) newPC(target livekit.SignalTarget) *webrtc.PeerConnection {
	c.t.Helper()
	var e webrtc.SettingEngine
	e.SetIncludeLoopbackCandidate(true)
	e.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	if c.s.hole != nil {
		conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			c.t.Fatal(err)
		}
		mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: &holeConn{conn, c.s.hole}})
		c.t.Cleanup(func() { _ = mux.Close() })
		e.SetICEUDPMux(mux)
	}
	e.DisableActiveTCP(true)
	var config webrtc.Configuration
	if c.s.ice != nil {
		c.s.ice(c, &e, &config)
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(rawCodecs()), webrtc.WithSettingEngine(e)).NewPeerConnection(config)
	if err != nil {
		c.t.Fatal(err)
	}
	pc.OnICECandidate(func(cand *webrtc.ICECandidate) {
		if cand == nil {
			return
		}
		raw, err := json.Marshal(cand.ToJSON())
		if err != nil {
			c.errorf("candidate: %v", err)
			return
		}
		c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Trickle{
			Trickle: &livekit.TrickleRequest{CandidateInit: string(raw), Target: target},
		}})
	})
	pc.OnTrack(func(tr *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		c.mu.Lock()
		c.tracks[tr.ID()], c.streams[tr.ID()] = tr, tr.StreamID()
		c.mu.Unlock()
		c.j.note("%s: track %s", c.name, tr.ID())
		for {
			if _, _, err := tr.ReadRTP(); err != nil {
				return
			}
			c.mu.Lock()
			c.packets[tr.ID()]++
			c.mu.Unlock()
			c.j.wake()
		}
	})
	pc.OnDataChannel(func(dc *webrtc.DataChannel) {
		c.mu.Lock()
		c.opened = append(c.opened, dc.Label())
		c.mu.Unlock()
		c.j.note("%s: the server opened %s", c.name, dc.Label())
		c.listen(dc)
	})
	return pc
}

func (c *rawClient) listen(dc *webrtc.DataChannel) {
	dc.OnMessage(func(m webrtc.DataChannelMessage) {
		p := &livekit.DataPacket{}
		if err := proto.Unmarshal(m.Data, p); err != nil {
			c.errorf("%s: data packet: %v", c.name, err)
			return
		}
		c.mu.Lock()
		c.data = append(c.data, received1{dc.Label(), p})
		c.mu.Unlock()
		c.j.wake()
	})
}

// openChannels makes the client's data channels and, with one connection, the
// sections SDKs begin with.
func (c *rawClient) openChannels() {
	c.t.Helper()
	no, zero := false, uint16(0)
	for label, init := range map[string]*webrtc.DataChannelInit{
		"_reliable": nil, "_lossy": {Ordered: &no, MaxRetransmits: &zero}, "_data_track": {Ordered: &no, MaxRetransmits: &zero},
	} {
		dc, err := c.pub.CreateDataChannel(label, init)
		if err != nil {
			c.t.Fatal(err)
		}
		c.listen(dc)
		dc.OnOpen(c.j.wake)
		c.mu.Lock()
		c.channels[label] = dc
		c.mu.Unlock()
	}
	if c.s.single {
		c.addSections(3, 3)
	}
}

func (c *rawClient) addSections(audio, video int) {
	for kind, n := range map[webrtc.RTPCodecType]int{webrtc.RTPCodecTypeAudio: audio, webrtc.RTPCodecTypeVideo: video} {
		for range n {
			init := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
			if _, err := c.pub.AddTransceiverFromKind(kind, init); err != nil {
				c.errorf("add section: %v", err)
			}
		}
	}
}

// answer takes an offer of the server for the subscriber connection.
func (c *rawClient) answer(o *livekit.SessionDescription) {
	if err := c.sub.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: o.Sdp}); err != nil {
		c.errorf("%s: the server's offer: %v", c.name, err)
		return
	}
	a, err := c.sub.CreateAnswer(nil)
	if err == nil {
		err = c.sub.SetLocalDescription(a)
	}
	if err != nil {
		c.errorf("%s: answer: %v", c.name, err)
		return
	}
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Answer{
		Answer: &livekit.SessionDescription{Type: "answer", Sdp: a.SDP, Id: o.Id},
	}})
	c.mu.Lock()
	c.offers++
	c.mu.Unlock()
	c.j.wake()
}

// meet adds the sections that the server misses and offers again.
func (c *rawClient) meet(r *livekit.MediaSectionsRequirement) {
	c.nego.Lock()
	defer c.nego.Unlock()
	c.addSections(int(r.NumAudios), int(r.NumVideos))
	c.exchange(nil)
}

// negotiate offers on the publisher connection and applies the answer.
func (c *rawClient) negotiate() *livekit.SessionDescription {
	c.nego.Lock()
	defer c.nego.Unlock()
	return c.exchange(nil)
}

func (c *rawClient) exchange(opts *webrtc.OfferOptions) *livekit.SessionDescription {
	offer, got := c.offer(opts)
	if offer == nil {
		return nil
	}
	select {
	case a := <-got:
		if a == nil {
			return nil // closing
		}
		c.apply(a)
		return a
	case <-time.After(patience):
		c.errorf("%s: no answer to our offer", c.name)
		return nil
	}
}

// offer sends one and returns where its answer will come.
func (c *rawClient) offer(opts *webrtc.OfferOptions) (*livekit.SessionDescription, chan *livekit.SessionDescription) {
	o, err := c.pub.CreateOffer(opts)
	if err == nil {
		err = c.pub.SetLocalDescription(o)
	}
	if err != nil {
		c.errorf("%s: offer: %v", c.name, err)
		return nil, nil
	}
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return nil, nil
	}
	c.offerID++
	out := &livekit.SessionDescription{Type: "offer", Sdp: o.SDP, Id: c.offerID}
	got := make(chan *livekit.SessionDescription, 1)
	c.answers[out.Id] = got
	c.mu.Unlock()
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Offer{Offer: out}})
	return out, got
}

func (c *rawClient) apply(a *livekit.SessionDescription) {
	if err := c.pub.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: a.Sdp}); err != nil {
		c.errorf("%s: the server's answer: %v", c.name, err)
	}
}

// rawTrack is a track a raw client publishes.
type rawTrack struct {
	c     *rawClient
	cid   string
	local *webrtc.TrackLocalStaticRTP
	tr    *webrtc.RTPTransceiver
	info  *livekit.TrackInfo
	seq   uint16
	loud  atomic.Int32 // how loud the packets say they are, in -dBov; 0 for silence
}

func (t *rawTrack) sid() string { return t.info.Sid }

// publish announces and negotiates a track.
func (c *rawClient) publish(kind livekit.TrackType, cid string, edit ...func(*livekit.AddTrackRequest)) *rawTrack {
	c.t.Helper()
	info := c.addTrack(kind, cid, edit...)
	t := c.addSender(kind, cid)
	t.info = info
	c.negotiate()
	return t
}

func addRequest(kind livekit.TrackType, cid string) *livekit.AddTrackRequest {
	req := &livekit.AddTrackRequest{Cid: cid, Name: cid, Type: kind, Source: livekit.TrackSource_MICROPHONE}
	if kind == livekit.TrackType_VIDEO {
		req.Source = livekit.TrackSource_CAMERA
		req.Width, req.Height = 640, 360
		req.Layers = []*livekit.VideoLayer{{Quality: livekit.VideoQuality_HIGH, Width: 640, Height: 360}}
	}
	return req
}

// addTrack announces one and returns what the server made of it.
func (c *rawClient) addTrack(kind livekit.TrackType, cid string, edit ...func(*livekit.AddTrackRequest)) *livekit.TrackInfo {
	c.t.Helper()
	req := addRequest(kind, cid)
	for _, e := range edit {
		e(req)
	}
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: req}})
	m := c.wait("TrackPublished "+cid, func(m *livekit.SignalResponse) bool { return m.GetTrackPublished().GetCid() == cid })
	return m.GetTrackPublished().Track
}

// addSender adds a section for a track whose msid names id.
func (c *rawClient) addSender(kind livekit.TrackType, id string) *rawTrack {
	c.t.Helper()
	codec := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
	if kind == livekit.TrackType_VIDEO {
		codec = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}
	}
	local, err := webrtc.NewTrackLocalStaticRTP(codec, id, "stream")
	if err != nil {
		c.t.Fatal(err)
	}
	tr, err := c.pub.AddTransceiverFromTrack(local, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		c.t.Fatal(err)
	}
	return &rawTrack{c: c, cid: id, local: local, tr: tr}
}

// play sends packets at the pace of sound until the test ends or stop is
// called: audio is silence, video is one grey key frame after another.
func (t *rawTrack) play() (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	audio := t.local.Kind() == webrtc.RTPCodecTypeAudio
	frame := clips.idle.frames[0]
	go func() {
		defer close(done)
		tick := time.NewTicker(opusDuration)
		defer tick.Stop()
		var at uint32
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			at++
			if audio {
				t.write(at*960, true, clips.silence.frames[0])
				continue
			}
			if at%4 == 0 {
				t.writeVP8(at*1800, frame)
			}
		}
	}()
	ended := false
	stop = func() {
		if !ended {
			ended = true
			close(quit)
			<-done
		}
	}
	t.c.t.Cleanup(stop)
	return stop
}

func (t *rawTrack) writeVP8(timestamp uint32, frame []byte) {
	const most = 1000
	for first := true; len(frame) > 0; first = false {
		n := min(most, len(frame))
		descriptor := byte(0)
		if first {
			descriptor = 0x10 // S: a partition begins (RFC 7741 section 4.2)
		}
		t.write(timestamp, n == len(frame), append([]byte{descriptor}, frame[:n]...))
		frame = frame[n:]
	}
}

func (t *rawTrack) write(timestamp uint32, marker bool, payload []byte) {
	t.seq++
	p := &rtp.Packet{
		Header:  rtp.Header{Version: 2, SequenceNumber: t.seq, Timestamp: timestamp, Marker: marker},
		Payload: payload,
	}
	if level := t.loud.Load(); level > 0 {
		ext := rtp.AudioLevelExtension{Level: uint8(level), Voice: true}
		raw, err := ext.Marshal()
		for _, e := range t.tr.Sender().GetParameters().HeaderExtensions {
			if err == nil && e.URI == audioLevel {
				err = p.SetExtension(uint8(e.ID), raw)
			}
		}
		if err != nil {
			t.c.errorf("%s: audio level: %v", t.c.name, err)
		}
	}
	err := t.local.WriteRTP(p)
	if err != nil {
		t.c.errorf("%s: write: %v", t.c.name, err)
	}
}

// receives waits until n packets of a track arrived.
func (c *rawClient) receives(sid string, n int) {
	c.t.Helper()
	c.until("packets of "+sid, func() bool { return c.packets[sid] >= n })
}

// moreOf waits for n more packets.
func (c *rawClient) moreOf(sid string, n int) {
	c.t.Helper()
	c.mu.Lock()
	from := c.packets[sid]
	c.mu.Unlock()
	c.receives(sid, from+n)
}

// say sends a data packet on a channel.
func (c *rawClient) say(label string, p *livekit.DataPacket) {
	c.t.Helper()
	c.mu.Lock()
	dc := c.channels[label]
	c.mu.Unlock()
	c.j.wait(c.name+": "+label+" is open", func() bool { return dc.ReadyState() == webrtc.DataChannelStateOpen })
	if err := dc.Send(encode(c.t, p)); err != nil {
		c.t.Fatal(err)
	}
}

func user(text string, to ...string) *livekit.DataPacket {
	return &livekit.DataPacket{
		DestinationIdentities: to,
		Value:                 &livekit.DataPacket_User{User: &livekit.UserPacket{Payload: []byte(text)}},
	}
}

// heard waits for a user packet with this text and returns it.
func (c *rawClient) heard(text string) *livekit.DataPacket {
	c.t.Helper()
	var p *livekit.DataPacket
	c.until("hears "+text, func() bool {
		for _, d := range c.data {
			if string(d.packet.GetUser().GetPayload()) == text {
				p = d.packet
			}
		}
		return p != nil
	})
	return p
}
