package recorder

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"aparte/recorder/journal"
	"aparte/recorder/seal"
	"aparte/sfu/leaktest"
	"aparte/sfu/tap"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		os.Exit(crashing(dir))
	}
	leaktest.Main(m)
}

// archive is a key that is made once, and whoever has it.
var archive = sync.OnceValue(func() struct {
	to   []seal.Recipient
	with []seal.Identity
} {
	file, to, err := seal.NewIdentityFile(time.Now())
	if err != nil {
		panic(err)
	}
	with, err := seal.ParseIdentities(file)
	if err != nil {
		panic(err)
	}
	return struct {
		to   []seal.Recipient
		with []seal.Identity
	}{[]seal.Recipient{to}, with}
})

func config(t testing.TB) Config {
	t.Helper()
	data := t.TempDir()
	key, err := seal.LoadNodeKey(data, "paris-1")
	if err != nil {
		t.Fatal(err)
	}
	return Config{Dir: filepath.Join(data, "recordings"), Key: key, Recipients: archive().to, Spare: 1}
}

var about = About{ID: "rec", Room: "room-1", Policy: "protected", By: "anne"}

func start(t testing.TB, cfg Config) *Recording {
	t.Helper()
	r, err := Start(cfg, about)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func stop(t testing.TB, r *Recording) {
	t.Helper()
	if err := r.Stop(context.Background(), "anne", ""); err != nil {
		t.Fatal(err)
	}
}

func note(t testing.TB, r *Recording, events ...journal.Event) {
	t.Helper()
	for _, e := range events {
		if err := r.Note(e); err != nil {
			t.Fatal(err)
		}
	}
}

func given(identity string) journal.Consent {
	return journal.Consent{Identity: identity, Answer: journal.Given, Wording: "2027-1"}
}

// rtp is a packet whose payload says which.
func rtp(n uint64) []byte {
	b := make([]byte, 12, 1100)
	b[0] = 0x80
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	b = binary.BigEndian.AppendUint64(b, n)
	return append(b, strings.Repeat("MARKED PAYLOAD ", 60)...)
}

func tapped(id uint32, identity string) tap.Stream {
	return tap.Stream{ID: id, Identity: identity, Track: "TR_" + identity, Source: "camera", Mime: "video/VP8", SSRC: id, PayloadType: 96, ClockRate: 90000}
}

// opened is a recording's journal, without heads, and its last manifest. It must be
// untouched.
func opened(t testing.TB, cfg Config) ([]journal.Record, *seal.Opened) {
	t.Helper()
	files, err := OpenFiles(filepath.Join(cfg.Dir, "rec"))
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	var plain bytes.Buffer
	o, err := seal.Open(files.Parts, cfg.Key.Public(), archive().with, files.Lone, false, &plain)
	if err != nil {
		if o != nil {
			t.Error(o.Report.Findings)
		}
		t.Fatal(err)
	}
	var records []journal.Record
	for r := journal.NewReader(&plain); ; {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return records, o
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, head := record.Event.(journal.Head); !head {
			records = append(records, record)
		}
	}
}

func events(records []journal.Record) []string {
	var all []string
	for _, r := range records {
		text := fmt.Sprintf("%T", r.Event)
		if p, ok := r.Event.(journal.Packet); ok {
			text = fmt.Sprintf("%d:%d", p.Stream, binary.BigEndian.Uint64(p.RTP[12:]))
		}
		all = append(all, strings.TrimPrefix(text, "journal."))
	}
	return all
}

func want(t testing.TB, records []journal.Record, expected ...string) {
	t.Helper()
	if got := events(records); !slices.Equal(got, expected) {
		t.Errorf("the journal has\n%q, want\n%q", got, expected)
	}
}

func TestARecordingIsWhatCameIn(t *testing.T) {
	cfg := config(t)
	r := start(t, cfg)
	note(t, r, journal.Joined{Identity: "ines", Name: "Inês", Kind: "guest"}, given("ines"))
	r.Begin(tapped(7, "ines"))
	at := time.Now()
	r.Packet(7, at, rtp(1))
	r.Packet(7, at.Add(20*time.Millisecond), rtp(2))
	report := tap.SenderReport{NTP: 1 << 40, RTP: 5, Packets: 2, Octets: 2000}
	r.Report(7, at, report)
	r.Speaking([]string{"ines", "boris"}, at)
	r.Muted("TR_ines", true, at)
	r.Muted("TR_boris", true, at)
	note(t, r, journal.Renamed{Identity: "ines", Name: "Inês D."}, journal.Left{Identity: "ines"})
	r.End(7, at)
	r.Packet(7, at, rtp(3)) // too late
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop(t, r)
	records, o := opened(t, cfg)
	want(t, records, "Started", "Joined", "Consent", "Begin", "7:1", "7:2", "Report", "Speaking", "Muted", "Renamed", "Left", "End", "Stopped")
	for i, e := range map[int]journal.Event{
		0: journal.Started{Recording: "rec", Room: "room-1", By: "anne"}, 3: journal.Begin{Stream: tapped(7, "ines")}, 4: journal.Packet{Stream: 7, RTP: rtp(1)},
		6: journal.Report{Stream: 7, SenderReport: report}, 7: journal.Speaking{Identities: []string{"ines"}}, 12: journal.Stopped{By: "anne"},
	} {
		if !reflect.DeepEqual(records[i].Event, e) {
			t.Errorf("%d: %+v, want %+v", i, records[i].Event, e)
		}
	}
	if d := records[5].At - records[4].At; d != 20*time.Millisecond {
		t.Errorf("packets 20 ms apart are %s apart", d)
	}
	m, c := o.Manifests[1], o.Report.Parts[0].Closing
	if len(m.Tracks) != 1 || m.Tracks[0].Packets != 2 || m.Tracks[0].Identity != "ines" || len(m.People) != 1 || len(m.Consents) != 1 || m.Omitted != 0 {
		t.Errorf("manifest %+v", m)
	}
	if !c.Final || c.Reason != "stopped" || c.Packets != 2 || c.Bytes != uint64(2*len(rtp(1))) || c.Lost != 0 {
		t.Errorf("closing %+v", c)
	}
	if s := r.Stats(); s.Packets != 2 || s.Lost != 0 || s.Written != o.Report.Parts[0].Left+size(t, cfg) {
		t.Errorf("%+v", s)
	}
	if err := r.Note(given("ines")); !errors.Is(err, ErrEnded) {
		t.Errorf("after the end: %v", err)
	}
	if err := r.Flush(t.Context()); !errors.Is(err, ErrEnded) {
		t.Errorf("after the end: %v", err)
	}
	if err := r.Stop(t.Context(), "", ""); err != nil {
		t.Errorf("stopped twice: %v", err)
	}
}

func size(t testing.TB, cfg Config) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(cfg.Dir, "rec", "part-0001.tar"))
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// Whoever has the disk, at whatever moment, reads neither what was said nor by whom.
func TestNothingPlainIsOnTheDisk(t *testing.T) {
	cfg := config(t)
	r, err := Start(cfg, About{ID: "rec", Room: "room-1", Policy: "protected", By: "account-of-anne"})
	if err != nil {
		t.Fatal(err)
	}
	note(t, r, journal.Joined{Identity: "identity-of-ines", Name: "Inês Name", Kind: "guest"}, given("identity-of-ines"))
	r.Begin(tapped(1, "identity-of-ines"))
	look := func() (files int) {
		t.Helper()
		err := filepath.WalkDir(filepath.Dir(cfg.Dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			mode := fs.FileMode(0o600)
			switch {
			case path == filepath.Dir(cfg.Dir):
				return nil
			case d.IsDir():
				mode = 0o700
			case d.Name() == seal.PublicKeyFile:
				mode = 0o644
			}
			if info.Mode().Perm() != mode {
				t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), mode)
			}
			if d.IsDir() {
				return nil
			}
			files++
			b, err := os.ReadFile(path)
			// None is so short that chance writes it into 100 kB of ciphertext, or into a key that is
			// told in letters: of five bytes, one run in ten million has them.
			for _, word := range []string{"MARKED", "PAYLOAD", "Inês Name", "identity-of-ines", "video/VP8", "APJ1\x01", "account-of-anne"} {
				if bytes.Contains(b, []byte(word)) {
					t.Errorf("%q is in %s", word, path)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	for n := range uint64(5) {
		for i := range uint64(20) {
			r.Packet(1, time.Now(), rtp(n*20+i))
		}
		look()
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if files := look(); files != 3 {
			t.Fatalf("%d files, want the node's key, its public half and a part", files)
		}
	}
	stop(t, r)
	look()
	if records, _ := opened(t, cfg); len(records) < 100 || !bytes.Contains(records[10].Event.(journal.Packet).RTP, []byte("MARKED")) {
		t.Error("what was looked for was not recorded at all")
	}
}

// Whoever has not agreed is not in the recording, whatever the tap lets through.
func TestOnlyWhoAgreedIsKept(t *testing.T) {
	cfg := config(t)
	r := start(t, cfg)
	n := uint64(0)
	send := func() {
		n++
		for id := range uint32(4) {
			r.Packet(id, time.Now(), rtp(n))
			r.Report(id, time.Now(), tap.SenderReport{})
		}
	}
	note(t, r, given("anne"), journal.Consent{Identity: "boris", Answer: journal.Declined})
	r.Begin(tapped(1, "anne"))
	r.Begin(tapped(2, "boris"))
	r.Begin(tapped(3, "chloe")) // not asked yet
	send()                      // 1
	note(t, r, given("chloe"))
	send() // 2: chloe from here on
	note(t, r, journal.Consent{Identity: "anne", Answer: journal.Withdrawn})
	send() // 3: without anne
	r.Speaking([]string{"boris", "anne", "chloe"}, time.Now())
	r.Muted("TR_boris", true, time.Now())
	note(t, r, given("anne"))
	send() // 4
	for _, id := range []uint32{1, 2, 3} {
		r.End(id, time.Now())
	}
	if err := r.Note(journal.Consent{Identity: "boris", Answer: "perhaps"}); err == nil {
		t.Error("an answer that is none")
	}
	if err := r.Note(journal.Stopped{}); err == nil {
		t.Error("an event that is the recorder's own")
	}
	stop(t, r)
	records, o := opened(t, cfg)
	want(t, records, "Started", "Consent", "Consent", "Begin", "1:1", "Report", "Consent", "Begin", "1:2", "Report", "3:2", "Report",
		"Consent", "3:3", "Report", "Speaking", "Consent", "1:4", "Report", "3:4", "Report", "End", "End", "Stopped")
	for _, r := range records {
		if s, ok := r.Event.(journal.Speaking); ok && !slices.Equal(s.Identities, []string{"chloe"}) {
			t.Errorf("%v speak", s.Identities)
		}
	}
	if m := o.Manifests[1]; len(m.Consents) != 5 || len(m.Tracks) != 2 {
		t.Errorf("%+v", m)
	}
}

// So are their messages: what somebody wrote who has not agreed, or in a pause, is nowhere.
func TestMessagesAreKeptLikeMedia(t *testing.T) {
	cfg := config(t)
	r := start(t, cfg)
	say := func(identity, text string) { note(t, r, journal.Message{Identity: identity, Text: text}) }
	say("anne", "before her yes")
	note(t, r, given("anne"), given("chloe"), journal.Consent{Identity: "boris", Answer: journal.Declined})
	say("anne", "Bonjour")
	say("boris", "MARKED")
	r.Pause("anne")
	say("anne", "in the pause")
	r.Resume("anne")
	note(t, r, journal.Consent{Identity: "anne", Answer: journal.Withdrawn})
	say("anne", "after her withdrawal")
	say("chloe", "À bientôt")
	stop(t, r)
	records, _ := opened(t, cfg)
	want(t, records, "Started", "Consent", "Consent", "Consent", "Message", "Paused", "Resumed", "Consent", "Message", "Stopped")
	if got := []journal.Event{records[4].Event, records[8].Event}; !reflect.DeepEqual(got, []journal.Event{
		journal.Message{Identity: "anne", Text: "Bonjour"}, journal.Message{Identity: "chloe", Text: "À bientôt"},
	}) {
		t.Errorf("%+v", got)
	}
}

// Nobody can write a recording full: messages for which there is no room are a gap, and it
// goes on.
func TestAFloodOfMessages(t *testing.T) {
	cfg := config(t)
	cfg.Every, cfg.Buffer = time.Hour, 2*chunkLen // Flush is the only one who writes, and two pieces have room
	hold := make(chan struct{})
	cfg = cfg.with(func(write int) error {
		if write > 1 { // the binding is through
			<-hold
		}
		return nil
	})
	r := start(t, cfg)
	note(t, r, given("anne"))
	for range 2*chunkLen/journal.MaxText + 10 {
		note(t, r, journal.Message{Identity: "anne", Text: strings.Repeat("x", journal.MaxText)})
	}
	close(hold)
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	note(t, r, journal.Message{Identity: "anne", Text: "There is room again"})
	stop(t, r)
	records, _ := opened(t, cfg)
	told := events(records)
	if n := len(told); n < 60 || !slices.Equal(told[n-3:], []string{"Gap", "Message", "Stopped"}) {
		t.Fatalf("%d records, the last %q", n, told[max(n-3, 0):])
	}
	if gap := records[len(records)-3].Event.(journal.Gap); gap.Reason != journal.Overflow || gap.Packets < 10 || gap.Bytes != gap.Packets*journal.MaxText {
		t.Errorf("%+v", gap)
	}
}

// A stream that begins under the number of one that never ended, of a tap that was closed
// without a word, ends that.
func TestAStreamThatBeginsTwice(t *testing.T) {
	cfg := config(t)
	r := start(t, cfg)
	note(t, r, given("anne"), given("ines"))
	r.Begin(tapped(1, "anne"))
	r.Packet(1, time.Now(), rtp(1))
	r.Begin(tapped(1, "ines"))
	r.Packet(1, time.Now(), rtp(2))
	stop(t, r)
	records, o := opened(t, cfg)
	want(t, records, "Started", "Consent", "Consent", "Begin", "1:1", "End", "Begin", "1:2", "Stopped")
	if m := o.Manifests[1]; len(m.Tracks) != 2 || m.Tracks[0].Packets != 1 || m.Tracks[1].Identity != "ines" {
		t.Errorf("%+v", m.Tracks)
	}
}

func TestAPauseKeepsNothing(t *testing.T) {
	cfg := config(t)
	r := start(t, cfg)
	note(t, r, given("anne"))
	r.Begin(tapped(1, "anne"))
	r.Packet(1, time.Now(), rtp(1))
	r.Pause("anne")
	r.Pause("anne")
	r.Packet(1, time.Now(), rtp(2))
	r.Report(1, time.Now(), tap.SenderReport{})
	r.Speaking([]string{"anne"}, time.Now())
	note(t, r, journal.Joined{Identity: "ines"})
	during := time.Now()
	r.Resume("anne")
	r.Resume("anne")
	r.Packet(1, during, rtp(4)) // the tap hands over a little later
	r.Packet(1, time.Now(), rtp(5))
	r.Packet(1, time.Now(), rtp(3)) // lost in the pause, asked for, and late
	for _, seq := range []uint64{6, 40_000} {
		r.Packet(1, time.Now(), rtp(seq))
	}
	r.Packet(1, time.Now().Add(lateMost), rtp(40_001)) // its number says nothing any more
	stop(t, r)
	records, o := opened(t, cfg)
	want(t, records, "Started", "Consent", "Begin", "1:1", "Paused", "Joined", "Resumed", "Speaking", "1:5", "1:6", "1:40001", "Stopped")
	if o.Report.Parts[0].Closing.Lost != 0 {
		t.Error("a pause counts as a loss")
	}
}

// What is lost is told before what comes next, and if nothing comes, at the next write.
func TestGapsAreTold(t *testing.T) {
	cfg := config(t)
	cfg.Every = time.Hour // Flush is the only one who writes
	r := start(t, cfg)
	note(t, r, given("anne"))
	r.Begin(tapped(1, "anne"))
	at := time.Now()
	huge := make([]byte, journal.MaxRTP+1)
	r.Packet(1, at, huge)
	r.Packet(1, at.Add(time.Second), huge)
	r.Packet(1, at.Add(2*time.Second), rtp(1))
	r.Packet(1, at.Add(3*time.Second), huge)
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	records, o := opened(t, cfg) // while it is recorded
	want(t, records, "Started", "Consent", "Begin", "Gap", "1:1", "Gap")
	gap := records[3].Event.(journal.Gap)
	if gap.Reason != journal.Oversize || gap.Packets != 2 || gap.Bytes != uint64(2*len(huge)) || records[3].At-gap.Since != time.Second {
		t.Errorf("%+v until %s", gap, records[3].At)
	}
	if o.Report.Closed() || r.Stats().Lost != 3 {
		t.Errorf("%q, %+v", o.Report.Unclosed, r.Stats())
	}
	stop(t, r)
	if _, o := opened(t, cfg); o.Report.Parts[0].Closing.Lost != 3 || len(o.Manifests[1].Gaps) != 2 {
		t.Errorf("%+v", o.Report.Parts[0].Closing)
	}
}

// slow is a disk whose writes the test holds up.
type slow struct {
	seal.File
	hold func(write int) error
	n    int
}

func (s *slow) Write(b []byte) (int, error) {
	s.n++
	if err := s.hold(s.n); err != nil {
		n, _ := s.File.Write(b[:len(b)/3])
		return n, err
	}
	return s.File.Write(b)
}

func (c Config) with(hold func(write int) error) Config {
	c.disk = &disk{room: Room, create: func(folder string) (seal.File, error) {
		f, err := newPart(folder)
		return &slow{File: f, hold: hold}, err
	}}
	return c
}

// A disk that takes seconds costs packets, which are counted, and nobody waits for it.
func TestASlowDisk(t *testing.T) {
	cfg := config(t)
	synctest.Test(t, func(t *testing.T) {
		cfg.Buffer = 4 * chunkLen
		cfg := cfg.with(func(write int) error {
			if write == 3 { // of the binding and the first segment there was none
				time.Sleep(10 * time.Second)
			}
			return nil
		})
		r := start(t, cfg)
		note(t, r, given("anne"))
		r.Begin(tapped(1, "anne"))
		sent := uint64(0)
		for range 15_000 / 5 { // 15 s at 200 packets a second
			before := time.Now()
			r.Packet(1, before, rtp(sent))
			if sent%100 == 50 {
				r.Report(1, before, tap.SenderReport{})
			}
			if waited := time.Since(before); waited != 0 {
				t.Fatalf("packet %d waited %s", sent, waited)
			}
			sent++
			time.Sleep(5 * time.Millisecond)
		}
		stop(t, r)
		records, o := opened(t, cfg)
		var kept, lost, reports uint64
		next := uint64(0)
		for _, record := range records {
			switch e := record.Event.(type) {
			case journal.Packet:
				n := binary.BigEndian.Uint64(e.RTP[12:])
				if n != next {
					t.Fatalf("packet %d, want %d: a loss that no gap tells of", n, next)
				}
				next++
				kept++
			case journal.Report:
				reports++
			case journal.Gap:
				if e.Reason != journal.Overflow || e.Since > record.At || e.Bytes != e.Packets*uint64(len(rtp(0))) {
					t.Errorf("gap %+v at %s", e, record.At)
				}
				lost += e.Packets
				next += e.Packets
			}
		}
		c := o.Report.Parts[0].Closing
		if kept+lost != sent || lost == 0 || kept == 0 || c.Packets != kept || c.Lost != lost {
			t.Errorf("of %d packets %d are there and %d told as lost; the closing says %d and %d", sent, kept, lost, c.Packets, c.Lost)
		}
		// What explains packets is kept for longer than they are.
		if reports != sent/100 {
			t.Errorf("%d reports, want %d", reports, sent/100)
		}
		if s := r.Stats(); s.Lost != lost || s.Packets != kept {
			t.Errorf("%+v", s)
		}
	})
}

func failed(t testing.TB, r *Recording) error {
	t.Helper()
	select {
	case <-r.Ended():
		return r.Err()
	case <-time.After(time.Minute):
		t.Fatal("capture has not said that it stopped")
		return nil
	}
}

// A disk that does not answer ends the recording; what comes of it later counts.
func TestADiskThatStalls(t *testing.T) {
	cfg := config(t)
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		cfg := cfg.with(func(write int) error {
			if write == 3 {
				<-release
			}
			return nil
		})
		r := start(t, cfg)
		note(t, r, given("anne"))
		r.Begin(tapped(1, "anne"))
		for n := range uint64(40) {
			r.Packet(1, time.Now(), rtp(n))
			time.Sleep(50 * time.Millisecond)
		}
		before := time.Now()
		if err := failed(t, r); !errors.Is(err, ErrStalled) {
			t.Errorf("it says %v", err)
		}
		if after := time.Since(before); after > 30*time.Second {
			t.Errorf("it said so after %s", after)
		}
		r.mu.Lock()
		if len(r.buffer.full) > 0 || r.buffer.now != nil {
			t.Error("what waited is still in memory")
		}
		r.mu.Unlock()
		select {
		case <-r.Done():
			t.Error("the file is closed, which the disk has not answered")
		default:
		}
		r.Packet(1, time.Now(), rtp(100))
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.Stop(soon, "anne", ""); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop waits for no disk that does not answer: %v", err)
		}
		close(release)
		<-r.Done()
		_, o := opened(t, cfg)
		if c := o.Report.Parts[0].Closing; c == nil || c.Reason != "the disk does not answer" || c.Packets+c.Lost != 40 || c.Packets < 19 || c.Packets > 21 {
			t.Errorf("%+v", c)
		}
		if err := r.Stop(t.Context(), "anne", ""); !errors.Is(err, ErrStalled) {
			t.Errorf("Stop: %v", err)
		}
	})
}

