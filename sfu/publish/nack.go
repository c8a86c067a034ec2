package publish

import (
	"slices"
	"time"

	"github.com/pion/rtcp"
)

const (
	// nackAgain is the pause between two requests for the same packet, about one
	// round trip within a country.
	nackAgain = 30 * time.Millisecond
	// nackTries: after so many a packet is given up and video restarts at a key
	// frame.
	nackTries = 10
	// maxMissing bounds the list; a larger hole is cheaper to fill by a key frame.
	maxMissing = 256
)

type missingPacket struct {
	ext   uint64
	next  time.Time
	tries uint8
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
		m.list = append(m.list, missingPacket{ext: from, next: now})
	}
}

func (m *missing) remove(ext uint64) {
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
		m.list = slices.Delete(m.list, i, i+1)
	}
}

// due appends to pairs what is to be asked for now. givenUp counts what was asked
// for often enough and leaves the list.
func (m *missing) due(now time.Time, pairs []rtcp.NackPair) (all []rtcp.NackPair, asked, givenUp int) {
	keep := m.list[:0]
	for _, p := range m.list {
		switch {
		case now.Before(p.next):
		case p.tries >= nackTries:
			givenUp++
			continue
		default:
			p.tries++
			p.next = now.Add(nackAgain)
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
