package post

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	"aparte/signaling/audit"
)

// Store keeps posts and who acts for them. Whatever is changed is changed
// together with its acts' entries in the audit trail, or not at all; and where a
// method takes by, that account's role is looked up in the same transaction:
// ErrNotFound if it has none at the post, ErrForbidden if it does not administer.
type Store interface {
	// AddPost adds a post, and a first administrator unless it is "".
	AddPost(ctx context.Context, p Post, administrator string, acts ...audit.Draft) error
	// AccountAt is the id of the account that signs in with an address: ErrNoMember if
	// there is none.
	AccountAt(ctx context.Context, email string) (string, error)
	SavePost(ctx context.Context, by string, p Post, act audit.Draft) error
	// Membership returns ErrNotFound if the account has no role at the post.
	Membership(ctx context.Context, account, post string) (Membership, error)
	Memberships(ctx context.Context, account string) (Memberships, error)
	// Members lists who belongs to a post, by name.
	Members(ctx context.Context, post string) ([]Member, error)
	// AddMember finds the account by its email: ErrNoMember if there is none,
	// ErrMember if it has a role at the post.
	AddMember(ctx context.Context, by, post, email string, role Role, since time.Time, act audit.Draft) (Member, error)
	// SetRole and RemoveMember return ErrNoMember, and ErrLastAdmin where it would
	// leave the post without an administrator.
	SetRole(ctx context.Context, by, post, account string, role Role, act audit.Draft) (Member, error)
	RemoveMember(ctx context.Context, by, post, account string, act audit.Draft) error
	// EventsOf calls each with the events of some acts of a post, oldest first.
	EventsOf(ctx context.Context, post string, acts []audit.Act, each func(audit.Event)) error
	// EventsBefore lists events of a post that a query may choose, newest first, as many
	// as limit at most. Acts and ids narrow it; times do not.
	EventsBefore(ctx context.Context, post string, q Query, limit int) ([]Told, error)
	// GuestIDs are all ids that a guest of a post goes by, of whom one is known; that one
	// alone where nothing else is known of it any more.
	GuestIDs(ctx context.Context, post, id string) ([]string, error)
	// NamesOf are what ids in events of a post are called, as far as it is known still.
	NamesOf(ctx context.Context, post string, events []Told) (map[string]string, error)
	// VerifyChain reads the whole chain of a post and says what is wrong with it.
	VerifyChain(ctx context.Context, post string) (audit.Report, error)
	// ExportChain writes the stretch of a post's chain that holds a range of time, with a
	// signed head: *audit.TamperedError, before anything is written, if the chain does
	// not verify.
	ExportChain(ctx context.Context, w io.Writer, post string, since, until time.Time) error
	// Recipients are the keys of a post; Server is left 0.
	Recipients(ctx context.Context, post string) (Recipients, error)
	// AddRecipient returns ErrManyRecipients, and a *name.Error where the post has the key.
	AddRecipient(ctx context.Context, by, post string, r Recipient, act audit.Draft) (Recipient, error)
	// RemoveRecipient adds the key's fingerprint to its act; ErrNoRecipient.
	RemoveRecipient(ctx context.Context, by, post, id string, now time.Time, act audit.Draft) error
	Note(ctx context.Context, acts ...audit.Draft) error
}

// Hosting is what changes with who acts for a post.
type Hosting interface {
	// MemberChanged says whether an account now acts for a post. If not, it hosts
	// nothing there and follows nothing there once this returns.
	MemberChanged(ctx context.Context, account, post string, acts bool) error
	// RecipientsChanged says how many keys a post has for its recordings now.
	RecipientsChanged(ctx context.Context, post string, n int) error
}

// Posts are the posts of this installation. Methods may be called from any
// goroutine.
type Posts struct {
	store   Store
	hosting Hosting
	archive Archive
	now     func() time.Time
	random  io.Reader

	telling sync.Mutex // what hosting is told last is what is stored

	verifying chan struct{}           // holds one: whose turn it is owns what follows
	verified  map[string]Verification // by post
}

// NewPosts makes the posts; now is the clock, random gives ids.
func NewPosts(store Store, hosting Hosting, archive Archive, now func() time.Time, random io.Reader) *Posts {
	return &Posts{
		store: store, hosting: hosting, archive: archive, now: func() time.Time { return now().UTC().Truncate(time.Millisecond) }, random: random,
		verifying: make(chan struct{}, 1), verified: make(map[string]Verification),
	}
}

// Make checks a draft and makes the post with a new id, without keeping it.
func Make(d Draft, random io.Reader, now time.Time) (Post, error) {
	id, err := newID(random)
	if err != nil {
		return Post{}, err
	}
	return New(d, id, now)
}

var idForm = regexp.MustCompile(`^[A-Za-z0-9_-]{22}$`)

// IsID tells whether a post can have this id: what newID makes, or "default", the id of the
// post that installations of before there were posts were given.
func IsID(id string) bool { return idForm.MatchString(id) || id == "default" }

func newID(random io.Reader) (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", fmt.Errorf("make id: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw[:]), nil
}

// Create makes a post whose first administrator is the account by, and without
// one the server does ("").
func (p *Posts) Create(ctx context.Context, by string, d Draft) (Post, error) {
	made, err := Make(d, p.random, p.now())
	if err != nil {
		return Post{}, err
	}
	return made, p.store.AddPost(ctx, made, by, Created(made, by)...)
}

