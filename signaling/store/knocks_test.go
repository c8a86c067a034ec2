package store

import (
	"testing"
	"time"

	"aparte/signaling/lobby"
	"aparte/signaling/meeting"
)

// Knocks of guests and what was written with them outlive the step after which agents knock,
// and an agent's comes back as it was.
func TestKnocksOfAgentsBesideThoseOfBefore(t *testing.T) {
	dir := before(t, 9, nil,
		`INSERT INTO posts VALUES ('dakar', 'Dakar', 'Africa/Dakar', 'fr', '', '', '', '', 1000)`,
		`INSERT INTO accounts (id, name, email, password, admin, created_at) VALUES ('anne', 'Anne', 'anne@aparte.example', '', 1, 1000), ('marc', 'Marc', 'marc@aparte.example', '', 0, 1000)`,
		`INSERT INTO account_posts (account_id, post_id, role, since) VALUES ('anne', 'dakar', 'agent', 1000), ('marc', 'dakar', 'agent', 1000)`,
		`INSERT INTO meetings (id, title, state, organiser_id, profile, created_at, post_id) VALUES ('m', 'Coopération', 'open', 'anne', 'standard', 3000, 'dakar')`,
		`INSERT INTO members (meeting_id, account_id, role) VALUES ('m', 'anne', 'host'), ('m', 'marc', 'participant')`,
		`INSERT INTO guest_links (id, meeting_id, kind, label, guest_name, organisation, max_uses, uses, expires_at, created_at, created_by, code_hash, unbound, session_id) VALUES ('l', 'm', 'shared', '', '', '', 0, 1, 9000, 3000, 'anne', '`+zeroHash+`', 0, '')`,
		`INSERT INTO lobby_sessions (id, token_hash, meeting_id, link_id, created_at, expires_at) VALUES ('s', '`+zeroHash+`', 'm', 'l', 3000, 9000)`,
		`INSERT INTO knocks VALUES ('k', 'm', 's', 'l', 'waiting', 1, 'Inês', 'MNE', 4000, NULL, '', '', '', NULL, '', '', 0, 0, 0, 0, NULL, NULL)`,
		`INSERT INTO lobby_messages VALUES ('k', 1, 1, 'anne', 'Anne', 'Deux minutes', 5000)`,
	)
	s := open(t, dir)
	got, err := s.LoadMeeting(t.Context(), "m")
	if err != nil || len(got.Lobby.Knocks) != 1 || len(got.Lobby.Messages) != 1 {
		t.Fatalf("%+v, %v", got.Lobby, err)
	}
	if k := got.Lobby.Knocks[0]; k.Session != "s" || k.Link != "l" || k.OfAgent() || k.Status != lobby.Waiting || k.Organisation != "MNE" || !k.Since.Equal(time.UnixMilli(4000)) {
		t.Errorf("the guest's knock is %+v", k)
	}
	for _, next := range []lobby.Knock{
		{Status: lobby.Waiting, ExpiresAt: time.UnixMilli(90_000).UTC()},
		{Status: lobby.Admitted, UntilLeft: true, Permissions: lobby.Everything(), DecidedAt: time.UnixMilli(5000).UTC(), DecidedBy: "anne", DecidedByName: "Anne"},
		{Status: lobby.Denied, BannedAt: time.UnixMilli(6000).UTC(), Message: "Non"},
	} {
		next.ID, next.Meeting, next.Account, next.Name, next.Place, next.Since = "a", "m", "marc", "Marc", 2, time.UnixMilli(4500).UTC()
		saveAll(t, s, meeting.Changes{Lobby: lobby.Changes{Knocks: []lobby.Knock{next}}})
		if got, err = s.LoadMeeting(t.Context(), "m"); err != nil {
			t.Fatal(err)
		}
		var back lobby.Knock
		for _, k := range got.Lobby.Knocks {
			if k.OfAgent() {
				back = k
			}
		}
		if back != next {
			t.Errorf("came back as %+v, want %+v", back, next)
		}
		notices, err := s.WaitingFor(t.Context(), "anne", time.UnixMilli(10_000), 10)
		if want := next.Status == lobby.Waiting; err != nil || len(notices) == 1 != want || want && notices[0].Waiting != 1 { // the guest's session is over
			t.Errorf("%s: %+v, %v", next.Status, notices, err)
		}
		entered, err := s.EnteredAt(t.Context(), "marc", "dakar")
		if want := next.Status != lobby.Denied; err != nil || len(entered) == 1 != want {
			t.Errorf("%s: entered %v, %v", next.Status, entered, err)
		}
	}
	// One of each kind has one owner, and an account one knock in a meeting.
	for _, wrong := range []lobby.Knock{
		{ID: "b", Meeting: "m", Account: "marc", Status: lobby.Waiting},
		{ID: "b", Meeting: "m", Account: "anne", Session: "s", Link: "l", Status: lobby.Waiting},
		{ID: "b", Meeting: "m", Status: lobby.Waiting},
	} {
		if err := s.SaveMeeting(t.Context(), meeting.Changes{Lobby: lobby.Changes{Knocks: []lobby.Knock{wrong}}}); err == nil {
			t.Errorf("stored %+v", wrong)
		}
	}
}

const zeroHash = "0000000000000000000000000000000000000000000000000000000000000000"
