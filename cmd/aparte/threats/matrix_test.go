package threats

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/websocket"

	"aparte/signaling/api"
)

var update = flag.Bool("update", false, "write testdata/verdicts.golden anew")

// The whole matrix policy x role x way in: for every state that a guest's invitation and its
// meeting can be in, everybody tries every way, and the built program's answer is compared
// with a small model that was written from the product's words, not from its code.
//
// A row is a policy; who may come in by which way stands in testdata/verdicts.golden, for a
// person to read.

// policy is a state of the world that decides.
type policy struct {
	kind    string // of the link: personal, shared
	link    string // valid, early, expired, revoked, full
	pin     string // of the link: none, asked (the guest does not know it), passed
	meeting string // scheduled, open, ended
	guest   string // none, opened, waiting, admitted, sent back, denied, removed, banned, withdrawn
	terms          // of the meeting
}

func (p policy) String() string {
	return fmt.Sprintf("%-8s %-7s %-6s %-9s %-9s", p.kind, p.link, p.pin, p.meeting, p.guest)
}

var (
	kinds    = []string{"personal", "shared"}
	links    = []string{"valid", "early", "expired", "revoked", "full"}
	pins     = []string{"none", "asked", "passed"}
	meetings = []string{"scheduled", "open", "ended"}
	guests   = []string{"none", "opened", "waiting", "admitted", "sent back", "denied", "removed", "banned", "withdrawn"}
)

// policies are all in the order of the table. A PIN is looked at after the link itself: it is
// played with links that are valid.
func policies() (all []policy) {
	for _, kind := range kinds {
		for _, link := range links {
			for _, pin := range pins {
				for _, m := range meetings {
					for _, g := range guests {
						if pin == "none" || link == "valid" {
							all = append(all, policy{kind: kind, link: link, pin: pin, meeting: m, guest: g})
						}
					}
				}
			}
		}
	}
	return all
}

// acted: the guest has knocked.
func (p policy) acted() bool { return p.guest != "none" && p.guest != "opened" }

// senseless says why a policy cannot be, "" if it can.
func (p policy) senseless() string {
	switch {
	case p.link == "early" && p.guest != "none":
		return "nobody can have opened a link that was never valid"
	case p.link == "full" && p.kind == "shared" && p.acted() && p.guest != "waiting":
		return "a full shared link keeps out whoever has not knocked; the others are as with a valid one"
	case p.link == "full" && p.kind == "personal" && p.acted():
		return "a personal link is full for all but the one it is bound to, who is as with a valid one"
	case p.meeting == "scheduled" && (p.guest == "admitted" || p.guest == "sent back" || p.guest == "removed"):
		return "admitting somebody opens the meeting"
	case p.pin == "passed" && !p.acted():
		return "a PIN is passed with a knock"
	}
	return ""
}

// The ways in. What each answers is "in" or why not.
var ways = []string{
	"redeem the link", "guest token call", "knock", "lobby socket", "agent join call", "host socket",
	"/rtc v0 join", "/rtc/v1 join", "validate", "resume with sid", "refresh token", "stale token", "token of another meeting", "second tab", "twirp RoomService",
}

// roles are who tries. A token is what the role could get in the best case: a guest's once
// it was admitted, a host's own, an API key's for a room of the meeting's name.
// Two are browsers that hold the link and nothing else: the guest's own, whose tab was closed
// and which proves its key, and another one, with a key of its own and no PIN.
var roles = []string{"host", "agent", "administrator", "guest", "nobody", "API key", "own browser", "other browser"}

// byLink are those whom a PIN concerns; the others are not tried again with one.
var byLink = []string{"host", "guest", "own browser", "other browser"}

