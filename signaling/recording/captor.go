package recording

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"aparte/signaling/role"
)

// Wanted is what is to be taken of a call.
type Wanted struct {
	Order  Order // the zero Order: nothing
	Paused bool
	Who    map[string]Person // by identity in the call
	In     map[string]bool   // identities of all who are in it
	At     time.Time         // when that was decided
	// By is who paused, resumed or stopped it last: the identity of a host in the call, the
	// account of one who was not in it, "" the server. By itself it is no decision.
	By string
}

// Person is somebody in the call of whom something is taken.
type Person struct {
	Name string
	Role role.Role // when that began
}

// Over is a part that has ended: because it was wanted no more, or by itself.
type Over struct {
	ID      string // of the recording
	Part    int
	Summary Summary
	Err     error // nil: it was stopped
}

// Captor has a recorder do what was decided about one call. Decisions are made in order
// but carried out by whoever asked for them, several at a time: so what is wanted now is
// what counts, and of two decisions the later one holds, whoever comes first to carry
// out theirs.
//
// It is carried out in two steps: Restrain takes away, before the call is told, Release
// gives, once it has been told. Decisions are numbered, so that whoever has told the call
// of one does not give what a later one gives, of which it has not heard. All methods may
// be called from any goroutine.
//
// A part is started on a goroutine of its own, since a disk may keep it waiting: nothing is
// taken of anybody meanwhile, so that whatever takes away has nothing to wait for. Once the
// recorder has answered, what is wanted then is carried out, not what was wanted when it
// was asked.
type Captor struct {
	// Set at creation.
	recorder Recorder // may be nil: then nothing may be wanted
	log      *slog.Logger
	now      func() time.Time
	wake     func() // Ended has something

	tasks sync.WaitGroup // watching and closing captures

	next struct {
		mu      sync.Mutex
		wanted  Wanted
		decided uint64 // how often something else was wanted; a Narrow does not count
		changed bool   // since it was last carried out
		over    []Over
		last    part // that was begun, or could not be
		known   map[part]bool
		closed  bool
	}

	mu       sync.Mutex // held while the recorder is told, but for the start of a part
	told     uint64     // the latest decision of which the call has heard
	running  *running
	starting chan struct{} // closed once the recorder has answered; nil: no part is being started
}

// running is the part that is being taken.
type running struct {
	order   Order
	capture Capture
	let     map[string]letThrough // by identity
	paused  bool
	end     chan struct{} // closed when it is wanted no more
	by      string        // who wanted that; written before end is closed
}

// letThrough is somebody of whom something is taken.
type letThrough struct {
	name  string
	since uint64 // the decision by which
}

// Timeouts of the recorder.
const (
	startLimit = 10 * time.Second
	stopLimit  = 30 * time.Second
	// failedLimit is for one that has ended by itself: hosts are told after that, and see
	// until then a recording that takes nothing. What closes later is closed all the same.
	failedLimit = 2 * time.Second
)

// NewCaptor makes the captor of one call. Wake is called on a goroutine of its own when
// a part is over.
func NewCaptor(recorder Recorder, now func() time.Time, log *slog.Logger, wake func()) *Captor {
	c := &Captor{recorder: recorder, now: now, log: log, wake: wake}
	c.next.known = make(map[part]bool)
	return c
}

// Want notes what is to be taken from now on. Restrain and Release carry it out.
func (c *Captor) Want(w Wanted) {
	c.next.mu.Lock()
	defer c.next.mu.Unlock()
	if c.want(w) {
		c.next.decided++
	}
}

// Decided is the number of the latest decision.
func (c *Captor) Decided() uint64 {
	c.next.mu.Lock()
	defer c.next.mu.Unlock()
	return c.next.decided
}

// want tells whether that is something else than before. Holds next.mu.
func (c *Captor) want(w Wanted) bool {
	before := c.next.wanted
	if w.Order == before.Order && w.Paused == before.Paused && maps.Equal(w.Who, before.Who) && (len(w.Who) == 0 || maps.Equal(w.In, before.In)) {
		return false
	}
	w.Who, w.In = maps.Clone(w.Who), maps.Clone(w.In)
	c.next.wanted, c.next.changed = w, true
	if w.Order.ID != "" {
		c.next.known[w.Order.part()] = true
	}
	if was := before.Order.part(); was.id != "" && was != w.Order.part() && was != c.next.last {
		c.next.over = append(c.next.over, Over{ID: was.id, Part: was.part}) // never begun
		if !c.next.closed {
			c.tasks.Go(c.wake)
		}
	}
	return true
}

