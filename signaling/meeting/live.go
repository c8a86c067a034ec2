package meeting

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/lobby"
	"aparte/signaling/profile"
	"aparte/signaling/recording"
	"aparte/signaling/role"
)

// maxBatch is how many requests share one commit.
const maxBatch = 128

// act is a request to a live meeting. It runs on the meeting's goroutine, must
// not wait, and checks everything before it changes anything. Whether whoever asks may
// is checked before, by its command.
type act interface {
	command() role.Command
	as(l *live, now time.Time) (role.Role, error) // who asks
	do(l *live, now time.Time) (any, error)
}

// byServer is part of what the program itself asks, byDoor of what somebody does who
// has no session yet.
type (
	byServer struct{}
	byDoor   struct{}
)

func (byServer) as(*live, time.Time) (role.Role, error) { return role.Server, nil }
func (byDoor) as(*live, time.Time) (role.Role, error)   { return role.Door, nil }

// outcome is the answer to an act, and what the asker still has to do to the
// call: once the decision is durable, or could not be made so.
type outcome struct {
	answer any
	err    error
	leave  []leaving
	permit []permitting
	anyway []order // also if it could not be made durable
	orders []order
	close  bool
	taking []taking // taken also if it could not be made durable
	hold   held     // the same of the recording
}

// order is something else that the call is asked for, once the decision is durable.
type order func(call Media, room string)

type request struct {
	act   act
	reply chan<- outcome // buffered; nil if nobody waits
	done  func()         // after processing, if nobody waits; else nil
}

// live is one meeting in memory: one goroutine that takes requests and answers.
//
// It takes what waits, up to maxBatch, decides all of it, stores the changes in
// one transaction, and only then answers and tells the sockets. While a commit
// is under way the meeting takes nothing new: so what anybody reads is durable,
// and a crowd of knocks costs few commits. Media never waits for it.
type live struct {
	// Set at creation.
	id       string
	cfg      *Config
	board    *board
	requests chan request
	stop     chan struct{}
	stopped  chan struct{}
	wake     func() // has it look around; for other goroutines than run's

	words  words             // has locks of its own
	captor *recording.Captor // has locks of its own

	// Guarded by Meetings.mu.
	refs     int
	lastUsed uint64

	due     atomic.Int64 // when the absence of hosts, or of those recorded, has consequences, in ms since 1970; 0: never
	busy    atomic.Bool  // somebody watches or is in the call: keep in memory
	gone    atomic.Bool  // no such meeting: do not keep
	present atomic.Int32 // len(inCall), for lists

	// Owned by run.
	loaded    bool
	meeting   Meeting
	profile   profile.Profile // in force
	lobby     *lobby.Lobby
	seats     map[string]Seat // by id
	inCall    map[string]Participant
	front     []string            // identities in the spotlight, in order
	missed    []request           // what nobody waits for and was not done yet
	seen      map[string]sighting // by knock id
	hosts     map[*HostWatch]struct{}
	guests    map[*GuestWatch]struct{}
	agents    map[*AgentWatch]struct{}
	begun     []func()            // ends a watch that the batch began
	undo      []func()            // takes back what the batch changed in memory alone
	adjourned bool                // the batch ended a sitting of a permanent meeting
	hosted    bool                // a host has been in the call since it was hostless last
	renamed   map[string]struct{} // accounts whose role the batch changed

	// What is said and shown in the call: in memory until the meeting ends, and of the chat
	// on disk what the profile keeps.
	chat      chat
	record    record
	reactions reactions
	hands     hands
	files     files
	timer     *Timer // nil: none; never changed, only replaced

	postZone, postName string // the post's as they were when the meeting was loaded
	postRecipients     int    // keys that the post has for recordings

	taken taken // by hosts and not stored

	recording  *recording.Recording // that has not stopped; nil: none; never changed, only replaced
	recordedBy string               // who paused, resumed or stopped it last (recording.Wanted.By)
	counted    bool                 // it has been looked how large it is, if a crash interrupted it
	look       *look                // that is under way; nil: none is
	countAt    time.Time            // before which that is not tried again
	aloneSince time.Time            // since when nobody who is recorded is in the call; zero: somebody is
	ended      recording.Reason     // why the last one stopped, until another is asked for; "": none has
	held       held                 // what took away from the recording and is not stored
	hold       held                 // of the act being done, also if it cannot be stored

	changes     Changes
	visits      []Visit       // comings and goings that are not stored yet
	owed        []audit.Draft // comings and goings that could not be stored yet
	leave       []leaving     // of the act being done
	permit      []permitting  // of the act being done
	anyway      []order       // of the act being done, also if it cannot be stored
	orders      []order       // of the act being done
	taking      []taking      // of the act being done, also if it cannot be stored
	close       bool          // of the act being done
	lastSummary summaryKey
	lastNotice  Notice
	retell      map[string]struct{} // whom to tell (lobby.Knock.Who), whatever changed
	dirty       bool                // something to tell
	rosterDirty bool                // who is in the call, too
	hostsDirty  bool                // whether any host watches, too
}