// A full disk ends the recording and keeps what is there.
func TestAFullDisk(t *testing.T) {
	cfg := config(t)
	cfg.Every = time.Hour // Flush is the only one who writes: writes are counted
	full := false
	cfg = cfg.with(func(write int) error {
		if write == 4 {
			full = true
			return &fs.PathError{Op: "write", Path: "part", Err: syscall.ENOSPC}
		}
		return nil
	})
	r := start(t, cfg)
	note(t, r, given("anne"))
	r.Begin(tapped(1, "anne"))
	for n := range uint64(5) {
		r.Packet(1, time.Now(), rtp(n))
		if err := r.Flush(t.Context()); (err != nil) != full {
			t.Errorf("packet %d: %v", n, err)
		}
	}
	if err := failed(t, r); !errors.Is(err, ErrLowDisk) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("it says %v", err)
	}
	if err := r.Stop(t.Context(), "anne", ""); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Stop: %v", err)
	}
	records, o := opened(t, cfg)
	want(t, records, "Started", "Consent", "Begin", "1:0", "1:1")
	if c := o.Report.Parts[0].Closing; !o.Report.Closed() || c.Reason != "no room on the disk" || c.Packets != 2 || c.Lost != 1 {
		t.Errorf("%q, %+v", o.Report.Unclosed, c)
	}
}

