package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"aparte/recorder"
	"aparte/recorder/compose"
	"aparte/recorder/compose/render"
	"aparte/recorder/seal"
	"aparte/recorder/storage"
	"aparte/signaling/recording"
	"aparte/signaling/store"
)

// Films of the recordings that hosts may watch here, one after the other. What is to be
// made stands in the database, and its rules in signaling/recording; what makes it is a
// process of its own (filmwork.go).

const (
	// filmsEvery is how often is looked for films that wait.
	filmsEvery = 2 * time.Second
	// programEvery is how often is looked whether there is a program now, while there is none,
	// and for films at all on a server without a key.
	programEvery = time.Minute
	// roomEvery is how often is looked whether the disk has room for others.
	roomEvery = 2 * time.Second
	// workTimes is how many times the size of a recording what is made on the way takes.
	workTimes = 3
	// progressEvery is how often it is stored how far a film is.
	progressEvery = time.Second
	// maxUnmade is how many films that wait are looked at.
	maxUnmade = 1000
)

// errForgotten ends a film whose recording is deleted.
var errForgotten = errors.New("the recording is deleted")

// films makes films, and opens those that are made.
type films struct {
	// Set at creation.
	store   *store.Store
	kept    *kept
	key     serverKey
	work    string // folder: what is in it is not encrypted, while something is made
	threads int
	ffmpeg  string
	self    string // path of this program
	log     *slog.Logger
	// room is how much a disk has left, in bytes, looked at so often.
	room      func(folder string) (int64, error)
	roomEvery time.Duration

	format recording.FilmFormat // of films where no host chooses

	swept time.Time // owned by run: when it was last looked for what films have left
	said  string    // owned by run: why that failed last, so that it is logged once

	mu      sync.Mutex
	making  *making                       // guarded by mu; nil: none
	can     map[recording.FilmFormat]bool // guarded by mu; what can be made here
	looked  time.Time                     // guarded by mu; when that was found; zero: not yet
	started func(pid int)                 // tests look at the process; may be nil; set before run
}

// making is the film that is being made.
type making struct {
	id     string
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when nothing of it is being written any more
}

func newFilms(c *Config, s *store.Store, k *kept, log *slog.Logger) (*films, error) {
	self := confiner()
	if self == "" {
		var err error
		if self, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	work := c.Recordings.FilmFolder
	if work == "" {
		work = filepath.Join(c.DataDir, "films")
	}
	return &films{store: s, kept: k, key: k.filmKey, work: work, format: c.film().Format, threads: c.Recordings.FilmThreads, ffmpeg: c.Recordings.FFmpeg, self: self, log: log, room: recorder.Room, roomEvery: roomEvery}, nil
}

// run makes films until ctx ends, and then leaves the one that is being made to the next start.
func (f *films) run(ctx context.Context) {
	f.tidy(ctx)
	every := filmsEvery
	if !f.key.is() {
		every = programEvery // no film is asked for, and what waits of an earlier life can wait
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for ctx.Err() == nil {
		if time.Since(f.swept) >= programEvery {
			f.swept = time.Now()
			f.deleteLeft(ctx, time.Now())
		}
		if !f.next(ctx) {
			select {
			case <-ctx.Done():
			case <-ticker.C:
			}
		}
	}
}

// deleteLeft deletes what films have left where they are kept, as often as is due: in whose
// place others are, what attempts that failed had brought there already, and what comes
// there after that. Nothing is being made meanwhile.
func (f *films) deleteLeft(ctx context.Context, now time.Time) {
	all, err := f.store.LeavingFilms(ctx, maxUnmade)
	for _, one := range all {
		if !one.LookDue(now) {
			continue
		}
		failed := f.kept.deleteFilms(ctx, one.Recording, func(take int) bool { return take != one.Made.Take })
		for failed == nil && one.LookDue(now) { // of several that were missed one is as good
			one = one.Looked()
		}
		if failed == nil {
			failed = f.store.FilmLooked(ctx, one)
		}
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("recording %s: %w", one.Recording, failed))
		}
		if errors.Is(failed, storage.ErrUnreachable) || ctx.Err() != nil {
			break
		}
	}
	said := ""
	if err != nil {
		said = err.Error()
	}
	if said != f.said && said != "" && ctx.Err() == nil {
		f.log.ErrorContext(ctx, "delete what films have left", "err", err)
	}
	f.said = said
}

