package adapttest

import (
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// stream is one track as a subscriber receives it. Guarded by client.mu.
type stream struct {
	ssrc    uint32
	video   bool
	packets int
	lastAt  time.Time
	layer   int
	tid     int // highest seen in the last second
	tidAt   time.Time
	history []change    // of layers
	voices  []voice     // of a microphone
	seqs    []uint16    // of primary packets, as they came
	times   []time.Time // when
	stamps  []uint32
}

type change struct {
	at    time.Time
	layer int
	top   int // temporal layer before
}

type voice struct {
	at    time.Time
	n     uint16
	level byte
	ts    uint32
	seq   uint16
}

// gone is how long nothing comes of a stream that is not shown any more.
const gone = time.Second

func (s *stream) layerNow() int {
	if time.Since(s.lastAt) > gone {
		return -1
	}
	return s.layer
}

func (s *stream) tidNow() int {
	if time.Since(s.lastAt) > gone {
		return -1
	}
	return s.tid
}

// receive runs for each track.
func (c *client) receive(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	s := &stream{ssrc: uint32(track.SSRC()), layer: -1, video: track.Kind() == webrtc.RTPCodecTypeVideo}
	c.mu.Lock()
	c.streams[track.ID()] = s
	c.mu.Unlock()
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		c.mu.Lock()
		s.take(p)
		c.mu.Unlock()
	}
}

func (s *stream) take(p *rtp.Packet) {
	now := time.Now()
	s.seqs, s.times, s.stamps = append(s.seqs, p.SequenceNumber), append(s.times, now), append(s.stamps, p.Timestamp)
	if len(p.Payload) < tidAt+1 {
		return // padding
	}
	s.packets++
	s.lastAt = now
	if !s.video {
		s.voices = append(s.voices, voice{now, uint16(p.Payload[1])<<8 | uint16(p.Payload[2]), p.Payload[3], p.Timestamp, p.SequenceNumber})
		return
	}
	if tid := int(p.Payload[tidAt]); tid >= s.tid || now.Sub(s.tidAt) > time.Second {
		s.tid, s.tidAt = tid, now
	}
	if layer := int(p.Payload[layerAt]); layer != s.layer {
		s.history = append(s.history, change{now, layer, s.tid})
		s.layer = layer
	}
}

// of reads a stream under the lock; the zero value while there is none.
func (c *client) of(sid string) (layer, tid int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.streams[sid]; s != nil {
		return s.layerNow(), s.tidNow()
	}
	return -1, -1
}

// with reads a stream under the lock.
func (c *client) with(sid string, f func(*stream)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.streams[sid]; s != nil {
		f(s)
	}
}
