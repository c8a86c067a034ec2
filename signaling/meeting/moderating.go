package meeting

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/signaling/audit"
	"aparte/signaling/lobby"
	"aparte/signaling/name"
	"aparte/signaling/role"
)

// What hosts do in the call, to one or to everybody. The call has obeyed before they
// are answered, whatever the clients of those concerned do, and whoever is concerned is
// told who did it.

// Refusals of its own.
var (
	ErrNobody    = errors.New("nobody of that identity may be in the call")
	ErrMayNotNow = errors.New("whoever is asked is not allowed to speak")
)

// MaxInFront is how many may be in the spotlight at a time.
const MaxInFront = 3

// Topics of the server's data packets; the payload is JSON.
const (
	topicModerated = "aparte.moderated" // a Moderated
	topicAsk       = "aparte.ask"       // an Asked
)

// Moderated tells somebody what a host has done to them.
type Moderated struct {
	// What is muted, camera_stopped, share_stopped, spotlit, forbidden or allowed.
	What   string   `json:"what"`
	By     string   `json:"by"` // name of the host
	Rights []string `json:"rights,omitempty"`
	All    bool     `json:"all,omitempty"` // everybody but hosts is concerned
}

// Asked tells somebody what a host asks of them.
type Asked struct {
	What string `json:"what"` // unmute
	By   string `json:"by"`
}

// send has a message of the server go to some who are in the call.
func (l *live) send(topic string, message any, identities ...string) {
	l.orders = append(l.orders, l.message(topic, message, identities)...)
}

// sendAnyway is send of what is done even if it cannot be stored.
func (l *live) sendAnyway(m Moderated, identities ...string) {
	l.anyway = append(l.anyway, l.message(topicModerated, m, identities)...)
}

// message is the order to send a message of the server; none, if it is for nobody.
func (l *live) message(topic string, message any, identities []string) []order {
	if len(identities) == 0 {
		return nil // to the call that would mean everybody
	}
	payload, err := json.Marshal(message)
	if err != nil {
		l.cfg.Log.Error("message to the call", "meeting", l.id, "err", err)
		return nil
	}
	return []order{func(call Media, room string) { call.Tell(room, topic, payload, identities...) }}
}

// silence has what somebody sends go no further until they open it again.
func (l *live) silence(sources []livekit.TrackSource, identities ...string) {
	l.anyway = append(l.anyway, func(call Media, room string) {
		for _, identity := range identities {
			call.Silence(room, identity, sources...)
		}
	})
}

// ordinary are the grants of everybody who may be in the call but for hosts, also of
// those who are about to come in.
func (l *live) ordinary() []Grant {
	var all []Grant
	add := func(id string) {
		if g, err := l.granted(id); err == nil && !g.Role.Moderates() {
			all = append(all, g)
		}
	}
	for id := range l.seats {
		add(id)
	}
	for _, k := range l.lobby.Knocks() {
		if k.Status == lobby.Admitted {
			add(k.Admission)
		}
	}
	return all
}

func identitiesOf(all []Grant) []string {
	out := make([]string, len(all))
	for i, g := range all {
		out[i] = g.Identity
	}
	return out
}

// onOne is part of what hosts do to one participant.
type onOne struct {
	byAgent
	identity string
}

// concerned is who moderates, and whom.
func (a onOne) concerned(l *live) (lobby.Host, Grant, error) {
	h, err := a.alive(l)
	if err != nil {
		return h, Grant{}, err
	}
	g, err := l.grantOf(a.identity)
	if err != nil {
		return h, g, ErrNobody
	}
	return h, g, nil
}

// stop ends what one participant sends from some sources.
func (a onOne) stop(l *live, act audit.Act, what string, sources ...livekit.TrackSource) (any, error) {
	h, g, err := a.concerned(l)
	if err != nil {
		return nil, err
	}
	l.note(audit.Did(act).On(audit.Participant, g.Identity))
	l.silence(sources, g.Identity)
	l.sendAnyway(Moderated{What: what, By: h.Name}, g.Identity)
	return struct{}{}, nil
}

type mute struct{ onOne }

func (mute) command() role.Command { return role.Mute }

func (a mute) do(l *live, _ time.Time) (any, error) {
	return a.stop(l, audit.ParticipantMuted, "muted", livekit.TrackSource_MICROPHONE)
}

// Mute closes somebody's microphone. They may open it again.
func (m *Meetings) Mute(ctx context.Context, by Agent, id, identity string) error {
	_, err := m.ask(ctx, id, mute{onOne{byAgent{by}, identity}})
	return err
}

type stopCamera struct{ onOne }

func (stopCamera) command() role.Command { return role.StopCamera }

