package opening

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aparte/recorder/journal"
	"aparte/recorder/mux"
	"aparte/recorder/seal"
	"aparte/sfu/leaktest"
	"aparte/sfu/tap"

	"github.com/pion/rtp"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

var update = flag.Bool("update", false, "write the golden files")

// memory is a part's file while it is written.
type memory struct{ bytes.Buffer }

func (*memory) Sync() error              { return nil }
func (m *memory) Truncate(n int64) error { m.Buffer.Truncate(int(n)); return nil }
func (*memory) Close() error             { return nil }

// made is a recording of two parts of half a dozen segments each, of one microphone.
type made struct {
	one, two  []byte
	node      *seal.NodeKey
	key       string // that opens it
	recipient string // its public half
	otherKey  string
	otherNode seal.PublicKey
}

var day = time.Date(2027, 3, 2, 9, 0, 0, 0, time.UTC)

func record(t *testing.T) made {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var m made
	var err error
	m.node, err = seal.LoadNodeKey(t.TempDir(), "paris-1")
	must(err)
	other, err := seal.LoadNodeKey(t.TempDir(), "paris-1")
	must(err)
	m.otherNode = other.Public()
	key, to, err := seal.NewIdentityFile(day)
	must(err)
	strange, _, err := seal.NewIdentityFile(day)
	must(err)
	m.key, m.recipient, m.otherKey = string(key), to.String(), string(strange)

	write := func(part uint32, previous *seal.Ending, segments int) (*seal.Part, *memory) {
		file := &memory{}
		p, err := seal.NewPart(file, seal.Binding{
			Recording: "rec", Part: part, Room: "room-1", Policy: "protected", Began: day.Add(time.Duration(part-1) * time.Minute), Previous: previous,
		}, []seal.Recipient{to}, m.node)
		must(err)
		for n := range segments {
			must(p.Segment(segment(part, n)))
		}
		return p, file
	}
	_, one := write(1, nil, 6)
	m.one = one.Bytes()
	report, err := seal.Verify([]seal.Source{source("part-0001.tar", m.one)}, m.node.Public(), true)
	must(err)
	q, two := write(2, &seal.Ending{Part: 1, Segments: 6, Hash: report.Parts[0].Hash}, 6)
	must(q.Close(seal.Closing{Ended: day.Add(time.Hour), Final: true, Reason: "stopped"}, seal.Manifest{Recording: "rec"}))
	m.two = two.Bytes()
	return m
}

// segment is half a second of one who speaks, and of nothing in the third.
func segment(part uint32, n int) []byte {
	at := time.Duration(n) * 500 * time.Millisecond
	b := journal.Append(nil, 0, journal.Head{Part: part, Began: day.Add(time.Duration(part-1) * time.Minute)})
	if n == 0 {
		b = journal.Append(b, at, journal.Joined{Identity: "ines", Name: "Inês", Kind: "guest"})
		b = journal.Append(b, at, journal.Begin{Stream: tap.Stream{
			ID: part, Identity: "ines", Track: fmt.Sprint("TR_", part), Source: "microphone", Mime: "audio/opus", PayloadType: 111, ClockRate: 48000, Channels: 2,
		}})
	}
	if n == 2 {
		return journal.Append(b, at, journal.Speaking{Identities: []string{"ines"}})
	}
	for i := range 25 {
		number := n*25 + i
		raw, err := (&rtp.Packet{
			Header:  rtp.Header{Version: 2, PayloadType: 111, SequenceNumber: uint16(number), Timestamp: uint32(number) * 960},
			Payload: []byte{0xf8, 1, byte(number)},
		}).Marshal()
		if err != nil {
			panic(err)
		}
		b = journal.Append(b, at+time.Duration(i)*20*time.Millisecond, journal.Packet{Stream: part, RTP: raw})
	}
	return b
}

func source(name string, b []byte) seal.Source {
	return seal.Source{Name: name, ReaderAt: bytes.NewReader(b), Size: int64(len(b))}
}

// folder is what a page holds in memory.
type folder struct {
	files map[string]*mediaFile
	full  error
}

type mediaFile struct {
	bytes  []byte
	closed bool
	full   error
}

func (*folder) Begin() error { return nil }
func (*folder) End() error   { return nil }
func (f *folder) Create(name string) (mux.File, error) {
	if f.files == nil {
		f.files = map[string]*mediaFile{}
	}
	f.files[name] = &mediaFile{full: f.full}
	return f.files[name], nil
}

