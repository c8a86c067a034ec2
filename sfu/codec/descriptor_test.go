package codec

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// descriptors of L3T3_KEY as Chromium sends it: a key frame's first, its upper
// layers, and a picture of temporal layer 2.
var l3t3Key = []string{
	"c0000180081485214eaaaaa8000600004000100002aa80a8000600004000100002a000a800060000400016d549241b5524906d54923157e001974ca864330e222396eca8655304224390eca87753013f00b3027f016704ff02cf",
	"c50002", "ca0003", "c30004", "c80005", "cd0006",
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDescriptorStructure(t *testing.T) {
	var r DescriptorReader
	var f Facts
	if !r.Read(unhex(t, l3t3Key[0]), &f) {
		t.Fatal("key frame not read")
	}
	s := f.Descriptor.Structure
	if s.Spatials != 3 || s.Temporals != 3 || s.targets != 9 || s.chains != 3 || f.Descriptor.Active != 0x1ff {
		t.Fatalf("%+v", s)
	}
	// Decode targets are ordered L0T0 L0T1 L0T2 L1T0 and so on.
	for _, c := range []struct {
		sid, tid uint8
		want     uint32
	}{{0, 0, 0x001}, {0, 2, 0x007}, {1, 0, 0x009}, {1, 3, 0x03f}, {2, 1, 0x0db}, {2, 2, 0x1ff}} {
		if got := s.UpTo(c.sid, c.tid); got != c.want {
			t.Errorf("up to %d,%d: %x, want %x", c.sid, c.tid, got, c.want)
		}
	}
	if f.Descriptor.Switches != 0x777 { // the first frame of a key picture: everything
		t.Errorf("switches %x", f.Descriptor.Switches)
	}
	repeated := Facts{}
	if !r.Read(unhex(t, l3t3Key[0]), &repeated) || repeated.Descriptor.Structure != s {
		t.Error("the same structure is not the same")
	}
	raw, again := unhex(t, l3t3Key[0]), Facts{}
	if n := testing.AllocsPerRun(10, func() { r.Read(raw, &again) }); n != 0 {
		t.Errorf("%v allocations for a structure that is known", n)
	}
}

// Late packets of the structure before are still understood; those of none are not.
func TestDescriptorNeedsItsStructure(t *testing.T) {
	var r DescriptorReader
	var f Facts
	if r.Read(unhex(t, "c50002"), &f) {
		t.Error("read without a structure")
	}
	l1t3 := unhex(t, "c00001800214eaa860414d141020842704ff02cf")
	first := unhex(t, l3t3Key[0])
	if !r.Read(l1t3, &Facts{}) {
		t.Fatal("L1T3 not read")
	}
	bits := bitWriter{} // L3T3_KEY with another template id offset
	in := bitReader{p: first}
	bits.write(0xc0|10, 8)
	in.read(8)
	bits.copy(&in, 21)
	bits.write(10, 6)
	in.read(6)
	bits.copy(&in, 8*len(first)-in.at)
	if !r.Read(bits.p, &Facts{}) {
		t.Fatal("second structure not read")
	}
	for _, c := range []struct {
		raw      string
		sid, tid uint8
		ok       bool
	}{{"ca0002", 0, 0, true}, {"cf0002", 1, 0, true}, {"c30001", 0, 2, true}, {"c80001", 0, 0, false}} {
		var f Facts
		if ok := r.Read(unhex(t, c.raw), &f); ok != c.ok || f.SID != c.sid || f.TID != c.tid {
			t.Errorf("%s: %t %d %d", c.raw, ok, f.SID, f.TID)
		}
	}
}

func TestRewriteDescriptor(t *testing.T) {
	for i, text := range l3t3Key {
		var r, receiver DescriptorReader
		var f, got, key Facts
		r.Read(unhex(t, l3t3Key[0]), &key)
		receiver.Read(unhex(t, l3t3Key[0]), &key)
		raw := unhex(t, text)
		if !r.Read(raw, &f) {
			t.Fatal(text)
		}
		out := f.Descriptor.Rewrite(nil, raw, 0x1234, true, 0x03f)
		if !receiver.Read(out, &got) {
			t.Fatalf("%d: rewritten % x", i, out)
		}
		if d := got.Descriptor; d.Frame != 0x1234 || d.Active != 0x03f || got.SID != f.SID || got.TID != f.TID ||
			d.Switches != f.Descriptor.Switches || d.HasStructure != f.Descriptor.HasStructure || got.FrameEnd != f.FrameEnd {
			t.Errorf("%d: %+v", i, got)
		}
		if i > 0 && len(out) != 5 {
			t.Errorf("%d: %d bytes", i, len(out))
		}
		// A mask in place of a mask has no other length.
		twice := got.Descriptor.Rewrite(nil, out, 0x4321, true, 0x007)
		if !receiver.Read(twice, &got) || got.Descriptor.Active != 7 || got.Descriptor.Frame != 0x4321 || len(twice) != len(out) {
			t.Errorf("%d: twice % x", i, twice)
		}
		plain := f.Descriptor.Rewrite(nil, raw, f.Descriptor.Frame, false, 0)
		if !bytes.Equal(plain, raw) {
			t.Errorf("%d: plain % x", i, plain)
		}
	}
}

func FuzzDescriptor(f *testing.F) {
	key := l3t3Key[0]
	for _, b := range append(l3t3Key, "c0000180003a410100", "80000b1a6020", "c00001800214eaa860414d141020842704ff02cf") {
		f.Add(unhex(f, key), unhex(f, b), uint16(7), uint32(3))
	}
	f.Fuzz(func(t *testing.T, first, second []byte, frame uint16, active uint32) {
		var r, receiver DescriptorReader
		for _, b := range [][]byte{first, second} {
			var facts, got Facts
			before := bytes.Clone(b)
			if !r.Read(b, &facts) {
				return
			}
			d := &facts.Descriptor
			if facts.SID >= MaxSpatials || facts.TID >= MaxTemporals || d.Structure == nil {
				t.Fatalf("%+v", facts)
			}
			out := d.Rewrite(nil, b, frame, true, active)
			if !bytes.Equal(b, before) {
				t.Fatal("changed what was read")
			}
			if len(out) > MaxDescriptor {
				return
			}
			if !receiver.Read(out, &got) {
				t.Fatalf("% x rewritten as % x", b, out)
			}
			if got.Descriptor.Frame != frame || got.Descriptor.Active != active&d.Structure.all() || got.SID != facts.SID || got.TID != facts.TID ||
				got.Descriptor.Switches != d.Switches || got.Keyframe != facts.Keyframe {
				t.Fatalf("%+v rewritten %+v", facts, got)
			}
		}
	})
}
