package meeting

import (
	"cmp"
	"slices"

	"aparte/signaling/lobby"
)

// summaryKey is what of a Summary can change.
type summaryKey struct {
	state            State
	waiting, present int
}

func (l *live) summary() Summary {
	return Summary{Meeting: l.meeting, Waiting: l.lobby.WaitingCount(), Present: len(l.inCall)}
}

func (s Summary) key() summaryKey { return summaryKey{s.State, s.Waiting, s.Present} }

func (l *live) roster() []Participant {
	all := make([]Participant, 0, len(l.inCall))
	for _, p := range l.inCall {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Participant) int { return cmp.Compare(a.Identity, b.Identity) })
	return all
}

// tell pushes what the last commit changed.
func (l *live) tell() {
	changed := l.changes
	l.changes = Changes{}
	summary := l.summary()
	summaryChanged := summary.key() != l.lastSummary
	l.lastSummary = summary.key()
	for w := range l.hosts {
		if w.seq == 0 {
			l.tellHost(w, HostEvent{Snapshot: true, Meeting: &summary, Knocks: l.knockViews(), Participants: l.roster()})
			continue
		}
		for _, k := range latest(changed.Lobby.Knocks) {
			view := l.knockView(k)
			l.tellHost(w, HostEvent{Knock: &view})
		}
		if summaryChanged {
			l.tellHost(w, HostEvent{Meeting: &summary})
		}
		if l.rosterDirty {
			l.tellHost(w, HostEvent{Roster: true, Participants: l.roster()})
		}
	}
	l.dirty, l.rosterDirty = false, false
	for w := range l.guests {
		l.tellGuest(w)
	}
}

// latest keeps the last state of each knock.
func latest(knocks []lobby.Knock) []lobby.Knock {
	var out []lobby.Knock
	for i, k := range knocks {
		later := func(other lobby.Knock) bool { return other.ID == k.ID }
		if !slices.ContainsFunc(knocks[i+1:], later) {
			out = append(out, k)
		}
	}
	return out
}

// tellHost queues an event, or closes a watch whose queue is full.
func (l *live) tellHost(w *HostWatch, e HostEvent) {
	if _, watching := l.hosts[w]; !watching {
		return // closed a moment ago for being slow
	}
	w.seq++
	e.Seq = w.seq
	select {
	case w.events <- e:
	default:
		w.slow.Store(true)
		l.dropHost(w)
		return
	}
	for _, k := range e.Knocks {
		w.deliver(k, e.Seq)
	}
	if e.Knock != nil {
		w.deliver(*e.Knock, e.Seq)
	}
}

// deliver notes that a waiting knock is on its way to the host's screen.
func (w *HostWatch) deliver(k KnockView, seq uint64) {
	if k.Status == lobby.Waiting {
		w.pending[k.ID] = delivery{seq, k.Since}
	} else {
		delete(w.pending, k.ID)
	}
}

// tellGuest leaves the latest view for a guest, if it differs from the last.
func (l *live) tellGuest(w *GuestWatch) {
	s, err := l.lobby.Session(w.session, l.cfg.now())
	if err != nil {
		l.dropGuest(w)
		return
	}
	v := l.view(s)
	if v == w.last {
		return
	}
	w.last = v
	select {
	case <-w.views: // never read: the newer one replaces it
	default:
	}
	w.views <- v
}

func (l *live) dropHost(w *HostWatch) {
	if _, ok := l.hosts[w]; ok {
		delete(l.hosts, w)
		close(w.events)
	}
}

func (l *live) dropGuest(w *GuestWatch) {
	if _, ok := l.guests[w]; ok {
		delete(l.guests, w)
		close(w.views)
	}
}

// dismiss ends every watch.
func (l *live) dismiss() {
	for w := range l.hosts {
		l.dropHost(w)
	}
	for w := range l.guests {
		l.dropGuest(w)
	}
}
