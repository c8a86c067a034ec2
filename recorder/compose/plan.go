package compose

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"aparte/recorder/export"
)

// Frame is how long one of the film's pictures is shown.
const Frame = 40 * time.Millisecond

// Limits of what is composed.
const (
	longestRecording = 7 * 24 * time.Hour
	intervalsMost    = 100_000
)

// The reasons for which there is no plan.
var (
	ErrNothing = errors.New("there is nothing to compose: nobody's picture or sound is in it")
	ErrTooLong = errors.New("too long to be composed")
)

// Config is how a film is to be.
type Config struct {
	Layout   Layout
	Language Language
	// GoOn is asked again and again while it is planned, and ends that by an error: whoever
	// made a recording up can have planning take very long. Nil: nothing ends it.
	GoOn func() error
}

// Plan is a film. Its times are the film's own unless they are said to be the
// recording's.
type Plan struct {
	Layout    Layout
	Language  Language
	Length    time.Duration // whole frames
	Intervals []Interval    // one after the other, from 0 to Length
	// Kept is what of the recording the film shows, in the recording's time and in
	// order: all of it but pauses and interruptions.
	Kept     []Span
	Sounds   []Sound
	Chapters []Chapter
	Speech   []Speech  // who speaks when
	Messages []Message // what was written when
	// AudioOnly: nobody has a picture at any time.
	AudioOnly bool
}

// Interval is a time in which nothing changes its place.
type Interval struct {
	Span

	Tiles []Tile
	Left  int // how many people have no place
}

// Sound is a file of the export that is heard.
type Sound struct {
	File     string
	Identity string
	Start    time.Duration // in the recording
}

// New plans a film of an export.
func New(index *export.Index, cfg Config) (*Plan, error) {
	w, known := vocabulary[cfg.Language]
	switch {
	case !known:
		return nil, fmt.Errorf("language %q: there are fr, en and ar", cfg.Language)
	case cfg.Layout != Grid && cfg.Layout != Speaker:
		return nil, fmt.Errorf("layout %q: there are grid and speaker", cfg.Layout)
	case len(index.Files) == 0:
		return nil, ErrNothing
	}
	whole := Span{0, seconds(index.Duration)}
	if whole.To > longestRecording {
		return nil, fmt.Errorf("%w: %v, at most %v", ErrTooLong, whole.To, longestRecording)
	}
	events := slices.Clone(index.Events)
	slices.SortStableFunc(events, func(a, b export.Event) int { return cmp.Compare(a.At, b.At) })
	b := &builder{cfg: cfg, words: w, attendance: attend(events, whole.To)}
	b.media(index)
	b.tl = newTimeline(events, b.all, whole)
	if b.tl.length == 0 {
		return nil, ErrNothing
	}
	if cfg.GoOn == nil {
		b.cfg.GoOn = func() error { return nil }
	}
	if err := b.gather(index); err != nil {
		return nil, err
	}
	if err := b.listen(events, whole.To); err != nil {
		return nil, err
	}
	b.read(events)
	plan := &Plan{
		Layout: cfg.Layout, Language: cfg.Language, Length: b.tl.length, Kept: b.tl.kept,
		Sounds: b.sounds, Speech: b.speech, Messages: b.messages, Chapters: chapters(w, &b.tl, b.people, b.pictures),
		AudioOnly: !slices.ContainsFunc(b.pictures, func(p *picture) bool { return len(p.shown) > 0 }),
	}
	var err error
	plan.Intervals, err = b.intervals()
	return plan, err
}

// builder is a plan that is being made.
type builder struct {
	cfg        Config
	words      words
	attendance attendance
	all        spans            // when there is media at all, in the recording's time
	of         map[string]spans // and whose
	tl         timeline
	people     []*person // in the order in which they came
	pictures   []*picture
	sounds     []Sound
	speech     []Speech
	messages   []Message
	changes    []change
}

func (b *builder) media(index *export.Index) {
	of := map[string][]Span{}
	var all []Span
	for _, f := range index.Files {
		m := mediaOf(f)
		of[f.Identity] = append(of[f.Identity], m...)
		all = append(all, m...)
	}
	b.all, b.of = union(all...), map[string]spans{}
	for identity, s := range of {
		b.of[identity] = union(s...)
	}
}

// gather finds out who is shown when, and what of.
func (b *builder) gather(index *export.Index) error {
	known := map[string]*person{}
	for i, p := range index.People {
		if err := b.cfg.GoOn(); err != nil {
			return err
		}
		one := &person{identity: p.Identity, order: i, names: b.attendance.names[p.Identity]}
		if len(one.names) == 0 {
			one.names = []named{{0, displayed(p.Name)}}
		}
		one.present = b.tl.film(b.attendance.present(p.Identity, b.of[p.Identity])).framed()
		if known[p.Identity] == nil && len(one.present) > 0 {
			known[p.Identity] = one
			b.people = append(b.people, one)
		}
	}
	slices.SortStableFunc(b.people, func(x, y *person) int {
		return cmp.Or(cmp.Compare(x.present[0].From, y.present[0].From), cmp.Compare(x.order, y.order))
	})
	for _, f := range index.Files {
		if err := b.cfg.GoOn(); err != nil {
			return err
		}
		if isSound(f) {
			b.sounds = append(b.sounds, Sound{f.Name, f.Identity, seconds(f.Start)})
			continue
		}
		p := &picture{file: f.Name, identity: f.Identity, start: seconds(f.Start), screen: isScreen(f)}
		if who := known[f.Identity]; who != nil {
			shown := b.tl.film(shownOf(f, union(b.attendance.muted.done[f.Track]...)))
			p.shown = shown.framed().and(who.present).lasting(shownLeast)
		}
		b.pictures = append(b.pictures, p)
	}
	return nil
}

