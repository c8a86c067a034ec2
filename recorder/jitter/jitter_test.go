package jitter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp/codecs"
)

// VP8 payloads: descriptor and frame header.
var (
	vp8Key   = []byte{0x10, 0x00, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01}
	vp8Delta = []byte{0x10, 0x01, 0, 0}
	vp8More  = []byte{0x00, 0xaa}
)

// pkt is one packet in a test: number, timestamp in frames, payload, marker, arrival.
type pkt struct {
	seq     uint16
	frame   uint32
	payload []byte
	marker  bool
	at      time.Duration
}

func feed(t testing.TB, mime string, list []pkt) (frames []Frame, stats Stats) {
	t.Helper()
	s, ok := NewStream(mime, func(f Frame) { frames = append(frames, f) })
	if !ok {
		t.Fatalf("no stream of %s", mime)
	}
	for _, p := range list {
		s.Expire(p.at)
		s.Push(Packet{Seq: p.seq, Timestamp: p.frame * 3000, Marker: p.marker, Payload: p.payload, Arrival: p.at})
	}
	s.Flush()
	return frames, s.Stats()
}

func TestFramesOfVP8(t *testing.T) {
	ms := time.Millisecond
	for _, tt := range []struct {
		name  string
		list  []pkt
		want  string // frames, K for key frames
		stats Stats
	}{
		{"in order", []pkt{{1, 1, vp8Key, false, 0}, {2, 1, vp8More, true, 0}, {3, 2, vp8Delta, true, 33 * ms}}, "1K 2", Stats{Packets: 3, Frames: 2}},
		{"reordered, twice, across the wrap", []pkt{
			{0, 1, vp8More, true, 0}, {65535, 1, vp8Key, false, 0}, {0, 1, vp8More, true, 0}, {2, 3, vp8Delta, true, 66 * ms}, {1, 2, vp8Delta, true, 67 * ms},
		}, "1K 2 3", Stats{Packets: 5, Twice: 1, Frames: 3}},
		{"the first comes late", []pkt{{2, 1, vp8More, true, 0}, {3, 2, vp8Delta, true, 33 * ms}, {1, 1, vp8Key, false, 900 * ms}}, "1K 2", Stats{Packets: 3, Frames: 2}},
		{"repaired late", []pkt{{1, 1, vp8Key, true, 0}, {3, 3, vp8Delta, true, 66 * ms}, {2, 2, vp8Delta, true, 2900 * ms}}, "1K 2 3", Stats{Packets: 3, Frames: 3}},
		{"repaired too late", []pkt{
			{1, 1, vp8Key, true, 0}, {3, 3, vp8Delta, true, 66 * ms}, {4, 4, vp8Key, true, 99 * ms}, {5, 5, vp8Delta, true, 4000 * ms}, {2, 2, vp8Delta, true, 4001 * ms},
		}, "1K 4K 5", Stats{Packets: 5, Late: 1, Gaps: 1, Frames: 3, Useless: 1}},
		{"a pause, in which half of all numbers went by", []pkt{
			{1, 1, vp8Key, true, 0}, {2, 2, vp8Delta, true, 0}, {40000, 9, vp8Key, true, time.Minute}, {40001, 10, vp8Delta, true, time.Minute},
		}, "1K 2 9K 10", Stats{Packets: 4, Gaps: 1, Frames: 4}},
		{"silence, and on with the next number", []pkt{
			{1, 1, vp8Key, true, 0}, {2, 2, vp8Delta, true, time.Minute},
		}, "1K 2", Stats{Packets: 2, Frames: 2}},
		{"a stray number", []pkt{
			{1, 1, vp8Key, true, 0}, {40000, 9, vp8Key, true, 5 * time.Second}, {2, 2, vp8Delta, true, 5 * time.Second},
		}, "1K 2", Stats{Packets: 3, Late: 1, Frames: 2}},
		{"the end of a picture is missing", []pkt{
			{1, 1, vp8Key, true, 0}, {2, 2, vp8Delta, false, 0}, {4, 3, vp8Delta, true, 0}, {5, 4, vp8Key, true, 0},
		}, "1K 4K", Stats{Packets: 4, Gaps: 1, Frames: 2, Broken: 1, Useless: 1}},
		{"the beginning is missing", []pkt{
			{1, 1, vp8Key, true, 0}, {3, 2, vp8More, true, 0}, {4, 3, vp8Delta, true, 0}, {5, 4, vp8Key, true, 0},
		}, "1K 4K", Stats{Packets: 4, Gaps: 1, Frames: 2, Broken: 1, Useless: 1}},
		{"padding has numbers", []pkt{{1, 1, vp8Key, true, 0}, {2, 1, nil, false, 0}, {3, 2, vp8Delta, true, 0}}, "1K 2", Stats{Packets: 3, Frames: 2}},
		{"no marker", []pkt{{1, 1, vp8Key, false, 0}, {2, 2, vp8Delta, false, 0}, {3, 3, vp8Delta, false, 0}}, "1K 2", Stats{Packets: 3, Frames: 2, Broken: 1}},
		{"nothing to begin with", []pkt{{1, 1, vp8Delta, true, 0}, {2, 2, vp8Delta, true, 0}}, "", Stats{Packets: 2, Useless: 2}},
		{"not VP8", []pkt{{1, 1, []byte{0xff}, true, 0}, {2, 2, vp8Key, true, 0}}, "2K", Stats{Packets: 2, Frames: 1, Broken: 1}},
	} {
		frames, stats := feed(t, "video/VP8", tt.list)
		var got []string
		for _, f := range frames {
			word := fmt.Sprint(f.Time / 3000)
			if f.Keyframe {
				if word += "K"; f.Width != 640 || f.Height != 360 {
					t.Errorf("%s: a key frame of %dx%d", tt.name, f.Width, f.Height)
				}
			}
			got = append(got, word)
		}
		if s := strings.Join(got, " "); s != tt.want || stats != tt.stats {
			t.Errorf("%s: %s, %+v; want %s, %+v", tt.name, s, stats, tt.want, tt.stats)
		}
	}
}

