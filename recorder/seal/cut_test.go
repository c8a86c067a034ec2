package seal

import (
	"bytes"
	"slices"
	"testing"
)

// cuts parts a part to its end, and says where.
func cuts(t *testing.T, b []byte, most int64) []int64 {
	t.Helper()
	var all []int64
	for at := int64(0); at < int64(len(b)); {
		to, err := Cut(bytes.NewReader(b), int64(len(b)), at, most)
		if err != nil || to <= at || to > int64(len(b)) {
			t.Fatalf("parted at %d, then at %d of %d: %v", at, to, len(b), err)
		}
		all = append(all, to)
		at = to
	}
	return all
}

// A part is parted behind whole members, so that each piece is a tar; what is none any
// more is parted anywhere, and nothing is left out.
func TestCut(t *testing.T) {
	whole, _ := recording(t, "rec", testKeys().node)
	var ends []int64 // of members
	in := members{in: bytes.NewReader(whole), size: int64(len(whole))}
	for {
		if _, err := in.next(); err != nil {
			break
		}
		ends = append(ends, in.offset)
	}
	last := ends[len(ends)-1]
	isEnd := func(at int64) bool {
		return at == int64(len(whole)) || slices.Contains(ends, at)
	}
	for _, most := range []int64{1, 1024, 3000, 5000, last, last + 1024, 1 << 20} {
		all := cuts(t, whole, most)
		from := int64(0)
		for _, to := range all {
			if !isEnd(to) {
				t.Errorf("of at most %d bytes: parted at %d, within a member", most, to)
			}
			if to-from > most {
				members := 0
				for _, end := range ends {
					if end > from && end <= to {
						members++
					}
				}
				if members > 1 {
					t.Errorf("of at most %d bytes: %d bytes of %d members", most, to-from, members)
				}
			}
			from = to
		}
		if most >= int64(len(whole)) && len(all) != 1 {
			t.Errorf("it fits, and is parted at %v", all)
		}
	}
	// Torn, and damaged.
	torn := whole[:last-300]
	all := cuts(t, torn, 1<<20)
	if len(all) != 2 || !isEnd(all[0]) {
		t.Errorf("a torn one is parted at %v", all)
	}
	damaged := bytes.Clone(whole)
	damaged[ends[1]] ^= 1
	if all := cuts(t, damaged, 2000); all[len(all)-1] != int64(len(whole)) {
		t.Errorf("a damaged one is parted at %v", all)
	}
}

// counted counts what is read.
type counted struct {
	*bytes.Reader
	n int64
}

func (c *counted) ReadAt(b []byte, at int64) (int, error) {
	n, err := c.Reader.ReadAt(b, at)
	c.n += int64(n)
	return n, err
}

// A part of nothing but headers, each of a member that reaches far over the next ones, is
// read some times over and not once for each.
func TestAPartOfHeadersAlone(t *testing.T) {
	h, err := header(segmentName(1), 1<<20+1)
	if err != nil {
		t.Fatal(err)
	}
	part := bytes.Repeat(h, 2<<20/blockLen)
	size := int64(len(part))
	in := &counted{Reader: bytes.NewReader(part)}
	report, err := Verify([]Source{{Name: PartName(1), ReaderAt: in, Size: size}}, testKeys().node.Public(), true)
	if err != nil || !report.Tampered() || report.Parts[0].Segments != 0 {
		t.Errorf("found %+v, %v", report, err)
	}
	if most := 2*size + wastedMost + 4<<20; in.n > most {
		t.Errorf("of %d bytes %d were read, at most %d are expected", size, in.n, most)
	}
}
