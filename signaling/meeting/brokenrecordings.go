package meeting

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"aparte/signaling/recording"
)

const (
	// countTime is for how long a meeting waits to hear how large a recording is that broke
	// off: the store may be away, or the disk not answer.
	countTime = 3 * time.Second
	// countAgain is how long after it did not hear that it asks again.
	countAgain = time.Minute
)

// errNoAnswer is for a look that is still under way.
var errNoAnswer = errors.New("there is no answer yet")

// look is one for how much of a recording broke off. A disk that does not answer keeps it,
// and a thread, for as long as that lasts: so a meeting has one at a time.
type look struct {
	of      recording.Recording // as it broke off
	late    atomic.Bool         // the meeting waits for it no longer
	done    chan struct{}       // closed once what follows is set
	missing int64               // bytes of its parts until then that it does not count
	err     error
}

// newLook begins one. If it is late it has the meeting woken when it has its answer.
func newLook(ctx context.Context, kept recording.Kept, of recording.Recording, wake func()) *look {
	k := &look{of: of, done: make(chan struct{})}
	go func() {
		parts, err := kept.Parts(ctx, of.ID)
		parts = slices.DeleteFunc(parts, func(p recording.Part) bool { return p.Number > of.Part }) // it went on
		k.missing, k.err = max(bytesOf(parts)-of.Bytes, 0), err
		close(k.done)
		if k.late.Load() {
			wake()
		}
	}()
	return k
}

// answered tells whether it has its answer. Nil has none.
func (k *look) answered() bool {
	if k == nil {
		return false
	}
	select {
	case <-k.done:
		return true
	default:
		return false
	}
}

// missing is how many bytes of a recording that broke off are not counted. It holds the
// meeting up for no longer than countTime, and once; errNoAnswer: it takes longer, and the
// meeting is woken when that is over. Ctx is the look's.
func (l *live) missing(ctx context.Context, r recording.Recording) (int64, error) {
	if l.look == nil {
		l.look = newLook(ctx, l.cfg.Kept, r, l.wake)
		within, cancel := context.WithTimeout(ctx, countTime)
		defer cancel()
		select {
		case <-l.look.done:
		case <-within.Done():
			l.look.late.Store(true) // and then it is asked: either this or the look sees the other
		}
	}
	k := l.look
	if !k.answered() {
		return 0, errNoAnswer
	}
	l.look = nil
	return k.missing, k.err
}

// followLate counts what broke off of a recording that went on before that was known.
func (l *live) followLate(r recording.Recording) {
	k := l.look
	if !k.answered() {
		return
	}
	if l.look = nil; k.of.ID == r.ID && k.err == nil && k.missing > 0 {
		l.closeBroken(k.of.Part, k.missing)
	}
}

// closeBroken notes how large a part is that broke off.
func (l *live) closeBroken(part int, bytes int64) {
	l.closeRecording(part, recording.Summary{Bytes: bytes, Sealed: !recording.Watchable(l.recording.Policy, l.recording.Watchable)})
}
