package keep

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"aparte/recorder"
	"aparte/recorder/seal"
	"aparte/recorder/storage"
)

// Config is what a Keeper needs.
type Config struct {
	// Dir is where recordings are written: <data>/recordings.
	Dir string
	// Key verifies this node's parts; zero: it has never recorded.
	Key seal.PublicKey
	// Store is where parts go; nil: they stay. Place is what it is called in their marks.
	Store storage.Storage
	Place string
	// Lock is how its objects are locked; nil: they are not.
	Lock  *Locking
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
	Log   *slog.Logger
}

// atOnce is how many objects are on their way at the same time: each is 8 MiB in memory.
const atOnce = 2

// silence is for how long after it did not answer a store is not asked for what can wait.
const silence = 30 * time.Second

// How long a store may take while somebody waits. What a deletion leaves goes with the next.
const (
	listTime   = 10 * time.Second
	deleteTime = 2 * time.Minute
)

// Keeper keeps the parts of recordings. Its methods may be called from any goroutine.
type Keeper struct {
	cfg    Config
	ctx    context.Context // over when it is closed
	cancel context.CancelFunc
	turns  chan struct{}

	mu    sync.Mutex // guards what follows
	jobs  map[key]*job
	gone  map[string]chan struct{} // recordings that are being deleted; closed when that is over
	late  map[string]chan struct{} // recordings that were deleted, while the store is looked at again; closed when that is over
	stats Stats
	over  bool
	// Why and when the store did not answer last; nil: it has answered since.
	unanswered   error
	unansweredAt time.Time
}

// Stats says how it goes with the store.
type Stats struct {
	Objects, Bytes uint64 // brought there
	Failures       uint64 // tries that failed
	// Behind is for how long the oldest that has been written is not there; 0: all is.
	Behind time.Duration
	Parts  int // on their way
	// Failed is since when nothing has come there, and Err why; zero: the last try went well.
	Failed time.Time
	Err    error
}

// New makes a keeper, and goes on with what an earlier life of this server left. It must
// be closed.
func New(cfg Config) *Keeper {
	k := &Keeper{cfg: cfg, turns: make(chan struct{}, atOnce), jobs: make(map[key]*job), gone: make(map[string]chan struct{}), late: make(map[string]chan struct{})}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	ids, err := os.ReadDir(cfg.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		cfg.Log.Error("look for recordings", "dir", cfg.Dir, "err", err)
	}
	for _, id := range ids {
		k.adopt(id.Name())
	}
	if cfg.Store != nil {
		k.adoptDeletions()
	}
	return k
}

// adopt goes on with the parts of a recording that nobody writes.
func (k *Keeper) adopt(id string) {
	parts, err := recorder.Parts(k.cfg.Dir, id)
	if err != nil {
		return // of no recording, or of none any more
	}
	for _, p := range parts {
		if p.Here && (p.Mark == nil || k.cfg.Store != nil) {
			since := k.cfg.Now()
			if info, err := os.Stat(filepath.Join(k.cfg.Dir, id, seal.PartName(p.Number))); err == nil {
				since = info.ModTime()
			}
			k.begin(key{id, p.Number}, nil, nil, since)
		}
	}
}

// Follow keeps a part that is being written, until done is closed. Written says how many
// bytes of it would survive a power failure; they end behind a member.
func (k *Keeper) Follow(id string, part uint32, written func() int64, done <-chan struct{}) {
	k.begin(key{id, part}, written, done, k.cfg.Now())
}

func (k *Keeper) begin(of key, written func() int64, done <-chan struct{}, since time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over || k.gone[of.id] != nil || k.jobs[of] != nil {
		return
	}
	ctx, stop := context.WithCancel(k.ctx)
	j := &job{Keeper: k, key: of, written: written, done: done, stop: stop, ended: make(chan struct{}), covered: since, behind: done == nil}
	k.jobs[of] = j
	go func() {
		defer close(j.ended)
		defer stop()
		j.run(ctx)
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.jobs, of)
	}()
}

// Close ends it. What is on its way goes on the next time. It waits for no longer than ctx.
func (k *Keeper) Close(ctx context.Context) error {
	k.mu.Lock()
	k.over = true
	var all []*job
	for _, j := range k.jobs {
		all = append(all, j)
	}
	looks := maps.Clone(k.late)
	k.mu.Unlock()
	k.cancel()
	err := wait(ctx, all)
	for id, ended := range looks {
		select {
		case <-ended:
		case <-ctx.Done():
			return errors.Join(err, fmt.Errorf("recording %s is still looked for: %w", id, ctx.Err()))
		}
	}
	return err
}

func wait(ctx context.Context, all []*job) error {
	for _, j := range all {
		select {
		case <-j.ended:
		case <-ctx.Done():
			return fmt.Errorf("%s is still on its way: %w", j.key, ctx.Err())
		}
	}
	return nil
}

