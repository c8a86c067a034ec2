package keep

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"aparte/recorder"
	"aparte/recorder/journal"
	"aparte/recorder/seal"
	"aparte/recorder/storage"
	"aparte/sfu/leaktest"
	"aparte/sfu/tap"
)

func TestMain(m *testing.M) {
	if data := os.Getenv(crashData); data != "" {
		os.Exit(crashing(data))
	}
	leaktest.Main(m)
}

var archive = sync.OnceValue(func() []seal.Recipient {
	_, to, err := seal.NewIdentityFile(time.Now())
	if err != nil {
		panic(err)
	}
	return []seal.Recipient{to}
})

// rig is a node that records.
type rig struct {
	t      testing.TB
	data   string
	config recorder.Config
	store  storage.Storage
	faults *faulty // before the store; nil: there is none
	keeper *Keeper
	logged *lockedBuffer
	seq    uint16
	cfg    Config // of the keeper
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

const id = "rec"

func newRig(t testing.TB, data string, store storage.Storage) *rig {
	t.Helper()
	key, err := seal.LoadNodeKey(data, "paris-1")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, data: data, store: store, logged: new(lockedBuffer)}
	r.config = recorder.Config{Dir: filepath.Join(data, "recordings"), Key: key, Recipients: archive(), Spare: 1}
	if err := os.MkdirAll(r.config.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	r.cfg = Config{Dir: r.config.Dir, Key: key.Public(), Now: time.Now, After: time.After, Log: slog.New(slog.NewTextHandler(r.logged, nil))}
	if store != nil {
		r.faults = &faulty{Storage: store}
		r.cfg.Store, r.cfg.Place = r.faults, "s3://records/aparte"
	}
	return r
}

// keep begins a life of the keeper.
func (r *rig) keep() {
	r.keeper = New(r.cfg)
	r.t.Cleanup(r.close)
}

func (r *rig) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := r.keeper.Close(ctx); err != nil {
		r.t.Error(err)
	}
}

// begin begins a part that the keeper follows.
func (r *rig) begin() *recorder.Recording {
	r.t.Helper()
	rec, err := recorder.Start(r.config, recorder.About{ID: id, Room: "room-1", Policy: "sealed", By: "anne"})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := rec.Note(journal.Consent{Identity: "anne", Answer: journal.Given}); err != nil {
		r.t.Fatal(err)
	}
	rec.Begin(tap.Stream{ID: 1, Identity: "anne", Track: "TR_1"})
	r.keeper.Follow(id, rec.Part(), func() int64 { return rec.Stats().Written }, rec.Done())
	return rec
}

