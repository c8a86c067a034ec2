package api_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aparte/signaling/api"
	"aparte/signaling/audit"
	"aparte/signaling/post"
)

// An auditor finds acts by what they are, who did them, and on what.
func TestTheTrailIsFiltered(t *testing.T) {
	s := newStage(t)
	anne, post1 := s.host.id(), "/posts/"+s.post.ID+"/audit"
	s.admitted()
	second := s.host.meeting()
	auditor := s.member("aude@aparte.example", s.as(post.Auditor))
	read := func(query string) []api.AuditEvent {
		t.Helper()
		return do[api.AuditPage](auditor, http.StatusOK, "GET", post1+"?limit=500&"+query, nil).Events
	}
	all := read("")
	for _, c := range []struct {
		query  string
		chosen func(e api.AuditEvent) bool
	}{
		{"act=knock.admitted", func(e api.AuditEvent) bool { return e.Act == "knock.admitted" }},
		{"act=knock.admitted,link.created", func(e api.AuditEvent) bool { return e.Act == "knock.admitted" || e.Act == "link.created" }},
		{"actor=" + anne, func(e api.AuditEvent) bool { return e.Actor.ID == anne }},
		{"actor=guest", func(e api.AuditEvent) bool { return e.Actor.Kind == "guest" }},
		{"meeting=" + second.ID, func(e api.AuditEvent) bool { return e.Meeting == second.ID }},
		{"link=" + s.link.ID, func(e api.AuditEvent) bool { return e.Subjects["link"] == s.link.ID }},
		{"meeting=" + s.meeting.ID + "&act=meeting.created", func(e api.AuditEvent) bool { return e.Meeting == s.meeting.ID && e.Act == "meeting.created" }},
	} {
		want := slices.DeleteFunc(slices.Clone(all), func(e api.AuditEvent) bool { return !c.chosen(e) })
		got := read(c.query)
		if len(want) == 0 || !slices.EqualFunc(got, want, func(a, b api.AuditEvent) bool { return a.Seq == b.Seq && a.Hash == b.Hash }) {
			t.Errorf("%s: %d events, want %d of %d", c.query, len(got), len(want), len(all))
		}
	}
	// A guest is found by each of the ids that they go by, with all of them.
	knock := s.host.knocks(s.meeting.ID)[0]
	byKnock := read("guest=" + knock.ID)
	acts := make(map[string]bool)
	for _, e := range byKnock {
		acts[e.Act] = true
	}
	if !acts["knock.waiting"] || !acts["knock.admitted"] || !slices.EqualFunc(read("guest="+knock.Identity), byKnock, func(a, b api.AuditEvent) bool { return a.Seq == b.Seq }) {
		t.Errorf("by the knock %v, by the participant %+v", acts, read("guest="+knock.Identity))
	}
	if got := read("guest=" + strings.Repeat("x", 22)); len(got) != 0 {
		t.Errorf("a guest who never was: %+v", got)
	}
	// What ids are called, and only where the post has to do with them.
	names := do[api.AuditPage](auditor, http.StatusOK, "GET", post1, nil).Names
	if names[anne] != "Anne Bernard" || names[s.meeting.ID] != "Coopération consulaire" || names[knock.ID] != "Inês" || names[s.link.ID] != "MNE" {
		t.Errorf("names %v", names)
	}
	for query, location := range map[string]string{"act=Knock": "query.act[0]", "act=knock.admitted,%22": "query.act[1]", "meeting=%25": "query.meeting", "guest=a%20b": "query.guest", "actor=%22": "query.actor"} {
		if got := auditor.refused("invalid", http.StatusUnprocessableEntity, "GET", post1+"?"+query, nil); len(got.Errors) == 0 || got.Errors[0].Location != location {
			t.Errorf("%s is a problem at %+v", query, got.Errors)
		}
	}
}

// Events that are added while somebody turns the pages neither repeat nor hide any.
func TestThePagesOfTheTrailStay(t *testing.T) {
	s := newStage(t)
	auditor := s.member("aude@aparte.example", s.as(post.Auditor))
	path := "/posts/" + s.post.ID + "/audit?limit=2"
	first := do[api.AuditPage](auditor, http.StatusOK, "GET", path, nil)
	var seen []uint64
	for page := first; ; page = do[api.AuditPage](auditor, http.StatusOK, "GET", fmt.Sprintf("%s&before=%d", path, page.Next), nil) {
		for _, e := range page.Events {
			seen = append(seen, e.Seq)
		}
		s.host.meeting() // two events or more for each page that is turned
		if page.Next == 0 {
			break
		}
	}
	for i, seq := range seen {
		if want := first.Events[0].Seq - uint64(i); seq != want {
			t.Fatalf("the pages hold %v", seen)
		}
	}
	if seen[len(seen)-1] != 1 {
		t.Errorf("the pages end at %d", seen[len(seen)-1])
	}
}

