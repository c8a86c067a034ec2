package api_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"aparte/signaling/api"
	"aparte/signaling/audit"
	"aparte/signaling/file"
	"aparte/signaling/meeting"
	"aparte/signaling/profile"
)

// files is where somebody in the call sends and gets files.
func (s *stage) filesOf(p *person) string {
	if p.bearer != "" {
		return "/guest/call/files"
	}
	return s.ofCall("files")
}

// put sends a body as it is.
func (p *person) put(path string, body io.Reader, length int64) (int, []byte) {
	p.s.t.Helper()
	res, err := p.putting(path, body, length)
	if err != nil {
		p.s.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		p.s.t.Fatal(err)
	}
	return res.StatusCode, answer
}

func (p *person) putting(path string, body io.Reader, length int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(p.s.t.Context(), "PUT", p.s.http.URL+"/api/v1"+path, body)
	if err != nil {
		return nil, err
	}
	req.ContentLength = length
	if p.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+p.bearer)
	}
	return p.client.Do(req)
}

// send announces a file and sends it.
func (s *stage) send(p *person, name, to string, content []byte) api.CallMessage {
	s.t.Helper()
	s.clock.add(time.Second) // or they would send too fast
	f := do[api.CallFile](p, http.StatusCreated, "POST", s.filesOf(p), api.FileDraft{Name: name, Size: int64(len(content)), Type: "application/pdf", To: to})
	status, answer := p.put(s.filesOf(p)+"/"+f.ID, bytes.NewReader(content), int64(len(content)))
	var m api.CallMessage
	if err := json.Unmarshal(answer, &m); status != http.StatusOK || err != nil || m.File == nil {
		s.t.Fatalf("sending %s: %d %s", name, status, answer)
	}
	return m
}

func (s *stage) get(p *person, id string) (int, http.Header, []byte) {
	s.t.Helper()
	return p.raw("GET", s.filesOf(p)+"/"+id, "")
}

// left is how many files lie on the disk.
func (s *stage) left() int {
	s.t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.dir, "files"))
	if err != nil {
		s.t.Fatal(err)
	}
	return len(entries)
}

func noise(size int) []byte {
	out := make([]byte, size)
	_, _ = rand.Read(out)
	return out
}

// permit changes the rights of one guest.
func (s *stage) permit(identity string, rights map[string]bool) api.Permitted {
	s.t.Helper()
	return do[api.Permitted](s.host, http.StatusOK, "PUT", "/meetings/"+s.meeting.ID+"/participants/"+identity+"/permissions", rights)
}

// newStageWith is newStage on a server of which something is set before it starts.
func newStageWith(t *testing.T, change func(*server)) *stage {
	t.Helper()
	s := newStage(t)
	change(s.server)
	s.restart()
	return s
}

