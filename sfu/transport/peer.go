package transport

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"aparte/sfu/forward"
	"aparte/sfu/publish"
)

// State is how a connection is, ICE and DTLS together.
type State int32

// A peer goes New → Connecting → Connected; Connecting again for a few hundred
// milliseconds on an ICE restart; Disconnected when checks stop, Failed when
// they did not come back; Closed once.
const (
	New State = iota
	Connecting
	Connected
	Disconnected
	Failed
	Closed
)

func (s State) String() string {
	return [...]string{"new", "connecting", "connected", "disconnected", "failed", "closed"}[s]
}

const (
	// maxCandidates of one connection: a phone with VPN and two networks sends
	// about 20, and again at each ICE restart.
	maxCandidates = 256
	// maxCandidateBytes of one: they have 100 to 300.
	maxCandidateBytes = 4096
	// gatherLimit is generous: candidates are the mux's addresses, known at once.
	gatherLimit = 5 * time.Second
	// maxPackets a second of one client: 96 Mbit/s in packets of 1,200 bytes.
	maxPackets = 10_000
)

// ErrClosed is returned after Close.
var ErrClosed = errors.New("peer connection closed")

// PeerConfig describes one connection. The callbacks come from Pion's
// goroutines: they must not block (but OnData) and not call into the Peer.
type PeerConfig struct {
	// Offers is set for the subscriber connection of protocol v0, where we
	// make the offers and open the data channels.
	Offers bool
	// FullICE makes us check candidates too (clients that asked to disable ICE-lite).
	FullICE bool
	// Ways that the client is told of; 0: all.
	Ways Ways
	// OnState tells every change. Required.
	OnState func(State)
	// OnData takes a message of a known channel; the slice is the callee's. It
	// may take its time before Close, which holds that channel's sender. Required.
	OnData func(label Label, payload []byte)
	// OnWritable tells that a channel opened or its buffer drained. Required.
	OnWritable func()
	// OnOverflow tells that the client uses more SSRCs than we take: close it.
	OnOverflow func()
	// OnStreamState tells that DownTrack.Held of one or more changed; it comes
	// from the worker. May be nil.
	OnStreamState func()
	Log           *slog.Logger
}

// Peer is one client connection.
type Peer struct {
	// Set at creation.
	engine   *Engine
	cfg      PeerConfig
	pc       *webrtc.PeerConnection
	api      *webrtc.API
	receiver *publish.Receiver
	sub      *forward.Subscriber
	state    atomic.Int32

	// Guarded by mu, which serialises negotiation.
	mu       sync.Mutex
	closed   bool
	senders  map[string]*sender // by track id
	parting  []parting          // oldest first
	spare    spare
	offered  []Section // the client's last offer
	early    []webrtc.ICECandidateInit
	candSeen int

	channels channels

	wasUp, hasFailed, ending atomic.Bool // see failed

	describedOnce bool        // guarded by mu
	dataFirst     atomic.Bool // see mediaRuns
}

// NewPeer makes a connection that waits for Answer or Offer.
func (e *Engine) NewPeer(cfg PeerConfig) (*Peer, error) {
	p := &Peer{engine: e, cfg: cfg, senders: map[string]*sender{}}
	p.sub = e.worker.NewSubscriber(forward.SubscriberConfig{
		WriteRTCP: p.writeRTCP, OnStreamState: cfg.OnStreamState, NoAdaptation: e.cfg.NoAdaptation,
		OnRoundTrip: func(d time.Duration) { p.receiver.ReportRoundTrip(d) },
	})
	p.receiver = publish.NewReceiver(publish.ReceiverConfig{
		WriteRTCP:        p.writeRTCP,
		OnRTCP:           p.sub.HandleRTCP,
		PacketsPerSecond: maxPackets,
		OnOverflow: func() {
			e.counters.ssrcs.Add(1)
			if cfg.OnOverflow != nil {
				cfg.OnOverflow()
			}
		},
	})
	api, err := e.api(p.receiver, &cfg)
	if err != nil {
		p.sub.Close()
		return nil, err
	}
	p.api = api
	p.pc, err = api.NewPeerConnection(e.configuration())
	if err != nil {
		p.sub.Close()
		return nil, fmt.Errorf("new peer connection: %w", err)
	}
	e.worker.AddTicker(p.receiver)
	e.peers.Add(1)
	e.all.add(p)
	p.pc.OnConnectionStateChange(p.stateChanged)
	p.pc.OnDataChannel(p.incomingChannel)
	if cfg.Offers {
		if err := p.openChannels(); err != nil {
			p.Close()
			return nil, err
		}
	}
	return p, nil
}

