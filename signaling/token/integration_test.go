package token

import (
	"errors"
	"testing"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"

	"aparte/sfu"
	"aparte/signaling/wire"
)

func TestIntegrationKeepsTheRights(t *testing.T) {
	now := time.Now()
	i := Integration{Keys: Keys{"k": "s"}, Now: func() time.Time { return now }}
	no := false
	text, err := auth.NewAccessToken("k", "s").SetIdentity("ann").SetName("Ann").SetMetadata("m").
		SetAttributes(map[string]string{"a": "b"}).SetKind(livekit.ParticipantInfo_AGENT).SetValidFor(3 * time.Hour).
		SetVideoGrant(&auth.VideoGrant{RoomJoin: true, Room: "r", CanPublish: &no}).ToJWT()
	if err != nil {
		t.Fatal(err)
	}
	g, err := i.Authorize(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	if g.Space != sfu.IntegrationSpace || g.Room != "r" || g.Identity != "ann" || g.Name != "Ann" || g.Metadata != "m" || g.Attributes["a"] != "b" || g.Kind != livekit.ParticipantInfo_AGENT {
		t.Errorf("grant %+v", g)
	}
	for _, tt := range []struct{ passed, left time.Duration }{{0, 3 * time.Hour}, {170 * time.Minute, 10 * time.Minute}, {4 * time.Hour, 10 * time.Minute}} {
		now = time.Now().Add(tt.passed)
		again, err := i.Refresh(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		g2, err := i.Authorize(t.Context(), again)
		if err != nil {
			t.Fatal(err)
		}
		if g2.Video.GetCanPublish() || !g2.Video.RoomJoin || g2.Room != "r" || g2.Identity != "ann" || g2.Kind != livekit.ParticipantInfo_AGENT {
			t.Errorf("after a refresh: %+v", g2)
		}
		if left := time.Until(g2.Expires); left < tt.left-5*time.Second || left > tt.left+5*time.Second {
			t.Errorf("after %v it lives %v, want %v", tt.passed, left, tt.left)
		}
	}
}

func TestWithdrawnKeyEndsTheGrant(t *testing.T) {
	i := Integration{Keys: Keys{"k": "s"}, Now: time.Now}
	if _, err := i.Refresh(t.Context(), &wire.Grant{ID: "gone"}); !errors.Is(err, wire.ErrUnauthorized) {
		t.Errorf("got %v", err)
	}
	if _, err := Issuer("no token"); !errors.Is(err, wire.ErrUnauthorized) {
		t.Errorf("got %v", err)
	}
}
