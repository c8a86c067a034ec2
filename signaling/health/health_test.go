package health

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden file anew")

var now = time.Date(2027, 3, 2, 9, 0, 0, 0, time.UTC)

// well is a server of which everything is known and nothing is wrong.
func well() Measured {
	return Measured{
		Program:  Program{Version: "v1.4.0", Commit: "4c05ac6f", Up: 49 * time.Hour},
		Load:     &Load{Average: 1, Cores: 4, Participants: 12},
		Memory:   &Memory{Available: 6_000_000_000, Total: 8_000_000_000},
		Database: Database{Answered: true, Took: 4 * time.Millisecond},
		Disks:    []Disk{{Use: ForData, Folder: "/var/lib/aparte", Known: true, Free: 40_000_000_000, Total: 100_000_000_000, Device: 1}},
		Traffic:  &Traffic{Over: 5 * time.Minute, Sent: 90_000, Dropped: 9},
		Ways:     Ways{Addresses: addresses("10.0.0.7", "198.51.100.7"), ByUDP: 5000, ByOthers: 2000, TCP: true, TURN: true, TURNS: true},
		TLS:      TLS{Secure: true, Host: "meet.example", Certificate: &Shown{From: now.AddDate(0, -1, 0), Until: now.AddDate(0, 0, 60), ForHost: true}},
		Clock:    Clock{Kept: new(true)}, Recipients: 2,
	}
}

func stored() *Store {
	return &Store{Place: "s3://recordings/paris", Answered: true, Parts: 2, Behind: 40 * time.Second}
}

func addresses(texts ...string) (all []netip.Addr) {
	for _, one := range texts {
		all = append(all, netip.MustParseAddr(one))
	}
	return all
}

