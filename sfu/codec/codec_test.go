package codec

import (
	"bytes"
	"testing"
)

func TestParseVP8(t *testing.T) {
	for _, c := range []struct {
		name string
		p    []byte
		want VP8Descriptor
		ok   bool
	}{
		{"empty", nil, VP8Descriptor{}, false},
		{"no extension", []byte{0x10, 0}, VP8Descriptor{HeaderLen: 1, Start: true}, true},
		{"other partition", []byte{0x11, 0}, VP8Descriptor{HeaderLen: 1}, true},
		{"non-reference", []byte{0x20, 0}, VP8Descriptor{HeaderLen: 1, NonReference: true}, true},
		{"7 bit picture id", []byte{0x90, 0x80, 0x7f, 0}, VP8Descriptor{HeaderLen: 3, Start: true, HasPictureID: true, PictureID: 0x7f}, true},
		{
			"all fields",
			[]byte{0x90, 0xf0, 0xff, 0xfe, 0x12, 0xb3, 0},
			VP8Descriptor{
				HeaderLen: 6, Start: true, HasPictureID: true, LongPictureID: true, PictureID: 0x7ffe,
				HasTL0PicIdx: true, TL0PicIdx: 0x12, HasTID: true, TID: 2, LayerSync: true, HasKeyIdx: true, KeyIdx: 0x13,
			},
			true,
		},
		{"key index alone", []byte{0x80, 0x10, 0x1f, 0}, VP8Descriptor{HeaderLen: 3, HasKeyIdx: true, KeyIdx: 0x1f}, true},
		{"ends before extension", []byte{0x80}, VP8Descriptor{}, false},
		{"ends in picture id", []byte{0x80, 0x80, 0x80}, VP8Descriptor{}, false},
		{"ends before TL0PICIDX", []byte{0x80, 0x40}, VP8Descriptor{}, false},
		{"ends before TID", []byte{0x80, 0x20}, VP8Descriptor{}, false},
	} {
		got, ok := ParseVP8(c.p)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s: got %+v %v, want %+v %v", c.name, got, ok, c.want, c.ok)
		}
	}
}

func TestRewriteVP8ChangesOnlyItsFields(t *testing.T) {
	to := VP8Descriptor{PictureID: 0x4321, TL0PicIdx: 0x99, KeyIdx: 0x15}
	for _, c := range []struct{ in, want []byte }{
		{[]byte{0x90, 0xf0, 0xff, 0xfe, 0x12, 0xb3, 7}, []byte{0x90, 0xf0, 0xc3, 0x21, 0x99, 0xb5, 7}},
		{[]byte{0x90, 0x80, 0x11, 7}, []byte{0x90, 0x80, 0x21, 7}},
		{[]byte{0x90, 0x20, 0xc0, 7}, []byte{0x90, 0x20, 0xc0, 7}}, // TID only: nothing to rewrite
		{[]byte{0x10, 7, 8}, []byte{0x10, 7, 8}},
	} {
		d, ok := ParseVP8(c.in)
		if !ok {
			t.Fatalf("% x", c.in)
		}
		got := bytes.Clone(c.in)
		d.Rewrite(got, to)
		if !bytes.Equal(got, c.want) {
			t.Errorf("% x: got % x, want % x", c.in, got, c.want)
		}
	}
}

