package meeting

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/profile"
	"aparte/signaling/role"
)

// What hosts ask about links, and how guests come in by them.

type addLinks struct {
	byAgent
	drafts []link.Draft
}

func (addLinks) command() role.Command { return role.MakeLinks }

func (a addLinks) do(l *live, now time.Time) (any, error) {
	h, err := a.alive(l)
	if err != nil {
		return nil, err
	}
	if len(l.lobby.Links())+len(a.drafts) > maxLinks {
		return nil, ErrTooManyLinks
	}
	made := make([]link.Link, len(a.drafts))
	for i, draft := range a.drafts {
		id, err := newID(l.cfg.Random)
		if err != nil {
			return nil, err
		}
		if made[i], err = link.New(draft, id, l.id, h.Account, now); err != nil {
			return nil, &DraftError{Index: i, Err: err}
		}
		if err := l.terms(l.profile).Grants(made[i]); err != nil {
			return nil, &DraftError{Index: i, Err: err}
		}
	}
	for _, v := range made {
		l.lobby.AddLink(v)
	}
	return made, nil
}

// maxLinks bounds the links of one meeting.
const maxLinks = 5000

// ErrTooManyLinks says that a meeting has no room for so many links.
var ErrTooManyLinks = fmt.Errorf("a meeting has %d guest links at most", maxLinks)

// DraftError says which of several drafts is refused, counted from 0, and why.
type DraftError struct {
	Index int
	Err   error
}

func (e *DraftError) Error() string { return fmt.Sprintf("link %d: %v", e.Index, e.Err) }

// Unwrap is the reason.
func (e *DraftError) Unwrap() error { return e.Err }

// CreateLink makes a guest link.
func (m *Meetings) CreateLink(ctx context.Context, by Agent, id string, d link.Draft) (link.Link, error) {
	made, err := m.CreateLinks(ctx, by, id, []link.Draft{d})
	if err != nil {
		if one, ok := errors.AsType[*DraftError](err); ok {
			return link.Link{}, one.Err
		}
		return link.Link{}, err
	}
	return made[0], nil
}

// CreateLinks makes guest links, all or none, and returns them in the order of
// their drafts. A draft that is refused is a *DraftError.
func (m *Meetings) CreateLinks(ctx context.Context, by Agent, id string, drafts []link.Draft) ([]link.Link, error) {
	return answer[[]link.Link](ctx, m, id, addLinks{byAgent{by}, drafts})
}

type listLinks struct{ byAgent }

func (listLinks) command() role.Command { return role.ListLinks }

func (a listLinks) do(l *live, _ time.Time) (any, error) {
	if _, err := a.host(l); err != nil {
		return nil, err
	}
	return l.lobby.Links(), nil
}

// Links returns the guest links, newest first.
func (m *Meetings) Links(ctx context.Context, by Agent, id string) ([]link.Link, error) {
	return answer[[]link.Link](ctx, m, id, listLinks{byAgent{by}})
}

// CheckGuestList reads a list of guests in CSV, and marks who has a link of the
// meeting that still works. It creates nothing: secrets are made in the host's
// browser.
func (m *Meetings) CheckGuestList(ctx context.Context, by Agent, id string, data []byte) (link.GuestList, error) {
	links, err := m.Links(ctx, by, id)
	if err != nil {
		return link.GuestList{}, err
	}
	list, now := link.ParseGuestList(data), m.cfg.now()
	invited := make(map[string]bool)
	for _, v := range links {
		if v.Kind == link.Personal && !v.Revoked() && now.Before(v.ExpiresAt) {
			invited[v.Same()] = true
		}
	}
	for i, g := range list.Guests {
		list.Guests[i].Invited = invited[g.Same()]
	}
	return list, nil
}

// changed ends an act on a link: who came by it in a way that holds no more has
// to leave the call.
func (l *live) changed(v link.Link, out []string, err error) (any, error) {
	if errors.Is(err, link.ErrUnknown) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	l.sendOut(out...)
	return v, nil
}

type revoke struct {
	byAgent
	link string
}

func (revoke) command() role.Command { return role.RevokeLink }

func (a revoke) do(l *live, now time.Time) (any, error) {
	if _, err := a.host(l); err != nil {
		return nil, err
	}
	return l.changed(l.lobby.Revoke(a.link, now))
}

// RevokeLink revokes a link and removes whoever is in through it.
func (m *Meetings) RevokeLink(ctx context.Context, by Agent, id, linkID string) (link.Link, error) {
	return answer[link.Link](ctx, m, id, revoke{byAgent{by}, linkID})
}

type revokeAll struct{ byAgent }

func (revokeAll) command() role.Command { return role.RevokeLink }