// say has so many bytes of media be recorded, synced.
func (r *rig) say(rec *recorder.Recording, size int) {
	r.t.Helper()
	rtp := make([]byte, 1200)
	for ; size > 0; size -= len(rtp) {
		r.seq++
		_, _ = rand.Read(rtp[12:])
		copy(rtp, []byte{0x80, 96, byte(r.seq >> 8), byte(r.seq)})
		rec.Packet(1, time.Now(), rtp)
	}
	if err := rec.Flush(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) stop(rec *recorder.Recording, final bool) {
	r.t.Helper()
	err := rec.Suspend
	if final {
		err = func(ctx context.Context) error { return rec.Stop(ctx, "anne", "") }
	}
	if err := err(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

// file is a part's file.
func (r *rig) file(part uint32) []byte {
	r.t.Helper()
	content, err := os.ReadFile(filepath.Join(r.config.Dir, id, seal.PartName(part)))
	if err != nil {
		r.t.Fatal(err)
	}
	return content
}

func (r *rig) parts() string {
	r.t.Helper()
	all, err := r.keeper.Parts(context.Background(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	var texts []string
	for _, p := range all {
		digest := "-"
		if p.SHA256 != "" {
			digest = "sum"
		}
		texts = append(texts, fmt.Sprint(p.Number, " ", p.Stored, " ", digest))
	}
	return strings.Join(texts, ", ")
}

// joinedObjects is what `cat` of a part's objects is, and how many there are.
func (r *rig) joinedObjects(part uint32) ([]byte, int) {
	r.t.Helper()
	listed, err := r.store.List(context.Background(), folderOf(id, part))
	if err != nil {
		r.t.Fatal(err)
	}
	var all []byte
	n := 0
	for _, o := range listed {
		if !strings.HasSuffix(o.Name, ".tar") {
			continue
		}
		file, err := r.store.Open(context.Background(), o.Name)
		if err != nil {
			r.t.Fatal(err)
		}
		content, err := io.ReadAll(file)
		if err := errors.Join(err, file.Close()); err != nil {
			r.t.Fatal(err)
		}
		all = append(all, content...)
		n++
	}
	return all, n
}

// taken is the recording as an archive takes it from the store, verified.
func (r *rig) taken() []Fetched {
	r.t.Helper()
	dir := filepath.Join(r.t.TempDir(), "taken")
	all, err := Fetch(context.Background(), r.store, id, dir)
	if err != nil {
		r.t.Fatal(err)
	}
	files, err := recorder.OpenFiles(dir)
	if err != nil {
		r.t.Fatal(err)
	}
	defer files.Close()
	report, err := seal.Verify(files.Parts, r.config.Key.Public(), false)
	if err != nil || report.Tampered() {
		r.t.Errorf("what was taken: %+v, %v", report, err)
	}
	return all
}

// faulty is a store with something before it.
type faulty struct {
	storage.Storage
	mu  sync.Mutex
	put func(name string, from io.Reader) (io.Reader, error) // nil: nothing is

	listing  func() // may be nil; set before it is used
	unlisted error  // guarded by mu: why it does not list; nil: it does
	mute     string // guarded by mu: "list" or "open", which it does not answer
	asked    int    // guarded by mu: how often, to list or to open
}

// ask has a question come to no answer, if it is one that has none.
func (f *faulty) ask(ctx context.Context, op string) error {
	f.mu.Lock()
	f.asked++
	mute := f.mute == op
	f.mu.Unlock()
	if !mute {
		return nil
	}
	<-ctx.Done()
	return &storage.Error{Op: op, Name: "x", Kind: storage.ErrUnreachable, Err: ctx.Err()} // as storage.S3 has it
}

func (f *faulty) Open(ctx context.Context, name string) (storage.File, error) {
	if err := f.ask(ctx, "open"); err != nil {
		return nil, err
	}
	return f.Storage.Open(ctx, name)
}

// times is how often it was asked since times was called last, and has it not answer op
// from now on; "": it answers.
func (f *faulty) times(op string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.asked
	f.asked, f.mute = 0, op
	return n
}

func (f *faulty) List(ctx context.Context, below string) ([]storage.Object, error) {
	if f.listing != nil {
		f.listing()
	}
	f.mu.Lock()
	err := f.unlisted
	f.mu.Unlock()
	if err = cmp.Or(f.ask(ctx, "list"), err); err != nil {
		return nil, err
	}
	return f.Storage.List(ctx, below)
}

func (f *faulty) Put(ctx context.Context, name string, from io.Reader, size int64) (storage.Object, error) {
	f.mu.Lock()
	put := f.put
	f.mu.Unlock()
	if put != nil {
		var err error
		if from, err = put(name, from); err != nil {
			return storage.Object{}, err
		}
	}
	return f.Storage.Put(ctx, name, from, size)
}

func (f *faulty) set(put func(string, io.Reader) (io.Reader, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.put = put
}

var errAway = &storage.Error{Op: "put", Name: "x", Kind: storage.ErrUnreachable}

func away(string, io.Reader) (io.Reader, error) { return nil, errAway }

func folder(t testing.TB) *storage.Folder {
	t.Helper()
	s, err := storage.OpenFolder(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// rest lets virtual time pass until nothing moves.
func rest(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// A part comes to the store while it is written, in minutes and in pieces of 8 MiB, and is
// deleted here when all of it is there. What comes after it knows where it ended.
func TestAPartComesThereWhileItIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), folder(t))
		r.keep()
		rec := r.begin()
		r.say(rec, 50_000)
		rest(objectTime - time.Second)
		if _, n := r.joinedObjects(1); n != 0 {
			t.Errorf("%d objects before a minute is over", n)
		}
		rest(lookEvery + time.Second)
		first, n := r.joinedObjects(1)
		if n != 1 || !bytes.Equal(first, r.file(1)[:len(first)]) || int64(len(first)) != rec.Stats().Written {
			t.Errorf("after a minute: %d objects of %d bytes, written %d", n, len(first), rec.Stats().Written)
		}
		if got := r.parts(); got != "1 uploading -" {
			t.Errorf("while it is written: %s", got)
		}
		for range 4 {
			r.say(rec, 3<<20)
		}
		rest(lookEvery)
		if got, n := r.joinedObjects(1); n != 2 || len(got)-len(first) > objectSize || len(got)-len(first) < objectSize/2 {
			t.Errorf("of 12 MiB more: %d objects of %d bytes", n, len(got))
		}
		if s := r.keeper.Stats(); s.Objects != 2 || s.Parts != 1 || s.Behind == 0 || s.Behind > objectTime {
			t.Errorf("stats: %+v", s)
		}
		whole := make(chan []byte, 1)
		r.faults.set(func(name string, from io.Reader) (io.Reader, error) {
			if strings.HasSuffix(name, indexName) {
				whole <- r.file(1) // it is still here
			}
			return from, nil
		})
		r.stop(rec, false)
		rest(time.Second)
		all, n := r.joinedObjects(1)
		want := <-whole
		r.faults.set(nil)
		if !bytes.Equal(all, want) || n != 3 {
			t.Errorf("joined %d objects have %d bytes, the file had %d", n, len(all), len(want))
		}
		if _, err := os.Lstat(filepath.Join(r.config.Dir, id, seal.PartName(1))); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("it is still here: %v", err)
		}
		if got := r.parts(); got != "1 there sum" {
			t.Errorf("when it is there: %s", got)
		}
		if s := r.keeper.Stats(); s.Parts != 0 || s.Behind != 0 || s.Bytes != uint64(len(want)) {
			t.Errorf("stats: %+v", s)
		}
		sum := sha256.Sum256(want)
		if mark, err := recorder.MarkOf(r.config.Dir, id, 1); err != nil || mark.SHA256 != hex.EncodeToString(sum[:]) || mark.Size != int64(len(want)) || mark.Store != "s3://records/aparte" {
			t.Errorf("its mark: %+v, %v", mark, err)
		}

		// Read from there, at any place.
		file, _, err := r.keeper.Open(t.Context(), id, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []int{len(want) - 7, 0, len(first) - 3, len(first) + objectSize - 5} {
			got := make([]byte, 7)
			_, seek := file.Seek(int64(at), io.SeekStart)
			_, read := io.ReadFull(file, got)
			if err := errors.Join(seek, read); err != nil || !bytes.Equal(got, want[at:at+7]) {
				t.Errorf("at %d: %v", at, err)
			}
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			t.Error(err)
		}
		if got, err := io.ReadAll(file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("read: %d bytes, %v", len(got), err)
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}

		// Another part follows, and then none.
		rec = r.begin()
		if rec.Part() != 2 {
			t.Fatalf("part %d follows", rec.Part())
		}
		r.say(rec, 5000)
		r.stop(rec, true)
		rest(time.Second)
		if got := r.parts(); got != "1 there sum, 2 there sum" {
			t.Errorf("at the end: %s", got)
		}
		if _, err := recorder.Start(r.config, recorder.About{ID: id, Room: "room-1"}); !errors.Is(err, recorder.ErrEnded) {
			t.Errorf("it goes on: %v", err)
		}
		if all := r.taken(); len(all) != 2 || !all[0].Whole || !all[1].Whole {
			t.Errorf("taken: %+v", all)
		}
		if _, err := recorder.OpenFiles(filepath.Join(r.config.Dir, id)); !errors.Is(err, recorder.ErrElsewhere) || !strings.Contains(err.Error(), "s3://records/aparte") {
			t.Errorf("what is here is opened: %v", err)
		}
		r.close()
	})
}

// While the store is away capture goes on, the file stays, and the pauses grow; when it
// is back nothing is missing.
func TestTheStoreIsAwayForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), folder(t))
		r.keep()
		rec := r.begin()
		r.say(rec, 5000)
		rest(objectTime + lookEvery)
		var tries []time.Time
		r.faults.set(func(string, io.Reader) (io.Reader, error) {
			tries = append(tries, time.Now())
			return nil, errAway
		})
		for range 20 {
			r.say(rec, 5000)
			rest(10 * time.Second)
		}
		s := r.keeper.Stats()
		if s.Failures != uint64(len(tries)) || !errors.Is(s.Err, storage.ErrUnreachable) || s.Failed.IsZero() || s.Behind < 3*time.Minute || s.Objects != 1 {
			t.Errorf("away: %+v", s)
		}
		if len(tries) < 6 || len(tries) > 12 || tries[1].Sub(tries[0]) != firstPause || tries[len(tries)-1].Sub(tries[len(tries)-2]) > longPause {
			t.Errorf("tried at %v", tries)
		}
		if n := strings.Count(r.logged.String(), "level=ERROR"); n != 1 {
			t.Errorf("%d lines in the log: %s", n, r.logged)
		}
		r.faults.set(nil)
		r.stop(rec, true)
		want := r.file(1)
		rest(longPause + time.Second)
		if all, _ := r.joinedObjects(1); !bytes.Equal(all, want) || r.parts() != "1 there sum" {
			t.Errorf("back: %d of %d bytes are there, %s", len(all), len(want), r.parts())
		}
		if s := r.keeper.Stats(); s.Behind != 0 || !s.Failed.IsZero() || s.Err != nil {
			t.Errorf("back: %+v", s)
		}
		r.taken()
		r.close()
	})
}

