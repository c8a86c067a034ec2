package api_test

import (
	"io"
	"net/http"
	"slices"
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
	if f.Made.Take > 0 {
		f.Made.At = s.clock.Now()
	}
	if err := s.store.SaveFilm(s.t.Context(), f); err != nil {
		s.t.Fatal(err)
	}
	s.recorder.MakeFilm(id, f.Made.Take, map[recording.FilmFile]string{
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

var done = recording.Film{State: recording.FilmDone, Made: recording.FilmMade{Take: 1, Choice: recording.DefaultFilm(), Type: "video/webm", Length: 3 * time.Second, Bytes: 10_000, Captions: true}}

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
	want := api.MadeFilm{Take: 1, At: s.clock.Now().UTC(), Layout: "grid", Format: "webm", Type: "video/webm", Length: 3, Bytes: 10_000, Captions: true}
	if got := *s.list()[0].Film; got.State != "done" || got.Layout != "grid" || got.Format != "webm" || *got.Made != want {
		t.Errorf("listed %+v, made %+v", got, got.Made)
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
	do[api.RecordingDeleted](s.host, http.StatusOK, "DELETE", "/meetings/"+s.meeting.ID+"/recordings/"+id, nil)
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
	s.recorder.MakeFilm(id, 1, map[recording.FilmFile]string{recording.TheFilm: strings.Repeat("x", size)})
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

// A host has a film made in another layout and format: the one that is there stays until
// then, the trail tells what was chosen, and what is taken away has the right name.
func TestAHostChoosesAnotherFilm(t *testing.T) {
	s := newWatchable(t)
	id := s.recorded("Compte rendu")
	at := "/meetings/" + s.meeting.ID + "/recordings/" + id + "/film"
	choose := func(layout, format string) api.Film {
		t.Helper()
		return do[api.Film](s.host, http.StatusOK, "PUT", at, api.FilmDraft{Layout: layout, Format: format})
	}
	// None is there yet: it is made as chosen at once.
	if got := s.list()[0].Film; got.Layout != "grid" || got.Format != "webm" || got.Made != nil {
		t.Errorf("before anybody chose: %+v", got)
	}
	if got := choose("speaker", "webm"); got.State != "queued" || got.Layout != "speaker" || got.Made != nil {
		t.Errorf("chosen before it is made: %+v", got)
	}
	if got := choose("grid", "webm"); got.State != "queued" || got.Layout != "grid" {
		t.Errorf("chosen back: %+v", got)
	}
	s.films(id, done)
	if got := choose("grid", "webm"); got.State != "done" {
		t.Errorf("what is there is made again: %+v", got)
	}
	if got := choose("speaker", "mp4"); got.State != "queued" || got.Layout != "speaker" || got.Format != "mp4" || got.Made == nil || got.Made.Layout != "grid" || got.Made.Format != "webm" {
		t.Errorf("chosen: %+v", got)
	}
	status, header, body := s.host.raw("GET", at+"?save=true", "")
	before := header.Get("ETag")
	if status != http.StatusOK || len(body) != 10_000 || header.Get("Content-Type") != "video/webm" || !strings.HasSuffix(header.Get("Content-Disposition"), ".webm") {
		t.Errorf("the one before: %d %v", status, header)
	}
	// While it is made nobody chooses again, and the choice is not the queue's to change.
	running := done
	running.State = recording.FilmRunning
	s.films(id, running)
	s.host.refused("conflict", http.StatusConflict, "PUT", at, api.FilmDraft{Layout: "grid", Format: "mp4"})
	if got := choose("speaker", "mp4"); got.State != "running" {
		t.Errorf("chosen once more: %+v", got)
	}
	if f, err := s.store.Film(t.Context(), id); err != nil || f.Choice != (recording.FilmChoice{Layout: recording.FilmSpeaker, Format: recording.FilmMP4}) {
		t.Errorf("stored: %+v, %v", f, err)
	} else {
		s.clock.add(time.Minute)
		f = f.Finish(recording.FilmMade{Type: "video/mp4", Length: 3 * time.Second, Bytes: 10_000, Captions: true}, s.clock.Now())
		s.films(id, f)
	}
	if got := s.list()[0].Film; got.State != "done" || got.Made.Take != 2 || got.Made.Layout != "speaker" || got.Made.Format != "mp4" {
		t.Errorf("made: %+v", got.Made)
	}
	status, header, body = s.host.raw("GET", at+"?save=true", "")
	if status != http.StatusOK || len(body) != 10_000 || header.Get("Content-Type") != "video/mp4" || header.Get("ETag") == before || header.Get("Content-Disposition") != "attachment; filename=recording-2027-03-02-"+id+".mp4" {
		t.Errorf("the new one: %d %v", status, header)
	}
	s.host.header.Set("Range", "bytes=9995-")
	s.host.header.Set("If-Range", before)
	if status, header, body := s.host.raw("GET", at, ""); status != http.StatusOK || len(body) != 10_000 {
		t.Errorf("the rest of the one before: %d %v", status, header)
	}
	s.host.header.Set("If-Range", header.Get("ETag"))
	if status, header, body := s.host.raw("GET", at, ""); status != http.StatusPartialContent || string(body) != "56789" || header.Get("Content-Type") != "video/mp4" {
		t.Errorf("the rest: %d %v %q", status, header, body)
	}
	s.host.header.Del("Range")
	s.host.header.Del("If-Range")
	// Of a meeting without pictures.
	sound := done
	sound.Made.Take, sound.Made.Type = 3, "audio/mp4"
	s.films(id, sound)
	if _, header, _ := s.host.raw("GET", at+"?save=true", ""); header.Get("Content-Type") != "audio/mp4" || !strings.HasSuffix(header.Get("Content-Disposition"), id+".m4a") {
		t.Errorf("sound alone: %v", header)
	}
	// One that could not be made leaves the one that is there; whoever chooses that is done.
	choose("speaker", "webm")
	failed := sound
	failed.State, failed.Reason, failed.Attempts = recording.FilmFailed, recording.FilmNoRoom, 3
	s.films(id, failed)
	if status, _, body := s.host.raw("GET", at, ""); status != http.StatusOK || len(body) != 10_000 {
		t.Errorf("after a failure: %d, %d bytes", status, len(body))
	}
	if got := choose("grid", "webm"); got.State != "done" || got.Reason != "" || got.Attempts != 0 {
		t.Errorf("taken back: %+v", got)
	}
	if status, _, _ := s.host.raw("GET", at, ""); status != http.StatusOK {
		t.Errorf("taken back: %d", status)
	}
	var told []string
	for _, e := range s.events() {
		if e.Act == audit.RecordingFilmAgain {
			told = append(told, e.Detail["layout"]+" "+e.Detail["format"])
		}
	}
	if want := []string{"speaker webm", "grid webm", "speaker mp4", "speaker webm", "grid webm"}; !slices.Equal(told, want) {
		t.Errorf("the trail tells %q, not %q", told, want)
	}

	// Nobody but hosts, and nothing that there is not.
	luc := s.member("luc@aparte.example", s.as(post.Agent))
	do[api.RecordingShare](s.host, http.StatusOK, "POST", s.ofRecording(id, "/shares"), api.ShareDraft{Email: "luc@aparte.example"})
	if status, _, _ := luc.raw("GET", at, ""); status != http.StatusOK {
		t.Errorf("a colleague watches: %d", status)
	}
	luc.refused("forbidden", http.StatusForbidden, "PUT", at, api.FilmDraft{Layout: "grid", Format: "mp4"})
	s.visitor.refused("unauthenticated", http.StatusUnauthorized, "PUT", at, api.FilmDraft{Layout: "grid", Format: "mp4"})
	s.host.refused("invalid", http.StatusUnprocessableEntity, "PUT", at, api.FilmDraft{Layout: "mosaic", Format: "mp4"})
	s.host.refused("invalid", http.StatusUnprocessableEntity, "PUT", at, api.FilmDraft{Layout: "grid", Format: "avi"})
	if got := s.list()[0]; !slices.Contains(got.May, "compose") {
		t.Errorf("a host may %q", got.May)
	}
}
