package threats

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aparte/recorder/seal"
	"aparte/recorder/storage"
	"aparte/signaling/api"
	"aparte/signaling/audit"
)

// "Anyone with a room name could record; 'protected' files were public; whole sessions on
// disk whatever the button said": who is not a host neither steers a recording nor gets
// it, whatever they know of it, and there are bytes of one on the disk between a start
// and its deletion alone.

// recordings are the names and sizes of what lies in the folder of recordings, but for the
// marks of parts that are closed, which come when those have been read through.
func (p *program) recordings() string {
	p.t.Helper()
	var out strings.Builder
	folder := filepath.Join(p.dir, "data", "recordings")
	ids, err := os.ReadDir(folder)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, id := range ids {
		parts, err := os.ReadDir(filepath.Join(folder, id.Name()))
		if err != nil {
			p.t.Fatal(err)
		}
		for _, part := range parts {
			if strings.HasPrefix(part.Name(), "part-") && strings.Contains(part.Name(), ".json") {
				continue
			}
			info, err := part.Info()
			if err != nil {
				p.t.Fatal(err)
			}
			fmt.Fprintf(&out, "%s/%s %d\n", id.Name(), part.Name(), info.Size())
		}
	}
	return out.String()
}

// film has a recording have a film, sealed to the server's key, as if it had been made.
func (p *program) film(t *testing.T, id string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.ParseIdentities(text)
	if err != nil {
		t.Fatal(err)
	}
	public, _ := keys[0].Recipient()
	place, err := storage.OpenFolder(filepath.Join(p.dir, "data", "recordings"))
	if err != nil {
		t.Fatal(err)
	}
	defer place.Close()
	key, err := seal.LoadNodeKey(filepath.Join(p.dir, "data"), "")
	if err != nil {
		t.Fatal(err)
	}
	for name, plain := range map[string]string{"film": "the film", "captions": "WEBVTT", "chapters": "[]"} {
		var sealed bytes.Buffer
		w, err := seal.NewFile(&sealed, []seal.Recipient{public})
		if err == nil {
			_, err = io.WriteString(w, plain)
			err = errors.Join(err, w.Close())
		}
		var note []byte
		if err == nil {
			note, err = seal.SignFile(bytes.NewReader(sealed.Bytes()), id, name, key)
		}
		if err == nil {
			_, err = place.Put(t.Context(), id+"/film/"+name+".note", bytes.NewReader(note), int64(len(note)))
		}
		if err == nil {
			_, err = place.Put(t.Context(), id+"/film/"+name+".age", &sealed, int64(sealed.Len()))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(p.dir, "data", "aparte.db")+"?_pragma=busy_timeout(20000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	// Once the server has seen that it can make none, it does not touch it any more.
	p.person().eventually("the film waits for a program", func() bool {
		var state string
		if err := db.QueryRowContext(t.Context(), `SELECT state FROM recording_films`).Scan(&state); err != nil {
			t.Fatal(err)
		}
		return state == "unavailable"
	})
	if _, err := db.ExecContext(t.Context(), `UPDATE recording_films SET state = 'done', take = 1, made_at = since, made_layout = layout, made_format = format, type = 'video/webm', captions = 1, length_ms = 1000, bytes = 8`); err != nil {
		t.Fatal(err)
	}
}

func TestRecordingsAreNobodyElses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	public, err := command(t, "keygen", filepath.Join(dir, "archive.key")).Output()
	if err != nil {
		t.Fatal(err)
	}
	// The server's own key opens what hosts may watch: it lies elsewhere than the data.
	p := startOn(t, dir, "--recordings-recipients", strings.TrimSpace(string(public)), "--recordings-server-key", filepath.Join(dir, "server.key"),
		"--recordings-ffmpeg", filepath.Join(dir, "none")) // films are this test's own
	anne := p.administrator()
	marc, stranger := anne.agent("Marc Adam", "marc@aparte.example"), anne.agent("Rita Lopes", "rita@aparte.example")
	at := "/meetings/" + anne.meeting().ID
	elsewhere := "/meetings/" + stranger.meeting().ID
	do[api.Member](anne, "POST", at+"/members", api.MemberDraft{Email: "marc@aparte.example", Role: "cohost"})
	link := anne.link(strings.TrimPrefix(at, "/meetings/"), api.LinkDraft{})
	maria, _ := anne.admitted(strings.TrimPrefix(at, "/meetings/"), link, "Maria Oliveira")
	waits, _ := anne.waiting(strings.TrimPrefix(at, "/meetings/"), link, "Luc Petit")
	anne.comesIn(do[api.MediaToken](anne, "POST", at+"/join", nil), at+"/call/messages")
	maria.comesIn(do[api.MediaToken](maria, "POST", "/guest/token", nil), "/guest/call/messages")
	nobody := p.person()
	others := map[string]*person{"nobody": nobody, "a guest in the call": maria, "a guest who waits": waits, "an agent": stranger}

	// Nobody else asks, starts or stops.
	steered := func(when string) {
		t.Helper()
		for _, verb := range []string{"ask", "start", "pause", "resume", "stop"} {
			for name, who := range others {
				var body any
				if verb == "ask" {
					body = api.RecordingDraft{Purpose: "Autre chose"}
				}
				if got := who.call("POST", at+"/call/recording/"+verb, body); got.status != http.StatusUnauthorized && got.status != http.StatusForbidden && got.status != http.StatusNotFound {
					t.Errorf("%s, %s: %s is answered %d %s", when, verb, name, got.status, got.body)
				}
			}
		}
	}
	steered("before any was asked for")
	ask := func() string {
		t.Helper()
		return do[api.CallRecording](anne, "POST", at+"/call/recording/ask", api.RecordingDraft{Purpose: "Entretien préalable"}).ID
	}
	answers := func(id, said string) {
		t.Helper()
		do[api.CallRecording](anne, "POST", at+"/call/recording/answer", api.RecordingSaid{Recording: id, Answer: "agree"})
		do[api.CallRecording](maria, "POST", "/guest/call/recording/answer", api.RecordingSaid{Recording: id, Answer: said})
	}
	// Asked for, agreed to by everybody, and never started: nothing was taken.
	answers(ask(), "agree")
	if got := p.recordings(); got != "" {
		t.Errorf("before the start there is\n%s", got)
	}
	do[api.CallRecording](anne, "POST", at+"/call/recording/stop", nil)
	if got := p.recordings(); got != "" {
		t.Errorf("of one that was never started there is\n%s", got)
	}
	id := ask()
	steered("asked for")
	answers(id, "decline")
	if got := do[api.CallRecording](anne, "POST", at+"/call/recording/start", nil); got.State != "running" {
		t.Fatalf("started: %+v", got)
	}
	steered("while it runs")
	if got := p.recordings(); !strings.HasPrefix(got, id+"/part-0001.tar ") {
		t.Errorf("while it runs there is\n%s", got)
	}
	do[api.CallRecording](anne, "POST", at+"/call/recording/stop", nil)
	var listed api.Recording
	anne.eventually("stopped", func() bool {
		listed = do[api.RecordingList](anne, "GET", at+"/recordings", nil).Recordings[0]
		return listed.State == "stopped"
	})
	if len(listed.People) != 1 || listed.People[0].Name != "Anne Bernard" || len(listed.Declined) != 1 {
		t.Fatalf("stopped: %+v", listed)
	}
	if listed.Sealed || listed.Film == nil {
		t.Errorf("a recording to be watched: %+v", listed)
	}
	kept := p.recordings()
	answersNow := maria.call("POST", "/guest/call/recording/answer", api.RecordingSaid{Recording: id, Answer: "agree"})
	if got := p.recordings(); answersNow.status != http.StatusConflict || got != kept || strings.Count(got, "\n") != 1 {
		t.Errorf("a yes after the end is answered %d, and there is\n%s", answersNow.status, got)
	}
	// What is on the disk says nothing to whoever reads it. Of words of three letters there are
	// some in any ciphertext.
	if found, looked := holding(t, filepath.Join(dir, "data", "recordings"), "Anne Bernard", "Maria Oliveira", "Luc Petit", "Entretien"); looked == 0 || len(found) > 0 {
		t.Errorf("in the clear, of %d files: %q", looked, found)
	}

	part, film := at+"/recordings/"+id+"/parts/1", at+"/recordings/"+id+"/film"
	// There was no media, so that nothing can be made of it: one is put in its place, as
	// it would be.
	p.film(t, id)
	for name, who := range others {
		for _, path := range []string{part, elsewhere + "/recordings/" + id + "/parts/1", at + "/recordings", film, film + "?save=true", film + "/captions", film + "/chapters", elsewhere + "/recordings/" + id + "/film"} {
			if got := who.call("GET", path, nil); got.status != http.StatusUnauthorized && got.status != http.StatusForbidden && got.status != http.StatusNotFound {
				t.Errorf("%s gets %s: %d", name, path, got.status)
			}
		}
		if got := who.call("POST", film+"/again", nil); got.status < 400 {
			t.Errorf("%s has its film made again: %d", name, got.status)
		}
		if got := who.call("PUT", film, api.FilmDraft{Layout: "speaker", Format: "mp4"}); got.status < 400 {
			t.Errorf("%s chooses its film: %d", name, got.status)
		}
		if got := who.call("DELETE", at+"/recordings/"+id, nil); got.status < 400 {
			t.Errorf("%s deletes it: %d", name, got.status)
		}
	}
	// No page or path of the server leads to the file.
	for _, path := range []string{"/recordings/" + id + "/part-0001.tar", "/data/recordings/" + id + "/part-0001.tar", "/assets/../recordings/" + id + "/part-0001.tar", part + "/../../../../recordings/" + id + "/part-0001.tar"} {
		if got := nobody.raw("GET", path, ""); bytes.Contains(got.body, []byte("binding.note")) || bytes.Contains(got.body, []byte("age-encryption.org")) {
			t.Errorf("%s gives it away: %d", path, got.status)
		}
	}
	if got := marc.call("GET", film, nil); got.status != http.StatusOK || string(got.body) != "the film" {
		t.Errorf("a co-host watches: %d %s", got.status, got.body)
	}
	// A co-host gets it for as long as they are one, and what was refused is told.
	if got := marc.call("GET", part, nil); got.status != http.StatusOK || !bytes.Contains(got.body, []byte("age-encryption.org")) {
		t.Errorf("a co-host: %d", got.status)
	}
	marc.at(1) // of other sources enough refusals are told
	do[struct{}](anne, "DELETE", at+"/members/"+do[api.SignedIn](marc, "GET", "/session", nil).Account.ID, nil)
	for _, path := range []string{part, film, film + "/captions", film + "/chapters"} {
		if got := marc.call("GET", path, nil); got.code() != "not-found" && got.code() != "forbidden" {
			t.Errorf("who hosts no more: %s: %d %s", path, got.status, got.body)
		}
	}
	told := map[string]int{}
	for _, e := range p.events() {
		if e.Act == audit.CallRefused && e.Detail["operation"] == "download-recording" || e.Act == audit.RecordingDownloaded || e.Act == audit.RecordingWatched {
			told[string(e.Act)+" "+string(e.Actor.Kind)]++
		}
	}
	if told["recording.downloaded agent"] != 1 || told["recording.watched agent"] != 1 || told["call.refused agent"] == 0 {
		t.Errorf("the trail tells %v", told)
	}

	// Nor does anybody get it once its time is over.
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "data", "aparte.db")+"?_pragma=busy_timeout(20000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for days, want := range map[int]int{0: http.StatusNotFound, 90: http.StatusOK} {
		if _, err := db.ExecContext(t.Context(), `UPDATE recordings SET keep_days = $1`, days); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{part, film} {
			if got := anne.call("GET", path, nil); got.status != want {
				t.Errorf("kept for %d days, %s: %d, want %d", days, path, got.status, want)
			}
		}
	}
	do[struct{}](anne, "DELETE", at+"/recordings/"+id, nil)
	anne.refused("not-found", "GET", part, nil)
	anne.refused("not-found", "GET", film, nil)
	if got := p.recordings(); got != "" {
		t.Errorf("deleted, and there is\n%s", got)
	}
}
