package recording

import (
	"context"
	"errors"
	"io"
	"time"

	"aparte/signaling/profile"
	"aparte/signaling/role"
)

// Recorder writes calls down. Its methods may be called from any goroutine.
type Recorder interface {
	// Start makes ready to take a part of a recording, of nobody yet.
	Start(ctx context.Context, o Order) (Capture, error)
}

// Kept is what there is of recordings, whether others can be made or not. Its methods may
// be called from any goroutine.
type Kept interface {
	// Delete deletes everything that there is of a recording; nothing is no error. What
	// one that failed leaves is deleted by the next.
	Delete(ctx context.Context, id string) error
	// Parts lists what there is of a recording, in order; nothing is no error, and
	// ErrStoreAway is one that has lost nothing.
	Parts(ctx context.Context, id string) ([]Part, error)
	// OpenPart opens a part to be read, as it is kept: ErrNone, ErrWriting or ErrStoreAway.
	OpenPart(ctx context.Context, id string, number int) (PartFile, error)
	// OpenFilm opens a file of a take of a recording's film, as it was before it was
	// sealed: ErrNone if it was not made or another is in its place, ErrNoKey, ErrStoreAway.
	OpenFilm(ctx context.Context, id string, take int, file FilmFile) (OpenedFilm, error)
	// NodeKey is what verifies that a recording is this server's.
	NodeKey() (NodeKey, error)
}

// Part is a stretch of a recording: one file. Another one begins where a server went down.
type Part struct {
	Number int   // from 1
	Bytes  int64 // until now
	// Closed tells that nothing more is written to it, be it that the server went down.
	Closed bool
	// BrokenOff: that is all there is of it, and it lacks its closing.
	BrokenOff bool
	SHA256    string // hexadecimal; "": not known yet
	Stored    Stored
}

// Stored is where a part lies.
type Stored string

// Where. Uploading is on this server, and on its way to the store.
const (
	StoredHere      Stored = "here"
	StoredUploading Stored = "uploading"
	StoredThere     Stored = "there"
)

// PartFile is a part that was opened. Whoever has it closes it.
type PartFile struct {
	io.ReadSeekCloser
	Part     Part
	Modified time.Time // when it was last written to
}

// FilmFile is one of the files of a film.
type FilmFile string

// The files of a film.
const (
	TheFilm      FilmFile = "film"
	FilmCaptions FilmFile = "captions" // WebVTT
	FilmChapters FilmFile = "chapters" // JSON: []FilmChapter
)

// FilmChapter is a place of a film to go to.
type FilmChapter struct {
	At    float64 `json:"at"` // seconds from its beginning
	Title string  `json:"title"`
}

// OpenedFilm is a file of a film that was opened: it is decrypted as it is read, a little
// at a time. Whoever has it closes it.
type OpenedFilm struct {
	io.ReadSeekCloser
	Bytes int64
}

// NodeKey is the public half of the key that a server signs its recordings with.
type NodeKey struct {
	Node string // the name it signs under
	Key  string // NAME+ID+KEY (c2sp.org/signed-note), Ed25519
	From time.Time
	// Earlier are those that it signed with before, the last one first.
	Earlier []EarlierKey
}

// EarlierKey is one that a server signed with before. Times that are not known are zero.
type EarlierKey struct {
	Key         string
	From, Until time.Time
}

// Download is that somebody took something of a recording away, or began to. Of one
// person, thing and hour there is one.
type Download struct {
	Recording string // id
	Account   string
	Name      string // of the account; "": there is none any more
	What      Thing
	Part      int // its number
	Extent    Extent
	At        time.Time // last within the hour
}

// Thing is what of a recording somebody gets.
type Thing string

// A part is a file as it was written, a film what was made of all, in the clear.
const (
	ThePart      Thing = "part"
	TheSavedFilm Thing = "film"
)

// Extent is how much of it was asked for.
type Extent string

// The extents. What was taken away before they were kept has none.
const (
	// Nothing: it is only looked at, which is no download.
	Nothing Extent = "nothing"
	Whole   Extent = "whole"
	Range   Extent = "range" // bytes of it
)

// Order is what is to be written down.
type Order struct {
	ID   string // of the recording: 128 bits in base64url, 22 characters
	Part int    // from 1; another one of the same recording after the server went down
	Post string // id
	// Meeting is its id, which is the name of its room, too.
	Meeting        string
	Profile        string // id
	ProfileVersion int
	Policy         profile.Recording
	Watchable      bool   // seal it to the server's own key as well
	AskedBy        string // account
	AskedByName    string
	Purpose        string
	KeepDays       int // from its end
}

// part tells orders apart.
type part struct {
	id   string
	part int
}

func (o Order) part() part { return part{o.ID, o.Part} }

// Capture is a part that is being taken. Calls come one after the other, but for Done
// and Err.
type Capture interface {
	// Allow has what an identity publishes be taken from now on, also if it comes into
	// the call, or publishes, later.
	Allow(identity string)
	// Forbid ends that: after it returns nothing more of them is taken.
	Forbid(identity string)
	// Pause takes nothing of anybody after it returned, until Resume. By is who wanted it,
	// like [Wanted.By].
	Pause(by string)
	Resume(by string)
	// Note writes down what happened.
	Note(e Event)
	// Stop closes the part; it is called once, also after Done. Final: there will be no
	// other part; false where the server stops. By is who wanted it, "" the server.
	Stop(ctx context.Context, final bool, by string) (Summary, error)
	// Done is closed when nothing more can be taken, or after Stop; Err then says why:
	// nil after Stop, ErrNoRoom where the disk is full.
	Done() <-chan struct{}
	Err() error
}

// Summary is what a part became.
type Summary struct {
	Bytes  int64
	Sealed bool
}

// Event is something that happened in the call, about somebody who is recorded.
type Event struct {
	At       time.Time
	Kind     EventKind
	Identity string // "": of the recording itself
	Name     string
	Role     role.Role // of whom is allowed
	Text     string    // of a message
	// Left: whom nothing more is taken of has left the call; false: they took their word back.
	Left bool
}

// EventKind is what happened.
type EventKind string

// Allowed comes before the first of what is taken of somebody, Forbidden after the last.
const (
	EventAllowed   EventKind = "allowed"
	EventForbidden EventKind = "forbidden"
	EventPaused    EventKind = "paused"
	EventResumed   EventKind = "resumed"
	// EventMessage is what somebody wrote to everybody in the call.
	EventMessage EventKind = "message"
)

// What a recorder fails with.
var (
	ErrNoRoom = errors.New("no room to record")
	// ErrWriting says that a part cannot be taken away yet.
	ErrWriting = errors.New("this part of the recording is still being written: stop the recording first")
	// ErrStoreAway says that what is kept of it cannot be asked for now.
	ErrStoreAway = errors.New("where recordings are kept does not answer: try again later")
	// ErrNoKey says that the server has no key that opens it.
	ErrNoKey = errors.New("this server has no key that opens the recording")
	// ErrNoRecorder says that this server has none.
	ErrNoRecorder = errors.New("this server cannot record")
	// ErrFailed says that the recorder did not start.
	ErrFailed = errors.New("the recording could not be started")
	// ErrShutdown says that the server stops.
	ErrShutdown = errors.New("the server stops")
)
