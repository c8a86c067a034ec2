package meeting

import (
	"strconv"

	"aparte/signaling/audit"
)

// What of meetings enters the audit trail, in the transaction of the act itself.
// Who acts follows from the request; an act says what it did with note, and what
// the lobby decides it tells itself.

// note keeps an act for the audit trail. Actor, time and meeting are filled in.
func (l *live) note(d audit.Draft) { l.lobby.Note(d) }

// actorOf is who makes a request: the server, unless the request knows better.
func actorOf(a act) audit.Actor {
	if known, ok := a.(interface{ actor() audit.Actor }); ok {
		return known.actor()
	}
	return audit.Actor{Kind: audit.Server}
}

func (b byAgent) actor() audit.Actor { return audit.Actor{Kind: audit.Agent, ID: b.agent.Account} }

func (b bySession) actor() audit.Actor { return audit.Actor{Kind: audit.Guest, ID: b.session} }

func (a enter) actor() audit.Actor { return audit.Actor{Kind: audit.Guest, ID: a.session} }

// Actor is the guest as the audit trail knows them.
func (c Caller) Actor() audit.Actor { return audit.Actor{Kind: audit.Guest, ID: c.session} }

// Meeting is the id of the guest's meeting.
func (c Caller) Meeting() string { return c.meeting }

// created is the act of making a meeting, which has no goroutine yet.
func created(m Meeting) audit.Draft {
	d := audit.Did(audit.MeetingCreated).By(audit.Agent, m.Organiser.Account).With("profile", m.Profile).With("profile_version", strconv.Itoa(m.ProfileVersion)).
		With("permanent", yes(m.Permanent)).WithTime("starts_at", m.StartsAt).WithTime("ends_at", m.EndsAt).Typed("title", m.Title)
	d.Post, d.Meeting, d.Time = m.Post, m.ID, m.CreatedAt
	return d
}

// noteState tells that the meeting opens, adjourns or ends.
func (l *live) noteState(after Meeting) {
	if after.State == l.meeting.State {
		return
	}
	switch after.State {
	case Open:
		l.note(audit.Did(audit.MeetingOpened))
	case Scheduled:
		l.note(audit.Did(audit.MeetingAdjourned))
	case Ended:
		l.note(audit.Did(audit.MeetingEnded))
	}
}

// noteJoined tells that somebody comes into the call; who comes back on a new
// connection never left.
func (l *live) noteJoined(p Participant) {
	if _, in := l.inCall[p.Identity]; !in {
		l.notePresence(audit.ParticipantJoined, p)
	}
}

func (l *live) noteLeft(p Participant) { l.notePresence(audit.ParticipantLeft, p) }

func (l *live) notePresence(act audit.Act, p Participant) {
	l.note(audit.Did(act).By(p.actor.Kind, p.actor.ID).On(audit.Participant, p.Identity).With("role", string(p.Role)))
}

// whoIs is the actor behind the identity of somebody who may be in the call.
func (l *live) whoIs(identity string) audit.Actor {
	if seat, ok := l.seatByIdentity(identity); ok {
		return audit.Actor{Kind: audit.Agent, ID: seat.Account}
	}
	for _, k := range l.lobby.Knocks() {
		if k.Identity == identity {
			return audit.Actor{Kind: audit.Guest, ID: k.Session}
		}
	}
	return audit.Actor{Kind: audit.Nobody}
}

// gatherAudit puts what was noted into the changes, after what is still owed.
func (l *live) gatherAudit() {
	l.changes.Audit = append(l.owed, l.changes.Lobby.Audit...)
	l.changes.Lobby.Audit = nil
	for i := range l.changes.Audit {
		l.changes.Audit[i].Post = l.meeting.Post
	}
}

// maxOwed bounds the comings and goings that wait for the disk.
const maxOwed = 10_000

// oweAudit keeps, after a failed commit, what happened in the call whether or not
// it could be stored, for the next commit. It reports whether nothing but that
// had changed: then memory is still true.
func (l *live) oweAudit() bool {
	noted := l.changes.Audit
	l.changes.Audit, l.owed = nil, nil
	nothingElse := true
	for _, d := range noted {
		switch {
		case d.Act != audit.ParticipantJoined && d.Act != audit.ParticipantLeft:
			nothingElse = false
		case len(l.owed) < maxOwed:
			l.owed = append(l.owed, d)
		default:
			l.cfg.Log.Error("audit event lost", "meeting", l.id, "act", d.Act)
		}
	}
	return nothingElse && l.changes.empty()
}