// cases are what may be so, each in its own way different from well. want is what is found
// then and not on a well server.
var cases = []struct {
	name string
	but  func(m *Measured)
	want string
}{
	{"well", func(*Measured) {}, ""},
	{"just built, tried out", func(m *Measured) { m.Program = Program{Trial: true} }, "attention server-trial"},
	{"busy", func(m *Measured) { m.Load.Average = 4.1 }, "attention server-load"},
	{"as busy as it may be", func(m *Measured) { m.Load.Average = 4 }, ""},
	{"overloaded", func(m *Measured) { m.Load.Average = 8.1 }, "broken server-load"},
	{"load is not known", func(m *Measured) { m.Load = nil }, "unknown load-unknown"},
	{"little memory", func(m *Measured) { m.Memory.Available = 790_000_000 }, "attention server-memory"},
	{"hardly any memory", func(m *Measured) { m.Memory.Available = 230_000_000 }, "broken server-memory"},
	{"memory is not known", func(m *Measured) { m.Memory = nil }, "unknown memory-unknown"},
	{"database at 100 ms", func(m *Measured) { m.Database.Took = 100 * time.Millisecond }, ""},
	{"slow database", func(m *Measured) { m.Database.Took = 101 * time.Millisecond }, "attention database-answers"},
	{"database at 1 s", func(m *Measured) { m.Database.Took = time.Second }, "attention database-answers"},
	{"very slow database", func(m *Measured) { m.Database.Took = 1001 * time.Millisecond }, "broken database-answers"},
	{"database that cannot be written", func(m *Measured) { m.Database.Failed = true }, "broken database-refuses"},
	{"silent database", func(m *Measured) { m.Database = Database{Took: 3 * time.Second} }, "broken database-silent"},
	{"disk below 2 GB", func(m *Measured) { m.Disks[0].Free, m.Disks[0].Total = 1_900_000_000, 10_000_000_000 }, "attention disk-data"},
	{"disk below 10 %", func(m *Measured) { m.Disks[0].Free = 9_900_000_000 }, "attention disk-data"},
	{"disk below 500 MB", func(m *Measured) { m.Disks[0].Free, m.Disks[0].Total = 499_000_000, 2_000_000_000 }, "broken disk-data"},
	{"disk below 2 %", func(m *Measured) { m.Disks[0].Free, m.Disks[0].Total = 19_000_000_000, 1_000_000_000_000 }, "broken disk-data"},
	{"large disk with a small share of much", func(m *Measured) { m.Disks[0].Free, m.Disks[0].Total = 50_000_000_000, 4_000_000_000_000 }, ""},
	{"disk is not known", func(m *Measured) { m.Disks[0].Known = false }, "unknown disk-unknown"},
	{"recordings on the same disk", func(m *Measured) {
		m.Disks = append(m.Disks, Disk{Use: ForRecordings, Folder: "/var/lib/aparte/recordings", Known: true, Free: 1, Total: 2, Device: 1})
	}, ""},
	{"recordings on a full disk of their own", func(m *Measured) {
		m.Disks = append(m.Disks, Disk{Use: ForRecordings, Folder: "/srv/recordings", Known: true, Free: 100_000_000, Total: 100_000_000_000, Device: 2})
	}, "broken disk-recordings"},
	{"nobody calls", func(m *Measured) { m.Traffic.Sent, m.Traffic.Dropped = 0, 0 }, "fine media-quiet"},
	{"too few packets to say", func(m *Measured) { m.Traffic.Sent, m.Traffic.Dropped = 900, 99 }, "fine media-quiet"},
	{"not watched yet", func(m *Measured) { m.Traffic = nil }, "fine media-quiet"},
	{"packets dropped", func(m *Measured) { m.Traffic.Dropped = 1000 }, "attention media-sent"},
	{"many packets dropped", func(m *Measured) { m.Traffic.Dropped = 5000 }, "broken media-sent"},
	{"all for this machine", func(m *Measured) { m.Ways.Addresses, m.Ways.HereOnly = addresses("127.0.0.1"), true }, "fine address-local"},
	{"pages for others, media for this machine", func(m *Measured) { m.Ways.Addresses = addresses("127.0.0.1", "::1") }, "broken address-loopback"},
	{"no public address", func(m *Measured) {
		m.Ways.Addresses = addresses("10.0.0.7", "fd00::7", "100.64.1.2", "169.254.1.1", "::ffff:192.168.1.2")
	}, "attention address-none"},
	{"a public IPv6 address", func(m *Measured) { m.Ways.Addresses = addresses("10.0.0.7", "2001:db8::7") }, ""},
	{"nobody came by UDP", func(m *Measured) { m.Ways.ByUDP = 0 }, "attention udp-silent"},
	{"nobody came yet", func(m *Measured) { m.Ways.ByUDP, m.Ways.ByOthers = 0, 999 }, ""},
	{"no TCP", func(m *Measured) { m.Ways.TCP = false }, "attention tcp-none"},
	{"TURN without TLS", func(m *Measured) { m.Ways.TURNS = false }, "fine turn-plain"},
	{"no TURN", func(m *Measured) { m.Ways.TURN, m.Ways.TURNS = false, false }, "fine turn-off"},
	{"certificate ends in 21 days", func(m *Measured) { m.TLS.Certificate.Until = now.AddDate(0, 0, 21) }, ""},
	{"certificate ends soon", func(m *Measured) { m.TLS.Certificate.Until = now.AddDate(0, 0, 21).Add(-time.Second) }, "attention certificate-ends"},
	{"certificate ends now", func(m *Measured) { m.TLS.Certificate.Until = now.AddDate(0, 0, 3).Add(-time.Second) }, "broken certificate-ends"},
	{"certificate is over", func(m *Measured) { m.TLS.Certificate.Until = now }, "broken certificate-over"},
	{"certificate of tomorrow", func(m *Measured) { m.TLS.Certificate.From = now.Add(time.Hour) }, "broken certificate-early"},
	{"certificate of another host", func(m *Measured) { m.TLS.Certificate.ForHost = false }, "broken certificate-name"},
	{"new certificate that cannot be used", func(m *Measured) { m.TLS.Certificate.Unread = true }, "attention certificate-unread"},
	{"a proxy in front", func(m *Measured) { m.TLS.Certificate = nil }, "unknown certificate-proxy"},
	{"no TLS", func(m *Measured) { m.TLS = TLS{Host: "meet.example"} }, "broken tls-missing"},
	{"no TLS on this machine", func(m *Measured) { m.TLS = TLS{HereOnly: true, Host: "127.0.0.1"} }, "fine tls-local"},
	{"nothing keeps the clock", func(m *Measured) { m.Clock.Kept = new(false) }, "attention clock-unsynchronised"},
	{"clock is not known", func(m *Measured) { m.Clock.Kept = nil }, "unknown clock-unknown"},
	{"clock jumped back", func(m *Measured) { m.Clock.Jump = &Jump{By: -90 * time.Second, At: now.Add(-time.Hour)} }, "attention clock-jumped"},
	{"recordings go to a store", func(m *Measured) { m.Store = stored() }, "fine recordings-stored"},
	{"the store takes them slowly", func(m *Measured) { m.Store = stored(); m.Store.Behind = 5*time.Minute + time.Second }, "attention recordings-stored"},
	{"the store has taken nothing for an hour", func(m *Measured) { m.Store = stored(); m.Store.Behind = time.Hour + time.Second }, "broken recordings-stored"},
	{"silent store", func(m *Measured) { m.Store = stored(); m.Store.Answered = false }, "fine recordings-stored, broken store-silent"},
	{"store that refuses", func(m *Measured) { m.Store = stored(); m.Store.Failed = true }, "fine recordings-stored, broken store-refuses"},
	{"the store locks", func(m *Measured) { m.Store = stored(); m.Store.Locks = true }, "fine recordings-stored, fine store-locks"},
	{"the store is slow to lock", func(m *Measured) {
		m.Store = stored()
		m.Store.Locks, m.Store.Unlocked, m.Store.LockBehind = true, 3, 6*time.Minute
	}, "fine recordings-stored, attention store-locks"},
	{"holds of before are not lifted in the store", func(m *Measured) {
		m.Store = stored()
		m.Store.Unlocked, m.Store.LockBehind = 1, 2*time.Hour
	}, "fine recordings-stored, broken store-locks"},
	{"the store locks nothing", func(m *Measured) { m.Store = stored(); m.Store.Locks, m.Store.Lockless = true, true }, "fine recordings-stored, broken store-lockless"},
	{"no recordings", func(m *Measured) { m.Recipients = 0 }, "fine recordings-off"},
	{"a post with room for recordings", func(m *Measured) { m.Rooms = []Room{{Post: "Dakar", Used: 79, Limit: 100}, {Post: "Rome", Used: 500}} }, ""},
	{"a post with little room for recordings", func(m *Measured) { m.Rooms = []Room{{Post: "Dakar", Used: 80, Limit: 100}} }, "attention recordings-quota"},
	{"a post with no room for recordings", func(m *Measured) { m.Rooms = []Room{{Post: "Dakar", Used: 100, Limit: 100}} }, "broken recordings-quota"},
	{"room for the recordings of no post", func(m *Measured) { m.Rooms = []Room{{Post: "gTmpFq3vQ0yvG2qfXy0Y1w", Unknown: true}} }, "attention recordings-nobody"},
	{"recordings at posts alone", func(m *Measured) { m.Recipients, m.Posts = 0, 2 }, ""},
	{"films are made", func(m *Measured) { m.Films = &Films{Possible: true} }, "fine films-on"},
	{"no program makes films", func(m *Measured) { m.Films = &Films{Waiting: 2} }, "attention films-unavailable"},
}

