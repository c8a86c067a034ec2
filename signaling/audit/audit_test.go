package audit

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files anew")

var start = time.Date(2027, 3, 2, 9, 0, 0, 0, time.UTC)

// counting gives bytes that count up, so that salts differ and tests repeat.
type counting byte

func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		*c++
		p[i] = byte(*c)
	}
	return len(p), nil
}

func testKey(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func at(d Draft, seconds int, meeting string) Draft {
	d.Time, d.Meeting = start.Add(time.Duration(seconds)*time.Second), meeting
	return d
}

func story() []Draft {
	return []Draft{
		at(Did(AccountSetUp).By(Agent, "anne").On(Account, "anne").WithFlag("admin", true).Typed("name", "Anne Bernard").Typed("email", "anne@aparte.example"), 0, ""),
		at(Did(MeetingCreated).By(Agent, "anne").With("profile", "standard").WithTime("starts_at", start.Add(time.Hour)).Typed("title", "Coopération <&>"), 1, "m"),
		at(Did(LinkCreated).By(Agent, "anne").On(Link, "l").With("kind", "personal").Typed("guest_name", "Inês"), 2, "m"),
		at(Did(KnockWaiting).By(Guest, "s").On(Knock, "k").On(Link, "l").Typed("name", "Inês\u2028\u202e"), 3, "m"),
		at(Did(KnockAdmitted).By(Agent, "anne").On(Knock, "k").WithFlag("speak", true).WithFlag("share", false), 4, "m"),
		at(Did(MeetingEnded).By(Agent, "anne"), 5, "m"),
	}
}

// chain appends drafts to a new chain.
func chain(t interface{ Fatal(...any) }, post string, drafts []Draft) ([]Entry, SignedHead) {
	var entries []Entry
	head, salts := Start(post), new(counting)
	for _, d := range drafts {
		e, after, err := head.Append(d, salts)
		if err != nil {
			t.Fatal(err)
		}
		entries, head = append(entries, e), after
	}
	signed, err := head.Sign(testKey(1))
	if err != nil {
		t.Fatal(err)
	}
	return entries, signed
}

func export(t interface{ Fatal(...any) }, entries []Entry, head SignedHead) []byte {
	var b bytes.Buffer
	for _, e := range entries {
		if err := WriteEntry(&b, e); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteHead(&b, head); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// whatIsWrong verifies an export and lists what was found.
func whatIsWrong(t interface{ Fatal(...any) }, text []byte, trusted ed25519.PublicKey, anchors ...SignedHead) []string {
	reports, err := VerifyExport(bytes.NewReader(text), trusted, anchors)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range reports {
		for _, f := range r.Findings {
			all = append(all, f.String())
		}
	}
	return all
}

// The bytes that are hashed and signed must stay what they are, or no trail
// written before could be verified. Maps have no order, but events must.
func TestCanonicalEncodingIsGolden(t *testing.T) {
	entries, head := chain(t, "default", story()[1:2])
	more, _ := chain(t, "default", story())
	var b bytes.Buffer
	for _, e := range append(entries, more[2], more[4]) {
		fmt.Fprintf(&b, "%s\n%s\n", e.Event, e.Hash)
	}
	if err := WriteHead(&b, head); err != nil {
		t.Fatal(err)
	}
	const path = "testdata/canonical.golden"
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("encoding has changed:\n%s\nwant\n%s", &b, want)
	}
}

func TestTypedTextIsNotInTheChain(t *testing.T) {
	entries, _ := chain(t, "default", story())
	for _, e := range entries {
		for _, text := range []string{"Anne", "anne@", "Coop", "In\u00eas"} {
			if bytes.Contains(e.Event, []byte(text)) {
				t.Errorf("event %d holds %q: %s", e.Seq, text, e.Event)
			}
		}
	}
	if _, _, err := Start("p").Append(at(Did(MeetingEnded).By(Server, "").With("why", "fin\u00e9"), 0, ""), new(counting)); err == nil {
		t.Error("a detail may hold any text")
	}
	a := Did(KnockWaiting).Typed("name", "a")
	if b := a.Typed("name", "b"); a.Personal["name"] != "a" || b.Personal["name"] != "b" {
		t.Error("drafts share their maps")
	}
}

func TestIncompleteDraftsAreRefused(t *testing.T) {
	for name, d := range map[string]Draft{
		"no act": at(Did("").By(Server, ""), 0, ""), "no actor": at(Did(MeetingEnded), 0, ""), "no time": Did(MeetingEnded).By(Server, ""),
	} {
		if _, head, err := Start("p").Append(d, new(counting)); err == nil || head.Seq != 0 {
			t.Errorf("%s: appended", name)
		}
	}
	broken := errors.New("no randomness")
	if _, _, err := Start("p").Append(story()[0], failing{broken}); !errors.Is(err, broken) {
		t.Errorf("without salt: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// edit decodes a line, changes it and encodes it again, as somebody would who
// knows the format.
func edit(t *testing.T, text string, change func(event, line map[string]any)) string {
	t.Helper()
	var l map[string]any
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		t.Fatal(err)
	}
	event, _ := l["event"].(map[string]any)
	change(event, l)
	out, err := encode(l)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestTamperedExportsAreFound(t *testing.T) {
	entries, head := chain(t, "default", story())
	whole := strings.Split(strings.TrimSuffix(string(export(t, entries, head)), "\n"), "\n")
	_, early := chain(t, "default", story()[:4])
	other, err := head.Head.Sign(testKey(2))
	if err != nil {
		t.Fatal(err)
	}
	var others bytes.Buffer
	if err := WriteHead(&others, other); err != nil {
		t.Fatal(err)
	}
	public, _ := testKey(1).Public().(ed25519.PublicKey)
	personal := func(field, key string, value any) func(map[string]any, map[string]any) {
		return func(_, line map[string]any) {
			texts, _ := line["personal"].(map[string]any)
			p, _ := texts[field].(map[string]any)
			p[key] = value
		}
	}
	for _, c := range []struct {
		name   string
		tamper func(lines []string) []string
		want   string // "" for nothing
	}{
		{"nothing", func(l []string) []string { return l }, ""},
		{"purged text", func(l []string) []string {
			l[3] = edit(t, l[3], func(_, line map[string]any) { delete(line, "personal") })
			return l
		}, ""},
		{"altered field", func(l []string) []string {
			l[4] = edit(t, l[4], func(event, _ map[string]any) { event["actor"] = map[string]any{"id": "luc", "kind": "agent"} })
			return l
		}, "event 5: altered"},
		{"altered hash", func(l []string) []string {
			l[4] = edit(t, l[4], func(_, line map[string]any) { line["hash"] = strings.Repeat("0", 64) })
			return l
		}, "event 5: altered"},
		{"altered field with its hash", func(l []string) []string {
			l[4] = edit(t, l[4], func(event, line map[string]any) {
				event["actor"] = map[string]any{"id": "luc", "kind": "agent"}
				text, _ := encode(event)
				line["hash"] = link(entries[3].Hash, text).String()
			})
			return l
		}, "event 6: altered"},
		{"altered last with its hash", func(l []string) []string {
			l[5] = edit(t, l[5], func(event, line map[string]any) {
				event["meeting"] = "x"
				text, _ := encode(event)
				line["hash"] = link(entries[4].Hash, text).String()
			})
			return l
		}, "event 6: rewritten, or head replaced"},
		{"deleted in the middle", func(l []string) []string { return append(l[:2], l[3:]...) }, "event 3: missing"},
		{"deleted at the beginning", func(l []string) []string { return l[1:] }, "cut off at the beginning"},
		{"reordered", func(l []string) []string { l[2], l[3] = l[3], l[2]; return l }, "event 3: inserted or out of order"},
		{"inserted", func(l []string) []string { return append(l[:3], append([]string{l[2]}, l[3:]...)...) }, "event 3: inserted or out of order"},
		{"cut off", func(l []string) []string { return append(l[:5], l[6]) }, "cut off: the head is at event 6, the last event is 5"},
		{"head missing", func(l []string) []string { return l[:6] }, "head missing"},
		{"head of before", func(l []string) []string {
			var b bytes.Buffer
			_ = WriteHead(&b, early)
			l[6] = strings.TrimSpace(b.String())
			return l
		}, "head replaced or events appended"},
		{"head signed by another key", func(l []string) []string {
			l[6] = strings.TrimSpace(others.String())
			return l
		}, "head replaced: signed by key"},
		{"head altered", func(l []string) []string {
			l[6] = strings.Replace(l[6], `"seq":6`, `"seq":7`, 1)
			return l
		}, "its signature does not fit"},
		{"text altered", func(l []string) []string { l[3] = edit(t, l[3], personal("name", "text", "Ines")); return l }, "event 4: personal text altered: name"},
		{"salt altered", func(l []string) []string {
			l[3] = edit(t, l[3], personal("name", "salt", strings.Repeat("0", 32)))
			return l
		}, "event 4: personal text altered: name"},
		{"text inserted", func(l []string) []string {
			l[4] = edit(t, l[4], func(_, line map[string]any) {
				line["personal"] = map[string]any{"name": map[string]any{"salt": strings.Repeat("0", 32), "text": "x"}}
			})
			return l
		}, "event 5: personal text inserted"},
		{"line in other words", func(l []string) []string { l[4] = " " + l[4]; return l }, "line 5 is not as it was exported"},
		{"line that is none", func(l []string) []string { l[0] = "{"; return l }, "line 1 is not as it was exported"},
		{"events of another post", func(l []string) []string {
			elsewhere, _ := chain(t, "rome", story())
			var b bytes.Buffer
			_ = WriteEntry(&b, elsewhere[4])
			l[4] = strings.TrimSpace(b.String())
			return l
		}, "event 5: moved: it is an event of post rome"},
		{"the same chain twice", func(l []string) []string { return append(l, l...) }, "comes twice"},
		{"a very long line", func(l []string) []string { return append(l, strings.Repeat("x", maxLine+1)) }, "was never exported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Join(c.tamper(append([]string(nil), whole...)), "\n") + "\n"
			got := strings.Join(whatIsWrong(t, []byte(text), public), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("found:\n%s\nwant %q", got, c.want)
			}
		})
	}
}

// An export may be a stretch of the chain; its head says where it begins.
func TestPartsVerify(t *testing.T) {
	entries, whole := chain(t, "default", story())
	part := Head{First: 3, Prev: entries[1].Hash, Post: "default", Seq: 5, Hash: entries[4].Hash, Time: start.Add(4 * time.Second)}
	signed, err := part.Sign(testKey(1))
	if err != nil {
		t.Fatal(err)
	}
	if got := whatIsWrong(t, export(t, entries[2:5], signed), nil); len(got) > 0 {
		t.Errorf("found %q", got)
	}
	for what, got := range map[string][]string{
		"altered: its hash":      whatIsWrong(t, export(t, append([]Entry{{Seq: 3, Event: entries[2].Event, Hash: entries[1].Hash}}, entries[3:5]...), signed), nil),
		"at the beginning":       whatIsWrong(t, export(t, entries[3:5], signed), nil),
		"the head is at event 6": whatIsWrong(t, export(t, entries[2:5], whole), nil),
	} {
		if !strings.Contains(strings.Join(got, "\n"), what) {
			t.Errorf("found %q, want %q", got, what)
		}
	}
}

// What only an anchor can tell: a chain rewritten or cut off by who has its key.
func TestAnchorsHold(t *testing.T) {
	entries, head := chain(t, "default", story())
	short, shortHead := chain(t, "default", story()[:4])
	changed := story()
	changed[4] = at(Did(KnockDenied).By(Agent, "luc").On(Knock, "k"), 4, "m")
	rewritten, rewrittenHead := chain(t, "default", changed)
	otherKey, err := head.Head.Sign(testKey(2))
	if err != nil {
		t.Fatal(err)
	}
	forged := head
	forged.Head.Seq = 5
	for _, c := range []struct {
		name    string
		text    []byte
		anchors []SignedHead
		want    string
	}{
		{"the same", export(t, entries, head), []SignedHead{head, shortHead}, ""},
		{"cut off with its head", export(t, short, shortHead), []SignedHead{head}, "cut off: the anchor of 2027-03-02T09:00:05.000Z knows event 6, the last event is 4"},
		{"rewritten", export(t, rewritten, rewrittenHead), []SignedHead{head}, "event 6: rewritten"},
		{"another key", export(t, entries, otherKey), []SignedHead{head}, "signed by another key than the anchor"},
		{"a forged anchor", export(t, entries, head), []SignedHead{forged}, "its signature does not fit"},
		{"nothing left", nil, []SignedHead{head}, "knows event 6, the last event is 0"},
	} {
		got := strings.Join(whatIsWrong(t, c.text, nil, c.anchors...), "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: found:\n%s\nwant %q", c.name, got, c.want)
		}
	}
}

// Any single change of an export, byte by byte or line by line, is found.
func TestAnySingleMutationIsFound(t *testing.T) {
	public, _ := testKey(1).Public().(ed25519.PublicKey)
	rapid.Check(t, func(t *rapid.T) {
		acts := []Act{KnockWaiting, KnockAdmitted, MeetingOpened, LinkRevoked}
		var drafts []Draft
		for i := range rapid.IntRange(1, 8).Draw(t, "events") {
			d := at(Did(rapid.SampledFrom(acts).Draw(t, "act")).By(Agent, "anne").On(Knock, fmt.Sprint(i)), i, "m")
			drafts = append(drafts, d.Typed("name", rapid.StringN(0, 12, 40).Draw(t, "name")))
		}
		entries, head := chain(t, "default", drafts)
		text := export(t, entries, head)
		if wrong := whatIsWrong(t, text, public, head); len(wrong) > 0 {
			t.Fatalf("untouched: %q", wrong)
		}
		lines := bytes.SplitAfter(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
		lines[len(lines)-1] = append(bytes.Clone(lines[len(lines)-1]), '\n')
		i, j := rapid.IntRange(0, len(text)-1).Draw(t, "byte"), rapid.IntRange(0, len(lines)-1).Draw(t, "line")
		var mutated []byte
		switch rapid.SampledFrom([]string{"flip", "delete byte", "insert byte", "delete line", "double line", "swap lines", "cut"}).Draw(t, "mutation") {
		case "flip":
			mutated = bytes.Clone(text)
			mutated[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		case "delete byte":
			mutated = append(bytes.Clone(text[:i]), text[i+1:]...)
		case "insert byte":
			mutated = append(append(bytes.Clone(text[:i]), rapid.Byte().Draw(t, "inserted")), text[i:]...)
		case "delete line":
			mutated = bytes.Join(append(append([][]byte(nil), lines[:j]...), lines[j+1:]...), nil)
		case "double line":
			mutated = bytes.Join(append(append([][]byte(nil), lines[:j+1]...), lines[j:]...), nil)
		case "swap lines":
			k := rapid.IntRange(0, len(lines)-1).Draw(t, "other")
			swapped := append([][]byte(nil), lines...)
			swapped[j], swapped[k] = swapped[k], swapped[j]
			mutated = bytes.Join(swapped, nil)
		case "cut":
			mutated = text[:i]
		}
		if bytes.Equal(mutated, text) {
			return
		}
		if len(whatIsWrong(t, mutated, public, head)) == 0 {
			t.Fatalf("not found:\n%s\nwas\n%s", mutated, text)
		}
	})
}

func TestRefusalsAreBounded(t *testing.T) {
	now := start
	r := NewRefusals(func() time.Time { return now })
	try := func(source string, times int) (written int, last Draft) {
		for range times {
			if d, ok := r.Admit(source, Did(SignInRefused).By(Nobody, "")); ok {
				written, last = written+1, d
			}
		}
		return written, last
	}
	if n, _ := try("a", 100); n != refusalsOfSource {
		t.Errorf("%d refusals of one source are written", n)
	}
	if _, d := try("b", 1); d.Detail["unrecorded"] != "90" || d.Personal["source"] != "b" || !d.Time.Equal(now) {
		t.Errorf("the next says %+v", d)
	}
	total := 0
	for i := range 1000 {
		n, _ := try(fmt.Sprint(i), 10)
		total += n
	}
	if total > refusalsOfAll.Burst {
		t.Errorf("%d refusals of all sources are written", total)
	}
	now = now.Add(24 * time.Hour)
	if n, _ := try("a", 1); n != 1 {
		t.Error("nothing is written a day later")
	}
}

func TestAnchorsAreRead(t *testing.T) {
	_, head := chain(t, "default", story())
	var b bytes.Buffer
	if err := WriteHead(&b, head); err != nil {
		t.Fatal(err)
	}
	all, err := ReadAnchors(strings.NewReader("\n" + b.String() + b.String()))
	if err != nil || len(all) != 2 || all[0].Head != head.Head {
		t.Errorf("%+v, %v", all, err)
	}
	for _, bad := range []string{"x", "{}", strings.Replace(b.String(), `"seq":6`, `"seq":5`, 1)} {
		if _, err := ReadAnchors(strings.NewReader(bad)); err == nil || !strings.Contains(err.Error(), "line 1 is no anchor") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func FuzzVerifyExport(f *testing.F) {
	entries, head := chain(f, "default", story())
	f.Add(export(f, entries, head))
	f.Add([]byte(`{"event":{},"hash":""}` + "\n"))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		_, _ = VerifyExport(bytes.NewReader(text), nil, []SignedHead{head})
		_, _ = ReadAnchors(bytes.NewReader(text))
		entry, _, err := parseLine(text)
		if err != nil || entry == nil {
			return
		}
		// What is read is written back as it was.
		var b bytes.Buffer
		if err := WriteEntry(&b, *entry); err != nil || !bytes.Equal(b.Bytes(), text) {
			t.Fatalf("%q was written as %q, %v", text, b.Bytes(), err)
		}
	})
}