// Spatial layers of one picture are one frame, with an index behind them.
func TestFramesOfVP9(t *testing.T) {
	low, high := []byte{0x82, 1, 2, 3}, []byte{0x86, 4, 5, 6, 7, 8}
	frames, _ := feed(t, "video/VP9", []pkt{
		{1, 1, slices.Concat([]byte{0x2c, 0x00, 0}, low), false, 0},          // L, B, E; layer 0; TL0PICIDX
		{2, 1, slices.Concat([]byte{0x28, 0x03, 0}, high[:3]), false, 0},     // B; layer 1, which needs 0
		{3, 1, slices.Concat([]byte{0x24, 0x03, 0}, high[3:]), true, 0},      // E
		{4, 2, slices.Concat([]byte{0x6c, 0x00, 1}, low), true, time.Second}, // P
	})
	if len(frames) != 2 || !frames[0].Keyframe || frames[1].Keyframe {
		t.Fatalf("%d frames: %+v", len(frames), frames)
	}
	index := []byte{0xd9, 4, 0, 0, 0, 6, 0, 0, 0, 0xd9}
	if want := slices.Concat(low, high, index); !bytes.Equal(frames[0].Data, want) {
		t.Errorf("a picture of two layers: % x, want % x", frames[0].Data, want)
	}
	if !bytes.Equal(frames[1].Data, low) {
		t.Errorf("one of one: % x", frames[1].Data)
	}
}

// H264 has lengths before its NAL units. A picture without parameter sets is a key frame
// where they never came in the stream.
func TestFramesOfH264(t *testing.T) {
	sps, pps, idr, slice := []byte{0x67, 1, 2, 3, 4}, []byte{0x68, 1}, []byte{0x65, 9, 9}, []byte{0x41, 8}
	aggregate := []byte{24, 0, byte(len(sps))}
	aggregate = append(append(aggregate, sps...), 0, byte(len(pps)))
	aggregate = append(aggregate, pps...)
	frames, _ := feed(t, "video/H264", []pkt{
		{1, 1, aggregate, false, 0},
		{2, 1, []byte{0x7c, 0x85, 9}, false, 0}, // FU-A, begin
		{3, 1, []byte{0x7c, 0x45, 9}, true, 0},  // FU-A, end
		{4, 2, slice, true, 0},
		{5, 3, idr, true, 0},
	})
	if len(frames) != 3 || !frames[0].Keyframe || frames[1].Keyframe || frames[2].Keyframe {
		t.Fatalf("%+v", frames)
	}
	var want []byte
	for _, nal := range [][]byte{sps, pps, idr} {
		want = append(binary.BigEndian.AppendUint32(want, uint32(len(nal))), nal...)
	}
	if !bytes.Equal(frames[0].Data, want) {
		t.Errorf("% x, want % x", frames[0].Data, want)
	}
	if frames, _ = feed(t, "video/H264", []pkt{{1, 1, idr, true, 0}}); len(frames) != 1 || !frames[0].Keyframe {
		t.Errorf("parameter sets elsewhere: %+v", frames)
	}
}

