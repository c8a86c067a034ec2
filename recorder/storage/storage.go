// Package storage keeps finished things under names: in a folder of this machine
// ([Folder]) or in a bucket of an S3-compatible store. It knows nothing of recordings.
//
// What is put is there whole or not at all, is never put over anything, and comes back as
// it was: every object has a SHA-256 that was compared where it lies.
package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// Storage is where things are kept. Its methods may be called from any goroutine.
type Storage interface {
	// Put keeps size bytes of from under a name, all or nothing: ErrExists where there is
	// something of that name, io.ErrUnexpectedEOF where from has fewer. It reads no more
	// than size, and returns once the object would survive a power failure and has been
	// found to be what was sent.
	Put(ctx context.Context, name string, from io.Reader, size int64) (Object, error)
	// Open opens an object to be read: ErrNone. Ctx is for as long as it is read.
	Open(ctx context.Context, name string) (File, error)
	// List lists what lies below a name, which is those whose own begin with it and a
	// slash; "": everything. They are in the order of their names' bytes.
	List(ctx context.Context, below string) ([]Object, error)
	// Delete deletes an object; that there is none is no error.
	Delete(ctx context.Context, name string) error
}

// Object is what is known of something that is kept.
type Object struct {
	Name     string
	Size     int64
	SHA256   string    // 64 hexadecimal digits, lower case; "": the place does not tell without reading it
	Modified time.Time // when it was put
}

// File is an object that is being read. Whoever opened it closes it. ReadAt may be called
// from several goroutines, as io.ReaderAt says; the rest from one.
type File interface {
	io.ReadSeekCloser
	io.ReaderAt
	Object() Object
}

// What fails. An [Error] tells more.
var (
	ErrNone        = errors.New("there is no such object")
	ErrExists      = errors.New("there is an object of that name")
	ErrName        = errors.New("no name of an object")
	ErrUnreachable = errors.New("the storage does not answer")
	ErrRefused     = errors.New("the storage refuses it")
	ErrFull        = errors.New("the storage is full")
	ErrClock       = errors.New("the storage's clock and this machine's differ")
	ErrDamaged     = errors.New("the object is not what was sent")
)

// Error is why something failed.
type Error struct {
	Op     string // "put", "open", "read", "list", "delete", "look for"
	Name   string // of the object, or of the place
	Kind   error  // one of those above; nil: none of them
	Remedy string // what to try; "": nothing is known
	Err    error  // as it was found; may be nil
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", e.Op, e.Name)
	if e.Kind != nil {
		fmt.Fprintf(&b, ": %s", e.Kind)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %s", e.Err)
	}
	if e.Remedy != "" {
		fmt.Fprintf(&b, " (%s)", e.Remedy)
	}
	return b.String()
}

// Unwrap has errors.Is find both.
func (e *Error) Unwrap() []error {
	var all []error
	for _, err := range []error{e.Kind, e.Err} {
		if err != nil {
			all = append(all, err)
		}
	}
	return all
}

// Bounds of names: a folder's are files, and the marks beside them have longer ones.
const (
	maxName   = 512
	maxFolder = 200
)

var goodName = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$`)

// CheckName refuses what is no name of an object, with ErrName: names are of letters,
// digits, '-', '_' and '.', which none begins with, in folders parted by '/'. So they are
// the same in every place, and none leads out of it.
func CheckName(name string) error {
	good := len(name) <= maxName && goodName.MatchString(name)
	for folder := range strings.SplitSeq(name, "/") {
		good = good && len(folder) <= maxFolder
	}
	if !good {
		return fmt.Errorf("%.80q: %w: letters, digits, '-', '_' and '.', in folders parted by '/'", name, ErrName)
	}
	return nil
}

// isDigest tells whether a text can be a SHA-256.
func isDigest(text string) bool {
	return len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
}
