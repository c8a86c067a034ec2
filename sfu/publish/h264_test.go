package publish

import (
	"testing"

	"aparte/sfu/codec"
)

func TestH264BeginsAtParameterSetsOrWithoutThemAtTheSlice(t *testing.T) {
	sps, idr, slice := codec.Facts{Keyframe: true}, codec.Facts{IDR: true}, codec.Facts{}
	both := codec.Facts{Keyframe: true, IDR: true}
	for _, c := range []struct {
		name string
		in   []codec.Facts
		want []bool
	}{
		{"in the stream", []codec.Facts{sps, idr, slice, sps, idr}, []bool{true, false, false, true, false}},
		{"in one packet", []codec.Facts{both, slice, idr}, []bool{true, false, false}},
		{"in the SDP", []codec.Facts{idr, slice, idr}, []bool{true, false, true}},
	} {
		var in inbound
		for i, f := range c.in {
			if in.beginsAt(&f); f.Keyframe != c.want[i] {
				t.Errorf("%s: packet %d: %t", c.name, i, f.Keyframe)
			}
			if i == 1 {
				in.restart(7) // the same sender
			}
		}
	}
}
