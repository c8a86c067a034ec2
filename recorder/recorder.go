// Package recorder keeps what is said and shown in a meeting: packets and events in,
// sealed files out. It knows no rules of meetings and no HTTP; package sfu hands it
// packets, and whoever wires it tells it who is there and who has agreed.
//
// Start at [Start]: a [Recording] is the [tap.Sink] of one meeting. A packet's way is
// recorder.go (may it be kept?) → buffer.go → writer.go → seal, and from there
// spool.go tells what is on the disk. Package journal says what is in it, package seal
// how it is sealed and verified; docs/recording.md is for whoever has only the files.
// From the disk package keep brings parts to where they are kept (package storage); the
// way back is seal → export (journal, jitter, clock, mux) → compose, and in a browser opening.
package recorder

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"aparte/recorder/journal"
	"aparte/recorder/seal"
	"aparte/sfu/tap"
)

// Why capture stops by itself. What was written until then stays.
var (
	// ErrLowDisk says that the disk is full, or has no more room than others need.
	ErrLowDisk = errors.New("no room on the disk")
	// ErrStalled says that the disk has taken nothing for too long.
	ErrStalled = errors.New("the disk does not answer")
	// ErrFailed says that what recorded is broken: nothing more comes.
	ErrFailed = errors.New("the recorder failed")
	// ErrBehind says that not even events had room in the buffer any more.
	ErrBehind = errors.New("the disk is too slow")
)

// Spare is how many bytes of a disk are left to others: the database of the meetings is
// perhaps on the same one.
const Spare = 512 << 20

// Config is what the recordings of a server have in common.
type Config struct {
	// Dir is where each recording gets a folder: <data>/recordings.
	Dir string
	// Key signs, and Recipients can open; at least one.
	Key        *seal.NodeKey
	Recipients []seal.Recipient

	// Spare is how many bytes of the disk are left to others: [Spare] if 0. Low disk
	// stops a recording, never the meeting, whose database is perhaps on the same one.
	Spare int64
	// Buffer is how many bytes of a recording may wait for the disk: 32 MiB if 0.
	Buffer int
	// Every is how often what has arrived is sealed and written: half a second if 0.
	Every time.Duration
	// Stall is how long the disk may take for one segment: 30 seconds if 0.
	Stall time.Duration

	disk *disk // for tests
}

func (c Config) withDefaults() Config {
	if c.Spare == 0 {
		c.Spare = Spare
	}
	if c.Buffer == 0 {
		c.Buffer = 32 << 20
	}
	if c.Every == 0 {
		c.Every = 500 * time.Millisecond
	}
	if c.Stall == 0 {
		c.Stall = 30 * time.Second
	}
	if c.disk == nil {
		c.disk = &disk{create: newPart, room: Room}
	}
	return c
}

// disk is how a recording reaches it.
type disk struct {
	create func(folder string) (seal.File, error)
	room   func(folder string) (int64, error)
}

// About is what a recording is of. Everything but By can be read by whoever has the
// file, so it holds no names.
type About struct {
	ID     string // of the recording: letters, digits, - and _, at most 64
	Room   string // id
	Policy string // by which rule it is recorded
	By     string // identity of who started it
}

// Recording is one meeting's recording, from [Start] to [Recording.Stop]. All its
// methods may be called from any goroutine; those of [tap.Sink] never wait for the
// disk and never fail: what has no room is dropped, counted, and told in the journal.
//
// It keeps the streams of those alone who have agreed, as it was told by [Recording.Note]:
// consent comes first, whatever the tap lets through.
type Recording struct {
	cfg    Config
	about  About
	folder string
	began  time.Time // with a monotonic clock
	part   uint32

	wake   chan struct{} // there is much to write
	flush  chan chan error
	ending chan struct{} // closed when the writer is to finish
	done   chan struct{} // closed when it has

	written atomic.Int64 // bytes on the disk, of this part

	mu       sync.Mutex // guards what follows, and is held for no longer than a copy
	buffer   buffer
	ended    bool  // nothing more is taken
	err      error // why, if capture stopped by itself
	final    bool  // Stop, not Suspend
	reason   string
	paused   bool
	resumed  time.Time       // what arrived before is of a pause
	speaking []string        // as told last, also in a pause
	muted    map[string]bool // tracks
	streams  map[uint32]*stream
	agreed   map[string]bool // identities
	gap      *gap            // what is being lost; nil if nothing is
	lost     uint64          // packets
	kept     uint64          // packets that the disk has
	keptSize uint64          // their bytes
	scratch  []byte
	manifest manifest
}

