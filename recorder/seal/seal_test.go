package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aparte/recorder/journal"
)

// memory is a part's file, in memory.
type memory struct {
	bytes.Buffer
	synced int
	writes int
	fail   func(writes int) error // of the next write
	cannot error                  // sync
}

func (m *memory) Write(b []byte) (int, error) {
	m.writes++
	if m.fail != nil {
		if err := m.fail(m.writes); err != nil {
			n, _ := m.Buffer.Write(b[:len(b)/2]) // as a full disk does
			return n, err
		}
	}
	return m.Buffer.Write(b)
}

func (m *memory) Sync() error {
	if m.cannot == nil {
		m.synced = m.Len()
	}
	return m.cannot
}

func (m *memory) Truncate(size int64) error { m.Buffer.Truncate(int(size)); return nil }
func (m *memory) Close() error              { return nil }

// keys are made once: they cost milliseconds.
type keys struct {
	node, other *NodeKey
	archive     []byte // file
	to          Recipient
	with        []Identity
	stranger    []Identity
}

var testKeys = sync.OnceValue(func() keys {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	var k keys
	folder, err := os.MkdirTemp("", "keys")
	must(err)
	defer os.RemoveAll(folder)
	k.node, err = LoadNodeKey(folder, "paris-1")
	must(err)
	must(errors.Join(os.Remove(filepath.Join(folder, NodeKeyFile)), os.Remove(filepath.Join(folder, PublicKeyFile))))
	k.other, err = LoadNodeKey(folder, "paris-1")
	must(err)
	k.archive, k.to, err = NewIdentityFile(day)
	must(err)
	k.with, err = ParseIdentities(k.archive)
	must(err)
	file, _, err := NewIdentityFile(day)
	must(err)
	k.stranger, err = ParseIdentities(file)
	must(err)
	return k
})

var day = time.Date(2027, 3, 2, 9, 0, 0, 0, time.UTC)

// begin begins a part in memory.
func begin(t testing.TB, recording string, part uint32, previous *Ending, key *NodeKey) (*Part, *memory) {
	t.Helper()
	file := &memory{}
	p, err := NewPart(file, Binding{
		Recording: recording, Part: part, Room: "room-1", Policy: "protected", Began: day, Previous: previous,
	}, []Recipient{testKeys().to}, key)
	if err != nil {
		t.Fatal(err)
	}
	return p, file
}

// piece is the journal of one segment.
func piece(part uint32, n int) []byte {
	b := journal.Append(nil, 0, journal.Head{Part: part, Began: day})
	return journal.Append(b, time.Duration(n)*time.Second, journal.Joined{Identity: fmt.Sprint("guest-", n), Name: "Inês", Kind: "guest"})
}

// endingOf is where a part is: what the next one's binding says of it.
func endingOf(p *Part) Ending {
	return Ending{Part: p.binding.Part, Segments: p.segments, Hash: p.hash}
}

func write(t testing.TB, p *Part, part uint32, segments int) {
	t.Helper()
	for n := range segments {
		if err := p.Segment(piece(part, n+1)); err != nil {
			t.Fatal(err)
		}
	}
}

func closed(t testing.TB, p *Part, final bool) {
	t.Helper()
	if err := p.Close(Closing{Ended: day.Add(time.Hour), Final: final, Reason: "stopped"}, Manifest{Recording: "rec"}); err != nil {
		t.Fatal(err)
	}
}

// recording is a whole one of two parts, of which the first was not closed.
func recording(t testing.TB, id string, key *NodeKey) (one, two []byte) {
	t.Helper()
	p, first := begin(t, id, 1, nil, key)
	write(t, p, 1, 5)
	ending := endingOf(p)
	q, second := begin(t, id, 2, &ending, key)
	write(t, q, 2, 4)
	closed(t, q, true)
	return first.Bytes(), second.Bytes()
}

func source(name string, b []byte) Source { return Source{name, bytes.NewReader(b), int64(len(b))} }

func sources(parts ...[]byte) []Source {
	var all []Source
	for i, b := range parts {
		all = append(all, source(PartName(uint32(i+1)), b))
	}
	return all
}

func verified(t testing.TB, parts ...[]byte) *Report {
	t.Helper()
	r, err := Verify(sources(parts...), testKeys().node.Public(), false)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// said is everything that a report says is wrong.
func said(r *Report) string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintln(&b, f)
	}
	if r.Unclosed != "" {
		fmt.Fprintln(&b, r.Unclosed)
	}
	return b.String()
}

// file is a part taken to pieces: the bytes of its members, headers and all.
type file struct {
	names []string
	bytes map[string][]byte
}

func takeApart(t testing.TB, b []byte) *file {
	t.Helper()
	f := &file{bytes: make(map[string][]byte)}
	in := members{in: bytes.NewReader(b), size: int64(len(b))}
	for start := int64(0); ; start = in.offset {
		m, err := in.next()
		if err != nil {
			return f
		}
		f.names = append(f.names, m.name)
		f.bytes[m.name] = b[start:in.offset]
	}
}

func (f *file) join(names ...string) []byte {
	var b []byte
	for _, name := range names {
		b = append(b, f.bytes[name]...)
	}
	return append(b, trailer[:]...)
}