func TestInspectFindsKeyframes(t *testing.T) {
	vp8Key := []byte{0x10, 0x50, 0x01, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x41}
	for _, c := range []struct {
		name string
		typ  Type
		p    []byte
		key  bool
		w, h uint16
		ok   bool
	}{
		{"VP8 key frame", VP8, vp8Key, true, 640, 360, true},
		{"VP8 delta", VP8, []byte{0x10, 0x51, 0, 0}, false, 0, 0, true},
		{"VP8 second packet of a key frame", VP8, []byte{0x00, 0x50, 0, 0}, false, 0, 0, true},
		{"VP8 descriptor only", VP8, []byte{0x10}, false, 0, 0, false},
		{"H264 SPS", H264, []byte{0x67, 1, 2}, true, 0, 0, true},
		{"H264 IDR without SPS", H264, []byte{0x65, 1}, false, 0, 0, true},
		{"H264 slice", H264, []byte{0x41, 1}, false, 0, 0, true},
		{"H264 STAP-A with SPS", H264, []byte{0x78, 0, 2, 0x67, 1, 0, 1, 0x68}, true, 0, 0, true},
		{"H264 STAP-A without", H264, []byte{0x78, 0, 2, 0x41, 1}, false, 0, 0, true},
		{"H264 STAP-A too short", H264, []byte{0x78, 0, 9, 0x67}, false, 0, 0, false},
		{"H264 STAP-A with SPS and no IDR slice", H264, []byte{0x78, 0, 2, 0x67, 1, 0, 2, 0x41, 1}, false, 0, 0, true},
		{"H264 FU-A start of IDR", H264, []byte{0x7c, 0x85, 1}, false, 0, 0, true},
		{"H264 FU-A header only", H264, []byte{0x7c, 0x85}, false, 0, 0, false},
		{"H264 MTAP, which only mode 2 has", H264, []byte{0x7a, 0x85, 1}, false, 0, 0, false},
		{"H264 FU-A middle of IDR", H264, []byte{0x7c, 0x05, 1}, false, 0, 0, true},
		{"VP9 key frame", VP9, []byte{0x88, 0x05, 1}, true, 0, 0, true},
		{"VP9 predicted", VP9, []byte{0xc8, 0x05, 1}, false, 0, 0, true},
		{"VP9 upper spatial layer", VP9, []byte{0xa8, 0x05, 0x02, 0, 1}, false, 0, 0, true},
		{"AV1 sequence start", AV1, []byte{0x18, 1}, true, 0, 0, true},
		{"AV1 other", AV1, []byte{0x10, 1}, false, 0, 0, true},
		{"AV1 sequence start that goes on", AV1, []byte{0x98, 1}, true, 0, 0, false},
		{"AV1 element too long", AV1, []byte{0x20, 2, 1}, false, 0, 0, false},
		{"AV1 elements with lengths", AV1, []byte{0x00, 1, 1, 1, 1}, false, 0, 0, true},
		{"Opus", Opus, []byte{0xf8}, false, 0, 0, true},
		{"padding", VP8, nil, false, 0, 0, false},
	} {
		f, ok := Inspect(c.typ, c.p)
		if ok != c.ok || f.Keyframe != c.key || f.Width != c.w || f.Height != c.h {
			t.Errorf("%s: got %+v %v", c.name, f, ok)
		}
	}
}

func TestREDPrimary(t *testing.T) {
	one := []byte{0x80 | 111, 0x0f, 0xf0, 3, 111, 'o', 'l', 'd', 'n', 'e', 'w'}
	for _, c := range []struct {
		p    []byte
		want string
		ok   bool
	}{
		{one, "new", true},
		{[]byte{111, 'x'}, "x", true},
		{[]byte{111}, "", false},
		{one[:8], "", false},
		{[]byte{0x80 | 111, 0}, "", false},
		{nil, "", false},
	} {
		pt, got, ok := REDPrimary(c.p)
		if ok != c.ok || string(got) != c.want || ok && pt != 111 {
			t.Errorf("% x: %d %q %v", c.p, pt, got, ok)
		}
	}
}

func TestREDRedundancy(t *testing.T) {
	// Two blocks before the primary: 1920 and 960 older, of two and three bytes.
	two := []byte{0x80 | 111, 1920 >> 6, 1920 & 0x3f << 2, 2, 0x80 | 111, 960 >> 6, 960 & 0x3f << 2, 3, 111, 'o', 'o', 'l', 'l', 'l', 'p'}
	empty := []byte{0x80 | 111, 0x0f, 0, 0, 111, 'p'}
	for _, c := range []struct {
		p     []byte
		back  int
		older uint32
		want  string
	}{
		{two, 1, 960, "lll"},
		{two, 2, 1920, "oo"},
		{two, 3, 0, ""},
		{two, 0, 0, ""},
		{two[:12], 1, 0, ""}, // cut short
		{two[:12], 2, 1920, "oo"},
		{two[:8], 1, 0, ""},
		{empty, 1, 0, ""},
		{[]byte{111, 'p'}, 1, 0, ""},
		{[]byte{0x80, 0x80, 0x80}, 1, 0, ""},
		{nil, 1, 0, ""},
	} {
		pt, older, block, ok := REDRedundancy(c.p, c.back)
		if ok != (c.want != "") || string(block) != c.want || ok && (older != c.older || pt != 111) {
			t.Errorf("% x, %d back: %d %d %q %t", c.p, c.back, pt, older, block, ok)
		}
	}
}

func TestTypeOf(t *testing.T) {
	for _, typ := range []Type{VP8, H264, VP9, AV1} {
		if got := TypeOf("Video/" + typ.String()); got != typ || !got.Video() {
			t.Errorf("%v: %v", typ, got)
		}
	}
	for _, typ := range []Type{Opus, RED, PCMU, PCMA} {
		if got := TypeOf("audio/" + typ.String()); got != typ || got.Video() {
			t.Errorf("%v: %v", typ, got)
		}
	}
	if TypeOf("video/rtx") != Unknown {
		t.Error("rtx is no codec")
	}
}

