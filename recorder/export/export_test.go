package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"

	"aparte/recorder/journal"
	"aparte/sfu/leaktest"
	"aparte/sfu/tap"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

var (
	keyFrame   = []byte{0x10, 0x00, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01, 1}
	deltaFrame = []byte{0x10, 0x01, 0, 0, 2}
)

func (t *tape) microphone(from, to time.Duration, identity, sid string) {
	id := t.stream(from, tap.Stream{Identity: identity, Track: sid, Source: "microphone", Mime: "audio/opus", PayloadType: 111, ClockRate: 48000, Channels: 2})
	for n := uint16(0); from+time.Duration(n)*20*time.Millisecond < to; n++ {
		t.packet(from+time.Duration(n)*20*time.Millisecond, id, &rtp.Packet{Header: rtp.Header{
			Version: 2, PayloadType: 111, SequenceNumber: n, Timestamp: uint32(n) * 960,
		}, Payload: []byte{0xf8, 0xff, 0xfe}})
	}
	t.add(to, journal.End{Stream: id})
}

func (t *tape) pictures(from, to time.Duration, sid string, first []byte) {
	id := t.stream(from, tap.Stream{Identity: "ann", Track: sid, Source: "camera", Mime: "video/VP8", PayloadType: 96, ClockRate: 90000})
	payload := first
	for n := uint16(0); from+time.Duration(n)*40*time.Millisecond < to; n++ {
		t.packet(from+time.Duration(n)*40*time.Millisecond, id, &rtp.Packet{Header: rtp.Header{
			Version: 2, PayloadType: 96, SequenceNumber: n, Timestamp: uint32(n) * 3600, Marker: true,
		}, Payload: payload})
		payload = deltaFrame
	}
	t.add(to, journal.End{Stream: id})
}

// told is an index in words.
func told(index *Index) string {
	var words []string
	for _, f := range index.Files {
		words = append(words, fmt.Sprintf("%s %s %.2f+%.2f %d", f.Name, f.Track, f.Start, f.Duration, f.Frames))
	}
	for _, s := range index.Skipped {
		words = append(words, "skipped "+s.Track)
	}
	return strings.Join(words, "\n")
}

