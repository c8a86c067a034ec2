package render

import (
	"testing"

	"aparte/recorder/compose"
)

// A screen on which nothing moves is shown from the middle of its stillness on, and what
// is shown is what was there.
func TestAStillScreen(t *testing.T) {
	s := newStudio(t, 3, "anne", "bob")
	s.picture(t, "anne", "camera", "color=red:s=320x180:r=25", 1.2, 1.8)
	// One picture in yellow, another one in purple 2.5 s later.
	s.picture(t, "bob", "screen_share", "color=yellow:s=320x180:r=25:d=3,drawbox=enable='gte(t,2)':color=purple:t=fill,select='eq(n,0)+eq(n,63)'", 0, 3)
	result, path := s.compose(t, Config{Layout: compose.Grid})
	if len(result.Plan.Intervals) != 2 {
		t.Fatalf("%+v", result.Plan.Intervals)
	}
	d := decode(t, path)
	for at, want := range map[float64]string{0: "yellow", 1: "yellow", 1.2: "yellow", 2.4: "yellow", 2.56: "purple", 2.96: "purple"} {
		if got := d.colour(at, 512, 300); got != want {
			t.Errorf("at %.2f s: %s, want %s", at, got, want)
		}
	}
}
