package meeting

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/profile"
	"aparte/signaling/recording"
	"aparte/signaling/role"
)

// What a meeting decides about recording it; the rules of one recording are in
// signaling/recording. Answers belong to people: to an agent's account, and to a guest's
// admission, so that they hold over reloads, reconnections and restarts.
//
// Whom the recorder may take follows from what is stored alone (captured), anew after
// every commit: who is in the call, and has a yes on the disk to the recording that
// runs. What takes away (a withdrawal, a pause, a stop) is done even if it cannot be
// stored, like a mute; held keeps it until it is.

const (
	// keepRecordingDays is for how many days a recording is kept, by default.
	keepRecordingDays = 90
	// recordingAlone is for how long a recording goes on of which nobody is in the call.
	recordingAlone = 5 * time.Minute
)

// topicRecording is that of packets with a RecordingAnswered.
const topicRecording = "aparte.recording"

// RecordingAnswered tells somebody's clients what they have answered, in one of them.
type RecordingAnswered struct {
	Recording string           `json:"recording"`
	Answer    recording.Answer `json:"answer"`
}

// CallRecording is what everybody in the call is told about a recording that is asked
// for or under way.
type CallRecording struct {
	ID      string            `json:"id"`
	State   recording.State   `json:"state"`
	By      string            `json:"by"` // name of the host
	Purpose string            `json:"purpose"`
	Policy  profile.Recording `json:"policy"`
	// Watchable: hosts can watch it on the server, which holds a key to it.
	Watchable bool       `json:"watchable,omitempty"`
	KeepDays  int        `json:"keep_days"`
	Post      string     `json:"post"` // name of the one that keeps it
	StartedAt *time.Time `json:"started_at,omitempty"`
}

// RecordingView is a recording as one of the meeting sees it.
type RecordingView struct {
	Recording recording.Recording // the zero Recording: none; without Consents
	Own       recording.Answer    // "": none yet
	// Impossible says why none can be asked for; nil: one can.
	Impossible error
	// Ended is why the last one stopped, while none is asked for or under way, for hosts; "":
	// none has since the meeting was loaded.
	Ended recording.Reason
	// Answers are of those in the call and of those who answered, for hosts.
	Answers []RecordingAnswer
	// Usage is how much of its quota the post uses, told to the host who asks if that is
	// nearly all; else nil.
	Usage *recording.Usage
}

// RecordingAnswer is what somebody answered.
type RecordingAnswer struct {
	Identities []string // in the call; empty: is not in it
	Name       string
	Answer     recording.Answer // "": none yet
	Observer   bool             // is not asked, as nothing is published
	Recorded   bool             // is in it
}

// held is what took something away from a recording and is not stored yet. It holds in
// this process, and is stored with the next commit that succeeds, as done by whoever did
// it, when they did.
type held struct {
	recording  string // id
	stop       *deed  // nil: not stopped
	pause      *deed
	withdrawn  map[string]withdrawal // by person
	identities map[string]bool       // of those, in the call
}

// deed is who did something, and when.
type deed struct {
	by audit.Actor
	at time.Time
}

// withdrawal is that somebody took their word back.
type withdrawal struct {
	deed
	name string
}

func (h held) empty() bool { return h.stop == nil && h.pause == nil && len(h.withdrawn) == 0 }

// and is both, of the recording of the later one. Of what was done twice the first counts.
func (h held) and(later held) held {
	if later.empty() {
		return h
	}
	if h.recording != later.recording {
		return later
	}
	later.stop, later.pause = cmp.Or(h.stop, later.stop), cmp.Or(h.pause, later.pause)
	withdrawn, identities := make(map[string]withdrawal), make(map[string]bool)
	for _, one := range []held{later, h} {
		maps.Copy(withdrawn, one.withdrawn)
		maps.Copy(identities, one.identities)
	}
	later.withdrawn, later.identities = withdrawn, identities
	return later
}

