package sfu_test

// What forwarding costs, beside plain Pion in the same run.
//
// The server side is this process; all receivers live in a child process, so that
// their ICE, DTLS and decryption are not in the figures. Both servers have real
// connected PeerConnections over loopback with AES-128-GCM. Once all are
// connected, the child stops reading its sockets: their queues fill and the
// kernel drops there. Without that the two cores would be busy with receivers, and
// each mode would be charged for the other's backlog. What remains of the
// receiving side in our figures is the same for both modes: on loopback the kernel
// delivers within the sender's system call.
//
// CPU is the user and system time of this process, all threads, garbage collection
// and Pion's timers included (CLOCK_PROCESS_CPUTIME_ID). The modes take turns
// within one loop, some bursts each, so that a noisy neighbour hits both.
//
// plain: TrackLocalStaticRTP added to N PeerConnections with
// RegisterDefaultInterceptors and ConfigureTWCCHeaderExtensionSender, own sockets.
// ours: a burst is written into the receive tap as SRTP would, and is counted when
// the worker has uncorked it; so it carries parsing, the ring, VP8 rewriting and
// both hand-overs, which plain does not have. Plain's interceptors copy packets for
// retransmission and count them, which ours does not; ours keeps them in the ring. The
// garbage of both is collected within the turns, so that a little of plain's may be
// charged to us, never the other way: we leave none.
//
// x-plain is CPU of ours over CPU of plain.

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/rtp"
	"github.com/pion/transport/v5/packetio"
	"github.com/pion/webrtc/v4"
	"golang.org/x/sys/unix"

	"aparte/sfu/codec"
	"aparte/sfu/forward"
	"aparte/sfu/publish"
	"aparte/sfu/transport/udp"
)

const (
	benchChild  = "APARTE_BENCH_RECEIVERS"
	payloadSize = 1200
	// xPlainLimit is the goal of forwarding.md for bursts of 8.
	xPlainLimit = 0.35
	benchHang   = 60 * time.Second
)

// TestBenchReceivers is the child process of the benchmark, not a test: it does
// nothing unless the benchmark started it.
func TestBenchReceivers(*testing.T) {
	if os.Getenv(benchChild) != "" {
		receivers()
	}
}

func BenchmarkForward(b *testing.B) {
	for _, n := range []int{10, 50} {
		bench := newForwardBench(b, n)
		for _, burst := range []int{8, 3, 1} {
			for _, procs := range []int{2, 1} {
				b.Run(fmt.Sprintf("N=%d/burst=%d/procs=%d", n, burst, procs), func(b *testing.B) {
					bench.run(b, burst, procs)
				})
			}
		}
		bench.close()
	}
}

// forwardBench is N subscribers of each kind.
type forwardBench struct {
	n     int
	child *exec.Cmd
	stdin io.Closer
	pcs   []*webrtc.PeerConnection

	static *webrtc.TrackLocalStaticRTP

	endpoint *udp.Endpoint
	worker   *forward.Worker
	receiver *publish.Receiver
	track    *publish.Track
	tap      io.Writer
	flushed  chan struct{}
	hang     *time.Timer // nothing was forwarded for benchHang
	seq      uint16
	ts       uint32
	packet   []byte
	plain    rtp.Packet
}

// Cork and Uncork pass through to the endpoint and tell when a batch has left.
func (f *forwardBench) Cork() { f.endpoint.Cork() }

func (f *forwardBench) Uncork() {
	f.endpoint.Uncork()
	select {
	case f.flushed <- struct{}{}:
	default:
	}
}

func newForwardBench(b *testing.B, n int) *forwardBench {
	b.Helper()
	f := &forwardBench{n: n, flushed: make(chan struct{}, 1), hang: time.NewTimer(benchHang)}
	var err error
	if f.endpoint, err = udp.Listen(udp.Config{
		Addrs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, LoggerFactory: quietLogs(),
	}); err != nil {
		b.Fatal(err)
	}
	f.worker = forward.NewWorker(forward.WorkerConfig{Corker: f})
	f.publish(b)
	if f.static, err = webrtc.NewTrackLocalStaticRTP(
		webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}, "video", "plain"); err != nil {
		b.Fatal(err)
	}
	f.connect(b)
	return f
}