// CreateFor makes a post whose first administrator is the account of an address; by is
// nothing there, unless it is that account. ErrNoMember if there is none.
func (p *Posts) CreateFor(ctx context.Context, by string, d Draft, email string) (made Post, administrator string, err error) {
	if made, err = Make(d, p.random, p.now()); err != nil {
		return Post{}, "", err
	}
	if administrator, err = p.store.AccountAt(ctx, strings.ToLower(strings.TrimSpace(email))); err != nil {
		return Post{}, "", err
	}
	acts := Created(made, by)
	if administrator != by {
		named := p.did(audit.PostMemberAdded, by, made.ID).On(audit.Account, administrator).With("role", string(Administrator))
		acts = append(acts, named)
	}
	return made, administrator, p.store.AddPost(ctx, made, administrator, acts...)
}

// Edit changes what is said about a post.
func (p *Posts) Edit(ctx context.Context, by, id string, d Draft) (Post, error) {
	m, err := p.at(ctx, by, id, Role.Administers)
	if err != nil {
		return Post{}, err
	}
	edited, err := m.Post.Edit(d)
	if err != nil {
		return Post{}, err
	}
	return edited, p.store.SavePost(ctx, by, edited, p.did(audit.PostChanged, by, id).Typed("name", edited.Name).With("time_zone", edited.TimeZone))
}

// Of lists the posts of an account with its role at each.
func (p *Posts) Of(ctx context.Context, account string) (Memberships, error) {
	return p.store.Memberships(ctx, account)
}

// at is the membership of an account whose role must allow something.
func (p *Posts) at(ctx context.Context, account, id string, may func(Role) bool) (Membership, error) {
	m, err := p.store.Membership(ctx, account, id)
	if err == nil && !may(m.Role) {
		err = ErrForbidden
	}
	return m, err
}

// Administers refuses whoever does not administer a post.
func (p *Posts) Administers(ctx context.Context, by, id string) error {
	_, err := p.at(ctx, by, id, Role.Administers)
	return err
}

// Members lists the people of a post for its administrators.
func (p *Posts) Members(ctx context.Context, by, id string) ([]Member, error) {
	if _, err := p.at(ctx, by, id, Role.Administers); err != nil {
		return nil, err
	}
	return p.store.Members(ctx, id)
}

// AddMember has somebody who has an account already act for the post, too.
func (p *Posts) AddMember(ctx context.Context, by, id, email, role string) (Member, error) {
	parsed, err := p.may(ctx, by, id, role)
	if err != nil {
		return Member{}, err
	}
	email = strings.ToLower(strings.TrimSpace(email))
	m, err := p.store.AddMember(ctx, by, id, email, parsed, p.now(), p.did(audit.PostMemberAdded, by, id).With("role", string(parsed)))
	if err != nil {
		return Member{}, err
	}
	return m, p.Changed(ctx, m.Account, id)
}

// SetRole changes what a member is at the post. Whoever does not act any more
// has left every call there before it returns.
func (p *Posts) SetRole(ctx context.Context, by, id, account, role string) (Member, error) {
	parsed, err := p.may(ctx, by, id, role)
	if err != nil {
		return Member{}, err
	}
	m, err := p.store.SetRole(ctx, by, id, account, parsed, p.did(audit.PostMemberChanged, by, id).On(audit.Account, account).With("role", string(parsed)))
	if err != nil {
		return Member{}, err
	}
	return m, p.Changed(ctx, account, id)
}

// may refuses whoever does not administer the post before a role that does not
// exist: what is wrong with a call is told to those it may be told to.
func (p *Posts) may(ctx context.Context, by, id, role string) (Role, error) {
	if _, err := p.at(ctx, by, id, Role.Administers); err != nil {
		return "", err
	}
	return ParseRole(role)
}

// RemoveMember ends a membership. The account hosts nothing of the post any more
// and has left every call there before it returns. The account itself stays.
func (p *Posts) RemoveMember(ctx context.Context, by, id, account string) error {
	err := p.store.RemoveMember(ctx, by, id, account, p.did(audit.PostMemberRemoved, by, id).On(audit.Account, account))
	if err != nil && !errors.Is(err, ErrNoMember) {
		return err
	}
	// Also when it is gone already: whoever removed it may not have got this far.
	return errors.Join(err, p.Changed(ctx, account, id))
}

// Changed has the meetings of a post follow what is stored about an account.
func (p *Posts) Changed(ctx context.Context, account, id string) error {
	ctx = context.WithoutCancel(ctx) // it is stored: whether or not the caller waits
	p.telling.Lock()
	defer p.telling.Unlock()
	m, err := p.store.Membership(ctx, account, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return p.hosting.MemberChanged(ctx, account, id, err == nil && m.Role.Acts())
}

// did begins an act of an account in the chain of a post.
func (p *Posts) did(act audit.Act, by, id string) audit.Draft {
	d := audit.Did(act).By(audit.Agent, by)
	d.Post, d.Time = id, p.now()
	return d
}

// Created is told to the installation and is the first event of the new chain.
func Created(made Post, by string) []audit.Draft {
	d := audit.Did(audit.PostCreated).By(audit.Agent, by).On(audit.OfPost, made.ID).
		Typed("name", made.Name).With("time_zone", made.TimeZone)
	if by == "" {
		d = d.By(audit.Server, "")
	}
	d.Time = made.CreatedAt
	installation := d
	d.Post, installation.Post = made.ID, audit.Installation
	return []audit.Draft{installation, d}
}
