package meeting

import (
	"errors"
	"fmt"
	"maps"

	"aparte/signaling/lobby"
)

// What hosts take away is taken even if it cannot be stored: a disk that is full must
// keep no host from silencing or removing somebody. The host is told to repeat, so that
// it is stored too (ErrNotStored). What gives is done once it is durable, or not at all.

// ErrNotStored says that what was asked holds in the call, but could not be stored: it is
// in no audit trail, and is forgotten when the process ends. It comes with ErrUnavailable.
var ErrNotStored = errors.New("done in the call, but not stored: repeat it")

// taken are the rights that hosts took away and no disk knows of. They hold in this
// process until a host decides about the same again.
type taken struct {
	all Rights            // from everybody but hosts
	of  map[string]Rights // by keyOf
}

// from takes them from what somebody of that key may do, who is no host.
func (t taken) from(key string, p lobby.Permissions) lobby.Permissions {
	return t.of[key].from(t.all.from(p))
}

// keyOf tells people apart by what stays when they come back: the account of an agent,
// the identity of a guest.
func (l *live) keyOf(identity string) string {
	if seat, ok := l.seatByIdentity(identity); ok {
		return seat.Account
	}
	return identity
}

// taking is what an act takes from some who may be in the call, or from all but hosts.
type taking struct {
	all    bool
	key    string
	rights Rights
}

// decideAnew ends what was taken from one and not stored: a host decides anew.
func (l *live) decideAnew(key string) {
	if _, ok := l.taken.of[key]; ok {
		l.keepTaken()
		delete(l.taken.of, key)
	}
}

// keepTaken lets what was taken be as it was, should the batch not be stored.
func (l *live) keepTaken() {
	before := taken{l.taken.all, maps.Clone(l.taken.of)}
	l.undo = append(l.undo, func() { l.taken = before })
}

// takeAnyway has the call obey what of an act takes away, though it could not be stored.
func (l *live) takeAnyway(out *outcome, unstored error) {
	done := out.close || len(out.leave)+len(out.anyway)+len(out.taking) > 0 || !out.hold.empty()
	out.answer, out.permit, out.orders = nil, nil, nil
	for _, t := range out.taking {
		if t.all {
			l.taken.all = l.taken.all.or(t.rights)
		} else {
			if l.taken.of == nil {
				l.taken.of = make(map[string]Rights)
			}
			l.taken.of[t.key] = l.taken.of[t.key].or(t.rights)
		}
		for identity, p := range l.inCall {
			if p.Role.Moderates() || !t.all && l.keyOf(identity) != t.key {
				continue
			}
			g := Grant{Identity: identity, Role: p.Role, Permissions: t.rights.from(p.may)}
			out.permit = append(out.permit, permitOf(g))
		}
	}
	if out.err == nil {
		l.held = l.held.and(out.hold)
	}
	l.obeyed(*out)
	if out.err == nil && done {
		unstored = fmt.Errorf("%w: %w", ErrNotStored, unstored)
	}
	out.err = unstored
}

// obeyed notes what those in the call may do once it has obeyed.
func (l *live) obeyed(out outcome) {
	for _, who := range out.permit {
		l.words.rule(who)
		if p, in := l.inCall[who.identity]; in {
			p.may = who.may
			l.inCall[who.identity] = p
		}
	}
}
