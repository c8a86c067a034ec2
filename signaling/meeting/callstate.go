package meeting

import (
	"encoding/json"
	"maps"
	"strconv"
	"sync"

	"github.com/livekit/protocol/livekit"

	"aparte/signaling/profile"
	"aparte/signaling/role"
)

// CallState is what everybody in a call is told about it: the metadata of its room, so
// that late joiners and those who come back have it with the room itself. The server
// alone writes it.
type CallState struct {
	Profile CallProfile `json:"profile"`
	Locked  bool        `json:"locked,omitempty"` // nobody new comes in
	// Spotlight are the identities of those in front for everybody, in order.
	Spotlight []string `json:"spotlight,omitempty"`
	// Forbidden is what nobody may do but hosts: names of Rights.
	Forbidden []string `json:"forbidden,omitempty"`
	// NoHost is there once the last host has left, until one is back.
	NoHost *NoHost `json:"no_host,omitempty"`
	Timer  *Timer  `json:"timer,omitempty"`
	// Recording is there while one is asked for or under way, Recordable where hosts may
	// ask for one.
	Recording  *CallRecording `json:"recording,omitempty"`
	Recordable bool           `json:"recordable,omitempty"`
}

// CallProfile is the security profile in force, as everybody in the call is told it.
type CallProfile struct {
	ID        string   `json:"id"`
	Version   int      `json:"version"`
	Name      CallText `json:"name"`
	Sentence  CallText `json:"sentence"`
	Watermark bool     `json:"watermark"` // names are shown on the video
	// PrivateMessages says who may write to one person.
	PrivateMessages profile.Writing `json:"private_messages"`
	// KeepChatDays is for how many days what is written to everybody is stored.
	KeepChatDays int `json:"keep_chat_days,omitempty"`
}

// CallText is a text by language (BCP 47).
type CallText struct {
	French  string `json:"fr"`
	English string `json:"en"`
	Arabic  string `json:"ar,omitempty"`
}

// callState is what holds now.
func (l *live) callState() CallState {
	p := l.profile
	return CallState{
		Profile: CallProfile{
			ID: p.ID, Version: p.Version, Name: CallText(p.Name), Sentence: CallText(p.Sentence), Watermark: p.Rules.Watermark, PrivateMessages: p.Rules.PrivateMessages,
			KeepChatDays: l.chatKeptDays(),
		},
		Locked: l.meeting.Locked, Spotlight: l.inFront(), Forbidden: l.meeting.Forbidden.Names(), NoHost: l.noHost(), Timer: l.timer,
		Recording: l.callRecording(), Recordable: l.recordable() == nil,
	}
}

// attributesOf is what everybody in the call is told about one who is in it, besides
// name and role: participant attributes. One that is not named any more goes.
func (l *live) attributesOf(p Participant) map[string]string {
	a := map[string]string{"aparte.role": string(p.Role)}
	if h, ok := l.hands.raised[p.Identity]; ok {
		a["aparte.hand"] = strconv.FormatUint(h.order, 10)
	}
	if !p.may.Chat {
		a["aparte.chat"] = "off"
	}
	if !p.may.Files {
		a["aparte.files"] = "off"
	}
	if r := l.recording; r != nil && r.State.Begun() {
		a["aparte.recorded"] = "no"
		if p.Role != role.Observer && r.Has(l.keyOf(p.Identity)) {
			a["aparte.recorded"] = "yes"
		}
	}
	return a
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
		changed    bool                         // text, since it was last told
		rulings    map[string]*livekit.ParticipantPermission
		decision   uint64 // the captor's, of which the text tells
	}
	text       string
	attributes map[string]map[string]string
}

// set notes what holds now, and the captor's decision in it; news tells whether the call
// must hear of it.
func (w *words) set(text string, attributes map[string]map[string]string, decision uint64) {
	w.next.mu.Lock()
	defer w.next.mu.Unlock()
	w.next.changed = w.next.changed || text != w.next.text
	w.next.text, w.next.attributes, w.next.decision = text, attributes, decision
}

// rule notes what somebody in the call may do from now on.
func (w *words) rule(who permitting) {
	w.next.mu.Lock()
	defer w.next.mu.Unlock()
	if w.next.rulings == nil {
		w.next.rulings = make(map[string]*livekit.ParticipantPermission)
	}
	w.next.rulings[who.identity] = who.permission
}

// forget ends what is known of somebody who has left.
func (w *words) forget(identity string) {
	w.next.mu.Lock()
	defer w.next.mu.Unlock()
	delete(w.next.rulings, identity)
}

// enforce has the call obey the newest ruling on somebody. Of two rulings that were made
// at the same time the later one holds, whoever is first to carry out theirs.
func (w *words) enforce(media Media, room string, who permitting) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next.mu.Lock()
	newest, ok := w.next.rulings[who.identity]
	w.next.mu.Unlock()
	if !ok {
		newest = who.permission
	}
	media.SetPermission(room, who.identity, newest)
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

// say tells the call what has changed since it was last told, and returns the captor's
// decision that it has then heard of. restrain takes away, before it is told, what that
// decision took away.
func (w *words) say(media Media, room string, restrain func()) uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next.mu.Lock()
	text, attributes, again, decision := w.next.text, w.next.attributes, w.next.again, w.next.decision
	w.next.again, w.next.changed = nil, false
	w.next.mu.Unlock()
	restrain()
	if text != w.text || len(again) > 0 {
		media.Describe(room, text)
		w.text = text
	}
	for identity, now := range attributes {
		before := w.attributes[identity]
		if maps.Equal(before, now) && !again[identity] {
			continue
		}
		if told := withGone(before, now); len(told) > 0 {
			media.SetAttributes(room, identity, told)
		}
	}
	w.attributes = attributes
	return decision
}

// withGone is now, and "" for what there was before and is no more.
func withGone(before, now map[string]string) map[string]string {
	told := maps.Clone(now)
	for name := range before {
		if _, still := now[name]; !still {
			told[name] = ""
		}
	}
	return told
}

// news tells whether there is something to say.
func (w *words) news() bool {
	w.next.mu.Lock()
	defer w.next.mu.Unlock()
	return len(w.next.again) > 0 || w.next.changed
}

// word notes what the call has to hear now.
func (l *live) word() {
	attributes := make(map[string]map[string]string, len(l.inCall))
	for identity, p := range l.inCall {
		attributes[identity] = l.attributesOf(p)
	}
	l.words.set(l.stateText(), attributes, l.captor.Decided())
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