func FuzzInspect(f *testing.F) {
	f.Add(uint8(VP8), []byte{0x90, 0xe0, 0x7f, 1, 0x40, 0, 0, 0, 0x9d, 1, 0x2a, 1, 2, 3, 4})
	f.Add(uint8(VP8), []byte{0x90, 0xf0, 0xff, 0xfe, 0x12, 0xb3, 0, 0, 0, 0x9d, 1, 0x2a, 1, 2, 3, 4})
	f.Add(uint8(H264), []byte{0x78, 0, 2, 0x67, 1, 0, 1, 0x68})
	f.Add(uint8(VP9), []byte{0xa8, 0x85, 0x05, 0x02, 1})
	f.Add(uint8(VP9), []byte{0xfd, 0xa8, 0xc2, 0x50, 0x02, 0x87, 0})
	f.Add(uint8(VP9), []byte{0xbe, 0xa8, 0xc1, 0x10, 0x50, 1, 64, 0, 180, 2, 128, 1, 104, 5, 0, 2, 208, 0x83})
	f.Add(uint8(H264), []byte{0x67, 0x42, 0xc0, 0x16, 0x8c, 0x8d, 0x40, 0x50, 0x17, 0xbc, 0xb3})
	f.Add(uint8(AV1), []byte{0x18, 1})
	f.Fuzz(func(t *testing.T, typ uint8, p []byte) {
		before := bytes.Clone(p)
		facts, ok := Inspect(Type(typ), p)
		if !bytes.Equal(p, before) {
			t.Fatal("Inspect changed the payload")
		}
		if d := facts.VP9; ok && d.HeaderLen > 0 {
			d.Sizes(p)
			d.Rewrite(p, 0x7abc, 0x55)
			got, ok := ParseVP9(p)
			if !ok || got.HeaderLen != d.HeaderLen || got.SID != d.SID || got.TID != d.TID || got.End != d.End ||
				d.LongPictureID && got.PictureID != 0x7abc || d.HasTL0PicIdx && got.TL0PicIdx != 0x55 {
				t.Fatalf("rewritten %+v to %+v", d, got)
			}
			if !bytes.Equal(p[d.HeaderLen:], before[d.HeaderLen:]) {
				t.Fatal("the payload behind the descriptor changed")
			}
		}
		if !ok || facts.VP8.HeaderLen == 0 {
			return
		}
		// What we wrote is what a receiver reads.
		to := facts.VP8
		to.PictureID = (to.PictureID + 1000) & 0x7fff
		to.TL0PicIdx++
		to.KeyIdx = (to.KeyIdx + 1) & 0x1f
		facts.VP8.Rewrite(p, to)
		got, ok := ParseVP8(p)
		if !ok || got.HeaderLen != facts.VP8.HeaderLen {
			t.Fatalf("rewritten: %+v %v", got, ok)
		}
		if got.HasPictureID && got.LongPictureID && got.PictureID != to.PictureID ||
			got.HasTL0PicIdx && got.TL0PicIdx != to.TL0PicIdx || got.HasKeyIdx && got.KeyIdx != to.KeyIdx {
			t.Fatalf("rewritten %+v, want %+v", got, to)
		}
		if !bytes.Equal(p[got.HeaderLen:], before[got.HeaderLen:]) {
			t.Fatal("the payload behind the descriptor changed")
		}
		if !facts.VP8.HasPictureID || facts.VP8.LongPictureID {
			return
		}
		longer := facts.VP8.Lengthen([]byte("before"), before, to)
		if string(longer[:6]) != "before" || len(longer) != 6+len(before)+1 {
			t.Fatalf("lengthened: % x", longer)
		}
		want := got // as above: fields that are not there stay away
		want.PictureID = to.PictureID
		want.LongPictureID, want.HeaderLen = true, to.HeaderLen+1
		if got, ok := ParseVP8(longer[6:]); !ok || got != want {
			t.Fatalf("lengthened %+v, want %+v", got, want)
		}
		if !bytes.Equal(longer[6+want.HeaderLen:], before[to.HeaderLen:]) {
			t.Fatal("the payload behind the longer descriptor changed")
		}
	})
}

func FuzzREDPrimary(f *testing.F) {
	f.Add([]byte{0x80 | 111, 0x0f, 0xf0, 3, 111, 'o', 'l', 'd', 'n', 'e', 'w'})
	f.Fuzz(func(t *testing.T, p []byte) {
		if _, block, ok := REDPrimary(p); ok && (len(block) == 0 || !bytes.HasSuffix(p, block)) {
			t.Fatalf("% x is no end of % x", block, p)
		}
		for back := range 5 {
			if _, _, block, ok := REDRedundancy(p, back); ok && (len(block) == 0 || !bytes.Contains(p, block)) {
				t.Fatalf("% x is no part of % x", block, p)
			}
		}
	})
}
