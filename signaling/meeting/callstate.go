package meeting

import (
	"encoding/json"
	"maps"
	"sync"
)

// CallState is what everybody in a call is told about it: the metadata of its room, so
// that late joiners and those who come back have it with the room itself. The server
// alone writes it.
type CallState struct {
	// NoHost is there once the last host has left, until one is back.
	NoHost *NoHost `json:"no_host,omitempty"`
}

// callState is what holds now.
func (l *live) callState() CallState { return CallState{NoHost: l.noHost()} }

// attributesOf is what everybody in the call is told about one who is in it, besides
// name and role: participant attributes, "" for one that goes.
func (l *live) attributesOf(p Participant) map[string]string {
	return map[string]string{"aparte.role": string(p.Role)}
}

// words are what the call was to be told last: a room's metadata and attributes of
// those in it. Decisions are made in order, but carried out by whoever asked for them,
// several at a time; so the newest words go out, in order, and older ones never after.
type words struct {
	mu   sync.Mutex // held while the call is told
	next struct {
		mu         sync.Mutex
		text       string
		attributes map[string]map[string]string // by identity
		again      map[string]bool              // identities to tell anew
	}
	text       string
	attributes map[string]map[string]string
}

// set notes what holds now; pending tells whether the call must hear of it.
func (w *words) set(text string, attributes map[string]map[string]string) {
	w.next.mu.Lock()
	defer w.next.mu.Unlock()
	w.next.text, w.next.attributes = text, attributes
}

// repeat has everything be told again, for somebody who came into the call meanwhile.
func (w *words) repeat(identity string) {
	w.next.mu.Lock()
	defer w.next.mu.Unlock()
	if w.next.again == nil {
		w.next.again = make(map[string]bool)
	}
	w.next.again[identity] = true
}

// say tells the call what has changed since it was last told.
func (w *words) say(media Media, room string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next.mu.Lock()
	text, attributes, again := w.next.text, w.next.attributes, w.next.again
	w.next.again = nil
	w.next.mu.Unlock()
	if text != w.text || len(again) > 0 {
		media.Describe(room, text)
		w.text = text
	}
	for identity, now := range attributes {
		if !maps.Equal(w.attributes[identity], now) || again[identity] {
			media.SetAttributes(room, identity, now)
		}
	}
	w.attributes = attributes
}

// news tells whether there is something to say.
func (w *words) news() bool {
	w.next.mu.Lock()
	defer w.next.mu.Unlock()
	return len(w.next.again) > 0
}

// word notes what the call has to hear now.
func (l *live) word() {
	attributes := make(map[string]map[string]string, len(l.inCall))
	for identity, p := range l.inCall {
		if a := l.attributesOf(p); len(a) > 0 {
			attributes[identity] = a
		}
	}
	l.words.set(l.stateText(), attributes)
}

// stateText is the call's state as its room carries it.
func (l *live) stateText() string {
	text, err := json.Marshal(l.callState())
	if err != nil {
		l.cfg.Log.Error("state of the call", "meeting", l.id, "err", err)
		return ""
	}
	return string(text)
}
