package api_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"aparte/signaling/api"
	"aparte/signaling/audit"
	"aparte/signaling/post"
	"aparte/signaling/recording"
)

// films has the film of a recording stand somewhere, as if it had been made here.
func (s *stage) films(id string, f recording.Film) {
	s.t.Helper()
	f.Recording, f.QueuedAt, f.Since = id, s.clock.Now(), s.clock.Now()
	if err := s.store.SaveFilm(s.t.Context(), f); err != nil {
		s.t.Fatal(err)
	}
	s.recorder.MakeFilm(id, map[recording.FilmFile]string{
		recording.TheFilm:      strings.Repeat("0123456789", 1000),
		recording.FilmCaptions: "WEBVTT\n",
		recording.FilmChapters: `[{"at":0,"title":"Début"},{"at":2.5,"title":"Arrivée : Inês"}]`,
	})
}

func newWatchable(t *testing.T) *stage {
	t.Helper()
	s := newStageWith(t, func(s *server) { s.serverKey = true })
	s.inCall()
	return s
}

func (s *stage) watched() (n int) {
	s.t.Helper()
	for _, e := range s.events() {
		if e.Act == audit.RecordingWatched {
			n++
		}
	}
	return n
}

var done = recording.Film{State: recording.FilmDone, Type: "video/webm", Length: 3 * time.Second, Bytes: 10_000, Captions: true}

// Whoever is asked reads that a recording can be watched on the server; what they agreed to
// stays, whatever the server is set to afterwards; and what is sealed never can be.
func TestWhatEverybodyAgreedToStays(t *testing.T) {
	s := newWatchable(t)
	asked := do[api.CallRecording](s.host, http.StatusOK, "POST", s.ofCall("recording/ask"), api.RecordingDraft{Purpose: "Compte rendu"})
	if got := do[api.CallRecording](s.visitor, http.StatusOK, "GET", "/guest/call/recording", nil); !got.Watchable || got.Policy != "consent" {
		t.Errorf("a guest is told %+v", got)
	}
	waits := s.guest(s.link)
	if got := do[api.GuestView](waits, http.StatusOK, "GET", "/guest", nil).Meeting; !got.RecordingWatchable || got.Recording != "asking" {
		t.Errorf("at the entry it says %+v", got)
	}
	s.serverKey = false
	s.restart()
	s.inCall()
	s.records("start")
	if got := s.recorder.Orders(); len(got) != 1 || !got[0].Watchable {
		t.Errorf("ordered %+v", got)
	}
	s.records("stop")
	s.until("stopped", func() bool { return s.list()[0].State == "stopped" })
	if got := s.list()[0]; got.ID != asked.ID || got.Film == nil || got.Film.State != "queued" {
		t.Errorf("listed %+v", got)
	}
	s.clock.add(time.Minute)
	// The next one is asked for under what holds now, and stays so as well.
	again := do[api.CallRecording](s.host, http.StatusOK, "POST", s.ofCall("recording/ask"), api.RecordingDraft{Purpose: "Encore"})
	if again.Watchable {
		t.Errorf("asked without a key: %+v", again)
	}
	s.serverKey = true
	s.restart()
	s.inCall()
	s.records("start")
	s.records("stop")
	s.until("stopped", func() bool { return s.list()[0].State == "stopped" })
	if got := s.list()[0]; got.ID != again.ID || got.Film != nil || s.recorder.Orders()[1].Watchable {
		t.Errorf("listed %+v, ordered %+v", got, s.recorder.Orders())
	}
	s.host.refused("not-found", http.StatusNotFound, "GET", "/meetings/"+s.meeting.ID+"/recordings/"+again.ID+"/film", nil)
}

