package meeting_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"
	"pgregory.net/rapid"

	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/meeting"
	"aparte/signaling/name"
	"aparte/signaling/profile"
	"aparte/signaling/role"
	"aparte/signaling/throttle"
)

// modelLink is what the model knows of a link, by its own reckoning.
type modelLink struct {
	id, code  string
	secret    []byte
	personal  bool
	pin       bool
	born, end time.Time
	taken     bool // personal: somebody has knocked by it
}

// modelGuest is somebody who opened a link.
type modelGuest struct {
	by        meeting.Caller
	via       *modelLink
	passed    bool // the PIN
	knock     string
	identity  string
	in        bool
	share     bool // may share
	expressly bool // by a host's word
}

// modelAgent is an agent who is named without moderating.
type modelAgent struct {
	meeting.Agent
	knock           string
	waits, admitted bool
	grant           string // of the last time they came in
}

// model is a meeting whose profile changes while it is held, as the product describes
// it; it shares no rule with the program.
type model struct {
	*rapid.T
	h        *house
	now      func() time.Time
	add      func(time.Duration)
	id       string
	from, to time.Time
	ids      [2]string // profiles
	versions [2]int
	rules    [2]profile.Rules
	current  int
	links    []*modelLink
	guests   []*modelGuest
	agents   []*modelAgent
}

func (m *model) in() profile.Rules { return m.rules[m.current] }

// until is when a link ends under some rules; false: it leads nowhere by its kind.
func (m *model) until(r profile.Rules, l *modelLink) (time.Time, bool) {
	if !r.Guests || l.personal && !r.PersonalLinks || !l.personal && !r.SharedLinks || r.PIN && !l.pin {
		return time.Time{}, false
	}
	end := m.to
	if r.LinkHours > 0 {
		end = l.born.Add(time.Duration(r.LinkHours) * time.Hour)
	}
	if l.end.Before(end) {
		end = l.end
	}
	return end, true
}

func (m *model) open(r profile.Rules, l *modelLink) bool {
	end, ok := m.until(r, l)
	return ok && m.now().Before(end) && (r.LinkHours > 0 || !m.now().Before(m.from))
}

func drawRules(t *rapid.T) profile.Rules {
	r := profile.Defaults()[0].Rules
	switch rapid.SampledFrom([]string{"both", "both", "shared", "personal", "none"}).Draw(t, "kinds") {
	case "shared":
		r.PersonalLinks = false
	case "personal":
		r.SharedLinks = false
	case "none":
		r.Guests, r.SharedLinks, r.PersonalLinks = false, false, false
	}
	r.PIN = r.Guests && rapid.IntRange(0, 3).Draw(t, "pin") == 0
	r.LinkHours = rapid.SampledFrom([]int{0, 1, 24, 2160}).Draw(t, "hours")
	r.GuestShare = rapid.SampledFrom([]profile.Giving{profile.Allowed, profile.Granted, profile.Off}).Draw(t, "share")
	r.Watermark = rapid.Bool().Draw(t, "watermark")
	r.Lobby = rapid.SampledFrom([]profile.Lobby{profile.LobbyGuests, profile.LobbyAllButHosts}).Draw(t, "lobby")
	return r
}

func (m *model) version(i int) profile.Profile {
	text := profile.Text{French: "Modèle", English: "Model"}
	return profile.Profile{Post: dakar.ID, ID: m.ids[i], Version: m.versions[i], Name: text, Sentence: text, Rules: m.rules[i]}
}