// holds is what took something away from a recording and is not stored yet.
func (l *live) holds(r recording.Recording) held {
	if l.held.recording != r.ID {
		return held{}
	}
	return l.held
}

// setRecording changes the recording; a stopped one is the meeting's no more.
func (l *live) setRecording(r recording.Recording) {
	l.changes.setRecording(r)
	if r.State == recording.Stopped {
		if f, is := recording.NewFilm(r, cmp.Or(l.cfg.Film, recording.DefaultFilm()), r.EndedAt); is {
			l.changes.Films = append(l.changes.Films, f)
		}
		l.recording, l.aloneSince = nil, time.Time{}
		return
	}
	l.recording = &r
}

// setRecording has a recording stored, in its last state.
func (c *Changes) setRecording(r recording.Recording) {
	for i := range c.Recordings {
		if c.Recordings[i].ID == r.ID {
			c.Recordings[i] = r
			return
		}
	}
	c.Recordings = append(c.Recordings, r)
}

// setConsent changes an answer to the recording.
func (l *live) setConsent(r recording.Recording, c recording.Consent) {
	l.recording = &r
	l.changes.Consents = append(l.changes.Consents, RecordingConsent{r.ID, c})
}

// steered keeps who paused, resumed or stopped it: whoever acts now.
func (l *live) steered() { l.recordedBy = l.inCallAs(l.lobby.Actor()) }

func (l *live) noteRecording(act audit.Act, r recording.Recording, details ...string) {
	d := audit.Did(act).On(audit.OfRecording, r.ID)
	for i := 0; i+1 < len(details); i += 2 {
		d = d.With(details[i], details[i+1])
	}
	l.note(d)
}

// inCallAs is who acted, as a recording names them: by identity those who are in the call,
// by account agents who are not; "": the server.
func (l *live) inCallAs(by audit.Actor) string {
	if by.Kind != audit.Agent {
		return ""
	}
	if theirs := l.identitiesOf(by.ID); len(theirs) > 0 {
		return theirs[0]
	}
	return by.ID
}

// recordable says why the meeting cannot be recorded; nil: it can.
func (l *live) recordable() error {
	if l.profile.Rules.Recording == profile.RecordingImpossible {
		return &profile.RefusedError{Line: "recording", Reason: "is impossible in this meeting's security profile"}
	}
	if err := l.profile.Available(); err != nil {
		return err
	}
	if l.cfg.Recorder == nil || l.cfg.NoRecipients && l.postRecipients == 0 {
		return recording.ErrNoRecorder
	}
	return nil
}

// underWay is the recording that a host means.
func (l *live) underWay() (recording.Recording, error) {
	if l.recording == nil {
		return recording.Recording{}, recording.ErrNoAsking
	}
	return *l.recording, nil
}

// self is who stays the same over reloads, and their name.
func (b byAgent) self(l *live) (person, called string) {
	_, p, _ := l.meeting.Role(b.agent.Account)
	return p.Account, p.Name
}

func (b bySession) self(l *live) (person, called string) {
	k, _ := l.lobby.KnockOf(b.session)
	in, ok := l.lobby.Admission(k.Admission)
	if !ok {
		return "", ""
	}
	return in.Identity, in.Name
}

// captured are those who may be taken, by identity.
func (l *live) captured() map[string]recording.Person {
	if l.recording == nil || !l.recording.State.Begun() {
		return make(map[string]recording.Person)
	}
	return l.agreeing()
}

// agreeing are those in the call whose yes to the recording holds, by identity.
func (l *live) agreeing() map[string]recording.Person {
	who := make(map[string]recording.Person)
	for identity, p := range l.inCall {
		if p.Role != role.Observer && l.recording.Has(l.keyOf(identity)) {
			who[identity] = recording.Person{Name: p.Name, Role: p.Role}
		}
	}
	return who
}

