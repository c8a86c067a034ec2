package api

import (
	"context"
	"errors"
	"time"

	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/meeting"
	"aparte/signaling/role"
)

// Link is a guest link as the hosts see it; neither the secret nor the PIN is
// among it, because the server has neither.
type Link struct {
	ID           string     `json:"id"`
	Kind         string     `json:"kind" enum:"personal,shared"`
	Label        string     `json:"label"`
	GuestName    string     `json:"guest_name,omitempty" doc:"Who is invited by a personal link."`
	Organisation string     `json:"organisation,omitempty"`
	Language     string     `json:"language,omitempty" doc:"BCP 47: which language the guest's page opens in."`
	Role         string     `json:"role" enum:"guest,observer" doc:"What one comes in as by it; observers hear and see, and publish nothing."`
	MaxUses      int        `json:"max_uses,omitempty" doc:"How many guests may use it; absent: no cap but the meeting's."`
	Uses         int        `json:"uses" doc:"How many guests have knocked with it since it was issued."`
	ValidFrom    *time.Time `json:"valid_from,omitempty"`
	ExpiresAt    time.Time  `json:"expires_at"`
	RevokedAt    *time.Time `json:"revoked_at,omitempty"`
	CreatedAt    time.Time  `json:"created_at"`
	IssuedAt     *time.Time `json:"issued_at,omitempty" doc:"When it last got a new secret; absent: it still has its first."`
	OpenedAt     *time.Time `json:"opened_at,omitempty" doc:"When somebody first opened it since it was issued."`
	Unbound      bool       `json:"unbound" doc:"Made by the server, which has therefore seen the secret."`
	Binding      string     `json:"binding" enum:"none,browser,tab" doc:"What a personal link is bound to since its first knock: a browser that can come back, or a single tab where the browser could not keep a key."`
	PIN          bool       `json:"pin" doc:"It asks for a PIN."`
}

// LinkDraft is a guest link to create.
type LinkDraft struct {
	Kind         string     `json:"kind" enum:"personal,shared"`
	Label        string     `json:"label,omitempty" maxLength:"200"`
	GuestName    string     `json:"guest_name,omitempty" maxLength:"200" doc:"Required for a personal link."`
	Organisation string     `json:"organisation,omitempty" maxLength:"200"`
	Language     string     `json:"language,omitempty" maxLength:"35" doc:"BCP 47: which language the guest's page opens in."`
	Role         string     `json:"role,omitempty" enum:"guest,observer" doc:"What one comes in as by it; absent: guest."`
	MaxUses      int        `json:"max_uses,omitempty" minimum:"0" maximum:"1000" doc:"For a shared link, 1 to 1000; absent or 0: no cap."`
	ValidFrom    *time.Time `json:"valid_from,omitempty"`
	ExpiresAt    time.Time  `json:"expires_at"`
	CodeHash     string     `json:"code_hash" minLength:"43" maxLength:"43" doc:"base64url, without padding, of the SHA-256 of the 32 bytes of the redemption code."`
	PINHash      string     `json:"pin_hash,omitempty" maxLength:"43" doc:"base64url, without padding, of the SHA-256 of the 32 bytes of the proof of the PIN; absent: no PIN."`
}

// LinkDrafts are guest links to create together.
type LinkDrafts struct {
	Links []LinkDraft `json:"links" minItems:"1" maxItems:"5000" nullable:"false"`
}

// LinkList is the links of a meeting, newest first.
type LinkList struct {
	Links []Link `json:"links" nullable:"false"`
}

