package conform

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Check says what does not fit: rows without a case of a client they name, and
// cases without a row.
func Check(rows *Rows, results []Result) error {
	var faults []error
	for _, row := range rows.Rows {
		for _, client := range row.Clients {
			if !slices.ContainsFunc(results, func(r Result) bool { return r.Row == row.ID && r.Client == client }) {
				faults = append(faults, fmt.Errorf("row %q has no case with %s", row.ID, client))
			}
		}
	}
	for _, res := range results {
		if _, err := rows.Find(res.Row, res.Client); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", res.Test, err))
		}
	}
	return errors.Join(faults...)
}

// Failed lists the rows whose last run did not pass.
func Failed(results []Result) (rows []string) {
	for _, r := range results {
		if !r.Passed && !slices.Contains(rows, r.Row) {
			rows = append(rows, r.Row)
		}
	}
	slices.Sort(rows)
	return rows
}

// lastRun begins the only line that differs from run to run: dates and versions.
const lastRun = "Last run: "

// Table writes docs/conformance.md. When says when the results are from.
func Table(rows *Rows, results []Result, when string) string {
	proved, missing := 0, 0
	for _, row := range rows.Rows {
		if row.Missing != "" {
			missing++
		} else if passed(row, results) {
			proved++
		}
	}
	with := map[string]bool{}
	for _, r := range results {
		with[r.With] = true
	}
	var b strings.Builder
	fmt.Fprintf(&b, `# What of the LiveKit protocol is shown to work

Each row is a rule that the server keeps. It is proved by tests against bin/aparte, with the clients that are named:
**go** is an unmodified server-sdk-go, **chromium** and **firefox** run an unmodified livekit-client, **raw** is a WebSocket
with Pion's peer connections, for what no SDK does by itself. *must* and *should* are the protocol's weight for a release.

This page is written by `+"`make conformance`"+` from docs/conformance.json and the results of the tests; do not edit it.

%s%s; %s.

%d of %d rows pass, %d have no case yet.
`, lastRun, when, strings.Join(slices.Sorted(maps.Keys(with)), ", "), proved, len(rows.Rows), missing)
	for _, section := range rows.Sections {
		list := slices.DeleteFunc(slices.Clone(rows.Rows), func(r Row) bool { return r.Section != section.ID })
		if len(list) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n| row | rule | | client | result | tests |\n|---|---|---|---|---|---|\n", section.Title)
		for _, row := range list {
			writeRow(&b, row, results)
		}
	}
	return b.String()
}

func passed(row Row, results []Result) bool {
	for _, client := range row.Clients {
		ran := false
		for _, r := range results {
			if r.Row == row.ID && r.Client == client {
				if !r.Passed {
					return false
				}
				ran = true
			}
		}
		if !ran {
			return false
		}
	}
	return len(row.Clients) > 0
}

func writeRow(b *strings.Builder, row Row, results []Result) {
	result := "**fails**"
	switch {
	case row.Missing != "":
		result = "missing: " + row.Missing
	case passed(row, results):
		result = "passes"
	}
	var tests, clients []string
	for _, client := range row.Clients {
		clients = append(clients, string(client))
		var names []string
		for _, r := range results {
			if r.Row == row.ID && r.Client == client {
				names = append(names, "`"+r.Test+"`")
			}
		}
		slices.SortFunc(names, cmp.Compare[string])
		tests = append(tests, slices.Compact(names)...)
	}
	cells := []string{row.ID, row.Rule, row.Release, strings.Join(clients, ", "), result, strings.Join(tests, "<br>")}
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", "\\|")
	}
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

// Same tells whether two tables say the same of rows and tests; the line of
// dates and versions does not count.
func Same(a, b string) bool { return undated(a) == undated(b) }

func undated(table string) string {
	var lines []string
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, lastRun) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}