// includeCaptured has it stored who is let through, before they are.
func (l *live) includeCaptured() {
	for _, identity := range slices.Sorted(maps.Keys(l.captured())) {
		if r, c, is := l.recording.Include(l.keyOf(identity)); is {
			l.setConsent(r, c)
		}
	}
}

// want tells the captor what is to be taken, now that it is stored.
func (l *live) want(now time.Time) {
	w := recording.Wanted{At: now, By: l.recordedBy}
	if r := l.recording; r != nil && r.State.Begun() {
		w.Who, w.Paused, w.In = l.captured(), r.State == recording.Paused, make(map[string]bool, len(l.inCall))
		for identity := range l.inCall {
			w.In[identity] = true
		}
		w.Order = recording.Order{
			ID: r.ID, Part: r.Part, Post: l.meeting.Post, Meeting: l.id, Profile: r.Profile, ProfileVersion: r.ProfileVersion,
			Policy: r.Policy, Watchable: r.Watchable, AskedBy: r.AskedBy, AskedByName: r.AskedByName, Purpose: r.Purpose, KeepDays: r.KeepDays,
		}
	}
	l.captor.Want(w)
}

// writeDown has the recorder take a message to everybody, by somebody who is recorded now.
// A private one never is, nor a file: its sender may still delete it, and could not there.
func (l *live) writeDown(m Message) {
	r := l.recording
	if m.To != ToEveryone || r == nil || r.State != recording.Running {
		return
	}
	if _, agreed := l.agreeing()[m.From]; !agreed {
		return
	}
	w := recording.Written{Recording: r.ID, Part: r.Part, Identity: m.From, Text: m.Text, At: m.At, Decided: l.captor.Decided()}
	l.orders = append(l.orders, func(Media, string) { l.captor.Write(w) })
}

// narrow is want where nothing could be stored: it only takes away.
func (l *live) narrow() {
	l.captor.Narrow(func(w *recording.Wanted) {
		mine := w.Order.ID == l.held.recording
		maps.DeleteFunc(w.Who, func(identity string, _ recording.Person) bool {
			_, in := l.inCall[identity]
			w.In[identity] = w.In[identity] && in
			return !in || mine && l.held.identities[identity]
		})
		if mine && l.held.pause != nil && !w.Paused {
			w.Paused, w.By = true, l.inCallAs(l.held.pause.by)
		}
		if mine && l.held.stop != nil {
			w.Order, w.Who, w.By = recording.Order{}, nil, l.inCallAs(l.held.stop.by)
		}
	})
}

// followRecording does at the beginning of a step what has happened to the recording
// since: what took away without being stored, parts that are over, a crash.
func (l *live) followRecording(ctx context.Context, now time.Time) []recording.Over {
	l.lobby.By(audit.Actor{Kind: audit.Server}, now)
	l.followCrash(ctx, now)
	l.applyHeld()
	l.lobby.By(audit.Actor{Kind: audit.Server}, now)
	over := l.captor.Ended()
	for _, o := range over {
		l.settleOver(o, now)
	}
	return over
}

// followCrash takes up the recording of a server that went down. What it took nobody was
// told: it is counted as what is there and is of no part that was closed.
func (l *live) followCrash(ctx context.Context, now time.Time) {
	r := l.recording
	if r == nil {
		return
	}
	if l.captor.Knows(r.ID, r.Part) {
		l.followLate(*r)
		return
	}
	if r.State.Begun() {
		l.interrupt(recording.Crashed)
	}
	r = l.recording
	stopping, broke := r.State == recording.Stopping, r.State == recording.Interrupted && r.Because == recording.Crashed
	if !stopping && (!broke || l.counted || now.Before(l.countAt) && !l.look.answered()) {
		return
	}
	missing, err := l.missing(ctx, *r)
	if err != nil {
		l.countAt = now.Add(countAgain)
		l.cfg.Log.WarnContext(ctx, "look how large a recording is that broke off", "meeting", l.id, "recording", r.ID, "part", r.Part, "err", err)
	}
	l.counted = err == nil
	if missing > 0 {
		l.closeBroken(r.Part, missing)
	} else if stopping {
		l.setRecording(r.Close(recording.Summary{}))
	}
}

