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