func (a stopCamera) do(l *live, _ time.Time) (any, error) {
	return a.stop(l, audit.CameraStopped, "camera_stopped", livekit.TrackSource_CAMERA)
}

// StopCamera stops somebody's camera. They may start it again.
func (m *Meetings) StopCamera(ctx context.Context, by Agent, id, identity string) error {
	_, err := m.ask(ctx, id, stopCamera{onOne{byAgent{by}, identity}})
	return err
}

type stopShare struct{ onOne }

func (stopShare) command() role.Command { return role.StopShare }

func (a stopShare) do(l *live, _ time.Time) (any, error) {
	return a.stop(l, audit.ShareStopped, "share_stopped", livekit.TrackSource_SCREEN_SHARE, livekit.TrackSource_SCREEN_SHARE_AUDIO)
}

// StopShare stops somebody's screen share, picture and sound. They may share again.
func (m *Meetings) StopShare(ctx context.Context, by Agent, id, identity string) error {
	_, err := m.ask(ctx, id, stopShare{onOne{byAgent{by}, identity}})
	return err
}

type muteAll struct{ byAgent }

func (muteAll) command() role.Command { return role.Mute }

func (a muteAll) do(l *live, _ time.Time) (any, error) {
	h, err := a.alive(l)
	if err != nil {
		return nil, err
	}
	all := identitiesOf(l.ordinary())
	l.note(audit.Did(audit.MeetingMuted))
	l.silence([]livekit.TrackSource{livekit.TrackSource_MICROPHONE}, all...)
	l.sendAnyway(Moderated{What: "muted", By: h.Name, All: true}, all...)
	return struct{}{}, nil
}

// MuteAll closes the microphones of everybody but hosts. They may open them again,
// unless speaking is forbidden to all (PermitAll).
func (m *Meetings) MuteAll(ctx context.Context, by Agent, id string) error {
	_, err := m.ask(ctx, id, muteAll{byAgent{by}})
	return err
}

type askUnmute struct{ onOne }

func (askUnmute) command() role.Command { return role.AskUnmute }

func (a askUnmute) do(l *live, _ time.Time) (any, error) {
	h, g, err := a.concerned(l)
	if err != nil {
		return nil, err
	}
	if !g.Permissions.Speak {
		return nil, ErrMayNotNow
	}
	l.note(audit.Did(audit.ParticipantAskedToUnmute).On(audit.Participant, g.Identity))
	l.send(topicAsk, Asked{What: "unmute", By: h.Name}, g.Identity)
	return struct{}{}, nil
}

// AskUnmute asks somebody to open the microphone, which only they can; ErrMayNotNow if
// they are not allowed to.
func (m *Meetings) AskUnmute(ctx context.Context, by Agent, id, identity string) error {
	_, err := m.ask(ctx, id, askUnmute{onOne{byAgent{by}, identity}})
	return err
}

type askUnmuteAll struct{ byAgent }

func (askUnmuteAll) command() role.Command { return role.AskUnmute }

func (a askUnmuteAll) do(l *live, _ time.Time) (any, error) {
	h, err := a.alive(l)
	if err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(l.ordinary(), func(g Grant) bool { return !g.Permissions.Speak })
	l.note(audit.Did(audit.MeetingAskedToUnmute))
	l.send(topicAsk, Asked{What: "unmute", By: h.Name}, identitiesOf(all)...)
	return struct{}{}, nil
}

// AskUnmuteAll asks everybody but hosts who may speak to open the microphone.
func (m *Meetings) AskUnmuteAll(ctx context.Context, by Agent, id string) error {
	_, err := m.ask(ctx, id, askUnmuteAll{byAgent{by}})
	return err
}

type permitAll struct {
	byAgent
	change RightsChange
}

func (permitAll) command() role.Command { return role.PermitAll }

func (a permitAll) do(l *live, _ time.Time) (any, error) {
	h, err := a.alive(l)
	if err != nil {
		return nil, err
	}
	before, after := l.meeting, l.meeting
	after.Forbidden = a.change.forbidden(before.Forbidden)
	unstored := l.taken.all.and(a.change.decided())
	if after.Forbidden == before.Forbidden && unstored == (Rights{}) {
		return struct{}{}, nil
	}
	if unstored != (Rights{}) { // it is decided anew
		l.keepTaken()
		l.taken.all = l.taken.all.without(unstored)
	}
	if after.Forbidden != before.Forbidden {
		l.note(notePermitted(after.Forbidden))
		l.setMeeting(after)
		l.taking = append(l.taking, taking{all: true, rights: after.Forbidden.without(before.Forbidden)})
	}
	all := l.ordinary()
	for _, g := range all {
		l.permit = append(l.permit, permitOf(g))
	}
	told := Moderated{By: h.Name, All: true}
	l.tellForbidden(told, after.Forbidden.without(before.Forbidden.or(unstored)), identitiesOf(all)...)
	l.tellAllowed(told, before.Forbidden.or(unstored).without(after.Forbidden), identitiesOf(all)...)
	return struct{}{}, nil
}

