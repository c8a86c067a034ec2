package recording

import (
	"cmp"
	"slices"
	"time"
)

// FilmState is where the film of a watchable recording stands.
//
//	          begin               finish
//	queued ──────────▶ running ──────────▶ done
//	  ▲  ▲               │  │                │
//	  │  └── interrupt ──┘  │ fail, the third time or for good
//	  │      or fail        ▼                │
//	  ├───── again ─────  failed             │
//	  ├───── choose another ─────────────────┘
//	  │
//	  └── there is a program again ── unavailable ◀── there is none
//
// It is queued when the recording has stopped, and deleted with it. Another layout or
// format can be chosen in every state but running. What was made before stays to be
// watched until what is chosen is there; who chooses that again before is done.
type FilmState string

// The states of a film.
const (
	FilmQueued      FilmState = "queued"
	FilmRunning     FilmState = "running"
	FilmDone        FilmState = "done"
	FilmFailed      FilmState = "failed"
	FilmUnavailable FilmState = "unavailable" // this server has nothing to compose with
)

// FilmReason is why there is no film.
type FilmReason string

// The reasons. Those of a program and of a key are the operator's to mend.
const (
	FilmNoProgram   FilmReason = "no-program"  // that composes, or it lacks something
	FilmNoKey       FilmReason = "no-key"      // the server has the key no more that opens the recording
	FilmNothing     FilmReason = "nothing"     // nobody's picture or sound is in it
	FilmDamaged     FilmReason = "damaged"     // the recording is not as it was written
	FilmTooLong     FilmReason = "too-long"    // to be composed
	FilmTooCostly   FilmReason = "too-costly"  // it would take more work than one of its length is worth
	FilmNoRoom      FilmReason = "no-room"     // on the disk
	FilmInterrupted FilmReason = "interrupted" // the server went down again and again
	FilmError       FilmReason = "error"       // anything else
)

// lasting tells whether another attempt would come to the same.
func (r FilmReason) lasting() bool {
	return slices.Contains([]FilmReason{FilmNoKey, FilmNothing, FilmDamaged, FilmTooLong, FilmTooCostly}, r)
}

// FilmStage is what is being done of a film, in this order.
type FilmStage string

// The stages.
const (
	FilmOpening  FilmStage = "opening"  // the recording is decrypted
	FilmSound    FilmStage = "sound"    // it is measured and mixed
	FilmPictures FilmStage = "pictures" // most of it
	FilmJoining  FilmStage = "joining"  // and sealed again
)

const (
	// filmAttempts is how often a film may fail.
	filmAttempts = 3
	// filmBegun is how often one is begun at most: a film that takes the whole server down
	// with it would otherwise do so for ever.
	filmBegun = 10
	// estimateFrom is how much of the pictures has to be there before it is told how long
	// the rest takes, in thousandths.
	estimateFrom = 50
)

// Film is what hosts watch of a recording, made or to be made. Times are zero where absent.
type Film struct {
	Recording string     // id
	Language  string     // BCP 47: of chapters and labels, from the post; not stored
	Choice    FilmChoice // how it is made, or was
	State     FilmState
	QueuedAt  time.Time // its place in the queue
	Since     time.Time // in this state
	Attempts  int       // that failed
	Begun     int       // times
	// Spent is what making it has used of processors, in all attempts, also in those that
	// ended with the server, until somebody has it made again.
	Spent time.Duration
	// Stage and what is done of it, in thousandths, while it is running.
	Stage      FilmStage
	Progress   int
	StageSince time.Time
	Reason     FilmReason // why it failed last; ""
	// Made is what can be watched, also while another is made.
	Made FilmMade
	// LeftAt is since when something may lie where films are kept that is not of Made: of the
	// take in whose place it is, or of an attempt that failed. Looks is how often that was
	// looked for since. Zero: nothing is left.
	LeftAt time.Time
	Looks  int
}

// FilmLayout is how people are arranged in a film.
type FilmLayout string

// The layouts. Either gives the large place to a shared screen.
const (
	FilmGrid    FilmLayout = "grid"    // all of one size
	FilmSpeaker FilmLayout = "speaker" // whoever speaks large, the others in a column
)

