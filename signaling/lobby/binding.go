package lobby

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"aparte/signaling/link"
)

// How a browser is recognised. A session takes the key of its first knock for
// good; whoever proves that key later is that guest, in whatever tab. A browser
// that keeps no key is recognised by its tab's session alone.

// Token is one more token of a session: of another tab of the same browser.
type Token struct {
	Hash      [32]byte // SHA-256 of the token the tab holds
	Session   string
	CreatedAt time.Time
}

// Bound reports whether the session's browser proved a key.
func (s Session) Bound() bool { return s.Key() != "" }

// Key names the browser's key; "" where there is none. Whoever has it is the
// same browser, in this meeting at least: each link has a key of its own.
func (s Session) Key() link.Thumbprint { return s.PublicKey.Thumbprint() }

// Challenge is what the browser signs at the knock. It is the session's alone,
// as fresh as the token that it is derived from; and a session takes a key once.
func (s Session) Challenge() string {
	h := hmac.New(sha256.New, s.TokenHash[:])
	h.Write([]byte("aparte/link/challenge"))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// Void reports whether a session's link was revoked, or issued anew since: then
// it leads nowhere any more.
func (l *Lobby) Void(s Session) bool {
	v, ok := l.links[s.Link]
	return !ok || v.Revoked() || v.Issue != s.Issue
}

// SessionOf is the session behind a knock, alive or not.
func (l *Lobby) SessionOf(k Knock) Session { return l.sessions[k.Session] }

// Return lets somebody who proved to hold the link's secret and a browser's key
// back to where that browser was: the same session, with one more token, alive
// again if it had expired. For a key that has not knocked here it is Enter.
func (l *Lobby) Return(linkID string, key link.PublicKey, session string, tokenHash [32]byte, now time.Time) (Session, error) {
	v, ok := l.links[linkID]
	if !ok {
		return Session{}, link.ErrUnknown
	}
	s, known := l.byKey(v, key)
	if !known {
		return l.enter(v, Session{ID: session, TokenHash: tokenHash, PublicKey: key}, now)
	}
	k, _ := l.KnockOf(s.ID)
	inside := k.Status == Waiting || k.Status == Admitted
	// The end of validity closes the way in; who is in or waits is not outside.
	if err := l.usable(v, link.Holder{Session: s.ID, Key: s.Key(), Known: true}, now); err != nil && (v.Revoked() || !inside) {
		return Session{}, err
	}
	s.ExpiresAt = now.Add(SessionLife)
	l.setSession(s)
	l.addToken(s.ID, tokenHash, now)
	l.noteRedeemed(s)
	return s, nil
}

// byKey finds the guest behind a key among those who have knocked by a link
// since it was issued: the one who gave a sign last.
func (l *Lobby) byKey(v link.Link, key link.PublicKey) (found Session, ok bool) {
	if key == (link.PublicKey{}) {
		return Session{}, false
	}
	for _, s := range l.sessions {
		if s.PublicKey != key || s.Link != v.ID || s.Issue != v.Issue {
			continue
		}
		if _, knocked := l.KnockOf(s.ID); knocked && (!ok || l.lastSign(s).After(l.lastSign(found))) {
			found, ok = s, true
		}
	}
	return found, ok
}

// join makes a tab that has not knocked one more tab of the guest into.
func (l *Lobby) join(tab, into Session, now time.Time) {
	into.ExpiresAt = now.Add(SessionLife)
	l.setSession(into)
	l.drop(tab)
	l.addToken(into.ID, tab.TokenHash, now)
}

func (l *Lobby) addToken(session string, hash [32]byte, now time.Time) {
	l.changes.Tokens = append(l.changes.Tokens, Token{Hash: hash, Session: session, CreatedAt: now})
}

func (l *Lobby) setSession(s Session) {
	l.sessions[s.ID] = s
	l.changes.Sessions = append(l.changes.Sessions, s)
}
