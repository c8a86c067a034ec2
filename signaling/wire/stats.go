package wire

import "sync/atomic"

// Stats count what was refused or cut off, since the start.
type Stats struct {
	Refused      uint64 // joins, resumes and validations answered with an error status
	RefusedLate  uint64 // joins and resumes refused after the upgrade, with a leave
	TooOften     uint64 // joins of one identity faster than anybody reconnects
	TooLong      uint64 // signal messages over the limit
	NotDecoded   uint64 // signal messages that are none
	TooMany      uint64 // signal messages over the rate
	QueueFull    uint64 // connections closed because the client did not take its messages
	Panics       uint64 // requests that ended in a bug of ours
	TokensFailed uint64 // refreshed tokens that could not be made
}

// counters are Stats as they are kept.
type counters struct {
	refused, refusedLate, tooOften, tooLong, notDecoded, tooMany, queueFull, panics, tokensFailed atomic.Uint64
}

// Stats tells what was refused so far.
func (s *Server) Stats() Stats {
	c := &s.counters
	return Stats{
		Refused:      c.refused.Load(),
		RefusedLate:  c.refusedLate.Load(),
		TooOften:     c.tooOften.Load(),
		TooLong:      c.tooLong.Load(),
		NotDecoded:   c.notDecoded.Load(),
		TooMany:      c.tooMany.Load(),
		QueueFull:    c.queueFull.Load(),
		Panics:       c.panics.Load(),
		TokensFailed: c.tokensFailed.Load(),
	}
}
