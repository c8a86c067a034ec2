package compose

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aparte/recorder/export"
)

var update = flag.Bool("update", false, "write the golden files anew")

func camera(identity string, start, length float64, holes ...export.Hole) export.File {
	return export.File{Name: identity + "-camera.webm", Identity: identity, Track: "TR_" + identity, Source: "camera", Codec: "vp8", Start: start, Duration: length - Frame.Seconds(), Holes: holes}
}

func screen(identity string, start, length float64, holes ...export.Hole) export.File {
	f := camera(identity, start, length, holes...)
	f.Name, f.Track, f.Source = identity+"-screen.webm", "TR_s"+identity, "screen_share"
	return f
}

func microphone(identity string, start, length float64) export.File {
	return export.File{Name: identity + "-microphone.webm", Identity: identity, Track: "TR_m" + identity, Source: "microphone", Codec: "opus", Start: start, Duration: length - Frame.Seconds()}
}

func joined(at float64, identity string) export.Event {
	return export.Event{At: at, Kind: "joined", Identity: identity, Name: strings.ToUpper(identity[:1]) + identity[1:]}
}

func consent(at float64, identity, answer string) export.Event {
	return export.Event{At: at, Kind: "consent", Identity: identity, Answer: answer}
}

func speaking(at float64, identities ...string) export.Event {
	return export.Event{At: at, Kind: "speaking", Identities: identities}
}

func message(at float64, identity, text string) export.Event {
	return export.Event{At: at, Kind: "message", Identity: identity, Text: text}
}

func event(at float64, kind string) export.Event { return export.Event{At: at, Kind: kind} }

func meeting(length float64, files []export.File, events ...export.Event) *export.Index {
	index := &export.Index{Version: 1, Recording: "r1", Duration: length, Files: files, Events: append([]export.Event{event(0, "started")}, events...)}
	add := func(identity string) {
		if identity != "" && !slices.ContainsFunc(index.People, func(p export.Person) bool { return p.Identity == identity }) {
			index.People = append(index.People, export.Person{Identity: identity, Name: identity})
		}
	}
	for _, e := range index.Events {
		add(e.Identity)
	}
	for _, f := range files {
		add(f.Identity)
	}
	return index
}

// told is a plan in words.
func told(p *Plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %v", p.Layout, p.Length)
	if p.AudioOnly {
		b.WriteString(", audio only")
	}
	b.WriteString("\n")
	for _, k := range p.Kept {
		fmt.Fprintf(&b, "kept %v to %v\n", k.From, k.To)
	}
	for _, i := range p.Intervals {
		fmt.Fprintf(&b, "%v to %v", i.From, i.To)
		if i.Left > 0 {
			fmt.Fprintf(&b, ", %d left", i.Left)
		}
		b.WriteString("\n")
		for _, t := range i.Tiles {
			fmt.Fprintf(&b, "  %dx%d+%d+%d %s", t.W, t.H, t.X, t.Y, t.Name)
			if t.File != "" {
				fmt.Fprintf(&b, ": %s from %v", t.File, t.Offset)
			}
			b.WriteString("\n")
		}
	}
	for _, s := range p.Sounds {
		fmt.Fprintf(&b, "sound %s from %v\n", s.File, s.Start)
	}
	for _, c := range p.Chapters {
		fmt.Fprintf(&b, "chapter %v %s\n", c.At, c.Title)
	}
	for _, s := range p.Speech {
		fmt.Fprintf(&b, "%v to %v %s speaks\n", s.From, s.To, s.Name)
	}
	for _, m := range p.Messages {
		fmt.Fprintf(&b, "%v to %v %s writes %s\n", m.From, m.To, m.Name, m.Text)
	}
	return b.String()
}

