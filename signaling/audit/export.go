package audit

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// line is an event as a line of an export. Fields stand in the order of their
// JSON names.
type line struct {
	Event    json.RawMessage     `json:"event"`
	Hash     Hash                `json:"hash"`
	Personal map[string]Personal `json:"personal,omitempty"`
}

// WriteEntry writes an event as a line of JSON.
func WriteEntry(w io.Writer, e Entry) error {
	return writeLine(w, line{Event: e.Event, Hash: e.Hash, Personal: e.Personal})
}

// WriteHead writes a head as a line of JSON: the end of an export, or an anchor.
func WriteHead(w io.Writer, s SignedHead) error { return writeLine(w, s) }

func writeLine(w io.Writer, v any) error {
	text, err := encode(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// maxLine bounds a line that is read, in bytes: an event and its texts.
const maxLine = 1 << 20

// VerifyExport verifies exported chains: each is its events and then its head.
// Several may follow each other. The error is about reading r; whatever is wrong
// with what was read is in the reports.
func VerifyExport(r io.Reader, trusted ed25519.PublicKey, anchors []SignedHead) ([]Report, error) {
	f := exported{trusted: trusted, anchors: anchors, seen: make(map[string]bool)}
	lines := newLines(r)
	for number := 1; lines.Scan(); number++ {
		entry, head, err := parseLine(lines.Bytes())
		switch {
		case err != nil:
			f.lose(fmt.Sprintf("line %d is not as it was exported: %v", number, err))
		case head != nil:
			f.of(head.Head.Post)
			f.end(head)
		default:
			f.of(postOf(entry)).Entry(*entry)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		f.lose(fmt.Sprintf("a line of more than %d bytes was never exported", maxLine))
	} else if lines.Err() != nil {
		return nil, lines.Err()
	}
	return f.finish(), nil
}

// exported is an export while it is read.
type exported struct {
	trusted ed25519.PublicKey
	anchors []SignedHead
	v       *Verifier       // of the chain being read; nil between two
	lost    []string        // lines lost between two
	seen    map[string]bool // posts
	reports []Report
}

// of returns the verifier of the chain being read, which begins with post.
func (f *exported) of(post string) *Verifier {
	if f.v != nil {
		return f.v
	}
	f.v = NewVerifier(post, true, f.anchors)
	if f.seen[post] {
		f.v.Found(0, "comes twice in this file")
	}
	f.seen[post] = true
	for _, what := range f.lost {
		f.v.Found(0, what)
	}
	f.lost = nil
	return f.v
}

func (f *exported) lose(what string) {
	switch {
	case f.v != nil:
		f.v.Found(0, what)
	case len(f.lost) < maxFindings:
		f.lost = append(f.lost, what)
	}
}

func (f *exported) end(head *SignedHead) {
	f.reports = append(f.reports, f.v.Close(head, f.trusted))
	f.v = nil
}

// finish ends what has no head, and looks for anchors of posts that are not there.
func (f *exported) finish() []Report {
	if f.v != nil {
		f.end(nil)
	}
	if len(f.lost) > 0 {
		f.of(lostPost)
		f.end(nil)
	}
	for _, a := range f.anchors {
		if !f.seen[a.Head.Post] {
			f.of(a.Head.Post)
			f.end(nil)
		}
	}
	return f.reports
}

// newLines splits into lines that keep their end: what was cut off, and a
// carriage return that was added, must show.
func newLines(r io.Reader) *bufio.Scanner {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	lines.Split(func(data []byte, atEOF bool) (int, []byte, error) {
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			return i + 1, data[:i+1], nil
		}
		if atEOF && len(data) > 0 {
			return len(data), data, nil
		}
		return 0, nil, nil
	})
	return lines
}

// lostPost stands for a post that cannot be read.
const lostPost = "?"

func postOf(e *Entry) string {
	if event, err := ParseEvent(e.Event); err == nil {
		return event.Post
	}
	return lostPost
}

// parseLine reads what WriteEntry or WriteHead wrote, and no other writing of it.
func parseLine(text []byte) (*Entry, *SignedHead, error) {
	text, ended := bytes.CutSuffix(text, []byte("\n"))
	if !ended {
		return nil, nil, errors.New("it has no end")
	}
	if bytes.HasPrefix(text, []byte(`{"head":`)) {
		s, err := parseHead(text)
		return nil, s, err
	}
	var l line
	if err := decode(text, &l); err != nil {
		return nil, nil, err
	}
	event, err := ParseEvent(l.Event)
	if err != nil {
		return nil, nil, fmt.Errorf("event: %w", err)
	}
	if again, err := encode(l); err != nil || !bytes.Equal(again, text) {
		return nil, nil, errNotCanonical
	}
	return &Entry{Seq: event.Seq, Event: bytes.Clone(l.Event), Hash: l.Hash, Personal: l.Personal}, nil, nil
}

func parseHead(text []byte) (*SignedHead, error) {
	var s SignedHead
	if err := decode(text, &s); err != nil {
		return nil, err
	}
	if again, err := encode(s); err != nil || !bytes.Equal(again, text) {
		return nil, errNotCanonical
	}
	return &s, nil
}

// ReadAnchors reads lines that WriteHead wrote. An error names the line.
func ReadAnchors(r io.Reader) ([]SignedHead, error) {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxLine)
	var all []SignedHead
	for number := 1; scanner.Scan(); number++ {
		text := bytes.TrimSpace(scanner.Bytes())
		if len(text) == 0 {
			continue
		}
		s, err := parseHead(text)
		switch {
		case err != nil:
			return nil, fmt.Errorf("line %d is no anchor: %w", number, err)
		case s.Head.Seq > 0 && !s.Genuine():
			return nil, fmt.Errorf("line %d is no anchor: its signature does not fit", number)
		}
		all = append(all, *s)
	}
	return all, scanner.Err()
}
