package lobby

import "time"

// What may still be decided about somebody who is in.

// SendBack returns an admitted guest to waiting, with the place and the identity
// they had: no new knock is needed, and the hosts are not rung again. The
// admission is gone.
func (l *Lobby) SendBack(identity string, now time.Time) (Knock, error) {
	k, ok := l.byIdentity(identity)
	if !ok {
		return Knock{}, ErrNoKnock
	}
	return l.change(k.ID, func(k Knock) (Knock, error) { return k.sendBack(now) })
}

func (k Knock) sendBack(now time.Time) (Knock, error) {
	if k.Status != Admitted {
		return k, ErrState
	}
	k.Status, k.Admission, k.UntilLeft = Waiting, "", false
	k.Since, k.SentBackAt = now, now
	k.DecidedAt, k.DecidedBy, k.DecidedByName = time.Time{}, "", ""
	return k, nil
}

// Permit changes what an admitted guest may do.
func (l *Lobby) Permit(identity string, p Permissions) (Knock, error) {
	k, ok := l.byIdentity(identity)
	if !ok {
		return Knock{}, ErrNoKnock
	}
	return l.change(k.ID, func(k Knock) (Knock, error) { return k.permit(p) })
}

func (k Knock) permit(p Permissions) (Knock, error) {
	if k.Status != Admitted {
		return k, ErrState
	}
	k.Permissions = p
	return k, nil
}

// Renew lets a session live on whose guest is here, waiting or in the call: time
// alone sends nobody away who is still there. Once in half a life is enough.
func (l *Lobby) Renew(id string, now time.Time) {
	s, err := l.Session(id, now)
	k, _ := l.KnockOf(id)
	if err != nil || k.Status != Waiting && k.Status != Admitted || s.ExpiresAt.Sub(now) > SessionLife/2 {
		return
	}
	s.ExpiresAt = now.Add(SessionLife)
	l.setSession(s)
}
