package sfu

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/livekit/protocol/livekit"
	"golang.org/x/time/rate"

	"aparte/sfu/codec"
	"aparte/sfu/publish"
	"aparte/sfu/transport"
)

// Signal is the way to a client. Send and Close must not block; Close sends
// what was queued first, as far as the client still listens.
type Signal interface {
	Send(*livekit.SignalResponse)
	Close()
}

// Session is one participant's connections: it handles the client's messages
// in order and negotiates. What concerns others it asks of the room.
//
// The room speaks to it without ever waiting for it: by messages for the
// client, by what it wants sent (setWanted), and by cut, after which nothing
// more is forwarded.
type Session struct {
	// Set at creation.
	room              *room
	sid, identity     string
	log               *slog.Logger
	params            JoinParams
	single            bool // one peer connection
	subscriberPrimary bool
	inbox             chan received
	wakeUp            chan struct{}
	quit              chan struct{} // closed by cut
	passing           sync.RWMutex  // read-held while a data packet is passed on
	done              chan struct{} // closed when run ended
	permission        atomic.Pointer[livekit.ParticipantPermission]
	data              *outbox
	dataRate          *rate.Limiter // of what the client sends
	offerRate         *rate.Limiter // of its offers and answers: each costs milliseconds, many sections more

	unknown  atomic.Bool // the others were not told of it yet
	standing atomic.Pointer[Standing]
	restated atomic.Pointer[func()]
	signal   atomic.Pointer[signalBox]
	dataPeer atomic.Pointer[transport.Peer] // where data for the client goes
	qualityD atomic.Int32                   // downstream quality, for the room
	seq      atomic.Uint32                  // last reliable sequence taken from the client

	// Guarded by mu.
	mu      sync.Mutex
	ended   bool
	wanted  []wanted
	resumed *JoinParams              // set by a resume, taken by sync
	leaving *leaveRequest            // set by leave
	muted   []string                 // sids of tracks, set by muteSoon
	downs   map[string]*subscription // by track sid

	// Owned by run.
	pub, sub  *transport.Peer
	pubState  transport.State
	subState  transport.State
	wasActive bool
	failed    bool
	window    [windowSeconds]lossWindow  // of each second, the newest first
	local     []*localTrack              // announced or published, in order
	queued    []*livekit.AddTrackRequest // wait for their cid to be free
	sections  []transport.Section        // of the client's last offer
	decoders  map[codec.Type]bool        // of pictures; nil while not known
	answering bool                       // our answer is not out yet
	settings  map[string]trackSettings   // by track sid
	offering  bool                       // an offer of ours is outstanding
	stale     bool                       // and does not carry the latest wishes
	restart   bool                       // the next offer restarts ICE
	required  bool                       // media_sections_requirement is out
	offerID   uint32
	lastOffer *transport.Offer
	tellRate  *rate.Limiter // of what everyone is told
	listRate  *rate.Limiter // of tracks named in wishes about them
	flow      *time.Timer   // fires when the client has applied our answer
}

// applyTime is what a client gets to apply an answer before its new tracks begin: a
// round trip and some 50 ms in a browser. Who answers our offer has applied it, but for
// clients on Pion, which begin to receive a moment later. Of the first description the
// connection tells that it was applied.
const (
	applyTime    = 200 * time.Millisecond
	answeredTime = 50 * time.Millisecond
)

type signalBox struct{ Signal }

// wanted is a track the room wants sent to this participant.
type wanted struct {
	sid, stream string
	info        *livekit.TrackInfo
	media       *publish.Track
	backup      *publish.Track // in another codec; nil: there is none
	all         bool           // everybody is sent the backup
}

func newSession(r *room, info *livekit.ParticipantInfo, p *JoinParams, signal Signal) *Session {
	s := &Session{
		room:              r,
		sid:               info.Sid,
		identity:          info.Identity,
		log:               r.log.With("participant", info.Identity),
		params:            *p,
		single:            p.SingleConn,
		subscriberPrimary: !p.SingleConn && p.Permission.GetCanSubscribe(),
		inbox:             make(chan received, 32),
		wakeUp:            make(chan struct{}, 1),
		quit:              make(chan struct{}),
		done:              make(chan struct{}),
		downs:             map[string]*subscription{},
		settings:          map[string]trackSettings{},
		flow:              time.NewTimer(applyTime),
		tellRate:          rate.NewLimiter(10, 30),
		listRate:          rate.NewLimiter(500, maxListed),
		dataRate:          rate.NewLimiter(dataRate, dataRate),
		offerRate:         rate.NewLimiter(5, 20),
		data:              newOutbox(r.sfu.cfg.Limits.DataQueueBytes, &r.sfu.counters),
	}
	s.permission.Store(p.Permission)
	s.stands(info)
	s.signal.Store(&signalBox{signal})
	s.qualityD.Store(int32(livekit.ConnectionQuality_EXCELLENT))
	return s
}

