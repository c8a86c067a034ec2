package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"aparte/cmd/aparte-load/client"
	"aparte/cmd/aparte-load/measure"
)

// Config is a plan and how to carry it out.
type Config struct {
	Plan
	URL    string
	Keys   client.Keys
	Single bool // /rtc/v1
	// JoinsPerSecond is the ramp; Duration begins when all are in and receive all there is.
	JoinsPerSecond float64
	Duration       time.Duration
	// Settle is how long after the last left the server's memory is read.
	Settle time.Duration
	// JoinLimit is how long one may take to get in, and what all receive to come after that.
	JoinLimit time.Duration

	Process *measure.Process  // the server, may be nil
	Go      *measure.GoServer // its profiles, may be nil
	// OnPeak is called at the end of the duration, with everybody still in; may be nil.
	OnPeak func(context.Context) error
	// Figures are counted in while it runs, for whoever looks meanwhile; may be nil.
	Figures *client.Figures
}

// Run carries a plan out. When ctx ends, everybody leaves at once and the report
// tells of what was until then. The error is about the measuring; failed joins are in
// the report.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	r := &run{cfg: cfg, figures: cmp.Or(cfg.Figures, &client.Figures{}), pulse: client.NewPulse()}
	defer r.pulse.Close()
	r.report.Plan = cfg.describe()
	steps := []func(context.Context) error{r.idle, r.join, r.settle, r.steady, r.peak}
	var err error
	for _, step := range steps {
		if err = step(ctx); err != nil || ctx.Err() != nil {
			break
		}
	}
	r.leave()
	if err == nil && ctx.Err() == nil {
		err = r.after(ctx)
	}
	r.report.Interrupted = ctx.Err() != nil
	r.finish()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return &r.report, err
}

type run struct {
	cfg     Config
	figures *client.Figures
	pulse   *client.Pulse
	report  Report

	mu  sync.Mutex
	all []*client.Client // guarded by mu
}

func (r *run) idle(ctx context.Context) (err error) {
	r.report.Memory.Idle, err = r.memory(ctx)
	return err
}

// memory of the server now; nil when nothing is known.
func (r *run) memory(ctx context.Context) (*Memory, error) {
	if r.cfg.Process == nil && r.cfg.Go == nil {
		return nil, nil //nolint:nilnil // nothing was asked for
	}
	var m Memory
	var err error
	if r.cfg.Go != nil {
		var in measure.Memory
		if in, err = r.cfg.Go.Memory(ctx); err != nil {
			return nil, fmt.Errorf("memory of the server: %w", err)
		}
		m.LiveBytes, m.InUseBytes, m.Goroutines = in.Live(), in.InUse(), in.Goroutines
		m.HeapBytes, m.StackBytes = in.Heap, in.Stack
	}
	if r.cfg.Process != nil {
		if m.RSSBytes, err = r.cfg.Process.RSS(); err != nil {
			return nil, fmt.Errorf("memory of the server: %w", err)
		}
	}
	return &m, nil
}

