package api_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"aparte/signaling/api"
	"aparte/signaling/audit"
	"aparte/signaling/post"
	"aparte/signaling/profile"
	"aparte/signaling/recording"
	"aparte/signaling/recording/recordingtest"
)

// records has the host do something with the recording.
func (s *stage) records(act string) api.CallRecording {
	s.t.Helper()
	return do[api.CallRecording](s.host, http.StatusOK, "POST", s.ofCall("recording/"+act), nil)
}

// asksToRecord has both in the call, and the host ask.
func (s *stage) asksToRecord() (id string) {
	s.t.Helper()
	s.inCall()
	return do[api.CallRecording](s.host, http.StatusOK, "POST", s.ofCall("recording/ask"), api.RecordingDraft{Purpose: "Compte rendu"}).ID
}

// recorded is a recording that has stopped.
func (s *stage) recorded(purpose string) (id string) {
	s.t.Helper()
	id = do[api.CallRecording](s.host, http.StatusOK, "POST", s.ofCall("recording/ask"), api.RecordingDraft{Purpose: purpose}).ID
	s.records("start")
	s.records("stop")
	s.until("stopped", func() bool {
		return slices.ContainsFunc(s.list(), func(r api.Recording) bool { return r.ID == id && r.State == "stopped" })
	})
	return id
}

func (s *stage) list() []api.Recording {
	s.t.Helper()
	return do[api.RecordingList](s.host, http.StatusOK, "GET", "/meetings/"+s.meeting.ID+"/recordings", nil).Recordings
}

// ofRecording is the path of one, or of something below it.
func (s *stage) ofRecording(id, below string) string {
	return "/meetings/" + s.meeting.ID + "/recordings/" + id + below
}

func (s *stage) holdOf(id string) string {
	return "/posts/" + s.post.ID + s.ofRecording(id, "/hold")
}

// shares has the host share a recording with a new agent of the post.
func (s *stage) shares(id, email string) *person {
	s.t.Helper()
	colleague := s.member(email, s.as(post.Agent))
	do[api.RecordingShare](s.host, http.StatusOK, "POST", s.ofRecording(id, "/shares"), api.ShareDraft{Email: email})
	return colleague
}

func (s *stage) saysAsGuest(id, said string) api.CallRecording {
	s.t.Helper()
	return do[api.CallRecording](s.visitor, http.StatusOK, "POST", "/guest/call/recording/answer", api.RecordingSaid{Recording: id, Answer: said})
}