func TestRules(t *testing.T) {
	usual := make(map[string]bool)
	for _, f := range Judge(now, well()) {
		usual[string(f.Level)+" "+string(f.Code)] = true
		if f.Level != Fine && f.Code != BackupUnknown {
			t.Errorf("a well server: %+v", f)
		}
	}
	for _, c := range cases {
		m := well()
		c.but(&m)
		var other []string
		for _, f := range Judge(now, m) {
			if one := string(f.Level) + " " + string(f.Code); !usual[one] {
				other = append(other, one)
			}
		}
		if got := strings.Join(other, ", "); got != c.want {
			t.Errorf("%s: found %q beside what is usual, want %q", c.name, got, c.want)
		}
	}
}

// The golden file is what the client's words are held against, too.
type (
	goldenCase struct {
		Case     string          `json:"case"`
		Findings []goldenFinding `json:"findings"`
	}
	goldenFinding struct {
		Area   Area          `json:"area"`
		Level  Level         `json:"level"`
		Code   Code          `json:"code"`
		Values []goldenValue `json:"values"`
	}
	goldenValue struct {
		Name   string     `json:"name"`
		Unit   Unit       `json:"unit"`
		Number *float64   `json:"number,omitempty"`
		Text   *string    `json:"text,omitempty"`
		At     *time.Time `json:"at,omitempty"`
	}
)

