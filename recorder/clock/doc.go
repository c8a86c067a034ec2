// Package clock finds out when something was captured that was recorded: RTP timestamps
// in, the recording's time out. It works with the whole recording in hand, so nothing
// waits for a first report, and what wanders is followed.
//
//	RTP ── regression over the sender reports of a stream ──▶ the sender's clock
//	    ── lower envelope of (arrival − sender's clock) ────▶ the recording's time
//
// All streams of one sender share the second step: its sound and its picture keep the
// distance they had at the sender, to a millisecond. Between senders the one-way delay of
// the fastest packet remains, some tens of milliseconds. A stream without reports goes by
// its packets' arrival, and says so.
//
// Two things break the first step. A sender's clock is set: all its streams see that, and
// it is taken out. A stream stands still and does not count it, as sound does that a slow
// machine loses or whose microphone is another one now: the stream alone sees that, and
// arrives later than it says from then on. It begins anew there; what is lost all the time
// is followed from report to report.
//
// Start with [Sender].
package clock