// FilmFormat is what kind of file a film is.
type FilmFormat string

// The formats. Of a meeting without pictures they are Ogg and M4A.
const (
	FilmWebM FilmFormat = "webm" // VP9, Opus
	FilmMP4  FilmFormat = "mp4"  // H.264, AAC: what office programs take
)

// FilmLayouts and FilmFormats are all there are, the default first.
func FilmLayouts() []FilmLayout { return []FilmLayout{FilmGrid, FilmSpeaker} }

// FilmFormats are all formats, the default first.
func FilmFormats() []FilmFormat { return []FilmFormat{FilmWebM, FilmMP4} }

// FilmChoice is how a film is made.
type FilmChoice struct {
	Layout FilmLayout
	Format FilmFormat
}

// DefaultFilm is how films are made where nobody chooses.
func DefaultFilm() FilmChoice { return FilmChoice{FilmLayouts()[0], FilmFormats()[0]} }

// FilmMade is a film that is there.
type FilmMade struct {
	Take     int // from 1, counts those that were made of the recording; 0: none is there
	At       time.Time
	Choice   FilmChoice
	Type     string // media type
	Length   time.Duration
	Bytes    int64 // opened
	Captions bool
}

// NewFilm has the film of a recording made that has stopped; false: of this one there is none.
func NewFilm(r Recording, choice FilmChoice, now time.Time) (Film, bool) {
	if r.State != Stopped || !r.Watchable || r.StartedAt.IsZero() {
		return Film{}, false
	}
	return Film{Recording: r.ID, Choice: choice, State: FilmQueued, QueuedAt: now, Since: now}, true
}

// Begin begins to make it, or gives it up if that was done too often without an end.
func (f Film) Begin(now time.Time) (Film, error) {
	if f.State != FilmQueued {
		return f, ErrState
	}
	if f.Begun >= filmBegun {
		return f.end(FilmFailed, FilmInterrupted, now), nil
	}
	f.Begun++
	f = f.end(FilmRunning, "", now)
	f.Stage, f.StageSince = FilmOpening, now
	return f, nil
}

// end is the film in another state.
func (f Film) end(state FilmState, reason FilmReason, now time.Time) Film {
	f.State, f.Since, f.Reason, f.Stage, f.Progress, f.StageSince = state, now, reason, "", 0, time.Time{}
	return f
}

// Reached is how far it is, in thousandths of a stage, and what it has used of processors
// until then.
func (f Film) Reached(stage FilmStage, progress int, spent time.Duration, now time.Time) Film {
	if f.State != FilmRunning {
		return f
	}
	f.Spent = max(f.Spent, spent)
	if stage != f.Stage {
		f.Stage, f.StageSince = stage, now
	}
	f.Progress = min(max(progress, 0), 1000)
	return f
}

// Interrupt puts one back that was running when the server stopped or went down. What was
// made of it is used again.
func (f Film) Interrupt(now time.Time) Film {
	if f.State != FilmRunning {
		return f
	}
	return f.leaving(now).end(FilmQueued, f.Reason, now)
}

// leaving is a film of which something may be left where films are kept from now on.
func (f Film) leaving(now time.Time) Film {
	f.LeftAt, f.Looks = now, 0
	return f
}

// lookAfter is how long after something may have been left that is looked for, for the
// n-th time from 0; false: no more. What was on its way when it was called off may come to
// a store later: most does within a minute, and nothing that the store had not got after a
// quarter of an hour.
func lookAfter(n int) (time.Duration, bool) {
	looks := [...]time.Duration{0, time.Minute, 20 * time.Minute, 24 * time.Hour}
	if n < 0 || n >= len(looks) {
		return 0, false
	}
	return looks[n], true
}

// LookDue tells whether it is time to look for what may be left.
func (f Film) LookDue(now time.Time) bool {
	after, _ := lookAfter(f.Looks)
	return !f.LeftAt.IsZero() && !now.Before(f.LeftAt.Add(after))
}