func golden(f Finding) goldenFinding {
	g := goldenFinding{f.Area, f.Level, f.Code, []goldenValue{}}
	for _, v := range f.Values {
		one := goldenValue{Name: v.Name, Unit: v.Unit}
		switch v.Unit {
		case Text:
			one.Text = &v.Text
		case Moment:
			one.At = &v.At
		default:
			one.Number = &v.Number
		}
		g.Values = append(g.Values, one)
	}
	return g
}

func TestFindingsAreGolden(t *testing.T) {
	const file = "testdata/findings.golden.json"
	usual := make(map[string]bool)
	var all []goldenCase
	for _, c := range cases {
		m := well()
		c.but(&m)
		one := goldenCase{c.name, []goldenFinding{}}
		for _, f := range Judge(now, m) {
			text, err := json.Marshal(golden(f))
			if err != nil {
				t.Fatal(err)
			}
			if !usual[string(text)] {
				one.Findings = append(one.Findings, golden(f))
			}
			usual[string(text)] = usual[string(text)] || c.name == "well"
		}
		all = append(all, one)
	}
	got, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what the rules find (%v): go test ./signaling/health -update, and look at the difference", file, err)
	}
	manual, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range codes(t) {
		if !bytes.Contains(got, []byte(`"code": "`+code+`"`)) {
			t.Errorf("no case finds %s", code)
		}
		if !bytes.Contains(manual, []byte("`"+code+"`")) {
			t.Errorf("docs/operating.md does not say what %s means", code)
		}
	}
}

// codes reads the constants off the source, so that none is left out.
func codes(t *testing.T) (all []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "health.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); ok && of.Name == "Code" {
			code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, code)
		}
		return true
	})
	if len(all) < 30 {
		t.Fatalf("%d codes found in the source: this test looked in the wrong place", len(all))
	}
	return all
}

func TestWatchTellsOfLately(t *testing.T) {
	var w Watch
	start := now
	sample := func(at time.Duration, sent, dropped uint64) {
		w.Add(Sample{Wall: start.Add(at), Since: at, Sent: sent, Dropped: dropped})
	}
	sample(0, 1000, 500)
	if w.Traffic() != nil {
		t.Error("one sample says nothing of what was sent")
	}
	sample(time.Minute, 3000, 500)
	if got := w.Traffic(); *got != (Traffic{time.Minute, 2000, 0}) {
		t.Errorf("after a minute: %+v", got)
	}
	for i := range 30 {
		sample(2*time.Minute+time.Duration(i)*10*time.Second, 3000+100*uint64(i), 500+uint64(i))
	}
	// 6 min 50 s: what was 5 minutes before is the oldest.
	if got := w.Traffic(); *got != (Traffic{290 * time.Second, 2900, 29}) {
		t.Errorf("after long: %+v", got)
	}
}

func TestWatchSeesTheClockJump(t *testing.T) {
	for _, c := range []struct {
		name string
		step time.Duration
		told bool
	}{
		{"goes on", 0, false},
		{"is corrected gradually", 800 * time.Millisecond, false},
		{"jumps forward, as after a suspension", time.Hour, true},
		{"jumps back", -2 * time.Second, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w Watch
			w.Add(Sample{Wall: now, Since: time.Minute})
			after := now.Add(10*time.Second + c.step)
			w.Add(Sample{Wall: after, Since: 70 * time.Second})
			w.Add(Sample{Wall: after.Add(10 * time.Second), Since: 80 * time.Second})
			got := w.Jump(after.Add(23 * time.Hour))
			if (got != nil) != c.told || got != nil && *got != (Jump{c.step, after}) {
				t.Errorf("told %+v, want %t", got, c.told)
			}
			if got := w.Jump(after.Add(25 * time.Hour)); got != nil {
				t.Errorf("still told after a day: %+v", got)
			}
		})
	}
}
