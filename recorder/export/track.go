package export

import (
	"fmt"
	"slices"
	"time"

	"aparte/recorder/jitter"
	"aparte/recorder/mux"
	"aparte/sfu/codec"
	"aparte/sfu/tap"
)

const (
	// holdBack is how much of a picture waits before it is written: another layer may
	// begin as far back, with its key frame, and takes over from there.
	holdBack = 2 * time.Second
	// sameMoment: layers of one picture have one time, to what fits tell.
	sameMoment = 5 * time.Millisecond
	// holeLeast is what the index calls a hole.
	holeLeast = 500 * time.Millisecond
	// A time further before its arrival than this is a lie, and one after it, beyond what
	// fits tell, is what nothing has: arrival is taken.
	earlyMost, lateMost = 20 * time.Second, 100 * time.Millisecond
	// What was under way when a part began had been for less than this.
	beforeMost = time.Second
)

// track is one track's files: one, and another where its codec changes.
type track struct {
	files                 *files
	identity, sid, source string
	place                 int    // in the order in which tracks began, from 1
	mime                  string // of its first stream

	streams int           // that are read now
	idle    time.Duration // since when there is none

	layer *layer // that is taken
	held  []frame
	out   *output
	made  int // files
	lost  int // frames
}

// layer is one stream of a track.
type layer struct {
	feed *feed
	last time.Duration // time of its last frame
	any  bool
	over bool // another one was taken after it
}

// frame has its place in the recording.
type frame struct {
	jitter.Frame
	at    time.Duration
	codec codec.Type
	rough bool
	rate  uint32
	chans uint16
}

// take is one frame of one of the track's streams. They come in order in each; a stream
// that begins takes over from the one before.
func (t *track) take(l *layer, f jitter.Frame) {
	if t.files.err != nil || l.over {
		return
	}
	st := l.feed.stream
	one := frame{Frame: f, at: st.clock.At(f.Time), codec: l.feed.frames.Codec(), rough: st.clock.Approximate(), rate: st.ClockRate, chans: st.Channels}
	if one.at < max(f.Arrival-earlyMost, st.part-beforeMost) || one.at > f.Arrival+lateMost || one.at < st.part && one.rough {
		one.at, one.rough = f.Arrival, true
	}
	if l.any {
		one.at = max(one.at, l.last) // never backwards
	}
	l.any, l.last = true, one.at
	if t.layer != l {
		if t.layer != nil {
			t.layer.over = true
			// Its frames from here on are told by this layer.
			i := slices.IndexFunc(t.held, func(h frame) bool { return h.at > one.at-sameMoment })
			if i >= 0 {
				t.held = t.held[:i]
			}
		}
		t.layer = l
	}
	// What was under way when its part began was captured before it: sound is left out, and
	// pictures, which later ones build on, are shown at the beginning.
	if one.at < st.part {
		if one.codec == codec.Opus {
			return
		}
		one.at = st.part
	}
	t.held = append(t.held, one)
	for len(t.held) > 0 && (one.codec == codec.Opus || t.held[0].at < one.at-holdBack) {
		t.write(t.held[0])
		t.held[0] = frame{}
		t.held = t.held[1:]
	}
}

// write puts a frame into the track's file, a new one where the codec is another or sound
// was away for long.
func (t *track) write(f frame) {
	if t.out != nil && (t.out.codec != f.codec || t.out.silent(f.at) > silenceMost) {
		t.end()
	}
	if t.out == nil {
		if t.out = t.create(f); t.out == nil {
			return
		}
	}
	listed := t.out.listed()
	t.fail(t.out.write(f))
	if n := t.out.listed() - listed; n > 0 {
		t.files.survey.hold(n * listedBytes)
		t.fail(t.files.survey.room())
	}
}

func (t *track) fail(err error) {
	if t.files.err == nil && err != nil {
		t.files.err = err
	}
}

// finish writes what is held back and ends the file.
func (t *track) finish() {
	for _, f := range t.held {
		if t.files.err == nil {
			t.write(f)
		}
	}
	t.held = nil
	t.end()
}

// close is the last thing that is done of a track.
func (t *track) close() {
	t.finish()
	if t.made == 0 && t.files.err == nil {
		t.files.survey.skip(tap.Stream{Identity: t.identity, Track: t.sid, Mime: t.mime},
			"nothing of it can be played: no sound, or no whole key frame, is in the recording")
	}
}

