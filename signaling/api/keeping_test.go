package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"aparte/signaling/api"
	"aparte/signaling/audit"
	"aparte/signaling/post"
	"aparte/signaling/recording"
	"aparte/signaling/recording/recordingtest"
)

// states of a recording in the table below, in its columns' order.
var keptStates = []string{"kept", "held", "expired", "expired and held", "being deleted", "deleted"}

// In the table below: what each gets in each state. To whom a meeting is nothing there is
// none; whoever was disabled is nobody.
const (
	always401 = "401 401 401 401 401 401"
	always403 = "403 403 403 403 403 403"
	always404 = "404 404 404 404 404 404"
	unseen    = "- - - - - -"
)

var keptTable = map[string]map[string]string{
	"list": {
		"host": "+ + + + + -", "cohost": "+ + + + + -", "administrator": "+ + + + + -", "colleague": "+ + - - - -",
		"participant": unseen, "agent": unseen, "auditor": unseen, "root": unseen, "agent elsewhere": unseen, "disabled": always401,
	},
	"download": {
		"host": "200 200 404 404 404 404", "cohost": "200 200 404 404 404 404", "colleague": "200 200 404 404 404 404",
		"administrator": always404, "participant": always403, "agent": always404, "auditor": always404, "root": always404, "agent elsewhere": always404, "disabled": always401,
	},
	"share": {
		"host": "200 200 404 404 404 404", "cohost": "200 200 404 404 404 404", "colleague": always404,
		"administrator": always404, "participant": always403, "agent": always404, "auditor": always404, "root": always404, "agent elsewhere": always404, "disabled": always401,
	},
	"delete": {
		"host": "200 409 200 409 200 404", "cohost": always403, "colleague": always404,
		"administrator": always404, "participant": always403, "agent": always404, "auditor": always404, "root": always404, "agent elsewhere": always404, "disabled": always401,
	},
	"hold": {
		"administrator": "200 409 200 409 409 404", "host": always403, "cohost": always403, "colleague": always403,
		"participant": always403, "agent": always403, "auditor": always403, "root": always404, "agent elsewhere": always404, "disabled": always401,
	},
	"lift": {
		"administrator": "409 204 409 204 409 404", "host": always403, "cohost": always403, "colleague": always403,
		"participant": always403, "agent": always403, "auditor": always403, "root": always404, "agent elsewhere": always404, "disabled": always401,
	},
}

