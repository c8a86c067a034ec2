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
	"aparte/signaling/name"
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
	// MaxPurpose is how long what a recording is for may be, in characters.
	MaxPurpose = 200
	// keepRecordingDays is for how many days a recording is kept, by default.
	keepRecordingDays = 90
	// recordingAlone is for how long a recording goes on of which nobody is in the call.
	recordingAlone = 5 * time.Minute
	// maxListed is how many recordings of a meeting are listed.
	maxListed = 200
	// maxDownloads is how many times that parts of them were taken away are.
	maxDownloads = 1000
	// maxExpiredRecordings is how many one sweep deletes.
	maxExpiredRecordings = 50
	// expireAgain is how long after one could not be deleted that is tried again.
	expireAgain = 10 * time.Minute
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
	ID        string            `json:"id"`
	State     recording.State   `json:"state"`
	By        string            `json:"by"` // name of the host
	Purpose   string            `json:"purpose"`
	Policy    profile.Recording `json:"policy"`
	KeepDays  int               `json:"keep_days"`
	Post      string            `json:"post"` // name of the one that keeps it
	StartedAt *time.Time        `json:"started_at,omitempty"`
}

// RecordingView is a recording as one of the meeting sees it.
type RecordingView struct {
	Recording recording.Recording // the zero Recording: none; without Consents
	Own       recording.Answer    // "": none yet
	// Impossible says why none can be asked for; nil: one can.
	Impossible error
	// Answers are of those in the call and of those who answered, for hosts.
	Answers []RecordingAnswer
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

func (l *live) noteRecording(act audit.Act, r recording.Recording, details ...string) {
	d := audit.Did(act).On(audit.OfRecording, r.ID)
	for i := 0; i+1 < len(details); i += 2 {
		d = d.With(details[i], details[i+1])
	}
	l.note(d)
}

// recordable says why the meeting cannot be recorded; nil: it can.
func (l *live) recordable() error {
	if l.profile.Rules.Recording == profile.RecordingImpossible {
		return &profile.RefusedError{Line: "recording", Reason: "is impossible in this meeting's security profile"}
	}
	if err := l.profile.Available(); err != nil {
		return err
	}
	if l.cfg.Recorder == nil {
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

// captured are the names of those who may be taken, by identity.
func (l *live) captured() map[string]string {
	if l.recording == nil || !l.recording.State.Begun() {
		return make(map[string]string)
	}
	return l.agreeing()
}

// agreeing are the names of those in the call whose yes to the recording holds, by identity.
func (l *live) agreeing() map[string]string {
	who := make(map[string]string)
	for identity, p := range l.inCall {
		if p.Role != role.Observer && l.recording.Has(l.keyOf(identity)) {
			who[identity] = p.Name
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
	w := recording.Wanted{At: now}
	if r := l.recording; r != nil && r.State.Begun() {
		w.Who, w.Paused, w.In = l.captured(), r.State == recording.Paused, make(map[string]bool, len(l.inCall))
		for identity := range l.inCall {
			w.In[identity] = true
		}
		w.Order = recording.Order{
			ID: r.ID, Part: r.Part, Post: l.meeting.Post, Meeting: l.id, Profile: r.Profile, ProfileVersion: r.ProfileVersion,
			Policy: r.Policy, AskedBy: r.AskedBy, AskedByName: r.AskedByName, Purpose: r.Purpose, KeepDays: r.KeepDays,
		}
	}
	l.captor.Want(w)
}

// narrow is want where nothing could be stored: it only takes away.
func (l *live) narrow() {
	l.captor.Narrow(func(w *recording.Wanted) {
		mine := w.Order.ID == l.held.recording
		maps.DeleteFunc(w.Who, func(identity, _ string) bool {
			_, in := l.inCall[identity]
			w.In[identity] = w.In[identity] && in
			return !in || mine && l.held.identities[identity]
		})
		w.Paused = w.Paused || mine && l.held.pause != nil
		if mine && l.held.stop != nil {
			w.Order, w.Who = recording.Order{}, nil
		}
	})
}

// followRecording does at the beginning of a step what has happened to the recording
// since: what took away without being stored, parts that are over, a crash.
func (l *live) followRecording(now time.Time) []recording.Over {
	l.lobby.By(audit.Actor{Kind: audit.Server}, now)
	if r := l.recording; r != nil && r.State.Begun() && !l.captor.Knows(r.ID, r.Part) {
		l.interrupt(recording.Crashed)
	} else if r != nil && r.State == recording.Stopping && !l.captor.Knows(r.ID, r.Part) {
		l.setRecording(r.Close(recording.Summary{})) // how large it is nobody was told
	}
	l.applyHeld()
	l.lobby.By(audit.Actor{Kind: audit.Server}, now)
	over := l.captor.Ended()
	for _, o := range over {
		l.settleOver(o, now)
	}
	return over
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
	r := l.recording.Close(o.Summary)
	l.noteRecording(audit.RecordingClosed, r, "part", strconv.Itoa(o.Part), "bytes", strconv.FormatInt(o.Summary.Bytes, 10), "sealed", yes(o.Summary.Sealed))
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
	l.noteRecording(audit.RecordingStopped, r, "because", string(because))
	l.setRecording(r)
}

// forgetRecording deletes what is stored of a recording.
func (c *Changes) forgetRecording(id string) {
	c.Recordings = slices.DeleteFunc(c.Recordings, func(r recording.Recording) bool { return r.ID == id })
	c.Consents = slices.DeleteFunc(c.Consents, func(v RecordingConsent) bool { return v.Recording == id })
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
	v := &CallRecording{ID: r.ID, State: r.State, By: r.AskedByName, Purpose: r.Purpose, Policy: r.Policy, KeepDays: r.KeepDays, Post: l.postName}
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

// onRecording is part of what hosts do with the recording.
type onRecording struct{ byAgent }

func (onRecording) command() role.Command { return role.Record }

// now is who moderates, and the recording that is asked for or under way.
func (a onRecording) now(l *live) (recording.Recording, error) {
	if _, err := a.alive(l); err != nil {
		return recording.Recording{}, err
	}
	return l.underWay()
}

// view is the answer to a host.
func (a onRecording) view(l *live) RecordingView {
	self, _ := a.self(l)
	return l.recordingViewFor(role.Host, self)
}

type askRecording struct {
	onRecording
	purpose string
}

func (a askRecording) do(l *live, now time.Time) (any, error) {
	h, err := a.alive(l)
	if err != nil {
		return nil, err
	}
	if l.meeting.State != Open {
		return nil, ErrNotOpen
	}
	if err := l.recordable(); err != nil {
		return nil, err
	}
	if l.recording != nil {
		return nil, recording.ErrOngoing
	}
	purpose, err := name.Required("purpose", a.purpose, MaxPurpose)
	if err != nil {
		return nil, err
	}
	id, err := newID(l.cfg.Random)
	if err != nil {
		return nil, err
	}
	r := recording.Recording{
		ID: id, Meeting: l.id, State: recording.Asking, AskedBy: h.Account, AskedByName: h.Name, Purpose: purpose,
		Profile: l.profile.ID, ProfileVersion: l.profile.Version, Policy: l.profile.Rules.Recording, KeepDays: l.cfg.KeepRecordingDays, AskedAt: now,
	}
	l.note(audit.Did(audit.RecordingAsked).On(audit.OfRecording, id).With("policy", string(r.Policy)).With("keep_days", strconv.Itoa(r.KeepDays)).Typed("purpose", purpose))
	l.setRecording(r)
	return a.view(l), nil
}

// AskRecording asks everybody in the call, and who comes later, whether they agree to be
// recorded, and for what. Nothing is recorded yet. Refused with a *profile.RefusedError,
// recording.ErrNoRecorder, recording.ErrOngoing or a *name.Error.
func (m *Meetings) AskRecording(ctx context.Context, by Agent, id, purpose string) (RecordingView, error) {
	return answer[RecordingView](ctx, m, id, askRecording{onRecording{byAgent{by}}, purpose})
}

type startRecording struct{ onRecording }

func (a startRecording) do(l *live, now time.Time) (any, error) {
	r, err := a.now(l)
	if err == nil {
		err = l.recordable()
	}
	if err == nil {
		r, err = r.Start(now)
	}
	if err != nil {
		return nil, err
	}
	l.noteRecording(audit.RecordingStarted, r, "part", strconv.Itoa(r.Part))
	l.setRecording(r)
	return a.view(l), nil
}

// StartRecording records those who have agreed, and whoever agrees from then on.
// recording.ErrFailed: the recorder could not.
func (m *Meetings) StartRecording(ctx context.Context, by Agent, id string) (RecordingView, error) {
	return m.begunRecording(ctx, by, id, startRecording{onRecording{byAgent{by}}})
}

// begunRecording asks, and looks whether the recorder has obeyed.
func (m *Meetings) begunRecording(ctx context.Context, by Agent, id string, a act) (RecordingView, error) {
	began, err := answer[RecordingView](ctx, m, id, a)
	if err != nil {
		return began, err
	}
	// What the recorder answered is taken up before anything that is asked of the meeting.
	v, err := m.Recording(ctx, AsAgent(by, id))
	if err == nil && v.Recording.ID != began.Recording.ID {
		err = recording.ErrFailed
	}
	return v, err
}

type pauseRecording struct{ onRecording }

func (a pauseRecording) do(l *live, now time.Time) (any, error) {
	before, err := a.now(l)
	if err != nil {
		return nil, err
	}
	r, err := before.Pause()
	if err != nil {
		return nil, err
	}
	if r.State != before.State {
		l.noteRecording(audit.RecordingPaused, r)
		l.setRecording(r)
	}
	if r.State != before.State || l.holds(r).pause != nil {
		l.hold = held{recording: r.ID, pause: &deed{a.actor(), now}}
	}
	return a.view(l), nil
}

// PauseRecording takes nothing until it is resumed.
func (m *Meetings) PauseRecording(ctx context.Context, by Agent, id string) (RecordingView, error) {
	return answer[RecordingView](ctx, m, id, pauseRecording{onRecording{byAgent{by}}})
}

type resumeRecording struct{ onRecording }

func (a resumeRecording) do(l *live, _ time.Time) (any, error) {
	before, err := a.now(l)
	if err == nil {
		err = l.recordable()
	}
	if err != nil {
		return nil, err
	}
	r, err := before.Resume()
	if err != nil {
		return nil, err
	}
	if r.State != before.State {
		l.noteRecording(audit.RecordingResumed, r, "part", strconv.Itoa(r.Part))
		l.setRecording(r)
	}
	return a.view(l), nil
}

// ResumeRecording goes on after a pause, or as a new part after an interruption.
func (m *Meetings) ResumeRecording(ctx context.Context, by Agent, id string) (RecordingView, error) {
	return m.begunRecording(ctx, by, id, resumeRecording{onRecording{byAgent{by}}})
}

type stopRecording struct{ onRecording }

func (a stopRecording) do(l *live, now time.Time) (any, error) {
	r, err := a.now(l)
	if err != nil {
		return nil, err
	}
	if r.State.Begun() || l.holds(r).stop != nil {
		l.hold = held{recording: r.ID, stop: &deed{a.actor(), now}}
	}
	if !r.State.Live() { // being closed already
		return a.view(l), nil
	}
	l.stopRecording(recording.ByHost, now)
	return a.view(l), nil
}

// StopRecording ends a recording, whoever asked for it; one that has not started is
// forgotten with all answers.
func (m *Meetings) StopRecording(ctx context.Context, by Agent, id string) (RecordingView, error) {
	return answer[RecordingView](ctx, m, id, stopRecording{onRecording{byAgent{by}}})
}

type lookAtRecording struct{ person }

func (lookAtRecording) command() role.Command { return role.LookAtRecording }

func (a lookAtRecording) do(l *live, now time.Time) (any, error) {
	r, err := a.as(l, now)
	if err != nil {
		return nil, err
	}
	self, _ := a.self(l)
	return l.recordingViewFor(r, self), nil
}

// Recording is what somebody may know of the recording that is asked for or under way.
func (m *Meetings) Recording(ctx context.Context, who InCall) (RecordingView, error) {
	return answer[RecordingView](ctx, m, who.meeting, lookAtRecording{who.person})
}

type answerRecording struct {
	person
	recording string
	said      recording.Answer
}

func (answerRecording) command() role.Command { return role.AnswerRecording }

func (a answerRecording) do(l *live, now time.Time) (any, error) {
	if l.meeting.State == Ended {
		return nil, ErrEnded
	}
	self, called := a.self(l)
	if self == "" {
		return nil, ErrNotAdmitted
	}
	r, err := l.underWay()
	if err != nil {
		return nil, err
	}
	if r.ID != a.recording {
		return nil, recording.ErrOther
	}
	had := r.Has(self)
	if err := l.answer(self, called, a.said, now); err != nil {
		return nil, err
	}
	if _, holds := l.holds(r).withdrawn[self]; (had || holds) && !l.recording.Has(self) {
		l.hold = held{recording: r.ID, withdrawn: map[string]withdrawal{self: {deed{a.actor(), now}, called}}, identities: make(map[string]bool)}
		for _, identity := range l.identitiesOf(self) {
			l.hold.identities[identity] = true
		}
	}
	as, err := a.as(l, now)
	if err != nil {
		return nil, err
	}
	return l.recordingViewFor(as, self), nil
}

// answer notes what somebody said. Their other clients are told, too.
func (l *live) answer(person, called string, said recording.Answer, now time.Time) error {
	before, _ := l.recording.Of(person)
	r, c, err := l.recording.Answered(person, called, said, now)
	if err != nil || c == before {
		return err
	}
	theirs := l.identitiesOf(person)
	act := map[recording.Answer]audit.Act{
		recording.Agreed: audit.RecordingAgreed, recording.Declined: audit.RecordingDeclined, recording.Withdrawn: audit.RecordingWithdrawn,
	}[c.Answer]
	d := audit.Did(act).On(audit.OfRecording, r.ID)
	if len(theirs) > 0 {
		d = d.On(audit.Participant, theirs[0])
	}
	l.note(d)
	l.setConsent(r, c)
	l.send(topicRecording, RecordingAnswered{r.ID, c.Answer}, theirs...)
	return nil
}

// identitiesOf are those of a person who are in the call, in order.
func (l *live) identitiesOf(person string) []string {
	var all []string
	for identity := range l.inCall {
		if l.keyOf(identity) == person {
			all = append(all, identity)
		}
	}
	slices.Sort(all)
	return all
}

// AnswerRecording is somebody's answer to the recording of that id: Agreed, or anything
// else for no, which takes a yes back. When it returns, nothing more is recorded of
// whoever did not agree. Refused with recording.ErrNoAsking or ErrOther.
func (m *Meetings) AnswerRecording(ctx context.Context, who InCall, id string, said recording.Answer) (RecordingView, error) {
	return answer[RecordingView](ctx, m, who.meeting, answerRecording{who.person, id, said})
}

type listRecordings struct{ byAgent }

func (listRecordings) command() role.Command { return role.ListRecordings }

func (listRecordings) do(*live, time.Time) (any, error) { return struct{}{}, nil }

// KeptRecording is a recording that was started, as hosts see it.
type KeptRecording struct {
	recording.Recording
	Parts     []recording.Part     // in order
	Downloads []recording.Download // newest first
}

// Recordings lists the recordings of a meeting that were started, newest first, with
// what everybody answered and with who took them away.
func (m *Meetings) Recordings(ctx context.Context, by Agent, id string) ([]KeptRecording, error) {
	if _, err := m.ask(ctx, id, listRecordings{byAgent{by}}); err != nil {
		return nil, err
	}
	found, err := m.cfg.Store.Recordings(ctx, id, maxListed)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	downloads, err := m.cfg.Store.Downloads(ctx, id, maxDownloads)
	if err != nil {
		return nil, err
	}
	all := make([]KeptRecording, len(found))
	for i, r := range found {
		all[i].Recording = r
		if all[i].Parts, err = m.cfg.Kept.Parts(ctx, r.ID); err != nil { // the others are there all the same
			m.cfg.Log.WarnContext(ctx, "look for what there is of a recording", "meeting", id, "recording", r.ID, "err", err)
		}
	}
	for _, d := range downloads {
		if i := slices.IndexFunc(all, func(r KeptRecording) bool { return r.ID == d.Recording }); i >= 0 {
			all[i].Downloads = append(all[i].Downloads, d)
		}
	}
	return all, nil
}

type mayDownload struct{ byAgent }

func (mayDownload) command() role.Command { return role.DownloadRecording }

func (mayDownload) do(*live, time.Time) (any, error) { return struct{}{}, nil }

// downloaded is told before the first byte of it goes.
type downloaded struct {
	mayDownload
	recording string
	part      int
}

func (a downloaded) do(l *live, _ time.Time) (any, error) {
	l.note(audit.Did(audit.RecordingDownloaded).On(audit.OfRecording, a.recording).With("part", strconv.Itoa(a.part)))
	return struct{}{}, nil
}

// DownloadedPart is a part of a recording on its way to a host.
type DownloadedPart struct {
	recording.PartFile
	Of recording.Recording
}

// MayDownload says whether somebody may take a recording away now, and finds it. Refused
// with recording.ErrNone, also once the recording's time is over.
func (m *Meetings) MayDownload(ctx context.Context, by Agent, id, which string) (recording.Recording, error) {
	if _, err := m.ask(ctx, id, mayDownload{byAgent{by}}); err != nil {
		return recording.Recording{}, err
	}
	r, err := m.cfg.Store.StartedRecording(ctx, id, which)
	if err != nil {
		return recording.Recording{}, err
	}
	if over := r.ExpiresAt(); !over.IsZero() && !m.cfg.now().Before(over) {
		return recording.Recording{}, recording.ErrNone
	}
	return r, nil
}

// DownloadRecording opens a part of a recording to be taken away, as it is kept. The
// audit trail has who did when it returns. Whoever gets the part closes it. Refused as by
// MayDownload, or with recording.ErrWriting.
func (m *Meetings) DownloadRecording(ctx context.Context, by Agent, id, which string, part int) (DownloadedPart, error) {
	r, err := m.MayDownload(ctx, by, id, which)
	if err != nil {
		return DownloadedPart{}, err
	}
	file, err := m.cfg.Kept.OpenPart(ctx, which, part)
	if err != nil {
		return DownloadedPart{}, err
	}
	if _, err := m.ask(ctx, id, downloaded{mayDownload{byAgent{by}}, which, part}); err != nil {
		return DownloadedPart{}, errors.Join(err, file.Close())
	}
	return DownloadedPart{file, r}, nil
}

// RecordingKey is what verifies that a recording is this server's; recording.ErrNoRecorder
// if it has never made one.
func (m *Meetings) RecordingKey() (recording.NodeKey, error) {
	return m.cfg.Kept.NodeKey()
}

type mayDeleteRecording struct {
	byAgent
	recording string
}

func (mayDeleteRecording) command() role.Command { return role.DeleteRecording }

func (a mayDeleteRecording) do(l *live, _ time.Time) (any, error) {
	if l.recording != nil && l.recording.ID == a.recording {
		return nil, recording.ErrOngoing
	}
	return struct{}{}, nil
}

// deletedRecording is told once nothing is left of it.
type deletedRecording struct {
	act
	recording string
	because   string
}

func (a deletedRecording) actor() audit.Actor { return actorOf(a.act) }

func (a deletedRecording) do(l *live, _ time.Time) (any, error) {
	l.note(audit.Did(audit.RecordingDeleted).On(audit.OfRecording, a.recording).With("because", a.because))
	l.changes.forgetRecording(a.recording)
	return struct{}{}, nil
}

// DeleteRecording deletes a recording that has stopped, what was taken first: should the
// server stop in between, it is still listed and can be deleted again.
func (m *Meetings) DeleteRecording(ctx context.Context, by Agent, id, which string) error {
	may := mayDeleteRecording{byAgent{by}, which}
	if _, err := m.ask(ctx, id, may); err != nil {
		return err
	}
	if _, err := m.cfg.Store.StartedRecording(ctx, id, which); err != nil {
		return err
	}
	return m.deleteRecording(ctx, id, deletedRecording{may, which, "host"})
}

func (m *Meetings) deleteRecording(ctx context.Context, id string, a deletedRecording) error {
	if err := m.cfg.Kept.Delete(ctx, a.recording); err != nil {
		return err
	}
	_, err := m.ask(ctx, id, a)
	return err
}

// expiring is how far the sweeps have come in deleting recordings whose time is over.
type expiring struct {
	after recording.Recording // whose time was over last
	again time.Time           // when those are tried again that could not be deleted; zero: there are none
}

// sweepRecordings deletes recordings whose time is over. Those that cannot be deleted
// are left behind for a while: whatever is over later comes after them, and does not wait.
func (m *Meetings) sweepRecordings(ctx context.Context) {
	now := m.cfg.now()
	if again := m.expiring.again; !again.IsZero() && !now.Before(again) {
		m.expiring = expiring{}
	}
	all, err := m.cfg.Store.ExpiredRecordings(ctx, now, m.expiring.after, maxExpiredRecordings)
	if err != nil {
		m.cfg.Log.WarnContext(ctx, "look for recordings whose time is over", "err", err)
	}
	for _, r := range all {
		m.expiring.after = r
		if err := m.deleteRecording(ctx, r.Meeting, deletedRecording{lookAround{}, r.ID, "expired"}); err != nil {
			m.expiring.again = cmp.Or(m.expiring.again, now.Add(expireAgain))
			m.cfg.Log.WarnContext(ctx, "delete recording whose time is over", "meeting", r.Meeting, "recording", r.ID, "err", err)
		}
	}
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
