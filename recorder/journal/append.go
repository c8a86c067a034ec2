package journal

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"aparte/sfu/tap"
)

const magic = "APJ1"

// Append appends the record of an event to b, as append does, and returns it. at is
// the time since the part began; what is before that is 0. Texts are made valid UTF-8
// and cut at MaxText, so that nothing that somebody typed can spoil a recording. It
// panics on an event that no reader would accept: an RTP packet longer than MaxRTP, an
// answer that is none. Of those who speak it keeps the MaxSpeaking loudest.
//
// Packets and reports, of which there are many, have [AppendPacket] and
// [AppendReport], which allocate nothing while b has room.
func Append(b []byte, at time.Duration, e Event) []byte {
	switch e := e.(type) {
	case Packet:
		return AppendPacket(b, at, e.Stream, e.RTP)
	case Report:
		return AppendReport(b, at, e.Stream, e.SenderReport)
	}
	start := len(b)
	b = append(b, byte(e.kind()), 0, 0, 0)
	if _, head := e.(Head); !head {
		b = appendTime(b, at)
	}
	b = appendFields(b, e)
	return sized(b, start)
}

// AppendPacket is Append of a Packet.
func AppendPacket(b []byte, at time.Duration, stream uint32, rtp []byte) []byte {
	if len(rtp) > MaxRTP {
		panic(fmt.Sprintf("journal: an RTP packet of %d bytes", len(rtp)))
	}
	start := len(b)
	b = append(b, byte(KindPacket), 0, 0, 0)
	b = appendTime(b, at)
	b = binary.AppendUvarint(b, uint64(stream))
	b = append(b, rtp...)
	return sized(b, start)
}

// AppendReport is Append of a Report.
func AppendReport(b []byte, at time.Duration, stream uint32, r tap.SenderReport) []byte {
	start := len(b)
	b = append(b, byte(KindReport), 0, 0, 0)
	b = appendTime(b, at)
	b = binary.AppendUvarint(b, uint64(stream))
	b = binary.BigEndian.AppendUint64(b, r.NTP)
	b = binary.BigEndian.AppendUint32(b, r.RTP)
	b = binary.AppendUvarint(b, uint64(r.Packets))
	b = binary.AppendUvarint(b, uint64(r.Octets))
	return sized(b, start)
}

// sized writes the length of the record that begins at start and ends b.
func sized(b []byte, start int) []byte {
	body := len(b) - start - headerLen
	if body > MaxBody {
		panic(fmt.Sprintf("journal: a record of %d bytes", body))
	}
	b[start+1], b[start+2], b[start+3] = byte(body>>16), byte(body>>8), byte(body)
	return b
}

func appendTime(b []byte, at time.Duration) []byte {
	return binary.AppendUvarint(b, uint64(max(at, 0).Microseconds()))
}

func appendTexts(b []byte, texts ...string) []byte {
	for _, text := range texts {
		text = strings.ToValidUTF8(text, "\uFFFD")
		if len(text) > MaxText {
			cut := MaxText
			for !utf8.RuneStart(text[cut]) {
				cut--
			}
			text = text[:cut]
		}
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	return b
}

func appendNumbers(b []byte, numbers ...uint64) []byte {
	for _, n := range numbers {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

func appendFields(b []byte, e Event) []byte {
	switch e := e.(type) {
	case Head:
		b = appendNumbers(append(b, magic...), uint64(e.Part))
		b = binary.BigEndian.AppendUint64(b, uint64(e.Began.UnixNano()))
	case Begin:
		b = appendNumbers(b, uint64(e.ID))
		b = appendTexts(b, e.Identity, e.Track, e.Source, e.Mime, e.Fmtp, e.RID)
		b = appendNumbers(b, uint64(e.SSRC), uint64(e.PayloadType), uint64(e.RED), uint64(e.ClockRate), uint64(e.Channels))
	case End:
		b = appendNumbers(b, uint64(e.Stream))
	case Muted:
		b = append(appendTexts(b, e.Track), 0)
		if e.Muted {
			b[len(b)-1] = 1
		}
	case Speaking:
		loudest := e.Identities[:min(len(e.Identities), MaxSpeaking)]
		b = appendNumbers(b, uint64(len(loudest)))
		b = appendTexts(b, loudest...)
	case Started:
		b = appendTexts(b, e.Recording, e.Room, e.By)
	case Joined:
		b = appendTexts(b, e.Identity, e.Name, e.Kind)
	case Left:
		b = appendTexts(b, e.Identity)
	case Renamed:
		b = appendTexts(b, e.Identity, e.Name)
	case Consent:
		if !e.Answer.valid() {
			panic(fmt.Sprintf("journal: the answer %q", e.Answer))
		}
		b = appendTexts(b, e.Identity, string(e.Answer), e.Wording)
	case Paused:
		b = appendTexts(b, e.By)
	case Resumed:
		b = appendTexts(b, e.By)
	case Gap:
		b = appendTexts(b, e.Reason)
		b = appendTime(b, e.Since)
		b = appendNumbers(b, e.Packets, e.Bytes)
	case Stopped:
		b = appendTexts(b, e.By, e.Reason)
	case Message:
		b = appendTexts(b, e.Identity, e.Text)
	default:
		panic(fmt.Sprintf("journal: an event of type %T", e))
	}
	return b
}

func (a Answer) valid() bool { return a == Given || a == Declined || a == Withdrawn }

// HeadLen is how many bytes the head has with which b begins, or 0 where it does not.
func HeadLen(b []byte) int {
	if len(b) < headerLen || Kind(b[0]) != KindHead {
		return 0
	}
	return min(len(b), headerLen+int(b[1])<<16+int(b[2])<<8+int(b[3]))
}

// PacketOverhead is how many bytes the record of a packet has at most beside the packet.
const PacketOverhead = headerLen + 10 + 5
