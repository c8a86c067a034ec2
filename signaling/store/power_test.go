package store

import (
	"context"
	crand "crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	goflag "flag" // flag is a column here
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/meeting"
	"aparte/signaling/meeting/meetingtest"
	"aparte/signaling/profile"
	"aparte/signaling/store/faulty"
	"aparte/signaling/throttle"
)

// `make soak` cuts the power more often.
var powerCuts = goflag.Int("powercuts", 12, "how often the power is cut")

// house is a meeting whose guests and hosts act at once, on a disk that fails.
// It outlives the lives of its store.
type house struct {
	t     *testing.T
	dir   string
	disk  *faulty.Disk
	seed  uint64
	host  meeting.Agent
	store *Store
	*meeting.Meetings

	id      string // of the meeting
	ended   bool
	links   []*houseLink
	history *meetingtest.History // of this life

	writers []meeting.Agent // of the host's account, in the call

	mu     sync.Mutex      // guards what follows
	said   map[string]bool // texts that were acknowledged and are to be kept
	texts  int
	guests []*houseGuest
	born   int
}

type houseLink struct {
	id, code string
	personal bool
	taken    bool // personal: somebody has opened it; guarded by house.mu
	first    meetingtest.State
	void     bool // for who has the code: revoked, or issued anew
}

type houseGuest struct {
	name, token string
	link        *houseLink
	browser     *meetingtest.Browser // nil: keeps no key
	binding     binding              // of the first tab
	first       meetingtest.State

	knocked bool            // guarded by house.mu: this was acknowledged
	grants  map[string]bool // guarded by house.mu: what it was ever let in by
}

// binding is what a tab's session is signed for by.
type binding struct{ session, challenge string }

func newPowerHouse(t *testing.T, seed uint64) *house {
	t.Helper()
	dir := t.TempDir()
	disk, err := faulty.NewDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, dir: dir, disk: disk, seed: seed, host: meeting.Agent{Account: "account", Name: "Anne", Session: "as", Posts: []string{dakar.ID}}}
	t.Cleanup(func() {
		h.stop()
		disk.Close()
	})
	return h
}

func (h *house) random(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(h.seed, stream)) }

// start opens the store, as often as it takes: the power may go meanwhile.
func (h *house) start() {
	h.t.Helper()
	for try := uint64(0); ; try++ {
		s, err := Open(h.t.Context(), h.dir, quiet)
		if err == nil {
			h.store = s
			break
		}
		if !h.disk.Dead() || try > 0 {
			h.t.Fatalf("seed %d: open: %v", h.seed, err)
		}
		if err := h.disk.Restart(h.random(100 + try)); err != nil {
			h.t.Fatal(err)
		}
	}
	h.Meetings = meeting.NewMeetings(meeting.Config{
		Store: h.store, Media: meetingtest.Deaf{}, Random: crand.Reader, Log: quiet, Now: func() time.Time { return start },
		Lobby: lobby.Limits{
			WaitingPerMeeting: 1000, WaitingPerLink: 1000, KnockAgain: throttle.Rate{Every: time.Nanosecond, Burst: 1 << 20},
			IdleSessionsPerLink: 1 << 20, PastKnocksPerLink: 1 << 20, KeepPast: time.Hour,
		},
	})
}

func (h *house) stop() {
	if h.store != nil {
		h.Close()
		_ = h.store.Close() // on a dead disk it cannot but fail
		h.store = nil
	}
}

// furnish makes the account, and a meeting once the last has ended.
func (h *house) furnish() {
	h.t.Helper()
	if _, _, err := h.store.AccountByID(h.t.Context(), h.host.Account); err != nil {
		if _, err := addHost(h.t.Context(), h.store); err != nil {
			h.t.Fatalf("seed %d: %v", h.seed, err)
		}
	}
	if _, err := h.store.ProfileVersions(h.t.Context(), dakar.ID, keeping); err != nil {
		p := profile.Defaults()[0]
		p.Post, p.ID, p.Rules.KeepChat = dakar.ID, keeping, true
		if _, err := h.AddProfile(h.t.Context(), h.host, p); err != nil {
			h.t.Fatalf("seed %d: %v", h.seed, err)
		}
	}
	if h.id == "" || h.ended {
		m, err := h.Create(h.t.Context(), h.host, meeting.Draft{Title: "Power", Profile: keeping})
		if err != nil {
			h.t.Fatalf("seed %d: %v", h.seed, err)
		}
		h.id, h.ended, h.links, h.guests, h.said = m.ID, false, nil, nil, make(map[string]bool)
	}
	h.seatWriters()
	h.history = meetingtest.NewHistory()
	for _, l := range h.links {
		h.history.Add(l.id, l.id, l.first)
	}
	for _, g := range h.guests {
		h.history.Add(g.name, g.link.id, g.first)
	}
	h.makeLink(link.Shared)
	if h.seed%2 == 0 { // or no checkpoint would come in so short a life
		if _, err := h.store.write.db.ExecContext(h.t.Context(), "PRAGMA wal_autocheckpoint=40"); err != nil {
			h.t.Fatal(err)
		}
	}
}