func TestFramesOfOpus(t *testing.T) {
	frames, stats := feed(t, "audio/opus", []pkt{
		{10, 1, []byte("a"), true, 0}, {12, 3, []byte("c"), false, 40 * time.Millisecond}, {11, 2, nil, false, 50 * time.Millisecond}, {14, 5, []byte("e"), false, 80 * time.Millisecond},
	})
	var got string
	for _, f := range frames {
		got += string(f.Data)
	}
	if got != "ace" || stats.Gaps != 1 {
		t.Errorf("%q, %+v", got, stats)
	}
	if _, ok := NewStream("audio/PCMU", nil); ok {
		t.Error("a stream of PCMU")
	}
}

func TestTimesWrap(t *testing.T) {
	var x Times
	for _, tt := range []struct {
		ts   uint32
		want int64
	}{{0xfffffff0, 0xfffffff0}, {0x10, 1<<32 + 0x10}, {0xfffffffe, 0xfffffffe}, {0x20, 1<<32 + 0x20}, {0x80000000, 1<<32 + 0x80000000}} {
		if got := x.Extend(tt.ts); got != tt.want {
			t.Errorf("%#x: %#x, want %#x", tt.ts, got, tt.want)
		}
	}
}

// What never ends its picture, and numbers that leap, are bounded.
func TestHostilePacketsAreBounded(t *testing.T) {
	s, _ := NewStream("video/VP8", func(Frame) {})
	for i := range uint16(20_000) {
		s.Push(Packet{Seq: i * 2, Timestamp: 1, Payload: make([]byte, 1400)})
		if len(s.order.kept) > maxWaiting {
			t.Fatalf("%d packets wait", len(s.order.kept))
		}
	}
	for i := range uint16(20_000) {
		s.Push(Packet{Seq: i, Timestamp: 1, Payload: make([]byte, 1400)})
		if len(s.packets)*1400 > 2*maxFrame {
			t.Fatalf("a picture of %d packets", len(s.packets))
		}
	}
}

// FuzzStream feeds whatever there is to each codec, cut into packets: what comes out is
// ordered and not more than went in.
func FuzzStream(f *testing.F) {
	f.Add(uint8(0), slices.Concat([]byte{0, 1, 0x80, 11}, vp8Key, []byte{0, 2, 0x80, 4}, vp8Delta))
	for _, payload := range (&codecs.AV1Payloader{}).Payload(100, []byte{0x0a, 0x03, 0, 0, 0, 0x32, 2, 1, 1}) {
		f.Add(uint8(2), append([]byte{0, 1, 0x80, byte(len(payload))}, payload...))
	}
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		mime := []string{"video/VP8", "video/VP9", "video/AV1", "video/H264", "audio/opus"}[kind%5]
		in, out := 0, 0
		s, _ := NewStream(mime, func(f Frame) {
			if len(f.Data) == 0 {
				t.Fatal("an empty frame")
			}
			out++
		})
		at := time.Duration(0)
		for len(b) >= 4 {
			// number (2 bytes), marker and time, length
			n := min(int(b[3]), len(b)-4)
			at += time.Duration(b[2]&0x3f) * 50 * time.Millisecond
			s.Expire(at)
			s.Push(Packet{
				Seq: binary.BigEndian.Uint16(b), Timestamp: uint32(b[1]) * 3000, Marker: b[2]&0x80 != 0,
				Payload: b[4 : 4+n : 4+n], Arrival: at,
			})
			b = b[4+n:]
			in++
		}
		s.Flush()
		stats := s.Stats()
		if out > in || stats.Frames != out || stats.Packets != in {
			t.Fatalf("%d packets, %d frames: %+v", in, out, stats)
		}
	})
}
