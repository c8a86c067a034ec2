package client

import (
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/transport/v5/packetio"

	"aparte/cmd/aparte-load/media"
)

// receiver counts what one connection receives. Pion's SRTP goroutine hands it each
// decrypted packet (see buffer), so there is no goroutine for any track.
type receiver struct {
	figures *Figures
	onRTCP  func(ssrc uint32, raw []byte) // for what we send
	onFirst func(firstPacket)             // news about the beginning, see firsts

	layout atomic.Pointer[layout]

	mu       sync.Mutex // guards all below
	header   rtp.Header // scratch
	streams  map[uint32]*stream
	recorder *twcc.Recorder
	start    time.Time
	sawTWCC  bool
	reportAt time.Time
	closed   bool
}

type stream struct {
	media.Stream
	ssrc     uint32
	video    bool
	keyframe bool // one began
	heard    bool // since the last report
	pliAt    time.Time
	counted  [4]uint64 // of Lost, Reordered, Duplicates, Recovered, in the figures already
}

// firstPacket says what of a stream came for the first time.
type firstPacket struct {
	at              time.Time
	video, keyframe bool
}

// senderSSRC is ours in feedback, as receivers of browsers do: any number.
const senderSSRC = 1

func newReceiver(f *Figures) *receiver {
	return &receiver{
		figures: f, streams: map[uint32]*stream{}, recorder: twcc.NewRecorder(senderSSRC), start: time.Now(),
	}
}

// buffer is a webrtc.SettingEngine.BufferFactory: Write is the tap, and Read ends the
// goroutines that Pion has for OnTrack at once.
func (r *receiver) buffer(kind packetio.BufferPacketType, ssrc uint32) io.ReadWriteCloser {
	return &tap{receiver: r, ssrc: ssrc, rtcp: kind == packetio.RTCPBufferPacket}
}

type tap struct {
	receiver *receiver
	ssrc     uint32
	rtcp     bool
}

func (t *tap) Write(b []byte) (int, error) {
	if t.rtcp {
		t.receiver.onRTCP(t.ssrc, b)
	} else {
		t.receiver.take(b)
	}
	return len(b), nil
}

func (t *tap) Read([]byte) (int, error)        { return 0, io.EOF }
func (t *tap) Close() error                    { return nil }
func (t *tap) SetReadDeadline(time.Time) error { return nil }

// take counts one RTP packet.
func (r *receiver) take(b []byte) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	n, err := r.header.Unmarshal(b)
	l := r.layout.Load()
	if err != nil || l == nil || r.closed {
		return
	}
	if id := l.twccID; id != 0 {
		if e := r.header.GetExtension(id); len(e) >= 2 {
			r.sawTWCC = true
			r.recorder.Record(r.header.SSRC, binary.BigEndian.Uint16(e), now.Sub(r.start).Microseconds())
		}
	}
	payload := b[n:]
	if r.header.Padding && len(payload) > 0 {
		payload = payload[:len(payload)-min(int(payload[len(payload)-1]), len(payload))]
	}
	f := r.figures
	f.ReceivedPackets.Add(1)
	f.ReceivedBytes.Add(uint64(len(payload)))
	form := l.formats[r.header.PayloadType]
	ssrc, seq, again := r.header.SSRC, r.header.SequenceNumber, false
	if form.rtx {
		if len(payload) < 2 || l.repairs[ssrc] == 0 {
			f.Padding.Add(1)
			return
		}
		ssrc, again = l.repairs[ssrc], true
		seq, payload = binary.BigEndian.Uint16(payload), payload[2:]
	}
	s := r.streams[ssrc]
	if s == nil {
		s = &stream{ssrc: ssrc, video: form.video}
		r.streams[ssrc] = s
		f.Tracks.Add(1)
		r.onFirst(firstPacket{at: now, video: s.video})
	}
	s.heard = true
	if !s.Take(seq, again, now) {
		return
	}
	if len(payload) == 0 {
		f.Padding.Add(1)
		return
	}
	r.content(s, form, payload, now)
}

// content times and inspects a packet that came for the first time.
func (r *receiver) content(s *stream, form format, payload []byte, now time.Time) {
	latency := &r.figures.AudioLatency
	if s.video {
		latency = &r.figures.VideoLatency
		r.figures.Video.Add(1)
		if !s.keyframe && (!form.vp8 && !form.rtx || media.KeyframeStart(payload)) {
			s.keyframe = true
			r.onFirst(firstPacket{at: now, video: true, keyframe: true})
		}
	} else {
		r.figures.Audio.Add(1)
	}
	if at, ok := media.Stamp(payload); ok && r.figures.Measuring.Load() {
		latency.Add(now.Sub(at))
	}
}

const (
	reportEvery = time.Second
	pliEvery    = time.Second
)

// feedback is what a receiver owes now: transport-wide feedback, NACKs, key frame
// requests, and every second a report.
func (r *receiver) feedback(now time.Time) (out []rtcp.Packet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	if r.sawTWCC {
		out = append(out, r.recorder.BuildFeedbackPacket()...)
	}
	var seqs [64]uint16
	for _, s := range r.streams {
		due, gaveUp := s.Due(now, seqs[:0])
		if len(due) > 0 {
			out = append(out, &rtcp.TransportLayerNack{
				SenderSSRC: senderSSRC, MediaSSRC: s.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(due),
			})
		}
		if s.video && (gaveUp || !s.keyframe) && now.Sub(s.pliAt) >= pliEvery {
			if !s.pliAt.IsZero() || gaveUp { // a new stream gets the time to begin
				out = append(out, &rtcp.PictureLossIndication{SenderSSRC: senderSSRC, MediaSSRC: s.ssrc})
			}
			s.pliAt = now
		}
	}
	if now.Sub(r.reportAt) >= reportEvery {
		r.reportAt = now
		out = append(out, r.reports()...)
		r.count()
	}
	return out
}

// reports are about what was heard since the last ones (RFC 3550 section 6.4.1): a
// track that went is no more reported on.
func (r *receiver) reports() (out []rtcp.Packet) {
	var blocks []rtcp.ReceptionReport
	for _, s := range r.streams {
		if !s.heard {
			continue
		}
		s.heard = false
		blocks = append(blocks, rtcp.ReceptionReport{
			SSRC: s.ssrc, LastSequenceNumber: s.Highest(), TotalLost: uint32(min(s.Lost(), 1<<23-1)),
		})
	}
	for len(blocks) > 0 {
		n := min(len(blocks), 31)
		out = append(out, &rtcp.ReceiverReport{SSRC: senderSSRC, Reports: blocks[:n]})
		blocks = blocks[n:]
	}
	return out
}

// count brings the figures up to date with what the streams know. Caller holds mu.
// Lost may fall again, when something comes late: so it is added as a difference.
func (r *receiver) count() {
	for _, s := range r.streams {
		now := [4]uint64{s.Lost(), s.Reordered, s.Duplicates, s.Recovered}
		f := r.figures
		f.Lost.Add(now[0] - s.counted[0])
		f.Reordered.Add(now[1] - s.counted[1])
		f.Duplicates.Add(now[2] - s.counted[2])
		f.Recovered.Add(now[3] - s.counted[3])
		s.counted = now
	}
}

// close counts what is left.
func (r *receiver) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.closed = true
	r.count()
	r.figures.Tracks.Add(-int64(len(r.streams)))
}