// Looked notes that it was looked for, and what was there is deleted.
func (f Film) Looked() Film {
	f.Looks++
	if _, more := lookAfter(f.Looks); !more {
		f.LeftAt, f.Looks = time.Time{}, 0
	}
	return f
}

// Fail notes an attempt that failed. It is queued again, behind the others, unless that
// was the last one.
func (f Film) Fail(why FilmReason, now time.Time) Film {
	if f.State != FilmRunning {
		return f
	}
	f = f.leaving(now)
	f.Attempts++
	if f.Attempts >= filmAttempts || why.lasting() {
		return f.end(FilmFailed, why, now)
	}
	f.QueuedAt = now
	return f.end(FilmQueued, why, now)
}

// NextTake is which take is being made.
func (f Film) NextTake() int { return f.Made.Take + 1 }

// Finish notes what was made, but for its take, time and choice, which the film knows.
func (f Film) Finish(made FilmMade, now time.Time) Film {
	if f.State != FilmRunning {
		return f
	}
	f = f.leaving(now).end(FilmDone, "", now)
	f.Spent = 0
	made.Take, made.At, made.Choice = f.NextTake(), now, f.Choice
	f.Made = made
	return f
}

// There tells whether what is chosen is what can be watched.
func (f Film) There() bool { return f.Made.Take > 0 && f.Choice == f.Made.Choice }

// Unneeded is a film that was begun for a choice that was taken back meanwhile.
func (f Film) Unneeded(now time.Time) Film {
	f.Spent = 0
	return f.end(FilmDone, "", now)
}

// Choose has it made in another layout or format, as if nothing had been tried; false: it
// is, or will be, as chosen. ErrState: it is being made in another.
func (f Film) Choose(c FilmChoice, now time.Time) (Film, bool, error) {
	switch {
	case c == f.Choice && f.State != FilmFailed:
		return f, false, nil
	case f.State == FilmRunning:
		return f, false, ErrState
	}
	if f.State != FilmQueued && f.State != FilmUnavailable { // those keep their place
		f.QueuedAt = now
	}
	f.Choice, f.Attempts, f.Begun, f.Spent = c, 0, 0, 0
	if f.There() {
		return f.end(FilmDone, "", now), true, nil
	}
	return f.end(FilmQueued, "", now), true, nil
}

// Possible follows whether this server has what composes: what waits does not wait for
// something that does not come, and waits again once it is there.
func (f Film) Possible(can bool, now time.Time) Film {
	switch {
	case !can && f.State == FilmQueued:
		return f.end(FilmUnavailable, FilmNoProgram, now)
	case can && f.State == FilmUnavailable:
		return f.end(FilmQueued, "", now)
	}
	return f
}

// Again has one made that failed, as if it had never been tried.
func (f Film) Again(now time.Time) (Film, error) {
	if f.State != FilmFailed {
		return f, ErrState
	}
	f.QueuedAt, f.Attempts, f.Begun, f.Spent = now, 0, 0, 0
	return f.end(FilmQueued, "", now), nil
}

// Left is how long the pictures still take, at the pace until now; false: nobody can tell.
func (f Film) Left(now time.Time) (time.Duration, bool) {
	if f.State != FilmRunning || f.Stage != FilmPictures || f.Progress < estimateFrom {
		return 0, false
	}
	took := now.Sub(f.StageSince)
	return took * time.Duration(1000-f.Progress) / time.Duration(f.Progress), took > 0
}

// NextFilm is the one to be made next: that which was queued first. False: none waits.
func NextFilm(all []Film) (Film, bool) {
	var waiting []Film
	for _, f := range all {
		if f.State == FilmQueued {
			waiting = append(waiting, f)
		}
	}
	if len(waiting) == 0 {
		return Film{}, false
	}
	return slices.MinFunc(waiting, before), true
}

// Ahead is how many are made before one.
func Ahead(f Film, all []Film) (n int) {
	for _, other := range all {
		if other.State == FilmRunning || other.State == FilmQueued && before(other, f) < 0 {
			n++
		}
	}
	return n
}

func before(a, b Film) int {
	return cmp.Or(a.QueuedAt.Compare(b.QueuedAt), cmp.Compare(a.Recording, b.Recording))
}
