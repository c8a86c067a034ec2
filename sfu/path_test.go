package sfu_test

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"aparte/sfu/codec"
	"aparte/sfu/forward"
	"aparte/sfu/publish"
	"aparte/sfu/transport/udp"
)

// pathHang bounds the waiting for events; nothing takes that long.
const pathHang = 60 * time.Second

// TestEveryPacketArrivesThroughLoss takes the whole way with real PeerConnections:
// one RTP packet in seven is lost between publisher and server, and again between
// server and subscriber, retransmissions too. NACK and RTX on both sides must
// bring all of them, with payload types, SSRCs and VP8 numbers rewritten.
func TestEveryPacketArrivesThroughLoss(t *testing.T) {
	const frames, perFrame = 200, 3
	s := newPath(t)
	sub := s.subscriber(t, &lossy{in: true})
	pub := s.publisher(t, &lossy{out: true})

	stop := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() { publishFrames(pub, perFrame, stop) })
	defer sending.Wait()
	defer close(stop)

	// From the first frame the subscriber can decode, nothing may be missing.
	got := map[uint32]*rtp.Packet{}
	first, deadline := uint32(0), time.After(pathHang)
	for complete := uint32(0); complete < frames*perFrame; {
		select {
		case p := <-sub:
			index := binary.BigEndian.Uint32(p.Payload[8:])
			if old := got[index]; old != nil && old.SequenceNumber != p.SequenceNumber {
				t.Fatalf("packet %d came as %d and %d", index, old.SequenceNumber, p.SequenceNumber)
			}
			if len(got) == 0 {
				if first = index; p.Payload[6]&1 != 0 {
					t.Fatal("does not begin with a key frame")
				}
			}
			got[index] = p
			for got[first+complete] != nil {
				complete++
			}
		case <-deadline:
			t.Fatalf("packet %d missing; %d of %d. receiver %+v worker %+v", first+complete, complete, frames*perFrame,
				s.receiver.Stats(), s.worker.Stats())
		}
	}
	for i := first + 1; i < first+frames*perFrame; i++ {
		a, b := got[i-1], got[i]
		da, _ := codec.ParseVP8(a.Payload)
		db, _ := codec.ParseVP8(b.Payload)
		if b.SequenceNumber != a.SequenceNumber+1 || db.Start && db.PictureID != (da.PictureID+1)&0x7fff {
			t.Fatalf("%d: %d/%d after %d/%d", i, b.SequenceNumber, db.PictureID, a.SequenceNumber, da.PictureID)
		}
	}
	if st := s.receiver.Stats(); st.Recovered == 0 || st.NACKs == 0 {
		t.Fatalf("nothing was repaired on the way up: %+v", st)
	}
	if st := s.worker.Stats(); st.Retransmitted == 0 {
		t.Fatalf("nothing was repaired on the way down: %+v", st)
	}
}

// The estimate of a path to a real peer, over loopback: it must be far above what is
// sent, and nothing may be held back. Probes are part of it.
func TestEstimateOfARealPeer(t *testing.T) {
	s := newPath(t)
	s.twcc = true
	packets := s.subscriber(t, &lossy{})
	track := s.publisher(t, &lossy{})
	stop := make(chan struct{})
	defer close(stop)
	go publishFrames(track, 2, stop)
	deadline := time.After(pathHang)
	for {
		select {
		case <-packets:
		case <-deadline:
			t.Fatalf("no estimate: %+v", s.sub.Path())
		}
		if st := s.sub.Path(); st.EstimateBps > 2_000_000 && st.ProbesGood > 0 && st.Feedbacks > 10 {
			return
		}
	}
}

// path is a server with one published track.
type path struct {
	endpoint *udp.Endpoint
	worker   *forward.Worker
	receiver *publish.Receiver
	track    *publish.Track
	sub      *forward.Subscriber
	twcc     bool // transport-wide feedback is negotiated
}

