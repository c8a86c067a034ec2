package publish

import "time"

// soundPerSecond packets of one sound are beyond use: Opus has frames of 2.5 ms at
// the least. Sound is what is never held back on the way to subscribers.
const soundPerSecond = 400

// pace lets so many packets a second pass, and a second's worth at once: each pushes
// due ahead. Forwarding serves all rooms, and what comes in goes out many times.
type pace struct{ due time.Time }

func (p *pace) allows(perSecond int, now time.Time) bool {
	if p.due.Before(now) {
		p.due = now
	}
	if p.due.Sub(now) > time.Second {
		return false
	}
	p.due = p.due.Add(time.Second / time.Duration(perSecond))
	return true
}
