package publish

import (
	"testing"
	"testing/synctest"
	"time"

	"aparte/sfu/ring"
)

// Somebody else muted the tracks, and the publisher sends on: nothing of it can be
// read, and nobody is shown to speak. When the publisher opens them again, pictures
// begin at a key frame, and the numbers in between are not asked for.
func TestSilencedTracksStayMuted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(videoSection(), audioSection())
		payloads := func(tr *Track) (n int) {
			b := ring.NewBatch(64, 64<<10)
			tr.Layer(0).Ring().Read(0, b)
			for _, p := range b.Packets {
				if len(p.Payload) > 0 {
					n++
				}
			}
			return n
		}
		seq := uint16(0)
		speak := func() {
			for range 25 {
				seq++
				f.write(t, 1000, 96, seq, 3000*uint32(seq), delta(1))
				f.write(t, 3000, 111, seq, 960*uint32(seq), []byte("loud"), withExt(ext.AudioLevel, "\x05"))
				time.Sleep(20 * time.Millisecond)
			}
		}
		seq++
		f.write(t, 1000, 96, seq, 3000, keyframe(1))
		f.write(t, 3000, 111, seq, 960, []byte("loud"))
		f.video.Silence()
		f.audio.Silence()
		speak()
		if v, a := payloads(f.video), payloads(f.audio); v != 1 || a != 1 {
			t.Errorf("%d pictures and %d sounds can be read, want those from before", v, a)
		}
		if level, speaking := f.audio.Level(); speaking {
			t.Errorf("it is shown to speak, at %v", level)
		}
		if st := f.Stats(); st.Silenced != 50 || !f.video.Muted() {
			t.Errorf("%+v", st)
		}
		f.Tick(time.Now())
		asked := f.Stats().PLIs
		time.Sleep(time.Second)
		f.video.SetMuted(false)
		f.audio.SetMuted(false)
		speak()
		f.Tick(time.Now())
		if v, a := payloads(f.video), payloads(f.audio); v < 25 || a < 25 {
			t.Errorf("%d pictures and %d sounds after it was opened again", v, a)
		}
		if _, speaking := f.audio.Level(); !speaking {
			t.Error("it is not shown to speak")
		}
		if st := f.Stats(); st.PLIs != asked+1 || st.NACKs != 0 {
			t.Errorf("%+v", st)
		}
	})
}