// Stats says how it goes.
func (k *Keeper) Stats() Stats {
	now := k.cfg.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.stats
	if k.cfg.Store == nil {
		return Stats{}
	}
	for _, j := range k.jobs {
		s.Parts++
		if j.behind {
			s.Behind = max(s.Behind, now.Sub(j.covered))
		}
	}
	return s
}

// told notes how much of a part is not there yet; all: it is closed, and its index is not
// there either.
func (j *job) told(waiting int64, all bool, now time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.behind = waiting > 0 || all; !j.behind {
		j.covered = now
	}
}

// brought notes an object that is there.
func (k *Keeper) brought(n int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stats.Objects++
	k.stats.Bytes += uint64(n) //nolint:gosec // a size
	k.stats.Failed, k.stats.Err = time.Time{}, nil
	k.unanswered = nil
}

// failed notes what failed, and logs it if it is another failure than before.
func (k *Keeper) failed(j *job, err error) {
	k.noteFailure(err)
	k.mu.Lock()
	j.behind = true
	news := j.said != err.Error()
	j.said = err.Error()
	k.mu.Unlock()
	if news {
		k.cfg.Log.Error("keep recording", "recording", j.id, "part", j.part, "err", err)
	}
}

// noteFailure notes that the store did not do what it should.
func (k *Keeper) noteFailure(err error) {
	k.heard(err)
	now := k.cfg.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stats.Failures++
	if k.stats.Failed.IsZero() {
		k.stats.Failed = now
	}
	k.stats.Err = err
}

// heard notes whether the store answered, by what became of a question: where it did not,
// nobody else need wait for it for a while. Stats tell of what is brought there alone.
func (k *Keeper) heard(err error) {
	if !errors.Is(err, storage.ErrUnreachable) {
		err = nil
	}
	now := k.cfg.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.unanswered, k.unansweredAt = err, now
}

// silent is why the store is not asked now for what can wait; nil: it is.
func (k *Keeper) silent() error {
	now := k.cfg.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if now.Sub(k.unansweredAt) < silence {
		return k.unanswered
	}
	return nil
}

// Look asks the store something, so that it is seen whether it answers, and whether it
// locks where it should; nil where there is none.
func (k *Keeper) Look(ctx context.Context) error {
	if k.cfg.Store == nil {
		return nil
	}
	if _, err := k.cfg.Store.List(ctx, "aparte-check"); err != nil || k.cfg.Lock == nil || !k.cfg.Lock.Must {
		return err
	}
	return k.cfg.Lock.Store.Locks(ctx)
}

// State is where a part lies.
type State string

// The states. Uploading lies here, and is on its way.
const (
	Here      State = "here"
	Uploading State = "uploading"
	There     State = "there"
)

// Part is a part that is kept.
type Part struct {
	Number uint32
	Bytes  int64
	SHA256 string // "": not known yet
	Stored State
	// BrokenOff: it has no closing, as also while it is written.
	BrokenOff bool
}

// Parts lists what there is of a recording, in order; nothing is no error. The store is
// asked only where nothing is known here, for listTime at most, and not for a while after
// it did not answer: whoever asks for one recording after the other waits once.
func (k *Keeper) Parts(ctx context.Context, id string) ([]Part, error) {
	known, err := recorder.Parts(k.cfg.Dir, id)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	if len(known) == 0 && k.cfg.Store != nil {
		return k.partsThere(ctx, id)
	}
	all := make([]Part, len(known))
	for i, p := range known {
		all[i] = Part{Number: p.Number, Bytes: p.Bytes, Stored: Here, BrokenOff: p.BrokenOff}
		switch {
		case !p.Here:
			all[i].Stored = There
		case k.cfg.Store != nil:
			all[i].Stored = Uploading
		}
		if p.Mark != nil {
			all[i].SHA256 = p.Mark.SHA256
		}
	}
	return all, nil
}

// partsThere are those of a recording of which this machine knows nothing any more.
func (k *Keeper) partsThere(ctx context.Context, id string) ([]Part, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := k.silent(); err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	there, err := partsAt(within, k.cfg.Store, id)
	if ctx.Err() == nil { // else who asks gave it less time than it may take
		k.heard(err)
	}
	if err != nil {
		return nil, err
	}
	all := make([]Part, len(there))
	for i, f := range there {
		if all[i], err = k.partThere(within, id, f); err != nil {
			if within.Err() == nil { // else it has answered, and there was much to ask
				k.heard(err)
			}
			return nil, err
		}
	}
	return all, nil
}

// partThere is one of them, by what it consists of.
func (k *Keeper) partThere(ctx context.Context, id string, f found) (Part, error) {
	p := Part{Number: f.part, Bytes: f.size, Stored: There, BrokenOff: !f.index}
	if !f.index {
		return p, nil
	}
	index, err := readIndex(ctx, k.cfg.Store, id, f.part)
	if err != nil {
		return p, err
	}
	p.SHA256 = index.SHA256
	closed, err := seal.Closed(seal.Source{Name: folderOf(id, f.part), Size: index.Size, ReaderAt: readerAt{ctx, k.cfg.Store, folderOf(id, f.part), index.Objects}})
	p.BrokenOff = !closed
	return p, err
}

