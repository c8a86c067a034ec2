package seal

import (
	"bytes"
	"io"
	"testing"

	"aparte/recorder/journal"
)

// FuzzParts: whatever is in the files, verifying and opening them ends, without a panic
// and without a segment that nobody wrote. No key is given, so that more is believed.
func FuzzParts(f *testing.F) {
	one, two := recording(f, "rec", testKeys().node)
	g := takeApart(f, two)
	f.Add(one, two)
	f.Add(two, one)
	f.Add(one, g.without("00000002.age", "00000003.note"))
	f.Add(g.order("00000001.note", "00000003.note"), one[:len(one)/2])
	f.Add([]byte{}, g.after("closing.note", one))
	with := testKeys().with
	f.Fuzz(func(t *testing.T, one, two []byte) {
		cuts(t, one, 3000)
		r, err := Verify(sources(one, two), PublicKey{}, false)
		if err != nil {
			t.Fatalf("parts in memory: %v", err)
		}
		if len(r.Parts) != 2 || len(r.Findings) > maxFindings {
			t.Fatalf("%+v", r)
		}
		for _, p := range r.Parts {
			if p.Left < 0 {
				t.Fatalf("%s: %d bytes left", p.Name, p.Left)
			}
		}
		// A server that comes back finds the end that verifying finds, unless the part was
		// tampered with.
		lone, err := Verify(sources(one), PublicKey{}, true)
		if err != nil {
			t.Fatal(err)
		}
		end, _, err := FindEnding(source(PartName(1), one), PublicKey{})
		if p := lone.Parts[0]; err == nil && !lone.Tampered() && (end.Segments != p.Segments || end.Hash != p.Hash || end.Left != p.Left) {
			t.Fatalf("the end is %+v, want %+v", end, p)
		}
		var out bytes.Buffer
		if opened, err := Open(sources(one, two), PublicKey{}, with, false, true, &out); err == nil && opened.Segments == 0 {
			onlyGaps(t, out.Bytes(), opened.Missing)
		}
	})
}

// onlyGaps: of a recording of which no segment was opened, the journal has nothing but
// what is missing.
func onlyGaps(t *testing.T, opened []byte, missing uint64) {
	t.Helper()
	if len(opened) == 0 {
		return
	}
	if missing == 0 {
		t.Fatalf("%d bytes of no segment", len(opened))
	}
	for r := journal.NewReader(bytes.NewReader(opened)); ; {
		record, err := r.Next()
		if err == io.EOF { //nolint:errorlint // Next returns it bare
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		switch is := record.Event.(type) {
		case journal.Head:
		case journal.Gap:
			if is.Reason != journal.Missing {
				t.Fatalf("a gap of no segment: %+v", is)
			}
		default:
			t.Fatalf("%+v is of no segment", record)
		}
	}
}

// FuzzMembers: a member that is read is written again as it was.
func FuzzMembers(f *testing.F) {
	_, two := recording(f, "rec", testKeys().node)
	f.Add(two)
	f.Add(two[:len(two)-5])
	f.Add(bytes.Repeat(trailer[:], 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		in := members{in: bytes.NewReader(b), size: int64(len(b))}
		for range len(b)/blockLen + 2 {
			m, err := in.next()
			if err == io.EOF { //nolint:errorlint // next returns it bare
				return
			}
			if err != nil {
				in.resume()
				continue
			}
			var again bytes.Buffer
			if err := appendMember(&again, m.name, m.content); err != nil || !bytes.Equal(again.Bytes(), b[m.offset:in.offset]) {
				t.Fatalf("member %q at %d is not written as it was read: %v", m.name, m.offset, err)
			}
		}
		t.Fatal("it does not end")
	})
}

// FuzzNote: what is believed was signed, as it stands.
func FuzzNote(f *testing.F) {
	key := testKeys().node
	var signed [][]byte
	for _, s := range []statement{
		&Binding{Type: typeBinding, Format: Format, Recording: "rec", Part: 2, Recipients: []string{"age1pq1"}, Previous: &Ending{Part: 1}},
		&segmentNote{Type: typeSegment, Recording: "rec", Part: 1, Segment: 1},
		&Closing{Type: typeClosing, Recording: "rec", Part: 1, Final: true, Reason: "stopped"},
		&fileNote{Type: typeFile, Recording: "rec", File: "film"},
	} {
		message, err := sign(s, key)
		if err != nil {
			f.Fatal(err)
		}
		signed = append(signed, message)
		f.Add(message)
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		for i, into := range []statement{&Binding{}, &segmentNote{}, &Closing{}, &fileNote{}} {
			if err := readNote(message, key.Public(), into); err == nil && !bytes.Equal(message, signed[i]) {
				t.Fatalf("%q is believed", message)
			}
			_ = readNote(message, PublicKey{}, into)
		}
	})
}
