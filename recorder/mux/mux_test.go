package mux

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/at-wat/ebml-go"
	"github.com/at-wat/ebml-go/webm"

	"aparte/sfu/codec"
	"aparte/sfu/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

type document struct {
	Header  webm.EBMLHeader `ebml:"EBML"`
	Segment webm.Segment    `ebml:"Segment"`
}

func TestAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.webm")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := Create(f, Track{Codec: codec.Opus, Title: "Zoé", Name: "microphone", Channels: 2, Rate: 48000})
	if err != nil {
		t.Fatal(err)
	}
	const n = 5000
	for i := range n {
		at := time.Hour + time.Duration(i)*20*time.Millisecond
		if i == 100 {
			at -= time.Second // not before the one before
		}
		if err := w.Write(at, true, []byte{byte(i), byte(i >> 8)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := ebml.Unmarshal(bytes.NewReader(raw), &d); err != nil {
		t.Fatal(err)
	}
	s := d.Segment
	if d.Header.DocType != "webm" || len(s.Tracks.TrackEntry) != 1 || s.Tracks.TrackEntry[0].CodecID != "A_OPUS" {
		t.Errorf("%+v %+v", d.Header, s.Tracks)
	}
	if s.Info.Duration != (n-1)*20 {
		t.Errorf("lasts %v ms", s.Info.Duration)
	}
	if s.Cues == nil || len(s.Cues.CuePoint) < 20 {
		t.Errorf("no index: %+v", s.Cues)
	}
	i, last := 0, int64(-1)
	for _, c := range s.Cluster {
		for _, b := range c.SimpleBlock {
			at := int64(c.Timecode) + int64(b.Timecode)
			want := int64(i) * 20
			if i == 100 {
				want = 99 * 20
			}
			if at != want || at < last || b.Data[0][0] != byte(i) || !b.Keyframe {
				t.Fatalf("block %d at %d, % x", i, at, b.Data[0])
			}
			last = at
			i++
		}
	}
	if i != n {
		t.Errorf("%d blocks of %d", i, n)
	}
}

// full is a disk with so much room.
type full struct {
	room   int
	closed bool
}

var errFull = errors.New("no space left on device")

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}
func (f *full) WriteAt(b []byte, _ int64) (int, error) { return len(b), nil }
func (f *full) Close() error                           { f.closed = true; return nil }

// A disk that fills says so, and nobody waits for ever.
func TestAFullDisk(t *testing.T) {
	for _, room := range []int{10, 20_000} {
		disk := &full{room: room}
		w, err := Create(disk, Track{Codec: codec.Opus, Channels: 2, Rate: 48000})
		if w == nil {
			if !errors.Is(err, errFull) || !disk.closed {
				t.Errorf("%d bytes: closed %t: %v", room, disk.closed, err)
			}
			continue
		}
		for i := 0; err == nil && i < 1000; i++ {
			err = w.Write(time.Duration(i)*20*time.Millisecond, true, make([]byte, 100))
		}
		if !errors.Is(err, errFull) {
			t.Errorf("%d bytes: %v", room, err)
		}
		if err := w.Close(); !errors.Is(err, errFull) || !disk.closed {
			t.Errorf("%d bytes: closed %t: %v", room, disk.closed, err)
		}
	}
}

func TestWhatIsNoFile(t *testing.T) {
	for name, track := range map[string]Track{
		"no codec":                   {Codec: codec.PCMU},
		"no size":                    {Codec: codec.VP8},
		"AV1 without a sequence":     {Codec: codec.AV1, Width: 1, Height: 1, First: []byte{0x32, 0x01, 0}},
		"H264 without sets":          {Codec: codec.H264, Width: 1, Height: 1, First: []byte{0, 0, 0, 1, 0x65}},
		"H264, NAL unit beyond all":  {Codec: codec.H264, Width: 1, Height: 1, First: []byte{0xff, 0, 0, 1, 0x65}},
		"H264, parameter sets short": {Codec: codec.H264, Width: 1, Height: 1, First: []byte{0, 0, 0, 1, 0x67, 0, 0, 0, 1, 0x68}},
	} {
		if track.Check() == nil {
			t.Errorf("%s: a file", name)
		}
		if _, err := Create(&full{}, track); err == nil {
			t.Errorf("%s: created", name)
		}
	}
}

// Sequence headers as two encoders write them, of 322x182 in 8 bits and 4:2:0.
func TestAV1Sequence(t *testing.T) {
	for name, frame := range map[string][]byte{
		"SVT-AV1": {0x12, 0x00, 0x0a, 0x0b, 0x00, 0x00, 0x00, 0x04, 0x3d, 0x06, 0xd4, 0xfb, 0xf9, 0x00, 0x40, 0x32, 0x01, 0x00},
		"libaom":  {0x0a, 0x0b, 0x00, 0x00, 0x00, 0x04, 0x3d, 0x06, 0xd4, 0xda, 0xf9, 0x00, 0x40, 0x32, 0x01, 0x00},
	} {
		if w, h, ok := Size(codec.AV1, frame); w != 322 || h != 182 || !ok {
			t.Errorf("%s: %dx%d", name, w, h)
		}
		at := bytes.IndexByte(frame, 0x0a)
		private, err := av1Configuration(frame)
		if want := append([]byte{0x81, 0x00, 0x0c, 0x00}, frame[at:at+13]...); err != nil || !bytes.Equal(private, want) {
			t.Errorf("%s: % x, want % x; %v", name, private, want, err)
		}
		for n := range at + 12 {
			if _, _, ok := Size(codec.AV1, frame[:n]); ok {
				t.Errorf("%s: a size of %d bytes", name, n)
			}
		}
	}
}

// FuzzFirst: whatever a file is to begin with, it does or it does not.
func FuzzFirst(f *testing.F) {
	f.Add(uint8(codec.AV1), []byte{0x0a, 0x0a, 0x00, 0x00, 0x00, 0x02, 0xaf, 0xff, 0x9b, 0x5f, 0x30, 0x08})
	f.Add(uint8(codec.H264), []byte{0, 0, 0, 4, 0x67, 1, 2, 3, 0, 0, 0, 1, 0x68})
	f.Add(uint8(codec.VP9), []byte{0x82, 0x49, 0x83, 0x42, 0, 0x13, 0xf0, 0x0b, 0x30})
	f.Fuzz(func(t *testing.T, kind uint8, frame []byte) {
		c := codec.Type(kind % 9)
		w, h, ok := Size(c, frame)
		if ok && (w <= 0 || h <= 0 || w > 1<<16 || h > 1<<16) {
			t.Fatalf("%dx%d", w, h)
		}
		out, err := Create(discard{}, Track{Codec: c, Width: 1, Height: 1, Channels: 1, Rate: 48000, First: frame})
		if err != nil {
			return
		}
		if err := errors.Join(out.Write(0, true, frame), out.Close()); err != nil {
			t.Fatal(err)
		}
	})
}

type discard struct{ io.Writer }

func (discard) Write(b []byte) (int, error)            { return len(b), nil }
func (discard) WriteAt(b []byte, _ int64) (int, error) { return len(b), nil }
func (discard) Close() error                           { return nil }
