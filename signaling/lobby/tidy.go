package lobby

import "time"

// tidyEvery is how often Sweep looks for what can be dropped.
const tidyEvery = time.Minute

// Sweep ends the waiting of whoever is gone for long, and drops what has been
// over for long.
func (l *Lobby) Sweep(now time.Time) {
	for _, k := range l.knocks {
		if k.Status != Waiting {
			continue
		}
		if k.OfAgent() {
			if !now.Before(k.ExpiresAt) {
				l.setKnock(k.lapse())
			}
			continue
		}
		if _, err := l.Session(k.Session, now); err != nil {
			l.setKnock(k.lapse())
		}
	}
	if passed := now.Sub(l.tidied); passed >= 0 && passed < tidyEvery {
		return
	}
	l.tidied = now
	for _, s := range l.sessions {
		if l.over(s, now) {
			l.drop(s)
		}
	}
}

// over reports whether nobody misses a session: it has expired, and it never
// knocked or no host decided on it and all had time to see that.
func (l *Lobby) over(s Session, now time.Time) bool {
	k, knocked := l.KnockOf(s.ID)
	if !knocked {
		return !now.Before(s.ExpiresAt)
	}
	return k.past() && !now.Before(s.ExpiresAt.Add(l.limits.KeepPast))
}

// tidy makes room for one more session, or one more knock, of a link: it drops
// the oldest sessions that have not knocked and the oldest past knocks.
func (l *Lobby) tidy(linkID string, now time.Time) {
	var idle, past []Session
	for _, s := range l.sessions {
		if s.Link != linkID {
			continue
		}
		switch k, knocked := l.KnockOf(s.ID); {
		case l.over(s, now):
			l.drop(s)
		case !knocked:
			idle = append(idle, s)
		case k.past() && l.links[linkID].Session != s.ID: // or a personal link would be bound to nobody
			past = append(past, s)
		}
	}
	l.dropOldest(idle, l.limits.IdleSessionsPerLink)
	l.dropOldest(past, max(l.limits.PastKnocksPerLink, l.limits.WaitingPerLink))
}

// dropOldest leaves fewer than limit of them.
func (l *Lobby) dropOldest(sessions []Session, limit int) {
	for ; len(sessions) >= limit; sessions = sessions[1:] { // mostly once
		oldest := 0
		for i, s := range sessions {
			if l.lastSign(s).Before(l.lastSign(sessions[oldest])) {
				oldest = i
			}
		}
		l.drop(sessions[oldest])
		sessions[oldest] = sessions[0]
	}
}

// lastSign is when a session last did something: opened the link, or knocked.
func (l *Lobby) lastSign(s Session) time.Time {
	if k, ok := l.KnockOf(s.ID); ok {
		return k.Since
	}
	return s.CreatedAt
}

// drop forgets a session and its knock.
func (l *Lobby) drop(s Session) {
	if id, ok := l.byWho[s.ID]; ok {
		delete(l.knocks, id)
		delete(l.byWho, s.ID)
		delete(l.threads, id)
		l.changes.DroppedKnocks = append(l.changes.DroppedKnocks, id)
	}
	delete(l.sessions, s.ID)
	delete(l.again, s.ID)
	delete(l.replied, s.ID)
	l.changes.Dropped = append(l.changes.Dropped, s.ID)
}
