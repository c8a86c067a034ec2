package client

import (
	"maps"
	"sync"
	"sync/atomic"

	"aparte/cmd/aparte-load/measure"
)

// Figures are what the clients of a load count together.
type Figures struct {
	Joins, Joined atomic.Uint64 // begun; with their transport up

	SentPackets, SentBytes         atomic.Uint64 // payload bytes
	Resent, WriteErrors            atomic.Uint64
	ReceivedPackets, ReceivedBytes atomic.Uint64 // RTP of all kinds
	Audio, Video                   atomic.Uint64 // of them
	Padding                        atomic.Uint64 // of them, probes without payload
	Lost, Reordered, Duplicates    atomic.Uint64
	Recovered                      atomic.Uint64 // came as retransmissions
	KeyframeRequests               atomic.Uint64 // received by publishers
	Tracks                         atomic.Int64  // streams received, now
	SignalsLost, Left              atomic.Uint64 // not by our own doing

	// Latency is counted while Measuring is set.
	Measuring                  atomic.Bool
	AudioLatency, VideoLatency measure.Histogram

	JoinResponse measure.Histogram // since the socket was dialled
	Connected    measure.Histogram // the primary transport, since then
	// Since the receiving transport was up, where there were tracks at the join:
	FirstMedia    measure.Histogram // to the first packet of anything
	FirstAudio    measure.Histogram // to the first packet of the last microphone
	FirstKeyframe measure.Histogram // to the first packet of a key frame of the last picture

	mu       sync.Mutex
	failures map[string]int // guarded by mu
}

// Fail counts a failure by its reason.
func (f *Figures) Fail(reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failures == nil {
		f.failures = map[string]int{}
	}
	f.failures[reason]++
}

// Failures returns the counts by reason.
func (f *Figures) Failures() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make(map[string]int, len(f.failures))
	maps.Copy(all, f.failures)
	return all
}
