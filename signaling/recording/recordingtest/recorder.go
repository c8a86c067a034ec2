// Package recordingtest has a recorder that only remembers what it was told. Tests alone
// use it.
package recordingtest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"aparte/signaling/recording"
)

// Recorder is a recording.Recorder, and the recording.Kept of what it took. Its methods may be called from any goroutine.
type Recorder struct {
	mu       sync.Mutex
	fails    error
	silent   error // of Parts
	onStart  func()
	asked    chan struct{} // of starts that wait for answer; nil: none waits
	answer   chan struct{}
	onDelete func()
	told     []string
	captures []*Capture
	written  []Written
	deleted  []string
	stuck    []string
	hangs    bool
	size     int // of every part; 0: PartBytes
	opened   int
	films    map[string]film
}

// Capture is a part that a Recorder was told to take.
type Capture struct {
	r     *Recorder
	Order recording.Order

	// Guarded by the recorder's mu.
	let     map[string]bool
	paused  bool
	stopped bool
	broken  bool // and was not closed
	err     error

	done chan struct{}
}

// Written is a message that was taken down.
type Written struct {
	Identity, Text string
	Taken          bool // of whom something was taken then
}

// PartBytes is how large every part is said to be.
const PartBytes = 1000

// Fail has Start, Delete and NodeKey fail from now on; nil: they do not.
func (r *Recorder) Fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fails = err
}

// Silence has Parts and OpenPart fail from now on; nil: it does not.
func (r *Recorder) Silence(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silent = err
}

// BreakOff has nothing more come of what is being taken, as where the server went down.
func (r *Recorder) BreakOff() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.captures {
		if !c.stopped {
			c.stopped, c.broken = true, true
		}
	}
}

// Stick has Delete fail for these recordings alone.
func (r *Recorder) Stick(ids ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stuck = ids
}

// Hang has Stop come to no end, as where the disk does not answer.
func (r *Recorder) Hang() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hangs = true
}

// Grow has every part hold so many bytes.
func (r *Recorder) Grow(bytes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.size = bytes
}

// OnStart has something happen while the recorder starts.
func (r *Recorder) OnStart(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onStart = f
}

// HangStart has Start wait until answer is called, or for as long as who starts does: as
// where the disk does not answer. Each that waits is told in asked.
func (r *Recorder) HangStart() (asked <-chan struct{}, answer func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	answered := make(chan struct{})
	r.asked, r.answer = make(chan struct{}, 8), answered
	return r.asked, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.answer == answered {
			r.asked, r.answer = nil, nil
		}
		close(answered)
	}
}

// OnDelete has something happen while it deletes.
func (r *Recorder) OnDelete(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onDelete = f
}

// End has what is being taken end by itself.
func (r *Recorder) End(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.captures {
		if !c.over() {
			c.err = err
			close(c.done)
		}
	}
}

// Taken are the identities of whom something would be taken now, in order.
func (r *Recorder) Taken() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make(map[string]bool)
	for _, c := range r.captures {
		if !c.over() && !c.paused && !c.stopped {
			maps.Copy(all, c.let)
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// Orders are those that were started, in order.
func (r *Recorder) Orders() []recording.Order {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]recording.Order, len(r.captures))
	for i, c := range r.captures {
		all[i] = c.Order
	}
	return all
}

// Written are the messages that it took down, in order.
func (r *Recorder) Written() []Written {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.written)
}

// Told is what it was told since Told was called last, in order.
func (r *Recorder) Told() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	told := r.told
	r.told = nil
	return told
}

// Deleted are the recordings that it was told to delete.
func (r *Recorder) Deleted() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.deleted)
}

func (r *Recorder) note(format string, args ...any) {
	r.told = append(r.told, fmt.Sprintf(format, args...))
}

