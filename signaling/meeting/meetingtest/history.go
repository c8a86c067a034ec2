package meetingtest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"aparte/signaling/lobby"
)

// History is what was asked of one meeting's lobby during one life of a server.
// Methods may be called from any goroutine.
type History struct {
	mu       sync.Mutex
	clock    int64 // grows with each beginning and each answer
	subjects map[string]*subject
	calls    []*Call
}

// subject is a guest's session or a link, of which a state is known.
type subject struct {
	link  string // revoking it concerns the subject
	first State
}

// Call is a request of a History.
type Call struct {
	history  *History
	on       string // a subject's name, a link's for Revoke and Reissue, "" for End
	in       input
	out      output
	begun    int64
	ended    int64
	wasEnded bool
}

// NewHistory makes an empty history.
func NewHistory() *History { return &History{subjects: make(map[string]*subject)} }

// Add names a guest's session, or a link (whose name is its own link's), that
// requests will be about, and what is known of it at first.
func (h *History) Add(name, link string, first State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.subjects[name] = &subject{link, first}
}

// Begin notes that something is asked: on is the name of a guest or, for
// MakeLink, Revoke and Reissue, of a link; End is on nobody. Remove and SendBack are
// of an identity, Join of an admission.
func (h *History) Begin(act Act, on, of string) *Call {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock++
	c := &Call{history: h, on: on, in: input{act, of}, begun: h.clock}
	h.calls = append(h.calls, c)
	return c
}

func (c *Call) end(out output) {
	c.history.mu.Lock()
	defer c.history.mu.Unlock()
	c.history.clock++
	c.out, c.ended, c.wasEnded = out, c.history.clock, true
}

// Done notes that it was acknowledged: with the status that a knock has then,
// and the identity of an admission, where they were said.
func (c *Call) Done(status lobby.Status, identity string) {
	c.end(output{answer: done, status: status, identity: identity})
}

// Claimed notes that a media token was given, for an identity by an admission.
func (c *Call) Claimed(identity, admission string) {
	c.end(output{answer: done, identity: identity, admission: admission})
}

// Refused notes that the rules do not allow it.
func (c *Call) Refused() { c.end(output{answer: refused}) }

// Limited notes that it was refused because it was too often or too much.
func (c *Call) Limited() { c.end(output{answer: limited}) }

// Saw notes what a Look found.
func (c *Call) Saw(s State) { c.end(output{answer: done, seen: s}) }

// Answered counts what was acknowledged, by act.
func (h *History) Answered() map[Act]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	counts := make(map[Act]int)
	for _, c := range h.calls {
		if c.out.answer == done {
			counts[c.in.act]++
		}
	}
	return counts
}

// searchTime is how long one guest's requests may be searched for an order. They
// take milliseconds; a search without end would be a failure as well.
const searchTime = time.Minute

// Check returns a violation for each guest and link whose answers cannot be
// explained, and nil if all can.
func (h *History) Check() []error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var violations []error
	for name, s := range h.subjects {
		calls := h.concerning(name, s)
		operations := make([]porcupine.Operation, len(calls))
		for i, c := range calls {
			ended := c.ended
			if c.out.answer == unanswered { // it may happen at any time, or never
				ended = h.clock + 1
			}
			operations[i] = porcupine.Operation{ClientId: i, Input: c.in, Output: c.out, Call: c.begun, Return: ended}
		}
		switch porcupine.CheckOperationsTimeout(model(s.first), operations, searchTime) {
		case porcupine.Illegal:
			violations = append(violations, fmt.Errorf("%s: no order explains these answers:\n%s", name, tell(s.first, calls)))
		case porcupine.Unknown:
			violations = append(violations, fmt.Errorf("%s: cannot be decided in %s:\n%s", name, searchTime, tell(s.first, calls)))
		}
	}
	slices.SortFunc(violations, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return violations
}

func (h *History) concerning(name string, s *subject) []*Call {
	var all []*Call
	for _, c := range h.calls {
		switch c.in.act {
		case End:
			all = append(all, c)
		case Revoke:
			if c.on == s.link {
				all = append(all, c)
			}
		case Reissue: // the link itself goes on
			if c.on == s.link && name != s.link {
				all = append(all, c)
			}
		default:
			if c.on == name {
				all = append(all, c)
			}
		}
	}
	return all
}

func model(first State) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return first },
		Step: func(state, in, out any) (bool, any) { return step(state.(State), in.(input), out.(output)) },
	}
}

// tell shows a history to whoever has to find out what went wrong.
func tell(first State, calls []*Call) string {
	var text strings.Builder
	fmt.Fprintf(&text, "      at first %+v\n", first)
	for _, c := range calls {
		until := "…"
		if c.wasEnded {
			until = fmt.Sprint(c.ended)
		}
		fmt.Fprintf(&text, "%5d %5s %s", c.begun, until, c.in.act)
		if c.in.of != "" {
			fmt.Fprintf(&text, " %s", c.in.of)
		}
		switch o := c.out; {
		case c.in.act == Look && o.answer == done:
			fmt.Fprintf(&text, ": %+v\n", o.seen)
		case o.answer == done:
			fmt.Fprintf(&text, ": done %s %s %s\n", o.status, o.identity, o.admission)
		default:
			fmt.Fprintf(&text, ": %s\n", map[answer]string{unanswered: "unanswered", refused: "refused", limited: "limited"}[o.answer])
		}
	}
	return text.String()
}
