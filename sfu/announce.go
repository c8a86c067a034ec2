package sfu

import (
	"context"
	"errors"
	"slices"

	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"
)

// ErrSlow means that a receiver did not take data in time.
var ErrSlow = errors.New("a receiver did not take the data in time")

// ErrDataTooLong means that data with its destinations is more than clients take.
var ErrDataTooLong = errors.New("data and destinations are over 65535 bytes")

// Data is a packet that the server itself sends. It has no sender and no number.
type Data struct {
	Reliable         bool
	Packet           *livekit.UserPacket
	Identities, SIDs []string // who gets it; both empty: everybody
}

// SendData sends to participants, and waits for slow ones until ctx ends.
func (sp Space) SendData(ctx context.Context, room string, d Data) error {
	kind := livekit.DataPacket_LOSSY
	if d.Reliable {
		kind = livekit.DataPacket_RELIABLE
	}
	raw, err := proto.Marshal(&livekit.DataPacket{
		Kind:                  kind, //nolint:staticcheck // clients still read it
		DestinationIdentities: d.Identities,
		Value:                 &livekit.DataPacket_User{User: d.Packet},
	})
	if err != nil {
		return err
	}
	if len(raw) > maxPacket {
		return ErrDataTooLong
	}
	r := sp.room(room)
	if r == nil {
		return ErrNoRoom
	}
	req := &receiversRequest{data: &d, reply: make(chan []*Session, 1)}
	if !r.ask(req) {
		return ErrNoRoom
	}
	slow := false
	for _, s := range <-req.reply {
		slow = !s.take(ctx, d.Reliable, raw) || slow
	}
	if slow {
		return ErrSlow
	}
	return nil
}

type receiversRequest struct {
	data  *Data
	reply chan []*Session
}

func (q *receiversRequest) serve(r *room) {
	var list []*Session
	for _, m := range r.members {
		if m.waiting() && q.data.forAll() {
			continue
		}
		if q.data.reaches(m.info) {
			list = append(list, m.s)
		}
	}
	q.reply <- list
}

func (d *Data) forAll() bool { return len(d.Identities)+len(d.SIDs) == 0 }

func (d *Data) reaches(p *livekit.ParticipantInfo) bool {
	return d.forAll() ||
		slices.Contains(d.Identities, p.Identity) || slices.Contains(d.SIDs, p.Sid)
}

// take queues a packet of the server for the participant. In its queue the
// server is a sender like others.
func (s *Session) take(ctx context.Context, reliable bool, packet []byte) bool {
	if !reliable {
		s.data.addLossy(packet)
		return true
	}
	for {
		full := s.data.add(nil, 0, packet)
		if full == nil {
			return true
		}
		select {
		case <-full:
		case <-s.quit:
			return true
		case <-ctx.Done():
			return false
		}
	}
}