// start runs the session's two goroutines. Called by the room, once.
func (s *Session) start() {
	s.room.sfu.sessions.Go(s.run)
	s.room.sfu.sessions.Go(s.sendData)
}

// SID is the participant's session id.
func (s *Session) SID() string { return s.sid }

// received is a message with the connection it came on.
type received struct {
	from Signal
	msg  *livekit.SignalRequest
}

// Handle takes a message that the client sent on the connection behind from. It
// blocks while earlier ones are being worked on, which slows down that client
// alone; false when the session ended.
func (s *Session) Handle(from Signal, m *livekit.SignalRequest) bool {
	select {
	case s.inbox <- received{from, m}:
		return true
	case <-s.quit:
		return false
	}
}

// SignalLost tells that the connection behind signal ended. The participant
// stays while its media connections live.
func (s *Session) SignalLost(signal Signal) {
	s.room.ask(&signalLost{s, signal})
}

// Remove ends the session; see Space.Remove.
func (s *Session) Remove(reason livekit.DisconnectReason) {
	s.room.remove(s.identity, s, reason)
}

// send queues a message for the client; it is lost while the client has no
// signal connection: a resume tells everything anew.
func (s *Session) send(m *livekit.SignalResponse) {
	if box := s.signal.Load(); box != nil {
		box.Send(m)
	}
}

func (s *Session) wake() {
	select {
	case s.wakeUp <- struct{}{}:
	default:
	}
}

// setWanted replaces the set of tracks to send. Called by the room.
func (s *Session) setWanted(w []wanted) {
	s.mu.Lock()
	s.wanted = w
	s.mu.Unlock()
	s.wake()
}

// cut stops all forwarding to the participant and of its data; when it returns
// nothing more is sent. Its published tracks are closed by the room. Called by
// the room, once.
func (s *Session) cut() {
	s.mu.Lock()
	s.ended = true
	downs := s.downs
	s.downs = map[string]*subscription{}
	s.mu.Unlock()
	for _, d := range downs {
		d.down.Close()
	}
	s.data.close()
	close(s.quit)      // first: a sender that waits for room ends its wait by it
	s.passing.Lock()   // what is being passed on was sent before the cut
	s.passing.Unlock() //nolint:staticcheck // to have waited is all
}

