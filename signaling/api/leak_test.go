package api_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"aparte/signaling/api"
	"aparte/signaling/audit"
	"aparte/signaling/post"
	"aparte/signaling/profile"
)

// ids are what calls can name of one post.
type ids struct{ meeting, link, knock, identity, post, account, session, file, recording, recipient string }

// unknown are ids of nothing.
var unknown = ids{
	meeting: strings.Repeat("M", 22), link: strings.Repeat("L", 22), knock: strings.Repeat("K", 22),
	identity: "p_" + strings.Repeat("P", 22), post: strings.Repeat("O", 22), account: strings.Repeat("C", 22), session: strings.Repeat("S", 22), file: strings.Repeat("F", 22),
	recording: strings.Repeat("R", 22), recipient: strings.Repeat("Q", 22),
}

// filled is a path with its ids in place of the parameters.
func (i ids) filled(path string) string {
	return strings.NewReplacer("{id}", i.meeting, "{link}", i.link, "{knock}", i.knock, "{identity}", i.identity, "{post}", i.post, "{account}", i.account, "{session}", i.session, "{file}", i.file, "{recording}", i.recording, "{recipient}", i.recipient, "{part}", "1").Replace(path)
}

// naming is a call that names something of a post.
type naming struct {
	id   string // of the operation
	body func(i ids) any
	path string // "": of the API's description
	csv  bool
	// open calls ask who knows a link, not who asks: they are told to the link's post.
	open bool
	// answer is what a stranger gets; 0: 404, as an unknown id does.
	answer int // -1: any refusal: who may make no meeting or account is told so first
}

func fixed(body any) func(ids) any { return func(ids) any { return body } }