func (a revokeAll) do(l *live, now time.Time) (any, error) {
	if _, err := a.host(l); err != nil {
		return nil, err
	}
	l.sendOut(l.lobby.RevokeAll(now)...)
	return l.lobby.Links(), nil
}

// RevokeLinks revokes all links of a meeting and removes whoever is in through
// them.
func (m *Meetings) RevokeLinks(ctx context.Context, by Agent, id string) ([]link.Link, error) {
	return answer[[]link.Link](ctx, m, id, revokeAll{byAgent{by}})
}

type reissue struct {
	byAgent
	link, codeHash, pinHash string
	expiresAt               time.Time
}

func (reissue) command() role.Command { return role.ChangeLink }

func (a reissue) do(l *live, now time.Time) (any, error) {
	if _, err := a.alive(l); err != nil {
		return nil, err
	}
	return l.changed(l.lobby.Reissue(a.link, a.codeHash, a.pinHash, a.expiresAt, now))
}

// ReissueLink gives a link a new secret, and removes whoever is in through the
// old one. expiresAt is zero where the end stays.
func (m *Meetings) ReissueLink(ctx context.Context, by Agent, id, linkID, codeHash, pinHash string, expiresAt time.Time) (link.Link, error) {
	return answer[link.Link](ctx, m, id, reissue{byAgent{by}, linkID, codeHash, pinHash, expiresAt})
}

type extend struct {
	byAgent
	link      string
	expiresAt time.Time
}

func (extend) command() role.Command { return role.ChangeLink }

func (a extend) do(l *live, now time.Time) (any, error) {
	if _, err := a.alive(l); err != nil {
		return nil, err
	}
	v, err := l.lobby.Extend(a.link, a.expiresAt, now)
	return l.changed(v, nil, err)
}

// ExtendLink moves the end of a link's validity, forward or back. Whoever is in
// or waits stays.
func (m *Meetings) ExtendLink(ctx context.Context, by Agent, id, linkID string, expiresAt time.Time) (link.Link, error) {
	return answer[link.Link](ctx, m, id, extend{byAgent{by}, linkID, expiresAt})
}

type setPIN struct {
	byAgent
	link, pinHash string
}

func (setPIN) command() role.Command { return role.ChangeLink }

func (a setPIN) do(l *live, _ time.Time) (any, error) {
	if _, err := a.alive(l); err != nil {
		return nil, err
	}
	v, err := l.lobby.SetPIN(a.link, a.pinHash)
	return l.changed(v, nil, err)
}

// SetLinkPIN sets, changes or takes away (pinHash "") the PIN of a link.
func (m *Meetings) SetLinkPIN(ctx context.Context, by Agent, id, linkID, pinHash string) (link.Link, error) {
	return answer[link.Link](ctx, m, id, setPIN{byAgent{by}, linkID, pinHash})
}

// maxUseLines is how much of a link's log is shown.
const maxUseLines = 500

// LinkUses is the log of a link: who used it and what became of it, newest first,
// and which issue of the link is the present one.
func (m *Meetings) LinkUses(ctx context.Context, by Agent, id, linkID string) (uses []lobby.Use, issue int, err error) {
	links, err := m.Links(ctx, by, id)
	if err != nil {
		return nil, 0, err
	}
	for _, v := range links {
		if v.ID == linkID {
			uses, err = m.cfg.Store.LinkUses(ctx, linkID, maxUseLines)
			return uses, v.Issue, err
		}
	}
	return nil, 0, ErrNotFound
}

// opened finds the link that a code opens. The code is compared first, in the same
// time for an unknown link as for a wrong code, and nothing is said about a link
// to who does not have its code (link.ErrUnknown).
func (m *Meetings) opened(ctx context.Context, linkID, code string) (link.Link, error) {
	found, err := m.cfg.Store.GuestLink(ctx, linkID)
	switch {
	case errors.Is(err, link.ErrUnknown):
		found = link.Decoy()
	case err != nil:
		return link.Link{}, fmt.Errorf("find link: %w", err)
	}
	if !found.Matches(code) {
		return link.Link{}, link.ErrUnknown
	}
	return found, nil
}

type enter struct {
	byDoor
	link, code, session string
	tokenHash           [32]byte
	key                 link.PublicKey // proved; zero: none
}

func (enter) command() role.Command { return role.Redeem }

func (a enter) do(l *live, now time.Time) (any, error) {
	if l.meeting.State == Ended {
		return nil, ErrEnded
	}
	// The link may have been issued anew since the code was compared.
	if v, _ := l.lobby.Link(a.link); !v.Matches(a.code) {
		return nil, link.ErrUnknown
	}
	if err := l.profile.Available(); err != nil {
		return nil, err
	}
	s, err := a.enter(l.lobby, now)
	if err != nil {
		var early *link.EarlyError
		if _, refused := errors.AsType[*profile.RefusedError](err); refused || errors.Is(err, link.ErrExpired) || errors.Is(err, link.ErrInUse) || errors.As(err, &early) {
			return nil, &LinkError{Err: err, Host: l.meeting.Organiser.Name, Profile: l.profile.Name}
		}
		return nil, err
	}
	return l.view(s), nil
}

