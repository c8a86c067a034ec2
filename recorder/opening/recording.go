package opening

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"sync"

	"aparte/recorder/export"
	"aparte/recorder/seal"
)

// Errors that whoever opens a recording can do something about.
var (
	ErrKey      = errors.New("this is no private key")
	ErrNodeKey  = errors.New("this is no node's public key")
	ErrTampered = seal.ErrTampered
	ErrNotForUs = seal.ErrNotForUs
	// ErrTooMuch: whoever made the recording up, or recorded so much, would have more
	// remembered of it than a browser has room for. The commands have none, but one
	// for manifests, which are not opened here (seal.ErrTooMuch).
	ErrTooMuch = export.ErrTooMuch
)

const (
	// indexMost is how many bytes the index may have: some days of a meeting. It is handed
	// over as JSON, of which there are two or three while that is done.
	indexMost = 64 << 20
	// memoryMost is how many bytes opening may have in memory at all, the journal included:
	// as many again are there before they are collected.
	memoryMost = 768 << 20
)

// KeysOf are the fingerprints of the keys that open a recording, where an ErrNotForUs tells
// them.
func KeysOf(err error) []string {
	if wrong, ok := errors.AsType[*seal.WrongKeyError](err); ok {
		return wrong.SealedTo
	}
	return nil
}

// Recording is what somebody has in hand of one.
type Recording struct {
	parts  []seal.Source
	key    seal.PublicKey
	report *seal.Report // nil before Verify
	told   *meter
	most   int // bytes of journal that are held in memory
	// Bytes that the index may have.
	indexMost int64
}

// New takes files of parts, in any order, under the names that they were saved by, and
// the node's public key as the server publishes it, "" for none. Parts that are taken
// away one by one have longer names than in their folder: the end of it counts.
func New(parts []seal.Source, nodeKey string) (*Recording, error) {
	r := &Recording{told: &meter{memoryMost: memoryMost}, most: heldMost, indexMost: indexMost}
	if nodeKey != "" {
		var err error
		if r.key, err = seal.ParsePublicKey(nodeKey); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNodeKey, err)
		}
	}
	room := &windowRoom{}
	for _, part := range parts {
		part.ReaderAt = &window{in: part.ReaderAt, size: part.Size, read: r.told.read, room: room}
		name := shortName.FindString(part.Name)
		if name == "" || slices.ContainsFunc(r.parts, func(p seal.Source) bool { return p.Name == name }) {
			name = part.Name
		}
		part.Name = name
		r.parts = append(r.parts, part)
	}
	return r, nil
}

var shortName = regexp.MustCompile(`part-[0-9]{4,9}\.tar$`)

// Verify says what is wrong with the recording, as 'aparte record verify' does.
func (r *Recording) Verify(progress Progress) (*Report, error) {
	r.told.begin(progress, r.size())
	// A part by itself may be one of several that are elsewhere.
	report, err := seal.Verify(r.parts, r.key, len(r.parts) == 1)
	if err != nil {
		return nil, err
	}
	r.report = report
	return newReport(report, r.key), nil
}

// Opened is what opening found besides the files.
type Opened struct {
	Index    *export.Index `json:"index"`
	Segments uint64        `json:"segments"`
	Missing  uint64        `json:"missing"`
}

// Open makes media files of a recording that was verified, with a file of private keys as
// 'aparte keygen' makes it. What is not as it was written is refused with ErrTampered,
// unless damaged says to open what is left of it. Sound is steady, as browsers need it.
func (r *Recording) Open(ctx context.Context, keys string, damaged bool, into export.Folder, progress Progress) (*Opened, error) {
	with, err := seal.ParseIdentities([]byte(keys))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	switch {
	case r.report == nil:
		return nil, errors.New("the recording was not verified")
	case r.report.Tampered() && !damaged:
		return nil, ErrTampered
	}
	r.told.begin(nil, 0)
	if err := seal.Fits(r.parts, with); err != nil {
		return nil, err
	}
	r.told.begin(progress, 2*r.size())
	var last *seal.Opened
	journal := &held{most: r.most}
	index, err := export.Export(ctx, export.Config{
		Open: func() (io.ReadCloser, error) {
			if journal.whole {
				return journal.reader(r.told.read), nil
			}
			*journal = held{most: r.most, over: journal.over}
			return open(func(out io.Writer) (err error) {
				last, err = r.report.Journal(r.parts, r.key, with, io.MultiWriter(journal, out))
				journal.whole = err == nil && !journal.over
				return err
			}), nil
		},
		Into: into, Steady: true, Most: r.indexMost,
	})
	if err != nil {
		return nil, err
	}
	return &Opened{Index: index, Segments: last.Segments, Missing: last.Missing}, nil
}

func (r *Recording) size() (n int64) {
	for _, part := range r.parts {
		n += part.Size
	}
	return n
}

// reading is of a journal that is written while it is read.
type reading struct {
	*io.PipeReader
	written sync.WaitGroup
}

func open(write func(io.Writer) error) *reading {
	in, out := io.Pipe()
	j := &reading{PipeReader: in}
	j.written.Go(func() { out.CloseWithError(write(out)) })
	return j
}

// Close ends the writing, too.
func (j *reading) Close() error {
	err := j.PipeReader.Close()
	j.written.Wait()
	return err
}
