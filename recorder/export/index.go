package export

import (
	"time"
)

// IndexName is what the index is called.
const IndexName = "index.json"

// Index is the table of contents of an export. Times in seconds are since the recording
// began.
type Index struct {
	Version   int       `json:"version"` // 1
	Recording string    `json:"recording"`
	Room      string    `json:"room"`
	Began     time.Time `json:"began"`
	Duration  float64   `json:"duration"`
	// Incomplete says why the recording is not all there: it breaks off, is damaged from
	// some place on, or lacks segments. "" where it is whole.
	Incomplete string    `json:"incomplete,omitempty"`
	People     []Person  `json:"people"`
	Files      []File    `json:"files"`
	Skipped    []Skipped `json:"skipped,omitempty"`
	Events     []Event   `json:"events"`
}

// Person is a participant with at least one track, or who was told of otherwise.
type Person struct {
	Identity string `json:"identity"`
	Name     string `json:"name"`           // the last one
	Kind     string `json:"kind,omitempty"` // "host", "agent", "guest"
}

// File is one media file. Its own times begin at 0.
type File struct {
	Name     string `json:"file"`
	Identity string `json:"identity"`
	Track    string `json:"track"`
	Source   string `json:"source"` // "camera", "microphone", "screen_share", "screen_share_audio", "unknown"
	Codec    string `json:"codec"`
	// Start is when its first frame was captured, Duration until the last one.
	Start    float64 `json:"start"`
	Duration float64 `json:"duration"`
	// Approximate: its start, and its pace, are those of arrival; the sender did not
	// tell its clock.
	Approximate bool   `json:"approximate,omitempty"`
	Frames      int    `json:"frames"`
	LostFrames  int    `json:"lost_frames,omitempty"` // that were sent and are not in it, as far as is known
	Sizes       []Size `json:"sizes,omitempty"`       // of the picture
	Holes       []Hole `json:"holes,omitempty"`       // of more than half a second

	place int // of its track
}

// Size is that of a picture from some time on.
type Size struct {
	At     float64 `json:"at"`
	Width  int     `json:"width"`
	Height int     `json:"height"`
}

// Hole is where a file has nothing: its publisher was muted or sent nothing, or what it
// sent was lost.
type Hole struct {
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

// Skipped is a stream without a file.
type Skipped struct {
	Identity string `json:"identity"`
	Track    string `json:"track"`
	Codec    string `json:"codec"`
	Reason   string `json:"reason"`
}

// Event is something that happened, for chapters and captions.
type Event struct {
	At   float64 `json:"at"`
	Kind string  `json:"kind"` // as the journal's records are called
	// What of the following belongs to its kind.
	Identity   string   `json:"identity,omitempty"`
	Name       string   `json:"name,omitempty"`
	Track      string   `json:"track,omitempty"`
	Muted      *bool    `json:"muted,omitempty"`
	Identities []string `json:"identities,omitempty"` // who speaks, the loudest first
	Answer     string   `json:"answer,omitempty"`
	Wording    string   `json:"wording,omitempty"` // of the question that was answered
	Reason     string   `json:"reason,omitempty"`
	Since      *float64 `json:"since,omitempty"` // of a gap
	Packets    uint64   `json:"packets,omitempty"`
	Text       string   `json:"text,omitempty"` // of a message to everybody
}
