package publish

import (
	"slices"
	"time"

	"github.com/pion/rtcp"
)

const (
	// nackUnknown is the pause between two requests for the same packet while the
	// round trip is not known: about one within a country. Asking sooner than the
	// answer can come makes the publisher send twice what was lost once, on a path
	// that is losing packets already.
	nackUnknown = 50 * time.Millisecond
	nackLeast   = 20 * time.Millisecond
	nackSlack   = 10 * time.Millisecond // beyond a round trip and a quarter
	// nackTries: after so many a packet is given up and video restarts at a key
	// frame; after nackFew already when nobody waits for it any more: the ring
	// keeps about a second.
	nackTries = 10
	nackFew   = 3
	nackAge   = 1200 * time.Millisecond
	// maxMissing bounds the list; a larger hole is cheaper to fill by a key frame.
	maxMissing = 256
)

type missingPacket struct {
	ext   uint64
	next  time.Time
	first time.Time // when it was found missing
	asked time.Time // last
	tries uint8
}

// nackPause is the time between two requests.
func (r *roundTrip) nackPause() time.Duration {
	if r.mean == 0 {
		return nackUnknown
	}
	return max(r.mean*5/4+nackSlack, nackLeast)
}

// missing is the list of sequence numbers not received, in order.
type missing struct {
	list []missingPacket
	// overrun is set when the list was too short for a hole.
	overrun bool
}

// add notes from..to-1 as missing.
func (m *missing) add(from, to uint64, now time.Time) {
	if to-from > maxMissing {
		m.list, m.overrun = m.list[:0], true
		return
	}
	if over := len(m.list) + int(to-from) - maxMissing; over > 0 {
		m.list, m.overrun = slices.Delete(m.list, 0, over), true
	}
	for ; from < to; from++ {
		m.list = append(m.list, missingPacket{ext: from, next: now, first: now})
	}
}

// remove takes a packet that came off the list. asked is when it was asked for, if that
// was once: of two requests nobody knows which one was answered.
func (m *missing) remove(ext uint64) (asked time.Time, once bool) {
	i, found := slices.BinarySearchFunc(m.list, ext, func(p missingPacket, e uint64) int {
		switch {
		case p.ext < e:
			return -1
		case p.ext > e:
			return 1
		}
		return 0
	})
	if found {
		asked, once = m.list[i].asked, m.list[i].tries == 1
		m.list = slices.Delete(m.list, i, i+1)
	}
	return asked, once
}

// due appends to pairs what is to be asked for now. givenUp counts what was asked
// for often enough and leaves the list.
func (m *missing) due(now time.Time, pause time.Duration, pairs []rtcp.NackPair) (all []rtcp.NackPair, asked, givenUp int) {
	keep := m.list[:0]
	for _, p := range m.list {
		switch {
		case now.Before(p.next):
		case p.tries >= nackTries, p.tries >= nackFew && now.Sub(p.first) > nackAge:
			givenUp++
			continue
		default:
			p.tries++
			p.asked, p.next = now, now.Add(pause)
			asked++
			pairs = appendNack(pairs, uint16(p.ext))
		}
		keep = append(keep, p)
	}
	m.list = keep
	return pairs, asked, givenUp
}

// appendNack puts seq into the last pair's bitmask when it fits (RFC 4585 section
// 6.2.1); seqs come in ascending order.
func appendNack(pairs []rtcp.NackPair, seq uint16) []rtcp.NackPair {
	if n := len(pairs); n > 0 {
		if d := seq - pairs[n-1].PacketID; d >= 1 && d <= 16 {
			pairs[n-1].LostPackets |= 1 << (d - 1)
			return pairs
		}
	}
	return append(pairs, rtcp.NackPair{PacketID: seq})
}
