package api_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aparte/signaling/api"
	"aparte/signaling/audit"
	"aparte/signaling/post"
	"aparte/signaling/profile"
	"aparte/signaling/recording"
	"aparte/signaling/store"
)

// events are the audit trail of the posts, but for the making of the server's own. All chains must
// verify.
func (s *server) events() []audit.Event {
	s.t.Helper()
	var all []audit.Event
	for _, e := range s.everyEvent() {
		if e.Post != audit.Installation && (e.Post != s.post.ID || e.Act != audit.PostCreated) {
			all = append(all, e)
		}
	}
	return all
}

// everyEvent are the events of all chains, one chain after the other.
func (s *server) everyEvent() []audit.Event {
	s.t.Helper()
	trail, err := store.OpenTrail(s.t.Context(), s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	defer trail.Close()
	var out bytes.Buffer
	if _, err := trail.Export(s.t.Context(), &out, store.Range{}); err != nil {
		s.t.Fatal(err)
	}
	var all []audit.Event
	for line := range strings.Lines(out.String()) {
		var l struct {
			Event *audit.Event `json:"event"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			s.t.Fatal(err)
		}
		if l.Event != nil {
			all = append(all, *l.Event)
		}
	}
	return all
}

func acts(events []audit.Event) []audit.Act {
	var all []audit.Act
	for _, e := range events {
		all = append(all, e.Act)
	}
	return all
}

// database is a second way into the server's database.
func (s *server) database() *sql.DB {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "aparte.db")+"?_pragma=busy_timeout(20000)")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { db.Close() })
	return db
}

func tables(t *testing.T, db *sql.DB) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT IN ('pulse', 'goose_db_version')`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// dump is everything in the database as text.
func dump(t *testing.T, db *sql.DB) string {
	t.Helper()
	var b strings.Builder
	for _, table := range tables(t, db) {
		dumpTable(t, db, table, &b)
	}
	return b.String()
}

func dumpTable(t *testing.T, db *sql.DB, table string, b *strings.Builder) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT * FROM `+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(b, table, values)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// fail makes writes to tables fail until the returned function is called.
func fail(t *testing.T, db *sql.DB, names ...string) (mend func()) {
	t.Helper()
	run := func(format string) {
		all := "BEGIN;" // one commit
		for _, table := range names {
			for _, verb := range []string{"INSERT", "UPDATE", "DELETE"} {
				all += fmt.Sprintf(format, verb, table)
			}
		}
		if _, err := db.ExecContext(t.Context(), all+"COMMIT"); err != nil {
			t.Fatal(err)
		}
	}
	run(`CREATE TRIGGER fault_%[1]s_%[2]s BEFORE %[1]s ON %[2]s BEGIN SELECT RAISE(ABORT, 'fault'); END;`)
	return func() { run(`DROP TRIGGER fault_%s_%s;`) }
}

// stage is what the calls of the table below are made on.
type stage struct {
	*server
	host    *person
	meeting api.Meeting
	link    madeLink
	visitor *person // waits
	knock   string
	keeper  *person // administrator who says whether the chat is kept; nil before
}

func newStage(t *testing.T) *stage {
	s := &stage{server: newServer(t)}
	s.host = s.agent("anne@aparte.example")
	s.meeting = s.host.meeting()
	s.link = s.host.link(s.meeting.ID, api.LinkDraft{Label: "MNE"})
	s.visitor = s.guest(s.link)
	s.visitor.knock("Inês")
	s.knock = s.host.knocks(s.meeting.ID)[0].ID
	return s
}

// ofLink is the path of an act on the link.
func (s *stage) ofLink(act string) string {
	return "/meetings/" + s.meeting.ID + "/links/" + s.link.ID + "/" + act
}

// named is an agent who was named and has a seat in the open meeting.
func (s *stage) named(as string) (named struct{ id, identity string }) {
	luc := s.agent("luc@aparte.example")
	named.id = do[api.Member](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/members", api.MemberDraft{Email: "luc@aparte.example", Role: as}).ID
	do[api.MediaToken](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/join", nil)
	named.identity = do[api.MediaToken](luc, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/join", nil).Identity
	return named
}

// ofCall is the path of an act on the call.
func (s *stage) ofCall(act string) string { return "/meetings/" + s.meeting.ID + "/call/" + act }

// ofTheMoment are the calls that change nothing but what is going on in the call, or
// nothing at all: stored is their event alone.
var ofTheMoment = []string{"send-file", "guest-send-file", "delete-file", "guest-delete-file", "mute", "mute-all", "ask-unmute", "ask-unmute-all", "stop-camera", "stop-share", "spotlight", "export-kept-chat", "export-audit"}

func (s *stage) administrator() *person {
	return s.member("adele@aparte.example", s.as(post.Administrator))
}

// kept has one message stored.
func (s *stage) kept() {
	s.keepChat(true)
	s.inCall()
	do[api.CallMessage](s.visitor, http.StatusOK, "POST", "/guest/call/messages", api.CallText{Text: "Bonjour"})
}

// mustKnock is an agent who was named and has to wait like a guest.
func (s *stage) mustKnock() *person {
	luc := s.agent("luc@aparte.example")
	do[api.Member](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/members", api.MemberDraft{Email: "luc@aparte.example", Role: "participant"})
	s.admin().change(1, func(r *api.ProfileRules) { r.Lobby = profile.LobbyAllButHosts })
	return luc
}

// orphan takes the host away from the post; the administrator is left.
func (s *stage) orphan() *person {
	admin := s.administrator()
	do[struct{}](admin, http.StatusNoContent, "DELETE", "/posts/"+s.post.ID+"/members/"+s.host.id(), nil)
	return admin
}

func (s *stage) admitted() string {
	return s.host.decide(s.meeting.ID, s.knock, "admit").Identity
}

// noteDraft announces a file of four bytes.
var noteDraft = api.FileDraft{Name: "note.pdf", Size: 4, To: "everyone"}

// try is a call that is ready to be made.
type try struct {
	by           *person
	method, path string
	body         any // a string is sent as it is
}

// every call of the API that is no GET, how to get ready for it, and the acts it
// leaves in the audit trail. One without acts must change nothing.
var mutating = map[string]struct {
	prepare func(s *stage) try
	acts    []audit.Act
}{
	"sign-in": {func(s *stage) try {
		do[struct{}](s.host, http.StatusNoContent, "PUT", "/account/password", api.PasswordChange{Password: "une longue phrase"})
		return try{s.person(), "POST", "/session", api.Credentials{Email: "anne@aparte.example", Password: "une longue phrase"}}
	}, []audit.Act{audit.SessionSignedIn}},
	"sign-in-once": {func(s *stage) try {
		_, code, err := s.login.Invite(s.t.Context(), "Luc", "luc@aparte.example", s.as(post.Agent))
		if err != nil {
			s.t.Fatal(err)
		}
		return try{s.person(), "POST", "/session/one-time", api.OneTimeCode{Code: code}}
	}, []audit.Act{audit.SessionSignedIn}},
	"sign-out": {func(s *stage) try {
		return try{s.host, "DELETE", "/session", nil}
	}, []audit.Act{audit.SessionSignedOut}},
	"set-up": {func(s *stage) try {
		s.server = newServer(s.t)
		code, err := s.login.SetupCode(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		return try{s.person(), "POST", "/setup", api.Setup{Code: code, Name: "Anne", Email: "anne@aparte.example", Password: "une longue phrase"}}
	}, []audit.Act{audit.PostCreated, audit.AccountSetUp, audit.SessionSignedIn}},
	"create-account": {func(s *stage) try {
		_, code, err := s.login.InviteAdmin(s.t.Context(), "Adèle", "adele@aparte.example", s.as(post.Administrator))
		if err != nil {
			s.t.Fatal(err)
		}
		admin := s.person()
		do[api.SignedIn](admin, http.StatusOK, "POST", "/session/one-time", api.OneTimeCode{Code: code})
		return try{admin, "POST", "/accounts", api.AccountDraft{Name: "Luc", Email: "luc@aparte.example"}}
	}, []audit.Act{audit.AccountCreated}},
	"set-password": {func(s *stage) try {
		return try{s.host, "PUT", "/account/password", api.PasswordChange{Password: "une longue phrase"}}
	}, []audit.Act{audit.PasswordSet}},
	"end-session": {func(s *stage) try {
		id := do[api.OwnSessions](s.host, http.StatusOK, "GET", "/account/sessions", nil).Sessions[0].ID
		return try{s.host, "DELETE", "/account/sessions/" + id, nil}
	}, []audit.Act{audit.SessionEnded}},

	"disable-account": {func(s *stage) try {
		return try{s.administrator(), "POST", "/accounts/" + s.host.id() + "/disable", nil}
	}, []audit.Act{audit.AccountDisabled}},
	"enable-account": {func(s *stage) try {
		admin, anne := s.administrator(), s.host.id()
		do[api.AdministeredAccount](admin, http.StatusOK, "POST", "/accounts/"+anne+"/disable", nil)
		return try{admin, "POST", "/accounts/" + anne + "/enable", nil}
	}, []audit.Act{audit.AccountEnabled}},
	"reset-account": {func(s *stage) try {
		return try{s.administrator(), "POST", "/accounts/" + s.host.id() + "/reset", nil}
	}, []audit.Act{audit.AccountReset}},
	"end-account-session": {func(s *stage) try {
		id := do[api.OwnSessions](s.host, http.StatusOK, "GET", "/account/sessions", nil).Sessions[0].ID
		return try{s.administrator(), "DELETE", "/accounts/" + s.host.id() + "/sessions/" + id, nil}
	}, []audit.Act{audit.SessionEnded}},
	"end-account-sessions": {func(s *stage) try {
		return try{s.administrator(), "DELETE", "/accounts/" + s.host.id() + "/sessions", nil}
	}, []audit.Act{audit.SessionEnded}},

	"export-audit": {func(s *stage) try {
		return try{s.member("aude@aparte.example", s.as(post.Auditor)), "POST", "/posts/" + s.post.ID + "/audit/export", api.AuditStretch{}}
	}, []audit.Act{audit.AuditExported}},

	// A check is of whoever makes it, leads nowhere and is over in a minute.
	"check-network":     {func(s *stage) try { return try{s.host, "POST", "/network-check", nil} }, nil},
	"end-network-check": {func(s *stage) try { return try{s.host, "DELETE", "/network-check", nil} }, nil},
	"guest-check-network": {func(s *stage) try {
		return try{s.visitor, "POST", "/guest/network-check", nil}
	}, nil},
	"guest-end-network-check": {func(s *stage) try {
		return try{s.visitor, "DELETE", "/guest/network-check", nil}
	}, nil},

	"create-post": {func(s *stage) try {
		_, code, err := s.login.InviteAdmin(s.t.Context(), "Adèle", "adele@aparte.example")
		if err != nil {
			s.t.Fatal(err)
		}
		admin := s.person()
		do[api.SignedIn](admin, http.StatusOK, "POST", "/session/one-time", api.OneTimeCode{Code: code})
		return try{admin, "POST", "/posts", api.PostDraft{Name: "Rome", TimeZone: "Europe/Rome", Languages: []string{"fr"}}}
	}, []audit.Act{audit.PostCreated}},
	"edit-post": {func(s *stage) try {
		return try{s.administrator(), "PUT", "/posts/" + s.post.ID, api.PostDraft{Name: "Rome", TimeZone: "Europe/Rome", Languages: []string{"fr"}}}
	}, []audit.Act{audit.PostChanged}},
	"add-post-member": {func(s *stage) try {
		s.member("luc@aparte.example")
		return try{s.administrator(), "POST", "/posts/" + s.post.ID + "/members", api.PostMemberDraft{Email: "luc@aparte.example", Role: "agent"}}
	}, []audit.Act{audit.PostMemberAdded}},
	"set-post-member": {func(s *stage) try {
		return try{s.administrator(), "PUT", "/posts/" + s.post.ID + "/members/" + s.host.id(), api.PostMemberRole{Role: "administrator"}}
	}, []audit.Act{audit.PostMemberChanged}},
	"remove-post-member": {func(s *stage) try {
		return try{s.administrator(), "DELETE", "/posts/" + s.post.ID + "/members/" + s.host.id(), nil}
	}, []audit.Act{audit.PostMemberRemoved}},

	"add-recipient": {func(s *stage) try {
		return try{s.administrator(), "POST", "/posts/" + s.post.ID + "/recipients", api.RecipientDraft{Name: "Archives", Key: "age1pq1abc"}}
	}, []audit.Act{audit.PostKeyAdded}},
	"remove-recipient": {func(s *stage) try {
		admin := s.administrator()
		made := do[api.Recipient](admin, http.StatusCreated, "POST", "/posts/"+s.post.ID+"/recipients", api.RecipientDraft{Name: "Archives", Key: "age1pq1abc"})
		return try{admin, "DELETE", "/posts/" + s.post.ID + "/recipients/" + made.ID, nil}
	}, []audit.Act{audit.PostKeyRemoved}},

	"appoint-host": {func(s *stage) try {
		s.agent("luc@aparte.example")
		admin := s.orphan()
		return try{admin, "POST", "/posts/" + s.post.ID + "/orphans/" + s.meeting.ID + "/host", api.HostAppointment{Email: "luc@aparte.example"}}
	}, []audit.Act{audit.HostAppointed}},
	"end-orphan": {func(s *stage) try {
		return try{s.orphan(), "POST", "/posts/" + s.post.ID + "/orphans/" + s.meeting.ID + "/end", nil}
	}, []audit.Act{audit.MeetingEnded, audit.KnockExpired}},

	"create-meeting": {func(s *stage) try {
		return try{s.host, "POST", "/meetings", map[string]any{"title": "Visas"}}
	}, []audit.Act{audit.MeetingCreated}},
	"create-profile": {func(s *stage) try {
		return try{s.admin(), "POST", "/profiles", draftOf("named", profile.Defaults()[0].Rules)}
	}, []audit.Act{audit.ProfileCreated}},
	"change-profile": {func(s *stage) try {
		s.admitted()
		return try{s.admin(), "PUT", "/profiles/standard", editOf(1, func(r *api.ProfileRules) { r.GuestShare = profile.Granted })}
	}, []audit.Act{audit.ProfileChanged, audit.ProfileApplied, audit.ParticipantPermitted}},
	"preview-profile": {func(s *stage) try {
		s.admitted()
		return try{s.admin(), "POST", "/profiles/standard/preview", editOf(1, func(r *api.ProfileRules) { r.GuestShare = profile.Granted })}
	}, nil},
	"choose-profile": {func(s *stage) try {
		do[api.Profile](s.admin(), http.StatusCreated, "POST", "/profiles", draftOf("named", profile.Defaults()[0].Rules))
		return try{s.host, "PUT", "/meetings/" + s.meeting.ID + "/profile", api.ProfileChoice{Profile: "named"}}
	}, []audit.Act{audit.ProfileChosen}},
	"preview-choice": {func(s *stage) try {
		do[api.Profile](s.admin(), http.StatusCreated, "POST", "/profiles", draftOf("named", profile.Defaults()[0].Rules))
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/profile/preview", api.ProfileChoice{Profile: "named"}}
	}, nil},
	"join-meeting": {func(s *stage) try {
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/join", nil}
	}, []audit.Act{audit.HostSeated, audit.MeetingOpened}},
	"end-meeting": {func(s *stage) try {
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/end", nil}
	}, []audit.Act{audit.MeetingEnded, audit.KnockExpired}},
	"end-meeting-for-good": {func(s *stage) try {
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/end-for-good", nil}
	}, []audit.Act{audit.MeetingEnded, audit.KnockExpired}},
	"edit-meeting": {func(s *stage) try {
		return try{s.host, "PUT", "/meetings/" + s.meeting.ID, api.MeetingEdit{Title: "Autre chose"}}
	}, []audit.Act{audit.MeetingChanged}},
	"remove-participant": {func(s *stage) try {
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/participants/" + s.admitted() + "/remove", nil}
	}, []audit.Act{audit.ParticipantRemoved}},

	"name-member": {func(s *stage) try {
		s.agent("luc@aparte.example")
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/members", api.MemberDraft{Email: "luc@aparte.example", Role: "cohost"}}
	}, []audit.Act{audit.MemberNamed}},
	"set-member": {func(s *stage) try {
		return try{s.host, "PUT", "/meetings/" + s.meeting.ID + "/members/" + s.named("participant").id, api.MemberRole{Role: "cohost"}}
	}, []audit.Act{audit.MemberNamed}},
	"remove-member": {func(s *stage) try {
		return try{s.host, "DELETE", "/meetings/" + s.meeting.ID + "/members/" + s.named("cohost").id, nil}
	}, []audit.Act{audit.MemberUnnamed, audit.HostUnseated}},
	"hand-over": {func(s *stage) try {
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/members/" + s.named("cohost").id + "/hand-over", nil}
	}, []audit.Act{audit.HostHandedOver}},
	"set-participant-role": {func(s *stage) try {
		return try{s.host, "PUT", "/meetings/" + s.meeting.ID + "/participants/" + s.named("participant").identity + "/role", api.MemberRole{Role: "cohost"}}
	}, []audit.Act{audit.MemberNamed}},
	"hand-over-in-call": {func(s *stage) try {
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/participants/" + s.named("cohost").identity + "/hand-over", nil}
	}, []audit.Act{audit.HostHandedOver}},

	"create-link": {func(s *stage) try {
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/links", api.LinkDraft{
			Kind: "shared", ExpiresAt: s.link.ExpiresAt, CodeHash: strings.Repeat("A", 43),
		}}
	}, []audit.Act{audit.LinkCreated}},
	"create-links": {func(s *stage) try {
		one := api.LinkDraft{Kind: "shared", ExpiresAt: s.link.ExpiresAt, CodeHash: strings.Repeat("A", 43)}
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/links/bulk", api.LinkDrafts{Links: []api.LinkDraft{one, one}}}
	}, []audit.Act{audit.LinkCreated, audit.LinkCreated}},
	"extend-link": {func(s *stage) try {
		return try{s.host, "POST", s.ofLink("extend"), api.Extend{ExpiresAt: s.link.ExpiresAt.Add(time.Hour)}}
	}, []audit.Act{audit.LinkExtended}},
	"set-link-pin": {func(s *stage) try {
		return try{s.host, "PUT", s.ofLink("pin"), api.LinkPIN{PINHash: strings.Repeat("B", 42) + "A"}}
	}, []audit.Act{audit.LinkPINSet}},
	"reissue-link": {func(s *stage) try {
		return try{s.host, "POST", s.ofLink("reissue"), api.Reissue{CodeHash: strings.Repeat("A", 43)}}
	}, []audit.Act{audit.LinkReissued, audit.KnockExpired}},
	"check-guest-list": {func(s *stage) try {
		s.host.header.Set("Content-Type", "text/csv")
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/links/check", "name\nInês\n"}
	}, nil},
	"revoke-all-links": {func(s *stage) try {
		s.admitted()
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/links/revoke-all", nil}
	}, []audit.Act{audit.LinkRevoked, audit.AdmissionEnded}},
	"challenge-guest": {func(s *stage) try {
		return try{s.person(), "POST", "/guest/challenge", api.ChallengeAsked{LinkID: s.link.ID, Code: s.link.code}}
	}, nil},
	"revoke-link": {func(s *stage) try {
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/links/" + s.link.ID + "/revoke", nil}
	}, []audit.Act{audit.LinkRevoked, audit.KnockExpired}},

	"admit-knock": {func(s *stage) try {
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/knocks/" + s.knock + "/admit", map[string]any{}}
	}, []audit.Act{audit.KnockAdmitted, audit.MeetingOpened}},
	"deny-knock": {func(s *stage) try {
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/knocks/" + s.knock + "/deny", map[string]any{"message": "Pas aujourd’hui."}}
	}, []audit.Act{audit.KnockDenied}},
	"lift-knock": {func(s *stage) try {
		s.host.decide(s.meeting.ID, s.knock, "deny")
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/knocks/" + s.knock + "/lift", nil}
	}, []audit.Act{audit.KnockLifted}},
	"admit-all-knocks": {func(s *stage) try {
		s.guest(s.link).knock("Rui")
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/knocks/admit-all", map[string]any{}}
	}, []audit.Act{audit.KnockAdmitted, audit.MeetingOpened, audit.KnockAdmitted}},
	"ban-knock": {func(s *stage) try {
		s.admitted()
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/knocks/" + s.knock + "/ban", map[string]any{"message": "Non."}}
	}, []audit.Act{audit.KnockBanned}},
	"send-back": {func(s *stage) try {
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/participants/" + s.admitted() + "/send-back", nil}
	}, []audit.Act{audit.ParticipantSentBack}},
	"permit": {func(s *stage) try {
		return try{s.host, "PUT", "/meetings/" + s.meeting.ID + "/participants/" + s.admitted() + "/permissions", map[string]bool{"camera": false}}
	}, []audit.Act{audit.ParticipantPermitted}},
	"mute": {func(s *stage) try {
		return try{s.host, "POST", s.ofCall("participants/" + s.admitted() + "/mute"), nil}
	}, []audit.Act{audit.ParticipantMuted}},
	"mute-all": {func(s *stage) try {
		s.admitted()
		return try{s.host, "POST", s.ofCall("mute"), nil}
	}, []audit.Act{audit.MeetingMuted}},
	"ask-unmute": {func(s *stage) try {
		return try{s.host, "POST", s.ofCall("participants/" + s.admitted() + "/ask-unmute"), nil}
	}, []audit.Act{audit.ParticipantAskedToUnmute}},
	"ask-unmute-all": {func(s *stage) try {
		s.admitted()
		return try{s.host, "POST", s.ofCall("ask-unmute"), nil}
	}, []audit.Act{audit.MeetingAskedToUnmute}},
	"stop-camera": {func(s *stage) try {
		return try{s.host, "POST", s.ofCall("participants/" + s.admitted() + "/stop-camera"), nil}
	}, []audit.Act{audit.CameraStopped}},
	"stop-share": {func(s *stage) try {
		return try{s.host, "POST", s.ofCall("participants/" + s.admitted() + "/stop-share"), nil}
	}, []audit.Act{audit.ShareStopped}},
	"permit-all": {func(s *stage) try {
		return try{s.host, "PUT", s.ofCall("permissions"), map[string]bool{"share": false}}
	}, []audit.Act{audit.MeetingPermitted}},
	"spotlight": {func(s *stage) try {
		identity := s.admitted()
		s.meetings.Joined(s.meeting.ID, identity, "PA_1")
		s.host.knocks(s.meeting.ID) // after it
		return try{s.host, "PUT", s.ofCall("spotlight"), api.Spotlight{Identities: []string{identity}}}
	}, []audit.Act{audit.ParticipantSpotlit}},
	"lock": {func(s *stage) try {
		return try{s.host, "PUT", s.ofCall("lock"), api.Lock{Locked: true}}
	}, []audit.Act{audit.MeetingLocked}},
	"write-knock": {func(s *stage) try {
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/knocks/" + s.knock + "/messages", api.LobbyText{Text: "Deux minutes"}}
	}, []audit.Act{audit.KnockMessage}},
	"write-all-knocks": {func(s *stage) try {
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/knocks/messages", api.LobbyText{Text: "Deux minutes"}}
	}, []audit.Act{audit.KnockMessage}},
	// What is said and shown in a call is stored nowhere, in the trail neither.
	"write-call": {func(s *stage) try {
		s.inCall()
		return try{s.host, "POST", s.ofCall("messages"), api.CallText{Text: "Bonjour"}}
	}, nil},
	"guest-write-call": {func(s *stage) try {
		s.inCall()
		return try{s.visitor, "POST", "/guest/call/messages", api.CallText{Text: "Bonjour"}}
	}, nil},
	"write-call-privately": {func(s *stage) try {
		_, guest := s.inCall()
		return try{s.host, "POST", s.ofCall("private-messages"), api.PrivateText{Text: "Bonjour", To: guest}}
	}, nil},
	"guest-write-call-privately": {func(s *stage) try {
		s.inCall()
		return try{s.visitor, "POST", "/guest/call/private-messages", api.PrivateText{Text: "Bonjour", To: "hosts"}}
	}, nil},
	"announce-file": {func(s *stage) try {
		s.inCall()
		return try{s.host, "POST", s.ofCall("files"), noteDraft}
	}, nil},
	"guest-announce-file": {func(s *stage) try {
		s.inCall()
		return try{s.visitor, "POST", "/guest/call/files", noteDraft}
	}, nil},
	"send-file": {func(s *stage) try {
		s.inCall()
		f := do[api.CallFile](s.host, http.StatusCreated, "POST", s.ofCall("files"), noteDraft)
		return try{s.host, "PUT", s.ofCall("files/" + f.ID), "note"}
	}, []audit.Act{audit.FileSent}},
	"guest-send-file": {func(s *stage) try {
		s.inCall()
		f := do[api.CallFile](s.visitor, http.StatusCreated, "POST", "/guest/call/files", noteDraft)
		return try{s.visitor, "PUT", "/guest/call/files/" + f.ID, "note"}
	}, []audit.Act{audit.FileSent}},
	"delete-file": {func(s *stage) try {
		s.inCall()
		sent := s.send(s.visitor, "note.pdf", "everyone", []byte("note"))
		return try{s.host, "DELETE", s.ofCall("files/" + sent.File.ID), nil}
	}, []audit.Act{audit.FileDeleted}},
	"guest-delete-file": {func(s *stage) try {
		s.inCall()
		sent := s.send(s.visitor, "note.pdf", "everyone", []byte("note"))
		return try{s.visitor, "DELETE", "/guest/call/files/" + sent.File.ID, nil}
	}, []audit.Act{audit.FileDeleted}},
	"ask-recording": {func(s *stage) try {
		s.inCall()
		return try{s.host, "POST", s.ofCall("recording/ask"), api.RecordingDraft{Purpose: "Compte rendu"}}
	}, []audit.Act{audit.RecordingAsked}},
	"start-recording": {func(s *stage) try {
		s.asksToRecord()
		return try{s.host, "POST", s.ofCall("recording/start"), nil}
	}, []audit.Act{audit.RecordingStarted}},
	"pause-recording": {func(s *stage) try {
		s.asksToRecord()
		s.records("start")
		return try{s.host, "POST", s.ofCall("recording/pause"), nil}
	}, []audit.Act{audit.RecordingPaused}},
	"resume-recording": {func(s *stage) try {
		s.asksToRecord()
		s.records("start")
		s.records("pause")
		return try{s.host, "POST", s.ofCall("recording/resume"), nil}
	}, []audit.Act{audit.RecordingResumed}},
	"stop-recording": {func(s *stage) try { // one that runs: signaling/meeting TestWhatTakesAwayIsDoneWithoutADisk
		s.asksToRecord()
		return try{s.host, "POST", s.ofCall("recording/stop"), nil}
	}, []audit.Act{audit.RecordingCancelled}},
	"answer-recording": {func(s *stage) try {
		return try{s.host, "POST", s.ofCall("recording/answer"), api.RecordingSaid{Recording: s.asksToRecord(), Answer: "agree"}}
	}, []audit.Act{audit.RecordingAgreed}},
	"guest-answer-recording": {func(s *stage) try {
		return try{s.visitor, "POST", "/guest/call/recording/answer", api.RecordingSaid{Recording: s.asksToRecord(), Answer: "decline"}}
	}, []audit.Act{audit.RecordingDeclined}},
	"delete-recording": {func(s *stage) try {
		s.inCall()
		return try{s.host, "DELETE", "/meetings/" + s.meeting.ID + "/recordings/" + s.recorded("Compte rendu"), nil}
	}, []audit.Act{audit.RecordingDeletion, audit.RecordingDeleted}},
	"share-recording": {func(s *stage) try {
		s.inCall()
		id := s.recorded("Compte rendu")
		s.member("luc@aparte.example", s.as(post.Agent))
		return try{s.host, "POST", s.ofRecording(id, "/shares"), api.ShareDraft{Email: "luc@aparte.example"}}
	}, []audit.Act{audit.RecordingShared}},
	"unshare-recording": {func(s *stage) try {
		s.inCall()
		id := s.recorded("Compte rendu")
		return try{s.host, "DELETE", s.ofRecording(id, "/shares/"+s.shares(id, "luc@aparte.example").id()), nil}
	}, []audit.Act{audit.RecordingUnshared}},
	"hold-recording": {func(s *stage) try {
		s.inCall()
		return try{s.administrator(), "PUT", s.holdOf(s.recorded("Compte rendu")), api.HoldDraft{Reason: "Réquisition"}}
	}, []audit.Act{audit.RecordingHeld}},
	"lift-hold": {func(s *stage) try {
		s.inCall()
		id, admin := s.recorded("Compte rendu"), s.administrator()
		do[api.RecordingHold](admin, http.StatusOK, "PUT", s.holdOf(id), api.HoldDraft{Reason: "Réquisition"})
		return try{admin, "DELETE", s.holdOf(id), nil}
	}, []audit.Act{audit.RecordingHoldLifted}},
	"compose-recording": {func(s *stage) try {
		s.serverKey = true
		s.restart()
		s.inCall()
		id := s.recorded("Compte rendu")
		s.films(id, recording.Film{State: recording.FilmFailed})
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/recordings/" + id + "/film/again", nil}
	}, []audit.Act{audit.RecordingFilmAgain}},
	"choose-recording-film": {func(s *stage) try {
		s.serverKey = true
		s.restart()
		s.inCall()
		id := s.recorded("Compte rendu")
		s.films(id, done)
		return try{s.host, "PUT", s.ofRecording(id, "/film"), api.FilmDraft{Layout: "speaker", Format: "mp4"}}
	}, []audit.Act{audit.RecordingFilmAgain}},
	"react": {func(s *stage) try {
		s.inCall()
		return try{s.host, "POST", s.ofCall("reactions"), api.Reaction{Reaction: "agree"}}
	}, nil},
	"guest-react": {func(s *stage) try {
		s.inCall()
		return try{s.visitor, "POST", "/guest/call/reactions", api.Reaction{Reaction: "agree"}}
	}, nil},
	"raise-hand": {func(s *stage) try {
		s.inCall()
		return try{s.host, "PUT", s.ofCall("hand"), nil}
	}, nil},
	"guest-raise-hand": {func(s *stage) try {
		s.inCall()
		return try{s.visitor, "PUT", "/guest/call/hand", nil}
	}, nil},
	"lower-own-hand": {func(s *stage) try {
		s.inCall()
		return try{s.host, "DELETE", s.ofCall("hand"), nil}
	}, nil},
	"guest-lower-own-hand": {func(s *stage) try {
		s.inCall()
		return try{s.visitor, "DELETE", "/guest/call/hand", nil}
	}, nil},
	"lower-hand": {func(s *stage) try {
		_, guest := s.inCall()
		return try{s.host, "DELETE", s.ofCall("hands/" + guest), nil}
	}, nil},
	"lower-hands": {func(s *stage) try {
		s.inCall()
		return try{s.host, "DELETE", s.ofCall("hands"), nil}
	}, nil},
	"start-timer": {func(s *stage) try {
		return try{s.host, "PUT", s.ofCall("timer"), api.TimerDraft{Seconds: 60}}
	}, nil},
	"stop-timer": {func(s *stage) try {
		return try{s.host, "DELETE", s.ofCall("timer"), nil}
	}, nil},
	"reply": {func(s *stage) try {
		do[api.Knock](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/knocks/"+s.knock+"/messages", api.LobbyText{Text: "Deux minutes"})
		return try{s.visitor, "POST", "/guest/messages", api.LobbyText{Text: "Merci"}}
	}, []audit.Act{audit.KnockMessage}},

	"export-kept-chat": {func(s *stage) try {
		s.kept()
		return try{s.host, "POST", "/meetings/" + s.meeting.ID + "/kept-chat/export", api.KeptExport{}}
	}, []audit.Act{audit.ChatExported}},
	"delete-kept-chat": {func(s *stage) try {
		s.kept()
		return try{s.host, "DELETE", "/meetings/" + s.meeting.ID + "/kept-chat", nil}
	}, []audit.Act{audit.ChatDeleted}},
	"knock-as-agent": {func(s *stage) try {
		return try{s.mustKnock(), "POST", "/meetings/" + s.meeting.ID + "/knock", nil}
	}, []audit.Act{audit.KnockWaiting}},
	"withdraw-as-agent": {func(s *stage) try {
		luc := s.mustKnock()
		do[api.AgentView](luc, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/knock", nil)
		return try{luc, "POST", "/meetings/" + s.meeting.ID + "/knock/withdraw", nil}
	}, []audit.Act{audit.KnockWithdrawn}},
	"reply-as-agent": {func(s *stage) try {
		luc := s.mustKnock()
		do[api.AgentView](luc, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/knock", nil)
		knock := s.host.knocks(s.meeting.ID)[1].ID
		do[api.Knock](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/knocks/"+knock+"/messages", api.LobbyText{Text: "Deux minutes"})
		return try{luc, "POST", "/meetings/" + s.meeting.ID + "/knock/messages", api.LobbyText{Text: "Merci"}}
	}, []audit.Act{audit.KnockMessage}},

	"redeem-link": {func(s *stage) try {
		return try{s.person(), "POST", "/guest/redeem", api.Redeem{LinkID: s.link.ID, Code: s.link.code}}
	}, []audit.Act{audit.LinkRedeemed}},
	"knock": {func(s *stage) try {
		return try{s.guest(s.link), "POST", "/guest/knock", map[string]any{"name": "Rui"}}
	}, []audit.Act{audit.KnockWaiting}},
	"withdraw": {func(s *stage) try {
		return try{s.visitor, "POST", "/guest/withdraw", nil}
	}, []audit.Act{audit.KnockWithdrawn}},
	"guest-token": {func(s *stage) try {
		s.admitted()
		return try{s.visitor, "POST", "/guest/token", nil}
	}, nil},
}

// since are the events that were not there before.
func since(before, after []audit.Event) []audit.Event {
	type place struct {
		post string
		seq  uint64
	}
	known := make(map[place]bool)
	for _, e := range before {
		known[place{e.Post, e.Seq}] = true
	}
	return slices.DeleteFunc(after, func(e audit.Event) bool { return known[place{e.Post, e.Seq}] })
}

// operations lists the calls that are no GET, from the API's own description.
func operations(t *testing.T) []string {
	t.Helper()
	text, err := api.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, methods := range document.Paths {
		for method, raw := range methods {
			var op struct {
				OperationID string `json:"operationId"`
			}
			if method == "get" || json.Unmarshal(raw, &op) != nil || op.OperationID == "" {
				continue
			}
			all = append(all, op.OperationID)
		}
	}
	slices.Sort(all)
	return all
}

// Every call that changes something leaves its acts in the audit trail, together
// with the change or not at all.
func TestEveryMutatingCallIsAudited(t *testing.T) {
	all := operations(t)
	for id := range mutating {
		if !slices.Contains(all, id) {
			t.Errorf("%s is no call any more", id)
		}
	}
	for _, id := range all {
		t.Run(id, func(t *testing.T) {
			c, ok := mutating[id]
			if !ok {
				t.Fatal("a new call that may change something: say in this table which acts it leaves in the audit trail")
			}
			s := newStage(t)
			call := c.prepare(s)
			db := s.database()
			body := ""
			if raw, ok := call.body.(string); ok {
				body = raw
			} else if call.body != nil {
				text, err := json.Marshal(call.body)
				if err != nil {
					t.Fatal(err)
				}
				body = string(text)
			}
			before, told := dump(t, db), s.events()
			if len(c.acts) > 0 {
				others := slices.DeleteFunc(tables(t, db), func(name string) bool { return strings.HasPrefix(name, "audit_") })
				for what, names := range map[string][]string{"the act": others, "its event": {"audit_events"}, "the head": {"audit_heads"}} {
					if what == "the act" && slices.Contains(ofTheMoment, id) {
						continue
					}
					mend := fail(t, db, names...)
					if status, _, answer := call.by.raw(call.method, call.path, body); status < 500 {
						t.Errorf("%s cannot be stored: %d %s", what, status, answer)
					}
					mend()
					if after := dump(t, db); after != before {
						t.Errorf("%s cannot be stored, and something was:\n%s\nbefore:\n%s", what, after, before)
					}
				}
			}
			if status, _, answer := call.by.raw(call.method, call.path, body); status >= 300 {
				t.Fatalf("%d %s", status, answer)
			}
			if got := acts(since(told, s.events())); !slices.Equal(got, c.acts) {
				t.Errorf("acts %q, want %q", got, c.acts)
			}
			if len(c.acts) == 0 && dump(t, db) != before {
				t.Errorf("it changed something and told nothing:\n%s\nbefore:\n%s", dump(t, db), before)
			}
		})
	}
}

// The trail answers who admitted whom, with what, and who acted.
func TestTheTrailTellsWhoDidWhat(t *testing.T) {
	s := newStage(t)
	identity := s.admitted()
	do[struct{}](s.host, http.StatusNoContent, "POST", "/meetings/"+s.meeting.ID+"/participants/"+identity+"/remove", nil)
	me := do[api.SignedIn](s.host, http.StatusOK, "GET", "/session", nil).Account.ID
	events := s.events()
	want := []audit.Act{
		audit.AccountCreated, audit.SessionSignedIn, audit.MeetingCreated, audit.LinkCreated, audit.LinkRedeemed,
		audit.KnockWaiting, audit.KnockAdmitted, audit.MeetingOpened, audit.ParticipantRemoved,
	}
	if got := acts(events); !slices.Equal(got, want) {
		t.Fatalf("acts %q, want %q", got, want)
	}
	knocked, admitted, removed := events[5], events[6], events[8]
	if knocked.Actor.Kind != audit.Guest || knocked.Actor.ID != knocked.Subjects[audit.Visit] || knocked.Meeting != s.meeting.ID ||
		knocked.Subjects[audit.Link] != s.link.ID || knocked.Personal["name"] == (audit.Digest{}) {
		t.Errorf("knock %+v", knocked)
	}
	if admitted.Actor != (audit.Actor{Kind: audit.Agent, ID: me}) || admitted.Subjects[audit.Knock] != knocked.Subjects[audit.Knock] ||
		admitted.Subjects[audit.Participant] != identity || admitted.Detail["speak"] != "yes" || !admitted.Time.Equal(s.clock.Now()) {
		t.Errorf("admission %+v", admitted)
	}
	if removed.Actor.ID != me || removed.Subjects[audit.Participant] != identity {
		t.Errorf("removal %+v", removed)
	}
	for _, e := range events {
		text, err := e.Canonical()
		// In quotes and whole, since ids are letters that chance has chosen.
		if err != nil || bytes.Contains(text, []byte("Anne Bernard")) || bytes.Contains(text, []byte(`"MNE"`)) || bytes.Contains(text, []byte("Inês")) {
			t.Errorf("event %d holds a name or cannot be written: %s %v", e.Seq, text, err)
		}
	}
}

// What is refused changes nothing and is told, so many times.
func TestRefusalsAreTold(t *testing.T) {
	s := newStage(t)
	luc := s.agent("luc@aparte.example")
	before := s.everyEvent()
	luc.refused("not-found", http.StatusNotFound, "POST", "/meetings/"+s.meeting.ID+"/end", nil)
	luc.refused("forbidden", http.StatusForbidden, "POST", "/accounts", api.AccountDraft{Name: "X", Email: "x@aparte.example"})
	s.person().refused("link-unknown", http.StatusNotFound, "POST", "/guest/redeem", api.Redeem{LinkID: s.link.ID, Code: strings.Repeat("A", 43)})
	// Nobody in particular is not the post's business, whatever ids they name.
	s.person().refused("unauthenticated", http.StatusUnauthorized, "POST", "/meetings/"+s.meeting.ID+"/end", nil)
	s.person().refused("unauthenticated", http.StatusUnauthorized, "POST", "/session", api.Credentials{Email: "anne@aparte.example", Password: "x"})
	s.person().refused("unauthenticated", http.StatusUnauthorized, "POST", "/session/one-time", api.OneTimeCode{Code: strings.Repeat("A", 43)})
	ofPost, ofNone := func(e audit.Event) bool { return e.Post == s.post.ID }, func(e audit.Event) bool { return e.Post == audit.Installation }
	events := slices.DeleteFunc(since(before, s.everyEvent()), ofNone)
	if got, want := acts(events), []audit.Act{audit.CallRefused, audit.CallRefused, audit.CallRefused}; !slices.Equal(got, want) {
		t.Fatalf("acts %q, want %q", got, want)
	}
	elsewhere := slices.DeleteFunc(since(before, s.everyEvent()), ofPost)
	if got, want := acts(elsewhere), []audit.Act{audit.CallRefused, audit.SignInRefused, audit.SignInRefused}; !slices.Equal(got, want) {
		t.Fatalf("acts of no post %q, want %q", got, want)
	}
	first, redeem, signIn := events[0], events[2], elsewhere[1]
	if first.Actor.Kind != audit.Agent || first.Meeting != s.meeting.ID || first.Detail["operation"] != "end-meeting" || first.Detail["problem"] != "not-found" {
		t.Errorf("refused end %+v", first)
	}
	if redeem.Actor.Kind != audit.Nobody || redeem.Subjects[audit.Link] != s.link.ID {
		t.Errorf("refused link %+v", redeem)
	}
	if _, ok := signIn.Personal["email"]; !ok || signIn.Detail["with"] != "password" || signIn.Detail["problem"] != "wrong" {
		t.Errorf("refused sign-in %+v", signIn)
	}
	told := len(s.events())
	for range 60 {
		s.person().raw("POST", "/guest/redeem", `{"link_id":"`+s.link.ID+`","code":"`+strings.Repeat("A", 43)+`"}`)
	}
	if more := len(s.events()) - told; more > 10 {
		t.Errorf("%d of 60 refusals of one source are in the trail", more)
	}
}