// What was on its way when the server stopped goes on when it is back, with what is there
// already looked at again, also what was put and not heard of.
func TestARestartGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), folder(t))
		r.keep()
		rec := r.begin()
		r.say(rec, 20_000)
		rest(objectTime + lookEvery)
		r.faults.set(away)
		r.say(rec, 20_000)
		r.stop(rec, false)
		rest(objectTime)
		r.close()
		want := r.file(1)
		// An object that was put, but whose answer never came.
		before, n := r.joinedObjects(1)
		if n != 1 {
			t.Fatalf("%d objects", n)
		}
		to, err := seal.Cut(bytes.NewReader(want), int64(len(want)), int64(len(before)), 5000)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.store.Put(t.Context(), objectName(id, 1, 2), bytes.NewReader(want[len(before):to]), to-int64(len(before))); err != nil {
			t.Fatal(err)
		}
		r.faults.set(nil)
		r.keep()
		rest(time.Second)
		if all, n := r.joinedObjects(1); !bytes.Equal(all, want) || n != 3 || r.parts() != "1 there sum" {
			t.Errorf("%d objects of %d bytes, want %d: %s", n, len(all), len(want), r.parts())
		}
		// A crash between the mark and the deletion leaves a file that is there already.
		if err := os.WriteFile(filepath.Join(r.config.Dir, id, seal.PartName(1)), want, 0o600); err != nil {
			t.Fatal(err)
		}
		r.close()
		r.keep()
		rest(time.Second)
		if _, err := os.Lstat(filepath.Join(r.config.Dir, id, seal.PartName(1))); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("it is still here: %v", err)
		}
		r.taken()
		r.close()
	})
}

