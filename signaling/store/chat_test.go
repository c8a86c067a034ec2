package store

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aparte/signaling/meeting"
	"aparte/signaling/profile"
	"aparte/signaling/role"
)

// withMeetings has a store with meetings of these ids.
func withMeetings(t *testing.T, s *Store, ids ...string) {
	t.Helper()
	a, err := addHost(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		m := meeting.Meeting{ID: id, Post: dakar.ID, State: meeting.Open, Organiser: meeting.Person{Account: a.ID}, Profile: profile.Standard, ProfileVersion: 1, CreatedAt: start, OpenedAt: start}
		saveAll(t, s, meeting.Changes{ID: id, Meeting: &m})
	}
}

func saidAt(seq int64, text string, at time.Time) meeting.Message {
	return meeting.Message{Seq: seq, From: "p_1", FromName: "Inês", Role: role.Guest, To: meeting.ToEveryone, Text: text, At: at}
}

func TestKeptChatComesBackAsItWasSaved(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	withMeetings(t, s, "m", "other")
	messages := []meeting.Message{saidAt(3, "un\ndeux", start), saidAt(5, "<b>", start.Add(time.Second))}
	saveAll(t, s, meeting.Changes{ID: "m", Messages: messages, Arrivals: map[string]int64{"g": 1, "h": 4}})
	saveAll(t, s, meeting.Changes{ID: "m", Arrivals: map[string]int64{"g": 9}}) // the first counts
	saveAll(t, s, meeting.Changes{ID: "other", Messages: []meeting.Message{saidAt(3, "ailleurs", start)}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	load := func(id string) meeting.KeptChat {
		t.Helper()
		got, err := s.LoadMeeting(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return got.Chat
	}
	got := load("m")
	if fmt.Sprint(got.Messages) != fmt.Sprint(messages) || len(got.Times) != 2 || !got.Times[1].Equal(messages[1].At) || fmt.Sprint(got.Arrivals) != "map[g:1 h:4]" {
		t.Errorf("came back as %+v", got)
	}
	saveAll(t, s, meeting.Changes{ID: "m", ForgetMessages: true, Messages: []meeting.Message{saidAt(6, "après", start)}})
	if got := load("m"); len(got.Messages) != 1 || got.Messages[0].Text != "après" {
		t.Errorf("after deleting all and one more: %+v", got.Messages)
	}
	if got := load("other"); len(got.Messages) != 1 {
		t.Errorf("of the other meeting: %+v", got.Messages)
	}
	ended := meeting.Meeting{ID: "m", Post: dakar.ID, State: meeting.Ended, Organiser: meeting.Person{Account: "account"}, Profile: profile.Standard, ProfileVersion: 1, CreatedAt: start, OpenedAt: start, EndedAt: start}
	saveAll(t, s, meeting.Changes{ID: "m", Meeting: &ended})
	if got := load("m"); len(got.Messages) != 1 || len(got.Arrivals) != 0 {
		t.Errorf("after the end: %+v", got)
	}
	// A meeting that is deleted takes what it kept along.
	for _, query := range []string{`DELETE FROM members WHERE meeting_id = 'm'`, `DELETE FROM meetings WHERE id = 'm'`} {
		if _, err := s.write.db.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	if all, err := s.KeptMessages(t.Context(), "m", 0, start, 10); err != nil || len(all) != 0 {
		t.Errorf("of a meeting that is gone: %+v, %v", all, err)
	}
}

func TestExpiredChatGoesOldestFirstAndBounded(t *testing.T) {
	s := open(t, t.TempDir())
	withMeetings(t, s, "m", "other")
	for _, id := range []string{"m", "other"} {
		var all []meeting.Message
		for i := range int64(5) {
			all = append(all, saidAt(i+1, fmt.Sprint(id, i), start.Add(time.Duration(i)*time.Hour)))
		}
		saveAll(t, s, meeting.Changes{ID: id, Messages: all})
	}
	left := func() (texts []string) {
		t.Helper()
		for _, id := range []string{"m", "other"} {
			all, err := s.KeptMessages(t.Context(), id, 0, start, 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range all {
				texts = append(texts, m.Text)
			}
		}
		return texts
	}
	before := start.Add(2 * time.Hour) // which the third of each was written at
	commits := s.write.commits.Load()
	for i, want := range []int{3, 1, 0, 0} {
		if n, err := s.ExpireChat(t.Context(), before, 3); n != want || err != nil {
			t.Errorf("sweep %d deleted %d, %v; want %d", i, n, err, want)
		}
	}
	if got := left(); !slices.Equal(got, []string{"m2", "m3", "m4", "other2", "other3", "other4"}) {
		t.Errorf("left: %q", got)
	}
	if n := s.write.commits.Load() - commits; n != 2 {
		t.Errorf("%d commits for two deletions", n)
	}
}

// The space of what has expired is used again: a house that keeps as much as before
// needs as much disk as before.
func TestKeptChatDoesNotGrowTheDatabaseWithoutEnd(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	withMeetings(t, s, "m")
	var sizes []int64
	for round := range 6 {
		at := start.AddDate(0, 0, round)
		for i := range 20 {
			var all []meeting.Message
			for j := range 50 {
				all = append(all, saidAt(int64(round*1000+i*50+j+1), strings.Repeat("é", 1000), at))
			}
			saveAll(t, s, meeting.Changes{ID: "m", Messages: all})
		}
		if n, err := s.ExpireChat(t.Context(), at.Add(time.Second), 5000); n != 1000 || err != nil {
			t.Fatalf("round %d: deleted %d, %v", round, n, err)
		}
		if _, err := s.write.db.ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(dir, fileName))
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, info.Size())
	}
	if sizes[0] < 2_000_000 || sizes[5] > sizes[0]+sizes[0]/10 {
		t.Errorf("sizes after each round of a thousand messages: %d", sizes)
	}
}

func TestDeletedChatIsInNoFile(t *testing.T) {
	const secret = "Rendez-vous-derriere-la-gare"
	for what, remove := range map[string]func(s *Store) error{
		"deleted": func(s *Store) error {
			return s.SaveMeeting(t.Context(), meeting.Changes{ID: "m", ForgetMessages: true})
		},
		"expired": func(s *Store) error { _, err := s.ExpireChat(t.Context(), start.Add(time.Hour), 100); return err },
		"kept":    func(*Store) error { return nil },
	} {
		dir := t.TempDir()
		s := open(t, dir)
		withMeetings(t, s, "m")
		for i := range int64(30) {
			saveAll(t, s, meeting.Changes{ID: "m", Messages: []meeting.Message{saidAt(i+1, fmt.Sprint(secret, i, strings.Repeat(" ", 500)), start)}})
		}
		if err := remove(s); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		found := false
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found = found || bytes.Contains(data, []byte(secret))
		}
		if found != (what == "kept") {
			t.Errorf("%s: found %t", what, found)
		}
	}
}
