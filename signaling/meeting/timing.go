package meeting

import (
	"context"
	"time"

	"aparte/signaling/name"
	"aparte/signaling/role"
)

// Timer counts down for everybody in the call. Clients count by themselves, against the
// server's clock.
type Timer struct {
	EndsAt    time.Time `json:"ends_at"`
	StartedBy string    `json:"started_by"` // name of the host
}

// Bounds of a timer.
const (
	leastTimer   = time.Second
	longestTimer = 24 * time.Hour
)

type setTimer struct {
	byAgent
	lasts time.Duration // 0: stop
}

func (setTimer) command() role.Command { return role.SetTimer }

func (a setTimer) do(l *live, now time.Time) (any, error) {
	h, err := a.alive(l)
	if err != nil {
		return nil, err
	}
	before := l.timer
	l.undo = append(l.undo, func() { l.timer = before })
	if l.timer = nil; a.lasts > 0 {
		l.timer = &Timer{EndsAt: now.Add(a.lasts), StartedBy: h.Name}
	}
	return l.timer, nil
}

// StartTimer starts the call's timer anew. Refused with a *name.Error beyond 1 s to 24 h.
func (m *Meetings) StartTimer(ctx context.Context, by Agent, id string, lasts time.Duration) (*Timer, error) {
	if lasts < leastTimer || lasts > longestTimer {
		return nil, &name.Error{At: "seconds", Reason: "must be between 1 and 86400"}
	}
	return answer[*Timer](ctx, m, id, setTimer{byAgent{by}, lasts})
}

// StopTimer takes the call's timer away.
func (m *Meetings) StopTimer(ctx context.Context, by Agent, id string) error {
	_, err := m.ask(ctx, id, setTimer{byAgent: byAgent{by}})
	return err
}
