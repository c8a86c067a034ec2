package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/livekit"
	"github.com/pion/webrtc/v4"
)

// Config is one participant.
type Config struct {
	URL, Token string
	Single     bool // /rtc/v1, one connection; else /rtc, two
	Subscribe  bool // to everything
	// Restless: others come and go, so that what was there at the join need not come.
	Restless bool
	Sources  []Source
	Figures  *Figures
	Pulse    *Pulse
}

// Client is a participant that is in. Its methods may be called from any goroutine.
type Client struct {
	// Set at creation.
	cfg       Config
	dialled   time.Time
	events    chan any
	connected chan struct{} // closed when the primary transport was up once
	done      chan struct{} // closed when run ended; err is set by then
	firsts    firsts
	sending   *sender

	leaving atomic.Bool // what ends now ends because we want it
	dead    atomic.Bool // nothing is sent any more, see quietNet

	// Owned by run; before it by Join.
	ws         *websocket.Conn
	pub, sub   *peer
	primary    *peer
	sid        string
	err        error
	offering   bool // an offer of ours is out
	dirty      bool // and another is due
	restart    bool // which restarts ICE
	offerID    uint32
	publishing []*publication
	subscribed *livekit.SessionDescription // the server's last offer, for SyncState
	ping       time.Duration
}

// What run is told, beside what the server says and the states of peers.
type (
	heard struct {
		ws  *websocket.Conn
		msg *livekit.SignalResponse
		err error
	}
	stateChanged struct {
		peer  *peer
		state webrtc.PeerConnectionState
	}
	candidate struct {
		peer *peer
		init webrtc.ICECandidateInit
	}
	command struct {
		do    func(*Client) error
		reply chan error
	}
)

// ErrEnded is returned when the participant is in no more.
var ErrEnded = errors.New("the participant is in no more")

// Join enters, and returns when the primary transport is up. The error names what
// failed; it has been counted.
func Join(ctx context.Context, cfg Config) (*Client, error) {
	c := &Client{
		cfg: cfg, dialled: time.Now(),
		events: make(chan any, 64), connected: make(chan struct{}), done: make(chan struct{}),
	}
	c.firsts.figures = cfg.Figures
	cfg.Figures.Joins.Add(1)
	reason, err := c.enter(ctx)
	if err != nil {
		c.end()
		close(c.done)
		if ctx.Err() == nil || errors.Is(ctx.Err(), context.DeadlineExceeded) {
			cfg.Figures.Fail(reason)
		}
		return nil, fmt.Errorf("%s: %w", reason, err)
	}
	go c.run()
	select {
	case <-c.connected:
		cfg.Figures.Joined.Add(1)
		return c, nil
	case <-c.done:
		return nil, fmt.Errorf("join: %w", c.err)
	case <-ctx.Done():
		c.Kill()
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			cfg.Figures.Fail("transport did not come up")
		}
		return nil, fmt.Errorf("transport did not come up: %w", ctx.Err())
	}
}

// enter dials and takes the JoinResponse.
func (c *Client) enter(ctx context.Context) (reason string, err error) {
	if c.pub, err = c.newPeer(true); err != nil {
		return "make connection", err
	}
	c.sending = newSender(c)
	var offer *livekit.SessionDescription
	if c.cfg.Single {
		if offer, err = c.firstOffer(); err != nil {
			return "make offer", err
		}
	}
	c.dialled = time.Now()
	if c.ws, err = c.dial(ctx, "", offer); err != nil {
		if refused, ok := errors.AsType[*RefusedError](err); ok {
			return fmt.Sprintf("refused with %d", refused.Status), err
		}
		return "dial", err
	}
	m, err := first(c.ws)
	if err != nil {
		return "no JoinResponse", err
	}
	join := m.GetJoin()
	if join == nil {
		return "no JoinResponse", fmt.Errorf("first message is %T", m.Message)
	}
	c.cfg.Figures.JoinResponse.Add(time.Since(c.dialled))
	return "join", c.joined(join)
}

