package render

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4/pkg/media/ivfreader"

	"aparte/recorder/export"
	"aparte/recorder/journal"
	"aparte/sfu/tap"
)

// A picture of VP9 in two spatial layers is one picture, the larger: ffmpeg takes a frame
// of both apart, but the small red ones between the green ones are never seen.
func TestLayersAreOnePicture(t *testing.T) {
	dir := t.TempDir()
	var layers [2][][]byte
	for sid, filter := range []string{"color=red:s=320x180:r=25:d=2", "color=green:s=640x360:r=25:d=2"} {
		path := filepath.Join(dir, "layer.ivf")
		run(t, "ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", filter+",format=yuv420p", "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-lag-in-frames", "0", "-g", "1", path)
		layers[sid] = frames(t, path)
	}
	began := time.Date(2027, 3, 2, 9, 0, 0, 0, time.UTC)
	tape := journal.Append(nil, 0, journal.Head{Part: 1, Began: began})
	for _, e := range []journal.Event{
		journal.Started{Recording: "r1", Room: "m1"},
		journal.Joined{Identity: "anne", Name: "Anne"},
		journal.Consent{Identity: "anne", Answer: journal.Given},
		journal.Begin{Stream: tap.Stream{ID: 1, Identity: "anne", Track: "TR_v", Source: "camera", Mime: "video/VP9", SSRC: 5, PayloadType: 98, ClockRate: 90000}},
	} {
		tape = journal.Append(tape, 0, e)
	}
	seq := uint16(65530)
	for n := range layers[0] {
		at := time.Duration(n) * 40 * time.Millisecond
		for sid := range layers {
			const most = 1000
			for rest := layers[sid][n]; len(rest) > 0; {
				part := rest[:min(len(rest), most)]
				p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 98, SSRC: 5, SequenceNumber: seq, Timestamp: 7000 + uint32(n)*3600}}
				first, last := len(rest) == len(layers[sid][n]), len(rest) == len(part)
				p.Marker = last && sid == 1
				p.Payload = append(layerOf(n, sid, first, last), part...)
				raw, err := p.Marshal()
				if err != nil {
					t.Fatal(err)
				}
				tape = journal.Append(tape, at, journal.Packet{Stream: 1, RTP: raw})
				rest, seq = rest[len(part):], seq+1
			}
		}
	}
	tape = journal.Append(tape, 2*time.Second, journal.Stopped{})
	s := &studio{dir: t.TempDir()}
	var err error
	s.index, err = export.Export(t.Context(), export.Config{Into: export.OnDisk(s.dir), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(tape)), nil }})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.index.Files) != 1 || s.index.Files[0].Frames != len(layers[0]) {
		t.Fatalf("%+v", s.index.Files)
	}
	result, path := s.compose(t, Config{})
	if len(result.Spoiled) > 0 {
		t.Errorf("%q", result.Spoiled)
	}
	x, y := middle(result.Plan.Intervals[0].Tiles[0].Box)
	d := decode(t, path)
	for n := range d.frames {
		if got := d.colour(float64(n)/float64(perSecond), x, y); got != "green" {
			t.Errorf("picture %d is %s", n, got)
		}
	}
}

// layerOf is the payload descriptor (RFC 9628, 4.2) of a packet of a key frame's layer.
func layerOf(picture, sid int, first, last bool) []byte {
	const i, l, b, e, m = 0x80, 0x20, 0x08, 0x04, 0x80
	head := byte(i | l)
	if first {
		head |= b
	}
	if last {
		head |= e
	}
	return []byte{head, m | byte(picture>>8), byte(picture), byte(sid << 1), byte(picture)}
}

func frames(t *testing.T, path string) (all [][]byte) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, _, err := ivfreader.NewWith(file)
	for err == nil {
		var frame []byte
		if frame, _, err = r.ParseNextFrame(); err == nil {
			all = append(all, frame)
		}
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return all
}
