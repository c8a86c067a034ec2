package render

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"aparte/recorder/compose"
	"aparte/recorder/export"
)

// Config is what to make a film of, and how.
type Config struct {
	Tool     *Tool
	Index    *export.Index
	Media    string // the folder of the export
	Work     string // folder for what is made on the way; it stays when that fails
	Dir      string // folder for the film, which is there
	Layout   compose.Layout
	Language compose.Language
	Format   Format
	Threads  int            // of each job
	CPU      time.Duration  // that all of it may use of processors; 0: in proportion to its length
	Spent    time.Duration  // of that, by runs for the same film that were interrupted, and before this call
	Progress func(Progress) // is told now and then, at least each second while a program runs; one call at a time
}

// Progress is how far a film is.
type Progress struct {
	Stage        string // "sound", "pictures", "film"
	Done, Of     time.Duration
	Made, Reused int // steps until now, and how many of them were there already
	// Spent is what it has used of processors, with Config's: of this process and of the
	// programs, those included that are not over.
	Spent time.Duration
}

// Result is what was made.
type Result struct {
	Plan         *compose.Plan
	Film         string   // in Dir
	Captions     string   // in Dir; "" where it is not known that anybody spoke or wrote
	Made, Reused int      // steps
	Spoiled      []string // what is missing of files that could not be decoded, and why
	Measured     bool     // who speaks is measured: the recording has nothing of it
}

// The names of what is made.
const (
	filmName     = "meeting"
	captionsName = "meeting.vtt"
)

// ErrTooCostly says that a film would take more of the machine than one of its length is
// worth: somebody made the recording so.
var ErrTooCostly = errors.New("it takes too much work to compose")

// What a film may use of processors: so much for each second of the recording, some twenty
// times what four people take, and so much besides.
const (
	cpuEach = 10
	cpuFilm = cpuLeast
)

// renderer is a film that is being made.
type renderer struct {
	tool     *Tool
	media    string
	work     work
	encoding encoding
	threads  int
	cpu      time.Duration // that any step may use
	cpuAll   time.Duration // and all of them, with what was used before
	began    time.Time
	ownBegan time.Duration // what this process had used when it began

	digests map[string]string
	broken  []string

	mu       sync.Mutex // guards what follows: a job tells how far it is, and what it uses
	progress func(Progress)
	state    Progress
	cpuUsed  time.Duration // before this run, and by programs that are over
	cpuNow   time.Duration // by the one that runs
}

// Compose makes the film. What it has made of it when it fails, or is interrupted, stays
// in the work folder, and is not made again by another call for the same.
func Compose(ctx context.Context, cfg Config) (*Result, error) {
	e, err := cfg.Tool.encoding(cfg.Format, max(cfg.Threads, 1))
	if err != nil {
		return nil, err
	}
	for _, f := range cfg.Index.Files {
		// The index may be anybody's.
		if !filepath.IsLocal(f.Name) || filepath.Base(f.Name) != f.Name {
			return nil, fmt.Errorf("index: %q is no name of a file beside it", f.Name)
		}
	}
	media, err := filepath.Abs(cfg.Media)
	if err != nil {
		return nil, err
	}
	w, err := openWork(cfg.Work)
	if err != nil {
		return nil, err
	}
	r := &renderer{
		tool: cfg.Tool, media: media, work: w, encoding: e, threads: max(cfg.Threads, 1), began: cfg.Index.Began, ownBegan: OwnCPU(), cpuUsed: cfg.Spent,
		cpu: 4*time.Duration(cfg.Index.Duration*float64(time.Second)) + cpuLeast, progress: cfg.Progress, digests: map[string]string{},
	}
	if r.cpuAll = cfg.CPU; r.cpuAll == 0 {
		r.cpuAll = cpuEach*time.Duration(cfg.Index.Duration*float64(time.Second)) + cpuFilm
	}
	if r.progress == nil {
		r.progress = func(Progress) {}
	}
	plan, loud, measured, err := r.plan(ctx, cfg)
	if err != nil {
		return nil, err
	}
	mix, err := r.mix(ctx, plan, loud)
	if err != nil {
		return nil, fmt.Errorf("mix the sound: %w", err)
	}
	if mix == "" && plan.AudioOnly {
		return nil, compose.ErrNothing
	}
	filter := ""
	if mix != "" {
		if filter, err = r.normalize(ctx, mix); err != nil {
			return nil, err
		}
	}
	var pictures []string
	if !plan.AudioOnly {
		r.stage("pictures", plan.Length)
		if pictures, err = r.pictures(ctx, plan); err != nil {
			return nil, err
		}
	}
	r.stage("film", plan.Length)
	film, err := r.join(ctx, plan, pictures, mix, filter)
	if err != nil {
		return nil, err
	}
	result := &Result{Plan: plan, Film: filmName + filepath.Ext(film), Made: r.state.Made, Reused: r.state.Reused, Spoiled: r.broken, Measured: measured}
	if len(plan.Speech)+len(plan.Messages) > 0 {
		result.Captions = captionsName
		if err := os.WriteFile(filepath.Join(cfg.Dir, captionsName), []byte(plan.WebVTT()), 0o600); err != nil {
			return nil, err
		}
	}
	return result, move(w.path(film), filepath.Join(cfg.Dir, result.Film))
}