func TestLowDisk(t *testing.T) {
	cfg := config(t)
	var mu sync.Mutex
	left := int64(10 << 20)
	cfg.Spare = 5 << 20
	cfg.disk = &disk{create: newPart, room: func(string) (int64, error) { mu.Lock(); defer mu.Unlock(); return left, nil }}
	r := start(t, cfg)
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	left = 5<<20 - 1
	mu.Unlock()
	note(t, r, given("anne"))
	if err := failed(t, r); !errors.Is(err, ErrLowDisk) {
		t.Errorf("it says %v", err)
	}
	<-r.Done()
	if _, o := opened(t, cfg); !o.Report.Closed() || o.Report.Parts[0].Closing.Reason != "no room on the disk" {
		t.Errorf("%+v", o.Report.Parts[0].Closing)
	}
	other := about
	other.ID = "another"
	if _, err := Start(cfg, other); !errors.Is(err, ErrLowDisk) {
		t.Errorf("started on a full disk: %v", err)
	}
	if _, err := os.Stat(filepath.Join(cfg.Dir, "another")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("and left a folder: %v", err)
	}
}

// Events that find no room at all end the recording: a journal that does not say who is
// in it is none.
func TestWhenNotEvenEventsHaveRoom(t *testing.T) {
	cfg := config(t)
	synctest.Test(t, func(t *testing.T) {
		cfg.Buffer = 2 * chunkLen
		cfg := cfg.with(func(write int) error {
			if write == 2 {
				time.Sleep(20 * time.Second)
			}
			return nil
		})
		r := start(t, cfg)
		time.Sleep(time.Second) // the writer is held up
		noted := 0
		for ; r.Note(journal.Joined{Identity: strings.Repeat("x", 4000)}) == nil; noted++ {
			if noted > 10*chunkLen/4000 {
				t.Fatal("the buffer has no end")
			}
		}
		if err := failed(t, r); !errors.Is(err, ErrBehind) {
			t.Errorf("it says %v", err)
		}
		<-r.Done()
		records, o := opened(t, cfg)
		if len(records) != noted || o.Report.Parts[0].Closing.Reason != "the disk is too slow" {
			t.Errorf("%d records of %d, %+v", len(records), noted, o.Report.Parts[0].Closing)
		}
	})
}

