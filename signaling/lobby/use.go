package lobby

import "time"

// Use is a line in the log of a link: who used it, when, and what became of it.
// Each time somebody begins to wait is a line of its own. Lines outlive sessions
// and knocks.
type Use struct {
	Session       string
	Meeting       string
	Link          string
	Issue         int       // of the link
	OpenedAt      time.Time // when the tab opened the link
	KnockedAt     time.Time
	Name          string // as typed
	Organisation  string
	Status        Status
	DecidedAt     time.Time
	DecidedByName string
	RemovedAt     time.Time
	Bound         bool
	PINPassed     bool
}

// use is the line of a knock as it stands.
func (l *Lobby) use(k Knock) Use {
	s := l.sessions[k.Session]
	return Use{
		Session: k.Session, Meeting: k.Meeting, Link: k.Link, Issue: s.Issue, OpenedAt: s.CreatedAt, KnockedAt: k.Since,
		Name: k.Name, Organisation: k.Organisation, Status: k.Status, DecidedAt: k.DecidedAt, DecidedByName: k.DecidedByName,
		RemovedAt: k.RemovedAt, Bound: s.Bound(), PINPassed: s.PINPassed,
	}
}
