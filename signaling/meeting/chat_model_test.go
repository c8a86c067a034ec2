package meeting_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"
	"pgregory.net/rapid"

	"aparte/signaling/lobby"
	"aparte/signaling/meeting"
	"aparte/signaling/meeting/meetingtest"
	"aparte/signaling/profile"
	"aparte/signaling/role"
)

// mailbox is a call that keeps what each who is in it receives of the chat.
type mailbox struct {
	meetingtest.Deaf
	mu   sync.Mutex
	in   map[string]bool     // identities
	got  map[string][]string // texts, by identity
	sent []string            // identities that were removed
}

func (b *mailbox) Tell(_, topic string, payload []byte, identities ...string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	var m struct{ Text string }
	if topic != "aparte.chat" || json.Unmarshal(payload, &m) != nil {
		return false
	}
	if len(identities) == 0 { // as in the SFU
		identities = slices.Collect(maps.Keys(b.in))
	}
	for _, identity := range identities {
		if b.in[identity] {
			b.got[identity] = append(b.got[identity], m.Text)
		}
	}
	return true
}

func (b *mailbox) Remove(_, identity string, _ livekit.DisconnectReason) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.in[identity] {
		b.sent = append(b.sent, identity)
	}
	delete(b.in, identity)
	return true
}

func (b *mailbox) CloseRoom(string, livekit.DisconnectReason) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.in)
	return true
}

func (b *mailbox) enter(identity string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.in[identity] = true
}

func (b *mailbox) leave(identity string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.in, identity)
}

// soul is somebody of the model.
type soul struct {
	called string
	agent  meeting.Agent  // zero: a guest
	caller meeting.Caller // guests
	knock  string         // guests
	role   role.Role      // "": named no more
	door   string         // guests: out, waiting, admitted, refused
	in     bool

	identity, grant string
	since           map[string]int // by grant: how many messages there were when they came in first

	chatOff  bool // forbidden, or a guest's not given
	writes   bool // an agent observer's chat
	unstored bool // taken, and no disk knows
}

// addresses are those that agents sign in with.
var addresses = map[string]string{anne.Account: "a@aparte.example", luc.Account: "luc@aparte.example", marc.Account: "marc@aparte.example"}

func (s *soul) GoString() string { return s.called }

func (s *soul) isAgent() bool { return s.agent.Account != "" }

// letter is a message of the model.
type letter struct {
	text    string
	readers map[string]bool // identities; nil: everybody
}

// reading is the model of who receives and who reads what: what docs/moderation.md and
// the profile's line say, with no rule of the program in it.
type reading struct {
	*rapid.T
	f        *house
	box      *mailbox
	now      *clock
	id       string
	host     *soul
	all      []*soul
	letters  []letter
	got      map[string][]string // by identity: what it must have received
	writing  profile.Writing
	chatOff  bool // forbidden to all
	unstored bool // that, and no disk knows
	ended    bool
}

func (m *reading) moderates(s *soul) bool { return s.role == role.Host || s.role == role.Cohost }

// may tells whether somebody has the right to write.
func (m *reading) may(s *soul) bool {
	if m.moderates(s) {
		return true
	}
	own := !s.chatOff
	if s.isAgent() && s.role == role.Observer {
		own = s.writes && !s.chatOff
	}
	return own && !m.chatOff && !m.unstored && !s.unstored
}

func (m *reading) find(identity string) *soul {
	for _, s := range m.all {
		if s.in && s.identity == identity {
			return s
		}
	}
	return nil
}

