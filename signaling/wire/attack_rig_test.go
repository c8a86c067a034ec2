package wire_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"net"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/ice/v4"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"google.golang.org/protobuf/proto"

	"aparte/sfu"
	"aparte/sfu/tap"
)

// attacked is a server on which nobody who is gone is waited for long.
func attacked(t *testing.T) *server {
	return newServer(t, timing(func(timing *sfu.Timing) { timing.ReturnTime = time.Second }))
}

// pair are two participants who talk while others misbehave. Whatever these do, bob
// gets every packet and every message of ann, in order, and who records gets each of her
// packets once, as she sent it.
type pair struct {
	t        *testing.T
	s        *server
	ann, bob *client
	mic      *livekit.TrackInfo
	wrote    func() uint32 // ends the microphone and tells the last number
	said     uint32        // messages of ann
	routines int           // before anybody misbehaves
	tap      *sfu.Tap
	captured *captured

	// Guarded by bob's mu.
	heard []uint32
}

// newPair waits until media flows. With a line, ann's packets pass through it.
func newPair(t *testing.T, s *server, on *line) *pair {
	t.Helper()
	p := &pair{t: t, s: s}
	ann := newClient(t, true)
	if on != nil {
		ann.pub.Close()
		ann.settings = on.carry
		ann.pub = ann.newPC(livekit.SignalTarget_PUBLISHER)
	}
	p.ann = s.connectAs(ann, s.token("ann", "r"))
	p.captured = newCaptured()
	var err error
	if p.tap, err = s.sfu.Integration().Tap("r", sfu.TapConfig{Sink: p.captured}); err != nil {
		t.Fatal(err)
	}
	for _, identity := range []string{"ann", "eve"} { // also who misbehaves has agreed
		p.tap.Allow(identity)
	}
	p.bob = newClient(t, true)
	s.connectAs(p.bob, s.token("bob", "r"))
	track, _, info := p.ann.publish(audio, "mic")
	p.mic = info
	p.bob.mu.Lock()
	p.bob.hear = func(sid string, packet *rtp.Packet) {
		if sid == info.Sid {
			p.heard = append(p.heard, binary.BigEndian.Uint32(packet.Payload[1:]))
		}
	}
	p.bob.mu.Unlock()
	p.wrote = talk(t, track)
	p.bob.flows(info.Sid)
	p.say()
	p.bob.until("ann's first message", func() bool { return len(p.bob.data) == 1 })
	p.routines = runtime.NumGoroutine()
	return p
}

// captured is what a tap hands over.
type captured struct {
	mu      sync.Mutex
	streams map[uint32]string // identities, by stream
	numbers map[uint32]int    // how often each of ann's packets came
	others  int               // packets of somebody else
	wrong   []string          // what came as ann's and is not
	more    chan struct{}     // has room for one
}

func newCaptured() *captured {
	return &captured{streams: map[uint32]string{}, numbers: map[uint32]int{}, more: make(chan struct{}, 1)}
}

func (c *captured) Begin(s tap.Stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.streams[s.ID] = s.Identity
}

func (c *captured) Packet(stream uint32, _ time.Time, raw []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.streams[stream] != "ann" {
		c.others++
		return
	}
	var packet rtp.Packet
	if err := packet.Unmarshal(raw); err != nil || len(packet.Payload) != 5 || packet.Payload[0] != 0x80 || packet.SequenceNumber != uint16(binary.BigEndian.Uint32(packet.Payload[1:])) {
		c.wrong = append(c.wrong, fmt.Sprintf("%x (%v)", raw, err))
		return
	}
	c.numbers[binary.BigEndian.Uint32(packet.Payload[1:])]++
	select {
	case c.more <- struct{}{}:
	default:
	}
}

func (*captured) Report(uint32, time.Time, tap.SenderReport) {}
func (*captured) End(uint32, time.Time)                      {}
func (*captured) Muted(string, bool, time.Time)              {}
func (*captured) Speaking([]string, time.Time)               {}

// lacks are the numbers up to the last one that did not come, since the first that did.
func (c *captured) lacks(last uint32) (all []uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.numbers) == 0 {
		return []uint32{last}
	}
	for n := slices.Min(slices.Collect(maps.Keys(c.numbers))); n <= last; n++ {
		if c.numbers[n] == 0 {
			all = append(all, n)
		}
	}
	return all
}

// fromOthers is how many packets came of somebody else than ann.
func (c *captured) fromOthers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.others
}