// Start implements recording.Recorder.
func (r *Recorder) Start(ctx context.Context, o recording.Order) (recording.Capture, error) {
	r.mu.Lock()
	asked, answer := r.asked, r.answer
	r.mu.Unlock()
	if answer != nil {
		asked <- struct{}{}
		select {
		case <-answer:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fails != nil {
		return nil, r.fails
	}
	r.note("start %d", o.Part)
	c := &Capture{r: r, Order: o, let: make(map[string]bool), done: make(chan struct{})}
	r.captures = append(r.captures, c)
	if r.onStart != nil {
		r.onStart()
	}
	return c, nil
}

// Delete implements recording.Kept.
func (r *Recorder) Delete(_ context.Context, id string) error {
	r.mu.Lock()
	during := r.onDelete
	r.mu.Unlock()
	if during != nil {
		during()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fails != nil {
		return r.fails
	}
	if slices.Contains(r.stuck, id) {
		return fmt.Errorf("delete recording %s: permission denied", id)
	}
	r.deleted = append(r.deleted, id)
	return nil
}

// PartContent is what is in a part.
func PartContent(id string, number int) []byte {
	return partContent(id, number, PartBytes)
}

func partContent(id string, number, size int) []byte {
	line := fmt.Appendf(nil, "%s %3d\n", id, number)
	return bytes.Repeat(line, size/len(line)+1)[:size]
}

// bytes is how large every part is. Holds mu.
func (r *Recorder) bytes() int { return cmp.Or(r.size, PartBytes) }

// parts lists those of a recording. Holds mu.
func (r *Recorder) parts(id string) (all []recording.Part) {
	if slices.Contains(r.deleted, id) {
		return nil
	}
	for _, c := range r.captures {
		if c.Order.ID == id {
			all = append(all, recording.Part{Number: c.Order.Part, Bytes: int64(r.bytes()), Closed: c.stopped, BrokenOff: c.broken, Stored: recording.StoredHere})
		}
	}
	return all
}

// Parts implements recording.Kept.
func (r *Recorder) Parts(_ context.Context, id string) ([]recording.Part, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.silent != nil {
		return nil, r.silent
	}
	return r.parts(id), nil
}

// OpenPart implements recording.Kept.
func (r *Recorder) OpenPart(_ context.Context, id string, number int) (recording.PartFile, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.silent != nil {
		return recording.PartFile{}, r.silent
	}
	for _, p := range r.parts(id) {
		if p.Number != number {
			continue
		}
		if !p.Closed {
			return recording.PartFile{}, recording.ErrWriting
		}
		r.opened++
		return recording.PartFile{ReadSeekCloser: &content{bytes.NewReader(partContent(id, number, r.bytes())), r}, Part: p, Modified: time.Unix(1_800_000_000, 0)}, nil
	}
	return recording.PartFile{}, recording.ErrNone
}

// content is a part that was opened.
type content struct {
	*bytes.Reader
	r *Recorder
}

// Close implements io.Closer.
func (c *content) Close() error {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	c.r.opened--
	return nil
}

// MakeFilm has a recording have a film, in place of any other.
func (r *Recorder) MakeFilm(id string, take int, files map[recording.FilmFile]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.films == nil {
		r.films = make(map[string]film)
	}
	r.films[id] = film{take, files}
}

// film is a take of one.
type film struct {
	take  int
	files map[recording.FilmFile]string
}

// OpenFilm implements recording.Kept.
func (r *Recorder) OpenFilm(_ context.Context, id string, take int, file recording.FilmFile) (recording.OpenedFilm, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text, is := r.films[id].files[file]
	if !is || r.films[id].take != take {
		return recording.OpenedFilm{}, recording.ErrNone
	}
	r.opened++
	return recording.OpenedFilm{ReadSeekCloser: &content{bytes.NewReader([]byte(text)), r}, Bytes: int64(len(text))}, nil
}

// Opened is how many parts were opened and not closed.
func (r *Recorder) Opened() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.opened
}

// NodeKey implements recording.Kept.
func (r *Recorder) NodeKey() (recording.NodeKey, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return recording.NodeKey{Node: "paris-1", Key: "paris-1+a7d48f99+AamRPfp3RmgJzFbVazDT2HSLSEmqLhIL2OTaAbGIAjPe"}, r.fails
}

func (c *Capture) over() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

func (c *Capture) do(what, identity string, change func()) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	if identity != "" {
		what += " " + identity
	}
	c.r.note("%s", what)
	change()
}

// Allow implements recording.Capture.
func (c *Capture) Allow(identity string) { c.do("allow", identity, func() { c.let[identity] = true }) }

// Forbid implements recording.Capture.
func (c *Capture) Forbid(identity string) {
	c.do("forbid", identity, func() { delete(c.let, identity) })
}

// Pause implements recording.Capture.
func (c *Capture) Pause(by string) { c.do("pause", by, func() { c.paused = true }) }

// Resume implements recording.Capture.
func (c *Capture) Resume(by string) { c.do("resume", by, func() { c.paused = false }) }

// Note implements recording.Capture.
func (c *Capture) Note(e recording.Event) {
	what := "note " + string(e.Kind)
	if e.Left {
		what = "note left"
	}
	c.do(what, e.Identity, func() {
		if e.Kind == recording.EventMessage {
			c.r.written = append(c.r.written, Written{e.Identity, e.Text, c.let[e.Identity] && !c.paused && !c.stopped && !c.over()})
		}
	})
}

// Stop implements recording.Capture.
func (c *Capture) Stop(ctx context.Context, final bool, by string) (recording.Summary, error) {
	c.do(map[bool]string{true: "stop", false: "suspend"}[final], by, func() {
		c.stopped = true
		if !c.over() {
			close(c.done)
		}
	})
	c.r.mu.Lock()
	hangs := c.r.hangs
	c.r.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return recording.Summary{Bytes: PartBytes, Sealed: c.Order.Policy == "sealed"}, ctx.Err()
	}
	return recording.Summary{Bytes: PartBytes, Sealed: c.Order.Policy == "sealed"}, nil
}

// Done implements recording.Capture.
func (c *Capture) Done() <-chan struct{} { return c.done }

// Err implements recording.Capture.
func (c *Capture) Err() error {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	return c.err
}