// keeping is the security profile of the meeting.
const keeping = "keeping"

// seatWriters has the host come into the call from several browsers: the time stands, and
// each may write five messages in it.
func (h *house) seatWriters() {
	h.t.Helper()
	h.writers = nil
	for i := range 12 {
		by := h.host
		by.Session = fmt.Sprint("writer ", i)
		g, err := h.Join(h.t.Context(), by, h.id)
		if err != nil {
			h.t.Fatalf("seed %d: %v", h.seed, err)
		}
		h.Joined(h.id, g.Identity, "PA_"+by.Session)
		h.writers = append(h.writers, by)
	}
}

// write writes to everybody in the call, which is kept, or to the hosts, which is not.
func (h *house) write(random *rand.Rand) {
	h.mu.Lock()
	h.texts++
	text, to := fmt.Sprint("to all ", h.texts), meeting.ToEveryone
	h.mu.Unlock()
	if random.IntN(5) == 0 {
		text, to = "private", meeting.ToHosts
	}
	_, err := h.Say(h.t.Context(), meeting.AsAgent(h.writers[random.IntN(len(h.writers))], h.id), text, to)
	var often *meeting.TooOftenError
	switch {
	case err == nil && to == meeting.ToEveryone:
		h.mu.Lock()
		h.said[text] = true
		h.mu.Unlock()
	case err == nil, errors.As(err, &often), errors.Is(err, meeting.ErrEnded), errors.Is(err, meeting.ErrNotInCall),
		errors.Is(err, meeting.ErrUnavailable), errors.Is(err, context.Canceled):
	default:
		h.t.Errorf("seed %d: unexpected failure: %v", h.seed, err)
	}
}

// verifyChat looks whether what was acknowledged is kept, once each, and nothing private.
func (h *house) verifyChat() (all []error) {
	found, err := h.store.KeptMessages(h.t.Context(), h.id, 0, start, 1<<20)
	if err != nil {
		return []error{err}
	}
	stored := make(map[string]int)
	for _, m := range found {
		stored[m.Text]++
	}
	for text := range h.said {
		if stored[text] != 1 {
			all = append(all, fmt.Errorf("the message %q was acknowledged and is stored %d times", text, stored[text]))
		}
	}
	if stored["private"] > 0 {
		all = append(all, errors.New("a private message is stored"))
	}
	return all
}

// note ends a call with what came of it.
func (h *house) note(c *meetingtest.Call, err error, status lobby.Status, identity string) bool {
	var soon *lobby.TooSoonError
	switch {
	case err == nil:
		c.Done(status, identity)
		return true
	case errors.Is(err, meeting.ErrUnavailable), errors.Is(err, ErrUnavailable), errors.Is(err, ErrUnwritable), errors.Is(err, context.Canceled):
		// It may have happened.
	case errors.Is(err, lobby.ErrCrowded), errors.As(err, &soon):
		c.Limited()
	case errors.Is(err, lobby.ErrState), errors.Is(err, lobby.ErrDenied), errors.Is(err, lobby.ErrBanned), errors.Is(err, lobby.ErrNoKnock), errors.Is(err, link.ErrRevoked), errors.Is(err, link.ErrUnknown),
		errors.Is(err, meeting.ErrEnded), errors.Is(err, meeting.ErrNotAdmitted):
		c.Refused()
	default:
		h.t.Errorf("seed %d: unexpected failure: %v", h.seed, err)
	}
	return false
}

