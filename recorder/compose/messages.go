package compose

import (
	"slices"
	"time"
	"unicode/utf8"

	"aparte/recorder/export"
)

// How long what was written stays to be read: a while for looking up, and a while for each
// character.
const (
	readLeast = 4 * time.Second
	readMost  = 10 * time.Second
	readFirst = 2 * time.Second
	readEach  = 60 * time.Millisecond
	// messageMost is how many characters of a message are shown.
	messageMost = 200
	// messagesAtOnce is how many are shown at a time: another one takes the place of the
	// oldest.
	messagesAtOnce = 3
	// messageEnd is how long a message is shown at least that came as the film ends.
	messageEnd = time.Second
)

// Message is what somebody wrote to everybody, while it is shown.
type Message struct {
	Span

	Identity, Name, Text string
}

// read gathers what was written, of those who may be shown when they wrote.
func (b *builder) read(events []export.Event) {
	present := map[string]spans{}
	paused := false
	for _, e := range events {
		switch e.Kind {
		case "paused":
			paused = true
		case "resumed", "started":
			paused = false
		}
		if e.Kind != "message" || paused {
			continue
		}
		there, known := present[e.Identity]
		if !known {
			there = b.attendance.present(e.Identity, b.of[e.Identity])
			present[e.Identity] = there
		}
		at := seconds(e.At)
		text := shown(e.Text, messageMost)
		if !there.has(at) || text == "" {
			continue
		}
		from := min(b.tl.at(at), max(b.tl.length-messageEnd, 0))
		b.messages = append(b.messages, Message{Span{from, min(from+reading(text), b.tl.length)}, e.Identity, b.attendance.name(e.Identity, at), text})
		if n := len(b.messages) - messagesAtOnce; n > 0 {
			before := &b.messages[n-1]
			before.To = max(min(before.To, from), before.From)
		}
	}
	// Of many at once some have no time at all.
	b.messages = slices.DeleteFunc(b.messages, func(m Message) bool { return m.length() <= 0 })
}

func reading(text string) time.Duration {
	return min(max(readFirst+time.Duration(utf8.RuneCountInString(text))*readEach, readLeast), readMost)
}
