package meeting_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/meeting"
	"aparte/signaling/profile"
	"aparte/signaling/role"
)

// listener is a call that notes the messages it is told.
type listener struct {
	call
	mu   sync.Mutex
	told []string
}

func (c *listener) Tell(_, topic string, payload []byte, _ ...string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	var m struct{ Text string }
	if topic == "aparte.chat" && json.Unmarshal(payload, &m) == nil {
		c.told = append(c.told, m.Text)
	}
	return true
}

func (c *listener) heard() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.told)
}

// kept is a meeting with two in the call, whose profiles "kept" and "fleeting" differ in
// their line keep_chat alone; it begins under "kept".
type kept struct {
	*house
	*clock
	cfg         meeting.Config
	call        *listener
	host, guest meeting.Grant
	visitor     meeting.Caller
}

func newKept(t *testing.T, change func(*meeting.Config)) *kept {
	t.Helper()
	k := &kept{clock: new(clock), call: new(listener)}
	k.house = newHouse(t, func(c *meeting.Config) {
		c.Media, c.Now = k.call, k.now
		if change != nil {
			change(c)
		}
		k.cfg = *c
	}).withAgents()
	for _, keeps := range []bool{true, false} {
		p := profile.Defaults()[0]
		p.Post, p.ID, p.Rules.KeepChat = dakar.ID, map[bool]string{true: "kept", false: "fleeting"}[keeps], keeps
		if _, err := k.AddProfile(t.Context(), anne, p); err != nil {
			t.Fatal(err)
		}
	}
	k.under("kept")
	k.host = k.in(anne)
	k.visitor = k.link()()
	k.knock(k.visitor, "Inês")
	if _, err := k.AdmitAll(t.Context(), anne, k.id, nil); err != nil {
		t.Fatal(err)
	}
	var err error
	if k.guest, err = k.Claim(t.Context(), k.visitor); err != nil {
		t.Fatal(err)
	}
	k.Joined(k.id, k.guest.Identity, "PA_guest")
	k.inOrder()
	return k
}

func (k *kept) under(id string) meeting.Effects {
	k.t.Helper()
	preview, err := k.PreviewChoice(k.t.Context(), anne, k.id, id)
	if err != nil {
		k.t.Fatal(err)
	}
	done, err := k.ChooseProfile(k.t.Context(), anne, k.id, id)
	if err != nil {
		k.t.Fatal(err)
	}
	if preview.Chat != done.Chat || preview.Stored != done.Stored {
		k.t.Errorf("the preview said %q, %d stored; it did %q, %d", preview.Chat, preview.Stored, done.Chat, done.Stored)
	}
	return done
}

// say writes to everybody as the host, as often as it takes.
func (k *kept) say(text string) meeting.Message {
	k.t.Helper()
	k.pass(time.Second)
	m, err := k.Say(k.t.Context(), meeting.AsAgent(anne, k.id), text, meeting.ToEveryone)
	if err != nil {
		k.t.Fatal(err)
	}
	return m
}

func textsOf(all []meeting.Message) []string {
	out := []string{}
	for _, m := range all {
		out = append(out, m.Text)
	}
	return out
}

// stored are the texts that hosts read.
func (k *kept) stored() []string {
	k.t.Helper()
	v, err := k.ReadKept(k.t.Context(), anne, k.id, 0)
	if err != nil {
		k.t.Fatal(err)
	}
	if v.Total != len(v.Messages) {
		k.t.Errorf("%d messages of %d", len(v.Messages), v.Total)
	}
	return textsOf(v.Messages)
}

// shown are the texts that somebody in the call reads.
func (k *kept) shown(who meeting.InCall) []string {
	k.t.Helper()
	v, err := k.Said(k.t.Context(), who)
	if err != nil {
		k.t.Fatal(err)
	}
	return textsOf(v.Messages)
}

