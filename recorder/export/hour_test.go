package export

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/at-wat/ebml-go"
	"github.com/at-wat/ebml-go/webm"
	"github.com/pion/rtp"

	"aparte/recorder/journal"
	"aparte/sfu/tap"
)

// Up to an hour of somebody's camera and microphone, with what happens in an hour: jitter and
// spikes, loss of which most is repaired late, a mute of the microphone, a change of the
// picture's layer, a clock that is set. Sound and picture must keep the distance they had.
func TestAnHour(t *testing.T) {
	for _, tt := range []struct {
		name    string
		minutes int
		ppm     float64
		more    float64 // wandering
		step    time.Duration
		lost    time.Duration // of sound, at once
	}{
		{"no drift", 10, 0, 0, 0, 0},
		{"-100 ppm", 60, -100, 0, 0, 0},
		{"-50 ppm, wandering by 50", 25, -50, 50, 0, 0},
		{"+100 ppm, the clock is set back 4 s", 15, 100, 0, -4 * time.Second, 0},
		{"-100 ppm, sound is lost", 15, -100, 0, 0, 780 * time.Millisecond},
		{"sound is lost and the clock is set forward 2 s", 10, 0, 0, 2 * time.Second, 3 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHour(time.Duration(tt.minutes)*time.Minute, tt.ppm*1e-6, tt.more*1e-6, tt.step, tt.lost)
			index, dir := export(t, h.tape.bytes())
			if len(index.Files) != 2 || len(index.Skipped) > 0 || index.Incomplete != "" {
				t.Fatalf("%+v", index)
			}
			var shown [2][]moment // of sound and pictures
			for i, f := range index.Files {
				if f.Approximate {
					t.Errorf("%s is approximate", f.Name)
				}
				kind := 0
				if f.Codec == "VP8" {
					kind = 1
				}
				shown[kind] = moments(t, filepath.Join(dir, f.Name), f)
				if i == 0 && f.Identity != "ann" {
					t.Errorf("%+v", f)
				}
			}
			h.check(t, shown[0], shown[1])
			for _, f := range index.Files {
				if f.Source == "microphone" && !slices.ContainsFunc(f.Holes, func(x Hole) bool { return x.To-x.From > 4.9 && x.To-x.From < 5.3 }) {
					t.Errorf("the mute is no hole: %v", f.Holes)
				}
				if f.Source == "camera" && (len(f.Sizes) != 2 || f.LostFrames == 0) {
					t.Errorf("sizes %v, %d frames lost", f.Sizes, f.LostFrames)
				}
			}
		})
	}
}

// How often there is sound and a picture: seldom enough for an hour to be quick.
const soundEvery, pictureEvery = 60 * time.Millisecond, 100 * time.Millisecond

// hour is what was captured, with its truth: each frame carries when.
type hour struct {
	tape   *tape
	length time.Duration
	sender sender
	lost   time.Duration // of sound, at a quarter, which its timestamps do not count
}

func newHour(length time.Duration, drift, wander float64, by, lost time.Duration) *hour {
	h := &hour{tape: newTape(), length: length, lost: lost, sender: sender{
		drift: drift, wander: wander, offset: 3 * time.Hour, delay: 30 * time.Millisecond, random: rand.New(rand.NewPCG(1, 2)),
	}}
	if by != 0 {
		h.sender.steps = []clockStep{{length / 3, by}}
	}
	h.tape.add(0, journal.Joined{Identity: "ann", Name: "Ann Martin", Kind: "host"})
	h.microphone()
	h.camera()
	return h
}

func (h *hour) reports(stream uint32, from, to time.Duration, rate, base uint32, lag time.Duration, media func(time.Duration) time.Duration) {
	s := &h.sender
	for at := from + lag; at < to; at += 5*time.Second + time.Duration(s.random.IntN(1000))*time.Millisecond {
		h.tape.add(s.jittered(at), journal.Report{Stream: stream, SenderReport: tap.SenderReport{
			NTP: s.ntp(at), RTP: base + uint32(int64(media(at)/time.Microsecond)*int64(rate)/1_000_000),
		}})
	}
}

