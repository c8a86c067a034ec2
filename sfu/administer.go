package sfu

import (
	"errors"
	"time"

	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"
)

// What a server API may do with rooms and participants, whoever they belong to:
// the caller sees to rights.

// Refusals of what a Space is asked to do.
var (
	ErrNoRoom        = errors.New("requested room does not exist")
	ErrNoParticipant = errors.New("participant does not exist")
	ErrNoTrack       = errors.New("track does not exist")
	ErrTooLong       = errors.New("metadata, attributes or name too long")
)

// maxTimeout is how long a room without anybody may be kept, in seconds.
const maxTimeout = 24 * 3600

// patience is how long the room stays when it is empty.
func (r *room) patience() time.Duration {
	seconds := r.info.EmptyTimeout
	if r.visited {
		seconds = r.info.DepartureTimeout
	}
	return time.Duration(seconds) * time.Second
}

// CreateRoom makes a room that waits for its first participant; one that exists
// is returned as it is.
func (sp Space) CreateRoom(name string, config *livekit.RoomConfiguration) (*livekit.Room, error) {
	if len(name) > maxName || len(config.GetMetadata()) > maxMetadata {
		return nil, ErrTooLong
	}
	for {
		r, err := sp.sfu.room(JoinParams{Room: RoomKey{sp.kind, name}, RoomConfig: config}, true)
		if err != nil {
			return nil, err
		}
		req := &describeRequest{reply: make(chan *livekit.Room, 1)}
		if r.ask(req) {
			return <-req.reply, nil
		}
	}
}

// SetMetadata replaces a room's metadata and tells everybody.
func (sp Space) SetMetadata(name, metadata string) (*livekit.Room, error) {
	if len(metadata) > maxMetadata {
		return nil, ErrTooLong
	}
	r := sp.room(name)
	if r == nil {
		return nil, ErrNoRoom
	}
	req := &roomMetadataRequest{metadata: metadata, reply: make(chan *livekit.Room, 1)}
	if !r.ask(req) {
		return nil, ErrNoRoom
	}
	return <-req.reply, nil
}

type roomMetadataRequest struct {
	metadata string
	reply    chan *livekit.Room
}

func (q *roomMetadataRequest) serve(r *room) {
	info := proto.CloneOf(r.info)
	info.Metadata = q.metadata
	r.info = info
	r.tellRoom(time.Now())
	q.reply <- info
}

// errand is what an administrator wants done about one participant.
type errand interface {
	run(r *room, m *member) error
}

// send has the room run an errand.
func (sp Space) send(name, identity string, e errand) error {
	r := sp.room(name)
	if r == nil {
		return ErrNoRoom
	}
	req := &errandRequest{identity: identity, errand: e, reply: make(chan error, 1)}
	if !r.ask(req) {
		return ErrNoRoom
	}
	return <-req.reply
}

type errandRequest struct {
	identity string
	errand   errand
	reply    chan error
}

func (q *errandRequest) serve(r *room) {
	m := r.members[q.identity]
	if m == nil {
		q.reply <- ErrNoParticipant
		return
	}
	q.reply <- q.errand.run(r, m)
}

// Participant describes one participant, also a hidden one.
func (sp Space) Participant(room, identity string) (*livekit.ParticipantInfo, error) {
	e := &lookErrand{}
	err := sp.send(room, identity, e)
	return e.info, err
}

type lookErrand struct{ info *livekit.ParticipantInfo }

func (e *lookErrand) run(_ *room, m *member) error {
	e.info = m.info
	return nil
}

// ParticipantChange is what an administrator sets; zero values stay as they are,
// an empty attribute is deleted.
type ParticipantChange struct {
	Name, Metadata string
	Attributes     map[string]string
	Permission     *livekit.ParticipantPermission
}

// Change changes a participant and tells everybody. Whether it is hidden, a
// recorder or an agent, only its token says.
func (sp Space) Change(room, identity string, c ParticipantChange) (*livekit.ParticipantInfo, error) {
	e := &changeErrand{change: c}
	err := sp.send(room, identity, e)
	return e.info, err
}

type changeErrand struct {
	change ParticipantChange
	info   *livekit.ParticipantInfo
}

func (e *changeErrand) run(r *room, m *member) error {
	c := e.change
	q := &metadataRequest{msg: &livekit.UpdateParticipantMetadata{Name: c.Name, Metadata: c.Metadata, Attributes: c.Attributes}}
	if !q.fits(m) {
		return ErrTooLong
	}
	if c.Name != "" || c.Metadata != "" || len(c.Attributes) > 0 {
		m.change(q.apply)
		r.broadcast(m)
	}
	if c.Permission != nil {
		was, p := m.info.Permission, proto.CloneOf(c.Permission)
		p.Hidden = was.GetHidden()
		p.Recorder, p.Agent = was.GetRecorder(), was.GetAgent() //nolint:staticcheck // older tokens say it so
		(&permissionRequest{identity: m.info.Identity, permission: p, reply: make(chan bool, 1)}).serve(r)
	}
	e.info = m.info
	return nil
}

// Mute mutes a track for everybody and tells the client to; should it not, what it
// sends goes no further. Only the client can open a microphone again.
func (sp Space) Mute(room, identity, sid string) (*livekit.TrackInfo, error) {
	e := &muteErrand{sid: sid}
	err := sp.send(room, identity, e)
	return e.info, err
}

type muteErrand struct {
	sid  string
	info *livekit.TrackInfo
}

func (e *muteErrand) run(r *room, m *member) error {
	t := r.trackOf(m, e.sid)
	if t == nil {
		return ErrNoTrack
	}
	if !t.info.Muted {
		r.changeTrack(t, func(i *livekit.TrackInfo) { i.Muted = true })
	}
	// Also of one that says it is muted: it may send all the same, or be about to open.
	t.media.Silence()
	if t.backup != nil {
		t.backup.Silence()
	}
	m.s.muteSoon(e.sid)
	m.s.send(&livekit.SignalResponse{Message: &livekit.SignalResponse_Mute{
		Mute: &livekit.MuteTrackRequest{Sid: e.sid, Muted: true},
	}})
	e.info = t.info
	return nil
}

// muteSoon has the session note that a track of its client was muted.
func (s *Session) muteSoon(sid string) {
	s.mu.Lock()
	s.muted = append(s.muted, sid)
	s.mu.Unlock()
	s.wake()
}

// noteMuted does what muteSoon asked for.
func (s *Session) noteMuted() {
	s.mu.Lock()
	sids := s.muted
	s.muted = nil
	s.mu.Unlock()
	for _, sid := range sids {
		s.mute(&livekit.MuteTrackRequest{Sid: sid, Muted: true})
	}
}

// Subscribe sets a participant's wishes about tracks, as its client could.
func (sp Space) Subscribe(room, identity string, wish *livekit.UpdateSubscription) error {
	return sp.send(room, identity, &subscribeErrand{wish})
}

type subscribeErrand struct{ wish *livekit.UpdateSubscription }

func (e *subscribeErrand) run(r *room, m *member) error {
	(&subscriptionRequest{m.s, e.wish}).serve(r)
	return nil
}
