package adapttest

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

const (
	audioLevelURI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
	midURI        = "urn:ietf:params:rtp-hdrext:sdes:mid"
	ridURI        = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
)

// Rates of a camera's layers in bits per second, at 30 frames a second in three
// temporal layers: half of the bits are in layer 0, a quarter each in 1 and 2.
var layerBps = [3]int{100_000, 300_000, 900_000}

// source is what a publisher sends.
type source struct {
	sid    string
	tracks []*webrtc.TrackLocalStaticRTP
	sender *webrtc.RTPSender
	mid    string
	ids    map[string]uint8 // header extensions by URI
	begun  time.Time        // of a microphone's first packet, 20 ms before
	stop   chan struct{}
	done   sync.WaitGroup

	plis      [3]atomic.Int32
	pliTimes  [3][]time.Time // guarded by mu
	mu        sync.Mutex
	keyframes [3]atomic.Int32
	keyBytes  atomic.Int32 // size of the next key frames; 0: four times a frame
	level     atomic.Int32 // -dBov of a microphone; 127 silence
}

// camera publishes a picture in so many layers.
func (w *world) camera(name string, kind livekit.TrackSource, layers int) *source {
	w.t.Helper()
	s := &source{stop: make(chan struct{})}
	for _, rid := range []string{"q", "h", "f"}[:layers] {
		track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000},
			"cid-"+name, "stream-"+name, webrtc.WithRTPStreamID(rid))
		if err != nil {
			w.t.Fatal(err)
		}
		s.tracks = append(s.tracks, track)
	}
	req := &livekit.AddTrackRequest{Cid: "cid-" + name, Type: livekit.TrackType_VIDEO, Source: kind, Width: 1280, Height: 720}
	for i := range layers {
		req.Layers = append(req.Layers, &livekit.VideoLayer{
			Quality: livekit.VideoQuality(i), Width: 320 << i, Height: 180 << i, Bitrate: uint32(layerBps[i]),
		})
	}
	c := w.publish(name, s, req)
	for i, rid := range []string{"q", "h", "f"}[:layers] {
		s.done.Go(func() { s.listen(rid, i) })
	}
	s.done.Go(s.film)
	c.done.Go(func() {
		<-c.quit
		close(s.stop)
		s.done.Wait()
	})
	return s
}

// microphone publishes a voice.
func (w *world) microphone(name string) *source {
	w.t.Helper()
	s := &source{stop: make(chan struct{})}
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2},
		"voice-"+name, "voices-"+name)
	if err != nil {
		w.t.Fatal(err)
	}
	s.tracks = append(s.tracks, track)
	c := w.publish(name, s, &livekit.AddTrackRequest{
		Cid: "voice-" + name, Type: livekit.TrackType_AUDIO, Source: livekit.TrackSource_MICROPHONE, DisableRed: true,
	})
	s.begun = time.Now()
	s.done.Go(s.talk)
	c.done.Go(func() {
		<-c.quit
		close(s.stop)
		s.done.Wait()
	})
	return s
}

// publish makes a participant, or takes the one of that name, and announces and
// negotiates one track more.
func (w *world) publish(name string, s *source, req *livekit.AddTrackRequest) *client {
	w.t.Helper()
	var c *client
	for _, x := range w.clients {
		if x.name == name {
			c = x
		}
	}
	if c == nil {
		c = w.client(name, true, false)
	}
	sender, err := c.pc.AddTrack(s.tracks[0])
	if err != nil {
		w.t.Fatal(err)
	}
	for _, track := range s.tracks[1:] {
		if err := sender.AddEncoding(track); err != nil {
			w.t.Fatal(err)
		}
	}
	s.sender = sender
	c.ask(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: req}})
	s.sid = (<-c.published).GetSid()
	c.offer()
	for _, t := range c.pc.GetTransceivers() {
		if t.Sender() == sender {
			s.mid = t.Mid()
		}
	}
	s.ids = map[string]uint8{}
	for _, ext := range sender.GetParameters().HeaderExtensions {
		s.ids[ext.URI] = uint8(ext.ID)
	}
	return c
}

