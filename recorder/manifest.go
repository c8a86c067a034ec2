package recorder

import (
	"encoding/json"
	"time"

	"aparte/recorder/journal"
	"aparte/recorder/seal"
	"aparte/sfu/tap"
)

// maxManifest is how many bytes of JSON the lists of a manifest may have, somewhat less
// than a member of a part. The journal has everything.
const maxManifest = seal.MaxSegment - 64<<10

// manifest is what the closing of a part will list. The recording's mu guards it.
type manifest struct {
	seal.Manifest
	began time.Time // with a monotonic clock
	size  int       // of the lists, as JSON
}

// add appends to a list of m if there is room, and says whether there was.
func add[T any](m *manifest, list *[]T, item T) bool {
	text, err := json.Marshal(item)
	if err != nil || m.size+len(text)+countsLen > maxManifest {
		m.Omitted++
		return false
	}
	m.size += len(text) + countsLen
	*list = append(*list, item)
	return true
}

// countsLen is how much longer an item may become, as its counters grow, with its comma.
const countsLen = 40

func (m *manifest) begin(r *Recording) {
	m.began = r.began
	m.Manifest = seal.Manifest{
		Recording: r.about.ID, Room: r.about.Room, Part: r.part, Began: m.wall(0),
		Tracks: []seal.Track{}, People: []seal.Person{}, Consents: []seal.Consent{}, Gaps: []seal.Gap{},
	}
}

// wall is the time of day of a moment of the part.
func (m *manifest) wall(at time.Duration) time.Time {
	return m.began.Add(at).UTC().Round(time.Microsecond)
}

// track lists a stream, and says where; -1 if there is no room.
func (m *manifest) track(s tap.Stream) int {
	if !add(m, &m.Tracks, seal.Track{Stream: s.ID, Identity: s.Identity, Track: s.Track, Source: s.Source, Mime: s.Mime, RID: s.RID}) {
		return -1
	}
	return len(m.Tracks) - 1
}

// count counts a packet of a listed stream.
func (m *manifest) count(index, size int) {
	if index >= 0 {
		m.Tracks[index].Packets++
		m.Tracks[index].Bytes += uint64(size)
	}
}

func (m *manifest) person(e journal.Joined) {
	add(m, &m.People, seal.Person{Identity: e.Identity, Name: e.Name, Kind: e.Kind})
}

func (m *manifest) consent(e journal.Consent, at time.Time) {
	add(m, &m.Consents, seal.Consent{Identity: e.Identity, Answer: string(e.Answer), Wording: e.Wording, At: m.wall(at.Sub(m.began))})
}

func (m *manifest) gap(g *gap) {
	add(m, &m.Gaps, seal.Gap{Reason: g.reason, Since: m.wall(g.since), Until: m.wall(g.until), Packets: g.packets})
}
