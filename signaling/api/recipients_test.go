package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"aparte/signaling/api"
	"aparte/signaling/audit"
	"aparte/signaling/post"
)

// Whoever administers a post says to which keys its recordings are sealed. Everybody in its
// calls reads whether they can be recorded, at once.
func TestAPostHasKeysOfItsOwn(t *testing.T) {
	s := newStage(t)
	s.inCall()
	s.unable = true // the server has no keys for posts without any
	s.restart()
	admin, other := s.administrator(), s.member("eva@aparte.example", s.as(post.Administrator))
	path := "/posts/" + s.post.ID + "/recipients"
	list := func(by *person) api.RecipientList {
		t.Helper()
		return do[api.RecipientList](by, http.StatusOK, "GET", path, nil)
	}
	recordable := func() string {
		t.Helper()
		return do[api.CallRecording](s.host, http.StatusOK, "GET", s.ofCall("recording"), nil).Unavailable
	}
	if got := list(admin); len(got.Recipients) != 0 || got.Server != 0 || got.ChangedAt != nil || recordable() != "recording-unavailable" {
		t.Errorf("without keys: %+v, %q", got, recordable())
	}
	one := do[api.Recipient](admin, http.StatusCreated, "POST", path, api.RecipientDraft{Name: " Archives Paris ", Key: "age1pq1paris\n"})
	if one.Name != "Archives Paris" || one.Key != "age1pq1paris" || one.Fingerprint != post.Fingerprint("age1pq1paris") || len(one.Fingerprint) != 32 {
		t.Errorf("%+v", one)
	}
	if got := recordable(); got != "" {
		t.Errorf("with a key: %q", got)
	}
	s.clock.add(time.Second)
	if p := admin.refused("invalid", http.StatusUnprocessableEntity, "POST", path, api.RecipientDraft{Name: "Again", Key: "age1pq1paris"}); p.Errors[0].Location != "body.key" || p.Errors[0].Code != "key-there" {
		t.Errorf("the same key: %+v", p)
	}
	if p := admin.refused("invalid", http.StatusUnprocessableEntity, "POST", path, api.RecipientDraft{Name: "Classic", Key: "age1abc"}); p.Errors[0].Location != "body.key" || p.Errors[0].Code != "classic-key" {
		t.Errorf("a classic key: %+v", p)
	}
	for n := range post.MaxRecipients - 1 {
		do[api.Recipient](other, http.StatusCreated, "POST", path, api.RecipientDraft{Name: fmt.Sprint("Archives ", n), Key: "age1pq1" + strings.Repeat("q", n+1)})
	}
	admin.refused("conflict", http.StatusConflict, "POST", path, api.RecipientDraft{Name: "One too many", Key: "age1pq1more"})
	if got := list(admin); len(got.Recipients) != post.MaxRecipients || got.Recipients[0] != one || got.ChangedAt == nil || got.ChangedBy != "Anne Bernard" {
		t.Errorf("%+v", got)
	}
	if got := s.storedKeys(); len(got) != post.MaxRecipients || got[0] != "age1pq1paris" {
		t.Errorf("the recorder is given %q", got)
	}
	for _, r := range list(admin).Recipients {
		do[struct{}](admin, http.StatusNoContent, "DELETE", path+"/"+r.ID, nil)
	}
	admin.refused("not-found", http.StatusNotFound, "DELETE", path+"/"+one.ID, nil)
	if got := list(other); len(got.Recipients) != 0 || got.ChangedAt == nil || recordable() != "recording-unavailable" {
		t.Errorf("without keys again: %+v, %q", got, recordable())
	}
	// Once removed it may come back.
	do[api.Recipient](admin, http.StatusCreated, "POST", path, api.RecipientDraft{Name: "Archives Paris", Key: "age1pq1paris"})
	var told []string
	for _, e := range s.events() {
		if e.Act == audit.PostKeyAdded || e.Act == audit.PostKeyRemoved {
			told = append(told, e.Detail["fingerprint"])
		}
	}
	if len(told) != 2*post.MaxRecipients+1 || told[0] != one.Fingerprint || told[post.MaxRecipients] != one.Fingerprint {
		t.Errorf("the trail tells of %q", told)
	}
	agent := s.agent("agent@aparte.example")
	agent.refused("forbidden", http.StatusForbidden, "GET", path, nil)
	agent.refused("forbidden", http.StatusForbidden, "POST", path, api.RecipientDraft{Name: "Mine", Key: "age1pq1mine"})
}

func (s *server) storedKeys() []string {
	s.t.Helper()
	keys, err := s.store.RecipientKeys(s.t.Context(), s.post.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	return keys
}
