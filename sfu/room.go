package sfu

import (
	"crypto/rand"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/livekit/protocol/livekit"
	"golang.org/x/time/rate"

	"aparte/sfu/publish"
	"aparte/sfu/transport"
)

// room is one goroutine that takes requests and answers. It knows who is in,
// what is published and who wants what; it never touches packets.
type room struct {
	// Set at creation.
	sfu        *SFU
	key        RoomKey
	log        *slog.Logger
	requests   chan request
	done       chan struct{}  // closed when run ended
	trailer    []byte         // sif_trailer of JoinResponse
	presenting *rate.Limiter  // of those who come
	floor      *publish.Floor // of its microphones; nil: all are heard

	// Replaced on change, read by the data path.
	sessions atomic.Pointer[[]*Session]

	// Owned by run.
	info      *livekit.Room
	members   map[string]*member // by identity
	tracks    []*track           // in the order of publishing
	taps      []*Tap
	left      []departure
	speaking  map[string]float32   // participant sid → level last told
	spoke     map[string]time.Time // participant sid → when it last did
	silent    map[string]int       // participant sid → ticks of silence since it spoke
	emptyAt   time.Time            // when the last one left; zero while it is in use
	untold    bool                 // counts changed since the room was told
	toldAt    time.Time            // when it was
	fresh     map[*member]bool     // came, and the others were not told yet
	freshAt   time.Time            // the first of them
	visited   bool                 // someone was in
	qualityAt time.Time            // when qualities were last told
	ended     bool
}

// request is what a room can be asked. serve runs in the room's goroutine.
type request interface{ serve(r *room) }

func newRoom(s *SFU, p JoinParams) *room {
	now := time.Now()
	r := &room{
		sfu:        s,
		key:        p.Room,
		log:        s.cfg.Log.With("room", p.Room.Name),
		requests:   make(chan request),
		done:       make(chan struct{}),
		trailer:    make([]byte, 16),
		members:    map[string]*member{},
		fresh:      map[*member]bool{},
		presenting: rate.NewLimiter(rate.Limit(presentAtOnce/s.cfg.Timing.Batch.Seconds()), presentAtOnce),
		speaking:   map[string]float32{},
		silent:     map[string]int{},
		spoke:      map[string]time.Time{},
		emptyAt:    now,
		info: &livekit.Room{
			Sid:              newSID("RM_"),
			Name:             p.Room.Name,
			CreationTime:     now.Unix(),
			CreationTimeMs:   now.UnixMilli(),
			EmptyTimeout:     300,
			DepartureTimeout: uint32(s.cfg.Timing.Departure / time.Second),
			MaxParticipants:  uint32(s.cfg.Limits.Participants),
			EnabledCodecs:    enabledCodecs(),
		},
	}
	if n := s.cfg.Limits.microphones(p.Room.Space); n > 0 {
		r.floor = publish.NewFloor(n)
	}
	if _, err := rand.Read(r.trailer); err != nil {
		panic(err) // crypto/rand never fails
	}
	if c := p.RoomConfig; c != nil {
		r.info.Metadata = c.Metadata
		if c.MaxParticipants > 0 {
			r.info.MaxParticipants = min(r.info.MaxParticipants, c.MaxParticipants)
		}
		if c.EmptyTimeout > 0 {
			r.info.EmptyTimeout = min(c.EmptyTimeout, maxTimeout)
		}
		if c.DepartureTimeout > 0 {
			r.info.DepartureTimeout = min(c.DepartureTimeout, maxTimeout)
		}
	}
	r.sessions.Store(&[]*Session{})
	return r
}

func enabledCodecs() []*livekit.Codec {
	var out []*livekit.Codec
	for _, m := range transport.MimeTypes() {
		out = append(out, &livekit.Codec{Mime: m})
	}
	return out
}

// ask hands over a request; false when the room has ended.
func (r *room) ask(req request) bool {
	select {
	case r.requests <- req:
		return true
	case <-r.done:
		return false
	}
}

func (r *room) run() {
	tick := time.NewTicker(r.sfu.cfg.Timing.Tick)
	defer tick.Stop()
	defer close(r.done)
	r.tell(RoomStarted, nil, nil)
	for !r.ended {
		select {
		case req := <-r.requests:
			req.serve(r)
		case now := <-tick.C:
			r.tick(now)
		}
	}
}

// tick looks after everything that happens by time.
func (r *room) tick(now time.Time) {
	r.checkDeadlines(now)
	r.tellSpeakers()
	r.rankSpeakers(now)
	r.tellDemand(now)
	r.tellLate(now)
	if now.Sub(r.qualityAt) >= r.sfu.cfg.Timing.Quality {
		r.qualityAt = now
		r.tellQuality(now)
	}
	if !r.inUse() && now.Sub(r.emptyAt) > r.patience() {
		for _, m := range r.members {
			r.drop(m, livekit.DisconnectReason_ROOM_CLOSED, livekit.LeaveRequest_DISCONNECT)
		}
		r.finish(livekit.RoomEndReason_ROOM_END_IDLE_TIMEOUT)
	}
}

func participantUpdate(infos ...*livekit.ParticipantInfo) *livekit.SignalResponse {
	return &livekit.SignalResponse{Message: &livekit.SignalResponse_Update{
		Update: &livekit.ParticipantUpdate{Participants: infos},
	}}
}

// close ends the room for everybody and waits until nothing more is forwarded.
func (r *room) close(reason livekit.DisconnectReason) bool {
	req := &closeRequest{reason: reason, reply: make(chan struct{})}
	if !r.ask(req) {
		return false
	}
	<-req.reply
	return true
}

type closeRequest struct {
	reason livekit.DisconnectReason
	reply  chan struct{}
}

func (q *closeRequest) serve(r *room) {
	for _, m := range r.members {
		r.drop(m, q.reason, actionFor(q.reason))
	}
	r.finish(endReason(q.reason)) // a join that waits meanwhile makes a new one
	close(q.reply)
}

type listRequest struct {
	reply chan []*livekit.ParticipantInfo
}

func (q *listRequest) serve(r *room) {
	list := make([]*livekit.ParticipantInfo, 0, len(r.members))
	for _, m := range r.members {
		list = append(list, m.info)
	}
	q.reply <- list
}

type describeRequest struct{ reply chan *livekit.Room }

func (q *describeRequest) serve(r *room) { q.reply <- r.info }
