package opening

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/metrics"
)

// Progress is told how many of how many bytes have been read, some hundred times.
type Progress func(done, of int64)

// meter adds up what is read, and looks at what comes of it in memory.
type meter struct {
	memoryMost int64 // bytes

	tell           Progress
	done, of, told int64
	looked         int64 // bytes read since it was looked
}

func (m *meter) begin(tell Progress, of int64) {
	*m = meter{memoryMost: m.memoryMost, tell: tell, of: of}
}

// lookEvery is after how many bytes that are read it is looked again.
const lookEvery = 1 << 20

// read is told of bytes that were read: ErrTooMuch where too much is in memory by now,
// whatever it is.
func (m *meter) read(n int) error {
	if m.looked += int64(n); m.looked >= lookEvery {
		m.looked = 0
		if inMemory() > m.memoryMost {
			runtime.GC()
			if is := inMemory(); is > m.memoryMost {
				return fmt.Errorf("%w: %d bytes are in memory, at most %d may be", ErrTooMuch, is, m.memoryMost)
			}
		}
	}
	m.done = min(m.done+int64(n), m.of) // damage makes some of it be read again
	if m.tell != nil && (m.done-m.told > m.of/200 || m.done == m.of) {
		m.told = m.done
		m.tell(m.done, m.of)
	}
	return nil
}

// inMemory is how many bytes this program has in memory, those included that nobody needs
// any more and that are not collected yet.
func inMemory() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64()) //nolint:gosec // no memory is that large
}

// windowLen is how much is read at once: a part is read in small pieces, from front to
// back, and each reading of a browser's file costs the same, however short.
const windowLen = 1 << 20

// windowRoom is what the windows of all parts read into: parts are read one after the
// other, so that one of them has it at a time, however many there are.
type windowRoom struct {
	of    *window
	bytes []byte
}

// window reads a part by large pieces.
type window struct {
	in   io.ReaderAt
	size int64
	read func(n int) error
	room *windowRoom

	at   int64
	held []byte // in the room, while it is of this one
}

// ReadAt is for one goroutine at a time, of all windows that share a room.
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
	return n, w.read(n)
}

func (w *window) fill(at int64) error {
	if w.room.of != nil {
		w.room.of.held = nil
	}
	if w.room.of = w; w.room.bytes == nil {
		w.room.bytes = make([]byte, windowLen)
	}
	w.held = w.room.bytes[:min(windowLen, w.size-at)]
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