// tidy deletes what is left of films that are not made any more. What is half made of
// others is used again.
func (f *films) tidy(ctx context.Context) {
	entries, err := os.ReadDir(f.work)
	if err != nil || len(entries) == 0 {
		return
	}
	unmade, err := f.store.UnmadeFilms(ctx, maxUnmade)
	if err != nil {
		f.log.ErrorContext(ctx, "look for films to be made", "err", err)
		return
	}
	waits := make(map[string]bool)
	for _, one := range unmade {
		waits[one.Recording] = true
	}
	for _, entry := range entries {
		if id, ours := strings.CutPrefix(entry.Name(), madeOf); ours && !waits[id] {
			f.clear(id)
		}
	}
}

// madeOf begins the name of the folder in which a film is made. What else is in the folder
// of films, which the operator names, is somebody else's.
const madeOf = "film-of-"

// folder is where a film is made.
func (f *films) folder(id string) string { return filepath.Join(f.work, madeOf+id) }

// clear deletes what was made of a film on the way.
func (f *films) clear(id string) {
	if err := os.RemoveAll(f.folder(id)); err != nil {
		f.log.Error("delete what was made of a film on the way, which is not encrypted", "recording", id, "err", err)
	}
}

// next makes the film that is next; false: there is none.
func (f *films) next(ctx context.Context) bool {
	all, err := f.store.UnmadeFilms(ctx, maxUnmade)
	if err != nil {
		f.log.ErrorContext(ctx, "look for films to be made", "err", err)
		return false
	}
	if len(all) == 0 && !f.key.is() {
		return false
	}
	wanted := []recording.FilmFormat{f.format} // also before anything waits: operators read it
	for _, one := range all {
		wanted = append(wanted, one.Choice.Format)
	}
	can := f.possible(ctx, wanted...)
	if ctx.Err() != nil {
		return false
	}
	for i, one := range all {
		changed := one.Interrupt(time.Now()).Possible(can[one.Choice.Format], time.Now()) // what runs is none of ours
		if changed != one {
			if err := f.save(ctx, changed); err != nil {
				return false
			}
			all[i] = changed
		}
	}
	one, is := recording.NextFilm(all)
	if !is || ctx.Err() != nil {
		return false
	}
	f.make(ctx, one)
	return true
}

func (f *films) save(ctx context.Context, one recording.Film) error {
	err := f.store.SaveFilm(context.WithoutCancel(ctx), one)
	if err != nil && !errors.Is(err, recording.ErrNone) {
		f.log.ErrorContext(ctx, "store how far a film is", "recording", one.Recording, "err", err)
	}
	return err
}

