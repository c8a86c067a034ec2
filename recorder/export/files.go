package export

import (
	"cmp"
	"io"
	"slices"
	"time"

	"github.com/pion/rtp"

	"aparte/recorder/jitter"
	"aparte/recorder/journal"
)

const (
	// expireEvery is how often what is missing is looked for, in the recording's time.
	expireEvery = 250 * time.Millisecond
	// idleMost is how long a track may have no stream before its file ends: a layer
	// takes over from another at once, and whole days of rejoins must not hold a file
	// each. Should the track go on it has another.
	idleMost = 10 * time.Second
)

// files is the second reading.
type files struct {
	survey  *survey
	into    Folder
	steady  bool
	live    map[streamKey]*feed
	turns   turns
	tracks  map[trackKey]*track
	order   []*track // as they began
	expired time.Duration
	err     error // the first that a track met
}

// trackKey names a track through all parts.
type trackKey struct{ identity, track string }

// feed is a stream that is being read.
type feed struct {
	*stream
	track  *track
	frames *jitter.Stream
}

func newFiles(s *survey, into Folder, steady bool) *files {
	return &files{survey: s, into: into, steady: steady, live: map[streamKey]*feed{}, turns: turns{}, tracks: map[trackKey]*track{}}
}

func (f *files) write(r io.Reader) error {
	_, err := walk(r, f.take)
	return err
}

func (f *files) take(record journal.Record, at time.Duration) error {
	switch e := record.Event.(type) {
	case journal.Head:
		f.endAll() // streams of the part before that broke off
	case journal.Begin:
		f.end(f.turns.now(record.Part, e.ID))
		f.begin(f.turns.next(record.Part, e.ID))
	case journal.Packet:
		if one := f.live[f.turns.now(record.Part, e.Stream)]; one != nil {
			one.push(e.RTP, at)
		}
	case journal.End:
		f.end(f.turns.now(record.Part, e.Stream))
	}
	if at-f.expired >= expireEvery {
		f.expire(at)
	}
	return f.err
}

// expire gives up what will not come any more.
func (f *files) expire(now time.Duration) {
	f.expired = now
	for _, one := range f.live {
		one.frames.Expire(now)
	}
	for _, t := range f.order {
		if t.streams == 0 && now-t.idle > idleMost {
			t.finish()
		}
	}
}

func (f *files) begin(key streamKey) {
	st := f.survey.streams[key]
	if st == nil {
		return
	}
	one := &feed{stream: st}
	l := &layer{feed: one}
	frames, ok := jitter.NewStream(st.Mime, func(frame jitter.Frame) { one.track.take(l, frame) })
	if !ok {
		f.survey.skip(st.Stream, "no file can be made of this codec")
		return
	}
	name := trackKey{st.Identity, st.Track}
	if one.track = f.tracks[name]; one.track == nil {
		one.track = &track{files: f, identity: st.Identity, sid: st.Track, source: st.Source, mime: st.Mime, place: len(f.order) + 1}
		f.tracks[name] = one.track
		f.order = append(f.order, one.track)
	}
	one.frames = frames
	one.track.streams++
	f.live[key] = one
}

func (one *feed) push(raw []byte, at time.Duration) {
	var p rtp.Packet
	if err := p.Unmarshal(raw); err != nil || p.PayloadType != one.PayloadType {
		return // of no use to anybody
	}
	one.frames.Push(jitter.Packet{
		Seq: p.SequenceNumber, Timestamp: p.Timestamp, Marker: p.Marker, Payload: p.Payload, Arrival: at,
	})
}

func (f *files) end(key streamKey) {
	one := f.live[key]
	if one == nil {
		return
	}
	delete(f.live, key)
	one.frames.Flush()
	stats := one.frames.Stats()
	one.track.lost += stats.Broken + stats.Useless
	one.track.streams--
	one.track.idle = f.expired
}

func (f *files) endAll() {
	keys := make([]streamKey, 0, len(f.live))
	for key := range f.live {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b streamKey) int {
		return cmp.Or(cmp.Compare(a.part, b.part), cmp.Compare(a.id, b.id), cmp.Compare(a.turn, b.turn))
	})
	for _, key := range keys {
		f.end(key)
	}
}

// close ends all files; the first error counts.
func (f *files) close() error {
	f.endAll()
	for _, t := range f.order {
		t.close()
	}
	return f.err
}
