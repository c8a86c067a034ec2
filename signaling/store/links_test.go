package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/meeting"
)

// meetingWithLink saves a meeting with one shared link and returns both.
func meetingWithLink(t *testing.T, s *Store) (meeting.Meeting, link.Link) {
	t.Helper()
	a, err := addHost(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	m := meeting.Meeting{ID: "m", Post: dakar.ID, State: meeting.Open, Organiser: meeting.Person{Account: a.ID}, CreatedAt: start}
	l := link.Link{ID: "l", Meeting: "m", Kind: link.Shared, ExpiresAt: start, CreatedAt: start}
	saveAll(t, s, meeting.Changes{Meeting: &m, Lobby: lobby.Changes{Links: []link.Link{l}}})
	return m, l
}

func saveAll(t *testing.T, s *Store, c meeting.Changes) {
	t.Helper()
	if err := s.SaveMeeting(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func TestWhatChangesOfALinkIsKept(t *testing.T) {
	s := open(t, t.TempDir())
	_, l := meetingWithLink(t, s)
	for _, next := range []link.Link{
		{Uses: 2, ExpiresAt: start.Add(time.Hour), CodeHash: link.CodeHash{5}, Session: "s", Key: "k", PINHash: link.PINHash{7}, OpenedAt: start, Issue: 1, IssuedAt: start},
		{ExpiresAt: start.Add(time.Minute), RevokedAt: start.Add(time.Second), Issue: 2, IssuedAt: start.Add(time.Second)},
	} {
		next.ID, next.Meeting, next.Kind, next.CreatedAt = l.ID, l.Meeting, l.Kind, l.CreatedAt
		saveAll(t, s, meeting.Changes{Lobby: lobby.Changes{Links: []link.Link{next}}})
		if got, err := s.GuestLink(t.Context(), l.ID); err != nil || got != next {
			t.Errorf("came back as %+v, %v, want %+v", got, err, next)
		}
	}
}

// Tabs of a browser are one session, and the newest of them are known.
func TestTokensOfASession(t *testing.T) {
	s := open(t, t.TempDir())
	meetingWithLink(t, s)
	session := lobby.Session{ID: "s", Meeting: "m", Link: "l", TokenHash: [32]byte{1}, CreatedAt: start, ExpiresAt: start.Add(time.Hour)}
	saveAll(t, s, meeting.Changes{Lobby: lobby.Changes{Sessions: []lobby.Session{session}}})
	for i := range maxTokens + 2 {
		session.ExpiresAt = session.ExpiresAt.Add(time.Hour)
		session.PublicKey = link.PublicKey{4}
		saveAll(t, s, meeting.Changes{Lobby: lobby.Changes{
			Sessions: []lobby.Session{session},
			Tokens:   []lobby.Token{{Hash: [32]byte{100, byte(i)}, Session: "s", CreatedAt: start.Add(time.Duration(i) * time.Second)}},
		}})
	}
	for i := range maxTokens + 2 {
		got, err := s.LobbySession(t.Context(), [32]byte{100, byte(i)})
		if i < 2 && !errors.Is(err, lobby.ErrNoSession) || i >= 2 && (err != nil || got != session) {
			t.Errorf("token %d: %+v, %v", i, got, err)
		}
	}
	if got, err := s.LobbySession(t.Context(), [32]byte{1}); err != nil || got != session {
		t.Errorf("the first token: %+v, %v", got, err)
	}
	saveAll(t, s, meeting.Changes{Lobby: lobby.Changes{Dropped: []string{"s"}}})
	if _, err := s.LobbySession(t.Context(), [32]byte{100, 9}); !errors.Is(err, lobby.ErrNoSession) {
		t.Errorf("a token outlives its session: %v", err)
	}
}

func TestTheLogOfALinkOutlivesItsGuests(t *testing.T) {
	s := open(t, t.TempDir())
	meetingWithLink(t, s)
	first := lobby.Use{
		Session: "s", Meeting: "m", Link: "l", Issue: 1, OpenedAt: start, KnockedAt: start.Add(time.Minute), Name: "Inês", Organisation: "MNE",
		Status: lobby.Waiting, Bound: true, PINPassed: true,
	}
	saveAll(t, s, meeting.Changes{Lobby: lobby.Changes{Uses: []lobby.Use{first}}})
	first.Status, first.DecidedAt, first.DecidedByName, first.RemovedAt = lobby.Denied, start.Add(2*time.Minute), "Anne", start.Add(3*time.Minute)
	again := first
	again.KnockedAt, again.Status, again.DecidedAt, again.DecidedByName, again.RemovedAt = start.Add(time.Hour), lobby.Waiting, time.Time{}, "", time.Time{}
	saveAll(t, s, meeting.Changes{Lobby: lobby.Changes{Uses: []lobby.Use{first, again}}})
	got, err := s.LinkUses(t.Context(), "l", 10)
	if err != nil || len(got) != 2 || got[0] != again || got[1] != first {
		t.Errorf("log %+v, %v", got, err)
	}
	if got, err := s.LinkUses(t.Context(), "other", 10); err != nil || len(got) != 0 {
		t.Errorf("another link's log %+v, %v", got, err)
	}
	// Who knocks and leaves without end fills no disk; hosts' decisions stay.
	var flood []lobby.Use
	for i := range maxUses + 50 {
		flood = append(flood, lobby.Use{
			Session: fmt.Sprint(i), Meeting: "m", Link: "l", OpenedAt: start, KnockedAt: start.Add(2*time.Hour + time.Duration(i)*time.Millisecond), Status: lobby.Withdrawn,
		})
	}
	saveAll(t, s, meeting.Changes{Lobby: lobby.Changes{Uses: flood}})
	got, err = s.LinkUses(t.Context(), "l", 5000)
	if err != nil || len(got) != maxUses+1 || got[maxUses] != first || got[0].Session != fmt.Sprint(maxUses+49) {
		t.Errorf("%d lines, %v", len(got), err)
	}
}