// without is the part without some members.
func (f *file) without(gone ...string) []byte {
	return f.join(slices.DeleteFunc(slices.Clone(f.names), func(name string) bool { return slices.Contains(gone, name) })...)
}

// order is the part with some members in another order.
func (f *file) order(from, to string) []byte {
	names := slices.Clone(f.names)
	i, j := slices.Index(names, from), slices.Index(names, to)
	names[i], names[j] = names[j], names[i]
	return f.join(names...)
}

// put is the part with another content in place of a member's.
func (f *file) put(t testing.TB, name string, content []byte) []byte {
	t.Helper()
	return f.with(t, name, name, content)
}

// with is the part with another member in place of one.
func (f *file) with(t testing.TB, name, as string, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := appendMember(&b, as, content); err != nil {
		t.Fatal(err)
	}
	g := &file{names: f.names, bytes: maps.Clone(f.bytes)}
	g.bytes[name] = b.Bytes()
	return g.join(g.names...)
}

// after is the part with more members after one of them.
func (f *file) after(name string, more ...[]byte) []byte {
	var b []byte
	for _, n := range f.names {
		b = append(b, f.bytes[n]...)
		if n == name {
			b = append(b, bytes.Join(more, nil)...)
		}
	}
	return append(b, trailer[:]...)
}

func (f *file) content(t testing.TB, name string) []byte {
	t.Helper()
	in := members{in: bytes.NewReader(f.bytes[name]), size: int64(len(f.bytes[name]))}
	m, err := in.next()
	if err != nil {
		t.Fatal(err)
	}
	return m.content
}

// flipped is a part in which one bit is another.
func flipped(b []byte, at int) []byte {
	b = slices.Clone(b)
	b[at] ^= 1 << (at % 8)
	return b
}

func TestWhatIsSealedIsOpened(t *testing.T) {
	k := testKeys()
	one, two := recording(t, "rec", k.node)
	r := verified(t, one, two)
	if r.Tampered() || !r.Closed() {
		t.Fatalf("an untouched recording: %s", said(r))
	}
	if r.Parts[0].Segments != 5 || r.Parts[1].Segments != 4 || r.Parts[1].Closing.Segments != 4 || r.Parts[0].Binding.Room != "room-1" || r.Parts[0].Binding.Node != "paris-1" {
		t.Errorf("%+v", r.Parts)
	}
	var out bytes.Buffer
	opened, err := Open(sources(one, two), k.node.Public(), k.with, false, false, &out)
	if err != nil {
		t.Fatal(err)
	}
	var want []byte
	for n := range 5 {
		want = append(want, piece(1, n+1)...)
	}
	for n := range 4 {
		want = append(want, piece(2, n+1)...)
	}
	if !bytes.Equal(out.Bytes(), want) || opened.Segments != 9 || opened.Missing != 0 || opened.Manifests[2].Recording != "rec" {
		t.Errorf("%d bytes, want %d; %+v", out.Len(), len(want), opened)
	}
	// Whoever has no key reads nothing: neither what was said nor who was there.
	for _, b := range [][]byte{one, two} {
		for _, word := range []string{"guest-", "Inês", "APJ1\x01", "APJ1\x02"} { // four bytes are in a ciphertext by chance
			if bytes.Contains(b, []byte(word)) {
				t.Errorf("%q is in the file", word)
			}
		}
	}
	out.Reset()
	if _, err := Open(sources(one, two), k.node.Public(), k.stranger, false, false, &out); !errors.Is(err, ErrNotForUs) || out.Len() > 0 {
		t.Errorf("with another key: %v, %d bytes", err, out.Len())
	}
}

