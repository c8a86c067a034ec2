package sdktest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
)

// frame is one frame of VP8, or one packet of Opus, as it arrived.
type frame struct {
	data      []byte
	timestamp uint32
	pictureID uint16 // VP8, 15 bits
}

// stream is a track as one subscriber receives it. Packets are put into the
// order of their sequence numbers before they become frames; one that is
// missing holds up all behind it, as long as it takes.
type stream struct {
	// Set at creation.
	j      *journal
	ssrc   uint32
	sid    string
	strict bool   // the first frame must be a key frame
	pli    func() // ask for a key frame
	// patience is how many packets may come behind a missing one before it is
	// given up; 0 waits for ever.
	patience int
	whole    bool // a packet that never comes is excused by a machine that stood still alone

	mu       sync.Mutex
	came     time.Time         // when the last packet did
	stood    time.Time         // when the last one came after a pause in which the machine may have
	missed   string            // what never came without such an excuse
	waiting  map[uint64]packet // arrived behind one that is missing
	next     uint64            // the sequence number to go on with, extended
	started  bool
	packets  int    // all that arrived
	repeated int    // of them, those we had
	lost     int    // given up
	broke    bool   // a part is lost: go on at a key frame
	cut      int    // frames that end at the key frame of another layer
	picture  uint16 // the last picture id; 0 for Opus
	building *frame
	frames   []frame
	fault    error // breaks of the format: what no subscriber may ever see
	ended    bool
}

type packet struct {
	payload   []byte
	timestamp uint32
	marker    bool
}

// A machine that stands still for longer than the SDK asks again, 0.4 s, may lose a packet for
// good: what was sent meanwhile is more than sockets hold.
const standstill = 400 * time.Millisecond

// givenUp is what was missing when so many packets had come behind it: three seconds of sound.
const givenUp = 150

func newStream(j *journal, track *webrtc.TrackRemote) *stream {
	return &stream{j: j, ssrc: uint32(track.SSRC()), sid: track.ID(), waiting: map[uint64]packet{}}
}

// read takes all packets until the SDK ends the track.
func (s *stream) read(track *webrtc.TrackRemote) {
	video := track.Kind() == webrtc.RTPCodecTypeVideo
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			s.mu.Lock()
			s.ended = true
			s.mu.Unlock()
			s.j.note("track %s ended: %v", s.sid, err)
			return
		}
		s.mu.Lock()
		s.take(p.SequenceNumber, packet{bytes.Clone(p.Payload), p.Timestamp, p.Marker}, video)
		s.mu.Unlock()
		s.j.wake()
	}
}

func (s *stream) take(seq uint16, p packet, video bool) {
	s.packets++
	now := time.Now()
	if !s.came.IsZero() && now.Sub(s.came) > standstill {
		s.stood = now
	}
	s.came = now
	if !s.started {
		s.started, s.next = true, 1<<16+uint64(seq)
	}
	ext := s.next + uint64(int64(int16(seq-uint16(s.next))))
	if _, have := s.waiting[ext]; have || ext < s.next {
		s.repeated++
		return
	}
	s.waiting[ext] = p
	for {
		p, ok := s.waiting[s.next]
		if !ok && s.patience > 0 && len(s.waiting) > s.patience {
			if s.whole && now.Sub(s.stood) > 10*time.Second {
				s.missed = fmt.Sprintf("packet %d never came, and nothing stood still", uint16(s.next))
			}
			s.next++
			s.lost++
			s.broke, s.building = video, nil
			continue
		}
		if !ok {
			return
		}
		delete(s.waiting, s.next)
		s.next++
		if len(p.payload) == 0 {
			continue // padding
		}
		if video {
			s.addVP8(p)
		} else {
			s.add(frame{data: p.payload, timestamp: p.timestamp})
		}
	}
}

