package meeting

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/role"
)

// What the security profile keeps of the chat (its line keep_chat): messages to
// everybody, stored in the transaction of the batch that decides on them. Private ones
// are never stored. The record outlives the call: hosts read, take away and delete it
// afterwards, until its time is over (Config.KeepChatDays).

// maxKeptChat is how many messages of a meeting are stored. Then nothing more is written
// to everybody there: a record that is promised loses neither its beginning, which a
// flood could push out, nor its end.
const maxKeptChat = 20_000

// keepChatDays is for how many days messages are stored, by default.
const keepChatDays = 90

// ErrChatFull refuses a message that would be kept and for which there is no room.
var ErrChatFull = errors.New("the meeting keeps no more messages: the host can delete those that are kept, or choose a security profile that keeps none")

// KeptChat is what is stored of a meeting's chat.
type KeptChat struct {
	Messages []Message   // the newest, maxKept at most, in order
	Times    []time.Time // when each that is stored was written, in order
	// Arrivals are the first message that is for who came in by a grant.
	Arrivals map[string]int64
}

// record is what the live meeting knows of its stored messages.
type record struct {
	times    []time.Time      // when each was written, in order: they are told apart by nothing else here
	arrivals map[string]int64 // by grant; not stored yet
}

// chatKeptDays is for how many days what is written to everybody now is stored; 0: it is not.
func (l *live) chatKeptDays() int {
	if !l.profile.Rules.KeepChat {
		return 0
	}
	return l.cfg.KeepChatDays
}

// expiry is the time before which stored messages are over.
func (c *Config) expiry(now time.Time) time.Time { return now.AddDate(0, 0, -c.KeepChatDays) }

// keep has a message stored if the profile in force says so.
func (l *live) keep(m *Message) error {
	if l.chatKeptDays() == 0 || m.To != ToEveryone {
		return nil
	}
	if len(l.record.times) >= l.cfg.MaxKeptChat {
		return ErrChatFull
	}
	m.kept = true
	l.changes.Messages = append(l.changes.Messages, *m)
	l.record.times = append(l.record.times, m.At)
	return nil
}

// expire forgets messages whose time is over. Store.ExpireChat deletes them.
func (l *live) expire(now time.Time) {
	before := l.cfg.expiry(now)
	over, _ := slices.BinarySearchFunc(l.record.times, before, time.Time.Compare)
	if over == 0 {
		return
	}
	l.record.times = slices.Clone(l.record.times[over:])
	l.chat.forget(func(m Message) bool { return m.At.Before(before) })
}

// forget takes stored messages out of memory.
func (c *chat) forget(which func(Message) bool) {
	c.kept = slices.DeleteFunc(slices.Clone(c.kept), func(m Message) bool { return m.kept && which(m) })
}

// recall takes up what is stored. The first time it is brought back into the call;
// later, after a commit that failed, memory has it already.
func (l *live) recall(stored KeptChat, first bool, now time.Time) {
	l.record.times = stored.Times
	if !first || l.meeting.State == Ended {
		return
	}
	for i := range stored.Messages {
		stored.Messages[i].kept = true
	}
	l.chat.kept, l.chat.since = stored.Messages, stored.Arrivals
	// What was not stored had numbers, too, which the screens of those in the call know.
	// No call has written more than one message a millisecond: 200 people, five a second.
	if !l.meeting.OpenedAt.IsZero() {
		l.chat.seq = now.Sub(l.meeting.OpenedAt).Milliseconds()
	}
	if n := len(stored.Messages); n > 0 {
		l.chat.seq = max(l.chat.seq, stored.Messages[n-1].Seq)
	}
}

// arrived notes that somebody is in the call, and from which message on they read.
func (l *live) arrived(grant string) {
	if first, is := l.chat.arrived(grant); is {
		if l.record.arrivals == nil {
			l.record.arrivals = make(map[string]int64)
		}
		l.record.arrivals[grant] = first
	}
}