// A part that a crash tore is brought away as it is, to the last byte.
func TestATornPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), folder(t))
		r.keep()
		rec := r.begin()
		r.say(rec, 20_000)
		r.faults.set(away) // so that it is still here
		r.stop(rec, false)
		r.close()
		r.faults.set(nil)
		// As if it had been cut within the last segment.
		whole := r.file(1)
		torn := whole[:bytes.Index(whole, []byte("manifest.age"))-700]
		if err := os.WriteFile(filepath.Join(r.config.Dir, id, seal.PartName(1)), torn, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, o := range slices.Backward(must(r.store.List(t.Context(), id))) {
			if err := r.store.Delete(t.Context(), o.Name); err != nil {
				t.Fatal(err)
			}
		}
		broken := func(when string, want ...bool) {
			t.Helper()
			var got []bool
			for _, p := range must(r.keeper.Parts(t.Context(), id)) {
				got = append(got, p.BrokenOff)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: broken off are %t, want %t", when, got, want)
			}
		}
		r.faults.set(away)
		r.keep()
		rest(time.Second)
		broken("here", true)
		r.faults.set(nil)
		rest(2 * longPause)
		broken("there", true)
		if all, n := r.joinedObjects(1); !bytes.Equal(all, torn) || n != 2 {
			t.Errorf("%d objects of %d bytes, want %d", n, len(all), len(torn))
		}
		rec = r.begin() // and can be followed
		r.stop(rec, true)
		rest(time.Second)
		broken("with another part", true, false)
		lost := filepath.Join(r.config.Dir, id)
		if err := os.Rename(lost, lost+"-moved"); err != nil {
			t.Fatal(err)
		}
		broken("there alone", true, false)
		if err := os.Rename(lost+"-moved", lost); err != nil {
			t.Fatal(err)
		}
		if all := r.taken(); len(all) != 2 {
			t.Errorf("taken: %+v", all)
		}
		r.close()
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A page that lists many recordings of which nothing is known here, as after a restore,
// waits once for a store that does not answer, and not at all for a while after that.
func TestAStoreThatDoesNotAnswerIsAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), folder(t))
		r.keep()
		r.stop(r.begin(), true)
		rest(time.Second)
		known := filepath.Join(r.config.Dir, id)
		if err := os.Rename(known, known+"-lost"); err != nil {
			t.Fatal(err)
		}
		// listed is how long 20 recordings take, and what became of ours.
		listed := func(ctx context.Context) (time.Duration, error) {
			began := time.Now()
			_, ours := r.keeper.Parts(ctx, id)
			for i := range 19 {
				if _, err := r.keeper.Parts(ctx, fmt.Sprintf("other-%d", i)); (err == nil) != (ours == nil) {
					t.Errorf("another one: %v, ours: %v", err, ours)
				}
			}
			return time.Since(began), ours
		}
		is := func(when string, wantAsked int, wantTook time.Duration, want error) {
			t.Helper()
			took, err := listed(t.Context())
			if n := r.faults.times(r.faults.mute); n != wantAsked || took != wantTook || !errors.Is(err, want) {
				t.Errorf("%s: asked %d times in %s, %v; want %d in %s, %v", when, n, took, err, wantAsked, wantTook, want)
			}
		}
		const each = 3 // our part is opened twice: its index, and its end
		r.faults.times("")
		is("it answers", 19+each, 0, nil)
		r.faults.times("list")
		is("silent", 1, listTime, storage.ErrUnreachable)
		is("a moment later", 0, 0, storage.ErrUnreachable)
		rest(silence)
		is("a while later", 1, listTime, storage.ErrUnreachable)
		r.faults.times("")
		rest(silence)
		is("it is back", 19+each, 0, nil)
		r.faults.mu.Lock()
		r.faults.unlisted = errAway
		r.faults.mu.Unlock()
		is("it says that it is away", 1, 0, storage.ErrUnreachable)
		r.faults.mu.Lock()
		r.faults.unlisted = nil
		r.faults.mu.Unlock()

		// Whoever reads one has it asked, and hears for the others.
		if file, _, err := r.keeper.Open(t.Context(), id, 1); err != nil {
			t.Errorf("opened: %v", err)
		} else if err := file.Close(); err != nil {
			t.Error(err)
		}
		r.faults.times("")
		is("it was read from", 19+each, 0, nil)
		r.faults.times("open")
		began := time.Now()
		if _, _, err := r.keeper.Open(t.Context(), id, 1); !errors.Is(err, storage.ErrUnreachable) || time.Since(began) != listTime {
			t.Errorf("opened after %s: %v", time.Since(began), err)
		}
		r.faults.times("")
		is("it could not be read from", 0, 0, storage.ErrUnreachable)
		rest(silence)

		// Who has less time than it may take, or asks much, says nothing about the store.
		short, cancel := context.WithTimeout(t.Context(), listTime-time.Second)
		defer cancel()
		r.faults.times("list")
		if took, err := listed(short); took != listTime-time.Second || !errors.Is(err, context.DeadlineExceeded) || r.faults.times("") != 1 {
			t.Errorf("in a hurry: after %s, %v", took, err)
		}
		is("somebody was in a hurry", 19+each, 0, nil)
		r.faults.times("open")
		if _, err := r.keeper.Parts(t.Context(), id); !errors.Is(err, storage.ErrUnreachable) {
			t.Errorf("too much: %v", err)
		}
		r.faults.times("")
		is("there was much to ask", 19+each, 0, nil)
		if s := r.keeper.Stats(); s.Err != nil || !s.Failed.IsZero() {
			t.Errorf("what is brought there is said to fail: %+v", s)
		}
		r.close()
	})
}

