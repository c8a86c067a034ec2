package forward

import (
	"slices"

	"github.com/pion/rtcp"

	"aparte/sfu/congestion"
)

// requestKind says what a request asks of the worker.
type requestKind uint8

const (
	addTicker requestKind = iota
	removeTicker
	addSubscriber
	removeSubscriber
	addDownTrack
	removeDownTrack
	bind
	unbind
	setMaxLayer
	setMaxFPS
	setPaused
	resync
	keepAlive
	nack
	keyframe
	report
	feedback
	remb
	setRank
	setPinned
	syncPoint
)

// request is one message to the worker. done is closed when it was handled; nil
// when nobody waits.
type request struct {
	kind     requestKind
	on       bool
	counted  bool // in sub.pending
	layer    int
	ssrc     uint32
	ticker   Ticker
	sub      *Subscriber
	down     *DownTrack
	binding  *Binding
	nacks    []rtcp.NackPair
	received rtcp.ReceptionReport
	feedback *congestion.Feedback
	bps      int64
	done     chan struct{}
}

// do hands r over and waits until it was handled, or the worker has ended.
func (w *Worker) do(r request) {
	r.done = make(chan struct{})
	select {
	case w.requests <- r:
	case <-w.done:
		return
	}
	select {
	case <-r.done:
	case <-w.done:
	}
}

// post hands r over without waiting for an answer; it waits for room.
func (w *Worker) post(r request) {
	select {
	case w.requests <- r:
	case <-w.done:
	}
}

// offer hands r over if there is room: for what the network may repeat.
func (w *Worker) offer(r request) bool {
	select {
	case w.requests <- r:
		return true
	default:
		w.stats.requestsDropped.Add(1)
		return false
	}
}

func (w *Worker) handle(r request) {
	if r.counted {
		r.sub.pending.Add(-1)
	}
	switch r.kind {
	case addTicker:
		w.tickers = append(w.tickers, r.ticker)
	case removeTicker:
		w.tickers = slices.DeleteFunc(w.tickers, func(t Ticker) bool { return t == r.ticker })
	case addSubscriber:
		w.subs = append(w.subs, r.sub)
	case removeSubscriber:
		w.removeSubscriber(r.sub)
	case addDownTrack:
		w.addDownTrack(r.down)
	case removeDownTrack:
		w.removeDownTrack(r.down)
	case bind:
		r.down.bind(r.binding)
	case unbind:
		r.down.unbind()
	case setMaxLayer:
		r.down.setMaxLayer(r.layer)
	case setMaxFPS:
		r.down.setMaxFPS(r.layer)
	case setPaused:
		r.down.setPaused(r.on)
	case resync:
		w.resync(r.sub, r.down)
	case keepAlive:
		w.corker.Cork()
		r.down.keepAlive()
		w.corker.Uncork()
	case nack:
		w.corker.Cork()
		r.sub.answerNACK(r.ssrc, r.nacks)
		w.corker.Uncork()
	case keyframe:
		r.sub.answerPLI(r.ssrc)
	case report:
		r.sub.noteReport(r.received)
	case feedback:
		r.sub.noteFeedback(r.feedback)
	case remb:
		r.sub.noteREMB(r.bps)
	case setRank:
		r.down.rank = congestion.Rank(r.layer)
	case setPinned:
		r.down.pinned = r.on
	case syncPoint:
		// Having come here is the answer.
	}
	if r.done != nil {
		close(r.done)
	}
}

func (w *Worker) removeSubscriber(s *Subscriber) {
	for len(s.downs) > 0 {
		w.removeDownTrack(s.downs[len(s.downs)-1])
	}
	w.subs = slices.DeleteFunc(w.subs, func(x *Subscriber) bool { return x == s })
}

func (w *Worker) addDownTrack(d *DownTrack) {
	if !slices.Contains(w.subs, d.sub) || d.track.Closed() {
		return // closed meanwhile
	}
	d.feed = w.joinFeed(d)
	d.sub.downs = append(d.sub.downs, d)
}

func (w *Worker) removeDownTrack(d *DownTrack) {
	if d.feed == nil {
		return
	}
	d.sub.downs = slices.DeleteFunc(d.sub.downs, func(x *DownTrack) bool { return x == d })
	d.sub.forget(d)
	d.sub.unpace(d)
	d.writer = nil
	w.leaveFeed(d)
	d.feed = nil
}

func (w *Worker) resync(s *Subscriber, d *DownTrack) {
	if d != nil {
		d.resync()
		return
	}
	if s.path.estimator != nil {
		s.path.estimator.Rerouted(w.elapsed)
	}
	for _, x := range s.downs {
		x.resync()
	}
}