// actAsHost does one thing that a host does.
func (h *house) actAsHost(random *rand.Rand) {
	ctx := h.t.Context()
	switch n := random.IntN(100); {
	case n < 3:
		h.makeLink([]link.Kind{link.Shared, link.Personal}[random.IntN(2)])
		return
	case n < 5:
		if l := h.someLink(random); l != nil {
			c := h.history.Begin(meetingtest.Revoke, l.id, "")
			_, err := h.RevokeLink(ctx, h.host, h.id, l.id)
			h.note(c, err, "", "")
		}
		return
	case n < 6:
		if l := h.someLink(random); l != nil {
			h.reissue(l)
		}
		return
	case n < 30 && n >= 7:
		h.write(random)
		return
	case n < 7 && random.IntN(4) == 0:
		c := h.history.Begin(meetingtest.End, "", "")
		_, err := h.End(ctx, h.host, h.id)
		h.note(c, err, "", "")
		return
	}
	knocks, err := h.Knocks(ctx, h.host, h.id)
	if err != nil || len(knocks) == 0 {
		return
	}
	k := knocks[random.IntN(len(knocks))]
	if waiting := firstWaiting(knocks); waiting != nil && random.IntN(3) > 0 {
		k = *waiting
	}
	decide := []func(){
		func() {
			c := h.history.Begin(meetingtest.Admit, k.Name, "")
			v, err := h.Admit(ctx, h.host, h.id, k.ID, lobby.Everything())
			h.note(c, err, v.Status, v.Identity)
		},
		func() {
			c := h.history.Begin(meetingtest.Deny, k.Name, "")
			v, err := h.Deny(ctx, h.host, h.id, k.ID, "")
			h.note(c, err, v.Status, "")
		},
		func() {
			c := h.history.Begin(meetingtest.Lift, k.Name, "")
			v, err := h.Lift(ctx, h.host, h.id, k.ID)
			h.note(c, err, v.Status, "")
		},
		func() {
			if k.Identity != "" {
				c := h.history.Begin(meetingtest.Remove, k.Name, k.Identity)
				h.note(c, h.Remove(ctx, h.host, h.id, k.Identity), "", "")
			}
		},
		func() {
			c := h.history.Begin(meetingtest.Ban, k.Name, "")
			v, err := h.Ban(ctx, h.host, h.id, k.ID, "")
			h.note(c, err, v.Status, "")
		},
		func() {
			if k.Identity != "" {
				c := h.history.Begin(meetingtest.SendBack, k.Name, k.Identity)
				v, err := h.SendBack(ctx, h.host, h.id, k.Identity)
				h.note(c, err, v.Status, "")
			}
		},
	}
	likely := map[lobby.Status][]int{
		lobby.Waiting: {0, 0, 0, 0, 0, 0, 1, 4}, lobby.Admitted: {3, 3, 4, 5, 5}, lobby.Denied: {2, 2, 2, 4}, lobby.Withdrawn: {0}, lobby.Expired: {1},
	}[k.Status]
	if random.IntN(10) == 0 {
		likely = []int{0, 1, 2, 3, 4, 5}
	}
	decide[likely[random.IntN(len(likely))]]()
}

// reissue gives a link a secret that nobody is told: who came by the old one has
// to go, and nobody comes any more.
func (h *house) reissue(l *houseLink) {
	_, hash, err := link.MakeSecret(crand.Reader)
	if err != nil {
		h.t.Error(err)
		return
	}
	c := h.history.Begin(meetingtest.Reissue, l.id, "")
	_, err = h.ReissueLink(h.t.Context(), h.host, h.id, l.id, hash, "", time.Time{})
	if errors.Is(err, link.ErrRevoked) || errors.Is(err, meeting.ErrEnded) {
		c.Limited() // guests cannot tell a link that was revoked
		return
	}
	h.note(c, err, "", "")
}

func firstWaiting(knocks []meeting.KnockView) *meeting.KnockView {
	for i := range knocks {
		if knocks[i].Status == lobby.Waiting {
			return &knocks[i]
		}
	}
	return nil
}

