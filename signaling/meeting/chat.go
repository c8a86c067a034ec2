package meeting

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/name"
	"aparte/signaling/profile"
	"aparte/signaling/role"
	"aparte/signaling/throttle"
)

// What is written in the call. The server says who wrote: a request carries a text and
// for whom it is, nothing else. Messages are kept in memory until the meeting ends, on
// disk only where the security profile says so (keeping.go), and go to those in the call
// as data packets of the server.

// chatTopic is that of packets with a Message.
const chatTopic = "aparte.chat"

// maxKept is how many messages of a call are kept for those who come back; the oldest go.
const maxKept = 1000

// chatRate is how often somebody may write.
var chatRate = throttle.Rate{Every: time.Second / 5, Burst: 5}

// For whom a message is, besides the identity of one who is in the call.
const (
	ToEveryone = "everyone"
	ToHosts    = "hosts"
)

// Why something said in the call is refused.
var (
	ErrNotInCall    = errors.New("not in the call")
	ErrChatClosed   = errors.New("a host has not given this person the right to write")
	ErrForbidden    = errors.New("a host has forbidden it to everybody")
	ErrNotPrivately = errors.New("the security profile of the meeting allows no such private message")
	ErrNoReader     = errors.New("no host is in the call to read it")
)

// TooOftenError says how long to wait before the next.
type TooOftenError struct{ Wait time.Duration }

func (e *TooOftenError) Error() string { return "too often, wait " + e.Wait.String() }

// Message is one that was written in the call.
type Message struct {
	Seq      int64 // order in the call, from 1; gaps are messages for others, and restarts
	From     string
	FromName string
	Role     role.Role // of who wrote, then
	To       string    // ToEveryone, ToHosts or an identity
	ToName   string    // of that identity
	Text     string    // "" with a file
	At       time.Time
	File     *File // nil: none; never changed, only replaced

	readers []string // identities; nil: everybody
	kept    bool     // is stored, too
}

// readBy tells whether a message is for an identity.
func (m Message) readBy(identity string) bool {
	return m.readers == nil || slices.Contains(m.readers, identity)
}

// chat is what was written, and by whom how often.
type chat struct {
	seq     int64
	kept    []Message
	since   map[string]int64 // by grant: the first message after they came in
	written map[string]throttle.Bucket
}

// arrived notes that somebody is in, by their grant: what was written before is not for
// them; nothing is lost to who comes back by the same. It returns the first message that
// is for them, and whether they are new.
func (c *chat) arrived(grant string) (first int64, fresh bool) {
	if c.since == nil {
		c.since = make(map[string]int64)
	}
	first, before := c.since[grant]
	if !before {
		first = c.seq + 1
		c.since[grant] = first
	}
	return first, !before
}

// read is what somebody in the call may see, oldest first.
func (c *chat) read(p Participant) []Message {
	seen := make([]Message, 0)
	for _, m := range c.kept {
		if c.mayRead(p, m) {
			seen = append(seen, m)
		}
	}
	return seen
}

// mayRead tells whether a message is for somebody in the call.
func (c *chat) mayRead(p Participant, m Message) bool {
	return m.Seq >= c.since[p.grant] && m.readBy(p.Identity)
}

// forget leaves the oldest message out. One with a file stays for as long as the file:
// without it nobody would find the file, not even to delete it.
func forget(kept []Message) []Message {
	i := slices.IndexFunc(kept, func(m Message) bool { return m.File == nil || m.File.Deleted })
	if i <= 0 {
		return kept[1:] // what is cut off goes when the rest has to move
	}
	return slices.Concat(kept[:i], kept[i+1:])
}

// InCall is somebody who acts in a call: an agent or a guest, known by the session. Who
// they are to the others is looked up at every act.
type InCall struct {
	meeting string
	person  person
}

