package threats

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to see that nothing changed

	"aparte/signaling/api"
	"aparte/signaling/audit"
	"aparte/signaling/role"
	"aparte/signaling/store"
)

// The table of docs/roles.md against the built program: every call that gives a meeting a
// command is made by everybody. It is done where the table says so; elsewhere it is refused
// with the problem that belongs there, which is in the audit trail, and changes nothing.

// caller is somebody of a meeting, or not.
type caller struct {
	name   string
	role   role.Role // that the table knows; "": none in this meeting
	scheme string    // what they can show: agent, guest or nothing
}

var callers = []caller{
	{"host", role.Host, "agent"},
	{"cohost", role.Cohost, "agent"},
	{"participant", role.Participant, "agent"},
	{"observer named", role.Observer, "agent"},
	{"agent of no role", "", "agent"},
	{"administrator", role.Administrator, "agent"}, // of the post, of no role in the meeting
	{"guest", role.Guest, "guest"},
	{"observer by link", role.Observer, "guest"},
	{"door", role.Door, "guest"},
	{"nobody", "", ""},
}

// expected is the problem's code, "" where the call is allowed.
func (c caller) expected(op operation) string {
	switch {
	case op.scheme == "": // whoever opens a link is at its door
		if op.command.May(role.Door) {
			return ""
		}
		return "unauthenticated"
	case c.scheme != op.scheme:
		return "unauthenticated"
	case op.command.May(role.Administrator) && c.role != role.Administrator:
		return "forbidden" // told to all who act for the post
	case c.role == "", c.role == role.Administrator && !op.command.May(role.Administrator):
		return "not-found" // the meeting does not exist for strangers
	case !op.command.May(c.role):
		return "forbidden"
	}
	return ""
}

// play is an open meeting with everybody in it, one of each.
type play struct {
	*agents
	meeting  string
	post     string // of it
	link     madeLink
	people   map[string]*person // by caller's name
	identity map[string]string  // in the call
	waits    string             // knock of the one at the door
	denied   string             // knock of somebody who was refused
}

// agents are the agents of all plays.
type agents struct {
	t        *testing.T
	p        *program
	db       *sql.DB // of the program, to be read alone
	signedIn map[string]*person
	accounts map[string]string // ids
}

func newAgents(t *testing.T) *agents {
	c := &agents{t: t, p: start(t), signedIn: map[string]*person{}, accounts: map[string]string{}}
	var err error
	if c.db, err = sql.Open("sqlite", "file:"+filepath.Join(c.p.dir, "data", "aparte.db")+"?mode=ro&_pragma=busy_timeout(20000)"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.db.Close() }) // nothing was written
	admin := c.p.administrator()
	for _, who := range callers {
		if who.role == role.Administrator {
			c.signedIn[who.name] = admin
		} else if who.scheme == "agent" {
			address := strings.ReplaceAll(who.name, " ", "-") + "@aparte.example"
			c.signedIn[who.name] = admin.agent(who.name, address)
			c.accounts[who.name] = do[api.SignedIn](c.signedIn[who.name], "GET", "/session", nil).Account.ID
		}
	}
	return c
}

