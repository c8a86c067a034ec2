package sfu

import (
	"context"
	"slices"
	"time"

	"github.com/livekit/protocol/livekit"
)

// What whoever moderates a call does in it. Each returns when the call has obeyed, and
// false when there is nobody or nothing of that name.

// Silence mutes everything that a participant publishes from some sources, as Mute does
// with one track: after it returns nothing of them is forwarded until the client itself
// opens them again.
func (sp Space) Silence(room, identity string, sources ...livekit.TrackSource) bool {
	return sp.send(room, identity, silenceErrand{sources}) == nil
}

type silenceErrand struct{ sources []livekit.TrackSource }

func (e silenceErrand) run(r *room, m *member) error {
	for _, t := range r.tracks {
		if t.owner == m && slices.Contains(e.sources, t.info.Source) {
			if err := (&muteErrand{sid: t.info.Sid}).run(r, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// Describe replaces a room's metadata and tells everybody.
func (sp Space) Describe(room, metadata string) bool {
	_, err := sp.SetMetadata(room, metadata)
	return err == nil
}

// SetAttributes sets attributes of a participant, deletes those that are empty, and
// tells everybody.
func (sp Space) SetAttributes(room, identity string, attributes map[string]string) bool {
	_, err := sp.Change(room, identity, ParticipantChange{Attributes: attributes})
	return err == nil
}

// tellLimit is how long Tell waits for those who take nothing; the session of one who
// goes on so ends.
const tellLimit = 3 * time.Second

// Tell sends a reliable data packet from the server, which carries no sender, to some
// participants, or to all. It waits for slow ones, within bounds.
func (sp Space) Tell(room, topic string, payload []byte, identities ...string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), tellLimit)
	defer cancel()
	return sp.SendData(ctx, room, Data{
		Reliable: true, Identities: identities,
		Packet: &livekit.UserPacket{Payload: payload, Topic: &topic},
	}) == nil
}
