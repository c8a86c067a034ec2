package throttle

import (
	"sync"
	"time"
)

// Pauses slows guessing down by key: some failures are free, after each further
// one there is a pause, twice as long as the last. Nothing is checked during a
// pause, and asking then does not make it longer.
type Pauses struct {
	// Set at creation.
	cfg PauseConfig
	now func() time.Time

	mu   sync.Mutex
	keys *recent[failures]
}

// PauseConfig says how patient Pauses are. All fields are required.
type PauseConfig struct {
	Free           int           // failures before the first pause
	First, Longest time.Duration // pauses
	Forget         time.Duration // after which failures count no more
	Keys           int           // how many keys are remembered
}

// failures of a key; guarded by Pauses.mu.
type failures struct {
	count int
	last  time.Time // when the last attempt began
}

// NewPauses makes pauses by a clock.
func NewPauses(cfg PauseConfig, now func() time.Time) *Pauses {
	return &Pauses{cfg: cfg, now: now, keys: newRecent[failures](cfg.Keys)}
}

// Begin begins an attempt, which counts as a failure until Right or Undo says
// otherwise: so attempts at the same moment gain nothing. Or it says how long
// the pause still lasts.
func (p *Pauses) Begin(key string) (wait time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, f := p.now(), p.keys.get(key)
	if now.Sub(f.last) >= p.cfg.Forget {
		*f = failures{}
	}
	if wait := f.last.Add(p.pause(f.count)).Sub(now); wait > 0 {
		return wait, false
	}
	f.count++
	f.last = now
	return 0, true
}

// pause is how long to wait after count failures.
func (p *Pauses) pause(count int) time.Duration {
	if count < p.cfg.Free {
		return 0
	}
	pause := p.cfg.First
	for range count - p.cfg.Free {
		if pause >= p.cfg.Longest {
			break
		}
		pause *= 2
	}
	return min(pause, p.cfg.Longest)
}

// Right says that the attempt was right: what failed before is forgotten.
func (p *Pauses) Right(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys.forget(key)
}

// Undo says that nothing was found out: the attempt does not count.
func (p *Pauses) Undo(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.keys.get(key)
	f.count = max(0, f.count-1)
}

// Left is how many failures are still free.
func (p *Pauses) Left(key string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(0, p.cfg.Free-p.keys.get(key).count)
}