func newLive(id string, cfg *Config, b *board, wake func()) *live {
	return &live{
		id: id, cfg: cfg, board: b, wake: wake, captor: recording.NewCaptor(cfg.Recorder, cfg.now, cfg.Log, wake),
		requests: make(chan request, 2*maxBatch), stop: make(chan struct{}), stopped: make(chan struct{}),
		inCall: make(map[string]Participant), seen: make(map[string]sighting), retell: make(map[string]struct{}), renamed: make(map[string]struct{}),
		hosts: make(map[*HostWatch]struct{}), guests: make(map[*GuestWatch]struct{}), agents: make(map[*AgentWatch]struct{}),
	}
}

func (l *live) run(ctx context.Context) {
	defer close(l.stopped)
	defer l.dismiss()
	for {
		select {
		case <-l.stop:
			l.refuseQueued()
			return
		case r := <-l.requests:
			l.step(ctx, l.batch(r))
		}
	}
}

// batch takes what already waits behind first.
func (l *live) batch(first request) []request {
	batch := []request{first}
	for len(batch) < maxBatch {
		select {
		case r := <-l.requests:
			batch = append(batch, r)
		default:
			return batch
		}
	}
	return batch
}

func (l *live) step(ctx context.Context, batch []request) {
	batch = append(l.missed, batch...)
	l.missed = nil
	newest, err := l.load(ctx)
	if err != nil && !l.gone.Load() {
		batch = l.postpone(batch)
	}
	outcomes := make([]outcome, len(batch))
	front := l.front
	var over []recording.Over
	if err == nil {
		now := l.cfg.now()
		l.lobby.By(audit.Actor{Kind: audit.Server}, now)
		for w := range l.guests {
			l.lobby.Renew(w.who, now)
		}
		for w := range l.agents {
			l.lobby.RenewAgent(w.who, now)
		}
		l.lobby.Sweep(now)
		l.expire(now)
		over = l.followRecording(ctx, now)
		caughtUp := l.catchUp(newest, now)
		overdue := l.actWithoutHost(now)
		for i, r := range batch {
			outcomes[i] = l.decide(r.act, now)
		}
		l.lobby.By(audit.Actor{Kind: audit.Server}, now)
		l.watchHosts(now)
		l.watchRecording(now)
		outcomes[0] = caughtUp.and(overdue.and(outcomes[0])) // whoever came first has the call obey it
		err = l.commit(ctx)
	}
	if err != nil { // whoever asked for them is told that they have none
		l.front = front
		for _, end := range l.begun {
			end()
		}
		for _, back := range slices.Backward(l.undo) {
			back()
		}
	}
	l.begun, l.undo = nil, nil
	for i := range batch {
		if err != nil {
			// Who was to leave leaves all the same, and who was to be silenced is. Whether
			// they may come back is decided by what is stored.
			l.takeAnyway(&outcomes[i], err)
		} else {
			l.obeyed(outcomes[i])
		}
	}
	if err == nil {
		l.held = held{}
		l.captor.Settle(over)
		l.want(l.cfg.now())
	} else {
		l.narrow()
	}
	if err == nil && (l.adjourned || l.meeting.State == Ended) {
		l.clear()
	}
	l.adjourned = false
	if err == nil {
		l.word()
	}
	l.cutTransfers(outcomes, err == nil)
	// Whoever has the answer may look at these.
	l.due.Store(l.dueAt())
	l.busy.Store(len(l.hosts)+len(l.guests)+len(l.agents)+len(l.inCall)+len(l.owed) > 0 || l.captor.Active() || !l.held.empty() || !l.aloneSince.IsZero())
	l.present.Store(int32(len(l.inCall)))
	for i, r := range batch {
		if r.reply != nil {
			r.reply <- outcomes[i]
		}
	}
	if err == nil && l.dirty {
		l.tell()
	}
	for _, r := range batch {
		if r.done != nil {
			r.done()
		}
	}
}