func (m *reading) one(what string, which func(*soul) bool) *soul {
	var some []*soul
	for _, s := range m.all {
		if which(s) {
			some = append(some, s)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return rapid.SampledFrom(some).Draw(m.T, what)
}

func (m *reading) who(s *soul) meeting.InCall {
	if s.isAgent() {
		return meeting.AsAgent(s.agent, m.id)
	}
	return meeting.AsGuest(s.caller)
}

func (m *reading) must(what string, err error) {
	m.Helper()
	if err != nil {
		m.Fatalf("%s: %v", what, err)
	}
}

// settle has what the call said and the meeting heard be done.
func (m *reading) settle() {
	m.box.mu.Lock()
	sent := m.box.sent
	m.box.sent = nil
	m.box.mu.Unlock()
	for _, identity := range sent {
		if s := m.find(identity); s != nil {
			s.in = false
			m.f.Left(m.id, identity, fmt.Sprint("PA_", s.called))
		}
	}
	m.must("look", second(m.f.Get(m.Context(), m.host.agent, m.id)))
}

func (m *reading) come() {
	s := m.one("who comes", func(s *soul) bool { return !s.in && (s.isAgent() && s.role != "" || s.door == "admitted") })
	if s == nil || m.ended {
		return
	}
	var g meeting.Grant
	var err error
	if s.isAgent() {
		g, err = m.f.Join(m.Context(), s.agent, m.id)
	} else {
		g, err = m.f.Claim(m.Context(), s.caller)
	}
	hosted := slices.ContainsFunc(m.all, func(s *soul) bool { return s.in && m.moderates(s) })
	if err != nil {
		if hosted || !errors.Is(err, meeting.ErrNoHost) {
			m.Fatalf("%s comes: %v", s.called, err)
		}
		return
	}
	s.identity, s.grant, s.in = g.Identity, g.ID, true
	m.box.enter(s.identity)
	m.arrive(s)
}

// arrive tells the meeting that somebody is in, by a connection that may be another one.
func (m *reading) arrive(s *soul) {
	m.f.Joined(m.id, s.identity, fmt.Sprint("PA_", s.called))
	m.settle()
	if _, before := s.since[s.grant]; !before {
		s.since[s.grant] = len(m.letters)
	}
}

func (m *reading) leave() {
	if s := m.one("who leaves", func(s *soul) bool { return s.in }); s != nil {
		s.in = false
		m.box.leave(s.identity)
		m.f.Left(m.id, s.identity, fmt.Sprint("PA_", s.called))
		m.settle()
	}
}

func (m *reading) back() {
	if s := m.one("who reloads", func(s *soul) bool { return s.in }); s != nil {
		m.arrive(s)
	}
}

// letIn has the guests knock who are not in, and all who wait be let in.
func (m *reading) letIn() {
	if m.ended {
		return
	}
	for _, s := range m.all {
		if s.isAgent() {
			continue
		}
		if s.door == "refused" {
			m.must("lift", second(m.f.Lift(m.Context(), m.host.agent, m.id, s.knock)))
			s.door = "out"
		}
		if s.door == "out" {
			m.must("knock", second(m.f.Knock(m.Context(), s.caller, meeting.Asking{Name: s.called})))
			s.door = "waiting"
		}
	}
	m.must("admit", second(m.f.AdmitAll(m.Context(), m.host.agent, m.id, nil)))
	all, err := m.f.Knocks(m.Context(), m.host.agent, m.id)
	m.must("knocks", err)
	for _, s := range m.all {
		for _, k := range all {
			if s.door == "waiting" && k.Name == s.called && k.Status == lobby.Admitted {
				if k.Identity != s.identity {
					s.unstored = false // another one than before, to the others
				}
				s.door, s.knock, s.chatOff = "admitted", k.ID, s.role == role.Observer
			}
		}
	}
}

// deed is something that a host does: what it does if it is stored, and if it is not.
type deed struct {
	what         string
	do           func() error
	done, failed func()
	several      bool // it asks the meeting more than once, so that it is no part of one batch
}

func (m *reading) deed() (deed, bool) {
	host := m.host.agent
	ctx := m.Context()
	none := func() {}
	switch rapid.SampledFrom([]string{"name", "name", "unname", "hand over", "permit", "permit", "permit all", "profile", "remove", "send back"}).Draw(m.T, "deed") {
	case "name":
		s := m.one("named", func(s *soul) bool { return s.isAgent() && s != m.host })
		as := rapid.SampledFrom([]role.Role{role.Cohost, role.Participant, role.Observer}).Draw(m.T, "as")
		return deed{fmt.Sprint("name ", s.called, " ", as), func() error {
			if s.role != "" {
				return second(m.f.NameMember(ctx, host, m.id, s.agent.Account, as))
			}
			return second(m.f.NameByEmail(ctx, host, m.id, addresses[s.agent.Account], as))
		}, func() {
			if s.role != as {
				s.writes = false
			}
			if s.role = as; as == role.Cohost {
				s.chatOff, s.unstored = false, false
			}
		}, none, s.role == ""}, true
	case "unname":
		s := m.one("unnamed", func(s *soul) bool { return s.isAgent() && s.role != "" && s != m.host })
		if s == nil {
			return deed{}, false
		}
		return deed{"unname " + s.called, func() error { return m.f.UnnameMember(ctx, host, m.id, s.agent.Account) }, func() {
			s.role, s.chatOff, s.writes, s.unstored = "", false, false, false
		}, none, false}, true
	case "hand over":
		s := m.one("host", func(s *soul) bool { return s.role == role.Cohost })
		if s == nil {
			return deed{}, false
		}
		return deed{"hand over to " + s.called, func() error { return second(m.f.HandOver(ctx, host, m.id, s.agent.Account)) }, func() {
			m.host.role, s.role = role.Cohost, role.Host
			m.host = s
		}, none, false}, true
	case "permit":
		s := m.one("permitted", func(s *soul) bool { return s.in && !m.moderates(s) })
		if s == nil {
			return deed{}, false
		}
		may := rapid.Bool().Draw(m.T, "may write")
		before := m.may(s)
		return deed{fmt.Sprint("permit ", s.called, " ", may), func() error {
			return second(m.f.Permit(ctx, host, m.id, s.identity, lobby.Permissions{Speak: true, Chat: may}))
		}, func() {
			s.unstored = false
			switch {
			case !s.isAgent() || s.role != role.Observer:
				s.chatOff = !may
			case may:
				s.writes, s.chatOff = true, false
			default:
				s.writes = false
			}
		}, func() {
			if before && !may {
				s.unstored = true
			}
		}, false}, true
	case "permit all":
		may := rapid.Bool().Draw(m.T, "all may write")
		before := m.chatOff
		return deed{fmt.Sprint("permit all ", may), func() error {
			return m.f.PermitAll(ctx, host, m.id, meeting.RightsChange{Chat: &may})
		}, func() { m.chatOff, m.unstored = !may, false }, func() {
			if !before && !may {
				m.unstored = true
			}
		}, false}, true
	case "profile":
		w := rapid.SampledFrom([]profile.Writing{profile.WritingAll, profile.WritingHosts, profile.WritingOff}).Draw(m.T, "private messages")
		return deed{"profile " + string(w), func() error { return second(m.f.ChooseProfile(ctx, host, m.id, "private-"+string(w))) }, func() { m.writing = w }, none, true}, true
	case "remove":
		s := m.one("removed", func(s *soul) bool { return s.in })
		if s == nil {
			return deed{}, false
		}
		return deed{"remove " + s.called, func() error { return m.f.Remove(ctx, host, m.id, s.identity) }, func() {
			if !s.isAgent() {
				s.door = "refused"
			}
		}, none, false}, true
	default:
		s := m.one("sent back", func(s *soul) bool { return s.in && !s.isAgent() })
		if s == nil {
			return deed{}, false
		}
		return deed{"send back " + s.called, func() error { return second(m.f.SendBack(ctx, host, m.id, s.identity)) }, func() { s.door = "waiting" }, none, false}, true
	}
}

// act has a host do something, and it is stored or not.
func (m *reading) act() {
	if m.ended {
		return
	}
	d, ok := m.deed()
	if !ok {
		return
	}
	fails := rapid.IntRange(0, 3).Draw(m.T, "fails") == 0
	m.f.store.failSave.Store(fails)
	err := d.do()
	m.f.store.failSave.Store(false)
	m.Logf("%s, fails %t: %v", d.what, fails, err)
	switch {
	case err == nil: // also where there was nothing to store
		d.done()
	case fails && errors.Is(err, meeting.ErrUnavailable):
		d.failed()
	default:
		m.Fatalf("%s: %v", d.what, err)
	}
	m.settle()
}

// letter is something that somebody wants to write, and whether they may.
func (m *reading) letter() (from *soul, to, text string, l letter, allowed bool) {
	from = m.one("who writes", func(*soul) bool { return true })
	targets := []string{meeting.ToEveryone, meeting.ToEveryone, meeting.ToHosts, meeting.ToHosts}
	for _, s := range m.all {
		if s.identity != "" {
			targets = append(targets, s.identity)
		}
	}
	to = rapid.SampledFrom(targets).Draw(m.T, "to")
	text = fmt.Sprintf("%d from %s", len(m.letters)+1, from.called)
	l = letter{text: text}
	if m.ended || !from.in || !m.may(from) {
		return from, to, text, l, false
	}
	switch to {
	case meeting.ToEveryone:
		return from, to, text, l, true
	case meeting.ToHosts:
		l.readers = map[string]bool{}
		for _, s := range m.all {
			if s.in && m.moderates(s) && s != from {
				l.readers[s.identity] = true
			}
		}
		allowed = len(l.readers) > 0 && m.writing != profile.WritingOff
	default:
		s := m.find(to)
		l.readers = map[string]bool{to: true}
		allowed = s != nil && s != from && (m.writing == profile.WritingAll || m.writing == profile.WritingHosts && (m.moderates(s) || m.moderates(from)))
	}
	l.readers[from.identity] = true
	return from, to, text, l, allowed
}

func (m *reading) write() {
	from, to, text, l, allowed := m.letter()
	_, err := m.f.Say(m.Context(), m.who(from), text, to)
	m.Logf("%s writes to %s: %v", from.called, to, err)
	if allowed != (err == nil) {
		m.Fatalf("%s (%s) writes to %s, private messages %s: %v", from.called, from.role, to, m.writing, err)
	}
	if allowed {
		m.sent(l)
	}
}

// sent notes a message that was accepted.
func (m *reading) sent(l letter) {
	m.letters = append(m.letters, l)
	for _, s := range m.all {
		if s.in && (l.readers == nil || l.readers[s.identity]) {
			m.got[s.identity] = append(m.got[s.identity], l.text)
		}
	}
}

// together has somebody write in the batch of something that cannot be stored: then
// nobody ever reads it.
func (m *reading) together() {
	if m.ended {
		return
	}
	d, ok := m.deed()
	if !ok || d.several {
		return
	}
	from, to, text, l, allowed := m.letter()
	hold := make(chan struct{})
	saves := m.f.store.saves.Load()
	m.f.store.failSave.Store(true)
	m.f.store.hold = hold
	until := func(ok func() bool) {
		for !ok() {
			runtime.Gosched()
		}
	}
	var all sync.WaitGroup
	var said, did error
	// While this one is being stored, the others gather.
	all.Go(func() { _ = m.f.Lock(m.Context(), m.host.agent, m.id, true) })
	until(func() bool { return m.f.store.saves.Load() > saves })
	all.Go(func() { _, said = m.f.Say(m.Context(), m.who(from), text, to) })
	until(func() bool { return m.f.Queued(m.id) == 1 })
	all.Go(func() { did = d.do() })
	until(func() bool { return m.f.Queued(m.id) == 2 })
	close(hold)
	all.Wait()
	m.f.store.hold = nil
	m.f.store.failSave.Store(false)
	m.Logf("%s writes to %s: %v, together with %s: %v", from.called, to, said, d.what, did)
	switch {
	case did == nil: // there was nothing to store, so that it was done
		if allowed != (said == nil) {
			m.Fatalf("%s writes to %s: %v", from.called, to, said)
		}
		if allowed {
			m.sent(l)
		}
		d.done()
	case !errors.Is(said, meeting.ErrUnavailable) || !errors.Is(did, meeting.ErrUnavailable):
		m.Fatalf("in a batch that was not stored: %v, and %s: %v", said, d.what, did)
	default:
		d.failed()
	}
	m.settle()
}

// holds checks what everybody received and reads.
func (m *reading) holds() {
	m.box.mu.Lock()
	got := maps.Clone(m.box.got)
	m.box.mu.Unlock()
	for _, s := range m.all {
		if s.identity == "" {
			continue
		}
		if !slices.Equal(got[s.identity], m.got[s.identity]) {
			m.Fatalf("%s received %q, want %q", s.called, got[s.identity], m.got[s.identity])
		}
		said, err := m.f.Said(m.Context(), m.who(s))
		if !s.in || m.ended {
			if err == nil {
				m.Fatalf("%s is not in and reads %d", s.called, len(said.Messages))
			}
			continue
		}
		m.must(s.called+" reads", err)
		var want, reads []string
		for i, l := range m.letters {
			if i >= s.since[s.grant] && (l.readers == nil || l.readers[s.identity]) {
				want = append(want, l.text)
			}
		}
		for _, one := range said.Messages {
			reads = append(reads, one.Text)
		}
		if !slices.Equal(reads, want) {
			m.Fatalf("%s reads %q, want %q", s.called, reads, want)
		}
	}
}

// Whatever happens in a call, every message is received by those it is for who are in it,
// and read later by those of them who came before it was written; by nobody else.
func TestWhoReadsWhichMessage(t *testing.T) {
	now := new(clock)
	box := new(mailbox)
	h := newHouse(t, func(c *meeting.Config) { c.Media, c.Now = box, now.now })
	h.withAgents()
	for _, w := range []profile.Writing{profile.WritingAll, profile.WritingHosts, profile.WritingOff} {
		text := profile.Text{French: "Modèle", English: "Model"}
		rules := profile.Defaults()[0].Rules
		rules.PrivateMessages = w
		if err := h.store.AddProfile(t.Context(), profile.Profile{Post: dakar.ID, ID: "private-" + string(w), Version: 1, Name: text, Sentence: text, Rules: rules, ChangedAt: start, ChangedBy: anne.Account}); err != nil {
			t.Fatal(err)
		}
	}
	var messages, toSome int
	rapid.Check(t, func(r *rapid.T) {
		now.passed.Store(0)
		made, err := h.Create(t.Context(), anne, meeting.Draft{Title: "Coopération", Profile: "private-all"})
		if err != nil {
			r.Fatal(err)
		}
		h.id = made.ID
		m := &reading{T: r, f: h, box: box, now: now, id: made.ID, got: make(map[string][]string), writing: profile.WritingAll}
		box.mu.Lock()
		box.in, box.got, box.sent = make(map[string]bool), make(map[string][]string), nil
		box.mu.Unlock()
		m.host = &soul{called: anne.Name, agent: anne, role: role.Host}
		m.all = []*soul{m.host, {called: luc.Name, agent: luc, role: role.Cohost}, {called: marc.Name, agent: marc, role: role.Participant}}
		m.must("name", second(h.NameByEmail(t.Context(), anne, m.id, addresses[luc.Account], role.Cohost)))
		m.must("name", second(h.NameByEmail(t.Context(), anne, m.id, addresses[marc.Account], role.Participant)))
		for i, called := range []string{"Inês", "Rui", "Olga"} {
			as := []role.Role{role.Guest, role.Guest, role.Observer}[i]
			m.all = append(m.all, &soul{called: called, caller: h.linkOf(as)(), role: as, door: "out"})
		}
		for _, s := range m.all {
			s.since = make(map[string]int)
		}
		m.letIn()
		for range m.all {
			m.come()
		}
		for range rapid.IntRange(5, 20).Draw(r, "steps") {
			now.pass(time.Second)
			switch rapid.SampledFrom([]string{"write", "write", "write", "act", "act", "together", "come", "come", "leave", "back", "let in", "end"}).Draw(r, "step") {
			case "write":
				m.write()
			case "act":
				m.act()
			case "together":
				m.together()
			case "come":
				m.come()
			case "leave":
				m.leave()
			case "back":
				m.back()
			case "let in":
				m.letIn()
			case "end":
				if rapid.IntRange(0, 9).Draw(r, "at last") == 0 {
					m.must("end", second(h.End(t.Context(), m.host.agent, m.id)))
					m.ended = true
				}
			}
			m.holds()
		}
		for _, l := range m.letters {
			messages++
			if l.readers != nil {
				toSome++
			}
		}
	})
	if toSome == 0 || messages == toSome {
		t.Errorf("%d messages, %d of them to some: nothing was looked at", messages, toSome)
	}
}
