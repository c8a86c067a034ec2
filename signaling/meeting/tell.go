package meeting

import (
	"cmp"
	"slices"
	"time"

	"aparte/signaling/lobby"
	"aparte/signaling/role"
)

// summaryKey is what of a Summary can change.
type summaryKey struct {
	profile          string
	version          int
	state            State
	waiting, present int
	host             string
	locked           bool
}

func (l *live) summary() Summary {
	return Summary{Meeting: l.meeting, Waiting: l.lobby.WaitingCount(), Present: len(l.inCall)}
}

// summaryFor is the meeting as an agent sees it.
func (l *live) summaryFor(a Agent) Summary {
	r, _, _ := l.meeting.Role(a.Account)
	return l.summary().seenBy(r)
}

// seenBy leaves out what a role is not told.
func (s Summary) seenBy(r role.Role) Summary {
	s.Role = r
	if !role.WatchLobby.May(r) {
		s.Waiting = 0
	}
	return s
}

func (s Summary) key() summaryKey {
	return summaryKey{s.Profile, s.ProfileVersion, s.State, s.Waiting, s.Present, s.Organiser.Account, s.Locked}
}

func (l *live) roster() []Participant {
	all := make([]Participant, 0, len(l.inCall))
	by := make(map[string]string) // knocks of those let in, by account and identity
	for _, k := range l.lobby.Knocks() {
		if k.Status == lobby.Admitted {
			by[cmp.Or(k.Account, k.Identity)] = k.ID
		}
	}
	for identity, p := range l.inCall {
		p.Permissions = l.ownPermissions(identity)
		p.Knock = by[p.Identity]
		if seat, ok := l.seatByIdentity(p.Identity); ok {
			p.Knock = by[seat.Account]
		}
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
	knocks := l.touched(changed.Lobby)
	for w := range l.hosts {
		summary := l.summaryFor(w.agent)
		if w.seq == 0 || len(knocks) > maxKnockEvents {
			l.tellHost(w, HostEvent{Snapshot: true, Meeting: &summary, Knocks: l.knockViews(), Participants: l.roster()})
			continue
		}
		for _, k := range knocks {
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
	concerned := l.concerned(changed)
	l.dirty, l.rosterDirty, l.hostsDirty = false, false, false
	clear(l.retell)
	now := l.cfg.now()
	for w := range l.guests {
		l.tellGuest(w, now, concerned)
	}
	for w := range l.agents {
		w.show(l.agentView(w.who))
	}
	if notice := l.notice(); notice != l.lastNotice {
		l.lastNotice = notice
		l.board.post(l.meeting.hosts(), notice)
	}
	l.tellRenamed()
}

// maxKnockEvents is how many knocks may change at once before hosts are told everything
// anew, in one message. A batch of requests changes no more, but for those that let in
// everybody who waits: they would fill a queue that nobody reads meanwhile.
const maxKnockEvents = maxBatch

// concerned says which sessions may be told something new: those whose own session, knock
// or link changed, or that asked; all, if the meeting or who is in it changed. A crowd waits in
// one meeting, and what one of it does is mostly no news to the others.
func (l *live) concerned(changed Changes) func(lobby.Session) bool {
	if changed.Meeting != nil || len(changed.Recordings)+len(changed.DroppedRecordings) > 0 || l.rosterDirty || l.hostsDirty {
		return func(lobby.Session) bool { return true }
	}
	sessions, links := make(map[string]bool), make(map[string]bool)
	for id := range l.retell {
		sessions[id] = true
	}
	for _, v := range changed.Lobby.Sessions {
		sessions[v.ID] = true
	}
	for _, k := range changed.Lobby.Knocks {
		sessions[k.Who()] = true
		if k.Status == lobby.Denied || k.Status == lobby.Expired { // who is the same person may be kept out, or no more
			links[k.Link] = true // an agent's is "", which is nobody's
		}
	}
	for _, m := range changed.Lobby.Messages {
		if k, ok := l.lobby.KnockByID(m.Knock); ok {
			sessions[k.Who()] = true
		}
	}
	for _, v := range changed.Lobby.Links {
		links[v.ID] = true
	}
	return func(s lobby.Session) bool { return sessions[s.ID] || links[s.Link] }
}

// touched are the knocks that changed, whose thread did, or whose agent has another role,
// once each.
func (l *live) touched(c lobby.Changes) []lobby.Knock {
	var out []lobby.Knock
	done := make(map[string]bool)
	add := func(id string) {
		k, ok := l.lobby.KnockByID(id)
		if ok && !done[id] {
			out = append(out, k)
		}
		done[id] = true
	}
	for _, k := range c.Knocks {
		add(k.ID)
	}
	for _, m := range c.Messages {
		add(m.Knock)
	}
	for account := range l.renamed {
		if k, ok := l.lobby.KnockOfAgent(account); ok {
			add(k.ID)
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
		w.pending[k.ID] = delivery{seq: seq, since: k.Since, who: k.Who()}
	} else {
		delete(w.pending, k.ID)
	}
}

// tellGuest leaves the latest view for a guest whom it may concern, if it differs from
// the last.
func (l *live) tellGuest(w *GuestWatch, now time.Time, concerned func(lobby.Session) bool) {
	s, err := l.lobby.Session(w.who, now)
	if err != nil {
		l.dropGuest(w)
		return
	}
	if !concerned(s) {
		return
	}
	w.show(l.view(s))
}

func (l *live) dropHost(w *HostWatch) {
	if _, ok := l.hosts[w]; ok {
		delete(l.hosts, w)
		close(w.events)
		if len(l.hosts) == 0 { // guests are told that hosts have gone
			l.dirty, l.hostsDirty = true, true
		}
	}
}

func (l *live) dropGuest(w *GuestWatch) {
	if _, ok := l.guests[w]; ok {
		delete(l.guests, w)
		close(w.views)
	}
}

func (l *live) dropAgent(w *AgentWatch) {
	if _, ok := l.agents[w]; ok {
		delete(l.agents, w)
		close(w.views)
	}
}

// dismiss ends every watch.
func (l *live) dismiss() {
	l.files.end(errStopping)
	for w := range l.hosts {
		l.dropHost(w)
	}
	for w := range l.guests {
		l.dropGuest(w)
	}
	for w := range l.agents {
		l.dropAgent(w)
	}
}
