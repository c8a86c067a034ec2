// Package journal is the record format of a recording: what arrived, byte for byte,
// and what happened in the meeting meanwhile. Nothing in it is parsed beyond RTP's
// own header, and nothing is put in order: export does that, with everything in hand.
//
// Start with [Append] and [Reader]. This comment is the protocol, version 1.
//
// # Records
//
// A journal is a sequence of records:
//
//	kind    1 byte
//	length  3 bytes, big endian: of the body, at most 131,072
//	body
//
// Numbers in a body are unsigned varints as protobuf and encoding/binary have them
// (LEB128, at most 64 bits, in the shortest form) unless a width is given; fixed widths
// are big endian. A text is its length in bytes as a number, then UTF-8, at most 4,096
// bytes. A flag is one byte, 0 or 1. The body is exactly as long as its fields.
//
// Every body but that of a head begins with the record's time: microseconds of a
// monotonic clock since its part began. Packets of one stream are in the order of
// arrival, and so are its reports; records of several streams may be out of order, by up
// to two seconds where one layer of a picture takes over from another.
//
// # Parts
//
// A recording is written in parts, numbered from 1: a server that is started again
// begins a new one. A part begins with a head, which may be repeated anywhere in it (it
// begins every sealed segment, so that each can be read by itself). Streams belong to
// their part: the same number in another part is another stream, and so it is after an
// end in the same part.
//
//	kind  record    body, after the time
//
//	0x01  head      no time; "APJ1" (4 bytes), part, began: Unix time in nanoseconds
//	                (8 bytes), of the wall clock when the monotonic one was 0
//
// Texts that a writer does not fill are empty. Aparté's own server tells of whom it records,
// and of nobody else: it writes no "declined" and, as nobody changes their name in a call, no
// renamed. What else is in these texts:
//
//	kind            what somebody was in the meeting when they were recorded from then on:
//	                "host", "cohost", "participant" or "guest"
//	by              of started, the account of the host who asked; of paused, resumed and
//	                stopped the identity of the host who did it or, of one who was not in the
//	                call, the account; "" where the server did
//	wording         what was put to whom it is about, as JSON: purpose, keep_days (from the
//	                recording's end), policy, watchable, profile, profile_version, post (ids),
//	                and program, the version that wrote this, whose catalogues
//	                (web/src/i18n/locales) have the words around that in each language
//
// Recordings that were made before that have all of these empty but by of started.
//
// # Media
//
//	0x02  begin     stream, identity, track, source, mime, fmtp, rid: texts;
//	                ssrc, payload type, payload type of RED, clock rate, channels: numbers
//	0x03  packet    stream, then the RTP packet (RFC 3550, 5.1) to the body's end
//	0x04  report    stream, NTP time (8 bytes), RTP time (4 bytes), packets, octets:
//	                a sender report (RFC 3550, 6.4.1)
//	0x05  end       stream
//	0x06  muted     track: text, muted: flag
//	0x07  speaking  how many: number, then that many identities, the loudest first
//
// # The room
//
//	0x10  started   recording, room, by: texts
//	0x11  joined    identity, name, kind: texts
//	0x12  left      identity: text
//	0x13  renamed   identity, name: texts
//	0x14  consent   identity, answer ("given", "declined" or "withdrawn"), wording: texts
//	0x15  paused    by: text
//	0x16  resumed   by: text
//	0x17  gap       reason: text; since: the time of the first thing lost; packets, bytes
//	0x18  stopped   by, reason: texts
//
// # What is written in the meeting
//
//	0x80  message   identity, text: texts; to everybody, by somebody who is recorded then
//
// It came later than the kinds above; readers from before pass over it.
//
// # Later versions
//
// A reader skips kinds from 0x80 on that it does not know, and refuses any other. A
// change that an old reader must not read past has another word in the head.
package journal
