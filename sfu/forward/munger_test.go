package forward

import (
	"fmt"
	"testing"
	"time"

	"aparte/sfu/codec"
	"aparte/sfu/ring"
)

func in(ext uint64, ts uint32) *ring.Packet {
	return &ring.Packet{Meta: ring.Meta{ExtSeq: ext, Timestamp: ts}}
}

// give is what a DownTrack does with a packet of the current layer.
func give(m *munger, layer int, p *ring.Packet, now time.Time) string {
	out, s, ok := m.next(layer, p)
	if !ok {
		return "drop"
	}
	ts := p.Timestamp + s.ts
	m.sent(out, ts, now)
	return fmt.Sprintf("%d/%d", uint16(out), ts)
}

func TestMungerIsContinuous(t *testing.T) {
	now := time.Unix(1000, 0)
	m := &munger{clockRate: 90000, lastOut: 1<<16 + 65533}
	first := in(700, 50)
	m.begin(0, 1, first, first.Timestamp)
	for _, c := range []struct {
		p    *ring.Packet
		skip bool
		want string
	}{
		{first, false, "65534/50"},
		{in(701, 50), false, "65535/50"},
		{in(703, 60), false, "1/60"}, // 702 lost: its number stays free
		{in(702, 55), false, "0/55"}, // late
		{in(704, 60), true, ""},      // padding
		{in(705, 60), true, ""},
		{in(706, 70), false, "2/70"},
		{in(704, 60), false, "drop"}, // left out once is left out for ever
		{in(709, 80), false, "5/80"},
		{in(710, 80), true, ""},
		{in(711, 90), false, "6/90"},
		{in(708, 80), false, "4/80"}, // late, from before the padding
	} {
		if c.skip {
			out, _, ok := m.next(0, c.p)
			if !ok || !m.skip(out, c.p) {
				t.Fatalf("%d: not skipped", c.p.ExtSeq)
			}
			continue
		}
		if got := give(m, 0, c.p, now); got != c.want {
			t.Fatalf("%d: %s, want %s", c.p.ExtSeq, got, c.want)
		}
	}
	// The way back.
	for seq, want := range map[uint16]uint64{65534: 700, 0: 702, 2: 706, 3: 707, 4: 708, 5: 709, 6: 711} {
		if _, got, _, ok := m.find(seq); !ok || got != want {
			t.Errorf("%d comes from %d %v, want %d", seq, got, ok, want)
		}
	}
	for _, seq := range []uint16{7, 65533, 30000} {
		if _, got, _, ok := m.find(seq); ok {
			t.Errorf("%d was never sent, but found as %d", seq, got)
		}
	}
}

func TestMungerAcrossLayers(t *testing.T) {
	now := time.Unix(1000, 0)
	m := &munger{clockRate: 90000, lastOut: 1<<16 + 9}
	m.begin(0, 1, in(100, 5000), 5000)
	give(m, 0, in(100, 5000), now)
	give(m, 0, in(101, 8000), now)
	m.begin(2, 2, in(9000, 77), 11000)
	if got := give(m, 2, in(9000, 77), now); got != "12/11000" {
		t.Fatal(got)
	}
	if got := give(m, 2, in(8999, 70), now); got != "drop" {
		t.Fatal("a packet from before the switch was given", got)
	}
	if got := give(m, 0, in(102, 11000), now); got != "drop" {
		t.Fatal("the old layer goes on:", got)
	}
	_, ext, s, ok := m.find(11)
	if !ok || ext != 101 || s.layer != 0 {
		t.Fatal(ext, s, ok)
	}
}

func TestSyntheticPacketsHaveNoWayBack(t *testing.T) {
	m := &munger{clockRate: 48000, lastOut: 1<<16 + 9}
	m.begin(0, 1, in(100, 0), 0)
	give(m, 0, in(100, 0), time.Unix(1, 0))
	if first := m.synthetic(3); uint16(first) != 11 {
		t.Fatal(first)
	}
	m.begin(0, 1, in(101, 960), 960)
	if got := give(m, 0, in(101, 960), time.Unix(1, 0)); got != "14/960" {
		t.Fatal(got)
	}
	for seq := uint16(11); seq < 14; seq++ {
		if _, ext, _, ok := m.find(seq); ok {
			t.Fatalf("%d found as %d", seq, ext)
		}
	}
}

func TestVP8NumbersNeverJump(t *testing.T) {
	m := &munger{clockRate: 90000, lastOut: 1 << 16}
	vp8 := func(ext uint64, pid uint16, tl0, key uint8) *ring.Packet {
		p := in(ext, uint32(ext))
		p.Facts.VP8 = codec.VP8Descriptor{HeaderLen: 6, HasPictureID: true, LongPictureID: true, PictureID: pid, TL0PicIdx: tl0, KeyIdx: key}
		return p
	}
	get := func(layer int, p *ring.Packet) string {
		out, s, ok := m.next(layer, p)
		if !ok {
			return "drop"
		}
		d := m.ids(s, p)
		if out > m.lastOut {
			m.note(d)
		}
		m.sent(out, 0, time.Time{})
		return fmt.Sprintf("%d %d %d", d.pictureID, d.tl0, d.keyIdx)
	}
	p := vp8(1, 0x7ffe, 254, 30)
	m.begin(0, 1, p, 0)
	for _, c := range []struct {
		layer int
		p     *ring.Packet
		begin bool
		want  string
	}{
		{0, p, false, "32766 254 30"},
		{0, vp8(2, 0x7fff, 255, 31), false, "32767 255 31"},
		{0, vp8(4, 0, 0, 0), false, "0 0 0"},
		{1, vp8(70, 1234, 56, 7), true, "1 1 1"},
		{1, vp8(71, 1235, 57, 7), false, "2 2 1"},
		{0, vp8(50, 500, 50, 5), true, "3 3 2"},
	} {
		if c.begin {
			m.begin(c.layer, 1, c.p, 0)
		}
		if got := get(c.layer, c.p); got != c.want {
			t.Fatalf("%d: %s, want %s", c.p.ExtSeq, got, c.want)
		}
	}
}