// joined takes what the JoinResponse tells.
func (c *Client) joined(join *livekit.JoinResponse) error {
	c.sid = join.GetParticipant().GetSid()
	c.ping = time.Duration(join.PingInterval) * time.Second
	c.primary = c.pub
	if !c.cfg.Single {
		sub, err := c.newPeer(false)
		if err != nil {
			return err
		}
		c.sub = sub
		if join.SubscriberPrimary {
			c.primary = sub
		}
	}
	if c.cfg.Subscribe && !c.cfg.Restless {
		c.firsts.expect(join.OtherParticipants)
	}
	for i := range c.cfg.Sources {
		c.announce(&c.cfg.Sources[i])
	}
	// Without anything to publish browsers negotiate their data channels at once.
	if !c.cfg.Single && len(c.cfg.Sources) == 0 && (join.FastPublish || !join.SubscriberPrimary) {
		return c.offer(false)
	}
	return nil
}

// run owns the participant until it ends.
func (c *Client) run() {
	defer close(c.done)
	defer c.end()
	go c.read(c.ws)
	if c.ping == 0 {
		c.ping = 10 * time.Second
	}
	ping := time.NewTicker(c.ping)
	defer ping.Stop()
	for {
		var err error
		select {
		case e := <-c.events:
			err = c.handle(e)
		case now := <-ping.C:
			c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_PingReq{
				PingReq: &livekit.Ping{Timestamp: now.UnixMilli()},
			}})
		}
		if err != nil {
			c.err = err
			return
		}
	}
}

// read hands over what comes on one socket, until it ends.
func (c *Client) read(ws *websocket.Conn) {
	for {
		m, err := receive(ws)
		c.tell(heard{ws, m, err})
		if err != nil {
			return
		}
	}
}

// tell queues an event for run; it may be called after its end.
func (c *Client) tell(e any) {
	select {
	case c.events <- e:
	case <-c.done:
	}
}

func (c *Client) handle(e any) error {
	switch e := e.(type) {
	case heard:
		if e.ws != c.ws {
			return nil // of before a resume
		}
		if e.err != nil {
			return c.fail("signal lost", e.err)
		}
		return c.signal(e.msg)
	case candidate:
		c.trickle(e)
	case stateChanged:
		return c.state(e)
	case command:
		err := e.do(c)
		e.reply <- err
		if c.leaving.Load() {
			return ErrEnded
		}
	}
	return nil
}

// state follows the connections. The server learns of a lost one by itself.
func (c *Client) state(e stateChanged) error {
	switch e.state {
	case webrtc.PeerConnectionStateConnected:
		if e.peer == c.primary && !c.isConnected() {
			c.cfg.Figures.Connected.Add(time.Since(c.dialled))
			close(c.connected)
		}
		if e.peer == c.pub {
			c.sending.start()
		}
	case webrtc.PeerConnectionStateFailed:
		return c.fail("transport failed", errors.New("ICE or DTLS failed"))
	}
	return nil
}

func (c *Client) isConnected() bool {
	select {
	case <-c.connected:
		return true
	default:
		return false
	}
}

// fail counts what ends the participant against its will.
func (c *Client) fail(reason string, err error) error {
	if !c.leaving.Load() {
		c.cfg.Figures.Fail(reason)
		c.cfg.Figures.Left.Add(1)
	}
	return fmt.Errorf("%s: %w", reason, err)
}

// end closes everything. It runs once.
func (c *Client) end() {
	if c.sending != nil {
		c.sending.stop()
	}
	for _, p := range []*peer{c.pub, c.sub} {
		if p != nil {
			p.close(c.cfg.Pulse)
		}
	}
	if c.ws != nil {
		_ = c.ws.Close()
	}
}

// do lets run do something, and waits for it.
func (c *Client) do(what func(*Client) error) error {
	cmd := command{what, make(chan error, 1)}
	select {
	case c.events <- cmd:
	case <-c.done:
		return ErrEnded
	}
	select {
	case err := <-cmd.reply:
		return err
	case <-c.done:
		select {
		case err := <-cmd.reply:
			return err
		default:
			return ErrEnded
		}
	}
}

