package export

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/at-wat/ebml-go"
	"github.com/at-wat/ebml-go/webm"
	"github.com/pion/rtp"

	"aparte/recorder/journal"
	"aparte/sfu/codec"
	"aparte/sfu/tap"
)

// A player that counts samples is never further from the truth than two frames and what
// the clock of so fast a sender is unsure of (120 ms in the end if nothing was done), however
// fast the sender's clock runs and however long nothing is sent.
func TestSteadySound(t *testing.T) {
	for _, drift := range []float64{0, 2e-3, -2e-3} {
		one := newTape()
		id := one.stream(0, tap.Stream{Identity: "ann", Track: "TR_a", Source: "microphone", Mime: "audio/opus", PayloadType: 111, ClockRate: 48000, Channels: 2})
		for n := range 3000 {
			if n > 1000 && n < 1150 || n == 2000 {
				continue // silent, and a packet that was lost
			}
			at := time.Duration(float64(n) * (1 - drift) * float64(20*time.Millisecond))
			if n%250 == 10 {
				one.add(at, journal.Report{Stream: id, SenderReport: tap.SenderReport{NTP: 1<<40 + uint64(at.Seconds()*(1<<32)), RTP: uint32(n) * 960}})
			}
			one.packet(at, id, &rtp.Packet{
				Header:  rtp.Header{Version: 2, PayloadType: 111, SequenceNumber: uint16(n), Timestamp: uint32(n) * 960},
				Payload: binary.BigEndian.AppendUint64([]byte{0xfc}, uint64(at)),
			})
		}
		one.add(time.Minute, journal.End{Stream: id})
		dir := t.TempDir()
		index, err := Export(t.Context(), Config{
			Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(one.bytes())), nil }, Into: OnDisk(dir), Steady: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(index.Files) != 1 || len(index.Files[0].Holes) != 1 {
			t.Fatalf("%+v", index.Files)
		}
		raw, err := os.ReadFile(filepath.Join(dir, index.Files[0].Name))
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Header  webm.EBMLHeader `ebml:"EBML"`
			Segment webm.Segment    `ebml:"Segment"`
		}
		if err := ebml.Unmarshal(bytes.NewReader(raw), &doc); err != nil {
			t.Fatal(err)
		}
		sounded := time.Duration(index.Files[0].Start * float64(time.Second))
		frames, silent := 0, 0
		for _, c := range doc.Segment.Cluster {
			for _, b := range c.SimpleBlock {
				data := b.Data[0]
				at := time.Duration(index.Files[0].Start*float64(time.Second)) + time.Duration(int64(c.Timecode)+int64(b.Timecode))*time.Millisecond
				if (at - sounded).Abs() > time.Millisecond {
					t.Fatalf("drift %v: a frame at %v, where the samples before it end at %v", drift, at, sounded)
				}
				if len(data) == 3 {
					silent++
				} else if off := sounded - time.Duration(binary.BigEndian.Uint64(data[1:])); off.Abs() > 60*time.Millisecond {
					t.Fatalf("drift %v: a frame sounds %v from its time", drift, off)
				}
				frames++
				sounded += codec.OpusDuration(data)
			}
		}
		if wanted := 150; silent < wanted-8 || silent > wanted+8 || frames < 2990 {
			t.Errorf("drift %v: %d frames, %d of silence, want about 3000 and %d", drift, frames, silent, wanted)
		}
	}
}

// Whatever a sender's timestamps say, what a file holds lies within the recording: nothing
// was captured before it began, nor after it came.
func TestFilesLieWithinTheRecording(t *testing.T) {
	for name, tt := range map[string]struct {
		media   func(at float64) float64 // what its timestamps say, in seconds
		late    func(at float64) float64 // how long it was under way
		reports bool
		least   int // frames of sound that are kept
	}{
		"it makes up for what it lost": {func(at float64) float64 { return 1.025 * at }, nil, true, 1050},
		"without reports":              {func(at float64) float64 { return 1.025 * at }, nil, false, 1075},
		"it runs at half the speed":    {func(at float64) float64 { return at / 2 }, nil, true, 1050},
		"it runs at twice the speed":   {func(at float64) float64 { return at * 2 }, nil, true, 1050},
		"what came first was held up":  {func(at float64) float64 { return at }, func(at float64) float64 { return max(0.5-at, 0) }, true, 1075},
	} {
		t.Run(name, func(t *testing.T) {
			one := newTape()
			one.add(0, journal.Joined{Identity: "ann", Name: "Ann", Kind: "host"})
			streams := map[uint32]uint32{} // and their clock rates
			for _, s := range []tap.Stream{
				{Track: "TR_a", Source: "microphone", Mime: "audio/opus", ClockRate: 48000, Channels: 2},
				{Track: "TR_v", Source: "camera", Mime: "video/VP8", ClockRate: 90000},
			} {
				s.Identity, s.PayloadType = "ann", 100
				streams[one.stream(0, s)] = s.ClockRate
			}
			ends := time.Duration(0)
			for n := range 1100 {
				at := float64(n)/50 - 0.5 // the first half second of it was captured before
				comes := at
				if tt.late != nil {
					comes += tt.late(at + 0.5)
				}
				if comes < 0 {
					continue // it came before, too, and is not recorded
				}
				arrives := time.Duration(comes * float64(time.Second))
				for id, rate := range streams {
					if tt.reports && n%250 == 249 {
						one.add(arrives, journal.Report{Stream: id, SenderReport: tap.SenderReport{NTP: 1<<40 + uint64((at+1)*(1<<32)), RTP: uint32((tt.media(at) + 60) * float64(rate))}})
					}
					payload := []byte{0xf8, 0xff, 0xfe}
					if rate == 90000 {
						if payload = deltaFrame; n%50 == 0 || comes < 0.1 {
							payload = keyFrame
						}
					}
					one.packet(arrives, id, &rtp.Packet{
						Header:  rtp.Header{Version: 2, PayloadType: 100, SequenceNumber: uint16(n), Timestamp: uint32((tt.media(at) + 60) * float64(rate)), Marker: true},
						Payload: payload,
					})
				}
				ends = max(ends, arrives)
			}
			for id := range streams {
				one.add(ends, journal.End{Stream: id})
			}
			index, dir := export(t, one.bytes())
			if len(index.Files) != 2 {
				t.Fatalf("%+v", index)
			}
			for _, f := range index.Files {
				if f.Start < 0 || f.Start+f.Duration > index.Duration+lateMost.Seconds() {
					t.Errorf("%s is from %.3f to %.3f of %.3f", f.Name, f.Start, f.Start+f.Duration, index.Duration)
				}
				if f.Source == "microphone" && f.Frames < tt.least {
					t.Errorf("%s: %d frames are left", f.Name, f.Frames)
				}
				if _, err := os.Stat(filepath.Join(dir, f.Name)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