// namings are all calls that name something of a post, in an order in which the one
// who may can make them all, one after the other.
var namings = []naming{
	{id: "list-posts", answer: http.StatusOK}, // names none, and must list none
	{id: "list-accounts", answer: http.StatusOK},
	{id: "list-meetings", path: "/meetings?post={post}", answer: http.StatusOK},
	{id: "get-meeting"},
	{id: "list-links"},
	{id: "list-link-uses"},
	{id: "list-knocks"},
	{id: "list-post-members"},
	{id: "list-members"},
	{id: "list-orphans"},
	{id: "list-recipients"},
	{id: "appoint-host", body: fixed(api.HostAppointment{Email: "anne@aparte.example"})}, // somebody hosts it
	{id: "end-orphan"},
	{id: "get-figures"},
	{id: "list-audit"},
	{id: "verify-audit"},
	{id: "export-audit", body: fixed(api.AuditStretch{})},
	{id: "list-profiles", path: "/profiles?post={post}"},
	{id: "get-profile", path: "/profiles/standard?post={post}"},
	{id: "create-profile", path: "/profiles?post={post}", body: func(ids) any { return draftOf("named", profile.Defaults()[0].Rules) }, answer: -1},
	{id: "preview-profile", path: "/profiles/standard/preview?post={post}", body: func(ids) any { return editOf(1, func(r *api.ProfileRules) { r.GuestShare = profile.Granted }) }, answer: -1},
	{id: "change-profile", path: "/profiles/standard?post={post}", body: func(ids) any { return editOf(1, func(r *api.ProfileRules) { r.GuestShare = profile.Granted }) }, answer: -1},
	{id: "preview-choice", body: fixed(api.ProfileChoice{Profile: "named"})},
	{id: "choose-profile", body: fixed(api.ProfileChoice{Profile: "named"})},
	{id: "create-meeting", body: func(i ids) any { return map[string]any{"title": "Visas", "post": i.post} }, answer: -1},
	{id: "create-account", body: func(i ids) any {
		return api.AccountDraft{Name: "X", Email: "x@aparte.example", Post: i.post}
	}, answer: -1},
	{id: "redeem-link", open: true, body: func(i ids) any { return api.Redeem{LinkID: i.link, Code: strings.Repeat("A", 43)} }},
	{id: "challenge-guest", open: true, body: func(i ids) any { return api.ChallengeAsked{LinkID: i.link, Code: strings.Repeat("A", 43)} }},
	{id: "list-profiles", path: "/profiles?post={post}"},
	{id: "get-profile", path: "/profiles/standard?post={post}"},
	{id: "create-profile", path: "/profiles?post={post}", body: func(ids) any { return draftOf("named", profile.Defaults()[0].Rules) }, answer: -1},
	{id: "preview-profile", path: "/profiles/standard/preview?post={post}", body: func(ids) any { return editOf(1, func(*api.ProfileRules) {}) }, answer: -1},
	{id: "change-profile", path: "/profiles/standard?post={post}", body: func(ids) any { return editOf(1, func(*api.ProfileRules) {}) }, answer: -1},
	{id: "preview-choice", body: fixed(api.ProfileChoice{Profile: "named"})},
	{id: "choose-profile", body: fixed(api.ProfileChoice{Profile: "named"})},
	{id: "join-meeting"},
	{id: "get-own-knock"},
	{id: "knock-as-agent"},
	{id: "withdraw-as-agent"},
	{id: "reply-as-agent", body: fixed(api.LobbyText{Text: "Bien"})},
	{id: "name-member", body: fixed(api.MemberDraft{Email: "anne@aparte.example", Role: "cohost"})},
	{id: "set-member", body: fixed(api.MemberRole{Role: "observer"})},
	{id: "hand-over"},
	{id: "remove-member"},
	{id: "set-participant-role", body: fixed(api.MemberRole{Role: "observer"})},
	{id: "hand-over-in-call"},
	{id: "create-link", body: func(ids) any { return someLink }},
	{id: "create-links", body: func(ids) any { return api.LinkDrafts{Links: []api.LinkDraft{someLink}} }},
	{id: "check-guest-list", csv: true, body: fixed("name\nInês\n")},
	{id: "extend-link", body: func(ids) any { return api.Extend{ExpiresAt: someLink.ExpiresAt} }},
	{id: "set-link-pin", body: fixed(api.LinkPIN{PINHash: strings.Repeat("B", 42) + "A"})},
	{id: "write-knock", body: fixed(api.LobbyText{Text: "Deux minutes"})},
	{id: "write-all-knocks", body: fixed(api.LobbyText{Text: "Deux minutes"})},
	{id: "permit", body: fixed(map[string]bool{"camera": false})},
	{id: "list-call-messages"},
	{id: "write-call", body: fixed(api.CallText{Text: "Bonjour"})},
	{id: "write-call-privately", body: fixed(api.PrivateText{Text: "Bonjour", To: "hosts"})},
	{id: "announce-file", body: fixed(api.FileDraft{Name: "note.pdf", Size: 4, To: "everyone"})},
	{id: "send-file", body: fixed("note")},
	{id: "get-file"},
	{id: "delete-file"},
	{id: "list-recordings"},
	{id: "find-recordings", path: "/recordings?post={post}", answer: http.StatusOK},
	{id: "download-recording"},
	{id: "share-recording", body: fixed(api.ShareDraft{Email: "luc@aparte.example"})},
	{id: "unshare-recording"},
	{id: "hold-recording", body: fixed(api.HoldDraft{Reason: "Réquisition"})},
	{id: "lift-hold"},
	{id: "watch-recording"},
	{id: "get-recording-captions"},
	{id: "get-recording-chapters"},
	{id: "compose-recording"},
	{id: "choose-recording-film", body: fixed(api.FilmDraft{Layout: "grid", Format: "webm"})},
	{id: "delete-recording"},
	{id: "get-recording"},
	{id: "ask-recording", body: fixed(api.RecordingDraft{Purpose: "Compte rendu"})},
	{id: "answer-recording", body: func(i ids) any { return api.RecordingSaid{Recording: i.recording, Answer: "agree"} }},
	{id: "start-recording"},
	{id: "pause-recording"},
	{id: "resume-recording"},
	{id: "stop-recording"},
	{id: "react", body: fixed(api.Reaction{Reaction: "agree"})},
	{id: "raise-hand"},
	{id: "lower-own-hand"},
	{id: "lower-hand"},
	{id: "lower-hands"},
	{id: "start-timer", body: fixed(api.TimerDraft{Seconds: 60})},
	{id: "stop-timer"},
	{id: "mute"},
	{id: "mute-all"},
	{id: "ask-unmute"},
	{id: "ask-unmute-all"},
	{id: "stop-camera"},
	{id: "stop-share"},
	{id: "spotlight", body: func(i ids) any { return map[string]any{"identities": []string{i.identity}} }},
	{id: "permit-all", body: fixed(map[string]bool{"camera": false})},
	{id: "lock", body: fixed(map[string]bool{"locked": false})},
	{id: "send-back"},
	{id: "remove-participant"}, // whoever may gets 404: nobody of this identity is in any more
	{id: "deny-knock", body: fixed(map[string]any{})},
	{id: "lift-knock"},
	{id: "admit-knock", body: fixed(map[string]any{})},
	{id: "ban-knock", body: fixed(map[string]any{})},
	{id: "admit-all-knocks", body: fixed(map[string]any{})},
	{id: "reissue-link", body: fixed(api.Reissue{CodeHash: strings.Repeat("A", 43), PINHash: strings.Repeat("B", 42) + "A"})},
	{id: "revoke-link"},
	{id: "revoke-all-links"},
	{id: "list-attendance"},
	{id: "get-calendar"},
	{id: "edit-meeting", body: fixed(api.MeetingEdit{Title: "Autre chose"})},
	{id: "end-meeting"},
	{id: "end-meeting-for-good"},
	{id: "read-kept-chat"},
	{id: "export-kept-chat", body: fixed(api.KeptExport{})},
	{id: "delete-kept-chat"},
	{id: "edit-post", body: fixed(api.PostDraft{Name: "Rome", TimeZone: "Europe/Rome", Languages: []string{"it"}})},
	{id: "add-post-member", body: fixed(api.PostMemberDraft{Email: "anne@aparte.example", Role: "agent"})},
	{id: "add-recipient", body: fixed(api.RecipientDraft{Name: "Archives", Key: "age1pq1another"})},
	{id: "remove-recipient"},
	{id: "set-post-member", body: fixed(api.PostMemberRole{Role: "administrator"})},
	{id: "list-account-sessions"},
	{id: "end-account-session"},
	{id: "end-account-sessions"},
	{id: "reset-account"},
	{id: "disable-account"},
	{id: "enable-account"},
	{id: "remove-post-member"},
}