func TestAMeeting(t *testing.T) {
	one := newTape()
	one.add(0, journal.Started{Recording: "r1", Room: "room", By: "ann"})
	one.add(0, journal.Joined{Identity: "ann", Name: "Ann", Kind: "host"})
	one.add(0, journal.Joined{Identity: "bob", Name: "../../etc/passwd", Kind: "guest"})
	one.microphone(time.Second, 3*time.Second, "ann", "TR_a1")
	one.add(3*time.Second, journal.Left{Identity: "ann"})
	one.add(4*time.Second, journal.Joined{Identity: "ann", Name: "Ann M.", Kind: "host"})
	one.microphone(4*time.Second, 5*time.Second, "ann", "TR_a2")
	one.pictures(4*time.Second, 6*time.Second, "TR_v", keyFrame)
	one.pictures(4*time.Second, 5*time.Second, "TR_w", deltaFrame) // nothing to begin with
	one.microphone(2*time.Second, 6*time.Second, "bob", "TR_b")
	one.add(2500*time.Millisecond, journal.Muted{Track: "TR_b", Muted: true})
	one.add(2600*time.Millisecond, journal.Speaking{Identities: []string{"ann", "bob"}})
	one.add(5500*time.Millisecond, journal.Message{Identity: "ann", Text: "Bonjour <b>\nà tous"})
	one.add(6*time.Second, journal.Gap{Reason: journal.Overflow, Since: 5 * time.Second, Packets: 3})
	first := one.bytes()

	// The server is started again, ten seconds after the beginning.
	two := laterTape(2, 10*time.Second)
	two.microphone(time.Second, 2*time.Second, "ann", "TR_a3")
	two.add(2*time.Second, journal.Stopped{By: "ann"})

	index, dir := export(t, append(first, two.bytes()...))
	if got, want := told(index), strings.TrimSpace(`
01-ann-m-microphone.webm TR_a1 1.00+1.98 100
02-etc-passwd-microphone.webm TR_b 2.00+3.98 200
03-ann-m-microphone.webm TR_a2 4.00+0.98 50
04-ann-m-camera.webm TR_v 4.00+1.96 50
06-ann-m-microphone.webm TR_a3 11.00+0.98 50
skipped TR_w`); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var events []string
	for _, e := range index.Events {
		events = append(events, fmt.Sprintf("%.1f %s", e.At, e.Kind))
	}
	if got, want := strings.Join(events, ", "), "0.0 started, 0.0 joined, 0.0 joined, 2.5 muted, 2.6 speaking, 3.0 left, 4.0 joined, 5.5 message, 6.0 gap, 12.0 stopped"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if said := index.Events[7]; said.Identity != "ann" || said.Text != "Bonjour <b>\nà tous" {
		t.Errorf("the message: %+v", said)
	}
	if since := index.Events[8].Since; since == nil || *since != 5 {
		t.Errorf("the gap since %v", since)
	}
	if index.Recording != "r1" || index.Room != "room" || index.Duration != 12 || !index.Began.Equal(one.began) || index.Incomplete != "" {
		t.Errorf("%+v", index)
	}
	if !slices.Equal(index.People, []Person{{"ann", "Ann M.", "host"}, {"bob", "../../etc/passwd", "guest"}}) {
		t.Errorf("%+v", index.People)
	}

	raw, err := os.ReadFile(filepath.Join(dir, IndexName))
	if err != nil {
		t.Fatal(err)
	}
	var read Index
	if err := json.Unmarshal(raw, &read); err != nil || told(&read) != told(index) {
		t.Errorf("the index on the disk: %v\n%s", err, raw)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 6 {
		t.Errorf("%v, %v", entries, err)
	}
}

// Whatever became of the server's clock between two parts, none lies over another, nothing
// of them is lost, and what happened in each is told where its media are.
func TestPartsNeverOverlap(t *testing.T) {
	const apart = 0.25
	for name, tt := range map[string]struct {
		second, third    time.Duration // when they began by the clock
		starts2, starts3 float64
	}{
		"it ran on":               {70 * time.Second, 140 * time.Second, 70, 140},
		"set back an hour":        {70*time.Second - time.Hour, 140*time.Second - time.Hour, 60 + apart, 120 + 2*apart},
		"set back by a little":    {59 * time.Second, 129 * time.Second, 60 + apart, 129},
		"set back, and put right": {70*time.Second - time.Hour, 140 * time.Second, 60 + apart, 140},
		"set on by an hour":       {time.Hour, time.Hour + 70*time.Second, 3600, 3670},
		"set on, and put right":   {time.Hour, 140 * time.Second, 3600, 3660 + apart},
		"since 1970":              {56 * 365 * 24 * time.Hour, 56*365*24*time.Hour + 70*time.Second, 60 + apart, 120 + 2*apart},
	} {
		t.Run(name, func(t *testing.T) {
			var raw []byte
			for n, after := range []time.Duration{0, tt.second, tt.third} {
				part := laterTape(uint32(n+1), after)
				part.add(0, journal.Started{Recording: "r1", Room: "room", By: "ann"})
				part.microphone(0, time.Minute, "ann", "TR_a")
				part.pictures(0, time.Minute, "TR_v", keyFrame)
				part.add(30*time.Second, journal.Message{Identity: "ann", Text: "here"})
				part.add(time.Minute, journal.Gap{Reason: journal.Overflow, Since: 59 * time.Second, Packets: 1})
				raw = append(raw, part.bytes()...)
			}
			index, _ := export(t, raw)
			frames := map[string]int{}
			for _, f := range index.Files {
				frames[f.Track] += f.Frames
			}
			if frames["TR_a"] != 9000 || frames["TR_v"] != 4500 || index.Incomplete != "" || index.Duration != tt.starts3+60 {
				t.Errorf("frames %v, %v s, incomplete %q", frames, index.Duration, index.Incomplete)
			}
			// Of each track, what there is, and what of it is missing.
			sounds := map[string]float64{}
			for _, f := range index.Files {
				sounds[f.Track] += f.Duration
				for _, h := range f.Holes {
					sounds[f.Track] -= h.To - h.From
				}
			}
			for sid, length := range sounds {
				if length < 179 || length > 181 {
					t.Errorf("%s lasts %.2f s", sid, length)
				}
			}
			var got, want []string
			for _, e := range index.Events {
				if e.Since != nil {
					got = append(got, fmt.Sprintf("%.2f-%.2f", *e.Since, e.At))
				} else {
					got = append(got, fmt.Sprintf("%.2f", e.At))
				}
			}
			for _, at := range []float64{0, tt.starts2, tt.starts3} {
				want = append(want, fmt.Sprintf("%.2f", at), fmt.Sprintf("%.2f", at+30), fmt.Sprintf("%.2f-%.2f", at+59, at+60))
			}
			if !slices.Equal(got, want) {
				t.Errorf("events at %v\nwant %v", got, want)
			}
		})
	}
}

// Sound that was under way when a part began is not heard over the end of the one before.
func TestNothingIsPlacedBeforeItsPart(t *testing.T) {
	one := newTape()
	one.microphone(0, 10*time.Second, "ann", "TR_a")
	two := laterTape(2, 5*time.Second)
	id := two.stream(0, tap.Stream{Identity: "ann", Track: "TR_a", Source: "microphone", Mime: "audio/opus", PayloadType: 111, ClockRate: 48000, Channels: 2})
	for n := range 500 {
		// The first half second comes at once.
		captured := time.Duration(n)*20*time.Millisecond - 500*time.Millisecond
		at := max(captured, 0)
		if n%100 == 50 {
			two.add(at, journal.Report{Stream: id, SenderReport: tap.SenderReport{NTP: 1<<40 + uint64((captured.Seconds()+1)*(1<<32)), RTP: uint32(n) * 960}})
		}
		two.packet(at, id, &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 111, SequenceNumber: uint16(n), Timestamp: uint32(n) * 960}, Payload: []byte{0xf8, 0xff, 0xfe}})
	}
	index, _ := export(t, append(one.bytes(), two.bytes()...))
	if len(index.Files) != 1 || index.Files[0].Frames != 500+475 || index.Files[0].Duration < 19 {
		t.Errorf("%+v", index.Files)
	}
}

