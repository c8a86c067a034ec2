package sfu

import (
	"maps"
	"slices"
	"time"

	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"
)

// Who knows of whom, and how soon.

// waiting tells whether a participant of a meeting is still in its lobby: its
// token allows nothing at all. It may connect, and learns nothing of the meeting.
func (m *member) waiting() bool { return waits(m.lobby, m.info.Permission) }

func waits(meeting bool, p *livekit.ParticipantPermission) bool {
	return meeting && !p.GetCanSubscribe() && !p.GetCanPublish() && !p.GetCanPublishData()
}

// sees tells whether m is to know of other. Nobody knows of hidden participants;
// of those who wait only the room's administrators do.
func (m *member) sees(other *member) bool {
	switch {
	case m == other:
		return true
	case m.waiting(), other.hidden():
		return false
	}
	return m.admin || !other.waiting()
}

// broadcast tells everyone, the participant itself included, how it is now.
func (r *room) broadcast(m *member) {
	r.presented(m)
	update := participantUpdate(m.info)
	for _, other := range r.members {
		if other.sees(m) {
			other.s.send(update)
		}
	}
}

// A few who come are presented at once. Of a crowd each would have to be told of
// all the others one by one, so those that publish nothing are told of in batches.
const presentAtOnce = 10 // in Timing.Batch

// present tells that somebody came, or is connected now: itself at once, the
// others maybe later.
func (r *room) present(m *member) {
	if m.info.IsPublisher || !r.fresh[m] && r.presenting.Allow() {
		r.broadcast(m)
		return
	}
	m.s.send(participantUpdate(m.info))
	if r.fresh[m] || m.hidden() {
		return
	}
	if len(r.fresh) == 0 {
		r.freshAt = time.Now()
	}
	r.fresh[m] = true
	m.s.unknown.Store(true)
}

// presented notes that there is no more to tell of m.
func (r *room) presented(m *member) {
	delete(r.fresh, m)
	m.s.unknown.Store(false)
}

// presentAll tells everyone of those not presented yet, in one message.
func (r *room) presentAll() {
	if len(r.fresh) == 0 {
		return
	}
	list := slices.SortedFunc(maps.Keys(r.fresh), func(a, b *member) int { return a.joined.Compare(b.joined) })
	for _, m := range r.members {
		var infos []*livekit.ParticipantInfo
		for _, f := range list {
			if f != m && m.sees(f) {
				infos = append(infos, f.info)
			}
		}
		if len(infos) > 0 {
			m.s.send(participantUpdate(infos...))
		}
	}
	for _, f := range list {
		r.presented(f)
	}
}

// presentRequest is asked by somebody whose data would come before its name.
type presentRequest struct{ done chan struct{} }

func (q *presentRequest) serve(r *room) {
	r.presentAll()
	close(q.done)
}

// sight is who saw a participant, and whom it saw.
type sight struct {
	by, of map[*member]bool
	waits  bool // it was waiting
}

func (r *room) sightOf(m *member) sight {
	s := sight{by: map[*member]bool{}, of: map[*member]bool{}, waits: m.waiting()}
	for _, other := range r.members {
		s.by[other], s.of[other] = other.sees(m), m.sees(other)
	}
	return s
}

// seenAnew tells everyone how m is now, and m of those it sees since, or sees no
// more, in one message: it has to come before any SDP with their tracks.
func (r *room) seenAnew(m *member, before sight) {
	r.presented(m)
	news := []*livekit.ParticipantInfo{m.info}
	for _, other := range r.members {
		if other == m {
			continue
		}
		switch is := m.sees(other); {
		case is && !before.of[other]:
			news = append(news, other.info)
		case !is && before.of[other]:
			news = append(news, outOfSight(other.info))
		}
		switch {
		case other.sees(m):
			other.s.send(participantUpdate(m.info))
		case before.by[other]:
			other.s.send(participantUpdate(outOfSight(m.info)))
		}
	}
	m.s.send(participantUpdate(news...))
}

// outOfSight is how a participant looks to those who are not to know of it any more.
func outOfSight(info *livekit.ParticipantInfo) *livekit.ParticipantInfo {
	return &livekit.ParticipantInfo{
		Sid: info.Sid, Identity: info.Identity, State: livekit.ParticipantInfo_DISCONNECTED, Version: info.Version,
	}
}

// membersChanged refreshes what is derived from the set of members. A recording
// that begins or ends is told at once, counts within Timing.Counts.
func (r *room) membersChanged() {
	recorded := r.info.ActiveRecording
	r.recount()
	if r.info.ActiveRecording != recorded {
		r.tellRoom(time.Now())
	}
}

// recount makes the room's description and the list of sessions new.
func (r *room) recount() {
	list := make([]*Session, 0, len(r.members))
	info := proto.CloneOf(r.info)
	info.NumParticipants, info.NumPublishers = 0, 0
	info.ActiveRecording = len(r.taps) > 0
	for _, m := range r.members {
		list = append(list, m.s)
		if m.recorder() {
			info.ActiveRecording = true
		}
		if m.hidden() || m.waiting() {
			continue
		}
		info.NumParticipants++
		if m.info.IsPublisher {
			info.NumPublishers++
		}
	}
	r.visited = r.visited || len(list) > 0
	r.sessions.Store(&list)
	if !proto.Equal(info, r.info) {
		r.info, r.untold = info, true
	}
	if !r.inUse() {
		if r.emptyAt.IsZero() {
			r.emptyAt = time.Now()
		}
	} else {
		r.emptyAt = time.Time{}
	}
}

// inUse tells whether somebody is in for whom the room is kept: agents and
// recorders alone do not hold it open.
func (r *room) inUse() bool {
	for _, m := range r.members {
		if m.info.Kind != livekit.ParticipantInfo_AGENT && !m.recorder() {
			return true
		}
	}
	return false
}

// tellRoom tells everyone how the room is now.
func (r *room) tellRoom(now time.Time) {
	r.untold, r.toldAt = false, now
	update := roomUpdate(r.info)
	for _, m := range r.members {
		if !m.waiting() {
			m.s.send(update)
		}
	}
}

// tellLate tells what could wait.
func (r *room) tellLate(now time.Time) {
	t := r.sfu.cfg.Timing
	if r.untold && now.Sub(r.toldAt) >= t.Counts {
		r.tellRoom(now)
	}
	if len(r.fresh) > 0 && now.Sub(r.freshAt) >= t.Batch {
		r.presentAll()
	}
}

func roomUpdate(info *livekit.Room) *livekit.SignalResponse {
	return &livekit.SignalResponse{Message: &livekit.SignalResponse_RoomUpdate{RoomUpdate: &livekit.RoomUpdate{Room: info}}}
}

// roomFor is the room as m is to know it.
func (r *room) roomFor(m *member) *livekit.Room {
	if !m.waiting() {
		return r.info
	}
	info := proto.CloneOf(r.info)
	info.NumParticipants, info.NumPublishers, info.ActiveRecording, info.Metadata = 0, 0, false, ""
	return info
}