func TestAFileIsForThoseWhomItIsFor(t *testing.T) {
	s := newStage(t)
	host, visitor := s.inCall()
	rui, ruis := s.another("Rui")
	content := noise(200_000)
	all := s.send(s.visitor, "Procès-verbal.pdf", "everyone", content)
	want := api.CallFile{ID: all.File.ID, Name: "Procès-verbal.pdf", Kind: "pdf", Type: "application/pdf", Size: 200_000, Outside: true}
	if all.From != visitor || all.FromName != "Inês" || all.Text != "" || *all.File != want {
		t.Errorf("sent as %+v with %+v", all, all.File)
	}
	toOne := s.send(s.host, "note.txt", visitor, []byte("pour Inês"))
	toHosts := s.send(rui, "plan.exe", "hosts", []byte("MZ"))
	late, _ := s.another("Late")
	for _, c := range []struct {
		who         string
		p           *person
		id          string
		gets        bool
		mayDelete   int
		description string
	}{
		{"host", s.host, all.File.ID, true, 0, "the one for all"},
		{"guest", rui, all.File.ID, true, 0, "the one for all"},
		{"sender", s.visitor, all.File.ID, true, 0, "the one for all"},
		{"one for whom it is", s.visitor, toOne.File.ID, true, 0, "the one for one"},
		{"a third", rui, toOne.File.ID, false, 0, "the one for one"},
		{"a host", s.host, toHosts.File.ID, true, 0, "the one for hosts"},
		{"another guest", s.visitor, toHosts.File.ID, false, 0, "the one for hosts"},
		{"who came later", late, all.File.ID, false, 0, "the one for all"},
	} {
		status, header, got := s.get(c.p, c.id)
		if c.gets != (status == http.StatusOK) || !c.gets && status != http.StatusNotFound {
			t.Errorf("%s gets %s: %d", c.who, c.description, status)
		}
		if c.gets && c.id == all.File.ID && !bytes.Equal(got, content) {
			t.Errorf("%s got %d other bytes (%v)", c.who, len(got), header)
		}
	}
	if _, _, unknown := s.get(rui, strings.Repeat("F", 22)); true {
		if _, _, foreign := s.get(rui, toOne.File.ID); !bytes.Equal(unknown, foreign) {
			t.Errorf("a file for others is told from none: %s and %s", foreign, unknown)
		}
	}

	_, header, _ := s.get(s.host, all.File.ID)
	for name, want := range map[string]string{
		"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
		"Content-Disposition":          "attachment; filename*=utf-8''Proc%C3%A8s-verbal.pdf",
		"Content-Security-Policy":      "sandbox; default-src 'none'; frame-ancestors 'none'",
		"Cross-Origin-Resource-Policy": "same-origin", "Content-Length": "200000", "Referrer-Policy": "no-referrer",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	s.host.header.Set("Range", "bytes=5-9")
	if status, header, got := s.get(s.host, all.File.ID); status != http.StatusOK || header.Get("Content-Range") != "" || len(got) != len(content) {
		t.Errorf("a part was asked for: %d, %d bytes", status, len(got))
	}
	s.host.header.Del("Range")
	if status, header, got := s.host.raw("HEAD", s.filesOf(s.host)+"/"+all.File.ID, ""); status != http.StatusOK || len(got) != 0 || header.Get("Content-Length") != "200000" {
		t.Errorf("HEAD: %d %v", status, header)
	}

	list := do[api.CallMessages](rui, http.StatusOK, "GET", "/guest/call/messages", nil).Messages
	if len(list) != 2 || *list[0].File != want || !list[1].File.Risky || list[1].File.Kind != "exe" {
		t.Errorf("a guest reads %+v", list)
	}
	packets := s.call.packets("aparte.chat")
	if len(packets) != 3 || packets[0].to != nil || !slices.Equal(packets[1].to, slices.Sorted(slices.Values([]string{host, visitor}))) || !slices.Contains(packets[2].to, host) || slices.Contains(packets[2].to, visitor) {
		t.Errorf("the call was told %+v", packets)
	}
	var packet api.CallMessage // what the API says and what the call is told is the same
	if err := json.Unmarshal([]byte(packets[0].payload), &packet); err != nil || *packet.File != want {
		t.Errorf("the call was told %s (%v)", packets[0].payload, err)
	}

	// Its sender deletes it, a host any, others none.
	rui.refused("forbidden", http.StatusForbidden, "DELETE", s.filesOf(rui)+"/"+all.File.ID, nil)
	rui.refused("not-found", http.StatusNotFound, "DELETE", s.filesOf(rui)+"/"+toOne.File.ID, nil)
	late.refused("not-found", http.StatusNotFound, "DELETE", s.filesOf(late)+"/"+all.File.ID, nil)
	if got := s.left(); got != 3 {
		t.Fatalf("%d files on the disk, want 3", got)
	}
	do[struct{}](s.visitor, http.StatusNoContent, "DELETE", s.filesOf(s.visitor)+"/"+all.File.ID, nil)
	do[struct{}](s.host, http.StatusNoContent, "DELETE", s.filesOf(s.host)+"/"+toHosts.File.ID, nil)
	if got := s.left(); got != 1 {
		t.Errorf("%d files on the disk after two of three were deleted", got)
	}
	for _, id := range []string{all.File.ID, toHosts.File.ID} {
		if status, _, _ := s.get(s.host, id); status != http.StatusNotFound {
			t.Errorf("a deleted file: %d", status)
		}
		s.host.refused("not-found", http.StatusNotFound, "DELETE", s.filesOf(s.host)+"/"+id, nil)
	}
	list = do[api.CallMessages](rui, http.StatusOK, "GET", "/guest/call/messages", nil).Messages
	if gone := (api.CallFile{ID: all.File.ID, Deleted: true}); len(list) != 2 || *list[0].File != gone {
		t.Errorf("of a deleted file a guest reads %+v", list[0].File)
	}
	packets = s.call.packets("aparte.chat")
	if err := json.Unmarshal([]byte(packets[3].payload), &packet); err != nil || !packet.File.Deleted || packet.Seq != all.Seq || packets[3].to != nil {
		t.Errorf("of the deletion the call was told %+v (%v)", packets[3], err)
	}
	if packets[4].to == nil || slices.Contains(packets[4].to, visitor) || !slices.Contains(packets[4].to, ruis) {
		t.Errorf("of the deletion of a private one were told %q", packets[4].to)
	}
}

// What a profile has of files holds with the admission and after; a host's word gives
// and takes where the profile leaves it to a host.
func TestAProfileRulesTheFilesOfGuests(t *testing.T) {
	s := newStage(t)
	_, visitor := s.inCall()
	draft := api.FileDraft{Name: "note.pdf", Size: 4, To: "everyone"}
	sent := s.send(s.visitor, "note.pdf", "everyone", []byte("note"))
	admin := s.administrator()
	rule := func(version int, giving profile.Giving) []api.MeetingEffects {
		return admin.change(version, func(r *api.ProfileRules) { r.GuestFiles = giving }).Meetings
	}

	effects := rule(1, profile.Granted)
	if len(effects) != 1 || effects[0].Files != 1 || len(effects[0].Guests) != 1 || !effects[0].Guests[0].LosesFiles || effects[0].Guests[0].LosesShare {
		t.Errorf("the change does %+v", effects)
	}
	if p := s.visitor.refused("forbidden", http.StatusForbidden, "POST", s.filesOf(s.visitor), draft); !strings.Contains(p.Detail, "right to send files") {
		t.Errorf("without the right: %+v", p)
	}
	if status, _, got := s.get(s.visitor, sent.File.ID); status != http.StatusOK || string(got) != "note" {
		t.Errorf("a file that was sent before: %d", status)
	}
	if k := s.permit(visitor, map[string]bool{"camera": true}); *k.Permissions.Files {
		t.Error("a host who does not speak of files gives them")
	}
	if k := s.permit(visitor, map[string]bool{"files": true}); !*k.Permissions.Files {
		t.Error("a host's word does not give files")
	}
	s.send(s.visitor, "note.pdf", "everyone", []byte("note"))
	if k := s.permit(visitor, map[string]bool{"camera": true}); !*k.Permissions.Files {
		t.Error("a host who does not speak of files takes them")
	}
	do[struct{}](s.host, http.StatusNoContent, "PUT", "/meetings/"+s.meeting.ID+"/call/permissions", map[string]bool{"files": false})
	s.visitor.refused("forbidden", http.StatusForbidden, "POST", s.filesOf(s.visitor), draft)
	s.send(s.host, "note.pdf", "everyone", []byte("note")) // hosts are left out of it
	do[struct{}](s.host, http.StatusNoContent, "PUT", "/meetings/"+s.meeting.ID+"/call/permissions", map[string]bool{"files": true})
	s.send(s.visitor, "note.pdf", "everyone", []byte("note"))

	rui, _ := s.another("Rui") // let in as usual
	rui.refused("forbidden", http.StatusForbidden, "POST", s.filesOf(rui), draft)
	waiting := s.guest(s.host.link(s.meeting.ID, api.LinkDraft{}))
	waiting.knock("Ana")
	k := s.host.waiting(s.meeting.ID)
	if k.Usual == nil || *k.Usual.Files || !*k.Usual.Share || k.Permissions != nil {
		t.Errorf("whoever waits is shown with %+v and %+v", k.Usual, k.Permissions)
	}
	k = do[api.Knock](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/knocks/"+k.ID+"/admit", map[string]any{"permissions": map[string]bool{"files": true}})
	s.comesIn(k.Identity)
	s.send(waiting, "note.pdf", "everyone", []byte("note"))

	rule(2, profile.Off)
	p := s.visitor.refused("profile-refuses", http.StatusForbidden, "POST", s.filesOf(s.visitor), draft)
	if p.Line != "guest_files" {
		t.Errorf("where the profile has it off: %+v", p)
	}
	p = do[api.Problem](s.host, http.StatusForbidden, "PUT", "/meetings/"+s.meeting.ID+"/participants/"+visitor+"/permissions", map[string]bool{"files": true})
	if p.Line != "guest_files" {
		t.Errorf("giving what the profile has off: %+v", p)
	}
	s.send(s.host, "note.pdf", "everyone", []byte("note"))
}

func TestObserversGetFilesAndSendNone(t *testing.T) {
	s := newStage(t)
	s.inCall()
	watching := s.guest(s.host.link(s.meeting.ID, api.LinkDraft{Role: "observer"}))
	watching.knock("Observer")
	k := s.host.waiting(s.meeting.ID)
	if *k.Usual.Files {
		t.Error("an observer would be given files")
	}
	k = do[api.Knock](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/knocks/"+k.ID+"/admit", map[string]any{"permissions": map[string]bool{"files": true}})
	s.comesIn(k.Identity)
	watching.refused("forbidden", http.StatusForbidden, "POST", s.filesOf(watching), api.FileDraft{Name: "x.pdf", Size: 1, To: "everyone"})
	sent := s.send(s.visitor, "note.pdf", "everyone", []byte("note"))
	if status, _, got := s.get(watching, sent.File.ID); status != http.StatusOK || string(got) != "note" {
		t.Errorf("an observer gets %d %q", status, got)
	}
	watching.refused("forbidden", http.StatusForbidden, "DELETE", s.filesOf(watching)+"/"+sent.File.ID, nil)
}

// getting begins to get a file and has read a little of it.
func (s *stage) getting(p *person, id string) *http.Response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), "GET", s.http.URL+"/api/v1"+s.filesOf(p)+"/"+id, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if p.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+p.bearer)
	}
	res, err := p.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { res.Body.Close() })
	if _, err := io.ReadFull(res.Body, make([]byte, 1000)); err != nil {
		s.t.Fatal(err)
	}
	return res
}

