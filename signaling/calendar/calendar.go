// Package calendar writes what a calendar takes up: an event as an iCalendar object
// (RFC 5545) that is published (RFC 5546, METHOD:PUBLISH).
package calendar

import (
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
)

// Event is what a calendar shows.
type Event struct {
	// UID names the event for good, so that a calendar takes a later file for the same
	// event; Revision says how often it has changed, from 0.
	UID       string
	Revision  int
	Title     string
	Organiser string // name of a person
	// Contact is the address (URI) of the organiser, for calendars that want one.
	Contact string
	URL     string // where the event is; "": not told
	Start   time.Time
	End     time.Time // zero: none
	Notes   []string  // lines of the description
	Over    bool      // it will not take place
}

// inName takes the place of what the value of a parameter cannot hold (RFC 5545,
// section 3.1), or only in quotation marks that not all calendars read.
var inName = strings.NewReplacer(`"`, "”", "'", "’", ";", " ", ":", " ", ",", " ", `\`, " ")

// File is the event as a file that was written at a time. Times are in UTC, so that they
// are right in every zone on both sides of a change of clocks, and no calendar needs to
// know the rules of the zone that we do.
func File(e Event, now time.Time) string {
	cal := ics.NewCalendar()
	cal.SetProductId("-//Aparté//Aparté//FR")
	cal.SetMethod(ics.MethodPublish)
	cal.SetCalscale("GREGORIAN")
	v := cal.AddEvent(e.UID)
	v.SetDtStampTime(now)
	v.SetSequence(e.Revision)
	v.SetStartAt(e.Start)
	if !e.End.IsZero() {
		v.SetEndAt(e.End)
	}
	v.SetSummary(e.Title)
	v.SetProperty(ics.ComponentPropertyOrganizer, e.Contact, ics.WithCN(inName.Replace(e.Organiser)))
	if len(e.Notes) > 0 {
		v.SetDescription(strings.Join(e.Notes, "\n"))
	}
	if e.URL != "" {
		v.SetLocation(e.URL) // what calendars show
		v.SetURL(e.URL)
	}
	v.SetStatus(ics.ObjectStatusConfirmed)
	if e.Over {
		v.SetStatus(ics.ObjectStatusCancelled)
	}
	return cal.Serialize(ics.WithNewLine("\r\n"))
}

// There is a stretch of time as the clocks of a zone show it, without words:
// "2027-03-28 01:30 – 03:30 (Europe/Lisbon, UTC+00:00)".
func There(start, end time.Time, zone *time.Location) string {
	from := start.In(zone)
	text := from.Format("2006-01-02 15:04")
	if !end.IsZero() {
		to := end.In(zone)
		form := "15:04"
		if to.Format(time.DateOnly) != from.Format(time.DateOnly) {
			form = "2006-01-02 15:04"
		}
		text += " – " + to.Format(form)
	}
	return text + " (" + zone.String() + ", UTC" + from.Format("-07:00") + ")"
}
