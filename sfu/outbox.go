package sfu

import (
	"errors"
	"sync"
	"time"

	"aparte/sfu/transport"
)

const (
	// maxBuffered is what a channel may hold inside Pion before we wait, in
	// bytes; lossy packets are dropped above it.
	maxBuffered = 256 << 10
	// maxLossy is how many lossy packets wait for the writer to come around.
	maxLossy = 64
	// shares: one sender may fill a quarter of a receiver's queue, so that a
	// flood of one leaves room for the others.
	shares = 4
)

// outbox holds data packets for one participant until its channels take them.
type outbox struct {
	// Set at creation.
	limit int // bytes
	count *counters
	wake  chan struct{}

	// Guarded by mu. It is held while packets are written to the network, so
	// that after close nothing more is sent.
	mu       sync.Mutex
	closed   bool
	opened   bool // the reliable channel was open once
	reliable []parcel
	share    map[*Session]int // bytes waiting, by sender
	size     int              // of all of them
	room     chan struct{}    // closed and replaced when packets were sent
	sent     uint64           // bytes of reliable packets the network took
	lossy    [][]byte

	// See replay.go.
	past     []sentParcel
	pastSize int
	channel  uint64 // that was written to last
	written  uint64 // bytes
}

type parcel struct {
	from   *Session // nil: the server
	seq    uint32   // 0: not numbered
	packet []byte
}

func newOutbox(limit int, count *counters) *outbox {
	return &outbox{
		limit: limit, count: count, wake: make(chan struct{}, 1),
		share: map[*Session]int{}, room: make(chan struct{}),
	}
}

// add queues a reliable packet. If the sender's share is full it returns a
// channel that is closed when there may be room. A receiver that has not opened
// its channel yet is as one that joins later: it misses the oldest packets.
func (o *outbox) add(from *Session, seq uint32, packet []byte) (full <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil
	}
	for o.size > 0 && o.size+len(packet) > o.limit || o.share[from] > 0 && o.share[from]+len(packet) > o.limit/shares {
		if o.opened && o.share[from] == 0 {
			break // a single packet always fits: others' floods hold nobody else
		}
		if o.opened {
			return o.room
		}
		o.pop()
		o.count.dataTooEarly.Add(1)
	}
	o.reliable = append(o.reliable, parcel{from, seq, packet})
	o.share[from] += len(packet)
	o.size += len(packet)
	o.signal()
	return nil
}

// pop removes the oldest reliable packet. Caller holds mu.
func (o *outbox) pop() {
	p := o.reliable[0]
	o.reliable[0] = parcel{}
	o.reliable = o.reliable[1:]
	o.size -= len(p.packet)
	if o.share[p.from] -= len(p.packet); o.share[p.from] <= 0 {
		delete(o.share, p.from)
	}
}

// addLossy queues a packet that may as well be lost.
func (o *outbox) addLossy(packet []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	if len(o.lossy) >= maxLossy {
		o.count.dataLossyFull.Add(1)
		return
	}
	o.lossy = append(o.lossy, packet)
	o.signal()
}

// progress tells how many bytes of reliable packets were sent so far.
func (o *outbox) progress() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sent
}

// signal wakes the writer: a packet came or a channel has room.
func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// close drops what waits; nothing is taken or sent any more.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	o.closed = true
	o.reliable, o.lossy, o.size = nil, nil, 0
	o.past, o.pastSize = nil, 0
	clear(o.share)
	close(o.room)
}

// flush writes what fits. Lossy packets that do not are dropped, reliable ones
// wait for the channel's buffer to drain. What the client does not take for its
// length is left out: else nothing behind it would ever come.
func (o *outbox) flush(peer *transport.Peer) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil
	}
	open, buffered := peer.Writable(transport.Lossy)
	for _, p := range o.lossy {
		if !open || buffered > maxBuffered {
			o.count.dataLossyFull.Add(1)
			continue
		}
		if err := peer.SendData(transport.Lossy, p); errors.Is(err, transport.ErrTooLong) {
			o.count.dataTooLong.Add(1)
			continue
		} else if err != nil {
			o.lossy = nil
			return err
		}
		buffered += uint64(len(p))
	}
	o.lossy = o.lossy[:0]
	open, buffered = peer.Writable(transport.Reliable)
	o.opened = o.opened || open
	sent, channel, now := false, peer.Channel(transport.Reliable), time.Now()
	var err error
	for len(o.reliable) > 0 && open && buffered <= maxBuffered {
		p := o.reliable[0]
		err = peer.SendData(transport.Reliable, p.packet)
		tooLong := errors.Is(err, transport.ErrTooLong)
		if err != nil && !tooLong {
			break
		}
		o.pop()
		sent = true
		if tooLong {
			o.count.dataTooLong.Add(1)
			err = nil
			continue
		}
		buffered += uint64(len(p.packet))
		o.sent += uint64(len(p.packet))
		o.remember(p, channel, now)
	}
	if sent {
		close(o.room)
		o.room = make(chan struct{})
	}
	return err
}
