package sfu

import (
	"github.com/livekit/protocol/livekit"
)

// SpaceKind says to which space a room belongs.
type SpaceKind uint8

// The spaces of rooms.
const (
	IntegrationSpace SpaceKind = iota // of tokens signed with API keys
	MeetingSpace                      // of meetings
	CheckSpace                        // of network checks: one client with itself
)

// Space acts on the rooms of one of the spaces.
type Space struct {
	sfu  *SFU
	kind SpaceKind
}

// Meetings are the rooms that belong to meetings.
func (s *SFU) Meetings() Space { return Space{s, MeetingSpace} }

// Integration are the rooms of tokens signed with API keys.
func (s *SFU) Integration() Space { return Space{s, IntegrationSpace} }

// Checks are the rooms in which clients look at their way to this server.
func (s *SFU) Checks() Space { return Space{s, CheckSpace} }

func (sp Space) room(name string) *room {
	sp.sfu.mu.Lock()
	defer sp.sfu.mu.Unlock()
	return sp.sfu.rooms[RoomKey{sp.kind, name}]
}

// Remove ends a participant's session. After it returns nothing more is
// forwarded to or from it; the client is told why as far as it still listens.
// It returns false when there is no such participant. The caller sees to it
// that the Authorizer refuses the identity from now on.
func (sp Space) Remove(room, identity string, reason livekit.DisconnectReason) bool {
	r := sp.room(room)
	if r == nil {
		return false
	}
	return r.remove(identity, nil, reason)
}

// CloseRoom ends the room for everybody, as Remove does for one.
func (sp Space) CloseRoom(room string, reason livekit.DisconnectReason) bool {
	r := sp.room(room)
	if r == nil {
		return false
	}
	return r.close(reason)
}

// Participants lists who is in a room, hidden ones included; nil when there is
// no such room.
func (sp Space) Participants(room string) []*livekit.ParticipantInfo {
	r := sp.room(room)
	if r == nil {
		return nil
	}
	req := &listRequest{reply: make(chan []*livekit.ParticipantInfo, 1)}
	if !r.ask(req) {
		return nil
	}
	return <-req.reply
}

// Rooms lists the space's rooms.
func (sp Space) Rooms() []*livekit.Room {
	sp.sfu.mu.Lock()
	var rooms []*room
	for key, r := range sp.sfu.rooms {
		if key.Space == sp.kind {
			rooms = append(rooms, r)
		}
	}
	sp.sfu.mu.Unlock()
	var out []*livekit.Room
	for _, r := range rooms {
		req := &describeRequest{reply: make(chan *livekit.Room, 1)}
		if r.ask(req) {
			out = append(out, <-req.reply)
		}
	}
	return out
}