// possible tells what there is a program for that composes. It looks again for what is
// wanted and cannot be made.
func (f *films) possible(ctx context.Context, wanted ...recording.FilmFormat) map[recording.FilmFormat]bool {
	f.mu.Lock()
	can, looked := f.can, f.looked
	f.mu.Unlock()
	lacks := slices.ContainsFunc(wanted, func(format recording.FilmFormat) bool { return !can[format] })
	if !looked.IsZero() && (!lacks || time.Since(looked) < programEvery) {
		return can
	}
	can = make(map[recording.FilmFormat]bool)
	tool, err := render.Find(ctx, f.ffmpeg, confiner())
	if ctx.Err() != nil {
		return can
	}
	if err != nil {
		f.log.WarnContext(ctx, "no films of recordings can be made", "err", err)
	} else {
		for _, format := range recording.FilmFormats() {
			err := tool.Check(render.Format(format))
			can[format] = err == nil
			if err != nil && slices.Contains(wanted, format) {
				f.log.WarnContext(ctx, "films of a format cannot be made", "format", format, "err", err)
			}
		}
		for _, lack := range tool.Lacks {
			f.log.WarnContext(ctx, "ffmpeg is not kept apart as it could be", "lack", lack)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.can, f.looked = can, time.Now()
	return can
}

// make makes a film, and stores what became of it.
func (f *films) make(ctx context.Context, one recording.Film) {
	// It is told first: a deletion that does not find it here was stored before, so that
	// this is not.
	ctx, cancel := context.WithCancelCause(ctx)
	now := &making{id: one.Recording, cancel: cancel, done: make(chan struct{})}
	f.mu.Lock()
	f.making = now
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.making = nil
		f.mu.Unlock()
		cancel(nil)
		close(now.done)
	}()
	one, err := one.Begin(time.Now())
	if err != nil || f.save(ctx, one) != nil || one.State != recording.FilmRunning {
		return
	}
	// From here on nobody chooses anything else.
	begun, err := f.store.Film(ctx, one.Recording)
	if err != nil {
		if !errors.Is(err, recording.ErrNone) { // it is deleted
			f.log.ErrorContext(ctx, "look how a film is to be made", "recording", one.Recording, "err", err)
		}
		return
	}
	if one.Choice = begun.Choice; one.There() {
		_ = f.save(ctx, one.Unneeded(time.Now()))
		return
	}
	began := time.Now()
	f.log.InfoContext(ctx, "compose film", "recording", one.Recording, "layout", one.Choice.Layout, "format", one.Choice.Format)
	made, reason, err := f.compose(ctx, &one, cancel)
	cause := context.Cause(ctx)
	full := errors.Is(cause, recorder.ErrLowDisk)
	if full && err != nil {
		err, reason = cause, recording.FilmNoRoom
	}
	switch {
	case errors.Is(cause, errForgotten):
		f.clear(one.Recording)
		return
	case cause != nil && !full: // the server stops: the next goes on
		_ = f.save(ctx, one.Interrupt(time.Now()))
		return
	case err != nil:
		one = one.Fail(reason, time.Now())
		f.log.ErrorContext(ctx, "compose film", "recording", one.Recording, "attempts", one.Attempts, "state", one.State, "err", err)
		if reason == recording.FilmNoProgram {
			f.mu.Lock()
			f.looked = time.Time{} // it is gone
			f.mu.Unlock()
		}
	default:
		one = one.Finish(recording.FilmMade{Type: made.Type, Length: made.Length, Bytes: made.Bytes, Captions: made.Captions}, time.Now())
		f.log.InfoContext(ctx, "composed film", "recording", one.Recording, "length", made.Length, "took", time.Since(began))
	}
	f.clear(one.Recording)
	err = f.save(ctx, one)
	switch {
	case errors.Is(err, recording.ErrNone):
		err = f.kept.deleteFilms(context.WithoutCancel(ctx), one.Recording, anyTake)
		if err != nil {
			f.log.ErrorContext(ctx, "delete film of a recording that was deleted", "recording", one.Recording, "err", err)
		}
	case err == nil:
		f.deleteLeft(context.WithoutCancel(ctx), time.Now())
	}
}

// compose has a process make the film, and keeps what it made beside the recording.
func (f *films) compose(ctx context.Context, one *recording.Film, cancel context.CancelCauseFunc) (*filmMade, recording.FilmReason, error) {
	if !f.key.is() {
		return nil, recording.FilmNoKey, recording.ErrNoKey
	}
	nodeKey, err := json.Marshal(f.kept.key.Public()) // with those that it signed with before
	if err != nil {
		return nil, recording.FilmError, err
	}
	folder := f.folder(one.Recording)
	order := filmOrder{
		Recording: one.Recording, Parts: filepath.Join(folder, workParts), Work: folder, Sealed: filepath.Join(folder, workSealed),
		NodeKey: string(nodeKey), Language: filmLanguage(one.Language),
		Layout: compose.Layout(one.Choice.Layout), Format: render.Format(one.Choice.Format), FFmpeg: f.ffmpeg, Threads: f.threads,
		Spent: one.Spent,
	}
	err = errors.Join(freeFolder(f.work), freeFolder(folder), freeFolder(order.Parts))
	if err == nil {
		defer f.leaveRoom(ctx, cancel)()
		err = f.fetch(ctx, one.Recording, folder, order.Parts)
	}
	if err == nil {
		order.Identity, err = f.identity(one.Recording, order.Parts)
	}
	if err != nil {
		return nil, filmReason(err), err
	}
	stored := time.Time{}
	made, reason, err := f.child(ctx, order, func(n filmNews) {
		stage := one.Stage
		*one = one.Reached(n.Stage, n.Progress, n.Spent, time.Now())
		if one.Stage != stage || time.Since(stored) >= progressEvery {
			stored = time.Now()
			if err := f.save(ctx, *one); errors.Is(err, recording.ErrNone) {
				cancel(errForgotten)
			}
		}
	})
	if err != nil {
		return nil, reason, err
	}
	if err := f.keep(ctx, *one, order.Sealed); err != nil {
		return nil, filmReason(err), err
	}
	return made, "", nil
}

// identity is the key that opens the parts of a recording in a folder.
func (f *films) identity(id, parts string) (string, error) {
	to, err := recipientsOf(parts)
	if err != nil {
		return "", err
	}
	return f.kept.keys.opening(id, to)
}

// enough tells whether a disk has so many bytes, and what others need besides: low disk
// costs a film, never a meeting.
func (f *films) enough(folder string, need int64) error {
	left, err := f.room(folder)
	if err == nil && left-need < recorder.Spare {
		err = fmt.Errorf("%w in %s: %d bytes are left, of which a film may take %d", recorder.ErrLowDisk, folder, left, max(left-recorder.Spare, 0))
	}
	return err
}

// leaveRoom ends the making of a film while there is still room for others. What it returns
// ends the looking.
func (f *films) leaveRoom(ctx context.Context, cancel context.CancelCauseFunc) (stop func()) {
	ctx, over := context.WithCancel(ctx)
	var looking sync.WaitGroup
	looking.Go(func() {
		ticker := time.NewTicker(f.roomEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if err := f.enough(f.work, 0); err != nil {
				cancel(err)
				return
			}
		}
	})
	return func() {
		over()
		looking.Wait()
	}
}

// bytesIn is how much lies in a folder, in bytes.
func bytesIn(folder string) (n int64, err error) {
	err = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	return n, err
}

// fetch copies the parts of a recording, sealed as they are, to where they are opened, if
// there is room for what is made of them.
func (f *films) fetch(ctx context.Context, id, work, folder string) error {
	parts, err := f.kept.Parts(ctx, id)
	if err != nil {
		return err
	}
	if len(parts) == 0 {
		return recording.ErrNone
	}
	there, err := bytesIn(work) // of an attempt that was interrupted
	if err != nil {
		return err
	}
	need := -there
	for _, p := range parts {
		need += workTimes * p.Bytes
	}
	if err := f.enough(f.work, max(need, 0)); err != nil {
		return err
	}
	for _, p := range parts {
		name := filepath.Join(folder, seal.PartName(uint32(p.Number))) //nolint:gosec // it is one of those there are
		if info, err := os.Stat(name); err == nil && info.Size() == p.Bytes {
			continue
		}
		from, err := f.kept.OpenPart(ctx, id, p.Number)
		if err != nil {
			return err
		}
		to, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = io.Copy(to, contextReader{ctx, from})
			err = errors.Join(err, to.Close())
		}
		if err := errors.Join(err, from.Close()); err != nil {
			return err
		}
	}
	return nil
}