// person is an asker who may have a place in the call.
type person interface {
	as(l *live, now time.Time) (role.Role, error)
	actor() audit.Actor
	identity(l *live) string // "" if none
	self(l *live) (person, called string)
}

// AsAgent is an agent in the call of a meeting.
func AsAgent(by Agent, id string) InCall { return InCall{id, byAgent{by}} }

// AsGuest is a guest in the call of their meeting.
func AsGuest(c Caller) InCall { return InCall{c.meeting, bySession{c.session}} }

func (b byAgent) identity(l *live) string {
	seat, _ := l.seatOf(b.agent.Session)
	return seat.Identity
}

func (b bySession) identity(l *live) string {
	k, _ := l.lobby.KnockOf(b.session)
	in, ok := l.lobby.Admission(k.Admission)
	if !ok {
		return ""
	}
	return in.Identity
}

// participant is who the person is in the call now.
func (l *live) participant(who person) (Participant, error) {
	if l.meeting.State == Ended {
		return Participant{}, ErrEnded
	}
	p, in := l.inCall[who.identity(l)]
	if !in {
		return Participant{}, ErrNotInCall
	}
	return p, nil
}

// may refuses what somebody in the call was not given, or what is forbidden to all.
func (l *live) may(p Participant, what role.Command) error {
	switch what {
	case role.Chat, role.ChatPrivate:
		g, err := l.grantOf(p.Identity)
		if err == nil && !g.Permissions.Chat {
			err = ErrChatClosed
		}
		return err
	case role.React:
		return l.mayAll(p, l.meeting.Forbidden.React || l.taken.all.React)
	case role.RaiseHand:
		return l.mayAll(p, l.meeting.Forbidden.Hand || l.taken.all.Hand)
	}
	return nil
}

func (l *live) mayAll(p Participant, forbidden bool) error {
	if forbidden && !p.Role.Moderates() {
		return ErrForbidden
	}
	return nil
}

// mayPrivately tells, by the security profile, who may write privately: to the hosts
// (toHost), or from one of them, or to anybody.
func (l *live) mayPrivately(from Participant, toHost bool) bool {
	switch l.profile.Rules.PrivateMessages {
	case profile.WritingAll:
		return true
	case profile.WritingHosts:
		return toHost || from.Role.Moderates()
	default:
		return false
	}
}

type say struct {
	person
	text, to string
}

func (a say) command() role.Command {
	if a.to == ToEveryone {
		return role.Chat
	}
	return role.ChatPrivate
}

func (a say) do(l *live, now time.Time) (any, error) {
	p, err := l.participant(a.person)
	if err != nil {
		return nil, err
	}
	if err := l.may(p, a.command()); err != nil {
		return nil, err
	}
	text, err := name.Text("text", a.text, name.MaxText)
	if err != nil {
		return nil, err
	}
	m := Message{Seq: l.chat.seq + 1, From: p.Identity, FromName: p.Name, Role: p.Role, To: a.to, Text: text, At: now}
	if err := l.address(&m, p); err != nil {
		return nil, err
	}
	if err := spend(&l.chat.written, p.Identity, chatRate, now); err != nil {
		return nil, err
	}
	if err := l.keep(&m); err != nil {
		return nil, err
	}
	l.post(m)
	l.writeDown(m)
	return m, nil
}

// address says who reads a message.
func (l *live) address(m *Message, from Participant) error {
	switch m.To {
	case ToEveryone:
		return nil
	case ToHosts:
		if !l.mayPrivately(from, true) {
			return ErrNotPrivately
		}
		for identity, p := range l.inCall {
			if p.Role.Moderates() && identity != from.Identity {
				m.readers = append(m.readers, identity)
			}
		}
		if len(m.readers) == 0 {
			return ErrNoReader
		}
	default:
		to, in := l.inCall[m.To]
		switch {
		case !in:
			return &name.Error{At: "to", Reason: "names nobody who is in the call"}
		case to.Identity == from.Identity:
			return &name.Error{At: "to", Reason: "names the sender"}
		case !l.mayPrivately(from, to.Role.Moderates()):
			return ErrNotPrivately
		}
		m.ToName = to.Name
		m.readers = []string{to.Identity}
	}
	// The sender reads it too. So the list is never empty: to the call, none means all.
	m.readers = append(m.readers, from.Identity)
	slices.Sort(m.readers)
	return nil
}

