// Package tap is what a recorder plugs into: the words in which an SFU tells it what those
// publish whom it may record. It knows the standard library alone, so that what reads
// recordings builds where no SFU does, a browser among them.
package tap

import "time"

// Sink is the one interface that a recorder plugs into: it is told what those publish
// whom a tap lets through, as they sent it and when it arrived.
//
// All calls of one tap come one after the other, within 50 ms of what they tell: from a
// goroutine that is the tap's own and reads the packet rings as subscribers' workers do,
// or from the tap's Forbid and Close in that of their caller. So nobody waits for a sink,
// neither publishers nor subscribers nor the room, but who calls the tap. The rings hold
// about a second: a sink that blocks for longer loses what came meanwhile, which the tap
// counts and which shows as a hole in the numbering. A sink that panics has its tap closed
// and the panic logged; the call goes on. It may keep no slice that it was given, and not
// call the tap.
type Sink interface {
	// Begin announces a stream before its first packet. A track that comes back, a
	// layer that is sent anew, a source that starts over and another codec are streams
	// of their own. Of a picture that comes in several simulcast layers one is told at
	// a time; the next one begins with a key frame, if the one before still comes.
	Begin(s Stream)
	// Packet is one RTP packet as the publisher numbered it: decrypted, unwrapped from
	// RTX and RED, never twice. Its header has no extensions, sources or padding; what
	// was padding alone, or no frame of its codec, has no payload. What was lost and
	// asked for comes late, and so does sound that was lost but is repeated in a later
	// packet. at is when it arrived, with a monotonic clock; rtp is valid during the
	// call.
	Packet(stream uint32, at time.Time, rtp []byte)
	// Report is a sender report (RFC 3550, 6.4.1), which ties the stream's time to its
	// sender's clock. at is when it arrived, with a monotonic clock.
	Report(stream uint32, at time.Time, r SenderReport)
	// End says that nothing more comes of a stream: unpublished, left, no longer let
	// through, or the tap is closed.
	End(stream uint32, at time.Time)
	// Muted says that a track was muted, by its publisher or for it, or that this
	// ended. It explains a gap. Of one that is muted from the beginning it is told, too.
	Muted(track string, muted bool, at time.Time)
	// Speaking is told when who speaks changes, or who is loudest: identities, the
	// loudest first, of those only who are let through.
	Speaking(identities []string, at time.Time)
}

// Stream is one stream of RTP of one track.
type Stream struct {
	ID       uint32 // counted from 1 through all taps of an SFU, never used twice
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
