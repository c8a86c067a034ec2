package sfu

import (
	"maps"
	"slices"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/sfu/publish"
)

// Liveness of the signal channel as clients run it, in seconds.
const pingInterval, pingTimeout = 5, 15

// JoinParams say who joins and how. The wire fills them from token and request.
type JoinParams struct {
	Room        RoomKey
	Identity    string
	Name        string
	Metadata    string
	Attributes  map[string]string
	Kind        livekit.ParticipantInfo_Kind
	KindDetails []livekit.ParticipantInfo_KindDetail
	Permission  *livekit.ParticipantPermission
	Authorized  time.Time                  // when Permission began to be looked up
	Admin       bool                       // sees those who wait in a meeting's lobby
	RoomConfig  *livekit.RoomConfiguration // for a room that this join creates; may be nil
	Client      *livekit.ClientInfo

	SingleConn    bool // protocol v1: one peer connection, the client offers
	AutoSubscribe bool
	FullICE       bool // the client asked us not to be ICE-lite
	Ways          Ways // that media may take; 0: all

	// What protocol v1 packs into the request.
	AddTracks      []*livekit.AddTrackRequest
	PublisherOffer *livekit.SessionDescription
	SyncState      *livekit.SyncState

	ParticipantSID string // of the session to resume; may be ""
}

type joinReply struct {
	session *Session
	err     error
}

type admitsRequest struct {
	params JoinParams
	reply  chan error
}

func (q *admitsRequest) serve(r *room) { q.reply <- r.admits(&q.params) }

// admits counts standard participants; those who come back take no new place.
func (r *room) admits(p *JoinParams) error {
	if r.members[p.Identity] != nil {
		return nil
	}
	if len(r.members) >= 2*r.sfu.cfg.Limits.Participants {
		return ErrFull // agents and hidden ones are not free of charge
	}
	if !countsForLimit(p.Kind, p.Permission) {
		return nil
	}
	n := 0
	for _, m := range r.members {
		if countsForLimit(m.info.Kind, m.info.Permission) {
			n++
		}
	}
	if n >= int(r.info.MaxParticipants) {
		return ErrFull
	}
	return nil
}

func countsForLimit(k livekit.ParticipantInfo_Kind, p *livekit.ParticipantPermission) bool {
	return k != livekit.ParticipantInfo_AGENT && k != livekit.ParticipantInfo_EGRESS && !p.GetHidden()
}

type joinRequest struct {
	params JoinParams
	signal Signal
	reply  chan joinReply
}

func (q *joinRequest) serve(r *room) {
	if err := r.admits(&q.params); err != nil {
		q.reply <- joinReply{err: err}
		return
	}
	if old := r.members[q.params.Identity]; old != nil {
		// Others see the old one go before the new one comes.
		r.drop(old, livekit.DisconnectReason_DUPLICATE_IDENTITY, livekit.LeaveRequest_DISCONNECT)
	}
	m := r.newMember(&q.params, q.signal)
	r.members[m.info.Identity] = m
	recorded := r.info.ActiveRecording
	r.recount()
	// The JoinResponse is the first message; only then may anyone else speak.
	q.signal.Send(r.joinResponse(m))
	r.present(m)
	if now := time.Now(); r.info.ActiveRecording != recorded {
		r.tellRoom(now)
	} else {
		r.tellLate(now)
	}
	r.reconcile(m) // what is there goes into the first offer or answer
	m.s.start()
	r.log.Info("participant joined", "participant", m.info.Identity, "sid", m.info.Sid, "single_conn", m.s.single)
	r.tell(Joined, m, nil)
	q.reply <- joinReply{session: m.s}
}

func (r *room) newMember(p *JoinParams, signal Signal) *member {
	now := time.Now()
	m := &member{
		joined:   now,
		lobby:    p.Room.Space == MeetingSpace,
		admin:    p.Admin,
		explicit: map[string]bool{},
		told:     map[string]bool{},
		info: &livekit.ParticipantInfo{
			Sid:            newSID("PA_"),
			Identity:       p.Identity,
			Name:           p.Name,
			State:          livekit.ParticipantInfo_JOINED,
			Metadata:       p.Metadata,
			Attributes:     maps.Clone(p.Attributes),
			JoinedAt:       now.Unix(),
			JoinedAtMs:     now.UnixMilli(),
			Version:        1,
			Permission:     p.Permission,
			Kind:           p.Kind,
			KindDetails:    p.KindDetails,
			ClientProtocol: p.Client.GetClientProtocol(),
			Capabilities:   knownCapabilities(p.Client.GetCapabilities()),
		},
	}
	m.s = newSession(r, m.info, p, signal)
	return m
}

