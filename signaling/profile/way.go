package profile

import (
	"errors"
	"fmt"
	"time"

	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/name"
)

// Hours are when a meeting takes place; zero where it was not said.
type Hours struct{ From, To time.Time }

func (h Hours) known() bool { return !h.From.IsZero() && !h.To.IsZero() }

// RefusedError says that a profile does not allow something.
type RefusedError struct {
	Line   string // the line of the profile, as the API calls it
	At     string // the field at fault where a link is made or changed
	Reason string // completes "the field ..."
}

func (e *RefusedError) Error() string {
	return "the security profile does not allow it: " + e.At + " " + e.Reason
}

// Terms are what a profile's rules mean for the links of one meeting.
type Terms struct {
	Rules Rules
	Hours Hours
}

// Way is a guest link as far as the profile lets it lead in: its validity narrowed to
// what the profile allows, or a *RefusedError where it leads nowhere.
func (t Terms) Way(v link.Link) (link.Link, error) {
	r := t.Rules
	switch {
	case !r.Guests:
		return v, &RefusedError{"guests", "kind", "cannot be any: this meeting's security profile allows no guests"}
	case v.Kind == link.Shared && !r.SharedLinks:
		return v, &RefusedError{"shared_links", "kind", "must be personal in this meeting's security profile"}
	case v.Kind == link.Personal && !r.PersonalLinks:
		return v, &RefusedError{"personal_links", "kind", "must be shared in this meeting's security profile"}
	}
	if err := t.pin(v); err != nil {
		return v, err
	}
	return t.life(v)
}

func (t Terms) pin(v link.Link) error {
	if t.Rules.PIN && !v.HasPIN() {
		return &RefusedError{"pin", "pin_hash", "is required by this meeting's security profile"}
	}
	return nil
}

// life narrows a link's validity.
func (t Terms) life(v link.Link) (link.Link, error) {
	from, to := t.Hours.From, t.Hours.To
	switch {
	case t.Rules.LinkHours > 0:
		from, to = time.Time{}, v.Born().Add(time.Duration(t.Rules.LinkHours)*time.Hour)
	case !t.Hours.known():
		return v, &RefusedError{"link_hours", "expires_at", "is not possible: in this meeting's security profile links live for the meeting's own hours, and it has none"}
	}
	if v.ValidFrom.Before(from) {
		v.ValidFrom = from
	}
	if to.Before(v.ExpiresAt) {
		v.ExpiresAt = to
	}
	return v, nil
}

// Grants says whether a link may be made, or issued anew, like this: nil, or a
// *name.Error with the field and the limit. A link is not quietly cut to fit.
func (t Terms) Grants(v link.Link) error {
	if _, err := t.Way(v); err != nil {
		return field(err)
	}
	return t.GrantsLife(v)
}

// GrantsLife is Grants of a link whose end was moved.
func (t Terms) GrantsLife(v link.Link) error {
	way, err := t.life(v)
	if err != nil {
		return field(err)
	}
	limit := fmt.Sprintf("%d hours after it was made or issued anew", t.Rules.LinkHours)
	if t.Rules.LinkHours == 0 {
		limit = "the end of the meeting"
	}
	switch {
	case way.ExpiresAt.Before(v.ExpiresAt):
		return &name.Error{At: "expires_at", Reason: fmt.Sprintf("must be %s at the latest (%s) in this meeting's security profile", way.ExpiresAt.UTC().Format(time.RFC3339), limit)}
	case !way.ValidFrom.Before(way.ExpiresAt):
		return &name.Error{At: "expires_at", Reason: "must be after " + way.ValidFrom.UTC().Format(time.RFC3339) + ", the start of the meeting, in this meeting's security profile"}
	}
	return nil
}

// GrantsPIN is Grants of a link whose PIN was set, changed or taken away.
func (t Terms) GrantsPIN(v link.Link) error { return field(t.pin(v)) }

// field is a refusal as one of a field of the link.
func field(err error) error {
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		return &name.Error{At: refused.At, Reason: refused.Reason}
	}
	return err
}

// Admits says whether somebody who waits may be let in: nil or a *RefusedError. The end of
// a link's validity closes the way to the lobby, not the door from it.
func (t Terms) Admits(v link.Link, s lobby.Session) error {
	if _, err := t.Way(v); err != nil {
		return err
	}
	if t.Rules.PIN && !s.PINPassed {
		return &RefusedError{"pin", "pin", "was not asked of this guest, who has to ask to enter anew"}
	}
	return nil
}

// Permits is what of some permissions the profile leaves to a guest.
func (r Rules) Permits(p lobby.Permissions) lobby.Permissions {
	p.Share = p.Share && r.GuestShare != Off
	p.Files = p.Files && r.GuestFiles != Off
	return p
}