// Every tampering is named for what it is. want is each line that is said.
func TestTamperings(t *testing.T) {
	k := testKeys()
	one, two := recording(t, "rec", k.node)
	otherOne, otherTwo := recording(t, "other", k.node)
	forgedOne, forgedTwo := recording(t, "rec", k.other)
	f, g := takeApart(t, one), takeApart(t, two)
	of, forged := takeApart(t, otherOne), takeApart(t, forgedTwo)
	rivalOne, rivalTwo := recording(t, "rec", k.node) // the same again, other contents
	rival := takeApart(t, rivalTwo)
	// A part that was not closed, cut after a segment.
	cutOne := f.join(f.names[:7]...)
	cutOne = cutOne[:len(cutOne)-len(trailer)]

	for _, c := range []struct {
		name  string
		parts [][]byte
		want  []string
	}{
		{
			"a segment deleted",
			[][]byte{one, g.without("00000002.age", "00000002.note")},
			[]string{"part 2, segment 2: deleted: it is missing"},
		},
		{
			"three segments deleted",
			[][]byte{one, g.without("00000001.age", "00000001.note", "00000002.age", "00000002.note", "00000003.age", "00000003.note")},
			[]string{"part 2, segment 1: deleted", "part 2, segment 2: deleted", "part 2, segment 3: deleted"},
		},
		{
			"the last segment deleted",
			[][]byte{one, g.without("00000004.age", "00000004.note")},
			[]string{"part 2: deleted: the last segment is 3; when it was closed it was 4"},
		},
		{
			"contents deleted",
			[][]byte{one, g.without("00000002.age")},
			[]string{"part 2, segment 2: deleted: its note is there, its contents are not"},
		},
		{
			"a note deleted",
			[][]byte{one, g.without("00000002.note")},
			[]string{"part 2, segment 2: deleted: its note is missing"},
		},
		{
			"contents exchanged",
			[][]byte{one, g.put(t, "00000002.age", g.content(t, "00000003.age"))},
			[]string{"part 2, segment 2: swapped: it has the contents of segment 3"},
		},
		{
			"contents exchanged with their names",
			[][]byte{one, g.order("00000001.age", "00000003.age")},
			[]string{"part 2, segment 1: swapped: its contents do not stand before its note", "part 2, segment 3: swapped: its contents do not stand before its note"},
		},
		{
			"notes exchanged with their names",
			[][]byte{one, g.order("00000002.note", "00000003.note")},
			[]string{"part 2, segment 2: swapped", "part 2, segment 3: swapped"},
		},
		{
			"notes exchanged",
			[][]byte{one, g.put(t, "00000002.note", g.content(t, "00000003.note"))},
			[]string{"part 2, segment 2: swapped: here stands segment 3"},
		},
		{
			"segments in another order",
			[][]byte{one, g.join("binding.note", "00000001.age", "00000001.note", "00000003.age", "00000003.note", "00000002.age", "00000002.note", "00000004.age", "00000004.note", "manifest.age", "closing.note")},
			[]string{"part 2, segment 2: swapped: it stands after segment 3"},
		},
		{
			"a segment twice",
			[][]byte{one, g.after("00000003.note", g.bytes["00000002.age"], g.bytes["00000002.note"])},
			[]string{"part 2, segment 2: repeated: it is there twice"},
		},
		{
			"contents altered",
			[][]byte{one, g.put(t, "00000002.age", flipped(g.content(t, "00000002.age"), 1690))},
			[]string{"part 2, segment 2: altered: its contents are not what the node signed"},
		},
		{
			"contents sealed anew",
			[][]byte{one, g.put(t, "00000002.age", rival.content(t, "00000002.age"))},
			[]string{"part 2, segment 2: altered: its contents are not what the node signed"},
		},
		{
			"a note altered",
			[][]byte{one, g.put(t, "00000002.note", bytes.Replace(g.content(t, "00000002.note"), []byte(`"part":2`), []byte(`"part":3`), 1))},
			[]string{"part 2, segment 2: altered: its note is not believed: its signature is wrong"},
		},
		{
			"no note but rubbish",
			[][]byte{one, g.put(t, "00000002.note", []byte("{}"))},
			[]string{"part 2, segment 2: altered: its note is not believed: it is not a signed note"},
		},
		{
			"a segment of another recording",
			[][]byte{one, g.put(t, "00000002.note", takeApart(t, otherTwo).content(t, "00000002.note"))},
			[]string{`part 2, segment 2: foreign: it is segment 2 of recording "other"`},
		},
		{
			"a segment of another part",
			[][]byte{one, g.put(t, "00000002.note", f.content(t, "00000002.note"))},
			[]string{"part 2, segment 2: foreign: it is segment 2 of part 1"},
		},
		{
			"a segment of the same place in another history",
			[][]byte{one, takeApart(t, g.put(t, "00000002.age", rival.content(t, "00000002.age"))).put(t, "00000002.note", rival.content(t, "00000002.note"))},
			[]string{
				"part 2, segment 2: foreign: it was written after another segment than the one before it",
				"part 2, segment 3: foreign: it was written after another segment than the one before it",
			},
		},
		{
			"a segment of another node",
			[][]byte{one, g.put(t, "00000002.note", forged.content(t, "00000002.note"))},
			[]string{"part 2, segment 2: foreign: its note is not believed: it is not signed by the node's key"},
		},
		{
			"everything by another node",
			[][]byte{forgedOne, forgedTwo},
			[]string{"foreign: it is signed with " + k.other.Public().ids() + ", not with the key that was given, " + k.node.Public().ids()},
		},
		{
			"a part by another node",
			[][]byte{one, forgedTwo},
			[]string{"part 2: foreign: it is signed with " + k.other.Public().ids()},
		},
		{
			"a part of two nodes",
			[][]byte{one, forged.put(t, "00000002.note", g.content(t, "00000002.note"))},
			[]string{"part 2: foreign: it is signed with", "part 2, segment 3: foreign", "part 2, segment 4: foreign", "part 2: foreign: the closing"},
		},
		{
			"the binding of another node",
			[][]byte{one, g.put(t, "binding.note", forged.content(t, "binding.note"))},
			[]string{"part 2: foreign: it is signed with " + k.other.Public().ids()},
		},
		{
			"the binding deleted",
			[][]byte{one, g.without("binding.note")},
			[]string{"part 2: deleted: it does not begin with its binding"},
		},
		{
			"the binding altered",
			[][]byte{one, g.put(t, "binding.note", bytes.Replace(g.content(t, "binding.note"), []byte("room-1"), []byte("room-2"), 1))},
			[]string{"part 2: altered: the binding is not believed: its signature is wrong"},
		},
		{
			"the binding of another recording",
			[][]byte{one, g.put(t, "binding.note", takeApart(t, otherTwo).content(t, "binding.note"))},
			[]string{
				`part 2, segment 1: foreign: it is segment 1 of recording "rec"`, `part 2, segment 2: foreign`, `part 2, segment 3: foreign`, `part 2, segment 4: foreign`,
				`part 2: foreign: the closing is that of part 2 of recording "rec"`, `part 2: foreign: it is of recording "other", part 1 of "rec"`, "part 2 ends at segment 0, not closed",
			},
		},
		{
			"a binding in the middle",
			[][]byte{one, g.after("00000002.note", g.bytes["binding.note"])},
			[]string{"part 2: repeated: a binding among the segments"},
		},
		{"the manifest deleted", [][]byte{one, g.without("manifest.age")}, []string{"part 2: deleted: the manifest is missing"}},
		{
			"the manifest altered",
			[][]byte{one, g.put(t, "manifest.age", flipped(g.content(t, "manifest.age"), 5))},
			[]string{"part 2: altered: the manifest is not the one that was closed with"},
		},
		{"the closing deleted", [][]byte{one, g.without("closing.note")}, []string{"part 2 ends at segment 4, not closed"}},
		{
			"the closing altered",
			[][]byte{one, g.put(t, "closing.note", bytes.Replace(g.content(t, "closing.note"), []byte(`"segments":4`), []byte(`"segments":3`), 1))},
			[]string{"part 2: altered: the closing is not believed: its signature is wrong", "part 2 ends at segment 4, not closed"},
		},
		{
			"the closing of another recording",
			[][]byte{one, g.put(t, "closing.note", takeApart(t, otherTwo).content(t, "closing.note"))},
			[]string{`part 2: foreign: the closing is that of part 2 of recording "other"`, "part 2 ends at segment 4, not closed"},
		},
		{
			"the closing of another history",
			[][]byte{one, g.put(t, "closing.note", rival.content(t, "closing.note"))},
			[]string{"part 2: altered: the manifest is not", "part 2, segment 4: foreign: the part was closed after another segment"},
		},
		{
			"closed early",
			[][]byte{one, g.join("binding.note", "00000001.age", "00000001.note", "00000002.age", "00000002.note", "manifest.age", "closing.note")},
			[]string{"part 2: deleted: the last segment is 2; when it was closed it was 4"},
		},
		{
			"a member added",
			[][]byte{one, g.with(t, "00000002.note", "notes.txt", []byte("hello"))},
			[]string{`part 2: added: member "notes.txt" is none of a recording`, "part 2, segment 2: deleted: its note is missing"},
		},
		{
			"a segment after the closing",
			[][]byte{one, g.after("closing.note", g.bytes["00000002.age"], g.bytes["00000002.note"])},
			[]string{"part 2: added: member 00000002.age after the closing", "part 2: added: member 00000002.note after the closing"},
		},
		{"bytes after the end", [][]byte{one, append(slices.Clone(two), "hello"...)}, []string{"part 2: added: at byte", "after the closing"}},
		{"the end of the tar cut", [][]byte{one, two[:len(two)-len(trailer)]}, []string{"part 2: truncated: the end of the tar is missing"}},
		{"cut in the last block", [][]byte{one, two[:len(two)-1]}, []string{"part 2: truncated: at byte", "part 2: truncated: the end of the tar is missing"}},
		{"cut in the middle", [][]byte{one, two[:len(two)/2]}, []string{"part 2 ends at segment 2, not closed, with"}},
		{"a header altered", [][]byte{one, flipped(two, len(g.bytes["binding.note"])+100)}, []string{"part 2: altered: at byte", "part 2, segment 1: deleted: its note is there, its contents are not"}},
		{"an empty block in the middle", [][]byte{one, g.after("00000002.note", make([]byte, blockLen))}, []string{"part 2: altered: at byte", "an empty block among the members"}},
		{"padding that says something", [][]byte{one, flipped(two, len(g.bytes["binding.note"])-1)}, []string{"part 2: altered: at byte 0: padding that is not empty, after member binding.note", "part 2: deleted: it does not begin with its binding"}},
		{"emptied", [][]byte{one, nil}, []string{"part 2: truncated: it is empty", "part 2 ends at segment 0, not closed"}},
		{"a part that broke off, cut further", [][]byte{cutOne, two}, []string{"part 1: truncated: it ends at segment 3; when part 2 was begun it had 5"}},
		{"a part of another history", [][]byte{rivalOne, two}, []string{"part 1, segment 5: foreign: part 2 was begun after another one"}},
		{"a part of another recording", [][]byte{otherOne, two}, []string{`part 2: foreign: it is of recording "rec", part 1 of "other"`}},
		{"parts exchanged", [][]byte{two, one}, []string{"part 2: swapped: part 2 stands in the file of part 1", "part 1: swapped: part 1 stands in the file of part 2"}},
		{"a part twice", [][]byte{one, one}, []string{"part 1: swapped: part 1 stands in the file of part 2", "part 1: repeated: part-0001.tar and part-0002.tar are the same part", "part 1 ends at segment 5, not closed"}},
		{"the last part deleted", [][]byte{one}, []string{"part 1 ends at segment 5, not closed"}},
		{"a segment added to a part that broke off", [][]byte{append(slices.Clone(one), of.bytes["00000001.age"]...), two}, []string{"part 1: added:", "bytes after its end"}},
		{"all deleted", nil, []string{"there is no part"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := verified(t, c.parts...)
			got := strings.Split(strings.TrimSuffix(said(r), "\n"), "\n")
			for _, want := range c.want {
				if !slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, want) }) {
					t.Errorf("%q is not said", want)
				}
			}
			for _, line := range got {
				if !slices.ContainsFunc(c.want, func(want string) bool { return strings.Contains(line, want) }) {
					t.Errorf("it says %q", line)
				}
			}
			// What was tampered with is not opened unless asked for.
			if r.Tampered() {
				var out bytes.Buffer
				if _, err := Open(sources(c.parts...), k.node.Public(), k.with, false, false, &out); !errors.Is(err, ErrTampered) || out.Len() > 0 {
					t.Errorf("opened all the same: %v, %d bytes", err, out.Len())
				}
			}
			opened, err := Open(sources(c.parts...), k.node.Public(), k.with, false, true, &bytes.Buffer{})
			if stranger := c.name == "everything by another node"; stranger != (r.Stranger != "") || stranger != errors.Is(err, ErrTampered) || stranger && r.Closed() {
				t.Errorf("another node: %q, closed %t, %v", r.Stranger, r.Closed(), err)
			} else if err != nil && !stranger {
				t.Errorf("what is left of it does not open: %v", err)
			} else if slices.Contains(c.want, "altered") && opened.Segments == 9 {
				t.Error("altered contents were opened")
			}
		})
	}
	r := verified(t, one, two)
	if r.Tampered() {
		t.Fatal("the table has changed what it began with")
	}
}

