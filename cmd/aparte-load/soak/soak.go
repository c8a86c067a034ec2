// Package soak comes and goes for a long time, in every way that people do, and looks
// whether the server is afterwards what it was before.
package soak

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"aparte/cmd/aparte-load/client"
	"aparte/cmd/aparte-load/measure"
)

// Config is a soak.
type Config struct {
	URL   string
	Keys  client.Keys
	Rooms int
	Seats int // of each room; whoever has one comes and goes
	// Stayers of each room are in from before the first look at the memory to after the
	// last: what those who left leave behind with them is found too. Two hear each other,
	// so that what a connection makes with its first track is there at the first look.
	Stayers int
	// Duration of the coming and going. Before it, a Warmup of the same kind lets the
	// server fill its pools, so that what is compared is what grows.
	Duration, Warmup time.Duration
	// Patience is how long the server may take to forget those who vanished: ICE must
	// fail, sessions wait for a resume, and rooms for somebody to come back.
	Patience time.Duration
	Seed     uint64

	Go      *measure.GoServer // required
	Process *measure.Process  // may be nil
}

// Bounds on what may be left over. A participant is 40 goroutines and 300 KiB or so: one
// that is not forgotten breaks the first.
const (
	MoreGoroutines = 10
	MoreBytes      = 4 << 20 // of live objects and stacks
	// KeptBytes is what a connection keeps of every track it was ever sent: the SRTP and
	// SRTCP state of its SSRCs, which Pion forgets with the connection. Whoever stays is
	// allowed it, and when they have come in anew nothing of it may be left.
	KeptBytes = 256
)

// Result is what a soak found.
type Result struct {
	Acts          map[string]int // what was done, how often
	Failures      map[string]int // what went wrong, and what the server ended
	Before, After measure.Memory // with those who stay
	Anew          measure.Memory // when they have left and come in again
	Tracks        int64          // that those who stay were sent
	RSSBefore     int64
	RSSAfter      int64
	Settled       time.Duration // until the server had forgotten everybody
}

// Run comes and goes until the duration is over or ctx ends.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	s := &soak{cfg: cfg, figures: &client.Figures{}, acts: map[string]int{}, pulse: client.NewPulse()}
	defer s.pulse.Close()
	r := &Result{}
	stayers, err := s.stay(ctx)
	leave := func() {
		for _, c := range stayers {
			c.Leave()
		}
		stayers = nil
	}
	defer func() { leave() }()
	if err != nil {
		return nil, err
	}
	first, err := s.steady(ctx)
	if err != nil {
		return nil, err
	}
	if cfg.Warmup > 0 {
		s.churn(ctx, cfg.Warmup)
		if _, err := s.settle(ctx, first); err != nil {
			return nil, fmt.Errorf("after the warm-up: %w", err)
		}
	}
	if r.Before, r.RSSBefore, err = s.memory(ctx); err != nil {
		return nil, err
	}
	s.churn(ctx, cfg.Duration)
	r.Settled, err = s.settle(ctx, r.Before.Goroutines)
	if err == nil {
		r.After, r.RSSAfter, err = s.memory(ctx)
	}
	if err == nil {
		err = stayed(stayers)
	}
	r.Tracks = s.figures.Tracks.Load()
	r.Acts, r.Failures = s.acts, s.figures.Failures()
	if err == nil {
		leave()
		r.Anew, err = s.anew(ctx, r.Before.Goroutines, &stayers)
	}
	return r, err
}

// anew has those who stayed come in again, and looks at the memory.
func (s *soak) anew(ctx context.Context, before int64, stayers *[]*client.Client) (m measure.Memory, err error) {
	if _, err := s.steady(ctx); err != nil {
		return m, err
	}
	if *stayers, err = s.stay(ctx); err != nil {
		return m, err
	}
	if _, err := s.settle(ctx, before); err != nil {
		return m, err
	}
	m, _, err = s.memory(ctx)
	return m, err
}

type soak struct {
	cfg     Config
	figures *client.Figures
	pulse   *client.Pulse

	mu   sync.Mutex
	acts map[string]int // guarded by mu
}

func (s *soak) memory(ctx context.Context) (m measure.Memory, rss int64, err error) {
	if m, err = s.cfg.Go.Memory(ctx); err == nil && s.cfg.Process != nil {
		rss, err = s.cfg.Process.RSS()
	}
	return m, rss, err
}

// churn lets every seat come and go, and all leave at the end.
func (s *soak) churn(ctx context.Context, d time.Duration) {
	limited, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var seats sync.WaitGroup
	for room := range s.cfg.Rooms {
		for n := range s.cfg.Seats {
			seats.Go(func() {
				x := &seat{
					soak: s, room: roomName(room), n: n,
					rand: rand.New(rand.NewPCG(s.cfg.Seed, uint64(room)<<32|uint64(n))),
				}
				x.sit(limited)
			})
		}
	}
	seats.Wait()
}