func (c *agents) newPlay() *play {
	s := &play{agents: c, people: maps.Clone(c.signedIn), identity: map[string]string{}}
	host := s.people["host"]
	made := host.meeting()
	s.meeting, s.post = made.ID, made.Post
	starts := time.Now() // a calendar has a place for it
	do[api.Meeting](host, "PUT", "/meetings/"+s.meeting, api.MeetingEdit{Title: made.Title, StartsAt: &starts})
	for who, as := range map[string]string{"cohost": "cohost", "participant": "participant", "observer named": "observer"} {
		address := strings.ReplaceAll(who, " ", "-") + "@aparte.example"
		do[api.Member](host, "POST", "/meetings/"+s.meeting+"/members", api.MemberDraft{Email: address, Role: as})
	}
	for _, who := range []string{"host", "cohost", "participant", "observer named"} { // the host opens it
		s.identity[who] = do[api.MediaToken](s.people[who], "POST", "/meetings/"+s.meeting+"/join", nil).Identity
	}
	s.link = host.link(s.meeting, api.LinkDraft{})
	var k api.Knock
	s.people["guest"], k = host.admitted(s.meeting, s.link, "A guest")
	s.identity["guest"] = k.Identity
	s.people["observer by link"], k = host.admitted(s.meeting, host.link(s.meeting, api.LinkDraft{Role: "observer"}), "An observer")
	s.identity["observer by link"] = k.Identity
	s.people["door"], k = host.waiting(s.meeting, s.link, "At the door")
	s.waits = k.ID
	_, k = host.waiting(s.meeting, s.link, "Refused")
	s.denied = host.decide(s.meeting, k, "deny").ID
	s.people["nobody"] = c.p.person()
	return s
}

// asked is a call that is ready to be made.
type asked struct {
	path string // below the meeting, or with a leading slash of its own
	body any    // a string is CSV
}