// State is the last state told to OnState.
func (p *Peer) State() State { return State(p.state.Load()) }

// NewDownTrack begins a subscription of this peer to track. It sends nothing
// before it is placed by Answer or Offer; whoever asks for it closes it.
func (p *Peer) NewDownTrack(track *publish.Track) *forward.DownTrack {
	return p.sub.NewDownTrack(track)
}

// LimitBandwidth has forwarding believe that the path carries no more than bps,
// whatever the client's feedback says; 0 ends that. For clients under test.
func (p *Peer) LimitBandwidth(bps int64) { p.sub.Limit(bps) }

// SetSections says which published track each section of the client feeds.
func (p *Peer) SetSections(s []publish.Section) { p.receiver.SetSections(s) }

// AddCandidate takes a candidate as trickled by a client (RFC 8838): the JSON
// of a browser's RTCIceCandidateInit. Those that come before the first description wait for it; names of multicast
// DNS are of no use to us and dropped: the client's checks tell its address.
func (p *Peer) AddCandidate(text string) error {
	if len(text) > maxCandidateBytes {
		p.engine.counters.candidates.Add(1)
		return fmt.Errorf("candidate of %d bytes", len(text))
	}
	var init webrtc.ICECandidateInit
	if err := json.Unmarshal([]byte(text), &init); err != nil {
		p.engine.counters.candidates.Add(1)
		return fmt.Errorf("candidate: %w", err)
	}
	if !p.cfg.FullICE || init.Candidate == "" || strings.Contains(init.Candidate, ".local ") {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	if p.candSeen++; p.candSeen > maxCandidates {
		p.engine.counters.candidates.Add(1)
		return fmt.Errorf("more than %d candidates", maxCandidates)
	}
	if p.pc.RemoteDescription() == nil {
		p.early = append(p.early, init)
		return nil
	}
	return p.pc.AddICECandidate(init)
}

// fewCandidates drops the client's candidates beyond what anybody has: each
// costs Pion a good deal. As ICE-lite we need none, the client's checks tell
// its addresses.
func (p *Peer) fewCandidates(text string) string {
	keep := 0
	if p.cfg.FullICE {
		keep = maxCandidates
	}
	var out strings.Builder
	out.Grow(len(text))
	for line := range strings.SplitAfterSeq(text, "\n") {
		if strings.HasPrefix(line, "a=candidate:") {
			if keep == 0 {
				continue
			}
			keep--
		}
		out.WriteString(line)
	}
	return out.String()
}

// described runs after each remote description, with its sections. Caller holds mu.
func (p *Peer) described(sections []Section) {
	if !p.describedOnce {
		p.describedOnce = true
		data := slices.ContainsFunc(sections, func(s Section) bool { return !s.Media })
		p.dataFirst.Store(data && len(p.pc.GetTransceivers()) == 0)
	}
	for _, c := range p.early {
		if err := p.pc.AddICECandidate(c); err != nil {
			p.cfg.Log.Debug("candidate refused", "error", err)
		}
	}
	p.early = nil
}

func (p *Peer) stateChanged(s webrtc.PeerConnectionState) {
	state := map[webrtc.PeerConnectionState]State{
		webrtc.PeerConnectionStateNew:          New,
		webrtc.PeerConnectionStateConnecting:   Connecting,
		webrtc.PeerConnectionStateConnected:    Connected,
		webrtc.PeerConnectionStateDisconnected: Disconnected,
		webrtc.PeerConnectionStateFailed:       Failed,
		webrtc.PeerConnectionStateClosed:       Closed,
	}[s]
	p.state.Store(int32(state))
	p.failed(s)
	if state == Connected {
		p.sub.Resync() // what was sent meanwhile is lost: begin at key frames
	}
	p.cfg.OnState(state)
}

// Flow starts what was placed by a time, if the peer is connected. Call it when that is
// so, and when the client has had the time to apply a description: what comes before is
// dropped there, the first key frame with it. It tells when the first of those was
// placed that still wait; zero: none do.
func (p *Peer) Flow(by time.Time) (next time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.State() != Connected {
		return time.Time{}
	}
	if !p.mediaRuns() {
		for _, s := range p.senders {
			if s.holds() {
				return time.Now()
			}
		}
		return time.Time{}
	}
	for _, s := range p.senders {
		if since := s.flow(by); !since.IsZero() && (next.IsZero() || since.Before(next)) {
			next = since
		}
	}
	return next
}

// setLocal applies our description, waits for the candidates and returns the
// whole text. Caller holds mu.
func (p *Peer) setLocal(desc webrtc.SessionDescription) (string, error) {
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(desc); err != nil {
		return "", fmt.Errorf("set local description: %w", err)
	}
	limit := time.NewTimer(gatherLimit)
	defer limit.Stop()
	select {
	case <-gathered:
	case <-limit.C:
		return "", errors.New("gathering candidates took too long")
	}
	text := p.pc.LocalDescription().SDP
	p.spare.described(text)
	return p.engine.tellCandidates(p.cfg.Ways.tell(text)), nil
}

// mediaRuns tells whether Pion takes what comes over SRTP. Where the first description
// has no media it does so only once SCTP is up, or has failed: the description that
// brings media waits for that. If our packets began SRTP before, the client's would
// find nobody who takes them, and closing would wait for their reader with a lock held
// that the worker needs.
func (p *Peer) mediaRuns() bool {
	if !p.wasUp.Load() {
		return false
	}
	if p.dataFirst.Load() {
		if p.pc.SCTP().State() == webrtc.SCTPTransportStateConnecting {
			return false
		}
		p.dataFirst.Store(false)
	}
	return true
}

// writeRTCP sends to the client. The worker that calls it serves everybody else too, so
// it stays away from a connection that is closing, whose lock may be held for long.
func (p *Peer) writeRTCP(pkts []rtcp.Packet) error {
	if p.pc.SignalingState() == webrtc.SignalingStateClosed || !p.mediaRuns() {
		return nil
	}
	return p.pc.WriteRTCP(pkts)
}

// closeLimit is how long Pion may take to close one connection: it sends an SCTP ABORT
// and a DTLS alert, and waits for its own goroutines.
const closeLimit = 10 * time.Second

// Close stops everything and waits for it: nothing is sent or taken afterwards. A
// connection that Pion does not get closed is left behind and counted, for else the
// session would never end, nor the process.
func (p *Peer) Close() {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.closed = true
	p.mu.Unlock()
	p.ending.Store(true)
	p.sub.Close()
	p.engine.worker.RemoveTicker(p.receiver) // before: see writeRTCP
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		if err := p.pc.GracefulClose(); err != nil {
			p.cfg.Log.Debug("close peer connection", "error", err)
		}
		p.closeChannels()
	}()
	limit := time.NewTimer(p.engine.closeLimit)
	defer limit.Stop()
	select {
	case <-closed:
	case <-limit.C:
		p.engine.counters.stuck.Add(1)
		p.cfg.Log.Error("peer connection does not close, left behind")
	}
	p.receiver.Close()
	p.engine.all.remove(p)
	p.engine.peers.Done()
}