// Open opens a part to be read, wherever it lies; fs.ErrNotExist: there is none. Whoever
// has it closes it. What was read whole of an object of a store is what was put there, or
// storage.ErrDamaged. Who waits for it has the store asked, however silent it was a moment
// ago: it may answer who reads while it takes nothing.
func (k *Keeper) Open(ctx context.Context, id string, part uint32) (io.ReadSeekCloser, time.Time, error) {
	file, err := recorder.OpenPart(k.cfg.Dir, id, part)
	if err == nil {
		info, err := file.Stat()
		if err != nil {
			return nil, time.Time{}, errors.Join(err, file.Close())
		}
		return file, info.ModTime(), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, time.Time{}, err
	}
	mark, err := recorder.MarkOf(k.cfg.Dir, id, part)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, time.Time{}, err
	case err == nil && mark.Store != "" && mark.Store != k.cfg.Place:
		return nil, time.Time{}, fmt.Errorf("part %d of recording %s: %w, in %s: name that as recordings.store", part, id, recorder.ErrElsewhere, mark.Store)
	case k.cfg.Store == nil:
		return nil, time.Time{}, fs.ErrNotExist
	}
	within, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	index, err := readIndex(within, k.cfg.Store, id, part)
	if ctx.Err() == nil {
		k.heard(err)
	}
	if errors.Is(err, storage.ErrNone) {
		err = fmt.Errorf("part %d of recording %s: %w", part, id, fs.ErrNotExist)
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	return newJoined(ctx, k.cfg.Store, folderOf(id, part), index.Objects), mark.Modified, nil
}

// Delete deletes all that there is of a recording, here and in the store; nothing is no
// error. What one that failed leaves is deleted by the next, and what comes to the store
// afterwards, as it was on its way there, when that is looked at again (late.go).
func (k *Keeper) Delete(ctx context.Context, id string) error {
	over, err := k.alone(ctx, id)
	if err != nil {
		return err
	}
	stopped, err := k.delete(ctx, id)
	over()
	if errors.Is(err, recorder.ErrInUse) {
		k.again(stopped)
	}
	return err
}

// alone begins a deletion, once no other of the recording is under way: two would take
// each other for whoever writes it, and go on bringing away what is deleted. Until over
// nothing of it is brought away.
func (k *Keeper) alone(ctx context.Context, id string) (over func(), err error) {
	mine := make(chan struct{})
	for {
		k.mu.Lock()
		other, is := k.gone[id]
		if !is {
			k.gone[id] = mine
		}
		k.mu.Unlock()
		if !is {
			break
		}
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.gone, id)
		close(mine)
	}, nil
}

// delete is Delete, and says what it stopped bringing away.
func (k *Keeper) delete(ctx context.Context, id string) (stopped []*job, err error) {
	if err := k.elsewhere(id); err != nil {
		return nil, err
	}
	if stopped, err = k.forget(ctx, id); err != nil {
		return stopped, err
	}
	if err := k.purge(ctx, id); err != nil || k.cfg.Store == nil {
		return stopped, err
	}
	if err := k.silent(); err != nil {
		return nil, err
	}
	if err := k.remember(id, deletion{k.cfg.Place, k.cfg.Now(), 0}); err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, deleteTime)
	defer cancel()
	if err := remove(within, k.cfg.Store, id); err != nil {
		k.noteFailure(err)
		return nil, err
	}
	k.watch(id)
	return nil, nil
}

// forget stops what is on its way of a recording.
func (k *Keeper) forget(ctx context.Context, id string) ([]*job, error) {
	k.mu.Lock()
	var all []*job
	for _, j := range k.jobs {
		if j.id == id {
			all = append(all, j)
		}
	}
	k.mu.Unlock()
	for _, j := range all {
		j.stop()
	}
	return all, wait(ctx, all)
}

// again goes on with what was stopped.
func (k *Keeper) again(stopped []*job) {
	for _, j := range stopped {
		k.begin(j.key, j.written, j.done, j.covered)
	}
}

// purge deletes what is here.
func (k *Keeper) purge(ctx context.Context, id string) error {
	folder := filepath.Join(k.cfg.Dir, id)
	done, err := recorder.Purge(ctx, folder, true) // whoever deletes knows of holds
	if errors.Is(err, recorder.ErrNoRecording) {   // of a deletion that was broken off the folder is left
		err = os.Remove(folder)
	}
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(folder); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	if err == nil && len(done.Left) > 0 {
		err = fmt.Errorf("its folder holds what is of no recording: %q", done.Left)
	}
	return err
}
