package meeting

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/profile"
)

// Effects are what a profile does, or would do, to one meeting when it comes into
// force. Whatever is not in them stays as it is.
type Effects struct {
	Meeting, Title string
	State          State
	Links          []LinkEffect
	Waiting        []WaitingEffect
	Guests         []GuestEffect
	// Lobby are those in the call who would have to go through the lobby to come in;
	// they stay until they leave or are removed.
	Lobby []Participant
	// Chat says what becomes of what is written to everybody from then on: what was
	// written before stays as it is, which of it is stored included.
	Chat ChatEffect
	// Stored is how many messages stay stored although no more are, until they are deleted.
	Stored int
	// Freed are the knocks of agents who wait and need not any more: they may come in.
	Freed []lobby.Knock
	// Heard: somebody is in the call, and what was said and shown cannot be unsaid.
	Heard bool
	// Files is how many files guests have sent that stay until somebody deletes them,
	// where guests lose the right to send more.
	Files int
}

// Any tells whether there is something that changes or cannot be undone.
func (e Effects) Any() bool {
	return len(e.Links)+len(e.Waiting)+len(e.Guests)+len(e.Lobby)+len(e.Freed) > 0 || e.Chat == ChatKept || e.Chat == ChatNotKept || e.Heard || e.Files > 0
}

// ChatEffect is what becomes of what is written to everybody.
type ChatEffect string

// ChatKept is stored from now on, ChatNotKept not any more.
const (
	ChatUnchanged ChatEffect = "unchanged"
	ChatKept      ChatEffect = "kept"
	ChatNotKept   ChatEffect = "not-kept"
)

// LinkEffect is a guest link that stops working, or works for a shorter time.
type LinkEffect struct {
	Link link.Link
	Line string // of the profile: why
	// From and Until are the validity that is left; zero: it does not work any more.
	From, Until time.Time
}

// Stops tells whether the link does not work any more.
func (e LinkEffect) Stops() bool { return e.Until.IsZero() }

// WaitingEffect is a guest in the lobby who cannot be let in any more.
type WaitingEffect struct {
	Knock lobby.Knock
	Line  string // of the profile: why
}

// GuestEffect is a guest who was admitted.
type GuestEffect struct {
	Knock  lobby.Knock
	InCall bool
	// LosesShare: may not share a screen any more. LosesFiles: may not send files.
	LosesShare, LosesFiles bool
	// Stays names the line by which this guest would not be let in now: what was
	// decided is not undone, and a host may remove them. "": none.
	Stays string
}

// effects says what a profile would do to the meeting now.
func (l *live) effects(p profile.Profile, now time.Time) Effects {
	e := Effects{Meeting: l.id, Title: l.meeting.Title, State: l.meeting.State, Chat: ChatUnchanged}
	before, after := l.terms(l.profile), l.terms(p)
	for _, v := range l.lobby.Links() {
		if f, ok := linkEffect(before, after, v, now); ok {
			e.Links = append(e.Links, f)
		}
	}
	for _, k := range l.lobby.Knocks() {
		if k.OfAgent() {
			if r, _, _ := l.meeting.Role(k.Account); k.Status == lobby.Waiting && !after.Rules.MustKnock(r) {
				e.Freed = append(e.Freed, k)
			}
			continue
		}
		via, _ := l.lobby.Link(k.Link)
		s := l.lobby.SessionOf(k)
		line := newlyRefused(before.Admits(via, s), after.Admits(via, s))
		switch k.Status {
		case lobby.Waiting:
			if line != "" {
				e.Waiting = append(e.Waiting, WaitingEffect{k, line})
			}
		case lobby.Admitted:
			_, in := l.inCall[k.Identity]
			kept := takes(before.Rules, after.Rules, k.Permissions)
			f := GuestEffect{
				Knock: k, InCall: in, Stays: line,
				LosesShare: k.Permissions.Share && !kept.Share, LosesFiles: k.Permissions.Files && !kept.Files,
			}
			if f.LosesShare || f.LosesFiles || f.Stays != "" {
				e.Guests = append(e.Guests, f)
			}
		}
	}
	for identity, in := range l.inCall {
		_, agent := l.seatByIdentity(identity)
		if agent && after.Rules.MustKnock(in.Role) && !before.Rules.MustKnock(in.Role) {
			e.Lobby = append(e.Lobby, in)
		}
	}
	slices.SortFunc(e.Lobby, func(a, b Participant) int { return cmp.Compare(a.Identity, b.Identity) })
	switch {
	case !before.Rules.KeepChat && after.Rules.KeepChat:
		e.Chat = ChatKept
	case before.Rules.KeepChat && !after.Rules.KeepChat:
		e.Chat, e.Stored = ChatNotKept, len(l.record.times)
	}
	if lost := takes(before.Rules, after.Rules, lobby.Everything()); !lost.Files {
		e.Files = l.files.ofGuests()
	}
	e.Heard = len(l.inCall) > 0 && before.Rules != after.Rules
	return e
}

// newlyRefused is the line by which something is refused that was not.
func newlyRefused(before, after error) string {
	if refused, ok := errors.AsType[*profile.RefusedError](after); ok && before == nil {
		return refused.Line
	}
	return ""
}

func linkEffect(before, after profile.Terms, v link.Link, now time.Time) (LinkEffect, bool) {
	was, err := before.Way(v)
	if err != nil || v.Revoked() || !now.Before(was.ExpiresAt) || !was.ValidFrom.Before(was.ExpiresAt) {
		return LinkEffect{}, false // it does not work now
	}
	will, err := after.Way(v)
	if refused, ok := errors.AsType[*profile.RefusedError](err); ok {
		return LinkEffect{Link: v, Line: refused.Line}, true
	}
	switch {
	case !now.Before(will.ExpiresAt), !will.ValidFrom.Before(will.ExpiresAt):
		return LinkEffect{Link: v, Line: "link_hours"}, true
	case will.ExpiresAt.Before(was.ExpiresAt), now.Before(will.ValidFrom) && was.ValidFrom.Before(will.ValidFrom):
		return LinkEffect{Link: v, Line: "link_hours", From: will.ValidFrom, Until: will.ExpiresAt}, true
	}
	return LinkEffect{}, false
}