// A sender that begins with 7-bit ids and goes on with 15 bits, and one that wraps
// at 7 bits, both come out as one sequence of 15 bits.
func TestShortPictureIDsGrow(t *testing.T) {
	m := &munger{clockRate: 90000, lastOut: 1 << 16}
	short := func(ext uint64, pid uint16) *ring.Packet {
		p := in(ext, uint32(ext))
		p.Facts.VP8 = codec.VP8Descriptor{HeaderLen: 3, HasPictureID: true, LongPictureID: pid > 0x7f, PictureID: pid}
		return p
	}
	for i, c := range []struct {
		layer int
		p     *ring.Packet
		begin bool
		want  uint16
	}{
		{0, short(1, 126), true, 126},
		{0, short(2, 127), false, 127},
		{0, short(3, 128), false, 128}, // now with 15 bits
		{1, short(70, 5), true, 129},
		{1, short(72, 7), false, 131},
		{1, short(71, 6), false, 130}, // late
		{2, short(90, 126), true, 132},
		{2, short(91, 127), false, 133},
		{2, short(92, 0), false, 134}, // wrapped at 7 bits
		{2, short(93, 1), false, 135},
	} {
		if c.begin {
			m.begin(c.layer, 1, c.p, 0)
		}
		out, s, ok := m.next(c.layer, c.p)
		if !ok {
			t.Fatalf("%d: dropped", i)
		}
		d := m.ids(s, c.p)
		if out > m.lastOut {
			m.note(d)
		}
		m.sent(out, 0, time.Time{})
		if d.pictureID != c.want {
			t.Fatalf("%d: %d, want %d", i, d.pictureID, c.want)
		}
	}
}

func TestPlausibleTimestamps(t *testing.T) {
	start := time.Unix(1000, 0)
	for _, c := range []struct {
		name    string
		ts      uint32
		elapsed time.Duration
		want    uint32
	}{
		{"as it comes", 10_000 + 3000, 33 * time.Millisecond, 13_000},
		{"the same frame again", 10_000, 0, 10_001},
		{"a little back", 9000, 33 * time.Millisecond, 10_001},
		{"another clock, far ahead", 1 << 30, time.Second, 100_000},
		{"another clock, far back", 3 << 30, time.Second, 100_000},
		{"after a long pause", 10_000 + 90_000*60, time.Minute, 10_000 + 90_000*60},
	} {
		m := &munger{clockRate: 90000, started: true, lastTS: 10_000, lastAt: start}
		if got := m.plausible(c.ts, start.Add(c.elapsed)); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// Whatever arrives in whatever order: an output number is never given twice for
// different packets, and leads back to the packet it was given for.
func FuzzMunger(f *testing.F) {
	f.Add([]byte{1, 2, 3, 5, 4, 130, 6, 7, 200, 8, 9})
	f.Fuzz(func(t *testing.T, steps []byte) {
		m := &munger{clockRate: 90000, lastOut: 1<<16 + 65530}
		now := time.Unix(1, 0)
		type key struct {
			layer int
			ext   uint64
		}
		given := map[uint64]key{}
		layer, base := 0, uint64(1<<17)
		begun := false
		for i, b := range steps {
			k := key{layer, base + uint64(b&0x3f)}
			p := in(k.ext, uint32(i))
			switch {
			case b >= 0xe0 || !begun: // switch layers
				layer = (layer + 1) % 3
				base += 64
				k = key{layer, base}
				p = in(base, uint32(i))
				m.begin(layer, 1, p, uint32(i))
				begun = true
			case b >= 0xc0: // leave out
				if out, _, ok := m.next(layer, p); ok {
					m.skip(out, p)
				}
				continue
			case b >= 0xb0:
				first := m.synthetic(2)
				given[first], given[first+1] = key{noLayer, 0}, key{noLayer, 1}
				m.begin(layer, 1, in(base+64, 0), 0)
				base += 64
				continue
			}
			out, _, ok := m.next(layer, p)
			if !ok {
				continue
			}
			m.sent(out, 0, now)
			if old, twice := given[out]; twice && old != k {
				t.Fatalf("%d given for %v and %v", out, old, k)
			}
			given[out] = k
			if _, ext, s, ok := m.find(uint16(out)); !ok || ext != k.ext || int(s.layer) != layer {
				t.Fatalf("step %d (%x): %d leads to %d, came from %v; segments %v", i, b, out, ext, k, m.segments[:m.count])
			}
		}
	})
}