var update = flag.Bool("update", false, "make the recording in testdata anew")

// A recording that an archive has stays readable: the one in testdata was made by the
// first version, with keys that are for this alone.
func TestTheFormatStays(t *testing.T) {
	const folder = "testdata/version1"
	if *update {
		makeVersion1(t, folder)
	}
	read := func(name string) []byte {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	key, err := ParsePublicKey(string(read(PublicKeyFile)))
	if err != nil {
		t.Fatal(err)
	}
	with, err := ParseIdentities(read("archive.key"))
	if err != nil {
		t.Fatal(err)
	}
	parts := sources(read(PartName(1)), read(PartName(2)))
	var out bytes.Buffer
	opened, err := Open(parts, key, with, false, false, &out)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Concat(piece(1, 1), piece(1, 2), piece(2, 1))
	if !bytes.Equal(out.Bytes(), want) || !opened.Report.Closed() || opened.Manifests[2].People[0].Name != "Inês" {
		t.Errorf("%q, %+v", out.Bytes(), opened)
	}
}

func makeVersion1(t *testing.T, folder string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.RemoveAll(folder))
	must(os.MkdirAll(folder, 0o755))
	node, err := LoadNodeKey(folder, "paris-1")
	must(err)
	must(os.Remove(filepath.Join(folder, NodeKeyFile)))
	archive, to, err := NewIdentityFile(day)
	must(err)
	must(os.WriteFile(filepath.Join(folder, "archive.key"), archive, 0o644))
	var previous *Ending
	for n := range uint32(2) {
		file := &memory{}
		p, err := NewPart(file, Binding{Recording: "rec", Part: n + 1, Room: "room-1", Policy: "protected", Began: day, Previous: previous}, []Recipient{to}, node)
		must(err)
		write(t, p, n+1, 2-int(n))
		end := endingOf(p)
		previous = &end
		if n == 1 {
			must(p.Close(Closing{Ended: day, Final: true, Reason: "stopped"}, Manifest{Recording: "rec", People: []Person{{Name: "Inês"}}}))
		}
		must(os.WriteFile(filepath.Join(folder, PartName(n+1)), file.Bytes(), 0o644))
	}
}