func TestPlans(t *testing.T) {
	for _, tt := range []struct {
		name   string
		layout Layout
		index  *export.Index
	}{
		{"two-in-a-grid", Grid, meeting(10, []export.File{camera("anne", 1, 9), microphone("anne", 0, 10), camera("bob", 3.01, 5)},
			joined(0, "anne"), consent(0, "anne", "given"), joined(2, "bob"), consent(2.5, "bob", "given"), event(10, "stopped"))},
		// Bob takes his yes back, then gives it again; Cleo declines; Dan is there and says
		// nothing. What Cleo says or shows is nowhere.
		{"consent", Grid, meeting(20, []export.File{camera("anne", 0, 20), camera("bob", 1, 4), microphone("bob", 1, 17), {Name: "bob-camera-2.webm", Identity: "bob", Codec: "vp8", Source: "camera", Start: 12, Duration: 5}},
			joined(0, "anne"), joined(0, "bob"), joined(0, "cleo"), joined(0, "dan"), consent(0, "anne", "given"), consent(1, "bob", "given"),
			consent(1, "cleo", "declined"), consent(5, "bob", "withdrawn"), speaking(6, "bob", "cleo"), consent(12, "bob", "given"), export.Event{At: 18, Kind: "left", Identity: "bob"})},
		{"camera-off", Grid, meeting(20, []export.File{camera("anne", 0, 20, export.Hole{From: 2, To: 3}, export.Hole{From: 10, To: 15}), camera("bob", 0, 20)},
			joined(0, "anne"), joined(0, "bob"), export.Event{At: 5, Kind: "muted", Track: "TR_bob", Muted: new(true)}, export.Event{At: 8, Kind: "muted", Track: "TR_bob", Muted: new(false)})},
		{"speaker", Speaker, meeting(30, []export.File{camera("anne", 0, 30), camera("bob", 0, 30), microphone("bob", 0, 30)},
			joined(0, "anne"), joined(0, "bob"), joined(0, "cleo"), consent(0, "anne", "given"), consent(0, "bob", "given"), consent(0, "cleo", "given"),
			speaking(2, "bob"), speaking(4), // for two seconds
			speaking(5, "anne"), speaking(6, "bob", "anne"), speaking(6.5, "anne"), speaking(12), // a word of Bob's in between
			speaking(13, "cleo"), speaking(14, "bob"), // Cleo too shortly
			speaking(15, "cleo"), speaking(16), speaking(16.3, "cleo"), speaking(29))},
		{"screen", Grid, meeting(20, []export.File{camera("anne", 0, 20), camera("bob", 0, 20), screen("bob", 5, 10, export.Hole{From: 6, To: 14}), screen("anne", 8, 2)},
			joined(0, "anne"), joined(0, "bob"))},
		{"pauses", Grid, meeting(100, []export.File{camera("anne", 0, 100, export.Hole{From: 10, To: 20}, export.Hole{From: 40, To: 50}), {Name: "anne-microphone.webm", Identity: "anne", Codec: "opus", Source: "microphone", Start: 0.5, Duration: 99, Holes: []export.Hole{{From: 10, To: 20}, {From: 41, To: 50}}}},
			joined(0, "anne"), consent(0, "anne", "given"), event(10.005, "paused"), event(20, "resumed"), speaking(22, "anne"), speaking(25),
			event(50, "started"), joined(50, "anne"), consent(50, "anne", "given"), event(90, "paused"))},
		{"names", Grid, meeting(10, []export.File{camera("anne", 0, 10)}, joined(0, "anne"), export.Event{At: 5.01, Kind: "renamed", Identity: "anne", Name: "Anne\u202e \x1b[31m\nMartin"})},
		{"sound-alone", Speaker, meeting(10, []export.File{microphone("anne", 0, 10), microphone("bob", 0, 9)}, joined(0, "anne"), joined(0, "bob"), speaking(1, "bob"), speaking(3))},
		{"many", Grid, many(18)},
		// Cleo declines, and what is hers is nowhere; nor is what comes in a pause, or after a
		// withdrawal. Four at once: the fourth takes the first one's place.
		{"messages", Grid, meeting(60, []export.File{camera("anne", 0, 60), microphone("bob", 0, 60)},
			joined(0, "anne"), joined(0, "bob"), joined(0, "cleo"), message(0.5, "anne", "too early"), consent(1, "anne", "given"), consent(1, "bob", "given"), consent(1, "cleo", "declined"),
			message(1, "anne", "Bonjour"), message(2, "cleo", "no"), message(3, "eve", "who is that?"), message(10, "bob", strings.Repeat("Un long texte. ", 50)),
			event(20, "paused"), message(21, "anne", "in the pause"), event(25, "resumed"), message(25, "anne", "مرحبا\u202e\nبكم <b>--></b>"), message(26, "anne", "\u200b\n"),
			export.Event{At: 30, Kind: "renamed", Identity: "anne", Name: "Anne Martin"},
			message(35, "anne", "one"), message(35.5, "bob", "two"), message(36, "anne", "three"), message(36.5, "bob", "four"),
			consent(40, "bob", "withdrawn"), message(41, "bob", "not any more"), message(59.9, "anne", "Au revoir"))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plan, err := New(tt.index, Config{Layout: tt.layout, Language: French})
			if err != nil {
				t.Fatal(err)
			}
			if why := wrong(plan, tt.index); why != "" {
				t.Error(why)
			}
			golden(t, tt.name, told(plan))
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// many are more than have a place; the last of them speaks.
func many(n int) *export.Index {
	var files []export.File
	var events []export.Event
	for i := range n {
		identity := fmt.Sprintf("p%02d", i)
		files, events = append(files, camera(identity, 0, 10)), append(events, joined(0, identity))
	}
	return meeting(10, files, append(events, speaking(4, fmt.Sprintf("p%02d", n-1)), speaking(9))...)
}

func TestNoPlan(t *testing.T) {
	long := meeting(10, []export.File{camera("anne", 0, 10)})
	long.Duration = 8 * 24 * 3600
	for _, tt := range []struct {
		name  string
		index *export.Index
		cfg   Config
		want  string
	}{
		{"no files", meeting(10, nil, joined(0, "anne")), Config{Layout: Grid, Language: French}, ErrNothing.Error()},
		{"paused throughout", meeting(10, []export.File{camera("anne", 0, 10)}, event(0, "paused")), Config{Layout: Grid, Language: French}, ErrNothing.Error()},
		{"too long", long, Config{Layout: Grid, Language: French}, "too long to be composed: 192h0m0s, at most 168h0m0s"},
		{"layout", meeting(10, []export.File{camera("anne", 0, 10)}), Config{Layout: "mosaic", Language: French}, `layout "mosaic": there are grid and speaker`},
		{"language", meeting(10, []export.File{camera("anne", 0, 10)}), Config{Layout: Grid, Language: "tlh"}, `language "tlh": there are fr, en and ar`},
	} {
		if _, err := New(tt.index, tt.cfg); err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
	if _, err := New(long, Config{Layout: Grid, Language: French}); !errors.Is(err, ErrTooLong) {
		t.Errorf("%v", err)
	}
}

// wrong is what must hold of every plan, whatever the recording.
func wrong(p *Plan, index *export.Index) string {
	at := time.Duration(0)
	for _, i := range p.Intervals {
		if i.From != at || i.length() <= 0 || i.From%Frame != 0 || i.length()%Frame != 0 {
			return fmt.Sprintf("an interval from %v to %v after %v", i.From, i.To, at)
		}
		at = i.To
	}
	if at != p.Length || len(p.Intervals) == 0 {
		return fmt.Sprintf("intervals up to %v of %v", at, p.Length)
	}
	if most := changesAtOnce + int(p.Length/changeEvery) + len(p.Kept); len(p.Intervals) > most {
		return fmt.Sprintf("%d intervals, at most %d", len(p.Intervals), most)
	}
	kept := time.Duration(0)
	for i, k := range p.Kept {
		if k.length() <= 0 || i > 0 && k.From < p.Kept[i-1].To {
			return fmt.Sprintf("kept %v", p.Kept)
		}
		kept += k.length()
	}
	if kept != p.Length {
		return fmt.Sprintf("%v are kept, and the film has %v", kept, p.Length)
	}
	for _, i := range p.Intervals {
		for n, a := range i.Tiles {
			if a.X < 0 || a.Y < 0 || a.X+a.W > Width || a.Y+a.H > Height || a.W < 16 || a.H < 16 || (a.X|a.Y|a.W|a.H)&1 != 0 {
				return fmt.Sprintf("at %v a tile %+v", i.From, a)
			}
			for _, b := range i.Tiles[:n] {
				if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
					return fmt.Sprintf("at %v tiles %+v and %+v", i.From, a, b)
				}
			}
			// All of its frames, and nothing else, are of when they were recorded.
			from := recordedAt(p, i.From)
			for t := from; t < from+i.length(); t += Frame {
				if why := unshowable(index, a, t, from); why != "" {
					return fmt.Sprintf("at %v (%v of the recording) %+v: %s", i.From, t, a, why)
				}
			}
		}
	}
	for i, c := range p.Chapters {
		if c.At < 0 || c.At >= p.Length || i == 0 && c.At != 0 || i > 0 && c.At-p.Chapters[i-1].At < chapterLeast {
			return fmt.Sprintf("chapters %v", p.Chapters)
		}
	}
	for i, m := range p.Messages {
		if m.From < 0 || m.To > p.Length || m.length() <= 0 || m.length() > readMost || i > 0 && m.From < p.Messages[i-1].From {
			return fmt.Sprintf("message %+v", m)
		}
		if i >= messagesAtOnce && p.Messages[i-messagesAtOnce].To > m.From {
			return fmt.Sprintf("too many messages at %v", m.From)
		}
		may := false
		for n, e := range index.Events { // a pause that is told after it, of the same moment, is after it
			may = may || e.Kind == "message" && e.Identity == m.Identity && m.Text == shown(e.Text, messageMost) && unshowableAfter(index, n, Tile{Identity: m.Identity}, seconds(e.At), 0) == ""
		}
		if !may {
			return fmt.Sprintf("message %+v is of nobody who may be shown", m)
		}
	}
	for _, s := range p.Speech {
		if s.From < 0 || s.To > p.Length || s.length() < saidLeast {
			return fmt.Sprintf("speech %+v", s)
		}
	}
	return ""
}

// recordedAt is told once more, and more simply than the plan's own.
func recordedAt(p *Plan, at time.Duration) time.Duration {
	for _, k := range p.Kept {
		if at < k.length() {
			return k.From + at
		}
		at -= k.length()
	}
	panic("beyond the end")
}

// unshowable says why somebody must not be shown at a time of the recording, from the
// events alone.
func unshowable(index *export.Index, tile Tile, at, from time.Duration) string {
	return unshowableAfter(index, len(index.Events), tile, at, from)
}

// unshowableAfter is unshowable, with the pauses of the first so many events.
func unshowableAfter(index *export.Index, told int, tile Tile, at, from time.Duration) string {
	agreed, answered, paused := false, false, false
	for n, e := range index.Events {
		when := time.Duration(e.At * float64(time.Second)).Round(time.Microsecond)
		if e.Kind == "consent" && e.Identity == tile.Identity {
			answered = true
		}
		if when > at {
			continue
		}
		switch {
		case e.Kind == "started":
			agreed, paused = false, paused && n >= told
		case e.Kind == "consent" && e.Identity == tile.Identity:
			agreed = e.Answer == "given"
		case n >= told:
		case e.Kind == "paused":
			paused = true
		case e.Kind == "resumed":
			paused = false
		}
	}
	switch {
	case paused:
		return "it was paused"
	case answered && !agreed:
		return "they had not agreed"
	case tile.File == "":
		return ""
	}
	i := slices.IndexFunc(index.Files, func(f export.File) bool { return f.Name == tile.File })
	f := index.Files[i]
	start := time.Duration(f.Start * float64(time.Second)).Round(time.Microsecond)
	length := time.Duration(f.Duration * float64(time.Second)).Round(time.Microsecond)
	switch {
	case f.Identity != tile.Identity:
		return "it is somebody else's file"
	case at < start || at >= start+length+Frame:
		return "the file has nothing then"
	case tile.Offset != from-start:
		return "it shows another moment"
	}
	return ""
}

// Whatever a recording tells, the film covers it, and shows nobody at a time, or in a
// place, where they must not be.
func TestEveryPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length := float64(rapid.IntRange(1, 40).Draw(t, "length"))
		when := rapid.Map(rapid.IntRange(0, int(length*1000)), func(ms int) float64 { return float64(ms) / 1000 })
		who := rapid.SampledFrom([]string{"anne", "bob", "cleo", "dan", "eve", "fay", "gus", "hal"})
		var files []export.File
		for i := range rapid.IntRange(1, 12).Draw(t, "files") {
			take := rapid.SampledFrom([]func(string, float64, float64, ...export.Hole) export.File{camera, screen}).Draw(t, "what")
			f := take(who.Draw(t, "whose"), when.Draw(t, "start"), when.Draw(t, "length")+0.04)
			f.Name = fmt.Sprint(i)
			if rapid.Bool().Draw(t, "sound") {
				f.Codec, f.Source = "opus", "microphone"
			}
			if rapid.Bool().Draw(t, "hole") {
				from := when.Draw(t, "from")
				f.Holes = []export.Hole{{From: from, To: from + when.Draw(t, "for")}}
			}
			files = append(files, f)
		}
		events := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) export.Event {
			e := export.Event{
				At: when.Draw(t, "at"), Identity: who.Draw(t, "identity"), Name: rapid.String().Draw(t, "name"),
				Kind: rapid.SampledFrom([]string{"joined", "left", "consent", "paused", "resumed", "muted", "speaking", "started", "renamed", "message"}).Draw(t, "kind"),
			}
			switch e.Kind {
			case "consent":
				e.Answer = rapid.SampledFrom([]string{"given", "declined", "withdrawn"}).Draw(t, "answer")
			case "muted":
				e.Track, e.Muted = "TR_"+e.Identity, new(rapid.Bool().Draw(t, "muted"))
			case "message":
				e.Text = rapid.String().Draw(t, "text")
			case "speaking":
				e.Identities = rapid.SliceOfNDistinct(who, 0, 4, rapid.ID).Draw(t, "speak")
			}
			return e
		}), 0, 40).Draw(t, "events")
		for range rapid.IntRange(0, 3).Draw(t, "restless") {
			identity, every := who.Draw(t, "who"), rapid.IntRange(20, 1500).Draw(t, "every")
			what := rapid.SampledFrom([]func(float64, string, bool) export.Event{toggled, agreeing, coming}).Draw(t, "what")
			for ms := rapid.IntRange(0, every).Draw(t, "from"); ms < int(length*1000); ms += every {
				events = append(events, what(float64(ms)/1000, identity, ms/every%2 == 0))
			}
		}
		slices.SortStableFunc(events, func(a, b export.Event) int { return int(a.At*1000) - int(b.At*1000) })
		index := meeting(length, files, events...)
		for _, layout := range []Layout{Grid, Speaker} {
			plan, err := New(index, Config{Layout: layout, Language: English})
			switch {
			case errors.Is(err, ErrNothing):
			case err != nil:
				t.Fatal(err)
			default:
				if why := wrong(plan, index); why != "" {
					t.Fatalf("%s\n%s", why, told(plan))
				}
			}
		}
	})
}