// prepared is how each call is made so that it has an effect where it is allowed.
var prepared = map[string]func(s *play) asked{
	"get-meeting":          func(*play) asked { return asked{path: ""} },
	"join-meeting":         func(*play) asked { return asked{path: "/join"} },
	"end-meeting":          func(*play) asked { return asked{path: "/end"} },
	"list-attendance":      func(*play) asked { return asked{path: "/attendance"} },
	"get-calendar":         func(*play) asked { return asked{path: "/calendar"} },
	"edit-meeting":         func(*play) asked { return asked{"", api.MeetingEdit{Title: "Something else"}} },
	"end-meeting-for-good": func(*play) asked { return asked{path: "/end-for-good"} },
	"remove-participant":   func(s *play) asked { return asked{path: "/participants/" + s.identity["guest"] + "/remove"} },
	"send-back":            func(s *play) asked { return asked{path: "/participants/" + s.identity["guest"] + "/send-back"} },
	"permit": func(s *play) asked {
		return asked{"/participants/" + s.identity["guest"] + "/permissions", map[string]bool{"camera": false}}
	},

	"list-members": func(*play) asked { return asked{path: "/members"} },
	"name-member": func(*play) asked {
		return asked{"/members", api.MemberDraft{Email: "agent-of-no-role@aparte.example", Role: "participant"}}
	},
	"set-member": func(s *play) asked {
		return asked{"/members/" + s.accounts["participant"], api.MemberRole{Role: "cohost"}}
	},
	"remove-member": func(s *play) asked { return asked{path: "/members/" + s.accounts["participant"]} },
	"hand-over":     func(s *play) asked { return asked{path: "/members/" + s.accounts["cohost"] + "/hand-over"} },
	"set-participant-role": func(s *play) asked {
		return asked{"/participants/" + s.identity["participant"] + "/role", api.MemberRole{Role: "observer"}}
	},
	"hand-over-in-call": func(s *play) asked { return asked{path: "/participants/" + s.identity["cohost"] + "/hand-over"} },

	"mute":           func(s *play) asked { return asked{path: "/call/participants/" + s.identity["guest"] + "/mute"} },
	"ask-unmute":     func(s *play) asked { return asked{path: "/call/participants/" + s.identity["guest"] + "/ask-unmute"} },
	"stop-camera":    func(s *play) asked { return asked{path: "/call/participants/" + s.identity["guest"] + "/stop-camera"} },
	"stop-share":     func(s *play) asked { return asked{path: "/call/participants/" + s.identity["guest"] + "/stop-share"} },
	"mute-all":       func(*play) asked { return asked{path: "/call/mute"} },
	"ask-unmute-all": func(*play) asked { return asked{path: "/call/ask-unmute"} },
	"permit-all":     func(*play) asked { return asked{"/call/permissions", map[string]bool{"share": false}} },
	"spotlight":      func(*play) asked { return asked{"/call/spotlight", api.Spotlight{Identities: []string{}}} },
	"lock":           func(*play) asked { return asked{"/call/lock", api.Lock{Locked: true}} },
	"choose-profile": func(*play) asked { return asked{"/profile", api.ProfileChoice{Profile: "standard"}} },
	"preview-choice": func(*play) asked { return asked{"/profile/preview", api.ProfileChoice{Profile: "standard"}} },

	// Somebody hosts the meeting: whoever may is told so.
	"appoint-host": func(*play) asked { return asked{"/host", api.HostAppointment{Email: "cohost@aparte.example"}} },
	"end-orphan":   func(*play) asked { return asked{path: "/end"} },

	"list-links":  func(*play) asked { return asked{path: "/links"} },
	"create-link": func(*play) asked { return asked{"/links", someLink()} },
	"create-links": func(*play) asked {
		return asked{"/links/bulk", api.LinkDrafts{Links: []api.LinkDraft{someLink()}}}
	},
	"check-guest-list": func(*play) asked { return asked{"/links/check", "name\nInês\n"} },
	"revoke-all-links": func(*play) asked { return asked{path: "/links/revoke-all"} },
	"revoke-link":      func(s *play) asked { return asked{path: "/links/" + s.link.ID + "/revoke"} },
	"reissue-link": func(s *play) asked {
		return asked{"/links/" + s.link.ID + "/reissue", api.Reissue{CodeHash: strings.Repeat("A", 43)}}
	},
	"extend-link": func(s *play) asked {
		return asked{"/links/" + s.link.ID + "/extend", api.Extend{ExpiresAt: time.Now().Add(72 * time.Hour)}}
	},
	"set-link-pin": func(s *play) asked {
		return asked{"/links/" + s.link.ID + "/pin", api.LinkPIN{PINHash: strings.Repeat("B", 42) + "A"}}
	},
	"list-link-uses": func(s *play) asked { return asked{path: "/links/" + s.link.ID + "/uses"} },

	"list-knocks": func(*play) asked { return asked{path: "/knocks"} },
	"admit-knock": func(s *play) asked { return asked{"/knocks/" + s.waits + "/admit", map[string]any{}} },
	"deny-knock":  func(s *play) asked { return asked{"/knocks/" + s.waits + "/deny", map[string]any{}} },
	"lift-knock":  func(s *play) asked { return asked{path: "/knocks/" + s.denied + "/lift"} },
	"ban-knock":   func(s *play) asked { return asked{"/knocks/" + s.waits + "/ban", map[string]any{}} },
	"write-knock": func(s *play) asked {
		return asked{"/knocks/" + s.waits + "/messages", api.LobbyText{Text: "Deux minutes"}}
	},
	"write-all-knocks": func(*play) asked { return asked{"/knocks/messages", api.LobbyText{Text: "Deux minutes"}} },
	"admit-all-knocks": func(*play) asked { return asked{"/knocks/admit-all", map[string]any{}} },

	"list-call-messages": func(*play) asked { return asked{path: "/call/messages"} },
	"write-call":         func(*play) asked { return asked{"/call/messages", api.CallText{Text: "Bonjour"}} },
	"write-call-privately": func(*play) asked {
		return asked{"/call/private-messages", api.PrivateText{Text: "Bonjour", To: "hosts"}}
	},
	"announce-file": func(*play) asked {
		return asked{"/call/files", api.FileDraft{Name: "note.pdf", Size: 4, To: "everyone"}}
	},
	// Without a connection nobody has announced any.
	"send-file":      func(*play) asked { return asked{"/call/files/" + noFile, map[string]any{}} },
	"get-file":       func(*play) asked { return asked{path: "/call/files/" + noFile} },
	"delete-file":    func(*play) asked { return asked{path: "/call/files/" + noFile} },
	"react":          func(*play) asked { return asked{"/call/reactions", api.Reaction{Reaction: "agree"}} },
	"raise-hand":     func(*play) asked { return asked{path: "/call/hand"} },
	"lower-own-hand": func(*play) asked { return asked{path: "/call/hand"} },
	"lower-hand":     func(s *play) asked { return asked{path: "/call/hands/" + s.identity["guest"]} },
	"lower-hands":    func(*play) asked { return asked{path: "/call/hands"} },
	"start-timer":    func(*play) asked { return asked{"/call/timer", api.TimerDraft{Seconds: 60}} },
	"stop-timer":     func(*play) asked { return asked{path: "/call/timer"} },

	"read-kept-chat":   func(*play) asked { return asked{path: "/kept-chat"} },
	"export-kept-chat": func(*play) asked { return asked{"/kept-chat/export", api.KeptExport{}} },
	"delete-kept-chat": func(*play) asked { return asked{path: "/kept-chat"} },

	"guest-list-call-messages":   func(*play) asked { return asked{} },
	"guest-write-call":           func(*play) asked { return asked{body: api.CallText{Text: "Bonjour"}} },
	"guest-write-call-privately": func(*play) asked { return asked{body: api.PrivateText{Text: "Bonjour", To: "hosts"}} },
	"guest-announce-file":        func(*play) asked { return asked{body: api.FileDraft{Name: "note.pdf", Size: 4, To: "everyone"}} },
	"guest-send-file":            func(*play) asked { return asked{body: map[string]any{}} },
	"guest-get-file":             func(*play) asked { return asked{} },
	"guest-delete-file":          func(*play) asked { return asked{} },
	"guest-react":                func(*play) asked { return asked{body: api.Reaction{Reaction: "agree"}} },
	"guest-raise-hand":           func(*play) asked { return asked{} },
	"guest-lower-own-hand":       func(*play) asked { return asked{} },

	"get-recording": func(*play) asked { return asked{path: "/call/recording"} },
	"answer-recording": func(*play) asked {
		return asked{"/call/recording/answer", api.RecordingSaid{Recording: noFile, Answer: "agree"}}
	},
	"ask-recording":       func(*play) asked { return asked{"/call/recording/ask", api.RecordingDraft{Purpose: "Compte rendu"}} },
	"start-recording":     func(*play) asked { return asked{path: "/call/recording/start"} },
	"pause-recording":     func(*play) asked { return asked{path: "/call/recording/pause"} },
	"resume-recording":    func(*play) asked { return asked{path: "/call/recording/resume"} },
	"stop-recording":      func(*play) asked { return asked{path: "/call/recording/stop"} },
	"guest-get-recording": func(*play) asked { return asked{} },
	"guest-answer-recording": func(*play) asked {
		return asked{body: api.RecordingSaid{Recording: noFile, Answer: "agree"}}
	},
	"list-recordings":    func(*play) asked { return asked{path: "/recordings"} },
	"delete-recording":   func(*play) asked { return asked{path: "/recordings/" + noFile} },
	"download-recording": func(*play) asked { return asked{path: "/recordings/" + noFile + "/parts/1"} },
	"share-recording": func(*play) asked {
		return asked{"/recordings/" + noFile + "/shares", api.ShareDraft{Email: "participant@aparte.example"}}
	},
	"unshare-recording": func(s *play) asked {
		return asked{path: "/recordings/" + noFile + "/shares/" + s.accounts["participant"]}
	},
	"hold-recording": func(*play) asked {
		return asked{"/recordings/" + noFile + "/hold", api.HoldDraft{Reason: "Réquisition"}}
	},
	"lift-hold":              func(*play) asked { return asked{path: "/recordings/" + noFile + "/hold"} },
	"watch-recording":        func(*play) asked { return asked{path: "/recordings/" + noFile + "/film"} },
	"get-recording-captions": func(*play) asked { return asked{path: "/recordings/" + noFile + "/film/captions"} },
	"get-recording-chapters": func(*play) asked { return asked{path: "/recordings/" + noFile + "/film/chapters"} },
	"compose-recording":      func(*play) asked { return asked{path: "/recordings/" + noFile + "/film/again"} },
	"choose-recording-film": func(*play) asked {
		return asked{"/recordings/" + noFile + "/film", api.FilmDraft{Layout: "speaker", Format: "mp4"}}
	},

	"get-own-knock":     func(*play) asked { return asked{path: "/knock"} },
	"knock-as-agent":    func(*play) asked { return asked{path: "/knock"} },
	"withdraw-as-agent": func(*play) asked { return asked{path: "/knock/withdraw"} },
	"reply-as-agent":    func(*play) asked { return asked{"/knock/messages", api.LobbyText{Text: "Merci"}} },

	"redeem-link":     func(s *play) asked { return asked{body: api.Redeem{LinkID: s.link.ID, Code: s.link.code}} },
	"challenge-guest": func(s *play) asked { return asked{body: api.ChallengeAsked{LinkID: s.link.ID, Code: s.link.code}} },
	"get-guest":       func(*play) asked { return asked{} },
	"knock":           func(*play) asked { return asked{body: api.GuestName{Name: "Somebody"}} },
	"withdraw":        func(*play) asked { return asked{} },
	"reply":           func(*play) asked { return asked{body: api.LobbyText{Text: "Merci"}} },
	"guest-token":     func(*play) asked { return asked{} },

	"guest-check-network":     func(*play) asked { return asked{} },
	"guest-end-network-check": func(*play) asked { return asked{} },
}

