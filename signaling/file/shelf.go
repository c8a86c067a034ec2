package file

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"filippo.io/age"
)

// Shelf is where the files of one call are. Closing it forgets the key.
type Shelf struct {
	store *Store
	key   *age.X25519Identity

	mu     sync.Mutex
	closed bool
	files  map[string]*kept // by id
}

// kept is a file on the disk.
type kept struct {
	name string
	size int64 // without what encryption adds
	done bool  // whole
}

// Keep writes a body of exactly size bytes under an id, as fast as it comes. What was
// written of one that breaks off is deleted. Refused with ErrFull, ErrGone, a
// *LengthError or the error of the body.
func (s *Shelf) Keep(id string, body io.Reader, size int64) error {
	name, err := s.store.reserve(size)
	if err != nil {
		return err
	}
	f := &kept{name: name, size: size}
	s.mu.Lock()
	_, taken := s.files[id]
	refused, key := s.closed || taken, s.key
	if !refused {
		s.files[id] = f
	}
	s.mu.Unlock()
	if refused {
		s.store.drop(name, size)
		return ErrGone
	}
	err = s.write(f, key.Recipient(), body)
	s.mu.Lock()
	gone := s.files[id] != f // removed meanwhile, by who then left it to us to delete
	if err == nil && !gone {
		f.done = true
		s.mu.Unlock()
		return nil
	}
	if !gone {
		delete(s.files, id)
	}
	s.mu.Unlock()
	s.store.drop(name, size)
	if err == nil {
		err = ErrGone
	}
	return err
}

// write encrypts a body into its file.
func (s *Shelf) write(f *kept, to age.Recipient, body io.Reader) (err error) {
	out, err := s.store.next(f.name)
	if err != nil {
		return full(fmt.Errorf("make file of a call: %w", err))
	}
	defer func() {
		if closing := out.Close(); err == nil && closing != nil {
			err = full(fmt.Errorf("write file of a call: %w", closing))
		}
	}()
	sealed, err := age.Encrypt(out, to)
	if err != nil {
		return full(fmt.Errorf("encrypt file of a call: %w", err))
	}
	// One byte more than announced tells a body that is too long from one that is right.
	n, err := io.Copy(sealed, io.LimitReader(body, f.size+1))
	switch {
	case err != nil:
		return full(err)
	case n != f.size:
		return &LengthError{f.size}
	}
	if err := sealed.Close(); err != nil {
		return full(fmt.Errorf("write file of a call: %w", err))
	}
	return nil
}

// Open reads a file that is whole: ErrGone if there is none. Whoever opened it may read
// to its end, even when it is removed meanwhile, and must close it.
func (s *Shelf) Open(id string) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock() // so that nobody deletes it before it is open
	f, ok := s.files[id]
	if !ok || !f.done || s.closed {
		return nil, ErrGone
	}
	in, err := s.store.root.Open(f.name)
	if err != nil {
		return nil, fmt.Errorf("open file of a call: %w", err)
	}
	plain, err := age.Decrypt(in, s.key)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("decrypt file of a call: %w", err), in.Close())
	}
	return opened{plain, in}, nil
}

type opened struct {
	io.Reader
	io.Closer
}

// Remove deletes a file; one that is still being written is deleted by its writer.
func (s *Shelf) Remove(id string) {
	s.mu.Lock()
	f, ok := s.files[id]
	delete(s.files, id)
	done := ok && f.done
	s.mu.Unlock()
	if done {
		s.store.drop(f.name, f.size)
	}
}

// Close deletes all files and forgets the key. It may be called twice.
func (s *Shelf) Close() {
	s.mu.Lock()
	all := s.files
	s.closed, s.files, s.key = true, nil, nil
	s.mu.Unlock()
	for _, f := range all {
		if f.done {
			s.store.drop(f.name, f.size)
		}
	}
}
