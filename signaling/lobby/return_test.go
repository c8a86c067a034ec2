package lobby_test

import (
	"testing"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/link"
	"aparte/signaling/lobby"
)

// Who comes back is who has been here, in the audit trail too: the session that was
// prepared for a newcomer never comes to be.
func TestWhoComesBackIsNamedByTheirSession(t *testing.T) {
	now := time.Date(2027, 3, 2, 9, 0, 0, 0, time.UTC)
	l := lobby.New("m", lobby.DefaultLimits(), lobby.State{Links: []link.Link{{ID: "l", Kind: link.Personal, ExpiresAt: now.Add(time.Hour)}}})
	key := link.PublicKey{4, 1}
	if _, err := l.Return("l", key, "first", [32]byte{1}, now); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Knock("first", "k", lobby.Asking{Name: "Inês Duarte", Key: key}, now); err != nil {
		t.Fatal(err)
	}
	l.Changes()
	l.By(audit.Actor{Kind: audit.Guest, ID: "second"}, now)
	if s, err := l.Return("l", key, "second", [32]byte{2}, now); err != nil || s.ID != "first" {
		t.Fatalf("came back as %q, %v", s.ID, err)
	}
	noted := l.Changes().Audit
	if len(noted) != 1 || noted[0].Act != audit.LinkRedeemed || noted[0].Actor != (audit.Actor{Kind: audit.Guest, ID: "first"}) {
		t.Errorf("noted %+v", noted)
	}
}
