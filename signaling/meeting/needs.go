package meeting

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/signaling/audit"
	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/profile"
	"aparte/signaling/recording"
)

// Store keeps meetings.
type Store interface {
	// LoadMeeting returns a meeting with everything live about it, or an error
	// that wraps ErrNotFound.
	LoadMeeting(ctx context.Context, id string) (Stored, error)
	// SaveMeeting makes changes durable, all or none.
	SaveMeeting(ctx context.Context, c Changes) error
	// MeetingsOf lists the meetings in which an account has a role, of one post or of all (""),
	// newest first, 500 at most. Present is 0.
	MeetingsOf(ctx context.Context, account, post string) ([]Summary, error)
	// GuestLink finds a link by its id: link.ErrUnknown if there is none.
	GuestLink(ctx context.Context, id string) (link.Link, error)
	// LinkUses is the log of a link, newest first, at most limit lines.
	LinkUses(ctx context.Context, link string, limit int) ([]lobby.Use, error)
	// LobbySession finds a session by the hash of its token: lobby.ErrNoSession
	// if there is none.
	LobbySession(ctx context.Context, tokenHash [32]byte) (lobby.Session, error)
	// WaitingFor lists where somebody waits for an account that hosts, whoever
	// knocked last first, limit at most; who was sent back is counted, but is no
	// new knock.
	WaitingFor(ctx context.Context, account string, now time.Time, limit int) ([]Notice, error)
	// AgentByEmail finds an agent whom the hosts of a meeting may name by the address
	// they sign in with, in lower case: ErrNoAccount if there is none.
	AgentByEmail(ctx context.Context, meeting, email string) (Person, error)
	// Hostless lists the open meetings that the last host has left, longest ago
	// first, at most limit.
	Hostless(ctx context.Context, limit int) ([]string, error)
	// OrphansOf lists the meetings of a post that are not over and that nobody hosts
	// who acts for the post, newest first, at most limit.
	OrphansOf(ctx context.Context, post string, limit int) ([]Meeting, error)
	// KeptMessages lists what is stored of a meeting's chat after a message and was
	// written at a time or later, oldest first, limit at most.
	KeptMessages(ctx context.Context, meeting string, after int64, since time.Time, limit int) ([]Message, error)
	// ExpireChat deletes, of all meetings, messages written before a time, limit at most,
	// and says how many.
	ExpireChat(ctx context.Context, before time.Time, limit int) (int, error)
	// Attendance lists who came to a meeting, newest first, after those that are skipped,
	// limit at most.
	Attendance(ctx context.Context, meeting string, skip, limit int) (Attendance, error)
	// Recordings lists those of a meeting that were started, newest first, limit at most,
	// with what everybody answered and what was decided since.
	Recordings(ctx context.Context, meeting string, limit int) ([]recording.Entry, error)
	// StartedRecording is one of a meeting that was started, without what was answered:
	// recording.ErrNone if there is none.
	StartedRecording(ctx context.Context, meeting, id string) (recording.Entry, error)
	// KeepRecording stores what is decided about one of a meeting that was started, by what
	// is stored of it now, together with the acts' entries in the audit trail: what decide
	// refuses with, or recording.ErrNone. decide may be called twice.
	KeepRecording(ctx context.Context, meeting, id string, decide func(recording.Entry) (recording.Keeping, []audit.Draft, error)) error
	// FindRecordings lists, of all meetings, the recordings that an account has something to
	// do with and that a filter and narrow leave, newest first, limit at most, as Recordings
	// does. Nobody has anything to do with those of a post that they do not act for.
	FindRecordings(ctx context.Context, account string, f RecordingFilter, now time.Time, narrow func(title string) bool, limit int) ([]FoundRecording, error)
	// RecordingsTake says for each post that has any, or for one, how much its recordings take.
	RecordingsTake(ctx context.Context, post string) ([]PostRecordings, error)
	// UnmadeFilms are the films of all meetings that are to be made, in the order of the
	// queue, limit at most. Film is that of a recording, or recording.ErrNone.
	UnmadeFilms(ctx context.Context, limit int) ([]recording.Film, error)
	Film(ctx context.Context, recording string) (recording.Film, error)
	// Recorded lists the meetings whose recording is under way or was interrupted, the
	// longest first, limit at most.
	Recorded(ctx context.Context, limit int) ([]string, error)
	// Downloads lists who took something of a recording away, newest first, limit at most.
	Downloads(ctx context.Context, recording string, limit int) ([]recording.Download, error)
	// DueRecordings lists, of all meetings, what is to be deleted: stopped recordings whose
	// time is over and that nothing holds, those first whose time was over first, and after
	// them those whose deletion began and was tried last at a time or before; limit at most.
	DueRecordings(ctx context.Context, now, tried time.Time, limit int) ([]recording.Recording, error)
	// SeatedIn lists the meetings in which an agent's session has a seat.
	SeatedIn(ctx context.Context, agentSession string) ([]string, error)
	// EnteredAt lists the meetings of a post in which an account has a seat, or waits or
	// is admitted in the lobby.
	EnteredAt(ctx context.Context, account, post string) ([]string, error)
	ProfileStore
}

