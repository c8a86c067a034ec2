package media

import (
	"bytes"
	"testing"
	"time"
)

func TestVideoFrames(t *testing.T) {
	v := NewVideo(Layer{Width: 1280, Height: 720, BitrateBps: 1_700_000, FPS: 30})
	now := time.Unix(1000, 17)
	buf := make([]byte, MaxPayload)
	last, bytesSent := uint16(0), 0
	for n := range 60 {
		key := n == 0 || n == 30
		frame := v.Frame(key)
		for i, p := range frame {
			b := bytes.Clone(p.Payload(buf, now))
			bytesSent += len(b)
			if first := i == 0; KeyframeStart(b) != (key && first) {
				t.Fatalf("frame %d packet %d: key frame start %t", n, i, !key)
			}
			if p.Marker != (i == len(frame)-1) {
				t.Fatalf("frame %d packet %d of %d: marker %t", n, i, len(frame), p.Marker)
			}
			if at, ok := Stamp(b); !ok || !at.Equal(now) {
				t.Fatalf("stamp %s %t", at, ok)
			}
			if n+i > 0 && p.Seq != last+1 {
				t.Fatalf("number %d after %d", p.Seq, last)
			}
			last = p.Seq
			again, ok := v.Again(p.Seq)
			if !ok || !bytes.Equal(again.Payload(make([]byte, MaxPayload), now.Add(time.Second)), b) {
				t.Fatalf("packet %d again is another", p.Seq)
			}
			if key && i == 0 {
				if w, h := int(b[12])|int(b[13])<<8, int(b[14])|int(b[15])<<8; w != 1280 || h != 720 {
					t.Fatalf("key frame of %dx%d", w, h)
				}
				tag := uint32(b[6]) | uint32(b[7])<<8 | uint32(b[8])<<16
				if size := int(tag >> 5); size < 1 || size > p.frameBytes {
					t.Fatalf("first partition of %d bytes in a frame of %d", size, p.frameBytes)
				}
			}
		}
	}
	// Two seconds with two key frames: the bitrate within what these add.
	if bps := bytesSent * 8 / 2; bps < 1_500_000 || bps > 2_300_000 {
		t.Errorf("%d bit/s", bps)
	}
}

func TestTemporalLayers(t *testing.T) {
	v := NewVideo(Layer{Width: 320, Height: 180, BitrateBps: 150_000, FPS: 15})
	buf := make([]byte, MaxPayload)
	var tids []byte
	tl0 := map[byte]bool{}
	for n := range 8 {
		b := v.Frame(n == 0)[0].Payload(buf, time.Now())
		tids = append(tids, b[5]>>6)
		tl0[b[4]] = true
	}
	if want := []byte{0, 2, 1, 2, 0, 2, 1, 2}; !bytes.Equal(tids, want) {
		t.Errorf("temporal layers %v, want %v", tids, want)
	}
	if len(tl0) != 2 {
		t.Errorf("%d values of TL0PICIDX in two rounds of the pattern, want 2", len(tl0))
	}
}

func TestAudio(t *testing.T) {
	a := NewAudio(32_000)
	now := time.Unix(7, 0)
	buf := make([]byte, MaxPayload)
	seq, ts, b := a.Frame(buf, now)
	if len(b) != 80 || b[0]>>3 != 31 {
		t.Errorf("%d bytes, config %d: want 80 bytes of CELT", len(b), b[0]>>3)
	}
	if at, ok := Stamp(b); !ok || !at.Equal(now) {
		t.Errorf("stamp %s %t", at, ok)
	}
	if next, nextTS, _ := a.Frame(buf, now); next != seq+1 || nextTS != ts+960 {
		t.Errorf("number %d after %d, time %d after %d", next, seq, nextTS, ts)
	}
}

func TestKeyframeStart(t *testing.T) {
	for name, c := range map[string]struct {
		b    []byte
		want bool
	}{
		"empty":               {nil, false},
		"no extension":        {[]byte{0x10, 0x00}, true},
		"delta":               {[]byte{0x10, 0x01}, false},
		"second packet":       {[]byte{0x00, 0x00}, false},
		"short picture id":    {[]byte{0x90, 0x80, 0x01, 0x00}, true},
		"long picture id":     {[]byte{0x90, 0x80, 0x81, 0x01, 0x00}, true},
		"second partition":    {[]byte{0x11, 0x00}, false},
		"cut in the id":       {[]byte{0x90, 0x80}, false},
		"cut in the layers":   {[]byte{0x90, 0x60, 0x01}, false},
		"descriptor and none": {[]byte{0x90, 0x60, 0x01, 0x20}, false},
	} {
		if got := KeyframeStart(c.b); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}

func TestStream(t *testing.T) {
	now := time.Unix(1, 0)
	type figures struct{ received, lost, reordered, duplicates, recovered uint64 }
	for name, c := range map[string]struct {
		seqs  []uint16
		again map[int]bool
		want  figures
	}{
		"in order":              {seqs: []uint16{5, 6, 7}, want: figures{received: 3}},
		"over the wrap":         {seqs: []uint16{65534, 65535, 0, 1}, want: figures{received: 4}},
		"a hole":                {seqs: []uint16{5, 8}, want: figures{received: 2, lost: 2}},
		"a hole over the wrap":  {seqs: []uint16{65535, 1}, want: figures{received: 2, lost: 1}},
		"late":                  {seqs: []uint16{5, 7, 6}, want: figures{received: 3, reordered: 1}},
		"late over the wrap":    {seqs: []uint16{65535, 1, 0}, want: figures{received: 3, reordered: 1}},
		"twice":                 {seqs: []uint16{5, 6, 6}, want: figures{received: 2, duplicates: 1}},
		"before the first":      {seqs: []uint16{5, 4}, want: figures{received: 1, duplicates: 1}},
		"repaired":              {seqs: []uint16{5, 7, 6}, again: map[int]bool{2: true}, want: figures{received: 3, recovered: 1}},
		"repaired, then late":   {seqs: []uint16{5, 7, 6, 6}, again: map[int]bool{2: true}, want: figures{received: 3, recovered: 1, duplicates: 1}},
		"older than the window": {seqs: []uint16{5, 6, 5000, 7}, want: figures{received: 3, lost: 4993, duplicates: 1}},
	} {
		var s Stream
		for i, seq := range c.seqs {
			s.Take(seq, c.again[i], now)
		}
		if got := (figures{s.Received, s.Lost(), s.Reordered, s.Duplicates, s.Recovered}); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// What is missing is asked for when it may no longer be out of order, some times,
// and then given up.
func TestStreamAsks(t *testing.T) {
	var s Stream
	now := time.Unix(1, 0)
	s.Take(1, false, now)
	s.Take(4, false, now)
	if due, _ := s.Due(now, nil); len(due) != 0 {
		t.Errorf("asked at once for %v", due)
	}
	now = now.Add(reorderFor)
	s.Take(3, false, now)
	asked := 0
	for range maxAsked {
		due, gaveUp := s.Due(now, nil)
		if len(due) != 1 || due[0] != 2 || gaveUp {
			t.Fatalf("asked for %v, gave up %t", due, gaveUp)
		}
		asked++
		if due, _ := s.Due(now.Add(askAgain/2), nil); len(due) != 0 {
			t.Fatalf("asked too soon for %v", due)
		}
		now = now.Add(askAgain)
	}
	if due, gaveUp := s.Due(now, nil); len(due) != 0 || !gaveUp {
		t.Errorf("after %d times: asked for %v, gave up %t", asked, due, gaveUp)
	}
	if s.Lost() != 1 {
		t.Errorf("lost %d", s.Lost())
	}
}
