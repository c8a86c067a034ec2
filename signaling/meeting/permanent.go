package meeting

import (
	"context"
	"time"

	"aparte/signaling/role"
)

// A permanent meeting goes from open back to scheduled, sitting after sitting:
//
//	scheduled ⇄ open → ended
//
// Between two sittings its links are as good as before, those who wait keep their place,
// and nobody has a way into the call: who was let in asks again.

// Adjourn ends a sitting of a permanent meeting.
func (m Meeting) Adjourn() Meeting {
	m.State, m.OpenedAt, m.HostlessSince = Scheduled, time.Time{}, time.Time{}
	return m
}

// finish ends what is going on: the meeting, or of a permanent one the sitting.
func (l *live) finish(now time.Time) {
	switch {
	case !l.meeting.Permanent:
		l.endForGood(now)
	case l.meeting.State == Open:
		l.setMeeting(l.meeting.Adjourn())
		l.lobby.Adjourn()
		for _, seat := range l.seats {
			l.dropSeat(seat)
		}
		l.adjourned = true
	}
}

// endForGood ends the meeting, if it has not ended.
func (l *live) endForGood(now time.Time) {
	if l.meeting.State != Ended {
		l.setMeeting(l.meeting.End(now))
		l.lobby.Close()
	}
}

// clear forgets what was said and shown in a call that is over. What comes after it in
// the same meeting goes on with the numbers of messages, by which they are stored.
func (l *live) clear() {
	l.files.end(ErrEnded)
	l.chat, l.reactions, l.hands, l.timer, l.taken = chat{seq: l.chat.seq}, reactions{}, hands{}, nil, taken{}
	l.record.arrivals = nil
}

type endForGood struct{ byAgent }

func (endForGood) command() role.Command { return role.EndForGood }

func (a endForGood) do(l *live, now time.Time) (any, error) {
	if _, err := a.host(l); err != nil {
		return nil, err
	}
	l.endForGood(now)
	l.close = true
	return l.summaryFor(a.agent), nil
}

// EndForGood ends a meeting, also a permanent one: nobody comes in any more.
func (m *Meetings) EndForGood(ctx context.Context, by Agent, id string) (Summary, error) {
	return answer[Summary](ctx, m, id, endForGood{byAgent{by}})
}
