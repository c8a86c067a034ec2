package api

import (
	"context"
	"time"

	"aparte/signaling/meeting"
)

// What the security profile has kept of the chat, for the hosts.

// KeptMessage is a message to everybody that was stored. It is what was typed: show it
// as text, isolated (bdi).
type KeptMessage struct {
	Seq      int64     `json:"seq" doc:"Order in the call."`
	From     string    `json:"from" doc:"Identity of who wrote."`
	FromName string    `json:"from_name"`
	Role     string    `json:"role" enum:"host,cohost,participant,guest,observer" doc:"Of who wrote, then."`
	Text     string    `json:"text"`
	At       time.Time `json:"at"`
}

// KeptChat is a stretch of what was stored of a meeting's chat. Private messages never are.
type KeptChat struct {
	Messages []KeptMessage `json:"messages" nullable:"false" doc:"Oldest first."`
	Total    int           `json:"total" doc:"How many messages of the meeting are stored."`
	More     bool          `json:"more" doc:"There are more: ask for those after the last of these."`
	Days     int           `json:"days" doc:"For how many days after it was written each is stored."`
}

// KeptExport says which stretch is taken away.
type KeptExport struct {
	After int64 `json:"after" minimum:"0" doc:"Number of the message before the first; 0: from the beginning."`
}

// KeptDeleted says what was deleted.
type KeptDeleted struct {
	Messages int `json:"messages" doc:"How many."`
}

type keptStretch struct {
	ID    string `path:"id" maxLength:"64"`
	After int64  `query:"after" minimum:"0" doc:"Number of the message before the first; absent: from the beginning."`
}

func keptAnswer(v meeting.KeptMessages, err error) (*output[KeptChat], error) {
	if err != nil {
		return nil, err
	}
	out := KeptChat{Messages: make([]KeptMessage, len(v.Messages)), Total: v.Total, More: v.More, Days: v.Days}
	for i, m := range v.Messages {
		out.Messages[i] = KeptMessage{Seq: m.Seq, From: m.From, FromName: m.FromName, Role: string(m.Role), Text: m.Text, At: m.At.UTC()}
	}
	return &output[KeptChat]{out}, nil
}

func (a *API) readKeptChat(ctx context.Context, in *keptStretch) (*output[KeptChat], error) {
	return keptAnswer(a.meetings.ReadKept(ctx, theAgent(ctx).agent(), in.ID, in.After))
}

func (a *API) exportKeptChat(ctx context.Context, in *meetingBody[KeptExport]) (*output[KeptChat], error) {
	return keptAnswer(a.meetings.ExportKept(ctx, theAgent(ctx).agent(), in.ID, in.Body.After))
}

func (a *API) deleteKeptChat(ctx context.Context, in *inMeeting) (*output[KeptDeleted], error) {
	n, err := a.meetings.DeleteKept(ctx, theAgent(ctx).agent(), in.ID)
	if err != nil {
		return nil, err
	}
	return &output[KeptDeleted]{KeptDeleted{n}}, nil
}
