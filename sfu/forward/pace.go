package forward

import (
	"time"

	"aparte/sfu/congestion"
)

// Bounds of what waits for one subscriber.
const (
	paceBytes   = 256 << 10
	pacePackets = 512
	// paceMost is how long the last one may have to wait at the rate the queue
	// drains; more would be shown too late to be of use.
	paceMost = 1500 * time.Millisecond
	// paceLeast fits a key frame of the smallest layer, however slow the path.
	paceLeast = 32 << 10
)

// pacedPacket is a packet that is finished but for its stamps.
type pacedPacket struct {
	down      *DownTrack
	timestamp uint32
	seq       uint16
	pt        uint8
	marker    bool
	at        int // in paceQueue.data
	length    int
	described int // of it, the dependency descriptor, which stands in front
}

// paceQueue holds video in front of a narrow path, in order: the end of a key
// frame, mostly. Payloads lie one behind the other and are copies; what is sent at
// once is never copied. Queues belong to the worker and are lent to subscribers,
// so that only those who need one cost memory.
type paceQueue struct {
	packets     [pacePackets]pacedPacket
	head, count int
	data        [paceBytes]byte
	from, to    int // used part of data; it begins anew when the queue is empty
	bytes       int
}

// put copies a packet in, which has a payload; false when it does not fit.
func (q *paceQueue) put(p pacedPacket, descriptor, payload []byte) bool {
	n := len(descriptor) + len(payload)
	if q.count == pacePackets || n > paceBytes {
		return false
	}
	at := q.to
	switch {
	case q.count == 0:
		q.from, at = 0, 0
	case q.to <= q.from: // what is used wraps around the end
		if at+n > q.from {
			return false
		}
	case at+n > paceBytes: // the rest is too short
		if at = 0; n > q.from {
			return false
		}
	}
	copy(q.data[at:], descriptor)
	copy(q.data[at+len(descriptor):], payload)
	p.at, p.length, p.described = at, n, len(descriptor)
	q.packets[(q.head+q.count)%pacePackets] = p
	q.count++
	q.to = at + n
	q.bytes += n + congestion.Overhead
	return true
}

// first is the packet whose turn it is, with its descriptor and its payload.
func (q *paceQueue) first() (p *pacedPacket, descriptor, payload []byte) {
	p = &q.packets[q.head]
	b := q.data[p.at : p.at+p.length]
	return p, b[:p.described], b[p.described:]
}

func (q *paceQueue) drop() {
	p := &q.packets[q.head]
	q.bytes -= p.length + congestion.Overhead
	p.down = nil
	q.head = (q.head + 1) % pacePackets
	q.count--
	q.from = q.packets[q.head].at
}

func (w *Worker) takeQueue() *paceQueue {
	if n := len(w.queues); n > 0 {
		q := w.queues[n-1]
		w.queues = w.queues[:n-1]
		return q
	}
	return new(paceQueue)
}

// waits tells whether video of the subscriber has to queue.
func (p *path) waits() bool { return p.queue != nil || !p.bucket.Allows() }

// pace queues a finished packet. When there is no more room the DownTrack falls
// silent until the queue is empty and then begins at a key frame: what was queued
// is shown whole, and nothing that cannot be decoded is sent after it. The packet
// then has had no number.
func (d *DownTrack) pace(h *header, payload []byte) bool {
	s := d.sub
	p := &s.path
	if p.queue == nil {
		p.queue = d.worker.takeQueue()
		d.worker.paced = append(d.worker.paced, s)
	}
	q := p.queue
	if q.bytes+len(payload) <= max(p.bucket.BytesIn(paceMost), paceLeast) {
		pp := pacedPacket{
			down: d, timestamp: h.rtp.Timestamp, seq: h.rtp.SequenceNumber, pt: h.rtp.PayloadType, marker: h.rtp.Marker,
		}
		for was := *h; !q.put(pp, was.described, payload); *h = was {
			s.releaseFirst() // a fast path: more goes at once than the bucket likes
		}
		p.stats.paced.Add(1)
		return true
	}
	p.stats.overflows.Add(1)
	d.drains = true
	d.restart()
	d.layer.Store(-1)
	return false
}

// release sends what may leave now. It returns false when nothing waits any more.
func (s *Subscriber) release() (more bool) {
	p, w := &s.path, s.worker
	q := p.queue
	p.bucket.Refill(w.elapsed)
	for q.count > 0 && p.bucket.Allows() {
		s.releaseFirst()
	}
	if q.count > 0 {
		return true
	}
	p.queue = nil
	w.queues = append(w.queues, q)
	for _, d := range s.downs {
		if d.drains {
			d.drains = false
			d.requestKeyframe()
		}
	}
	return false
}

// releaseFirst sends the packet whose turn it is.
func (s *Subscriber) releaseFirst() {
	q := s.path.queue
	pp, descriptor, payload := q.first()
	if d := pp.down; d != nil && d.writer != nil && !d.selector.stopped() && !d.track.Closed() {
		h := &d.media
		h.rtp.PayloadType, h.rtp.SequenceNumber = pp.pt, pp.seq
		h.rtp.Timestamp, h.rtp.Marker = pp.timestamp, pp.marker
		h.audioLevel(0, false)
		h.describe(descriptor)
		d.write(h, payload, false)
		d.tally()
	}
	q.drop()
}

// releaseAll is called every tick.
func (w *Worker) releaseAll() {
	kept := w.paced[:0]
	for _, s := range w.paced {
		if s.path.queue != nil && s.release() {
			kept = append(kept, s)
		}
	}
	clear(w.paced[len(kept):])
	w.paced = kept
}

// unpace forgets what waits of a DownTrack that ends or is bound anew.
func (s *Subscriber) unpace(d *DownTrack) {
	d.drains = false
	q := s.path.queue
	if q == nil {
		return
	}
	for i := range q.count {
		if p := &q.packets[(q.head+i)%pacePackets]; p.down == d {
			p.down = nil
		}
	}
}
