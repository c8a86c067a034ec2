package sdktest

import (
	"os"
	"strings"
	"testing"

	"aparte/signaling/wire/sdktest/conform"
)

// resultsVariable names the folder for the results that docs/conformance.md is
// made from. Without it the tests are just tests.
const resultsVariable = "CONFORMANCE_RESULTS"

// Set by run before the tests, only read by them.
var (
	rows    *conform.Rows
	results *conform.Recorder
)

func readRows() (err error) {
	if rows, err = conform.Read("../../../docs/conformance.json"); err != nil {
		return err
	}
	results, err = conform.NewRecorder(os.Getenv(resultsVariable), "go")
	return err
}

// proves says that this test is the case of rows. It comes first in a test, so
// that the result is written when all else is done.
func proves(t *testing.T, client conform.Client, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if _, err := rows.Find(id, client); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, id := range ids {
			err := results.Add(conform.Result{Row: id, Client: client, Test: t.Name(), Passed: !t.Failed(), With: versionOf(client)})
			if err != nil {
				t.Error(err)
			}
		}
	})
}

// row runs the case of a row, or of some with spaces between them, with the raw
// client, beside the others.
func row(t *testing.T, ids string, f func(t *testing.T)) {
	t.Helper()
	list := strings.Fields(ids)
	t.Run(list[0], func(t *testing.T) {
		proves(t, conform.Raw, list...)
		t.Parallel()
		f(t)
	})
}

// versionOf reads go.mod: the build information of a test names no modules.
func versionOf(client conform.Client) string {
	module, name := "github.com/livekit/server-sdk-go/v2", "server-sdk-go"
	if client == conform.Raw {
		module, name = "github.com/pion/webrtc/v4", "pion/webrtc"
	}
	raw, _ := os.ReadFile("go.mod") // without it the name has to do
	for line := range strings.Lines(string(raw)) {
		if version, ok := strings.CutPrefix(strings.TrimSpace(line), module+" "); ok {
			return name + " " + version
		}
	}
	return name
}
