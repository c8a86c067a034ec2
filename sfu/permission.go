package sfu

import (
	"slices"
	"time"

	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"
)

// setPermission applies changed rights at once: tracks that may not be
// published any more end, subscriptions that are not allowed stop.
func (r *room) setPermission(m *member, p *livekit.ParticipantPermission) {
	if proto.Equal(m.info.Permission, p) {
		return
	}
	before := r.sightOf(m)
	m.change(func(i *livekit.ParticipantInfo) { i.Permission = p })
	m.s.permission.Store(p)
	r.unpublish(m, func(t *track) bool { return !p.GetCanPublish() || !sourceAllowed(p, t.info.Source) })
	r.membersChanged()
	r.seenAnew(m, before)
	if m.waiting() != before.waits {
		m.s.send(roomUpdate(r.roomFor(m)))
	}
	r.reconcile(m)
	m.s.wake()
}

// SetPermission changes what a participant may do, at once. It returns false
// when there is no such participant.
func (sp Space) SetPermission(room, identity string, p *livekit.ParticipantPermission) bool {
	r := sp.room(room)
	if r == nil {
		return false
	}
	req := &permissionRequest{identity: identity, permission: p, reply: make(chan bool, 1)}
	return r.ask(req) && <-req.reply
}

type permissionRequest struct {
	identity   string
	permission *livekit.ParticipantPermission
	reply      chan bool
}

func (q *permissionRequest) serve(r *room) {
	m := r.members[q.identity]
	if m != nil {
		m.ruledAt = time.Now()
		r.setPermission(m, q.permission)
	}
	q.reply <- m != nil
}

// forgetRevoked drops local tracks whose source is not allowed any more, so
// that their sections feed nothing and their cids are free.
func (s *Session) forgetRevoked() {
	p := s.permission.Load()
	before := len(s.local)
	s.local = slices.DeleteFunc(s.local, func(t *localTrack) bool {
		if p.GetCanPublish() && sourceAllowed(p, t.info.Source) {
			return false
		}
		if t.media == nil { // of the published ones the room has told
			s.send(&livekit.SignalResponse{Message: &livekit.SignalResponse_TrackUnpublished{
				TrackUnpublished: &livekit.TrackUnpublishedResponse{TrackSid: t.info.Sid},
			}})
		}
		return true
	})
	if len(s.local) != before {
		s.dropBackups()
		s.pub.SetSections(s.receiving())
		s.takeQueued()
	}
}
