package wire

import (
	"sync"

	"golang.org/x/time/rate"

	"aparte/sfu"
)

// A client that reconnects does so at growing pauses; one that joins in a loop
// costs everyone in the room.
const joinsPerSecond, joinBurst = 1, 15

// maxPaced is how many identities are remembered before those at rest are
// forgotten.
const maxPaced = 10_000

// pace bounds how often one identity may join or resume.
type pace struct {
	mu   sync.Mutex
	seen map[paced]*rate.Limiter // guarded by mu
}

type paced struct {
	room     sfu.RoomKey
	identity string
}

func (p *pace) allow(room sfu.RoomKey, identity string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := paced{room, identity}
	l := p.seen[key]
	if l == nil {
		if len(p.seen) >= maxPaced {
			p.forget()
		}
		if len(p.seen) >= maxPaced {
			return false // ten thousand that joined within seconds
		}
		l = rate.NewLimiter(joinsPerSecond, joinBurst)
		if p.seen == nil {
			p.seen = map[paced]*rate.Limiter{}
		}
		p.seen[key] = l
	}
	return l.Allow()
}

// forget drops those that could join as often as new ones. Caller holds mu.
func (p *pace) forget() {
	for key, l := range p.seen {
		if l.Tokens() >= joinBurst {
			delete(p.seen, key)
		}
	}
}
