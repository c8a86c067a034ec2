package meeting

import (
	"context"
	"slices"
	"time"

	"aparte/signaling/name"
	"aparte/signaling/role"
	"aparte/signaling/throttle"
)

// Reactions are shown for a moment and kept by nobody.

// reactionTopic is that of packets with reactions.
const reactionTopic = "aparte.reaction"

// Reactions that there are.
var knownReactions = []string{"agree", "disagree", "applause", "thanks", "smile"}

var (
	// reactionRate is how often somebody may react.
	reactionRate = throttle.Rate{Every: time.Second / 2, Burst: 2}
	// reactionPackets is how often the whole call is told. In between reactions gather
	// and go in one packet, so that a hall that applauds costs no more than a few people.
	reactionPackets = throttle.Rate{Every: time.Second / 10, Burst: 10}
)

// reactionLife is how long a reaction may wait for the next packet; then it is no news.
const reactionLife = 2 * time.Second

// reactions are those not told yet.
type reactions struct {
	shown map[string]throttle.Bucket // by identity
	told  throttle.Bucket
	wait  []reaction
}

type reaction struct {
	Identity string `json:"identity"`
	Reaction string `json:"reaction"`
	at       time.Time
}

type react struct {
	person
	reaction string
}

func (react) command() role.Command { return role.React }

func (a react) do(l *live, now time.Time) (any, error) {
	p, err := l.participant(a.person)
	if err != nil {
		return nil, err
	}
	if err := l.may(p, role.React); err != nil {
		return nil, err
	}
	if !slices.Contains(knownReactions, a.reaction) {
		return nil, &name.Error{At: "reaction", Reason: "is none of those that there are"}
	}
	if err := spend(&l.reactions.shown, p.Identity, reactionRate, now); err != nil {
		return nil, err
	}
	before, wait := l.reactions, slices.Clone(l.reactions.wait)
	l.undo = append(l.undo, func() { l.reactions.told, l.reactions.wait = before.told, wait })
	if packet := l.reactions.add(reaction{p.Identity, a.reaction, now}, now); len(packet) > 0 {
		l.tellCall(reactionTopic, map[string]any{"reactions": packet})
	}
	return struct{}{}, nil
}

// add takes a reaction and returns what goes out now: nothing, if the call was told too
// often. Of one person the last counts.
func (r *reactions) add(one reaction, now time.Time) []reaction {
	r.wait = slices.DeleteFunc(r.wait, func(before reaction) bool {
		return before.Identity == one.Identity || now.Sub(before.at) > reactionLife
	})
	r.wait = append(r.wait, one)
	after, _, ok := r.told.Take(reactionPackets, now)
	r.told = after
	if !ok {
		return nil
	}
	packet := r.wait
	r.wait = nil
	return packet
}

// React shows a reaction of a closed set to everybody in the call. Refused with
// ErrNotInCall, a *name.Error or a *TooOftenError.
func (m *Meetings) React(ctx context.Context, who InCall, reaction string) error {
	_, err := m.ask(ctx, who.meeting, react{who.person, reaction})
	return err
}
