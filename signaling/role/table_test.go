package role

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/roles.md")

// What the documentation says of roles is the table.
func TestDocs(t *testing.T) {
	const path = "../../docs/roles.md"
	want := page()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil { //nolint:gosec // a page to read
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("docs/roles.md is not the table (%v): go test ./signaling/role -update", err)
	}
}

func page() string {
	var b strings.Builder
	b.WriteString("# Who may do what in a meeting\n\nWritten from the table in `signaling/role/table.go` by `go test ./signaling/role -update`. The server checks it before it does anything, for the web client, the API and integrations alike; a security profile may forbid more, never less.\n\n| command | ")
	for _, r := range Roles() {
		fmt.Fprintf(&b, "%s | ", r)
	}
	b.WriteString("what it does |\n|---|" + strings.Repeat(":-:|", len(Roles())) + "---|\n")
	for _, c := range Table() {
		if c.May(Server) {
			continue
		}
		fmt.Fprintf(&b, "| %s | ", c)
		for _, r := range Roles() {
			b.WriteString(map[bool]string{true: "x", false: " "}[c.May(r)] + " | ")
		}
		b.WriteString(c.Does() + " |\n")
	}
	b.WriteString("\n`door` is whoever opened a guest link and is not in: before the waiting room, waiting in it, or refused. `administrator` is whoever administers the meeting's post, which is no role in it: it counts where nobody hosts the meeting any more, and for holds on its recordings. `colleague` is whoever a recording of the meeting is shared with.\n")
	return b.String()
}

func TestRowsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Table() {
		if !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(c.String()) || seen[c.String()] || !strings.HasSuffix(c.Does(), ".") {
			t.Errorf("row %q, %q", c, c.Does())
		}
		seen[c.String()] = true
		somebody := c.May(Server)
		for _, r := range Roles() {
			somebody = somebody || c.May(r)
			if c.May(r) != (r.Check(c) == nil) {
				t.Errorf("%s for %s: two answers", c, r)
			}
		}
		if !somebody {
			t.Errorf("nobody may %s", c)
		}
		if c.May(Server) && slices.ContainsFunc(Roles(), c.May) {
			t.Errorf("%s is the program's own and somebody's", c)
		}
	}
}

func TestNobodyMayWhatIsNoCommand(t *testing.T) {
	for _, r := range append(Roles(), Server, "", "auditor") {
		if err := r.Check(Command{}); err == nil {
			t.Errorf("%q may use a command that has no row", r)
		}
	}
	if Role("").Check(LookAt) == nil || Role("HOST").Check(End) == nil {
		t.Error("a role that does not exist may do something")
	}
}
