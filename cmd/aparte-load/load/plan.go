// Package load puts rooms full of participants on a server and reports what came of
// it. plan.go says who is where and publishes what, run.go does it, report.go tells.
package load

import (
	"fmt"

	"github.com/livekit/protocol/livekit"

	"aparte/cmd/aparte-load/client"
	"aparte/cmd/aparte-load/media"
)

// Plan is who is in the rooms.
type Plan struct {
	Rooms int // each with:
	// Publishers send only, Subscribers receive only, Mesh do both.
	Publishers, Subscribers, Mesh int

	Audio bool
	// Video is none, single (one layer) or simulcast (three).
	Video  string
	Screen int // so many of those who publish also share a screen
	// VideoBps is the highest layer's.
	VideoBps, AudioBps, FPS int
	Speakers                int // so many of those who publish are loud
	Prefix                  string
}

// participant is one of a plan.
type participant struct {
	room, identity string
	subscribe      bool
	sources        []client.Source
}

// Check says in one line what cannot be done.
func (p *Plan) Check() error {
	switch {
	case p.Rooms < 1:
		return fmt.Errorf("--rooms: at least 1, not %d", p.Rooms)
	case p.Publishers < 0 || p.Subscribers < 0 || p.Mesh < 0 || p.Screen < 0 || p.Speakers < 0:
		return fmt.Errorf("numbers of participants cannot be negative")
	case p.Publishers+p.Subscribers+p.Mesh == 0:
		return fmt.Errorf("nobody to join: give --publishers, --subscribers or --mesh")
	case p.Publishers+p.Mesh > 0 && !p.Audio && p.Video == VideoNone && p.Screen == 0:
		return fmt.Errorf("nothing to publish: --no-audio with --video=none; for idle participants use --subscribers alone")
	case p.Screen > p.Publishers+p.Mesh:
		return fmt.Errorf("--screen: %d screens of %d who publish", p.Screen, p.Publishers+p.Mesh)
	case p.FPS < 1 || p.FPS > 60:
		return fmt.Errorf("--fps: 1 to 60, not %d", p.FPS)
	case p.VideoBps < 50_000 || p.VideoBps > 20_000_000:
		return fmt.Errorf("--video-kbps: 50 to 20000, not %d", p.VideoBps/1000)
	case p.AudioBps < 6000 || p.AudioBps > 510_000:
		return fmt.Errorf("--audio-kbps: 6 to 510, not %d", p.AudioBps/1000)
	}
	return nil
}

// The kinds of video.
const (
	VideoNone      = "none"
	VideoSingle    = "single"
	VideoSimulcast = "simulcast"
)

// participants of the plan, room by room in turn, those who publish first: whoever
// subscribes finds something.
func (p *Plan) participants() []participant {
	perRoom := p.Publishers + p.Mesh + p.Subscribers
	var all []participant
	for i := range perRoom {
		for room := range p.Rooms {
			x := participant{room: fmt.Sprintf("%s-%d", p.Prefix, room)}
			switch publishes := p.Publishers + p.Mesh; {
			case i < p.Publishers:
				x.identity = fmt.Sprintf("publisher-%d", i)
			case i < publishes:
				x.identity, x.subscribe = fmt.Sprintf("mesh-%d", i-p.Publishers), true
			default:
				x.identity, x.subscribe = fmt.Sprintf("subscriber-%d", i-publishes), true
			}
			if i < p.Publishers+p.Mesh {
				x.sources = p.sources(i)
			}
			all = append(all, x)
		}
	}
	return all
}

// sources of the i-th of a room who publish.
func (p *Plan) sources(i int) (all []client.Source) {
	if p.Audio {
		level := media.Silent
		if i < p.Speakers {
			level = media.Loud
		}
		all = append(all, client.Source{Kind: livekit.TrackSource_MICROPHONE, BitrateBps: p.AudioBps, Level: level})
	}
	if p.Video != VideoNone {
		all = append(all, client.Source{Kind: livekit.TrackSource_CAMERA, Layers: p.layers()})
	}
	if i < p.Screen {
		all = append(all, client.Source{Kind: livekit.TrackSource_SCREEN_SHARE, Layers: []media.Layer{
			{Width: 1920, Height: 1080, BitrateBps: 1_200_000, FPS: 15},
		}})
	}
	return all
}

// layers are livekit-client's for 720p: a quarter and half of the size, at shares of
// the bitrate close to its presets.
func (p *Plan) layers() []media.Layer {
	top := media.Layer{RID: "f", Width: 1280, Height: 720, BitrateBps: p.VideoBps, FPS: p.FPS}
	if p.Video == VideoSingle {
		top.RID = ""
		return []media.Layer{top}
	}
	return []media.Layer{
		{RID: "q", Width: 320, Height: 180, BitrateBps: p.VideoBps * 9 / 100, FPS: p.FPS},
		{RID: "h", Width: 640, Height: 360, BitrateBps: p.VideoBps * 27 / 100, FPS: p.FPS},
		top,
	}
}

// tracks is how many streams are received when all is well.
func (p *Plan) tracks() int {
	perPublisher := 0
	if p.Audio {
		perPublisher++
	}
	if p.Video != VideoNone {
		perPublisher++
	}
	n := 0
	for i := range p.Publishers + p.Mesh {
		receivers := p.Subscribers + p.Mesh
		if i >= p.Publishers {
			receivers-- // not oneself
		}
		own := perPublisher
		if i < p.Screen {
			own++
		}
		n += own * receivers
	}
	return n * p.Rooms
}
