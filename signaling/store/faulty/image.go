package faulty

import "math/rand/v2"

// sector is what a disk writes at once, in bytes, unless it tears it.
const sector = 512

// change is a write or, if data is nil, a truncation.
type change struct {
	offset int64
	data   []byte
}

// image is a file as the disk has it: what is durable, and what was done to it
// since, in order.
type image struct {
	durable []byte
	pending []change
}

func (m *image) write(offset int64, data []byte) {
	m.pending = append(m.pending, change{offset, append([]byte{}, data...)})
}

func (m *image) truncate(size int64) { m.pending = append(m.pending, change{size, nil}) }

// sync makes everything durable.
func (m *image) sync() {
	for _, c := range m.pending {
		m.apply(c)
	}
	m.pending = nil
}

func (m *image) apply(c change) {
	end := c.offset + int64(len(c.data))
	switch {
	case c.data == nil && int64(len(m.durable)) > end:
		m.durable = m.durable[:end]
	case int64(len(m.durable)) < end:
		m.durable = append(m.durable, make([]byte, end-int64(len(m.durable)))...)
	}
	copy(m.durable[c.offset:], c.data)
}

// lose decides what of the pending changes reached the disk although nobody may
// count on it: each sector by itself, so that a later one may be there without
// an earlier one, and some only in part. share is how likely one is, 0 to 1.
func (m *image) lose(random *rand.Rand, share float64) {
	for _, c := range m.pending {
		if c.data == nil {
			if random.Float64() < share {
				m.apply(c)
			}
			continue
		}
		for len(c.data) > 0 {
			part := min(len(c.data), sector-int(c.offset%sector))
			kept := 0
			if random.Float64() < share {
				kept = part
				if random.IntN(16) == 0 {
					kept = random.IntN(part + 1)
				}
			}
			if kept > 0 {
				m.apply(change{c.offset, c.data[:kept]})
			}
			c.offset, c.data = c.offset+int64(part), c.data[part:]
		}
	}
	m.pending = nil
}