// Reissue gives a link a new secret.
type Reissue struct {
	CodeHash  string     `json:"code_hash" minLength:"43" maxLength:"43" doc:"As of a new link, of a new secret."`
	PINHash   string     `json:"pin_hash,omitempty" maxLength:"43" doc:"As of a new link; required where the link has a PIN."`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"Absent: the end stays as it is."`
}

// Extend moves the end of a link's validity, forward or back.
type Extend struct {
	ExpiresAt time.Time `json:"expires_at" doc:"Closes the way in; whoever is in by then or waits stays."`
}

// LinkPIN is a link's PIN to be.
type LinkPIN struct {
	PINHash string `json:"pin_hash" maxLength:"43" doc:"As of a new link; empty: no PIN any more."`
}

// LinkUses is the log of a link, newest first, 500 lines at most.
type LinkUses struct {
	Uses []LinkUse `json:"uses" nullable:"false"`
}

// LinkUse is one time that somebody asked to enter by a link.
type LinkUse struct {
	Session      string     `json:"session" doc:"Who: the same guest has the same."`
	OpenedAt     time.Time  `json:"opened_at" doc:"When this guest first opened the link."`
	KnockedAt    time.Time  `json:"knocked_at"`
	Name         string     `json:"name" doc:"As typed; show it isolated (bdi)."`
	Organisation string     `json:"organisation,omitempty"`
	Status       string     `json:"status" enum:"waiting,admitted,denied,withdrawn,expired" doc:"What became of it."`
	Removed      bool       `json:"removed" doc:"Denied after having been admitted."`
	DecidedAt    *time.Time `json:"decided_at,omitempty"`
	DecidedBy    string     `json:"decided_by,omitempty" doc:"Name of the host who decided."`
	Bound        bool       `json:"bound" doc:"The browser proved a key."`
	PINPassed    bool       `json:"pin_passed"`
	Reissued     bool       `json:"reissued" doc:"It was by a secret that is dead since."`
}

// Redeem is a guest opening a link.
type Redeem struct {
	LinkID string       `json:"link_id" maxLength:"100"`
	Code   string       `json:"code" maxLength:"100" doc:"The redemption code, derived from the secret in the link's fragment."`
	Proof  *ReturnProof `json:"proof,omitempty" doc:"From a browser that has knocked by this link before."`
}

// ChallengeAsked is a browser that comes back asking what to sign.
type ChallengeAsked struct {
	LinkID string `json:"link_id" maxLength:"100"`
	Code   string `json:"code" maxLength:"100" doc:"The redemption code."`
}

// Challenge is good once, for two minutes.
type Challenge struct {
	Challenge string `json:"challenge"`
}

// KnockProof shows that a browser holds a key: ECDSA on P-256 with SHA-256 over
// "aparte/link/knock/v1", the link's id, binding.session, binding.challenge and
// public_key, with a line feed between them.
type KnockProof struct {
	PublicKey string `json:"public_key" minLength:"87" maxLength:"87" doc:"Uncompressed point, base64url without padding."`
	Signature string `json:"signature" minLength:"86" maxLength:"86" doc:"r and s of 32 bytes each, base64url without padding."`
}

// ReturnProof is as KnockProof, over "aparte/link/return/v1", the link's id, the
// challenge and public_key.
type ReturnProof struct {
	Challenge string `json:"challenge" maxLength:"100"`
	PublicKey string `json:"public_key" minLength:"87" maxLength:"87"`
	Signature string `json:"signature" minLength:"86" maxLength:"86"`
}

// Redeemed is a lobby session. Keep it in sessionStorage.
type Redeemed struct {
	Session string    `json:"session" doc:"Sent as Authorization: Bearer, and as the lobby socket's first frame."`
	Guest   GuestView `json:"guest"`
}

// GuestName is what a guest says when knocking.
type GuestName struct {
	Name         string      `json:"name" minLength:"1" maxLength:"200"`
	Organisation string      `json:"organisation,omitempty" maxLength:"200"`
	PIN          string      `json:"pin,omitempty" maxLength:"43" doc:"Proof of the link's PIN: HMAC-SHA-256 of its six digits under HKDF-SHA-256(secret, info aparte/link/pin), base64url without padding."`
	Proof        *KnockProof `json:"proof,omitempty" doc:"Absent where the browser can keep no key: only this tab is recognised then."`
}

func linkOf(v link.Link) Link {
	return Link{
		ID: v.ID, Kind: string(v.Kind), Label: v.Label, GuestName: v.GuestName, Organisation: v.Organisation, Language: v.Language, Role: string(v.Role),
		MaxUses: v.MaxUses, Uses: v.Uses, ValidFrom: optional(v.ValidFrom), ExpiresAt: v.ExpiresAt.UTC(),
		RevokedAt: optional(v.RevokedAt), CreatedAt: v.CreatedAt.UTC(), IssuedAt: optional(v.IssuedAt), OpenedAt: optional(v.OpenedAt),
		Unbound: v.Unbound, Binding: string(v.Binding()), PIN: v.HasPIN(),
	}
}

func linkAnswer(v link.Link, err error) (*output[Link], error) {
	if err != nil {
		return nil, err
	}
	return &output[Link]{linkOf(v)}, nil
}

func linksAnswer(all []link.Link, err error) (*output[LinkList], error) {
	if err != nil {
		return nil, err
	}
	list := LinkList{Links: make([]Link, len(all))}
	for i, v := range all {
		list.Links[i] = linkOf(v)
	}
	return &output[LinkList]{list}, nil
}

func draftOf(b LinkDraft) link.Draft {
	return link.Draft{
		Kind: link.Kind(b.Kind), Label: b.Label, GuestName: b.GuestName, Organisation: b.Organisation, Language: b.Language, Role: role.Role(b.Role),
		MaxUses: b.MaxUses, ValidFrom: given(b.ValidFrom), ExpiresAt: given(&b.ExpiresAt), CodeHash: b.CodeHash, PINHash: b.PINHash,
	}
}

func (a *API) listLinks(ctx context.Context, in *inMeeting) (*output[LinkList], error) {
	return linksAnswer(a.meetings.Links(ctx, theAgent(ctx).agent(), in.ID))
}

func (a *API) createLink(ctx context.Context, in *meetingBody[LinkDraft]) (*output[Link], error) {
	return linkAnswer(a.meetings.CreateLink(ctx, theAgent(ctx).agent(), in.ID, draftOf(in.Body)))
}

// createLinks answers in the order of the drafts, so that the caller knows which
// secret belongs to which link.
func (a *API) createLinks(ctx context.Context, in *meetingBody[LinkDrafts]) (*output[LinkList], error) {
	drafts := make([]link.Draft, len(in.Body.Links))
	for i, b := range in.Body.Links {
		drafts[i] = draftOf(b)
	}
	return linksAnswer(a.meetings.CreateLinks(ctx, theAgent(ctx).agent(), in.ID, drafts))
}

func (a *API) revokeLink(ctx context.Context, in *inLink) (*output[Link], error) {
	return linkAnswer(a.meetings.RevokeLink(ctx, theAgent(ctx).agent(), in.ID, in.Link))
}

func (a *API) revokeAllLinks(ctx context.Context, in *inMeeting) (*output[LinkList], error) {
	return linksAnswer(a.meetings.RevokeLinks(ctx, theAgent(ctx).agent(), in.ID))
}

func (a *API) reissueLink(ctx context.Context, in *linkBody[Reissue]) (*output[Link], error) {
	b := in.Body
	return linkAnswer(a.meetings.ReissueLink(ctx, theAgent(ctx).agent(), in.ID, in.Link, b.CodeHash, b.PINHash, given(b.ExpiresAt)))
}

func (a *API) extendLink(ctx context.Context, in *linkBody[Extend]) (*output[Link], error) {
	return linkAnswer(a.meetings.ExtendLink(ctx, theAgent(ctx).agent(), in.ID, in.Link, given(&in.Body.ExpiresAt)))
}

func (a *API) setLinkPIN(ctx context.Context, in *linkBody[LinkPIN]) (*output[Link], error) {
	return linkAnswer(a.meetings.SetLinkPIN(ctx, theAgent(ctx).agent(), in.ID, in.Link, in.Body.PINHash))
}

func (a *API) listLinkUses(ctx context.Context, in *inLink) (*output[LinkUses], error) {
	all, issue, err := a.meetings.LinkUses(ctx, theAgent(ctx).agent(), in.ID, in.Link)
	if err != nil {
		return nil, err
	}
	list := LinkUses{Uses: make([]LinkUse, len(all))}
	for i, v := range all {
		list.Uses[i] = useOf(v, issue)
	}
	return &output[LinkUses]{list}, nil
}

func useOf(v lobby.Use, issue int) LinkUse {
	return LinkUse{
		Session: v.Session, OpenedAt: v.OpenedAt.UTC(), KnockedAt: v.KnockedAt.UTC(), Name: v.Name, Organisation: v.Organisation,
		Status: string(v.Status), Removed: !v.RemovedAt.IsZero(), DecidedAt: optional(v.DecidedAt), DecidedBy: v.DecidedByName,
		Bound: v.Bound, PINPassed: v.PINPassed, Reissued: v.Issue != issue,
	}
}

// wrongCode counts what an unknown link or a wrong code costs its source: over
// the limit it learns nothing any more. A right code is let through whatever its
// source has tried before: an office behind one address is not locked out by one
// of its people.
func (a *API) wrongCode(ctx context.Context, err error) error {
	if errors.Is(err, link.ErrUnknown) {
		if wait, ok := a.wrongCodes.Take(a.source(request(ctx))); !ok {
			return tooMany(wait)
		}
	}
	return err
}

func (a *API) redeemLink(ctx context.Context, in *input[Redeem]) (*output[Redeemed], error) {
	var proof *link.Proof
	if p := in.Body.Proof; p != nil {
		proof = &link.Proof{PublicKey: p.PublicKey, Signature: p.Signature, Challenge: p.Challenge}
	}
	session, v, err := a.meetings.Redeem(ctx, in.Body.LinkID, in.Body.Code, proof)
	if err != nil {
		return nil, a.wrongCode(ctx, err)
	}
	return &output[Redeemed]{Redeemed{Session: session, Guest: guestViewOf(v)}}, nil
}

func (a *API) challengeGuest(ctx context.Context, in *input[ChallengeAsked]) (*output[Challenge], error) {
	challenge, err := a.meetings.Challenge(ctx, in.Body.LinkID, in.Body.Code)
	if err != nil {
		return nil, a.wrongCode(ctx, err)
	}
	return &output[Challenge]{Challenge{challenge}}, nil
}

func (a *API) knock(ctx context.Context, in *input[GuestName]) (*output[GuestView], error) {
	b := in.Body
	asking := meeting.Asking{Name: b.Name, Organisation: b.Organisation, PIN: b.PIN, Source: a.source(request(ctx))}
	if b.Proof != nil {
		asking.Proof = &link.Proof{PublicKey: b.Proof.PublicKey, Signature: b.Proof.Signature}
	}
	return guestAnswer(a.meetings.Knock(ctx, theGuest(ctx), asking))
}
