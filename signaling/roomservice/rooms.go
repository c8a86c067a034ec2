package roomservice

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/twitchtv/twirp"

	"aparte/sfu"
)

// CreateRoom makes a room before anybody joins it.
func (s *service) CreateRoom(ctx context.Context, q *livekit.CreateRoomRequest) (*livekit.Room, error) {
	if err := needCreate(ctx); err != nil {
		return nil, err
	}
	if q.Name == "" {
		return nil, twirp.RequiredArgumentError("name")
	}
	room, err := s.rooms.CreateRoom(q.Name, &livekit.RoomConfiguration{
		EmptyTimeout:     q.EmptyTimeout,
		DepartureTimeout: q.DepartureTimeout,
		MaxParticipants:  q.MaxParticipants,
		Metadata:         q.Metadata,
	})
	return room, s.problem(err)
}

// ListRooms lists the rooms there are, or those that are named.
func (s *service) ListRooms(ctx context.Context, q *livekit.ListRoomsRequest) (*livekit.ListRoomsResponse, error) {
	if err := needList(ctx); err != nil {
		return nil, err
	}
	rooms := s.rooms.Rooms()
	if len(q.Names) > 0 {
		rooms = slices.DeleteFunc(rooms, func(r *livekit.Room) bool { return !slices.Contains(q.Names, r.Name) })
	}
	slices.SortFunc(rooms, func(a, b *livekit.Room) int { return strings.Compare(a.Name, b.Name) })
	return &livekit.ListRoomsResponse{Rooms: rooms}, nil
}

// DeleteRoom ends a room for everybody.
func (s *service) DeleteRoom(ctx context.Context, q *livekit.DeleteRoomRequest) (*livekit.DeleteRoomResponse, error) {
	if err := needCreate(ctx); err != nil {
		return nil, err
	}
	if !s.rooms.CloseRoom(q.Room, livekit.DisconnectReason_ROOM_DELETED) {
		return nil, s.problem(sfu.ErrNoRoom)
	}
	return &livekit.DeleteRoomResponse{}, nil
}

// UpdateRoomMetadata replaces what a room says about itself; empty clears it.
func (s *service) UpdateRoomMetadata(ctx context.Context, q *livekit.UpdateRoomMetadataRequest) (*livekit.Room, error) {
	if err := needAdmin(ctx, q.Room); err != nil {
		return nil, err
	}
	room, err := s.rooms.SetMetadata(q.Room, q.Metadata)
	return room, s.problem(err)
}

// Bounds on SendData. Clients clamp at 64,000 bytes a packet.
const (
	maxData      = 64000
	maxReceivers = 1000
	maxTopic     = 1024
	sendLimit    = 3 * time.Second // for slow receivers
)

// SendData sends a packet to some participants, or to all.
func (s *service) SendData(ctx context.Context, q *livekit.SendDataRequest) (*livekit.SendDataResponse, error) {
	if err := needAdmin(ctx, q.Room); err != nil {
		return nil, err
	}
	sids := q.DestinationSids //nolint:staticcheck // older SDKs name sids
	switch {
	case len(q.Data) > maxData:
		return nil, twirp.InvalidArgumentError("data", fmt.Sprintf("is over %d bytes", maxData))
	case len(q.DestinationIdentities)+len(sids) > maxReceivers:
		return nil, twirp.InvalidArgumentError("destination_identities", fmt.Sprintf("are over %d", maxReceivers))
	case len(q.GetTopic()) > maxTopic:
		return nil, twirp.InvalidArgumentError("topic", fmt.Sprintf("is over %d bytes", maxTopic))
	case q.Kind != livekit.DataPacket_RELIABLE && q.Kind != livekit.DataPacket_LOSSY:
		return nil, twirp.InvalidArgumentError("kind", "is neither RELIABLE nor LOSSY")
	}
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	err := s.rooms.SendData(ctx, q.Room, sfu.Data{
		Reliable:   q.Kind == livekit.DataPacket_RELIABLE,
		Identities: q.DestinationIdentities,
		SIDs:       sids,
		Packet: &livekit.UserPacket{
			Payload: q.Data, Topic: q.Topic, Nonce: q.Nonce,
			DestinationIdentities: q.DestinationIdentities, //nolint:staticcheck // clients still read it
			DestinationSids:       sids,                    //nolint:staticcheck // clients still read it
		},
	})
	if err != nil {
		return nil, s.problem(err)
	}
	return &livekit.SendDataResponse{}, nil
}
