package publish

import (
	"time"

	"aparte/sfu/codec"
	"aparte/sfu/ring"
)

// maxRedundancy is how many packets back we look into RED (RFC 2198); browsers
// repeat one.
const maxRedundancy = 3

// restore puts packets that were lost before p, which has the number seq, into the
// ring, from what p repeats of them. They become plain Opus, which everybody can
// take, so that those without RED profit too; those with it have one gap less.
func (r *Receiver) restore(s *Section, l *Layer, seq uint16, p *ring.Packet, now time.Time) {
	gap := seq - uint16(l.in.highest) - 1
	if l.in.highest == 0 || gap == 0 || gap > 1<<15 {
		return // first, in order, or late
	}
	for back := min(int(gap), maxRedundancy); back > 0; back-- {
		pt, older, block, ok := codec.REDRedundancy(p.Payload, back)
		if c, _ := s.codecByPT(pt); !ok || c == nil || c.Type != codec.Opus {
			continue
		}
		lost := *p
		lost.PayloadType, lost.Timestamp, lost.Payload, lost.Marker = pt, p.Timestamp-older, block, false
		res := l.ring.Insert(seq-uint16(back), &lost)
		if res.Status != ring.Stored {
			continue
		}
		r.stats.Redundant++
		l.account(&lost, res, true, now)
		// It was lost all the same, and reports say so: the publisher's encoder
		// adapts to it.
		l.in.received--
	}
}
