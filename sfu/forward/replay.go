package forward

import (
	"slices"
	"time"

	"aparte/sfu/publish"
	"aparte/sfu/ring"
)

// Who joins soon after somebody else would wait for a key frame: publishers are asked
// for one every half second at most (publish/feedback.go). The one that the other got
// is still in the ring. It is sent with what came since, in steps, and when the
// DownTrack has sent what the others have, it goes on with them. In order of arrival,
// so that each packet is sent once.
//
// The picture must not stay behind by as much as the key frame is old: a receiver shows
// frames at the pace of their timestamps. So those of what is past are squeezed
// together, see segment.timestamp.

const (
	// replayAge: for a key frame older than this another one may be asked for, which
	// comes as soon.
	replayAge = 600 * time.Millisecond
	// replayMost bytes: a key frame and half a second of 2.5 Mbit/s.
	replayMost = 288 << 10
	// replayStep bytes a tick at most, 13 Mbit/s. Key frames that come live go out in
	// one piece, where the path is not known to be too narrow.
	replayStep = 16 << 10
	// replayWithin: where the path is known, what is replayed must fit through it in
	// that time.
	replayWithin = 300 * time.Millisecond
	// replayLimit: then the path has become too narrow for what is left of the past.
	replayLimit = time.Second
	// replayFresh: who has begun so lately is not begun anew because the transport is
	// said to be up.
	replayFresh = 200 * time.Millisecond
	// squeeze divides what lies between the timestamps of frames of the past. Those of
	// 30 a second then differ by one millisecond.
	squeeze = 32
)

// replay is what a DownTrack still has to send of the past. Owned by the worker.
type replay struct {
	on     bool
	layer  int
	cursor uint64    // in the layer's ring
	newest uint32    // timestamp of what the others had when it began
	at     time.Time // when it began
}

// begin has the DownTrack start: from the ring, or else at a key frame that is asked
// for.
func (d *DownTrack) begin() {
	k, ok := d.replayable()
	if !ok {
		d.requestKeyframe()
		return
	}
	if k.Cursor >= d.feed.cursors[d.selector.target] {
		return // it comes in the next round
	}
	w := d.worker
	d.replay = replay{on: true, layer: d.selector.target, cursor: k.Cursor, newest: k.Newest, at: w.now}
	if !slices.Contains(w.replaying, d) {
		w.replaying = append(w.replaying, d)
	}
	w.stats.replays.Add(1)
	w.corker.Cork()
	d.replayOn()
	w.corker.Uncork()
}

// replayable finds the key frame to begin at.
func (d *DownTrack) replayable() (k ring.Keyframe, ok bool) {
	s, p := &d.selector, &d.sub.path
	if d.track.Kind() != publish.Video || d.writer == nil || s.stopped() || d.drains || p.queue != nil {
		return k, false
	}
	if d.retarget(); s.target < 0 {
		return k, false
	}
	l := d.track.Layer(s.target)
	k, ok = l.Ring().KeyframeStart()
	most := replayMost
	if p.bucket.Limited() {
		most = min(most, p.bucket.BytesIn(replayWithin))
	}
	return k, ok && l.Age(k.Arrival, d.worker.now) <= replayAge && k.Bytes <= most
}

// replayOn takes one step. It is called between two rounds: the feed's cursor then says
// what the others have.
func (d *DownTrack) replayOn() {
	w, r := d.worker, &d.replay
	if w.now.Sub(r.at) > replayLimit {
		d.giveUpReplay()
		return
	}
	if d.sub.path.waits() {
		return
	}
	d.learnCodecs()
	end := d.feed.cursors[r.layer]
	if w.past == nil {
		w.past = ring.NewBatch(batchPackets, replayStep)
	}
	w.past.Reset()
	next, lost := d.track.Layer(r.layer).Ring().ReadUntil(r.cursor, end, w.past)
	r.cursor = next
	w.stats.overrun.Add(uint64(lost))
	for i := range w.past.Packets {
		if p := &w.past.Packets[i]; r.on && d.selected(r.layer, p) {
			d.send(r.layer, p)
		}
	}
	d.tally()
	switch {
	case !r.on:
	case lost > 0, r.cursor == end && d.selector.current < 0:
		d.giveUpReplay() // the ring went round, or the source started over
	case r.cursor == end:
		r.on = false
	}
}

// giveUpReplay begins with a key frame after all.
func (d *DownTrack) giveUpReplay() {
	d.restart()
	d.layer.Store(-1)
	d.requestKeyframe()
}

// replayAll is called every tick.
func (w *Worker) replayAll() {
	kept := w.replaying[:0]
	for _, d := range w.replaying {
		if d.writer == nil || d.feed == nil || d.track.Closed() {
			d.replay.on = false
		}
		if d.replay.on {
			d.replayOn()
		}
		if d.replay.on {
			kept = append(kept, d)
		}
	}
	clear(w.replaying[len(kept):])
	w.replaying = kept
}

// squeezeUntil has the newest segment bring the frames before the timestamp close to it.
func (m *munger) squeezeUntil(newest uint32) {
	s := m.segment(0)
	s.newest, s.squeezed = newest, true
}

// timestamp is the one that the subscriber gets for ts.
func (s *segment) timestamp(ts uint32) uint32 {
	if behind := int32(s.newest - ts); s.squeezed && behind > 0 {
		ts = s.newest - uint32(behind/squeeze)
	}
	return ts + s.ts
}

// relax begins a segment at p where the past ends: timestamps wrap, and what is far
// ahead of newest would be taken for the past some day.
func (m *munger) relax(out uint64, s *segment, p *ring.Packet) *segment {
	if !s.squeezed || s != m.segment(0) || out <= m.lastOut || int32(p.Timestamp-s.newest) <= 0 {
		return s
	}
	if s.in != p.ExtSeq {
		m.push(*s)
		s = m.segment(0)
		s.out, s.in = out, p.ExtSeq
	}
	s.squeezed = false
	return s
}