// expected is the model. It knows product.md and decision 3, and no code.
func (p policy) expected(role, way string) bool {
	usable := p.link == "valid" && p.allowed()
	inCall := p.guest == "admitted" && p.meeting == "open" && p.link != "revoked"
	switch role {
	case "host":
		// The only ones who moderate: in until the meeting has ended, by their own session alone.
		switch way {
		case "agent join call", "host socket":
			return p.meeting != "ended" || way == "host socket" // they may look at what was
		case "/rtc v0 join", "/rtc/v1 join", "validate", "resume with sid", "refresh token", "second tab":
			return p.meeting == "open"
		}
		return way == "redeem the link" && p.fresh(usable)
	case "guest":
		switch way {
		case "redeem the link": // with the right secret, anew: a browser that knows nothing
			return p.fresh(usable)
		case "lobby socket": // whoever ever opened the link hears of its own state, for a day
			return p.guest != "none"
		case "knock":
			return p.mayKnock(usable)
		case "guest token call", "/rtc v0 join", "/rtc/v1 join", "validate", "resume with sid", "refresh token", "second tab":
			return inCall
		}
		return false // no token of the past, none of another meeting, no call of the agents'
	case "own browser": // is the guest, wherever the guest stands
		back := p.comesBack(usable)
		switch way {
		case "redeem the link", "lobby socket":
			return back
		case "knock": // the guest's tab was first
			return back && (p.mayKnock(usable) || p.guest == "none" && p.pin == "none")
		case "guest token call", "/rtc v0 join", "/rtc/v1 join", "validate", "second tab":
			return back && inCall
		}
		return false
	case "other browser": // is somebody else, whatever link it holds
		switch way {
		case "redeem the link", "lobby socket":
			return p.fresh(usable)
		case "knock": // a personal link is the first one's
			return p.fresh(usable) && p.kind == "shared" && p.pin == "none"
		}
		return false
	}
	// Neither an account, nor the administrator's role, nor an API key leads to a meeting, and
	// these do not hold the link's secret.
	return false
}

// fresh: the right secret opens the lobby to a browser that was not here before.
func (p policy) fresh(usable bool) bool {
	bound := p.kind == "personal" && p.acted()
	return usable && p.meeting != "ended" && !bound
}

// comesBack: a browser that proves the key of the guest is the guest, who waits or is in even if
// the link's time is over, and hears of a refusal.
func (p policy) comesBack(usable bool) bool {
	inside := p.guest == "waiting" || p.guest == "admitted" || p.guest == "sent back"
	return p.meeting != "ended" && p.link != "revoked" && (usable || inside)
}

// mayKnock: whoever opened the link may ask, unless a host has refused; who waits or is in keeps that.
func (p policy) mayKnock(usable bool) bool {
	switch p.guest {
	case "none", "denied", "removed", "banned":
		return false
	case "waiting", "admitted", "sent back":
		return p.meeting != "ended" && p.link != "revoked"
	}
	return p.meeting != "ended" && usable && p.pin != "asked"
}

// scene is a policy made true on the program.
type scene struct {
	policy
	*cast
	meeting string
	link    madeLink
	guest   *person           // with its session, or without one
	browser browser           // of the guest
	others  map[string]*comer // by role: the browsers that come by the link
	token   map[string]string // by role
	fresh   map[string]string // refreshed ones, by role
	sid     map[string]string // of participants, by role
	room    string            // sid of the meeting's room
}

// comer is a browser that comes by the link, and its tab.
type comer struct {
	browser
	tab *person
}

// shortLife is long enough to open a link, knock and be let in by it.
const shortLife = 15 * time.Second

// cast are the people of all scenes.
type cast struct {
	t      *testing.T
	p      *program
	host   *person
	people map[string]*person // by role
	alien  string             // a good token of a guest in another meeting
	stale  string             // of a guest who was removed there
}

func newCast(t *testing.T) *cast {
	c := &cast{t: t, p: start(t)}
	admin := c.p.administrator()
	c.host = admin.agent("Inès Caron", "ines@aparte.example")
	makeProfiles(admin)
	agent := admin.agent("Luc Petit", "luc@aparte.example")
	c.people = map[string]*person{"administrator": admin, "agent": agent, "nobody": c.p.person(), "API key": c.p.person()}
	other := agent.meeting()
	l := agent.link(other.ID, api.LinkDraft{})
	g, _ := agent.admitted(other.ID, l, "Elsewhere")
	c.alien = do[api.MediaToken](g, "POST", "/guest/token", nil).Token
	gone, k := agent.admitted(other.ID, l, "Gone")
	c.stale = do[api.MediaToken](gone, "POST", "/guest/token", nil).Token
	do[struct{}](agent, "POST", "/meetings/"+other.ID+"/participants/"+k.Identity+"/remove", nil)
	return c
}

// The PIN of the links that have one, and what is tried by who does not know it.
const rightPIN, wrongPIN = "482915", "000000"