func (f *mediaFile) Write(b []byte) (int, error) {
	if f.full != nil {
		return 0, f.full
	}
	f.bytes = append(f.bytes, b...)
	return len(b), nil
}
func (f *mediaFile) WriteAt(b []byte, at int64) (int, error) { return copy(f.bytes[at:], b), nil }
func (f *mediaFile) Close() error                            { f.closed = true; return nil }

// The names that parts have once they are saved, in any order, are read as they were.
func TestOpened(t *testing.T) {
	m := record(t)
	public, err := json.Marshal(m.node.Public())
	if err != nil {
		t.Fatal(err)
	}
	r, err := New([]seal.Source{source("recording-2027-03-02-rec-part-0002.tar", m.two), source("recording-2027-03-02-rec-part-0001.tar", m.one)}, string(public))
	if err != nil {
		t.Fatal(err)
	}
	var done, of int64
	told := func(d, o int64) { done, of = d, o }
	report, err := r.Verify(told)
	if err != nil {
		t.Fatal(err)
	}
	if report.Node != "paris-1" || len(report.Findings) > 0 || report.Unclosed != nil || len(report.Parts) != 2 || report.Parts[0].Segments != 6 || report.Parts[0].Ended != nil || report.Parts[1].Ended == nil {
		t.Errorf("%+v", report)
	}
	if size := int64(len(m.one) + len(m.two)); done != size || of != size {
		t.Errorf("told %d of %d bytes, want %d", done, of, size)
	}
	into := &folder{}
	opened, err := r.Open(t.Context(), m.key, false, into, told)
	if err != nil {
		t.Fatal(err)
	}
	if size := 2 * int64(len(m.one)+len(m.two)); done < size/2 || of != size {
		t.Errorf("told %d of %d bytes, want %d", done, of, size)
	}
	if got, want := fmt.Sprint(slices.Sorted(maps.Keys(into.files))), "[01-inês-microphone.webm 02-inês-microphone.webm index.json]"; got != want {
		t.Errorf("files %s, want %s", got, want)
	}
	for name, f := range into.files {
		if !f.closed || len(f.bytes) == 0 {
			t.Errorf("%s: %d bytes, closed %t", name, len(f.bytes), f.closed)
		}
	}
	if opened.Segments != 12 || opened.Missing != 0 || len(opened.Index.Files) != 2 || opened.Index.Files[1].Start != 60 {
		t.Errorf("%+v", opened)
	}
	// Half a second in which nothing was sent sounds for as long: 25 frames of silence.
	if silent := bytes.Count(into.files["01-inês-microphone.webm"].bytes, []byte{0xf8, 0xff, 0xfe}); silent != 25 {
		t.Errorf("%d silent frames, want 25", silent)
	}
}

// A journal that is too long to be held is opened twice, and the same comes of it.
func TestOpenedTwice(t *testing.T) {
	m := record(t)
	made := func(most int) (*folder, int64) {
		r, err := New([]seal.Source{source("part-0001.tar", m.one), source("part-0002.tar", m.two)}, "")
		if err != nil {
			t.Fatal(err)
		}
		r.most = most
		if _, err := r.Verify(nil); err != nil {
			t.Fatal(err)
		}
		into, read := &folder{}, int64(0)
		if _, err := r.Open(t.Context(), m.key, false, into, func(done, _ int64) { read = done }); err != nil {
			t.Fatal(err)
		}
		return into, read
	}
	once, _ := made(heldMost)
	twice, read := made(1000)
	if want := 2 * int64(len(m.one)+len(m.two)); read != want {
		t.Errorf("read %d bytes, want %d", read, want)
	}
	for name, f := range once.files {
		if other := twice.files[name]; other == nil || !bytes.Equal(f.bytes, other.bytes) {
			t.Errorf("%s is another when it is opened twice", name)
		}
	}
	if len(once.files) != 3 || len(twice.files) != 3 {
		t.Errorf("%d and %d files", len(once.files), len(twice.files))
	}
}