func (h *house) makeLink(kind link.Kind) {
	secret, hash, err := link.MakeSecret(crand.Reader)
	if err != nil {
		h.t.Error(err)
		return
	}
	raw, err := base64.RawURLEncoding.DecodeString(secret)
	if err != nil {
		h.t.Error(err)
		return
	}
	code, err := link.Code(raw)
	if err != nil {
		h.t.Error(err)
		return
	}
	draft := link.Draft{Kind: kind, ExpiresAt: start.Add(time.Hour), CodeHash: hash}
	if kind == link.Personal {
		draft.GuestName = "Inês"
	}
	v, err := h.CreateLink(h.t.Context(), h.host, h.id, draft)
	if err != nil {
		return // its id is not known to anybody
	}
	h.history.Add(v.ID, v.ID, meetingtest.State{Known: true})
	h.mu.Lock()
	defer h.mu.Unlock()
	h.links = append(h.links, &houseLink{id: v.ID, code: base64.RawURLEncoding.EncodeToString(code), personal: kind == link.Personal, first: meetingtest.State{Known: true}})
}

func (h *house) someLink(random *rand.Rand) *houseLink {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.links) == 0 {
		return nil
	}
	return h.links[random.IntN(len(h.links))]
}

// actAsGuest opens a link, or has somebody who did do one thing.
func (h *house) actAsGuest(random *rand.Rand) {
	ctx := h.t.Context()
	h.mu.Lock()
	var g *houseGuest
	if len(h.guests) > 0 && (random.IntN(5) > 0 || len(h.guests) >= 40) {
		g = h.guests[random.IntN(len(h.guests))]
	}
	h.mu.Unlock()
	if g == nil {
		h.enter(random)
		return
	}
	caller, err := h.Recognise(ctx, g.token)
	if err != nil {
		if errors.Is(err, lobby.ErrNoSession) {
			h.t.Errorf("seed %d: the session of %s is lost", h.seed, g.name)
		}
		return
	}
	switch random.IntN(8) {
	case 0:
		c := h.history.Begin(meetingtest.Withdraw, g.name, "")
		v, err := h.Withdraw(ctx, caller)
		h.note(c, err, v.Knock.Status, "")
	case 1, 2, 3:
		h.claim(caller, g)
	case 4:
		h.knockInNewTab(g)
	default:
		h.knock(caller, g, g.binding)
	}
}

// knock asks to enter from a tab, whose browser proves its key if it has one.
func (h *house) knock(caller meeting.Caller, g *houseGuest, tab binding) {
	asking := meeting.Asking{Name: g.name}
	if g.browser != nil {
		proof, err := g.browser.Sign(link.KnockStatement(g.link.id, tab.session, tab.challenge))
		if err != nil {
			h.t.Error(err)
			return
		}
		asking.Proof = &proof
	}
	c := h.history.Begin(meetingtest.Knock, g.name, "")
	v, err := h.Knock(h.t.Context(), caller, asking)
	if h.note(c, err, v.Knock.Status, "") {
		h.mu.Lock()
		g.knocked = true
		h.mu.Unlock()
	}
}

// knockInNewTab opens the shared link anew in a browser that has knocked by it:
// its key says that this is the same guest, who may not do more than before.
func (h *house) knockInNewTab(g *houseGuest) {
	ctx := h.t.Context()
	h.mu.Lock()
	knocked := g.knocked
	h.mu.Unlock()
	if !knocked || g.browser == nil || g.link.personal { // which is bound to the first tab until the key is proved
		return
	}
	token, v, err := h.Redeem(ctx, g.link.id, g.link.code, nil)
	if err != nil {
		return // the link may not be what it was
	}
	if caller, err := h.Recognise(ctx, token); err == nil {
		h.knock(caller, g, binding{v.Session, v.Challenge})
	}
}

func (h *house) enter(random *rand.Rand) {
	l := h.someLink(random)
	if l == nil {
		return
	}
	h.mu.Lock()
	if l.taken {
		h.mu.Unlock()
		return
	}
	l.taken = l.personal
	h.born++
	g := &houseGuest{name: fmt.Sprintf("guest %d", h.born), link: l, grants: make(map[string]bool)}
	g.first = meetingtest.State{Revoked: l.void}
	h.mu.Unlock()
	if random.IntN(2) == 0 {
		var err error
		if g.browser, err = meetingtest.NewBrowser(); err != nil {
			h.t.Error(err)
			return
		}
	}
	h.history.Add(g.name, l.id, g.first)
	c := h.history.Begin(meetingtest.Enter, g.name, "")
	token, v, err := h.Redeem(h.t.Context(), l.id, l.code, nil)
	if h.note(c, err, "", "") {
		g.token, g.binding = token, binding{v.Session, v.Challenge}
		h.mu.Lock()
		h.guests = append(h.guests, g)
		h.mu.Unlock()
	}
}