// open plays a scene as far as a link that is still valid is needed.
func (c *cast) open(p policy) *scene {
	s := &scene{policy: p, cast: c, token: map[string]string{}, fresh: map[string]string{}, sid: map[string]string{}}
	s.meeting = c.host.meeting().ID
	draft := api.LinkDraft{Kind: p.kind}
	if p.kind == "personal" {
		draft.GuestName = "Inês Duarte"
	}
	later := time.Now().Add(time.Hour)
	switch {
	case p.link == "early":
		draft.ValidFrom = &later
	case p.link == "expired":
		draft.ExpiresAt = time.Now().Add(shortLife)
	case p.link == "full" && p.kind == "shared":
		draft.MaxUses = 1
	}
	s.link = c.host.link(s.meeting, draft)
	if p.pin == "passed" {
		c.host.setPIN(s.meeting, s.link, rightPIN)
	}
	s.browser = c.p.browser("127.0.0.1", s.link)
	s.others = map[string]*comer{
		"own browser":   {s.browser, c.p.person()},
		"other browser": {c.p.browser("127.0.0.1", s.link), c.p.person()},
	}
	s.guest = c.p.person()
	if p.guest != "none" {
		s.guest = c.p.open(s.link)
	}
	if p.link == "full" && p.guest != "waiting" {
		other := c.p.open(s.link)
		do[api.GuestView](other, "POST", "/guest/knock", api.GuestName{Name: "Somebody else"})
	}
	if p.acted() {
		digits := ""
		if p.pin == "passed" {
			digits = rightPIN
		}
		if got := s.browser.knocks(s.guest, "Inês Duarte", digits); got.status != http.StatusOK {
			c.t.Fatalf("%s: %d %s", p, got.status, got.body)
		}
	}
	return s
}

// finish brings it to where the policy wants it. Whoever is or was admitted has been in the
// call, and has all that is handed out there.
func (s *scene) finish() {
	if s.policy.meeting != "scheduled" {
		s.enter("host", do[api.MediaToken](s.host, "POST", "/meetings/"+s.meeting+"/join", nil).Token)
	}
	if s.pin == "asked" { // after the knock: who is in or waits has not been asked
		s.host.setPIN(s.meeting, s.link, rightPIN)
	}
	if s.acted() {
		k := s.host.knockOf(s.meeting, "Inês Duarte")
		at := "/meetings/" + s.meeting + "/participants/"
		if slices.Contains([]string{"admitted", "sent back", "removed", "banned"}, s.policy.guest) && s.policy.meeting != "scheduled" {
			at += s.host.decide(s.meeting, k, "admit").Identity
			s.enter("guest", do[api.MediaToken](s.guest, "POST", "/guest/token", nil).Token)
		}
		switch s.policy.guest {
		case "removed":
			do[struct{}](s.host, "POST", at+"/remove", nil)
		case "sent back":
			do[api.Knock](s.host, "POST", at+"/send-back", nil)
		case "banned":
			s.host.decide(s.meeting, k, "ban")
		case "denied":
			s.host.decide(s.meeting, k, "deny")
		case "withdrawn":
			do[api.GuestView](s.guest, "POST", "/guest/withdraw", nil)
		}
	}
	s.setTerms()
	if s.policy.link == "revoked" {
		do[api.Link](s.host, "POST", "/meetings/"+s.meeting+"/links/"+s.link.ID+"/revoke", nil)
	}
	if s.policy.meeting == "ended" {
		do[api.Meeting](s.host, "POST", "/meetings/"+s.meeting+"/end", nil)
	}
}

// enter joins once, keeps what is given, and vanishes: the session waits to be resumed.
func (s *scene) enter(role, token string) {
	s.t.Helper()
	s.token[role] = token
	ws, got := s.p.wire(token, false, "")
	if ws == nil {
		s.t.Fatalf("%s: %s: %d %s", s.policy, role, got.status, got.body)
	}
	for s.fresh[role] == "" {
		m, err := firstOf(ws)
		if err != nil {
			s.t.Fatalf("%s: %s: %v", s.policy, role, err)
		}
		if j := m.GetJoin(); j != nil {
			s.sid[role], s.room = j.Participant.Sid, j.Room.Sid
		}
		s.fresh[role] = m.GetRefreshToken()
	}
	_ = ws.NetConn().Close()
}

// who is the person of a role, and its best tokens for this meeting.
func (s *scene) who(role string) (someone *person, token, fresh, sid string) {
	switch role {
	case "host":
		return s.host, s.token[role], s.fresh[role], s.sid[role]
	case "guest":
		return s.guest, s.token[role], s.fresh[role], s.sid[role]
	case "own browser", "other browser":
		return s.others[role].tab, s.token[role], "", ""
	case "API key":
		token := s.keyed(map[string]any{"roomJoin": true, "room": s.meeting})
		return s.people[role], token, token, s.sid["host"]
	}
	someone = s.people[role]
	return someone, someone.cookie(), someone.cookie(), s.sid["host"]
}