func (m *model) makeLink() {
	l := &modelLink{personal: rapid.Bool().Draw(m.T, "personal"), pin: rapid.Bool().Draw(m.T, "with PIN"), born: m.now()}
	l.end = m.now().Add(rapid.SampledFrom([]time.Duration{30 * time.Minute, 3 * time.Hour, 20 * time.Hour, 48 * time.Hour}).Draw(m.T, "life"))
	secret, hash, err := link.MakeSecret(rand.Reader)
	if err != nil {
		m.Fatal(err)
	}
	if l.secret, err = base64.RawURLEncoding.DecodeString(secret); err != nil {
		m.Fatal(err)
	}
	code, err := link.Code(l.secret)
	if err != nil {
		m.Fatal(err)
	}
	l.code = base64.RawURLEncoding.EncodeToString(code)
	d := link.Draft{Kind: link.Shared, ExpiresAt: l.end, CodeHash: hash}
	if l.personal {
		d.Kind, d.GuestName = link.Personal, "Inês"
	}
	if l.pin {
		d.PINHash = m.hashOf(l)
	}
	made, err := m.h.CreateLink(m.Context(), anne, m.id, d)
	end, ok := m.until(m.in(), l)
	ok = ok && !end.Before(l.end) && (m.in().LinkHours > 0 || m.from.Before(l.end))
	if refused, is := errors.AsType[*name.Error](err); ok != (err == nil) || err != nil && (!is || refused.At == "") {
		m.Fatalf("make link %+v under %+v: %v", d, m.in(), err)
	}
	if err == nil {
		l.id = made.ID
		m.links = append(m.links, l)
	}
}

