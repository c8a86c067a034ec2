package meeting

import (
	"context"
	"errors"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/recording"
	"aparte/signaling/role"
)

// Films of recordings, which their hosts watch where the server holds a key to them.

// maxUnmadeFilms is how many films that wait are counted.
const maxUnmadeFilms = 1000

// KeptFilm is a film that was made, or will be.
type KeptFilm struct {
	recording.Film
	Ahead int           // how many are made before it, while it waits
	Left  time.Duration // how long it still takes; 0: nobody can tell
}

// film is that of a recording; nil: there is and will be none.
func (m *Meetings) film(ctx context.Context, r recording.Recording) (*KeptFilm, error) {
	if !r.Watchable {
		return nil, nil
	}
	f, err := m.cfg.Store.Film(ctx, r.ID)
	if errors.Is(err, recording.ErrNone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v := &KeptFilm{Film: f}
	v.Left, _ = f.Left(m.cfg.now())
	if f.State == recording.FilmQueued {
		unmade, err := m.cfg.Store.UnmadeFilms(ctx, maxUnmadeFilms)
		if err != nil {
			return nil, err
		}
		v.Ahead = recording.Ahead(f, unmade)
	}
	return v, nil
}

type mayWatch struct{ byReader }

func (mayWatch) command() role.Command { return role.WatchRecording }

func (a mayWatch) do(l *live, _ time.Time) (any, error) { return a.access(l), nil }

// watched is told before the first byte of it goes, once in a sitting.
type watched struct {
	mayWatch
	recording string
}

func (a watched) do(l *live, _ time.Time) (any, error) {
	l.note(audit.Did(audit.RecordingWatched).On(audit.OfRecording, a.recording))
	return struct{}{}, nil
}

// WatchedFilm is a file of a film on its way to a host.
type WatchedFilm struct {
	recording.OpenedFilm
	Film recording.Film
	Of   recording.Recording
}

// MayWatch says whether somebody may watch a recording now, and finds it. Refused with
// recording.ErrNone, also once the recording's time is over, or recording.ErrNotTheirs.
func (m *Meetings) MayWatch(ctx context.Context, by Agent, id, which string) (recording.Recording, error) {
	e, _, err := m.mayWatch(ctx, by, id, which)
	return e.Recording, err
}

func (m *Meetings) mayWatch(ctx context.Context, by Agent, id, which string) (recording.Entry, mayWatch, error) {
	var may mayWatch
	e, err := m.mayRead(ctx, by, id, which, recording.ToWatch, func(b byReader) act {
		may = mayWatch{b}
		return may
	})
	return e, may, err
}

// FilmUse is what somebody asks for a film for.
type FilmUse int

// The uses. The audit trail has each time that one was saved, and each sitting in which one
// was watched; whoever looks at it gets nothing of what is in it.
const (
	FilmWatched FilmUse = iota
	FilmSaved
	FilmLookedAt
)

// WatchRecording opens a file of a recording's film. The audit trail has who did when it
// returns. Whoever gets it closes it. Refused as by
// MayWatch, or with recording.ErrNoKey or recording.ErrStoreAway.
func (m *Meetings) WatchRecording(ctx context.Context, by Agent, id, which string, file recording.FilmFile, use FilmUse) (WatchedFilm, error) {
	e, may, err := m.mayWatch(ctx, by, id, which)
	if err != nil {
		return WatchedFilm{}, err
	}
	f, opened, err := m.openFilm(ctx, which, file)
	if err != nil {
		return WatchedFilm{}, err
	}
	switch use {
	case FilmSaved:
		_, err = m.ask(ctx, id, downloaded{mayDownload(may), recording.Download{Recording: which, What: recording.TheSavedFilm, Extent: recording.Whole}})
	case FilmWatched:
		err = m.sittings.Watch(ctx, by.Account, which, m.cfg.now(), func() error {
			_, err := m.ask(ctx, id, watched{may, which})
			return err
		})
	case FilmLookedAt:
	}
	if err != nil {
		return WatchedFilm{}, errors.Join(err, opened.Close())
	}
	return WatchedFilm{opened, f, e.Recording}, nil
}

// openFilm opens a file of the film that is there.
func (m *Meetings) openFilm(ctx context.Context, which string, file recording.FilmFile) (f recording.Film, opened recording.OpenedFilm, err error) {
	for take := 0; ; take = f.Made.Take {
		if f, err = m.cfg.Store.Film(ctx, which); err != nil {
			return f, opened, err
		}
		if f.Made.Take == take || file == recording.FilmCaptions && !f.Made.Captions {
			return f, opened, recording.ErrNone
		}
		// Gone between the two, another is in its place.
		if opened, err = m.cfg.Kept.OpenFilm(ctx, which, f.Made.Take, file); !errors.Is(err, recording.ErrNone) {
			return f, opened, err
		}
	}
}

// filmAgain has a film made that failed. It is for hosts: with whom a recording is shared
// gets what there is, and has nothing done on the server.
type filmAgain struct {
	mayWatch
	film recording.Film
}

func (a filmAgain) as(l *live, now time.Time) (role.Role, error) { return a.byAgent.as(l, now) }

func (a filmAgain) do(l *live, now time.Time) (any, error) {
	f, err := a.film.Again(now)
	if err != nil {
		return nil, err
	}
	l.queueAgain(f)
	return struct{}{}, nil
}

// queueAgain has a film made again, or in another way.
func (l *live) queueAgain(f recording.Film) {
	l.note(audit.Did(audit.RecordingFilmAgain).On(audit.OfRecording, f.Recording).With("layout", string(f.Choice.Layout)).With("format", string(f.Choice.Format)))
	l.changes.FilmsAgain = append(l.changes.FilmsAgain, f)
}

// FilmAgain has the film of a recording made again that failed, for a host. Refused as by
// MayWatch, or with recording.ErrState.
func (m *Meetings) FilmAgain(ctx context.Context, by Agent, id, which string) (KeptFilm, error) {
	e, may, err := m.mayWatch(ctx, by, id, which)
	if err != nil {
		return KeptFilm{}, err
	}
	return m.changeFilm(ctx, e.Recording, func(f recording.Film) act { return filmAgain{may, f} })
}

type mayCompose struct{ byReader }

func (mayCompose) command() role.Command { return role.ChooseRecordingFilm }

func (a mayCompose) do(l *live, _ time.Time) (any, error) { return a.access(l), nil }

// chooseFilm has a film made in another layout or format.
type chooseFilm struct {
	mayCompose
	film   recording.Film
	choice recording.FilmChoice
}

func (a chooseFilm) do(l *live, now time.Time) (any, error) {
	f, changed, err := a.film.Choose(a.choice, now)
	if err != nil {
		return nil, err
	}
	if changed {
		l.queueAgain(f)
	}
	return struct{}{}, nil
}

// ChooseFilm has the film of a recording made in another layout or format, in place of the
// one that is there, which stays until then; of what is, or will be, as chosen nothing
// comes. Refused as by MayWatch to all but hosts, or with recording.ErrState while one of
// another kind is made.
func (m *Meetings) ChooseFilm(ctx context.Context, by Agent, id, which string, c recording.FilmChoice) (KeptFilm, error) {
	var may mayCompose
	e, err := m.mayRead(ctx, by, id, which, recording.ToCompose, func(b byReader) act {
		may = mayCompose{b}
		return may
	})
	if err != nil {
		return KeptFilm{}, err
	}
	return m.changeFilm(ctx, e.Recording, func(f recording.Film) act { return chooseFilm{may, f, c} })
}

// changeFilm asks for a change of a film, and says how it stands then.
func (m *Meetings) changeFilm(ctx context.Context, r recording.Recording, change func(recording.Film) act) (KeptFilm, error) {
	f, err := m.cfg.Store.Film(ctx, r.ID)
	if err != nil {
		return KeptFilm{}, err
	}
	if _, err := m.ask(ctx, r.Meeting, change(f)); err != nil {
		return KeptFilm{}, err
	}
	v, err := m.film(ctx, r)
	if err == nil && v == nil {
		err = recording.ErrNone
	}
	if err != nil {
		return KeptFilm{}, err
	}
	return *v, nil
}