// publish makes a track as if a browser sent one.
func (f *forwardBench) publish(b *testing.B) {
	f.receiver = publish.NewReceiver(publish.ReceiverConfig{})
	f.track = publish.NewTrack(publish.TrackConfig{ID: "TR_bench", Kind: publish.Video})
	f.receiver.SetSections([]publish.Section{{
		MID: "0", Kind: publish.Video, Track: f.track, SSRCs: []publish.SSRC{{SSRC: 1}},
		Ext:    publish.Extensions{TransportCC: 3},
		Codecs: []publish.Codec{{PayloadType: 96, Type: codec.VP8, ClockRate: 90000}},
	}})
	tap, ok := f.receiver.Buffer(packetio.RTPBufferPacket, 1).(io.Writer)
	if !ok {
		b.Fatal("no tap")
	}
	f.tap = tap
	payload := make([]byte, payloadSize)
	copy(payload, []byte{0x90, 0xe0, 0x80, 0x01, 0x05, 0x00}) // X S, I L T, picture id, TL0PICIDX, TID
	h := rtp.Header{Version: 2, PayloadType: 96, SSRC: 1}
	_ = h.SetExtension(3, []byte{0, 0})
	raw, err := (&rtp.Packet{Header: h, Payload: payload}).Marshal()
	if err != nil {
		b.Fatal(err)
	}
	f.packet = raw
	f.plain = rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96}, Payload: payload}
	f.burst(1, true) // the layer exists
}

// burst feeds one frame of n packets and waits until it has been sent.
func (f *forwardBench) burst(n int, keyframe bool) {
	payload := f.packet[len(f.packet)-payloadSize:]
	payload[6] = 1 // frame tag: 0 is a key frame
	if keyframe {
		payload[6] = 0
	}
	f.ts += 3000
	for i := range n {
		payload[0] = 0x80
		if i == 0 {
			payload[0] = 0x90
		}
		f.packet[1] = 96
		if i == n-1 {
			f.packet[1] |= 0x80
		}
		f.seq++
		f.packet[2], f.packet[3] = byte(f.seq>>8), byte(f.seq)
		f.packet[4], f.packet[5], f.packet[6], f.packet[7] = byte(f.ts>>24), byte(f.ts>>16), byte(f.ts>>8), byte(f.ts)
		_, _ = f.tap.Write(f.packet)
	}
}

func (f *forwardBench) ours(b *testing.B, n int) {
	want := f.worker.Stats().Packets + uint64(n*f.n)
	f.burst(n, false)
	f.await(b, want)
}

// await waits for the worker. It costs no timer: that would be charged to us.
func (f *forwardBench) await(b *testing.B, want uint64) {
	for f.worker.Stats().Packets < want {
		select {
		case <-f.flushed:
		case <-f.hang.C:
			b.Fatalf("%d of %d packets forwarded: %+v", f.worker.Stats().Packets, want, f.worker.Stats())
		}
	}
}

func (f *forwardBench) theirs(b *testing.B, n int) {
	f.ts += 3000
	for i := range n {
		f.seq++
		f.plain.SequenceNumber, f.plain.Timestamp = f.seq, f.ts
		f.plain.Marker = i == n-1
		if err := f.static.WriteRTP(&f.plain); err != nil {
			b.Fatal(err)
		}
	}
}

// turnPackets is how many packets one mode forwards before the other's turn: a
// quarter of a second or so. Shorter turns would charge us for the collection of
// plain's garbage, which goes on in the background after its turn has ended.
const turnPackets = 40_000

func (f *forwardBench) run(b *testing.B, burst, procs int) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	before := f.endpoint.Stats()
	var cpu [2]time.Duration
	packets := 0
	turn := turnPackets / (burst * f.n)
	var calls, allocs [2]uint64
	for b.Loop() {
		for mode, send := range []func(*testing.B, int){f.ours, f.theirs} {
			a := mallocs()
			f.hang.Reset(benchHang)
			start := cpuTime()
			for range turn {
				send(b, burst)
			}
			cpu[mode] += cpuTime() - start
			allocs[mode] += mallocs() - a
			calls[mode]++
		}
		packets += turn * burst * f.n
	}
	after := f.endpoint.Stats()
	if dropped := after.SocketFull + after.Refused - before.SocketFull - before.Refused; dropped > 0 {
		b.Logf("%d packets refused by the kernel", dropped)
	}
	x := float64(cpu[0]) / float64(cpu[1])
	b.ReportMetric(x, "x-plain")
	b.ReportMetric(float64(cpu[0])/float64(packets), "ns/packet")
	b.ReportMetric(float64(cpu[1])/float64(packets), "plain-ns/packet")
	b.ReportMetric(float64(allocs[0])/float64(packets), "allocs/packet")
	b.ReportMetric(float64(after.Sent-before.Sent)/float64(after.Messages-before.Messages), "packets/message")
	if burst == 8 && x > xPlainLimit {
		b.Logf("x-plain is %.3f, should be at most %.2f", x, xPlainLimit)
	}
}

