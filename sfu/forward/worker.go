// Package forward sends what was published to those who subscribed.
//
// A [Worker] is one goroutine that owns everything below it: subscribers,
// DownTracks, feeds. Publishers wake it through [publish.Sink]; everyone else
// through requests. It copies what arrived out of the rings once, then goes
// through its subscribers and writes each one all of its packets before the next
// (subscriber-major), so that the endpoint below can join them into few large
// sends.
//
//	publisher's goroutine: ring.Insert → feed.Packets ─┐ wake
//	signalling:            request ────────────────────┤
//	timer, 10 ms:          SR, key frame retries ──────┤
//	                                                   ▼
//	worker: read rings → per subscriber: select, munge, WriteRTP → Uncork
//
// In file order: worker.go, feed.go, subscriber.go, downtrack.go, selector.go,
// change.go, replay.go, temporal.go, munger.go, header.go, nack.go, report.go; and what keeps a narrow
// path from being flooded: path.go, pace.go, probe.go.
package forward

import (
	"sync"
	"sync/atomic"
	"time"

	"aparte/sfu/codec"
	"aparte/sfu/congestion"
	"aparte/sfu/publish"
	"aparte/sfu/ring"
)

// Corker gathers what is written until Uncork: udp.Endpoint.
type Corker interface {
	Cork()
	Uncork()
}

// Ticker is work done in the worker's goroutine about every 10 ms: a
// publish.Receiver.
type Ticker interface {
	Tick(now time.Time)
	// SetWake gives it a function that asks for a Tick soon.
	SetWake(wake func())
}

// WorkerConfig sets a worker up.
type WorkerConfig struct {
	// Corker may be nil: every packet is then sent at once.
	Corker Corker
}

const (
	// tickEvery drives NACKs, reports and retries of everything on this worker.
	tickEvery = 10 * time.Millisecond
	// subscriberTurns: reports and switches have time, and with 200 in a room
	// there may be 40,000 DownTracks to look at.
	subscriberTurns = 10
	// holdFor is how long the packets of an unfinished video frame wait for its
	// end, so that a frame goes out in one batch.
	holdFor = time.Millisecond
	// maxRequests bounds the queue of requests. Control calls wait for room, NACKs
	// do not.
	maxRequests = 1024
)

// Worker forwards for the subscribers pinned to it.
type Worker struct {
	start    time.Time     // set at creation
	corker   Corker        // set at creation
	requests chan request  // set at creation
	wake     chan struct{} // set at creation, holds one
	quit     chan struct{} // set at creation
	done     chan struct{} // set at creation, closed by run

	closeOnce sync.Once
	urgent    atomic.Bool // a ticker asked for a Tick soon
	hold      *time.Timer // set at creation; ends the wait for the end of a frame
	holding   atomic.Bool // hold runs
	stats     counters
	feedbacks chan *congestion.Feedback // set at creation; nobody's, to be used again

	dirtyMu sync.Mutex
	dirty   []*feed // guarded by dirtyMu: feeds with news

	// Owned by run.
	tickers  []Ticker
	subs     []*Subscriber
	feeds    map[*publish.Track]*feed
	pool     []*ring.Batch
	held     []*feed       // waiting for the end of a frame
	active   []*feed       // with packets in this round; scratch
	turns    []*Subscriber // with packets in this round; scratch
	ticks    int
	now      time.Time
	elapsed  time.Duration // of now, since a second before start: never zero
	sendTime uint32        // of now, as abs-send-time
	paced    []*Subscriber // with a queue
	probing  []*Subscriber
	// replaying are DownTracks that send what came before them.
	replaying []*DownTrack
	past      *ring.Batch  // of a step of theirs; scratch, made on first use
	queues    []*paceQueue // nobody's
	changes   []*change    // nobody's
	buf       []byte       // one packet of a retransmission; scratch
	longer    []byte       // one payload that had to grow; scratch
	describe  []byte       // one dependency descriptor; scratch
}

// Stats counts what a worker did and what it dropped, by reason.
type Stats struct {
	Batches         uint64 // rounds in which something was forwarded
	Packets         uint64 // RTP packets written to subscribers
	Retransmitted   uint64 // of them, in answer to NACKs
	Overrun         uint64 // packets overwritten in a ring before we read them
	WriteErrors     uint64
	UnknownCodec    uint64 // the subscriber cannot receive this payload type
	OldPackets      uint64 // late packets from before a switch
	RequestsDropped uint64 // NACKs that came while the request queue was full
	NACKMisses      uint64 // asked for, no longer in the ring
	NACKThrottled   uint64 // asked for again too soon
	PacedDrops      uint64 // video packets for which a narrow path's queue had no room
	BadFeedback     uint64 // transport-wide feedback that did not parse
	PLIsDeferred    uint64 // key frames asked for again too soon
	NACKLimited     uint64 // asked for again by a subscriber that asks for everything again
	Flooded         uint64 // RTCP of a subscriber that sends far more than anyone needs to
	Replays         uint64 // DownTracks that began at a key frame of the ring
}

type counters struct {
	batches, packets, retransmitted, overrun, writeErrors atomic.Uint64
	unknownCodec, oldPackets, requestsDropped             atomic.Uint64
	nackMisses, nackThrottled, nackLimited, flooded       atomic.Uint64
	plisDeferred, pacedDrops, badFeedback, replays        atomic.Uint64
}