// namingNothing are the calls that name nothing of a post: they are about whoever calls.
var namingNothing = []string{
	"get-session", "sign-in", "sign-in-once", "sign-out", "set-up", "set-password", "list-sessions", "end-session", "create-post", "get-node-key", "get-health", "check-network", "end-network-check", "guest-check-network", "guest-end-network-check",
	"get-guest", "knock", "withdraw", "reply", "guest-list-call-messages", "guest-write-call", "guest-write-call-privately", "guest-announce-file", "guest-send-file", "guest-get-file", "guest-delete-file", "guest-react", "guest-raise-hand", "guest-lower-own-hand", "guest-get-recording", "guest-answer-recording", "guest-token",
	"host-socket", "notice-socket", "lobby-socket", "agent-lobby-socket", // below
}

var someLink api.LinkDraft // of a server's time: set by newPrey

// described is an operation of the API's own description.
type described struct{ method, path string }

func describedOperations(t *testing.T) map[string]described {
	t.Helper()
	text, err := api.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	all := make(map[string]described)
	for path, methods := range document.Paths {
		for method, op := range methods {
			all[op.OperationID] = described{strings.ToUpper(method), path}
		}
	}
	return all
}

// prey is a server with everything at one post that the people of another go for.
type prey struct {
	*stage
	rome    post.Post
	dakar   ids
	formers ids // what a former agent of Dakar hosts there
	admin   *person
	auditor *person
	named   *person // participant of Dakar's meeting
	// strangers belong to Rome, some to Dakar formerly.
	strangers map[string]*person
	own       ids // of the agent of Rome
}