// stream is one of the tap's.
type stream struct {
	tap.Stream
	agreed bool
	begun  bool // the journal knows it
	index  int  // in the manifest, -1 where that is full

	left   bool   // something of it was left out in a pause
	leftTo uint16 // its highest sequence number
}

// lateMost is more than how late a packet comes that was lost and asked for.
const lateMost = 5 * time.Second

// leaveOut notes a packet that came in a pause.
func (s *stream) leaveOut(seq uint16) {
	if !s.left || int16(seq-s.leftTo) > 0 {
		s.left, s.leftTo = true, seq
	}
}

// leftOut tells whether a packet that came so long after a pause was sent in it, or before.
func (s *stream) leftOut(seq uint16, after time.Duration) bool {
	return s.left && after < lateMost && int16(seq-s.leftTo) <= 0
}

// gap is what is lost until there is room again.
type gap struct {
	reason         string
	since, until   time.Duration
	packets, bytes uint64
}

// Start begins a recording, or a further part of one that was not ended: after a
// restart, with the same ID and Room. It returns once the part is on the disk. Nobody
// has agreed yet: tell it who is there and who agreed, with Note, also for a further
// part.
func Start(cfg Config, about About) (*Recording, error) {
	cfg = cfg.withDefaults()
	if err := CheckID(about.ID); err != nil {
		return nil, fmt.Errorf("start recording: %w", err)
	}
	switch {
	case about.Room == "":
		return nil, errors.New("start recording: it needs the id of its room")
	case cfg.Key == nil || len(cfg.Recipients) == 0:
		return nil, errors.New("start recording: it needs the node's key and at least one recipient")
	}
	r := &Recording{
		cfg: cfg, about: about, folder: filepath.Join(cfg.Dir, about.ID),
		wake: make(chan struct{}, 1), flush: make(chan chan error), ending: make(chan struct{}), done: make(chan struct{}),
		streams: make(map[uint32]*stream), agreed: make(map[string]bool), muted: make(map[string]bool),
		buffer: buffer{limit: max(cfg.Buffer/chunkLen, 2)},
	}
	part, err := r.open()
	if err != nil {
		_ = os.Remove(r.folder) // if it is empty
		return nil, fmt.Errorf("start recording %s: %w", about.ID, err)
	}
	r.put(journal.Started{Recording: about.ID, Room: about.Room, By: about.By}, r.began)
	go r.write(part)
	return r, nil
}

// open makes the next part.
func (r *Recording) open() (*seal.Part, error) {
	if err := makeFolder(r.folder); err != nil {
		return nil, err
	}
	if left, err := r.cfg.disk.room(r.folder); err != nil || left < r.cfg.Spare {
		return nil, errors.Join(err, ErrLowDisk)
	}
	previous, err := ending(r.folder, r.about.Room, r.cfg.Key)
	if err != nil {
		return nil, err
	}
	r.part = 1
	if previous != nil {
		r.part = previous.Part + 1
	}
	file, err := r.cfg.disk.create(r.folder)
	if err != nil {
		return nil, err
	}
	r.began = time.Now()
	r.manifest.begin(r)
	part, err := seal.NewPart(file, seal.Binding{
		Recording: r.about.ID, Part: r.part, Room: r.about.Room, Policy: r.about.Policy, Began: r.began.UTC().Round(0), Previous: previous,
	}, r.cfg.Recipients, r.cfg.Key)
	if err != nil {
		return nil, err
	}
	if err := publish(r.folder, r.part); err != nil {
		return nil, errors.Join(err, part.Abandon())
	}
	return part, nil
}

