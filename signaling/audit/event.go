// Package audit is the trail of who did what: a chain of events in which each
// carries the hash of the one before, and whose head is signed. Start at Draft,
// which an act fills in, and Head.Append, which makes an Event of it; acts.go
// names the acts; Verifier finds what was tampered with.
//
// What a person typed is never in the chain, only its salted hash. Salt and text
// lie beside the event and can be purged; the chain still verifies.
//
// The hash of an event is SHA-256 of the 32 bytes of the hash before it (zeros
// before the first) followed by the event's canonical form: JSON as RFC 8785
// (JCS) prescribes. All strings in it are printable ASCII and all numbers whole
// ones below 2^53, so that every implementation of JCS agrees, and `jq -cSj` too.
package audit

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"
)

// Installation names the chain of what belongs to no post: the server itself,
// the making of posts, whoever is nobody yet. No post has this id.
const Installation = "installation"

// ActorKind tells who acted.
type ActorKind string

// Who can act. The id of an agent is the account's, that of a guest the lobby
// session's; the server and nobody have none. Nobody is somebody unknown.
const (
	Agent  ActorKind = "agent"
	Guest  ActorKind = "guest"
	Server ActorKind = "server"
	Nobody ActorKind = "nobody"
)

// Actor is who acted.
type Actor struct {
	ID   string    `json:"id"`
	Kind ActorKind `json:"kind"`
}

// Subject is what an act was done to, beside the meeting.
type Subject string

// The subjects of acts; their values are ids.
const (
	Account     Subject = "account"
	Session     Subject = "session" // an agent's
	Link        Subject = "link"
	Visit       Subject = "lobby_session"
	Knock       Subject = "knock"
	Participant Subject = "participant" // an identity in the call
	OfPost      Subject = "post"
	OfRecording Subject = "recording"
)

// Draft is an act as told by whoever decided it. Appending it to a chain makes
// it an Event.
type Draft struct {
	// Post names the chain. Empty: whoever keeps the chains finds it: the post of
	// the meeting, else of the link, else all posts of the account that the act is
	// about or else by, else Installation.
	Post string
	// Within, if not nil, are the only posts whose chains the act may enter: where
	// the one found is none of them it enters all of them, and Installation if
	// there are none. So nobody writes into the chain of a post by naming its ids.
	Within   []string
	Time     time.Time
	Act      Act
	Actor    Actor
	Meeting  string // "" if none
	Subjects map[Subject]string
	// Detail holds words, ids, numbers, times: printable ASCII, and nothing about
	// a person.
	Detail map[string]string
	// Personal holds what a person typed or is known by.
	Personal map[string]string
}

// Did begins the draft of an act. Each method returns the draft with one thing
// more; what is empty is left out.
func Did(act Act) Draft { return Draft{Act: act} }

// By says who acted.
func (d Draft) By(kind ActorKind, id string) Draft {
	d.Actor = Actor{ID: id, Kind: kind}
	return d
}

// On adds what the act was done to.
func (d Draft) On(what Subject, id string) Draft {
	d.Subjects = with(d.Subjects, what, id)
	return d
}

// With adds a detail that says nothing about a person.
func (d Draft) With(field, value string) Draft {
	d.Detail = with(d.Detail, field, value)
	return d
}

// WithTime adds a moment, to the millisecond.
func (d Draft) WithTime(field string, t time.Time) Draft {
	if t.IsZero() {
		return d
	}
	return d.With(field, t.UTC().Format(timeFormat))
}

// WithFlag adds yes or no.
func (d Draft) WithFlag(field string, yes bool) Draft {
	if yes {
		return d.With(field, "yes")
	}
	return d.With(field, "no")
}

// Typed adds a text that a person typed or is known by; only its salted hash
// enters the chain.
func (d Draft) Typed(field, text string) Draft {
	d.Personal = with(d.Personal, field, text)
	return d
}

// with returns the map with one entry more: drafts do not share maps.
func with[K comparable](m map[K]string, key K, value string) map[K]string {
	if value == "" {
		return m
	}
	if m = maps.Clone(m); m == nil {
		m = make(map[K]string, 4)
	}
	m[key] = value
	return m
}

// timeFormat of details; RFC 3339 in UTC, to the millisecond.
const timeFormat = "2006-01-02T15:04:05.000Z"

// Event is an act in its chain. Its fields stand in the order of their JSON
// names, which is how RFC 8785 sorts them.
type Event struct {
	Act      Act                `json:"act"`
	Actor    Actor              `json:"actor"`
	Detail   map[string]string  `json:"detail,omitempty"`
	Meeting  string             `json:"meeting,omitempty"`
	Personal map[string]Digest  `json:"personal,omitempty"`
	Post     string             `json:"post"`
	Seq      uint64             `json:"seq"` // from 1, without gaps
	Subjects map[Subject]string `json:"subjects,omitempty"`
	Time     time.Time          `json:"time"` // UTC, to the millisecond
}

// Canonical is the event as RFC 8785 writes it; an error names what must not be
// in an event.
func (e Event) Canonical() ([]byte, error) {
	if e.Seq >= 1<<53 {
		return nil, fmt.Errorf("audit event: seq %d is too large for JSON", e.Seq)
	}
	text, err := encode(e)
	if err != nil {
		return nil, err
	}
	// All that makes encoding/json differ from RFC 8785 (line separators, broken
	// UTF-8) or a reader see other than is written lies outside of this.
	for _, b := range text {
		if b < ' ' || b > '~' {
			return nil, fmt.Errorf("audit event %s: byte %#x is not printable ASCII (texts of persons belong to Personal)", e.Act, b)
		}
	}
	return text, nil
}

// encode is JSON without the escapes that encoding/json adds for HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode for audit: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// errNotCanonical is about JSON that says the same in other bytes.
var errNotCanonical = errors.New("not in canonical form")

// ParseEvent reads a canonical event and refuses every other writing of it.
func ParseEvent(canonical []byte) (Event, error) {
	var e Event
	if err := decode(canonical, &e); err != nil {
		return Event{}, err
	}
	again, err := e.Canonical()
	if err != nil {
		return Event{}, err
	}
	if !bytes.Equal(again, canonical) {
		return Event{}, errNotCanonical
	}
	return e, nil
}

// decode reads one JSON value and nothing unknown.
func decode(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.InputOffset() != int64(len(text)) {
		return errNotCanonical
	}
	return nil
}

// Hash is a SHA-256, in text lower-case hex.
type Hash [32]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes hex.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (h *Hash) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != len(h) {
		return fmt.Errorf("hash of %d characters", len(text))
	}
	*h = Hash(raw)
	return nil
}
