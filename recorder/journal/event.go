package journal

import (
	"time"

	"aparte/sfu/tap"
)

// Limits of the format. What is longer is refused by readers; [Append] cuts texts.
const (
	MaxBody = 128 << 10 // bytes of a record's body
	MaxText = 4 << 10   // bytes of a text
	MaxRTP  = 64<<10 - 1
	// MaxSpeaking is how many who speak at once Append writes: as many as surely fit.
	MaxSpeaking = 30
	// headerLen is what precedes each body: kind and length.
	headerLen = 4
)

// Kind is what a record is about, as on the disk.
type Kind uint8

// The kinds of record, as the package comment lists them.
const (
	KindHead     Kind = 0x01
	KindBegin    Kind = 0x02
	KindPacket   Kind = 0x03
	KindReport   Kind = 0x04
	KindEnd      Kind = 0x05
	KindMuted    Kind = 0x06
	KindSpeaking Kind = 0x07
	KindStarted  Kind = 0x10
	KindJoined   Kind = 0x11
	KindLeft     Kind = 0x12
	KindRenamed  Kind = 0x13
	KindConsent  Kind = 0x14
	KindPaused   Kind = 0x15
	KindResumed  Kind = 0x16
	KindGap      Kind = 0x17
	KindStopped  Kind = 0x18

	// firstSkipped is the first kind that readers pass over when they do not know it.
	firstSkipped Kind = 0x80

	KindMessage Kind = 0x80
)

// Event is what one record says: one of the types of this file, by value.
type Event interface{ kind() Kind }

// Head begins a part and, repeated, each of its segments.
type Head struct {
	Part  uint32    // from 1
	Began time.Time // wall clock when the part's monotonic clock was 0
}

// Begin announces a stream of RTP, before its first packet.
type Begin struct{ tap.Stream }

// Packet is an RTP packet, header and payload, as its sender numbered it.
type Packet struct {
	Stream uint32
	RTP    []byte
}

// Report is a sender report of a stream.
type Report struct {
	Stream uint32
	tap.SenderReport
}

// End says that nothing more comes of a stream in this part. A part that breaks off
// has none.
type End struct{ Stream uint32 }

// Muted says that a track's publisher muted it, or ended that.
type Muted struct {
	Track string // sid
	Muted bool
}

// Speaking says who speaks from now on.
type Speaking struct{ Identities []string } // the loudest first; none is nobody

// Started is the first thing a recording says.
type Started struct {
	Recording string // id
	Room      string
	By        string // who asked for it
}

// Joined says that somebody is in the meeting, or was when the recording started.
type Joined struct {
	Identity string
	Name     string // as shown to others
	Kind     string // "host", "cohost", "participant" or "guest"; "": it does not say
}

// Left says that somebody is no longer in the meeting.
type Left struct{ Identity string }

// Renamed says that somebody is shown under another name from now on.
type Renamed struct{ Identity, Name string }

// Answer is what somebody said who was asked whether to be recorded.
type Answer string

// The answers. Whoever has not given consent has no stream in the journal.
const (
	Given     Answer = "given"
	Declined  Answer = "declined"
	Withdrawn Answer = "withdrawn" // given before
)

// Consent is an answer to the question whether to be recorded.
type Consent struct {
	Identity string
	Answer   Answer
	Wording  string // what was put to them, as the package comment says; "": it does not say
}

// Paused says that nothing is recorded until Resumed.
type Paused struct{ By string } // identity; "": it does not say

// Resumed ends a pause.
type Resumed struct{ By string } // identity; "": it does not say

// The reasons of a gap.
const (
	Overflow = "overflow" // the disk did not keep up, and the buffer was full
	Oversize = "oversize" // a packet longer than MaxRTP
	Missing  = "missing"  // segments that could not be opened; export says so
)

// Gap says that something arrived and was not written.
type Gap struct {
	Reason  string
	Since   time.Duration // when the first of it arrived, in the part's time; the record's own time is the end
	Packets uint64
	Bytes   uint64 // of those packets
}

// Message is what somebody who is recorded has written to everybody.
type Message struct {
	Identity string
	Text     string // may have several lines
}

// Stopped is the last thing a recording says.
type Stopped struct {
	By     string // identity; "" is the server
	Reason string // "" where somebody wanted it
}

func (Head) kind() Kind     { return KindHead }
func (Begin) kind() Kind    { return KindBegin }
func (Packet) kind() Kind   { return KindPacket }
func (Report) kind() Kind   { return KindReport }
func (End) kind() Kind      { return KindEnd }
func (Muted) kind() Kind    { return KindMuted }
func (Speaking) kind() Kind { return KindSpeaking }
func (Started) kind() Kind  { return KindStarted }
func (Joined) kind() Kind   { return KindJoined }
func (Left) kind() Kind     { return KindLeft }
func (Renamed) kind() Kind  { return KindRenamed }
func (Consent) kind() Kind  { return KindConsent }
func (Paused) kind() Kind   { return KindPaused }
func (Resumed) kind() Kind  { return KindResumed }
func (Gap) kind() Kind      { return KindGap }
func (Stopped) kind() Kind  { return KindStopped }
func (Message) kind() Kind  { return KindMessage }