// listen finds out who speaks, of those who are shown, and whom to follow.
func (b *builder) listen(events []export.Event, end time.Duration) error {
	v := listen(events, end)
	var turns []turn
	for _, p := range b.people {
		if err := b.cfg.GoOn(); err != nil {
			return err
		}
		said := b.tl.film(union(v.speaking.done[p.identity]...)).and(p.present)
		for _, s := range said.bridged(breath).and(p.present).lasting(saidLeast) {
			b.speech = append(b.speech, Speech{s, p.identity, p.name(b.tl.recorded(s.From))})
		}
		loudest := b.tl.film(union(v.loudest.done[p.identity]...)).and(p.present)
		for _, s := range loudest.bridged(breath).and(p.present) {
			turns = append(turns, turn{s, p.identity})
		}
	}
	slices.SortStableFunc(b.speech, func(x, y Speech) int { return cmp.Compare(x.From, y.From) })
	b.changes = follow(turns)
	return nil
}

// bounds are the times at which something may change.
func (b *builder) bounds() []time.Duration {
	all := append([]time.Duration{0, b.tl.length}, b.tl.begins...)
	add := func(of spans) {
		for _, s := range of {
			all = append(all, s.From, s.To)
		}
	}
	for _, p := range b.people {
		add(p.present)
		for _, n := range p.names {
			all = append(all, min(ceil(b.tl.at(n.at)), b.tl.length))
		}
	}
	for _, p := range b.pictures {
		add(p.shown)
	}
	for _, c := range b.changes {
		all = append(all, c.at)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (b *builder) intervals() (out []Interval, err error) {
	bounds := b.bounds()
	for i, from := range bounds[:len(bounds)-1] {
		if err := b.cfg.GoOn(); err != nil {
			return nil, err
		}
		out = b.followed(out, b.interval(Span{from, bounds[i+1]}))
	}
	if out, err = b.calm(out); err != nil {
		return nil, err
	}
	if len(out) > intervalsMost {
		return nil, fmt.Errorf("%w: the picture would change more than %d times", ErrTooLong, intervalsMost)
	}
	return out, nil
}

// interval shows what may be shown throughout a time of the film.
func (b *builder) interval(s Span) Interval {
	one := Interval{Span: s}
	one.Tiles, one.Left = arrange(b.cfg.Layout, b.scene(s))
	recorded := b.tl.recorded(s.From)
	for i := range one.Tiles {
		t := &one.Tiles[i]
		t.Name = label(*t, nameOf(b.people, t.Identity, recorded), b.words)
		if t.File != "" {
			t.Offset = recorded - b.start(t.File)
		}
	}
	return one
}

// followed is all with one after them: the last lasts until its end if nothing changes.
func (b *builder) followed(all []Interval, one Interval) []Interval {
	if n := len(all); n > 0 && !slices.Contains(b.tl.begins, one.From) && same(all[n-1], one) {
		all[n-1].To = one.To
		return all
	}
	return append(all, one)
}

func (b *builder) start(file string) time.Duration {
	i := slices.IndexFunc(b.pictures, func(p *picture) bool { return p.file == file })
	return b.pictures[i].start
}

// same says whether b goes on as a is.
func same(a, b Interval) bool {
	return a.Left == b.Left && slices.EqualFunc(a.Tiles, b.Tiles, func(x, y Tile) bool {
		if x.File != "" {
			x.Offset += b.From - a.From
		}
		return x == y
	})
}

// scene is who is to be seen throughout a time of the film.
func (b *builder) scene(during Span) scene {
	var s scene
	for _, p := range b.people {
		if p.present.throughout(during) {
			s.people = append(s.people, p)
			s.cameras = append(s.cameras, b.camera(p.identity, during))
		}
	}
	for _, p := range b.pictures {
		if p.screen && p.shown.throughout(during) {
			s.screens = append(s.screens, p)
		}
	}
	slices.SortStableFunc(s.screens, func(x, y *picture) int { return cmp.Compare(y.start, x.start) })
	s.speaker = b.speaker(s, during.From)
	return s
}

// camera is somebody's picture: of several files the latest.
func (b *builder) camera(identity string, during Span) (latest *picture) {
	for _, p := range b.pictures {
		if !p.screen && p.identity == identity && p.shown.throughout(during) && (latest == nil || p.start >= latest.start) {
			latest = p
		}
	}
	return latest
}

// speaker is whom to follow: who speaks, or did last of those who are still there; before
// anybody has, somebody with a picture.
func (b *builder) speaker(s scene, at time.Duration) string {
	for _, c := range slices.Backward(b.changes) {
		if c.at <= at && slices.ContainsFunc(s.people, func(p *person) bool { return p.identity == c.identity }) {
			return c.identity
		}
	}
	for i, p := range s.people {
		if s.cameras[i] != nil {
			return p.identity
		}
	}
	if len(s.people) > 0 {
		return s.people[0].identity
	}
	return ""
}

// seconds is a time of the index. What no time can be is none.
func seconds(s float64) time.Duration {
	if math.IsNaN(s) || math.Abs(s) > (365*24*time.Hour).Seconds() {
		return 0
	}
	return time.Duration(math.Round(s*1e6)) * time.Microsecond
}
