package lobby

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"flag"
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
	issue    int    // of the link
	key      byte   // of the browser; 0: none
	passed   bool   // the PIN
	status   Status // "" before the first knock
	place    int
	grant    string
	since    time.Time // of the last knock
	decided  bool      // by a host, since then
	banned   bool
	back     bool // sent back from the call
	identity string
	may      Permissions
	until    time.Time // end of the session
	said     []string  // the latest of the thread
	written  int64     // in all
	patience float64   // replies that have not come back
	repliedA time.Time
	again    float64 // tries to knock again that have not come back
	againAt  time.Time
}

// past: it ended before a host decided.
func (g *modelGuest) past() bool {
	return (g.status == Withdrawn || g.status == Expired) && !g.decided
}

// modelAgent is what the model knows of an agent's knock.
type modelAgent struct {
	status    Status
	place     int
	since     time.Time
	until     time.Time // end of waiting
	banned    bool
	back      bool
	untilLeft bool
	may       Permissions
	said      []string
	written   int64
	again     float64
	againAt   time.Time
	patience  float64
	repliedA  time.Time
}

type modelLink struct {
	personal bool
	cap      int
	uses     int
	bound    string
	boundKey byte
	issue    int
	pin      bool
	revoked  bool
}

// refuses is why a link does not let somebody in, besides a ban.
func (m *modelLink) refuses(session string, key byte, known bool) error {
	switch {
	case m.revoked:
		return link.ErrRevoked
	case m.personal && m.bound != "" && m.bound != session && (m.boundKey == 0 || m.boundKey != key):
		return link.ErrInUse
	case m.cap > 0 && m.uses >= m.cap && !known:
		return link.ErrFull
	}
	return nil
}

func publicKey(key byte) (k link.PublicKey) {
	if key != 0 {
		k[0], k[1] = 4, key
	}
	return k
}

// The proof of the PIN that links have in the model, a wrong one, and the hash.
var (
	rightPIN = base64.RawURLEncoding.EncodeToString([]byte("right"))
	wrongPIN = base64.RawURLEncoding.EncodeToString([]byte("wrong"))
	pinHash  = sha256.Sum256([]byte("right"))
)

