// Package sfu is a selective forwarding unit: rooms as sets of participants and
// tracks, spoken to in the LiveKit protocol, with no idea of meetings, guests or
// databases.
//
// Two stories begin here.
//
// # A packet
//
// In the order of folders and files; docs/packet.md tells it at length.
//
//	transport/udp/receive.go   a datagram leaves the socket, with up to 31 others
//	(Pion)                     ICE mux, SRTP: decrypted and authenticated
//	publish/receiver.go        the tap of the SRTP goroutine: Receiver.Buffer
//	publish/ingest.go          parsed; transport-wide feedback noted; RTX unwrapped
//	publish/source.go          whose is it? SSRC, or MID and RID of its header
//	publish/red.go             sound that was lost, but is repeated in this packet
//	codec/                     key frame? which layer inside the stream? picture id?
//	ring/ring.go               stored by number and by arrival; doubles stop here
//	publish/floor.go           a microphone: does it have the floor?
//	publish/nack.go            what is missing is asked for, until it comes
//	forward/feed.go            the worker is woken at the end of the frame
//	forward/worker.go          one round: read once, then subscriber by subscriber
//	forward/selector.go        is this the layer to send? switches at key frames
//	forward/change.go          not in the middle of a frame
//	forward/replay.go          who came late begins with what is still there
//	forward/temporal.go        and this frame? this spatial layer of it?
//	forward/munger.go          one stream without seams: numbers, times, pictures
//	forward/header.go          a header made once, changed in place
//	forward/pace.go            a key frame too large for the path waits its turn
//	forward/downtrack.go       WriteRTP
//	(Pion)                     SRTP: encrypted
//	transport/udp/arena.go     gathered: equal sizes to one peer are one message
//	transport/udp/send.go      many messages, one system call
//
// What is lost on the way down is asked for by the subscriber (forward/nack.go)
// and answered from the ring; key frames are asked for upward (publish/feedback.go).
// What the subscriber's transport-wide feedback says becomes an estimate, and that a
// choice of layers for each of its pictures (forward/path.go, congestion/).
// The publisher's goroutine ends at the ring and never waits for a subscriber; the
// rest is the worker's. Neither takes a lock of a room.
//
// # A participant
//
//	sfu.go, join.go            a verified grant becomes a member of a room
//	signals.go                 what the client asks for
//	publish.go, tracks.go      announced, matched with a section of its offer
//	subscribe.go               who gets what; transport/ negotiates it
//	dynacast.go, backup.go     what publishers are asked to send, in which codec
//	streams.go                 who comes first when it does not all fit
//	tap/                       what a recorder plugs into
//	tap.go                     whom it is let have
//	tapped.go, tapfeed.go      what the room does for it; what it reads from the rings
//	leave.go, resume.go        gone, or only away
package sfu
