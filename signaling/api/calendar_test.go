package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"aparte/signaling/api"
)

// A meeting's file names one event for good, in its next version after a change; a
// guest's leads to no page of the agents.
func TestCalendarFile(t *testing.T) {
	s := newStage(t)
	path := "/meetings/" + s.meeting.ID
	if status, _, answer := s.host.raw("GET", path+"/calendar", ""); status != http.StatusConflict {
		t.Errorf("without a start: %d %s, want 409", status, answer)
	}
	start := s.clock.Now().Add(24 * time.Hour).UTC().Truncate(time.Hour)
	edit := api.MeetingEdit{Title: "Coopération, suite", StartsAt: &start}
	do[api.Meeting](s.host, http.StatusOK, "PUT", "/meetings/"+s.meeting.ID, edit)
	get := func(query string) string {
		t.Helper()
		status, header, answer := s.host.raw("GET", path+"/calendar"+query, "")
		if status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), "text/calendar") || !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") {
			t.Fatalf("%d %v %s", status, header, answer)
		}
		return strings.ReplaceAll(string(answer), "\r\n ", "")
	}
	has := func(text string, lines ...string) {
		t.Helper()
		for _, line := range lines {
			if !strings.Contains(text, "\r\n"+line+"\r\n") {
				t.Errorf("no %s in\n%s", line, text)
			}
		}
	}
	uid := "UID:" + s.meeting.ID + "@127.0.0.1"
	has(get(""), uid, "SEQUENCE:1", "DTSTART:"+start.Format("20060102T150405Z"), `SUMMARY:Coopération\, suite`, "URL:"+s.http.URL+"/meetings/"+s.meeting.ID)
	start = start.Add(time.Hour)
	do[api.Meeting](s.host, http.StatusOK, "PUT", "/meetings/"+s.meeting.ID, edit)
	guests := get("?for=guest")
	has(guests, uid, "SEQUENCE:2", "DTSTART:"+start.Format("20060102T150405Z"))
	if strings.Contains(guests, "/meetings/") || strings.Contains(guests, "/i/") {
		t.Errorf("a guest's file leads to a page:\n%s", guests)
	}
	do[api.Meeting](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/end", nil)
	has(get(""), "STATUS:CANCELLED")
}
