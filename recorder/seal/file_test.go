package seal_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aparte/recorder/seal"
)

func archive(t *testing.T) ([]seal.Identity, seal.Recipient) {
	t.Helper()
	file, public, err := seal.NewIdentityFile(time.Unix(1_800_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.ParseIdentities(file)
	if err != nil {
		t.Fatal(err)
	}
	return keys, public
}

func sealed(t *testing.T, plain []byte, to ...seal.Recipient) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := seal.NewFile(&out, to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Any range of a sealed file is what it was, for each of those it is sealed to.
func TestAnyRangeOfASealedFile(t *testing.T) {
	one, oneKey := archive(t)
	other, otherKey := archive(t)
	for _, size := range []int{0, 1, 65_535, 65_536, 65_537, 200_000} {
		plain := make([]byte, size)
		for i := range plain {
			plain[i] = byte(i*7 + i>>8)
		}
		file := sealed(t, plain, oneKey, otherKey)
		rapid.Check(t, func(r *rapid.T) {
			with := rapid.SampledFrom([][]seal.Identity{one, other}).Draw(r, "key")
			from := rapid.IntRange(0, size).Draw(r, "from")
			length := rapid.IntRange(0, size-from).Draw(r, "length")
			opened, err := seal.OpenFileAt(bytes.NewReader(file), int64(len(file)), with)
			if err != nil || opened.Size() != int64(size) {
				r.Fatalf("size %d, %v", opened.Size(), err)
			}
			if _, err := opened.Seek(int64(from), io.SeekStart); err != nil {
				r.Fatal(err)
			}
			got := make([]byte, length)
			if _, err := io.ReadFull(opened, got); err != nil || !bytes.Equal(got, plain[from:from+length]) {
				r.Fatalf("from %d, %d long, of %d: %v", from, length, size, err)
			}
		})
	}
}

func TestASealedFileIsNobodyElses(t *testing.T) {
	_, public := archive(t)
	stranger, _ := archive(t)
	file := sealed(t, []byte("Inês speaks"), public)
	if bytes.Contains(file, []byte("speaks")) {
		t.Error("it is not sealed")
	}
	if _, err := seal.OpenFileAt(bytes.NewReader(file), int64(len(file)), stranger); !errors.Is(err, seal.ErrNotForUs) {
		t.Errorf("a stranger's key: %v", err)
	}
}

// A file that was cut, or changed, is not taken for another.
func TestASealedFileThatIsNotWhole(t *testing.T) {
	with, public := archive(t)
	file := sealed(t, make([]byte, 150_000), public)
	if _, err := seal.OpenFileAt(bytes.NewReader(file), int64(len(file)-70_000), with); err == nil {
		t.Error("cut, and opens")
	}
	file[len(file)-100_000] ^= 1
	opened, err := seal.OpenFileAt(bytes.NewReader(file), int64(len(file)), with)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, opened); err == nil {
		t.Error("changed, and reads")
	}
}

// A file is that of its recording by the node's note alone, and by no other's, nor in the
// place of another.
func TestASealedFileIsOfItsRecording(t *testing.T) {
	_, public := archive(t)
	key, err := seal.LoadNodeKey(t.TempDir(), "paris-1")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := seal.LoadNodeKey(t.TempDir(), "paris-1")
	if err != nil {
		t.Fatal(err)
	}
	film, other := sealed(t, []byte("a film"), public), sealed(t, []byte("a film"), public)
	note := func(of []byte, recording, file string, by *seal.NodeKey) []byte {
		t.Helper()
		n, err := seal.SignFile(bytes.NewReader(of), recording, file, by)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := seal.VerifyFile(bytes.NewReader(film), note(film, "R", "film", key), "R", "film", key.Public()); err != nil {
		t.Error(err)
	}
	for what, wrong := range map[string][]byte{
		"of another recording": note(film, "S", "film", key), "another file": note(film, "R", "captions", key), "other contents": note(other, "R", "film", key),
		"by another node": note(film, "R", "film", stranger), "no note": []byte("a film"), "none": nil,
	} {
		if err := seal.VerifyFile(bytes.NewReader(film), wrong, "R", "film", key.Public()); !errors.Is(err, seal.ErrTampered) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, no := range [][]byte{nil, []byte("age-encryption.org/v1\n"), bytes.Repeat([]byte("-> X25519 aaaa\n"), 10_000)} {
		if err := seal.VerifyFile(bytes.NewReader(no), nil, "R", "film", key.Public()); !errors.Is(err, seal.ErrTampered) {
			t.Errorf("%.30q: %v", no, err)
		}
	}
}
