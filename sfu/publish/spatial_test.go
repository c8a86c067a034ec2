package publish

import (
	"bufio"
	"encoding/hex"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/transport/v5/packetio"

	"aparte/sfu/codec"
	"aparte/sfu/congestion"
)

// play gives a receiver what a browser sent, see codec/testdata, a picture each 33 ms;
// without those that skip names. Rates are measured once a second.
func play(t *testing.T, name string, c Codec, times int, skip func(i int) bool) (*Receiver, *Track) {
	t.Helper()
	f, err := os.Open("../codec/testdata/" + name + ".rtp")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var packets []rtp.Packet
	for lines := bufio.NewScanner(f); lines.Scan(); {
		raw, err := hex.DecodeString(lines.Text())
		if err != nil {
			continue // a comment
		}
		var p rtp.Packet
		if err := p.Unmarshal(raw); err != nil {
			t.Fatal(err)
		}
		packets = append(packets, p)
	}
	r := NewReceiver(ReceiverConfig{})
	track := NewTrack(TrackConfig{ID: "TR_v", Kind: Video})
	const mid = 4
	r.SetSections([]Section{{MID: "1", Kind: Video, Codecs: []Codec{c}, Ext: Extensions{MID: mid, Descriptor: 12}, Track: track}})
	seq, ts, old := uint16(0), uint32(0), uint32(0)
	for range times {
		for i := range packets {
			p := packets[i]
			if p.Timestamp != old {
				old = p.Timestamp
				ts += 2970
				time.Sleep(33 * time.Millisecond)
			}
			seq++
			if skip != nil && skip(i) {
				continue
			}
			p.SSRC, p.SequenceNumber, p.Timestamp = 7, seq, ts
			p.Extensions = append([]rtp.Extension(nil), p.Extensions...)
			if err := p.SetExtension(mid, []byte("1")); err != nil {
				t.Fatal(err)
			}
			raw, err := p.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Buffer(packetio.RTPBufferPacket, 7).Write(raw); err != nil {
				t.Fatal(err)
			}
			r.Tick(time.Now())
		}
	}
	return r, track
}

var (
	captured    = map[codec.Type]uint8{codec.VP9: 98, codec.AV1: 45, codec.H264: 102}
	svcCaptures = map[codec.Type]string{codec.VP9: "vp9-L3T3_KEY", codec.AV1: "av1-L3T3_KEY"}
)

func TestSVCOffersItsLayers(t *testing.T) {
	for typ, name := range svcCaptures {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, track := play(t, name, Codec{PayloadType: captured[typ], Type: typ, ClockRate: 90000}, 12, nil)
				if s := r.Stats(); s.Malformed+s.NoStructure+s.Duplicate+s.Late != 0 {
					t.Fatalf("%+v", s)
				}
				if !track.SVC() || track.Layer(0).Spatials(time.Now()) != 3 {
					t.Fatal("three spatial layers were sent")
				}
				rates := track.Rates(time.Now())
				for i, want := range []Size{{320, 180}, {640, 360}, {1280, 720}} {
					l := track.Layers()[i]
					if l.Width != want.w || l.Height != want.h || !l.Live || l.Layer != i {
						t.Errorf("%+v, want %v", l, want)
					}
					for j := range 3 {
						if rates[i][j] == 0 || j > 0 && rates[i][j] <= rates[i][j-1] || i > 0 && rates[i][j] <= rates[i-1][j] {
							t.Errorf("rates %v", rates)
						}
					}
				}
				for fps, want := range map[int]int{5: 0, 14: 1, 30: 2, 60: congestion.MaxTemporals - 1} {
					if got := track.Layer(0).TemporalFor(fps); got != want {
						t.Errorf("%d pictures a second: temporal layer %d, want %d", fps, got, want)
					}
				}
				time.Sleep(2 * liveFor)
				if n := track.Layer(0).Spatials(time.Now()); n != 1 {
					t.Errorf("%d layers of silence", n)
				}
			})
		})
	}
}

// Size is in pixels.
type Size struct{ w, h int }

// A key frame's first packet tells what AV1's packets are. While it is missing they
// are of no use, and another key frame is asked for.
func TestAV1WithoutItsStructureIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, track := play(t, "av1-L3T3_KEY", Codec{PayloadType: 45, Type: codec.AV1, ClockRate: 90000}, 1, func(i int) bool { return i == 0 || i > 20 })
		if s := r.Stats(); s.NoStructure != 20 || s.PLIs == 0 || s.Malformed != 0 {
			t.Fatalf("%+v", s)
		}
		if _, ok := track.Layer(0).Ring().KeyframeStart(); ok {
			t.Error("a key frame")
		}
	})
}

func TestH264Size(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, track := play(t, "h264-simulcast", Codec{PayloadType: 102, Type: codec.H264, ClockRate: 90000}, 1, nil)
		l := track.Layers()
		if s := r.Stats(); s.Malformed != 0 || len(l) != 1 || l[0].Width != 640 || l[0].Height != 360 || track.SVC() {
			t.Fatalf("%+v %+v", s, l)
		}
	})
}