func (k *kept) same(what string, got, want []string) {
	k.t.Helper()
	if !slices.Equal(got, want) {
		k.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// restart is the server after it was stopped and started; who was in the call comes back.
func (k *kept) restart(back ...meeting.Grant) {
	k.t.Helper()
	k.Close()
	k.Meetings = meeting.NewMeetings(k.cfg)
	k.t.Cleanup(k.Close)
	for _, g := range back {
		k.Joined(k.id, g.Identity, "PA_again")
	}
	k.inOrder()
}

func TestWhatIsWrittenToAllIsKeptWhereTheProfileSaysSo(t *testing.T) {
	k := newKept(t, nil)
	k.say("à tous")
	host, guest := meeting.AsAgent(anne, k.id), meeting.AsGuest(k.visitor)
	if _, err := k.Say(t.Context(), host, "à une personne", k.guest.Identity); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Say(t.Context(), guest, "aux hôtes", meeting.ToHosts); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Say(t.Context(), guest, "de l’invitée", meeting.ToEveryone); err != nil {
		t.Fatal(err)
	}
	v, err := k.ReadKept(t.Context(), anne, k.id, 0)
	if err != nil {
		t.Fatal(err)
	}
	k.same("stored", textsOf(v.Messages), []string{"à tous", "de l’invitée"})
	if m := v.Messages[1]; m.FromName != "Inês" || m.Role != role.Guest || m.From != k.guest.Identity || !m.At.Equal(k.now()) || v.Days != 90 {
		t.Errorf("stored as %+v, for %d days", m, v.Days)
	}
	if _, err := k.End(t.Context(), anne, k.id); err != nil {
		t.Fatal(err)
	}
	k.same("after the end", k.stored(), []string{"à tous", "de l’invitée"})
}

// Turned on it holds from then on, turned off it leaves what is stored; both say so.
func TestAChangeOfProfileKeepsOrStopsKeepingAtOnce(t *testing.T) {
	k := newKept(t, nil)
	told := func() int {
		t.Helper()
		k.call.call.mu.Lock()
		defer k.call.call.mu.Unlock()
		var s meeting.CallState
		if err := json.Unmarshal([]byte(k.call.state), &s); err != nil {
			t.Fatal(err)
		}
		return s.Profile.KeepChatDays
	}
	k.say("un")
	k.say("deux")
	if e := k.under("fleeting"); e.Chat != meeting.ChatNotKept || e.Stored != 2 || !e.Any() {
		t.Errorf("turned off: %q, %d stored", e.Chat, e.Stored)
	}
	if told() != 0 {
		t.Errorf("the call is told %d days", told())
	}
	k.say("trois")
	k.same("stored after off", k.stored(), []string{"un", "deux"})
	if v, err := k.Look(t.Context(), k.visitor); err != nil || v.KeepChatDays != 0 {
		t.Errorf("the guest is told %d days, %v", v.KeepChatDays, err)
	}
	if e := k.under("kept"); e.Chat != meeting.ChatKept || e.Stored != 0 || !e.Any() {
		t.Errorf("turned on: %q, %d stored", e.Chat, e.Stored)
	}
	if told() != 90 {
		t.Errorf("the call is told %d days", told())
	}
	if v, err := k.Look(t.Context(), k.visitor); err != nil || v.KeepChatDays != 90 {
		t.Errorf("the guest is told %d days, %v", v.KeepChatDays, err)
	}
	k.say("quatre")
	k.same("stored after on", k.stored(), []string{"un", "deux", "quatre"})
	if e := k.under("kept"); e.Chat != meeting.ChatUnchanged {
		t.Errorf("chosen again: %q", e.Chat)
	}
}

// A restart brings back what is stored, to those who could read it before.
func TestARestartBringsKeptMessagesBack(t *testing.T) {
	k := newKept(t, nil)
	k.say("avant Rui")
	rui := k.admitted("Rui")
	k.Joined(k.id, rui.Identity, "PA_rui")
	k.inOrder()
	if _, err := k.Say(t.Context(), meeting.AsAgent(anne, k.id), "à Inês", k.guest.Identity); err != nil {
		t.Fatal(err)
	}
	last := k.say("avec Rui")
	k.restart(k.host, k.guest, rui)
	host, guest := meeting.AsAgent(anne, k.id), meeting.AsGuest(k.visitor)
	k.same("host", k.shown(host), []string{"avant Rui", "avec Rui"})
	k.same("guest", k.shown(guest), []string{"avant Rui", "avec Rui"})
	k.name(luc, role.Cohost)
	late := k.in(luc) // has not been in before
	k.inOrder()
	k.same("latecomer", k.shown(meeting.AsAgent(luc, k.id)), []string{})
	// Screens know numbers that were not stored: none comes again.
	k.under("fleeting")
	passing := k.say("sans trace")
	if passing.Seq <= last.Seq {
		t.Errorf("number %d after %d", passing.Seq, last.Seq)
	}
	k.restart(k.host, k.guest, late)
	again := k.say("après")
	if again.Seq <= passing.Seq {
		t.Errorf("number %d after %d, which was not stored", again.Seq, passing.Seq)
	}
	k.same("after the second restart", k.shown(guest), []string{"avant Rui", "avec Rui", "après"})
	k.same("latecomer", k.shown(meeting.AsAgent(luc, k.id)), []string{"après"})
}

// Who came in before anything was kept reads all that is kept, after a restart too.
func TestWhoWasInBeforeKeepingBeganReadsWhatIsKept(t *testing.T) {
	k := newKept(t, nil)
	k.under("fleeting")
	rui := k.admitted("Rui")
	k.Joined(k.id, rui.Identity, "PA_rui")
	k.inOrder()
	k.under("kept")
	k.say("gardé")
	k.restart(k.host, rui)
	if v, err := k.Said(t.Context(), meeting.AsAgent(anne, k.id)); err != nil || len(v.Messages) != 1 {
		t.Errorf("the host reads %+v, %v", v.Messages, err)
	}
	k.Left(k.id, rui.Identity, "PA_again")
	k.Joined(k.id, rui.Identity, "PA_3")
	k.inOrder()
	arrivals, err := k.store.LoadMeeting(t.Context(), k.id)
	if err != nil {
		t.Fatal(err)
	}
	if first := arrivals.Chat.Arrivals[rui.ID]; first == 0 || first > arrivals.Chat.Messages[0].Seq {
		t.Errorf("Rui reads from message %d on, and what is kept is %d", first, arrivals.Chat.Messages[0].Seq)
	}
}

func TestAMessageThatCannotBeKeptIsToldToNobody(t *testing.T) {
	k := newKept(t, nil)
	k.say("un")
	k.store.failSave.Store(true)
	if _, err := k.Say(t.Context(), meeting.AsAgent(anne, k.id), "perdu", meeting.ToEveryone); !errors.Is(err, meeting.ErrUnavailable) {
		t.Errorf("without a disk: %v", err)
	}
	// What is not kept needs no disk.
	if _, err := k.Say(t.Context(), meeting.AsAgent(anne, k.id), "à Inês", k.guest.Identity); err != nil {
		t.Errorf("privately without a disk: %v", err)
	}
	k.store.failSave.Store(false)
	k.say("deux")
	k.same("told", k.call.heard(), []string{"un", "à Inês", "deux"})
	k.same("stored", k.stored(), []string{"un", "deux"})
	k.same("shown", k.shown(meeting.AsGuest(k.visitor)), []string{"un", "à Inês", "deux"})
}

// Many messages at once cost few commits.
func TestKeptMessagesShareCommits(t *testing.T) {
	k := newKept(t, nil)
	k.store.hold = make(chan struct{})
	before := k.store.saves.Load()
	var wg sync.WaitGroup
	for i := range 5 {
		for _, who := range []meeting.InCall{meeting.AsAgent(anne, k.id), meeting.AsGuest(k.visitor)} {
			wg.Go(func() {
				if _, err := k.Say(t.Context(), who, fmt.Sprint("message ", i), meeting.ToEveryone); err != nil {
					t.Error(err)
				}
			})
		}
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	var saves int
	for open := true; open; {
		select {
		case k.store.hold <- struct{}{}:
			saves++
		case <-done:
			open = false
		}
	}
	if n := k.store.saves.Load() - before; n > 9 || int(n) != saves {
		t.Errorf("10 messages in %d commits", n)
	}
	k.store.hold = nil
	if got := k.stored(); len(got) != 10 {
		t.Errorf("%d are stored", len(got))
	}
}

func TestAFullRecordRefusesAndLosesNothing(t *testing.T) {
	k := newKept(t, func(c *meeting.Config) { c.MaxKeptChat = 3 })
	for i := range 3 {
		k.say(fmt.Sprint(i))
	}
	k.pass(time.Second)
	if _, err := k.Say(t.Context(), meeting.AsAgent(anne, k.id), "de trop", meeting.ToEveryone); !errors.Is(err, meeting.ErrChatFull) {
		t.Errorf("beyond the bound: %v", err)
	}
	if _, err := k.Say(t.Context(), meeting.AsAgent(anne, k.id), "à Inês", k.guest.Identity); err != nil {
		t.Errorf("privately: %v", err)
	}
	k.restart(k.host, k.guest)
	if _, err := k.Say(t.Context(), meeting.AsAgent(anne, k.id), "de trop", meeting.ToEveryone); !errors.Is(err, meeting.ErrChatFull) {
		t.Errorf("after a restart: %v", err)
	}
	k.same("stored", k.stored(), []string{"0", "1", "2"})
	k.same("told", k.call.heard(), []string{"0", "1", "2", "à Inês"})
	if n, err := k.DeleteKept(t.Context(), anne, k.id); n != 3 || err != nil {
		t.Errorf("deleted %d, %v", n, err)
	}
	k.say("de nouveau")
	k.same("after deleting", k.stored(), []string{"de nouveau"})
}

func TestWhatIsKeptIsDeletedWhenItsTimeIsOver(t *testing.T) {
	const day = 24 * time.Hour
	k := newKept(t, func(c *meeting.Config) { c.KeepChatDays = 30 })
	first := k.say("ancien")
	k.pass(10 * day)
	k.say("récent")
	k.pass(20*day - time.Second) // "ancien" is 30 days old to the millisecond
	k.Sweep(t.Context())
	k.same("on its last day", k.stored(), []string{"ancien", "récent"})
	if k.now().Sub(first.At) != 30*day {
		t.Fatalf("the clock is off: %v", k.now().Sub(first.At))
	}
	k.pass(time.Millisecond)
	k.same("over, and not swept yet", k.stored(), []string{"récent"})
	k.same("in the call", k.shown(meeting.AsAgent(anne, k.id)), []string{"récent"})
	rows := func() int {
		t.Helper()
		all, err := k.store.KeptMessages(t.Context(), k.id, 0, start, 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	if rows() != 2 {
		t.Errorf("%d on the disk before the sweep", rows())
	}
	k.Sweep(t.Context())
	if rows() != 1 {
		t.Errorf("%d on the disk after the sweep", rows())
	}
	if e := k.under("fleeting"); e.Stored != 1 {
		t.Errorf("%d are said to be stored", e.Stored)
	}
	if _, err := k.End(t.Context(), anne, k.id); err != nil {
		t.Fatal(err)
	}
	k.pass(30 * day)
	k.Sweep(t.Context())
	if rows() != 0 {
		t.Errorf("%d on the disk, of a meeting that has ended", rows())
	}
}

func TestWhoReadsAndDeletesWhatIsKept(t *testing.T) {
	k := newKept(t, nil)
	const secret = "Rendez-vous derrière la gare"
	k.say(secret)
	k.say("deux")
	k.name(luc, role.Cohost)
	k.name(marc, role.Participant)
	if _, err := k.End(t.Context(), anne, k.id); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		who           meeting.Agent
		reads, clears bool
	}{{anne, true, true}, {luc, true, false}, {marc, false, false}} {
		_, read := k.ReadKept(t.Context(), c.who, k.id, 0)
		_, export := k.ExportKept(t.Context(), c.who, k.id, 0)
		if (read == nil) != c.reads || (export == nil) != c.reads {
			t.Errorf("%s reads: %v, exports: %v", c.who.Name, read, export)
		}
		if !c.clears {
			if _, err := k.DeleteKept(t.Context(), c.who, k.id); refusedRole(err) == "" {
				t.Errorf("%s deletes: %v", c.who.Name, err)
			}
		}
	}
	v, err := k.ExportKept(t.Context(), luc, k.id, 1)
	if err != nil || len(v.Messages) > 1 {
		t.Errorf("after the first: %+v, %v", v, err)
	}
	for want := range 2 { // the second finds nothing
		n, err := k.DeleteKept(t.Context(), anne, k.id)
		if err != nil || n != 2-2*want {
			t.Errorf("deleted %d, %v", n, err)
		}
	}
	k.same("afterwards", k.stored(), []string{})
	var told []string
	for _, e := range k.trail() {
		if strings.HasPrefix(string(e.Act), "chat.") {
			told = append(told, fmt.Sprint(e.Act, " ", e.Actor.ID, " ", e.Detail["messages"]))
		}
		if text := fmt.Sprintf("%+v", e); strings.Contains(text, "la gare") {
			t.Errorf("the trail has the text: %s", text)
		}
	}
	k.same("trail", told, []string{
		string(audit.ChatExported) + " anne 2", string(audit.ChatExported) + " luc 2",
		string(audit.ChatExported) + " luc " + fmt.Sprint(len(v.Messages)), string(audit.ChatDeleted) + " anne 2",
	})
}

// What is deleted during the call is gone from it too, and its numbers do not come again.
func TestDeletingDuringTheCall(t *testing.T) {
	k := newKept(t, nil)
	k.say("un")
	if _, err := k.Say(t.Context(), meeting.AsAgent(anne, k.id), "à Inês", k.guest.Identity); err != nil {
		t.Fatal(err)
	}
	k.store.failSave.Store(true)
	if _, err := k.DeleteKept(t.Context(), anne, k.id); !errors.Is(err, meeting.ErrUnavailable) {
		t.Errorf("without a disk: %v", err)
	}
	k.store.failSave.Store(false)
	k.same("not deleted", k.shown(meeting.AsGuest(k.visitor)), []string{"un", "à Inês"})
	k.same("not deleted", k.stored(), []string{"un"})
	if n, err := k.DeleteKept(t.Context(), anne, k.id); n != 1 || err != nil {
		t.Errorf("deleted %d, %v", n, err)
	}
	k.same("deleted", k.shown(meeting.AsGuest(k.visitor)), []string{"à Inês"})
	k.say("trois")
	k.same("stored", k.stored(), []string{"trois"})
}
