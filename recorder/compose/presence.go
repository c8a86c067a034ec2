package compose

import (
	"time"

	"aparte/recorder/export"
)

// person is somebody who was recorded.
type person struct {
	identity string
	names    []named
	present  spans // in the film's time, whole frames
	order    int   // in the index
}

// named is a name from some time of the recording on.
type named struct {
	at   time.Duration
	name string
}

// name is what somebody was called at a time of the recording.
func (p *person) name(at time.Duration) string { return nameAt(p.names, at) }

// nameAt is the one of names, in order, that somebody had at a time.
func nameAt(names []named, at time.Duration) string {
	name := names[0].name
	for _, n := range names {
		if n.at <= at {
			name = n.name
		}
	}
	return name
}

// openSpans are spans that are still being told, by whose they are.
type openSpans struct {
	open map[string]time.Duration
	done map[string][]Span
}

func newOpenSpans() openSpans {
	return openSpans{map[string]time.Duration{}, map[string][]Span{}}
}

func (o openSpans) begin(key string, at time.Duration) {
	if _, is := o.open[key]; !is {
		o.open[key] = at
	}
}

func (o openSpans) end(key string, at time.Duration) {
	if from, is := o.open[key]; is {
		o.done[key] = append(o.done[key], Span{from, at})
		delete(o.open, key)
	}
}

func (o openSpans) endAll(at time.Duration) {
	for key := range o.open {
		o.end(key, at)
	}
}

// attendance is what the events say about when who may be shown.
type attendance struct {
	there, agreed openSpans           // by identity
	muted         openSpans           // by track
	names         map[string][]named  // by identity
	asked         map[string]struct{} // whoever is known to have answered
}

// attend reads the events. A part begins without knowing anything: who is there, who
// agreed and which tracks are muted is told anew.
func attend(events []export.Event, end time.Duration) attendance {
	a := attendance{newOpenSpans(), newOpenSpans(), newOpenSpans(), map[string][]named{}, map[string]struct{}{}}
	for _, e := range events {
		at := seconds(e.At)
		switch e.Kind {
		case "started":
			a.there.endAll(at)
			a.agreed.endAll(at)
			a.muted.endAll(at)
		case "joined":
			a.there.begin(e.Identity, at)
			a.call(e, at)
		case "renamed":
			a.call(e, at)
		case "left":
			a.there.end(e.Identity, at)
		case "consent":
			a.asked[e.Identity] = struct{}{}
			if e.Answer == "given" {
				a.agreed.begin(e.Identity, at)
			} else {
				a.agreed.end(e.Identity, at)
			}
		case "muted":
			if e.Muted != nil && *e.Muted {
				a.muted.begin(e.Track, at)
			} else {
				a.muted.end(e.Track, at)
			}
		}
	}
	a.there.endAll(end)
	a.agreed.endAll(end)
	a.muted.endAll(end)
	return a
}

func (a *attendance) call(e export.Event, at time.Duration) {
	if e.Name != "" {
		a.names[e.Identity] = append(a.names[e.Identity], named{at, displayed(e.Name)})
	}
}

// name is what somebody was called; who never had a name goes by their identity.
func (a *attendance) name(identity string, at time.Duration) string {
	if names := a.names[identity]; len(names) > 0 {
		return nameAt(names, at)
	}
	return displayed(identity)
}

// present is when somebody may be shown, in the recording's time: while they were there,
// or sent something, and had agreed. A recording that has no answer of somebody, and media
// of them all the same, goes by the media.
func (a *attendance) present(identity string, media spans) spans {
	there := union(append(a.there.done[identity], media...)...)
	if _, asked := a.asked[identity]; asked {
		return there.and(union(a.agreed.done[identity]...))
	}
	if len(media) == 0 {
		return nil
	}
	return there
}