func TestRecording(t *testing.T) {
	s := newStage(t)
	host, visitor := s.inCall()
	ofGuest := func() api.CallRecording {
		t.Helper()
		return do[api.CallRecording](s.visitor, http.StatusOK, "GET", "/guest/call/recording", nil)
	}
	waits := s.guest(s.link)
	before := func() string {
		t.Helper()
		return do[api.GuestView](waits, http.StatusOK, "GET", "/guest", nil).Meeting.Recording
	}
	if got := ofGuest(); got.State != "none" || got.Unavailable != "" || before() != "none" {
		t.Errorf("at first %+v", got)
	}
	s.host.refused("conflict", http.StatusConflict, "POST", s.ofCall("recording/start"), nil)
	s.host.refused("invalid", http.StatusUnprocessableEntity, "POST", s.ofCall("recording/ask"), api.RecordingDraft{Purpose: " \u200b"})
	asked := do[api.CallRecording](s.host, http.StatusOK, "POST", s.ofCall("recording/ask"), api.RecordingDraft{Purpose: "Compte rendu"})
	if asked.State != "asking" || asked.By != "Anne Bernard" || asked.Purpose != "Compte rendu" || asked.KeepDays != 90 || asked.Policy != "consent" || len(asked.Answers) != 2 || asked.StartedAt != nil {
		t.Errorf("asked %+v", asked)
	}
	if got := ofGuest(); got.ID != asked.ID || got.Answer != "" || got.Answers != nil || before() != "asking" {
		t.Errorf("the guest is asked %+v", got)
	}
	s.host.refused("conflict", http.StatusConflict, "POST", s.ofCall("recording/ask"), api.RecordingDraft{Purpose: "Autre"})
	s.visitor.refused("conflict", http.StatusConflict, "POST", "/guest/call/recording/answer", api.RecordingSaid{Recording: "another", Answer: "agree"})
	s.visitor.refused("invalid", http.StatusUnprocessableEntity, "POST", "/guest/call/recording/answer", map[string]any{"recording": asked.ID, "answer": "yes"})
	waits.refused("forbidden", http.StatusForbidden, "POST", "/guest/call/recording/answer", api.RecordingSaid{Recording: asked.ID, Answer: "agree"})

	if got := s.saysAsGuest(asked.ID, "agree"); got.Answer != "agreed" {
		t.Errorf("agreed: %+v", got)
	}
	if got := s.recorder.Taken(); got != nil {
		t.Errorf("before the start %v are taken", got)
	}
	started := s.records("start")
	if started.State != "running" || started.StartedAt == nil || before() != "running" {
		t.Errorf("started %+v", started)
	}
	if got := s.recorder.Taken(); !slices.Equal(got, []string{visitor}) {
		t.Errorf("%v are taken, want the guest", got)
	}
	order := s.recorder.Orders()[0]
	if order.ID != asked.ID || order.Part != 1 || order.Meeting != s.meeting.ID || order.Post != s.post.ID || order.Profile != profile.Standard || order.Policy != profile.RecordingConsent || order.Purpose != "Compte rendu" || order.KeepDays != 90 || order.AskedByName != "Anne Bernard" {
		t.Errorf("ordered %+v", order)
	}
	do[api.CallRecording](s.host, http.StatusOK, "POST", s.ofCall("recording/answer"), api.RecordingSaid{Recording: asked.ID, Answer: "agree"})
	if got, want := s.recorder.Taken(), []string{host, visitor}; !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("%v are taken, want both", got)
	}
	// The word is taken back, given again, and holds over a reload.
	if got := s.saysAsGuest(asked.ID, "withdraw"); got.Answer != "withdrawn" || !slices.Equal(s.recorder.Taken(), []string{host}) {
		t.Errorf("withdrawn: %+v, and %v are taken", got, s.recorder.Taken())
	}
	s.saysAsGuest(asked.ID, "agree")
	s.meetings.Left(s.meeting.ID, visitor, "PA_"+visitor)
	s.comesIn(visitor)
	s.until("taken again", func() bool { return slices.Contains(s.recorder.Taken(), visitor) })
	s.saysAsGuest(asked.ID, "decline")
	if got := s.recorder.Taken(); !slices.Equal(got, []string{host}) {
		t.Errorf("declined after all, and %v are taken", got)
	}
	if s.records("pause"); s.recorder.Taken() != nil {
		t.Error("paused, and somebody is taken")
	}
	s.records("resume")

	// Over a restart everything holds but that anything is taken.
	s.restart()
	s.comesIn(host)
	s.comesIn(visitor)
	if got := ofGuest(); got.State != "interrupted" || got.Answer != "withdrawn" || s.recorder.Taken() != nil {
		t.Errorf("after a restart %+v, and %v are taken", got, s.recorder.Taken())
	}
	if got := s.records("resume"); got.State != "running" || !slices.Equal(s.recorder.Taken(), []string{host}) || s.recorder.Orders()[1].Part != 2 {
		t.Errorf("resumed: %+v, and %v are taken", got, s.recorder.Taken())
	}
	s.host.refused("conflict", http.StatusConflict, "DELETE", "/meetings/"+s.meeting.ID+"/recordings/"+asked.ID, nil)
	if s.records("stop"); s.recorder.Taken() != nil {
		t.Error("stopped, and somebody is taken")
	}
	s.until("stopped", func() bool { return s.list()[0].State == "stopped" })
	got := s.list()
	if len(got) != 1 || got[0].Bytes != 2000 || got[0].Because != "host" || got[0].To == nil || got[0].Sealed || len(got[0].People) != 2 || before() != "none" {
		t.Errorf("listed %+v", got)
	}
	for _, p := range got[0].People {
		if p.Withdrawn != (p.Name == "Inês") {
			t.Errorf("in it: %+v", p)
		}
	}
	do[api.RecordingDeleted](s.host, http.StatusOK, "DELETE", "/meetings/"+s.meeting.ID+"/recordings/"+asked.ID, nil)
	if len(s.list()) != 0 || !slices.Equal(s.recorder.Deleted(), []string{asked.ID}) {
		t.Errorf("deleted: %v", s.recorder.Deleted())
	}
	s.host.refused("not-found", http.StatusNotFound, "DELETE", "/meetings/"+s.meeting.ID+"/recordings/"+asked.ID, nil)
	if got := acts(slices.DeleteFunc(s.events(), func(e audit.Event) bool { return e.Subjects[audit.OfRecording] == "" || e.Act == audit.CallRefused })); !slices.Equal(got, []audit.Act{
		audit.RecordingAsked, audit.RecordingAgreed, audit.RecordingStarted, audit.RecordingAgreed, audit.RecordingWithdrawn, audit.RecordingAgreed,
		audit.RecordingWithdrawn, audit.RecordingPaused, audit.RecordingResumed, audit.RecordingInterrupted, audit.RecordingClosed, audit.RecordingResumed,
		audit.RecordingStopped, audit.RecordingClosed, audit.RecordingDeletion, audit.RecordingDeleted,
	}) {
		t.Errorf("the trail tells %q", got)
	}
}

