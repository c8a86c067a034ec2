package sfu

import (
	"maps"

	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"
)

func (m *member) hidden() bool { return m.info.Permission.GetHidden() }

func (m *member) recorder() bool {
	return m.info.Kind == livekit.ParticipantInfo_EGRESS || m.info.Permission.GetRecorder() //nolint:staticcheck // older tokens say it so
}

// change replaces the info by a changed copy with a higher version: clients
// drop what is not newer.
func (m *member) change(edit func(*livekit.ParticipantInfo)) {
	info := proto.CloneOf(m.info)
	edit(info)
	info.Version++
	old := m.info
	m.info = info
	if old.Name != info.Name || old.Metadata != info.Metadata || !maps.Equal(old.Attributes, info.Attributes) ||
		!proto.Equal(old.Permission, info.Permission) {
		m.s.stands(info)
	}
}

// Standing is what a participant is and may now, as opposed to when it joined: a
// token that lets it come back has to say so.
type Standing struct {
	Name, Metadata string
	Attributes     map[string]string
	Permission     *livekit.ParticipantPermission
}

// stands notes a participant's standing. Called by the room.
func (s *Session) stands(p *livekit.ParticipantInfo) {
	s.standing.Store(&Standing{p.Name, p.Metadata, p.Attributes, p.Permission})
	if f := s.restated.Load(); f != nil {
		(*f)()
	}
}

// Standing is the participant's standing now; what it points to must not be changed.
func (s *Session) Standing() Standing { return *s.standing.Load() }

// OnRestated sets what is called when Standing changed; it must not block. One set
// before is forgotten.
func (s *Session) OnRestated(f func()) { s.restated.Store(&f) }

// limits on what a participant may say about itself, as the wire has them.
const (
	maxMetadata   = 64 << 10
	maxAttributes = 64 << 10
	maxName       = 256
)

type metadataRequest struct {
	s   *Session
	msg *livekit.UpdateParticipantMetadata
}

// serve answers with a RequestResponse and an update that includes the sender:
// clients wait for both.
func (q *metadataRequest) serve(r *room) {
	m := r.member(q.s)
	if m == nil {
		return
	}
	reason, text := q.check(m)
	if reason == livekit.RequestResponse_OK {
		m.change(q.apply)
		r.broadcast(m)
	}
	m.s.respond(&livekit.RequestResponse{
		RequestId: q.msg.RequestId, Reason: reason, Message: text,
		Request: &livekit.RequestResponse_UpdateMetadata{UpdateMetadata: q.msg},
	})
}

func (q *metadataRequest) check(m *member) (livekit.RequestResponse_Reason, string) {
	if !m.info.Permission.GetCanUpdateMetadata() {
		return livekit.RequestResponse_NOT_ALLOWED, "the token does not allow changing own metadata"
	}
	if !q.fits(m) {
		return livekit.RequestResponse_LIMIT_EXCEEDED, "metadata, attributes or name too long"
	}
	return livekit.RequestResponse_OK, ""
}

// fits tells whether the member would stay within the limits.
func (q *metadataRequest) fits(m *member) bool {
	after := proto.CloneOf(m.info)
	q.apply(after)
	size := 0
	for k, v := range after.Attributes {
		size += len(k) + len(v)
	}
	return len(after.Metadata) <= maxMetadata && size <= maxAttributes && len(after.Name) <= maxName
}

// apply sets what is set; an empty attribute is deleted.
func (q *metadataRequest) apply(p *livekit.ParticipantInfo) {
	if q.msg.Metadata != "" {
		p.Metadata = q.msg.Metadata
	}
	if q.msg.Name != "" {
		p.Name = q.msg.Name
	}
	for k, v := range q.msg.Attributes {
		if v == "" {
			delete(p.Attributes, k)
			continue
		}
		if p.Attributes == nil {
			p.Attributes = map[string]string{}
		}
		p.Attributes[k] = v
	}
}

// respond sends a RequestResponse to clients that know what to do with it.
func (s *Session) respond(m *livekit.RequestResponse) {
	if proto.Size(m) > maxEcho {
		m.Request = nil // the request id is enough
	}
	protocol := s.params.Client.GetProtocol()
	if m.Reason == livekit.RequestResponse_OK && protocol < 15 {
		return
	}
	if s.params.Client.GetSdk() == livekit.ClientInfo_RUST && protocol < 10 {
		return // fails on the unknown message
	}
	s.send(&livekit.SignalResponse{Message: &livekit.SignalResponse_RequestResponse{RequestResponse: m}})
}

// maxEcho is how long a request may be to stand in its answer, in bytes: a
// client that sends large ones and reads nothing would fill its queue with them.
const maxEcho = 8 << 10

// Refusal is the answer to a request that is not handled, with the request in
// it where the protocol has room for that; msg may be nil.
func Refusal(msg *livekit.SignalRequest, why livekit.RequestResponse_Reason, text string) *livekit.SignalResponse {
	out := &livekit.RequestResponse{Reason: why, Message: text}
	if proto.Size(msg) > maxEcho {
		out.RequestId = msg.GetUpdateMetadata().GetRequestId()
		return &livekit.SignalResponse{Message: &livekit.SignalResponse_RequestResponse{RequestResponse: out}}
	}
	switch m := msg.GetMessage().(type) {
	case *livekit.SignalRequest_Trickle:
		out.Request = &livekit.RequestResponse_Trickle{Trickle: m.Trickle}
	case *livekit.SignalRequest_AddTrack:
		out.Request = &livekit.RequestResponse_AddTrack{AddTrack: m.AddTrack}
	case *livekit.SignalRequest_Mute:
		out.Request = &livekit.RequestResponse_Mute{Mute: m.Mute}
	case *livekit.SignalRequest_UpdateMetadata:
		out.RequestId = m.UpdateMetadata.GetRequestId()
		out.Request = &livekit.RequestResponse_UpdateMetadata{UpdateMetadata: m.UpdateMetadata}
	case *livekit.SignalRequest_UpdateAudioTrack:
		out.Request = &livekit.RequestResponse_UpdateAudioTrack{UpdateAudioTrack: m.UpdateAudioTrack}
	case *livekit.SignalRequest_UpdateVideoTrack:
		out.Request = &livekit.RequestResponse_UpdateVideoTrack{UpdateVideoTrack: m.UpdateVideoTrack}
	case *livekit.SignalRequest_PublishDataTrackRequest:
		out.Request = &livekit.RequestResponse_PublishDataTrack{PublishDataTrack: m.PublishDataTrackRequest}
	case *livekit.SignalRequest_UnpublishDataTrackRequest:
		out.Request = &livekit.RequestResponse_UnpublishDataTrack{UnpublishDataTrack: m.UnpublishDataTrackRequest}
	}
	return &livekit.SignalResponse{Message: &livekit.SignalResponse_RequestResponse{RequestResponse: out}}
}
