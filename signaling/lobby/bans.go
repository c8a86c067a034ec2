package lobby

import (
	"errors"
	"time"

	"aparte/signaling/link"
	"aparte/signaling/name"
)

// ErrBanned refuses whom a host has banned.
var ErrBanned = errors.New("banned by a host")

// Recognition is by what a person is known again who was refused.
type Recognition string

// A personal link is known to the last use; a shared one only by the key that
// the browser keeps for it, or by nothing but the tab. An agent is an account.
const (
	ByLink    Recognition = "link"
	ByBrowser Recognition = "browser"
	ByTab     Recognition = "tab"
	ByAccount Recognition = "account" // agents
)

// Recognition says by what a session's person is known again.
func (l *Lobby) Recognition(s Session) Recognition {
	switch {
	case l.links[s.Link].Kind == link.Personal:
		return ByLink
	case s.Bound():
		return ByBrowser
	default:
		return ByTab
	}
}

// same reports whether two sessions are known to be one person's: everybody's by
// a personal link, those of one browser's key.
func (l *Lobby) same(a, b Session) bool {
	return a.ID == b.ID || a.Bound() && a.PublicKey == b.PublicKey ||
		a.Link == b.Link && l.links[a.Link].Kind == link.Personal
}

// KeptOut says why a session may not ask to enter: nil, ErrDenied or ErrBanned.
// Its own knock counts, and those that the same browser made through another
// session. A denial leaves a personal link to who comes by it with another key,
// which the binding sees to; a ban closes the link itself.
func (l *Lobby) KeptOut(s Session) (why error) {
	for _, k := range l.knocks {
		if k.Status != Denied || k.OfAgent() {
			continue
		}
		by := l.sessions[k.Session]
		switch {
		case k.Banned() && l.same(s, by):
			return ErrBanned
		case by.ID == s.ID || s.Bound() && by.PublicKey == s.PublicKey:
			why = ErrDenied
		}
	}
	return why
}

// Banned reports whether the knock keeps its bearer out for good.
func (k Knock) Banned() bool { return !k.BannedAt.IsZero() }

// ban refuses for good, from any state but an earlier ban.
func (k Knock) ban(by Host, message string, now time.Time) Knock {
	if k.Banned() {
		return k
	}
	if k.Status == Admitted {
		k.RemovedAt = now
	}
	k = k.decide(Denied, by, now)
	k.Admission, k.Message, k.BannedAt, k.SentBackAt, k.UntilLeft = "", message, now, time.Time{}, false
	return k
}

// Ban keeps somebody out until a host lifts it: whoever has the personal link,
// that browser by the shared one, or the agent. Every waiting and every admission of the
// same person ends; the identities of guests who have to leave the call are returned.
func (l *Lobby) Ban(id string, by Host, message string, now time.Time) (Knock, []string, error) {
	k, ok := l.knocks[id]
	if !ok {
		return Knock{}, nil, ErrNoKnock
	}
	kept, err := name.Optional("message", message, name.MaxMessage)
	if err != nil {
		return Knock{}, nil, err
	}
	if k.Banned() {
		return k, nil, nil
	}
	var out []string
	if k.Status == Admitted && !k.OfAgent() {
		out = append(out, k.Identity)
	}
	k = k.ban(by, kept, now)
	l.setKnock(k)
	if k.OfAgent() {
		return k, nil, nil
	}
	who := l.sessions[k.Session]
	for _, other := range l.Knocks() {
		if other.ID == k.ID || other.OfAgent() || !l.same(who, l.sessions[other.Session]) {
			continue
		}
		switch other.Status {
		case Admitted:
			out = append(out, other.Identity)
			l.setKnock(other.decide(Expired, by, now).lapse())
		case Waiting:
			l.setKnock(other.decide(Expired, by, now).lapse())
		}
	}
	return k, out, nil
}
