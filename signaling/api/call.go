package api

import (
	"context"
	"time"

	"aparte/signaling/meeting"
)

// What people do in a call besides speaking: agents and guests the same, each known by
// their session.

// CallText is a message for everybody in the call.
type CallText struct {
	Text string `json:"text" maxLength:"4096" doc:"4,096 bytes of UTF-8 at most; lines end in a newline."`
}

// PrivateText is a message for the hosts or for one person.
type PrivateText struct {
	Text string `json:"text" maxLength:"4096" doc:"4,096 bytes of UTF-8 at most; lines end in a newline."`
	To   string `json:"to" minLength:"1" maxLength:"64" doc:"hosts, or the identity of one who is in the call."`
}

// CallMessage is a message in the call. It is what was typed: show it as text, isolated
// (bdi). Data packets of the server with the topic aparte.chat hold one, too.
type CallMessage struct {
	Seq      int64     `json:"seq" doc:"Order in the call, from 1; gaps are messages for others, and restarts of the server."`
	From     string    `json:"from" doc:"Identity of who wrote."`
	FromName string    `json:"from_name"`
	To       string    `json:"to" doc:"everyone, hosts, or the identity of one person."`
	ToName   string    `json:"to_name,omitempty"`
	Text     string    `json:"text"`
	At       time.Time `json:"at"`
	File     *CallFile `json:"file,omitempty" doc:"The file that it carries; then there is no text."`
}

// CallMessages are what one may read.
type CallMessages struct {
	Messages []CallMessage `json:"messages" nullable:"false" doc:"Oldest first: those for everybody since one came in, and private ones from and to oneself. The last 1,000 of the call are kept, in memory, until the meeting ends; those to everybody come back after a restart of the server where the security profile keeps them."`
	Now      time.Time     `json:"now" doc:"The server's time, to count timers by."`
}

// Reaction is shown for a moment.
type Reaction struct {
	Reaction string `json:"reaction" enum:"agree,disagree,applause,thanks,smile"`
}

// TimerDraft starts the timer.
type TimerDraft struct {
	Seconds int `json:"seconds" minimum:"1" maximum:"86400"`
}

// CallTimer is the timer as everybody sees it.
type CallTimer struct {
	EndsAt    time.Time `json:"ends_at"`
	StartedBy string    `json:"started_by" doc:"Name of the host."`
}

func callMessageOf(m meeting.Message) CallMessage {
	out := CallMessage{Seq: m.Seq, From: m.From, FromName: m.FromName, To: m.To, ToName: m.ToName, Text: m.Text, At: m.At.UTC()}
	if m.File != nil {
		out.File = new(callFileOf(*m.File))
	}
	return out
}

func (a *API) said(ctx context.Context, who meeting.InCall) (*output[CallMessages], error) {
	all, err := a.meetings.Said(ctx, who)
	if err != nil {
		return nil, err
	}
	out := CallMessages{Messages: make([]CallMessage, len(all.Messages)), Now: all.Now.UTC()}
	for i, m := range all.Messages {
		out.Messages[i] = callMessageOf(m)
	}
	return &output[CallMessages]{out}, nil
}

func (a *API) say(ctx context.Context, who meeting.InCall, text, to string) (*output[CallMessage], error) {
	m, err := a.meetings.Say(ctx, who, text, to)
	if err != nil {
		return nil, err
	}
	return &output[CallMessage]{callMessageOf(m)}, nil
}

// sayPrivately refuses to take a private message for one to everybody.
func (a *API) sayPrivately(ctx context.Context, who meeting.InCall, p PrivateText) (*output[CallMessage], error) {
	if p.To == meeting.ToEveryone {
		return nil, fieldProblem("body.to", "must be hosts or an identity")
	}
	return a.say(ctx, who, p.Text, p.To)
}

func agentIn(ctx context.Context, id string) meeting.InCall {
	return meeting.AsAgent(theAgent(ctx).agent(), id)
}

func guestIn(ctx context.Context) meeting.InCall { return meeting.AsGuest(theGuest(ctx)) }

func (a *API) callMessages(ctx context.Context, in *inMeeting) (*output[CallMessages], error) {
	return a.said(ctx, agentIn(ctx, in.ID))
}

func (a *API) guestCallMessages(ctx context.Context, _ *none) (*output[CallMessages], error) {
	return a.said(ctx, guestIn(ctx))
}

func (a *API) writeCall(ctx context.Context, in *meetingBody[CallText]) (*output[CallMessage], error) {
	return a.say(ctx, agentIn(ctx, in.ID), in.Body.Text, meeting.ToEveryone)
}

func (a *API) guestWriteCall(ctx context.Context, in *input[CallText]) (*output[CallMessage], error) {
	return a.say(ctx, guestIn(ctx), in.Body.Text, meeting.ToEveryone)
}

func (a *API) writeCallPrivately(ctx context.Context, in *meetingBody[PrivateText]) (*output[CallMessage], error) {
	return a.sayPrivately(ctx, agentIn(ctx, in.ID), in.Body)
}

func (a *API) guestWriteCallPrivately(ctx context.Context, in *input[PrivateText]) (*output[CallMessage], error) {
	return a.sayPrivately(ctx, guestIn(ctx), in.Body)
}

func (a *API) react(ctx context.Context, in *meetingBody[Reaction]) (*none, error) {
	return &none{}, a.meetings.React(ctx, agentIn(ctx, in.ID), in.Body.Reaction)
}

func (a *API) guestReact(ctx context.Context, in *input[Reaction]) (*none, error) {
	return &none{}, a.meetings.React(ctx, guestIn(ctx), in.Body.Reaction)
}

func (a *API) raiseHand(ctx context.Context, in *inMeeting) (*none, error) {
	return &none{}, a.meetings.RaiseHand(ctx, agentIn(ctx, in.ID))
}

func (a *API) guestRaiseHand(ctx context.Context, _ *none) (*none, error) {
	return &none{}, a.meetings.RaiseHand(ctx, guestIn(ctx))
}

func (a *API) lowerOwnHand(ctx context.Context, in *inMeeting) (*none, error) {
	return &none{}, a.meetings.LowerOwnHand(ctx, agentIn(ctx, in.ID))
}

func (a *API) guestLowerOwnHand(ctx context.Context, _ *none) (*none, error) {
	return &none{}, a.meetings.LowerOwnHand(ctx, guestIn(ctx))
}

func (a *API) lowerHand(ctx context.Context, in *inParticipant) (*none, error) {
	return &none{}, a.meetings.LowerHand(ctx, theAgent(ctx).agent(), in.ID, in.Identity)
}

func (a *API) lowerHands(ctx context.Context, in *inMeeting) (*none, error) {
	return &none{}, a.meetings.LowerHands(ctx, theAgent(ctx).agent(), in.ID)
}

func (a *API) startTimer(ctx context.Context, in *meetingBody[TimerDraft]) (*output[CallTimer], error) {
	t, err := a.meetings.StartTimer(ctx, theAgent(ctx).agent(), in.ID, time.Duration(in.Body.Seconds)*time.Second)
	if err != nil {
		return nil, err
	}
	return &output[CallTimer]{CallTimer{EndsAt: t.EndsAt.UTC(), StartedBy: t.StartedBy}}, nil
}

func (a *API) stopTimer(ctx context.Context, in *inMeeting) (*none, error) {
	return &none{}, a.meetings.StopTimer(ctx, theAgent(ctx).agent(), in.ID)
}
