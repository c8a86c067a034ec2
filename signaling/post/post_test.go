package post

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/name"
)

var now = time.Date(2027, 3, 2, 9, 0, 0, 0, time.UTC)

func draft(change func(*Draft)) Draft {
	d := Draft{
		Name: " Ambassade de France au Sénégal ", TimeZone: "Africa/Dakar", Languages: []string{"fr", "WO", "fr"},
		Contact: Contact{Address: "1 rue Assane Ndoye\r\nDakar \n", Phone: "+221 33 839 51 00", Email: "dakar@diplomatie.example", Web: "https://dakar.example/"},
	}
	if change != nil {
		change(&d)
	}
	return d
}

func TestPostIsKeptAsDrafted(t *testing.T) {
	got, err := New(draft(nil), "dakar", now)
	want := Post{
		ID: "dakar", Name: "Ambassade de France au Sénégal", TimeZone: "Africa/Dakar", Languages: []string{"fr", "wo"}, CreatedAt: now,
		Contact: Contact{Address: "1 rue Assane Ndoye\nDakar", Phone: "+221 33 839 51 00", Email: "dakar@diplomatie.example", Web: "https://dakar.example/"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	bare, err := New(draft(func(d *Draft) { d.Contact = Contact{} }), "dakar", now)
	if err != nil || bare.Contact != (Contact{}) {
		t.Errorf("without contact: %+v, %v", bare, err)
	}
}

func TestWhatIsWrongWithADraftIsNamed(t *testing.T) {
	for _, c := range []struct {
		field  string
		change func(*Draft)
	}{
		{"name", func(d *Draft) { d.Name = " " }},
		{"name", func(d *Draft) { d.Name = "a\nb" }},
		{"time_zone", func(d *Draft) { d.TimeZone = "" }},
		{"time_zone", func(d *Draft) { d.TimeZone = "Local" }},
		{"time_zone", func(d *Draft) { d.TimeZone = "localtime" }},
		{"time_zone", func(d *Draft) { d.TimeZone = "posix/Europe/Paris" }},
		{"time_zone", func(d *Draft) { d.TimeZone = "../../etc/passwd" }},
		{"time_zone", func(d *Draft) { d.TimeZone = "Europe/Atlantis" }},
		{"time_zone", func(d *Draft) { d.TimeZone = "Europe/" }},
		{"languages", func(d *Draft) { d.Languages = nil }},
		{"languages", func(d *Draft) { d.Languages = make([]string, maxLanguages+1) }},
		{"languages[1]", func(d *Draft) { d.Languages = []string{"fr", "français"} }},
		{"contact.address", func(d *Draft) { d.Contact.Address = "a\x00b" }},
		{"contact.address", func(d *Draft) { d.Contact.Address = strings.Repeat("a\n", maxAddressLines) + "b" }},
		{"contact.phone", func(d *Draft) { d.Contact.Phone = "appelez-nous" }},
		{"contact.email", func(d *Draft) { d.Contact.Email = "Dakar <dakar@diplomatie.example>" }},
		{"contact.email", func(d *Draft) { d.Contact.Email = "a@b.example\r\nBcc: c@d.example" }},
		{"contact.web", func(d *Draft) { d.Contact.Web = "javascript:alert(1)" }},
		{"contact.web", func(d *Draft) { d.Contact.Web = "https://user:secret@dakar.example/" }},
	} {
		_, err := New(draft(c.change), "dakar", now)
		if wrong, ok := errors.AsType[*name.Error](err); !ok || wrong.At != c.field {
			t.Errorf("%s: %v", c.field, err)
		}
	}
}

func TestZones(t *testing.T) {
	for _, zone := range []string{"UTC", "Europe/Paris", "America/Argentina/Buenos_Aires", "America/Port-au-Prince", "Etc/GMT+5", "Africa/Dar_es_Salaam"} {
		if _, err := Zone(zone); err != nil {
			t.Errorf("%s: %v", zone, err)
		}
	}
}

func TestWhatARoleMay(t *testing.T) {
	for _, c := range []struct {
		role                          Role
		acts, administers, sees, read bool
	}{{Agent, true, false, false, false}, {Administrator, true, true, true, false}, {Auditor, false, false, true, true}, {"", false, false, false, false}, {"owner", false, false, false, false}} {
		if c.role.Acts() != c.acts || c.role.Administers() != c.administers || c.role.SeesFigures() != c.sees || c.role.Audits() != c.read {
			t.Errorf("%q may something else than %+v", c.role, c)
		}
		if _, err := ParseRole(string(c.role)); (err == nil) != c.acts && c.role != Auditor {
			t.Errorf("parsed %q: %v", c.role, err)
		}
	}
}

func TestFiguresCountWhatHappenedWithin(t *testing.T) {
	f := Figures{Since: now, Until: now.Add(time.Hour)}
	for _, c := range []struct {
		act     audit.Act
		meeting string
		at      time.Duration
	}{
		{audit.MeetingOpened, "early", -10 * time.Minute}, // was open before, ends within
		{audit.KnockAdmitted, "early", -time.Minute},
		{audit.MeetingOpened, "m", 0},
		{audit.KnockAdmitted, "m", time.Minute},
		{audit.KnockAdmitted, "m", time.Minute},
		{audit.KnockDenied, "m", time.Minute},
		{audit.KnockBanned, "m", time.Minute},
		{audit.ParticipantRemoved, "m", 2 * time.Minute},
		{audit.MeetingEnded, "early", 5 * time.Minute},
		{audit.MeetingEnded, "never opened", 5 * time.Minute},
		{audit.MeetingEnded, "m", 20*time.Minute + 59*time.Second},
		{audit.MeetingOpened, "late", 50 * time.Minute},
		{audit.MeetingEnded, "late", time.Hour}, // after
	} {
		f.Count(audit.Event{Act: c.act, Meeting: c.meeting, Time: now.Add(c.at)})
	}
	f.opened = nil
	want := Figures{Since: f.Since, Until: f.Until, Held: 2, Minutes: 15 + 20, Admitted: 2, Refused: 2, Removed: 1}
	if !reflect.DeepEqual(f, want) {
		t.Errorf("%+v, want %+v", f, want)
	}
}

func TestDaysAreThoseOfTheZone(t *testing.T) {
	paris, err := Zone("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	date := func(month time.Month, day int) time.Time { return time.Date(2027, month, day, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		days         Days
		now          time.Time
		since, until string
	}{
		{Days{}, time.Date(2027, 3, 2, 23, 30, 0, 0, time.UTC), "2027-02-02T00:00:00+01:00", "2027-03-04T00:00:00+01:00"},
		{Days{From: date(3, 28), To: date(3, 28)}, now, "2027-03-28T00:00:00+01:00", "2027-03-29T00:00:00+02:00"}, // 23 hours
	} {
		f := c.days.within(paris, c.now)
		if f.Since.Format(time.RFC3339) != c.since || f.Until.Format(time.RFC3339) != c.until {
			t.Errorf("%s to %s, want %s to %s", f.Since, f.Until, c.since, c.until)
		}
	}
}