// claim asks for a media token, which is worth as much as its grant.
func (h *house) claim(caller meeting.Caller, g *houseGuest) {
	c := h.history.Begin(meetingtest.Claim, g.name, "")
	grant, err := h.Claim(h.t.Context(), caller)
	if err != nil {
		h.note(c, err, "", "")
		return
	}
	c.Claimed(grant.Identity, grant.ID)
	h.mu.Lock()
	g.grants[grant.ID], g.first.Admission = true, grant.ID
	h.mu.Unlock()
}

// live has everybody act at once until the power goes or enough was done.
func (h *house) live(acts int) {
	var wg sync.WaitGroup
	for i := range uint64(6) {
		random := h.random(10 + i)
		wg.Go(func() {
			for range acts {
				if h.disk.Dead() {
					return
				}
				if i < 2 {
					h.actAsHost(random)
				} else {
					h.actAsGuest(random)
				}
			}
		})
	}
	wg.Wait()
}

// verify looks at everything that is stored, and tries what was ever handed out.
func (h *house) verify() []error {
	h.t.Helper()
	ctx := h.t.Context()
	stored, err := h.store.LoadMeeting(ctx, h.id)
	if err != nil {
		return []error{err}
	}
	h.ended = stored.Meeting.State == meeting.Ended
	var all []error
	bad := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	byID, uses, places, sessions := map[string]link.Link{}, map[string]int{}, map[int64]bool{}, map[string]lobby.Knock{}
	for _, k := range stored.Lobby.Knocks {
		if places[k.Place] {
			bad("place %d is given twice", k.Place)
		}
		if (k.Status == lobby.Admitted) != (k.Admission != "") {
			bad("knock of %s is %s with admission %q", k.Name, k.Status, k.Admission)
		}
		places[k.Place], sessions[k.Session] = true, k
		uses[k.Link]++
	}
	for _, l := range stored.Lobby.Links {
		byID[l.ID] = l
		if l.Issue == 0 && l.Uses != uses[l.ID] { // issued anew, it counts anew
			bad("link %s has %d uses and %d knocks", l.ID, l.Uses, uses[l.ID])
		}
	}
	for _, l := range h.links {
		v, known := byID[l.id]
		l.first = meetingtest.State{Known: known, Revoked: v.Revoked(), Ended: h.ended}
		l.void = v.Revoked() || v.Issue > 0
		h.history.Begin(meetingtest.Look, l.id, "").Saw(l.first)
	}
	for _, g := range h.guests {
		g.first = meetingtest.State{Revoked: g.link.void, Ended: h.ended}
		look := h.history.Begin(meetingtest.Look, g.name, "")
		caller, err := h.Recognise(ctx, g.token)
		if err == nil {
			v, err := h.Look(ctx, caller)
			if err != nil {
				bad("%s: %w", g.name, err)
			}
			g.first.Known, g.first.Status = true, v.Knock.Status
		}
		for _, k := range sessions {
			if k.Name == g.name {
				g.first.Identity, g.first.Banned = k.Identity, k.Banned()
				if k.Status != g.first.Status {
					bad("%s is told %q and stored %q", g.name, g.first.Status, k.Status)
				}
			}
		}
		look.Saw(g.first)
		if err != nil {
			continue
		}
		h.claim(caller, g)
		for id := range g.grants {
			c := h.history.Begin(meetingtest.Join, g.name, id)
			_, err := h.Grant(ctx, h.id, id)
			h.note(c, err, "", "")
		}
		if g.first.Banned {
			h.knockInNewTab(g)
			h.knock(caller, g, g.binding)
		}
		if err := h.verifyWayIn(g); err != nil {
			all = append(all, err)
		}
	}
	all = append(all, h.verifyTrail(stored.Lobby.Knocks)...)
	all = append(all, h.verifyChat()...)
	var table string
	if err := h.store.read.QueryRowContext(ctx, `SELECT "table" FROM pragma_foreign_key_check`).Scan(&table); err == nil {
		bad("%s refers to what is not there", table)
	}
	return append(all, h.history.Check()...)
}

