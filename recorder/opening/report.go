package opening

import (
	"time"

	"aparte/recorder/seal"
)

// Report is what verifying found, for whoever puts it into words.
type Report struct {
	Node     string    `json:"node"`     // whose key was given; "" none, and nothing says who wrote it
	Parts    []Part    `json:"parts"`    // in order
	Findings []Finding `json:"findings"` // what is not as it was written
	More     int       `json:"more"`     // findings beyond those
	// Unclosed is where a recording ends that was not ended. Whether it was a crash or
	// somebody cut off the end nobody can tell.
	Unclosed *Unclosed `json:"unclosed,omitempty"`
	// Stranger is the key that all of it says it is signed with, NODE+ID, where that is not
	// the one that was given: nothing else is known of it then.
	Stranger string `json:"stranger,omitempty"`
	// Text is the same in the words of 'aparte record verify', a line each.
	Text []string `json:"text"`
}

// Part is what one part says of itself, as far as it is believed.
type Part struct {
	Name      string     `json:"name"`
	Part      uint32     `json:"part"` // 0 where it does not say
	Recording string     `json:"recording"`
	Began     *time.Time `json:"began,omitempty"`
	Ended     *time.Time `json:"ended,omitempty"` // of one that was closed
	Segments  uint64     `json:"segments"`
	Lost      uint64     `json:"lost"` // packets that were not recorded
}

// Finding is one thing that is not as it was written.
type Finding struct {
	Kind    seal.Kind `json:"kind"`
	Part    uint32    `json:"part"`    // 0 where it is not of one
	Segment uint64    `json:"segment"` // 0 where it is not of one
}

// Unclosed is where a recording ends.
type Unclosed struct {
	Part     uint32 `json:"part"` // 0: there is none
	Segment  uint64 `json:"segment"`
	Shutdown bool   `json:"shutdown"` // the server was stopped, and said so
}

func newReport(from *seal.Report, key seal.PublicKey) *Report {
	r := &Report{Node: key.Node(), Parts: []Part{}, Findings: []Finding{}, More: from.MoreFindings, Stranger: from.Stranger, Text: []string{}}
	for _, p := range from.Parts {
		one := Part{Name: p.Name, Part: seal.PartNumber(p.Name), Segments: p.Segments}
		if b := p.Binding; b != nil {
			one.Part, one.Recording, one.Began = b.Part, b.Recording, &b.Began
		}
		if c := p.Closing; c != nil {
			one.Ended, one.Lost = &c.Ended, c.Lost
		}
		r.Parts = append(r.Parts, one)
	}
	for _, f := range from.Findings {
		r.Findings = append(r.Findings, Finding{f.Kind, f.Part, f.Segment})
		r.Text = append(r.Text, f.String())
	}
	if from.Unclosed == "" {
		return r
	}
	r.Text = append(r.Text, "not closed: "+from.Unclosed)
	r.Unclosed = &Unclosed{}
	if n := len(r.Parts); n > 0 {
		last := r.Parts[n-1]
		r.Unclosed = &Unclosed{Part: last.Part, Segment: last.Segments, Shutdown: last.Ended != nil}
	}
	return r
}