// bytesOf is how many bytes parts have.
func bytesOf(parts []recording.Part) (bytes int64) {
	for _, p := range parts {
		bytes += p.Bytes
	}
	return bytes
}

// interrupt notes that nothing is taken any more.
func (l *live) interrupt(because recording.Reason) {
	r := l.recording.Interrupt(because)
	l.noteRecording(audit.RecordingInterrupted, r, "because", string(because))
	l.setRecording(r)
}

// applyHeld stores what holds already, by whoever did it.
func (l *live) applyHeld() {
	if l.recording == nil {
		return
	}
	h := l.holds(*l.recording)
	for _, person := range slices.Sorted(maps.Keys(h.withdrawn)) {
		w := h.withdrawn[person]
		l.lobby.By(w.by, w.at)
		_ = l.answer(person, w.name, recording.Withdrawn, w.at) // of a recording that is over nothing is left to take back
	}
	if did := h.stop; did != nil {
		l.lobby.By(did.by, did.at)
		l.stopRecording(recording.ByHost, did.at)
	} else if r, err := l.recording.Pause(); h.pause != nil && err == nil && l.recording.State == recording.Running {
		l.lobby.By(h.pause.by, h.pause.at)
		l.steered()
		l.noteRecording(audit.RecordingPaused, r)
		l.setRecording(r)
	}
}

// settleOver takes up what became of a part.
func (l *live) settleOver(o recording.Over, now time.Time) {
	if l.recording == nil || l.recording.ID != o.ID {
		return
	}
	if l.recording.State.Begun() && l.recording.Part == o.Part {
		switch {
		case errors.Is(o.Err, recording.ErrShutdown):
			l.interrupt(recording.Shutdown)
		case errors.Is(o.Err, recording.ErrNoRoom):
			l.stopRecording(recording.NoRoom, now)
		default:
			l.stopRecording(recording.Failed, now)
		}
	}
	l.closeRecording(o.Part, o.Summary)
}

// closeRecording notes what became of a part.
func (l *live) closeRecording(part int, s recording.Summary) {
	r := l.recording.Close(s)
	l.noteRecording(audit.RecordingClosed, r, "part", strconv.Itoa(part), "bytes", strconv.FormatInt(s.Bytes, 10), "sealed", yes(s.Sealed))
	l.setRecording(r)
}

// stopRecording ends it: nothing more is taken once that is decided.
func (l *live) stopRecording(because recording.Reason, now time.Time) {
	before := *l.recording
	r, err := before.Stop(because, now)
	if err != nil {
		return
	}
	if r.StartedAt.IsZero() { // nothing was taken: nothing is kept, the answers neither
		l.noteRecording(audit.RecordingCancelled, r, "because", string(because))
		l.changes.forgetRecording(r.ID)
		l.recording = nil
		return
	}
	l.steered()
	l.noteRecording(audit.RecordingStopped, r, "because", string(because))
	l.setRecording(r)
	l.ended = because
}

// forgetRecording deletes what is stored of a recording.
func (c *Changes) forgetRecording(id string) {
	c.Recordings = slices.DeleteFunc(c.Recordings, func(r recording.Recording) bool { return r.ID == id })
	c.Consents = slices.DeleteFunc(c.Consents, func(v RecordingConsent) bool { return v.Recording == id })
	of := func(f recording.Film) bool { return f.Recording == id }
	c.Films, c.FilmsAgain = slices.DeleteFunc(c.Films, of), slices.DeleteFunc(c.FilmsAgain, of)
	c.DroppedRecordings = append(c.DroppedRecordings, id)
}