func TestAFirstPartThatIsMissing(t *testing.T) {
	_, two := recording(t, "rec", testKeys().node)
	for _, lone := range []bool{false, true} {
		r, err := Verify([]Source{source("part-0002.tar", two)}, testKeys().node.Public(), lone)
		if err != nil {
			t.Fatal(err)
		}
		if got := said(r); strings.Contains(got, "part 1: deleted: the recording begins with part 2") == lone {
			t.Errorf("lone %t: %q", lone, got)
		}
	}
}

// No bit of a closed recording can be another without somebody noticing.
func TestEveryBitCounts(t *testing.T) {
	p, mem := begin(t, "rec", 1, nil, testKeys().node)
	write(t, p, 1, 2)
	closed(t, p, true)
	whole := mem.Bytes()
	step := 13 // prime to the blocks, so that every place of one is tried
	if testing.Short() {
		step = 101
	}
	for at := 0; at < len(whole); at += step {
		// One in the header of the closing makes a part that was not closed.
		if r := verified(t, flipped(whole, at)); !r.Tampered() && r.Closed() {
			t.Errorf("bit %d of byte %d: %q", at%8, at, said(r))
		}
	}
}

// sameEnding compares what a server finds after a crash with what verifying says.
func sameEnding(t *testing.T, b []byte, p PartReport) {
	t.Helper()
	end, binding, err := FindEnding(source(p.Name, b), testKeys().node.Public())
	switch {
	case p.Binding == nil:
		if err == nil {
			t.Errorf("%d bytes: an ending without a binding: %+v", len(b), end)
		}
	case p.Closing != nil && p.Closing.Final:
		if !errors.Is(err, ErrFinal) {
			t.Errorf("%d bytes: %v", len(b), err)
		}
	case err != nil, end != Ending{Part: binding.Part, Segments: p.Segments, Hash: p.Hash, Left: p.Left}:
		t.Errorf("%d bytes: %+v, %v, want segment %d and %d bytes left", len(b), end, err, p.Segments, p.Left)
	}
}