// Narrow has change take something away from what is wanted, where nothing new could be
// decided.
func (c *Captor) Narrow(change func(w *Wanted)) {
	c.next.mu.Lock()
	defer c.next.mu.Unlock()
	w := c.next.wanted
	w.Who, w.In, w.At = maps.Clone(w.Who), maps.Clone(w.In), c.now()
	change(&w)
	c.want(w)
}

// News tells whether something that is wanted has not been carried out.
func (c *Captor) News() bool {
	c.next.mu.Lock()
	defer c.next.mu.Unlock()
	return c.next.changed
}

// Knows tells whether a part was begun here, so that what became of it is or will be in
// Ended. One that was not is of a server that went down.
func (c *Captor) Knows(id string, n int) bool {
	c.next.mu.Lock()
	defer c.next.mu.Unlock()
	return c.next.known[part{id, n}]
}

// Active tells whether something is being taken, or has ended and is not settled.
func (c *Captor) Active() bool {
	c.next.mu.Lock()
	defer c.next.mu.Unlock()
	return len(c.next.known) > 0
}

// Ended are the parts that are over and not settled, in the order in which they ended.
func (c *Captor) Ended() []Over {
	c.next.mu.Lock()
	defer c.next.mu.Unlock()
	return slices.Clone(c.next.over)
}

// Settle forgets parts of which it is stored what became of them.
func (c *Captor) Settle(all []Over) {
	c.next.mu.Lock()
	defer c.next.mu.Unlock()
	for _, o := range all {
		c.next.over = slices.DeleteFunc(c.next.over, func(other Over) bool { return other.ID == o.ID && other.Part == o.Part })
		delete(c.next.known, part{o.ID, o.Part})
	}
}

// latest is what is wanted now.
func (c *Captor) latest() (w Wanted, fresh bool) {
	c.next.mu.Lock()
	defer c.next.mu.Unlock()
	w = c.next.wanted
	if c.next.closed {
		w = Wanted{At: w.At}
	}
	return w, w.Order.part() != c.next.last
}

// Restrain takes away what is wanted no more. After it returns nothing more is taken of
// anybody whom the latest decision leaves out.
func (c *Captor) Restrain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	w, _ := c.latest()
	c.restrain(w)
}

func (c *Captor) restrain(w Wanted) {
	r := c.running
	if r == nil {
		return
	}
	if r.order.part() != w.Order.part() {
		c.running = nil
		r.capture.Pause(w.By) // nothing more, before it is closed
		r.by = w.By
		close(r.end)
		return
	}
	if w.Paused && !r.paused {
		r.paused = true
		r.capture.Pause(w.By)
		r.capture.Note(Event{At: w.At, Kind: EventPaused})
	}
	for _, identity := range slices.Sorted(maps.Keys(r.let)) {
		if _, still := w.Who[identity]; !still {
			r.capture.Forbid(identity)
			r.capture.Note(Event{At: w.At, Kind: EventForbidden, Identity: identity, Name: r.let[identity].name, Left: !w.In[identity]})
			delete(r.let, identity)
		}
	}
}

// Release begins what is wanted, and lets through who may be taken. Call it once
// everybody in the call has been told; told is the number of the decision that they have
// heard of. After a later one it gives nothing: whoever tells of that one will. It does not
// wait for the recorder where a part begins: Begun does.
func (c *Captor) Release(told uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = max(c.told, told)
	if c.starting == nil {
		c.release()
	}
}

// release carries out what is wanted now, if the call has heard of it. Holds mu, while
// nothing is being started.
func (c *Captor) release() {
	w, fresh, heard := c.carryOut()
	if !heard || w.Order.ID == "" {
		return
	}
	r := c.running
	if r == nil {
		if fresh { // else it was begun, and has ended by itself
			c.start(w)
		}
		return
	}
	if !w.Paused && r.paused {
		r.paused = false
		r.capture.Note(Event{At: w.At, Kind: EventResumed})
		r.capture.Resume(w.By)
	}
	for _, identity := range slices.Sorted(maps.Keys(w.Who)) {
		if _, already := r.let[identity]; !already {
			p := w.Who[identity]
			r.let[identity] = letThrough{p.Name, c.told}
			r.capture.Note(Event{At: w.At, Kind: EventAllowed, Identity: identity, Name: p.Name, Role: p.Role})
			r.capture.Allow(identity)
		}
	}
}

