package api

import (
	"context"

	"aparte/signaling/meeting"
)

// Agents who have to wait in the lobby.

func agentViewOf(v meeting.AgentView) AgentView {
	return AgentView{
		Meeting: lobbyMeetingOf(v.LobbyView), Role: string(v.Role), Knock: ownKnockOf(v.LobbyView),
		HostKnows: v.HostKnows, KnownBy: v.KnownBy, HostPresent: v.HostPresent, HostWatching: v.HostWatching,
		Status: string(v.Screen),
	}
}

func agentAnswer(v meeting.AgentView, err error) (*output[AgentView], error) {
	if err != nil {
		return nil, err
	}
	return &output[AgentView]{agentViewOf(v)}, nil
}

func (a *API) getOwnKnock(ctx context.Context, in *inMeeting) (*output[AgentView], error) {
	return agentAnswer(a.meetings.LookAsAgent(ctx, theAgent(ctx).agent(), in.ID))
}

func (a *API) knockAsAgent(ctx context.Context, in *inMeeting) (*output[AgentView], error) {
	return agentAnswer(a.meetings.KnockAsAgent(ctx, theAgent(ctx).agent(), in.ID))
}

func (a *API) withdrawAsAgent(ctx context.Context, in *inMeeting) (*output[AgentView], error) {
	return agentAnswer(a.meetings.WithdrawAsAgent(ctx, theAgent(ctx).agent(), in.ID))
}

func (a *API) replyAsAgent(ctx context.Context, in *meetingBody[LobbyText]) (*output[AgentView], error) {
	return agentAnswer(a.meetings.ReplyAsAgent(ctx, theAgent(ctx).agent(), in.ID, in.Body.Text))
}
