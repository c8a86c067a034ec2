package sdktest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// relay stands between one client and the server's UDP sockets. To the server
// it looks like a NAT: each address of the client gets a socket of its own.
type relay struct {
	t *testing.T
	j *journal

	mu     sync.Mutex
	doors  map[netip.AddrPort]*net.UDPConn // the server's address → where the client sends to
	conns  []*net.UDPConn
	closed bool
	up     direction
	down   direction
	known  map[uint32]bool // SSRCs that the client knows; nil: all may pass
	early  int             // packets dropped because it did not
	repair map[byte]bool   // payload types of retransmissions (RFC 4588)
	wg     sync.WaitGroup
}

// announce lets the SSRCs of a description pass, and from now on no others.
func (r *relay) announce(sdp string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = map[uint32]bool{}
	}
	for line := range strings.SplitSeq(sdp, "\r\n") {
		if rest, ok := strings.CutPrefix(line, "a=ssrc:"); ok {
			number, _, _ := strings.Cut(rest, " ")
			if n, err := strconv.ParseUint(number, 10, 32); err == nil {
				r.known[uint32(n)] = true
			}
		}
	}
}

// direction is one way through a relay. Guarded by the relay's mu.
type direction struct {
	dice   *rand.Rand
	loss   float64 // 0 to 1, of every datagram: STUN, DTLS, SRTP, SRTCP
	passed map[uint32]int
	lost   map[uint32]int    // RTP by SSRC; RTP headers are not encrypted
	drops  map[[2]uint32]int // RTP by SSRC and sequence number
	copies map[[2]uint32]int // let pass
	last   time.Time         // when the last RTP packet came
	pause  time.Duration     // the longest between two
	asked  time.Time         // when the last RTCP was lost
}

// fate tells what became of one packet on its way to the client.
func (r *relay) fate(ssrc uint32, seq uint16) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := [2]uint32{ssrc, uint32(seq)}
	return fmt.Sprintf("%d copies lost, %d passed", r.down.drops[k], r.down.copies[k])
}

func newRelay(t *testing.T, j *journal, loss float64, seed uint64) *relay {
	t.Helper()
	way := func(stream uint64) direction {
		return direction{rand.New(rand.NewPCG(seed, stream)), loss, map[uint32]int{}, map[uint32]int{}, map[[2]uint32]int{}, map[[2]uint32]int{}, time.Time{}, 0, time.Time{}}
	}
	r := &relay{t: t, j: j, repair: map[byte]bool{}, doors: map[netip.AddrPort]*net.UDPConn{}, up: way(1), down: way(2)}
	t.Cleanup(r.close)
	return r
}

func (r *relay) close() {
	r.mu.Lock()
	r.closed = true
	for _, c := range r.conns {
		_ = c.Close()
	}
	r.mu.Unlock()
	r.wg.Wait()
}

// door returns the address that stands for one of the server's.
func (r *relay) door(server netip.AddrPort) netip.AddrPort {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.doors[server]; ok {
		return c.LocalAddr().(*net.UDPAddr).AddrPort()
	}
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		r.t.Errorf("relay: %v", err)
		return server
	}
	r.doors[server] = c
	r.conns = append(r.conns, c)
	if r.closed {
		_ = c.Close()
	}
	r.wg.Go(func() { r.outward(c, server) })
	return c.LocalAddr().(*net.UDPAddr).AddrPort()
}

// outward carries what the client sends to one door.
func (r *relay) outward(door *net.UDPConn, server netip.AddrPort) {
	sockets := map[netip.AddrPort]*net.UDPConn{}
	buf := make([]byte, 2048)
	for {
		n, from, err := door.ReadFromUDPAddrPort(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue // an ICMP error of an earlier datagram
		}
		socket := sockets[from]
		if socket == nil {
			if socket, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server)); err != nil {
				r.t.Errorf("relay: %v", err)
				return
			}
			sockets[from] = socket
			r.mu.Lock()
			r.conns = append(r.conns, socket)
			if r.closed {
				_ = socket.Close()
			}
			r.mu.Unlock()
			r.wg.Go(func() { r.inward(socket, door, from) })
		}
		if r.pass(&r.up, buf[:n]) {
			_, _ = socket.Write(buf[:n])
		}
	}
}

// inward carries what the server answers to one address of the client.
func (r *relay) inward(socket, door *net.UDPConn, client netip.AddrPort) {
	buf := make([]byte, 2048)
	for {
		n, err := socket.Read(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue
		}
		if r.pass(&r.down, buf[:n]) {
			_, _ = door.WriteToUDPAddrPort(buf[:n], client)
		}
	}
}

// repairs takes note of a line of a description that names a retransmission's payload type.
func (r *relay) repairs(line string) {
	name, codec, _ := strings.Cut(strings.TrimPrefix(line, "a=rtpmap:"), " ")
	if n, err := strconv.ParseUint(name, 10, 7); err == nil && strings.HasPrefix(strings.ToLower(codec), "rtx/") {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.repair[byte(n)] = true
	}
}

// pass throws the dice for one datagram.
func (r *relay) pass(d *direction, datagram []byte) bool {
	ssrc, media := rtpSSRC(datagram)
	r.mu.Lock()
	lost := d.loss > 0 && d.dice.Float64() < d.loss
	var number [2]uint32
	if media {
		now := time.Now()
		if !d.last.IsZero() {
			d.pause = max(d.pause, now.Sub(d.last))
		}
		d.last = now
		number = [2]uint32{ssrc, uint32(binary.BigEndian.Uint16(datagram[2:]))}
		// The SDK asks five times for a packet within 0.4 s and then never again: that is
		// too few when nobody may be unlucky once in a thousand runs. So the same packet is
		// not lost a second time, by whatever number it comes; nor is what asks, twice in a second.
		lost = lost && d.drops[number] == 0 && !r.repair[datagram[1]&0x7f]
	} else if isRTCP(datagram) && lost {
		now := time.Now()
		if lost = now.Sub(d.asked) > time.Second; lost {
			d.asked = now
		}
	}
	if media && d == &r.down && r.known != nil && !r.known[ssrc] {
		r.early++
		lost = true
	} else if media && lost {
		d.lost[ssrc]++
		d.drops[number]++
	} else if media {
		d.passed[ssrc]++
		d.copies[number]++
	}
	r.mu.Unlock()
	if media {
		r.j.wake()
	}
	return !lost
}

// rtpSSRC tells RTP from all else that shares the port (RFC 7983 section 7,
// RFC 5761 section 4).
func rtpSSRC(b []byte) (uint32, bool) {
	if len(b) < 12 || b[0] < 128 || b[0] > 191 || b[1] >= 192 && b[1] <= 223 {
		return 0, false
	}
	return binary.BigEndian.Uint32(b[8:]), true
}

// isRTCP tells RTCP from all else that shares the port.
func isRTCP(b []byte) bool {
	return len(b) >= 8 && b[0] >= 128 && b[0] <= 191 && b[1] >= 192 && b[1] <= 223
}

// counts are RTP packets of one SSRC from the server, lost ones included.
func (r *relay) sentDown(ssrc uint32) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.down.passed[ssrc] + r.down.lost[ssrc]
}

// longestPause is the longest time without RTP, either way. With sound on its way
// every 20 ms it tells how long the machine stood still.
func (r *relay) longestPause() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return max(r.up.pause, r.down.pause)
}

// losses are RTP packets thrown away so far, up and down.
func (r *relay) losses() (up, down int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.up.lost {
		up += n
	}
	for _, n := range r.down.lost {
		down += n
	}
	return up, down
}