// What an auditor takes away verifies by itself; of a chain that was tampered with
// nothing is given, and the check names what is wrong.
func TestTheTrailIsCheckedAndTakenAway(t *testing.T) {
	s := newStage(t)
	auditor := s.member("aude@aparte.example", s.as(post.Auditor))
	path := "/posts/" + s.post.ID + "/audit"
	good := do[api.AuditVerification](auditor, http.StatusOK, "GET", path+"/verification", nil)
	if !good.Intact || good.Last == 0 || good.Events != good.Last || len(good.LastHash) != 64 || good.PublicKey == "" || good.Texts == 0 || !good.CheckedAt.Equal(s.clock.Now()) {
		t.Errorf("%+v", good)
	}
	for _, p := range []*person{s.host, s.administrator()} {
		p.refused("forbidden", http.StatusForbidden, "GET", path+"/verification", nil)
		p.refused("forbidden", http.StatusForbidden, "POST", path+"/export", api.AuditStretch{})
	}
	status, header, file := auditor.raw("POST", path+"/export", `{}`)
	reports, err := audit.VerifyExport(bytes.NewReader(file), nil, nil)
	if status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") || err != nil || len(reports) != 1 || len(reports[0].Findings) > 0 || reports[0].First != 1 {
		t.Errorf("%d %v: %+v %v", status, header, reports, err)
	}
	if !bytes.Contains(file, []byte(`"act":"audit.exported"`)) {
		t.Error("the export is not told of in what is exported")
	}
	// A stretch: what came after a moment.
	moment := s.clock.Now().Add(time.Minute)
	s.clock.add(2 * time.Minute)
	s.host.meeting()
	_, _, file = auditor.raw("POST", path+"/export", `{"since":"`+moment.Format(time.RFC3339)+`"}`)
	if reports, err := audit.VerifyExport(bytes.NewReader(file), nil, nil); err != nil || len(reports) != 1 || len(reports[0].Findings) > 0 || reports[0].First <= good.Last {
		t.Errorf("a stretch: %+v %v", reports, err)
	}

	db, err := sql.Open("sqlite", filepath.Join(s.dir, "aparte.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`DROP TRIGGER audit_events_stay; UPDATE audit_events SET event = replace(event, 'meeting.created', 'meeting.changed') WHERE post = ? AND event LIKE '%meeting.created%'`, s.post.ID); err != nil {
		t.Fatal(err)
	}
	if kept := do[api.AuditVerification](auditor, http.StatusOK, "GET", path+"/verification", nil); !kept.Intact {
		t.Errorf("read anew within minutes: %+v", kept)
	}
	bad := do[api.AuditVerification](auditor, http.StatusOK, "GET", path+"/verification?again=true", nil)
	if bad.Intact || len(bad.Findings) == 0 || bad.Findings[0].Seq == 0 || !strings.Contains(bad.Findings[0].What, "altered") {
		t.Errorf("tampered with: %+v", bad)
	}
	auditor.refused("conflict", http.StatusConflict, "POST", path+"/export", api.AuditStretch{})
}

// unbuffered serves connections that hold nothing: what is not read waits.
func (s *server) unbuffered(p *person, handler http.Handler) *http.Client {
	s.t.Helper()
	l := &pipes{accepts: make(chan net.Conn), closed: make(chan struct{})}
	srv := &http.Server{Handler: handler}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = srv.Serve(l) // http.ErrServerClosed
	}()
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		select {
		case l.accepts <- there:
			return here, nil
		case <-l.closed:
			return nil, net.ErrClosed
		}
	}}
	s.t.Cleanup(func() {
		_ = srv.Close()
		<-ended
		transport.CloseIdleConnections()
	})
	return &http.Client{Jar: p.client.Jar, Transport: transport}
}

// pipes is a listener of connections in memory.
type pipes struct {
	accepts chan net.Conn
	closed  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.accepts:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// Whoever takes the trail away and does not read holds neither the server nor what is
// read of the database.
func TestTheTrailWaitsForNoReader(t *testing.T) {
	s := newStageWith(t, func(s *server) { s.timing.Piece = 2 * time.Second })
	for range 30 { // more than the server gathers before it writes
		s.host.meeting()
	}
	auditor := s.member("aude@aparte.example", s.as(post.Auditor))
	left := make(chan struct{})
	client := s.unbuffered(auditor, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(left)
		s.api.ServeHTTP(w, r)
	}))
	req, err := http.NewRequestWithContext(t.Context(), "POST", s.http.URL+"/api/v1/posts/"+s.post.ID+"/audit/export", strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("status %d", res.StatusCode)
	}
	select { // nothing of it is read
	case <-left:
	case <-time.After(hang):
		t.Error("the server waits for whoever does not read")
	}
	if rest, yes := cut(res); !yes {
		t.Errorf("it ended as if it were whole, after %d bytes more", rest)
	}
}