// post keeps a message and has the call told.
func (l *live) post(m Message) {
	before := l.chat.kept
	l.chat.seq++
	l.chat.kept = append(before, m)
	if len(l.chat.kept) > maxKept {
		l.chat.kept = forget(l.chat.kept)
	}
	l.undo = append(l.undo, func() {
		l.chat.kept = before
		l.chat.seq--
	})
	l.tellMessage(m)
}

// tellMessage has the call told of a message, or of what became of its file.
func (l *live) tellMessage(m Message) {
	packet := messagePacket{
		Seq: m.Seq, From: m.From, FromName: m.FromName, To: m.To, ToName: m.ToName, Text: m.Text, At: m.At,
	}
	if m.File != nil {
		packet.File = new(filePacket(*m.File))
	}
	l.tellCall(chatTopic, packet, m.readers...)
}

// messagePacket is a Message on the wire.
type messagePacket struct {
	Seq      int64     `json:"seq"`
	From     string    `json:"from"`
	FromName string    `json:"from_name"`
	To       string    `json:"to"`
	ToName   string    `json:"to_name,omitempty"`
	Text     string    `json:"text"`
	At       time.Time `json:"at"`

	File *filePacket `json:"file,omitempty"`
}

// filePacket is a File on the wire.
type filePacket struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Kind       string `json:"kind"`
	Type       string `json:"type"`
	Size       int64  `json:"size"`
	Outside    bool   `json:"outside"`
	Risky      bool   `json:"risky"`
	Suspicious bool   `json:"suspicious"`
	Deleted    bool   `json:"deleted"`
}

// tellCall sends a packet to those identities in the call, or to all.
func (l *live) tellCall(topic string, v any, identities ...string) {
	payload, err := json.Marshal(v)
	if err != nil {
		l.cfg.Log.Error("packet for the call", "meeting", l.id, "topic", topic, "err", err)
		return
	}
	l.orders = append(l.orders, func(call Media, room string) { call.Tell(room, topic, payload, identities...) })
}

// spend takes one of what somebody may do so often.
func spend(spent *map[string]throttle.Bucket, identity string, rate throttle.Rate, now time.Time) error {
	if *spent == nil {
		*spent = make(map[string]throttle.Bucket)
	}
	after, wait, ok := (*spent)[identity].Take(rate, now)
	(*spent)[identity] = after
	if !ok {
		return &TooOftenError{wait}
	}
	return nil
}

type readChat struct{ person }

func (readChat) command() role.Command { return role.ReadChat }

func (a readChat) do(l *live, now time.Time) (any, error) {
	p, err := l.participant(a.person)
	if err != nil {
		return nil, err
	}
	return Messages{Messages: l.chat.read(p), Now: now}, nil
}

// Messages are what somebody may read, oldest first, and the server's time.
type Messages struct {
	Messages []Message
	Now      time.Time
}

// Say writes in the call: to ToEveryone, ToHosts or one who is in it. Refused with
// ErrNotInCall, ErrChatClosed, ErrNotPrivately, ErrNoReader, ErrChatFull, a *name.Error or
// a *TooOftenError.
func (m *Meetings) Say(ctx context.Context, who InCall, text, to string) (Message, error) {
	return answer[Message](ctx, m, who.meeting, say{who.person, text, to})
}

// Said is what was written and is for this person: public messages since they came in,
// private ones from and to them.
func (m *Meetings) Said(ctx context.Context, who InCall) (Messages, error) {
	return answer[Messages](ctx, m, who.meeting, readChat{who.person})
}
