package meeting

import (
	"context"
	"slices"
	"strconv"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/name"
	"aparte/signaling/recording"
	"aparte/signaling/role"
)

// What hosts do with a recording, and what everybody answers to it.

// MaxPurpose is how long what a recording is for may be, in characters.
const MaxPurpose = 200

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
	usage   recording.Usage
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
	if a.usage.Full() {
		return nil, &recording.QuotaError{Usage: a.usage}
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
		Watchable: recording.Watchable(l.profile.Rules.Recording, l.cfg.ServerKey),
	}
	l.note(audit.Did(audit.RecordingAsked).On(audit.OfRecording, id).With("policy", string(r.Policy)).With("keep_days", strconv.Itoa(r.KeepDays)).With("watchable", yes(r.Watchable)).Typed("purpose", purpose))
	l.setRecording(r)
	l.ended = ""
	v := a.view(l)
	if a.usage.Near() {
		v.Usage = &a.usage
	}
	return v, nil
}

// AskRecording asks everybody in the call, and who comes later, whether they agree to be
// recorded, and for what. Nothing is recorded yet. Refused with a *profile.RefusedError,
// recording.ErrNoRecorder, recording.ErrOngoing, a *recording.QuotaError or a *name.Error.
func (m *Meetings) AskRecording(ctx context.Context, by Agent, id, purpose string) (RecordingView, error) {
	usage, err := m.usageFor(ctx, by, id)
	if err != nil {
		return RecordingView{}, err
	}
	return answer[RecordingView](ctx, m, id, askRecording{onRecording{byAgent{by}}, purpose, usage})
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
// recording.ErrFailed: the recorder could not. Who asks waits for the recorder, some ten
// seconds at most; nobody else does, so that it may have been stopped meanwhile.
func (m *Meetings) StartRecording(ctx context.Context, by Agent, id string) (RecordingView, error) {
	return m.begunRecording(ctx, by, id, startRecording{onRecording{byAgent{by}}})
}

// begunRecording asks, and looks whether the recorder has obeyed, for which nobody else
// waits. Where the post has no room, what is not under way does not get there.
func (m *Meetings) begunRecording(ctx context.Context, by Agent, id string, a act) (RecordingView, error) {
	usage, err := m.usageFor(ctx, by, id)
	if err == nil && usage.Full() {
		err = &recording.QuotaError{Usage: usage}
	}
	if err != nil {
		return RecordingView{}, err
	}
	l, err := m.acquire(id)
	if err != nil {
		return RecordingView{}, err
	}
	defer m.release(l)
	began, err := answer[RecordingView](ctx, m, id, a)
	if err != nil {
		return began, err
	}
	l.captor.Begun()
	// What the recorder answered is taken up before anything that is asked of the meeting.
	v, err := m.Recording(ctx, AsAgent(by, id))
	if err == nil && v.Recording.ID != began.Recording.ID && v.Ended != recording.ByHost {
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
		l.steered()
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
		l.steered()
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
