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
//	  ▲  ▲               │  │
//	  │  └── interrupt ──┘  │ fail, the third time or for good
//	  │      or fail        ▼
//	  ├───── again ─────  failed
//	  │
//	  └── there is a program again ── unavailable ◀── there is none
//
// It is queued when the recording has stopped, and deleted with it.
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
	FilmNoRoom      FilmReason = "no-room"     // on the disk
	FilmInterrupted FilmReason = "interrupted" // the server went down again and again
	FilmError       FilmReason = "error"       // anything else
)

// lasting tells whether another attempt would come to the same.
func (r FilmReason) lasting() bool {
	return slices.Contains([]FilmReason{FilmNoKey, FilmNothing, FilmDamaged, FilmTooLong}, r)
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
	Recording string // id
	Language  string // BCP 47: of chapters and labels, from the post; not stored
	State     FilmState
	QueuedAt  time.Time // its place in the queue
	Since     time.Time // in this state
	Attempts  int       // that failed
	Begun     int       // times
	// Stage and what is done of it, in thousandths, while it is running.
	Stage      FilmStage
	Progress   int
	StageSince time.Time
	Reason     FilmReason // why it failed last; ""
	// What was made.
	Type     string // media type
	Length   time.Duration
	Bytes    int64 // of the film, opened
	Captions bool
}

// NewFilm has the film of a recording made that has stopped; false: of this one there is none.
func NewFilm(r Recording, now time.Time) (Film, bool) {
	if r.State != Stopped || !r.Watchable || r.StartedAt.IsZero() {
		return Film{}, false
	}
	return Film{Recording: r.ID, State: FilmQueued, QueuedAt: now, Since: now}, true
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

// Reached is how far it is, in thousandths of a stage.
func (f Film) Reached(stage FilmStage, progress int, now time.Time) Film {
	if f.State != FilmRunning {
		return f
	}
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
	return f.end(FilmQueued, f.Reason, now)
}

// Fail notes an attempt that failed. It is queued again, behind the others, unless that
// was the last one.
func (f Film) Fail(why FilmReason, now time.Time) Film {
	if f.State != FilmRunning {
		return f
	}
	f.Attempts++
	if f.Attempts >= filmAttempts || why.lasting() {
		return f.end(FilmFailed, why, now)
	}
	f.QueuedAt = now
	return f.end(FilmQueued, why, now)
}

// Finish notes what was made.
func (f Film) Finish(mediaType string, length time.Duration, bytes int64, captions bool, now time.Time) Film {
	if f.State != FilmRunning {
		return f
	}
	f = f.end(FilmDone, "", now)
	f.Type, f.Length, f.Bytes, f.Captions = mediaType, length, bytes, captions
	return f
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
	f.QueuedAt, f.Attempts, f.Begun = now, 0, 0
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
