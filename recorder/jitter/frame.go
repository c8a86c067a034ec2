package jitter

import (
	"time"

	"github.com/pion/rtp/codecs"

	"aparte/sfu/codec"
)

// Frame is what a decoder takes at once: a picture, with all its spatial layers, or some
// milliseconds of sound.
type Frame struct {
	// Time is the RTP timestamp, extended as Times does.
	Time    int64
	Arrival time.Duration // of its first packet by number
	Data    []byte        // as Matroska wants it: H264 with lengths, AV1 with sizes
	// Keyframe tells that a decoder can begin here. All sound is.
	Keyframe bool
	// Width and Height in pixels are known on some key frames, else 0.
	Width, Height int
}

// Stats counts what became of a stream's packets and frames.
type Stats struct {
	Packets int
	Late    int // came after they were given up
	Twice   int
	Gaps    int // places where packets never came
	Frames  int
	// Broken frames lack a packet or do not parse; Useless ones are whole, but need
	// another that is missing.
	Broken, Useless int
}

// maxFrame in bytes, of one picture: raw 720p is less.
const maxFrame = 4 << 20

// Stream makes frames of the packets of one source and one codec.
type Stream struct {
	codec codec.Type
	out   func(Frame)
	stats Stats
	times Times
	order order

	// The picture that is being put together.
	packets []waiting
	bytes   int
	broken  bool
	wait    bool // for a key frame
	sets    bool // H264: its parameter sets were in the stream
}

// NewStream makes a stream of a codec, which calls out for each frame, from Push, Expire
// and Flush. ok is false where nothing can be made of that codec.
func NewStream(mime string, out func(Frame)) (s *Stream, ok bool) {
	s = &Stream{codec: codec.TypeOf(mime), out: out, wait: true}
	switch s.codec {
	case codec.Opus, codec.VP8, codec.VP9, codec.AV1, codec.H264:
		return s, true
	}
	return nil, false
}

// Codec is what the frames are of.
func (s *Stream) Codec() codec.Type { return s.codec }

// Stats are the counters.
func (s *Stream) Stats() Stats {
	s.stats.Late, s.stats.Twice = s.order.late, s.order.twice
	return s.stats
}

// Push takes a packet, in the order of arrival.
func (s *Stream) Push(p Packet) {
	s.stats.Packets++
	s.order.push(waiting{Packet: p, time: s.times.Extend(p.Timestamp)}, s.take)
}

// Expire tells that the recording has gone on until now: what was missing for too long
// is given up.
func (s *Stream) Expire(now time.Duration) { s.order.expire(now-Patience, s.take) }

// Flush gives what is left when nothing more comes.
func (s *Stream) Flush() {
	s.order.flush(s.take)
	s.finish(false)
}

// take is one packet in order.
func (s *Stream) take(w waiting, gap bool) {
	if gap {
		s.stats.Gaps++
	}
	if s.codec == codec.Opus {
		if len(w.Payload) > 0 {
			s.stats.Frames++
			s.out(Frame{Time: w.time, Arrival: w.Arrival, Data: w.Payload, Keyframe: true})
		}
		return
	}
	if gap {
		// What ended without its marker may lack its end, and what follows needs it.
		s.finish(false)
		s.wait = true
	}
	if len(w.Payload) == 0 {
		return
	}
	if len(s.packets) > 0 && s.packets[0].time != w.time {
		s.finish(true)
	}
	if len(s.packets) == 0 {
		s.broken = gap && !s.begins(w.Payload)
	}
	if s.bytes += len(w.Payload); s.bytes > maxFrame {
		s.broken = true
		s.packets = s.packets[:1]
	} else {
		s.packets = append(s.packets, w)
	}
	if w.Marker {
		s.finish(true)
	}
}

// begins tells whether a picture surely begins with this packet.
func (s *Stream) begins(payload []byte) bool {
	f, ok := codec.Inspect(s.codec, payload)
	switch {
	case !ok:
		return false
	case f.Keyframe:
		return true
	case s.codec == codec.VP9:
		return f.FrameStart && f.SID == 0
	case s.codec == codec.VP8:
		return f.FrameStart
	}
	return false
}

