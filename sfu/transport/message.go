package transport

import (
	"bytes"
	"errors"
	"io"

	"github.com/pion/datachannel"
	"github.com/pion/webrtc/v4"
)

// smallMessage is what a channel's reader has at hand, in bytes; for a longer message
// it borrows a buffer. Pion's own readers would keep 64 kB for each channel of each
// client, which is most of what an idle client costs.
const smallMessage = 1024

// opened begins to read a channel. One that we made is open when the client has
// acknowledged it: what is sent before may overtake the opening (RFC 8832 section 6).
func (p *Peer) opened(label Label, dc *webrtc.DataChannel, own bool) {
	detached, err := dc.Detach()
	raw, ok := detached.(*datachannel.DataChannel)
	if err != nil || !ok {
		p.cfg.Log.Warn("data channel cannot be read", "label", label, "error", err)
		return
	}
	ready := func() { p.ready(label, dc) }
	p.channels.mu.Lock()
	if p.channels.closed {
		p.channels.mu.Unlock()
		return
	}
	p.channels.readers.Add(1)
	p.channels.mu.Unlock()
	if own {
		raw.OnOpen(ready)
	} else {
		ready()
	}
	go func() {
		defer p.channels.readers.Done()
		p.read(label, raw)
		p.unready(label, dc)
	}()
}

func (p *Peer) ready(label Label, dc *webrtc.DataChannel) {
	if label != Reliable && label != Lossy {
		return
	}
	p.channels.mu.Lock()
	if p.channels.open == nil {
		p.channels.open, p.channels.made = map[Label]*webrtc.DataChannel{}, map[Label]uint64{}
	}
	p.channels.open[label] = dc
	p.channels.made[label]++
	p.channels.mu.Unlock()
	p.cfg.OnWritable()
}

func (p *Peer) unready(label Label, dc *webrtc.DataChannel) {
	p.channels.mu.Lock()
	defer p.channels.mu.Unlock()
	if p.channels.open[label] == dc {
		delete(p.channels.open, label)
	}
}

// read hands over the messages of a channel until it ends. A message that is too long
// ends it.
func (p *Peer) read(label Label, raw *datachannel.DataChannel) {
	buf := make([]byte, smallMessage)
	for {
		n, _, err := raw.ReadDataChannel(buf)
		message := buf[:n]
		var large *[]byte
		if errors.Is(err, io.ErrShortBuffer) { // it is still there
			large = p.engine.borrow()
			n, _, err = raw.ReadDataChannel(*large)
			message = (*large)[:n]
		}
		if errors.Is(err, io.ErrShortBuffer) {
			p.engine.oversized.Add(1)
			p.cfg.Log.Debug("message too long, channel closed", "label", label)
			_ = raw.Close() // it may be closed already
		}
		if err == nil && (label == Reliable || label == Lossy) {
			p.cfg.OnData(label, bytes.Clone(message))
		}
		if large != nil {
			p.engine.buffers.Put(large)
		}
		if err != nil {
			return
		}
	}
}

// borrow takes a buffer for the longest message; it goes back to e.buffers.
func (e *Engine) borrow() *[]byte {
	if b, ok := e.buffers.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, MaxDataMessage)
	return &b
}

// OversizedMessages counts data messages that were refused for their length.
func (e *Engine) OversizedMessages() uint64 { return e.oversized.Load() }

// closeChannels waits for the readers; the association has ended.
func (p *Peer) closeChannels() {
	p.channels.mu.Lock()
	p.channels.closed = true
	p.channels.mu.Unlock()
	p.channels.readers.Wait()
}