// cut tells whether what was begun ends before it is whole.
func cut(res *http.Response) (rest int64, yes bool) {
	rest, err := io.Copy(io.Discard, res.Body)
	return rest, errors.Is(err, io.ErrUnexpectedEOF) || err != nil
}

const bigFile = 15_000_000 // more than the buffers of a connection hold

func TestWhoeverLosesTheCallGetsNoMore(t *testing.T) {
	for what, lose := range map[string]func(s *stage, visitor, file string){
		"removed": func(s *stage, visitor, _ string) {
			do[struct{}](s.host, http.StatusNoContent, "POST", "/meetings/"+s.meeting.ID+"/participants/"+visitor+"/remove", nil)
		},
		"sent back": func(s *stage, visitor, _ string) {
			do[api.Knock](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/participants/"+visitor+"/send-back", nil)
		},
		"banned": func(s *stage, _, _ string) { s.host.decide(s.meeting.ID, s.knock, "ban") },
		"the meeting ended": func(s *stage, _, _ string) {
			do[api.Meeting](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/end", nil)
		},
		"the file deleted": func(s *stage, _, file string) {
			do[struct{}](s.host, http.StatusNoContent, "DELETE", s.filesOf(s.host)+"/"+file, nil)
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			_, visitor := s.inCall()
			sent := s.send(s.host, "grand.bin", "everyone", noise(bigFile))
			res := s.getting(s.visitor, sent.File.ID) //nolint:bodyclose // by getting, in the end
			lose(s, visitor, sent.File.ID)
			if status, _, _ := s.get(s.visitor, sent.File.ID); status < 400 {
				t.Errorf("after the answer it can be got: %d", status)
			}
			if rest, yes := cut(res); !yes || rest >= bigFile-1000 {
				t.Errorf("what was under way went on: %d bytes more, cut %t", rest, yes)
			}
			if gone := what == "the meeting ended" || what == "the file deleted"; gone && s.left() != 0 {
				t.Errorf("%d files are left on the disk", s.left())
			}
		})
	}
}

// slow is a body of which a test gives one piece after the other.
func (s *stage) sendingSlowly(p *person, size int) (give io.WriteCloser, answer <-chan api.Problem) {
	s.t.Helper()
	f := do[api.CallFile](p, http.StatusCreated, "POST", s.filesOf(p), api.FileDraft{Name: "lent.pdf", Size: int64(size), To: "everyone"})
	r, w := io.Pipe()
	got := make(chan api.Problem, 1)
	go func() {
		defer r.Close()
		res, err := p.putting(s.filesOf(p)+"/"+f.ID, r, int64(size))
		if err != nil {
			got <- api.Problem{Detail: err.Error()}
			return
		}
		defer res.Body.Close()
		var problem api.Problem
		_ = json.NewDecoder(res.Body).Decode(&problem)
		got <- problem
	}()
	if _, err := w.Write(noise(1000)); err != nil {
		s.t.Fatal(err)
	}
	return w, got
}

func TestAnUploadEndsWithTheRight(t *testing.T) {
	for what, c := range map[string]struct {
		lose func(s *stage, visitor string)
		code string
	}{
		"removed": {func(s *stage, visitor string) {
			do[struct{}](s.host, http.StatusNoContent, "POST", "/meetings/"+s.meeting.ID+"/participants/"+visitor+"/remove", nil)
		}, "conflict"},
		"the right taken": {func(s *stage, visitor string) { s.permit(visitor, map[string]bool{"files": false}) }, "forbidden"},
		"forbidden to all": {func(s *stage, _ string) {
			do[struct{}](s.host, http.StatusNoContent, "PUT", "/meetings/"+s.meeting.ID+"/call/permissions", map[string]bool{"files": false})
		}, "forbidden"},
		"the meeting ended": {func(s *stage, _ string) {
			do[api.Meeting](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/end", nil)
		}, "meeting-ended"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			_, visitor := s.inCall()
			_, answer := s.sendingSlowly(s.visitor, 100_000)
			s.until("the upload is under way", func() bool { return s.left() == 1 })
			c.lose(s, visitor)
			select {
			case got := <-answer: // the rest never comes
				if got.Type != "urn:aparte:problem:"+c.code {
					t.Errorf("it ended with %+v, want %s", got, c.code)
				}
			case <-time.After(hang):
				t.Fatal("the upload waits on")
			}
			s.until("nothing is left", func() bool { return s.left() == 0 })
			if got := s.call.packets("aparte.chat"); len(got) != 0 {
				t.Errorf("the call was told %+v", got)
			}
		})
	}
}

// until waits for what comes about on another goroutine.
func (s *stage) until(what string, is func() bool) {
	s.t.Helper()
	for end := time.Now().Add(hang); !is(); {
		if time.Now().After(end) {
			s.t.Fatalf("never: %s", what)
		}
		do[api.Meeting](s.host, http.StatusOK, "GET", "/meetings/"+s.meeting.ID, nil)
	}
}

func TestBodiesThatAreNotWhatWasAnnounced(t *testing.T) {
	s := newStage(t)
	s.inCall()
	at := func() string {
		s.clock.add(time.Second)
		f := do[api.CallFile](s.visitor, http.StatusCreated, "POST", s.filesOf(s.visitor), api.FileDraft{Name: "x.pdf", Size: 10_000, To: "everyone"})
		return s.filesOf(s.visitor) + "/" + f.ID
	}
	type bare struct{ io.Reader } // of which nobody knows the length
	for what, c := range map[string]struct {
		body   io.Reader
		length int64
		status int
	}{
		"too short":                    {bytes.NewReader(noise(9_999)), 9_999, http.StatusUnprocessableEntity},
		"too long":                     {bytes.NewReader(noise(10_001)), 10_001, http.StatusUnprocessableEntity},
		"far too long, without length": {bare{io.LimitReader(rand.Reader, 1<<30)}, -1, http.StatusUnprocessableEntity},
		"too short, without length":    {bare{bytes.NewReader(noise(5))}, -1, http.StatusUnprocessableEntity},
		"nothing":                      {http.NoBody, 0, http.StatusUnprocessableEntity},
		"right, without length":        {bare{bytes.NewReader(noise(10_000))}, -1, http.StatusOK},
	} {
		path := at()
		res, err := s.visitor.putting(path, c.body, c.length)
		if err != nil { // the server has closed on a body that it will not read to its end
			if what != "far too long, without length" {
				t.Errorf("%s: %v", what, err)
			}
			continue
		}
		answer, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != c.status || c.status >= 400 && !strings.Contains(string(answer), "file-not-whole") {
			t.Errorf("%s: %d %s", what, res.StatusCode, answer)
		}
		// What has come, or has not, does not come again.
		if status, _ := s.visitor.put(path, bytes.NewReader(noise(10_000)), 10_000); status != http.StatusNotFound {
			t.Errorf("%s, and again: %d", what, status)
		}
	}
	s.until("one of them is left", func() bool { return s.left() == 1 })
	if got := s.call.packets("aparte.chat"); len(got) != 1 {
		t.Errorf("the call was told of %d files, want 1", len(got))
	}
	// What somebody else has announced, or nobody.
	path := at()
	rui, _ := s.another("Rui")
	if status, _ := rui.put(path, bytes.NewReader(noise(10_000)), 10_000); status != http.StatusNotFound {
		t.Errorf("by somebody else: %d", status)
	}
	if status, _ := rui.put(s.filesOf(rui)+"/..%2f..%2fetc", strings.NewReader("x"), 1); status != http.StatusNotFound {
		t.Errorf("a path for an id: %d", status)
	}
}

func TestASlowOrBrokenUploadHoldsNothingUp(t *testing.T) {
	s := newStageWith(t, func(s *server) { s.timing.Piece = 2 * time.Second })
	s.inCall()
	_, answer := s.sendingSlowly(s.visitor, 100_000) // and no more
	s.send(s.host, "entretemps.pdf", "everyone", []byte("note"))
	select {
	case got := <-answer:
		if got.Type != "urn:aparte:problem:file-not-whole" {
			t.Errorf("it ended with %+v", got)
		}
	case <-time.After(hang):
		t.Fatal("the server waits on")
	}
	s.until("nothing is left of it", func() bool { return s.left() == 1 })
	give, answer := s.sendingSlowly(s.visitor, 100_000)
	if err := give.(*io.PipeWriter).CloseWithError(errors.New("the sender is gone")); err != nil {
		t.Fatal(err)
	}
	<-answer
	s.until("nothing is left of it", func() bool { return s.left() == 1 })
}

// Whoever reads too slowly, or not at all, is not waited for.
func TestASlowReaderIsNotWaitedFor(t *testing.T) {
	// All of them are asked for, and one more, before the first is given up.
	s := newStageWith(t, func(s *server) { s.timing.Piece = 3 * time.Second })
	s.inCall()
	sent := s.send(s.host, "grand.bin", "everyone", noise(bigFile))
	var all []*http.Response
	for range 6 {
		all = append(all, s.getting(s.visitor, sent.File.ID)) //nolint:bodyclose // by getting, in the end
	}
	s.visitor.refused("too-many", http.StatusTooManyRequests, "GET", s.filesOf(s.visitor)+"/"+sent.File.ID, nil)
	s.until("it may be got again", func() bool { status, _, _ := s.get(s.visitor, sent.File.ID); return status == http.StatusOK })
	for _, res := range all {
		if rest, yes := cut(res); !yes {
			t.Errorf("the server has waited: %d bytes more", rest)
		}
	}
}

func TestHowMuchOneMaySend(t *testing.T) {
	s := newStageWith(t, func(s *server) {
		s.limits = meeting.FileLimits{Size: 1000, Bytes: 5000, OwnBytes: 2500, Count: 6, OwnCount: 4}
	})
	_, visitor := s.inCall()
	announce := func(p *person, size int64, code string, status int) api.Problem {
		t.Helper()
		s.clock.add(time.Second)
		return p.refused(code, status, "POST", s.filesOf(p), api.FileDraft{Name: "x.pdf", Size: size, To: "everyone"})
	}
	if p := announce(s.visitor, 1001, "file-too-large", http.StatusRequestEntityTooLarge); p.Limit != 1000 {
		t.Errorf("too large: %+v", p)
	}
	s.send(s.visitor, "a.pdf", "everyone", noise(1000))
	s.send(s.visitor, "b.pdf", "everyone", noise(1000))
	announce(s.visitor, 501, "too-many-files", http.StatusConflict)
	s.send(s.visitor, "c.pdf", "everyone", noise(100))
	s.send(s.visitor, "d.pdf", "everyone", noise(100))
	announce(s.visitor, 1, "too-many-files", http.StatusConflict)
	fifth := s.send(s.host, "e.pdf", visitor, noise(1000)) // private ones count, too
	s.send(s.host, "f.pdf", "everyone", noise(100))
	announce(s.host, 1, "files-full", http.StatusConflict)
	do[struct{}](s.host, http.StatusNoContent, "DELETE", s.filesOf(s.host)+"/"+fifth.File.ID, nil)
	s.send(s.host, "g.pdf", "everyone", noise(1000))

	for _, c := range []struct {
		draft api.FileDraft
		field string
	}{
		{api.FileDraft{Name: "..", Size: 1, To: "everyone"}, "body.name"},
		{api.FileDraft{Name: "", Size: 1, To: "everyone"}, "body.name"},
		{api.FileDraft{Name: "\u202e\x00", Size: 1, To: "everyone"}, "body.name"},
		{api.FileDraft{Name: "x", Size: 0, To: "everyone"}, "body.size"},
		{api.FileDraft{Name: "x", Size: -1, To: "everyone"}, "body.size"},
		{api.FileDraft{Name: "x", Size: 1, To: "p_x"}, "body.to"},
		{api.FileDraft{Name: "x", Size: 1, To: visitor}, "body.to"},
	} {
		s.clock.add(time.Minute)
		p := s.visitor.refused("invalid", http.StatusUnprocessableEntity, "POST", s.filesOf(s.visitor), c.draft)
		if len(p.Errors) != 1 || p.Errors[0].Location != c.field {
			t.Errorf("%+v: %+v", c.draft, p)
		}
	}
}

func TestTooManyFilesAtOnce(t *testing.T) {
	s := newStage(t)
	s.inCall()
	draft := api.FileDraft{Name: "x.pdf", Size: 1, To: "everyone"}
	for range 4 {
		do[api.CallFile](s.visitor, http.StatusCreated, "POST", s.filesOf(s.visitor), draft)
	}
	s.visitor.refused("too-many", http.StatusTooManyRequests, "POST", s.filesOf(s.visitor), draft)
	s.clock.add(61 * time.Second) // what was announced and never came is forgotten
	for range 4 {
		do[api.CallFile](s.visitor, http.StatusCreated, "POST", s.filesOf(s.visitor), draft)
	}
	for range 5 { // their rate is another bound
		f := do[api.CallFile](s.host, http.StatusCreated, "POST", s.filesOf(s.host), draft)
		if status, answer := s.host.put(s.filesOf(s.host)+"/"+f.ID, strings.NewReader("x"), 1); status != http.StatusOK {
			t.Fatalf("%d %s", status, answer)
		}
	}
	s.host.refused("too-many", http.StatusTooManyRequests, "POST", s.filesOf(s.host), draft)
}

func TestHostileNamesOfFiles(t *testing.T) {
	s := newStage(t)
	s.inCall()
	for typed, want := range map[string]struct{ name, disposition string }{
		"../../etc/passwd":         {"passwd", "attachment; filename=passwd"},
		"a\r\nSet-Cookie: x=1.pdf": {"a__Set-Cookie_ x=1.pdf", `attachment; filename="a__Set-Cookie_ x=1.pdf"`},
		`x"; filename=y.exe`:       {"x_; filename=y.exe", `attachment; filename="x_; filename=y.exe"`},
		"facture\u202efdp.exe":     {"facture_fdp.exe", "attachment; filename=facture_fdp.exe"},
		"a\x00.pdf":                {"a_.pdf", "attachment; filename=a_.pdf"},
		"<img src=x>.html":         {"_img src=x_.html", `attachment; filename="_img src=x_.html"`},
	} {
		m := s.send(s.visitor, typed, "everyone", []byte("x"))
		if m.File.Name != want.name || !m.File.Suspicious {
			t.Errorf("%q is kept as %+v", typed, m.File)
		}
		_, header, _ := s.get(s.host, m.File.ID)
		if got := header.Get("Content-Disposition"); got != want.disposition || header.Get("Set-Cookie") != "" {
			t.Errorf("%q is given as %q", typed, got)
		}
	}
	// What a sender tells of the type decides nothing, and says no more than a type.
	s.clock.add(time.Second)
	f := do[api.CallFile](s.visitor, http.StatusCreated, "POST", s.filesOf(s.visitor), api.FileDraft{Name: "x", Size: 1, To: "everyone", Type: "text/html\r\nX: y"})
	if f.Type != "" {
		t.Errorf("a type that is none is kept as %q", f.Type)
	}
}

// While the call runs nothing of a file can be read on the disk; the trail has that there
// was one, how large and whose, and what it was called beside the chain.
func TestNothingOfAFileIsOnTheDisk(t *testing.T) {
	s := newStage(t)
	_, visitor := s.inCall()
	secret := "aparte-test-secret-words-"
	content := bytes.Repeat([]byte(secret), 10_000)
	m := s.send(s.visitor, "tres-secret.pdf", "everyone", content)
	private := s.send(s.host, "aussi.pdf", visitor, content)
	if _, _, got := s.get(s.host, m.File.ID); !bytes.Equal(got, content) {
		t.Fatal("it does not come back")
	}
	if s.left() != 2 {
		t.Fatalf("%d files on the disk: this test looks in the wrong place", s.left())
	}
	if found := filesWith(t, s.dir, secret); len(found) > 0 {
		t.Errorf("what is in it can be read in %v", found)
	}
	if found := filesWith(t, filepath.Join(s.dir, "files"), "secret"); len(found) > 0 {
		t.Errorf("what it is called can be read in %v", found)
	}
	do[struct{}](s.host, http.StatusNoContent, "DELETE", s.filesOf(s.host)+"/"+private.File.ID, nil)
	var sent, deleted []audit.Event
	for _, e := range s.everyEvent() {
		switch e.Act {
		case audit.FileSent:
			sent = append(sent, e)
		case audit.FileDeleted:
			deleted = append(deleted, e)
		}
	}
	if len(sent) != 2 || sent[0].Actor.Kind != audit.Guest || sent[0].Subjects[audit.Participant] != visitor ||
		!maps.Equal(sent[0].Detail, map[string]string{"size": strconv.Itoa(len(content)), "to": "everyone"}) || sent[1].Detail["to"] != "one" || len(sent[0].Personal) != 1 {
		t.Errorf("the trail has %+v", sent)
	}
	if len(deleted) != 1 || deleted[0].Actor.Kind != audit.Agent {
		t.Errorf("the trail has %+v", deleted)
	}
	do[api.Meeting](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/end", nil)
	if s.left() != 0 {
		t.Errorf("%d files are left after the meeting", s.left())
	}
}

// A disk without room for files costs nobody but who would send one.
func TestADiskWithoutRoom(t *testing.T) {
	s := newStage(t)
	s.inCall()
	full, err := file.Open(file.Config{Dir: filepath.Join(t.TempDir(), "files"), Total: 100, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	roomy := s.files
	s.files = full // before the call's shelf is made
	defer func() { s.files = roomy }()
	f := do[api.CallFile](s.visitor, http.StatusCreated, "POST", s.filesOf(s.visitor), api.FileDraft{Name: "x.pdf", Size: 101, To: "everyone"})
	status, answer := s.visitor.put(s.filesOf(s.visitor)+"/"+f.ID, bytes.NewReader(noise(101)), 101)
	if status != http.StatusInsufficientStorage || !strings.Contains(string(answer), "no-room-for-files") {
		t.Errorf("%d %s", status, answer)
	}
	do[api.CallMessage](s.visitor, http.StatusOK, "POST", "/guest/call/messages", api.CallText{Text: "sans fichier"})
	s.send(s.visitor, "petit.pdf", "everyone", noise(100))
}
