package forward

import (
	"encoding/binary"
	"time"

	"github.com/pion/rtcp"

	"aparte/sfu/congestion"
	"aparte/sfu/publish"
	"aparte/sfu/ring"
)

// resent remembers when a packet was last sent again.
type resent struct {
	ext uint64
	at  time.Time
}

// resendAgain is the shortest pause between two copies of a packet when the round
// trip is not known; libwebrtc asks again no sooner than after 5 to 20 ms.
const resendAgain = 15 * time.Millisecond

// maxResend bounds the packets sent for one NACK, which may name 17 in 4 bytes.
const maxResend = 128

// stamp is what stood in a packet's header extensions. Without RTX a packet is
// resent under its old number, that is with its old SRTP nonce: with AES-GCM that
// is only safe when it is the same packet to the last bit.
type stamp struct {
	seq, transportSeq uint16
	valid             bool
	sendTime          uint32
}

// maxStamps is how many packets back one can be resent without RTX: 5 s of audio.
const maxStamps = 256

// answerNACK sends again what the ring still has.
func (s *Subscriber) answerNACK(ssrc uint32, pairs []rtcp.NackPair) {
	d := s.bySSRC[ssrc]
	if d == nil || d.writer == nil {
		return
	}
	left := maxResend
	for _, pair := range pairs {
		seq := pair.PacketID
		for bits := uint32(pair.LostPackets)<<1 | 1; bits != 0 && left > 0; bits >>= 1 {
			if bits&1 != 0 {
				d.resend(seq)
				left--
			}
			seq++
		}
	}
	d.tally()
}

// resend sends one packet again, as RTX when that was negotiated.
func (d *DownTrack) resend(seq uint16) {
	w := d.worker
	d.nacks.Add(1)
	out, in, s, ok := d.munger.find(seq)
	if !ok || d.track.Closed() || d.selector.stopped() || d.mayBeQueued() {
		w.stats.nackMisses.Add(1)
		return
	}
	again := &d.resent[in%uint64(len(d.resent))]
	pause := max(resendAgain, time.Duration(d.rttMicros.Load())*time.Microsecond/2)
	if again.ext == in && w.now.Sub(again.at) < pause {
		w.stats.nackThrottled.Add(1)
		return
	}
	p, ok := d.track.Layer(int(s.layer)).Ring().Get(in, w.buf[2:])
	if !ok || p.Epoch != s.epoch || s.leavesOut(&p) {
		w.stats.nackMisses.Add(1)
		return
	}
	if !d.sub.spend(len(p.Payload) + congestion.Overhead) {
		w.stats.nackLimited.Add(1)
		return
	}
	*again = resent{ext: in, at: w.now}
	d.retransmit(out, s, &p)
}

// mayBeQueued tells whether a packet asked for may not have left yet. Without RTX it
// must not leave twice with different stamps, see stamp.
func (d *DownTrack) mayBeQueued() bool {
	return d.stamps != nil && d.track.Kind() == publish.Video && d.sub.path.queue != nil
}

func (d *DownTrack) retransmit(out uint64, s *segment, p *ring.Packet) {
	w := d.worker
	pt := d.payloads[p.PayloadType&0x7f]
	payload, ok := d.rewrite(p, s, false, p.Payload)
	if pt == noPT || !ok {
		return
	}
	h, rtxPT := &d.media, d.repairs[pt&0x7f]
	marker := s.ends(p)
	again := d.stamps != nil
	switch st := stampOf(d.stamps, uint16(out)); {
	case !again && rtxPT != noPT:
		// RFC 4588 section 4: the original number in front of the payload. RED's
		// primary block does not lie at the start of the buffer, so move it.
		d.describe(&d.rtx, s, p, payload) // before its bytes are overwritten
		n := copy(w.buf[2:], payload)
		binary.BigEndian.PutUint16(w.buf, uint16(out))
		payload = w.buf[:2+n]
		h = &d.rtx
		pt = rtxPT
		d.rtxSeq++
		h.rtp.SequenceNumber = d.rtxSeq
	case again && st.valid && st.seq == uint16(out):
		h.rtp.SequenceNumber = uint16(out)
	case again && (!st.valid || int16(uint16(out)-st.seq) > 0):
		// Whatever is sent leaves its stamp, and only newer ones overwrite it: this
		// packet was never sent, so that its nonce is still free. It came before we
		// listened, and the first one we sent was a late one from before it.
		again = false
		h.rtp.SequenceNumber = uint16(out)
	default:
		w.stats.nackMisses.Add(1)
		return
	}
	h.rtp.PayloadType = pt
	h.rtp.Timestamp = s.timestamp(p.Timestamp)
	h.rtp.Marker = marker
	if h == &d.media {
		d.describe(h, s, p, payload)
	}
	h.audioLevel(p.AudioLevel, p.HasAudioLevel)
	d.write(h, payload, again)
	d.retransmitted.Add(1)
	w.stats.retransmitted.Add(1)
}

func stampOf(stamps []stamp, seq uint16) stamp {
	if stamps == nil {
		return stamp{}
	}
	return stamps[seq%maxStamps]
}