// A part that is cut anywhere is read up to the last whole segment, and that is not
// taken for tampering.
func TestCutAnywhere(t *testing.T) {
	k := testKeys()
	p, mem := begin(t, "rec", 1, nil, k.node)
	var ends []int // of the binding and of each segment
	for n := range 3 {
		ends = append(ends, mem.Len())
		if err := p.Segment(piece(1, n+1)); err != nil {
			t.Fatal(err)
		}
	}
	ends = append(ends, mem.Len())
	closed(t, p, true)
	whole := mem.Bytes()
	cuts := []int{1, blockLen - 1, blockLen, blockLen + 1}
	for at := blockLen; at < len(whole); at += blockLen {
		cuts = append(cuts, at-1, at, at+1, at+blockLen/2)
	}
	for _, at := range cuts {
		if at > len(whole)-len(trailer) {
			continue // closed: TestTamperings
		}
		r := verified(t, whole[:at])
		want := uint64(0)
		for i, end := range ends {
			if at >= end {
				want = uint64(i)
			}
		}
		sameEnding(t, whole[:at], r.Parts[0])
		if is, err := Closed(source("part-0001.tar", whole[:at])); is || err != nil {
			t.Errorf("cut at %d: closed %t, %v", at, is, err)
		}
		closing := at == len(whole)-len(trailer)
		switch {
		case at < ends[0]:
			if !r.Tampered() || !strings.Contains(said(r), "truncated") {
				t.Errorf("cut at %d, within the binding: %q", at, said(r))
			}
		case r.Parts[0].Segments != want, closing != r.Closed(), !closing && r.Tampered():
			t.Errorf("cut at %d: segment %d, want %d: %q", at, r.Parts[0].Segments, want, said(r))
		case !closing && !strings.Contains(r.Unclosed, fmt.Sprintf("ends at segment %d, not closed", want)):
			t.Errorf("cut at %d: %q", at, r.Unclosed)
		}
		opened, err := Open(sources(whole[:at]), k.node.Public(), k.with, false, true, &bytes.Buffer{})
		if err != nil || opened.Segments != want {
			t.Errorf("cut at %d: %+v opened, %v", at, opened, err)
		}
	}
}

// Whether a part is closed its end says, wherever it came from: in one read, however long
// the part and its closing are.
func TestWhetherAPartIsClosed(t *testing.T) {
	k := testKeys()
	for _, c := range []struct {
		name   string
		change func(whole []byte) []byte
		want   bool
	}{
		{"closed", func(whole []byte) []byte { return whole }, true},
		{"nothing", func([]byte) []byte { return nil }, false},
		{"the end of the tar alone", func([]byte) []byte { return trailer[:] }, false},
		{"more after the end", func(whole []byte) []byte { return append(whole, make([]byte, blockLen)...) }, false},
		{"holes for an end", func(whole []byte) []byte {
			clear(whole[len(whole)-3*blockLen-len(trailer):])
			return whole
		}, false},
		{"an end without its closing", func(whole []byte) []byte {
			return append(whole[:bytes.Index(whole, []byte(closingName))], trailer[:]...)
		}, false},
	} {
		for _, reason := range []string{"stopped", strings.Repeat("x", 5000)} {
			p, mem := begin(t, "rec", 1, nil, k.node)
			write(t, p, 1, 3)
			if err := p.Close(Closing{Final: true, Reason: reason}, Manifest{}); err != nil {
				t.Fatal(err)
			}
			reads := 0
			b := c.change(mem.Bytes())
			in := Source{"part-0001.tar", readingAt(func(p []byte, at int64) (int, error) {
				reads++
				return bytes.NewReader(b).ReadAt(p, at)
			}), int64(len(b))}
			if is, err := Closed(in); is != c.want || err != nil || reads > 1 {
				t.Errorf("%s: closed %t, %v, in %d reads", c.name, is, err, reads)
			}
		}
	}
	if _, err := Closed(Source{"part-0001.tar", readingAt(func([]byte, int64) (int, error) { return 0, io.ErrClosedPipe }), blockLen}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("of a disk that fails: %v", err)
	}
}

type readingAt func(p []byte, at int64) (int, error)

func (r readingAt) ReadAt(p []byte, at int64) (int, error) { return r(p, at) }