// TestLobbyAgainstAModel runs random guests and hosts against the lobby and a
// simple model side by side, and checks what must always hold after each step.
func TestLobbyAgainstAModel(t *testing.T) {
	// 100 are too few for what takes four acts in a row to go wrong; 3,000 take some seconds.
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		if err := checks.Value.Set("3000"); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		limits := Limits{
			WaitingPerMeeting: 6, WaitingPerLink: 3, PlaceHeld: 90 * time.Minute,
			KnockAgain:          throttle.Rate{Every: 2 * time.Hour, Burst: 2},
			IdleSessionsPerLink: 5, PastKnocksPerLink: 4, KeepPast: 6 * time.Hour,
			ThreadLength: 3, Replies: throttle.Rate{Every: 2 * time.Hour, Burst: 2},
			HostMessages: throttle.Rate{Every: time.Millisecond, Burst: 1000},
		}
		clock := start // of the guesses, each of which comes from a source of its own
		limits.Guesses = link.NewGuesses(func() time.Time { return clock })
		l := New("m", limits, State{})
		links := map[string]*modelLink{}
		guests := map[string]*modelGuest{}
		agents := map[string]*modelAgent{"marc": {}, "luc": {}, "zoé": {}}
		accounts := []string{"marc", "luc", "zoé"}
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
				stored.Messages = slices.DeleteFunc(stored.Messages, func(m Message) bool { return m.Knock == gone })
			}
			stored.Messages = append(stored.Messages, c.Messages...)
			for _, gone := range c.DroppedMessages {
				stored.Messages = slices.DeleteFunc(stored.Messages, func(m Message) bool { return MessageID{m.Knock, m.Seq} == gone })
			}
			if len(c.Knocks) > 0 && c.Empty() {
				t.Fatal("changes are empty")
			}
			for _, k := range stored.Knocks {
				if !k.OfAgent() && !slices.ContainsFunc(stored.Sessions, func(s Session) bool { return s.ID == k.Session }) {
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
		// same says whether two sessions are known to be one person: by a personal
		// link, or by the browser's key.
		same := func(a, b *modelGuest) bool {
			return a.link == b.link && links[a.link].personal || a.key != 0 && a.key == b.key
		}
		// behind is the guest who has knocked by a link, as it is now, with a key.
		behind := func(via string, key byte) (string, *modelGuest) {
			for s, g := range guests {
				if key != 0 && g.key == key && g.link == via && g.issue == links[via].issue && g.status != "" {
					return s, g
				}
			}
			return "", nil
		}
		// keptOut is why somebody may not ask to enter.
		keptOut := func(who *modelGuest) (why error) {
			for _, g := range guests {
				switch {
				case g.banned && (g == who || same(who, g)):
					return ErrBanned
				case g.status == Denied && (g == who || who.key != 0 && g.key == who.key):
					why = ErrDenied
				}
			}
			return why
		}
		say := func(g *modelGuest, text string) {
			g.written++
			g.said = append(g.said, text)
			g.said = g.said[max(0, len(g.said)-limits.ThreadLength):]
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
				pin := rapid.Bool().Draw(t, "pin")
				if pin {
					v.PINHash = pinHash
				}
				l.AddLink(v)
				links[v.ID] = &modelLink{personal: v.Kind == link.Personal, cap: v.MaxUses, pin: pin}
				linkIDs = append(linkIDs, v.ID)
			},
			"enter": func(t *rapid.T) {
				via, session := some(t, linkIDs), id("s")
				fresh := &modelGuest{link: via, issue: links[via].issue, until: now.Add(SessionLife)}
				_, err := l.Enter(via, session, [32]byte{byte(serial), byte(serial >> 8)}, now)
				want := links[via].refuses(session, 0, false)
				if out := keptOut(fresh); out != nil && !links[via].revoked {
					want = out
				}
				if !errors.Is(err, want) {
					t.Fatalf("enter: %v, want %v", err, want)
				}
				if err == nil {
					guests[session] = fresh
					sessions = append(sessions, session)
				}
			},
			"return": func(t *rapid.T) {
				via, session := some(t, linkIDs), id("s")
				key := rapid.SampledFrom([]byte{1, 1, 1, 2}).Draw(t, "key")
				m := links[via]
				got, err := l.Return(via, publicKey(key), session, [32]byte{byte(serial), byte(serial >> 8)}, now)
				s, g := behind(via, key)
				if g != nil { // back to where this browser was, whatever has become of it
					want := error(nil)
					if m.revoked {
						want = link.ErrRevoked
					}
					expect(t, "return", err, want)
					if err == nil {
						if got.ID != s {
							t.Fatalf("the browser of %s comes back as %s", s, got.ID)
						}
						g.until = now.Add(SessionLife)
					}
					return
				}
				fresh := &modelGuest{link: via, issue: m.issue, key: key, until: now.Add(SessionLife)}
				want := m.refuses(session, key, false)
				if out := keptOut(fresh); errors.Is(out, ErrBanned) && !m.revoked {
					want = out
				}
				if !errors.Is(err, want) {
					t.Fatalf("return: %v, want %v", err, want)
				}
				if err == nil {
					guests[session] = fresh
					sessions = append(sessions, session)
				}
			},
			"issue anew": func(t *rapid.T) {
				via := some(t, linkIDs)
				m := links[via]
				code, pin := sha256.Sum256([]byte(id("code"))), ""
				if m.pin {
					pin = base64.RawURLEncoding.EncodeToString(pinHash[:])
				}
				_, out, err := l.Reissue(via, base64.RawURLEncoding.EncodeToString(code[:]), pin, now.Add(1000*time.Hour), now)
				if m.revoked {
					expect(t, "issue anew", err, link.ErrRevoked)
					return
				}
				expect(t, "issue anew", err, nil)
				in := 0
				for _, g := range guests {
					if g.link == via && (g.status == Admitted || g.status == Waiting) {
						if g.status == Admitted {
							in++
						}
						g.status, g.grant = Expired, ""
					}
				}
				if len(out) != in {
					t.Fatalf("issuing anew sends %d out, want %d", len(out), in)
				}
				m.issue++
				m.uses, m.bound, m.boundKey = 0, "", 0
			},
			"set PIN": func(t *rapid.T) {
				via, hash := some(t, linkIDs), ""
				if rapid.Bool().Draw(t, "pin") {
					hash = base64.RawURLEncoding.EncodeToString(pinHash[:])
				}
				_, err := l.SetPIN(via, hash)
				if links[via].revoked {
					expect(t, "set PIN", err, link.ErrRevoked)
					return
				}
				expect(t, "set PIN", err, nil)
				links[via].pin = hash != ""
			},
			"knock": func(t *rapid.T) {
				s := some(t, sessions)
				tab := s
				g, m := guests[s], links[guests[s].link]
				over, void := !now.Before(g.until), m.revoked || g.issue != m.issue
				key := rapid.SampledFrom([]byte{1, 1, 1, 0, 2}).Draw(t, "key")
				pin := rapid.SampledFrom([]string{"", wrongPIN, rightPIN, rightPIN}).Draw(t, "PIN")
				_, err := l.Knock(s, id("k"), Asking{Name: "Inês", Key: publicKey(key), PIN: pin, Source: id("source")}, now)
				mixed := g.status == "" && g.key != 0 && key != 0 && key != g.key
				who := *g // as the proof says
				if g.status == "" && !mixed {
					who.key = max(g.key, key)
					if before, known := behind(g.link, who.key); known != nil && !void && !over {
						s, g, who = before, known, *known
					}
				}
				out := keptOut(g)
				if s == tab && g.status == "" {
					out = keptOut(&who)
				}
				var guessed *link.PINError
				want, changes := error(nil), false
				var soon *TooSoonError
				tries := max(0, g.again-now.Sub(g.againAt).Hours()/limits.KnockAgain.Every.Hours())
				switch {
				case over:
					want = ErrNoSession
				case void:
					want = link.ErrRevoked
				case mixed:
					want = link.ErrProof
				case out != nil:
					want = out
				case g.status == Waiting || g.status == Admitted:
				case m.refuses(s, who.key, g.status != "") != nil:
					want = m.refuses(s, who.key, g.status != "")
				case waiting() >= limits.WaitingPerMeeting || placesTaken(g) >= limits.WaitingPerLink:
					want = ErrCrowded
				case m.pin && !g.passed && pin == "":
					want = link.ErrPINRequired
				case m.pin && !g.passed && pin == wrongPIN:
					if !errors.As(err, &guessed) || guessed.TriesLeft != 4 {
						t.Fatalf("knock with a wrong PIN: %v", err)
					}
					return
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
				if err == nil && s != tab { // one more tab of the guest
					if _, err := l.Session(tab, now); !errors.Is(err, ErrNoSession) {
						t.Fatalf("the tab has still a session of its own: %v", err)
					}
					g.until = now.Add(SessionLife)
				}
				if changes {
					g.passed = g.passed || m.pin
					if g.status == "" {
						g.key = who.key
						m.uses++
						if m.personal {
							m.bound, m.boundKey = s, g.key
						}
					} else {
						g.again, g.againAt = tries+1, now
					}
					place++
					g.status, g.place, g.since, g.decided = Waiting, place, now, false
					g.identity, g.back = "", false
				}
			},
			"admit": func(t *rapid.T) {
				s := some(t, sessions)
				g := guests[s]
				grant, identity := id("g"), id("p_")
				may := Permissions{Speak: rapid.Bool().Draw(t, "speak"), Chat: rapid.Bool().Draw(t, "chat")}
				k, err := l.Admit(knockID(s), host, may, grant, identity, now)
				switch {
				case g.status == "":
					expect(t, "admit", err, ErrNoKnock)
				case g.status == Waiting && !links[g.link].revoked:
					expect(t, "admit", err, nil)
					g.status, g.grant, g.decided, g.back, g.may = Admitted, grant, true, false, may
					if g.identity == "" {
						g.identity = identity
					}
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
					g.status, g.decided, g.back = Denied, true, false
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
					g.status, g.banned = Expired, false
				default:
					expect(t, "lift", err, ErrState)
				}
			},
			"send back": func(t *rapid.T) {
				s := some(t, sessions)
				g := guests[s]
				k, _ := l.KnockOf(s)
				_, err := l.SendBack(k.Identity, now)
				switch {
				case g.status == Admitted:
					expect(t, "send back", err, nil)
					g.status, g.grant, g.since, g.decided, g.back = Waiting, "", now, false, true
				case err == nil:
					t.Fatalf("sent a %q guest back", g.status)
				}
			},
			"permit": func(t *rapid.T) {
				s := some(t, sessions)
				g := guests[s]
				k, _ := l.KnockOf(s)
				may := Permissions{Camera: rapid.Bool().Draw(t, "camera"), Share: rapid.Bool().Draw(t, "share")}
				_, err := l.Permit(k.Identity, may)
				switch {
				case g.status == Admitted:
					expect(t, "permit", err, nil)
					g.may = may
				case err == nil:
					t.Fatalf("permitted a %q guest", g.status)
				}
			},
			"ban": func(t *rapid.T) {
				s := some(t, sessions)
				g := guests[s]
				_, out, err := l.Ban(knockID(s), host, "", now)
				if g.status == "" {
					expect(t, "ban", err, ErrNoKnock)
					return
				}
				expect(t, "ban", err, nil)
				var left []string
				if g.status == Admitted {
					left = append(left, g.identity)
				}
				if !g.banned {
					for _, other := range guests {
						if other == g || !same(g, other) || other.status != Waiting && other.status != Admitted {
							continue
						}
						if other.status == Admitted {
							left = append(left, other.identity)
						}
						other.status, other.grant, other.decided, other.back = Expired, "", true, false
					}
				}
				g.status, g.grant, g.banned, g.decided, g.back = Denied, "", true, true, false
				slices.Sort(left)
				slices.Sort(out)
				if !slices.Equal(left, out) {
					t.Fatalf("a ban sends %v out, want %v", out, left)
				}
			},
			"write": func(t *rapid.T) {
				s, text := some(t, sessions), id("text")
				g := guests[s]
				_, err := l.Write(knockID(s), host, text, now)
				switch g.status {
				case "":
					expect(t, "write", err, ErrNoKnock)
				case Waiting:
					expect(t, "write", err, nil)
					say(g, text)
				default:
					expect(t, "write", err, ErrState)
				}
			},
			"write to all": func(t *rapid.T) {
				text := id("text")
				told, err := l.WriteAll(host, text, now)
				expect(t, "write to all", err, nil)
				want := waiting()
				for _, a := range agents {
					if a.status == Waiting {
						want++
						a.written++
						a.said = append(a.said, text)
						a.said = a.said[max(0, len(a.said)-limits.ThreadLength):]
					}
				}
				if len(told) != want {
					t.Fatalf("%d were written to, want %d", len(told), want)
				}
				for _, g := range guests {
					if g.status == Waiting {
						say(g, text)
					}
				}
			},
			"reply": func(t *rapid.T) {
				s, text := some(t, sessions), id("text")
				g := guests[s]
				_, err := l.Reply(s, text, now)
				tries := max(0, g.patience-now.Sub(g.repliedA).Hours()/limits.Replies.Every.Hours())
				var often *TooManyMessagesError
				switch {
				case !now.Before(g.until):
					expect(t, "reply", err, ErrNoSession)
				case g.status != Waiting:
					expect(t, "reply", err, ErrState)
				case g.written == 0:
					expect(t, "reply", err, ErrNothingSaid)
				case tries+1 > float64(limits.Replies.Burst):
					if !errors.As(err, &often) || often.Wait <= 0 {
						t.Fatalf("a flood of replies: %v", err)
					}
				default:
					expect(t, "reply", err, nil)
					g.patience, g.repliedA = tries+1, now
					say(g, text)
				}
			},
			"agent knocks": func(t *rapid.T) {
				account := some(t, accounts)
				a := agents[account]
				k, err := l.KnockAsAgent(Agent{account, account}, id("k"), now)
				var soon *TooSoonError
				tries := max(0, a.again-now.Sub(a.againAt).Hours()/limits.KnockAgain.Every.Hours())
				switch {
				case a.banned:
					expect(t, "agent knocks", err, ErrBanned)
				case a.status == Denied:
					expect(t, "agent knocks", err, ErrDenied)
				case a.status == Waiting || a.status == Admitted:
					expect(t, "agent knocks", err, nil)
				case a.status != "" && tries+1 > float64(limits.KnockAgain.Burst):
					if !errors.As(err, &soon) || soon.Wait <= 0 {
						t.Fatalf("knock of an agent who rings all the time: %v", err)
					}
				default:
					expect(t, "agent knocks", err, nil)
					if a.status != "" {
						a.again, a.againAt = tries+1, now
					}
					place++
					a.status, a.place, a.since, a.until, a.back = Waiting, place, now, now.Add(SessionLife), false
					if k.Account != account || k.Session != "" || k.NameSuspicious(link.Link{}) {
						t.Fatalf("the knock is %+v", k)
					}
				}
			},
			"host on agent": func(t *rapid.T) {
				account := some(t, accounts)
				a := agents[account]
				k, _ := l.KnockOfAgent(account)
				what := rapid.SampledFrom([]string{"admit", "admit", "deny", "lift", "ban", "send back", "remove", "write"}).Draw(t, "what")
				may := Permissions{Speak: rapid.Bool().Draw(t, "speak"), Chat: rapid.Bool().Draw(t, "chat")}
				var err error
				ok := false // whether it is possible
				switch what {
				case "admit":
					_, err = l.Admit(k.ID, host, may, id("g"), id("p_"), now)
					if ok = a.status == Waiting; ok {
						a.status, a.may, a.back = Admitted, may, false
					}
					ok = ok || a.status == Admitted
				case "deny":
					_, err = l.Deny(k.ID, host, "non", now)
					if ok = a.status == Waiting || a.status == Denied; ok {
						a.status, a.back = Denied, false
					}
				case "lift":
					_, err = l.Lift(k.ID, host, now)
					if ok = a.status == Denied; ok {
						a.status, a.banned = Expired, false
					}
				case "ban":
					var out []string
					_, out, err = l.Ban(k.ID, host, "", now)
					if ok = a.status != ""; ok {
						a.status, a.banned, a.back, a.untilLeft = Denied, true, false, false
					}
					if len(out) > 0 {
						t.Fatalf("the ban of an agent sends guests out: %v", out)
					}
				case "send back":
					_, err = l.SendBackAgent(account, now)
					if ok = a.status == Admitted; ok {
						a.status, a.back, a.since, a.until, a.untilLeft = Waiting, true, now, now.Add(SessionLife), false
					}
				case "remove":
					_, err = l.RemoveAgent(account, host, now)
					if ok = a.status == Admitted; ok {
						a.status, a.untilLeft = Expired, false
					}
				case "write":
					text := id("text")
					_, err = l.Write(k.ID, host, text, now)
					if ok = a.status == Waiting; ok {
						a.written++
						a.said = append(a.said, text)
						a.said = a.said[max(0, len(a.said)-limits.ThreadLength):]
					}
				}
				if ok != (err == nil) || err != nil && !errors.Is(err, ErrState) && !errors.Is(err, ErrNoKnock) {
					t.Fatalf("%s on a %q agent: %v", what, a.status, err)
				}
			},
			"agent acts": func(t *rapid.T) {
				account := some(t, accounts)
				a := agents[account]
				switch rapid.SampledFrom([]string{"withdraw", "reply", "renew", "stays", "leaves", "spared", "hosts"}).Draw(t, "what") {
				case "withdraw":
					_, err := l.WithdrawAgent(account)
					if a.status == Waiting || a.status == Withdrawn {
						expect(t, "withdraw", err, nil)
						a.status, a.back = Withdrawn, false
					} else {
						expect(t, "withdraw", err, ErrState)
					}
				case "reply":
					text := id("text")
					_, err := l.ReplyAsAgent(account, text, now)
					tries := max(0, a.patience-now.Sub(a.repliedA).Hours()/limits.Replies.Every.Hours())
					_, often := errors.AsType[*TooManyMessagesError](err)
					switch {
					case a.status != Waiting:
						expect(t, "reply", err, ErrState)
					case a.written == 0:
						expect(t, "reply", err, ErrNothingSaid)
					case tries+1 > float64(limits.Replies.Burst):
						if !often {
							t.Fatalf("a flood of replies: %v", err)
						}
					default:
						expect(t, "reply", err, nil)
						a.patience, a.repliedA = tries+1, now
						a.written++
						a.said = append(a.said, text)
						a.said = a.said[max(0, len(a.said)-limits.ThreadLength):]
					}
				case "renew":
					l.RenewAgent(account, now)
					if a.status == Waiting && a.until.Sub(now) <= SessionLife/2 {
						a.until = now.Add(SessionLife)
					}
				case "stays":
					l.LetStay(Agent{account, account}, id("k"), now)
					if a.status != Admitted && a.status != Denied {
						place++
						a.status, a.place, a.since, a.until, a.may, a.untilLeft, a.back = Admitted, place, now, now.Add(SessionLife), Everything(), true, false
					}
				case "leaves":
					l.AgentLeft(account)
					if a.status == Admitted && a.untilLeft {
						a.status, a.untilLeft = Expired, false
					}
				case "spared", "hosts":
					hosts := rapid.Bool().Draw(t, "hosts")
					l.Spare(account, hosts)
					if a.status == Waiting || a.status == Admitted || a.status == Denied && hosts {
						a.status, a.banned, a.back, a.untilLeft = Expired, false, false, false
					}
				}
			},
			"stay": func(t *rapid.T) {
				s := some(t, sessions)
				g := guests[s]
				l.Renew(s, now)
				if now.Before(g.until) && (g.status == Waiting || g.status == Admitted) && g.until.Sub(now) <= SessionLife/2 {
					g.until = now.Add(SessionLife)
				}
			},
			"withdraw": func(t *rapid.T) {
				s := some(t, sessions)
				g := guests[s]
				_, err := l.Withdraw(s, now)
				switch {
				case !now.Before(g.until):
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
					if g.status == Waiting && !now.Before(g.until) {
						g.status = Expired
					}
				}
				for _, a := range agents {
					if a.status == Waiting && !now.Before(a.until) {
						a.status, a.back = Expired, false
					}
				}
				for s, g := range guests {
					_, kept := l.sessions[s]
					past := now.Sub(g.until)
					over := g.status == "" && past >= 0 || g.past() && past >= limits.KeepPast
					if kept == over {
						t.Fatalf("a %q guest %s after the end is kept: %t", g.status, past, kept)
					}
				}
			},
			"restart": func(*rapid.T) {
				persist()
				l = New("m", limits, stored)
				for _, g := range guests {
					g.again, g.patience = 0, 0
				}
				for _, a := range agents {
					a.again, a.patience = 0, 0
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
					if alive && (k.Permissions != g.may || k.Identity != g.identity) {
						t.Fatalf("%s came in as %s with %+v, want %s with %+v", s, k.Identity, k.Permissions, g.identity, g.may)
					}
					if ok && (k.Banned() != g.banned || k.SentBackAt.IsZero() == (g.back && g.status == Waiting) || !k.Since.Equal(g.since)) {
						t.Fatalf("session %s is %+v, the model says %+v", s, k, *g)
					}
					var said []string
					if thread := l.Thread(k.ID); thread != nil {
						for i, m := range thread.Messages {
							said = append(said, m.Text)
							if want := g.written - int64(len(thread.Messages)-1-i); m.Seq != want {
								t.Fatalf("message %q is number %d, want %d", m.Text, m.Seq, want)
							}
						}
					}
					if !slices.Equal(said, g.said) {
						t.Fatalf("the thread of %s is %q, the model says %q", s, said, g.said)
					}
					if kept := l.sessions[s]; kept.PublicKey != publicKey(g.key) || kept.PINPassed != g.passed || kept.Issue != g.issue || l.Void(kept) != (links[g.link].revoked || g.issue != links[g.link].issue) {
						t.Fatalf("session %s is %+v, the model says %+v", s, kept, *g)
					}
					if kept := l.sessions[s]; !kept.ExpiresAt.Equal(g.until) {
						t.Fatalf("session %s lives until %s, want %s", s, kept.ExpiresAt, g.until)
					}
					if got := l.KeptOut(l.sessions[s]); !errors.Is(got, keptOut(g)) || (got == nil) != (keptOut(g) == nil) {
						t.Fatalf("a %q guest is kept out: %v, the model says %v", g.status, got, keptOut(g))
					}
				}
				for account, a := range agents {
					k, ok := l.KnockOfAgent(account)
					if ok != (a.status != "") || ok && (k.Status != a.status || k.Banned() != a.banned || k.UntilLeft != a.untilLeft || !k.Since.Equal(a.since) || k.SentBackAt.IsZero() == (a.back && a.status == Waiting)) {
						t.Fatalf("%s is %+v, the model says %+v", account, k, *a)
					}
					in, admitted := l.AdmissionOf(account)
					if admitted != (a.status == Admitted) || admitted && in.Permissions != a.may {
						t.Fatalf("%s is admitted: %t with %+v, the model says %+v", account, admitted, in.Permissions, *a)
					}
					if k.Admission != "" || k.Identity != "" {
						t.Fatalf("the knock of an agent is a grant: %+v", k)
					}
					var said []string
					if thread := l.Thread(k.ID); thread != nil {
						for _, m := range thread.Messages {
							said = append(said, m.Text)
						}
					}
					if !slices.Equal(said, a.said) {
						t.Fatalf("the thread of %s is %q, the model says %q", account, said, a.said)
					}
				}
				for _, k := range l.Knocks() {
					if k.Status == Waiting {
						order = append(order, k.Who())
					}
				}
				placeOf := func(who string) int {
					if a := agents[who]; a != nil {
						return a.place
					}
					return guests[who].place
				}
				if !slices.IsSortedFunc(order, func(a, b string) int { return placeOf(a) - placeOf(b) }) {
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
					if v.Uses != m.uses || v.Session != m.bound || v.Key != publicKey(m.boundKey).Thumbprint() || v.Issue != m.issue || v.HasPIN() != m.pin || v.Revoked() != m.revoked {
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
	if sessions, knocks := len(l.sessions), len(l.knocks); sessions > 250 || knocks > 50 || len(l.byWho) != knocks {
		t.Errorf("%d sessions and %d knocks are kept, %d by session", sessions, knocks, len(l.byWho))
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

// Two tabs of one browser by a shared link, known by its key, and somebody else.
func TestABanHoldsForTheBrowsersKey(t *testing.T) {
	l := New("m", DefaultLimits(), State{})
	l.AddLink(link.Link{ID: "l", Meeting: "m", Kind: link.Shared, ExpiresAt: start.Add(time.Hour)})
	key, otherKey := link.PublicKey{4, 1}, link.PublicKey{4, 2}
	ask := func(session string, key link.PublicKey) (Knock, error) {
		return l.Knock(session, "k "+session, Asking{Name: "Karim", Key: key}, start)
	}
	for i, session := range []string{"one", "open", "other"} {
		if _, err := l.Enter("l", session, [32]byte{byte(i)}, start); err != nil {
			t.Fatal(err)
		}
	}
	k, err := ask("one", key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask("other", otherKey); err != nil {
		t.Fatal(err)
	}
	host := Host{"a", "Anne"}
	if _, err := l.Admit(k.ID, host, Everything(), "g", "p_1", start); err != nil {
		t.Fatal(err)
	}
	if s, _ := l.Session("one", start); l.Recognition(s) != ByBrowser {
		t.Errorf("known by %s", l.Recognition(s))
	}
	_, out, err := l.Ban(k.ID, host, "", start)
	if err != nil || !slices.Equal(out, []string{"p_1"}) {
		t.Errorf("the ban sends %v out, %v", out, err)
	}
	if _, err := ask("open", key); !errors.Is(err, ErrBanned) {
		t.Errorf("the browser's other tab: %v", err)
	}
	if k, ok := l.KnockOf("other"); !ok || k.Status != Waiting {
		t.Errorf("somebody else is %s", k.Status)
	}
	if _, ok := l.Admission("g"); ok {
		t.Error("the admission lives")
	}
	if s, err := l.Return("l", key, "again", [32]byte{9}, start); err != nil || s.ID != "one" || !errors.Is(l.KeptOut(s), ErrBanned) {
		t.Errorf("the browser comes back as %s, %v", s.ID, err)
	}
	if _, err := l.Lift(k.ID, host, start); err != nil {
		t.Fatal(err)
	}
	if k, err := ask("one", key); err != nil || k.Status != Waiting || k.Banned() {
		t.Errorf("lifted: %+v, %v", k, err)
	}
}