// Ended is closed when nothing more is taken, because of Stop, Suspend, or what [Recording.Err] then says.
// A disk that does not answer may keep the file from being closed for long after that; see Done.
func (r *Recording) Ended() <-chan struct{} { return r.ending }

// Part is which part of the recording this is, from 1.
func (r *Recording) Part() uint32 { return r.part }

// Stats says how a recording goes.
type Stats struct {
	Packets uint64 // on the disk
	Lost    uint64 // packets that had no room
	Written int64  // bytes of this part's file
}

// Stats says how it goes.
func (r *Recording) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Stats{Packets: r.kept, Lost: r.lost, Written: r.written.Load()}
	if r.gap != nil {
		s.Lost += r.gap.packets
	}
	return s
}

// Begin is [tap.Sink].
func (r *Recording) Begin(s tap.Stream) {
	at := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	if before := r.streams[s.ID]; before != nil && before.begun {
		r.put(journal.End{Stream: s.ID}, at) // of another tap, which was closed without a word
	}
	known := &stream{Stream: s, agreed: r.agreed[s.Identity], index: -1}
	r.streams[s.ID] = known
	r.begin(known, at)
}

// begin tells the journal of a stream once its sender has agreed. Holds mu.
func (r *Recording) begin(s *stream, at time.Time) {
	if !s.agreed || s.begun {
		return
	}
	s.begun, s.index = true, r.manifest.track(s.Stream)
	r.put(journal.Begin{Stream: s.Stream}, at)
	if r.muted[s.Track] {
		r.put(journal.Muted{Track: s.Track, Muted: true}, at) // from its beginning
	}
}

// Packet is [tap.Sink].
func (r *Recording) Packet(id uint32, at time.Time, rtp []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	seq := uint16(0)
	if len(rtp) >= 4 {
		seq = binary.BigEndian.Uint16(rtp[2:]) // RFC 3550, 5.1
	}
	s := r.takes(id, at)
	switch {
	case s == nil:
		if known := r.streams[id]; known != nil {
			known.leaveOut(seq)
		}
		return
	case s.leftOut(seq, at.Sub(r.resumed)):
		return
	}
	offset := at.Sub(r.began)
	if len(rtp) > journal.MaxRTP {
		r.lose(journal.Oversize, offset, len(rtp))
		return
	}
	// A gap that is over is told first.
	if r.gap != nil && !r.tellGap(false) {
		r.lose(journal.Overflow, offset, len(rtp))
		return
	}
	c := r.buffer.fit(journal.PacketOverhead+len(rtp), false)
	if c == nil {
		r.lose(journal.Overflow, offset, len(rtp))
		return
	}
	c.b = journal.AppendPacket(c.b, offset, id, rtp)
	c.packets++
	c.bytes += uint64(len(rtp))
	r.manifest.count(s.index, len(rtp))
	r.hurry()
}

// takes is the stream of what arrived then and may be kept, or nil: the tap hands over a
// little later, perhaps after a pause. Holds mu.
func (r *Recording) takes(id uint32, at time.Time) *stream {
	if r.ended || r.paused || at.Before(r.resumed) {
		return nil
	}
	if s := r.streams[id]; s != nil && s.agreed {
		return s
	}
	return nil
}

// Report is [tap.Sink].
func (r *Recording) Report(id uint32, at time.Time, report tap.SenderReport) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.takes(id, at) == nil {
		return
	}
	r.scratch = journal.AppendReport(r.scratch[:0], at.Sub(r.began), id, report)
	r.putScratch()
}

// End is [tap.Sink].
func (r *Recording) End(id uint32, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.streams[id]; s != nil && s.begun {
		r.put(journal.End{Stream: id}, at)
	}
	delete(r.streams, id)
}