func newPrey(t *testing.T) *prey {
	t.Helper()
	p := &prey{stage: newStageWith(t, func(s *server) { s.serverKey = true }), strangers: make(map[string]*person)}
	someLink = api.LinkDraft{Kind: "shared", ExpiresAt: p.link.ExpiresAt, CodeHash: strings.Repeat("A", 43)}
	p.rome = p.newPost("Rome")
	p.admin = p.administrator()
	p.auditor = p.member("aude@aparte.example", p.as(post.Auditor))
	p.named = p.member("luc@aparte.example", p.as(post.Agent))
	do[api.Member](p.host, http.StatusOK, "POST", "/meetings/"+p.meeting.ID+"/members", api.MemberDraft{Email: "luc@aparte.example", Role: "participant"})
	inside := p.guest(p.link)
	inside.knock("Rui")
	second := p.host.knocks(p.meeting.ID)[1].ID
	p.dakar = ids{
		meeting: p.meeting.ID, link: p.link.ID, knock: p.knock, post: p.post.ID, account: p.host.id(),
		session:   do[api.OwnSessions](p.host, http.StatusOK, "GET", "/account/sessions", nil).Sessions[0].ID,
		identity:  p.host.decide(p.meeting.ID, second, "admit").Identity,
		recipient: do[api.Recipient](p.admin, http.StatusCreated, "POST", "/posts/"+p.post.ID+"/recipients", api.RecipientDraft{Name: "Archives", Key: "age1pq1dakar"}).ID,
	}
	p.meetings.Joined(p.meeting.ID, p.dakar.identity, "PA_1")
	p.host.knocks(p.meeting.ID) // after it
	p.dakar.file = do[api.CallFile](inside, http.StatusCreated, "POST", "/guest/call/files", api.FileDraft{Name: "note.pdf", Size: 4, To: "everyone"}).ID
	p.dakar.recording = p.recorded("Compte rendu de la visite")
	p.films(p.dakar.recording, done)
	for _, role := range post.Roles() {
		at := post.Membership{Post: p.rome, Role: role}
		p.strangers["the "+string(role)+" of another post"] = p.member(string(role)+"@aparte.example", at)
		was := p.member("former-"+string(role)+"@aparte.example", at, p.as(role))
		if role.Acts() {
			made := do[api.Meeting](was, http.StatusCreated, "POST", "/meetings", map[string]any{"title": "Avant", "post": p.post.ID})
			link := was.link(made.ID, api.LinkDraft{})
			p.guest(link).knock("Ana")
			p.formers = ids{meeting: made.ID, link: link.ID, knock: was.knocks(made.ID)[0].ID, identity: "p_" + strings.Repeat("P", 22), post: p.post.ID, account: was.id(), file: p.dakar.file, recording: p.dakar.recording, recipient: p.dakar.recipient}
		}
		do[struct{}](p.admin, http.StatusNoContent, "DELETE", "/posts/"+p.post.ID+"/members/"+was.id(), nil)
		p.strangers["the former "+string(role)] = was
	}
	_, code, err := p.login.InviteAdmin(t.Context(), "Root", "root@aparte.example", post.Membership{Post: p.rome, Role: post.Administrator})
	if err != nil {
		t.Fatal(err)
	}
	root := p.person()
	do[api.SignedIn](root, http.StatusOK, "POST", "/session/one-time", api.OneTimeCode{Code: code})
	p.strangers["the installation's administrator"] = root
	agent := p.strangers["the agent of another post"]
	made := agent.meeting()
	link := agent.link(made.ID, api.LinkDraft{})
	p.guest(link).knock("Lia")
	p.own = ids{meeting: made.ID, link: link.ID, knock: agent.knocks(made.ID)[0].ID, identity: p.dakar.identity, post: p.rome.ID, account: p.dakar.account, file: p.dakar.file, recording: p.dakar.recording}
	return p
}

// answer is what somebody gets for a call with some ids, without what is given out
// anew with each answer.
func (n naming) call(t *testing.T, by *person, op described, i ids) (int, string) {
	t.Helper()
	body, path := "", op.path
	if n.path != "" {
		path = n.path
	}
	if n.body != nil {
		if n.csv {
			body, _ = n.body(i).(string)
			by.header.Set("Content-Type", "text/csv")
			defer by.header.Del("Content-Type")
		} else {
			text, err := json.Marshal(n.body(i))
			if err != nil {
				t.Fatal(err)
			}
			body = string(text)
		}
	}
	if n.open {
		by.s.clock.add(time.Minute) // or they would guess too fast
	}
	status, _, answer := by.raw(op.method, i.filled(path), body)
	return status, string(answer)
}

