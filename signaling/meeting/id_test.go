package meeting

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// An id that begins as an option does would be none to the commands that are given it.
func TestIDsAreNoOptions(t *testing.T) {
	option, fine := append([]byte{0xfb}, make([]byte, 15)...), make([]byte, 16)
	if id, err := newID(bytes.NewReader(append(option, fine...))); err != nil || id != "AAAAAAAAAAAAAAAAAAAAAA" {
		t.Errorf("%q, %v", id, err)
	}
	if id, err := newID(bytes.NewReader(option)); !errors.Is(err, io.EOF) {
		t.Errorf("without more randomness: %q, %v", id, err)
	}
}
