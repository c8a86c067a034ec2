package api

import (
	"encoding/json"
	"testing"
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
	if doc.OpenAPI != "3.1.0" || len(ids) != 44 {
		t.Errorf("OpenAPI %s with %d operations, want 3.1.0 with 44", doc.OpenAPI, len(ids))
	}
	for _, name := range []string{"Problem", "GuestView", "Meeting", "Link", "Knock", "HostMessage", "HostCommand", "GuestMessage", "GuestHello"} {
		if doc.Components.Schemas[name] == nil {
			t.Errorf("no schema %s", name)
		}
	}
}