// heard is how much sound there has been.
func (h *hour) heard(at time.Duration) time.Duration {
	from := h.sender.local(h.length / 4)
	return min(h.sender.local(at), max(from, h.sender.local(at)-h.lost))
}

// send is a packet with loss: 2 % come again half a second later, a few never.
func (h *hour) send(at time.Duration, stream uint32, p *rtp.Packet) (came bool) {
	switch n := h.sender.random.IntN(5000); {
	case n < 3:
		return false
	case n < 100:
		h.tape.packet(h.sender.jittered(at+500*time.Millisecond), stream, p)
	default:
		h.tape.packet(h.sender.jittered(at), stream, p)
	}
	return true
}

func (h *hour) microphone() {
	const base = 4_000_000_000 // wraps
	id := h.tape.stream(time.Millisecond, tap.Stream{
		Identity: "ann", Track: "TR_a", Source: "microphone", Mime: "audio/opus", SSRC: 1, PayloadType: 111, ClockRate: 48000, Channels: 2,
	})
	h.reports(id, 0, h.length, 48000, base, 2*time.Second, h.heard)
	seq := uint16(65000)
	for n := int64(0); ; n++ {
		local := time.Duration(n) * soundEvery // on its clock
		if local > h.sender.local(h.length/4) {
			local += h.lost
		}
		at := h.sender.when(local)
		if at >= h.length {
			break
		}
		if at > h.length/2 && at < h.length/2+5*time.Second {
			continue // muted
		}
		payload := binary.BigEndian.AppendUint64([]byte{0xfc}, uint64(at))
		h.send(at, id, &rtp.Packet{Header: rtp.Header{
			Version: 2, PayloadType: 111, SSRC: 1, SequenceNumber: seq, Timestamp: base + uint32(n*int64(soundEvery/time.Millisecond)*48),
		}, Payload: payload})
		seq++
	}
}

func (h *hour) camera() {
	const base = 77
	change := h.length * 2 / 3
	seq := uint16(1)
	for _, layer := range []struct {
		from, to time.Duration
		ssrc     uint32
		width    uint16
		base     uint32
	}{{time.Second, change, 10, 640, base}, {change - 300*time.Millisecond, h.length, 11, 320, base + 1<<31}} {
		id := h.tape.stream(layer.from, tap.Stream{
			Identity: "ann", Track: "TR_v", Source: "camera", Mime: "video/VP8", RID: "h", SSRC: layer.ssrc, PayloadType: 96, ClockRate: 90000,
		})
		h.reports(id, layer.from, layer.to, 90000, layer.base, time.Second, h.sender.local)
		key := true
		for n := int64(0); ; n++ {
			at := layer.from + time.Duration(n)*pictureEvery
			if at >= layer.to {
				break
			}
			ts := layer.base + uint32(int64(h.sender.local(at)/time.Microsecond)*90_000/1_000_000)
			came := true
			for part := range 2 {
				payload := []byte{0x00}
				if part == 0 {
					payload = []byte{0x10, 0x01, 0, 0}
					if key {
						payload = []byte{0x10, 0x00, 0, 0, 0x9d, 0x01, 0x2a, byte(layer.width), byte(layer.width >> 8), 0x68, 0x01}
					}
				} else {
					payload = binary.BigEndian.AppendUint64(payload, uint64(at))
				}
				came = h.send(at, id, &rtp.Packet{Header: rtp.Header{
					Version: 2, PayloadType: 96, SSRC: layer.ssrc, SequenceNumber: seq, Timestamp: ts, Marker: part == 1,
				}, Payload: payload}) && came
				seq++
			}
			key = !came // the server asks for one
		}
		h.tape.add(layer.to+2*time.Second, journal.End{Stream: id})
	}
}

