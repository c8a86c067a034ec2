package sfu

import "time"

// Limits bound what rooms and clients may hold. Zero means the default.
//
// What no honest client comes near is fixed where it is checked: transport/section.go
// (a description: 256 kB, 300 sections, 16 SSRCs and 3 rids each), transport/peer.go
// (256 candidates), transport/data.go (8 channels, messages of 64 kB),
// publish/receiver.go (1,024 SSRCs), data.go (1 MB of data a second), member.go
// (metadata), wire/conn.go (messages: 256 kB, 100 a second). docs/operating.md lists
// them with their counters.
type Limits struct {
	Rooms             int // in each of the spaces; 2,000
	Participants      int // per room; 200
	TracksPerMember   int // published and announced to come; 32
	SubscriptionNotes int // explicit wishes about tracks, per participant; 2,000
	DataQueueBytes    int // waiting for one slow receiver; 4 MiB
	// Of the microphones of a room so many are heard, those that spoke last: 3
	// (overlaps of more voices are not understood anyway; other bridges chose the
	// same), -1 for all. In integration rooms the default is all.
	Microphones            int
	IntegrationMicrophones int
}

func (l *Limits) setDefaults() {
	setDefault(&l.Rooms, 2000)
	setDefault(&l.Participants, 200)
	setDefault(&l.TracksPerMember, 32)
	setDefault(&l.SubscriptionNotes, 2000)
	setDefault(&l.DataQueueBytes, 4<<20)
	setDefault(&l.Microphones, 3)
	setDefault(&l.IntegrationMicrophones, -1)
}

// Timing holds the pauses and patience of rooms. Zero means the default.
type Timing struct {
	Tick       time.Duration // speakers, and checks of all deadlines; 400 ms
	Quality    time.Duration // connection quality; 5 s
	JoinLimit  time.Duration // from join to connected; 60 s
	LeaveTime  time.Duration // from a closed connection to its leave on the signal; 2 s
	ReturnTime time.Duration // from failed to removed; 15 s, a third if the signal was lost before
	Departure  time.Duration // an empty room waits for someone to come back; 20 s
	Batch      time.Duration // those who come to a crowd are told of in batches; 3 s
	Counts     time.Duration // how late a room's counts may be told; 5 s
	Replay     time.Duration // so long reliable data is kept for those who resume; 2 s
	Patience   time.Duration // for a receiver that takes no data while a sender waits for it; 3 s
}

func (t *Timing) setDefaults() {
	setDefault(&t.Tick, 400*time.Millisecond)
	setDefault(&t.Quality, 5*time.Second)
	setDefault(&t.JoinLimit, time.Minute)
	setDefault(&t.LeaveTime, 2*time.Second)
	setDefault(&t.ReturnTime, 15*time.Second)
	setDefault(&t.Departure, 20*time.Second)
	setDefault(&t.Batch, 3*time.Second)
	setDefault(&t.Counts, 5*time.Second)
	setDefault(&t.Replay, 2*time.Second)
	setDefault(&t.Patience, 3*time.Second)
}

func setDefault[T ~int | ~int64 | ~uint32](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}