func toggled(at float64, identity string, on bool) export.Event {
	return export.Event{At: at, Kind: "muted", Track: "TR_" + identity, Muted: new(!on)}
}

func agreeing(at float64, identity string, on bool) export.Event {
	return consent(at, identity, map[bool]string{true: "given", false: "withdrawn"}[on])
}

func coming(at float64, identity string, on bool) export.Event {
	if on {
		return joined(at, identity)
	}
	return export.Event{At: at, Kind: "left", Identity: identity}
}

// restless is a meeting in which three change something every so often, one their camera,
// one their yes, and one whether they are there; Anne does nothing but be there.
func restless(length, every float64) *export.Index {
	files := []export.File{camera("anne", 0, length), camera("bob", 0, length), camera("cleo", 0, length)}
	events := []export.Event{joined(0, "anne"), consent(0, "anne", "given"), joined(0, "bob"), consent(0, "bob", "given"), joined(0, "cleo"), consent(0, "dan", "given")}
	for n := 0; float64(n)*every < length; n++ {
		at := float64(n) * every
		events = append(events, toggled(at+0.01, "bob", n%2 == 0), agreeing(at+every/3, "cleo", n%2 == 0), coming(at+every*2/3, "dan", n%2 == 0))
	}
	return meeting(length, files, events...)
}

