package post

import (
	"context"
	"io"
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
	Acts         []audit.Act // one of them
	Actor        string      // id of who acted, or a kind of actor
	Meeting      string      // id
	Link         string      // id of a guest link
	Guest        string      // any id that a guest goes by: lobby session, knock, participant
	Since, Until time.Time   // Since ≤ time < Until
	Before       uint64      // number of an event; those before it
	Limit        int         // events answered at most

	// Guests are all ids of Guest, once they are known.
	Guests []string
}

// Page is events of a trail, newest first.
type Page struct {
	Events []Told
	// Next is where the next page begins (Before), 0 at the end of the trail. A page may
	// hold fewer events than there is room for, or none, and have a next one.
	Next uint64
	// Names are what ids in the events are called, as far as it is known still.
	Names map[string]string
}

// looked bounds how many events one page has the database find. It finds them by acts and
// ids alone: those that only the time leaves out count, too.
const looked = 5000

// Trail lists a post's audit events for its auditors. Events that are added meanwhile
// move no page: each begins before an event.
func (p *Posts) Trail(ctx context.Context, by, id string, q Query) (page Page, err error) {
	if _, err := p.at(ctx, by, id, Role.Audits); err != nil {
		return page, err
	}
	if q.Guest != "" {
		if q.Guests, err = p.store.GuestIDs(ctx, id, q.Guest); err != nil {
			return page, err
		}
	}
	all, err := p.store.EventsBefore(ctx, id, q, looked)
	if err != nil {
		return page, err
	}
	for _, e := range all {
		if len(page.Events) == q.Limit {
			page.Next = page.Events[len(page.Events)-1].Seq
			break
		}
		if q.chooses(e.Event) {
			page.Events = append(page.Events, e)
		}
	}
	if last := len(all) - 1; page.Next == 0 && len(all) == looked && all[last].Seq > 1 {
		page.Next = all[last].Seq
	}
	page.Names, err = p.store.NamesOf(ctx, id, page.Events)
	return page, err
}

func (q Query) chooses(e audit.Event) bool {
	return (len(q.Acts) == 0 || slices.Contains(q.Acts, e.Act)) && !e.Time.Before(q.Since) && (q.Until.IsZero() || e.Time.Before(q.Until)) &&
		(q.Actor == "" || q.Actor == e.Actor.ID || q.Actor == string(e.Actor.Kind)) &&
		(q.Meeting == "" || q.Meeting == e.Meeting) && (q.Link == "" || q.Link == e.Subjects[audit.Link]) &&
		(q.Guest == "" || slices.ContainsFunc(q.Guests, func(id string) bool {
			return e.Actor.Kind == audit.Guest && e.Actor.ID == id || e.Subjects[audit.Visit] == id || e.Subjects[audit.Knock] == id || e.Subjects[audit.Participant] == id
		}))
}

// Verification is what was found in a post's chain, and when.
type Verification struct {
	audit.Report
	At time.Time
}

// How long a verification is shown: each reads the whole chain. Whoever asks for another
// one gets it no sooner than verifiedAgain after the last.
const (
	verifiedFor   = 5 * time.Minute
	verifiedAgain = 10 * time.Second
)

// Verify reads a post's chain for its auditors and says what is wrong with it, or what
// was found not long ago; again has it read anew. One chain is read at a time.
func (p *Posts) Verify(ctx context.Context, by, id string, again bool) (Verification, error) {
	if _, err := p.at(ctx, by, id, Role.Audits); err != nil {
		return Verification{}, err
	}
	select {
	case p.verifying <- struct{}{}:
		defer func() { <-p.verifying }()
	case <-ctx.Done():
		return Verification{}, ctx.Err()
	}
	good := verifiedFor
	if again {
		good = verifiedAgain
	}
	if last, ok := p.verified[id]; ok && p.now().Sub(last.At) < good {
		return last, nil
	}
	report, err := p.store.VerifyChain(ctx, id)
	if err != nil {
		return Verification{}, err
	}
	found := Verification{Report: report, At: p.now()}
	p.verified[id] = found
	return found, nil
}

// Export writes the stretch of a post's chain that holds a range of time for its
// auditors, as the command does: what is written verifies by itself. The trail tells of
// it before.
func (p *Posts) Export(ctx context.Context, by, id string, since, until time.Time) (func(context.Context, io.Writer) error, error) {
	if _, err := p.at(ctx, by, id, Role.Audits); err != nil {
		return nil, err
	}
	if err := p.store.Note(ctx, p.did(audit.AuditExported, by, id).WithTime("since", since).WithTime("until", until)); err != nil {
		return nil, err
	}
	return func(ctx context.Context, w io.Writer) error { return p.store.ExportChain(ctx, w, id, since, until) }, nil
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
