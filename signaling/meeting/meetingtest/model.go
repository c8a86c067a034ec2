package meetingtest

import (
	"cmp"

	"aparte/signaling/lobby"
)

// Act is what was asked.
type Act string

// The requests of guests, and of hosts.
const (
	Enter    Act = "enter" // open a link: the session is there from now on
	Knock    Act = "knock"
	Withdraw Act = "withdraw"
	Claim    Act = "claim" // ask for a media token
	Join     Act = "join"  // use a media token

	MakeLink Act = "make link"
	Revoke   Act = "revoke"
	Reissue  Act = "issue anew" // to the guests of the link what Revoke is
	Admit    Act = "admit"
	Deny     Act = "deny"
	Remove   Act = "remove"
	SendBack Act = "send back"
	Ban      Act = "ban"
	Lift     Act = "lift"
	End      Act = "end"

	Look Act = "look"
)

// State is what is known of a guest's session or, with nothing but Known,
// Revoked and Ended, of a link.
type State struct {
	Known    bool         // it exists
	Status   lobby.Status // of the knock; "" before the first
	Banned   bool         // denied for good
	Identity string       // of an admission; Unnoted if nobody was told
	Revoked  bool         // its link, or that was issued anew
	Ended    bool         // its meeting

	// Admission is that of the media tokens, once one was claimed; Look does not
	// find it. Who was sent back has the identity of before, and another admission.
	Admission string
}

// Unnoted is the identity of an admission that was not acknowledged.
const Unnoted = "?"

// answer is how a request ended.
type answer int

const (
	unanswered answer = iota // or with a failure: it may have happened
	done
	refused
	limited // too many, too often: nothing happened, whatever the state
)

// output is what came back of a request.
type output struct {
	answer    answer
	status    lobby.Status // after a knock; "" was not said
	identity  string       // of the admission
	admission string       // Claim
	seen      State        // Look
}

// input is a request.
type input struct {
	act Act
	of  string // Remove, SendBack: whose identity; Join: by which admission
}

// step says whether a request can have been answered so in a state, and what
// the state is then.
func step(s State, in input, out output) (bool, State) {
	if in.act == Look {
		return out.answer == unanswered || s.looksLike(out.seen), s
	}
	after, possible := s.after(in, out)
	switch out.answer {
	case done:
		return possible && out.fits(after), after
	case refused:
		return !possible, s
	case limited:
		return true, s
	default: // that it never happened is the same as that it happens last
		if !possible {
			after = s
		}
		return true, after
	}
}

func (o output) fits(s State) bool {
	return (o.status == "" || o.status == s.Status) && (o.identity == "" || same(o.identity, s.Identity))
}

func same(a, b string) bool { return a == b || a == Unnoted || b == Unnoted }

func (s State) looksLike(seen State) bool {
	return s.Known == seen.Known && s.Status == seen.Status && s.Banned == seen.Banned && s.Revoked == seen.Revoked && s.Ended == seen.Ended &&
		(s.Status != lobby.Admitted || same(s.Identity, seen.Identity))
}

// after says what a request does, and whether it is possible at all.
func (s State) after(in input, out output) (State, bool) {
	admitted := s.Status == lobby.Admitted && !s.Revoked && !s.Ended
	switch in.act {
	case MakeLink, Enter:
		possible := !s.Known && !s.Ended && (in.act == MakeLink || !s.Revoked)
		s.Known = true
		return s, possible
	case Revoke:
		s.Revoked = true
		return s.lapsed(), true
	case Reissue:
		s.Revoked = true
		return s.lapsed(), !s.Ended
	case End:
		s.Ended = true
		return s.lapsed(), true
	case Claim:
		if out.admission != "" {
			admitted = admitted && (s.Admission == "" || s.Admission == out.admission)
			s.Admission = out.admission
		}
		return s, admitted
	case Join:
		return s, admitted && in.of != "" && in.of == s.Admission
	case Withdraw:
		return s.move(lobby.Withdrawn, lobby.Waiting)
	}
	if s.Ended {
		return s, false
	}
	switch in.act {
	case Knock:
		if s.Revoked || s.Status == lobby.Denied {
			return s, false
		}
		if s.Status != lobby.Admitted && s.Status != lobby.Waiting {
			s.Status, s.Identity = lobby.Waiting, ""
		}
		return s, true
	case Admit:
		was := s.Status
		s, possible := s.move(lobby.Admitted, lobby.Waiting)
		if was == lobby.Waiting {
			s.Admission = ""
			if s.Identity == "" || s.Identity == Unnoted { // else it was sent back, and stays the same
				s.Identity = cmp.Or(out.identity, Unnoted)
			}
		}
		return s, possible && !s.Revoked
	case Deny:
		return s.move(lobby.Denied, lobby.Waiting)
	case Remove, SendBack:
		if !admitted || !same(in.of, s.Identity) {
			return s, false
		}
		s.Status = lobby.Denied
		if in.act == SendBack {
			s.Status = lobby.Waiting
		}
		return s, true
	case Ban:
		if s.Status == "" {
			return s, false
		}
		s.Status, s.Banned = lobby.Denied, true
		return s, true
	case Lift:
		if s.Status != lobby.Denied {
			return s, false
		}
		s.Status, s.Banned = lobby.Expired, false
		return s, true
	default:
		return s, false
	}
}

// move is a decision that may be repeated.
func (s State) move(to, from lobby.Status) (State, bool) {
	if s.Status != from && s.Status != to {
		return s, false
	}
	s.Status = to
	return s, true
}

// lapsed: whoever waits or is in goes without a decision about them.
func (s State) lapsed() State {
	if s.Status == lobby.Waiting || s.Status == lobby.Admitted {
		s.Status = lobby.Expired
	}
	return s
}
