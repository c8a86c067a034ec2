package calendar_test

import (
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"

	"aparte/signaling/calendar"
)

var event = calendar.Event{
	UID: "m1@meet.example.org", Title: "Coopération consulaire", Organiser: "Anne Bernard", Contact: "https://meet.example.org/meetings/m1",
	URL:   "https://meet.example.org/meetings/m1",
	Start: time.Date(2027, 3, 2, 9, 0, 0, 0, time.UTC), End: time.Date(2027, 3, 2, 10, 0, 0, 0, time.UTC),
}

var now = time.Date(2027, 3, 1, 8, 0, 0, 0, time.UTC)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	at, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestFile(t *testing.T) {
	want := strings.Join([]string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Aparté//Aparté//FR", "METHOD:PUBLISH", "CALSCALE:GREGORIAN",
		"BEGIN:VEVENT", "UID:m1@meet.example.org", "DTSTAMP:20270301T080000Z", "SEQUENCE:2", "DTSTART:20270302T090000Z", "DTEND:20270302T100000Z",
		"SUMMARY:Coopération consulaire", "ORGANIZER;CN=Anne Bernard:https://meet.example.org/meetings/m1", `DESCRIPTION:un\ndeux`,
		"LOCATION:https://meet.example.org/meetings/m1", "URL:https://meet.example.org/meetings/m1", "STATUS:CONFIRMED", "END:VEVENT", "END:VCALENDAR", "",
	}, "\r\n")
	e := event
	e.Revision, e.Notes = 2, []string{"un", "deux"}
	if got := calendar.File(e, now); got != want {
		t.Errorf("file:\n%s\nwant:\n%s", got, want)
	}
	e.Over, e.URL, e.End = true, "", time.Time{}
	got := calendar.File(e, now)
	for _, line := range []string{"URL:", "LOCATION:", "DTEND:", "STATUS:CONFIRMED"} {
		if strings.Contains(got, "\r\n"+line) {
			t.Errorf("%s in\n%s", line, got)
		}
	}
	if !strings.Contains(got, "\r\nSTATUS:CANCELLED\r\n") {
		t.Errorf("not cancelled:\n%s", got)
	}
}

// The same hour of a zone's clocks is another hour of UTC after they have changed, and
// not in a zone that does not change them.
func TestTimesAcrossAChangeOfClocks(t *testing.T) {
	for _, c := range []struct {
		zone          string
		before, after string // of 15:00 there on 27 and 29 March 2027
		there         string // 29 March, 15:00 to 16:00
	}{
		{"Europe/Lisbon", "20270327T150000Z", "20270329T140000Z", "2027-03-29 15:00 – 16:00 (Europe/Lisbon, UTC+01:00)"},
		{"America/Montreal", "20270327T190000Z", "20270329T190000Z", "2027-03-29 15:00 – 16:00 (America/Montreal, UTC-04:00)"},
		{"Africa/Dakar", "20270327T150000Z", "20270329T150000Z", "2027-03-29 15:00 – 16:00 (Africa/Dakar, UTC+00:00)"},
		{"Asia/Kathmandu", "20270327T091500Z", "20270329T091500Z", "2027-03-29 15:00 – 16:00 (Asia/Kathmandu, UTC+05:45)"},
	} {
		at := zone(t, c.zone)
		for day, want := range map[int]string{27: c.before, 29: c.after} {
			e := event
			e.Start = time.Date(2027, 3, day, 15, 0, 0, 0, at)
			e.End = e.Start.Add(time.Hour)
			if got := calendar.File(e, now); !strings.Contains(got, "\r\nDTSTART:"+want+"\r\n") {
				t.Errorf("%s, %d March: want %s in\n%s", c.zone, day, want, got)
			}
			if day == 29 {
				if got := calendar.There(e.Start, e.End, at); got != c.there {
					t.Errorf("there: %s, want %s", got, c.there)
				}
			}
		}
	}
	// Through the night of the change in Lisbon: two hours, of which the clocks show three.
	lisbon := zone(t, "Europe/Lisbon")
	start := time.Date(2027, 3, 28, 0, 30, 0, 0, time.UTC)
	if got, want := calendar.There(start, start.Add(2*time.Hour), lisbon), "2027-03-28 00:30 – 03:30 (Europe/Lisbon, UTC+00:00)"; got != want {
		t.Errorf("there: %s, want %s", got, want)
	}
	if got, want := calendar.There(start, start.Add(24*time.Hour), lisbon), "2027-03-28 00:30 – 2027-03-29 01:30 (Europe/Lisbon, UTC+00:00)"; got != want {
		t.Errorf("there: %s, want %s", got, want)
	}
	if got, want := calendar.There(start, time.Time{}, lisbon), "2027-03-28 00:30 (Europe/Lisbon, UTC+00:00)"; got != want {
		t.Errorf("there: %s, want %s", got, want)
	}
}

// What was typed ends no line, begins no property and is whole again when read; lines are
// no longer than 75 bytes and cut no sign.
func TestWhatWasTypedStaysText(t *testing.T) {
	for _, typed := range []string{
		"a, b; c\\n \\ end", "fin\nEND:VEVENT\nBEGIN:VALARM", `"citée": l’été`, strings.Repeat("é", 200), strings.Repeat("réunion 🕊 ", 20),
	} {
		e := event
		e.Title, e.Organiser, e.Notes = typed, typed, []string{typed, "x"}
		if strings.Contains(typed, "\n") {
			e.Organiser = "Anne" // names hold no ends of lines
		}
		text := calendar.File(e, now)
		for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
			if len(line) > 75 || !strings.HasPrefix(line, " ") && !strings.ContainsAny(line, ":;") || strings.ContainsAny(line, "\r\n") || strings.ToValidUTF8(line, "") != line {
				t.Errorf("line %q of %d bytes", line, len(line))
			}
		}
		if n := strings.Count(text, "\r\nEND:VEVENT\r\n"); n != 1 || strings.Contains(text, "\r\nBEGIN:VALARM") {
			t.Errorf("%d ends of the event in\n%s", n, text)
		}
		read, err := ics.ParseCalendar(strings.NewReader(text))
		if err != nil || len(read.Events()) != 1 {
			t.Errorf("%q: read again: %v", typed, err)
			continue
		}
		if got := read.Events()[0].GetProperty(ics.ComponentPropertySummary).Value; got != typed {
			t.Errorf("title %q, want %q", got, typed)
		}
		if got := read.Events()[0].GetProperty(ics.ComponentPropertyDescription).Value; got != typed+"\nx" {
			t.Errorf("description %q, want %q", got, typed+"\nx")
		}
	}
}
