package api_test

import (
	"net/http"
	"testing"

	"aparte/signaling/api"
)

func (s *stage) orphans(admin *person) []api.Orphan {
	s.t.Helper()
	return do[api.OrphanList](admin, http.StatusOK, "GET", "/posts/"+s.post.ID+"/orphans", nil).Meetings
}

func (s *stage) ofOrphan(act string) string {
	return "/posts/" + s.post.ID + "/orphans/" + s.meeting.ID + "/" + act
}

func TestAMeetingThatLostItsHostGetsAnother(t *testing.T) {
	s := newStage(t)
	luc, admin := s.agent("luc@aparte.example"), s.administrator()
	desk := s.host.hostSocket(s.meeting.ID)
	lobby := s.visitor.lobbySocket()
	if err := desk.ws.WriteJSON(api.HostCommand{Type: "seen", Seq: desk.next().Seq}); err != nil {
		t.Fatal(err)
	}
	lobby.until("the guest reads that a host knows", func(m api.GuestMessage) bool { return m.Guest.HostKnows })
	if all := s.orphans(admin); len(all) != 0 {
		t.Fatalf("a meeting with its host is listed: %+v", all)
	}
	admin.refused("conflict", http.StatusConflict, "POST", s.ofOrphan("host"), api.HostAppointment{Email: "luc@aparte.example"})
	admin.refused("conflict", http.StatusConflict, "POST", s.ofOrphan("end"), nil)
	luc.refused("forbidden", http.StatusForbidden, "GET", "/posts/"+s.post.ID+"/orphans", nil)

	do[struct{}](admin, http.StatusNoContent, "DELETE", "/posts/"+s.post.ID+"/members/"+s.host.id(), nil)
	if v := do[api.GuestView](s.visitor, http.StatusOK, "GET", "/guest", nil); v.HostKnows || v.Status != "waiting" {
		t.Errorf("who waits reads that a host knows who is none any more: %+v", v)
	}
	all := s.orphans(admin)
	if len(all) != 1 || all[0].ID != s.meeting.ID || all[0].Title != s.meeting.Title || all[0].Host.Name != "Anne Bernard" {
		t.Fatalf("orphans %+v", all)
	}
	luc.refused("forbidden", http.StatusForbidden, "POST", s.ofOrphan("host"), api.HostAppointment{Email: "luc@aparte.example"})
	s.host.refused("not-found", http.StatusNotFound, "POST", s.ofOrphan("end"), nil)
	for _, email := range []string{"nobody@aparte.example", "anne@aparte.example"} { // unknown, and no longer of the post
		admin.refused("invalid", http.StatusUnprocessableEntity, "POST", s.ofOrphan("host"), api.HostAppointment{Email: email})
	}
	if got := do[api.Orphan](admin, http.StatusOK, "POST", s.ofOrphan("host"), api.HostAppointment{Email: "LUC@aparte.example"}); got.Host.ID != luc.id() {
		t.Errorf("appointed %+v", got)
	}
	if all := s.orphans(admin); len(all) != 0 {
		t.Errorf("still listed: %+v", all)
	}
	if m := do[api.Meeting](luc, http.StatusOK, "GET", "/meetings/"+s.meeting.ID, nil); m.Role != "host" || m.Waiting != 1 {
		t.Errorf("the new host sees %+v", m)
	}
	luc.decide(s.meeting.ID, s.knock, "admit")

	// Whoever was the host is nobody there when they act for the post again.
	do[api.PostMember](admin, http.StatusCreated, "POST", "/posts/"+s.post.ID+"/members", api.PostMemberDraft{Email: "anne@aparte.example", Role: "agent"})
	s.host.refused("not-found", http.StatusNotFound, "GET", "/meetings/"+s.meeting.ID, nil)
}

func TestAMeetingThatLostItsHostIsEnded(t *testing.T) {
	s := newStage(t)
	admin := s.orphan()
	if got := do[api.Orphan](admin, http.StatusOK, "POST", s.ofOrphan("end"), nil); got.State != "ended" {
		t.Errorf("after the end %+v", got)
	}
	if v := do[api.GuestView](s.visitor, http.StatusOK, "GET", "/guest", nil); v.Status != "ended" {
		t.Errorf("who waited is told %q", v.Status)
	}
	if all := s.orphans(admin); len(all) != 0 {
		t.Errorf("still listed: %+v", all)
	}
	admin.refused("meeting-ended", http.StatusGone, "POST", s.ofOrphan("end"), nil)
}

// Whoever acts for the post again before anybody else was named hosts as before.
func TestAHostWhoIsBackInTimeIsTheHost(t *testing.T) {
	s := newStage(t)
	admin := s.orphan()
	do[api.PostMember](admin, http.StatusCreated, "POST", "/posts/"+s.post.ID+"/members", api.PostMemberDraft{Email: "anne@aparte.example", Role: "agent"})
	if all := s.orphans(admin); len(all) != 0 {
		t.Errorf("listed: %+v", all)
	}
	s.host.decide(s.meeting.ID, s.knock, "admit")
}

// A co-host is enough: the meeting is no orphan.
func TestAMeetingWithACohostIsNoOrphan(t *testing.T) {
	s := newStage(t)
	s.agent("luc@aparte.example")
	do[api.Member](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/members", api.MemberDraft{Email: "luc@aparte.example", Role: "cohost"})
	admin := s.orphan()
	if all := s.orphans(admin); len(all) != 0 {
		t.Errorf("listed: %+v", all)
	}
	admin.refused("conflict", http.StatusConflict, "POST", s.ofOrphan("end"), nil)
}