// Hosts watch a film piece by piece, and the trail tells it once in a sitting.
func TestHostsWatchAFilm(t *testing.T) {
	s := newWatchable(t)
	id := s.recorded("Compte rendu")
	at := "/meetings/" + s.meeting.ID + "/recordings/" + id + "/film"
	s.host.refused("not-found", http.StatusNotFound, "GET", at, nil)
	s.films(id, done)
	if got := *s.list()[0].Film; got.State != "done" || got.Type != "video/webm" || got.Length != 3 || got.Bytes != 10_000 || !got.Captions {
		t.Errorf("listed %+v", got)
	}
	get := func(method, path string, set map[string]string) (int, http.Header, string) {
		t.Helper()
		for name, value := range set {
			s.host.header.Set(name, value)
			defer s.host.header.Del(name)
		}
		status, header, body := s.host.raw(method, path, "")
		return status, header, string(body)
	}
	if status, header, body := get("HEAD", at, nil); status != http.StatusOK || header.Get("Content-Length") != "10000" || body != "" || s.watched() != 0 {
		t.Errorf("looked at: %d %v, told %d times", status, header, s.watched())
	}
	status, header, body := get("GET", at, nil)
	if status != http.StatusOK || len(body) != 10_000 || s.watched() != 1 {
		t.Fatalf("%d, %d bytes, told %d times", status, len(body), s.watched())
	}
	for name, is := range map[string]string{
		"Content-Type": "video/webm", "Content-Length": "10000", "Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
		"Cross-Origin-Resource-Policy": "same-origin", "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'", "Content-Disposition": "",
	} {
		if header.Get(name) != is {
			t.Errorf("%s: %q, want %q", name, header.Get(name), is)
		}
	}
	if status, header, body := get("GET", at, map[string]string{"Range": "bytes=9995-", "If-Range": header.Get("ETag")}); status != http.StatusPartialContent || body != "56789" || header.Get("Content-Range") != "bytes 9995-9999/10000" {
		t.Errorf("the rest: %d %v %q", status, header, body)
	}
	if status, _, body := get("GET", at, map[string]string{"Range": "bytes=9995-", "If-Range": `"another"`}); status != http.StatusOK || len(body) != 10_000 {
		t.Errorf("the rest of something else: %d, %d bytes", status, len(body))
	}
	if status, header, body := get("GET", at+"/captions", nil); status != http.StatusOK || body != "WEBVTT\n" || header.Get("Content-Type") != "text/vtt; charset=utf-8" {
		t.Errorf("captions: %d %v %q", status, header, body)
	}
	if got := do[api.FilmChapters](s.host, http.StatusOK, "GET", at+"/chapters", nil).Chapters; len(got) != 2 || got[1] != (api.FilmChapter{At: 2.5, Title: "Arrivée : Inês"}) {
		t.Errorf("chapters: %+v", got)
	}
	if got := s.watched(); got != 1 {
		t.Errorf("one sitting is told %d times", got)
	}
	s.clock.add(31 * time.Minute)
	if get("GET", at, map[string]string{"Range": "bytes=0-0"}); s.watched() != 2 {
		t.Errorf("two sittings are told %d times", s.watched())
	}
	// Taken away, it is told each time, and has a name.
	for range 2 {
		if status, header, _ := get("GET", at+"?save=true", nil); status != http.StatusOK || header.Get("Content-Disposition") != "attachment; filename=recording-2027-03-02-"+id+".webm" {
			t.Errorf("saved: %d %v", status, header)
		}
	}
	if got := s.list()[0].Downloads; len(got) != 1 || got[0].What != "film" || s.watched() != 2 {
		t.Errorf("downloads: %+v", got)
	}

	// Nobody else, and nobody once its time is over.
	luc := s.member("luc@aparte.example", s.as(post.Agent))
	do[api.Member](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/members", api.MemberDraft{Email: "luc@aparte.example", Role: "participant"})
	for _, path := range []string{at, at + "/captions", at + "/chapters"} {
		s.visitor.refused("unauthenticated", http.StatusUnauthorized, "GET", path, nil)
		s.person().refused("unauthenticated", http.StatusUnauthorized, "GET", path, nil)
		luc.refused("forbidden", http.StatusForbidden, "GET", path, nil)
	}
	before := s.watched()
	if _, err := s.database().ExecContext(t.Context(), `UPDATE recordings SET keep_days = 0`); err != nil {
		t.Fatal(err)
	}
	s.clock.add(time.Hour)
	for _, path := range []string{at, at + "/captions", at + "/chapters", at + "?save=true"} {
		s.host.refused("not-found", http.StatusNotFound, "GET", path, nil)
	}
	if _, err := s.database().ExecContext(t.Context(), `UPDATE recordings SET keep_days = 90`); err != nil {
		t.Fatal(err)
	}
	do[struct{}](s.host, http.StatusNoContent, "DELETE", "/meetings/"+s.meeting.ID+"/recordings/"+id, nil)
	s.host.refused("not-found", http.StatusNotFound, "GET", at, nil)
	if n := s.recorder.Opened(); n != 0 || s.watched() != before {
		t.Errorf("%d files are still open, watched %d times", n, s.watched())
	}
}

// A film under way ends when whoever gets it may have it no more.
func TestAFilmEndsWhenItMayNotGoOn(t *testing.T) {
	s := newWatchable(t)
	id := s.recorded("Compte rendu")
	s.films(id, done)
	const size, piece = 1 << 20, 64 << 10
	s.recorder.MakeFilm(id, map[recording.FilmFile]string{recording.TheFilm: strings.Repeat("x", size)})
	client := s.unbuffered(s.host, s.api)
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.http.URL+"/api/v1/meetings/"+s.meeting.ID+"/recordings/"+id+"/film", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadFull(res.Body, make([]byte, piece)); err != nil {
		t.Fatal(err)
	}
	do[struct{}](s.host, http.StatusNoContent, "DELETE", "/session", nil)
	s.clock.add(10 * time.Second)
	if rest, cut := cut(res); !cut || rest > piece {
		t.Errorf("cut: %t, after %d bytes more", cut, rest)
	}
	s.until("it is closed", func() bool { return s.recorder.Opened() == 0 })
}

// A film that failed says why, and is made again when a host asks.
func TestAFilmIsMadeAgain(t *testing.T) {
	s := newWatchable(t)
	first, second := s.recorded("Premier"), s.recorded("Second")
	if got := s.list(); got[0].Film.Ahead+got[1].Film.Ahead != 1 {
		t.Errorf("in the queue: %+v, %+v", got[0].Film, got[1].Film)
	}
	s.films(first, recording.Film{State: recording.FilmFailed, Reason: recording.FilmNoRoom, Attempts: 3})
	at := "/meetings/" + s.meeting.ID + "/recordings/"
	// Nobody but hosts has the server work.
	s.shares(first, "luc@aparte.example").refused("not-found", http.StatusNotFound, "POST", at+first+"/film/again", nil)
	s.host.refused("conflict", http.StatusConflict, "POST", at+second+"/film/again", nil)
	if got := do[api.Film](s.host, http.StatusOK, "POST", at+first+"/film/again", nil); got.State != "queued" || got.Attempts != 0 || got.Reason != "" {
		t.Errorf("made again: %+v", got)
	}
	s.host.refused("conflict", http.StatusConflict, "POST", at+first+"/film/again", nil)
	s.films(first, recording.Film{State: recording.FilmRunning, Stage: recording.FilmPictures, StageSince: s.clock.Now().Add(-time.Minute), Progress: 250})
	for _, r := range s.list() {
		if r.ID == first && (r.Film.Progress != 0.25 || r.Film.Left < 179 || r.Film.Left > 181) {
			t.Errorf("running: %+v", r.Film)
		}
	}
	if all, err := s.store.UnmadeFilms(t.Context(), 10); err != nil || len(all) != 2 || all[0].Language != "fr" {
		t.Errorf("to be made: %+v, %v", all, err)
	}
	if err := s.store.SaveFilm(t.Context(), recording.Film{Recording: "another"}); err != recording.ErrNone { //nolint:errorlint // it is returned as it is
		t.Errorf("of no recording: %v", err)
	}
}
