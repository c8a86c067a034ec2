package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"aparte/recorder"
	"aparte/recorder/journal"
	"aparte/recorder/seal"
	"aparte/sfu"
	"aparte/signaling/name"
	"aparte/signaling/post"
	"aparte/signaling/profile"
	"aparte/signaling/recording"
)

// Here whatever writes calls down meets the meetings that decide whom it may take:
// aparte/recorder, which knows no rules, over the tap of the rooms.

// scribe is the recording.Recorder of this server.
type scribe struct {
	*kept
	rooms  sfu.Space
	posts  recipientKeys
	server []seal.Recipient // of posts without recipients of their own; none: they record nothing
	config recorder.Config
	log    *slog.Logger
}

// recipientKeys knows the recipients that posts have for their recordings.
type recipientKeys interface {
	RecipientKeys(ctx context.Context, post string) ([]string, error)
}

// beginning is what came of beginning a part.
type beginning struct {
	capture *writing
	err     error
}

// openRecorder makes the server's recorder.
func openRecorder(c *Config, kept *kept, rooms sfu.Space, posts recipientKeys, log *slog.Logger) (*scribe, error) {
	s := &scribe{kept: kept, rooms: rooms, posts: posts, log: log, config: recorder.Config{Dir: kept.dir, Key: kept.key}}
	if len(c.Recordings.Recipients) == 0 {
		return s, nil
	}
	if n := len(c.Recordings.Recipients); n > seal.MaxArchives {
		return nil, usageError{fmt.Errorf("recordings.recipients: %d recipients, at most %d are allowed", n, seal.MaxArchives)}
	}
	var err error
	if s.server, err = seal.ParseRecipients(c.Recordings.Recipients...); err != nil {
		return nil, usageError{fmt.Errorf("recordings.recipients: %w", err)}
	}
	if slices.ContainsFunc(s.server, kept.filmKey.opens) {
		return nil, usageError{errors.New("recordings.recipients: one of them is the server's own key (recordings.server_key), to which nothing may be sealed that is for the archive alone: remove it there")}
	}
	return s, os.MkdirAll(kept.dir, 0o700)
}

// recipients are to whom a part is sealed that begins now: the post's own, or else the
// server's.
func (s *scribe) recipients(ctx context.Context, post string) ([]seal.Recipient, error) {
	keys, err := s.posts.RecipientKeys(ctx, post)
	switch {
	case err != nil:
		return nil, fmt.Errorf("recipients of post %s: %w", post, err)
	case len(keys) > 0:
		return seal.ParseRecipients(keys...)
	case len(s.server) == 0: // the last one was taken away a moment ago
		return nil, recording.ErrNoRecorder
	}
	return s.server, nil
}

// readRecipient reads the public key of an archive that somebody typed, and says what is
// wrong with it.
func readRecipient(typed string) (string, error) {
	read, err := seal.ParseRecipients(typed)
	if err == nil {
		return read[0].String(), nil
	}
	for _, wrong := range []struct {
		is   error
		code name.Code
	}{{seal.ErrPrivateKey, post.CodePrivateKey}, {seal.ErrNotHybrid, post.CodeClassicKey}, {seal.ErrDamagedKey, post.CodeDamagedKey}} {
		if errors.Is(err, wrong.is) {
			return "", &name.Error{At: "key", Reason: wrong.is.Error(), Code: wrong.code}
		}
	}
	return "", &name.Error{At: "key", Reason: err.Error()}
}

// archiveKeyFile is where --dev keeps the private key of its recordings.
const archiveKeyFile = "archive.key"