// ProfileStore keeps the security profiles of the posts.
type ProfileStore interface {
	// Profiles lists a post's profiles in their newest versions: those that ship
	// first, the others by id.
	Profiles(ctx context.Context, post string) ([]profile.Profile, error)
	// ProfileVersions lists a profile's versions, newest first: profile.ErrNotFound
	// if there is none.
	ProfileVersions(ctx context.Context, post, id string) ([]profile.Profile, error)
	// AddProfile adds a version that follows on the newest one, or the first:
	// profile.ErrChanged or ErrExists if it does not. One that is not available is
	// refused with a *profile.UnavailableError while a meeting has the profile.
	AddProfile(ctx context.Context, p profile.Profile, acts ...audit.Draft) error
	// MeetingsWith lists the meetings that have a profile and are not over, newest
	// first, limit at most.
	MeetingsWith(ctx context.Context, post, id string, limit int) ([]string, error)
}

// Stored is a meeting as the store has it.
type Stored struct {
	Meeting Meeting
	// PostZone is the time zone of the meeting's post (IANA).
	PostZone string
	PostName string
	// PostRecipients is how many keys of its own the post has for recordings.
	PostRecipients int
	// Applied is the version of the meeting's profile that it has taken up, Newest
	// the one in force.
	Applied, Newest profile.Profile
	Lobby           lobby.State
	Seats           []Seat
	Chat            KeptChat
	// Recording is the one that has not stopped; nil: none.
	Recording *recording.Recording
}

// RecordingConsent is somebody's answer to a recording.
type RecordingConsent struct {
	Recording string // id
	recording.Consent
}

// Changes are what one step of a live meeting makes durable.
type Changes struct {
	ID           string   // of the meeting
	Meeting      *Meeting // new or changed
	Lobby        lobby.Changes
	Seats        []Seat
	DroppedSeats []string
	// ForgetMessages deletes what is stored of the chat, before Messages are added.
	ForgetMessages bool
	Messages       []Message             // of the chat, to be kept
	Arrivals       map[string]int64      // by grant: the first message that is for who came in by it
	Recordings     []recording.Recording // new or changed; their consents are in Consents
	Consents       []RecordingConsent    // in the order in which they were given
	Downloads      []recording.Download
	Films          []recording.Film // to be made
	FilmsAgain     []recording.Film // to be made again, or in another way; not those under way
	// DroppedRecordings are deleted with their consents and films.
	DroppedRecordings []string
	Visits            []Visit       // comings, and goings with the time of the coming, in order
	Audit             []audit.Draft // in the order in which it was decided
}

func (c Changes) empty() bool {
	return c.Meeting == nil && c.Lobby.Empty() && len(c.Seats) == 0 && len(c.DroppedSeats) == 0 &&
		!c.ForgetMessages && len(c.Messages) == 0 && len(c.Arrivals) == 0 && len(c.Recordings) == 0 && len(c.Consents) == 0 && len(c.Downloads) == 0 && len(c.Films) == 0 && len(c.FilmsAgain) == 0 && len(c.DroppedRecordings) == 0 && len(c.Audit) == 0
}

// Media is what a meeting asks of the call. After Remove and CloseRoom return,
// nothing more is forwarded to or from whom they name; after SetPermission,
// nothing that is not allowed any more; after Silence, nothing from those sources until
// the client opens them again. Describe and SetAttributes change what everybody is told
// of the call and of one who is in it, Tell sends a message of the server. Unknown names
// are no error.
type Media interface {
	Remove(room, identity string, reason livekit.DisconnectReason) bool
	CloseRoom(room string, reason livekit.DisconnectReason) bool
	SetPermission(room, identity string, p *livekit.ParticipantPermission) bool
	Silence(room, identity string, sources ...livekit.TrackSource) bool
	Describe(room, metadata string) bool
	SetAttributes(room, identity string, attributes map[string]string) bool
	Tell(room, topic string, payload []byte, identities ...string) bool
}

// Config is what Meetings are made from. Store, Media, Now and Random are
// required.
type Config struct {
	Store  Store
	Media  Media
	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger // nil: slog.Default
	Lobby  lobby.Limits // zero: lobby.DefaultLimits
	// LastHost says what happens when the last host has left the call, LastHostAfter
	// how long a host has to come back; zero: WaitForHost, 5 minutes.
	LastHost      LastHost
	LastHostAfter time.Duration
	// KeepChatDays is for how many days messages are stored where the security profile
	// keeps them; 0: 90. MaxKeptChat is how many of one meeting; 0: 20,000.
	KeepChatDays int
	MaxKeptChat  int
	// Recorder writes calls down; nil: nothing can be recorded. Kept is what was; it is
	// required where the store has recordings, also if no others can be made.
	Recorder recording.Recorder
	Kept     recording.Kept
	// NoRecipients: recordings have keys to be sealed to at posts alone that have their own.
	NoRecipients bool
	// ServerKey: the server has a key of its own, by which it opens recordings where the
	// security profile lets it: their hosts can watch them there.
	ServerKey bool
	// Film is how films of those are made where no host chooses; zero: recording.DefaultFilm.
	Film recording.FilmChoice
	// KeepRecordingDays is for how many days after its end a recording is kept; 0: 90.
	// RecordingAlone is for how long one goes on while nobody of it is in the call; 0: 5
	// minutes.
	KeepRecordingDays int
	RecordingAlone    time.Duration
	// Quotas are how much the recordings of a post may take.
	Quotas recording.Quotas
	// NewShelf makes the place for the files of one call; nil: no files can be sent.
	NewShelf func() (Shelf, error)
	Files    FileLimits
	// IdleMeetings is how many meetings without anybody are kept in memory; 0: 64.
	IdleMeetings int
	// HostQueue is how many messages wait for a host's socket before it counts
	// as too slow; 0: 512.
	HostQueue int
}

// now is the time as it is stored: UTC, to the millisecond.
func (c *Config) now() time.Time { return c.Now().UTC().Truncate(time.Millisecond) }
