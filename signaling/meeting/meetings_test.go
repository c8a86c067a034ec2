package meeting_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/sfu/leaktest"
	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/login"
	"aparte/signaling/meeting"
	"aparte/signaling/meeting/meetingtest"
	"aparte/signaling/post"
	"aparte/signaling/role"
	"aparte/signaling/store"
	"aparte/signaling/store/storetest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

var (
	quiet = slog.New(slog.NewTextHandler(io.Discard, nil))
	start = time.Date(2027, 3, 2, 9, 0, 0, 0, time.UTC)
	anne  = meeting.Agent{Account: "anne", Name: "Anne Bernard", Session: "as", Posts: []string{dakar.ID}}
	dakar = post.Post{ID: "dakar", Name: "Dakar", TimeZone: "Africa/Dakar", Languages: []string{"fr"}, CreatedAt: start}
	// inDakar is what those who host in the tests are.
	inDakar = post.Memberships{{Post: dakar, Role: post.Agent}}
)

// hang is how long a test waits for what must happen.
const hang = 20 * time.Second

// call records what the media are asked for.
type call struct {
	meetingtest.Deaf
	mu      sync.Mutex
	left    []string
	allowed map[string]*livekit.ParticipantPermission
	state   string                       // the room's metadata
	said    map[string]map[string]string // attributes, by identity
}

func (c *call) Describe(_, metadata string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = metadata
	return true
}

func (c *call) SetAttributes(_, identity string, attributes map[string]string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.said == nil {
		c.said = make(map[string]map[string]string)
	}
	c.said[identity] = attributes
	return true
}

func (c *call) Remove(_, identity string, _ livekit.DisconnectReason) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = append(c.left, identity)
	return true
}

func (c *call) CloseRoom(room string, _ livekit.DisconnectReason) bool {
	return c.Remove(room, "everybody in "+room, 0)
}

// flaky is a store that fails on demand and counts.
type flaky struct {
	*store.Store
	failSave, failLoad atomic.Bool
	saves, loads       atomic.Int32
	hold               chan struct{} // if not nil, saves wait for it
}

var errDisk = errors.New("no space left")

func (f *flaky) SaveMeeting(ctx context.Context, c meeting.Changes) error {
	f.saves.Add(1)
	if f.hold != nil {
		<-f.hold
	}
	if f.failSave.Load() {
		return errDisk
	}
	return f.Store.SaveMeeting(ctx, c)
}

func (f *flaky) LoadMeeting(ctx context.Context, id string) (meeting.Stored, error) {
	f.loads.Add(1)
	if f.failLoad.Load() {
		return meeting.Stored{}, errDisk
	}
	return f.Store.LoadMeeting(ctx, id)
}

type house struct {
	t     *testing.T
	store *flaky
	call  *call
	*meeting.Meetings
	dir string
	id  string
}

func newHouse(t *testing.T, change func(*meeting.Config)) *house {
	t.Helper()
	dir := storetest.Dir(t)
	s, err := store.Open(t.Context(), dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.AddPost(t.Context(), dakar, ""); err != nil {
		t.Fatal(err)
	}
	if err := s.AddAccount(t.Context(), login.Account{ID: anne.Account, Name: anne.Name, Email: "a@aparte.example", Posts: inDakar, CreatedAt: start},
		login.Code{Account: anne.Account, CreatedAt: start, ExpiresAt: start}); err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, dir: dir, store: &flaky{Store: s}, call: new(call)}
	cfg := meeting.Config{Store: h.store, Media: h.call, Now: func() time.Time { return start }, Random: rand.Reader, Log: quiet}
	if change != nil {
		change(&cfg)
	}
	h.Meetings = meeting.NewMeetings(cfg)
	t.Cleanup(h.Close)
	m, err := h.Create(t.Context(), anne, meeting.Draft{Title: "Coopération"})
	if err != nil {
		t.Fatal(err)
	}
	h.id = m.ID
	return h
}

// link makes a shared link and returns how to come in by it.
func (h *house) link() func() meeting.Caller { return h.linkOf(role.Guest) }