// devArchive gives a server that is tried out an archive of its own, so that it can
// record: the key that opens what it writes lies beside it, which is no way to keep one.
func devArchive(c *Config) (file string, err error) {
	file = filepath.Join(c.DataDir, archiveKeyFile)
	switch kept, err := os.ReadFile(file); {
	case err == nil:
		identities, err := seal.ParseIdentities(kept)
		if err != nil {
			return "", fmt.Errorf("%s: %w", file, err)
		}
		public, ok := identities[0].Recipient()
		if !ok {
			return "", fmt.Errorf("%s is no hybrid key: move it away, and one is made", file)
		}
		c.Recordings.Recipients = []string{public.String()}
		return file, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	content, public, err := seal.NewIdentityFile(time.Now())
	if err != nil {
		return "", err
	}
	if err := seal.WriteSecret(file, content); err != nil {
		return "", err
	}
	c.Recordings.Recipients = []string{public.String()}
	return file, nil
}

// Start implements recording.Recorder. A disk that does not answer in time has none begun;
// what it begins later is closed, with nobody in it.
func (s *scribe) Start(ctx context.Context, o recording.Order) (recording.Capture, error) {
	answer := make(chan beginning, 1)
	go func() {
		c, err := s.begin(ctx, o)
		answer <- beginning{c, err}
	}()
	select {
	case b := <-answer:
		if b.err != nil {
			return nil, b.err
		}
		return b.capture, nil
	case <-ctx.Done():
		go s.tooLate(context.WithoutCancel(ctx), o, answer)
		return nil, fmt.Errorf("begin recording %s: %w", o.ID, ctx.Err())
	}
}

// tooLate closes what begins although it was given up. Was its recording deleted meanwhile,
// or is it being, then the folder and the key that this made again go as well: nobody else
// would look for them.
func (s *scribe) tooLate(ctx context.Context, o recording.Order, answer <-chan beginning) {
	b := <-answer
	if b.err == nil {
		if _, err := b.capture.Stop(ctx, true, ""); err != nil {
			s.log.Error("close recording that began too late", "recording", o.ID, "err", err)
		}
	}
	e, err := s.locks.store.StartedRecording(ctx, o.Meeting, o.ID)
	if err == nil && e.Deletion == nil {
		return
	}
	if err == nil || errors.Is(err, recording.ErrNone) {
		err = s.Delete(ctx, o.ID)
	}
	if err != nil {
		s.log.Error("delete what began too late of a recording that is deleted", "recording", o.ID, "err", err)
	}
}

// begin makes the part, and taps the room.
func (s *scribe) begin(ctx context.Context, o recording.Order) (*writing, error) {
	config := s.config
	wording, err := questionOf(o)
	if err != nil {
		return nil, err
	}
	if config.Recipients, err = s.recipients(ctx, o.Post); err != nil {
		return nil, err
	}
	// The server's own key is never among those of an archive, whoever named it there.
	config.Recipients = slices.DeleteFunc(slices.Clone(config.Recipients), s.filmKey.opens)
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	watchable := recording.Watchable(o.Policy, o.Watchable) && s.filmKey.is()
	if watchable {
		own, err := s.keys.need(o.ID)
		switch {
		case errors.Is(err, seal.ErrNotForUs): // the server had another key when the recording began
			s.log.Error("a part of a recording is sealed to the archive alone", "recording", o.ID, "part", o.Part, "err", err)
			watchable = false
		case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
			return nil, errors.Join(recording.ErrNoRoom, err)
		case err != nil:
			return nil, err
		default: // for which there is always room
			config.Recipients = append(config.Recipients, own.public)
		}
	}
	begun := make(chan struct{})
	defer close(begun) // when what is written is known, or nothing is
	s.setWrites(o.ID, begun)
	rec, err := recorder.Start(config, recorder.About{
		ID: o.ID, Room: o.Meeting, By: o.AskedBy,
		Policy: fmt.Sprintf("%s, profile %s version %d", o.Policy, o.Profile, o.ProfileVersion),
	})
	if err != nil {
		return nil, because(err)
	}
	s.setWrites(o.ID, rec.Done())
	s.keeper.Follow(o.ID, rec.Part(), func() int64 { return rec.Stats().Written }, rec.Done())
	c := &writing{scribe: s, order: o, rec: rec, sealed: !watchable, wording: wording, let: make(map[string]bool)}
	if err := c.connect(); err != nil && !errors.Is(err, sfu.ErrNoRoom) {
		// Nothing was taken: what is there says nothing but that it was begun.
		return nil, errors.Join(err, rec.Stop(ctx, "", "the room could not be tapped"))
	}
	return c, nil
}

// question is what people are asked who are recorded, as the journal's consents have it
// (recorder/journal): what they agreed to, so that a recording says it by itself. All of it
// is fixed when the recording is asked for, and an answer is to that recording alone. Who
// asked is left out: who is not in a recording is not named in it.
type question struct {
	Purpose        string            `json:"purpose"`
	KeepDays       int               `json:"keep_days"`
	Policy         profile.Recording `json:"policy"`
	Watchable      bool              `json:"watchable"`
	Profile        string            `json:"profile"`
	ProfileVersion int               `json:"profile_version"`
	Post           string            `json:"post"`
	// Program has the words around that in each language: the one that writes this down.
	Program string `json:"program"`
}

// questionOf is the wording of an order's question.
func questionOf(o recording.Order) (string, error) {
	program, revision := built()
	if revision != "" {
		program += " " + revision
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(question{o.Purpose, o.KeepDays, o.Policy, o.Watchable, o.Profile, o.ProfileVersion, o.Post, program})
	return strings.TrimSpace(text.String()), err
}

// because is an error of the recorder as the meetings know it.
func because(err error) error {
	if errors.Is(err, recorder.ErrLowDisk) {
		return errors.Join(recording.ErrNoRoom, err)
	}
	return err
}

// writing is one part that is being written: the taps of a call's room, one after the
// other, into one file. An empty room ends after a while, and the call may go on in a new
// one of that name.
type writing struct {
	*scribe
	order recording.Order
	rec   *recorder.Recording
	// sealed to the archive alone.
	sealed bool
	// wording of the question that everybody answered whom it takes.
	wording string

	mu    sync.Mutex // guards what follows; held while the tap is told
	tap   *sfu.Tap   // nil: there was no room
	let   map[string]bool
	ended bool

	watching sync.WaitGroup // of taps
}

// connect taps the room, unless that is done. Holds mu, or is alone.
func (c *writing) connect() error {
	if c.tap != nil {
		select {
		case <-c.tap.Done(): // the room that was is no more
		default:
			return nil
		}
	}
	tap, err := c.rooms.Tap(c.order.Meeting, sfu.TapConfig{Sink: c.rec})
	if err != nil {
		return err
	}
	c.tap = tap
	c.watching.Go(func() { c.watch(tap) })
	for identity := range c.let {
		tap.Allow(identity)
	}
	return nil
}

// tapped is what is watched of a tap.
type tapped interface {
	Done() <-chan struct{}
	Lost() uint64
	Err() error
}

// watch waits for the end of a tap. One that failed is not put in place anew, since the
// same would come of it: the recording ends, so that nobody is told of one that takes
// nothing.
func (c *writing) watch(tap tapped) {
	<-tap.Done()
	if lost := tap.Lost(); lost > 0 {
		c.log.Warn("packets were gone before the recorder could take them", "meeting", c.order.Meeting, "recording", c.order.ID, "part", c.order.Part, "lost", lost)
	}
	if err := tap.Err(); err != nil {
		c.rec.Fail(err)
	}
}

// Allow implements recording.Capture.
func (c *writing) Allow(identity string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	c.let[identity] = true
	if err := c.connect(); err != nil {
		// Without a room there is nothing to take; whoever comes into one is allowed anew.
		if !errors.Is(err, sfu.ErrNoRoom) {
			c.log.Error("record", "meeting", c.order.Meeting, "recording", c.order.ID, "err", err)
		}
		return
	}
	c.tap.Allow(identity)
}

// Forbid implements recording.Capture.
func (c *writing) Forbid(identity string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.let, identity)
	if c.tap != nil {
		c.tap.Forbid(identity)
	}
}

// Pause implements recording.Capture.
func (c *writing) Pause(by string) { c.rec.Pause(by) }

// Resume implements recording.Capture.
func (c *writing) Resume(by string) {
	c.rec.Resume(by)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tap != nil {
		c.tap.Refresh() // pictures begin again with a key frame
	}
}

// Note implements recording.Capture. What the recorder cannot take any more is no error:
// Done tells that it has ended.
func (c *writing) Note(e recording.Event) {
	var all []journal.Event
	switch e.Kind {
	case recording.EventAllowed:
		all = []journal.Event{
			journal.Joined{Identity: e.Identity, Name: e.Name, Kind: string(e.Role)},
			journal.Consent{Identity: e.Identity, Answer: journal.Given, Wording: c.wording},
		}
	case recording.EventForbidden:
		if e.Left {
			all = []journal.Event{journal.Left{Identity: e.Identity}}
		} else {
			all = []journal.Event{journal.Consent{Identity: e.Identity, Answer: journal.Withdrawn, Wording: c.wording}}
		}
	case recording.EventMessage:
		all = []journal.Event{journal.Message{Identity: e.Identity, Text: e.Text}}
	case recording.EventPaused, recording.EventResumed:
		return // Pause and Resume say so themselves
	}
	for _, one := range all {
		if err := c.rec.Note(one); err != nil && !errors.Is(err, recorder.ErrEnded) {
			c.log.Error("note in recording", "meeting", c.order.Meeting, "recording", c.order.ID, "err", err)
		}
	}
}

// Stop implements recording.Capture.
func (c *writing) Stop(ctx context.Context, final bool, by string) (recording.Summary, error) {
	c.mu.Lock()
	c.ended = true
	tap := c.tap
	c.mu.Unlock()
	if tap != nil {
		tap.Close()
	}
	c.watching.Wait()
	var err error
	if final {
		err = c.rec.Stop(ctx, by, "")
	} else {
		err = c.rec.Suspend(ctx)
	}
	c.writes(c.order.ID) // what is closed is forgotten
	return recording.Summary{Bytes: c.rec.Stats().Written, Sealed: c.sealed}, because(err)
}

// Done implements recording.Capture.
func (c *writing) Done() <-chan struct{} { return c.rec.Ended() }

// Err implements recording.Capture.
func (c *writing) Err() error { return because(c.rec.Err()) }