// moment is a frame as it is shown: when, and when it was captured in truth.
type moment struct{ shown, truth time.Duration }

func moments(t *testing.T, path string, f File) (out []moment) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var doc struct {
		Header  webm.EBMLHeader `ebml:"EBML"`
		Segment webm.Segment    `ebml:"Segment"`
	}
	if err := ebml.Unmarshal(file, &doc); err != nil {
		t.Fatal(err)
	}
	for _, c := range doc.Segment.Cluster {
		for _, b := range c.SimpleBlock {
			data := b.Data[0]
			out = append(out, moment{
				shown: time.Duration(f.Start*float64(time.Second)) + time.Duration(int64(c.Timecode)+int64(b.Timecode))*time.Millisecond,
				truth: time.Duration(binary.BigEndian.Uint64(data[len(data)-8:])),
			})
		}
	}
	if len(out) != f.Frames {
		t.Errorf("%s: %d frames, the index says %d", f.Name, len(out), f.Frames)
	}
	if d := doc.Segment.Info.Duration / 1000; d < f.Duration-0.01 || d > f.Duration+0.01 {
		t.Errorf("%s: lasts %.3f s, the index says %.3f", f.Name, d, f.Duration)
	}
	return out
}

// check compares each picture with the sound of its moment: by how much further apart
// they are shown than they were captured.
func (h *hour) check(t *testing.T, sound, pictures []moment) {
	t.Helper()
	if want := int((h.length - 5*time.Second - h.lost) / soundEvery); len(sound) < want*999/1000 || len(sound) > want+2 {
		t.Errorf("%d packets of sound, %d were sent", len(sound), want)
	}
	if want := int((h.length - time.Second) / pictureEvery); len(pictures) < want*995/1000 || len(pictures) > want+1 {
		t.Errorf("%d pictures, %d were sent", len(pictures), want)
	}
	var errs, late []time.Duration
	i := 0
	for n, p := range pictures {
		if n > 0 && p.truth <= pictures[n-1].truth {
			t.Fatalf("a picture of %v after one of %v", p.truth, pictures[n-1].truth)
		}
		for i+1 < len(sound) && sound[i+1].truth <= p.truth {
			i++
		}
		d := (p.shown - p.truth) - (sound[i].shown - sound[i].truth)
		errs = append(errs, d.Abs())
		late = append(late, p.shown-p.truth)
	}
	slices.Sort(errs)
	slices.Sort(late)
	at := func(list []time.Duration, share float64) time.Duration { return list[int(float64(len(list)-1)*share)] }
	t.Logf("sound and picture apart: median %v, p95 %v, p99 %v, at most %v; shown later than captured: %v to %v",
		at(errs, 0.5), at(errs, 0.95), at(errs, 0.99), at(errs, 1), at(late, 0), at(late, 1))
	if p95 := at(errs, 0.95); p95 > 40*time.Millisecond {
		t.Errorf("sound and picture are %v apart at p95, 40 ms are allowed", p95)
	}
	if worst := at(errs, 1); worst > 40*time.Millisecond {
		t.Errorf("sound and picture are %v apart at worst", worst)
	}
	if low, high := at(late, 0), at(late, 1); low < 0 || high > 100*time.Millisecond {
		t.Errorf("pictures are shown %v to %v after they were captured; 30 ms is the way", low, high)
	}
}

// What a packet of a recording costs, from the journal to the media file.
func BenchmarkExport(b *testing.B) {
	tape := newHour(10*time.Minute, 1e-5, 0, 0, 0).tape
	packets := 0
	for _, r := range tape.records {
		if _, is := r.Event.(journal.Packet); is {
			packets++
		}
	}
	raw := tape.bytes()
	for b.Loop() {
		export(b, raw)
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(packets), "ns/packet")
}
