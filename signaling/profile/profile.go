// Package profile holds security profiles: the rules that a kind of meeting keeps, as
// data. Start at Rules, whose every field is a line of a profile; way.go judges by
// which guest links one may come in, defaults.go has the profiles that ship.
//
// A profile is never overwritten: every edit is a new version, and the newest is in
// force in every meeting that names the profile. What a profile needs and this version
// of the program lacks (Needs) makes it unavailable, never weaker.
package profile

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"aparte/signaling/link"
	"aparte/signaling/name"
	"aparte/signaling/role"
)

// Profile is one version of a security profile.
type Profile struct {
	Post    string // whose it is
	ID      string // lower-case letters, digits and hyphens; what meetings name
	Version int    // from 1
	Name    Text
	// Sentence says to everybody in a meeting, in one plain sentence, what holds.
	Sentence Text
	Rules    Rules

	ChangedAt     time.Time // when this version was made; zero: it shipped with the program
	ChangedBy     string    // account
	ChangedByName string
}

// Text is a text in the languages of the product. Administrators write French and
// English; what ships with the program is in all of them, see [Profile.Translated].
type Text struct{ French, English, Arabic string }

// Rules are the lines of a profile; the JSON is what is stored.
type Rules struct {
	// Guests tells whether anybody may come in by a guest link.
	Guests bool `json:"guests"`
	// SharedLinks and PersonalLinks are the kinds of links that let somebody in.
	SharedLinks   bool `json:"shared_links"`
	PersonalLinks bool `json:"personal_links"`
	// PIN demands one of every link.
	PIN bool `json:"pin"`
	// LinkHours is how long a link lives at most, in hours from when it was made or
	// last issued anew; 0: the meeting's own hours, from its start to its end.
	LinkHours int `json:"link_hours"`
	// SpokenCode demands that a host hears a verification code from every guest.
	SpokenCode bool `json:"spoken_code"`
	// Lobby says who has to wait in it.
	Lobby Lobby `json:"lobby"`
	// Encryption is that from end to end.
	Encryption Encryption `json:"encryption"`
	// Recording is that on the server.
	Recording Recording `json:"recording"`
	// GuestShare is whether guests may share their screen, GuestFiles whether they
	// may send files.
	GuestShare Giving `json:"guest_share"`
	GuestFiles Giving `json:"guest_files"`
	// Watermark shows names on the video.
	Watermark bool `json:"watermark"`
	// PrivateMessages says who may write to one person in a call.
	PrivateMessages Writing `json:"private_messages"`
	// KeepChat stores what is written to everybody in a call; private messages never are.
	KeepChat bool `json:"keep_chat"`
	// LastHost says what happens once no host is in the call any more, after
	// LastHostDelay seconds.
	LastHost      LastHost `json:"last_host"`
	LastHostDelay int      `json:"last_host_delay"`
}

// Lobby is who has to wait until a host lets them in.
type Lobby string

// Nobody is spared for having an account under LobbyAllButHosts.
const (
	LobbyGuests      Lobby = "guests"
	LobbyAllButHosts Lobby = "all-but-hosts"
)

// Encryption is end-to-end encryption.
type Encryption string

// Required leaves no way into the call without it; On is what a meeting begins with.
const (
	EncryptionOptional Encryption = "optional"
	EncryptionOn       Encryption = "on"
	EncryptionRequired Encryption = "required"
)

// Recording is recording on the server.
type Recording string

// Sealed recordings can be read with the post's private key alone.
const (
	RecordingConsent    Recording = "consent"
	RecordingSealed     Recording = "sealed"
	RecordingImpossible Recording = "impossible"
)

// Giving is what guests may do.
type Giving string

// Allowed is given with an admission, Granted only by a host's express word, Off
// never.
const (
	Allowed Giving = "allowed"
	Granted Giving = "granted"
	Off     Giving = "off"
)

// Writing is who may write private messages.
type Writing string

// Under WritingHosts a private message is to or from a host.
const (
	WritingAll   Writing = "all"
	WritingHosts Writing = "hosts"
	WritingOff   Writing = "off"
)

// LastHost is what happens without a host.
type LastHost string

// LastHostEnd ends the meeting, LastHostWait goes on without a host, LastHostPromote
// makes an agent in the call a co-host and ends the meeting where there is none.
const (
	LastHostEnd     LastHost = "end"
	LastHostWait    LastHost = "wait"
	LastHostPromote LastHost = "promote"
)

// Limits of what a profile can say.
const (
	// MaxLinkHours is the most that a link may live, in hours.
	MaxLinkHours = int(link.MaxLife / time.Hour)
	// MaxLastHostDelay is in seconds.
	MaxLastHostDelay = 3600
	maxID            = 32
	maxSentence      = 300
)

// Why something about a profile is refused.
var (
	ErrNotFound = errors.New("no such security profile")
	// ErrChanged says that somebody else has edited the profile meanwhile.
	ErrChanged = errors.New("the security profile was changed meanwhile: look at it again")
	ErrExists  = errors.New("there is a security profile of this id")
)

