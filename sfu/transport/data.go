package transport

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/pion/webrtc/v4"
)

// Label is a data channel we know. Others are ignored.
type Label string

// The channels of the LiveKit protocol.
const (
	Reliable Label = "_reliable" // ordered, retransmitted
	Lossy    Label = "_lossy"    // unordered, sent once
)

// maxChannels bounds what a client may open; the SDKs open three.
const maxChannels = 8

// lowWater is when OnWritable is told that a full channel drained, in bytes.
const lowWater = 64 << 10

// channels are the open ones of a peer, by label.
type channels struct {
	opened  atomic.Int32   // ever
	readers sync.WaitGroup // see read

	mu     sync.Mutex
	closed bool
	open   map[Label]*webrtc.DataChannel
	made   map[Label]uint64 // how often one was opened
}

func (p *Peer) openChannels() error {
	ordered, unordered, never := true, false, uint16(0)
	for label, init := range map[Label]*webrtc.DataChannelInit{
		Reliable: {Ordered: &ordered},
		Lossy:    {Ordered: &unordered, MaxRetransmits: &never},
	} {
		dc, err := p.pc.CreateDataChannel(string(label), init)
		if err != nil {
			return fmt.Errorf("open channel %s: %w", label, err)
		}
		p.watch(label, dc, true)
	}
	return nil
}

// incomingChannel goes by the label: ids are whatever DCEP gave.
func (p *Peer) incomingChannel(dc *webrtc.DataChannel) {
	label := Label(dc.Label())
	if p.channels.opened.Add(1) > maxChannels {
		p.engine.counters.channels.Add(1)
		if err := dc.Close(); err != nil {
			p.cfg.Log.Debug("close surplus channel", "error", err)
		}
		return
	}
	p.watch(label, dc, false) // others are read, too: else what comes fills the association
}

func (p *Peer) watch(label Label, dc *webrtc.DataChannel, own bool) {
	dc.SetBufferedAmountLowThreshold(lowWater)
	dc.OnBufferedAmountLow(p.cfg.OnWritable)
	dc.OnOpen(func() { p.opened(label, dc, own) })
}

// Writable tells whether the channel is open, and how many bytes it still
// holds for the network.
func (p *Peer) Writable(label Label) (open bool, buffered uint64) {
	dc := p.channel(label)
	if dc == nil || dc.ReadyState() != webrtc.DataChannelStateOpen {
		return false, 0
	}
	return true, dc.BufferedAmount()
}

// Channel tells which channel of that label SendData writes to: a client may open
// another. 0 is none.
func (p *Peer) Channel(label Label) uint64 {
	p.channels.mu.Lock()
	defer p.channels.mu.Unlock()
	return p.channels.made[label]
}

// ErrTooLong means that the client does not take a message for its length.
var ErrTooLong = errors.New("message longer than the client takes")

// SendData queues a message on a channel. It does not wait for the network:
// the caller keeps the buffer small by asking Writable before.
func (p *Peer) SendData(label Label, payload []byte) error {
	dc := p.channel(label)
	if dc == nil {
		return fmt.Errorf("channel %s is not open", label)
	}
	if most := p.pc.SCTP().GetCapabilities().MaxMessageSize; most > 0 && uint64(len(payload)) > uint64(most) {
		return ErrTooLong
	}
	return dc.Send(payload)
}

func (p *Peer) channel(label Label) *webrtc.DataChannel {
	p.channels.mu.Lock()
	defer p.channels.mu.Unlock()
	return p.channels.open[label]
}