// Begun waits until no part is being started: until the recorder has answered, or was
// given up, and what is wanted then is carried out.
func (c *Captor) Begun() {
	for {
		c.mu.Lock()
		starting := c.starting
		c.mu.Unlock()
		if starting == nil {
			return
		}
		<-starting
	}
}

// Written is a message to everybody in the call, by somebody who was recorded when it was.
type Written struct {
	Recording      string // id
	Part           int
	Identity, Text string
	At             time.Time
	// Decided is the captor's latest decision before it.
	Decided uint64
}

// Write has a message written down, like what else is taken of whoever wrote it: not once
// that was forbidden, be it that it has been allowed anew since. Call it when the call has
// been told of the message.
func (c *Captor) Write(m Written) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w, _ := c.latest()
	c.restrain(w)
	r := c.running
	if r == nil || r.paused || r.order.part() != (part{m.Recording, m.Part}) {
		return
	}
	if let, is := r.let[m.Identity]; is && let.since <= m.Decided {
		r.capture.Note(Event{At: m.At, Kind: EventMessage, Identity: m.Identity, Name: let.name, Text: m.Text})
	}
}

// carryOut takes away what is wanted no more, and tells whether what is wanted now was
// told to the call. Holds mu.
func (c *Captor) carryOut() (w Wanted, fresh, heard bool) {
	c.next.mu.Lock()
	if heard = c.next.decided <= c.told; heard {
		c.next.changed = false
	}
	c.next.mu.Unlock()
	w, fresh = c.latest()
	c.restrain(w)
	return w, fresh, heard
}

// start has a part begin, unless it is wanted no more, and what is wanted be carried out
// once the recorder has answered. Holds mu.
func (c *Captor) start(w Wanted) {
	c.next.mu.Lock()
	defer c.next.mu.Unlock()
	if c.next.closed || c.next.wanted.Order.part() != w.Order.part() {
		return
	}
	c.next.last = w.Order.part()
	starting := make(chan struct{})
	c.starting = starting
	c.tasks.Go(func() {
		defer close(starting)
		capture, err := c.open(w.Order)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.starting = nil
		if err != nil {
			c.log.Error("start recording", "meeting", w.Order.Meeting, "recording", w.Order.ID, "err", err)
			c.over(w.Order, Summary{}, fmt.Errorf("%w: %w", ErrFailed, err))
		} else {
			r := &running{order: w.Order, capture: capture, let: make(map[string]letThrough), end: make(chan struct{})}
			c.running = r
			c.tasks.Go(func() { c.follow(r) })
		}
		c.release()
	})
}

func (c *Captor) open(o Order) (Capture, error) {
	if c.recorder == nil {
		return nil, ErrNoRecorder
	}
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	return c.recorder.Start(ctx, o)
}

// follow waits for the end of a part and closes it.
func (c *Captor) follow(r *running) {
	var why error
	var by string
	limit := stopLimit
	select {
	case <-r.end:
		by = r.by
		c.next.mu.Lock()
		if c.next.closed {
			why = ErrShutdown
		}
		c.next.mu.Unlock()
	case <-r.capture.Done():
		limit = failedLimit
		why = r.capture.Err()
		if why == nil {
			why = errors.New("the recorder ended by itself")
		}
		c.log.Error("recording ended by itself", "meeting", r.order.Meeting, "recording", r.order.ID, "err", why)
		c.mu.Lock()
		if c.running == r {
			c.running = nil
		}
		c.mu.Unlock()
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	s, err := r.capture.Stop(ctx, !errors.Is(why, ErrShutdown), by)
	if err != nil {
		c.log.Error("close recording", "meeting", r.order.Meeting, "recording", r.order.ID, "err", err)
		why = errors.Join(why, err)
	}
	c.over(r.order, s, why)
}

// over notes that a part is over, and has the meeting look.
func (c *Captor) over(o Order, s Summary, err error) {
	c.next.mu.Lock()
	defer c.next.mu.Unlock()
	c.next.over = append(c.next.over, Over{ID: o.ID, Part: o.Part, Summary: s, Err: err})
	if !c.next.closed { // else whoever closes waits for this
		c.tasks.Go(c.wake)
	}
}

// Close ends what is being taken and waits for it to be closed. What became of it is in
// Ended. It reports whether there is something to settle.
func (c *Captor) Close() bool {
	c.next.mu.Lock()
	c.next.closed = true
	c.next.mu.Unlock()
	c.Restrain()
	c.tasks.Wait()
	return len(c.Ended()) > 0
}
