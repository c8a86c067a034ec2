package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"filippo.io/age"
)

// File is what a part is written to.
type File interface {
	io.Writer
	// Sync returns once what was written survives a power failure.
	Sync() error
	// Truncate cuts the file, and has the next Write append there.
	Truncate(size int64) error
	Close() error
}

// Part writes one part of a recording. It belongs to one goroutine, and keeps its
// memory from segment to segment.
type Part struct {
	file       File
	key        *NodeKey
	recipients []age.Recipient
	binding    Binding
	hash       Hash   // of the chain so far
	segments   uint64 // so far
	size       int64  // of what is whole on the disk
	out        bytes.Buffer
	broken     bool // the file may hold anything after size
}

// NewPart begins a part in an empty file, with its binding, whose Type, Format, Node
// and Recipients it sets. The file is the part's from then on, also after an error.
func NewPart(file File, b Binding, to []Recipient, key *NodeKey) (*Part, error) {
	p := &Part{file: file, key: key, binding: b}
	p.binding.Type, p.binding.Format, p.binding.Node = typeBinding, Format, key.public.Node()
	p.binding.Recipients = nil
	for _, r := range to {
		p.recipients = append(p.recipients, r.hybrid)
		p.binding.Recipients = append(p.binding.Recipients, r.String())
	}
	signed, err := sign(&p.binding, key)
	if err == nil && len(signed) > maxNote {
		err = fmt.Errorf("the binding has %d bytes, at most %d are allowed", len(signed), maxNote)
	}
	if err == nil {
		err = appendMember(&p.out, bindingName, signed)
	}
	if err == nil {
		err = p.flush()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("begin part %d: %w", b.Part, err), file.Close())
	}
	p.hash = sha256.Sum256(signed)
	return p, nil
}

// Segment seals pieces of journal, which begin with a head, as the next segment, and
// returns once it would survive a power failure. After an error nothing of it counts,
// and nothing more can be written but the closing.
func (p *Part) Segment(pieces ...[]byte) error {
	n := p.segments + 1
	digest, err := p.sealed(segmentName(n), func(w io.Writer) error {
		for _, piece := range pieces {
			if _, err := w.Write(piece); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = p.appendNote(noteName(n), &segmentNote{
			Type: typeSegment, Recording: p.binding.Recording, Part: p.binding.Part, Segment: n, Digest: digest, Previous: p.hash,
		})
	}
	if err == nil {
		err = p.flush()
	}
	if err != nil {
		p.out.Reset() // the closing follows the last whole segment
		return fmt.Errorf("segment %d of part %d: %w", n, p.binding.Part, err)
	}
	p.segments, p.hash = n, link(p.hash, digest)
	return nil
}

// sealed appends a member that is sealed, and says its digest.
func (p *Part) sealed(name string, write func(io.Writer) error) (Hash, error) {
	start := p.out.Len()
	p.out.Write(make([]byte, blockLen))
	w, err := age.Encrypt(&p.out, p.recipients...)
	if err != nil {
		return Hash{}, err
	}
	if err := errors.Join(write(w), w.Close()); err != nil {
		return Hash{}, err
	}
	content := p.out.Bytes()[start+blockLen:]
	if len(content) > maxMember {
		return Hash{}, fmt.Errorf("%s has %d bytes, at most %d are allowed", name, len(content), maxMember)
	}
	h, err := header(name, len(content))
	if err != nil {
		return Hash{}, err
	}
	copy(p.out.Bytes()[start:], h)
	digest := sha256.Sum256(content)
	p.out.Write(make([]byte, padding(len(content))))
	return digest, nil
}

func (p *Part) appendNote(name string, s statement) error {
	signed, err := sign(s, p.key)
	if err != nil {
		return err
	}
	return appendMember(&p.out, name, signed)
}

// flush writes what is ready, in one piece, and waits for the disk.
func (p *Part) flush() error {
	defer p.out.Reset()
	if p.broken {
		return errors.New("the file was left at an earlier failure")
	}
	n, err := p.file.Write(p.out.Bytes())
	if err == nil && n < p.out.Len() {
		err = io.ErrShortWrite
	}
	if err != nil {
		// A full disk took half of it. Without that there may be room for the closing.
		p.broken = p.file.Truncate(p.size) != nil
		return err
	}
	if err := p.file.Sync(); err != nil {
		// Nobody knows what is on the disk after that; a second try would lie.
		p.broken = true
		return err
	}
	p.size += int64(n)
	return nil
}

// Size is how many bytes the part has on the disk.
func (p *Part) Size() int64 { return p.size }

// Manifest is what is in a recording, sealed like its contents since it names people.
type Manifest struct {
	Recording string    `json:"recording"`
	Room      string    `json:"room"`
	Part      uint32    `json:"part"`
	Began     time.Time `json:"began"`
	Ended     time.Time `json:"ended"`
	Tracks    []Track   `json:"tracks"`
	People    []Person  `json:"people"`
	Consents  []Consent `json:"consents"`
	Gaps      []Gap     `json:"gaps"`
	// Omitted counts what had no room in the lists above; the journal has it.
	Omitted uint64 `json:"omitted"`
}

// Track is one stream of the part.
type Track struct {
	Stream   uint32 `json:"stream"`
	Identity string `json:"identity"`
	Track    string `json:"track"`
	Source   string `json:"source"`
	Mime     string `json:"mime"`
	RID      string `json:"rid"`
	Packets  uint64 `json:"packets"`
	Bytes    uint64 `json:"bytes"`
}

// Person is somebody who was in the meeting.
type Person struct {
	Identity string `json:"identity"`
	Name     string `json:"name"`
	Kind     string `json:"kind"`
}

// Consent is an answer, in the order in which they were given.
type Consent struct {
	Identity string    `json:"identity"`
	Answer   string    `json:"answer"`
	Wording  string    `json:"wording"`
	At       time.Time `json:"at"`
}

// Gap is what was lost, and why.
type Gap struct {
	Reason  string    `json:"reason"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"`
	Packets uint64    `json:"packets"`
}

// Close ends a part: with its manifest and its closing, of which it sets Type,
// Recording, Part, Segments, Hash and Manifest. The file is closed whatever happens;
// after an error the part is as if it had been cut off there.
func (p *Part) Close(c Closing, m Manifest) error {
	content, err := json.Marshal(m)
	if err == nil {
		c.Manifest, err = p.sealed(manifestName, func(w io.Writer) error {
			_, err := w.Write(content)
			return err
		})
	}
	if err == nil {
		c.Type, c.Recording, c.Part, c.Segments, c.Hash = typeClosing, p.binding.Recording, p.binding.Part, p.segments, p.hash
		err = p.appendNote(closingName, &c)
	}
	if err == nil {
		p.out.Write(trailer[:])
		err = p.flush()
	}
	if err = errors.Join(err, p.file.Close()); err != nil {
		return fmt.Errorf("close part %d: %w", p.binding.Part, err)
	}
	return nil
}

// Abandon closes the file of a part that cannot be closed properly.
func (p *Part) Abandon() error { return p.file.Close() }
