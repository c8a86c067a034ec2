package adapttest

import (
	"encoding/binary"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/rtp"

	"aparte/sfu"
	"aparte/sfu/tap"
)

// reel is what a tap gave.
type reel struct {
	mu      sync.Mutex
	streams map[uint32]*taped
	twice   int
}

type taped struct {
	tap.Stream
	seqs    map[uint16]time.Time // when each arrived
	first   []byte               // of the payloads
	voices  []uint16
	reports []tap.SenderReport
	ended   bool
}

func (r *reel) Begin(s tap.Stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.streams[s.ID] = &taped{Stream: s, seqs: map[uint16]time.Time{}}
}

func (r *reel) Packet(id uint32, at time.Time, raw []byte) {
	var p rtp.Packet
	if err := p.Unmarshal(raw); err != nil {
		panic(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.streams[id]
	if _, has := s.seqs[p.SequenceNumber]; has {
		r.twice++
	}
	s.seqs[p.SequenceNumber] = at
	if s.first == nil {
		s.first = slices.Clone(p.Payload)
	}
	if s.Channels > 0 && len(p.Payload) > 2 {
		s.voices = append(s.voices, binary.BigEndian.Uint16(p.Payload[1:]))
	}
}

func (r *reel) Report(id uint32, _ time.Time, s tap.SenderReport) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.streams[id].reports = append(r.streams[id].reports, s)
}

func (r *reel) End(id uint32, _ time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.streams[id].ended = true
}
func (*reel) Muted(string, bool, time.Time) {}
func (*reel) Speaking([]string, time.Time)  {}

// of are the streams of a track, in order.
func (r *reel) of(track string) (list []taped) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range uint32(len(r.streams)) {
		if s := r.streams[id+1]; s.Track == track {
			list = append(list, *s)
		}
	}
	return list
}

// A recording of a camera in three layers and of a microphone, which nobody is sent:
// everything comes once, from a key frame on, with sender reports;
// and whoever is not let through is not in it.
func TestATapHasWhatIsSent(t *testing.T) {
	inWorld(t, true, func(t *testing.T, w *world) {
		camera, voice := w.camera("ann", livekit.TrackSource_CAMERA, 3), w.microphone("ann")
		other := w.microphone("bob")
		r := &reel{streams: map[uint32]*taped{}}
		tap, err := w.unit.Meetings().Tap("r", sfu.TapConfig{Sink: r})
		if err != nil {
			t.Fatal(err)
		}
		asked := camera.plis[2].Load()
		tap.Allow("ann")
		time.Sleep(20 * time.Second)
		if n := camera.plis[2].Load() - asked; n < 1 || n > 3 {
			t.Errorf("%d key frames were asked for", n)
		}
		asked = camera.plis[2].Load()
		tap.Refresh()
		time.Sleep(time.Second)
		if n := camera.plis[2].Load() - asked; n != 1 {
			t.Errorf("%d key frames were asked for by Refresh", n)
		}
		tap.Forbid("ann")
		pictures, sound := r.of(camera.sid), r.of(voice.sid)
		if len(pictures) != 1 || len(sound) != 1 {
			t.Fatalf("%d streams of the camera, %d of the microphone", len(pictures), len(sound))
		}
		p, s := pictures[0], sound[0]
		if p.RID != "f" || p.Identity != "ann" || p.Source != "camera" || p.Mime != "video/VP8" || p.ClockRate != 90000 {
			t.Errorf("the camera began as %+v", p.Stream)
		}
		if s.Source != "microphone" || s.Mime != "audio/opus" || s.Channels != 2 || s.RID != "" {
			t.Errorf("the microphone began as %+v", s.Stream)
		}
		if n := len(s.voices); n < 1040 || n > 1051 {
			t.Errorf("%d packets of sound in 21 s", n)
		}
		for i := 1; i < len(s.voices); i++ {
			if s.voices[i] != s.voices[i-1]+1 {
				t.Errorf("packet %d follows %d", s.voices[i], s.voices[i-1])
			}
		}
		if len(p.seqs) < 1500 || r.twice > 0 {
			t.Errorf("%d packets of pictures, %d of all twice", len(p.seqs), r.twice)
		}
		if len(p.reports) < 5 || len(s.reports) < 5 {
			t.Errorf("%d and %d sender reports", len(p.reports), len(s.reports))
		}
		if len(r.of(other.sid)) > 0 {
			t.Error("bob is in it")
		}
		count := len(p.seqs)
		time.Sleep(time.Second)
		if p = r.of(camera.sid)[0]; len(p.seqs) != count || !p.ended {
			t.Errorf("%d packets after Forbid; ended %t", len(p.seqs)-count, p.ended)
		}

		// Who comes back is taken, and so is what comes later.
		tap.Allow("ann")
		tap.Allow("bob")
		screen := w.camera("bob", livekit.TrackSource_SCREEN_SHARE, 1)
		time.Sleep(2 * time.Second)
		if n := len(r.of(camera.sid)); n != 2 {
			t.Errorf("%d streams of the camera", n)
		}
		if n := len(r.of(screen.sid)); n != 1 || r.of(screen.sid)[0].Source != "screen_share" {
			t.Errorf("%d streams of the screen", n)
		}
		tap.Close()
		for _, sid := range []string{camera.sid, voice.sid, other.sid, screen.sid} {
			if list := r.of(sid); len(list) == 0 || !list[len(list)-1].ended {
				t.Errorf("%s: %d streams; the last has not ended", sid, len(list))
			}
		}
	})
}
