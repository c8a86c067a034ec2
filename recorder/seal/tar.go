package seal

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	blockLen = 512
	// MaxSegment is how many bytes of journal one segment may have, so that whoever reads
	// it knows how much memory it takes.
	MaxSegment = 8 << 20
	// maxMember is MaxSegment or a manifest, sealed: age adds 16 bytes for each 64 KiB and
	// 1.6 KB a recipient.
	maxMember = MaxSegment + 128<<10
)

// Names of members.
const (
	bindingName  = "binding.note"
	manifestName = "manifest.age"
	closingName  = "closing.note"
)

func segmentName(n uint64) string { return fmt.Sprintf("%08d.age", n) }
func noteName(n uint64) string    { return fmt.Sprintf("%08d.note", n) }

// header is the one way of writing a member's header.
func header(name string, size int) ([]byte, error) {
	var b bytes.Buffer
	err := tar.NewWriter(&b).WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Size: int64(size), Mode: 0o600, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR,
	})
	if err != nil {
		return nil, fmt.Errorf("member %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// padding is what follows a member of a size, up to the end of its block.
func padding(size int) int { return -size & (blockLen - 1) }

// appendMember appends a member to a part's bytes.
func appendMember(b *bytes.Buffer, name string, content []byte) error {
	h, err := header(name, len(content))
	if err != nil {
		return err
	}
	b.Write(h)
	b.Write(content)
	b.Write(make([]byte, padding(len(content))))
	return nil
}

var trailer [2 * blockLen]byte

// members reads a part, from front to back, believing nothing.
type members struct {
	in     io.ReaderAt
	size   int64
	offset int64 // of what is read next
	ended  bool  // the trailer has just been read
	// trailed is set for good once it has been read.
	trailed bool
	wasted  int64 // bytes that were read of what then was no member
	// passed, if set, says which members' contents are not read, nor what pads them.
	passed func(name string) bool
}

// member is one file of the tar. Its content is the reader's until the next call.
type member struct {
	offset  int64
	name    string
	content []byte
}

// damage is a place where a part is not as it was written.
type damage struct {
	offset int64
	cut    bool // it is merely the end that is missing
	reason string
}

func (d *damage) Error() string { return fmt.Sprintf("at byte %d: %s", d.offset, d.reason) }

// next is the next member: io.EOF at the end, with or without a trailer, *damage, or
// the error of the disk. After damage, resume looks for the next member.
func (m *members) next() (member, error) {
	start := m.offset
	damaged := func(cut bool, format string, args ...any) (member, error) {
		return member{}, &damage{start, cut, fmt.Sprintf(format, args...)}
	}
	left := m.size - start
	switch {
	case left == 0:
		return member{}, io.EOF
	case m.ended:
		return damaged(false, "%d bytes after the end", left)
	case left < blockLen:
		return damaged(true, "cut within a header")
	}
	block := make([]byte, blockLen)
	if _, err := m.in.ReadAt(block, start); err != nil && !errors.Is(err, io.EOF) {
		return member{}, err
	}
	if bytes.Equal(block, trailer[:blockLen]) {
		return m.readTrailer(damaged)
	}
	parsed, err := tar.NewReader(bytes.NewReader(block)).Next()
	if err != nil {
		return damaged(false, "no header of a member")
	}
	if parsed.Size < 0 || parsed.Size > maxMember {
		return damaged(false, "a member %.40q of %d bytes, at most %d are allowed", parsed.Name, parsed.Size, maxMember)
	}
	size := int(parsed.Size)
	if canonical, err := header(parsed.Name, size); err != nil || !bytes.Equal(canonical, block) {
		return damaged(false, "a header that no recorder writes")
	}
	whole := int64(size + padding(size))
	if left < blockLen+whole {
		return damaged(true, "cut within member %s", parsed.Name)
	}
	if m.passed != nil && m.passed(parsed.Name) {
		m.offset = start + blockLen + whole
		return member{start, parsed.Name, nil}, nil
	}
	content := make([]byte, whole)
	if _, err := m.in.ReadAt(content, start+blockLen); err != nil && !errors.Is(err, io.EOF) {
		return member{}, err
	}
	if len(bytes.Trim(content[size:], "\x00")) > 0 {
		m.wasted += whole
		return damaged(false, "padding that is not empty, after member %s", parsed.Name)
	}
	m.offset = start + blockLen + whole
	return member{start, parsed.Name, content[:size]}, nil
}

func (m *members) readTrailer(damaged func(bool, string, ...any) (member, error)) (member, error) {
	second := make([]byte, blockLen)
	if m.size-m.offset < int64(len(trailer)) {
		return damaged(true, "cut within the end")
	}
	if _, err := m.in.ReadAt(second, m.offset+blockLen); err != nil && !errors.Is(err, io.EOF) {
		return member{}, err
	}
	if !bytes.Equal(second, trailer[:blockLen]) {
		return damaged(false, "an empty block among the members")
	}
	m.offset += int64(len(trailer))
	m.ended, m.trailed = true, true
	return m.next()
}

// wastedMost is how much may be read in vain of any part, beside its own size.
const wastedMost = 64 << 20

// resume goes on after damage, where the next whole member begins, or to the end. Each
// header that somebody made up can cost the reading of a whole member; of a part that is
// nothing but such the rest is passed over, so that reading it ends.
func (m *members) resume() {
	m.ended = false
	for m.offset += blockLen; m.offset < m.size && m.wasted <= m.size+wastedMost; m.offset += blockLen {
		at := m.offset
		_, err := m.next()
		m.offset, m.ended = at, false
		if d := (*damage)(nil); !errors.As(err, &d) {
			return
		}
	}
	m.offset = m.size
}

// Cut says where a part can be parted: behind the last whole member that begins at or
// after from, so that no more than most bytes lie between, or behind the first one where
// that has more. From is where it was parted before, or 0. What is no member any more, as
// behind a torn end, is parted anywhere.
func Cut(part io.ReaderAt, size, from, most int64) (int64, error) {
	in := members{in: part, size: size, offset: from, passed: func(string) bool { return true }}
	for at := from; ; at = in.offset {
		_, err := in.next()
		d := (*damage)(nil)
		switch {
		case errors.Is(err, io.EOF):
			if in.offset-from > most && at > from {
				return at, nil // the trailer goes with the next
			}
			return in.offset, nil
		case errors.As(err, &d):
			if at > from {
				return at, nil
			}
			return min(from+most, size), nil
		case err != nil:
			return 0, err
		case in.offset-from > most && at > from:
			return at, nil
		case in.offset-from >= most:
			return in.offset, nil
		}
	}
}