// Who may do what with a recording, in each state that it can be in.
func TestWhoMayDoWhatWithRecordings(t *testing.T) {
	s := newStage(t)
	s.inCall()
	rome := s.newPost("Rome")
	people := map[string]*person{
		"host": s.host, "cohost": s.member("marc@aparte.example", s.as(post.Agent)), "participant": s.member("paul@aparte.example", s.as(post.Agent)),
		"colleague": s.member("luc@aparte.example", s.as(post.Agent)), "disabled": s.member("dan@aparte.example", s.as(post.Agent)),
		"agent": s.member("ana@aparte.example", s.as(post.Agent)), "auditor": s.member("aude@aparte.example", s.as(post.Auditor)),
		"administrator": s.member("adele@aparte.example", s.as(post.Administrator)), "agent elsewhere": s.member("rosa@aparte.example", post.Membership{Post: rome, Role: post.Agent}),
	}
	_, code, err := s.login.InviteAdmin(t.Context(), "Root", "root@aparte.example", post.Membership{Post: rome, Role: post.Administrator})
	if err != nil {
		t.Fatal(err)
	}
	people["root"] = s.person()
	do[api.SignedIn](people["root"], http.StatusOK, "POST", "/session/one-time", api.OneTimeCode{Code: code})
	for email, role := range map[string]string{"marc": "cohost", "paul": "participant"} {
		do[api.Member](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/members", api.MemberDraft{Email: email + "@aparte.example", Role: role})
	}
	disabled := false
	db := s.database()
	in := func(state string) (id string) {
		t.Helper()
		id = s.recorded("Compte rendu")
		for _, email := range []string{"luc@aparte.example", "dan@aparte.example"} {
			if !disabled || email != "dan@aparte.example" {
				do[api.RecordingShare](s.host, http.StatusOK, "POST", s.ofRecording(id, "/shares"), api.ShareDraft{Email: email})
			}
		}
		if !disabled { // while it was shared with them
			do[api.AdministeredAccount](people["administrator"], http.StatusOK, "POST", "/accounts/"+people["disabled"].id()+"/disable", nil)
			disabled = true
		}
		if strings.HasSuffix(state, "held") {
			do[api.RecordingHold](people["administrator"], http.StatusOK, "PUT", s.holdOf(id), api.HoldDraft{Reason: "Réquisition"})
		}
		if strings.HasPrefix(state, "expired") {
			if _, err := db.ExecContext(t.Context(), `UPDATE recordings SET keep_days = 0, expires_at = ended_at WHERE id = $1`, id); err != nil {
				t.Fatal(err)
			}
		}
		if state == "being deleted" {
			s.recorder.Stick(id)
			defer s.recorder.Stick()
		}
		if strings.HasSuffix(state, "deleted") {
			s.host.raw("DELETE", s.ofRecording(id, ""), "")
		}
		return id
	}
	ask := func(by *person, act, id string) string {
		t.Helper()
		call := map[string][3]string{
			"list": {"GET", "/recordings?limit=50", ""}, "download": {"GET", s.ofRecording(id, "/parts/1"), ""}, "delete": {"DELETE", s.ofRecording(id, ""), ""},
			"share": {"POST", s.ofRecording(id, "/shares"), `{"email":"ana@aparte.example"}`},
			"hold":  {"PUT", s.holdOf(id), `{"reason":"Réquisition"}`}, "lift": {"DELETE", s.holdOf(id), ""},
		}[act]
		status, _, answer := by.raw(call[0], call[1], call[2])
		switch found := strings.Contains(string(answer), id); {
		case act != "list" || status != http.StatusOK:
			return fmt.Sprint(status)
		case found:
			return "+"
		}
		return "-"
	}
	for act, table := range keptTable {
		for column, state := range keptStates {
			id := in(state)
			for _, allowed := range []bool{false, true} { // refusals first: they change nothing
				for name, row := range table {
					want := strings.Fields(row)[column]
					if (want[0] == '2') != allowed {
						continue
					}
					if got := ask(people[name], act, id); got != want {
						t.Errorf("%s, %s: %s gets %s, want %s", state, act, name, got, want)
					}
				}
			}
			if act == "share" { // not with one more in the next round
				s.host.raw("DELETE", s.ofRecording(id, "/shares/"+people["agent"].id()), "")
			}
		}
	}
}

// Whoever a recording is shared with has it in their list, and nothing else of its meeting.
func TestASharedRecordingIsAllThatOneGets(t *testing.T) {
	s := newStage(t)
	s.inCall()
	id := do[api.CallRecording](s.host, http.StatusOK, "POST", s.ofCall("recording/ask"), api.RecordingDraft{Purpose: "Compte rendu"}).ID
	s.saysAsGuest(id, "decline")
	s.records("start")
	luc, lia := s.member("luc@aparte.example", s.as(post.Agent)), s.member("lia@aparte.example", s.as(post.Agent))
	shares := s.ofRecording(id, "/shares")
	s.host.refused("conflict", http.StatusConflict, "POST", shares, api.ShareDraft{Email: "luc@aparte.example"}) // until when it is kept nobody knows
	s.records("stop")
	s.until("stopped", func() bool { return s.list()[0].State == "stopped" })

	past, late, soon := s.clock.Now().Add(-time.Second), s.clock.Now().AddDate(1, 0, 0), s.clock.Now().Add(time.Hour)
	s.member("rosa@aparte.example", post.Membership{Post: s.newPost("Rome"), Role: post.Agent})
	for _, email := range []string{"nobody@aparte.example", "rosa@aparte.example"} { // who there is elsewhere is not told
		if p := s.host.refused("invalid", http.StatusUnprocessableEntity, "POST", shares, api.ShareDraft{Email: email}); p.Errors[0].Location != "body.email" {
			t.Errorf("%s: %+v", email, p.Errors)
		}
	}
	if p := s.host.refused("invalid", http.StatusUnprocessableEntity, "POST", shares, api.ShareDraft{Email: "luc@aparte.example", Until: &past}); p.Errors[0].Location != "body.until" {
		t.Errorf("in the past: %+v", p.Errors)
	}
	made := do[api.RecordingShare](s.host, http.StatusOK, "POST", shares, api.ShareDraft{Email: "Luc@aparte.example", Until: &late})
	listed := s.list()[0]
	if made.Account != luc.id() || !made.Until.Equal(*listed.ExpiresAt) || !slices.Equal(listed.Shares, []api.RecordingShare{made}) || !slices.Equal(listed.May, []string{"download", "share", "delete"}) {
		t.Errorf("shared %+v; listed %+v, kept until %v, may %q", made, listed.Shares, listed.ExpiresAt, listed.May)
	}
	mine := func(by *person) []api.FoundRecording {
		t.Helper()
		return do[api.FoundRecordings](by, http.StatusOK, "GET", "/recordings?of=shared", nil).Recordings
	}
	got := mine(luc)
	if len(got) != 1 || len(mine(lia)) != 0 {
		t.Fatalf("in the lists: %+v, %+v", got, mine(lia))
	}
	if r := got[0]; r.Title != "Coopération consulaire" || r.Role != "" || r.Until == nil || !r.Until.Equal(made.Until) || r.Recording.Purpose != "Compte rendu" || !slices.Equal(r.Recording.May, []string{"download"}) ||
		len(r.Recording.Parts) != 1 || len(r.Recording.Declined)+len(r.Recording.Shares)+len(r.Recording.Downloads) != 0 {
		t.Errorf("the colleague sees %+v", r)
	}
	part := s.ofRecording(id, "/parts/1")
	if status, _, file := luc.raw("GET", part, ""); status != http.StatusOK || string(file) != string(recordingtest.PartContent(id, 1)) {
		t.Errorf("taken away: %d, %d bytes", status, len(file))
	}
	if d := s.list()[0].Downloads; len(d) != 1 || d[0].Extent != "whole" {
		t.Errorf("the host reads %+v", d)
	}
	// One answer for what is not shared, is none, and is none of theirs.
	_, _, want := luc.raw("GET", "/meetings/"+unknown.meeting+"/recordings/"+unknown.recording+"/parts/1", "")
	for who, paths := range map[*person][]string{
		luc: {s.ofRecording(unknown.recording, "/parts/1"), "/meetings/" + s.meeting.ID, "/meetings/" + s.meeting.ID + "/recordings", "/meetings/" + s.meeting.ID + "/attendance", "/meetings/" + s.meeting.ID + "/kept-chat"},
		lia: {part, s.ofRecording(unknown.recording, "/parts/1")},
	} {
		for _, path := range paths {
			if status, _, answer := who.raw("GET", path, ""); status != http.StatusNotFound || string(answer) != string(want) {
				t.Errorf("%s: %d %s, want %s", path, status, answer, want)
			}
		}
	}
	// Its time, taking it back, and the end of the account's part at the post.
	do[api.RecordingShare](s.host, http.StatusOK, "POST", shares, api.ShareDraft{Email: "luc@aparte.example", Until: &soon})
	s.clock.add(time.Hour)
	luc.refused("not-found", http.StatusNotFound, "GET", part, nil)
	if len(mine(luc)) != 0 || len(s.list()[0].Shares) != 0 {
		t.Error("its time is over, and it is shared")
	}
	do[api.RecordingShare](s.host, http.StatusOK, "POST", shares, api.ShareDraft{Email: "luc@aparte.example"})
	do[struct{}](s.host, http.StatusNoContent, "DELETE", shares+"/"+luc.id(), nil)
	s.host.refused("not-found", http.StatusNotFound, "DELETE", shares+"/"+luc.id(), nil)
	luc.refused("not-found", http.StatusNotFound, "GET", part, nil)
	do[api.RecordingShare](s.host, http.StatusOK, "POST", shares, api.ShareDraft{Email: "luc@aparte.example"})
	admin := s.administrator()
	do[struct{}](admin, http.StatusNoContent, "DELETE", "/posts/"+s.post.ID+"/members/"+luc.id(), nil)
	if luc.refused("not-found", http.StatusNotFound, "GET", part, nil); len(mine(luc)) != 0 {
		t.Error("they act for the post no more, and it is in their list")
	}
	lia = s.shares(id, "lio@aparte.example") // whoever audits does not act
	do[api.PostMember](admin, http.StatusOK, "PUT", "/posts/"+s.post.ID+"/members/"+lia.id(), api.PostMemberRole{Role: "auditor"})
	if lia.refused("not-found", http.StatusNotFound, "GET", part, nil); len(mine(lia)) != 0 {
		t.Error("an auditor has it in the list")
	}
	told := slices.DeleteFunc(s.events(), func(e audit.Event) bool {
		return e.Subjects[audit.Account] != luc.id() || e.Subjects[audit.OfRecording] != id || e.Act == audit.CallRefused
	})
	if got := acts(told); !slices.Equal(got, []audit.Act{audit.RecordingShared, audit.RecordingShared, audit.RecordingShared, audit.RecordingUnshared, audit.RecordingShared}) || told[0].Detail["until"] == "" || told[0].Actor.ID != s.host.id() {
		t.Errorf("the trail tells %q: %+v", got, told[0])
	}
}

// The list has pages and filters, and tells why there is a hold to those who may lift it.
func TestRecordingsAreFound(t *testing.T) {
	s := newStage(t)
	s.inCall()
	var ids []string
	for range 3 {
		ids = append([]string{s.recorded("Compte rendu")}, ids...)
		s.clock.add(time.Hour)
	}
	admin := s.administrator()
	do[api.RecordingHold](admin, http.StatusOK, "PUT", s.holdOf(ids[1]), api.HoldDraft{Reason: "Réquisition"})
	luc := s.shares(ids[2], "luc@aparte.example")
	start := s.clock.Now().Add(-3 * time.Hour)
	find := func(by *person, query string) (found []string, next string) {
		t.Helper()
		page := do[api.FoundRecordings](by, http.StatusOK, "GET", "/recordings?"+query, nil)
		for _, r := range page.Recordings {
			found = append(found, r.Recording.ID)
		}
		return found, page.Next
	}
	at := func(hours int) string {
		return url.QueryEscape(start.Add(time.Duration(hours) * time.Hour).Format(time.RFC3339))
	}
	for query, want := range map[string][]string{
		"": ids, "of=hosted": ids, "of=shared": nil, "of=post": nil, "held=true": ids[1:2], "title=consulaire%20COOPERATION": ids, "title=visas": nil,
		"since=" + at(1): ids[:2], "until=" + at(1): ids[2:], "since=" + at(1) + "&until=" + at(2): ids[1:2],
		"recording=" + ids[1]: ids[1:2], "recording=" + unknown.recording: nil, "post=" + s.post.ID: ids, "post=" + unknown.post: nil, "title=%25": ids, "title=_": ids, // words alone count
	} {
		if got, next := find(s.host, query); !slices.Equal(got, want) || next != "" {
			t.Errorf("%q finds %q and %q, want %q", query, got, next, want)
		}
	}
	if got, _ := find(admin, "of=post"); !slices.Equal(got, ids) {
		t.Errorf("the administrator finds %q", got)
	}
	if got, _ := find(luc, ""); !slices.Equal(got, ids[2:]) {
		t.Errorf("the colleague finds %q", got)
	}
	var paged []string
	for after, pages := "", 0; pages == 0 || after != "" && pages < 9; pages++ {
		var one []string
		one, after = find(s.host, "limit=1&after="+after)
		paged = append(paged, one...)
	}
	if !slices.Equal(paged, ids) {
		t.Errorf("by pages %q, want %q", paged, ids)
	}
	s.host.refused("invalid", http.StatusUnprocessableEntity, "GET", "/recordings?after=somewhere", nil)
	held := func(by *person) api.RecordingHold {
		t.Helper()
		return *do[api.FoundRecordings](by, http.StatusOK, "GET", "/recordings?held=true", nil).Recordings[0].Recording.Hold
	}
	if got := held(admin); got.Reason != "Réquisition" || got.By == "" || got.Since.IsZero() {
		t.Errorf("the administrator reads %+v", got)
	}
	if got := held(s.host); got.Reason != "" || got.By != "" || got.Since.IsZero() {
		t.Errorf("the host reads %+v", got)
	}
	s.host.refused("recording-held", http.StatusConflict, "DELETE", s.ofRecording(ids[1], ""), nil)
}

// What is locked in its store is not deleted by its host before its time, who reads until
// when; colleagues do not. It goes by itself when that is over.
func TestWhatIsLockedInTheStoreIsNotDeleted(t *testing.T) {
	s := newStage(t)
	s.inCall()
	id := s.recorded("Compte rendu")
	luc := s.shares(id, "luc@aparte.example")
	one := func(by *person) api.Recording {
		t.Helper()
		return do[api.FoundRecordings](by, http.StatusOK, "GET", "/recordings", nil).Recordings[0].Recording
	}
	if got := one(s.host); got.Locked != nil || !slices.Contains(got.May, "delete") {
		t.Errorf("before: %+v, %q", got.Locked, got.May)
	}
	if _, _, err := s.store.LockRecording(t.Context(), id, true); err != nil {
		t.Fatal(err)
	}
	if got := one(s.host); got.Locked == nil || !got.Locked.Equal(*got.ExpiresAt) || slices.Contains(got.May, "delete") {
		t.Errorf("the host reads %v and may %q", got.Locked, got.May)
	}
	if got := one(luc); got.Locked != nil {
		t.Errorf("the colleague reads %s", got.Locked)
	}
	s.host.refused("recording-locked", http.StatusConflict, "DELETE", s.ofRecording(id, ""), nil)
	if n := len(s.list()); n != 1 {
		t.Errorf("%d are left", n)
	}
	admin := s.administrator()
	do[api.RecordingHold](admin, http.StatusOK, "PUT", s.holdOf(id), api.HoldDraft{Reason: "Réquisition"})
	s.host.refused("recording-held", http.StatusConflict, "DELETE", s.ofRecording(id, ""), nil)
	do[struct{}](admin, http.StatusNoContent, "DELETE", s.holdOf(id), nil)
	s.clock.add(one(s.host).ExpiresAt.Sub(s.clock.Now()))
	s.meetings.SweepRecordings(t.Context())
	if _, err := s.store.StartedRecording(t.Context(), s.meeting.ID, id); !errors.Is(err, recording.ErrNone) {
		t.Errorf("after its time: %v", err)
	}
}