// Whoever changes something all the time costs a film no more than changes at its pace,
// and takes nobody else out of the picture.
func TestRestless(t *testing.T) {
	for every, length := range map[float64]float64{1: 600, 0.1: 60} {
		for _, layout := range []Layout{Grid, Speaker} {
			index := restless(length, every)
			plan, err := New(index, Config{Layout: layout, Language: English})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s, three changes every %v s: %d intervals", layout, every, len(plan.Intervals))
			if why := wrong(plan, index); why != "" {
				t.Error(why)
			}
			for _, i := range plan.Intervals {
				if !slices.ContainsFunc(i.Tiles, func(t Tile) bool { return t.File == "anne-camera.webm" }) {
					t.Fatalf("from %v to %v Anne is not to be seen", i.From, i.To)
				}
			}
		}
	}
	// Those who come when it has become quiet are there at once, and who stays is not gone
	// for longer than until the next change.
	index := restless(60, 0.5)
	index.Duration = 90
	for i := range index.Files {
		index.Files[i].Duration += 30
	}
	index.Events = append(index.Events, joined(80, "eve"), consent(80, "eve", "given"), toggled(80, "bob", true))
	index.People = append(index.People, export.Person{Identity: "eve", Name: "Eve"})
	plan, err := New(index, Config{Layout: Grid, Language: English})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(plan.Intervals, func(i Interval) bool {
		return slices.ContainsFunc(i.Tiles, func(t Tile) bool { return t.Identity == "eve" })
	})
	if i < 0 || plan.Intervals[i].From != 80*time.Second {
		t.Errorf("Eve is not there from 80 s on: %+v", plan.Intervals)
	}
}

