package codec

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pion/rtp"
)

// descriptorID is the extension id of the dependency descriptor in the captures.
const descriptorID = 12

// capture reads packets that a browser sent; the files tell how they were made.
func capture(t testing.TB, name string) (packets []rtp.Packet) {
	t.Helper()
	f, err := os.Open("testdata/" + name + ".rtp")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		raw, err := hex.DecodeString(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		var p rtp.Packet
		if err := p.Unmarshal(raw); err != nil {
			t.Fatal(err)
		}
		packets = append(packets, p)
	}
	if len(packets) < 20 {
		t.Fatalf("%s has %d packets", name, len(packets))
	}
	return packets
}

// What browsers send, frame by frame: "K" begins a key frame, then spatial and
// temporal layer; "|" is the end of the picture by its marker.
func TestCapturesOfBrowsers(t *testing.T) {
	svcStart := "K00 10 20| 02 12 22| 01 11 21| 02 12 22| "
	for _, c := range []struct {
		name  string
		typ   Type
		begin string
		sizes []Size
	}{
		{"vp9-L3T3_KEY", VP9, svcStart + "K00 10 20| 02 12 22| 01 11 21| 02 12 22|", []Size{{320, 180}, {640, 360}, {1280, 720}}},
		{"vp9-L1T3", VP9, "K00| 02| 01|", []Size{{1280, 720}}},
		{"av1-L3T3_KEY", AV1, svcStart + "00 10 20| 02 12 22|", []Size{{320, 180}, {640, 360}, {1280, 720}}},
		{"av1-L1T3", AV1, "K00| 02| 01| 02| 00|", []Size{{1280, 720}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var frames []string
			var sizes []Size
			var reader DescriptorReader
			number := uint16(0)
			for i, p := range capture(t, c.name) {
				f, ok := Inspect(c.typ, p.Payload)
				if !ok || !f.Layered && c.typ == VP9 {
					t.Fatalf("packet %d: %+v", i, f)
				}
				byPayload := f
				// The dependency descriptor says of VP9 what its own does.
				if !reader.Read(p.GetExtension(descriptorID), &f) {
					t.Fatalf("packet %d: descriptor % x", i, p.GetExtension(descriptorID))
				}
				if c.typ == VP9 && (f.SID != byPayload.SID || f.TID != byPayload.TID || f.Keyframe != byPayload.Keyframe ||
					f.FrameStart != byPayload.FrameStart || f.FrameEnd != byPayload.FrameEnd) {
					t.Errorf("packet %d: %+v and %+v", i, f, byPayload)
				}
				if byPayload.Keyframe != f.Keyframe {
					t.Errorf("packet %d: key frame by its payload %t", i, byPayload.Keyframe)
				}
				if f.FrameStart {
					key := ""
					if f.Keyframe {
						key = "K"
					}
					frames = append(frames, fmt.Sprintf("%s%d%d", key, f.SID, f.TID))
					if d := f.Descriptor; len(frames) > 1 && d.Frame != number+1 {
						t.Errorf("packet %d: frame %d after %d", i, d.Frame, number)
					}
					number = f.Descriptor.Frame
				}
				if p.Marker {
					frames[len(frames)-1] += "|"
				}
				if s := f.Descriptor.Structure; sizes == nil {
					sizes = s.Sizes[:s.Spatials]
					if _, by, ok := f.VP9.Sizes(p.Payload); ok && !slices.Equal(by[:len(sizes)], sizes) {
						t.Errorf("sizes by VP9: %v", by)
					}
				}
			}
			if got := strings.Join(frames, " "); !strings.HasPrefix(got, c.begin) {
				t.Errorf("frames %s", got)
			}
			if !slices.Equal(sizes, c.sizes) {
				t.Errorf("sizes %v", sizes)
			}
		})
	}
}

func TestCaptureOfH264(t *testing.T) {
	var got []string
	for i, p := range capture(t, "h264-simulcast") {
		f, ok := Inspect(H264, p.Payload)
		if !ok {
			t.Fatalf("packet %d", i)
		}
		if f.Keyframe || f.IDR {
			got = append(got, fmt.Sprintf("%d: SPS %t IDR %t %dx%d", i, f.Keyframe, f.IDR, f.Width, f.Height))
		}
	}
	want := []string{
		"0: SPS true IDR true 640x360", // all in one packet
		"1: SPS true IDR false 640x360", "2: SPS false IDR true 0x0",
		"14: SPS true IDR false 640x360", "15: SPS false IDR true 0x0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("key frames %q", got)
	}
}