// knownCapabilities keeps what we know, once each: everyone is told.
func knownCapabilities(list []livekit.ClientInfo_Capability) []livekit.ClientInfo_Capability {
	var out []livekit.ClientInfo_Capability
	for _, c := range list {
		if _, known := livekit.ClientInfo_Capability_name[int32(c)]; known && c != 0 && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

func (r *room) joinResponse(m *member) *livekit.SignalResponse {
	return &livekit.SignalResponse{Message: &livekit.SignalResponse_Join{Join: &livekit.JoinResponse{
		Room:                 r.roomFor(m),
		Participant:          m.info,
		OtherParticipants:    r.visibleTo(m),
		ServerVersion:        r.sfu.cfg.Version,
		ServerInfo:           r.sfu.serverInfo(),
		IceServers:           r.sfu.iceServers(m),
		ClientConfiguration:  clientConfiguration(m),
		SubscriberPrimary:    m.s.subscriberPrimary,
		PingInterval:         pingInterval,
		PingTimeout:          pingTimeout,
		SifTrailer:           r.trailer,
		EnabledPublishCodecs: enabledCodecs(),
		FastPublish:          m.info.Permission.GetCanPublish(),
	}}}
}

// visibleTo lists everyone else that m is to know of.
func (r *room) visibleTo(m *member) []*livekit.ParticipantInfo {
	var out []*livekit.ParticipantInfo
	for _, other := range r.members {
		if other != m && m.sees(other) {
			out = append(out, other.info)
		}
	}
	return out
}

func (s *SFU) serverInfo() *livekit.ServerInfo {
	return &livekit.ServerInfo{
		Edition:  livekit.ServerInfo_Standard,
		Version:  s.cfg.Version,
		Protocol: protocolVersion,
		NodeId:   s.cfg.NodeID,
	}
}

func (s *SFU) iceServers(m *member) []*livekit.ICEServer {
	if s.cfg.ICEServers == nil || !m.s.params.Ways.Has(Relay) {
		return nil
	}
	return s.cfg.ICEServers(m.info.Identity)
}

// clientConfiguration has a client go by the relay where no other way may be taken:
// it could reach our UDP port, which the relay needs to be told.
func clientConfiguration(m *member) *livekit.ClientConfiguration {
	if m.s.params.Ways != Relay {
		return nil
	}
	return &livekit.ClientConfiguration{ForceRelay: livekit.ClientConfigSetting_ENABLED}
}

// member is a participant as its room knows it. Owned by the room's goroutine.
type member struct {
	s *Session
	// info is never changed, only replaced: messages that carry it are encoded
	// later, by other goroutines.
	info        *livekit.ParticipantInfo
	joined      time.Time
	lobby       bool                                 // of a meeting, see waiting
	admin       bool                                 // of the room
	speaksUntil time.Time                            // see speakRequest
	onResume    simulated                            // what a client under test wants its next resume to end in
	ruledAt     time.Time                            // when its permission was last changed since it joined; zero: never
	active      bool                                 // the primary connection was up once
	lostAt      time.Time                            // when the signal was lost; zero while there is one
	resumedAt   time.Time                            // when it last came back
	failedAt    time.Time                            // when a connection failed; zero while it works
	closed      bool                                 // that failure was the client closing it
	goneFirst   bool                                 // the signal was lost before that failure
	explicit    map[string]bool                      // track sid → wanted, where told
	denied      map[string]bool                      // sids of tracks it was told it may not subscribe to
	allows      *livekit.SubscriptionPermission      // who may subscribe to its tracks; nil = all
	told        map[string]bool                      // participant sids it was last told to be speaking
	qualities   map[string]livekit.ConnectionQuality // by participant sid, as last told
}

// track is a published track as its room knows it.
type track struct {
	owner      *member
	info       *livekit.TrackInfo // replaced, never changed
	media      *publish.Track
	saidSo     bool       // the publisher was told of a subscriber
	mutedAt    time.Time  // when info.Muted last changed; zero: never
	seen       lossWindow // when its quality was last told
	expecting  int        // the layer expected of it since expectedAt, see missing
	expectedAt time.Time

	// See backup.go.
	backup    *publish.Track // nil until the client sends it
	regressed bool           // everybody is sent the backup

	// See dynacast.go.
	wishes   map[*member]wish // of those it is sent to
	tapped   []wish           // of the taps that let it through
	demands  []demand         // by codec
	counted  bool             // demands are those of wishes
	demanded bool             // the publisher was told
	begun    time.Time        // when it was published
}
