package conform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckWantsACaseForEachRowAndClient(t *testing.T) {
	rows := &Rows{Rows: []Row{
		{ID: "a", Clients: []Client{Go, Raw}}, {ID: "b", Missing: "not yet"},
	}}
	good := []Result{{Row: "a", Client: Go, Test: "TestA"}, {Row: "a", Client: Raw, Test: "TestA"}}
	if err := Check(rows, good); err != nil {
		t.Error(err)
	}
	for what, c := range map[string]struct {
		results []Result
		want    string
	}{
		"a client without a case":  {good[:1], `row "a" has no case with raw`},
		"a case without a row":     {append(good[:2:2], Result{Row: "c", Client: Go, Test: "TestC"}), `TestC: there is no row "c"`},
		"a case of another client": {append(good[:2:2], Result{Row: "a", Client: Firefox, Test: "x"}), `does not name the client "firefox"`},
		"a case of a missing row":  {append(good[:2:2], Result{Row: "b", Client: Go, Test: "x"}), `does not name the client "go"`},
	} {
		if err := Check(rows, c.results); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestTable(t *testing.T) {
	rows := &Rows{
		Sections: []Section{{"1", "First"}, {"2", "Empty"}},
		Rows: []Row{
			{ID: "a", Section: "1", Release: "must", Clients: []Client{Go, Raw}, Rule: "a|b"},
			{ID: "b", Section: "1", Release: "should", Clients: []Client{Go}, Rule: "breaks"},
			{ID: "c", Section: "1", Release: "should", Rule: "later", Missing: "no TURN"},
		},
	}
	results := []Result{
		{Row: "a", Client: Raw, Test: "TestRaw", Passed: true, With: "raw"},
		{Row: "a", Client: Go, Test: "TestGo", Passed: true, With: "sdk 1"},
		{Row: "b", Client: Go, Test: "TestGo", With: "sdk 1"},
	}
	got := Table(rows, results, "2026-01-02")
	for _, want := range []string{
		"Last run: 2026-01-02; raw, sdk 1.\n",
		"1 of 3 rows pass, 1 have no case yet.\n",
		"| a | a\\|b | must | go, raw | passes | `TestGo`<br>`TestRaw` |\n",
		"| b | breaks | should | go | **fails** | `TestGo` |\n",
		"| c | later | should |  | missing: no TURN |  |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, "Empty") {
		t.Error("a section without rows is shown")
	}
	if !Same(got, Table(rows, results, "2027-01-02")) {
		t.Error("another date makes another table")
	}
	results[2].Passed = true
	if Same(got, Table(rows, results, "2026-01-02")) {
		t.Error("another result makes the same table")
	}
	if failed := Failed(results); len(failed) > 0 {
		t.Errorf("failed: %v", failed)
	}
}

func TestResultsOfTheLastRunCount(t *testing.T) {
	dir := t.TempDir()
	if _, err := Results(dir); err == nil {
		t.Error("no results are fine")
	}
	rec, err := NewRecorder(dir, "go")
	if err != nil {
		t.Fatal(err)
	}
	for _, passed := range []bool{false, true} {
		if err := rec.Add(Result{Row: "a", Client: Go, Test: "TestA", Passed: passed}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Results(dir)
	if err != nil || len(got) != 1 || !got[0].Passed {
		t.Errorf("%v, %v", got, err)
	}
	if err := (&Recorder{}).Add(Result{}); err != nil {
		t.Error(err)
	}
}

func TestReadRefusesWhatTheTableCannotShow(t *testing.T) {
	if _, err := Read("../../../../docs/conformance.json"); err != nil {
		t.Error(err)
	}
	for text, want := range map[string]string{
		`{"rows":[{"id":"a","rule":"r","release":"must","section":"1","clients":["go"]}]}`:                                                   "no section",
		`{"sections":[{"id":"1","title":"T"}],"rows":[{"id":"a","rule":"r","release":"maybe","section":"1","clients":["go"]}]}`:              "maybe",
		`{"sections":[{"id":"1","title":"T"}],"rows":[{"id":"a","rule":"r","release":"must","section":"1"}]}`:                                "why they are missing",
		`{"sections":[{"id":"1","title":"T"}],"rows":[{"id":"a","rule":"r","release":"must","section":"1","clients":["go"],"missing":"m"}]}`: "why they are missing",
		`{"sections":[{"id":"1","title":"T"}],"rows":[{"id":"a","rule":"r","release":"must","section":"1","clients":["opera"]}]}`:            "opera",
		`{"sections":[{"id":"1","title":"T"}],"rows":[{"id":"a","release":"must","section":"1","clients":["go"]}]}`:                          "no rule",
		`{"rows":[{"ID2":"a"}]}`: "unknown field",
	} {
		path := filepath.Join(t.TempDir(), "rows.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
