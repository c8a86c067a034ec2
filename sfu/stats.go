package sfu

import "sync/atomic"

// Stats count what was dropped, refused or repeated outside of the packet path,
// since the start.
type Stats struct {
	DataNotAllowed uint64 // packets of those who may not send data, or not this kind
	DataMalformed  uint64 // packets that do not decode
	DataTooLong    uint64 // packets that not every client takes, or that one does not
	DataRepeated   uint64 // reliable packets that had been passed on already
	DataLossyFull  uint64 // lossy packets that a receiver's channel had no room for
	DataTooEarly   uint64 // reliable packets for a receiver that took too long to connect
	DataReplayed   uint64 // reliable packets sent again after a resume
	SlowReceivers  uint64 // sessions ended because they took no data
	StaleSignals   uint64 // messages of a signal connection that a resume had replaced
	TracksRefused  uint64 // announced tracks: not allowed, too many, badly described
	EventsDropped  uint64 // events that the Listener was too slow for
}

// counters are Stats as they are kept.
type counters struct {
	dataNotAllowed, dataMalformed, dataTooLong, dataRepeated, dataLossyFull, dataTooEarly, dataReplayed atomic.Uint64

	slowReceivers, staleSignals, tracksRefused atomic.Uint64
}

// Stats tells what was dropped so far.
func (s *SFU) Stats() Stats {
	c := &s.counters
	return Stats{
		DataNotAllowed: c.dataNotAllowed.Load(),
		DataMalformed:  c.dataMalformed.Load(),
		DataTooLong:    c.dataTooLong.Load(),
		DataRepeated:   c.dataRepeated.Load(),
		DataLossyFull:  c.dataLossyFull.Load(),
		DataTooEarly:   c.dataTooEarly.Load(),
		DataReplayed:   c.dataReplayed.Load(),
		SlowReceivers:  c.slowReceivers.Load(),
		StaleSignals:   c.staleSignals.Load(),
		TracksRefused:  c.tracksRefused.Load(),
		EventsDropped:  s.events.dropped.Load(),
	}
}