// keyed is a token of the API key.
func (s *scene) keyed(video map[string]any) string {
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": apiKey, "sub": "program", "exp": time.Now().Add(time.Hour).Unix(), "video": video,
	}).SignedString([]byte(apiSecret))
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// try is one attempt: whether it led in.
func (s *scene) try(role, way string) bool {
	someone, token, fresh, sid := s.who(role)
	switch way {
	case "redeem the link":
		if c := s.others[role]; c != nil {
			got := c.tab.call("POST", "/guest/redeem", api.Redeem{LinkID: s.link.ID, Code: s.link.code, Proof: c.returnProof()})
			if got.status == http.StatusOK {
				c.tab.bearer = answerTo[api.Redeemed](s.t, got).Session
			}
			return got.status == http.StatusOK
		}
		code := s.link.code
		if role != "host" && role != "guest" {
			code = s.link.ID + s.link.ID[:21] // 43 characters that are not the secret
		}
		return s.p.person().call("POST", "/guest/redeem", api.Redeem{LinkID: s.link.ID, Code: code}).status == http.StatusOK
	case "guest token call":
		got := someone.call("POST", "/guest/token", nil)
		if s.others[role] != nil && got.status == http.StatusOK {
			s.token[role] = answerTo[api.MediaToken](s.t, got).Token
		}
		return got.status == http.StatusOK
	case "knock":
		if someone.bearer == "" {
			return someone.call("POST", "/guest/knock", api.GuestName{Name: "Inês Duarte"}).status == http.StatusOK
		}
		digits := "" // who has passed is not asked again
		if s.pin == "asked" || s.pin == "passed" && role == "other browser" {
			digits = wrongPIN
		}
		by := s.browser
		if c := s.others[role]; c != nil {
			by = c.browser
		}
		return by.knocks(someone, "Inês Duarte", digits).status == http.StatusOK
	case "agent join call":
		return someone.call("POST", "/meetings/"+s.meeting+"/join", nil).status == http.StatusOK
	case "host socket":
		ws, _ := someone.dial("/meetings/"+s.meeting+"/host", s.p.url)
		return s.told(ws)
	case "lobby socket":
		ws, _ := someone.dial("/guest/lobby", s.p.url)
		session := someone.bearer
		if session == "" {
			session = token
		}
		if ws == nil || ws.WriteJSON(api.GuestHello{Session: session}) != nil {
			return false
		}
		return s.told(ws)
	case "/rtc v0 join", "second tab":
		return s.joins(token, false, "")
	case "/rtc/v1 join":
		return s.joins(token, true, "")
	case "resume with sid":
		return sid != "" && s.joins(token, false, sid)
	case "refresh token":
		return s.joins(fresh, false, "")
	case "validate":
		// The API key's is good for the room of this name in the other space: the joins show that
		// it is another.
		return role != "API key" && s.p.person().raw("GET", "/rtc/validate?access_token="+token, "").status == http.StatusOK
	case "stale token":
		return s.joins(s.stale, false, sid)
	case "token of another meeting":
		parts := strings.Split(s.alien, ".")
		claims := decoded(s.t, parts[1])
		claims["video"] = map[string]any{"roomJoin": true, "room": s.meeting}
		return s.joins(parts[0]+"."+encoded(s.t, claims)+"."+parts[2], true, "")
	case "twirp RoomService":
		caller := s.p.person()
		caller.bearer = token
		if role == "API key" {
			caller.bearer = s.keyed(map[string]any{"roomAdmin": true, "roomList": true, "room": s.meeting})
		}
		got := caller.raw("POST", "/twirp/livekit.RoomService/ListParticipants", `{"room":"`+s.meeting+`"}`)
		return got.status == http.StatusOK && bytes.Contains(got.body, []byte(`"identity":"p_`))
	}
	s.t.Fatalf("no such way: %s", way)
	return false
}

// told says whether a socket begins with a message, not with its end.
func (s *scene) told(ws *websocket.Conn) bool {
	if ws == nil {
		return false
	}
	defer ws.Close()
	_ = ws.SetReadDeadline(time.Now().Add(patience)) // the read tells
	_, _, err := ws.ReadMessage()
	return err == nil
}

// joins says whether a token leads into the room of the meeting.
func (s *scene) joins(token string, v1 bool, sid string) bool {
	ws, _ := s.p.wire(token, v1, sid)
	if ws == nil {
		return false
	}
	defer ws.NetConn().Close()
	m, err := firstOf(ws)
	switch {
	case err != nil:
		return false
	case sid != "":
		return m.GetReconnect() != nil
	}
	return m.GetJoin() != nil && m.GetJoin().Room.Sid == s.room
}

// TestTheWholeMatrix plays every policy and has every role try every way.
func TestTheWholeMatrix(t *testing.T) {
	t.Parallel()
	playAll(t, policies(), "verdicts.golden")
}

