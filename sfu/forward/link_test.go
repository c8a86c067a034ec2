package forward

import (
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"aparte/sfu/codec"
	"aparte/sfu/congestion"
)

// netLink is the path to one subscriber and the subscriber at its end: a bottleneck
// of so many bits per second with a queue that drops at its tail, and a delay. The
// subscriber answers with transport-wide feedback every 50 ms. Everything happens in
// the time of the test's bubble, so a run is the same each time.
type netLink struct {
	sub *Subscriber

	mu       sync.Mutex
	capacity int64 // bits per second
	queue    time.Duration
	delay    time.Duration
	free     time.Time
	onWay    []travelling
	seen     map[uint32][]rtp.Packet // arrived, by SSRC
	lost     map[uint32]int          // dropped at the bottleneck, by SSRC
	burst    int                     // bytes offered in this millisecond
	burstAt  time.Time
	maxBurst int
	recorder *twcc.Recorder
	reported time.Time
	start    time.Time
	mute     bool // no feedback comes back
}

type travelling struct {
	at     time.Time
	packet rtp.Packet
}

func newNetLink(capacity int64) *netLink {
	return &netLink{
		capacity: capacity, queue: 400 * time.Millisecond, delay: 20 * time.Millisecond,
		seen: map[uint32][]rtp.Packet{}, lost: map[uint32]int{},
		recorder: twcc.NewRecorder(1), start: time.Now(), free: time.Now(),
	}
}

func (l *netLink) set(capacity int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.capacity = capacity
}

func (l *netLink) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	size := len(payload) + int(h.PaddingSize) + congestion.Overhead
	if now.Sub(l.burstAt) > time.Millisecond {
		l.burst, l.burstAt = 0, now
	}
	l.burst += size
	l.maxBurst = max(l.maxBurst, l.burst)
	if l.free.Before(now) {
		l.free = now
	}
	if l.free.Sub(now) > l.queue {
		l.lost[h.SSRC]++
		return len(payload), nil
	}
	l.free = l.free.Add(time.Duration(int64(size) * 8 * int64(time.Second) / l.capacity))
	raw, err := (&rtp.Packet{Header: *h, Payload: payload}).Marshal()
	if err != nil {
		return 0, err
	}
	var p rtp.Packet
	if err := p.Unmarshal(raw); err != nil {
		return 0, err
	}
	l.onWay = append(l.onWay, travelling{l.free.Add(l.delay), p})
	return len(payload), nil
}

// receive lets arrive what has; feedback goes back.
func (l *netLink) receive(now time.Time) {
	l.mu.Lock()
	n := 0
	for ; n < len(l.onWay) && !l.onWay[n].at.After(now); n++ {
		t := &l.onWay[n]
		l.seen[t.packet.SSRC] = append(l.seen[t.packet.SSRC], t.packet)
		if b := t.packet.GetExtension(5); len(b) == 2 {
			l.recorder.Record(t.packet.SSRC, binary.BigEndian.Uint16(b), t.at.Sub(l.start).Microseconds())
		}
	}
	l.onWay = l.onWay[n:]
	var feedback []rtcp.Packet
	if !l.mute && now.Sub(l.reported) >= 50*time.Millisecond {
		l.reported = now
		feedback = l.recorder.BuildFeedbackPacket()
	}
	l.mu.Unlock()
	for _, p := range feedback {
		if raw, err := p.Marshal(); err == nil {
			l.sub.HandleRTCP(downSSRC, raw)
		}
	}
}

// take returns what arrived for the SSRC since the last call, and what was lost.
func (l *netLink) take(ssrc uint32) (arrived []rtp.Packet, lost int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	arrived, lost = l.seen[ssrc], l.lost[ssrc]
	delete(l.seen, ssrc)
	delete(l.lost, ssrc)
	return arrived, lost
}

const audioSSRC = 7010

// join subscribes a link to video and audio.
func (r *rig) join(l *netLink) (video, audio *DownTrack) {
	l.sub = r.worker.NewSubscriber(SubscriberConfig{})
	video, audio = l.sub.NewDownTrack(r.video), l.sub.NewDownTrack(r.audio)
	b := binding(nil)
	b.Writer = l
	video.Bind(b)
	b.SSRC, b.RTXSSRC = audioSSRC, 0
	audio.Bind(b)
	return video, audio
}

