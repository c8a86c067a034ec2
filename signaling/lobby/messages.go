package lobby

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/name"
	"aparte/signaling/throttle"
)

// Message is a line of the thread between the hosts and a guest who waits. It is
// what was typed, trimmed: showing it as text is the screen's duty.
type Message struct {
	Knock  string
	Seq    int64 // order in the thread, from 1
	ByHost bool
	By     string // account of the host; '' from who waits
	ByName string // as others read it
	Text   string
	At     time.Time
}

// Thread is the messages of a knock in their order. It is replaced, never
// changed, so that two of them are the same if their pointers are.
type Thread struct{ Messages []Message }

// MessageID names a message.
type MessageID struct {
	Knock string
	Seq   int64
}

// ErrNothingSaid refuses a guest's words before a host has written: who holds a
// link must not be able to put text before the hosts by that alone.
var ErrNothingSaid = errors.New("no host has written to this guest")

// TooManyMessagesError says how long to wait before writing again.
type TooManyMessagesError struct{ Wait time.Duration }

func (e *TooManyMessagesError) Error() string {
	return "written too often, wait " + e.Wait.String()
}

// Thread returns what hosts and guest have written, or nil.
func (l *Lobby) Thread(knock string) *Thread { return l.threads[knock] }

// Write is a host's message to a guest who waits.
func (l *Lobby) Write(knock string, by Host, text string, now time.Time) (Knock, error) {
	k, ok := l.knocks[knock]
	if !ok {
		return Knock{}, ErrNoKnock
	}
	kept, err := name.Required("text", text, name.MaxMessage)
	if err != nil {
		return Knock{}, err
	}
	if k.Status != Waiting {
		return k, ErrState
	}
	if err := spend(l.written, by.Account, l.limits.HostMessages, now); err != nil {
		return k, err
	}
	l.say(Message{Knock: k.ID, ByHost: true, By: by.Account, ByName: by.Name, Text: kept, At: now})
	l.Note(audit.Did(audit.KnockMessage).On(audit.Knock, k.ID).With("to", "guest"))
	return k, nil
}

// WriteAll is a host's message to everybody who waits, each in a thread of their
// own. It returns who was written to.
func (l *Lobby) WriteAll(by Host, text string, now time.Time) ([]Knock, error) {
	kept, err := name.Required("text", text, name.MaxMessage)
	if err != nil {
		return nil, err
	}
	if err := spend(l.written, by.Account, l.limits.HostMessages, now); err != nil {
		return nil, err
	}
	var told []Knock
	for _, k := range l.Knocks() {
		if k.Status == Waiting {
			l.say(Message{Knock: k.ID, ByHost: true, By: by.Account, ByName: by.Name, Text: kept, At: now})
			told = append(told, k)
		}
	}
	l.Note(audit.Did(audit.KnockMessage).With("to", strconv.Itoa(len(told))))
	return told, nil
}

// Reply is a waiting guest's answer to the hosts.
func (l *Lobby) Reply(session, text string, now time.Time) (Knock, error) {
	if _, err := l.Session(session, now); err != nil {
		return Knock{}, err
	}
	k, _ := l.KnockOf(session)
	return l.reply(k, text, now)
}

func (l *Lobby) reply(k Knock, text string, now time.Time) (Knock, error) {
	if k.Status != Waiting {
		return Knock{}, ErrState
	}
	if l.threads[k.ID] == nil {
		return Knock{}, ErrNothingSaid
	}
	kept, err := name.Required("text", text, name.MaxMessage)
	if err != nil {
		return Knock{}, err
	}
	if err := spend(l.replied, k.Who(), l.limits.Replies, now); err != nil {
		return Knock{}, err
	}
	l.say(Message{Knock: k.ID, ByName: k.Name, Text: kept, At: now})
	l.Note(audit.Did(audit.KnockMessage).On(audit.Knock, k.ID).With("to", "hosts"))
	return k, nil
}

// spend takes one from a bucket, or says how long to wait.
func spend(buckets map[string]throttle.Bucket, key string, r throttle.Rate, now time.Time) error {
	bucket, wait, ok := buckets[key].Take(r, now)
	if !ok {
		return &TooManyMessagesError{wait}
	}
	buckets[key] = bucket
	return nil
}

// say adds a message to its thread, which keeps the latest.
func (l *Lobby) say(m Message) {
	var before []Message
	if t := l.threads[m.Knock]; t != nil {
		before = t.Messages
		m.Seq = before[len(before)-1].Seq
	}
	m.Seq++
	all := append(slices.Clip(before), m)
	for len(all) > l.limits.ThreadLength {
		l.changes.DroppedMessages = append(l.changes.DroppedMessages, MessageID{m.Knock, all[0].Seq})
		all = all[1:]
	}
	l.threads[m.Knock] = &Thread{all}
	l.changes.Messages = append(l.changes.Messages, m)
}
