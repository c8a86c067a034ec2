package lobby

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aparte/signaling/link"
	"aparte/signaling/throttle"
)

var start = time.Date(2027, 3, 2, 9, 0, 0, 0, time.UTC)

// modelGuest is what the model knows of a session: a few words instead of code.
type modelGuest struct {
	link     string
	enteredA time.Time
	status   Status // "" before the first knock
	place    int
	grant    string
	since    time.Time // of the last knock
	decided  bool      // by a host, since then
	again    float64   // tries to knock again that have not come back
	againAt  time.Time
}

// past: it ended before a host decided.
func (g *modelGuest) past() bool {
	return (g.status == Withdrawn || g.status == Expired) && !g.decided
}

type modelLink struct {
	personal bool
	cap      int
	uses     int
	bound    string
	revoked  bool
}

// TestLobbyAgainstAModel runs random guests and hosts against the lobby and a
// simple model side by side, and checks what must always hold after each step.
func TestLobbyAgainstAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := Limits{
			WaitingPerMeeting: 6, WaitingPerLink: 3, PlaceHeld: 90 * time.Minute,
			KnockAgain:          throttle.Rate{Every: 2 * time.Hour, Burst: 2},
			IdleSessionsPerLink: 5, PastKnocksPerLink: 4, KeepPast: 6 * time.Hour,
		}
		l := New("m", limits, State{})
		links := map[string]*modelLink{}
		guests := map[string]*modelGuest{}
		now, serial, place := start, 0, 0
		var sessions, linkIDs []string
		stored := State{} // what Changes say, as a store would keep it
		id := func(kind string) string { serial++; return fmt.Sprintf("%s%d", kind, serial) }
		persist := func() {
			c := l.Changes()
			for _, v := range c.Links {
				stored.Links = upsert(stored.Links, v, func(x link.Link) string { return x.ID })
			}
			for _, v := range c.Sessions {
				stored.Sessions = upsert(stored.Sessions, v, func(x Session) string { return x.ID })
			}
			for _, v := range c.Knocks {
				stored.Knocks = upsert(stored.Knocks, v, func(x Knock) string { return x.ID })
			}
			for _, gone := range c.Dropped {
				stored.Sessions = slices.DeleteFunc(stored.Sessions, func(s Session) bool { return s.ID == gone })
				sessions = slices.DeleteFunc(sessions, func(s string) bool { return s == gone })
				if g := guests[gone]; g == nil || g.status != "" && !g.past() {
					t.Fatalf("dropped %s: %+v", gone, g)
				}
				delete(guests, gone)
			}
			for _, gone := range c.DroppedKnocks {
				stored.Knocks = slices.DeleteFunc(stored.Knocks, func(k Knock) bool { return k.ID == gone })
			}
			if len(c.Knocks) > 0 && c.Empty() {
				t.Fatal("changes are empty")
			}
			for _, k := range stored.Knocks {
				if !slices.ContainsFunc(stored.Sessions, func(s Session) bool { return s.ID == k.Session }) {
					t.Fatalf("knock %s has lost its session", k.ID)
				}
			}
		}
		some := func(t *rapid.T, from []string) string {
			if len(from) == 0 {
				t.Skip("nobody yet")
			}
			return rapid.SampledFrom(from).Draw(t, "whom")
		}
		waiting := func() (n int) {
			for _, g := range guests {
				if g.status == Waiting {
					n++
				}
			}
			return n
		}
		placesTaken := func(by *modelGuest) (n int) {
			for _, g := range guests {
				if g.link == by.link && (g.status == Waiting || g != by && g.past() && now.Sub(g.since) < limits.PlaceHeld) {
					n++
				}
			}
			return n
		}
		knockID := func(session string) string { k, _ := l.KnockOf(session); return k.ID }
		host := Host{"a", "Anne"}

		t.Repeat(map[string]func(*rapid.T){
			"link": func(t *rapid.T) {
				v := link.Link{ID: id("l"), Meeting: "m", Kind: link.Shared, ExpiresAt: start.Add(1000 * time.Hour), CreatedAt: now}
				if rapid.Bool().Draw(t, "personal") {
					v.Kind, v.GuestName = link.Personal, "Inês"
				} else {
					v.MaxUses = rapid.IntRange(0, 3).Draw(t, "cap")
				}
				l.AddLink(v)
				links[v.ID] = &modelLink{personal: v.Kind == link.Personal, cap: v.MaxUses}
				linkIDs = append(linkIDs, v.ID)
			},
			"enter": func(t *rapid.T) {
				via, session := some(t, linkIDs), id("s")
				_, err := l.Enter(via, session, [32]byte{byte(serial), byte(serial >> 8)}, now)
				m := links[via]
				want := error(nil)
				switch {
				case m.revoked:
					want = link.ErrRevoked
				case m.personal && m.bound != "":
					want = link.ErrInUse
				case m.cap > 0 && m.uses >= m.cap:
					want = link.ErrFull
				}
				if !errors.Is(err, want) {
					t.Fatalf("enter: %v, want %v", err, want)
				}
				if err == nil {
					guests[session] = &modelGuest{link: via, enteredA: now}
					sessions = append(sessions, session)
				}
			},
			"knock": func(t *rapid.T) {
				s := some(t, sessions)
				g, m := guests[s], links[guests[s].link]
				_, err := l.Knock(s, id("k"), Asking{Name: "Inês"}, now)
				want, changes := error(nil), false
				var soon *TooSoonError
				tries := max(0, g.again-now.Sub(g.againAt).Hours()/limits.KnockAgain.Every.Hours())
				switch {
				case now.Sub(g.enteredA) >= SessionLife:
					want = ErrNoSession
				case m.revoked:
					want = link.ErrRevoked
				case g.status == Waiting || g.status == Admitted:
				case g.status == Denied:
					want = ErrDenied
				case m.personal && m.bound != "" && m.bound != s:
					want = link.ErrInUse
				case m.cap > 0 && m.uses >= m.cap && g.status == "":
					want = link.ErrFull
				case waiting() >= limits.WaitingPerMeeting || placesTaken(g) >= limits.WaitingPerLink:
					want = ErrCrowded
				case g.status != "" && tries+1 > float64(limits.KnockAgain.Burst):
					if !errors.As(err, &soon) || soon.Wait <= 0 || soon.Wait > limits.KnockAgain.Every {
						t.Fatalf("knock of a guest who rings all the time: %v", err)
					}
					return
				default:
					changes = true
				}
				if !errors.Is(err, want) {
					t.Fatalf("knock of a %q guest: %v, want %v", g.status, err, want)
				}
				if changes {
					if g.status == "" {
						m.uses++
						if m.personal {
							m.bound = s
						}
					} else {
						g.again, g.againAt = tries+1, now
					}
					place++
					g.status, g.place, g.since, g.decided = Waiting, place, now, false
				}
			},
			"admit": func(t *rapid.T) {
				s := some(t, sessions)
				g := guests[s]
				grant := id("g")
				k, err := l.Admit(knockID(s), host, Everything(), grant, id("p_"), now)
				switch {
				case g.status == "":
					expect(t, "admit", err, ErrNoKnock)
				case g.status == Waiting && !links[g.link].revoked:
					expect(t, "admit", err, nil)
					g.status, g.grant, g.decided = Admitted, grant, true
				case g.status == Admitted:
					expect(t, "admit", err, nil)
					if k.Admission != g.grant {
						t.Fatal("admitting twice changed the grant")
					}
				default:
					expect(t, "admit", err, ErrState)
				}
			},
			"deny": func(t *rapid.T) {
				s := some(t, sessions)
				g := guests[s]
				_, err := l.Deny(knockID(s), host, "non", now)
				switch g.status {
				case "":
					expect(t, "deny", err, ErrNoKnock)
				case Waiting:
					expect(t, "deny", err, nil)
					g.status, g.decided = Denied, true
				case Denied:
					expect(t, "deny", err, nil)
				default:
					expect(t, "deny", err, ErrState)
				}
			},
			"remove": func(t *rapid.T) {
				s := some(t, sessions)
				g := guests[s]
				k, _ := l.KnockOf(s)
				_, err := l.Remove(k.Identity, host, now)
				if g.status == Admitted {
					expect(t, "remove", err, nil)
					g.status, g.grant = Denied, ""
				} else if err == nil {
					t.Fatalf("removed a %q guest", g.status)
				}
			},
			"lift": func(t *rapid.T) {
				s := some(t, sessions)
				g := guests[s]
				_, err := l.Lift(knockID(s), host, now)
				switch g.status {
				case "":
					expect(t, "lift", err, ErrNoKnock)
				case Denied:
					expect(t, "lift", err, nil)
					g.status = Expired
				default:
					expect(t, "lift", err, ErrState)
				}
			},
			"withdraw": func(t *rapid.T) {
				s := some(t, sessions)
				g := guests[s]
				_, err := l.Withdraw(s, now)
				switch {
				case now.Sub(g.enteredA) >= SessionLife:
					expect(t, "withdraw", err, ErrNoSession)
				case g.status == Waiting || g.status == Withdrawn:
					expect(t, "withdraw", err, nil)
					g.status = Withdrawn
				default:
					expect(t, "withdraw", err, ErrState)
				}
			},
			"revoke": func(t *rapid.T) {
				via := some(t, linkIDs)
				_, out, err := l.Revoke(via, now)
				expect(t, "revoke", err, nil)
				in := 0
				for _, g := range guests {
					if g.link != via {
						continue
					}
					if g.status == Admitted {
						in++
					}
					if g.status == Admitted || g.status == Waiting {
						g.status, g.grant = Expired, ""
					}
				}
				if len(out) != in {
					t.Fatalf("revoking sends %d out, want %d", len(out), in)
				}
				links[via].revoked = true
			},
			"time": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(1, 10).Draw(t, "hours")) * time.Hour)
				l.Sweep(now)
				for _, g := range guests {
					if g.status == Waiting && now.Sub(g.enteredA) >= SessionLife {
						g.status = Expired
					}
				}
				for s, g := range guests {
					_, kept := l.sessions[s]
					long := now.Sub(g.enteredA)
					over := g.status == "" && long >= SessionLife || g.past() && long >= SessionLife+limits.KeepPast
					if kept == over {
						t.Fatalf("a %q guest after %s is kept: %t", g.status, long, kept)
					}
				}
			},
			"restart": func(*rapid.T) {
				persist()
				l = New("m", limits, stored)
				for _, g := range guests {
					g.again = 0
				}
			},
			"": func(t *rapid.T) {
				persist()
				grants := map[string]bool{}
				var order []string
				for s, g := range guests {
					k, ok := l.KnockOf(s)
					if ok != (g.status != "") || ok && k.Status != g.status {
						t.Fatalf("session %s is %q, the model says %q", s, k.Status, g.status)
					}
					_, alive := l.Admission(k.Admission)
					if alive != (g.status == Admitted) {
						t.Fatalf("a %q guest has a live grant: %t", g.status, alive)
					}
					if alive && (grants[k.Admission] || k.Admission != g.grant || k.Admission == k.Identity) {
						t.Fatalf("grant %s of %s", k.Admission, s)
					}
					grants[k.Admission] = true
				}
				for _, k := range l.Knocks() {
					if k.Status == Waiting {
						order = append(order, k.Session)
					}
				}
				if !slices.IsSortedFunc(order, func(a, b string) int { return guests[a].place - guests[b].place }) {
					t.Fatalf("who knocked first is not first: %v", order)
				}
				idle, past := map[string]int{}, map[string]int{}
				for s, g := range guests {
					switch {
					case g.status == "":
						idle[g.link]++
					case g.past() && links[g.link].bound != s:
						past[g.link]++
					}
				}
				for lid, m := range links {
					// Each place can be left once before somebody knocks anew.
					if idle[lid] > limits.IdleSessionsPerLink || past[lid] > limits.PastKnocksPerLink+limits.WaitingPerLink {
						t.Fatalf("link %s keeps %d idle sessions, %d past knocks", lid, idle[lid], past[lid])
					}
					v, _ := l.Link(lid)
					if v.Uses != m.uses || v.Session != m.bound || v.Revoked() != m.revoked {
						t.Fatalf("link %s is %+v, the model says %+v", lid, v, *m)
					}
				}
			},
		})
	})
}