// end ends the file.
func (t *track) end() {
	if t.out == nil {
		return
	}
	t.fail(t.out.w.Close())
	o := t.out
	t.out = nil
	o.file.Duration = seconds(o.last - o.start)
	o.file.LostFrames, t.lost = t.lost, 0
	index := &t.files.survey.index
	index.Files = append(index.Files, o.file)
}

// output is a file that is being written.
type output struct {
	w           *mux.Writer
	codec       codec.Type
	file        File
	start, last time.Duration
	// steady: until when there is sound, counted by its samples; nil where nobody counts.
	steady *time.Duration
}

// create begins a file with its first frame; nil while none can begin.
func (t *track) create(f frame) *output {
	f.size()
	name := t.files.survey.person(t.identity).Name
	about := mux.Track{
		Codec: f.codec, Title: name, Name: t.source, Width: f.Width, Height: f.Height,
		Channels: int(f.chans), Rate: int(f.rate), First: f.Data,
	}
	if err := about.Check(); err != nil {
		t.lost++ // another key frame may tell
		return nil
	}
	t.made++
	source := t.source
	if t.made > 1 {
		source = fmt.Sprintf("%s-%d", source, t.made)
	}
	o := &output{codec: f.codec, start: f.at, last: f.at, file: File{
		Name:     fileName(t.place, name, source, mux.Extension(f.codec)),
		Identity: t.identity, Track: t.sid, Source: t.source, Codec: f.codec.String(), Start: seconds(f.at), place: t.place,
	}}
	file, err := t.files.into.Create(o.file.Name)
	if err != nil {
		t.fail(fmt.Errorf("make a media file: %w", err))
		return nil
	}
	if o.w, err = mux.Create(file, about); err != nil {
		t.fail(err)
		_ = file.Close()
		return nil
	}
	if t.files.steady && f.codec == codec.Opus {
		until := f.at
		o.steady = &until
	}
	return o
}

// size finds the size of a picture where its packets did not tell.
func (f *frame) size() {
	if f.Width == 0 && f.Keyframe && f.codec != codec.Opus {
		if w, h, ok := mux.Size(f.codec, f.Data); ok {
			f.Width, f.Height = w, h
		}
	}
}

// listed is how much the index lists of the file.
func (o *output) listed() int { return len(o.file.Sizes) + len(o.file.Holes) }

func (o *output) write(f frame) error {
	f.size()
	if n := len(o.file.Sizes); f.Width > 0 && (n == 0 || o.file.Sizes[n-1].Width != f.Width || o.file.Sizes[n-1].Height != f.Height) && n < maxSizes {
		o.file.Sizes = append(o.file.Sizes, Size{seconds(f.at), f.Width, f.Height})
	}
	if f.at-o.last >= holeLeast && len(o.file.Holes) < maxHoles {
		o.file.Holes = append(o.file.Holes, Hole{seconds(o.last), seconds(f.at)})
	}
	o.last = max(o.last, f.at)
	o.file.Approximate = o.file.Approximate || f.rough
	o.file.Frames++
	if o.steady != nil {
		return o.sound(f)
	}
	return o.w.Write(f.at, f.Keyframe, f.Data)
}

// aheadMost is how much earlier than its samples are over a frame may come; one that is
// further ahead is left out.
const aheadMost = 40 * time.Millisecond

// silenceMost is how much silence a file is filled with: after more another one begins. So
// whoever makes up a journal has no more made of each of its records.
const silenceMost = 10 * time.Minute

// silent is for how long there is nothing until a time, where that is filled in.
func (o *output) silent(until time.Duration) time.Duration {
	if o.steady == nil {
		return 0
	}
	return until - *o.steady
}

// silenceLasts is how long [codec.OpusSilence] is.
const silenceLasts = 20 * time.Millisecond

// sound writes a frame where the samples before it end.
func (o *output) sound(f frame) error {
	for f.at-*o.steady >= silenceLasts {
		silence := codec.OpusSilence() // anew each time: the data is the writer's
		if err := o.w.Write(*o.steady, true, silence[:]); err != nil {
			return err
		}
		*o.steady += silenceLasts
	}
	if *o.steady-f.at >= aheadMost {
		return nil
	}
	at := *o.steady
	*o.steady += codec.OpusDuration(f.Data)
	return o.w.Write(at, f.Keyframe, f.Data)
}

// Bounds of a file's lists in the index.
const maxSizes, maxHoles = 10_000, 100_000