func cpuTime() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts)
	return time.Duration(ts.Nano())
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

func (f *forwardBench) close() {
	f.track.Close()
	for _, pc := range f.pcs {
		_ = pc.Close()
	}
	f.worker.Close()
	_ = f.endpoint.Close()
	_ = f.stdin.Close()
	_ = f.child.Wait()
}

// connect starts the child and connects 2N PeerConnections with it.
func (f *forwardBench) connect(b *testing.B) {
	b.Helper()
	f.child = exec.Command(os.Args[0], "-test.run=^TestBenchReceivers$")
	f.child.Env = append(os.Environ(), benchChild+"=1")
	f.child.Stderr = os.Stderr
	in, err := f.child.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := f.child.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := f.child.Start(); err != nil {
		b.Fatal(err)
	}
	f.stdin = in
	to, from := json.NewEncoder(in), json.NewDecoder(bufio.NewReader(out))
	for i := range 2 * f.n {
		var pc *webrtc.PeerConnection
		connected := make(chan struct{})
		if i < f.n {
			pc = f.ourPeer(b)
		} else {
			pc = f.plainPeer(b)
		}
		f.pcs = append(f.pcs, pc)
		pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
			if s == webrtc.PeerConnectionStateConnected {
				close(connected)
			}
		})
		var offer webrtc.SessionDescription
		if err := from.Decode(&offer); err != nil {
			b.Fatal(err)
		}
		if err := to.Encode(answerTo(b, pc, offer)); err != nil {
			b.Fatal(err)
		}
		select {
		case <-connected:
		case <-time.After(benchHang):
			b.Fatal("not connected")
		}
	}
	// All connected: an empty answer to one offer more tells the child to stop
	// reading, and it says when it has.
	var last webrtc.SessionDescription
	if err := from.Decode(&last); err != nil {
		b.Fatal(err)
	}
	if err := to.Encode(webrtc.SessionDescription{Type: webrtc.SDPTypeRollback}); err != nil {
		b.Fatal(err)
	}
	if err := from.Decode(&last); err != nil {
		b.Fatal(err)
	}
	f.prime(b)
}

// prime brings every DownTrack past its key frame.
func (f *forwardBench) prime(b *testing.B) {
	want := f.worker.Stats().Packets + uint64(f.n)
	f.burst(1, true)
	f.await(b, want)
}

func answerTo(b testing.TB, pc *webrtc.PeerConnection, offer webrtc.SessionDescription) webrtc.SessionDescription {
	b.Helper()
	if err := pc.SetRemoteDescription(offer); err != nil {
		b.Fatal(err)
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		b.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(answer); err != nil {
		b.Fatal(err)
	}
	<-gathered
	return *pc.LocalDescription()
}

func quietLogs() logging.LoggerFactory {
	logs := logging.NewDefaultLoggerFactory()
	logs.DefaultLogLevel = logging.LogLevelDisabled
	return logs
}

// settings are equal for both modes: loopback, GCM, and no giving up on a peer
// that reads nothing.
func settings(logs logging.LoggerFactory) webrtc.SettingEngine {
	se := webrtc.SettingEngine{LoggerFactory: logs}
	se.SetIncludeLoopbackCandidate(true)
	se.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() && ip.To4() != nil })
	se.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	se.SetICETimeouts(time.Hour, time.Hour, time.Second)
	se.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM)
	_ = se.SetAnsweringDTLSRole(webrtc.DTLSRoleServer)
	return se
}

func benchMedia(b testing.TB) *webrtc.MediaEngine {
	me := &webrtc.MediaEngine{}
	if err := me.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000},
		PayloadType:        96,
	}, webrtc.RTPCodecTypeVideo); err != nil {
		b.Fatal(err)
	}
	if err := me.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=96"},
		PayloadType:        97,
	}, webrtc.RTPCodecTypeVideo); err != nil {
		b.Fatal(err)
	}
	return me
}

func (f *forwardBench) plainPeer(b *testing.B) *webrtc.PeerConnection {
	b.Helper()
	me, ir := benchMedia(b), &interceptor.Registry{}
	if err := webrtc.RegisterDefaultInterceptors(me, ir); err != nil {
		b.Fatal(err)
	}
	if err := webrtc.ConfigureTWCCHeaderExtensionSender(me, ir); err != nil {
		b.Fatal(err)
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(me), webrtc.WithInterceptorRegistry(ir), webrtc.WithSettingEngine(settings(quietLogs())))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := pc.AddTrack(f.static); err != nil {
		b.Fatal(err)
	}
	return pc
}

