package opening

import (
	"io"
)

// heldMost is how many bytes of a journal are held in memory for its second reading:
// beside the media that come of it a browser has room for these. A longer one is opened
// twice, which takes twice the time.
const heldMost = 256 << 20

const heldChunk = 1 << 20

// held is a journal in plain, in memory alone, or nothing of one that is too long.
type held struct {
	most   int
	chunks [][]byte
	size   int
	over   bool // it is longer
	whole  bool // it is all there
}

// Write never fails.
func (h *held) Write(b []byte) (int, error) {
	if h.size += len(b); h.size > h.most {
		h.over, h.chunks = true, nil
	}
	for rest := b; len(rest) > 0 && !h.over; {
		last := len(h.chunks) - 1
		if last < 0 || len(h.chunks[last]) == heldChunk {
			h.chunks = append(h.chunks, make([]byte, 0, heldChunk))
			last++
		}
		n := min(heldChunk-len(h.chunks[last]), len(rest))
		h.chunks[last] = append(h.chunks[last], rest[:n]...)
		rest = rest[n:]
	}
	return len(b), nil
}

// reader gives what is held, once: it lets go of what was read.
func (h *held) reader(read func(n int) error) io.ReadCloser { return &heldReader{h, read, 0} }

type heldReader struct {
	*held
	read func(n int) error
	at   int // in the first chunk
}

func (r *heldReader) Read(b []byte) (int, error) {
	if len(r.chunks) == 0 {
		return 0, io.EOF
	}
	n := copy(b, r.chunks[0][r.at:])
	if r.at += n; r.at == len(r.chunks[0]) {
		r.chunks, r.at = r.chunks[1:], 0
	}
	return n, r.read(n)
}

func (r *heldReader) Close() error {
	r.chunks, r.whole = nil, false
	return nil
}
