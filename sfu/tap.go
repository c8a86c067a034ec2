package sfu

import "time"

// Sink is the one interface that a recorder plugs into: it is told what those publish
// whom a [Tap] lets through, as they sent it and when it arrived.
//
// Packet and Report are called on the goroutine of the publisher's transport. They
// must not block, take no lock that anything slow holds, and keep no slice that they
// were given: what a sink cannot take it drops and counts itself. Calls for one stream
// come one after the other; those for several may come at the same time.
type Sink interface {
	// Begin announces a stream before its first packet. A track that comes back, a
	// layer that is sent anew and another codec are streams of their own.
	Begin(s TapStream)
	// Packet is one RTP packet, header and payload, as the publisher numbered it:
	// decrypted, unwrapped from RTX, never twice. What was lost and asked for comes
	// late. at is when it arrived, with a monotonic clock; rtp is valid during the call.
	Packet(stream uint32, at time.Time, rtp []byte)
	// Report is a sender report (RFC 3550, 6.4.1), which ties the stream's time to its
	// sender's clock. at is when it arrived, with a monotonic clock.
	Report(stream uint32, at time.Time, r SenderReport)
	// End says that nothing more comes of a stream: unpublished, left, no longer let
	// through, or the tap is closed.
	End(stream uint32, at time.Time)
	// Muted says that a track's publisher muted it, or ended that. It explains a gap.
	Muted(track string, muted bool, at time.Time)
	// Speaking is told when who speaks changes: identities, the loudest first, of those
	// only who are let through.
	Speaking(identities []string, at time.Time)
}

// TapStream is one stream of RTP of one track.
type TapStream struct {
	ID       uint32 // counted from 1 by the tap, never used twice
	Identity string // whose it is
	Track    string // sid
	Source   string // "camera", "microphone", "screen_share", "screen_share_audio" or "unknown"
	Mime     string // "video/VP8", "audio/opus", ... ; of what is inside where sound comes as RED
	Fmtp     string // as the publisher's answer has it
	RID      string // of a simulcast layer, "" where there is one

	SSRC        uint32
	PayloadType uint8
	// RED is the payload type under which the publisher sends redundant sound (RFC
	// 2198), 0 for none. Packets come to the sink unwrapped all the same.
	RED       uint8
	ClockRate uint32 // Hz
	Channels  uint16 // 0 for pictures
}

// SenderReport is what a sender report says of its stream.
type SenderReport struct {
	NTP     uint64 // the sender's clock, 32.32 fixed point (RFC 5905, 6)
	RTP     uint32 // the same moment in the stream's units
	Packets uint32
	Octets  uint32
}