// Muted is [tap.Sink].
func (r *Recording) Muted(track string, muted bool, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if muted {
		r.muted[track] = true
	} else {
		delete(r.muted, track)
	}
	for _, s := range r.streams {
		if s.Track == track && s.begun && s.agreed {
			r.put(journal.Muted{Track: track, Muted: muted}, at)
			return
		}
	}
}

// Speaking is [tap.Sink].
func (r *Recording) Speaking(identities []string, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.speaking = slices.Clone(identities)
	if !r.paused {
		r.tellSpeaking(at)
	}
}

// tellSpeaking tells who speaks of those who are recorded. Holds mu.
func (r *Recording) tellSpeaking(at time.Time) {
	r.put(journal.Speaking{Identities: slices.DeleteFunc(slices.Clone(r.speaking), func(identity string) bool { return !r.agreed[identity] })}, at)
}

// Note tells the recording what happened in the meeting: a [journal.Joined], Left,
// Renamed, Consent or Message. Consent given has the streams of that identity kept from then
// on, declined or withdrawn not any more, before Note returns. Who is in the meeting
// when the recording starts has joined it, for the journal. A message in a pause, or of
// somebody whose consent does not hold, is left out like a packet, and so is one for which
// there is no room. Other events are refused.
func (r *Recording) Note(e journal.Event) error {
	at := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return ErrEnded
	}
	switch e := e.(type) {
	case journal.Joined:
		r.manifest.person(e)
		r.put(e, at)
	case journal.Left, journal.Renamed:
		r.put(e, at)
	case journal.Consent:
		return r.consent(e, at)
	case journal.Message:
		r.message(e, at)
	default:
		return fmt.Errorf("a recording is not told of a %T", e)
	}
	return nil
}

// message keeps what somebody wrote. Nobody can write a recording full: of what there is
// no room for the gap tells. Holds mu.
func (r *Recording) message(e journal.Message, at time.Time) {
	if r.paused || !r.agreed[e.Identity] {
		return
	}
	offset := at.Sub(r.began)
	if r.gap == nil || r.tellGap(false) { // which uses scratch, too
		r.scratch = journal.Append(r.scratch[:0], offset, e)
		if c := r.buffer.fit(len(r.scratch), false); c != nil {
			c.b = append(c.b, r.scratch...)
			r.hurry()
			return
		}
	}
	r.lose(journal.Overflow, offset, len(e.Text))
}

// consent is an answer. Holds mu.
func (r *Recording) consent(e journal.Consent, at time.Time) error {
	switch e.Answer {
	case journal.Given, journal.Declined, journal.Withdrawn:
	default:
		return fmt.Errorf("%q is no answer to whether one may be recorded", e.Answer)
	}
	given := e.Answer == journal.Given
	if given {
		r.agreed[e.Identity] = true
	} else {
		delete(r.agreed, e.Identity)
	}
	r.manifest.consent(e, at)
	r.put(e, at)
	for _, s := range r.streams {
		if s.Identity == e.Identity {
			s.agreed = given
			r.begin(s, at)
		}
	}
	return nil
}

// Pause keeps nothing from now on, until Resume. Who comes, goes and agrees is told all
// the same. Pausing twice is pausing once.
func (r *Recording) Pause(by string) { r.setPaused(true, by) }

// Resume ends a pause.
func (r *Recording) Resume(by string) { r.setPaused(false, by) }

func (r *Recording) setPaused(paused bool, by string) {
	at := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.paused == paused {
		return
	}
	r.paused = paused
	if paused {
		r.put(journal.Paused{By: by}, at)
	} else {
		r.resumed = at
		r.put(journal.Resumed{By: by}, at)
		if len(r.speaking) > 0 {
			r.tellSpeaking(at)
		}
	}
}

