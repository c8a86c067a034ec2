package tcp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

const (
	// frameBytes is the longest packet either way: more than an Ethernet frame
	// carries, since media is made for UDP.
	frameBytes = 2048
	// queueBytes wait for one peer: a quarter of a second at 8 Mbit/s. What waits
	// longer is of no use to a conversation.
	queueBytes = 256 << 10
	// reserveBytes are kept for STUN and DTLS, without which the connection ends.
	reserveBytes = 16 << 10
	// unsentBytes is what the kernel takes beyond what is under way, so that the
	// queue is here, where it is bounded and counted, and not there.
	unsentBytes = 64 << 10
	// stallLimit is how long a peer may take to read stallBytes: 13 kbit/s.
	stallLimit = 10 * time.Second
	stallBytes = 16 << 10
	readBytes  = 4096
)

// errFrame is a frame that no client of ours sends.
var errFrame = errors.New("frame too long")

// stream is one connection.
type stream struct {
	conn   net.Conn       // set at creation
	remote netip.AddrPort // set at creation
	stats  *counters      // set at creation

	in  *bufio.Reader    // owned by run
	buf [frameBytes]byte // owned by run

	wake chan struct{} // holds one: the queue is not empty, or closed

	// Guarded by mu.
	mu      sync.Mutex
	queue   []byte // frames
	packets uint64 // in queue
	closed  bool
}

func newStream(c net.Conn, stats *counters) *stream {
	s := &stream{conn: c, stats: stats, in: bufio.NewReaderSize(c, readBytes), wake: make(chan struct{}, 1)}
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		ap := a.AddrPort()
		s.remote = netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	LimitUnsent(c)
	return s
}

// run carries packets both ways until the connection or its session ends. The
// first packet was already read.
func (s *stream) run(c *conn, first []byte) {
	var writing sync.WaitGroup
	writing.Go(s.write)
	defer writing.Wait()
	defer s.close()
	for packet := first; ; {
		s.stats.received.Add(1)
		if !c.deliver(s.remote, packet) {
			return
		}
		var err error
		if packet, err = s.read(); err != nil {
			if errors.Is(err, errFrame) {
				s.stats.malformed.Add(1)
			}
			return
		}
	}
}

// read returns the next frame's packet, which is good until the next call
// (RFC 4571, section 2). Empty frames mean nothing.
func (s *stream) read() ([]byte, error) {
	for {
		var header [2]byte
		if _, err := io.ReadFull(s.in, header[:]); err != nil {
			return nil, err
		}
		n := int(binary.BigEndian.Uint16(header[:]))
		if n == 0 {
			continue
		}
		if n > frameBytes {
			return nil, errFrame
		}
		_, err := io.ReadFull(s.in, s.buf[:n])
		return s.buf[:n], err
	}
}

// send queues a packet or drops it.
func (s *stream) send(b []byte) {
	if len(b) > frameBytes {
		s.stats.tooLong.Add(1)
		return
	}
	limit := queueBytes
	if !isMedia(b) {
		limit += reserveBytes
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		s.stats.disconnected.Add(1)
		return
	case len(s.queue)+2+len(b) > limit:
		s.stats.queueFull.Add(1)
		return
	}
	s.queue = binary.BigEndian.AppendUint16(s.queue, uint16(len(b)))
	s.queue = append(s.queue, b...)
	s.packets++
	s.signal()
}

// isMedia tells RTP and RTCP from STUN and DTLS by the first byte, RFC 7983.
func isMedia(b []byte) bool { return len(b) > 0 && b[0] >= 128 && b[0] <= 191 }

func (s *stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// write hands the queue to the kernel, all that is there at once: it and what is
// being written are two buffers that change places.
func (s *stream) write() {
	var out []byte
	for range s.wake {
		s.mu.Lock()
		out, s.queue = s.queue, out[:0]
		packets, closed := s.packets, s.closed
		s.packets = 0
		s.mu.Unlock()
		if closed {
			return
		}
		if err := s.writeAll(out); err != nil {
			s.close()
			return
		}
		s.stats.sent.Add(packets)
	}
}

// writeAll waits for the peer, but only as long as it goes on reading.
func (s *stream) writeAll(out []byte) error {
	for len(out) > 0 {
		if err := s.conn.SetWriteDeadline(time.Now().Add(stallLimit)); err != nil {
			return err
		}
		n, err := s.conn.Write(out[:min(len(out), stallBytes)])
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				s.stats.stalled.Add(1)
			}
			return err
		}
		out = out[n:]
	}
	return nil
}

// close ends the stream; run returns soon after. What is queued is lost.
func (s *stream) close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		s.signal()
	}
	s.mu.Unlock()
	_ = s.conn.Close() // lets go of a blocked read and write
}