func newPath(t *testing.T) *path {
	t.Helper()
	s := &path{track: publish.NewTrack(publish.TrackConfig{ID: "TR_path", Kind: publish.Video})}
	var err error
	if s.endpoint, err = udp.Listen(udp.Config{
		Addrs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, LoggerFactory: quietLogs(),
	}); err != nil {
		t.Fatal(err)
	}
	s.worker = forward.NewWorker(forward.WorkerConfig{Corker: s.endpoint})
	t.Cleanup(func() {
		s.worker.Close()
		_ = s.endpoint.Close()
	})
	return s
}

// server makes our end; sub and receiver are wired to it.
func (s *path) server(t *testing.T) (pc *webrtc.PeerConnection, sub *forward.Subscriber, receiver *publish.Receiver) {
	t.Helper()
	writeRTCP := func(p []rtcp.Packet) error { return pc.WriteRTCP(p) }
	sub = s.worker.NewSubscriber(forward.SubscriberConfig{WriteRTCP: writeRTCP})
	receiver = publish.NewReceiver(publish.ReceiverConfig{WriteRTCP: writeRTCP, OnRTCP: sub.HandleRTCP})
	me := benchMedia(t)
	uris := []string{"urn:ietf:params:rtp-hdrext:sdes:mid"}
	if s.twcc {
		uris = append(uris, "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01")
	}
	for _, uri := range uris {
		if err := me.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, webrtc.RTPCodecTypeVideo); err != nil {
			t.Fatal(err)
		}
	}
	for _, fb := range []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "transport-cc"}} {
		me.RegisterFeedback(fb, webrtc.RTPCodecTypeVideo)
	}
	se := settings(quietLogs())
	se.SetICEUDPMux(s.endpoint.Mux())
	se.BufferFactory = receiver.Buffer
	se.DisableMediaEngineCopy(true)
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(me), webrtc.WithInterceptorRegistry(&interceptor.Registry{}),
		webrtc.WithSettingEngine(se)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	s.worker.AddTicker(receiver)
	t.Cleanup(func() {
		s.worker.RemoveTicker(receiver)
		sub.Close()
		_ = pc.Close()
	})
	return pc, sub, receiver
}

// lossy is a client's socket that loses one RTP packet in seven. Not every
// seventh: retransmissions come in a rhythm too, and the same one would be lost
// each time.
type lossy struct {
	*net.UDPConn
	in, out bool
	mu      sync.Mutex // guards dice
	dice    *rand.Rand
}

func (l *lossy) loses() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dice == nil {
		l.dice = rand.New(rand.NewPCG(1, 2))
	}
	return l.dice.IntN(7) == 0
}

func isRTP(b []byte) bool {
	return len(b) > 12 && b[0]>>6 == 2 && (b[1]&0x7f < 64 || b[1]&0x7f > 95)
}

func (l *lossy) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := l.UDPConn.ReadFrom(b)
		if err != nil || !l.in || !isRTP(b[:n]) {
			return n, from, err
		}
		if !l.loses() {
			return n, from, nil
		}
	}
}

func (l *lossy) WriteTo(b []byte, to net.Addr) (int, error) {
	if l.out && isRTP(b) && l.loses() {
		return len(b), nil
	}
	return l.UDPConn.WriteTo(b, to)
}

func (s *path) client(t *testing.T, conn *lossy) *webrtc.PeerConnection {
	t.Helper()
	var err error
	if conn.UDPConn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		t.Fatal(err)
	}
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn, Logger: quietLogs().NewLogger("ice")})
	se := settings(quietLogs())
	se.SetICEUDPMux(mux)
	me := &webrtc.MediaEngine{}
	if err := me.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	ir := &interceptor.Registry{}
	if err := webrtc.RegisterDefaultInterceptors(me, ir); err != nil {
		t.Fatal(err)
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(me), webrtc.WithInterceptorRegistry(ir), webrtc.WithSettingEngine(se)).
		NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = pc.Close()
		_ = mux.Close()
	})
	return pc
}