func TestHeld(t *testing.T) {
	h := &held{most: 5 << 20}
	var want []byte
	for n := range 300 {
		piece := bytes.Repeat([]byte{byte(n)}, 15_013)
		want = append(want, piece...)
		if _, err := h.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	read := 0
	got, err := io.ReadAll(h.reader(func(n int) error { read += n; return nil }))
	if err != nil || !bytes.Equal(got, want) || read != len(want) || len(h.chunks) != 0 {
		t.Errorf("%d bytes of %d, told %d, %d chunks held: %v", len(got), len(want), read, len(h.chunks), err)
	}
	if _, _ = h.Write(make([]byte, 1<<20)); !h.over || len(h.chunks) != 0 {
		t.Error("more than the most is held")
	}
}

// What a page says is a code; the words of the command go with it.
func TestRefused(t *testing.T) {
	m := record(t)
	if _, err := New(nil, "paris-1"); !errors.Is(err, ErrNodeKey) {
		t.Errorf("a node's key that is none: %v", err)
	}
	parts := func() []seal.Source {
		return []seal.Source{source("part-0001.tar", m.one), source("part-0002.tar", m.two)}
	}
	r, err := New(parts(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Open(t.Context(), m.key, false, &folder{}, nil); err == nil {
		t.Error("opened before it was verified")
	}
	report, err := r.Verify(nil)
	if err != nil || report.Node != "" {
		t.Fatalf("%+v %v", report, err)
	}
	for _, c := range []struct {
		name, keys string
		into       *folder
		want       error
	}{
		{"no key", "AGE-SECRET-KEY-PQ-1QQQ", &folder{}, ErrKey},
		{"another key", m.otherKey, &folder{}, ErrNotForUs},
		{"no room", m.key, &folder{full: errRoom}, errRoom},
	} {
		if _, err := r.Open(t.Context(), c.keys, false, c.into, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		} else if keys := KeysOf(err); errors.Is(c.want, ErrNotForUs) != slices.Equal(keys, []string{seal.Fingerprint(m.recipient)}) {
			t.Errorf("%s: the keys that open it are %q", c.name, keys)
		} else if strings.Contains(err.Error(), strings.TrimSpace(c.keys)) {
			t.Errorf("%s: the key is in %q", c.name, err)
		}
	}
	short := source("part-0001.tar", m.one)
	short.ReaderAt = bytes.NewReader(m.one[:len(m.one)/2])
	r, err = New([]seal.Source{short}, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Verify(nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that became shorter: %v", err)
	}
}

var errRoom = errors.New("no room")

// TestTampered compares what is said of recordings that are not as they were written with
// golden files, which the page's words are tested with as well.
func TestTampered(t *testing.T) {
	m := record(t)
	flipped := slices.Clone(m.two)
	flipped[bytes.Index(flipped, []byte("00000002.age"))+512+1900] ^= 1
	for _, c := range []struct {
		name  string
		parts []seal.Source
		key   seal.PublicKey
	}{
		{"altered", []seal.Source{source("part-0001.tar", m.one), source("part-0002.tar", flipped)}, m.node.Public()},
		{"first-missing", []seal.Source{source("part-0002.tar", m.two), source("part-0003.tar", m.two)}, m.node.Public()},
		{"forged", []seal.Source{source("part-0001.tar", m.one), source("part-0002.tar", m.two)}, m.otherNode},
		{"truncated", []seal.Source{source("part-0001.tar", m.one[:len(m.one)-9000]), source("part-0002.tar", m.two)}, m.node.Public()},
		{"unclosed", []seal.Source{source("part-0001.tar", m.one)}, m.node.Public()},
		{"nothing", nil, m.node.Public()},
		{"twice", []seal.Source{source("a-part-0001.tar", m.one), source("b-part-0001.tar", m.one), source("part-0002.tar", m.two)}, m.node.Public()},
	} {
		r, err := New(c.parts, c.key.String())
		if err != nil {
			t.Fatal(err)
		}
		report, err := r.Verify(nil)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got, err := json.MarshalIndent(report, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, '\n')
		for text, stands := range map[string]string{m.node.Public().String(): "paris-1+11111111", m.otherNode.String(): "paris-1+22222222"} { // made anew each time
			got = bytes.ReplaceAll(got, []byte(text[:len(stands)]), []byte(stands))
		}
		golden := filepath.Join("testdata", c.name+".json")
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, want)
		}
		if len(report.Findings) == 0 || c.name == "forged" {
			continue
		}
		into := &folder{}
		if _, err := r.Open(t.Context(), m.key, false, into, nil); !errors.Is(err, ErrTampered) || len(into.files) > 0 {
			t.Errorf("%s: opened without being told to: %v, %d files", c.name, err, len(into.files))
		}
		opened, err := r.Open(t.Context(), m.key, true, into, nil)
		if err != nil || len(into.files) == 0 {
			t.Errorf("%s: what is left of it: %v, %d files", c.name, err, len(into.files))
		} else if c.name == "altered" && (opened.Missing != 1 || opened.Index.Incomplete == "") {
			t.Errorf("%s: %+v", c.name, opened)
		}
	}
}