// verifyWayIn looks whether a guest's personal link is open for another browser:
// until the first knock alone, and to say so if it is closed for good.
func (h *house) verifyWayIn(g *houseGuest) error {
	if !g.link.personal || g.link.void || h.ended {
		return nil
	}
	want := error(nil)
	switch {
	case g.first.Banned:
		want = lobby.ErrBanned
	case g.first.Status != "":
		want = link.ErrInUse
	}
	if _, _, err := h.Redeem(h.t.Context(), g.link.id, g.link.code, nil); !errors.Is(err, want) || want == nil && err != nil {
		return fmt.Errorf("the personal link of %s, who is %q (banned: %t), opens for another browser with %w, want %w", g.name, g.first.Status, g.first.Banned, err, want)
	}
	return nil
}

// told are the acts that may be the last one told of a knock in a state.
var told = map[lobby.Status][]audit.Act{
	lobby.Waiting:   {audit.KnockWaiting, audit.ParticipantSentBack},
	lobby.Admitted:  {audit.KnockAdmitted},
	lobby.Denied:    {audit.KnockDenied, audit.ParticipantRemoved, audit.KnockBanned},
	lobby.Withdrawn: {audit.KnockWithdrawn},
	lobby.Expired:   {audit.KnockExpired, audit.KnockLifted, audit.AdmissionEnded},
}

// verifyTrail looks whether the audit trail is whole, and tells of each knock
// what became of it: no act without its event, no event without its act.
func (h *house) verifyTrail(knocks []lobby.Knock) (all []error) {
	ctx := h.t.Context()
	trail, err := OpenTrail(ctx, h.dir)
	if err != nil {
		return []error{err}
	}
	defer trail.Close()
	reports, err := trail.Verify(ctx, nil, nil)
	if err != nil {
		return []error{err}
	}
	for _, r := range reports {
		for _, f := range r.Findings {
			all = append(all, fmt.Errorf("audit trail: %s", f))
		}
	}
	rows, err := h.store.read.QueryContext(ctx, `SELECT event FROM audit_events ORDER BY post, seq`)
	events, err := collect(rows, err, func(row scanner) (v struct {
		Act      audit.Act         `json:"act"`
		Subjects map[string]string `json:"subjects"`
	}, err error,
	) {
		var text string
		if err := row.Scan(&text); err != nil {
			return v, err
		}
		return v, json.Unmarshal([]byte(text), &v)
	})
	if err != nil {
		return append(all, err)
	}
	last := make(map[string]audit.Act)
	for _, e := range events {
		if k := e.Subjects[string(audit.Knock)]; k != "" {
			last[k] = e.Act
		}
	}
	for _, k := range knocks {
		if !slices.Contains(told[k.Status], last[k.ID]) {
			all = append(all, fmt.Errorf("knock of %s is %s, and the last that the audit trail tells of it is %q", k.Name, k.Status, last[k.ID]))
		}
	}
	return all
}

// sometimes fails a share of everything that changes the disk, in 1,000.
func sometimes(random *rand.Rand, share int) faulty.Rule {
	return func(o faulty.Op) faulty.Fault {
		if o.Serial == 0 || random.IntN(1000) >= share {
			return faulty.Fault{}
		}
		f := faulty.Fault{Code: []int{faulty.IOError, faulty.Full}[random.IntN(2)]}
		if o.Act == faulty.Write && random.IntN(2) == 0 {
			f.Reached = random.IntN(o.Size)
		}
		return f
	}
}

// cutAt cuts the power at an operation, and follows a rule up to there.
func cutAt(serial int, then faulty.Rule) faulty.Rule {
	return func(o faulty.Op) faulty.Fault {
		if o.Serial == serial {
			return faulty.Fault{Cut: true}
		}
		return then(o)
	}
}