// records waits until all that ann has sent is captured, and looks at what was.
func (p *pair) records(last uint32) {
	p.t.Helper()
	c := p.captured
	limit := time.After(hang)
	waiting := true
	for lacks := c.lacks(last); waiting && len(lacks) > 0; lacks = c.lacks(last) {
		select {
		case <-c.more:
		case <-p.tap.Done():
			waiting = false
			p.t.Errorf("the recording ended: %v", p.tap.Err())
		case <-limit:
			waiting = false
			p.t.Errorf("not recorded, of %d packets of ann: %v", last, lacks)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for n, times := range c.numbers {
		if times > 1 || n > last {
			p.t.Errorf("packet %d of %d is recorded %d times", n, last, times)
		}
	}
	if len(c.wrong) > 0 {
		p.t.Errorf("%d packets are recorded as ann's that she did not send, the first one %s", len(c.wrong), c.wrong[0])
	}
}

// talk sends numbered packets of sound every 10 ms.
func talk(t *testing.T, track *webrtc.TrackLocalStaticRTP) (stop func() uint32) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	var n uint32
	wg.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			n++
			_ = track.WriteRTP(&rtp.Packet{
				Header:  rtp.Header{Version: 2, Marker: true, SequenceNumber: uint16(n), Timestamp: n * 480},
				Payload: binary.BigEndian.AppendUint32([]byte{0x80}, n),
			})
		}
	})
	var once sync.Once
	stop = func() uint32 {
		once.Do(func() { close(done); wg.Wait() })
		return n
	}
	t.Cleanup(func() { stop() })
	return stop
}

// say sends the next message of ann.
func (p *pair) say() {
	p.said++
	p.ann.sendData("_reliable", &livekit.DataPacket{Value: &livekit.DataPacket_User{User: &livekit.UserPacket{
		Payload: []byte(strconv.Itoa(int(p.said))),
	}}})
}

// check ends the conversation: nothing of it may be missing. Messages of others
// than ann are left out.
func (p *pair) check() {
	p.t.Helper()
	for range 20 {
		p.say()
	}
	last := p.wrote()
	p.bob.until("ann's last packet", func() bool { return slices.Contains(p.heard, last) })
	p.records(last)
	messages := func() (all []string) {
		for _, d := range p.bob.data {
			if d.ParticipantIdentity == "ann" {
				all = append(all, string(d.GetUser().GetPayload()))
			}
		}
		return all
	}
	p.bob.until("ann's last message", func() bool { return len(messages()) >= int(p.said) })
	p.bob.mu.Lock()
	defer p.bob.mu.Unlock()
	for i, n := range p.heard[1:] {
		if n != p.heard[i]+1 {
			p.t.Errorf("after packet %d came %d", p.heard[i], n)
		}
	}
	if first := p.heard[0]; last-first < 5 {
		p.t.Errorf("only packets %d to %d were heard: this test listened too short", first, last)
	}
	for i, text := range messages() {
		if text != strconv.Itoa(i+1) {
			p.t.Errorf("message %d is %q", i+1, text)
		}
	}
}

// settles waits until those who misbehaved have left no goroutine behind.
func (p *pair) settles() {
	p.t.Helper()
	limit := time.After(hang)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	// The runtime's own come and go.
	const few = 3
	for runtime.NumGoroutine() > p.routines+few {
		select {
		case <-tick.C:
		case <-limit:
			buf := make([]byte, 1<<20)
			p.t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), p.routines, buf[:runtime.Stack(buf, true)])
		}
	}
}

// grows waits for a counter to rise.
func (p *pair) grows(what string, by uint64, before uint64, now func() uint64) {
	p.t.Helper()
	limit := time.After(hang)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for now() < before+by {
		select {
		case <-tick.C:
		case <-limit:
			p.t.Errorf("%s: counted %d, want %d more than %d", what, now(), by, before)
			return
		}
	}
}

// line is a client's socket on which somebody else writes, too: what the client
// sends is followed by what abuse makes of it, from the same address.
type line struct {
	net.PacketConn
	abuse func(datagram []byte) [][]byte
	mux   *ice.UDPMuxDefault
}

func newLine(t *testing.T, abuse func([]byte) [][]byte) *line {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{PacketConn: conn, abuse: abuse}
	l.mux = ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: l})
	t.Cleanup(func() { _ = l.mux.Close() })
	return l
}

// carry makes it a connection's only socket.
func (l *line) carry(e *webrtc.SettingEngine) {
	e.SetICEUDPMux(l.mux)
}

func (l *line) WriteTo(b []byte, to net.Addr) (int, error) {
	n, err := l.PacketConn.WriteTo(b, to)
	for _, extra := range l.abuse(b) {
		_, _ = l.PacketConn.WriteTo(extra, to) // closing
	}
	return n, err
}

func mustPacket(t *testing.T, p *livekit.DataPacket) []byte {
	t.Helper()
	raw, err := proto.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
