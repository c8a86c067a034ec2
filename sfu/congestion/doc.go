// Package congestion says how much one subscriber's path carries, and who gets
// what of it. It knows neither sockets nor clocks: packets sent and feedback
// received go in with their times, figures and decisions come out. One goroutine
// (the worker of sfu/forward) owns each value; there is no lock.
//
// In the order in which a figure travels:
//
//	feedback.go   bytes of transport-wide feedback to arrivals; REMB
//	history.go    what was sent under which transport-wide number
//	trend.go      is the queue on the path growing? (delay gradient)
//	queue.go      and does it stay?
//	rate.go       bits per second by delay: fall at once, rise slowly
//	loss.go       bits per second by loss
//	probe.go      short bursts that show whether there is room for more
//	undo.go       a fall that was not needed is taken back
//	estimator.go  all of these together: one estimate
//	ladder.go     what a track could be sent as, and what that costs
//	allocator.go  the estimate shared among tracks by rank, without flapping
//	bucket.go     how much may leave at once
//
// The estimate follows the method of draft-ietf-rmcat-gcc-02 and of Carlucci et
// al., "Congestion Control for Web Real-Time Communication" (2017), with its
// published constants. pion/interceptor's gcc is not used: its estimator takes
// acknowledgements of an internal type, matches them only against packets that
// were written through its own interceptor (which reads the clock itself and puts
// a list element, a map entry and an attribute map on the heap for each packet),
// and runs a goroutine per peer.
package congestion

import "time"

// Overhead is what a packet costs beside its RTP payload, in bytes: IPv4 and UDP
// (28), the RTP header with our extensions (about 28) and SRTP's tag (16). Where
// packets are small it is more than the payload, so that leaving it out would
// promise an audio call twice what fits.
const Overhead = 72

// bitsPerSecond is the rate of bytes in d.
func bitsPerSecond(bytes int64, d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return bytes * 8 * int64(time.Second) / int64(d)
}