// What is not the same there keeps the file here, and is read by nobody as if it were.
func TestWhatIsDamagedThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "store")
		store, err := storage.OpenFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		r := newRig(t, t.TempDir(), store)
		// On the way: what arrives is something else.
		r.faults.set(func(name string, from io.Reader) (io.Reader, error) {
			content, err := io.ReadAll(from)
			if len(content) > 600 {
				content[600] ^= 1
			}
			return bytes.NewReader(content), err
		})
		r.keep()
		rec := r.begin()
		r.say(rec, 20_000)
		r.stop(rec, true)
		rest(10 * time.Minute)
		want := r.file(1)
		if s := r.keeper.Stats(); !errors.Is(s.Err, storage.ErrDamaged) || s.Behind < 9*time.Minute || r.parts() != "1 uploading -" {
			t.Errorf("%+v, %s", s, r.parts())
		}
		// Deleted there by hand, it is brought again.
		r.faults.set(nil)
		if err := store.Delete(t.Context(), objectName(id, 1, 1)); err != nil {
			t.Fatal(err)
		}
		rest(longPause + time.Second)
		if all, _ := r.joinedObjects(1); !bytes.Equal(all, want) || r.parts() != "1 there sum" {
			t.Errorf("again: %s", r.parts())
		}
		// Later: a bit falls over where it lies.
		path := filepath.Join(dir, objectName(id, 1, 1))
		content := must(os.ReadFile(path))
		content[700] ^= 1
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		file, _, err := r.keeper.Open(t.Context(), id, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(file); !errors.Is(err, storage.ErrDamaged) {
			t.Errorf("read: %v", err)
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}
		into := filepath.Join(t.TempDir(), "taken")
		if _, err := Fetch(t.Context(), store, id, into); !errors.Is(err, storage.ErrDamaged) {
			t.Errorf("taken: %v", err)
		}
		if _, err := os.Lstat(into); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("something is left of it: %v", err)
		}
		r.close()
	})
}