// finish makes a frame of the packets there are; whole is false when more may have
// belonged to it.
func (s *Stream) finish(whole bool) {
	packets, broken := s.packets, s.broken || !whole
	s.packets, s.broken, s.bytes = s.packets[:0], false, 0
	if len(packets) == 0 {
		return
	}
	f := Frame{Time: packets[0].time, Arrival: packets[0].Arrival}
	if broken || !s.assemble(&f, packets) {
		s.stats.Broken++
		s.wait = true
		return
	}
	if s.wait && !f.Keyframe {
		s.stats.Useless++
		return
	}
	s.wait = false
	s.stats.Frames++
	s.out(f)
}

// assemble fills in a frame; false when the packets make none.
func (s *Stream) assemble(f *Frame, packets []waiting) bool {
	for i := range packets {
		facts, ok := codec.Inspect(s.codec, packets[i].Payload)
		if !ok {
			return false
		}
		if facts.Keyframe && s.codec == codec.H264 {
			s.sets = true
		}
		if facts.Keyframe || facts.IDR && !s.sets {
			f.Keyframe = true
			if facts.Width > 0 {
				f.Width, f.Height = int(facts.Width), int(facts.Height)
			}
		}
		if facts.VP9.HasStructure {
			if n, sizes, ok := facts.VP9.Sizes(packets[i].Payload); ok && n > 0 {
				f.Width, f.Height = int(sizes[n-1].Width), int(sizes[n-1].Height)
			}
		}
	}
	switch s.codec {
	case codec.VP8:
		return s.vp8(f, packets)
	case codec.VP9:
		return s.vp9(f, packets)
	case codec.AV1:
		return s.depacketize(f, packets, &codecs.AV1Depacketizer{})
	case codec.H264:
		return s.depacketize(f, packets, &codecs.H264Packet{IsAVC: true})
	}
	return false
}

// depacketizer is one of Pion's.
type depacketizer interface {
	Unmarshal(payload []byte) ([]byte, error)
}

func (s *Stream) depacketize(f *Frame, packets []waiting, d depacketizer) bool {
	for i := range packets {
		part, err := d.Unmarshal(packets[i].Payload)
		if err != nil {
			return false
		}
		f.Data = append(f.Data, part...)
	}
	return len(f.Data) > 0
}

func (s *Stream) vp8(f *Frame, packets []waiting) bool {
	if facts, ok := codec.Inspect(codec.VP8, packets[0].Payload); !ok || !facts.FrameStart {
		return false
	}
	return s.depacketize(f, packets, &codecs.VP8Packet{})
}

// vp9 joins the frames of a picture, one for each spatial layer, to a superframe (VP9
// bitstream specification, annex B), which is what decoders take at once.
func (s *Stream) vp9(f *Frame, packets []waiting) bool {
	var sizes []int
	begun := 0
	for i := range packets {
		d, ok := codec.ParseVP9(packets[i].Payload)
		if !ok || d.Start != (begun == len(f.Data)) {
			return false // a layer begins where the one before ended, and nowhere else
		}
		part, err := (&codecs.VP9Packet{}).Unmarshal(packets[i].Payload)
		if err != nil {
			return false
		}
		f.Data = append(f.Data, part...)
		if d.End {
			sizes = append(sizes, len(f.Data)-begun)
			begun = len(f.Data)
		}
	}
	if begun != len(f.Data) || len(sizes) == 0 || len(sizes) > 8 {
		return false
	}
	if len(sizes) > 1 {
		f.Data = superframe(f.Data, sizes)
	}
	return true
}

// superframe appends the index of the frames' sizes, 4 bytes each.
func superframe(data []byte, sizes []int) []byte {
	marker := byte(0b110<<5 | 3<<3 | len(sizes) - 1)
	data = append(data, marker)
	for _, n := range sizes {
		data = append(data, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
	}
	return append(data, marker)
}
