package store

import (
	"context"
	"database/sql"
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
	"syscall"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"aparte/sfu/leaktest"
	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/login"
	"aparte/signaling/meeting"
	"aparte/signaling/post"
	"aparte/signaling/profile"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(fullDir); dir != "" {
		fullChild(dir)
	}
	leaktest.Main(m)
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

var start = time.Date(2027, 3, 2, 9, 0, 0, 0, time.UTC)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

var dakar = post.Post{ID: "dakar", Name: "Dakar", TimeZone: "Africa/Dakar", Languages: []string{"fr", "wo"}, CreatedAt: start}

func addHost(ctx context.Context, s *Store) (login.Account, error) {
	if err := s.AddPost(ctx, dakar, ""); err != nil {
		return login.Account{}, err
	}
	a := login.Account{
		ID: "account", Name: "Anne", Email: "anne@aparte.example", Admin: true, CreatedAt: start,
		Posts: post.Memberships{{Post: dakar, Role: post.Administrator}},
	}
	return a, s.AddAccount(ctx, a, login.Code{Hash: [32]byte{1}, Account: a.ID, CreatedAt: start, ExpiresAt: start.Add(time.Hour)})
}

func TestMeetingComesBackAsItWasSaved(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	a, err := addHost(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	m := meeting.Meeting{
		ID: "m", Post: dakar.ID, Title: "Coopération", State: meeting.Open, Acting: map[string]bool{a.ID: true}, Organiser: meeting.Person{Account: a.ID, Name: a.Name}, Profile: profile.Standard, ProfileVersion: 1,
		StartsAt: start.Add(time.Hour), CreatedAt: start, OpenedAt: start.Add(time.Minute),
		Locked: true, Forbidden: meeting.Rights{Speak: true, Share: true, React: true},
	}
	l := link.Link{
		ID: "l", Meeting: "m", Kind: link.Personal, Label: "MNE", GuestName: "Inês", Organisation: "MNE", Uses: 1,
		ValidFrom: start, ExpiresAt: start.Add(time.Hour), CreatedAt: start, CreatedBy: a.ID, CodeHash: link.CodeHash{9, 8}, Unbound: true, Session: "s",
		Key: "print", PINHash: link.PINHash{6}, Language: "pt-BR", OpenedAt: start.Add(time.Minute), Issue: 3, IssuedAt: start.Add(time.Second),
	}
	session := lobby.Session{
		ID: "s", Meeting: "m", Link: "l", TokenHash: [32]byte{7}, CreatedAt: start, ExpiresAt: start.Add(lobby.SessionLife),
		Issue: 3, PublicKey: link.PublicKey{4, 1, 2}, PINPassed: true,
	}
	knock := lobby.Knock{
		ID: "k", Meeting: "m", Session: "s", Link: "l", Status: lobby.Admitted, Place: 4, Name: "Inês", Organisation: "MNE", Since: start,
		DecidedAt: start.Add(time.Second), DecidedBy: a.ID, DecidedByName: a.Name, Message: "", Admission: "g", Identity: "p_x",
		Permissions: lobby.Permissions{Speak: true, Share: true}, BannedAt: start.Add(2 * time.Second), SentBackAt: start.Add(3 * time.Second),
	}
	words := []lobby.Message{
		{Knock: "k", Seq: 2, ByHost: true, By: a.ID, ByName: a.Name, Text: "Deux minutes", At: start.Add(time.Second)},
		{Knock: "k", Seq: 3, ByName: "Inês", Text: "Merci", At: start.Add(2 * time.Second)},
	}
	seat := meeting.Seat{ID: "seat", Meeting: "m", Account: a.ID, Session: "as", Identity: "p_h", CreatedAt: start}
	err = s.SaveMeeting(t.Context(), meeting.Changes{
		Meeting: &m, Seats: []meeting.Seat{seat},
		Lobby: lobby.Changes{Links: []link.Link{l}, Sessions: []lobby.Session{session}, Knocks: []lobby.Knock{knock}, Messages: words},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	got, err := s.LoadMeeting(t.Context(), "m")
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got.Meeting) != fmt.Sprint(m) || got.Lobby.Links[0] != l || got.Lobby.Sessions[0] != session || got.Lobby.Knocks[0] != knock || !slices.Equal(got.Lobby.Messages, words) || got.Seats[0] != seat {
		t.Errorf("came back as %+v", got)
	}
	if found, err := s.GuestLink(t.Context(), "l"); err != nil || found != l {
		t.Errorf("link %+v, %v", found, err)
	}
	if found, err := s.LobbySession(t.Context(), [32]byte{7}); err != nil || found != session {
		t.Errorf("session %+v, %v", found, err)
	}
	if ids, err := s.SeatedIn(t.Context(), "as"); err != nil || len(ids) != 1 || ids[0] != "m" {
		t.Errorf("seated in %v, %v", ids, err)
	}
	if all, err := s.MeetingsOf(t.Context(), a.ID, ""); err != nil || len(all) != 1 || all[0].Title != m.Title || all[0].Waiting != 0 {
		t.Errorf("meetings %+v, %v", all, err)
	}
	for what, err := range map[string]error{
		"meeting": second(s.LoadMeeting(t.Context(), "x")), "link": second(s.GuestLink(t.Context(), "x")), "session": second(s.LobbySession(t.Context(), [32]byte{})),
	} {
		if !errors.Is(err, meeting.ErrNotFound) && !errors.Is(err, link.ErrUnknown) && !errors.Is(err, lobby.ErrNoSession) {
			t.Errorf("unknown %s: %v", what, err)
		}
	}
}

// A session goes with its knock, also when both were changed in the same step.
func TestWhatIsDroppedIsGone(t *testing.T) {
	s := open(t, t.TempDir())
	a, err := addHost(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	m := meeting.Meeting{ID: "m", Post: dakar.ID, State: meeting.Open, Organiser: meeting.Person{Account: a.ID}, Profile: profile.Standard, ProfileVersion: 1, CreatedAt: start}
	l := link.Link{ID: "l", Meeting: "m", Kind: link.Shared, ExpiresAt: start, CreatedAt: start}
	var sessions []lobby.Session
	var knocks []lobby.Knock
	for i, id := range []string{"kept", "dropped", "at once"} {
		sessions = append(sessions, lobby.Session{ID: id, Meeting: "m", Link: "l", TokenHash: [32]byte{byte(i)}, CreatedAt: start, ExpiresAt: start})
		knocks = append(knocks, lobby.Knock{ID: "knock " + id, Meeting: "m", Session: id, Link: "l", Status: lobby.Waiting, Place: int64(i), Since: start})
	}
	save := func(c lobby.Changes) {
		t.Helper()
		if err := s.SaveMeeting(t.Context(), meeting.Changes{Meeting: &m, Lobby: c}); err != nil {
			t.Fatal(err)
		}
	}
	save(lobby.Changes{
		Links: []link.Link{l}, Sessions: sessions, Knocks: knocks,
		Dropped: []string{"at once"}, DroppedKnocks: []string{"knock at once"},
		Messages: []lobby.Message{{Knock: "knock dropped", Seq: 1, Text: "?", At: start}, {Knock: "knock kept", Seq: 1, Text: "?", At: start}, {Knock: "knock kept", Seq: 2, Text: "!", At: start}},
	})
	sessions[0].ExpiresAt = start.Add(time.Hour)
	knocks[1].Status = lobby.Expired
	save(lobby.Changes{Sessions: sessions[:1], DroppedMessages: []lobby.MessageID{{Knock: "knock kept", Seq: 1}}})
	save(lobby.Changes{Knocks: knocks[1:2], Dropped: []string{"dropped"}, DroppedKnocks: []string{"knock dropped"}})
	got, err := s.LoadMeeting(t.Context(), "m")
	if err != nil || len(got.Lobby.Sessions) != 1 || len(got.Lobby.Knocks) != 1 || got.Lobby.Knocks[0].Session != "kept" ||
		len(got.Lobby.Messages) != 1 || got.Lobby.Messages[0].Text != "!" || !got.Lobby.Sessions[0].ExpiresAt.Equal(start.Add(time.Hour)) {
		t.Errorf("left are %+v, %v", got.Lobby, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Run("in use", func(t *testing.T) {
		dir := t.TempDir()
		open(t, dir)
		if _, err := Open(t.Context(), dir, quiet); !errors.Is(err, ErrInUse) {
			t.Errorf("second open: %v", err)
		}
	})
	t.Run("not a database", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, fileName), []byte("this is no database, it is a text of some length"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), dir, quiet); !errors.Is(err, ErrCorrupt) {
			t.Errorf("open: %v", err)
		}
	})
	t.Run("damaged page", func(t *testing.T) {
		dir := t.TempDir()
		if err := open(t, dir).Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, fileName)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := 4096; i < len(data); i++ {
			data[i] = 0xA5
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), dir, quiet); !errors.Is(err, ErrCorrupt) {
			t.Errorf("open: %v", err)
		}
	})
	t.Run("of a later program", func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, dir)
		err := s.write.do(t.Context(), func(ctx context.Context, q queries) error {
			_, err := q.ExecContext(ctx, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`)
			return err
		})
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), dir, quiet); !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), "its schema is 9999, this program knows those up to ") {
			t.Errorf("open: %v", err)
		}
	})
	t.Run("of a program that lacked one in the middle", func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, fileName)
		files, err := fs.Sub(schema, "schema")
		if err != nil {
			t.Fatal(err)
		}
		// As the first that had recordings had been: of 18 it had all but 17.
		provider := func(db *sql.DB, without ...int64) *goose.Provider {
			p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true), goose.WithExcludeVersions(without))
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		db, err := sql.Open("sqlite", dsn(path, "foreign_keys(1)", "journal_mode(WAL)"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := provider(db, 17).UpTo(t.Context(), 18); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), dir, quiet)
		if err != nil {
			t.Fatal(err)
		}
		for _, of := range []string{"account_uses", "recording_holds"} { // of 17, and of a later one
			var n int
			if err := s.read.QueryRowContext(t.Context(), "SELECT count(*) FROM "+of).Scan(&n); err != nil {
				t.Errorf("%s: %v", of, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("a file where the directory belongs", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), path, quiet); !errors.Is(err, ErrUnwritable) {
			t.Errorf("open: %v", err)
		}
	})
	t.Run("database is a directory", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, fileName), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), dir, quiet); !errors.Is(err, ErrUnwritable) {
			t.Errorf("open: %v", err)
		}
	})
	t.Run("a directory one may not write", func(t *testing.T) {
		if os.Geteuid() == 0 {
			dropPrivileges(t)
		}
		dir := filepath.Join(t.TempDir(), "data")
		if err := os.Mkdir(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), dir, quiet); !errors.Is(err, ErrUnwritable) {
			t.Errorf("open: %v", err)
		}
	})
}

// dropPrivileges makes file permissions count for this thread, which ends with
// the test: root may write everywhere.
func dropPrivileges(t *testing.T) {
	t.Helper()
	runtime.LockOSThread() // and never given back: no other test may find itself on it
	if err := syscall.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Setfsuid(0) })
}

func TestFilesAreForTheOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := open(t, dir)
	if _, err := addHost(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".", fileName, fileName + "-wal", "aparte.lock"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %s", name, info.Mode())
		}
	}
}

func TestOneTimeCodesAreUsedOnce(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := addHost(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	results := make([]error, 20)
	for i := range results {
		wg.Go(func() {
			_, results[i] = s.SignInOnce(t.Context(), [32]byte{1}, login.Session{
				ID: fmt.Sprint(i), TokenHash: [32]byte{2, byte(i)}, CreatedAt: start, UsedAt: start,
			})
		})
	}
	wg.Wait()
	won := 0
	for _, err := range results {
		if err == nil {
			won++
		} else if !errors.Is(err, login.ErrRefused) {
			t.Errorf("refused with %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d of 20 used the code", won)
	}
}

func TestSigningKeyIsKept(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	first, err := s.SigningKey(t.Context(), "meetings", repeat(1), start)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := open(t, dir).SigningKey(t.Context(), "meetings", repeat(2), start)
	if err != nil || string(again) != string(first) || len(first) != 32 {
		t.Errorf("key %x, then %x, %v", first, again, err)
	}
}

type repeat byte

func (r repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r)
	}
	return len(p), nil
}