func TestARestartBeginsAnotherPart(t *testing.T) {
	cfg := config(t)
	for n := range uint64(3) {
		r := start(t, cfg)
		if r.Part() != uint32(n)+1 {
			t.Fatalf("part %d, want %d", r.Part(), n+1)
		}
		if _, err := Start(cfg, about); !errors.Is(err, ErrInUse) {
			t.Fatalf("started twice: %v", err)
		}
		r.Begin(tapped(1, "anne"))
		r.Packet(1, time.Now(), rtp(100)) // consent is asked for again
		note(t, r, given("anne"))
		r.Packet(1, time.Now(), rtp(n))
		if n == 2 {
			stop(t, r)
		} else if err := r.Suspend(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			other := about
			other.Room = "room-2"
			if _, err := Start(cfg, other); err == nil || !strings.Contains(err.Error(), `is of room "room-1", not of "room-2"`) {
				t.Errorf("of another room: %v", err)
			}
			otherKey := config(t)
			otherKey.Dir = cfg.Dir
			if _, err := Start(otherKey, about); err == nil || !strings.Contains(err.Error(), "not of this server") {
				t.Errorf("of another server: %v", err)
			}
		}
	}
	records, o := opened(t, cfg)
	want(t, records, "Started", "Consent", "Begin", "1:0", "Started", "Consent", "Begin", "1:1", "Started", "Consent", "Begin", "1:2", "Stopped")
	if !o.Report.Closed() || len(o.Report.Parts) != 3 || records[4].Part != 2 {
		t.Errorf("%+v", o.Report)
	}
	if _, err := Start(cfg, about); !errors.Is(err, ErrEnded) {
		t.Errorf("started after its end: %v", err)
	}
}

