// Package mux writes frames as they were recorded into Matroska files (RFC 9559), one
// track each: WebM where the codec allows. Nothing is transcoded.
//
// Start at [Create]. private.go says what decoders are told of a codec beforehand.
package mux

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/at-wat/ebml-go/mkvcore"
	"github.com/at-wat/ebml-go/webm"

	"aparte/sfu/codec"
)

// Track is what a file says of its one track.
type Track struct {
	Codec         codec.Type
	Title         string // of the file
	Name          string // of the track
	Width, Height int    // of a picture, in pixels
	Channels      int    // of sound
	Rate          int    // of sound, Hz
	// First is the frame the file begins with, a key frame: what decoders are told
	// beforehand is in it.
	First []byte
}

// Extension is how a file of the codec is called: "webm" or "mkv".
func Extension(c codec.Type) string {
	if c == codec.H264 {
		return "mkv"
	}
	return "webm"
}

// Times in a file are whole milliseconds, as players expect.
const tick = time.Millisecond

const (
	// A cluster is what a player reads at once when it seeks: it begins with a key
	// frame where there is one within these bounds, in milliseconds.
	clusterLeast, clusterMost = 2_000, 20_000
	// cueSpace in bytes keeps room for the index at the file's beginning. What does not
	// fit is thinned out.
	cueSpace = 16 << 10
)

// Writer writes one file. It is for one goroutine.
type Writer struct {
	file  *latch
	block mkvcore.BlockWriteCloser
	begun bool
	last  time.Duration
}

// File is what is written to: an *os.File, which is closed in the end.
type File interface {
	io.Writer
	io.WriterAt
	io.Closer
}

// info is the Segment's description; the library has none with a title.
type info struct {
	TimecodeScale uint64  `ebml:"TimecodeScale"`
	Title         string  `ebml:"Title,omitempty"`
	MuxingApp     string  `ebml:"MuxingApp"`
	WritingApp    string  `ebml:"WritingApp"`
	Duration      float64 `ebml:"Duration,omitempty"`
}

// SetDuration is for the library, which knows it in the end.
func (i *info) SetDuration(d float64) { i.Duration = d }

// Check tells whether a file can begin like this: a later key frame may say more.
func (t Track) Check() error {
	_, err := t.entry()
	return err
}

// Create begins a file.
func Create(f File, t Track) (*Writer, error) {
	entry, err := t.entry()
	if err != nil {
		return nil, err
	}
	docType := "webm"
	if Extension(t.Codec) == "mkv" {
		docType = "matroska"
	}
	w := &Writer{file: &latch{File: f}}
	blocks, err := mkvcore.NewSimpleBlockWriter(w.file, []mkvcore.TrackDescription{{TrackNumber: 1, TrackEntry: entry}},
		mkvcore.WithEBMLHeader(&webm.EBMLHeader{
			EBMLVersion: 1, EBMLReadVersion: 1, EBMLMaxIDLength: 4, EBMLMaxSizeLength: 8,
			DocType: docType, DocTypeVersion: 4, DocTypeReadVersion: 2,
		}),
		mkvcore.WithSegmentInfo(&info{TimecodeScale: uint64(tick), Title: t.Title, MuxingApp: "ebml-go", WritingApp: "aparte"}),
		mkvcore.WithSeekHead(true), mkvcore.WithCues(cueSpace),
		mkvcore.WithMinMaxClusterDuration(1, clusterLeast, clusterMost),
		mkvcore.WithOnFatalHandler(w.file.fail), mkvcore.WithOnErrorHandler(w.file.fail),
	)
	if err != nil {
		return nil, err
	}
	w.block = blocks[0]
	if w.file.failed() != nil {
		return nil, w.Close()
	}
	return w, nil
}

// Write adds a frame at a time, which the first one's is taken from: files begin at 0.
// One that is earlier than the frame before comes at that one's time. The data is the
// writer's from now on.
func (w *Writer) Write(at time.Duration, keyframe bool, data []byte) error {
	if w.begun {
		at = max(at, w.last)
	}
	w.begun, w.last = true, at
	if _, err := w.block.Write(keyframe, int64(at.Round(tick)/tick), data); err != nil {
		return err
	}
	return w.file.failed()
}

// Close ends the file.
func (w *Writer) Close() error {
	if err := w.block.Close(); err != nil {
		return err
	}
	return w.file.failed()
}

// latch keeps the first error and takes everything from then on: the library's goroutine
// stops at an error, and whoever writes would wait for it for ever.
type latch struct {
	File

	mu  sync.Mutex
	err error
}

func (l *latch) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil && err != nil {
		l.err = fmt.Errorf("write a media file: %w", err)
	}
}

func (l *latch) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *latch) Write(b []byte) (int, error) {
	if l.failed() == nil {
		_, err := l.File.Write(b)
		l.fail(err)
	}
	return len(b), nil
}

func (l *latch) WriteAt(b []byte, at int64) (int, error) {
	if l.failed() == nil {
		_, err := l.File.WriteAt(b, at)
		l.fail(err)
	}
	return len(b), nil
}

func (l *latch) Close() error {
	l.fail(l.File.Close())
	return nil
}