func (s *stream) addVP8(p packet) {
	var vp8 codecs.VP8Packet
	data, err := vp8.Unmarshal(p.payload)
	if err != nil {
		s.wrong("VP8 payload descriptor: %v", err)
		return
	}
	if vp8.S == 1 && vp8.PID == 0 {
		// A layer switch may cut the frame it leaves: no decoder minds, because
		// nothing after the key frame refers to it.
		switch old := s.building; {
		case old == nil:
		case keyframe(data):
			s.cut++
			s.picture = old.pictureID
		default:
			s.wrong("a frame begins before the last one ended")
		}
		s.building = &frame{timestamp: p.timestamp, pictureID: vp8.PictureID}
	}
	f := s.building
	if f == nil {
		if len(s.frames) > 0 && !s.broke {
			s.wrong("a part of a frame without its beginning")
		}
		return // the first packet of all need not begin a frame
	}
	if f.timestamp != p.timestamp || f.pictureID != vp8.PictureID {
		s.wrong("timestamp %d, picture %d in the midst of timestamp %d, picture %d", p.timestamp, vp8.PictureID, f.timestamp, f.pictureID)
	}
	f.data = append(f.data, data...)
	if !p.marker {
		return
	}
	s.building = nil
	if keyframe(f.data) || len(s.frames) > 0 && !s.broke {
		s.add(*f)
		return
	}
	if s.strict && !s.broke {
		s.wrong("the first frame is %s", nameOf(f.data))
	}
	s.pli()
}

func (s *stream) add(f frame) {
	if n := len(s.frames); n > 0 {
		last := s.frames[n-1]
		if d := int32(f.timestamp - last.timestamp); d <= 0 || d > 90000*30 {
			s.wrong("timestamp %d after %d", f.timestamp, last.timestamp)
		}
		if s.picture != 0 && !s.broke && (f.pictureID-s.picture)&0x7fff != 1 {
			s.wrong("picture %d after %d", f.pictureID, s.picture)
		}
	}
	s.frames = append(s.frames, f)
	s.picture = f.pictureID
	s.broke = false
}

func (s *stream) wrong(format string, args ...any) {
	if s.fault == nil {
		s.fault = fmt.Errorf("frame %d: "+format, append([]any{len(s.frames)}, args...)...)
	}
}

// all returns the frames so far, without gaps.
func (s *stream) all() []frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.frames[:len(s.frames):len(s.frames)]
}

func (s *stream) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.frames)
}

func (s *stream) broken() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

func (s *stream) cutFrames() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cut
}

// missing names the packet that holds up the others, if there is one.
func (s *stream) missing() (seq uint16, behind int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return uint16(s.next), len(s.waiting)
}

// givenUp is how many packets never came.
func (s *stream) givenUp() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

func (s *stream) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// find returns where c begins in frames.
func find(frames []frame, c *clip) int {
	for i := range frames {
		if bytes.Equal(frames[i].data, c.frames[0]) {
			return i
		}
	}
	return -1
}

// complete tells whether all of c is there, beginning where it begins. What is
// in another order, or not what was sent, is an error.
func complete(frames []frame, c *clip) (bool, error) {
	at := find(frames, c)
	if at < 0 {
		return false, nil
	}
	for i, want := range c.frames {
		if at+i >= len(frames) {
			return false, nil
		}
		if got := frames[at+i].data; !bytes.Equal(got, want) {
			return false, fmt.Errorf("%s: instead of frame %d came %s", c.name, i, nameOf(got))
		}
	}
	return true, nil
}

func nameOf(data []byte) string {
	if id, ok := known()[sha256.Sum256(data)]; ok {
		return fmt.Sprintf("frame %d of %s", id.index, id.clip.name)
	}
	return fmt.Sprintf("something unknown of %d bytes", len(data))
}

// decodable checks that each frame can be decoded because the one it refers to
// came right before it, and returns the clips in the order they were shown.
// Clips are entered at key frames only.
func decodable(frames []frame) ([]*clip, error) {
	var shown []*clip
	var last frameID
	for i, f := range frames {
		id, ok := known()[sha256.Sum256(f.data)]
		if !ok {
			return shown, fmt.Errorf("frame %d is none that was sent (%d bytes)", i, len(f.data))
		}
		follows := i > 0 && id.clip == last.clip && id.index == last.index+1
		if !follows && !keyframe(f.data) {
			return shown, fmt.Errorf("frame %d: %s after %s", i, nameOf(f.data), nameOf(frames[max(0, i-1)].data))
		}
		if len(shown) == 0 || shown[len(shown)-1] != id.clip {
			shown = append(shown, id.clip)
		}
		last = id
	}
	return shown, nil
}
