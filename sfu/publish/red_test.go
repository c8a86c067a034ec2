package publish

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"

	"aparte/sfu/codec"
	"aparte/sfu/ring"
)

// redPayload is RED with each block 20 ms older than the next; the last is the
// primary one.
func redPayload(blocks ...string) (p []byte) {
	for i, b := range blocks[:len(blocks)-1] {
		older := 960 * (len(blocks) - 1 - i)
		p = append(p, 0x80|111, byte(older>>6), byte(older<<2)|byte(len(b)>>8), byte(len(b)))
	}
	p = append(p, 111)
	for _, b := range blocks {
		p = append(p, b...)
	}
	return p
}

func TestLostSoundIsRestored(t *testing.T) {
	for _, tt := range []struct {
		name  string
		seqs  []uint16
		last  []string // blocks of the last packet
		want  string   // by sequence number, with payload types
		spare uint64   // restored
		asked int      // NACKs
	}{
		{"nothing lost", []uint16{7}, []string{"f", "g"}, "opus:f RED", 0, 0},
		{"one lost", []uint16{8}, []string{"g", "h"}, "opus:f opus:g RED", 1, 0},
		{"two lost, both repeated", []uint16{9}, []string{"g", "h", "i"}, "opus:f opus:g opus:h RED", 2, 0},
		{"two lost, one repeated", []uint16{9}, []string{"h", "i"}, "opus:f - opus:h RED", 1, 1},
		{"late after all", []uint16{8, 7}, []string{"g", "h"}, "opus:f opus:g RED", 1, 0},
		{"nothing repeated", []uint16{8}, []string{"h"}, "opus:f - RED", 0, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			section := audioSection()
			section.Codecs = []Codec{{PayloadType: 63, Type: codec.RED, ClockRate: 48000}, opus}
			f := newFixture(section)
			f.write(t, 3000, 111, 6, 960*6, []byte("f"))
			for i, seq := range tt.seqs {
				blocks := tt.last
				if i > 0 {
					blocks = []string{"late"}
				}
				f.write(t, 3000, 63, seq, 960*uint32(seq), redPayload(blocks...))
			}
			f.tickFor(20 * time.Millisecond)
			got := ""
			r := f.audio.Layer(0).Ring()
			buf := make([]byte, ring.MaxPayload)
			first := f.audio.Layer(0).in.base
			for n := range uint64(tt.seqs[0]) - 5 {
				p, ok := r.Get(first+n, buf)
				switch {
				case n == 0 && !ok:
					t.Fatalf("%s: the first is not there", tt.name)
				case !ok:
					got += " -"
				case p.PayloadType == 63:
					got += " RED"
				default:
					got += " opus:" + string(p.Payload)
				}
				if ok && p.Timestamp != 960*(6+uint32(n)) {
					t.Errorf("%s: packet %d has timestamp %d", tt.name, n, p.Timestamp)
				}
			}
			if got[1:] != tt.want || f.Stats().Redundant != tt.spare || count[*rtcp.TransportLayerNack](f) != tt.asked {
				t.Errorf("%s: %s, %d restored, %d NACKs", tt.name, got, f.Stats().Redundant, count[*rtcp.TransportLayerNack](f))
			}
		})
	}
}

// What was repeated arrived, but its packet did not: reports say so.
func TestRestoredSoundCountsAsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		section := audioSection()
		section.Codecs = []Codec{{PayloadType: 63, Type: codec.RED, ClockRate: 48000}, opus}
		f := newFixture(section)
		for seq := uint16(1); seq <= 40; seq += 2 { // every other one is lost
			f.write(t, 3000, 63, seq, 960*uint32(seq), redPayload("x", "y"))
		}
		f.tickFor(1100 * time.Millisecond)
		if f.Stats().Redundant != 19 {
			t.Errorf("%d restored", f.Stats().Redundant)
		}
		for _, p := range f.sent {
			if rr, ok := p.(*rtcp.ReceiverReport); ok && len(rr.Reports) > 0 {
				if got := rr.Reports[0].TotalLost; got != 19 {
					t.Errorf("%d reported as lost, want 19", got)
				}
				return
			}
		}
		t.Error("no report")
	})
}