// What was cut off by a crash is kept, and the next part says where it ended.
func TestARestartAfterACrash(t *testing.T) {
	cfg := config(t)
	r := start(t, cfg)
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	note(t, r, given("anne"))
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.Suspend(t.Context()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(cfg.Dir, "rec", "part-0001.tar")
	whole := size(t, cfg)
	if err := os.Truncate(path, whole-6000); err != nil { // into the second segment
		t.Fatal(err)
	}
	// A part that never got its binding counts for nothing.
	if err := os.WriteFile(filepath.Join(cfg.Dir, "rec", halfMade), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	r = start(t, cfg)
	stop(t, r)
	records, o := opened(t, cfg)
	want(t, records, "Started", "Started", "Stopped")
	if p := o.Report.Parts[1].Binding.Previous; p.Segments != 1 || p.Left == 0 || !o.Report.Closed() {
		t.Errorf("%+v, %q", p, o.Report.Unclosed)
	}
	if size(t, cfg) != whole-6000 {
		t.Error("what was left of the first part was touched")
	}
}

func TestWhatCannotBeStarted(t *testing.T) {
	cfg := config(t)
	for _, id := range []string{"-nyUtXVLq3mPq8vK2dfe0w", "_", strings.Repeat("x", 64)} {
		r, err := Start(cfg, About{ID: id, Room: "room-1"})
		if err != nil {
			t.Fatal(err)
		}
		stop(t, r)
	}
	cfg = config(t)
	for _, id := range []string{"", "..", "a/b", "a b", ".hidden", "a.b", strings.Repeat("x", 65), "é"} {
		if _, err := Start(cfg, About{ID: id, Room: "room-1"}); err == nil {
			t.Errorf("%q is an id", id)
		}
	}
	if _, err := Start(cfg, About{ID: "rec"}); err == nil {
		t.Error("of no room")
	}
	cfg.Recipients = nil
	if _, err := Start(cfg, about); err == nil {
		t.Error("to nobody")
	}
	if _, err := os.Stat(cfg.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was made: %v", err)
	}
}

// Publishers, the room and the disk at once, for the race detector.
func TestAllAtOnce(t *testing.T) {
	cfg := config(t)
	cfg.Every = time.Millisecond
	r := start(t, cfg)
	var all sync.WaitGroup
	for id := range uint32(6) {
		identity := fmt.Sprint("p", id)
		all.Go(func() {
			note(t, r, given(identity))
			for round := range uint64(3) {
				s := tapped(id+uint32(round)*100, identity)
				r.Begin(s)
				for n := range uint64(200) {
					r.Packet(s.ID, time.Now(), rtp(n))
				}
				r.Report(s.ID, time.Now(), tap.SenderReport{})
				r.Muted(s.Track, true, time.Now())
				r.End(s.ID, time.Now())
			}
		})
	}
	all.Go(func() {
		for range 50 {
			r.Speaking([]string{"p1"}, time.Now())
			r.Stats()
			if err := r.Flush(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	all.Wait()
	stop(t, r)
	records, o := opened(t, cfg)
	next := make(map[uint32]uint64)
	for _, record := range records {
		if p, ok := record.Event.(journal.Packet); ok {
			if n := binary.BigEndian.Uint64(p.RTP[12:]); n != next[p.Stream] {
				t.Fatalf("stream %d: packet %d, want %d", p.Stream, n, next[p.Stream])
			}
			next[p.Stream]++
		}
	}
	if c := o.Report.Parts[0].Closing; c.Packets != 6*3*200 || c.Lost != 0 {
		t.Errorf("%+v", c)
	}
}

// In steady state a packet costs no allocation, nor does the turn of the chunks.
func TestPacketsAllocateNothing(t *testing.T) {
	cfg := config(t)
	cfg.Every = time.Hour // the test is the writer
	r := start(t, cfg)
	note(t, r, given("anne"))
	r.Begin(tapped(1, "anne"))
	packet, at := rtp(1), time.Now()
	var chunks []*chunk
	interval := func() {
		for range 1000 { // 1 MB: several chunks
			r.Packet(1, at, packet)
		}
		r.Report(1, at, tap.SenderReport{})
		r.mu.Lock()
		chunks = r.buffer.take(chunks[:0], segmentChunks)
		r.buffer.give(chunks)
		r.mu.Unlock()
	}
	interval()
	if n := testing.AllocsPerRun(20, interval); n != 0 {
		t.Errorf("%v allocations in 1,000 packets", n)
	}
	if r.gap != nil || len(chunks) < 4 {
		t.Errorf("%d chunks: the test did not do what it says", len(chunks))
	}
	stop(t, r)
}

// A burst does not hold its memory for ever.
func TestMemoryIsGivenBack(t *testing.T) {
	b := buffer{limit: 100}
	fill := func(n int) []*chunk {
		for range n {
			b.fit(chunkLen, false).b = make([]byte, chunkLen)
		}
		return b.take(nil, n)
	}
	b.give(fill(80))
	for range 3 {
		b.give(fill(1))
	}
	if len(b.free) > 3 || b.used != 0 {
		t.Errorf("%d chunks are kept, %d in use", len(b.free), b.used)
	}
}

// A manifest is bounded, whatever people do, and says what it left out.
func TestAManifestThatIsFull(t *testing.T) {
	cfg := config(t)
	r := start(t, cfg)
	for range 5000 {
		note(t, r, journal.Joined{Identity: "x", Name: strings.Repeat("\x00", 500)}) // six bytes each in JSON
	}
	stop(t, r)
	_, o := opened(t, cfg)
	m := o.Manifests[1]
	if !o.Report.Closed() || m.Omitted == 0 || int(m.Omitted)+len(m.People) != 5000 {
		t.Errorf("%d people, %d omitted: %q", len(m.People), m.Omitted, o.Report.Unclosed)
	}
}

func TestPurge(t *testing.T) {
	cfg := config(t)
	folder := filepath.Join(cfg.Dir, "rec")
	if _, err := Purge(t.Context(), cfg.Dir, false); err == nil {
		t.Error("a folder that is not there")
	}
	r := start(t, cfg)
	if _, err := Purge(t.Context(), folder, false); !errors.Is(err, ErrInUse) {
		t.Errorf("while it is written: %v", err)
	}
	if _, err := Purge(t.Context(), cfg.Dir, false); !errors.Is(err, ErrNoRecording) {
		t.Errorf("the folder above: %v", err)
	}
	stop(t, r)
	kept := filepath.Join(folder, "notes.txt")
	if err := os.WriteFile(kept, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	bytes := size(t, cfg)
	done, err := Purge(t.Context(), folder, false)
	if err != nil || done.Parts != 1 || done.Bytes != bytes || !slices.Equal(done.Left, []string{"notes.txt"}) {
		t.Errorf("%+v, %v", done, err)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error("somebody else's file is gone")
	}
	if err := os.Remove(kept); err != nil {
		t.Fatal(err)
	}
	stop(t, start(t, cfg))
	film := filepath.Join(folder, FilmFolder)
	if err := errors.Join(os.Mkdir(film, 0o700), os.WriteFile(filepath.Join(film, "film.age"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	since := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	for _, held := range []time.Time{since, {}, since} {
		if err := SetHeld(cfg.Dir, "rec", held); err != nil {
			t.Fatal(err)
		}
		if got, is, err := Held(folder); err != nil || is == held.IsZero() || !got.Equal(held) {
			t.Errorf("held %s, %t, %v", got, is, err)
		}
	}
	before := size(t, cfg)
	if done, err := Purge(t.Context(), folder, false); !errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), "since 2026-03-01") || done.Parts != 0 || size(t, cfg) != before {
		t.Errorf("on hold: %+v, %v", done, err)
	}
	if done, err := Purge(t.Context(), folder, true); err != nil || done.Parts != 1 || len(done.Left) > 0 {
		t.Errorf("%+v, %v", done, err)
	}
	if err := SetHeld(cfg.Dir, "rec", since); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of what is not here: %v", err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}
