package render

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aparte/recorder/compose"
	"aparte/recorder/export"
)

// flashing is a picture that is white for three frames each second and a half.
func flashing(colour string) string {
	return fmt.Sprintf("color=%s:s=320x180:r=25,drawbox=enable='lt(mod(t,1.5),0.12)':color=white:t=fill", colour)
}

const beeping = "if(lt(mod(t,1.5),0.12),0.5*sin(2*PI*1000*t),0)"

// A meeting of three: everybody is to be seen and heard where and when the plan says.
func TestAFilm(t *testing.T) {
	s := newStudio(t, 9, "anne", "bob", "cleo", "dan")
	s.picture(t, "anne", "camera", flashing("red"), 0, 9)
	s.sound(t, "anne", beeping, 0, 9)
	s.picture(t, "bob", "camera", "color=blue:s=180x320:r=15", 1.513, 7)
	s.sound(t, "bob", "0", 1, 7)
	s.picture(t, "bob", "screen_share", "color=yellow:s=320x180:r=5", 4, 2)
	s.event(0, "consent", "anne")
	s.event(0, "consent", "bob")
	s.event(0, "consent", "cleo")
	s.event(0, "consent", "dan")
	for i := range s.index.Events {
		if e := &s.index.Events[i]; e.Kind == "consent" {
			e.Answer = "given"
			if e.Identity == "dan" {
				e.Answer = "declined"
			}
		}
	}
	s.event(2, "speaking", "bob")
	s.event(3.8, "speaking", "")
	s.event(7, "left", "cleo")
	for _, format := range []Format{WebM, MP4} {
		t.Run(string(format), func(t *testing.T) {
			result, path := s.compose(t, Config{Format: format})
			p := probe(t, path)
			if want := map[Format]string{WebM: "vp9 opus", MP4: "h264 aac bin_data"}[format]; p.codecs() != want || p.Streams[0].Width != 1280 || p.Streams[0].Height != 720 || p.Streams[0].AvgFrameRate != "25/1" {
				t.Errorf("%+v", p.Streams)
			}
			if got := p.length(t); math.Abs(got-9) > 0.1 {
				t.Errorf("it lasts %.3f s", got)
			}
			if got, want := p.titles(), "0.0 Beginning · Arrival: Anne, Bob, Cleo\n4.0 Shared screen: Bob\n6.0 End of the shared screen\n"; got != want {
				t.Errorf("chapters\n%s", got)
			}
			if got := loudnessOf(t, path); math.Abs(got+16) > 1 {
				t.Errorf("it is as loud as %.1f LUFS", got)
			}
			d := decode(t, path)
			if len(d.frames) != 225 {
				t.Errorf("%d pictures", len(d.frames))
			}
			marks := map[string]string{"Anne": "red", "Bob": "blue", "Cleo": "tile", "Bob – screen": "yellow"}
			seen := map[string]bool{}
			for _, i := range result.Plan.Intervals {
				for _, at := range []float64{i.From.Seconds(), (i.From + i.To).Seconds() / 2, (i.To - compose.Frame).Seconds()} {
					for _, tile := range i.Tiles {
						x, y := middle(tile.Box)
						want := marks[tile.Name]
						if tile.Name == "Bob" && tile.File == "" {
							want = "tile"
						}
						if want == "tile" {
							x, y = tile.X+tile.W/2, tile.Y+tile.H/4 // beside the name
						}
						got := d.colour(at, x, y)
						if got != want && (want != "red" || got != "white" || math.Mod(at, 1.5) > 0.15) {
							t.Errorf("at %.2f s: %s is %s, want %s", at, tile.Name, got, want)
						}
						seen[tile.Name] = true
					}
				}
			}
			if len(seen) != len(marks) {
				t.Errorf("only %v were to be seen", seen)
			}
			// Pictures of one colour say little about time; flashes do.
			var flashes []float64
			x, y := middle(result.Plan.Intervals[0].Tiles[0].Box)
			for n := range d.frames {
				for _, i := range result.Plan.Intervals {
					at := float64(n) / float64(perSecond)
					if i.From.Seconds() <= at && at < i.To.Seconds() {
						for _, tile := range i.Tiles {
							if tile.Name == "Anne" {
								x, y = middle(tile.Box)
							}
						}
					}
				}
				at := float64(n) / float64(perSecond)
				if d.colour(at, x, y) == "white" && (len(flashes) == 0 || at-flashes[len(flashes)-1] > 0.2) {
					flashes = append(flashes, at)
				}
			}
			heard := beeps(t, path)
			if len(flashes) != 6 || len(heard) != 6 {
				t.Fatalf("flashes at %.3f, beeps at %.3f", flashes, heard)
			}
			worst := 0.0
			for i := range flashes {
				worst = max(worst, math.Abs(flashes[i]-heard[i]))
			}
			t.Logf("flash and beep are at most %.1f ms apart", worst*1000)
			if worst > 0.040 {
				t.Errorf("flashes at %.3f, beeps at %.3f", flashes, heard)
			}
			captions, err := os.ReadFile(filepath.Join(filepath.Dir(path), result.Captions))
			if err != nil || !strings.Contains(string(captions), "00:00:02.000 --> 00:00:03.800\n<v Bob>Bob</v>") {
				t.Errorf("%v, %s", err, captions)
			}
		})
	}
}

var _ = export.IndexName
