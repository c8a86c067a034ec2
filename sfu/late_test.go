package sfu_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// Who comes late decodes from the publisher's only key frame on, which was sent before:
// with a real connection nothing of what the ring had is missing or comes twice.
func TestLateSubscriberBeginsWithWhatTheRingHas(t *testing.T) {
	const past, all = 20, 60
	s := newPath(t)
	first := s.subscriber(t, &lossy{})
	second, late := s.late(t)
	pub := s.publisher(t, &lossy{})

	next := func(from <-chan *rtp.Packet, want uint32) *rtp.Packet {
		t.Helper()
		select {
		case p := <-from:
			if got := binary.BigEndian.Uint32(p.Payload[8:]); got != want {
				t.Fatalf("packet %d, want %d", got, want)
			}
			return p
		case <-time.After(pathHang):
			t.Fatalf("packet %d does not come: %+v", want, s.worker.Stats())
		}
		return nil
	}
	for i := range uint32(past) {
		publishOne(pub, i)
		next(first, i)
	}
	late.flow()
	for i := uint32(past); i < all; i++ {
		publishOne(pub, i)
	}
	var last *rtp.Packet
	for i := range uint32(all) {
		p := next(second, i)
		if last != nil && (p.SequenceNumber != last.SequenceNumber+1 || int32(p.Timestamp-last.Timestamp) <= 0) {
			t.Fatalf("packet %d: %d at %d after %d at %d", i, p.SequenceNumber, p.Timestamp, last.SequenceNumber, last.Timestamp)
		}
		last = p
	}
	if n := s.receiver.Stats().PLIs; n > 1 {
		t.Errorf("%d key frames asked for", n) // the first subscriber's is one
	}
	if n := s.worker.Stats().Replays; n != 1 {
		t.Errorf("%d began with what was kept", n)
	}
}

// publishOne sends a frame of one packet, the first one a key frame.
func publishOne(track *webrtc.TrackLocalStaticRTP, i uint32) {
	payload := make([]byte, 900)
	copy(payload, []byte{0x90, 0xe0, 0x80 | byte(i>>8)&0x7f, byte(i), byte(i), 0, min(byte(i), 1)})
	binary.BigEndian.PutUint32(payload[8:], i)
	_ = track.WriteRTP(&rtp.Packet{
		Header: rtp.Header{Version: 2, SequenceNumber: uint16(i), Timestamp: i * 3000, Marker: true}, Payload: payload,
	})
}

// heldTrack is bound when the transport is up, as package transport does it.
type heldTrack struct {
	benchTrack
	bind func()
}

func (h *heldTrack) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	h.bind = func() { _, _ = h.benchTrack.Bind(ctx) }
	return ctx.CodecParameters()[0], nil
}

func (h *heldTrack) flow() { h.bind() }
