package lobby

import (
	"time"

	"aparte/signaling/link"
)

// What hosts do to links, where it concerns who came by them.

// expel ends every admission and all waiting through a link, and returns the
// identities that have to leave the call.
func (l *Lobby) expel(linkID string) (out []string) {
	for _, k := range l.Knocks() {
		if k.Link != linkID {
			continue
		}
		switch k.Status {
		case Admitted:
			out = append(out, k.Identity)
			l.setKnock(k.lapse())
		case Waiting:
			l.setKnock(k.lapse())
		}
	}
	return out
}

// RevokeAll revokes every link, and returns the identities that have to leave
// the call.
func (l *Lobby) RevokeAll(now time.Time) (out []string) {
	for _, v := range l.Links() {
		if _, gone, err := l.Revoke(v.ID, now); err == nil {
			out = append(out, gone...)
		}
	}
	return out
}

// Reissue gives a link a new secret, ends every admission and all waiting
// through the old one, and returns the identities that have to leave the call. A
// denial stands: the browser it was for is recognised by its key.
func (l *Lobby) Reissue(linkID, codeHash, pinHash string, expiresAt, now time.Time) (link.Link, []string, error) {
	var out []string
	v, err := l.changeLink(linkID, l.terms.Grants, func(v link.Link) (link.Link, error) { return v.Reissue(codeHash, pinHash, expiresAt, now) })
	if err == nil {
		out = l.expel(linkID)
	}
	return v, out, err
}

// Extend moves the end of a link's validity; whoever is in or waits stays.
func (l *Lobby) Extend(linkID string, expiresAt, now time.Time) (link.Link, error) {
	return l.changeLink(linkID, l.terms.GrantsLife, func(v link.Link) (link.Link, error) { return v.Extend(expiresAt, now) })
}

// SetPIN sets, changes or takes away a link's PIN.
func (l *Lobby) SetPIN(linkID, pinHash string) (link.Link, error) {
	return l.changeLink(linkID, l.terms.GrantsPIN, func(v link.Link) (link.Link, error) { return v.SetPIN(pinHash) })
}

func (l *Lobby) changeLink(id string, granted func(link.Link) error, change func(link.Link) (link.Link, error)) (link.Link, error) {
	before, ok := l.links[id]
	if !ok {
		return link.Link{}, link.ErrUnknown
	}
	after, err := change(before)
	if err != nil {
		return link.Link{}, err
	}
	if err := granted(after); err != nil {
		return link.Link{}, err
	}
	l.setLink(after)
	return after, nil
}