// powerFailures runs lives that end with a power failure and returns what the
// checker has to say, with what was acknowledged in all.
func powerFailures(t *testing.T, seed uint64, lives int, rule func(random *rand.Rand) faulty.Rule) ([]error, map[meetingtest.Act]int) {
	t.Helper()
	h := newPowerHouse(t, seed)
	random := h.random(1)
	acknowledged := make(map[meetingtest.Act]int)
	for life := range lives {
		h.start()
		h.furnish()
		h.disk.SetRule(cutAt(1+random.IntN(2000), rule(random)))
		h.live(80)
		h.disk.Cut() // if it was not
		h.stop()
		if err := h.disk.Restart(random); err != nil {
			t.Fatal(err)
		}
		if life%3 == 2 { // and once more while it recovers
			h.disk.SetRule(cutAt(1+random.IntN(12), func(faulty.Op) faulty.Fault { return faulty.Fault{} }))
		}
		h.start()
		h.disk.SetRule(nil)
		if h.disk.Dead() {
			h.stop()
			if err := h.disk.Restart(random); err != nil {
				t.Fatal(err)
			}
			h.start()
		}
		for act, n := range h.history.Answered() {
			acknowledged[act] += n
		}
		acknowledged[wrote] += len(h.said) // those of lives before count again
		if violations := h.verify(); violations != nil {
			return violations, acknowledged
		}
		h.stop()
	}
	return nil, acknowledged
}

// wrote is a message to everybody; the history knows nothing of the chat.
const wrote meetingtest.Act = "write"

func TestAcknowledgedDecisionsSurvivePowerFailures(t *testing.T) {
	const lives = 4
	total := make(map[meetingtest.Act]int)
	// Who gets to act before the power goes is chance: it goes some more times until everything
	// was done that is done seldom.
	undone := func() []meetingtest.Act {
		return slices.DeleteFunc([]meetingtest.Act{
			meetingtest.Enter, meetingtest.Knock, meetingtest.Withdraw, meetingtest.Claim, meetingtest.Admit,
			meetingtest.Deny, meetingtest.Remove, meetingtest.SendBack, meetingtest.Ban, meetingtest.Lift, meetingtest.Revoke, meetingtest.Reissue, meetingtest.End,
			wrote,
		}, func(act meetingtest.Act) bool { return total[act] > 0 })
	}
	seed, least := uint64(0), uint64((*powerCuts+lives-1)/lives)
	for ; seed < least || len(undone()) > 0 && seed < 5*least; seed++ {
		share := []int{0, 0, 5, 30}[seed%4] // of failing operations, in 1,000
		violations, acknowledged := powerFailures(t, seed, lives, func(random *rand.Rand) faulty.Rule { return sometimes(random, share) })
		for _, v := range violations {
			t.Errorf("seed %d: %v", seed, v)
		}
		for act, n := range acknowledged {
			total[act] += n
		}
	}
	t.Logf("%d power failures; acknowledged before: %v", lives*seed, total)
	if acts := undone(); len(acts) > 0 {
		t.Errorf("nobody did: %v", acts)
	}
}

// The check of the check: on a disk that says it has synced and has not, the
// checker finds that acknowledged decisions are lost.
func TestALyingDiskIsFoundOut(t *testing.T) {
	// Of the log only, and without checkpoints: more lies would harm the file itself.
	lie := func(o faulty.Op) faulty.Fault { return faulty.Fault{Lie: o.Act == faulty.Sync && o.File == faulty.Log} }
	for seed := range uint64(20) {
		violations, _ := powerFailures(t, 2*seed+1, 1, func(*rand.Rand) faulty.Rule { return lie })
		for _, v := range violations {
			if strings.Contains(v.Error(), "no order explains") || errors.Is(v, meeting.ErrNotFound) {
				return
			}
		}
	}
	t.Error("20 power failures of a disk that never syncs, and the checker is content")
}

// The first start is the one that makes the database, and any may be the last
// before a migration. Wherever the power goes, the next start finds its way.
func TestThePowerMayGoWhileTheDatabaseIsMade(t *testing.T) {
	for serial := 1; serial < 120; serial += 1 + serial/4 {
		t.Run(fmt.Sprint("operation ", serial), func(t *testing.T) {
			t.Parallel() // the migration's tool waits for a disk that fails
			h := newPowerHouse(t, uint64(serial))
			h.disk.SetRule(cutAt(serial, func(faulty.Op) faulty.Fault { return faulty.Fault{} }))
			if s, err := Open(t.Context(), h.dir, quiet); err == nil {
				_ = s.Close()
				if serial < 80 {
					t.Fatal("the database is made in fewer operations")
				}
			}
			if err := h.disk.Restart(h.random(2)); err != nil {
				t.Fatal(err)
			}
			h.start()
			h.furnish()
			if err := h.verify(); err != nil {
				t.Error(err)
			}
		})
	}
}