func expect(t *rapid.T, what string, got, want error) {
	if !errors.Is(got, want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
}

func upsert[T any](all []T, v T, id func(T) string) []T {
	for i := range all {
		if id(all[i]) == id(v) {
			all[i] = v
			return all
		}
	}
	return append(all, v)
}

func TestNameCannotChangeBetweenLookAndPress(t *testing.T) {
	l := New("m", DefaultLimits(), State{})
	l.AddLink(link.Link{ID: "l", Meeting: "m", Kind: link.Shared, ExpiresAt: start.Add(time.Hour)})
	if _, err := l.Enter("l", "s", [32]byte{1}, start); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Knock("s", "k", Asking{Name: "Inês", Organisation: "MNE"}, start); err != nil {
		t.Fatal(err)
	}
	if k, err := l.Knock("s", "k2", Asking{Name: "Anne Bernard"}, start.Add(time.Second)); err != nil || k.Name != "Inês" || k.ID != "k" || !k.Since.Equal(start) {
		t.Errorf("knocking again made %+v, %v", k, err)
	}
}

func TestOpeningManyTimesIsBounded(t *testing.T) {
	limits := DefaultLimits()
	l := New("m", limits, State{})
	l.AddLink(link.Link{ID: "l", Meeting: "m", Kind: link.Shared, ExpiresAt: start.Add(time.Hour)})
	for i := range 1000 {
		s := fmt.Sprint(i)
		if _, err := l.Enter("l", s, [32]byte{byte(i), byte(i >> 8)}, start.Add(time.Duration(i))); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if _, err := l.Knock(s, "k", Asking{Name: "Inês"}, start); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := len(l.sessions); n != limits.IdleSessionsPerLink+1 {
		t.Errorf("%d sessions are kept, want %d and the one that knocked", n, limits.IdleSessionsPerLink)
	}
	if _, err := l.Session("0", start); err != nil {
		t.Error("the guest who waits lost the session")
	}
}

func TestThousandWaitNotMore(t *testing.T) {
	l := New("m", DefaultLimits(), State{})
	knocked := 0
	for i := range 60 {
		lid := fmt.Sprint("l", i)
		l.AddLink(link.Link{ID: lid, Meeting: "m", Kind: link.Shared, ExpiresAt: start.Add(time.Hour)})
		for j := range 25 {
			s := fmt.Sprint(lid, "-", j)
			if _, err := l.Enter(lid, s, [32]byte{byte(i), byte(j)}, start); err != nil {
				t.Fatal(err)
			}
			_, err := l.Knock(s, "k"+s, Asking{Name: "Inês"}, start)
			if err == nil {
				knocked++
			} else if !errors.Is(err, ErrCrowded) {
				t.Fatal(err)
			}
			if j >= 20 && err == nil {
				t.Fatalf("guest %d waits by one link", j+1)
			}
		}
	}
	if knocked != 1000 {
		t.Errorf("%d wait, want 1000", knocked)
	}
}

// One person who holds a shared link: opens, knocks, leaves, as fast as a
// computer can, for ten minutes.
func TestKnockingAndLeavingWithoutEndIsBounded(t *testing.T) {
	l := New("m", DefaultLimits(), State{})
	l.AddLink(link.Link{ID: "l", Meeting: "m", Kind: link.Shared, ExpiresAt: start.Add(2 * time.Hour)})
	rings, refused := 0, 0
	for i := range 600 * 5 {
		s, now := fmt.Sprint(i), start.Add(time.Duration(i)*time.Second/5)
		l.Sweep(now)
		if _, err := l.Enter("l", s, [32]byte{byte(i), byte(i >> 8)}, now); err != nil {
			t.Fatal(err)
		}
		switch _, err := l.Knock(s, "k"+s, Asking{Name: "Inês"}, now); {
		case err == nil:
			rings++
			if _, err := l.Withdraw(s, now); err != nil {
				t.Fatal(err)
			}
		case errors.Is(err, ErrCrowded):
			refused++
		default:
			t.Fatal(err)
		}
	}
	if rings > 11*20 || refused == 0 {
		t.Errorf("the hosts heard %d rings in ten minutes, want 20 a minute at most", rings)
	}
	if sessions, knocks := len(l.sessions), len(l.knocks); sessions > 250 || knocks > 50 || len(l.bySess) != knocks {
		t.Errorf("%d sessions and %d knocks are kept, %d by session", sessions, knocks, len(l.bySess))
	}
	// Who comes when it is over is let in to wait.
	now := start.Add(11 * time.Minute)
	if _, err := l.Enter("l", "late", [32]byte{1}, now); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Knock("late", "k", Asking{Name: "Luc"}, now.Add(time.Second)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// The same with one session: of a personal link, say.
func TestKnockingAgainAndAgainIsSlowed(t *testing.T) {
	l := New("m", DefaultLimits(), State{})
	l.AddLink(link.Link{ID: "l", Meeting: "m", Kind: link.Personal, GuestName: "Luc", ExpiresAt: start.Add(time.Hour)})
	if _, err := l.Enter("l", "s", [32]byte{1}, start); err != nil {
		t.Fatal(err)
	}
	rings, soon := 0, new(TooSoonError)
	for i := range 3 * 140 {
		now := start.Add(time.Duration(i) * time.Second / 140)
		switch _, err := l.Knock("s", "k", Asking{Name: "Luc"}, now); {
		case err == nil:
			rings++
			if _, err := l.Withdraw("s", now); err != nil {
				t.Fatal(err)
			}
		case !errors.As(err, &soon):
			t.Fatal(err)
		}
	}
	if rings != 3 { // the knock, and twice again
		t.Errorf("%d rings in 3 s, want 3", rings)
	}
	k, err := l.Knock("s", "k", Asking{Name: "Luc"}, start.Add(3*time.Second+soon.Wait))
	if err != nil || k.Status != Waiting {
		t.Errorf("after the wait: %+v, %v", k, err)
	}
}

// A personal link is bound to a session, which must not be dropped while it
// lives: the link would be bound to nobody and useless.
func TestThePersonalLinksSessionStays(t *testing.T) {
	l := New("m", DefaultLimits(), State{})
	l.AddLink(link.Link{ID: "l", Meeting: "m", Kind: link.Personal, GuestName: "Luc", ExpiresAt: start.Add(time.Hour)})
	for i := range 300 { // opened everywhere before the knock
		if _, err := l.Enter("l", fmt.Sprint(i), [32]byte{byte(i), byte(i >> 8)}, start.Add(time.Duration(i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Knock("299", "k", Asking{Name: "Luc"}, start); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Withdraw("299", start); err != nil {
		t.Fatal(err)
	}
	l.Sweep(start.Add(SessionLife - 1))
	if _, err := l.Session("299", start.Add(SessionLife-1)); err != nil {
		t.Errorf("the session the link is bound to: %v", err)
	}
	l.Sweep(start.Add(SessionLife + 6*time.Hour + time.Minute))
	if len(l.sessions) != 0 || len(l.knocks) != 0 {
		t.Errorf("%d sessions, %d knocks are kept for ever", len(l.sessions), len(l.knocks))
	}
}
