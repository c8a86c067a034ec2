package codec

import (
	"testing"
	"time"
)

func TestOpusDuration(t *testing.T) {
	ms := func(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }
	silence := OpusSilence()
	for _, c := range []struct {
		packet []byte
		want   time.Duration
	}{
		{silence[:], ms(20)},
		{[]byte{0 << 3}, ms(10)},               // SILK, narrowband
		{[]byte{3 << 3}, ms(60)},               // the longest frame
		{[]byte{11<<3 | 1}, ms(120)},           // two of them
		{[]byte{12 << 3}, ms(10)},              // hybrid
		{[]byte{15<<3 | 2}, ms(40)},            // two, of different sizes
		{[]byte{16 << 3}, ms(2.5)},             // CELT, the shortest frame
		{[]byte{31<<3 | 3, 0x40 | 6}, ms(120)}, // six, with padding
		{[]byte{31<<3 | 3, 7}, 0},              // more than a packet may have
		{[]byte{31<<3 | 3, 0}, 0},
		{[]byte{31<<3 | 3}, 0},
		{nil, 0},
	} {
		if got := OpusDuration(c.packet); got != c.want {
			t.Errorf("%x: %v, want %v", c.packet, got, c.want)
		}
	}
}
