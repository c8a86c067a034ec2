package api

import (
	"context"
	"time"

	"aparte/signaling/meeting"
)

// Orphan is a meeting of the post that nobody hosts any more.
type Orphan struct {
	ID       string     `json:"id"`
	Title    string     `json:"title"`
	State    string     `json:"state" enum:"scheduled,open,ended"`
	Host     Person     `json:"host" doc:"Who was its host last, and does not act for the post any more; or the one who was named."`
	StartsAt *time.Time `json:"starts_at,omitempty"`
	EndsAt   *time.Time `json:"ends_at,omitempty"`
}

// OrphanList is the meetings of a post that nobody hosts any more.
type OrphanList struct {
	Meetings []Orphan `json:"meetings" nullable:"false"`
}

// HostAppointment names another host.
type HostAppointment struct {
	Email string `json:"email" minLength:"3" maxLength:"254" doc:"Address of somebody who acts for the post."`
}

type (
	inOrphan struct {
		Post string `path:"post" maxLength:"64"`
		ID   string `path:"id" maxLength:"64"`
	}
	orphanBody[T any] struct {
		Post string `path:"post" maxLength:"64"`
		ID   string `path:"id" maxLength:"64"`
		Body T
	}
)

func orphanOf(v meeting.Meeting) Orphan {
	return Orphan{
		ID: v.ID, Title: v.Title, State: string(v.State), Host: Person{ID: v.Organiser.Account, Name: v.Organiser.Name},
		StartsAt: optional(v.StartsAt), EndsAt: optional(v.EndsAt),
	}
}

func orphanAnswer(v meeting.Meeting, err error) (*output[Orphan], error) {
	if err != nil {
		return nil, err
	}
	return &output[Orphan]{orphanOf(v)}, nil
}

func (a *API) listOrphans(ctx context.Context, in *inPost) (*output[OrphanList], error) {
	if err := a.posts.Administers(ctx, theAgent(ctx).account.ID, in.Post); err != nil {
		return nil, err
	}
	all, err := a.meetings.Orphans(ctx, in.Post)
	if err != nil {
		return nil, err
	}
	list := OrphanList{Meetings: make([]Orphan, len(all))}
	for i, v := range all {
		list.Meetings[i] = orphanOf(v)
	}
	return &output[OrphanList]{list}, nil
}

func (a *API) appointHost(ctx context.Context, in *orphanBody[HostAppointment]) (*output[Orphan], error) {
	if err := a.posts.Administers(ctx, theAgent(ctx).account.ID, in.Post); err != nil {
		return nil, err
	}
	return orphanAnswer(a.meetings.AppointHost(ctx, theAgent(ctx).agent(), in.Post, in.ID, in.Body.Email))
}

func (a *API) endOrphan(ctx context.Context, in *inOrphan) (*output[Orphan], error) {
	if err := a.posts.Administers(ctx, theAgent(ctx).account.ID, in.Post); err != nil {
		return nil, err
	}
	return orphanAnswer(a.meetings.EndOrphan(ctx, theAgent(ctx).agent(), in.Post, in.ID))
}