// Flush returns once all that was taken so far is on the disk, sealed.
func (r *Recording) Flush(ctx context.Context) error {
	answer := make(chan error, 1)
	select {
	case r.flush <- answer:
	case <-r.done:
		return r.endedBy()
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-answer:
		return err
	case <-r.done:
		return r.endedBy()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Stop ends a recording for good: what was taken is written, and the part closed. by is
// an identity, "" the server; reason is "" where somebody wanted it. It returns once
// all is on the disk, or ctx is over, after which the writer goes on by itself. The
// error is also why capture had stopped by itself before.
func (r *Recording) Stop(ctx context.Context, by, reason string) error {
	return r.end(ctx, true, by, reason)
}

// Suspend ends this part alone, as when the server stops: Start goes on with another.
func (r *Recording) Suspend(ctx context.Context) error {
	return r.end(ctx, false, "", "shutdown")
}

func (r *Recording) end(ctx context.Context, final bool, by, reason string) error {
	at := time.Now()
	r.mu.Lock()
	if !r.ended {
		if r.gap != nil {
			r.tellGap(true)
		}
		if final {
			r.put(journal.Stopped{By: by, Reason: reason}, at)
		}
		if reason == "" {
			reason = "stopped"
		}
	}
	if !r.ended { // put may have ended it
		r.ended, r.final, r.reason = true, final, reason
		close(r.ending)
	}
	r.mu.Unlock()
	select {
	case <-r.done:
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.err
	case <-ctx.Done():
		return fmt.Errorf("end recording %s: %w", r.about.ID, ctx.Err())
	}
}

// Done is closed when the recording's file has been closed, whatever the reason.
func (r *Recording) Done() <-chan struct{} { return r.done }

// Err is why capture stopped by itself; nil: it did not.
func (r *Recording) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

func (r *Recording) endedBy() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	return ErrEnded
}

// Fail stops capture by itself, since nothing more will come: with ErrFailed, and why.
// Stop closes it then, as after any error of its own.
func (r *Recording) Fail(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail(fmt.Errorf("%w: %w", ErrFailed, why))
}

// fail stops capture. What waits is written if the disk takes it. Holds mu.
func (r *Recording) fail(err error) {
	if r.ended {
		if r.err == nil {
			r.err, r.reason = err, reasonOf(err) // while it was being ended: Stop says so
		}
		return
	}
	r.ended, r.err, r.final, r.reason = true, err, true, reasonOf(err)
	close(r.ending)
}

// reasonOf is the closing's word for an error: whoever has the file may read it, so it
// says nothing of paths.
func reasonOf(err error) string {
	for _, known := range []error{ErrLowDisk, ErrStalled, ErrBehind, ErrFailed} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "the disk failed"
}

// put tells the journal of an event, in the order of calls. Holds mu.
func (r *Recording) put(e journal.Event, at time.Time) {
	if r.ended {
		return
	}
	r.scratch = journal.Append(r.scratch[:0], at.Sub(r.began), e)
	r.putScratch()
}

// putScratch writes the record in scratch. Holds mu.
func (r *Recording) putScratch() {
	c := r.buffer.fit(len(r.scratch), true)
	if c == nil {
		r.fail(ErrBehind)
		return
	}
	c.b = append(c.b, r.scratch...)
}

// lose counts a packet that is not written. Holds mu.
func (r *Recording) lose(reason string, at time.Duration, size int) {
	if r.gap != nil && r.gap.reason != reason {
		r.tellGap(true)
	}
	if r.gap == nil {
		r.gap = &gap{reason: reason, since: at}
	}
	r.gap.until = max(r.gap.until, at)
	r.gap.packets++
	r.gap.bytes += uint64(size)
}

// tellGap writes what was lost if packets have room again, or anyhow, and says whether
// it did. Holds mu.
func (r *Recording) tellGap(anyhow bool) bool {
	if r.buffer.fit(chunkLen/8, false) == nil && !anyhow {
		return false
	}
	g := r.gap
	r.gap = nil
	r.lost += g.packets
	r.manifest.gap(g)
	r.scratch = journal.Append(r.scratch[:0], g.until, journal.Gap{Reason: g.reason, Since: g.since, Packets: g.packets, Bytes: g.bytes})
	r.putScratch()
	return !r.ended
}

// hurry wakes the writer when half the buffer is used. Holds mu.
func (r *Recording) hurry() {
	if len(r.buffer.full)*2 >= r.buffer.limit {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}
