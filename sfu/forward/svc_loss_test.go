package forward

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtp"

	"aparte/sfu/codec"
	"aparte/sfu/publish"
)

// Packets of an SVC stream come late and in any order, while layers are left out and
// taken back: every number is given once, and when all has come none is missing. What
// has no layer the subscriber gets is an empty packet at most.
func TestLossInSVCLeavesNoGaps(t *testing.T) {
	for _, c := range []publish.Codec{vp9, av1} {
		t.Run(c.Type.String(), func(t *testing.T) {
			for seed := range uint64(20) {
				inBubble(t, func(t *testing.T, r *rig) {
					random := rand.New(rand.NewPCG(seed, 7))
					src, to := newSource(r, c, false), &screen{}
					d := r.subscribe(to).NewDownTrack(r.video)
					d.Bind(src.binding(to))
					src.gop(0, 1, 3, true)
					for i := range 60 {
						if i%7 == 0 {
							d.SetMaxLayer(random.IntN(3))
						}
						src.late = func(deliver func()) bool {
							if random.IntN(8) > 0 {
								return false
							}
							after := time.Duration(5+random.IntN(60)) * time.Millisecond
							time.AfterFunc(after, deliver)
							return true
						}
						src.picture(0, i%20 == 19, [...]uint8{0, 2, 1, 2}[i%4], 3)
						time.Sleep(frameEvery)
						settle()
					}
					src.late = nil
					time.Sleep(200 * time.Millisecond)
					src.gop(0, 1, 3, true)
					time.Sleep(200 * time.Millisecond)
					settle()
					checkNumbers(t, seed, c.Type, to.take())
				})
			}
		})
	}
}

func checkNumbers(t *testing.T, seed uint64, typ codec.Type, packets []rtp.Packet) {
	t.Helper()
	seen := map[uint16]bool{}
	low, high := packets[0].SequenceNumber, packets[0].SequenceNumber
	empty := 0
	for i := range packets {
		p := &packets[i]
		if seen[p.SequenceNumber] {
			t.Fatalf("seed %d: number %d twice", seed, p.SequenceNumber)
		}
		seen[p.SequenceNumber] = true
		if int16(p.SequenceNumber-high) > 0 {
			high = p.SequenceNumber
		}
		if int16(p.SequenceNumber-low) < 0 {
			low = p.SequenceNumber
		}
		if len(p.Payload) == 0 {
			empty++
		} else if _, ok := codec.Inspect(typ, p.Payload); !ok {
			t.Fatalf("seed %d: % x", seed, p.Payload)
		}
	}
	missing := int(high-low) + 1 - len(seen)
	if missing > 0 || empty > len(packets)/4 {
		t.Errorf("seed %d: of %d packets %d are missing and %d empty", seed, len(packets), missing, empty)
	}
}
