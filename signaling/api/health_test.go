package api_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"aparte/signaling/api"
	"aparte/signaling/health"
	"aparte/signaling/post"
)

// looked answers as a server does that was looked at.
type looked struct{ report health.Report }

func (l looked) Report(context.Context) (health.Report, error) { return l.report, nil }

var someHealth = health.Report{At: time.Date(2027, 3, 2, 9, 0, 0, 0, time.FixedZone("", 3600)), Findings: []health.Finding{
	{Area: health.AreaServer, Level: health.Fine, Code: health.ServerRuns, Values: []health.Value{{Name: "version", Unit: health.Text, Text: ""}, {Name: "up", Unit: health.Seconds, Number: 0}}},
	{Area: health.AreaCertificate, Level: health.Broken, Code: health.CertificateOver, Values: []health.Value{{Name: "until", Unit: health.Moment, At: time.Date(2027, 3, 2, 1, 0, 0, 0, time.FixedZone("", 3600))}}},
	{Area: health.AreaDatabase, Level: health.Unknown, Code: health.BackupUnknown},
}}

func TestHealthIsForAdministratorsOfTheInstallation(t *testing.T) {
	s := newStage(t)
	s.person().refused("unauthenticated", http.StatusUnauthorized, "GET", "/health", nil)
	for who, someone := range map[string]*person{
		"an agent": s.host, "an administrator of a post": s.administrator(), "an auditor": s.member("aude@aparte.example", s.as(post.Auditor)), "a guest": s.visitor,
	} {
		if status, _, body := someone.raw("GET", "/health", ""); status != http.StatusForbidden && status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", who, status, body)
		}
	}

	_, code, err := s.login.InviteAdmin(t.Context(), "Root", "root@aparte.example")
	if err != nil {
		t.Fatal(err)
	}
	root := s.person()
	do[api.SignedIn](root, http.StatusOK, "POST", "/session/one-time", api.OneTimeCode{Code: code})
	status, _, body := root.raw("GET", "/health", "")
	// Of each value one thing is told, also where it is nothing.
	const want = `{"measured_at":"2027-03-02T08:00:00Z","findings":[` +
		`{"area":"server","level":"fine","code":"server-runs","values":[{"name":"version","unit":"text","text":""},{"name":"up","unit":"seconds","number":0}]},` +
		`{"area":"certificate","level":"broken","code":"certificate-over","values":[{"name":"until","unit":"moment","at":"2027-03-02T00:00:00Z"}]},` +
		`{"area":"database","level":"unknown","code":"backup-unknown","values":[]}]}` + "\n"
	if status != http.StatusOK || string(body) != want {
		t.Errorf("answered %d %s\nwant %s", status, body, want)
	}
}
