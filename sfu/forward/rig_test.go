package forward

import (
	"encoding/binary"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/transport/v5/packetio"

	"aparte/sfu/codec"
	"aparte/sfu/leaktest"
	"aparte/sfu/publish"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// hangLimit is generous: nothing waits for it but a broken test.
const hangLimit = 20 * time.Second

var (
	vp8    = publish.Codec{PayloadType: 96, Type: codec.VP8, ClockRate: 90000}
	opus   = publish.Codec{PayloadType: 111, Type: codec.Opus, ClockRate: 48000}
	red    = publish.Codec{PayloadType: 63, Type: codec.RED, ClockRate: 48000}
	pubExt = publish.Extensions{MID: 4, RID: 10, AudioLevel: 1}
)

// rig is a publisher of one video track with three layers and one audio track, a
// worker, and subscribers.
type rig struct {
	t        testing.TB
	worker   *Worker
	receiver *publish.Receiver
	video    *publish.Track
	audio    *publish.Track
	seq      [4]uint16 // by layer; 3 is audio
	pid      [4]uint16

	mu     sync.Mutex
	upward []rtcp.Packet // to the publisher
}

func newRig(t testing.TB, corker Corker) *rig {
	r := &rig{
		t:      t,
		worker: NewWorker(WorkerConfig{Corker: corker}),
		video:  publish.NewTrack(publish.TrackConfig{ID: "TR_v", Kind: publish.Video}),
		audio:  publish.NewTrack(publish.TrackConfig{ID: "TR_a", Kind: publish.Audio}),
	}
	r.receiver = publish.NewReceiver(publish.ReceiverConfig{WriteRTCP: func(p []rtcp.Packet) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.upward = append(r.upward, p...)
		return nil
	}})
	r.receiver.SetSections([]publish.Section{
		{MID: "v", Kind: publish.Video, Codecs: []publish.Codec{vp8}, Ext: pubExt, RIDs: []string{"q", "h", "f"}, Track: r.video},
		{MID: "a", Kind: publish.Audio, Codecs: []publish.Codec{opus, red}, Ext: pubExt, Track: r.audio},
	})
	r.worker.AddTicker(r.receiver)
	return r
}

func (r *rig) close() {
	r.worker.RemoveTicker(r.receiver)
	r.worker.Close()
}

func (r *rig) plis(ssrc uint32) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.upward {
		if pli, ok := p.(*rtcp.PictureLossIndication); ok && pli.MediaSSRC == ssrc {
			n++
		}
	}
	return n
}

func ssrcOf(layer int) uint32 { return 100 + uint32(layer) }

// clockOf: every layer's timestamps begin elsewhere.
func clockOf(layer int) uint32 { return uint32(layer+1) * 1_000_000 }

// timestamp of the instant, in the layer's clock.
func (r *rig) timestamp(layer int, rate uint32, epoch time.Time) uint32 {
	return clockOf(layer) + uint32(time.Since(epoch).Microseconds()*int64(rate)/1_000_000)
}

var bubbleStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// frame publishes n packets of one frame on a layer; the last has the marker.
func (r *rig) frame(layer int, key bool, n int) {
	r.pid[layer]++
	ts := r.timestamp(layer, 90000, bubbleStart)
	for i := range n {
		first, tag := byte(0x80), byte(1)
		if i == 0 {
			first = 0x90
			if key {
				tag = 0
			}
		}
		pid := r.pid[layer]
		payload := []byte{first, 0xe0, 0x80 | byte(pid>>8), byte(pid), byte(pid), 0, tag, byte(layer), byte(i), 0, 0}
		r.packet(layer, 96, ts, i == n-1, payload)
	}
}

func (r *rig) packet(layer int, pt uint8, ts uint32, marker bool, payload []byte) {
	r.seq[layer]++
	r.packetSeq(layer, pt, r.seq[layer], ts, marker, payload)
}

func (r *rig) packetSeq(layer int, pt uint8, seq uint16, ts uint32, marker bool, payload []byte) {
	p := &rtp.Packet{
		Header:  rtp.Header{Version: 2, SSRC: ssrcOf(layer), PayloadType: pt, SequenceNumber: seq, Timestamp: ts, Marker: marker},
		Payload: payload,
	}
	if layer == 3 {
		_ = p.SetExtension(pubExt.MID, []byte("a"))
		_ = p.SetExtension(pubExt.AudioLevel, []byte{0x80 | 30})
	} else {
		_ = p.SetExtension(pubExt.MID, []byte("v"))
		_ = p.SetExtension(pubExt.RID, []byte{"qhf"[layer]})
	}
	b, err := p.Marshal()
	if err != nil {
		r.t.Fatal(err)
	}
	_, _ = r.receiver.Buffer(packetio.RTPBufferPacket, ssrcOf(layer)).Write(b)
}

func (r *rig) voice(payload string) {
	r.packet(3, 111, r.timestamp(3, 48000, bubbleStart), false, []byte(payload))
}

// senderReports tells the layers' clocks.
func (r *rig) senderReports() {
	for layer := range 4 {
		rate := uint32(90000)
		if layer == 3 {
			rate = 48000
		}
		b, err := (&rtcp.SenderReport{SSRC: ssrcOf(layer), NTPTime: ntp(time.Now()), RTPTime: r.timestamp(layer, rate, bubbleStart)}).Marshal()
		if err != nil {
			r.t.Fatal(err)
		}
		_, _ = r.receiver.Buffer(packetio.RTCPBufferPacket, ssrcOf(layer)).Write(b)
	}
}

// screen is a subscriber's end: it keeps what it is sent.
type screen struct {
	mu      sync.Mutex
	packets []rtp.Packet
	rtcp    []rtcp.Packet
	log     *[]*screen // common to several: who was written to
}

func (s *screen) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	raw, err := (&rtp.Packet{Header: *h, Payload: payload}).Marshal()
	if err != nil {
		return 0, err
	}
	var p rtp.Packet
	if err := p.Unmarshal(raw); err != nil {
		return 0, err
	}
	s.packets = append(s.packets, p)
	if s.log != nil {
		*s.log = append(*s.log, s)
	}
	return len(payload), nil
}

func (s *screen) writeRTCP(p []rtcp.Packet) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rtcp = append(s.rtcp, p...)
	return nil
}

// take returns what came since the last call.
func (s *screen) take() []rtp.Packet {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.packets
	s.packets = nil
	return p
}

func (r *rig) subscribe(s *screen) *Subscriber {
	return r.worker.NewSubscriber(SubscriberConfig{WriteRTCP: s.writeRTCP})
}

const (
	downSSRC, downRTX = 7000, 7001
	outVP8, outRTX    = 120, 121
	outOpus           = 109
)

func binding(s *screen) Binding {
	return Binding{
		Writer: s, SSRC: downSSRC, RTXSSRC: downRTX, MID: "5",
		Codecs: []publish.Codec{
			{PayloadType: outVP8, Type: codec.VP8, ClockRate: 90000, RTXPayloadType: outRTX},
			{PayloadType: outOpus, Type: codec.Opus, ClockRate: 48000},
		},
		Ext: publish.Extensions{MID: 3, TransportCC: 5, AbsSendTime: 2, AudioLevel: 6},
	}
}

func settle() { synctest.Wait() }

func osn(p rtp.Packet) uint16 { return binary.BigEndian.Uint16(p.Payload) }