// playAll plays policies, has every role try every way, and compares what came of it with
// the model and with a file.
func playAll(t *testing.T, all []policy, file string) {
	c := newCast(t)
	var golden, senseless strings.Builder
	var scenes []*scene
	var expiring time.Time
	// Links that expire are opened first, so that they have when it is their turn.
	for _, expires := range []bool{true, false} {
		for _, p := range all {
			switch why := p.senseless(); {
			case (p.link == "expired") != expires:
			case why != "":
				fmt.Fprintf(&senseless, "%s %s\n", p, why)
			case expires:
				scenes = append(scenes, c.open(p))
				expiring = time.Now().Add(shortLife)
			default:
				scenes = append(scenes, &scene{policy: p, cast: c})
			}
		}
	}
	// Those that are open already come last.
	slices.SortStableFunc(scenes, func(a, b *scene) int { return len(a.meeting) - len(b.meeting) })
	rows := map[policy]string{}
	tries, wrong := 0, 0
	for _, s := range scenes {
		if s.meeting == "" {
			s = c.open(s.policy)
		} else if wait := time.Until(expiring); wait > 0 {
			<-time.After(wait) // mostly they have expired while the others were played
		}
		s.finish()
		before := s.admissions()
		marks := make(map[string][]byte)
		for _, part := range order { // what changes the scene comes when all else was tried
			for _, role := range roles {
				if s.pin == "none" || slices.Contains(byLink, role) {
					if marks[role] == nil {
						marks[role] = bytes.Repeat([]byte("."), len(ways))
					}
					tries += len(part)
					wrong += s.tryAll(role, part, marks[role])
				}
			}
		}
		if after := s.admissions(); after != before {
			t.Errorf("%s: %d were in by a host's word, and after all attempts %d are", s.policy, before, after)
		}
		row := ""
		if s.terms != (terms{}) {
			row = fmt.Sprintf(" %-13s %-8s %-5s", s.profile, s.lock, s.letIn())
		}
		for _, role := range roles {
			row += fmt.Sprintf(" %-15s", marks[role])
		}
		rows[s.policy] = row
	}
	t.Logf("%d policies, %d attempts, %d not as expected", len(scenes), tries, wrong)
	fmt.Fprintf(&golden, "# Who comes in by which way, as the built program answered. Each letter is a way that led in:\n")
	for i, way := range ways {
		fmt.Fprintf(&golden, "#   %c %s\n", 'a'+i, way)
	}
	fmt.Fprintf(&golden, "# With a PIN those alone are tried whom it concerns.\n")
	fmt.Fprintf(&golden, "%-8s %-7s %-6s %-9s %-9s", "link", "", "PIN", "meeting", "guest")
	if all[0].terms != (terms{}) {
		fmt.Fprintf(&golden, " %-13s %-8s %-5s", "profile", "lock", "let in")
	}
	for _, role := range roles {
		fmt.Fprintf(&golden, " %-15s", role)
	}
	golden.WriteString("\n")
	for _, p := range all {
		if row, ok := rows[p]; ok {
			golden.WriteString(strings.TrimRight(p.String()+row, " ") + "\n")
		}
	}
	if senseless.Len() > 0 {
		golden.WriteString("\n# Policies that cannot be:\n" + senseless.String())
	}
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(golden.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != golden.String() {
		t.Errorf("the verdicts are not those of %s (-update writes it anew):\n%s", path, golden.String())
	}
}

// tryAll has a role try some ways, marks those that led in and returns how many did otherwise
// than expected.
func (s *scene) tryAll(role string, some []int, marks []byte) (wrong int) {
	for _, i := range some {
		in := s.try(role, ways[i])
		if want := s.expected(role, ways[i]); in != want {
			wrong++
			s.t.Errorf("%s %v: %s by %s: in is %t, want %t", s.policy, s.terms, role, ways[i], in, want)
		}
		if in {
			marks[i] = byte('a' + i)
		}
	}
	return wrong
}

// order is that of the attempts, in two parts: what changes the scene comes last.
var order = func() (parts [2][]int) {
	last := []string{"knock", "agent join call"}
	for i, way := range ways {
		switch {
		case way == "resume with sid": // the session waits; another join would replace it
			parts[0] = append([]int{i}, parts[0]...)
		case slices.Contains(last, way):
			parts[1] = append(parts[1], i)
		default:
			parts[0] = append(parts[0], i)
		}
	}
	return parts
}()

// answerTo reads a good answer.
func answerTo[T any](t testing.TB, a answer) (v T) {
	t.Helper()
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
	return v
}