// Done is closed when the participant is in no more.
func (c *Client) Done() <-chan struct{} { return c.done }

// Leave says good-bye and waits until everything is closed.
func (c *Client) Leave() {
	// An error says that it has left already.
	_ = c.do(func(c *Client) error {
		c.leaving.Store(true)
		c.firsts.finish()
		c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Leave{Leave: &livekit.LeaveRequest{
			Reason: livekit.DisconnectReason_CLIENT_INITIATED, Action: livekit.LeaveRequest_DISCONNECT,
		}}})
		if c.ws == nil {
			return nil // its signal was cut: there is nobody to tell
		}
		frame := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
		_ = c.ws.WriteControl(websocket.CloseMessage, frame, time.Now().Add(time.Second)) // it closes either way
		return nil
	})
	<-c.done
}

// Kill ends it as the loss of a machine does: nothing is said, neither on the socket
// nor by DTLS.
func (c *Client) Kill() {
	_ = c.do(func(c *Client) error {
		c.leaving.Store(true)
		c.dead.Store(true)
		return nil
	})
	<-c.done
}

// CutSignal closes the socket without a word and leaves the media as it is: the server
// should wait for a resume.
func (c *Client) CutSignal() error {
	return c.do(func(c *Client) error {
		old := c.ws
		c.ws = nil
		if old == nil {
			return nil
		}
		return old.NetConn().Close()
	})
}

// Resume brings a participant whose signal was cut back, as livekit-client does.
func (c *Client) Resume(ctx context.Context) error {
	return c.do(func(c *Client) error { return c.resume(ctx) })
}

// Mute mutes or unmutes a source.
func (c *Client) Mute(source int, muted bool) error {
	return c.do(func(c *Client) error {
		if source >= len(c.publishing) || c.publishing[source].sid == "" {
			return nil // not published yet
		}
		p := c.publishing[source]
		p.muted.Store(muted)
		c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Mute{
			Mute: &livekit.MuteTrackRequest{Sid: p.sid, Muted: muted},
		}})
		return nil
	})
}

// firsts times the beginning: when what was there at the join came.
type firsts struct {
	figures *Figures

	mu             sync.Mutex // guards all below
	audio, video   int        // expected
	up             time.Time  // the receiving transport
	first          time.Time
	audios, videos []time.Time // as they came
	told           bool
}

// expect counts the tracks of those who were in before.
func (f *firsts) expect(others []*livekit.ParticipantInfo) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range others {
		for _, t := range p.Tracks {
			switch {
			case t.Muted:
			case t.Type == livekit.TrackType_AUDIO:
				f.audio++
			case t.Type == livekit.TrackType_VIDEO:
				f.video++
			}
		}
	}
}

func (f *firsts) connected(at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.up.IsZero() {
		f.up = at
		f.tell()
	}
}

func (f *firsts) packet(p firstPacket) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.first.IsZero() {
		f.first = p.at
	}
	switch {
	case p.keyframe:
		f.videos = append(f.videos, p.at)
	case !p.video:
		f.audios = append(f.audios, p.at)
	}
	f.tell()
}

// tell counts once everything expected is there. Caller holds mu.
func (f *firsts) tell() {
	if f.told || f.up.IsZero() || f.audio+f.video == 0 || len(f.audios) < f.audio || len(f.videos) < f.video {
		return
	}
	f.told = true
	f.figures.FirstMedia.Add(f.first.Sub(f.up))
	if f.audio > 0 {
		f.figures.FirstAudio.Add(f.audios[f.audio-1].Sub(f.up))
	}
	if f.video > 0 {
		f.figures.FirstKeyframe.Add(f.videos[f.video-1].Sub(f.up))
	}
}

// finish counts a participant for whom something never came.
func (f *firsts) finish() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.told && f.audio+f.video > 0 && !f.up.IsZero() {
		f.figures.Fail("some media of the join never came")
	}
}

// Subscribes tells whether it receives.
func (c *Client) Subscribes() bool { return c.cfg.Subscribe }
