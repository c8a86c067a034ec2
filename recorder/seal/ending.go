package seal

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"strings"
)

// ErrFinal says that a part is the end of its recording.
var ErrFinal = errors.New("the recording has been ended")

// FindEnding says where a part ended, for the binding of the next one, as [Verify] would
// of an untouched part. It reads notes and the last segment alone: a server that comes
// back after a crash has a meeting waiting, and a part may have gigabytes. What was
// tampered with it leaves to Verify. ErrFinal if nothing may follow.
func FindEnding(part Source, key PublicKey) (Ending, *Binding, error) {
	in := members{in: part, size: part.Size, passed: func(name string) bool { return strings.HasSuffix(name, ".age") }}
	m, err := in.next()
	if err == nil && m.name != bindingName {
		err = errors.New("it does not begin with its binding")
	}
	b := new(Binding)
	if err == nil {
		err = readNote(m.content, key, b)
	}
	if err != nil {
		return Ending{}, nil, err
	}
	end := Ending{Part: b.Part, Hash: sha256.Sum256(m.content), Left: part.Size - in.offset}
	// Only the last can be torn; of more, whole ones before it are looked at as well.
	var last []written
	for contents := int64(-1); ; {
		m, err := in.next()
		d := (*damage)(nil)
		switch {
		case errors.Is(err, io.EOF):
			for _, w := range slices.Backward(last) {
				if w.whole(part, key, b, &end) {
					break
				}
			}
			return end, b, nil
		case errors.As(err, &d):
			in.resume()
			continue
		case err != nil:
			return Ending{}, nil, err
		}
		switch n, note := segmentOf(m.name); {
		case m.name == closingName:
			var c Closing
			if readNote(m.content, key, &c) != nil || c.Recording != b.Recording || c.Part != b.Part {
				continue
			}
			if c.Final {
				return Ending{}, b, ErrFinal
			}
			return Ending{Part: b.Part, Segments: c.Segments, Hash: c.Hash}, b, nil
		case n > 0 && note && contents >= 0:
			if len(last) == 3 {
				last = slices.Delete(last, 0, 1)
			}
			last = append(last, written{contents, in.offset, n, m.content})
			contents = -1
		case n > 0 && !note:
			contents = m.offset
		}
	}
}

// written is a segment that was passed over.
type written struct {
	contents, end int64 // offsets of the member, and after its note
	number        uint64
	note          []byte
}

// whole looks at the segment, and has the part end with it if it is as it was written.
func (w *written) whole(part Source, key PublicKey, b *Binding, end *Ending) bool {
	var s segmentNote
	if readNote(w.note, key, &s) != nil || s.Recording != b.Recording || s.Part != b.Part || s.Segment != w.number {
		return false
	}
	m, err := (&members{in: part, size: part.Size, offset: w.contents}).next()
	if err != nil || m.name != segmentName(w.number) || sha256.Sum256(m.content) != s.Digest {
		return false
	}
	*end = Ending{Part: b.Part, Segments: s.Segment, Hash: link(s.Previous, s.Digest), Left: part.Size - w.end}
	return true
}

// Closed tells whether a part ends with a closing, as far as its last kilobytes say, which
// are read at once: whether that is its node's, and all before it is as it was written, is
// for [Verify].
func Closed(part Source) (bool, error) {
	const most = maxNote + blockLen + int64(len(trailer))
	if part.Size%blockLen != 0 {
		return false, nil // cut within a block
	}
	tail := make([]byte, min(part.Size, most))
	if _, err := part.ReadAt(tail, part.Size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	end := int64(len(tail) - len(trailer))
	for at := end - blockLen; at >= 0; at -= blockLen {
		in := members{in: bytes.NewReader(tail), size: int64(len(tail)), offset: at}
		m, err := in.next()
		if err != nil || m.name != closingName || in.offset != end || bytes.IndexByte(m.content, 0) >= 0 {
			continue // with holes that a power failure left it is none
		}
		_, err = in.next()
		return in.trailed && errors.Is(err, io.EOF), nil
	}
	return false, nil
}