// connect lets client offer and server answer, and waits for both.
func connect(t *testing.T, client, server *webrtc.PeerConnection) {
	t.Helper()
	connected := make(chan struct{})
	client.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			close(connected)
		}
	})
	offer, err := client.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(client)
	if err := client.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	if err := client.SetRemoteDescription(answerTo(t, server, *client.LocalDescription())); err != nil {
		t.Fatal(err)
	}
	select {
	case <-connected:
	case <-time.After(pathHang):
		t.Fatal("not connected")
	}
}

// subscriber returns what a client receives, repaired packets in their places.
func (s *path) subscriber(t *testing.T, conn *lossy) <-chan *rtp.Packet {
	t.Helper()
	server, sub, _ := s.server(t)
	s.sub = sub
	return s.receive(t, conn, server, &benchTrack{down: sub.NewDownTrack(s.track)})
}

// late is subscriber for one that nothing is sent to before it is told to flow.
func (s *path) late(t *testing.T) (packets <-chan *rtp.Packet, held *heldTrack) {
	t.Helper()
	server, sub, _ := s.server(t)
	held = &heldTrack{benchTrack: benchTrack{down: sub.NewDownTrack(s.track)}}
	return s.receive(t, &lossy{}, server, held), held
}

// receive connects a client that gets the track.
func (s *path) receive(t *testing.T, conn *lossy, server *webrtc.PeerConnection, sent webrtc.TrackLocal) <-chan *rtp.Packet {
	t.Helper()
	client := s.client(t, conn)
	packets := make(chan *rtp.Packet, 1024)
	client.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for {
			p, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			if len(p.Payload) > 11 {
				packets <- p
			}
		}
	})
	if _, err := client.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo,
		webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		t.Fatal(err)
	}
	if _, err := server.AddTrack(sent); err != nil {
		t.Fatal(err)
	}
	connect(t, client, server)
	return packets
}

// publisher returns the track of a client whose packets reach s.track.
func (s *path) publisher(t *testing.T, conn *lossy) *webrtc.TrackLocalStaticRTP {
	t.Helper()
	server, _, receiver := s.server(t)
	s.receiver = receiver
	client := s.client(t, conn)
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}, "video", "path")
	if err != nil {
		t.Fatal(err)
	}
	sender, err := client.AddTrack(track)
	if err != nil {
		t.Fatal(err)
	}
	go func() { // Pion answers NACKs while RTCP is read
		for {
			if _, _, err := sender.ReadRTCP(); err != nil {
				return
			}
		}
	}()
	connect(t, client, server)
	enc := sender.GetParameters().Encodings[0]
	sec := publish.Section{
		MID: "0", Kind: publish.Video, Track: s.track,
		SSRCs:  []publish.SSRC{{SSRC: uint32(enc.SSRC)}, {SSRC: uint32(enc.RTX.SSRC), Repairs: uint32(enc.SSRC)}},
		Codecs: []publish.Codec{{PayloadType: 96, Type: codec.VP8, ClockRate: 90000, RTXPayloadType: 97}},
	}
	receiver.SetSections([]publish.Section{sec})
	return track
}

// publishFrames sends a frame every 5 ms, every 30th a key frame, numbering all
// packets.
func publishFrames(track *webrtc.TrackLocalStaticRTP, perFrame int, stop <-chan struct{}) {
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	index, seq := uint32(0), uint16(65000)
	for frame := uint16(0); ; frame++ {
		select {
		case <-stop:
			return
		case <-pace.C:
		}
		for i := range perFrame {
			payload := make([]byte, 900)
			copy(payload, []byte{0x80, 0xe0, 0x80 | byte(frame>>8)&0x7f, byte(frame), byte(frame), 0, 1})
			if i == 0 {
				payload[0] = 0x90
				if frame%30 == 0 {
					payload[6] = 0
				}
			}
			binary.BigEndian.PutUint32(payload[8:], index)
			_ = track.WriteRTP(&rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: uint32(frame) * 450, Marker: i == perFrame-1},
				Payload: payload,
			})
			index++
			seq++
		}
	}
}
