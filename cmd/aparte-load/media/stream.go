package media

import (
	"slices"
	"time"
)

// Stream counts what came of one SSRC. It is owned by one goroutine, or guarded by
// its owner.
type Stream struct {
	started bool
	base    uint64 // extended numbers
	highest uint64
	seen    [window / 64]uint64 // bits of the last window numbers
	missing []gap

	// Received counts numbers that came, each once, repaired ones too; Lost those
	// that never did.
	Received, Reordered, Duplicates, Recovered uint64
}

// window is how far back a packet may come late: some seconds of video.
const window = 2048

type gap struct {
	ext   uint64
	asked time.Time
	tries int
}

// Bounds on asking again.
const (
	maxGaps    = 256
	askAgain   = 60 * time.Millisecond
	maxAsked   = 8
	reorderFor = 10 * time.Millisecond // what is only out of order comes by itself
)

// Take counts a packet. fresh is false for one that came before. again tells that it
// came as a retransmission.
func (s *Stream) Take(seq uint16, again bool, now time.Time) (fresh bool) {
	if !s.started {
		s.started = true
		s.base = 1<<16 + uint64(seq)
		s.highest = s.base
		s.mark(s.base)
		s.Received++
		return true
	}
	ext := s.highest + uint64(int64(int16(seq-uint16(s.highest))))
	if ext > s.highest {
		s.advance(ext, now)
	} else {
		if s.highest-ext >= window || s.marked(ext) || ext < s.base {
			s.Duplicates++
			return false
		}
		if again {
			s.Recovered++
		} else {
			s.Reordered++
		}
		s.missing = slices.DeleteFunc(s.missing, func(g gap) bool { return g.ext == ext })
	}
	s.mark(ext)
	s.Received++
	return true
}

// advance opens the window up to ext.
func (s *Stream) advance(ext uint64, now time.Time) {
	from := max(s.highest+1, ext-min(ext, window-1))
	for e := from; e < ext; e++ {
		s.unmark(e)
		if len(s.missing) < maxGaps {
			s.missing = append(s.missing, gap{ext: e, asked: now.Add(reorderFor - askAgain)})
		}
	}
	s.unmark(ext)
	s.highest = ext
}

// Lost counts the numbers between the first and the highest that did not come.
func (s *Stream) Lost() uint64 {
	if !s.started {
		return 0
	}
	return s.highest - s.base + 1 - min(s.Received, s.highest-s.base+1)
}

// Highest is the extended number for receiver reports (RFC 3550 section 6.4.1).
func (s *Stream) Highest() uint32 { return uint32(s.highest - 1<<16) }

// Due appends the numbers to ask for now. gaveUp tells that one will not come.
func (s *Stream) Due(now time.Time, seqs []uint16) (due []uint16, gaveUp bool) {
	keep := s.missing[:0]
	for _, g := range s.missing {
		if now.Sub(g.asked) >= askAgain {
			if g.tries >= maxAsked || s.highest-g.ext >= window {
				gaveUp = true
				continue
			}
			g.tries++
			g.asked = now
			seqs = append(seqs, uint16(g.ext))
		}
		keep = append(keep, g)
	}
	s.missing = keep
	return seqs, gaveUp
}

func (s *Stream) mark(ext uint64)        { s.seen[ext%window/64] |= 1 << (ext % 64) }
func (s *Stream) unmark(ext uint64)      { s.seen[ext%window/64] &^= 1 << (ext % 64) }
func (s *Stream) marked(ext uint64) bool { return s.seen[ext%window/64]&(1<<(ext%64)) != 0 }
