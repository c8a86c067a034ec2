package recorder

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"aparte/recorder/journal"
	"aparte/recorder/seal"
)

// segmentChunks is how many chunks one segment has at most: 4 MiB of journal.
const segmentChunks = 4 << 20 / chunkLen

// writer is the one goroutine that touches a recording's file. It belongs to itself.
type writer struct {
	*Recording
	part   *seal.Part
	head   []byte // with which each segment begins
	chunks []*chunk
	pieces [][]byte
	broken error // why the disk takes nothing more
}

// write runs until the recording ends.
func (r *Recording) write(part *seal.Part) {
	defer close(r.done)
	w := &writer{Recording: r, part: part, head: journal.Append(nil, 0, journal.Head{Part: r.part, Began: r.began})}
	w.written.Store(part.Size())
	tick := time.NewTicker(r.cfg.Every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = w.drain() // it has stopped the recording, which then ends
		case <-r.wake:
			_ = w.drain()
		case answer := <-r.flush:
			answer <- w.drain()
		case <-r.ending:
			_ = w.drain() // its error is Stop's as well
			w.finish()
			return
		}
	}
}

// drain writes what has arrived, and stops the recording if it cannot. The error is
// also why capture has stopped before: what was taken until then is written all the
// same, if the disk lets it.
func (w *writer) drain() error {
	for {
		w.mu.Lock()
		if w.gap != nil && !w.ended {
			w.tellGap(false)
		}
		w.chunks = w.chunks[:0]
		if w.broken == nil {
			w.chunks = w.buffer.take(w.chunks, segmentChunks)
		}
		more, stopped := len(w.buffer.full) > 0, w.err
		w.mu.Unlock()
		if len(w.chunks) == 0 {
			return stopped
		}
		err := w.segment()
		w.broken = err
		w.mu.Lock()
		for _, c := range w.chunks {
			if err == nil {
				w.kept += c.packets
				w.keptSize += c.bytes
			} else {
				w.lost += c.packets
			}
		}
		w.buffer.give(w.chunks)
		if err != nil {
			w.fail(err)
		}
		stopped = w.err
		w.mu.Unlock()
		// What arrived meanwhile waits for the next time: a segment has its price.
		if err != nil || !more {
			return stopped
		}
	}
}

// segment seals and writes the chunks that were taken.
func (w *writer) segment() error {
	left, err := w.cfg.disk.room(w.folder)
	if err != nil {
		return fmt.Errorf("room on the disk: %w", err)
	}
	if left < w.cfg.Spare {
		return ErrLowDisk
	}
	w.pieces = append(w.pieces[:0], w.head)
	for _, c := range w.chunks {
		w.pieces = append(w.pieces, c.b)
	}
	// Nobody can call back a write that the disk does not answer. The recording ends
	// without it; if it comes back after all, what it wrote counts.
	stalled := time.AfterFunc(w.cfg.Stall, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.fail(ErrStalled)
		w.lost += w.buffer.drop()
	})
	err = w.part.Segment(w.pieces...)
	stalled.Stop()
	switch {
	case err == nil:
		w.written.Store(w.part.Size())
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		err = fmt.Errorf("%w: %w", ErrLowDisk, err)
	}
	return err
}

// finish closes the part after what was written last.
func (w *writer) finish() {
	w.mu.Lock()
	w.lost += w.buffer.drop()
	if g := w.gap; g != nil {
		w.lost += g.packets
		w.manifest.gap(g)
		w.gap = nil
	}
	ended := time.Now()
	m := w.manifest.Manifest
	m.Ended = w.manifest.wall(ended.Sub(w.began))
	c := seal.Closing{Ended: m.Ended, Final: w.final, Reason: w.reason, Packets: w.kept, Bytes: w.keptSize, Lost: w.lost}
	w.mu.Unlock()
	err := w.part.Close(c, m)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.err = errors.Join(w.err, err)
		return
	}
	w.written.Store(w.part.Size())
}
