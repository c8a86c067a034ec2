package api_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"aparte/signaling/api"
)

// told is a packet of the server for the call.
type told struct {
	topic, payload string
	to             []string // nil: all
}

func (f *fakeCall) Tell(_, topic string, payload []byte, identities ...string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, told{topic, string(payload), identities})
	return true
}

// packets are those with a topic, so far.
func (f *fakeCall) packets(topic string) []told {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.told), func(p told) bool { return p.topic != topic })
}

// inCall has the host and the visitor come into the call.
func (s *stage) inCall() (host, visitor string) {
	s.t.Helper()
	host = do[api.MediaToken](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/join", nil).Identity
	visitor = s.admitted()
	s.comesIn(host)
	s.comesIn(visitor)
	return host, visitor
}

func (s *stage) comesIn(identity string) {
	s.meetings.Joined(s.meeting.ID, identity, "PA_"+identity)
	do[api.Meeting](s.host, http.StatusOK, "GET", "/meetings/"+s.meeting.ID, nil) // comes after it
}

// another has a further guest come into the call.
func (s *stage) another(called string) (*person, string) {
	s.t.Helper()
	guest := s.guest(s.host.link(s.meeting.ID, api.LinkDraft{Label: called}))
	guest.knock(called)
	identity := s.host.decide(s.meeting.ID, s.host.waiting(s.meeting.ID).ID, "admit").Identity
	s.comesIn(identity)
	return guest, identity
}

func texts(all api.CallMessages) []string {
	out := []string{}
	for _, m := range all.Messages {
		out = append(out, m.Text)
	}
	return out
}

func TestWhoReadsWhatIsWrittenInTheCall(t *testing.T) {
	s := newStage(t)
	host, visitor := s.inCall()
	first := do[api.CallMessage](s.host, http.StatusOK, "POST", s.ofCall("messages"), api.CallText{Text: "avant\r\nRui"})
	if first.From != host || first.Seq != 1 || first.Text != "avant\nRui" || first.To != "everyone" || first.FromName != "Anne Bernard" {
		t.Errorf("written as %+v", first)
	}
	rui, ruis := s.another("Rui")
	do[api.CallMessage](s.host, http.StatusOK, "POST", s.ofCall("private-messages"), api.PrivateText{Text: "à Inês", To: visitor})
	do[api.CallMessage](s.visitor, http.StatusOK, "POST", "/guest/call/private-messages", api.PrivateText{Text: "aux hôtes", To: "hosts"})
	do[api.CallMessage](rui, http.StatusOK, "POST", "/guest/call/messages", api.CallText{Text: "à tous"})

	for _, c := range []struct {
		who  *person
		path string
		want []string
	}{
		{s.host, s.ofCall("messages"), []string{"avant\nRui", "à Inês", "aux hôtes", "à tous"}},
		{s.visitor, "/guest/call/messages", []string{"avant\nRui", "à Inês", "aux hôtes", "à tous"}},
		{rui, "/guest/call/messages", []string{"à tous"}},
	} {
		if got := texts(do[api.CallMessages](c.who, http.StatusOK, "GET", c.path, nil)); !slices.Equal(got, c.want) {
			t.Errorf("reads %q, want %q", got, c.want)
		}
	}
	for i, p := range s.call.packets("aparte.chat") {
		private := i == 1 || i == 2
		if private != (len(p.to) == 2) || slices.Contains(p.to, ruis) {
			t.Errorf("packet %d went to %q: %s", i, p.to, p.payload)
		}
	}

	// A reload is no new arrival; who is away neither reads nor writes.
	s.meetings.Left(s.meeting.ID, ruis, "PA_"+ruis)
	rui.refused("conflict", http.StatusConflict, "GET", "/guest/call/messages", nil)
	rui.refused("conflict", http.StatusConflict, "POST", "/guest/call/messages", api.CallText{Text: "là"})
	do[api.CallMessage](s.host, http.StatusOK, "POST", s.ofCall("messages"), api.CallText{Text: "sans Rui"})
	s.comesIn(ruis)
	if got := texts(do[api.CallMessages](rui, http.StatusOK, "GET", "/guest/call/messages", nil)); !slices.Equal(got, []string{"à tous", "sans Rui"}) {
		t.Errorf("after a reload: %q", got)
	}
}

func TestWhatIsWrittenInTheCallIsRefused(t *testing.T) {
	s := newStage(t)
	s.visitor.refused("forbidden", http.StatusForbidden, "POST", "/guest/call/messages", api.CallText{Text: "du couloir"})
	s.visitor.refused("forbidden", http.StatusForbidden, "GET", "/guest/call/messages", nil)
	s.host.refused("conflict", http.StatusConflict, "POST", s.ofCall("messages"), api.CallText{Text: "de la porte"})
	host, _ := s.inCall()
	rui, ruis := s.another("Rui")
	eve := s.agent("eve@aparte.example")
	eve.refused("not-found", http.StatusNotFound, "POST", s.ofCall("messages"), api.CallText{Text: "d’ailleurs"})
	eve.refused("not-found", http.StatusNotFound, "GET", s.ofCall("messages"), nil)
	for _, text := range []string{"", " \n ", "\u202e", "a\x00b", strings.Repeat("é", 2049)} {
		p := rui.refused("invalid", http.StatusUnprocessableEntity, "POST", "/guest/call/messages", api.CallText{Text: text})
		if len(p.Errors) != 1 || p.Errors[0].Location != "body.text" {
			t.Errorf("%.20q: %+v", text, p)
		}
	}
	for _, to := range []string{"p_x", "everyone", ruis} {
		p := rui.refused("invalid", http.StatusUnprocessableEntity, "POST", "/guest/call/private-messages", api.PrivateText{Text: "à qui", To: to})
		if len(p.Errors) != 1 || p.Errors[0].Location != "body.to" {
			t.Errorf("to %q: %+v", to, p)
		}
	}
	// Whoever writes is never a field.
	rui.refused("invalid", http.StatusUnprocessableEntity, "POST", "/guest/call/messages", map[string]string{"text": "à la place", "from": host})
	if got := s.call.packets("aparte.chat"); len(got) != 0 {
		t.Errorf("the call was told %+v", got)
	}

	do[api.Permitted](s.host, http.StatusOK, "PUT", "/meetings/"+s.meeting.ID+"/participants/"+ruis+"/permissions", map[string]bool{"chat": false})
	p := rui.refused("forbidden", http.StatusForbidden, "POST", "/guest/call/messages", api.CallText{Text: "sans droit"})
	if !strings.Contains(p.Detail, "right to write") {
		t.Errorf("without the right: %+v", p)
	}
	rui.refused("forbidden", http.StatusForbidden, "POST", "/guest/call/private-messages", api.PrivateText{Text: "sans droit", To: "hosts"})
	do[api.CallMessages](rui, http.StatusOK, "GET", "/guest/call/messages", nil)
}

func TestAFloodInTheCallCostsItsSenderAlone(t *testing.T) {
	s := newStage(t)
	s.inCall()
	for range 5 {
		do[api.CallMessage](s.visitor, http.StatusOK, "POST", "/guest/call/messages", api.CallText{Text: "encore"})
	}
	for range 20 {
		s.visitor.refused("too-many", http.StatusTooManyRequests, "POST", "/guest/call/messages", api.CallText{Text: "encore"})
		s.visitor.refused("too-many", http.StatusTooManyRequests, "POST", "/guest/call/private-messages", api.PrivateText{Text: "encore", To: "hosts"})
	}
	do[api.CallMessage](s.host, http.StatusOK, "POST", s.ofCall("messages"), api.CallText{Text: "bonjour"})
	if got := s.call.packets("aparte.chat"); len(got) != 6 {
		t.Errorf("the call was told %d messages", len(got))
	}
	s.clock.add(200 * time.Millisecond)
	do[api.CallMessage](s.visitor, http.StatusOK, "POST", "/guest/call/messages", api.CallText{Text: "encore"})
	s.visitor.refused("too-many", http.StatusTooManyRequests, "POST", "/guest/call/messages", api.CallText{Text: "encore"})

	for range 2 {
		do[struct{}](s.visitor, http.StatusNoContent, "POST", "/guest/call/reactions", api.Reaction{Reaction: "thanks"})
	}
	s.visitor.refused("too-many", http.StatusTooManyRequests, "POST", "/guest/call/reactions", api.Reaction{Reaction: "thanks"})
	s.visitor.refused("invalid", http.StatusUnprocessableEntity, "POST", "/guest/call/reactions", api.Reaction{Reaction: "🔥"})
}

func TestHostsAloneLowerHandsAndSetTheTimer(t *testing.T) {
	s := newStage(t)
	s.inCall()
	do[struct{}](s.visitor, http.StatusNoContent, "PUT", "/guest/call/hand", nil)
	timer := do[api.CallTimer](s.host, http.StatusOK, "PUT", s.ofCall("timer"), api.TimerDraft{Seconds: 90})
	if !timer.EndsAt.Equal(s.clock.Now().Add(90*time.Second)) || timer.StartedBy != "Anne Bernard" {
		t.Errorf("timer %+v", timer)
	}
	for _, seconds := range []int{0, -1, 86401} {
		s.host.refused("invalid", http.StatusUnprocessableEntity, "PUT", s.ofCall("timer"), api.TimerDraft{Seconds: seconds})
	}
	for _, path := range []string{"hands", "timer"} {
		s.visitor.refused("unauthenticated", http.StatusUnauthorized, "DELETE", s.ofCall(path), nil)
		s.agent(path+"@aparte.example").refused("not-found", http.StatusNotFound, "DELETE", s.ofCall(path), nil)
	}
}

// What is written in a call is on no disk, neither in the database nor beside it, unless
// the security profile keeps it; what is private never is.
func TestWhatIsSaidInACallIsStoredOnlyWhereItIsKept(t *testing.T) {
	const toAll, private, later = "Rendez-vous-derriere-la-gare", "Sous-le-pont-a-minuit", "Finalement-devant"
	for _, keeps := range []bool{false, true} {
		s := newStage(t)
		if keeps {
			s.keepChat(true)
		}
		_, visitor := s.inCall()
		do[api.CallMessage](s.host, http.StatusOK, "POST", s.ofCall("messages"), api.CallText{Text: toAll})
		do[api.CallMessage](s.host, http.StatusOK, "POST", s.ofCall("private-messages"), api.PrivateText{Text: private, To: visitor})
		do[api.CallMessage](s.visitor, http.StatusOK, "POST", "/guest/call/private-messages", api.PrivateText{Text: private, To: "hosts"})
		do[struct{}](s.visitor, http.StatusNoContent, "PUT", "/guest/call/hand", nil)
		if keeps {
			s.keepChat(false)
		}
		do[api.CallMessage](s.host, http.StatusOK, "POST", s.ofCall("messages"), api.CallText{Text: later})
		do[api.Meeting](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/end", nil)
		if found := filesWith(t, s.dir, toAll); (len(found) > 0) != keeps {
			t.Errorf("kept: %t, and what was for all is found in %q", keeps, found)
		}
		for _, text := range []string{private, later} {
			if found := filesWith(t, s.dir, text); len(found) > 0 {
				t.Errorf("kept: %t, and %s is found in %q", keeps, text, found)
			}
		}
		if found := filesWith(t, s.dir, s.meeting.Title); len(found) == 0 {
			t.Error("the search finds nothing at all")
		}
	}
}

// keepChat puts another version of the standard profile in force that keeps what is
// written, or does not.
func (s *stage) keepChat(keeps bool) {
	s.t.Helper()
	if s.keeper == nil {
		s.keeper = s.admin()
	}
	at := do[api.ProfileHistory](s.keeper, http.StatusOK, "GET", "/profiles/standard", nil).Profile.Version
	s.keeper.change(at, func(r *api.ProfileRules) { r.KeepChat = keeps })
}

// The hosts read, take away and delete what was kept, by the API and in stretches.
func TestHostsHaveWhatWasKept(t *testing.T) {
	s := newStage(t)
	at := "/meetings/" + s.meeting.ID + "/kept-chat"
	if got := do[api.KeptChat](s.host, http.StatusOK, "GET", at, nil); got.Total != 0 || len(got.Messages) != 0 || got.Days != 90 {
		t.Errorf("before anything: %+v", got)
	}
	if got := lookOf(s.visitor).Meeting.KeepChatDays; got != 0 {
		t.Errorf("the guest at the door is told %d days", got)
	}
	s.keepChat(true)
	if got := lookOf(s.visitor).Meeting.KeepChatDays; got != 90 {
		t.Errorf("the guest at the door is told %d days", got)
	}
	s.inCall()
	do[api.CallMessage](s.visitor, http.StatusOK, "POST", "/guest/call/messages", api.CallText{Text: "<b>=1+1</b>\nfin"})
	const more = 205
	for i := range more {
		s.clock.add(time.Second)
		do[api.CallMessage](s.host, http.StatusOK, "POST", s.ofCall("messages"), api.CallText{Text: "n° " + strconv.Itoa(i)})
	}
	do[api.Meeting](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/end", nil)
	got := do[api.KeptChat](s.host, http.StatusOK, "GET", at, nil)
	if got.Total != more+1 || !got.More || len(got.Messages) != 200 || got.Messages[0].Role != "guest" || got.Messages[0].Text != "<b>=1+1</b>\nfin" {
		t.Errorf("%d of %d, more: %t, first %+v", len(got.Messages), got.Total, got.More, got.Messages[0])
	}
	rest := do[api.KeptChat](s.host, http.StatusOK, "GET", at+"?after="+strconv.FormatInt(got.Messages[199].Seq, 10), nil)
	if rest.More || len(rest.Messages) != more+1-200 {
		t.Errorf("the rest: %d, more: %t", len(rest.Messages), rest.More)
	}
	all := do[api.KeptChat](s.host, http.StatusOK, "POST", at+"/export", api.KeptExport{})
	if len(all.Messages) != more+1 || all.More {
		t.Errorf("taken away: %d, more: %t", len(all.Messages), all.More)
	}
	for _, query := range []string{"?after=-1", "?after=x"} {
		s.host.refused("invalid", http.StatusUnprocessableEntity, "GET", at+query, nil)
	}
	s.visitor.refused("unauthenticated", http.StatusUnauthorized, "GET", at, nil)
	s.agent("eve@aparte.example").refused("not-found", http.StatusNotFound, "GET", at, nil)
	if got := do[api.KeptDeleted](s.host, http.StatusOK, "DELETE", at, nil); got.Messages != more+1 {
		t.Errorf("deleted %d", got.Messages)
	}
	if got := do[api.KeptChat](s.host, http.StatusOK, "GET", at, nil); got.Total != 0 || len(got.Messages) != 0 {
		t.Errorf("afterwards: %+v", got)
	}
}
