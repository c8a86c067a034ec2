package publish

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
)

// answerReference does what libwebrtc does with a receiver reference time: it comes
// back in a DLRR block, with the time it lay there.
func (f *fixture) answerReference(t *testing.T, way, lay time.Duration) {
	t.Helper()
	for _, p := range f.sent {
		xr, ok := p.(*rtcp.ExtendedReport)
		if !ok {
			continue
		}
		block := xr.Reports[0].(*rtcp.ReceiverReferenceTimeReportBlock)
		time.Sleep(way + lay)
		f.rtcp(t, 1, &rtcp.ExtendedReport{SenderSSRC: 1000, Reports: []rtcp.ReportBlock{
			&rtcp.DLRRReportBlock{Reports: []rtcp.DLRRReport{
				{SSRC: 77, LastRR: 1, DLRR: 1}, // another's
				{SSRC: xr.SenderSSRC, LastRR: uint32(block.NTPTimestamp >> 16), DLRR: uint32(lay * (1 << 16) / time.Second)},
			}},
		}})
		return
	}
	t.Fatal("no reference time was sent")
}

// NACKs are repeated when the answer should have come, neither sooner nor later.
func TestNACKsFollowTheRoundTrip(t *testing.T) {
	for _, c := range []struct {
		trip     time.Duration // 0 never measured
		pause    time.Duration
		requests int
	}{
		{0, 50 * time.Millisecond, nackTries},
		{4 * time.Millisecond, 20 * time.Millisecond, nackTries},
		{80 * time.Millisecond, 110 * time.Millisecond, nackTries},
		{400 * time.Millisecond, 510 * time.Millisecond, nackFew},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(videoSection())
			f.write(t, 1000, 96, 1, 0, keyframe('a'))
			f.Tick(time.Now())
			if c.trip != 0 {
				f.answerReference(t, c.trip, 30*time.Millisecond)
				if got := f.RoundTrip(); got < c.trip-time.Millisecond || got > c.trip+time.Millisecond {
					t.Fatalf("measured %v, want %v", got, c.trip)
				}
			}
			f.write(t, 1000, 96, 2, 0, delta('b'))
			f.sent = nil
			f.write(t, 1000, 96, 4, 0, delta('d')) // 3 is missing
			var asked []time.Time
			for begun, seen := time.Now(), 0; time.Since(begun) < 5*time.Second; time.Sleep(5 * time.Millisecond) {
				f.Tick(time.Now())
				if n := count[*rtcp.TransportLayerNack](f); n > seen {
					seen, asked = n, append(asked, time.Now())
				}
			}
			if len(asked) != c.requests {
				t.Errorf("round trip %v: %d requests, want %d", c.trip, len(asked), c.requests)
			}
			for i := range asked[1:] {
				if d := asked[i+1].Sub(asked[i]); d < c.pause-2*time.Millisecond || d > c.pause+12*time.Millisecond {
					t.Errorf("round trip %v: asked again after %v, want %v", c.trip, d, c.pause)
				}
			}
		})
	}
}

// Without reports, repairs tell the round trip: those that were asked for once.
func TestRepairsTellTheRoundTrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(videoSection())
		rtx := func(osn uint16) { f.write(t, 2000, 97, 500+osn, 9, []byte{0, byte(osn), 0x10, 0x51, 0, 'x'}) }
		f.write(t, 1000, 96, 1, 0, keyframe('a'))
		f.write(t, 1000, 96, 3, 0, delta('c'))
		f.Tick(time.Now())
		time.Sleep(30 * time.Millisecond)
		rtx(2)
		if got := f.RoundTrip(); got != 30*time.Millisecond {
			t.Fatal(got)
		}
		f.write(t, 1000, 96, 5, 0, delta('e'))
		f.tickFor(500 * time.Millisecond) // asked for again and again
		rtx(4)
		if got := f.RoundTrip(); got != 30*time.Millisecond {
			t.Fatal("of several requests nobody knows which one was answered:", got)
		}
		// What the peer reports is better, and lies are bounded.
		f.ReportRoundTrip(100 * time.Millisecond)
		f.ReportRoundTrip(time.Hour)
		f.ReportRoundTrip(-time.Second)
		f.write(t, 1000, 96, 7, 0, delta('g'))
		f.Tick(time.Now())
		time.Sleep(10 * time.Millisecond)
		rtx(6)
		if got := f.RoundTrip(); got != 100*time.Millisecond {
			t.Fatal(got)
		}
	})
}

// On a long path a second key frame is not asked for before the first can have come.
func TestPLIWaitsForTheRoundTrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(videoSection())
		f.write(t, 1000, 96, 1, 0, keyframe('a'))
		f.ReportRoundTrip(time.Second)
		f.video.RequestKeyframe(0)
		f.tickFor(20 * time.Millisecond)
		f.video.RequestKeyframe(0)
		f.tickFor(1400 * time.Millisecond)
		if n := count[*rtcp.PictureLossIndication](f); n != 1 {
			t.Fatalf("%d PLIs within a round trip and a half", n)
		}
		f.tickFor(200 * time.Millisecond)
		if n := count[*rtcp.PictureLossIndication](f); n != 2 {
			t.Fatalf("%d PLIs: the second one was forgotten", n)
		}
	})
}