// What could not be opened is told of, also after the last packet.
func TestAJournalThatLacksItsEnd(t *testing.T) {
	one := newTape()
	one.microphone(time.Second, 3*time.Second, "ann", "TR_a")
	one.add(time.Minute, journal.Gap{Reason: journal.Missing, Since: 3 * time.Second})
	index, _ := export(t, one.bytes())
	if !strings.Contains(index.Incomplete, "missing") || index.Duration != 60 {
		t.Errorf("%+v", index)
	}
	if gap := index.Events[len(index.Events)-1]; gap.Kind != "gap" || gap.Reason != journal.Missing || gap.At != 60 || gap.Since == nil || *gap.Since != 3 {
		t.Errorf("the gap is %+v", gap)
	}
}

// A journal that breaks off is exported up to there.
func TestAJournalThatBreaksOff(t *testing.T) {
	one := newTape()
	one.microphone(time.Second, 3*time.Second, "ann", "TR_a")
	raw := one.bytes()
	index, _ := export(t, raw[:len(raw)*3/4])
	if index.Incomplete == "" || len(index.Files) != 1 || index.Files[0].Frames < 70 || index.Files[0].Frames > 80 {
		t.Errorf("%+v", index)
	}
	for name, raw := range map[string][]byte{"empty": nil, "nonsense": []byte("nonsense, nonsense"), "no head": raw[17:]} {
		dir := filepath.Join(t.TempDir(), "out")
		_, err := Export(t.Context(), Config{Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }, Into: OnDisk(dir)})
		if err == nil {
			t.Errorf("%s: exported", name)
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s: there is a folder", name)
		}
	}
}

