package export

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"

	"aparte/recorder/journal"
	"aparte/recorder/mux"
	"aparte/sfu/tap"
)

// cramped is a folder with room for so many bytes.
type cramped struct{ left int64 }

var errCramped = errors.New("there is no more room")

func (c *cramped) Begin() error                     { return nil }
func (c *cramped) End() error                       { return nil }
func (c *cramped) Create(string) (mux.File, error)  { return crampedFile{c}, nil }
func (c *cramped) take(b []byte) (n int, err error) { return crampedFile{c}.Write(b) }

type crampedFile struct{ in *cramped }

func (f crampedFile) Write(b []byte) (int, error) {
	if f.in.left -= int64(len(b)); f.in.left < 0 {
		return 0, errCramped
	}
	return len(b), nil
}

func (f crampedFile) WriteAt(b []byte, _ int64) (int, error) { return f.in.take(b) }
func (f crampedFile) Close() error                           { return nil }

func steadily(t *testing.T, raw []byte, room int64) (*Index, error) {
	t.Helper()
	return Export(t.Context(), Config{Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }, Into: &cramped{room}, Steady: true})
}

// Somebody who was away for days comes back in another file: what is between is not filled
// in, whoever wrote the journal.
func TestSteadySoundIsNotFilledInForDays(t *testing.T) {
	one := newTape()
	id := one.stream(0, tap.Stream{Identity: "ann", Track: "TR_a", Source: "microphone", Mime: "audio/opus", PayloadType: 111, ClockRate: 48000, Channels: 2})
	for n, at := range []time.Duration{0, 5 * time.Minute, 100 * 24 * time.Hour, 200 * 24 * time.Hour} {
		one.packet(at, id, &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 111, SequenceNumber: uint16(n), Timestamp: uint32(n) * 960}, Payload: []byte{0xf8, 0xff, 0xfe}})
	}
	index, err := steadily(t, one.bytes(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if len(index.Files) != 3 || index.Files[0].Duration != 300 || index.Files[2].Start != (200*24*time.Hour).Seconds() || index.Files[0].Name == index.Files[1].Name {
		t.Errorf("made %+v", index.Files)
	}
}

// What no recording can be is not believed, and what comes before it is there.
func TestTimesThatNoRecordingHas(t *testing.T) {
	one := newTape()
	one.microphone(0, time.Second, "ann", "TR_a")
	one.add(1<<62, journal.Left{Identity: "ann"})
	index, _ := export(t, one.bytes())
	if len(index.Files) != 1 || index.Files[0].Frames != 50 || !strings.Contains(index.Incomplete, "more than a year") || index.Duration > 2 {
		t.Errorf("made %+v", index)
	}
}

// FuzzExport: whatever a journal says, export ends, with what can be made of it.
func FuzzExport(f *testing.F) {
	one := newTape()
	one.microphone(0, 100*time.Millisecond, "ann", "TR_a")
	one.pictures(0, 200*time.Millisecond, "TR_v", keyFrame)
	one.add(150*time.Millisecond, journal.Report{Stream: 1, SenderReport: tap.SenderReport{NTP: 1 << 40, RTP: 960}})
	one.add(160*time.Millisecond, journal.Joined{Identity: "ann", Name: "Ann/../"})
	one.add(170*time.Millisecond, journal.Gap{Reason: journal.Missing, Since: time.Hour})
	raw := one.bytes()
	f.Add(raw)
	f.Add(raw[:len(raw)-3])
	f.Add(append(bytes.Clone(raw), journal.Append(nil, 0, journal.Head{Part: 2, Began: one.began.Add(time.Hour)})...))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, steady := range []bool{false, true} {
			index, err := Export(t.Context(), Config{
				Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }, Into: &cramped{4 << 20}, Steady: steady,
			})
			if err != nil {
				continue // no journal, or too much of it
			}
			for _, file := range index.Files {
				if strings.ContainsAny(file.Name, "/\\") || strings.HasPrefix(file.Name, ".") {
					t.Errorf("a file is called %q", file.Name)
				}
			}
		}
	})
}