// Deleting takes all of it, at whatever stage, and waits for nothing that is on its way.
func TestDelete(t *testing.T) {
	for _, stage := range []string{"there", "on its way", "waiting", "after a crash", "elsewhere here", "nothing"} {
		t.Run(stage, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, t.TempDir(), folder(t))
				r.keep()
				if stage != "nothing" {
					r.stop(r.begin(), false)
					rest(time.Second)
					rec := r.begin()
					r.say(rec, 30_000)
					rest(objectTime + lookEvery)
					hang := make(chan struct{})
					switch stage {
					case "on its way":
						r.faults.set(func(_ string, from io.Reader) (io.Reader, error) {
							return readerFunc(func(p []byte) (int, error) { <-hang; return from.Read(p) }), nil
						})
					case "waiting":
						r.faults.set(away)
					}
					r.stop(rec, true)
					rest(3 * time.Second)
					time.AfterFunc(time.Second, func() { close(hang) })
					switch stage {
					case "after a crash": // of another deletion
						if err := r.store.Delete(t.Context(), folderOf(id, 2)+"/"+indexName); err != nil {
							t.Fatal(err)
						}
						if _, err := recorder.Purge(t.Context(), filepath.Join(r.config.Dir, id), false); err != nil {
							t.Fatal(err)
						}
						if got := r.parts(); got != "1 there sum, 2 there -" {
							t.Errorf("left: %s", got)
						}
					case "elsewhere here":
						r.cfg.Store, r.cfg.Place = nil, ""
						r.close()
						r.keep()
						if err := r.keeper.Delete(t.Context(), id); !errors.Is(err, recorder.ErrElsewhere) || !strings.Contains(err.Error(), "recordings.store") {
							t.Errorf("deleted: %v", err)
						}
						if _, _, err := r.keeper.Open(t.Context(), id, 1); !errors.Is(err, recorder.ErrElsewhere) {
							t.Errorf("opened: %v", err)
						}
						r.cfg.Store, r.cfg.Place = r.faults, "s3://records/aparte"
						r.close()
						r.keep()
					}
				}
				err := r.keeper.Delete(t.Context(), id)
				if stage == "waiting" { // the store has just not answered
					if !errors.Is(err, storage.ErrUnreachable) {
						t.Errorf("deleted: %v", err)
					}
					r.faults.set(nil)
					rest(silence)
					err = r.keeper.Delete(t.Context(), id)
				}
				if err != nil {
					t.Errorf("deleted: %v", err)
				}
				rest(2 * time.Minute)
				if left := must(r.store.List(t.Context(), "")); len(left) != 0 {
					t.Errorf("left in the store: %v", left)
				}
				if left := must(os.ReadDir(r.config.Dir)); slices.ContainsFunc(left, func(e os.DirEntry) bool { return e.Name() != deletedFolder }) {
					t.Errorf("left here: %v", left)
				}
				if _, _, err := r.keeper.Open(t.Context(), id, 1); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("opened: %v", err)
				}
				if err := r.keeper.Delete(t.Context(), id); err != nil {
					t.Errorf("deleted again: %v", err)
				}
				r.close()
			})
		})
	}
}