// What can be wrong with a profile, besides its texts (name.Code).
const (
	CodeID              name.Code = "id-form"
	CodeUnknown         name.Code = "unknown-value"
	CodeRange           name.Code = "out-of-range"
	CodeNoWayIn         name.Code = "no-way-in"           // guests, but no kind of link
	CodeNoGuests        name.Code = "no-guests"           // a line about guests, of whom there are none
	CodeSpokenShared    name.Code = "spoken-code-shared"  // a spoken code is for one named person
	CodeNothingToRecord name.Code = "encrypted-recording" // the server has nothing to record
	CodeDelay           name.Code = "delay-without-end"   // a delay before nothing
)

// MustKnock tells whether a role may come in only through the lobby.
func (r Rules) MustKnock(who role.Role) bool {
	return !who.Moderates() && who != role.Server && (who == role.Guest || who == role.Door || r.Lobby == LobbyAllButHosts)
}

var formOfID = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Check returns the profile as it is kept. A refusal is a *name.Error.
func Check(p Profile) (Profile, error) {
	if len(p.ID) < 2 || len(p.ID) > maxID || !formOfID.MatchString(p.ID) {
		return Profile{}, &name.Error{At: "id", Reason: fmt.Sprintf("must be 2 to %d lower-case letters, digits and hyphens", maxID), Code: CodeID}
	}
	for _, text := range []struct {
		at   string
		most int
		of   *string
	}{
		{"name.fr", name.MaxName, &p.Name.French},
		{"name.en", name.MaxName, &p.Name.English},
		{"sentence.fr", maxSentence, &p.Sentence.French},
		{"sentence.en", maxSentence, &p.Sentence.English},
	} {
		kept, err := name.Required(text.at, *text.of, text.most)
		if err != nil {
			return Profile{}, err
		}
		*text.of = kept
	}
	return p.Translated(), p.Rules.check()
}

// check refuses values that do not exist and lines that contradict each other.
func (r Rules) check() error {
	refuse := func(at string, code name.Code, reason string) error {
		return &name.Error{At: "rules." + at, Reason: reason, Code: code}
	}
	for _, word := range []struct {
		at, said string
		of       []string
	}{
		{"lobby", string(r.Lobby), words(LobbyGuests, LobbyAllButHosts)},
		{"encryption", string(r.Encryption), words(EncryptionOptional, EncryptionOn, EncryptionRequired)},
		{"recording", string(r.Recording), words(RecordingConsent, RecordingSealed, RecordingImpossible)},
		{"guest_share", string(r.GuestShare), words(Allowed, Granted, Off)},
		{"guest_files", string(r.GuestFiles), words(Allowed, Granted, Off)},
		{"private_messages", string(r.PrivateMessages), words(WritingAll, WritingHosts, WritingOff)},
		{"last_host", string(r.LastHost), words(LastHostEnd, LastHostWait, LastHostPromote)},
	} {
		if !slices.Contains(word.of, word.said) {
			return refuse(word.at, CodeUnknown, "must be "+strings.Join(word.of[:len(word.of)-1], ", ")+" or "+word.of[len(word.of)-1])
		}
	}
	switch {
	case r.LinkHours < 0 || r.LinkHours > MaxLinkHours:
		return refuse("link_hours", CodeRange, fmt.Sprintf("must be between 0 (the meeting's own hours) and %d", MaxLinkHours))
	case r.LastHostDelay < 0 || r.LastHostDelay > MaxLastHostDelay:
		return refuse("last_host_delay", CodeRange, fmt.Sprintf("must be between 0 and %d seconds", MaxLastHostDelay))
	case r.Guests && !r.SharedLinks && !r.PersonalLinks:
		return refuse("personal_links", CodeNoWayIn, "must be allowed, or shared links: guests come in by nothing else")
	case !r.Guests && r.SharedLinks:
		return refuse("shared_links", CodeNoGuests, "must be off where no guests are allowed")
	case !r.Guests && r.PersonalLinks:
		return refuse("personal_links", CodeNoGuests, "must be off where no guests are allowed")
	case !r.Guests && r.PIN:
		return refuse("pin", CodeNoGuests, "must be off where no guests are allowed")
	case !r.Guests && r.SpokenCode:
		return refuse("spoken_code", CodeNoGuests, "must be off where no guests are allowed")
	case r.SpokenCode && r.SharedLinks:
		return refuse("shared_links", CodeSpokenShared, "must be off with a spoken code: it is for one named person")
	case r.Encryption == EncryptionRequired && r.Recording != RecordingImpossible:
		return refuse("recording", CodeNothingToRecord, "must be impossible where end-to-end encryption is required: the server has nothing to record")
	case r.LastHost == LastHostWait && r.LastHostDelay != 0:
		return refuse("last_host_delay", CodeDelay, "must be 0 where the meeting goes on")
	}
	return nil
}

func words[T ~string](all ...T) []string {
	out := make([]string, len(all))
	for i, w := range all {
		out[i] = string(w)
	}
	return out
}