// noFile is the id of no file.
const noFile = "FFFFFFFFFFFFFFFFFFFFFF"

// someLink is a link that nobody comes by.
func someLink() api.LinkDraft {
	return api.LinkDraft{Kind: "shared", ExpiresAt: time.Now().Add(time.Hour), CodeHash: strings.Repeat("A", 43)}
}

// operation is a call as the program's own description has it.
type operation struct {
	id, method, path, scheme string
	command                  role.Command
}

// operations are those that give a meeting a command, in the order of their names.
func (p *program) operations() (all []operation) {
	p.t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string                `json:"operationId"`
			Command     string                `json:"x-command"`
			Security    []map[string][]string `json:"security"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(p.person().raw("GET", api.Prefix+"/openapi.json", "").body, &doc); err != nil {
		p.t.Fatal(err)
	}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if op.Command == "" {
				continue
			}
			found := operation{id: op.OperationID, method: strings.ToUpper(method), path: path}
			for _, way := range op.Security {
				for scheme := range way {
					found.scheme = scheme
				}
			}
			i := slices.IndexFunc(role.Table(), func(c role.Command) bool { return c.String() == op.Command })
			if i < 0 {
				p.t.Errorf("%s gives the command %s, which is no row of the table", op.OperationID, op.Command)
				continue
			}
			found.command = role.Table()[i]
			all = append(all, found)
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	return all
}

func (s *play) ask(who caller, op operation) answer {
	someone, call := s.people[who.name], prepared[op.id](s)
	path := op.path
	switch {
	case strings.HasPrefix(path, "/meetings/{id}"):
		path = "/meetings/" + s.meeting + call.path
	case strings.HasPrefix(path, "/posts/{post}/meetings/{id}"):
		path = "/posts/" + s.post + "/meetings/" + s.meeting + call.path
	case strings.HasPrefix(path, "/posts/{post}/orphans/{id}"):
		path = "/posts/" + s.post + "/orphans/" + s.meeting + call.path
	}
	path = strings.ReplaceAll(path, "{file}", noFile)
	if list, ok := call.body.(string); ok {
		someone.header.Set("Content-Type", "text/csv")
		defer someone.header.Del("Content-Type")
		return someone.raw(op.method, api.Prefix+path, list)
	}
	return someone.call(op.method, path, call.body)
}

// events are the program's audit trail, which must verify.
func (p *program) events() (all []audit.Event) {
	p.t.Helper()
	trail, err := store.OpenTrail(p.t.Context(), filepath.Join(p.dir, "data"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer trail.Close()
	var out bytes.Buffer
	if _, err := trail.Export(p.t.Context(), &out, store.Range{}); err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		var l struct{ Event *audit.Event }
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			p.t.Fatal(err)
		}
		if l.Event != nil {
			all = append(all, *l.Event)
		}
	}
	return all
}

// ends are how many events each chain of the audit trail has. It only looks: events says
// whether they verify.
func (c *agents) ends() map[string]uint64 {
	c.t.Helper()
	ends := map[string]uint64{}
	c.query(`SELECT post, MAX(seq) FROM audit_events GROUP BY post`, func(rows *sql.Rows) error {
		var post string
		var seq uint64
		err := rows.Scan(&post, &seq)
		ends[post] = seq
		return err
	})
	return ends
}

// since are the events after ends.
func (c *agents) since(ends map[string]uint64) (all []audit.Event) {
	c.t.Helper()
	for post := range c.ends() {
		c.query(`SELECT event FROM audit_events WHERE post = $1 AND seq > $2 ORDER BY seq`, func(rows *sql.Rows) error {
			var text string
			if err := rows.Scan(&text); err != nil {
				return err
			}
			e, err := audit.ParseEvent([]byte(text))
			all = append(all, e)
			return err
		}, post, ends[post])
	}
	return all
}

func (c *agents) query(query string, row func(*sql.Rows) error, args ...any) {
	c.t.Helper()
	rows, err := c.db.QueryContext(c.t.Context(), query, args...)
	if err != nil {
		c.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		c.t.Fatal(err)
	}
}

// dump is what the program has stored of the meeting, but for when sessions were used.
func (s *play) dump() string {
	s.t.Helper()
	var b strings.Builder
	for _, table := range []string{"meetings WHERE id", "members WHERE meeting_id", "guest_links WHERE meeting_id", "knocks WHERE meeting_id", "link_uses WHERE meeting_id", "seats WHERE meeting_id", "recordings WHERE meeting_id"} {
		s.dumpRows(table, &b)
	}
	return b.String()
}

// dumpRows writes what of a table, and a column of it, is the meeting's.
func (s *play) dumpRows(table string, b *strings.Builder) {
	s.t.Helper()
	s.query(`SELECT * FROM `+table+` = $1`, func(rows *sql.Rows) error {
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		fmt.Fprintln(b, table, values)
		return nil
	}, s.meeting)
}

// at has the person ask from another address of this machine: refusals are told by source.
func (p *person) at(n int) {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, byte(n>>8), byte(n))}}
	p.client.CloseIdleConnections()
	p.client.Transport = &http.Transport{MaxIdleConnsPerHost: 1, DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, to)
	}}
}

func TestTheTableOfRolesHolds(t *testing.T) {
	t.Parallel()
	c := newAgents(t)
	all := c.p.operations()
	if len(all) < 30 {
		t.Fatalf("%d calls: this test looked in the wrong place", len(all))
	}
	for id := range prepared {
		if !slices.ContainsFunc(all, func(op operation) bool { return op.id == id }) {
			t.Errorf("%s is no call any more", id)
		}
	}
	allowed, refused := 0, 0
	for i, op := range all {
		if i%40 == 39 { // one program writes so many refusals down and no more (audit.Refusals)
			c.p.events()
			c = newAgents(t)
		}
		if prepared[op.id] == nil {
			t.Errorf("%s: a new call: say in this test how it is made", op.id)
			continue
		}
		s := c.newPlay()
		last := s // in which nothing was done yet
		refused += s.refuses(op, refused)
		for _, who := range callers {
			if who.expected(op) != "" {
				continue
			}
			allowed++
			if last == nil {
				last = c.newPlay()
			}
			// What the state does not allow is said by another problem; mostly it is done.
			got := last.ask(who, op)
			done := got.status < 300
			state := got.status == http.StatusConflict || got.status == http.StatusGone || got.status == http.StatusUnprocessableEntity
			// They have seats and no connection, which is all that these ask besides the role.
			unconnected := got.status == http.StatusConflict && strings.Contains(string(got.body), "not in the call")
			// Nor does this meeting lack a host (signaling/api TestAMeetingThatLostItsHostGetsAnother).
			hosted := got.status == http.StatusConflict && op.command.May(role.Administrator) && strings.Contains(string(got.body), "somebody hosts")
			// They wait for nothing, as only guests do in this play.
			spared := got.status == http.StatusConflict && strings.HasSuffix(op.id, "-as-agent")
			// No recording was asked for (signaling/api TestRecording has one in every state).
			unasked := (strings.Contains(op.id, "-recording") || op.id == "lift-hold") && (got.status == http.StatusConflict || got.status == http.StatusNotFound)
			if !done && !unconnected && !hosted && !spared && !unasked && (!state || who.scheme == "agent") {
				t.Errorf("%s by %s: %d %s", op.id, who.name, got.status, got.body)
			}
			if op.method != http.MethodGet {
				last = nil
			}
		}
	}
	c.p.events()
	t.Logf("%d calls, %d times allowed, %d times refused", len(all), allowed, refused)
}

// refuses has everybody make a call who must be refused, and counts them.
func (s *play) refuses(op operation, so int) (count int) {
	s.t.Helper()
	stored, told := s.dump(), s.ends()
	var want []string
	for _, who := range callers {
		code := who.expected(op)
		if code == "" {
			continue
		}
		count++
		s.people[who.name].at(so + count)
		if got := s.ask(who, op); got.code() != code {
			s.t.Errorf("%s by %s: %d %s, want the problem %q", op.id, who.name, got.status, got.body, code)
		}
		// A look is not told: it would have changed nothing. What is taken away is.
		if op.method != http.MethodGet || slices.Contains([]string{"download-recording", "watch-recording", "get-recording-captions", "get-recording-chapters"}, op.id) {
			want = append(want, op.id+" "+code)
		}
	}
	if after := s.dump(); after != stored {
		s.t.Errorf("%s was refused and has changed\n%s\nto\n%s", op.id, stored, after)
	}
	var got []string
	for _, e := range s.since(told) {
		if e.Act != audit.CallRefused {
			s.t.Errorf("%s was refused, and the trail tells %v", op.id, e)
		}
		got = append(got, e.Detail["operation"]+" "+e.Detail["problem"])
	}
	slices.Sort(got) // who is nobody's is told to the installation's chain
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.t.Errorf("the trail tells of the refusals %q, want %q", got, want)
	}
	return count
}

// The host's socket is no call; the table rules it all the same.
func TestTheLobbyIsFollowedByHostsAlone(t *testing.T) {
	t.Parallel()
	s := newAgents(t).newPlay()
	for _, who := range callers {
		ws, got := s.people[who.name].dial("/meetings/"+s.meeting+"/host", s.p.url)
		if may := who.role.Check(role.WatchLobby) == nil; (ws != nil) != may {
			s.t.Errorf("%s: %d %s, may %t", who.name, got.status, got.body, may)
		}
	}
	// Who loses the role loses the socket before the answer; who gains it may open one.
	cohost, _ := s.people["cohost"].dial("/meetings/"+s.meeting+"/host", s.p.url)
	if cohost == nil {
		t.Fatal("a co-host follows no lobby")
	}
	do[api.Member](s.people["host"], "PUT", "/meetings/"+s.meeting+"/participants/"+s.identity["cohost"]+"/role", api.MemberRole{Role: "participant"})
	closed(t, cohost)
	do[api.Member](s.people["host"], "PUT", "/meetings/"+s.meeting+"/members/"+s.accounts["participant"], api.MemberRole{Role: "cohost"})
	if ws, got := s.people["participant"].dial("/meetings/"+s.meeting+"/host", s.p.url); ws == nil {
		t.Errorf("the new co-host: %d %s", got.status, got.body)
	}
}