// Rates of the simulcast layers below, in bits per second of payload, at 30 frames
// a second in three temporal layers: half of it is in layer 0, a quarter in layer 1.
var layerBps = [3]int{120_000, 450_000, 1_500_000}

const frameEvery = 33 * time.Millisecond

// onAir publishes simulcast video and a voice in packets of 20 ms.
type onAir struct {
	r        *rig
	links    []*netLink
	ticks    int
	frames   int
	tl0      uint8
	answered [3]int // PLIs, by layer
	keyframe [3]int // how many were sent
	layers   int    // how many are published
}

func newOnAir(r *rig, links ...*netLink) *onAir { return &onAir{r: r, links: links, layers: 3} }

// run lets d pass, in steps of a millisecond, and calls each (may be nil) every
// 100 ms.
func (a *onAir) run(d time.Duration, each func(now time.Time)) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		if a.ticks%33 == 0 {
			a.video()
		}
		if a.ticks%20 == 0 {
			a.r.voice("a voice of 32 kbit/s has 80 bytes, and these are as many as those would be, you see")
		}
		for _, l := range a.links {
			l.receive(time.Now())
		}
		if each != nil && a.ticks%100 == 0 {
			settle()
			each(time.Now())
		}
		a.ticks++
		time.Sleep(time.Millisecond)
	}
}

func (a *onAir) video() {
	const pattern, sync = "0212", "0110"
	i := a.frames % 4
	tid := pattern[i] - '0'
	a.frames++
	if tid == 0 {
		a.tl0++
	}
	for layer := range a.layers {
		asked := a.r.plis(ssrcOf(layer))
		key := tid == 0 && (asked > a.answered[layer] || a.keyframe[layer] == 0)
		bytes := layerBps[layer] / 8 * 4 / 30 * [3]int{4, 2, 1}[tid] / 8
		if key {
			a.answered[layer] = asked
			a.keyframe[layer]++
			bytes *= 4
		}
		a.frame(layer, key, tid, sync[i] == '1', bytes)
	}
}

func (a *onAir) frame(layer int, key bool, tid uint8, sync bool, bytes int) {
	r := a.r
	r.pid[layer]++
	pid, ts := r.pid[layer], r.timestamp(layer, 90000, bubbleStart)
	y := byte(0)
	if sync {
		y = 0x20
	}
	for sent := 0; sent < bytes; sent += 1100 {
		payload := make([]byte, max(min(bytes-sent, 1100), 20))
		copy(payload, []byte{0x80, 0xe0, 0x80 | byte(pid>>8)&0x7f, byte(pid), a.tl0, tid<<6 | y, 1, byte(layer)})
		if sent == 0 {
			payload[0] = 0x90
			if key {
				payload[6] = 0
			}
		}
		r.packet(layer, 96, ts, sent+1100 >= bytes, payload)
	}
}

// bps is the rate of payloads over d.
func bps(packets []rtp.Packet, d time.Duration) (sum int64) {
	for i := range packets {
		sum += int64(len(packets[i].Payload)) * 8
	}
	return sum * int64(time.Second) / int64(d)
}

// checkWhole tells whether a receiver would see one stream: every packet between
// the first and the last, and pictures numbered without gaps.
func checkWhole(t *testing.T, packets []rtp.Packet) {
	t.Helper()
	var lastPID uint16
	for i := range packets {
		if i > 0 && packets[i].SequenceNumber != packets[i-1].SequenceNumber+1 {
			t.Fatalf("packet %d: number %d after %d", i, packets[i].SequenceNumber, packets[i-1].SequenceNumber)
		}
		d, ok := codec.ParseVP8(packets[i].Payload)
		if !ok {
			continue // padding
		}
		if d.Start && i > 0 && d.PictureID != (lastPID+1)&0x7fff {
			t.Fatalf("packet %d: picture %d after %d", i, d.PictureID, lastPID)
		}
		lastPID = d.PictureID
	}
}