// plan plans the film, with who speaks when as the recording tells it, or as it is heard.
func (r *renderer) plan(ctx context.Context, cfg Config) (*compose.Plan, []compose.Loudness, bool, error) {
	planned := compose.Config{Layout: cfg.Layout, Language: cfg.Language, GoOn: func() error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return r.affordable()
	}}
	index, err := r.playable(ctx, cfg.Index)
	if err != nil {
		return nil, nil, false, err
	}
	plan, err := compose.New(index, planned)
	if err != nil {
		return nil, nil, false, err
	}
	r.stage("sound", plan.Length)
	told := slices.ContainsFunc(index.Events, func(e export.Event) bool { return e.Kind == "speaking" })
	loud, err := r.measure(ctx, plan.Sounds, !told)
	if err != nil {
		return nil, nil, false, fmt.Errorf("measure the sound: %w", err)
	}
	if len(loud) == 0 || told {
		return plan, loud, false, nil
	}
	heard := *index
	heard.Events = slices.Concat(heard.Events, compose.Heard(loud))
	plan, err = compose.New(&heard, planned)
	return plan, loud, true, err
}

// spoiled notes that something of a file could not be decoded.
func (r *renderer) spoiled(file string, err error) {
	r.broken = append(r.broken, fmt.Sprintf("%s: %v", file, err))
}

// step makes a file of the work folder, if it is not there: do writes it under the name
// that it is given.
func (r *renderer) step(name, key string, do func(part string) error) error {
	have, err := r.work.have(name, key)
	if err != nil {
		return err
	}
	if r.stepped(have); have {
		return nil
	}
	if err := do(partial(name)); err != nil {
		return err
	}
	return r.work.keep(name, key)
}

// stepped counts a step, which was there already or is to be made.
func (r *renderer) stepped(have bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.Made++
	if have {
		r.state.Reused++
	}
}

// used is what the film has used of processors.
func (r *renderer) used() time.Duration {
	own := OwnCPU() - r.ownBegan
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cpuUsed + r.cpuNow + own
}

// affordable is ErrTooCostly once what there was for the film is used up.
func (r *renderer) affordable() error {
	if used := r.used(); used >= r.cpuAll {
		return fmt.Errorf("%w: %v of a processor were used, and it is not done", ErrTooCostly, used.Round(time.Second/10))
	}
	return nil
}

// run runs a job that may read the media, within what is left of the film's time of
// processors: ErrTooCostly when that is used up.
func (r *renderer) run(ctx context.Context, j job) error {
	if err := r.affordable(); err != nil {
		return err
	}
	j.dir, j.sees = r.work.dir, []string{r.media}
	left := (r.cpuAll - r.used() + time.Second - 1).Truncate(time.Second)
	j.cpu = min(r.cpu, left+time.Second) // whole seconds are counted: whoever is ended has used what was left
	j.uses = func(d time.Duration) {
		r.mu.Lock()
		r.cpuNow = d
		r.mu.Unlock()
		r.tell(func(*Progress) {})
	}
	err := r.tool.run(ctx, j)
	r.mu.Lock()
	r.cpuUsed, r.cpuNow = r.cpuUsed+r.cpuNow, 0
	r.mu.Unlock()
	if err != nil && ctx.Err() == nil { // was it ended for that?
		return cmp.Or(r.affordable(), err)
	}
	return err
}

// tell changes how far it is, and tells it.
func (r *renderer) tell(change func(*Progress)) {
	used := r.used()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.Spent = used
	change(&r.state)
	r.progress(r.state)
}

// quiet is what every job is told first.
func quiet() []string { return []string{"-nostdin", "-hide_banner", "-v", "error", "-y"} }

// progressing runs a job and tells how far it is, for a stretch of the film of that length.
func (r *renderer) progressing(ctx context.Context, args []string, length time.Duration) error {
	from := r.state.Done // only changed by whoever runs jobs
	args = slices.Concat(quiet(), []string{"-nostats", "-progress", "pipe:1", "-stats_period", "1", "-filter_complex_threads", strconv.Itoa(r.threads)}, args)
	return r.run(ctx, job{args: args, read: func(line string) error {
		if text, ok := strings.CutPrefix(line, "out_time_us="); ok && length > 0 {
			if us, err := strconv.ParseInt(text, 10, 64); err == nil && us > 0 {
				r.reached(from + min(time.Duration(us)*time.Microsecond, length))
			}
		}
		return nil
	}})
}

func (r *renderer) stage(name string, length time.Duration) {
	r.tell(func(now *Progress) { now.Stage, now.Done, now.Of = name, 0, length })
}

func (r *renderer) reached(at time.Duration) {
	r.tell(func(now *Progress) { now.Done = at })
}

// inputName is a file of the export, as ffmpeg is told.
func (r *renderer) inputName(file string) string { return "file:" + filepath.Join(r.media, file) }

// hostile is what ffmpeg is told of media that a stranger sent: open nothing but files and
// decode no picture of more than 8K.
func hostile(threads int) []string {
	return []string{"-protocol_whitelist", "file,pipe", "-max_pixels", "35389440", "-threads", strconv.Itoa(threads)}
}

// input are the arguments for a file of the export: all are Matroska, and nothing that
// only looks like something else is tried.
func (r *renderer) input(file string, threads int) []string {
	return append(hostile(threads), "-f", "matroska", "-i", r.inputName(file))
}

// digest is that of a file of the export.
func (r *renderer) digest(file string) (string, error) {
	if sum, known := r.digests[file]; known {
		return sum, nil
	}
	sum, err := digest(filepath.Join(r.media, file))
	r.digests[file] = sum
	return sum, err
}

// move moves a file, to another disk if need be.
func move(from, to string) error {
	if err := os.Chmod(from, 0o600); err != nil {
		return err
	}
	if err := os.Rename(from, to); !errors.Is(err, syscall.EXDEV) {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	return os.Remove(from)
}