// settle waits until the server has as many goroutines as before: then sessions and
// rooms are gone. A few more are not waited for longer than patience.
func (s *soak) settle(ctx context.Context, before int64) (time.Duration, error) {
	begin := time.Now()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		s.cfg.Go.Hangup() // our own connection is two goroutines there
		now, err := s.cfg.Go.Goroutines(ctx)
		if err != nil {
			return 0, err
		}
		took := time.Since(begin)
		if now <= before || now <= before+MoreGoroutines && took > s.cfg.Patience {
			return took, nil
		}
		if took > s.cfg.Patience {
			stacks, err := s.cfg.Go.Stacks(ctx)
			if err != nil {
				stacks = err.Error()
			}
			return took, fmt.Errorf("%d goroutines %s after everybody left, %d before:\n%s",
				now, took.Round(time.Second), before, stacks)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return took, ctx.Err()
		}
	}
}

// steady waits until the server's goroutines are as many as five seconds before: the
// second connections of those who stay come up after their joins.
func (s *soak) steady(ctx context.Context) (int64, error) {
	const looks = 5
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last, same := int64(-1), 0
	for begin := time.Now(); ; {
		s.cfg.Go.Hangup()
		now, err := s.cfg.Go.Goroutines(ctx)
		if err != nil {
			return 0, err
		}
		if now != last {
			last, same = now, 0
		} else if same++; same == looks {
			return now, nil
		}
		if time.Since(begin) > s.cfg.Patience {
			return 0, fmt.Errorf("the number of goroutines is not steady %s after the first joins: %d", s.cfg.Patience, now)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

func (s *soak) count(act string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acts[act]++
}

// Check compares with the bounds, and says everything that is beyond them.
func (r *Result) Check() error {
	var wrong []string
	if more := r.After.Goroutines - r.Before.Goroutines; more > MoreGoroutines {
		wrong = append(wrong, fmt.Sprintf("%d goroutines more than before, at most %d are expected", more, MoreGoroutines))
	}
	if more := r.After.Live() - r.Before.Live(); more > r.allowed() {
		wrong = append(wrong, fmt.Sprintf("%.1f MiB more in use than before, at most %.1f are expected", mib(more), mib(r.allowed())))
	}
	if more := r.Anew.Goroutines - r.Before.Goroutines; more > MoreGoroutines {
		wrong = append(wrong, fmt.Sprintf("%d goroutines more than before when those who stayed came anew", more))
	}
	if more := r.Anew.Live() - r.Before.Live(); more > MoreBytes {
		wrong = append(wrong, fmt.Sprintf("%.1f MiB more in use than before when those who stayed came anew, at most %.1f are expected", mib(more), mib(MoreBytes)))
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Failures)) {
		if reason != takenOver {
			wrong = append(wrong, fmt.Sprintf("%d × %s", r.Failures[reason], reason))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(wrong, "; "))
}

// Text writes the figures beside their bounds.
func (r *Result) Text(w io.Writer) error {
	var b strings.Builder
	for _, act := range slices.Sorted(maps.Keys(r.Acts)) {
		fmt.Fprintf(&b, "%-22s %6d\n", act, r.Acts[act])
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Failures)) {
		fmt.Fprintf(&b, "told: %-16s %6d\n", reason, r.Failures[reason])
	}
	fmt.Fprintf(&b, "all forgotten after    %6.0f s\n\n", r.Settled.Seconds())
	fmt.Fprintf(&b, "%-28s %9s %9s %12s\n", "", "before", "after", "may grow by")
	fmt.Fprintf(&b, "%-28s %9d %9d %12d\n", "goroutines", r.Before.Goroutines, r.After.Goroutines, MoreGoroutines)
	fmt.Fprintf(&b, "%-28s %9.1f %9.1f %12.1f   (those who stayed were sent %d tracks)\n", "live and stacks, MiB", mib(r.Before.Live()), mib(r.After.Live()), mib(r.allowed()), r.Tracks)
	fmt.Fprintf(&b, "%-28s %9.1f %9.1f %12.1f\n", "    and they came anew", mib(r.Before.Live()), mib(r.Anew.Live()), mib(MoreBytes))
	fmt.Fprintf(&b, "%-28s %9.1f %9.1f\n", "heap and stacks, MiB", mib(r.Before.InUse()), mib(r.After.InUse()))
	if r.RSSAfter > 0 {
		fmt.Fprintf(&b, "%-28s %9.1f %9.1f\n", "RSS, MiB", mib(r.RSSBefore), mib(r.RSSAfter))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// allowed is how many bytes more may be in use while those who stayed still are in.
func (r *Result) allowed() int64 { return MoreBytes + KeptBytes*r.Tracks }

func mib(n int64) float64 { return float64(n) / (1 << 20) }