func (a enter) enter(l *lobby.Lobby, now time.Time) (lobby.Session, error) {
	if a.key == (link.PublicKey{}) {
		return l.Enter(a.link, a.session, a.tokenHash, now)
	}
	return l.Return(a.link, a.key, a.session, a.tokenHash, now)
}

// LinkError says why a link does not open its meeting, and whom to ask.
type LinkError struct {
	Err  error
	Host string // name of the organiser
	// Profile is the name of the meeting's security profile.
	Profile profile.Text
}

func (e *LinkError) Error() string { return e.Err.Error() }

// Unwrap is the reason.
func (e *LinkError) Unwrap() error { return e.Err }

// Redeem opens a guest link; nothing is said about a link to who does not have
// its code (link.ErrUnknown). The answer's token is the session; only its hash is
// kept. With a proof of the browser's key over a challenge (Challenge), a browser
// that has knocked by this link before gets back to where it was; a proof that
// does not hold is link.ErrProof.
func (m *Meetings) Redeem(ctx context.Context, linkID, code string, proof *link.Proof) (token string, v GuestView, err error) {
	found, err := m.opened(ctx, linkID, code)
	if err != nil {
		return "", GuestView{}, err
	}
	var key link.PublicKey
	if proof != nil {
		if key, err = proof.Verify(link.ReturnStatement(found.ID, proof.Challenge)); err != nil {
			return "", GuestView{}, err
		}
		if err := m.challenges.Spend(found.ID, proof.Challenge, m.cfg.now()); err != nil {
			return "", GuestView{}, err
		}
	}
	session, err := newID(m.cfg.Random)
	if err != nil {
		return "", GuestView{}, err
	}
	raw := make([]byte, 32)
	if _, err := io.ReadFull(m.cfg.Random, raw); err != nil {
		return "", GuestView{}, fmt.Errorf("make session token: %w", err)
	}
	v, err = answer[GuestView](ctx, m, found.Meeting, enter{link: found.ID, code: code, session: session, tokenHash: sha256.Sum256(raw), key: key})
	if err != nil {
		return "", GuestView{}, err
	}
	return base64.RawURLEncoding.EncodeToString(raw), v, nil
}

// Challenge is what a browser signs to prove its key when it redeems a link
// again. Only who has the link's code is given one (link.ErrUnknown).
func (m *Meetings) Challenge(ctx context.Context, linkID, code string) (string, error) {
	found, err := m.opened(ctx, linkID, code)
	if err != nil {
		return "", err
	}
	return m.challenges.Make(found.ID, m.cfg.now())
}

type knock struct {
	bySession
	asking Asking
}

// Asking is what a guest sends with a knock.
type Asking struct {
	Name, Organisation string      // as typed
	Proof              *link.Proof // of the browser's key, over the session's challenge; nil: none
	PIN                string      // proof of the PIN, base64url; "": none
	Source             string      // where wrong PINs are counted
}

func (knock) command() role.Command { return role.Knock }

func (a knock) do(l *live, now time.Time) (any, error) {
	if l.meeting.State == Ended {
		return nil, ErrEnded
	}
	if err := l.profile.Available(); err != nil {
		return nil, err
	}
	s, err := l.lobby.Session(a.session, now)
	if err != nil {
		return nil, err
	}
	var key link.PublicKey
	if a.asking.Proof != nil {
		if key, err = a.asking.Proof.Verify(link.KnockStatement(s.Link, s.ID, s.Challenge())); err != nil {
			return nil, err
		}
	}
	id, err := newID(l.cfg.Random)
	if err != nil {
		return nil, err
	}
	k, err := l.lobby.Knock(a.session, id, lobby.Asking{
		Name: a.asking.Name, Organisation: a.asking.Organisation, Key: key, PIN: a.asking.PIN, Source: a.asking.Source,
	}, now)
	if err != nil {
		return nil, err
	}
	return lookAsGuest{bySession{k.Session}}.do(l, now)
}

// Knock asks to enter. Knocking again keeps the place in the queue. Refusals of
// its own are link.ErrProof, link.ErrPINRequired, *link.PINError and
// *link.PauseError.
func (m *Meetings) Knock(ctx context.Context, c Caller, a Asking) (GuestView, error) {
	return answer[GuestView](ctx, m, c.meeting, knock{bySession{c.session}, a})
}