// linkOf makes a shared link for a role.
func (h *house) linkOf(as role.Role) func() meeting.Caller {
	h.t.Helper()
	secret, hash, err := link.MakeSecret(rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	l, err := h.CreateLink(h.t.Context(), anne, h.id, link.Draft{Kind: link.Shared, Role: as, ExpiresAt: start.Add(time.Hour), CodeHash: hash})
	if err != nil {
		h.t.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(secret)
	if err != nil {
		h.t.Fatal(err)
	}
	code, err := link.Code(raw)
	if err != nil {
		h.t.Fatal(err)
	}
	return func() meeting.Caller {
		h.t.Helper()
		token, _, err := h.Redeem(h.t.Context(), l.ID, base64.RawURLEncoding.EncodeToString(code), nil)
		if err != nil {
			h.t.Fatal(err)
		}
		c, err := h.Recognise(h.t.Context(), token)
		if err != nil {
			h.t.Fatal(err)
		}
		return c
	}
}

func (h *house) knock(c meeting.Caller, called string) meeting.GuestView {
	h.t.Helper()
	v, err := h.Knock(h.t.Context(), c, meeting.Asking{Name: called})
	if err != nil {
		h.t.Fatal(err)
	}
	return v
}

func (h *house) knocks() []meeting.KnockView {
	h.t.Helper()
	all, err := h.Knocks(h.t.Context(), anne, h.id)
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

// settled returns when the meeting, and the call after it, have done what they were told
// so far. Who only tells (Joined, Left) is not answered: the first request comes after it,
// the second when what follows from it has begun.
func (h *house) settled() {
	h.t.Helper()
	h.knocks()
	h.knocks()
	h.Obeyed()
}

func TestNothingIsAcknowledgedOrShownThatIsNotDurable(t *testing.T) {
	h := newHouse(t, nil)
	in := h.link()
	guest, other := in(), in()
	h.knock(guest, "Inês")
	host, err := h.WatchAsHost(t.Context(), anne, h.id)
	if err != nil {
		t.Fatal(err)
	}
	defer host.Unwatch()
	<-host.Events
	lobbyWatch, err := h.WatchAsGuest(t.Context(), guest)
	if err != nil {
		t.Fatal(err)
	}
	defer lobbyWatch.Unwatch()
	<-lobbyWatch.Views

	h.store.failSave.Store(true)
	if _, err := h.Admit(t.Context(), anne, h.id, h.knocks()[0].ID, lobby.Everything()); !errors.Is(err, meeting.ErrUnavailable) || !errors.Is(err, errDisk) {
		t.Errorf("admission without a disk: %v", err)
	}
	if _, err := h.Knock(t.Context(), other, meeting.Asking{Name: "Luc"}); !errors.Is(err, meeting.ErrUnavailable) {
		t.Errorf("knock without a disk: %v", err)
	}
	if _, err := h.Claim(t.Context(), guest); !errors.Is(err, meeting.ErrNotAdmitted) {
		t.Errorf("claim after an admission that was not stored: %v", err)
	}
	if v, err := h.Look(t.Context(), guest); err != nil || v.Screen != meeting.ScreenWaiting {
		t.Errorf("guest sees %s, %v", v.Screen, err)
	}
	select {
	case e := <-host.Events:
		t.Errorf("host is told %+v", e)
	case v := <-lobbyWatch.Views:
		t.Errorf("guest is told %+v", v)
	default:
	}
	h.store.failSave.Store(false)
	h.knock(other, "Luc")
	if all := h.knocks(); len(all) != 2 || all[0].Name != "Inês" || all[0].Status != lobby.Waiting {
		t.Errorf("afterwards: %+v", all)
	}
}

// A full disk must not keep a host from sending somebody out: the media stop,
// and the error says that the decision has to be repeated.
func TestARemovalIsObeyedEvenWhenItCannotBeStored(t *testing.T) {
	h := newHouse(t, nil)
	guest := h.link()()
	h.knock(guest, "Inês")
	if _, err := h.Admit(t.Context(), anne, h.id, h.knocks()[0].ID, lobby.Everything()); err != nil {
		t.Fatal(err)
	}
	grant, err := h.Claim(t.Context(), guest)
	if err != nil {
		t.Fatal(err)
	}
	h.store.failSave.Store(true)
	if err := h.Remove(t.Context(), anne, h.id, grant.Identity); !errors.Is(err, meeting.ErrUnavailable) {
		t.Errorf("removal without a disk: %v, want unavailable", err)
	}
	if want := []string{grant.Identity}; !slices.Equal(h.call.left, want) {
		t.Errorf("sent out: %v, want %v", h.call.left, want)
	}
	if _, err := h.End(t.Context(), anne, h.id); !errors.Is(err, meeting.ErrUnavailable) {
		t.Errorf("ending without a disk: %v, want unavailable", err)
	}
	if want := []string{grant.Identity, "everybody in " + h.id}; !slices.Equal(h.call.left, want) {
		t.Errorf("sent out: %v, want %v", h.call.left, want)
	}
}

func TestAMeetingThatCannotBeReadIsNotGone(t *testing.T) {
	h := newHouse(t, func(c *meeting.Config) { c.IdleMeetings = 1 })
	h.store.failLoad.Store(true)
	if _, err := h.Grant(t.Context(), h.id, "x"); !errors.Is(err, meeting.ErrUnavailable) {
		t.Errorf("unreadable: %v, want unavailable", err)
	}
	h.store.failLoad.Store(false)
	if _, err := h.Grant(t.Context(), h.id, "x"); !errors.Is(err, meeting.ErrNotAdmitted) {
		t.Errorf("readable again: %v", err)
	}
	if _, err := h.Grant(t.Context(), "none", "x"); !errors.Is(err, meeting.ErrNotFound) {
		t.Errorf("no such meeting: %v", err)
	}
}

// Who joins and who leaves while the database is away is told once. It must not
// be forgotten, or somebody is in the call for ever who is not, or the reverse.
func TestPresenceSurvivesAMeetingThatCannotBeLoaded(t *testing.T) {
	h := newHouse(t, func(c *meeting.Config) { c.IdleMeetings = 1 })
	in := h.link()
	goes, comes, removed := in(), in(), in()
	identity := map[meeting.Caller]string{}
	for _, c := range []meeting.Caller{goes, comes, removed} {
		h.knock(c, "Inês")
		k := h.knocks()
		if _, err := h.Admit(t.Context(), anne, h.id, k[len(k)-1].ID, lobby.Everything()); err != nil {
			t.Fatal(err)
		}
		g, err := h.Claim(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		identity[c] = g.Identity
	}
	h.Joined(h.id, identity[goes], "PA_goes")
	if err := h.Remove(t.Context(), anne, h.id, identity[removed]); err != nil {
		t.Fatal(err)
	}
	watch, err := h.WatchAsHost(t.Context(), anne, h.id)
	if err != nil {
		t.Fatal(err)
	}
	<-watch.Events
	h.store.failSave.Store(true) // memory is thrown away
	if _, err := h.CreateLink(t.Context(), anne, h.id, link.Draft{Kind: link.Shared, ExpiresAt: start.Add(time.Hour), CodeHash: base64.RawURLEncoding.EncodeToString(make([]byte, 32))}); !errors.Is(err, meeting.ErrUnavailable) {
		t.Fatal(err)
	}
	h.store.failLoad.Store(true)
	h.Left(h.id, identity[goes], "PA_goes")
	h.Joined(h.id, identity[comes], "PA_comes")
	h.Joined(h.id, identity[removed], "PA_removed")
	watch.Unwatch()
	h.Sweep(t.Context())
	if _, err := h.Get(t.Context(), anne, h.id); !errors.Is(err, meeting.ErrUnavailable) {
		t.Fatalf("the meeting is loaded: %v", err)
	}
	h.call.left = nil
	h.store.failLoad.Store(false)
	h.store.failSave.Store(false)
	h.Sweep(t.Context())

	again, err := h.WatchAsHost(t.Context(), anne, h.id)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Unwatch()
	if e := <-again.Events; len(e.Participants) != 1 || e.Participants[0].Identity != identity[comes] {
		t.Errorf("in the call are %+v, want only who came", e.Participants)
	}
	select {
	case _, open := <-watch.Events:
		if open {
			t.Error("the watch that ended is still followed")
		}
	case <-time.After(hang):
		t.Error("the watch that ended never ends")
	}
	h.Close() // waits for the removals
	if want := []string{identity[removed]}; !slices.Equal(h.call.left, want) {
		t.Errorf("sent out: %v, want who was removed while joining: %v", h.call.left, want)
	}
}

// What nobody was told must not hold the process when it ends.
func TestCloseWithPresenceThatCouldNotBeNoted(t *testing.T) {
	h := newHouse(t, func(c *meeting.Config) { c.IdleMeetings = 1 })
	h.store.failLoad.Store(true)
	h.Left(h.id, "p_x", "PA_x")
	if _, err := h.Get(t.Context(), anne, h.id); !errors.Is(err, meeting.ErrUnavailable) {
		t.Fatal(err)
	}
	h.Close()
}

// A decision about more guests than wait in a host's queue is told as a whole: the host
// must not lose its socket for having let in everybody.
func TestLettingInACrowdIsToldAtOnce(t *testing.T) {
	h := newHouse(t, nil)
	const links, each = 30, 20
	for range links {
		in := h.link()
		for i := range each {
			if _, err := h.Knock(t.Context(), in(), meeting.Asking{Name: fmt.Sprint("Guest ", i)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	host, err := h.WatchAsHost(t.Context(), anne, h.id)
	if err != nil {
		t.Fatal(err)
	}
	defer host.Unwatch()
	<-host.Events
	if _, err := h.AdmitAll(t.Context(), anne, h.id, nil); err != nil {
		t.Fatal(err)
	}
	e, ok := <-host.Events // nothing was read before
	if !ok || !e.Snapshot || len(e.Knocks) != links*each {
		t.Fatalf("%t, slow %t: %d knocks", ok, host.Slow(), len(e.Knocks))
	}
	for _, k := range e.Knocks {
		if k.Status != lobby.Admitted {
			t.Fatalf("%s is %s", k.Name, k.Status)
		}
	}
}

func TestACrowdKnocksInFewCommitsAndKeepsItsOrder(t *testing.T) {
	h := newHouse(t, nil)
	const links, each = 50, 20
	var callers []meeting.Caller
	for range links {
		in := h.link()
		for range each {
			callers = append(callers, in())
		}
	}
	host, err := h.WatchAsHost(t.Context(), anne, h.id)
	if err != nil {
		t.Fatal(err)
	}
	defer host.Unwatch()
	before := h.store.saves.Load()
	var wg sync.WaitGroup
	for i, c := range callers {
		wg.Go(func() {
			if _, err := h.Knock(t.Context(), c, meeting.Asking{Name: fmt.Sprint("Guest ", i)}); err != nil {
				t.Error(err)
			}
		})
	}
	seen := map[string]bool{}
	for e := range host.Events { // as the host's socket would
		if e.Knock != nil {
			seen[e.Knock.ID] = true
		}
		if len(seen) == links*each {
			break
		}
	}
	wg.Wait()
	if commits := h.store.saves.Load() - before; commits > links*each/4 {
		t.Errorf("%d commits for %d knocks", commits, links*each)
	}
	places := map[int64]bool{}
	for _, k := range h.knocks() {
		places[k.Place] = true
	}
	if len(places) != links*each {
		t.Errorf("%d places for %d guests", len(places), links*each)
	}
	if _, err := h.Knock(t.Context(), h.link()(), meeting.Asking{Name: "One more"}); !errors.Is(err, lobby.ErrCrowded) {
		t.Errorf("guest 1001: %v", err)
	}
}

func TestASlowHostIsClosedAndNobodyWaitsForIt(t *testing.T) {
	h := newHouse(t, func(c *meeting.Config) { c.HostQueue = 4 })
	slow, err := h.WatchAsHost(t.Context(), anne, h.id)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Unwatch()
	in := h.link()
	for i := range 10 {
		h.knock(in(), fmt.Sprint("Guest ", i))
	}
	n := 0
	for range slow.Events {
		n++
	}
	if n != 4 || !slow.Slow() {
		t.Errorf("%d events, slow %t; want 4, true", n, slow.Slow())
	}
	again, err := h.WatchAsHost(t.Context(), anne, h.id)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Unwatch()
	if e := <-again.Events; !e.Snapshot || len(e.Knocks) != 10 {
		t.Errorf("a fresh watch begins with %+v", e)
	}
}

func TestAGuestWhoReadsSlowlyGetsTheLatest(t *testing.T) {
	h := newHouse(t, nil)
	guest := h.link()()
	w, err := h.WatchAsGuest(t.Context(), guest)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Unwatch()
	h.knock(guest, "Inês")
	if _, err := h.Deny(t.Context(), anne, h.id, h.knocks()[0].ID, "non"); err != nil {
		t.Fatal(err)
	}
	h.knocks() // who decided is answered first, the others are told before the next request
	if v := <-w.Views; v.Screen != meeting.ScreenDenied || v.Knock.Message != "non" || v.Knock.Identity != "" || v.Knock.Admission != "" {
		t.Errorf("view %+v", v)
	}
}

func TestHostKnowsOnlyWhatItsScreenHasShown(t *testing.T) {
	h := newHouse(t, nil)
	in := h.link()
	first, second := in(), in()
	h.knock(first, "Première")
	w, err := h.WatchAsHost(t.Context(), anne, h.id)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Unwatch()
	snapshot := <-w.Events
	h.knock(second, "Deuxième")
	knows := func(c meeting.Caller) bool {
		t.Helper()
		v, err := h.Look(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return v.HostKnows
	}
	if knows(first) || knows(second) {
		t.Error("a host knows before anything was shown")
	}
	if err := h.Seen(t.Context(), h.id, w, snapshot.Seq); err != nil {
		t.Fatal(err)
	}
	if !knows(first) || knows(second) {
		t.Errorf("after the snapshot: first %t, second %t; want true, false", knows(first), knows(second))
	}
	if _, err := h.Withdraw(t.Context(), first); err != nil {
		t.Fatal(err)
	}
}

func TestIdleMeetingsLeaveMemoryBusyOnesStay(t *testing.T) {
	h := newHouse(t, func(c *meeting.Config) { c.IdleMeetings = 2 })
	guest := h.link()()
	w, err := h.WatchAsGuest(t.Context(), guest)
	if err != nil {
		t.Fatal(err)
	}
	<-w.Views
	loads := h.store.loads.Load()
	for i := range 10 {
		m, err := h.Create(t.Context(), anne, meeting.Draft{Title: fmt.Sprint("Other ", i)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Get(t.Context(), anne, m.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.Look(t.Context(), guest); err != nil || h.store.loads.Load() != loads+10 {
		t.Errorf("a watched meeting was loaded again: %d loads, %v", h.store.loads.Load()-loads, err)
	}
	w.Unwatch()
	for range 3 { // unknown ones do not push known ones out
		if _, err := h.Get(t.Context(), anne, "unknown"); !errors.Is(err, meeting.ErrNotFound) {
			t.Errorf("unknown: %v", err)
		}
	}
}

// A watch that was refused because something else could not be stored would
// otherwise be nobody's, and keep its meeting in memory for ever.
func TestAWatchThatWasRefusedIsOver(t *testing.T) {
	now := new(clock) // the meeting reads it on, after it has answered
	h := newHouse(t, func(c *meeting.Config) {
		c.IdleMeetings = 1
		c.Now = now.now
	})
	in := h.link()
	early := in()
	h.knock(early, "Inês")
	now.pass(time.Minute)
	late := in()
	now.pass(lobby.SessionLife - time.Minute) // the early guest's waiting is over: there is something to store
	h.store.failSave.Store(true)
	if _, err := h.WatchAsHost(t.Context(), anne, h.id); !errors.Is(err, meeting.ErrUnavailable) {
		t.Errorf("watch as host: %v", err)
	}
	if _, err := h.WatchAsGuest(t.Context(), late); !errors.Is(err, meeting.ErrUnavailable) {
		t.Errorf("watch as guest: %v", err)
	}
	h.store.failSave.Store(false)
	if _, err := h.Look(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		m, err := h.Create(t.Context(), anne, meeting.Draft{Title: "Other"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Get(t.Context(), anne, m.ID); err != nil {
			t.Fatal(err)
		}
	}
	loads := h.store.loads.Load()
	if _, err := h.Look(t.Context(), late); err != nil || h.store.loads.Load() != loads+1 {
		t.Errorf("a meeting that nobody watches stayed in memory: %d loads, %v", h.store.loads.Load()-loads, err)
	}
}

func TestCloseAnswersWhoWaits(t *testing.T) {
	h := newHouse(t, nil)
	guest := h.link()()
	w, err := h.WatchAsGuest(t.Context(), guest)
	if err != nil {
		t.Fatal(err)
	}
	<-w.Views
	h.store.hold = make(chan struct{})
	knocked := make(chan error, 1)
	go func() {
		_, err := h.Knock(t.Context(), guest, meeting.Asking{Name: "Inês"})
		knocked <- err
	}()
	h.store.hold <- struct{}{} // the knock is being saved
	close(h.store.hold)
	h.Close()
	if err := <-knocked; err != nil && !errors.Is(err, meeting.ErrUnavailable) {
		t.Errorf("a knock while closing: %v", err)
	}
	if _, open := <-w.Views; open {
		if _, open = <-w.Views; open {
			t.Error("the watch is still open")
		}
	}
	if _, err := h.Look(t.Context(), guest); !errors.Is(err, meeting.ErrUnavailable) {
		t.Errorf("after Close: %v", err)
	}
	h.Joined(h.id, "p_x", "PA_x")
}

func (c *call) SetPermission(_, identity string, p *livekit.ParticipantPermission) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.allowed == nil {
		c.allowed = make(map[string]*livekit.ParticipantPermission)
	}
	c.allowed[identity] = p
	return true
}

// What was looked up for a join may be old when the participant is in: the change of its
// permissions found nobody yet.
func TestWhoJoinsMayDoWhatWasDecidedMeanwhile(t *testing.T) {
	h := newHouse(t, nil)
	guest := h.link()()
	h.knock(guest, "Inês")
	if _, err := h.Admit(t.Context(), anne, h.id, h.knocks()[0].ID, lobby.Everything()); err != nil {
		t.Fatal(err)
	}
	g, err := h.Claim(t.Context(), guest)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Permit(t.Context(), anne, h.id, g.Identity, lobby.Permissions{Chat: true}); err != nil {
		t.Fatal(err)
	}
	h.call.mu.Lock()
	h.call.allowed = nil // nobody was there
	h.call.mu.Unlock()
	h.Joined(h.id, g.Identity, "PA_1")
	h.settled()
	h.Close() // waits for what follows from it
	if p := h.call.allowed[g.Identity]; p == nil || p.CanPublish || p.CanPublishData {
		t.Errorf("allowed %v", p)
	}
}

// Whose link was revoked or issued anew learns nothing of the meeting any more.
func TestAVoidSessionIsNotToldWhoIsPresent(t *testing.T) {
	h := newHouse(t, nil)
	guest := h.link()()
	host, err := h.Join(t.Context(), anne, h.id)
	if err != nil {
		t.Fatal(err)
	}
	h.Joined(h.id, host.Identity, "PA_1")
	if v, err := h.Look(t.Context(), guest); err != nil || !v.HostPresent {
		t.Errorf("before: %+v, %v", v, err)
	}
	if _, err := h.RevokeLinks(t.Context(), anne, h.id); err != nil {
		t.Fatal(err)
	}
	if v, err := h.Look(t.Context(), guest); err != nil || v.HostPresent || v.Screen != meeting.ScreenRevoked {
		t.Errorf("after: %+v, %v", v, err)
	}
}
