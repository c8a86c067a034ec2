package lobby

import (
	"time"

	"aparte/signaling/link"
	"aparte/signaling/name"
)

// change applies a transition to a knock and keeps the result if it differs.
func (l *Lobby) change(id string, transition func(Knock) (Knock, error)) (Knock, error) {
	before, ok := l.knocks[id]
	if !ok {
		return Knock{}, ErrNoKnock
	}
	after, err := transition(before)
	if err != nil {
		return before, err
	}
	if after != before {
		l.setKnock(after)
	}
	return after, nil
}

// Admit lets a waiting guest in. admission and identity are fresh random ids;
// they are used only if the guest was not in yet.
func (l *Lobby) Admit(id string, by Host, p Permissions, admission, identity string, now time.Time) (Knock, error) {
	k, ok := l.knocks[id]
	if !ok {
		return Knock{}, ErrNoKnock
	}
	if l.links[k.Link].Revoked() {
		return k, ErrState
	}
	return l.change(id, func(k Knock) (Knock, error) { return k.admit(by, p, admission, identity, now) })
}

// Deny refuses a waiting guest, with a message or without.
func (l *Lobby) Deny(id string, by Host, message string, now time.Time) (Knock, error) {
	kept, err := name.Optional("message", message, name.MaxMessage)
	if err != nil {
		return Knock{}, err
	}
	return l.change(id, func(k Knock) (Knock, error) { return k.deny(by, kept, now) })
}

// Lift allows a denied, removed or banned guest to knock again.
func (l *Lobby) Lift(id string, by Host, now time.Time) (Knock, error) {
	return l.change(id, func(k Knock) (Knock, error) { return k.lift(by, now) })
}

// Remove ends the admission behind an identity.
func (l *Lobby) Remove(identity string, by Host, now time.Time) (Knock, error) {
	k, ok := l.byIdentity(identity)
	if !ok {
		return Knock{}, ErrNoKnock
	}
	return l.change(k.ID, func(k Knock) (Knock, error) { return k.remove(by, now) })
}

func (l *Lobby) byIdentity(identity string) (Knock, bool) {
	for _, k := range l.knocks {
		if k.Identity == identity && identity != "" {
			return k, true
		}
	}
	return Knock{}, false
}

// Revoke revokes a link, ends every admission and all waiting through it, and
// returns the identities that have to leave the call.
func (l *Lobby) Revoke(linkID string, now time.Time) (link.Link, []string, error) {
	v, ok := l.links[linkID]
	if !ok {
		return link.Link{}, nil, link.ErrUnknown
	}
	if v.Revoked() {
		return v, nil, nil
	}
	v = v.Revoke(now)
	l.setLink(v)
	return v, l.expel(linkID), nil
}

// Close ends all waiting and every admission, because the meeting has ended.
func (l *Lobby) Close() {
	for _, k := range l.Knocks() {
		if k.Status == Waiting || k.Status == Admitted {
			l.setKnock(k.lapse())
		}
	}
}

// Adjourn lets all admissions lapse; those who wait keep their place.
func (l *Lobby) Adjourn() {
	for _, k := range l.Knocks() {
		if k.Status == Admitted {
			l.setKnock(k.lapse())
		}
	}
}

// Admission returns the admitted knock behind a grant id, if it is alive.
func (l *Lobby) Admission(id string) (Knock, bool) {
	if id == "" {
		return Knock{}, false
	}
	for _, k := range l.knocks {
		if k.Admission == id && k.Status == Admitted && !l.links[k.Link].Revoked() {
			return k, true
		}
	}
	return Knock{}, false
}
