package post

import (
	"context"
	"slices"
	"time"

	"aparte/signaling/audit"
)

// Told is an event with the texts of persons that are still there.
type Told struct {
	audit.Event
	Hash  audit.Hash
	Texts map[string]string // by field
}

// Query chooses events of a post's trail; zero values choose all.
type Query struct {
	Act          audit.Act
	Since, Until time.Time // Since ≤ time < Until
	Before       uint64    // number of an event; those before it
	Limit        int       // events answered at most
}

// looked bounds how many events one page looks at: what a filter leaves out is
// looked at, too.
const looked = 5000

// Trail lists a post's audit events for its auditors, newest first. next is
// where the next page begins (Before), 0 at the end of the trail; a page may hold
// fewer events than there is room for, or none, and have a next one.
func (p *Posts) Trail(ctx context.Context, by, id string, q Query) (events []Told, next uint64, err error) {
	if _, err := p.at(ctx, by, id, Role.Audits); err != nil {
		return nil, 0, err
	}
	page, err := p.store.EventsBefore(ctx, id, q.Before, looked)
	if err != nil {
		return nil, 0, err
	}
	for _, e := range page {
		if len(events) == q.Limit {
			return events, events[len(events)-1].Seq, nil
		}
		if q.chooses(e.Event) {
			events = append(events, e)
		}
	}
	if len(page) == looked && page[len(page)-1].Seq > 1 {
		next = page[len(page)-1].Seq
	}
	return events, next, nil
}

func (q Query) chooses(e audit.Event) bool {
	return (q.Act == "" || q.Act == e.Act) && !e.Time.Before(q.Since) && (q.Until.IsZero() || e.Time.Before(q.Until))
}

// Figures are what a post did in a stretch of time, counted from its audit
// trail: so they are as true as it is, and outlive the meetings.
type Figures struct {
	Since, Until time.Time // Since ≤ time < Until
	// Held are the meetings that were opened, of permanent ones each sitting, Minutes how
	// long those that ended had been open, each rounded down.
	Held, Minutes int
	// Admitted and Refused are decisions on guests: who was let in twice counts
	// twice. Refused and banned are Refused; Removed were taken out of the call.
	Admitted, Refused, Removed int

	opened map[string]time.Time // by meeting
}

// counted are the acts that figures are made of.
var counted = []audit.Act{
	audit.MeetingOpened, audit.MeetingEnded, audit.MeetingAdjourned, audit.KnockAdmitted, audit.KnockDenied, audit.KnockBanned, audit.ParticipantRemoved,
}

// Count adds an event; they come in their order, also those of before Since.
func (f *Figures) Count(e audit.Event) {
	if e.Act == audit.MeetingOpened {
		if f.opened == nil {
			f.opened = make(map[string]time.Time)
		}
		f.opened[e.Meeting] = e.Time
	}
	opened, open := f.opened[e.Meeting]
	if e.Act == audit.MeetingEnded || e.Act == audit.MeetingAdjourned {
		delete(f.opened, e.Meeting)
	}
	if e.Time.Before(f.Since) || !e.Time.Before(f.Until) || !slices.Contains(counted, e.Act) {
		return
	}
	switch e.Act {
	case audit.MeetingOpened:
		f.Held++
	case audit.MeetingEnded, audit.MeetingAdjourned:
		if open {
			f.Minutes += int(e.Time.Sub(opened) / time.Minute)
		}
	case audit.KnockAdmitted:
		f.Admitted++
	case audit.KnockDenied, audit.KnockBanned:
		f.Refused++
	case audit.ParticipantRemoved:
		f.Removed++
	}
}

// Days are whole days in the post's time zone, both included.
type Days struct{ From, To time.Time }

// FiguresOf counts what a post did, for its administrators and auditors. Only
// the dates of the days count, in the post's time zone; without them it is the
// month up to today.
func (p *Posts) FiguresOf(ctx context.Context, by, id string, days Days) (Figures, error) {
	m, err := p.at(ctx, by, id, Role.SeesFigures)
	if err != nil {
		return Figures{}, err
	}
	zone, err := Zone(m.Post.TimeZone)
	if err != nil {
		return Figures{}, err
	}
	f := days.within(zone, p.now())
	err = p.store.EventsOf(ctx, id, counted, f.Count)
	return f, err
}

// within are the figures of days, still to be counted.
func (d Days) within(zone *time.Location, now time.Time) Figures {
	midnight := func(t time.Time) time.Time {
		year, month, day := t.Date()
		return time.Date(year, month, day, 0, 0, 0, 0, zone)
	}
	to := now.In(zone)
	if !d.To.IsZero() {
		to = d.To
	}
	from := to.AddDate(0, 0, -29)
	if !d.From.IsZero() {
		from = d.From
	}
	return Figures{Since: midnight(from), Until: midnight(to).AddDate(0, 0, 1)}
}