// listen notes the key frames asked for.
func (s *source) listen(rid string, layer int) {
	for {
		var packets []rtcp.Packet
		var err error
		if len(s.tracks) == 1 {
			packets, _, err = s.sender.ReadRTCP()
		} else {
			packets, _, err = s.sender.ReadSimulcastRTCP(rid)
		}
		if err != nil {
			return
		}
		for _, p := range packets {
			if _, ok := p.(*rtcp.PictureLossIndication); ok {
				s.plis[layer].Add(1)
				s.mu.Lock()
				s.pliTimes[layer] = append(s.pliTimes[layer], time.Now())
				s.mu.Unlock()
			}
		}
	}
}

func (s *source) asked(layer int) []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Time(nil), s.pliTimes[layer]...)
}

// film sends 30 frames a second of each layer.
func (s *source) film() {
	tick := time.NewTicker(time.Second / 30)
	defer tick.Stop()
	const pattern, sync = "0212", "0110"
	var answered [3]int32
	var seq, pid [3]uint16
	tl0 := uint8(0)
	begun := time.Now()
	for frame := 0; ; frame++ {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		tid := pattern[frame%4] - '0'
		if tid == 0 {
			tl0++
		}
		ts := uint32(time.Since(begun) * 90 / time.Millisecond)
		for layer := range s.tracks {
			asked := s.plis[layer].Load()
			key := tid == 0 && (asked > answered[layer] || s.keyframes[layer].Load() == 0)
			bytes := layerBps[layer] / 8 * 4 / 30 * [3]int{4, 2, 1}[tid] / 8
			if key {
				answered[layer] = asked
				s.keyframes[layer].Add(1)
				if bytes *= 4; s.keyBytes.Load() != 0 {
					bytes = int(s.keyBytes.Load())
				}
			}
			pid[layer]++
			s.frame(layer, &seq[layer], pid[layer], ts, tl0, tid, key, sync[frame%4] == '1', bytes)
		}
	}
}

// Places in a payload of ours, behind VP8's descriptor of six bytes.
const (
	tagAt   = 6 // 0 in a key frame
	layerAt = 7
	tidAt   = 8
)

func (s *source) frame(layer int, seq *uint16, pid uint16, ts uint32, tl0, tid uint8, key, sync bool, bytes int) {
	y := byte(0)
	if sync {
		y = 0x20
	}
	for sent := 0; sent < bytes; sent += 1100 {
		payload := make([]byte, max(min(bytes-sent, 1100), 20))
		copy(payload, []byte{0x80, 0xe0, 0x80 | byte(pid>>8)&0x7f, byte(pid), tl0, tid<<6 | y, 1, byte(layer), tid})
		if sent == 0 {
			payload[0] = 0x90
			if key {
				payload[tagAt] = 0
			}
		}
		*seq++
		p := &rtp.Packet{
			Header:  rtp.Header{Version: 2, SequenceNumber: *seq, Timestamp: ts, Marker: sent+1100 >= bytes},
			Payload: payload,
		}
		_ = p.SetExtension(s.ids[midURI], []byte(s.mid))
		if len(s.tracks) > 1 {
			_ = p.SetExtension(s.ids[ridURI], []byte{"qhf"[layer]})
		}
		_ = s.tracks[layer].WriteRTP(p) // fails when the connection is closed
	}
}

// talk sends a packet of 20 ms each 20 ms. What is loud is numbered in its payload.
func (s *source) talk() {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	s.level.CompareAndSwap(0, 127)
	for n := uint16(1); ; n++ {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		level := byte(s.level.Load())
		payload := make([]byte, 80) // 32 kbit/s
		payload[1], payload[2], payload[3] = byte(n>>8), byte(n), level
		p := &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: n, Timestamp: uint32(n) * 960}, Payload: payload}
		_ = p.SetExtension(s.ids[audioLevelURI], []byte{level})
		_ = s.tracks[0].WriteRTP(p)
	}
}
