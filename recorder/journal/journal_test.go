package journal

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"aparte/sfu/tap"
)

var update = flag.Bool("update", false, "write the golden file anew")

var began = time.Date(2027, 3, 2, 9, 0, 0, 123456789, time.UTC)

// all is a journal with each kind of record.
var all = []struct {
	at time.Duration
	Event
}{
	{0, Head{1, began}},
	{5 * time.Microsecond, Started{"REC7", "room-1", "anne"}},
	{10 * time.Microsecond, Joined{"anne", "Anne Bernard", "host"}},
	{20 * time.Microsecond, Consent{"anne", Given, "2027-1/fr"}},
	{30 * time.Microsecond, Begin{tap.Stream{
		ID: 1, Identity: "anne", Track: "TR_a", Source: "microphone", Mime: "audio/opus", Fmtp: "minptime=10;useinbandfec=1",
		SSRC: 0xDEADBEEF, PayloadType: 111, RED: 63, ClockRate: 48000, Channels: 2,
	}}},
	{40 * time.Microsecond, Packet{1, []byte{0x80, 111, 0, 1, 0, 0, 0, 2, 0xDE, 0xAD, 0xBE, 0xEF, 'x'}}},
	{50 * time.Microsecond, Report{1, tap.SenderReport{NTP: 0xE1E2E3E400000001, RTP: 0x01020304, Packets: 7, Octets: 900}}},
	{time.Second, Muted{"TR_a", true}},
	{2 * time.Second, Muted{"TR_a", false}},
	{3 * time.Second, Speaking{[]string{"anne", "ines"}}},
	{4 * time.Second, Speaking{}},
	{5 * time.Second, Renamed{"ines", "Inês \u202Egnp"}},
	{6 * time.Second, Paused{"anne"}},
	{7 * time.Second, Resumed{"anne"}},
	{8 * time.Second, Gap{Overflow, 7900 * time.Millisecond, 300, 1 << 40}},
	{9 * time.Second, End{1}},
	{10 * time.Second, Left{"anne"}},
	{0, Head{3, began.Add(time.Hour)}},
	{0, Consent{"ines", Withdrawn, ""}},
	{36 * time.Hour, Stopped{"", "disk full"}},
	{36 * time.Hour, Message{"anne", "Bonjour à tous,\nà demain \u202E <b>"}},
}

func written() []byte {
	var b []byte
	for _, e := range all {
		b = Append(b, e.at, e.Event)
	}
	return b
}

func read(b []byte) (records []Record, err error) {
	r := NewReader(bytes.NewReader(b))
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			return records, err
		}
		records = append(records, record)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	records, err := read(written())
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != len(all) {
		t.Fatalf("%d records, want %d", len(records), len(all))
	}
	part := uint32(0)
	for i, got := range records {
		if head, ok := all[i].Event.(Head); ok {
			part = head.Part
		}
		if want := (Record{part, all[i].at, all[i].Event}); !reflect.DeepEqual(got, want) {
			t.Errorf("%d: %+v, want %+v", i, got, want)
		}
	}
}

// The bytes are a promise to archives: a change of them is another version.
func TestTheFormatStays(t *testing.T) {
	var dump strings.Builder
	for _, e := range all {
		fmt.Fprintf(&dump, "%T\n%s\n", e.Event, hex.Dump(Append(nil, e.at, e.Event)))
	}
	const golden = "testdata/version1.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(dump.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if dump.String() != string(want) {
		t.Errorf("the format has changed:\n%s", dump.String())
	}
}

func TestRepeatedHeadsArePassedOver(t *testing.T) {
	b := Append(nil, 0, Head{2, began})
	b = Append(b, 0, Left{"a"})
	b = Append(b, 0, Head{2, began})
	b = Append(b, 0, Left{"b"})
	records, err := read(b)
	if err != nil || len(records) != 3 {
		t.Fatalf("%d records, %v", len(records), err)
	}
}

// What somebody typed never makes a recording unreadable.
func TestTextsAreMadeFit(t *testing.T) {
	for name, want := range map[string]string{
		"a\xffb":                          "a\uFFFDb",
		strings.Repeat("x", MaxText+1):    strings.Repeat("x", MaxText),
		"x" + strings.Repeat("é", 1<<12):  "x" + strings.Repeat("é", MaxText/2-1),
		strings.Repeat("\xff", MaxText/2): "\uFFFD",
	} {
		records, err := read(Append(Append(nil, 0, Head{1, began}), 0, Renamed{"a", name}))
		if err != nil {
			t.Fatal(err)
		}
		if got := records[1].Event.(Renamed).Name; got != want {
			t.Errorf("%.20q: %.20q, want %.20q", name, got, want)
		}
	}
	many := make([]string, 1000)
	for i := range many {
		many[i] = strings.Repeat("é", MaxText)
	}
	records, err := read(Append(Append(nil, 0, Head{1, began}), 0, Speaking{many}))
	if err != nil || len(records[1].Event.(Speaking).Identities) != MaxSpeaking {
		t.Errorf("many speakers: %d records, %v", len(records), err)
	}
}

func TestTimesBeforeTheBeginningAreZero(t *testing.T) {
	records, err := read(Append(Append(nil, 0, Head{1, began}), -time.Second, Left{"a"}))
	if err != nil || records[1].At != 0 {
		t.Errorf("%+v, %v", records, err)
	}
}