// Two who delete the same do so one after the other: each would take the other for whoever
// writes it, and have what is deleted brought away again.
func TestDeletionsComeOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), folder(t))
		r.keep()
		r.stop(r.begin(), true)
		rest(time.Second)
		var under, most atomic.Int32
		r.faults.listing = func() {
			most.Store(max(most.Load(), under.Add(1)))
			time.Sleep(time.Second)
			under.Add(-1)
		}
		gone := make(chan error, 3)
		for range 2 {
			go func() { gone <- r.keeper.Delete(t.Context(), id) }()
		}
		short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		synctest.Wait()
		if err := r.keeper.Delete(short, id); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who cannot wait is answered %v", err)
		}
		if err := errors.Join(<-gone, <-gone); err != nil {
			t.Error(err)
		}
		if n := most.Load(); n != 1 {
			t.Errorf("%d deleted it at the same time", n)
		}
		r.close()
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// What is being written is deleted by nobody, and goes on being brought away.
func TestWhatIsWrittenIsNotDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), folder(t))
		r.keep()
		rec := r.begin()
		if err := r.keeper.Delete(t.Context(), id); !errors.Is(err, recorder.ErrInUse) {
			t.Errorf("deleted: %v", err)
		}
		r.say(rec, 5000)
		r.stop(rec, true)
		rest(time.Second)
		if got := r.parts(); got != "1 there sum" {
			t.Error(got)
		}
		r.close()
	})
}

// Without a store parts stay, and their checksums are made once they are closed.
func TestWithoutAStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), nil)
		r.keep()
		rec := r.begin()
		r.say(rec, 5000)
		rest(time.Hour)
		if got := r.parts(); got != "1 here -" {
			t.Errorf("while it is written: %s", got)
		}
		r.stop(rec, false)
		rest(time.Second)
		sum := sha256.Sum256(r.file(1))
		if all := must(r.keeper.Parts(t.Context(), id)); len(all) != 1 || all[0].SHA256 != hex.EncodeToString(sum[:]) || all[0].Stored != Here {
			t.Errorf("closed: %+v", all)
		}
		if s := r.keeper.Stats(); s != (Stats{}) {
			t.Errorf("stats: %+v", s)
		}
		// From a life that knew no sums.
		if err := os.Remove(filepath.Join(r.config.Dir, id, "part-0001.json")); err != nil {
			t.Fatal(err)
		}
		r.close()
		r.keep()
		rest(time.Second)
		if got := r.parts(); got != "1 here sum" {
			t.Errorf("another life: %s", got)
		}
		// Where there is a store from now on, they go there.
		r.close()
		r.store = folder(t)
		r.faults = &faulty{Storage: r.store}
		r.cfg.Store, r.cfg.Place = r.faults, "s3://records/aparte"
		r.keep()
		rest(time.Second)
		if got := r.parts(); got != "1 there sum" {
			t.Errorf("with a store: %s", got)
		}
		r.close()
	})
}

