package api

import (
	"encoding/json"
	"strings"
	"testing"

	"aparte/signaling/role"
)

func TestOpenAPINamesEveryCallAndMessage(t *testing.T) {
	data, err := OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]struct{ OperationID string }
		Components struct{ Schemas map[string]json.RawMessage }
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]bool)
	for _, item := range doc.Paths {
		for _, op := range item {
			ids[op.OperationID] = true
		}
	}
	if doc.OpenAPI != "3.1.0" || len(ids) != 156 {
		t.Errorf("OpenAPI %s with %d operations, want 3.1.0 with 156", doc.OpenAPI, len(ids))
	}
	for _, name := range []string{"Problem", "GuestView", "Meeting", "Link", "Knock", "HostMessage", "HostCommand", "GuestMessage", "GuestHello", "AgentView", "AgentMessage"} {
		if doc.Components.Schemas[name] == nil {
			t.Errorf("no schema %s", name)
		}
	}
}

// Every call about a meeting gives a command of the table of roles, and every command
// of people is given by a call or a socket.
func TestCallsAboutMeetingsNameTheirCommand(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Command     string `json:"x-command"`
		}
	}
	data, err := OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	given := map[string]bool{
		role.WatchLobby.String(): true, // the host's socket
		role.Open.String():       true, // the demo meeting of --dev
	}
	for path, calls := range doc.Paths {
		for method, op := range calls {
			about := strings.HasPrefix(path, "/meetings/{id}") || strings.HasPrefix(path, "/guest")
			if socket := strings.HasSuffix(op.OperationID, "-socket"); about && !socket && op.Command == "" {
				t.Errorf("%s %s names no command", method, path)
			}
			given[op.Command] = true
		}
	}
	for _, c := range role.Table() {
		if !c.May(role.Server) && !given[c.String()] {
			t.Errorf("no call gives %s", c)
		}
	}
}