func TestAJournalCutAnywhereIsReadUpToThere(t *testing.T) {
	whole := written()
	ends := map[int]int{0: 0} // byte to number of records before it
	for i, n := 0, 0; i < len(all); i++ {
		n += len(Append(nil, all[i].at, all[i].Event))
		ends[n] = i + 1
	}
	last := 0
	for n := range len(whole) + 1 {
		records, err := read(whole[:n])
		if at, ok := ends[n]; ok {
			if last = at; err != nil {
				t.Fatalf("cut at %d, between records: %v", n, err)
			}
		} else if format := (*FormatError)(nil); !errors.As(err, &format) || !format.Cut {
			t.Fatalf("cut at %d: %v", n, err)
		}
		if len(records) != last {
			t.Fatalf("cut at %d: %d records, want %d", n, len(records), last)
		}
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	head := Append(nil, 0, Head{2, began})
	record := func(kind byte, body string) string {
		return string(append([]byte{kind, 0, 0, byte(len(body))}, body...))
	}
	for _, c := range []struct {
		name, journal, want string
	}{
		{"no head", string(Append(nil, 0, Left{"a"})), "a journal begins with a head"},
		{"text", "Bonjour tout le monde", "a body of"},
		{"another version", record(1, "APJ2\x01\x00\x00\x00\x00\x00\x00\x00\x00"), "not the head of a journal of version 1"},
		{"head too short", record(1, "AP"), "not the head of a journal"},
		{"head too long", record(1, "APJ1\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"), "1 bytes after its last field"},
		{"part 0", record(1, "APJ1\x00\x00\x00\x00\x00\x00\x00\x00\x00"), "numbered from 1"},
		{"an earlier part", string(head) + string(Append(nil, 0, Head{1, began})), "part 1 after part 2"},
		{"a part twice", string(head) + string(Append(nil, 0, Head{2, began.Add(1)})), "part 2 began at two times"},
		{"too long", string(head) + "\x03\x02\x00\x01", "a body of 131073 bytes"},
		{"unknown kind", string(head) + record(0x7F, "\x00"), "unknown kind: written by a later version?"},
		{"no time", string(head) + record(0x12, ""), "shorter than its fields"},
		{"time too great", string(head) + record(0x12, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00"), "a number too great"},
		{"long number", string(head) + record(0x05, "\x00\x81\x00"), "not in its shortest form"},
		{"number too great", string(head) + record(0x05, "\x00\xff\xff\xff\xff\x1f"), "a number too great"},
		{"endless number", string(head) + record(0x05, "\x00\xff\xff"), "shorter than its fields"},
		{"text beyond the body", string(head) + record(0x12, "\x00\x05abc"), "shorter than its fields"},
		{"text too long", string(head) + record(0x12, "\x00\x81\x20abc"), "a text of 4097 bytes"},
		{"not UTF-8", string(head) + record(0x12, "\x00\x01\xff"), "not UTF-8"},
		{"flag", string(head) + record(0x06, "\x00\x00\x02"), "a flag of 2"},
		{"answer", string(head) + record(0x14, "\x00\x00\x05maybe\x00"), `the answer "maybe"`},
		{"more speakers than bytes", string(head) + record(0x07, "\x00\x03\x00"), "too great"},
		{"bytes left", string(head) + record(0x12, "\x00\x01ab"), "1 bytes after its last field"},
		{"payload type", string(head) + record(0x02, "\x00\x01\x00\x00\x00\x00\x00\x00\x01\x80\x02\x00\x00\x00"), "a number too great"},
	} {
		_, err := read([]byte(c.journal))
		format := (*FormatError)(nil)
		if !errors.As(err, &format) || !strings.Contains(err.Error(), c.want) || format.Cut {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestKindsOfLaterVersionsArePassedOver(t *testing.T) {
	b := Append(nil, 0, Head{1, began})
	b = append(b, 0x81, 0, 0, 3, 0, 'x', 'y')
	b = Append(b, 0, Left{"a"})
	records, err := read(b)
	if err != nil || len(records) != 2 {
		t.Errorf("%d records, %v", len(records), err)
	}
}

func TestErrorsOfTheDiskComeThrough(t *testing.T) {
	broken := errors.New("broken")
	r := NewReader(io.MultiReader(bytes.NewReader(written()[:100]), iotest.ErrReader(broken)))
	var err error
	for err == nil {
		_, err = r.Next()
	}
	if !errors.Is(err, broken) {
		t.Error(err)
	}
	if _, again := r.Next(); !errors.Is(again, err) {
		t.Errorf("then %v", again)
	}
}

func TestPacketsAndReportsAllocateNothing(t *testing.T) {
	b, rtp := make([]byte, 0, 1<<20), make([]byte, 1200)
	if n := testing.AllocsPerRun(100, func() {
		b = AppendPacket(b[:0], time.Minute, 7, rtp)
		b = AppendReport(b, time.Minute, 7, tap.SenderReport{NTP: 1})
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzReader: whatever is read is written again as it was, since there is one way to
// write a record.
func FuzzReader(f *testing.F) {
	f.Add(written())
	for _, e := range all {
		f.Add(Append(Append(nil, 0, Head{1, began}), e.at, e.Event))
	}
	f.Add([]byte("\x01\x00\x00\x0dAPJ1\x01\x00\x00\x00\x00\x00\x00\x00\x00\x80\x00\x00\x01\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(bytes.NewReader(b))
		for {
			before := r.offset
			record, err := r.Next()
			if err != nil {
				if format := (*FormatError)(nil); !errors.Is(err, io.EOF) && !errors.As(err, &format) {
					t.Fatalf("a journal in memory: %v", err)
				}
				return
			}
			if s, ok := record.Event.(Speaking); ok && len(s.Identities) > MaxSpeaking {
				continue
			}
			again := Append(nil, record.At, record.Event)
			// What was passed over lies before the record.
			if !bytes.HasSuffix(b[before:r.offset], again) {
				t.Fatalf("%+v: read from %x, written as %x", record, b[before:r.offset], again)
			}
		}
	})
}