// state is everything in the database but audit chains, and the chain of a post.
func (p *prey) state() (rest string, chain []audit.Event) {
	p.t.Helper()
	db := p.database()
	defer db.Close()
	var b strings.Builder
	for _, table := range tables(p.t, db) {
		if !strings.HasPrefix(table, "audit_") && table != "agent_sessions" && table != "account_uses" { // when somebody was here last
			dumpTable(p.t, db, table, &b)
		}
	}
	for _, e := range p.everyEvent() {
		if e.Post == p.post.ID {
			chain = append(chain, e)
		}
	}
	return b.String(), chain
}

// Whoever belongs to another post, or does not belong any more, gets of every call
// what an unknown id gets, and changes nothing.
func TestNoCallLeaksAcrossPosts(t *testing.T) {
	all := describedOperations(t)
	for id, op := range all {
		named := slices.ContainsFunc(namings, func(n naming) bool { return n.id == id })
		if named == slices.Contains(namingNothing, id) {
			t.Errorf("%s %s (%s) may name something of a post: say in namings or in namingNothing what it names", op.method, op.path, id)
		}
	}
	p := newPrey(t)
	agentOnly := regexp.MustCompile(`^/meetings/\{id\}`)
	callers := maps.Clone(p.strangers)
	for _, n := range namings {
		op, ok := all[n.id]
		if !ok {
			t.Errorf("%s is no call any more", n.id)
			continue
		}
		rest, chain := p.state()
		if agentOnly.MatchString(op.path) {
			callers["the post's own auditor"] = p.auditor // reads the trail, and nothing of meetings
		} else {
			delete(callers, "the post's own auditor")
		}
		for who, by := range callers {
			want := n.answer
			if want == 0 {
				want = http.StatusNotFound
			}
			status, answer := n.call(t, by, op, unknown)
			if who, ok := strings.CutPrefix(who, "the "); ok && n.id == "list-accounts" && !strings.Contains(who, "administrator") {
				want = -1 // they administer nothing
			}
			if want > 0 && status != want || want < 0 && status < 400 {
				t.Errorf("%s: %s: an unknown id gets %d %s, want %d", n.id, who, status, answer, want)
			}
			targets := map[string]ids{"everything of Dakar": p.dakar, "what a former agent hosts": p.formers}
			if strings.HasPrefix(op.path, "/accounts/") {
				delete(targets, "what a former agent hosts") // who belongs to Rome: its administrators may
			}
			if who == "the agent of another post" && agentOnly.MatchString(op.path) && strings.Count(op.path, "{") > 1 {
				// Through a meeting of their own: its unknown link, knock or identity.
				mixed, nothing := p.dakar, unknown
				mixed.meeting, nothing.meeting = p.own.meeting, p.own.meeting
				wantStatus, wantAnswer := n.call(t, by, op, nothing)
				if status, answer := n.call(t, by, op, mixed); status != wantStatus || answer != wantAnswer || status < 400 {
					t.Errorf("%s: %s, by a meeting of their own: %d %s, an unknown id gets %d %s", n.id, who, status, answer, wantStatus, wantAnswer)
				}
			}
			if who == "the administrator of another post" && strings.HasPrefix(op.path, "/posts/") && strings.Contains(op.path, "{account}") {
				mixed, nothing := p.dakar, unknown
				mixed.post, nothing.post = p.rome.ID, p.rome.ID
				_, wantAnswer := n.call(t, by, op, nothing)
				if status, answer := n.call(t, by, op, mixed); status != http.StatusNotFound || answer != wantAnswer {
					t.Errorf("%s: %s, by their own post: %d %s, an unknown account gets %s", n.id, who, status, answer, wantAnswer)
				}
			}
			if who == "the administrator of another post" && (strings.Contains(op.path, "/orphans/") || strings.Contains(op.path, "{recipient}")) {
				mixed, nothing := p.dakar, unknown
				mixed.post, nothing.post = p.rome.ID, p.rome.ID
				_, wantAnswer := n.call(t, by, op, nothing)
				if status, answer := n.call(t, by, op, mixed); status != http.StatusNotFound || answer != wantAnswer {
					t.Errorf("%s: %s, by their own post: %d %s, an unknown one gets %s", n.id, who, status, answer, wantAnswer)
				}
			}
			for what, target := range targets {
				gotStatus, got := n.call(t, by, op, target)
				if gotStatus != status || got != answer {
					t.Errorf("%s: %s naming %s: %d %s, an unknown id gets %d %s", n.id, who, what, gotStatus, got, status, answer)
				}
				for _, word := range []string{p.dakar.meeting, p.dakar.link, p.dakar.knock, p.dakar.account, "Coopération", "anne@", "Inês", p.dakar.recording, "Compte rendu", p.dakar.recipient, "age1pq1dakar"} {
					if strings.Contains(got, word) {
						t.Errorf("%s: %s naming %s is told %q: %s", n.id, who, what, word, got)
					}
				}
			}
		}
		restAfter, chainAfter := p.state()
		if restAfter != rest {
			t.Errorf("%s changed something:\n%s\nbefore:\n%s", n.id, restAfter, rest)
		}
		for _, e := range since(chain, chainAfter) {
			if !n.open || e.Act != audit.CallRefused || e.Actor.Kind != audit.Nobody {
				t.Errorf("%s is told in the trail of the post: %+v", n.id, e)
			}
		}
	}
	// Nor does a name in a meeting of their own tell who there is elsewhere.
	agent := p.strangers["the agent of another post"]
	var told []string
	for _, email := range []string{"anne@aparte.example", "nobody@aparte.example"} {
		status, _, answer := agent.raw("POST", "/meetings/"+p.own.meeting+"/members", `{"email":"`+email+`","role":"cohost"}`)
		if told = append(told, string(answer)); status != http.StatusUnprocessableEntity || told[0] != string(answer) {
			t.Errorf("naming %s: %d %s, want %s", email, status, answer, told[0])
		}
	}
	// And all of these ids are real: who may gets something else, be it that the knock
	// has been decided on meanwhile.
	for _, n := range namings {
		who := p.host
		switch op := all[n.id]; {
		case n.id == "list-audit" || n.id == "verify-audit" || n.id == "export-audit":
			who = p.auditor
		case strings.HasSuffix(n.id, "-as-agent"):
			who = p.named
		case strings.HasPrefix(op.path, "/posts/") || strings.HasPrefix(op.path, "/accounts") || strings.HasPrefix(op.path, "/profiles"):
			who = p.admin
		case n.open || n.id == "remove-participant" || n.id == "ban-knock" || n.id == "unshare-recording": // it is shared with none of these
			continue
		}
		if n.id == "add-post-member" {
			n.body = fixed(api.PostMemberDraft{Email: "former-agent@aparte.example", Role: "agent"})
		}
		if n.id == "extend-link" {
			n.body = fixed(api.Extend{ExpiresAt: p.link.ExpiresAt})
		}
		if status, answer := n.call(t, who, all[n.id], p.dakar); status >= 300 && status != http.StatusConflict {
			t.Errorf("%s: who may gets %d %s", n.id, status, answer)
		}
	}
}

