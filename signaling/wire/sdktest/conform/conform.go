// Package conform joins the rows of docs/conformance.json, which say what the
// LiveKit protocol asks of the server, with the tests that show it.
//
// A test names the rows it proves; what became of it is written as one line of
// JSON. When all clients have run, Table makes docs/conformance.md from rows and
// lines, and Check says which row has no test and which test no row. The browser
// tests (web/e2e/support/conformance.ts) read the same rows and write the same
// lines.
package conform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Client is what a row is proved with.
type Client string

// The clients. Raw is a WebSocket and Pion's connections, for what no SDK does
// by itself.
const (
	Go       Client = "go"
	Raw      Client = "raw"
	Chromium Client = "chromium"
	Firefox  Client = "firefox"
)

// Row is one rule of the protocol.
type Row struct {
	ID      string   `json:"id"`
	Section string   `json:"section"`
	Release string   `json:"release"` // must or should
	Clients []Client `json:"clients"` // each of them has a case
	Rule    string   `json:"rule"`
	// Missing says why there is no case; clients are empty then.
	Missing string `json:"missing,omitempty"`
}

// Rows are all rows, in the table's order.
type Rows struct {
	Sections []Section `json:"sections"`
	Rows     []Row     `json:"rows"`
}

// Section is a part of the table.
type Section struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// Read reads docs/conformance.json and refuses what the table could not show.
func Read(path string) (*Rows, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	var rows Rows
	if err := dec.Decode(&rows); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var faults []error
	seen := map[string]bool{}
	for _, r := range rows.Rows {
		fault := func(format string, args ...any) {
			faults = append(faults, fmt.Errorf("row %q: "+format, append([]any{r.ID}, args...)...))
		}
		switch {
		case r.ID == "" || r.Rule == "":
			fault("has no id or no rule")
		case seen[r.ID]:
			fault("stands there twice")
		case r.Release != "must" && r.Release != "should":
			fault("release is %q", r.Release)
		case !slices.ContainsFunc(rows.Sections, func(s Section) bool { return s.ID == r.Section }):
			fault("there is no section %q", r.Section)
		case (len(r.Clients) == 0) != (r.Missing != ""):
			fault("either clients prove it or it says why they are missing")
		}
		for _, c := range r.Clients {
			if !slices.Contains([]Client{Go, Raw, Chromium, Firefox}, c) {
				fault("there is no client %q", c)
			}
		}
		seen[r.ID] = true
	}
	return &rows, errors.Join(faults...)
}

// Find returns the row with an id, for a case of that client.
func (r *Rows) Find(id string, client Client) (*Row, error) {
	i := slices.IndexFunc(r.Rows, func(row Row) bool { return row.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("there is no row %q in docs/conformance.json", id)
	}
	if row := &r.Rows[i]; slices.Contains(row.Clients, client) {
		return row, nil
	}
	return nil, fmt.Errorf("row %q does not name the client %q", id, client)
}

// Result is what became of one test, for one row.
type Result struct {
	Row    string `json:"row"`
	Client Client `json:"client"`
	Test   string `json:"test"`
	Passed bool   `json:"passed"`
	// With is the version of the client, such as "server-sdk-go v2.13.0".
	With string `json:"with"`
}

// Recorder appends results to a file. Without a file it drops them.
type Recorder struct {
	path string
	mu   sync.Mutex
}

// NewRecorder writes NAME.jsonl in a folder; "" means nowhere.
func NewRecorder(folder, name string) (*Recorder, error) {
	if folder == "" {
		return &Recorder{}, nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	return &Recorder{path: filepath.Join(folder, name+".jsonl")}, nil
}

// Add appends one result.
func (r *Recorder) Add(res Result) error {
	if r.path == "" {
		return nil
	}
	raw, err := json.Marshal(res)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	file, err := os.OpenFile(r.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(append(raw, '\n'))
	return errors.Join(err, file.Close())
}

// Results reads all lines in a folder. Of a test that ran more than once the
// last counts.
func Results(folder string) ([]Result, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no results: run 'make conformance'", folder)
	}
	slices.Sort(files)
	var all []Result
	for _, path := range files {
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(raw)) {
			var res Result
			if err := json.Unmarshal([]byte(line), &res); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			all = slices.DeleteFunc(all, func(old Result) bool {
				return old.Row == res.Row && old.Client == res.Client && old.Test == res.Test
			})
			all = append(all, res)
		}
	}
	return all, nil
}