func TestPace(t *testing.T) {
	s := func(at ...float64) (out []time.Duration) {
		for _, at := range at {
			out = append(out, seconds(at))
		}
		return out
	}
	var often, atOnce []float64
	for n := range 40 {
		often = append(often, float64(n)*0.48)
		atOnce = append(atOnce, float64(n))
	}
	for _, tt := range []struct {
		name         string
		would, musts []time.Duration
		want         []time.Duration
	}{
		{"as it is", s(0, 1, 1.2, 5), s(0), s(0, 1, 1.2, 5)},
		{"two that nobody tells apart", s(0, 1, 1.04, 1.12, 5), s(0), s(0, 1, 1.2, 5)},
		{"a cut is where it is", s(0, 1, 1.04, 1.08, 5), s(0, 1.04), s(0, 1, 1.04, 1.24, 5)},
		{"a change that comes with the cut", s(0, 1, 1.04, 1.16), s(0, 1.16), s(0, 1, 1.16)},
		{"none at the end", s(0, 99.88, 99.96), s(0), s(0, 99.88)},
		{"one each second", s(atOnce...), s(0), s(atOnce...)},
		{"more than two each second", s(often...), s(0), s(append(slices.Clone(often[:39]), 20)...)},
	} {
		if got := paced(tt.would, tt.musts, 100*time.Second); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestFollowing(t *testing.T) {
	s := func(identity string, from, to float64) turn {
		return turn{Span{seconds(from), seconds(to)}, identity}
	}
	for _, tt := range []struct {
		name  string
		turns []turn
		want  string
	}{
		{"nobody", nil, ""},
		{"from their first word on", []turn{s("a", 2, 4)}, "2s a"},
		{"not for a word", []turn{s("a", 2, 3.4)}, ""},
		{"at least four seconds", []turn{s("a", 0, 2), s("b", 2, 10)}, "0s a, 4s b"},
		{"who has finished meanwhile is not followed", []turn{s("a", 0, 2), s("b", 2, 4.2), s("c", 4.2, 8)}, "0s a, 4.2s c"},
		{"whoever goes on stays", []turn{s("a", 0, 2), s("a", 5, 9), s("b", 20, 30)}, "0s a, 20s b"},
	} {
		var got []string
		for _, c := range follow(tt.turns) {
			got = append(got, fmt.Sprintf("%v %s", c.at, c.identity))
		}
		if got := strings.Join(got, ", "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestCaptions(t *testing.T) {
	plan := &Plan{Language: French, Speech: []Speech{
		{Span{1500 * time.Millisecond, 3 * time.Second}, "a", "Anne <b>&amp; --> x"}, {Span{time.Hour, time.Hour + 61*time.Second}, "b", "سارة"},
	}, Messages: []Message{
		{Span{2 * time.Second, 6 * time.Second}, "a", "Anne <b>", "À tous : <i>--> & voilà</i>"}, {Span{3 * time.Second, 7 * time.Second}, "b", "سارة", "مرحبا، see you!"},
	}}
	if got, want := plan.WebVTT(), `WEBVTT

NOTE En bas : qui parle. En haut : les messages écrits à tous par les personnes enregistrées, sans fichiers ni messages privés.

00:00:01.500 --> 00:00:03.000
<v Anne &lt;b&gt;&amp;amp; --&gt; x>Anne &lt;b&gt;&amp;amp; --&gt; x</v>

00:00:02.000 --> 00:00:06.000 line:0
<v Anne &lt;b&gt;>Anne &lt;b&gt;
À tous : &lt;i&gt;--&gt; &amp; voilà&lt;/i&gt;</v>

00:00:03.000 --> 00:00:07.000 line:0
<v سارة>سارة
مرحبا، see you!</v>

01:00:00.000 --> 01:01:01.000
<v سارة>سارة</v>
`; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestDisplayedNames(t *testing.T) {
	for name, want := range map[string]string{
		" Anne \t Martin ":                 "Anne Martin",
		"a\nb\u2028c\x00\x1b[1m":           "a b c[1m",
		"\u202eevil\u2066x\u2069\ufeff":    "evilx",
		"می\u200cخواهم":                    "می\u200cخواهم",
		strings.Repeat("é", 61):            strings.Repeat("é", 59) + "…",
		strings.Repeat("é", 60):            strings.Repeat("é", 60),
		"%{pts} {\\fs99} 'O' \\N: [x];y,z": "%{pts} {\\fs99} 'O' \\N: [x];y,z",
	} {
		if got := displayed(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
