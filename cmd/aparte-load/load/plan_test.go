package load

import "testing"

func plan(change func(*Plan)) Plan {
	p := Plan{Rooms: 1, Audio: true, Video: VideoSimulcast, VideoBps: 1_700_000, AudioBps: 32_000, FPS: 30, Speakers: 1, Prefix: "x"}
	change(&p)
	return p
}

func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		plan                 Plan
		participants, tracks int
	}{
		"a mesh":                {plan(func(p *Plan) { p.Mesh = 10 }), 10, 180},
		"many rooms":            {plan(func(p *Plan) { p.Mesh, p.Rooms = 3, 4 }), 12, 48},
		"a broadcast":           {plan(func(p *Plan) { p.Publishers, p.Subscribers = 2, 7 }), 9, 28},
		"audio only":            {plan(func(p *Plan) { p.Mesh, p.Video = 4, VideoNone }), 4, 12},
		"video only":            {plan(func(p *Plan) { p.Mesh, p.Audio = 4, false }), 4, 12},
		"a screen of a sender":  {plan(func(p *Plan) { p.Publishers, p.Subscribers, p.Screen = 1, 3, 1 }), 4, 9},
		"a screen in a mesh":    {plan(func(p *Plan) { p.Mesh, p.Screen = 3, 1 }), 3, 14},
		"idle ones":             {plan(func(p *Plan) { p.Subscribers = 5 }), 5, 0},
		"publishers for nobody": {plan(func(p *Plan) { p.Publishers = 2 }), 2, 0},
	} {
		if err := c.plan.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		all := c.plan.participants()
		if len(all) != c.participants || c.plan.tracks() != c.tracks {
			t.Errorf("%s: %d participants, %d tracks, want %d and %d", name, len(all), c.plan.tracks(), c.participants, c.tracks)
		}
		seen := map[string]bool{}
		published := map[string]int{}
		received := 0
		for _, p := range all {
			if key := p.room + "/" + p.identity; seen[key] {
				t.Errorf("%s: %s twice", name, key)
			} else {
				seen[key] = true
			}
			published[p.room] += len(p.sources)
		}
		for _, p := range all {
			if p.subscribe {
				received += published[p.room] - len(p.sources)
			}
		}
		if received != c.tracks {
			t.Errorf("%s: the participants receive %d tracks, want %d", name, received, c.tracks)
		}
	}
}

// Those who publish come first, so that others find them, and the rooms fill evenly.
func TestPlanOrder(t *testing.T) {
	p := plan(func(p *Plan) { p.Rooms, p.Publishers, p.Subscribers = 2, 1, 1 })
	var got []string
	for _, x := range p.participants() {
		got = append(got, x.room+"/"+x.identity)
	}
	want := []string{"x-0/publisher-0", "x-1/publisher-0", "x-0/subscriber-0", "x-1/subscriber-0"}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}

func TestLayers(t *testing.T) {
	p := plan(func(p *Plan) { p.Mesh = 1 })
	layers := p.layers()
	if len(layers) != 3 || layers[0].RID != "q" || layers[1].RID != "h" || layers[2].RID != "f" {
		t.Errorf("%+v", layers)
	}
	for i := 1; i < len(layers); i++ {
		if layers[i].BitrateBps <= layers[i-1].BitrateBps || layers[i].Width <= layers[i-1].Width {
			t.Errorf("layer %d is not more than %d: %+v", i, i-1, layers)
		}
	}
	p.Video = VideoSingle
	if layers := p.layers(); len(layers) != 1 || layers[0].RID != "" {
		t.Errorf("one layer: %+v", layers)
	}
}
