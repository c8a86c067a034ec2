package store

import (
	"path/filepath"
	"strings"
	"testing"

	"aparte/signaling/audit"
)

// Whoever opens the page of a meeting does not have the whole trail of its post read.
func TestDownloadsAreFoundByTheirIndex(t *testing.T) {
	if begins := `{"act":"` + string(audit.RecordingDownloaded) + `",`; len(begins) != 30 || begins != `{"act":"recording.downloaded",` {
		t.Fatalf("an event begins with %q: index and query say otherwise", begins)
	}
	s := open(t, filepath.Join(t.TempDir(), "data"))
	rows, err := s.read.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+downloadsQuery, "M", 10)
	plan, err := collect(rows, err, func(row scanner) (line string, err error) {
		var id, parent, unused int
		err = row.Scan(&id, &parent, &unused, &line)
		return line, err
	})
	if err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(plan, "\n"); !strings.Contains(all, "audit_downloads") {
		t.Errorf("the plan is\n%s", all)
	}
}
