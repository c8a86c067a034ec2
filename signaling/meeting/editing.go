package meeting

import (
	"context"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/name"
	"aparte/signaling/role"
)

// What is said about a meeting, and hosts change: title and schedule.

// Said is what a calendar shows of a meeting.
type Said struct {
	Title     string
	StartsAt  time.Time
	EndsAt    time.Time
	Permanent bool // has neither start nor end
}

// Said is what a draft says.
func (d Draft) Said() Said { return Said{d.Title, d.StartsAt, d.EndsAt, d.Permanent} }

// Said is what is said about the meeting.
func (m Meeting) Said() Said { return Said{m.Title, m.StartsAt, m.EndsAt, m.Permanent} }

// same tells whether both say the same.
func (s Said) same(o Said) bool {
	return s.Title == o.Title && s.StartsAt.Equal(o.StartsAt) && s.EndsAt.Equal(o.EndsAt) && s.Permanent == o.Permanent
}

// said is the meeting with something else said about it. A refusal is a *name.Error.
func (m Meeting) said(s Said, now time.Time) (Meeting, error) {
	title, err := name.Required("title", s.Title, name.MaxTitle)
	if err != nil {
		return Meeting{}, err
	}
	moved := !s.StartsAt.Equal(m.StartsAt) || !s.EndsAt.Equal(m.EndsAt)
	switch {
	case s.Permanent && (!s.StartsAt.IsZero() || !s.EndsAt.IsZero()):
		return Meeting{}, &name.Error{At: "permanent", Reason: "has neither start nor end"}
	case s.StartsAt.IsZero() && !s.EndsAt.IsZero():
		return Meeting{}, &name.Error{At: "starts_at", Reason: "is required with an end"}
	case !s.EndsAt.IsZero() && !s.EndsAt.After(s.StartsAt):
		return Meeting{}, &name.Error{At: "ends_at", Reason: "must be after the start"}
	case moved && !s.EndsAt.IsZero() && !s.EndsAt.After(now):
		return Meeting{}, &name.Error{At: "ends_at", Reason: "must be in the future"}
	case s.StartsAt.After(now.AddDate(5, 0, 0)):
		return Meeting{}, &name.Error{At: "starts_at", Reason: "must be within five years"}
	}
	m.Title, m.StartsAt, m.EndsAt, m.Permanent = title, s.StartsAt, s.EndsAt, s.Permanent
	return m, nil
}

type edit struct {
	byAgent
	said Said
}

func (edit) command() role.Command { return role.Edit }

func (a edit) do(l *live, now time.Time) (any, error) {
	if _, err := a.alive(l); err != nil {
		return nil, err
	}
	edited, err := l.meeting.said(a.said, now)
	if err != nil {
		return nil, err
	}
	if edited.Said().same(l.meeting.Said()) {
		return l.summaryFor(a.agent), nil
	}
	if err := edited.suits(l.profile); err != nil {
		return nil, err
	}
	edited.Revision++
	l.note(audit.Did(audit.MeetingChanged).WithTime("starts_at", edited.StartsAt).WithTime("ends_at", edited.EndsAt).
		With("permanent", yes(edited.Permanent)).Typed("title", edited.Title))
	l.setMeeting(edited)
	l.under(l.profile) // whose links may live for the meeting's hours
	return l.summaryFor(a.agent), nil
}

func yes(v bool) string {
	if v {
		return "yes"
	}
	return ""
}

// Edit says something else about a meeting that is not over. Guests who wait are told;
// links keep the end that they have, within what the security profile allows. Refusals
// are ErrEnded, a *name.Error, and what New refuses.
func (m *Meetings) Edit(ctx context.Context, by Agent, id string, s Said) (Summary, error) {
	return answer[Summary](ctx, m, id, edit{byAgent{by}, s})
}
