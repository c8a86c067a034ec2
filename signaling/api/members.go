package api

import (
	"context"

	"aparte/signaling/meeting"
	"aparte/signaling/role"
)

// Member is an agent who is named in a meeting, or its host.
type Member struct {
	ID   string `json:"id" doc:"Id of the account."`
	Name string `json:"name"`
	Role string `json:"role" enum:"host,cohost,participant,observer"`
}

// MemberList is who is named in a meeting, the host first.
type MemberList struct {
	Members []Member `json:"members" nullable:"false"`
}

// MemberDraft names an agent.
type MemberDraft struct {
	Email string `json:"email" minLength:"3" maxLength:"254" doc:"The address that the agent signs in with."`
	Role  string `json:"role" enum:"cohost,participant,observer"`
}

// MemberRole is what an agent is to be.
type MemberRole struct {
	Role string `json:"role" enum:"cohost,participant,observer"`
}

type (
	inMember struct {
		ID      string `path:"id" maxLength:"64"`
		Account string `path:"account" maxLength:"64"`
	}
	memberBody[T any] struct {
		ID      string `path:"id" maxLength:"64"`
		Account string `path:"account" maxLength:"64"`
		Body    T
	}
)

func memberOf(v meeting.Member) Member {
	return Member{ID: v.Account, Name: v.Name, Role: string(v.Role)}
}

func memberAnswer(v meeting.Member, err error) (*output[Member], error) {
	if err != nil {
		return nil, err
	}
	return &output[Member]{memberOf(v)}, nil
}

func membersAnswer(all []meeting.Member, err error) (*output[MemberList], error) {
	if err != nil {
		return nil, err
	}
	list := MemberList{Members: make([]Member, len(all))}
	for i, v := range all {
		list.Members[i] = memberOf(v)
	}
	return &output[MemberList]{list}, nil
}

func (a *API) listMembers(ctx context.Context, in *inMeeting) (*output[MemberList], error) {
	return membersAnswer(a.meetings.Members(ctx, theAgent(ctx).agent(), in.ID))
}

func (a *API) nameMember(ctx context.Context, in *meetingBody[MemberDraft]) (*output[Member], error) {
	return memberAnswer(a.meetings.NameByEmail(ctx, theAgent(ctx).agent(), in.ID, in.Body.Email, role.Role(in.Body.Role)))
}

func (a *API) setMember(ctx context.Context, in *memberBody[MemberRole]) (*output[Member], error) {
	return memberAnswer(a.meetings.NameMember(ctx, theAgent(ctx).agent(), in.ID, in.Account, role.Role(in.Body.Role)))
}

func (a *API) removeMember(ctx context.Context, in *inMember) (*none, error) {
	return &none{}, a.meetings.UnnameMember(ctx, theAgent(ctx).agent(), in.ID, in.Account)
}

func (a *API) handOver(ctx context.Context, in *inMember) (*output[MemberList], error) {
	return membersAnswer(a.meetings.HandOver(ctx, theAgent(ctx).agent(), in.ID, in.Account))
}

func (a *API) setParticipantRole(ctx context.Context, in *participantBody[MemberRole]) (*output[Member], error) {
	return memberAnswer(a.meetings.NameParticipant(ctx, theAgent(ctx).agent(), in.ID, in.Identity, role.Role(in.Body.Role)))
}

func (a *API) handOverInCall(ctx context.Context, in *inParticipant) (*output[MemberList], error) {
	return membersAnswer(a.meetings.HandOverTo(ctx, theAgent(ctx).agent(), in.ID, in.Identity))
}