// A power failure may leave the last segment long but empty, or with holes, since the
// disk was not asked yet to keep it. What was before is whole, and a new part goes on.
func TestPowerCuts(t *testing.T) {
	k := testKeys()
	for seed := range 60 {
		p, mem := begin(t, "rec", 1, nil, k.node)
		write(t, p, 1, 3)
		synced := mem.Len()
		write(t, p, 1, 1)
		b := mem.Bytes()
		tail := b[synced:]
		switch blocks := len(tail) / blockLen; seed % 3 {
		case 0: // only zeros
			clear(tail)
		case 1: // one block never came
			clear(tail[seed%blocks*blockLen:][:blockLen])
		case 2: // the end came, the beginning did not, and some of it is cut
			clear(tail[:(1+seed%blocks)*blockLen])
			b = b[:len(b)-seed*7]
		}
		r := verified(t, b)
		if r.Tampered() || r.Parts[0].Segments < 3 {
			t.Fatalf("%d: %q", seed, said(r))
		}
		part := r.Parts[0]
		if part.Segments == 4 {
			if bytes.Equal(b, mem.Bytes()) {
				continue // the block that never came was empty
			}
			t.Fatalf("%d: a torn segment is believed", seed)
		}
		sameEnding(t, b, part)
		q, second := begin(t, "rec", 2, &Ending{Part: 1, Segments: part.Segments, Hash: part.Hash, Left: part.Left}, k.node)
		write(t, q, 2, 1)
		closed(t, q, true)
		if r := verified(t, b, second.Bytes()); r.Tampered() || !r.Closed() {
			t.Fatalf("%d: joined: %q", seed, said(r))
		}
		var out bytes.Buffer
		if opened, err := Open(sources(b, second.Bytes()), k.node.Public(), k.with, false, false, &out); err != nil || opened.Segments != 4 {
			t.Fatalf("%d: %+v, %v", seed, opened, err)
		}
	}
}

func TestWhatIsLeftOfItShowsItsGaps(t *testing.T) {
	k := testKeys()
	one, two := recording(t, "rec", k.node)
	g := takeApart(t, two)
	var out bytes.Buffer
	opened, err := Open(sources(one, g.without("00000002.age", "00000002.note", "00000003.age")), k.node.Public(), k.with, false, true, &out)
	if err != nil || opened.Segments != 7 || opened.Missing != 2 {
		t.Fatalf("%+v, %v", opened, err)
	}
	want := journal.Gap{Reason: journal.Missing, Since: time.Second}
	found := false
	for r := journal.NewReader(&out); ; {
		record, err := r.Next()
		if err != nil {
			break
		}
		if gap, ok := record.Event.(journal.Gap); ok {
			found = gap == want && record.At == 4*time.Second && record.Part == 2
		}
	}
	if !found {
		t.Error("the journal does not show the gap")
	}
}

// The end of a part shows as a gap, too: up to where the closing says that it was, or from
// where it breaks off if only the next part knows of more.
func TestAnEndThatIsMissingIsAGap(t *testing.T) {
	k := testKeys()
	one, two := recording(t, "rec", k.node)
	ends := [][]string{{"00000003.age", "00000003.note", "00000004.age", "00000004.note"}, {"00000004.age"}}
	all := []string{"00000001.age", "00000001.note", "00000002.age", "00000002.note"}
	for _, c := range []struct {
		name    string
		parts   [][]byte
		part    uint32
		missing uint64
		since   time.Duration
		until   time.Duration
	}{
		{"the last two of a closed part", [][]byte{one, takeApart(t, two).without(ends[0]...)}, 2, 2, 2 * time.Second, time.Hour},
		{"the contents of its last", [][]byte{one, takeApart(t, two).without(ends[1]...)}, 2, 1, 3 * time.Second, time.Hour},
		{"all of them", [][]byte{one, takeApart(t, two).without(append(all, ends[0]...)...)}, 2, 4, 0, time.Hour},
		{"of a part that was not closed", [][]byte{takeApart(t, one).without("00000005.age", "00000005.note"), two}, 1, 1, 4 * time.Second, 4 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			opened, err := Open(sources(c.parts...), k.node.Public(), k.with, false, true, &out)
			if err != nil || opened.Missing != c.missing || opened.Segments != 9-c.missing {
				t.Fatalf("%+v, %v", opened, err)
			}
			var gaps []journal.Record
			for r := journal.NewReader(&out); ; {
				record, err := r.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if _, is := record.Event.(journal.Gap); is {
					gaps = append(gaps, record)
				}
			}
			want := journal.Gap{Reason: journal.Missing, Since: c.since}
			if len(gaps) != 1 || gaps[0].Event != want || gaps[0].At != c.until || gaps[0].Part != c.part {
				t.Errorf("the gaps are %+v, want %+v until %s", gaps, want, c.until)
			}
		})
	}
}

