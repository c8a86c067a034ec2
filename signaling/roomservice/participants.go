package roomservice

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/livekit/protocol/livekit"
	"github.com/twitchtv/twirp"

	"aparte/sfu"
)

// ListParticipants lists who is in a room, in the order of joining; nobody is in
// one that does not exist.
func (s *service) ListParticipants(ctx context.Context, q *livekit.ListParticipantsRequest) (*livekit.ListParticipantsResponse, error) {
	if err := needAdmin(ctx, q.Room); err != nil {
		return nil, err
	}
	list := s.rooms.Participants(q.Room)
	slices.SortFunc(list, func(a, b *livekit.ParticipantInfo) int {
		return cmp.Or(cmp.Compare(a.JoinedAtMs, b.JoinedAtMs), cmp.Compare(a.Sid, b.Sid))
	})
	return &livekit.ListParticipantsResponse{Participants: list}, nil
}

// GetParticipant describes one of them.
func (s *service) GetParticipant(ctx context.Context, q *livekit.RoomParticipantIdentity) (*livekit.ParticipantInfo, error) {
	if err := needAdmin(ctx, q.Room); err != nil {
		return nil, err
	}
	info, err := s.rooms.Participant(q.Room, q.Identity)
	return info, s.problem(err)
}

// RemoveParticipant ends a participant's session. Its token stays what it was:
// whoever holds it can join again.
func (s *service) RemoveParticipant(ctx context.Context, q *livekit.RoomParticipantIdentity) (*livekit.RemoveParticipantResponse, error) {
	if err := needAdmin(ctx, q.Room); err != nil {
		return nil, err
	}
	if !s.rooms.Remove(q.Room, q.Identity, livekit.DisconnectReason_PARTICIPANT_REMOVED) {
		return nil, s.problem(sfu.ErrNoParticipant)
	}
	return &livekit.RemoveParticipantResponse{}, nil
}

// MutePublishedTrack mutes a track. Nobody's microphone or camera is opened from
// afar.
func (s *service) MutePublishedTrack(ctx context.Context, q *livekit.MuteRoomTrackRequest) (*livekit.MuteRoomTrackResponse, error) {
	if err := needAdmin(ctx, q.Room); err != nil {
		return nil, err
	}
	if !q.Muted {
		return nil, twirp.FailedPrecondition.Error("remote unmute is not enabled")
	}
	track, err := s.rooms.Mute(q.Room, q.Identity, q.TrackSid)
	if err != nil {
		return nil, s.problem(err)
	}
	return &livekit.MuteRoomTrackResponse{Track: track}, nil
}

// UpdateParticipant changes what others see of a participant and what it may do.
func (s *service) UpdateParticipant(ctx context.Context, q *livekit.UpdateParticipantRequest) (*livekit.ParticipantInfo, error) {
	if err := needAdmin(ctx, q.Room); err != nil {
		return nil, err
	}
	info, err := s.rooms.Change(q.Room, q.Identity, sfu.ParticipantChange{
		Name: q.Name, Metadata: q.Metadata, Attributes: q.Attributes, Permission: q.Permission,
	})
	return info, s.problem(err)
}

// maxWishes is how many tracks one call of UpdateSubscriptions may name: each
// unknown one is answered to the participant.
const maxWishes = 200

// UpdateSubscriptions has tracks sent to a participant, or not any more.
func (s *service) UpdateSubscriptions(ctx context.Context, q *livekit.UpdateSubscriptionsRequest) (*livekit.UpdateSubscriptionsResponse, error) {
	if err := needAdmin(ctx, q.Room); err != nil {
		return nil, err
	}
	n := len(q.TrackSids)
	for _, p := range q.ParticipantTracks {
		n += len(p.GetTrackSids())
	}
	if n > maxWishes {
		return nil, twirp.InvalidArgumentError("track_sids", fmt.Sprintf("are over %d", maxWishes))
	}
	err := s.rooms.Subscribe(q.Room, q.Identity, &livekit.UpdateSubscription{
		TrackSids: q.TrackSids, ParticipantTracks: q.ParticipantTracks, Subscribe: q.Subscribe,
	})
	if err != nil {
		return nil, s.problem(err)
	}
	return &livekit.UpdateSubscriptionsResponse{}, nil
}

// ForwardParticipant is not offered.
func (*service) ForwardParticipant(ctx context.Context, q *livekit.ForwardParticipantRequest) (*livekit.ForwardParticipantResponse, error) {
	return nil, unimplemented(ctx, q.Room)
}

// MoveParticipant is not offered.
func (*service) MoveParticipant(ctx context.Context, q *livekit.MoveParticipantRequest) (*livekit.MoveParticipantResponse, error) {
	return nil, unimplemented(ctx, q.Room)
}

// PerformRpc is not offered.
//
//nolint:revive,staticcheck // the method's name is LiveKit's
func (*service) PerformRpc(ctx context.Context, q *livekit.PerformRpcRequest) (*livekit.PerformRpcResponse, error) {
	return nil, unimplemented(ctx, q.Room)
}

func unimplemented(ctx context.Context, room string) error {
	if err := needAdmin(ctx, room); err != nil {
		return err
	}
	return twirp.Unimplemented.Error("not offered by this server")
}
