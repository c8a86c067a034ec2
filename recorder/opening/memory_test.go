package opening

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"aparte/recorder/journal"
	"aparte/recorder/seal"
	"aparte/sfu/tap"

	"github.com/pion/rtp"
)

// disk is a part's file on a disk, as a browser has it: its bytes are not in memory.
type disk struct{ *os.File }

func (disk) Sync() error { return nil }

// recordOnDisk is a recording of parts that fill makes what they are, and the key that opens it.
func recordOnDisk(t *testing.T, parts int, fill func(part uint32, p *seal.Part) seal.Manifest) (all []seal.Source, key string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	node, err := seal.LoadNodeKey(dir, "paris-1")
	must(err)
	text, to, err := seal.NewIdentityFile(day)
	must(err)
	var previous *seal.Ending
	for n := uint32(1); n <= uint32(parts); n++ {
		name := seal.PartName(n)
		file, err := os.Create(filepath.Join(dir, name))
		must(err)
		p, err := seal.NewPart(disk{file}, seal.Binding{Recording: "rec", Part: n, Room: "room-1", Policy: "protected", Began: day.Add(time.Duration(n) * time.Minute), Previous: previous}, []seal.Recipient{to}, node)
		must(err)
		m := fill(n, p)
		must(p.Close(seal.Closing{Ended: day.Add(time.Hour), Final: n == uint32(parts), Reason: "stopped"}, m))
		reader, err := os.Open(filepath.Join(dir, name))
		must(err)
		t.Cleanup(func() { _ = reader.Close() })
		info, err := reader.Stat()
		must(err)
		source := seal.Source{Name: name, ReaderAt: reader, Size: info.Size()}
		all = append(all, source)
		report, err := seal.Verify([]seal.Source{source}, node.Public(), true)
		must(err)
		previous = &seal.Ending{Part: n, Segments: report.Parts[0].Segments, Hash: report.Parts[0].Hash}
	}
	return all, string(text)
}

// used is how much is in memory that somebody needs.
func used() int64 {
	runtime.GC()
	return inMemory()
}

// opens verifies and opens a recording, and says how much it needed for that at most.
func opens(t *testing.T, parts []seal.Source, key string, set func(*Recording)) (most int64, err error) {
	t.Helper()
	before := used()
	told := func(int64, int64) { most = max(most, used()-before) }
	r, err := New(parts, "")
	if err != nil {
		t.Fatal(err)
	}
	set(r)
	if _, err := r.Verify(told); err != nil {
		return most, err
	}
	_, err = r.Open(t.Context(), key, false, &folder{}, told)
	return most, err
}

func head(part uint32, events ...journal.Event) []byte {
	b := journal.Append(nil, 0, journal.Head{Part: part, Began: day.Add(time.Duration(part) * time.Minute)})
	for _, e := range events {
		b = journal.Append(b, 0, e)
	}
	return b
}

// Manifests as large as they may be, in many parts, cost a page no more than one part does.
func TestLargeManifests(t *testing.T) {
	const parts, people = 6, 220_000
	crowd := make([]seal.Person, people)
	all, key := recordOnDisk(t, parts, func(part uint32, p *seal.Part) seal.Manifest {
		if err := p.Segment(head(part, journal.Joined{Identity: "ines", Name: "Inês"})); err != nil {
			t.Fatal(err)
		}
		return seal.Manifest{Recording: "rec", People: crowd}
	})
	size := int64(0)
	for _, part := range all {
		size += part.Size
	}
	crowd = nil // it is none of what is measured
	most, err := opens(t, all, key, func(*Recording) {})
	t.Logf("%d MiB in %d parts take %d MiB", size>>20, parts, most>>20)
	if err != nil || most > 32<<20 {
		t.Errorf("%d bytes, %v", most, err)
	}
}

// What is told is remembered up to a limit, which JSON is counted by.
func TestTooMuchToTell(t *testing.T) {
	const messages = 2000
	for _, c := range []struct {
		name, text string
		most       int64
		want       error
	}{
		{"letters", strings.Repeat("a", 4000), messages * 5000, nil},
		{"too many of them", strings.Repeat("a", 4000), messages * 4000, ErrTooMuch},
		{"what JSON writes in six bytes", strings.Repeat("<", 4000), messages * 5000, ErrTooMuch},
	} {
		all, key := recordOnDisk(t, 1, func(part uint32, p *seal.Part) seal.Manifest {
			for range messages / 1000 {
				b := head(part)
				for range 1000 {
					b = journal.Append(b, 0, journal.Message{Identity: "ines", Text: c.text})
				}
				if err := p.Segment(b); err != nil {
					t.Fatal(err)
				}
			}
			return seal.Manifest{Recording: "rec"}
		})
		if _, err := opens(t, all, key, func(r *Recording) { r.indexMost = c.most }); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// So are the lists of a file: here of holes, of which each packet makes one.
func TestTooManyHoles(t *testing.T) {
	const packets = 2000
	all, key := recordOnDisk(t, 1, func(part uint32, p *seal.Part) seal.Manifest {
		b := head(part, journal.Begin{Stream: tap.Stream{ID: 1, Identity: "ines", Track: "TR_1", Source: "camera", Mime: "video/VP8", PayloadType: 96, ClockRate: 90000}})
		for n := range packets {
			raw, err := (&rtp.Packet{
				Header:  rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: uint16(n), Timestamp: uint32(n) * 90000, Marker: true},
				Payload: []byte{0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00}, // a key frame of 320x180
			}).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			b = journal.Append(b, time.Duration(n)*time.Second, journal.Packet{Stream: 1, RTP: raw})
		}
		if err := p.Segment(b); err != nil {
			t.Fatal(err)
		}
		return seal.Manifest{Recording: "rec"}
	})
	for most, want := range map[int64]error{packets * 200: nil, packets * 50: ErrTooMuch} {
		if _, err := opens(t, all, key, func(r *Recording) { r.indexMost = most }); !errors.Is(err, want) {
			t.Errorf("%d bytes: %v, want %v", most, err, want)
		}
	}
}

// Whatever it is that fills the memory, opening ends before the memory does.
func TestTooMuchInMemory(t *testing.T) {
	all, key := recordOnDisk(t, 1, func(part uint32, p *seal.Part) seal.Manifest {
		for segment := range 8 {
			b := head(part)
			for n := range 8000 {
				id := uint32(segment*8000 + n)
				b = journal.Append(b, 0, journal.Message{Identity: fmt.Sprintf("somebody-%d", id), Text: strings.Repeat("a", 100)})
			}
			if err := p.Segment(b); err != nil {
				t.Fatal(err)
			}
		}
		return seal.Manifest{Recording: "rec"}
	})
	const room = 12 << 20
	most, err := opens(t, all, key, func(r *Recording) { r.told.memoryMost = used() + room })
	t.Logf("at most %d KiB of %d", most>>10, room>>10)
	if !errors.Is(err, ErrTooMuch) || most > room+(12<<20) {
		t.Errorf("%d bytes, %v", most, err)
	}
	if _, err := opens(t, all, key, func(*Recording) {}); err != nil {
		t.Errorf("with as much room as there is: %v", err)
	}
}
