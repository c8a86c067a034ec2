package api

import (
	"context"
	"errors"
	"time"

	"aparte/signaling/meeting"
	"aparte/signaling/profile"
	"aparte/signaling/recording"
)

// Recording a call: hosts ask, start and stop; everybody answers for themselves.

// RecordingDraft is what a host says when asking.
type RecordingDraft struct {
	Purpose string `json:"purpose" minLength:"1" maxLength:"200" doc:"What the recording is for: everybody who is asked reads it."`
}

// RecordingSaid is an answer.
type RecordingSaid struct {
	Recording string `json:"recording" minLength:"1" maxLength:"64" doc:"Id of the recording that the answer is to."`
	Answer    string `json:"answer" enum:"agree,decline,withdraw" doc:"What is no agreement takes one back; when it is answered, nothing more is recorded of who gave it."`
}

// CallRecording is the recording that is asked for or under way.
type CallRecording struct {
	State     string     `json:"state" enum:"none,asking,running,paused,interrupted,stopping" doc:"interrupted: the server went down; nothing is recorded until a host resumes."`
	ID        string     `json:"id,omitempty"`
	By        string     `json:"by,omitempty" doc:"Name of the host who asked."`
	Purpose   string     `json:"purpose,omitempty"`
	Policy    string     `json:"policy,omitempty" enum:"consent,sealed" doc:"sealed: can be read with the post's private key alone."`
	Watchable bool       `json:"watchable,omitempty" doc:"Hosts can watch it on the server, which holds a key to it."`
	KeepDays  int        `json:"keep_days,omitempty" doc:"For how many days after its end it is kept."`
	AskedAt   *time.Time `json:"asked_at,omitempty"`
	StartedAt *time.Time `json:"started_at,omitempty"`
	Answer    string     `json:"answer,omitempty" enum:"agreed,declined,withdrawn" doc:"One's own; absent: none yet, so that one is left out."`
	// Unavailable tells hosts beforehand what asking would be refused for.
	Unavailable string            `json:"unavailable,omitempty" enum:"profile-refuses,profile-unavailable,recording-unavailable" doc:"Why none can be asked for."`
	Because     string            `json:"because,omitempty" enum:"host,meeting-ended,nobody-recorded,profile,no-room,quota,failed" doc:"Why the last one stopped, until another is asked for: for hosts alone."`
	Answers     []RecordingAnswer `json:"answers,omitempty" doc:"Of those in the call, and of those who answered: for hosts alone."`
	Room        *RecordingRoom    `json:"room,omitempty" doc:"Told to the host who asks, where the recordings of the post take four fifths of what they may."`
}

// RecordingRoom is how much of what they may take the recordings of a post take.
type RecordingRoom struct {
	Used  int64 `json:"used" doc:"Bytes, of those that are kept and those under way."`
	Limit int64 `json:"limit" doc:"Bytes."`
}

// RecordingAnswer is what somebody answered.
type RecordingAnswer struct {
	Identities []string `json:"identities" nullable:"false" doc:"In the call; empty: is not in it."`
	Name       string   `json:"name"`
	Answer     string   `json:"answer,omitempty" enum:"agreed,declined,withdrawn" doc:"Absent: none yet."`
	Observer   bool     `json:"observer" doc:"Publishes nothing, and is not asked."`
	Recorded   bool     `json:"recorded" doc:"Has been recorded."`
}

func callRecordingOf(v meeting.RecordingView) CallRecording {
	out := CallRecording{State: "none"}
	switch {
	case v.Impossible == nil:
	case errors.Is(v.Impossible, recording.ErrNoRecorder):
		out.Unavailable = codeNoRecorder
	default:
		out.Unavailable = codeProfileRefuses
		if _, ok := errors.AsType[*profile.UnavailableError](v.Impossible); ok {
			out.Unavailable = codeProfileLacking
		}
	}
	out.Because = string(v.Ended)
	r := v.Recording
	if r.ID == "" {
		return out
	}
	out.State, out.ID, out.By, out.Purpose, out.Policy, out.Watchable, out.KeepDays = string(r.State), r.ID, r.AskedByName, r.Purpose, string(r.Policy), r.Watchable, r.KeepDays
	if u := v.Usage; u != nil {
		out.Room = &RecordingRoom{u.Used, u.Limit}
	}
	out.AskedAt, out.StartedAt, out.Answer = optional(r.AskedAt), optional(r.StartedAt), string(v.Own)
	for _, a := range v.Answers {
		identities := a.Identities
		if identities == nil {
			identities = []string{}
		}
		out.Answers = append(out.Answers, RecordingAnswer{Identities: identities, Name: a.Name, Answer: string(a.Answer), Observer: a.Observer, Recorded: a.Recorded})
	}
	return out
}

func recordingAnswer(v meeting.RecordingView, err error) (*output[CallRecording], error) {
	if err != nil {
		return nil, err
	}
	return &output[CallRecording]{callRecordingOf(v)}, nil
}

// said is an answer as the rules have it.
var said = map[string]recording.Answer{"agree": recording.Agreed, "decline": recording.Declined, "withdraw": recording.Withdrawn}

func (a *API) getRecording(ctx context.Context, in *inMeeting) (*output[CallRecording], error) {
	return recordingAnswer(a.meetings.Recording(ctx, agentIn(ctx, in.ID)))
}

func (a *API) guestGetRecording(ctx context.Context, _ *none) (*output[CallRecording], error) {
	return recordingAnswer(a.meetings.Recording(ctx, guestIn(ctx)))
}

func (a *API) answerRecording(ctx context.Context, in *meetingBody[RecordingSaid]) (*output[CallRecording], error) {
	return recordingAnswer(a.meetings.AnswerRecording(ctx, agentIn(ctx, in.ID), in.Body.Recording, said[in.Body.Answer]))
}

func (a *API) guestAnswerRecording(ctx context.Context, in *input[RecordingSaid]) (*output[CallRecording], error) {
	return recordingAnswer(a.meetings.AnswerRecording(ctx, guestIn(ctx), in.Body.Recording, said[in.Body.Answer]))
}

func (a *API) askRecording(ctx context.Context, in *meetingBody[RecordingDraft]) (*output[CallRecording], error) {
	return recordingAnswer(a.meetings.AskRecording(ctx, theAgent(ctx).agent(), in.ID, in.Body.Purpose))
}

func (a *API) startRecording(ctx context.Context, in *inMeeting) (*output[CallRecording], error) {
	return recordingAnswer(a.meetings.StartRecording(ctx, theAgent(ctx).agent(), in.ID))
}

func (a *API) pauseRecording(ctx context.Context, in *inMeeting) (*output[CallRecording], error) {
	return recordingAnswer(a.meetings.PauseRecording(ctx, theAgent(ctx).agent(), in.ID))
}

func (a *API) resumeRecording(ctx context.Context, in *inMeeting) (*output[CallRecording], error) {
	return recordingAnswer(a.meetings.ResumeRecording(ctx, theAgent(ctx).agent(), in.ID))
}

func (a *API) stopRecording(ctx context.Context, in *inMeeting) (*output[CallRecording], error) {
	return recordingAnswer(a.meetings.StopRecording(ctx, theAgent(ctx).agent(), in.ID))
}