// PermitAll changes what everybody but hosts may do, in the call at once and for whoever
// comes in later. What one person may do is what is allowed to them and to all.
func (m *Meetings) PermitAll(ctx context.Context, by Agent, id string, change RightsChange) error {
	_, err := m.ask(ctx, id, permitAll{byAgent{by}, change})
	return err
}

// tellRights tells somebody which rights they lost and got.
func (l *live) tellRights(by string, before, after lobby.Permissions, identity string) {
	was, is := rightsOf(before), rightsOf(after)
	l.tellForbidden(Moderated{By: by}, was.without(is), identity)
	l.tellAllowed(Moderated{By: by}, is.without(was), identity)
}

func (l *live) tellForbidden(m Moderated, rights Rights, identities ...string) {
	if m.What, m.Rights = "forbidden", rights.Names(); len(m.Rights) > 0 {
		l.sendAnyway(m, identities...)
	}
}

func (l *live) tellAllowed(m Moderated, rights Rights, identities ...string) {
	if m.What, m.Rights = "allowed", rights.Names(); len(m.Rights) > 0 {
		l.send(topicModerated, m, identities...)
	}
}

type spotlight struct {
	byAgent
	identities []string
}

func (spotlight) command() role.Command { return role.Spotlight }

func (a spotlight) do(l *live, _ time.Time) (any, error) {
	h, err := a.alive(l)
	if err != nil {
		return nil, err
	}
	if len(a.identities) > MaxInFront {
		return nil, &name.Error{At: "identities", Reason: "are " + strconv.Itoa(MaxInFront) + " at most"}
	}
	for i, identity := range a.identities {
		if slices.Contains(a.identities[:i], identity) {
			return nil, &name.Error{At: "identities", Reason: "names somebody twice"}
		}
		if _, in := l.inCall[identity]; !in {
			return nil, ErrNobody
		}
	}
	if slices.Equal(l.front, a.identities) {
		return struct{}{}, nil
	}
	for i, identity := range a.identities {
		if !slices.Contains(l.front, identity) {
			l.note(audit.Did(audit.ParticipantSpotlit).On(audit.Participant, identity).With("place", strconv.Itoa(i+1)))
			l.send(topicModerated, Moderated{What: "spotlit", By: h.Name}, identity)
		}
	}
	if len(a.identities) < len(l.front) {
		l.note(audit.Did(audit.SpotlightEnded).With("left", strconv.Itoa(len(a.identities))))
	}
	l.front = slices.Clone(a.identities)
	return struct{}{}, nil
}

// Spotlight puts up to MaxInFront people in front for everybody, in order; nobody, to end
// it. Whoever leaves the call is in front no more.
func (m *Meetings) Spotlight(ctx context.Context, by Agent, id string, identities []string) error {
	_, err := m.ask(ctx, id, spotlight{byAgent{by}, identities})
	return err
}

// inFront are those in the spotlight.
func (l *live) inFront() []string {
	return slices.DeleteFunc(slices.Clone(l.front), func(identity string) bool {
		_, in := l.inCall[identity]
		return !in
	})
}

// stepBack takes somebody who has left out of the spotlight.
func (l *live) stepBack(identity string) {
	l.front = slices.DeleteFunc(slices.Clone(l.front), func(other string) bool { return other == identity })
}

type lock struct {
	byAgent
	locked bool
}

func (lock) command() role.Command { return role.Lock }

func (a lock) do(l *live, _ time.Time) (any, error) {
	if _, err := a.alive(l); err != nil {
		return nil, err
	}
	after := l.meeting
	after.Locked = a.locked
	if after.Locked == l.meeting.Locked {
		return struct{}{}, nil
	}
	act := audit.MeetingUnlocked
	if a.locked {
		act = audit.MeetingLocked
	}
	l.note(audit.Did(act))
	l.setMeeting(after)
	return struct{}{}, nil
}

// Lock closes the meeting to whoever is not in yet, or opens it again. While it is locked
// nobody is let in and no agent but hosts comes in (ErrLocked); guests may knock and wait.
// Whoever was let in before may come back.
func (m *Meetings) Lock(ctx context.Context, by Agent, id string, locked bool) error {
	_, err := m.ask(ctx, id, lock{byAgent{by}, locked})
	return err
}
