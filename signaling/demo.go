package signaling

import (
	"context"
	"fmt"
	"io"
	"time"

	"aparte/signaling/link"
	"aparte/signaling/login"
	"aparte/signaling/meeting"
	"aparte/signaling/post"
)

// Demo is what serve --dev prints: the agent's URL is ORIGIN/signin#SignInCode,
// the guest's is ORIGIN/i/LinkID#Secret.
type Demo struct {
	SignInCode string
	Meeting    string
	LinkID     string
	Secret     string
}

// MakeDemo fills an empty store with an agent, its post, an open meeting and a shared
// guest link, for trying things out on one's own machine.
func MakeDemo(ctx context.Context, logins *login.Login, posts *post.Posts, meetings *meeting.Meetings, random io.Reader, now time.Time) (Demo, error) {
	account, code, err := logins.InviteAdmin(ctx, "Anne Bernard", "anne.bernard@aparte.example")
	if err != nil {
		return Demo{}, fmt.Errorf("make demo agent: %w", err)
	}
	at, err := posts.Create(ctx, account.ID, post.Draft{Name: "Poste de démonstration", TimeZone: "Europe/Paris", Languages: []string{"fr", "en"}})
	if err != nil {
		return Demo{}, fmt.Errorf("make demo post: %w", err)
	}
	agent := meeting.Agent{Account: account.ID, Name: account.Name, Session: "demo", Posts: []string{at.ID}}
	made, err := meetings.Create(ctx, agent, meeting.Draft{Title: "Coopération consulaire"})
	if err != nil {
		return Demo{}, fmt.Errorf("make demo meeting: %w", err)
	}
	if _, err := meetings.Open(ctx, agent, made.ID); err != nil {
		return Demo{}, fmt.Errorf("open demo meeting: %w", err)
	}
	secret, codeHash, err := link.MakeSecret(random)
	if err != nil {
		return Demo{}, err
	}
	guest, err := meetings.CreateLink(ctx, agent, made.ID, link.Draft{
		Kind: link.Shared, Label: "Démonstration", ExpiresAt: now.Add(30 * 24 * time.Hour), CodeHash: codeHash, Unbound: true,
	})
	if err != nil {
		return Demo{}, fmt.Errorf("make demo link: %w", err)
	}
	return Demo{SignInCode: code, Meeting: made.ID, LinkID: guest.ID, Secret: secret}, nil
}