// Closing waits for nothing that hangs longer than it is told.
func TestCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), folder(t))
		hang := make(chan struct{})
		r.faults.set(func(string, io.Reader) (io.Reader, error) {
			<-hang
			return nil, errAway
		})
		r.keeper = New(r.cfg)
		rec := r.begin()
		r.stop(rec, true)
		rest(time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		began := time.Now()
		if err := r.keeper.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 2*time.Second {
			t.Errorf("closed after %s: %v", time.Since(began), err)
		}
		close(hang)
		synctest.Wait()
		r.keeper.Follow("late", 1, nil, nil)
	})
}

func TestIndexesAreNotBelieved(t *testing.T) {
	good := Index{Type: typeIndex, Recording: id, Part: 1, Size: 3, Objects: []Object{{Name: "00000001.tar", Size: 1}, {Name: "00000002.tar", Size: 2}}}
	if err := good.check(id, 1); err != nil {
		t.Error(err)
	}
	for name, but := range map[string]func(*Index){
		"type":     func(x *Index) { x.Type = "" },
		"other":    func(x *Index) { x.Recording = "other" },
		"part":     func(x *Index) { x.Part = 2 },
		"size":     func(x *Index) { x.Size = 4 },
		"name":     func(x *Index) { x.Objects[1].Name = "../00000002.tar" },
		"order":    func(x *Index) { slices.Reverse(x.Objects) },
		"negative": func(x *Index) { x.Objects[0].Size = -1 },
		"overflow": func(x *Index) { x.Objects[0].Size, x.Objects[1].Size, x.Size = 1<<62, 1<<62+1<<61, -1 },
	} {
		x := good
		x.Objects = slices.Clone(good.Objects)
		but(&x)
		if x.check(id, 1) == nil {
			t.Errorf("%s is believed", name)
		}
	}
	for name, want := range map[string]bool{
		"rec/part-0001/00000001.tar": true, "rec/part-0001/index.json": true, "rec/part-1/00000001.tar": false, "rec/part-0001/1.tar": false,
		"rec/part-0001/00000000.tar": false, "rec/part-0000/00000001.tar": false, "rec/x/part-0001/00000001.tar": false, "rec/part-0001/other": false,
	} {
		if _, _, is := partOf(name); is != want {
			t.Errorf("%s: %t", name, is)
		}
	}
}

func TestJoinedReadsAsOne(t *testing.T) {
	store := folder(t)
	content := make([]byte, 1000)
	_, _ = rand.Read(content)
	var objects []Object
	for i, cut := range [][2]int{{0, 1}, {1, 1}, {1, 500}, {500, 999}, {999, 1000}} {
		piece := content[cut[0]:cut[1]]
		o := must(store.Put(t.Context(), objectName(id, 1, i+1), bytes.NewReader(piece), int64(len(piece))))
		objects = append(objects, Object{Name: filepath.Base(o.Name), Size: o.Size, SHA256: o.SHA256})
	}
	j := newJoined(t.Context(), store, folderOf(id, 1), objects)
	if err := iotest.TestReader(j, content); err != nil {
		t.Error(err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

// An index that somebody made up of nothing but empty objects does not fill the memory.
func TestAnIndexOfNothing(t *testing.T) {
	for _, empty := range []string{"{}", "null", `{"name":"x"}`} {
		store := folder(t)
		text := fmt.Sprintf(`{"type":%q,"recording":%q,"part":1,"objects":[%s%s]}`, typeIndex, id, strings.Repeat(empty+",", maxIndex/4/(len(empty)+1)), empty)
		name := folderOf(id, 1) + "/" + indexName
		if _, err := store.Put(t.Context(), name, strings.NewReader(text), int64(len(text))); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := readIndex(t.Context(), store, id, 1)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; err == nil || !strings.Contains(err.Error(), "no name of an object") || took > 6*uint64(len(text)) {
			t.Errorf("%s: %d bytes of memory for %d, %v", empty, took, len(text), err)
		}
	}
}
