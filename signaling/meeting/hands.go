package meeting

import (
	"context"
	"maps"
	"time"

	"aparte/signaling/lobby"
	"aparte/signaling/role"
)

// Raised hands: everybody in the call sees them in the order in which they went up.

// handKept is how long a hand stays up for somebody who has left the call and may come
// back: a reload, a change of network.
const handKept = time.Minute

// hands are those raised. Whoever is away keeps theirs for handKept.
type hands struct {
	last   uint64
	raised map[string]hand // by identity
}

type hand struct {
	order uint64 // grows with each hand of the meeting
	away  time.Time
}

// raise puts a hand up; one that is up keeps its place.
func (h *hands) raise(identity string) {
	if _, up := h.raised[identity]; up {
		return
	}
	if h.raised == nil {
		h.raised = make(map[string]hand)
	}
	h.last++
	h.raised[identity] = hand{order: h.last}
}

func (h *hands) lower(identity string) { delete(h.raised, identity) }

// away notes that somebody has left the call, and forgets who did not come back.
func (h *hands) away(identity string, now time.Time) {
	if up, ok := h.raised[identity]; ok {
		up.away = now
		h.raised[identity] = up
	}
	maps.DeleteFunc(h.raised, func(_ string, up hand) bool { return up.expired(now) })
}

// back notes that somebody is in the call again.
func (h *hands) back(identity string, now time.Time) {
	up, ok := h.raised[identity]
	switch {
	case !ok:
	case up.expired(now):
		h.lower(identity)
	default:
		up.away = time.Time{}
		h.raised[identity] = up
	}
}

func (h hand) expired(now time.Time) bool { return !h.away.IsZero() && now.Sub(h.away) > handKept }

// keepHands lets the hands be as they were, should the batch not be stored.
func (l *live) keepHands() {
	before := hands{l.hands.last, maps.Clone(l.hands.raised)}
	l.undo = append(l.undo, func() { l.hands = before })
}

type raiseHand struct{ person }

func (raiseHand) command() role.Command { return role.RaiseHand }

func (a raiseHand) do(l *live, _ time.Time) (any, error) {
	p, err := l.participant(a.person)
	if err == nil {
		err = l.may(p, role.RaiseHand)
	}
	if err != nil {
		return nil, err
	}
	l.keepHands()
	l.hands.raise(p.Identity)
	return struct{}{}, nil
}

// RaiseHand raises the hand of somebody in the call; one that is up keeps its place.
func (m *Meetings) RaiseHand(ctx context.Context, who InCall) error {
	_, err := m.ask(ctx, who.meeting, raiseHand{who.person})
	return err
}

type lowerOwnHand struct{ person }

func (lowerOwnHand) command() role.Command { return role.LowerOwnHand }

func (a lowerOwnHand) do(l *live, _ time.Time) (any, error) {
	p, err := l.participant(a.person)
	if err != nil {
		return nil, err
	}
	l.keepHands()
	l.hands.lower(p.Identity)
	return struct{}{}, nil
}

// LowerOwnHand lowers the hand of somebody in the call.
func (m *Meetings) LowerOwnHand(ctx context.Context, who InCall) error {
	_, err := m.ask(ctx, who.meeting, lowerOwnHand{who.person})
	return err
}

type lowerHand struct {
	byAgent
	who string // "": everybody
}

func (lowerHand) command() role.Command { return role.LowerHand }

func (a lowerHand) do(l *live, _ time.Time) (any, error) {
	if _, err := a.alive(l); err != nil {
		return nil, err
	}
	if a.who != "" {
		if _, err := l.grantOf(a.who); err != nil {
			return nil, lobby.ErrNoKnock
		}
	}
	l.keepHands()
	if a.who == "" {
		clear(l.hands.raised)
	} else {
		l.hands.lower(a.who)
	}
	return struct{}{}, nil
}

// LowerHand lowers somebody's hand; that it is up is not asked. lobby.ErrNoKnock: nobody is
// of this identity.
func (m *Meetings) LowerHand(ctx context.Context, by Agent, id, identity string) error {
	_, err := m.ask(ctx, id, lowerHand{byAgent{by}, identity})
	return err
}

// LowerHands lowers all hands.
func (m *Meetings) LowerHands(ctx context.Context, by Agent, id string) error {
	_, err := m.ask(ctx, id, lowerHand{byAgent: byAgent{by}})
	return err
}