// Sockets are ways in, too.
func TestNoSocketLeaksAcrossPosts(t *testing.T) {
	p := newPrey(t)
	callers := maps.Clone(p.strangers)
	callers["the post's own auditor"] = p.auditor
	for who, by := range callers {
		for _, id := range []string{p.dakar.meeting, p.formers.meeting, unknown.meeting} {
			for _, socket := range []string{"host", "lobby"} {
				if ws, status := by.dial("/meetings/"+id+"/"+socket, p.http.URL); ws != nil || status != http.StatusNotFound {
					t.Errorf("%s: the socket %s answers %d", who, socket, status)
				}
			}
		}
		ws, status := by.dial("/agent/notices", p.http.URL)
		if ws == nil {
			t.Fatalf("%s: notices: %d", who, status)
		}
		for _, n := range (socket[api.NoticeMessage]{t, ws}).next().Notices {
			if n.Meeting != p.own.meeting {
				t.Errorf("%s is told of %+v", who, n)
			}
		}
	}
}

// Whoever is taken from a post has left its calls and sockets before the answer, and
// stays what they are elsewhere.
func TestARemovedMemberHostsNothingAtOnce(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(admin *person, at string)
	}{
		{"removed", func(admin *person, at string) { do[struct{}](admin, http.StatusNoContent, "DELETE", at, nil) }},
		{"made an auditor", func(admin *person, at string) {
			do[api.PostMember](admin, http.StatusOK, "PUT", at, api.PostMemberRole{Role: "auditor"})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			rome := s.newPost("Rome")
			luc := s.member("luc@aparte.example", s.as(post.Agent), post.Membership{Post: rome, Role: post.Agent})
			admin := s.member("adele@aparte.example", s.as(post.Administrator))
			luc.refused("invalid", http.StatusUnprocessableEntity, "POST", "/meetings", map[string]any{"title": "Où ?"})
			create := func(at post.Post) api.Meeting {
				return do[api.Meeting](luc, http.StatusCreated, "POST", "/meetings", map[string]any{"title": "Visas", "post": at.ID})
			}
			here, there := create(s.post), create(rome)
			seat := do[api.MediaToken](luc, http.StatusOK, "POST", "/meetings/"+here.ID+"/join", nil)
			kept := do[api.MediaToken](luc, http.StatusOK, "POST", "/meetings/"+there.ID+"/join", nil)
			lobby, other := luc.hostSocket(here.ID), luc.hostSocket(there.ID)
			lobby.next()
			other.next()
			ws, _ := luc.dial("/agent/notices", s.http.URL)
			notices := socket[api.NoticeMessage]{t, ws}
			notices.next()

			c.end(admin, "/posts/"+s.post.ID+"/members/"+luc.id())
			if !s.call.wasRemoved(seat.Identity) || s.call.wasRemoved(kept.Identity) {
				t.Errorf("removed from calls: %v, want %s alone", s.call.removed, seat.Identity)
			}
			if got := lobby.closed(); got != websocket.CloseGoingAway {
				t.Errorf("the host's socket ended with %d", got)
			}
			if got := notices.closed(); got != websocket.CloseGoingAway {
				t.Errorf("the notices ended with %d", got)
			}
			luc.refused("not-found", http.StatusNotFound, "POST", "/meetings/"+here.ID+"/join", nil)
			luc.refused("invalid", http.StatusUnprocessableEntity, "POST", "/meetings", map[string]any{"title": "Visas", "post": s.post.ID})
			if list := do[api.MeetingList](luc, http.StatusOK, "GET", "/meetings", nil).Meetings; len(list) != 1 || list[0].ID != there.ID {
				t.Errorf("meetings %+v, want that of the other post", list)
			}
			do[api.Meeting](luc, http.StatusOK, "GET", "/meetings/"+there.ID, nil)
			again := do[api.MediaToken](luc, http.StatusOK, "POST", "/meetings/"+there.ID+"/join", nil)
			if again.Identity != kept.Identity {
				t.Error("the place at the other post is gone")
			}
			s.restart() // and it is stored
			luc.refused("not-found", http.StatusNotFound, "POST", "/meetings/"+here.ID+"/join", nil)

			if c.name == "removed" { // what was named counts again
				do[api.PostMember](admin, http.StatusCreated, "POST", "/posts/"+s.post.ID+"/members", api.PostMemberDraft{Email: "Luc@aparte.example", Role: "agent"})
			} else {
				do[api.PostMember](admin, http.StatusOK, "PUT", "/posts/"+s.post.ID+"/members/"+luc.id(), api.PostMemberRole{Role: "agent"})
			}
			if back := do[api.MediaToken](luc, http.StatusOK, "POST", "/meetings/"+here.ID+"/join", nil); back.Identity == seat.Identity {
				t.Error("the old place lives")
			}
		})
	}
}