// gatherArrivals has it stored who reads what is kept, once something is.
func (l *live) gatherArrivals() {
	l.changes.Arrivals = nil
	if l.chatKeptDays() > 0 && l.meeting.State != Ended && len(l.record.arrivals) > 0 {
		l.changes.Arrivals = l.record.arrivals
	}
}

// KeptMessages are a stretch of what is stored, oldest first.
type KeptMessages struct {
	Messages []Message
	Total    int  // that are stored of the meeting
	More     bool // there are more after these
	Days     int  // for how many they are stored
}

// Limits of a stretch, in messages.
const (
	keptPage   = 200
	keptExport = 1000
)

type readKept struct{ byAgent }

func (readKept) command() role.Command { return role.ReadKeptChat }

func (readKept) do(l *live, now time.Time) (any, error) {
	return KeptMessages{Total: len(l.record.times), Days: l.cfg.KeepChatDays}, nil
}

type exportKept struct {
	readKept
	after int64
	found int
}

func (a exportKept) do(l *live, _ time.Time) (any, error) {
	l.note(audit.Did(audit.ChatExported).With("messages", strconv.Itoa(a.found)).With("after", strconv.FormatInt(a.after, 10)))
	return struct{}{}, nil
}

type deleteKept struct{ byAgent }

func (deleteKept) command() role.Command { return role.DeleteKeptChat }

func (deleteKept) do(l *live, _ time.Time) (any, error) {
	n := len(l.record.times)
	if n == 0 {
		return 0, nil
	}
	l.note(audit.Did(audit.ChatDeleted).With("messages", strconv.Itoa(n)))
	before := l.chat.kept
	l.undo = append(l.undo, func() { l.chat.kept = before })
	l.changes.Messages, l.changes.ForgetMessages = nil, true
	l.record.times = nil
	l.chat.forget(func(Message) bool { return true })
	return n, nil
}

// ReadKept returns what is stored of a meeting's chat after a message (0: from the
// first on), during the meeting and afterwards.
func (m *Meetings) ReadKept(ctx context.Context, by Agent, id string, after int64) (KeptMessages, error) {
	return m.kept(ctx, by, id, after, keptPage)
}

func (m *Meetings) kept(ctx context.Context, by Agent, id string, after int64, limit int) (KeptMessages, error) {
	out, err := answer[KeptMessages](ctx, m, id, readKept{byAgent{by}})
	if err != nil {
		return KeptMessages{}, err
	}
	all, err := m.cfg.Store.KeptMessages(ctx, id, after, m.cfg.expiry(m.cfg.now()), limit+1)
	out.Messages, out.More = all[:min(len(all), limit)], len(all) > limit
	return out, err
}

// ExportKept is ReadKept in longer stretches, to be taken away: the audit trail tells
// who did.
func (m *Meetings) ExportKept(ctx context.Context, by Agent, id string, after int64) (KeptMessages, error) {
	out, err := m.kept(ctx, by, id, after, keptExport)
	if err != nil {
		return KeptMessages{}, err
	}
	_, err = m.ask(ctx, id, exportKept{readKept: readKept{byAgent{by}}, after: after, found: len(out.Messages)})
	return out, err
}

// DeleteKept deletes all that is stored of a meeting's chat and says how many messages
// that was. Screens that show them keep them until the meeting ends.
func (m *Meetings) DeleteKept(ctx context.Context, by Agent, id string) (int, error) {
	return answer[int](ctx, m, id, deleteKept{byAgent{by}})
}

// maxExpired is how many messages one sweep deletes.
const maxExpired = 5000

// sweepChat deletes stored messages whose time is over.
func (m *Meetings) sweepChat(ctx context.Context) {
	n, err := m.cfg.Store.ExpireChat(ctx, m.cfg.expiry(m.cfg.now()), maxExpired)
	switch {
	case err != nil:
		m.cfg.Log.WarnContext(ctx, "delete chat whose time is over", "err", err)
	case n > 0:
		m.cfg.Log.InfoContext(ctx, "chat whose time is over is deleted", "messages", n)
	}
}