func (s *Session) run() {
	defer close(s.done)
	defer s.forget()
	defer s.closePeers()
	if !s.begin() {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	defer s.flow.Stop()
	for {
		select {
		case <-s.quit:
			return
		default:
		}
		select {
		case <-s.quit:
			return
		case q := <-s.inbox:
			if s.outdated(q) {
				s.room.sfu.counters.staleSignals.Add(1)
				continue
			}
			s.handle(q.msg)
		case <-s.wakeUp:
			s.sync()
		case <-s.flow.C:
			s.startPlaced()
		case <-tick.C:
			s.everySecond()
		}
	}
}

// startPlaced lets flow what the client has had the time to make room for.
func (s *Session) startPlaced() {
	peer, wait := s.pub, applyTime
	if !s.single {
		peer, wait = s.sub, answeredTime
	}
	if peer == nil {
		return
	}
	if next := peer.Flow(time.Now().Add(-wait)); !next.IsZero() {
		s.flow.Reset(time.Until(next.Add(wait)))
	}
}

// begin makes the connections and does what came with the join.
func (s *Session) begin() bool {
	var err error
	if s.pub, err = s.newPeer(false); err == nil && s.subscriberPrimary {
		s.sub, err = s.newPeer(true)
	}
	if err != nil {
		s.fail("make peer connection", err)
		return false
	}
	s.dataPeer.Store(s.primary()) // and stays there: another channel would be another order
	s.pickDowns()
	for _, req := range s.params.AddTracks {
		s.addTrack(req)
	}
	if o := s.params.PublisherOffer; o != nil && o.Sdp != "" {
		s.offered(o)
	}
	if s.subscriberPrimary {
		s.makeOffer() // even without tracks: data channels are enough for connect() to resolve
	}
	s.params.AddTracks, s.params.PublisherOffer, s.params.SyncState = nil, nil, nil
	return true
}

func (s *Session) newPeer(offers bool) (*transport.Peer, error) {
	return s.room.sfu.cfg.Engine.NewPeer(transport.PeerConfig{
		Offers: offers,
		// Else a client could make us send to any address it names.
		FullICE:       s.params.FullICE && s.room.sfu.cfg.Dev,
		Ways:          s.ways(),
		OnState:       func(transport.State) { s.wake() },
		OnData:        s.incomingData,
		OnWritable:    s.data.signal,
		OnStreamState: s.wake,
		OnOverflow: func() {
			s.log.Warn("client uses too many SSRCs")
			s.leave(livekit.DisconnectReason_MEDIA_FAILURE)
		},
		Log: s.log,
	})
}

// ways are those that the client is told of. The Go SDK has no use for TCP.
func (s *Session) ways() Ways {
	if s.params.Ways == 0 && s.params.Client.GetSdk() == livekit.ClientInfo_GO {
		return UDP | Relay
	}
	return s.params.Ways
}

// forget lets go of everybody else: what somebody still knows of this session must not
// hold those who were in with it, and by them those before.
func (s *Session) forget() {
	s.mu.Lock()
	s.wanted = nil
	s.mu.Unlock()
	s.local, s.queued, s.sections, s.lastOffer = nil, nil, nil, nil
}

func (s *Session) closePeers() {
	s.dataPeer.Store(nil)
	for _, p := range []*transport.Peer{s.pub, s.sub} {
		if p != nil {
			p.Close()
		}
	}
}

// fail ends the session because of an error on our side or in what the client
// negotiates: the client joins anew, with fresh connections.
func (s *Session) fail(what string, err error) {
	s.log.Warn("session failed", "doing", what, "error", err)
	s.room.ask(&leaveRequest{s: s, reason: livekit.DisconnectReason_STATE_MISMATCH, action: livekit.LeaveRequest_RECONNECT})
}

// primary is the connection whose being up makes the participant ACTIVE.
func (s *Session) primary() *transport.Peer {
	if s.subscriberPrimary {
		return s.sub
	}
	return s.pub
}

// sync brings everything up to date with what the room and the connections
// said since the last time.
func (s *Session) sync() {
	s.mu.Lock()
	resumed := s.resumed
	leaving := s.leaving
	s.resumed = nil
	s.mu.Unlock()
	if leaving != nil {
		s.room.ask(leaving)
		return
	}
	if resumed != nil {
		s.afterResume(resumed)
	}
	s.watchStates()
	s.forgetRevoked()
	s.noteMuted()
	s.subscribe()
	s.tellStreams(time.Now())
	s.tellWishes()
}

// watchStates tells the room when the participant became active, when a
// connection failed and when it works again.
func (s *Session) watchStates() {
	pub, sub := s.pub.State(), transport.New
	if s.sub != nil {
		sub = s.sub.State()
	}
	if pub == s.pubState && sub == s.subState {
		return
	}
	for peer, begins := range map[*transport.Peer]bool{
		s.pub: pub == transport.Connected && s.pubState != pub,
		s.sub: sub == transport.Connected && s.subState != sub,
	} {
		if begins && !peer.Flow(time.Now()).IsZero() {
			s.flow.Reset(answeredTime)
		}
	}
	s.pubState, s.subState = pub, sub
	s.data.signal()
	if p := s.primary().State(); p == transport.Connected && !s.wasActive {
		s.wasActive = true
		s.room.ask(&activeRequest{s})
	}
	closed := pub == transport.Closed || sub == transport.Closed
	failed := closed || pub == transport.Failed || sub == transport.Failed
	if failed != s.failed {
		s.failed = failed
		s.room.ask(&connectionRequest{s: s, failed: failed, closed: closed})
	}
}

// everySecond does what has no event of its own.
func (s *Session) everySecond() {
	s.watchStates()
	if s.primary().State() == transport.Connected {
		s.keepAlive()
	}
	for _, peer := range []*transport.Peer{s.pub, s.sub} {
		if peer != nil {
			peer.GiveUpSpareWays(time.Now())
		}
	}
	s.measure()
	s.forgetSent(time.Now())
	s.tellStreams(time.Now())
	s.tellWishes()
}
