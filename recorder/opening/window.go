package opening

import (
	"errors"
	"io"
)

// Progress is told how many of how many bytes have been read, some hundred times.
type Progress func(done, of int64)

// meter adds up what is read.
type meter struct {
	tell           Progress
	done, of, told int64
}

func (m *meter) begin(tell Progress, of int64) { *m = meter{tell: tell, of: of} }

func (m *meter) read(n int) {
	m.done = min(m.done+int64(n), m.of) // damage makes some of it be read again
	if m.tell != nil && (m.done-m.told > m.of/200 || m.done == m.of) {
		m.told = m.done
		m.tell(m.done, m.of)
	}
}

// windowLen is how much is read at once: a part is read in small pieces, from front to
// back, and each reading of a browser's file costs the same, however short.
const windowLen = 1 << 20

// window reads a part by large pieces.
type window struct {
	in   io.ReaderAt
	size int64
	read func(n int)

	at   int64
	held []byte
	room []byte
}

// ReadAt is for one goroutine at a time.
func (w *window) ReadAt(b []byte, at int64) (n int, err error) {
	for n < len(b) {
		from := at + int64(n)
		if from >= w.size {
			return n, io.EOF
		}
		if from < w.at || from >= w.at+int64(len(w.held)) {
			if err := w.fill(from); err != nil {
				return n, err
			}
		}
		n += copy(b[n:], w.held[from-w.at:])
	}
	w.read(n)
	return n, nil
}

func (w *window) fill(at int64) error {
	if w.room == nil {
		w.room = make([]byte, min(windowLen, w.size))
	}
	w.held = w.room[:min(int64(len(w.room)), w.size-at)]
	if n, err := w.in.ReadAt(w.held, at); n < len(w.held) {
		w.held = nil
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF // the file is shorter than it said
		}
		return err
	}
	w.at = at
	return nil
}
