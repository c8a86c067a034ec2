package adapttest

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// link is the way to one client: a bottleneck with a queue that drops at its tail,
// losses of its own, and a delay.
type link struct {
	out net.PacketConn // set at creation
	to  net.Addr       // set at creation, by the first packet

	mu    sync.Mutex // guards all below
	bps   int64      // 0: as wide as can be
	queue time.Duration
	delay time.Duration
	loss  float64
	down  bool // everything is lost
	dice  *rand.Rand
	free  time.Time // when the bottleneck is
	onWay []travelling
	wake  chan struct{}

	sent      map[uint32][]uint16 // numbers of RTP packets by SSRC, in the order they were offered
	fell      map[uint32]int      // of them, dropped
	worst     time.Duration       // longest time a packet stood in the queue
	slot      time.Time           // the bytes offered in these 5 ms
	slotBytes int
	burst     int // most of them
}

type travelling struct {
	at   time.Time
	data []byte
}

// set changes the link in place; what is on its way is not touched.
func (l *link) set(edit func(*link)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	edit(l)
}

// forget begins new statistics.
func (l *link) forget() {
	l.set(func(l *link) {
		l.sent, l.fell, l.worst, l.burst = map[uint32][]uint16{}, map[uint32]int{}, 0, 0
	})
}

// overhead of a datagram: IPv4 and UDP headers.
const overhead = 28

func (l *link) send(b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	media := len(b) > 12 && b[0]>>6 == 2 && (b[1]&0x7f < 64 || b[1]&0x7f > 95)
	var ssrc uint32
	if media {
		ssrc = binary.BigEndian.Uint32(b[8:])
		l.sent[ssrc] = append(l.sent[ssrc], binary.BigEndian.Uint16(b[2:]))
	}
	if now.Sub(l.slot) > 5*time.Millisecond {
		l.slot, l.slotBytes = now, 0
	}
	l.slotBytes += len(b)
	l.burst = max(l.burst, l.slotBytes)
	if l.free.Before(now) {
		l.free = now
	}
	wait := l.free.Sub(now)
	if l.down || wait > l.queue || media && l.dice.Float64() < l.loss {
		l.fell[ssrc]++
		return
	}
	l.worst = max(l.worst, wait)
	if l.bps > 0 {
		l.free = l.free.Add(time.Duration(int64(len(b)+overhead) * 8 * int64(time.Second) / l.bps))
	}
	l.onWay = append(l.onWay, travelling{l.free.Add(l.delay), append([]byte(nil), b...)})
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run delivers until quit is closed.
func (l *link) run(quit <-chan struct{}) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		l.mu.Lock()
		now, n := time.Now(), 0
		for n < len(l.onWay) && !l.onWay[n].at.After(now) {
			_, _ = l.out.WriteTo(l.onWay[n].data, l.to) // a client that left hears nothing
			n++
		}
		l.onWay = l.onWay[n:]
		next := time.Hour
		if len(l.onWay) > 0 {
			next = l.onWay[0].at.Sub(now)
		}
		l.mu.Unlock()
		timer.Reset(next)
		select {
		case <-timer.C:
		case <-l.wake:
		case <-quit:
			return
		}
	}
}

// shaper is the server's socket: what it sends goes over the link of each client.
type shaper struct {
	net.PacketConn
	quit  chan struct{}
	links sync.WaitGroup

	mu   sync.Mutex
	byIP map[string]*link
}

func newShaper(conn net.PacketConn) *shaper {
	return &shaper{PacketConn: conn, quit: make(chan struct{}), byIP: map[string]*link{}}
}

// link is the way to the client at an address, wide at first.
func (s *shaper) link(ip string) *link {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.byIP[ip]
	if l == nil {
		l = &link{
			out: s.PacketConn, queue: 400 * time.Millisecond, delay: 40 * time.Millisecond,
			dice: rand.New(rand.NewPCG(1, uint64(len(s.byIP)))), wake: make(chan struct{}, 1),
			sent: map[uint32][]uint16{}, fell: map[uint32]int{},
		}
		s.byIP[ip] = l
	}
	return l
}

func (s *shaper) WriteTo(b []byte, to net.Addr) (int, error) {
	l := s.link(to.(*net.UDPAddr).IP.String())
	l.mu.Lock()
	if l.to == nil {
		l.to = to
		s.links.Go(func() { l.run(s.quit) })
	}
	l.mu.Unlock()
	l.send(b)
	return len(b), nil
}

// stop ends the links.
func (s *shaper) stop() {
	close(s.quit)
	s.links.Wait()
}