// NewWorker starts a worker.
func NewWorker(cfg WorkerConfig) *Worker {
	w := &Worker{
		start:     time.Now(),
		corker:    cfg.Corker,
		requests:  make(chan request, maxRequests),
		wake:      make(chan struct{}, 1),
		quit:      make(chan struct{}),
		hold:      stoppedTimer(),
		done:      make(chan struct{}),
		feedbacks: make(chan *congestion.Feedback, spareFeedbacks),
		feeds:     map[*publish.Track]*feed{},
		buf:       make([]byte, 2+ring.MaxPayload+1),
		longer:    make([]byte, 0, ring.MaxPayload+1),
		describe:  make([]byte, 0, codec.MaxDescriptor+8),
	}
	if w.corker == nil {
		w.corker = noCork{}
	}
	go w.run()
	return w
}

type noCork struct{}

func (noCork) Cork()   {}
func (noCork) Uncork() {}

// Close ends the worker and waits for it. Everything pinned to it stops being
// forwarded; later calls on its subscribers return at once.
func (w *Worker) Close() {
	w.closeOnce.Do(func() { close(w.quit) })
	<-w.done
}

// Stats returns the counters.
func (w *Worker) Stats() Stats {
	c := &w.stats
	return Stats{
		Batches: c.batches.Load(), Packets: c.packets.Load(), Retransmitted: c.retransmitted.Load(),
		Overrun: c.overrun.Load(), WriteErrors: c.writeErrors.Load(), UnknownCodec: c.unknownCodec.Load(),
		OldPackets: c.oldPackets.Load(), RequestsDropped: c.requestsDropped.Load(),
		NACKMisses: c.nackMisses.Load(), NACKThrottled: c.nackThrottled.Load(),
		PacedDrops: c.pacedDrops.Load(), BadFeedback: c.badFeedback.Load(), PLIsDeferred: c.plisDeferred.Load(), NACKLimited: c.nackLimited.Load(), Flooded: c.flooded.Load(),
		Replays: c.replays.Load(),
	}
}

// AddTicker lets the worker drive t.
func (w *Worker) AddTicker(t Ticker) {
	w.do(request{kind: addTicker, ticker: t})
	t.SetWake(func() {
		if !w.urgent.Swap(true) {
			w.poke()
		}
	})
}

// RemoveTicker returns when t is no longer called.
func (w *Worker) RemoveTicker(t Ticker) {
	t.SetWake(nil)
	w.do(request{kind: removeTicker, ticker: t})
}

// poke wakes run; it never blocks.
func (w *Worker) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run is the worker's goroutine.
func (w *Worker) run() {
	defer close(w.done)
	defer w.detach()
	tick := stoppedTimer()
	ticking := false
	defer w.hold.Stop()
	defer tick.Stop()
	for {
		ticked := false
		select {
		case <-w.quit:
			return
		case r := <-w.requests:
			w.setNow()
			w.handle(r)
		case <-w.wake:
			w.setNow()
		case <-w.hold.C:
			w.setNow()
		case <-tick.C:
			w.setNow()
			ticked = true
		}
		w.drainRequests()
		// Packets of an unfinished frame may wait a moment for its end.
		if rest := w.forward(); rest > 0 {
			w.holding.Store(true)
			w.hold.Reset(rest)
		}
		if urgent := w.urgent.Swap(false); ticked || urgent {
			w.tick(ticked)
		}
		if want := len(w.tickers)+len(w.subs) > 0; ticked || want != ticking {
			if ticking = want; want {
				tick.Reset(tickEvery)
			} else {
				tick.Stop()
				w.pool, w.queues = nil, nil
			}
		}
	}
}

// detach lets the tracks forget this worker.
func (w *Worker) detach() {
	for t, f := range w.feeds {
		t.Detach(f)
	}
}

func stoppedTimer() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

func (w *Worker) setNow() {
	w.now = time.Now()
	w.elapsed = w.now.Sub(w.start) + time.Second
	w.sendTime = sendTime(w.now)
}

// drainRequests handles what else is waiting, so that a busy worker does not
// answer one request a round.
func (w *Worker) drainRequests() {
	for range maxRequests {
		select {
		case r := <-w.requests:
			w.handle(r)
		default:
			return
		}
	}
}

// tick drives the tickers and, every full tick, the subscribers.
func (w *Worker) tick(full bool) {
	w.corker.Cork()
	defer w.corker.Uncork()
	for _, t := range w.tickers {
		t.Tick(w.now)
	}
	if !full {
		return
	}
	w.releaseAll()
	w.replayAll()
	w.probeAll()
	// Each subscriber's turn is every tenth tick.
	w.ticks++
	if w.ticks%spareTicks == 0 {
		w.letGo()
	}
	for i := w.ticks % subscriberTurns; i < len(w.subs); i += subscriberTurns {
		w.subs[i].tick()
	}
}

// spareTicks is how often what nobody uses is halved: about each five seconds.
const spareTicks = int(5 * time.Second / tickEvery)

// letGo gives up half of what lies in the pools, which grew to what the busiest moment
// needed: a quarter of a MiB for each narrow path, 60 kB for each layer of a round.
func (w *Worker) letGo() {
	w.pool = half(w.pool)
	w.queues = half(w.queues)
}

// half keeps the first half, rounded down.
func half[T any](pool []*T) []*T {
	keep := len(pool) / 2
	clear(pool[keep:])
	return pool[:keep]
}