func (f *forwardBench) ourPeer(b *testing.B) *webrtc.PeerConnection {
	b.Helper()
	me := benchMedia(b)
	if err := me.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{
		URI: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
	}, webrtc.RTPCodecTypeVideo); err != nil {
		b.Fatal(err)
	}
	se := settings(quietLogs())
	se.SetICEUDPMux(f.endpoint.Mux())
	se.BufferFactory = publish.NewReceiver(publish.ReceiverConfig{}).Buffer
	se.DisableMediaEngineCopy(true)
	api := webrtc.NewAPI(webrtc.WithMediaEngine(me), webrtc.WithInterceptorRegistry(&interceptor.Registry{}), webrtc.WithSettingEngine(se))
	pc, err := api.NewPeerConnection(webrtc.Configuration{RTPHeaderEncryptionPolicy: webrtc.RTPHeaderEncryptionPolicyDisable})
	if err != nil {
		b.Fatal(err)
	}
	sub := f.worker.NewSubscriber(forward.SubscriberConfig{WriteRTCP: pc.WriteRTCP})
	if _, err := pc.AddTrack(&benchTrack{down: sub.NewDownTrack(f.track)}); err != nil {
		b.Fatal(err)
	}
	return pc
}

// benchTrack is the smallest webrtc.TrackLocal around a DownTrack.
type benchTrack struct{ down *forward.DownTrack }

func (t *benchTrack) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	bind := forward.Binding{
		Writer: ctx.WriteStream(), SSRC: uint32(ctx.SSRC()), RTXSSRC: uint32(ctx.SSRCRetransmission()),
		Codecs: []publish.Codec{{PayloadType: 96, Type: codec.VP8, ClockRate: 90000, RTXPayloadType: 97}},
	}
	for _, e := range ctx.HeaderExtensions() {
		bind.Ext.Set(e.URI, uint8(e.ID))
	}
	t.down.Bind(bind)
	return ctx.CodecParameters()[0], nil
}

func (t *benchTrack) Unbind(webrtc.TrackLocalContext) error { t.down.Unbind(); return nil }
func (t *benchTrack) ID() string                            { return "video" }
func (t *benchTrack) RID() string                           { return "" }
func (t *benchTrack) StreamID() string                      { return "ours" }
func (t *benchTrack) Kind() webrtc.RTPCodecType             { return webrtc.RTPCodecTypeVideo }

// receivers offers PeerConnections until told to stop
// reading, and ends with its standard input.
func receivers() {
	from, to := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	var gates []*gate
	for {
		pc, g, err := receiverPeer()
		if err == nil {
			err = to.Encode(*pc.LocalDescription())
		}
		var answer webrtc.SessionDescription
		if err == nil {
			err = from.Decode(&answer)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "benchmark receivers:", err)
			return
		}
		gates = append(gates, g)
		if answer.SDP == "" {
			break
		}
		if err := pc.SetRemoteDescription(answer); err != nil {
			fmt.Fprintln(os.Stderr, "benchmark receivers:", err)
			return
		}
	}
	for _, g := range gates {
		g.shut.Store(true)
	}
	_ = to.Encode(webrtc.SessionDescription{Type: webrtc.SDPTypeRollback})
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// gate is a socket that can be left unread.
type gate struct {
	*net.UDPConn
	shut atomic.Bool
}

func (g *gate) ReadFrom(b []byte) (int, net.Addr, error) {
	if g.shut.Load() {
		select {}
	}
	return g.UDPConn.ReadFrom(b)
}

func receiverPeer() (*webrtc.PeerConnection, *gate, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, nil, err
	}
	g := &gate{UDPConn: conn}
	se := settings(quietLogs())
	se.SetICEUDPMux(ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: g, Logger: quietLogs().NewLogger("ice")}))
	me := &webrtc.MediaEngine{}
	if err := me.RegisterDefaultCodecs(); err != nil {
		return nil, nil, err
	}
	ir := &interceptor.Registry{}
	if err := webrtc.RegisterDefaultInterceptors(me, ir); err != nil {
		return nil, nil, err
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(me), webrtc.WithInterceptorRegistry(ir), webrtc.WithSettingEngine(se)).
		NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, nil, err
	}
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo,
		webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		return nil, nil, err
	}
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		return nil, nil, err
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		return nil, nil, err
	}
	<-gathered
	return pc, g, nil
}