func (m *model) hashOf(l *modelLink) string {
	proof, err := link.PINProof(l.secret, "123456")
	if err != nil {
		m.Fatal(err)
	}
	sum := sha256.Sum256(proof)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// enter opens a link in a new tab, and says whether it opened.
func (m *model) enter(l *modelLink) (meeting.Caller, bool) {
	token, _, err := m.h.Redeem(m.Context(), l.id, l.code, nil)
	if want := m.open(m.in(), l) && !l.taken; want != (err == nil) {
		m.Fatalf("open link %+v under %+v at %v: %v", l, m.in(), m.now(), err)
	}
	if err != nil {
		return meeting.Caller{}, false
	}
	c, err := m.h.Recognise(m.Context(), token)
	if err != nil {
		m.Fatal(err)
	}
	return c, true
}

func (m *model) knock() {
	if len(m.links) == 0 || len(m.guests) > 12 {
		return
	}
	l := rapid.SampledFrom(m.links).Draw(m.T, "link")
	c, ok := m.enter(l)
	if !ok {
		return
	}
	g := &modelGuest{by: c, via: l}
	a := meeting.Asking{Name: "Inês", Source: "s"}
	if l.pin {
		proof, err := link.PINProof(l.secret, "123456")
		if err != nil {
			m.Fatal(err)
		}
		a.PIN, g.passed = base64.RawURLEncoding.EncodeToString(proof), true
	}
	if rapid.IntRange(0, 3).Draw(m.T, "profile first") == 0 { // between opening and asking
		m.edit()
	}
	v, err := m.h.Knock(m.Context(), c, a)
	if want := m.open(m.in(), l); want != (err == nil) {
		m.Fatalf("knock by %+v under %+v: %v", l, m.in(), err)
	}
	if err == nil {
		g.knock = v.Knock.ID
		l.taken = l.personal
		m.guests = append(m.guests, g)
	}
}

// setPIN gives a link a PIN, or takes it away.
func (m *model) setPIN() {
	if len(m.links) == 0 {
		return
	}
	l := rapid.SampledFrom(m.links).Draw(m.T, "link")
	hash := ""
	if !l.pin {
		hash = m.hashOf(l)
	}
	_, err := m.h.SetLinkPIN(m.Context(), anne, m.id, l.id, hash)
	if want := !l.pin || !m.in().PIN; want != (err == nil) {
		m.Fatalf("set PIN of %+v under %+v: %v", l, m.in(), err)
	}
	if err == nil {
		l.pin = !l.pin
	}
}

func (m *model) guest(in bool) *modelGuest {
	some := slices.DeleteFunc(slices.Clone(m.guests), func(g *modelGuest) bool { return g.in != in })
	if len(some) == 0 {
		return nil
	}
	return rapid.SampledFrom(some).Draw(m.T, "guest")
}

func (m *model) admissible(r profile.Rules, g *modelGuest) bool {
	_, ok := m.until(r, g.via)
	return ok && (!r.PIN || g.passed)
}

func (m *model) admit() {
	g := m.guest(false)
	if g == nil {
		return
	}
	expressly := rapid.Bool().Draw(m.T, "share expressly")
	k, err := m.h.AdmitAsUsual(m.Context(), anne, m.id, g.knock, lobby.Everything(), meeting.Usual{Share: !expressly, Files: true})
	want := m.admissible(m.in(), g) && (!expressly || m.in().GuestShare != profile.Off)
	if want != (err == nil) {
		m.Fatalf("admit %+v by %+v under %+v: %v", g, g.via, m.in(), err)
	}
	if err == nil {
		g.in, g.identity, g.expressly = true, k.Identity, expressly
		g.share = expressly || m.in().GuestShare == profile.Allowed
	}
}

func (m *model) permit() {
	g := m.guest(true)
	if g == nil {
		return
	}
	share := rapid.Bool().Draw(m.T, "share")
	p := lobby.Everything()
	p.Share = share
	_, err := m.h.Permit(m.Context(), anne, m.id, g.identity, p)
	if want := !share || m.in().GuestShare != profile.Off; want != (err == nil) {
		m.Fatalf("permit %t under %+v: %v", share, m.in(), err)
	}
	if err == nil {
		g.share, g.expressly = share, share
	}
}

func (m *model) agentsKnock() {
	a := rapid.SampledFrom(m.agents).Draw(m.T, "agent")
	v, err := m.h.KnockAsAgent(m.Context(), a.Agent, m.id)
	if err != nil {
		m.Fatalf("an agent knocks: %v", err)
	}
	if m.in().Lobby == profile.LobbyAllButHosts && !a.admitted {
		a.waits, a.knock = true, v.Knock.ID
	}
}

func (m *model) agentsAdmitted() {
	a := rapid.SampledFrom(m.agents).Draw(m.T, "agent")
	if a.knock == "" {
		return
	}
	_, err := m.h.AdmitAsUsual(m.Context(), anne, m.id, a.knock, lobby.Everything(), meeting.Usual{Share: true, Files: true})
	if want := a.waits || a.admitted; want != (err == nil) {
		m.Fatalf("admit %+v: %v", a, err)
	}
	if err == nil {
		a.waits, a.admitted = false, true
	}
}

func (m *model) agentsSentAway() {
	a := rapid.SampledFrom(m.agents).Draw(m.T, "agent")
	if !a.waits {
		return
	}
	if _, err := m.h.WithdrawAsAgent(m.Context(), a.Agent, m.id); err != nil {
		m.Fatal(err)
	}
	a.waits = false
}

// agentsHold checks that an agent comes in, and that what they came in by before holds,
// exactly if nobody but hosts waits or a host has let them in.
func (m *model) agentsHold() {
	for _, a := range m.agents {
		may := m.in().Lobby == profile.LobbyGuests || a.admitted
		if a.grant != "" {
			if _, err := m.h.Grant(m.Context(), m.id, a.grant); may != (err == nil) {
				m.Fatalf("the grant of %+v under %s: %v", a, m.in().Lobby, err)
			}
		}
		g, err := m.h.Join(m.Context(), a.Agent, m.id)
		if may != (err == nil) || err != nil && !errors.Is(err, meeting.ErrMustKnock) {
			m.Fatalf("%+v joins under %s: %v", a, m.in().Lobby, err)
		}
		if err == nil {
			a.grant = g.ID
		}
	}
}

// after has another version or profile in force, and compares what was said of it with
// what the model says it does.
func (m *model) after(before profile.Rules, said []meeting.Effects) {
	var e meeting.Effects
	switch {
	case len(said) > 1:
		m.Fatalf("effects on %d meetings", len(said))
	case len(said) == 1:
		e = said[0]
	}
	var stops, cannot, loses, stays []string
	for _, l := range m.links {
		if m.opens(before, l) && !m.opens(m.in(), l) {
			stops = append(stops, l.id)
		}
	}
	for _, g := range m.guests {
		refused := m.admissible(before, g) && !m.admissible(m.in(), g)
		if !g.in {
			if refused {
				cannot = append(cannot, g.knock)
			}
			continue
		}
		lost := g.share && (m.in().GuestShare == profile.Off || before.GuestShare == profile.Allowed && m.in().GuestShare == profile.Granted)
		if lost {
			loses = append(loses, g.identity)
			g.share, g.expressly = false, false
		}
		if refused {
			stays = append(stays, g.identity)
		}
	}
	var freed, saidFreed []string
	if before.Lobby == profile.LobbyAllButHosts && m.in().Lobby == profile.LobbyGuests {
		for _, a := range m.agents {
			if a.waits {
				freed = append(freed, a.knock)
			}
			a.waits, a.admitted = false, false
		}
	}
	for _, k := range e.Freed {
		saidFreed = append(saidFreed, k.ID)
	}
	var saidStops, saidCannot, saidLoses, saidStays []string
	for _, f := range e.Links {
		if f.Stops() {
			saidStops = append(saidStops, f.Link.ID)
		}
	}
	for _, f := range e.Waiting {
		saidCannot = append(saidCannot, f.Knock.ID)
	}
	for _, f := range e.Guests {
		if f.LosesShare {
			saidLoses = append(saidLoses, f.Knock.Identity)
		}
		if f.Stays != "" {
			saidStays = append(saidStays, f.Knock.Identity)
		}
	}
	for _, c := range []struct {
		what       string
		said, done []string
	}{
		{"links that stop", saidStops, stops},
		{"who cannot be let in", saidCannot, cannot},
		{"who loses the share", saidLoses, loses},
		{"who stays", saidStays, stays},
		{"which agents may come in", saidFreed, freed},
	} {
		slices.Sort(c.said)
		slices.Sort(c.done)
		if !slices.Equal(c.said, c.done) {
			m.Fatalf("%s: said %q, done %q, from %+v to %+v", c.what, c.said, c.done, before, m.in())
		}
	}
}

// opens is open, now or from the start of the meeting on.
func (m *model) opens(r profile.Rules, l *modelLink) bool {
	end, ok := m.until(r, l)
	return ok && m.now().Before(end) && (r.LinkHours > 0 || m.from.Before(end))
}

func (m *model) edit() {
	i := rapid.IntRange(0, 1).Draw(m.T, "which")
	before := m.in()
	m.rules[i] = drawRules(m.T)
	p := m.version(i)
	preview, err := m.h.PreviewProfile(m.Context(), p)
	if err != nil {
		m.Fatal(err)
	}
	changed, done, err := m.h.ChangeProfile(m.Context(), anne, p)
	if err != nil {
		m.Fatal(err)
	}
	if !reflect.DeepEqual(preview.Meetings, done.Meetings) {
		m.Fatalf("the preview said %+v, but it did %+v", preview.Meetings, done.Meetings)
	}
	m.versions[i] = changed.Version
	m.after(before, done.Meetings)
}

func (m *model) choose() {
	before := m.in()
	to := 1 - m.current
	preview, err := m.h.PreviewChoice(m.Context(), anne, m.id, m.ids[to])
	if err != nil {
		m.Fatal(err)
	}
	done, err := m.h.ChooseProfile(m.Context(), anne, m.id, m.ids[to])
	if err != nil {
		m.Fatal(err)
	}
	if !reflect.DeepEqual(preview, done) {
		m.Fatalf("the preview said %+v, but it did %+v", preview, done)
	}
	m.current = to
	m.after(before, []meeting.Effects{done})
}

// holds checks that nothing is possible that the profile in force forbids.
func (m *model) holds() {
	m.agentsHold()
	for _, l := range m.links {
		m.enter(l)
	}
	for _, g := range m.guests {
		grant, err := m.h.Claim(m.Context(), g.by)
		if g.in != (err == nil) {
			m.Fatalf("claim by %+v: %v", g, err)
		}
		if err != nil {
			continue
		}
		sources := grant.Permission().CanPublishSources
		if shares := slices.Contains(sources, livekit.TrackSource_SCREEN_SHARE); shares != g.share {
			m.Fatalf("guest %+v shares: %t, under %+v", g, shares, m.in())
		}
		if g.share && (m.in().GuestShare == profile.Off || m.in().GuestShare == profile.Granted && !g.expressly) {
			m.Fatalf("the model lets %+v share under %+v", g, m.in())
		}
	}
}

// Whatever the order of links, knocks, admissions, permits, edits and choices: after
// each step nothing is possible that the profile in force forbids, and what was said of
// a change is what it did.
func TestNothingIsPossibleThatTheProfileForbids(t *testing.T) {
	var now atomic.Int64
	now.Store(start.UnixMilli())
	clock := func() time.Time { return time.UnixMilli(now.Load()).UTC() }
	h := newHouse(t, func(c *meeting.Config) {
		c.Now = clock
		limits := lobby.DefaultLimits()
		limits.IdleSessionsPerLink = 1000
		limits.KnockAgain = throttle.Rate{Every: time.Millisecond, Burst: 1000}
		c.Lobby = limits
	})
	h.withAgents()
	run := 0
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		if err := flag.Set("rapid.checks", "25"); err != nil { // each step commits to the disk
			t.Fatal(err)
		}
		defer func() { _ = flag.Set("rapid.checks", checks.DefValue) }()
	}
	rapid.Check(t, func(t *rapid.T) {
		run++
		m := &model{
			T: t, h: h, now: clock, add: func(d time.Duration) { now.Add(d.Milliseconds()) },
			ids: [2]string{fmt.Sprintf("a-%d", run), fmt.Sprintf("b-%d", run)}, versions: [2]int{1, 1},
		}
		for i := range m.ids {
			m.rules[i] = drawRules(t)
			if _, err := h.AddProfile(t.Context(), anne, m.version(i)); err != nil {
				t.Fatal(err)
			}
		}
		m.from = clock().Add(rapid.SampledFrom([]time.Duration{0, 30 * time.Minute}).Draw(t, "starts in"))
		m.to = m.from.Add(6 * time.Hour)
		made, err := h.Create(t.Context(), anne, meeting.Draft{Title: "T", StartsAt: m.from, EndsAt: m.to, Profile: m.ids[0]})
		if err != nil {
			t.Fatal(err)
		}
		m.id = made.ID
		for i, a := range []meeting.Agent{marc, luc} {
			if _, err := h.NameByEmail(t.Context(), anne, m.id, a.Account+"@aparte.example", []role.Role{role.Participant, role.Observer}[i]); err != nil {
				t.Fatal(err)
			}
			m.agents = append(m.agents, &modelAgent{Agent: a})
		}
		if _, err := h.Join(t.Context(), anne, m.id); err != nil {
			t.Fatal(err)
		}
		t.Repeat(map[string]func(*rapid.T){
			"link":           func(t *rapid.T) { m.T = t; m.makeLink() },
			"knock":          func(t *rapid.T) { m.T = t; m.knock() },
			"admit":          func(t *rapid.T) { m.T = t; m.admit() },
			"permit":         func(t *rapid.T) { m.T = t; m.permit() },
			"pin":            func(t *rapid.T) { m.T = t; m.setPIN() },
			"agent knocks":   func(t *rapid.T) { m.T = t; m.agentsKnock() },
			"agent let in":   func(t *rapid.T) { m.T = t; m.agentsAdmitted() },
			"agent gives up": func(t *rapid.T) { m.T = t; m.agentsSentAway() },
			"edit":           func(t *rapid.T) { m.T = t; m.edit() },
			"choose":         func(t *rapid.T) { m.T = t; m.choose() },
			"wait": func(t *rapid.T) {
				m.T = t
				m.add(rapid.SampledFrom([]time.Duration{time.Minute, 40 * time.Minute}).Draw(t, "time"))
			},
			"": func(t *rapid.T) { m.T = t; m.holds() },
		})
	})
}