// Where it cannot be, the problem says why, and hosts are told beforehand.
func TestRecordingIsRefused(t *testing.T) {
	s := newStage(t)
	s.recorder.Fail(errors.New("no folder"))
	s.asksToRecord()
	s.host.refused("recording-unavailable", http.StatusConflict, "POST", s.ofCall("recording/start"), nil)
	if got := do[api.CallRecording](s.host, http.StatusOK, "GET", s.ofCall("recording"), nil); got.State != "none" {
		t.Errorf("after a failure %+v", got)
	}
	s.recorder.Fail(nil)
	s.unable = true
	s.restart()
	s.host.refused("recording-unavailable", http.StatusConflict, "POST", s.ofCall("recording/ask"), api.RecordingDraft{Purpose: "Compte rendu"})
	if got := do[api.CallRecording](s.host, http.StatusOK, "GET", s.ofCall("recording"), nil); got.Unavailable != "recording-unavailable" {
		t.Errorf("without a recorder %+v", got)
	}
	admin := s.administrator()
	rules := profile.Defaults()[0].Rules
	rules.Recording = profile.RecordingImpossible
	do[api.Profile](admin, http.StatusCreated, "POST", "/profiles", draftOf("unrecorded", rules))
	do[api.MeetingEffects](s.host, http.StatusOK, "PUT", "/meetings/"+s.meeting.ID+"/profile", api.ProfileChoice{Profile: "unrecorded"})
	refused := s.host.refused("profile-refuses", http.StatusForbidden, "POST", s.ofCall("recording/ask"), api.RecordingDraft{Purpose: "Compte rendu"})
	if refused.Line != "recording" {
		t.Errorf("refused by the line %q", refused.Line)
	}
}

// What its time is over is deleted by itself.
func TestRecordingsExpire(t *testing.T) {
	s := newStage(t)
	s.inCall()
	id := s.recorded("Compte rendu")
	s.clock.add(89 * 24 * time.Hour)
	s.meetings.SweepRecordings(t.Context())
	if s.recorder.Deleted() != nil {
		t.Error("deleted too early")
	}
	s.clock.add(2 * 24 * time.Hour)
	s.recorder.Fail(errors.New("no such folder"))
	s.meetings.SweepRecordings(t.Context())
	s.recorder.Fail(nil)
	s.clock.add(10 * time.Minute)
	s.meetings.SweepRecordings(t.Context())
	s.meetings.SweepRecordings(t.Context())
	if got := s.recorder.Deleted(); !slices.Equal(got, []string{id}) {
		t.Errorf("deleted %v", got)
	}
	all := s.events()
	if last := all[len(all)-1]; last.Act != audit.RecordingDeleted || last.Actor.Kind != audit.Server || last.Detail["because"] != "expired" {
		t.Errorf("the trail tells %+v", last)
	}
}