// A whole part that is missing is a gap where the next one begins. Who opens one part by
// itself knows that there are others.
func TestAPartThatIsMissingIsAGap(t *testing.T) {
	k := testKeys()
	_, two := recording(t, "rec", k.node)
	for _, c := range []struct {
		lone    bool
		missing uint64
		gaps    []journal.Record
	}{
		{false, 5, []journal.Record{{Part: 2, Event: journal.Gap{Reason: journal.Missing}}}}, // part 2 says how many
		{true, 0, nil},
	} {
		var out bytes.Buffer
		opened, err := Open([]Source{source(PartName(2), two)}, k.node.Public(), k.with, c.lone, true, &out)
		if err != nil || opened.Missing != c.missing || opened.Segments != 4 {
			t.Fatalf("lone %t: %+v, %v", c.lone, opened, err)
		}
		var gaps []journal.Record
		for r := journal.NewReader(&out); ; {
			record, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, is := record.Event.(journal.Gap); is {
				gaps = append(gaps, record)
			}
		}
		if !slices.Equal(gaps, c.gaps) {
			t.Errorf("lone %t: the gaps are %+v, want %+v", c.lone, gaps, c.gaps)
		}
	}
}

func TestADiskThatFails(t *testing.T) {
	k := testKeys()
	full := errors.New("no space left on device")
	p, mem := begin(t, "rec", 1, nil, k.node)
	write(t, p, 1, 2)
	mem.fail = func(int) error { return full }
	if err := p.Segment(piece(1, 3)); !errors.Is(err, full) {
		t.Fatalf("a full disk: %v", err)
	}
	mem.fail = nil
	closed(t, p, true)
	if r := verified(t, mem.Bytes()); r.Tampered() || !r.Closed() || r.Parts[0].Segments != 2 {
		t.Errorf("closed after a full disk: %q", said(r))
	}

	// A disk that does not say whether it kept something is not believed again.
	p, mem = begin(t, "rec", 1, nil, k.node)
	write(t, p, 1, 2)
	mem.cannot = errors.New("input/output error")
	if err := p.Segment(piece(1, 3)); !errors.Is(err, mem.cannot) {
		t.Fatalf("a failed sync: %v", err)
	}
	mem.cannot = nil
	if err := p.Close(Closing{Final: true}, Manifest{}); err == nil {
		t.Error("closed after a failed sync")
	}
	if endingOf(p).Segments != 2 {
		t.Errorf("%+v", endingOf(p))
	}
}

func TestEachSegmentIsOnTheDiskWhenItIsSaidToBe(t *testing.T) {
	p, mem := begin(t, "rec", 1, nil, testKeys().node)
	for n := range 3 {
		if mem.synced != mem.Len() {
			t.Fatalf("segment %d: %d of %d bytes synced", n, mem.synced, mem.Len())
		}
		if err := p.Segment(piece(1, n+1)); err != nil {
			t.Fatal(err)
		}
	}
	if mem.writes != 4 {
		t.Errorf("%d writes for a binding and 3 segments", mem.writes)
	}
}

func TestASegmentThatIsTooLong(t *testing.T) {
	p, _ := begin(t, "rec", 1, nil, testKeys().node)
	if err := p.Segment(make([]byte, maxMember)); err == nil {
		t.Error("sealed")
	}
}

// A recording that somebody made up of many small manifests does not fill the memory of
// whoever opens it: what they take is known before they are read.
func TestTooManyManifests(t *testing.T) {
	const people, room = 5000, 8 << 20
	crowd := Manifest{Recording: "rec", People: make([]Person, people)}
	text, err := json.Marshal(crowd)
	if err != nil {
		t.Fatal(err)
	}
	each := manifestCost(text)
	if each < people*listedCost || each > 2*people*listedCost {
		t.Fatalf("a manifest of %d bytes is taken for %d", len(text), each)
	}
	parts := int(room/each) + 1
	var sources []Source
	var previous *Ending
	for n := 1; n <= parts; n++ {
		p, file := begin(t, "rec", uint32(n), previous, testKeys().node)
		write(t, p, uint32(n), 1)
		ending := endingOf(p)
		previous = &ending
		if err := p.Close(Closing{Ended: day.Add(time.Hour), Final: n == parts, Reason: "stopped"}, crowd); err != nil {
			t.Fatal(err)
		}
		sources = append(sources, Source{Name: PartName(uint32(n)), ReaderAt: bytes.NewReader(file.Bytes()), Size: int64(file.Len())})
	}
	key := testKeys().node.Public()
	open := func(sources []Source) (*Opened, error) {
		report, err := Verify(sources, key, false)
		if err != nil {
			t.Fatal(err)
		}
		return report.open(sources, key, testKeys().with, io.Discard, room)
	}
	if _, err := open(sources); !errors.Is(err, ErrTooMuch) {
		t.Errorf("all of %d parts: %v", parts, err)
	}
	if opened, err := open(sources[:parts-1]); err != nil || len(opened.Manifests) != parts-1 {
		t.Errorf("all but one: %v", err)
	}
	if opened, err := Open(sources, key, testKeys().with, false, false, io.Discard); err != nil || len(opened.Manifests) != parts || room >= manifestsMost {
		t.Errorf("with the room that there is: %v", err)
	}
	// What they list costs no less for being short, and texts are no lists.
	for text, want := range map[string]int64{
		`{"tracks":[0,0,0],"people":[]}`:       2 * listedCost,
		`{"tracks":[null,null]}`:               listedCost,
		`{"room":"a,[[[,\"{,,","part":1}`:      0,
		`{"people":[{"name":"a","kind":"b"}]}`: 0,
	} {
		if got := manifestCost([]byte(text)); got != int64(len(text))+want {
			t.Errorf("%s takes %d", text, got)
		}
	}
}