// load brings the meeting into memory, again after a failed commit, and returns the
// version of its profile that is in force.
func (l *live) load(ctx context.Context) (profile.Profile, error) {
	if l.loaded {
		return l.profile, nil
	}
	s, err := l.cfg.Store.LoadMeeting(ctx, l.id)
	if errors.Is(err, ErrNotFound) {
		l.gone.Store(true)
		return profile.Profile{}, err
	}
	if err != nil {
		l.cfg.Log.Error("load meeting", "meeting", l.id, "err", err)
		return profile.Profile{}, fmt.Errorf("load meeting %s: %w: %w", l.id, ErrUnavailable, err)
	}
	first := l.lobby == nil
	l.meeting, l.postZone, l.postName, l.postRecipients = s.Meeting, s.PostZone, s.PostName, s.PostRecipients
	l.lobby = lobby.New(l.id, l.cfg.Lobby, s.Lobby)
	l.seats = make(map[string]Seat, len(s.Seats))
	for _, seat := range s.Seats {
		l.seats[seat.ID] = seat
	}
	l.under(s.Applied)
	for w := range l.hosts { // who does not act for the post any more
		if _, _, ok := l.meeting.Role(w.agent.Account); !ok {
			l.dropHost(w)
		}
	}
	for w := range l.agents {
		if _, _, ok := l.meeting.Role(w.who); !ok {
			l.dropAgent(w)
		}
	}
	l.loaded = true
	l.recording, l.counted, l.countAt = s.Recording, false, time.Time{}
	l.recount(first)
	l.recall(s.Chat, first, l.cfg.now())
	l.lastNotice = l.notice()
	return s.Newest, nil
}

// postpone keeps what nobody waits for until the meeting can be loaded: who
// joined and who left would never be told again. It returns the rest. There are
// no more than participants and sockets now, as nobody comes in meanwhile.
func (l *live) postpone(batch []request) []request {
	var rest []request
	for _, r := range batch {
		if r.done != nil {
			l.missed = append(l.missed, r)
		} else {
			rest = append(rest, r)
		}
	}
	return rest
}

func (l *live) decide(a act, now time.Time) outcome {
	l.leave, l.permit, l.anyway, l.orders, l.taking, l.close, l.hold = nil, nil, nil, nil, nil, false, held{}
	l.lobby.By(actorOf(a), now)
	r, err := a.as(l, now)
	if err == nil {
		err = r.Check(a.command())
	}
	var answer any
	if err == nil {
		answer, err = a.do(l, now)
	}
	return outcome{answer: answer, err: err, leave: l.leave, permit: l.permit, anyway: l.anyway, orders: l.orders, taking: l.taking, close: l.close, hold: l.hold}
}

// commit makes what the batch decided durable. If it cannot, memory is thrown
// away: what is stored is the truth.
func (l *live) commit(ctx context.Context) error {
	l.changes.Lobby = l.lobby.Changes()
	l.gatherAudit()
	l.gatherArrivals()
	l.changes.ID, l.changes.Visits = l.id, l.visits
	if l.changes.empty() {
		return nil
	}
	l.dirty = true
	err := l.cfg.Store.SaveMeeting(ctx, l.changes)
	if err == nil {
		l.owed, l.visits = nil, nil
		if l.changes.Arrivals != nil {
			l.record.arrivals = nil
		}
		for _, gone := range l.changes.Lobby.DroppedKnocks {
			delete(l.seen, gone)
		}
		return nil
	}
	l.cfg.Log.Error("store meeting", "meeting", l.id, "err", err)
	l.changes.Arrivals = nil // they come with the next
	if l.oweAudit() {
		return nil // nothing was decided, so nothing needs undoing
	}
	l.loaded = false
	l.changes = Changes{}
	return fmt.Errorf("store meeting %s: %w: %w", l.id, ErrUnavailable, err)
}

// setMeeting changes the meeting.
func (l *live) setMeeting(m Meeting) {
	l.noteState(m)
	l.meeting = m
	l.changes.Meeting = &m
}

// refuseQueued answers who still waits when the process stops.
func (l *live) refuseQueued() {
	for _, r := range l.missed {
		r.done()
	}
	for {
		select {
		case r := <-l.requests:
			if r.reply != nil {
				r.reply <- outcome{err: ErrUnavailable}
			}
			if r.done != nil {
				r.done()
			}
		default:
			return
		}
	}
}

// newID returns 16 random bytes in base64url: 22 characters, of which the first is no "-":
// ids are arguments of commands, which would take one for an option.
func newID(random io.Reader) (string, error) {
	for {
		var raw [16]byte
		if _, err := io.ReadFull(random, raw[:]); err != nil {
			return "", fmt.Errorf("make id: %w", err)
		}
		if id := base64.RawURLEncoding.EncodeToString(raw[:]); id[0] != '-' {
			return id, nil
		}
	}
}

// newIdentity is what others see of a participant.
func newIdentity(random io.Reader) (string, error) {
	id, err := newID(random)
	return "p_" + id, err
}