// watchRecording ends, at the end of a step, what must not go on.
func (l *live) watchRecording(now time.Time) {
	if l.recording == nil {
		return
	}
	switch {
	case l.meeting.State != Open:
		l.stopRecording(recording.AtEnd, now)
	case l.profile.Rules.Recording == profile.RecordingImpossible:
		l.stopRecording(recording.ByRule, now)
	case l.recording.State == recording.Asking || l.recording.State == recording.Stopping || len(l.agreeing()) > 0:
		l.aloneSince = time.Time{}
	case l.aloneSince.IsZero():
		l.aloneSince = now
	case !now.Before(l.aloneSince.Add(l.cfg.RecordingAlone)):
		l.stopRecording(recording.Alone, now)
	}
	if l.recording != nil {
		l.includeCaptured()
	}
}

// recordingDue is when a recording of nobody ends; zero: it does not.
func (l *live) recordingDue() time.Time {
	if l.recording == nil || l.aloneSince.IsZero() {
		return time.Time{}
	}
	return l.aloneSince.Add(l.cfg.RecordingAlone)
}

// callRecording is what the call is told of it.
func (l *live) callRecording() *CallRecording {
	r := l.recording
	if r == nil || !r.State.Live() {
		return nil
	}
	v := &CallRecording{ID: r.ID, State: r.State, By: r.AskedByName, Purpose: r.Purpose, Policy: r.Policy, Watchable: r.Watchable, KeepDays: r.KeepDays, Post: l.postName}
	if !r.StartedAt.IsZero() {
		v.StartedAt = &r.StartedAt
	}
	return v
}

// lobbyRecording is what those are told who are not in.
func (l *live) lobbyRecording() recording.State {
	if r := l.recording; r != nil && r.State.Live() && l.meeting.State == Open {
		return r.State
	}
	return ""
}

// recordingViewFor is the recording as seen by a role, and by somebody whose answer it may have.
func (l *live) recordingViewFor(r role.Role, self string) RecordingView {
	v := RecordingView{Impossible: l.recordable()}
	if r.Moderates() && (l.recording == nil || !l.recording.State.Live()) {
		v.Ended = l.ended
	}
	if l.recording == nil {
		return v
	}
	v.Recording = *l.recording
	v.Recording.Consents = nil
	if own, ok := l.recording.Of(self); ok {
		v.Own = own.Answer
	}
	if r.Moderates() {
		v.Answers = l.recordingAnswers()
	}
	return v
}

// recordingAnswers are of those in the call and of those who answered, by name.
func (l *live) recordingAnswers() []RecordingAnswer {
	of := make(map[string]RecordingAnswer)
	for _, c := range l.recording.Consents {
		of[c.Person] = RecordingAnswer{Name: c.Name, Answer: c.Answer, Recorded: c.Recorded}
	}
	for identity, p := range l.inCall {
		key := l.keyOf(identity)
		v := of[key]
		v.Name, v.Observer = p.Name, p.Role == role.Observer
		v.Identities = append(v.Identities, identity)
		of[key] = v
	}
	all := make([]RecordingAnswer, 0, len(of))
	for _, person := range slices.Sorted(maps.Keys(of)) {
		v := of[person]
		slices.Sort(v.Identities)
		all = append(all, v)
	}
	slices.SortStableFunc(all, func(a, b RecordingAnswer) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// closeRecordings ends what is being taken in every meeting, and has it stored what it
// became: as interrupted, since nobody stopped it.
func (m *Meetings) closeRecordings() {
	m.mu.Lock()
	all := slices.Collect(maps.Values(m.live))
	m.mu.Unlock()
	// Side by side: a slow disk holds up one, and the others are stored as what they are.
	var closing sync.WaitGroup
	for _, l := range all {
		closing.Go(func() {
			if l.captor.Close() {
				m.lookAround(m.ctx, []string{l.id})
			}
		})
	}
	closing.Wait()
}