// Hosts take a part away as it is kept, whole or in ranges, and the trail has it first.
func TestRecordingsAreTakenAway(t *testing.T) {
	s := newStage(t)
	_, visitor := s.inCall()
	id := do[api.CallRecording](s.host, http.StatusOK, "POST", s.ofCall("recording/ask"), api.RecordingDraft{Purpose: "Compte rendu"}).ID
	s.saysAsGuest(id, "decline")
	s.records("start")
	at := func(which string, part int) string {
		return fmt.Sprintf("/meetings/%s/recordings/%s/parts/%d", s.meeting.ID, which, part)
	}
	if got := s.list()[0]; len(got.Parts) != 1 || got.Parts[0].Closed {
		t.Errorf("while it runs there is %+v", got.Parts)
	}
	if refused := s.host.refused("conflict", http.StatusConflict, "GET", at(id, 1), nil); !strings.Contains(refused.Detail, "still being written") {
		t.Errorf("what is being written: %+v", refused)
	}
	// The server goes down, and another part begins: nothing more is written to the first.
	s.recorder.BreakOff()
	if got := s.list()[0].Parts; len(got) != 1 || !got[0].Closed || !got[0].BrokenOff {
		t.Errorf("what broke off is listed as %+v", got)
	}
	s.restart()
	s.comesIn(visitor)
	s.records("resume")
	s.host.refused("conflict", http.StatusConflict, "GET", at(id, 2), nil)
	listed := s.list()[0]
	if want := []api.RecordingPart{{Number: 1, Name: "recording-2027-03-02-" + id + "-part-0001.tar", Bytes: 1000, Closed: true, BrokenOff: true, Stored: "here"}, {Number: 2, Name: "recording-2027-03-02-" + id + "-part-0002.tar", Bytes: 1000, Stored: "here"}}; !slices.Equal(listed.Parts, want) || len(listed.Downloads) != 0 {
		t.Errorf("there is %+v, downloaded %+v", listed.Parts, listed.Downloads)
	}
	if !slices.Equal(listed.Declined, []string{"Inês"}) || len(listed.People) != 0 {
		t.Errorf("declined: %q, in it: %+v", listed.Declined, listed.People)
	}
	s.records("stop")
	s.until("stopped", func() bool { return s.list()[0].State == "stopped" })

	want := recordingtest.PartContent(id, 2)
	get := func(set map[string]string) (int, http.Header, []byte) {
		t.Helper()
		for name, value := range set {
			s.host.header.Set(name, value)
			defer s.host.header.Del(name)
		}
		return s.host.raw("GET", at(id, 2), "")
	}
	// Looked at, it is no download.
	if status, header, got := s.host.raw("HEAD", at(id, 2), ""); status != http.StatusOK || header.Get("Content-Length") != "1000" || len(got) != 0 || len(s.list()[0].Downloads) != 0 {
		t.Errorf("looked at: %d %v, told as downloaded: %+v", status, header, s.list()[0].Downloads)
	}
	// Nor is it one while the store is away, which is said as what passes.
	s.recorder.Silence(recording.ErrStoreAway)
	s.host.refused("unavailable", http.StatusServiceUnavailable, "GET", at(id, 2), nil)
	s.recorder.Silence(nil)
	status, header, got := get(nil)
	if status != http.StatusOK || !bytes.Equal(got, want) {
		t.Fatalf("%d, %d bytes", status, len(got))
	}
	for name, is := range map[string]string{
		"Content-Type": "application/x-tar", "Content-Length": "1000", "Content-Disposition": "attachment; filename=recording-2027-03-02-" + id + "-part-0002.tar",
		"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Accept-Ranges": "bytes", "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
	} {
		if header.Get(name) != is {
			t.Errorf("%s: %q, want %q", name, header.Get(name), is)
		}
	}
	if status, header, got := get(map[string]string{"Range": "bytes=990-", "If-Range": header.Get("ETag")}); status != http.StatusPartialContent || !bytes.Equal(got, want[990:]) || header.Get("Content-Range") != "bytes 990-999/1000" {
		t.Errorf("the rest: %d %v %q", status, header, got)
	}
	if status, _, got := get(map[string]string{"Range": "bytes=990-", "If-Range": `"another"`}); status != http.StatusOK || len(got) != len(want) {
		t.Errorf("the rest of something else: %d, %d bytes", status, len(got))
	}
	if status, _, got := get(map[string]string{"Range": "bytes=2000-"}); status != http.StatusRequestedRangeNotSatisfiable || len(got) > 100 {
		t.Errorf("beyond its end: %d %q", status, got)
	}
	downloads := s.list()[0].Downloads
	if want := (api.RecordingDownload{Name: "Anne Bernard", What: "part", Part: 2, Extent: "whole", At: s.clock.Now()}); !slices.Equal(downloads, []api.RecordingDownload{want}) {
		t.Errorf("downloaded: %+v, want once %+v", downloads, want)
	}
	if told := s.events(); told[len(told)-1].Act != audit.RecordingDownloaded || told[len(told)-1].Subjects[audit.OfRecording] != id || told[len(told)-1].Detail["part"] != "2" {
		t.Errorf("the trail tells %+v", told[len(told)-1])
	}

	// Nobody else gets it, and there is no other.
	for path, status := range map[string]int{
		at(id, 3): 404, at(id, 0): 422, at("another", 1): 404, at("..", 1): 404, at("..%2f..", 1): 404,
		"/meetings/" + s.meeting.ID + "/recordings/" + id + "/parts/..%2fnode.key": 422,
	} {
		if got, _, _ := s.host.raw("GET", path, ""); got != status && (status != 404 || got < 300 || got > 404) {
			t.Errorf("%s: %d, want %d", path, got, status)
		}
	}
	s.visitor.refused("unauthenticated", http.StatusUnauthorized, "GET", at(id, 1), nil)
	s.person().refused("unauthenticated", http.StatusUnauthorized, "GET", at(id, 1), nil)
	luc := s.member("luc@aparte.example", s.as(post.Agent))
	do[api.Member](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/members", api.MemberDraft{Email: "luc@aparte.example", Role: "participant"})
	luc.refused("forbidden", http.StatusForbidden, "GET", at(id, 1), nil)
	{
		told := s.events()
		last := told[len(told)-1]
		if last.Act != audit.CallRefused || last.Actor.ID != luc.id() || last.Meeting != s.meeting.ID || last.Subjects[audit.OfRecording] != id || last.Detail["operation"] != "download-recording" || last.Detail["problem"] != "forbidden" {
			t.Errorf("of the refusal the trail tells %+v", last)
		}
	}

	// Nor does anybody once its time is over.
	before := len(s.list()[0].Downloads)
	keep := func(days int) {
		t.Helper()
		db := s.database()
		defer db.Close()
		if _, err := db.ExecContext(t.Context(), `UPDATE recordings SET keep_days = $1`, days); err != nil {
			t.Fatal(err)
		}
	}
	keep(0) // it is not deleted yet
	s.host.refused("not-found", http.StatusNotFound, "GET", at(id, 1), nil)
	if got := s.list()[0].Downloads; len(got) != before {
		t.Errorf("refused, and told as downloaded: %+v", got)
	}
	keep(90)
	s.recorder.Stick(id) // what cannot be deleted now is deleted later, and nobody gets it
	if got := do[api.RecordingDeleted](s.host, http.StatusOK, "DELETE", "/meetings/"+s.meeting.ID+"/recordings/"+id, nil); !got.Left || !s.list()[0].Deleting {
		t.Errorf("deleted: %+v, listed %+v", got, s.list()[0])
	}
	s.host.refused("not-found", http.StatusNotFound, "GET", at(id, 1), nil)
	s.recorder.Stick()
	if got := do[api.RecordingDeleted](s.host, http.StatusOK, "DELETE", "/meetings/"+s.meeting.ID+"/recordings/"+id, nil); got.Left || len(s.list()) != 0 {
		t.Errorf("deleted: %+v, listed %+v", got, s.list())
	}
	s.host.refused("not-found", http.StatusNotFound, "GET", at(id, 1), nil)
	if n := s.recorder.Opened(); n != 0 {
		t.Errorf("%d files are still open", n)
	}
}

// Whoever asks for all in other words, or for several ranges, has asked for all. Several
// are not answered as such: what reads them would go on after the part was closed.
func TestHowMuchOfAPartIsAskedFor(t *testing.T) {
	s := newStage(t)
	s.inCall()
	id := s.recorded("Compte rendu")
	for _, c := range []struct {
		asked  string
		status int
		bytes  int
		extent string
	}{
		{"bytes=0-", 206, 1000, "whole"},
		{"bytes=0-999", 206, 1000, "whole"},
		{"bytes=00-5000", 206, 1000, "whole"},
		{"bytes=-1000", 206, 1000, "whole"},
		{"bytes=-5000", 206, 1000, "whole"},
		{"bytes=0-499,500-999", 200, 1000, "whole"},
		{"bytes=1-1,5-5", 200, 1000, "whole"},
		{"bytes=0-998", 206, 999, "range"},
		{"bytes=1-", 206, 999, "range"},
		{"bytes=-999", 206, 999, "range"},
	} {
		s.clock.add(time.Hour) // of each hour there is one line
		s.host.header.Set("Range", c.asked)
		status, header, got := s.host.raw("GET", s.ofRecording(id, "/parts/1"), "")
		if status != c.status || len(got) != c.bytes || header.Get("Content-Type") != "application/x-tar" {
			t.Errorf("%s: %d, %d bytes of %s", c.asked, status, len(got), header.Get("Content-Type"))
		}
		s.host.header.Del("Range")
		if told := s.list()[0].Downloads[0]; told.Extent != c.extent || !told.At.Equal(s.clock.Now()) {
			t.Errorf("%s is told as %+v", c.asked, told)
		}
	}
}

// A link of another site takes nothing away and has nothing told as watched, though the
// browser sends the session along.
func TestNoOtherSiteTakesARecordingAway(t *testing.T) {
	s := newWatchable(t)
	id := s.recorded("Compte rendu")
	s.films(id, done)
	for _, below := range []string{"/parts/1", "/film", "/film?save=true", "/film/captions", "/film/chapters"} {
		for site, status := range map[string]int{"cross-site": 403, "same-site": 403, "same-origin": 200, "none": 200} {
			s.host.header.Set("Sec-Fetch-Site", site)
			if got, _, _ := s.host.raw("GET", s.ofRecording(id, below), ""); got != status {
				t.Errorf("%s, %s: %d, want %d", below, site, got, status)
			}
			s.host.header.Del("Sec-Fetch-Site")
		}
	}
}

// A download under way ends when whoever gets it may have it no more.
func TestADownloadEndsWhenItMayNotGoOn(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(s *stage, id string)
		cut  bool
		by   func(s *stage, id string) *person // who takes it; nil: the host
	}{
		{name: "nothing happens", do: func(*stage, string) {}},
		{"it is taken back from a colleague", func(s *stage, id string) {
			do[struct{}](s.host, http.StatusNoContent, "DELETE", s.ofRecording(id, "/shares/"+s.list()[0].Shares[0].Account), nil)
		}, true, func(s *stage, id string) *person { return s.shares(id, "luc@aparte.example") }},
		{"the colleague's account is disabled", func(s *stage, _ string) {
			do[api.AdministeredAccount](s.administrator(), http.StatusOK, "POST", "/accounts/"+s.list()[0].Shares[0].Account+"/disable", nil)
		}, true, func(s *stage, id string) *person { return s.shares(id, "luc@aparte.example") }},
		{"the account is disabled", func(s *stage, _ string) {
			do[api.AdministeredAccount](s.administrator(), http.StatusOK, "POST", "/accounts/"+s.host.id()+"/disable", nil)
		}, true, nil},
		{"the session is signed out", func(s *stage, _ string) {
			do[struct{}](s.host, http.StatusNoContent, "DELETE", "/session", nil)
		}, true, nil},
		{"the recording is deleted", func(s *stage, id string) {
			do[api.RecordingDeleted](s.host, http.StatusOK, "DELETE", "/meetings/"+s.meeting.ID+"/recordings/"+id, nil)
		}, true, nil},
		{"its time is over", func(s *stage, _ string) {
			if _, err := s.database().ExecContext(s.t.Context(), `UPDATE recordings SET keep_days = 0`); err != nil {
				s.t.Fatal(err)
			}
		}, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			const size, piece = 1 << 20, 64 << 10 // more than one piece waits nowhere
			s.recorder.Grow(size)
			s.inCall()
			id := s.recorded("Compte rendu")
			by := s.host
			if c.by != nil {
				by = c.by(s, id)
			}
			client := s.unbuffered(by, s.api)
			req, err := http.NewRequestWithContext(t.Context(), "GET", fmt.Sprintf("%s/api/v1/meetings/%s/recordings/%s/parts/1", s.http.URL, s.meeting.ID, id), nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if _, err := io.ReadFull(res.Body, make([]byte, piece)); err != nil || res.StatusCode != http.StatusOK {
				t.Fatal(res.StatusCode, err)
			}
			c.do(s, id)
			s.clock.add(time.Minute)
			if rest, cut := cut(res); cut != c.cut || cut == (rest > piece) {
				t.Errorf("cut: %t, want %t, after %d bytes more", cut, c.cut, rest)
			}
			s.until("it is closed", func() bool { return s.recorder.Opened() == 0 })
		})
	}
}