// A track whose codec changes has a file of each.
func TestACodecThatChanges(t *testing.T) {
	one := newTape()
	one.pictures(time.Second, 2*time.Second, "TR_v", keyFrame)
	id := one.stream(2*time.Second, tap.Stream{Identity: "ann", Track: "TR_v", Source: "camera", Mime: "video/H264", PayloadType: 102, ClockRate: 90000})
	sps := []byte{0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40, 0x28, 0x02, 0xdd, 0x80, 0x88, 0x00, 0x00, 0x03, 0x00, 0x08, 0x00, 0x00, 0x03, 0x01, 0x84, 0x78, 0xc1, 0x95}
	for n, nal := range [][]byte{sps, {0x68, 0xce, 0x3c, 0x80}, {0x65, 1, 2, 3}} {
		one.packet(2*time.Second+time.Millisecond, id, &rtp.Packet{Header: rtp.Header{
			Version: 2, PayloadType: 102, SequenceNumber: uint16(n), Timestamp: 1, Marker: n == 2,
		}, Payload: nal})
	}
	index, _ := export(t, one.bytes())
	if got, want := told(index), "01-ann-camera.webm TR_v 1.00+0.96 25\n01-ann-camera-2.mkv TR_v 2.00+0.00 1"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A track that goes on after a while, as when consent was taken back and given again,
// has another file, and holds none open meanwhile.
func TestATrackThatGoesOn(t *testing.T) {
	one := newTape()
	one.microphone(time.Second, 3*time.Second, "ann", "TR_a")
	one.microphone(5*time.Second, 6*time.Second, "ann", "TR_a")
	one.microphone(0, 60*time.Second, "bob", "TR_b")
	one.microphone(30*time.Second, 31*time.Second, "ann", "TR_a")
	index, _ := export(t, one.bytes())
	if got, want := told(index), "01-bob-microphone.webm TR_b 0.00+59.98 3000\n02-ann-microphone.webm TR_a 1.00+4.98 150\n02-ann-microphone-2.webm TR_a 30.00+0.98 50"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A number that is used again is another stream, whoever's it is: what one said is never
// in the other's file.
func TestANumberThatIsUsedAgain(t *testing.T) {
	for _, ends := range []bool{true, false} {
		one := newTape()
		one.microphone(time.Second, 3*time.Second, "ann", "TR_a")
		one.next = 0
		one.microphone(4*time.Second, 5*time.Second, "bob", "TR_b")
		if !ends {
			one.records = slices.DeleteFunc(one.records, func(r journal.Record) bool { _, is := r.Event.(journal.End); return is })
		}
		index, _ := export(t, one.bytes())
		if got, want := told(index), "01-ann-microphone.webm TR_a 1.00+1.98 100\n02-bob-microphone.webm TR_b 4.00+0.98 50"; got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	one := newTape()
	one.microphone(time.Second, 3*time.Second, "ann", "TR_a")
	raw := one.bytes()
	_, dir := export(t, raw)
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }
	if _, err := Export(t.Context(), Config{Open: open, Into: OnDisk(dir)}); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("into a folder with files: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Export(ctx, Config{Open: open, Into: OnDisk(filepath.Join(t.TempDir(), "x"))}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// Streams of garbage, lies about time among them, end in files that close, and times
// within the meeting.
func TestHostileStreams(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	mimes := []string{"video/VP8", "video/VP9", "video/AV1", "video/H264", "audio/opus", "audio/red", ""}
	for range 20 {
		one := newTape()
		for _, mime := range mimes {
			id := one.stream(0, tap.Stream{
				Identity: strings.Repeat("é/", random.IntN(50)), Track: mime, Mime: mime, PayloadType: 96, ClockRate: random.Uint32() >> random.IntN(33), Channels: uint16(random.IntN(3)),
			})
			for n := range 300 {
				at := time.Duration(n) * 10 * time.Millisecond
				raw := make([]byte, random.IntN(60))
				for i := range raw {
					raw[i] = byte(random.Uint32())
				}
				if random.IntN(4) > 0 {
					h := rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: uint16(n * random.IntN(3)), Timestamp: uint32(n) << random.IntN(32), Marker: random.IntN(2) == 0}
					payload := append(slices.Clone([][]byte{keyFrame, deltaFrame, {0x7c, 0x85}, {0x10}, {0x2c, 0}}[random.IntN(5)]), raw...)
					one.packet(at, id, &rtp.Packet{Header: h, Payload: payload})
				} else {
					one.add(at, journal.Packet{Stream: id, RTP: raw})
				}
				if n%20 == 0 {
					one.add(at, journal.Report{Stream: id, SenderReport: tap.SenderReport{NTP: random.Uint64(), RTP: random.Uint32()}})
				}
			}
		}
		index, _ := export(t, one.bytes())
		for _, f := range index.Files {
			if f.Start < -20 || f.Start+f.Duration > 10 || f.Frames == 0 {
				t.Errorf("%+v", f)
			}
		}
	}
}

func TestFileNames(t *testing.T) {
	for _, tt := range []struct{ person, want string }{
		{"Anne Martin", "07-anne-martin-camera.webm"},
		{"  José--María (2)  ", "07-josé-maría-2-camera.webm"},
		{"../../x\x00y", "07-x-y-camera.webm"},
		{"؟سارة", "07-سارة-camera.webm"},
		{"…", "07-camera.webm"},
		{strings.Repeat("long ", 20), "07-" + strings.TrimRight(strings.Repeat("long-", 10), "-") + "-camera.webm"},
		{"con:aux", "07-con-aux-camera.webm"},
	} {
		if got := fileName(7, tt.person, "camera", "webm"); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.person, got, tt.want)
		}
	}
}
