package congestion

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// feedbackOf builds a packet with pion/rtcp, which is an implementation of its own.
func feedbackOf(t testing.TB, base uint16, reference uint32, chunks []rtcp.PacketStatusChunk, count int, deltas ...*rtcp.RecvDelta) []byte {
	t.Helper()
	p := &rtcp.TransportLayerCC{
		Header:             rtcp.Header{Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback},
		BaseSequenceNumber: base, PacketStatusCount: uint16(count), ReferenceTime: reference,
		PacketChunks: chunks, RecvDeltas: deltas,
	}
	size := p.MarshalSize()
	p.Header.Length = uint16(size/4 - 1)
	raw, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func small(us int64) *rtcp.RecvDelta {
	return &rtcp.RecvDelta{Type: rtcp.TypeTCCPacketReceivedSmallDelta, Delta: us}
}

func large(us int64) *rtcp.RecvDelta {
	return &rtcp.RecvDelta{Type: rtcp.TypeTCCPacketReceivedLargeDelta, Delta: us}
}

func run(symbol, n uint16) *rtcp.RunLengthChunk {
	return &rtcp.RunLengthChunk{Type: rtcp.TypeTCCRunLengthChunk, PacketStatusSymbol: symbol, RunLength: n}
}

func vector(size uint16, symbols ...uint16) *rtcp.StatusVectorChunk {
	n := 14
	if size == rtcp.TypeTCCSymbolSizeTwoBit {
		n = 7
	}
	for len(symbols) < n {
		symbols = append(symbols, 0)
	}
	return &rtcp.StatusVectorChunk{Type: rtcp.TypeTCCStatusVectorChunk, SymbolSize: size, SymbolList: symbols}
}

func TestParsesFeedback(t *testing.T) {
	const ref = 3 * 64 * time.Millisecond
	at := func(us int64) time.Duration { return ref + time.Duration(us)*time.Microsecond }
	for _, c := range []struct {
		name string
		raw  []byte
		want []Arrival
	}{
		{
			"a run", feedbackOf(t, 65534, 3, []rtcp.PacketStatusChunk{run(1, 3)}, 3, small(250), small(500), small(0)),
			[]Arrival{{65534, true, at(250)}, {65535, true, at(750)}, {0, true, at(750)}},
		},
		{
			"losses and going back", feedbackOf(t, 7, 3, []rtcp.PacketStatusChunk{run(0, 2), run(2, 2)}, 4, large(100_000), large(-50_000)),
			[]Arrival{{7, false, 0}, {8, false, 0}, {9, true, at(100_000)}, {10, true, at(50_000)}},
		},
		{
			"one bit each", feedbackOf(t, 1, 3, []rtcp.PacketStatusChunk{vector(0, 1, 0, 1)}, 3, small(250), small(250)),
			[]Arrival{{1, true, at(250)}, {2, false, 0}, {3, true, at(500)}},
		},
		{
			"two bits each", feedbackOf(t, 1, 3, []rtcp.PacketStatusChunk{vector(1, 2, 0, 1)}, 3, large(20_000), small(250)),
			[]Arrival{{1, true, at(20_000)}, {2, false, 0}, {3, true, at(20_250)}},
		},
		{"the count ends a run", feedbackOf(t, 1, 3, []rtcp.PacketStatusChunk{run(0, 100)}, 2), []Arrival{{1, false, 0}, {2, false, 0}}},
	} {
		var f Feedback
		if err := f.Parse(c.raw); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if len(f.Arrivals) != len(c.want) {
			t.Errorf("%s: %v", c.name, f.Arrivals)
			continue
		}
		for i, a := range f.Arrivals {
			if a != c.want[i] {
				t.Errorf("%s: %d: %+v, want %+v", c.name, i, a, c.want[i])
			}
		}
	}
}

func TestRefusesMalformedFeedback(t *testing.T) {
	good := feedbackOf(t, 1, 3, []rtcp.PacketStatusChunk{run(2, 2)}, 2, large(20_000), large(250))
	var f Feedback
	for n := range len(good) - 2 { // two bytes are padding
		if err := f.Parse(good[:n]); err == nil || len(f.Arrivals) != 0 {
			t.Errorf("cut to %d of %d bytes: %v, %v", n, len(good), err, f.Arrivals)
		}
	}
	endless := append([]byte(nil), good...)
	endless[20], endless[21] = 0, 0 // a run of nothing
	if err := f.Parse(endless); err == nil {
		t.Error("a run of no packets")
	}
	many := append([]byte(nil), good...)
	many[14], many[15] = 0xff, 0xff
	if err := f.Parse(many); err == nil {
		t.Error("65,535 packets")
	}
}

// FuzzFeedback compares with pion/rtcp wherever that accepts the packet.
func FuzzFeedback(f *testing.F) {
	f.Add(feedbackOf(f, 65534, 3, []rtcp.PacketStatusChunk{run(1, 3)}, 3, small(250), small(500), small(0)))
	f.Add(feedbackOf(f, 7, 3, []rtcp.PacketStatusChunk{run(0, 2), run(2, 2)}, 4, large(100_000), large(-50_000)))
	f.Add(feedbackOf(f, 1, 3, []rtcp.PacketStatusChunk{vector(1, 2, 0, 1), vector(0, 1)}, 8, large(20_000), small(250), small(250)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var mine Feedback
		err := mine.Parse(raw)
		if len(mine.Arrivals) > maxStatuses {
			t.Fatal(len(mine.Arrivals))
		}
		e := NewEstimator()
		for i := range 50 {
			e.Sent(uint16(i), 1200, time.Duration(i+1)*time.Millisecond)
		}
		e.Feedback(&mine, time.Second)
		if bps, known := e.Estimate(time.Second); known && (bps < minimumBps || bps > maximumBps) {
			t.Fatal(bps)
		}
		var theirs rtcp.TransportLayerCC
		if len(raw) > 0 && raw[0]>>6 != 2 || theirs.Unmarshal(raw) != nil || theirs.PacketStatusCount > maxStatuses {
			return
		}
		if err != nil {
			if hasEmptyRun(&theirs) {
				return
			}
			t.Fatalf("%v, but pion reads %+v", err, theirs)
		}
		if len(mine.Arrivals) != int(theirs.PacketStatusCount) {
			t.Fatalf("%d of %d", len(mine.Arrivals), theirs.PacketStatusCount)
		}
		at := time.Duration(theirs.ReferenceTime) * referenceUnit
		n := 0
		for _, a := range mine.Arrivals {
			if !a.Received {
				continue
			}
			at += time.Duration(theirs.RecvDeltas[n].Delta) * time.Microsecond
			n++
			if a.At != at {
				t.Fatalf("packet %d came at %v, want %v", a.Seq, a.At, at)
			}
		}
		if n != len(theirs.RecvDeltas) {
			t.Fatalf("%d arrived, want %d", n, len(theirs.RecvDeltas))
		}
	})
}

func hasEmptyRun(p *rtcp.TransportLayerCC) bool {
	for _, c := range p.PacketChunks {
		if r, ok := c.(*rtcp.RunLengthChunk); ok && r.RunLength == 0 {
			return true
		}
	}
	return false
}

func TestREMB(t *testing.T) {
	raw, err := (&rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: 1, Bitrate: 1_500_000, SSRCs: []uint32{2, 3}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if bps, ok := ParseREMB(raw); !ok || bps < 1_499_000 || bps > 1_500_000 {
		t.Fatal(bps, ok)
	}
	for n := range 20 {
		if _, ok := ParseREMB(raw[:n]); ok {
			t.Fatalf("%d bytes", n)
		}
	}
	raw[17] = 0xff
	if bps, ok := ParseREMB(raw); ok {
		t.Fatal(bps)
	}
	raw[12] = 'X'
	if _, ok := ParseREMB(raw); ok {
		t.Fatal("another application's message")
	}
}