func TestTheNodesKeyIsTold(t *testing.T) {
	s := newStage(t)
	key, _ := s.recorder.NodeKey()
	want := api.NodeKey{Type: "aparte-node-key", Node: "paris-1", Algorithm: "Ed25519", Key: key.Key}
	if got := do[api.NodeKey](s.host, http.StatusOK, "GET", "/node-key", nil); !reflect.DeepEqual(got, want) {
		t.Errorf("told %+v", got)
	}
	s.person().refused("unauthenticated", http.StatusUnauthorized, "GET", "/node-key", nil)
	s.recorder.Fail(recording.ErrNoRecorder)
	s.host.refused("recording-unavailable", http.StatusConflict, "GET", "/node-key", nil)
}

// What was recorded stays in hand where no recipient is configured any more.
func TestRecordingsAreKeptWithoutARecorder(t *testing.T) {
	s := newStage(t)
	s.inCall()
	away, expires := s.recorded("Compte rendu"), s.recorded("Autre")
	s.unable = true
	s.restart()
	if s.host.refused("recording-unavailable", http.StatusConflict, "POST", s.ofCall("recording/ask"), api.RecordingDraft{Purpose: "Encore"}); len(s.list()[0].Parts) != 1 {
		t.Errorf("listed %+v", s.list())
	}
	status, _, got := s.host.raw("GET", "/meetings/"+s.meeting.ID+"/recordings/"+away+"/parts/1", "")
	if status != http.StatusOK || !bytes.Equal(got, recordingtest.PartContent(away, 1)) {
		t.Errorf("taken away: %d, %d bytes", status, len(got))
	}
	do[api.NodeKey](s.host, http.StatusOK, "GET", "/node-key", nil)
	do[api.RecordingDeleted](s.host, http.StatusOK, "DELETE", "/meetings/"+s.meeting.ID+"/recordings/"+away, nil)
	s.clock.add(91 * 24 * time.Hour)
	s.meetings.SweepRecordings(t.Context())
	if got := s.recorder.Deleted(); !slices.Equal(got, []string{away, expires}) {
		t.Errorf("deleted %v", got)
	}
}
