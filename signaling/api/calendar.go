package api

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aparte/signaling/calendar"
	"aparte/signaling/meeting"
)

var errNoSchedule = errors.New("the meeting has no start: a calendar has no place for it")

const calendarType = "text/calendar; charset=utf-8; method=PUBLISH"

type inCalendar struct {
	ID  string `path:"id" maxLength:"64"`
	For string `query:"for" enum:"agent,guest" default:"agent" doc:"For guests it leads to no page of the agents: whoever hands it out adds the guest link, which only their browser has."`
}

type calendarFile struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func calendarContent() map[string]*huma.MediaType {
	return map[string]*huma.MediaType{"text/calendar": {Schema: &huma.Schema{Type: huma.TypeString}}}
}

func (a *API) getCalendar(ctx context.Context, in *inCalendar) (*calendarFile, error) {
	who := theAgent(ctx)
	v, err := a.meetings.Get(ctx, who.agent(), in.ID)
	if err != nil {
		return nil, err
	}
	if v.StartsAt.IsZero() {
		return nil, errNoSchedule
	}
	page := a.origins[0] + "/meetings/" + v.ID
	e := calendar.Event{
		UID: v.ID + "@" + host(a.origins[0]), Revision: v.Revision, Title: v.Title, Organiser: v.Organiser.Name, Contact: page,
		Start: v.StartsAt, End: v.EndsAt, Over: v.State == meeting.Ended && v.OpenedAt.IsZero(),
	}
	if in.For == "guest" {
		e.Contact = a.origins[0] + "/" // an agents' page is nothing to a guest
	} else {
		e.URL = page
	}
	for _, m := range who.account.Posts {
		if m.Post.ID != v.Post {
			continue
		}
		zone, err := time.LoadLocation(m.Post.TimeZone)
		if err != nil {
			zone = time.UTC
		}
		e.Notes = []string{m.Post.Name, calendar.There(v.StartsAt, v.EndsAt, zone)}
	}
	return &calendarFile{calendarType, attachment("aparte.ics"), []byte(calendar.File(e, a.now()))}, nil
}

// host is the name of a server in an origin of ours, without its port.
func host(origin string) string {
	at, err := url.Parse(origin)
	if err != nil {
		return origin // as unique, and as lasting
	}
	return at.Hostname()
}