// join lets them in at the ramp's pace, not waiting for one another.
func (r *run) join(ctx context.Context) error {
	every := time.NewTicker(time.Duration(float64(time.Second) / r.cfg.JoinsPerSecond))
	defer every.Stop()
	var joins sync.WaitGroup
	begin := time.Now()
	for i, p := range r.cfg.participants() {
		if i > 0 {
			select {
			case <-every.C:
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			break
		}
		token, err := r.cfg.Keys.Token(p.room, p.identity, len(p.sources) > 0, p.subscribe)
		if err != nil {
			return err
		}
		joins.Go(func() { r.enter(ctx, p, token) })
	}
	joins.Wait()
	r.report.RampSeconds = time.Since(begin).Seconds()
	return nil
}

func (r *run) enter(ctx context.Context, p participant, token string) {
	limited, cancel := context.WithTimeout(ctx, r.cfg.JoinLimit)
	defer cancel()
	c, err := client.Join(limited, client.Config{
		URL: r.cfg.URL, Token: token, Single: r.cfg.Single, Subscribe: p.subscribe, Sources: p.sources,
		Figures: r.figures, Pulse: r.pulse,
	})
	if err != nil {
		return // counted by its reason
	}
	r.mu.Lock()
	r.all = append(r.all, c)
	r.mu.Unlock()
}

// settle waits until everything that is published has come to whom it is for. Whoever did
// not get in is waited for no longer.
func (r *run) settle(ctx context.Context) error {
	limit, look := time.NewTimer(r.cfg.JoinLimit), time.NewTicker(20*time.Millisecond)
	defer limit.Stop()
	defer look.Stop()
	for r.figures.Joined.Load() == r.figures.Joins.Load() && r.figures.Tracks.Load() < int64(r.cfg.tracks()) {
		select {
		case <-look.C:
		case <-limit.C:
			return nil // the report tells what is missing
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// sample is what is compared before and after the steady time.
type sample struct {
	at                                time.Time
	sent, sentBytes, received, gotten uint64
	cpu                               time.Duration
}

func (r *run) sample() (s sample, err error) {
	s = sample{
		at: time.Now(), sent: r.figures.SentPackets.Load(), sentBytes: r.figures.SentBytes.Load(),
		received: r.figures.ReceivedPackets.Load(), gotten: r.figures.ReceivedBytes.Load(),
	}
	if r.cfg.Process != nil {
		s.cpu, err = r.cfg.Process.CPU()
	}
	return s, err
}

// steady measures while everybody is in.
func (r *run) steady(ctx context.Context) error {
	r.figures.Measuring.Store(true)
	defer r.figures.Measuring.Store(false)
	before, err := r.sample()
	if err != nil {
		return err
	}
	timer := time.NewTimer(r.cfg.Duration)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	after, err := r.sample()
	if err != nil {
		return err
	}
	r.report.Tracks, r.report.TracksWanted = r.figures.Tracks.Load(), int64(r.cfg.tracks())
	r.report.steady(before, after, r.cfg.Process != nil)
	return nil
}

func (r *run) peak(ctx context.Context) (err error) {
	if r.report.Memory.Peak, err = r.memory(ctx); err == nil && r.cfg.OnPeak != nil {
		err = r.cfg.OnPeak(ctx)
	}
	return err
}

// leave lets everybody go: those who only send first, so that what is under way
// arrives.
func (r *run) leave() {
	r.mu.Lock()
	all := r.all
	r.all = nil
	r.mu.Unlock()
	for _, receivers := range []bool{false, true} {
		var leaves sync.WaitGroup
		slots := make(chan struct{}, 32)
		for _, c := range all {
			if c.Subscribes() != receivers {
				continue
			}
			slots <- struct{}{}
			leaves.Go(func() {
				c.Leave()
				<-slots
			})
		}
		leaves.Wait()
	}
}

func (r *run) after(ctx context.Context) (err error) {
	if r.cfg.Process == nil && r.cfg.Go == nil {
		return nil
	}
	timer := time.NewTimer(r.cfg.Settle)
	defer timer.Stop()
	select {
	case <-timer.C:
		r.report.Memory.After, err = r.memory(ctx)
	case <-ctx.Done():
	}
	return err
}

func (r *run) finish() {
	f, rep := r.figures, &r.report
	rep.Participants, rep.Joined = f.Joins.Load(), f.Joined.Load()
	rep.Sent, rep.Received = f.SentPackets.Load(), f.ReceivedPackets.Load()
	rep.Lost, rep.Reordered = f.Lost.Load(), f.Reordered.Load()
	rep.Duplicates, rep.Recovered, rep.Padding = f.Duplicates.Load(), f.Recovered.Load(), f.Padding.Load()
	rep.Resent, rep.WriteErrors, rep.KeyframeRequests = f.Resent.Load(), f.WriteErrors.Load(), f.KeyframeRequests.Load()
	rep.AudioLatency, rep.VideoLatency = f.AudioLatency.Summary(), f.VideoLatency.Summary()
	rep.JoinResponse, rep.Connected = f.JoinResponse.Summary(), f.Connected.Summary()
	rep.FirstMedia, rep.FirstAudio, rep.FirstKeyframe = f.FirstMedia.Summary(), f.FirstAudio.Summary(), f.FirstKeyframe.Summary()
	rep.Failures = f.Failures()
}