// contextReader is a reader that ends with its context.
type contextReader struct {
	ctx context.Context //nolint:containedctx // for as long as one reading
	io.Reader
}

func (r contextReader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(b)
}

// keep keeps what was made beside the one that is there, if there is one, and in place of
// what may be left of another attempt. Beside each file lies the node's note of which
// recording it is.
func (f *films) keep(ctx context.Context, one recording.Film, folder string) error {
	if err := f.kept.deleteFilms(ctx, one.Recording, func(take int) bool { return take == one.NextTake() }); err != nil {
		return err
	}
	if f.kept.place == "" { // it stays on the disk of the data
		size, err := bytesIn(folder)
		if err == nil {
			err = f.enough(f.kept.dir, size)
		}
		if err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := f.keepFile(ctx, one.Recording, one.NextTake(), recording.FilmFile(entry.Name()), filepath.Join(folder, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

func (f *films) keepFile(ctx context.Context, id string, take int, which recording.FilmFile, path string) error {
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return err
	}
	note, err := seal.SignFile(from, id, string(which), f.kept.key)
	if err != nil {
		return err
	}
	if err := f.kept.putFilm(ctx, id, filmNote(id, take, which), bytes.NewReader(note), int64(len(note))); err != nil {
		return err
	}
	return f.kept.putFilm(ctx, id, filmObject(id, take, which), from, info.Size())
}

// putFilm keeps an object of a film where new ones are kept.
func (k *kept) putFilm(ctx context.Context, id, name string, from io.Reader, size int64) (err error) {
	if k.place == "" {
		_, err = k.objects[0].Put(ctx, name, from, size)
	} else {
		_, err = k.keeper.Made(ctx, id, name, from, size)
	}
	return err
}

// child runs the process and hears what it tells.
func (f *films) child(ctx context.Context, order filmOrder, told func(filmNews)) (*filmMade, recording.FilmReason, error) {
	type answer struct {
		made   *filmMade
		reason recording.FilmReason
		err    error
	}
	done := make(chan answer, 1)
	go func() {
		// A thread of its own, which ends with this goroutine: what is started inherits its
		// priority, and is killed when it ends, as it does when we are killed.
		runtime.LockOSThread()
		made, reason, err := f.childHere(ctx, order, told)
		done <- answer{made, reason, err}
	}()
	a := <-done
	return a.made, a.reason, a.err
}

func (f *films) childHere(ctx context.Context, order filmOrder, told func(filmNews)) (made *filmMade, reason recording.FilmReason, err error) {
	line, err := json.Marshal(order)
	if err != nil {
		return nil, recording.FilmError, err
	}
	cmd := exec.CommandContext(ctx, f.self, "record", "film")
	cmd.Dir = order.Work
	// What it needs to find ffmpeg, and no more of the machine than ffmpeg may have.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + order.Work, "GOMAXPROCS=" + strconv.Itoa(f.threads), "GOMEMLIMIT=1GiB"}
	cmd.WaitDelay = 5 * time.Second
	var said lastWords
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, recording.FilmError, err
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = startApart(cmd)
	}
	if err != nil {
		return nil, filmReason(err), fmt.Errorf("start what composes: %w", err)
	}
	if f.started != nil {
		f.started(cmd.Process.Pid)
	}
	_, writeErr := in.Write(append(line, '\n'))
	lines := bufio.NewScanner(out)
	reason = recording.FilmError
	for lines.Scan() {
		var n filmNews
		if json.Unmarshal(lines.Bytes(), &n) != nil {
			continue
		}
		switch {
		case n.Made != nil:
			made = n.Made
		case n.Failed != "":
			reason = n.Failed
		case n.Stage != "":
			told(n)
		}
	}
	err = errors.Join(cmd.Wait(), in.Close()) // it lives for as long as its input is open
	if made != nil {
		return made, "", nil
	}
	if ctx.Err() != nil {
		return nil, reason, ctx.Err()
	}
	return nil, reason, fmt.Errorf("%w: %s", errors.Join(err, writeErr, errors.New("nothing was made")), said.text())
}

// lastWords keeps the end of what a process complains about.
type lastWords struct{ b []byte }

const lastWordsMost = 2 << 10

func (w *lastWords) Write(b []byte) (int, error) {
	w.b = append(w.b, b...)
	w.b = w.b[max(0, len(w.b)-lastWordsMost):]
	return len(b), nil
}

func (w *lastWords) text() string { return strings.Join(strings.Fields(string(w.b)), " ") }

// forget ends the making of a film whose recording is deleted, and deletes what was made.
func (f *films) forget(ctx context.Context, id string) error {
	f.mu.Lock()
	now := f.making
	f.mu.Unlock()
	if now != nil && now.id == id {
		now.cancel(errForgotten)
		select {
		case <-now.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return os.RemoveAll(f.folder(id))
}

// available tells whether films can be made, or nobody has looked yet.
func (f *films) available() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.looked.IsZero() || f.can[f.format]
}

// filmObject is the name under which a file of a film is kept: that of the first take has
// no number.
func filmObject(id string, take int, which recording.FilmFile) string {
	name := id + "/" + recorder.FilmFolder + "/" + string(which)
	if take > 1 {
		name += "-" + strconv.Itoa(take)
	}
	return name + ".age"
}

// filmNote is the name under which the node's note of it is.
func filmNote(id string, take int, which recording.FilmFile) string {
	return strings.TrimSuffix(filmObject(id, take, which), ".age") + ".note"
}

var filmName = regexp.MustCompile(`/(?:film|captions|chapters)(?:-([1-9][0-9]{0,8}))?\.(?:age|note)$`)

// takeOf is which take of a film an object is of, by its name; 0: of none.
func takeOf(name string) int {
	match := filmName.FindStringSubmatch(name)
	switch {
	case match == nil:
		return 0
	case match[1] == "":
		return 1
	}
	take, _ := strconv.Atoi(match[1]) // nine digits
	return take
}

func anyTake(int) bool { return true }

// deleteFilms deletes what was made of a recording to be watched, of those takes that are
// doomed; 0 is what lies there and is of none.
func (k *kept) deleteFilms(ctx context.Context, id string, doomed func(take int) bool) error {
	for _, place := range k.objects {
		all, err := place.List(ctx, id+"/"+recorder.FilmFolder)
		if err != nil {
			return err
		}
		for _, object := range all {
			if !doomed(takeOf(object.Name)) {
				continue
			}
			if err := place.Delete(ctx, object.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// OpenFilm implements recording.Kept.
func (k *kept) OpenFilm(ctx context.Context, id string, take int, which recording.FilmFile) (recording.OpenedFilm, error) {
	if !k.filmKey.is() {
		return recording.OpenedFilm{}, recording.ErrNoKey
	}
	sealed, err := k.openObject(ctx, filmObject(id, take, which))
	switch {
	case errors.Is(err, storage.ErrNone):
		return recording.OpenedFilm{}, recording.ErrNone
	case err != nil:
		return recording.OpenedFilm{}, ofStore(err)
	}
	// Whoever may write where films are kept could have this key open anything there as one.
	note, err := k.readNote(ctx, filmNote(id, take, which))
	if err == nil {
		err = seal.VerifyFile(sealed, note, id, string(which), k.key.Public())
	}
	if err != nil {
		return recording.OpenedFilm{}, errors.Join(ofStore(fmt.Errorf("film of recording %s: %w", id, err)), sealed.Close())
	}
	with, err := k.keys.identities(id)
	var plain *io.SectionReader
	if err == nil {
		plain, err = seal.OpenFileAt(sealed, sealed.Object().Size, with)
	}
	if err != nil {
		if errors.Is(err, seal.ErrNotForUs) {
			err = errors.Join(recording.ErrNoKey, err)
		}
		return recording.OpenedFilm{}, errors.Join(ofStore(err), sealed.Close())
	}
	return recording.OpenedFilm{ReadSeekCloser: openedFilm{plain, sealed}, Bytes: plain.Size()}, nil
}

// maxNote is more than a note has.
const maxNote = 4 << 10

// readNote is a note as it is kept; nil: there is none.
func (k *kept) readNote(ctx context.Context, name string) ([]byte, error) {
	file, err := k.openObject(ctx, name)
	if errors.Is(err, storage.ErrNone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	note, err := io.ReadAll(io.LimitReader(file, maxNote))
	return note, errors.Join(err, file.Close())
}

// openObject opens an object wherever it lies: a store may have been named since it was put.
func (k *kept) openObject(ctx context.Context, name string) (storage.File, error) {
	for _, place := range k.objects {
		if file, err := place.Open(ctx, name); !errors.Is(err, storage.ErrNone) {
			return file, err
		}
	}
	return nil, storage.ErrNone
}

// openedFilm is read in the clear, and closes what it is read from.
type openedFilm struct {
	*io.SectionReader
	io.Closer
}
