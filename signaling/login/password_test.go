package login

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"

	"aparte/signaling/name"
)

func TestPasswordsThatAreGuessedFirstAreRefused(t *testing.T) {
	a := Account{Name: "Anne Bernard", Email: "anne.bernard@aparte.example"}
	for _, good := range []string{"une phrase que personne ne devine", "Tr0ub4dor&3-horse", "пароль-который-длинный", strings.Repeat("abcdef ", 30)} {
		if err := checkPassword(good, a); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "short", "aaaaaaaaaaaaaaaa", "abababababababab", "anne.bernard@aparte.example", "xx-anne.bernard-1", "Anne Bernard", "Password1234!", "motdepasse2027", "abcdefghijklmno", "azertyuiopqs", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", strings.Repeat("long ", 100)} {
		var e *name.Error
		if err := checkPassword(bad, a); !errors.As(err, &e) || e.At != "password" {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

func TestHashesAreSaltedAndComparedByMeaning(t *testing.T) {
	h := newHasher(rand.Reader)
	one, err := h.hash(t.Context(), "caf\u00e9 du commerce")
	if err != nil {
		t.Fatal(err)
	}
	two, err := h.hash(t.Context(), "caf\u00e9 du commerce")
	if err != nil || one == two || !strings.HasPrefix(one, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("%s and %s, %v", one, two, err)
	}
	for password, want := range map[string]bool{"cafe\u0301 du commerce": true, "cafe du commerce": false, "": false, strings.Repeat("x", 5000): false} {
		if got, err := h.matches(t.Context(), h.fast, one, password); err != nil || got != want {
			t.Errorf("%.20q matches: %t, %v", password, got, err)
		}
	}
	if got, err := h.matches(t.Context(), h.fast, "", "anything"); err != nil || got {
		t.Errorf("no hash matches: %t, %v", got, err)
	}
	for _, broken := range []string{"x", "$argon2id$v=19$m=1,t=0,p=1$AA$AA", "$argon2i$v=19$m=1,t=1,p=1$AA$AA", "$argon2id$v=19$m=1,t=1,p=1$!$AA", "$argon2id$v=19$m=1,t=1,p=1$AA$"} {
		if got, err := h.matches(t.Context(), h.fast, broken, "x"); err == nil || got {
			t.Errorf("broken hash %s matches: %t, %v", broken, got, err)
		}
	}
}

// Without the bound, a thousand sign-ins at once would take 19 GB.
func TestHashingIsBounded(t *testing.T) {
	h := newHasher(rand.Reader).fast
	for range hashSlots {
		if err := h.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	results := make(chan error, hashQueue)
	for range hashQueue {
		h.queue <- struct{}{} // a place in the queue each
	}
	if err := h.enter(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("beyond the queue: %v, want busy", err)
	}
	for range hashQueue {
		<-h.queue
	}
	for range hashQueue {
		wg.Go(func() { results <- h.enter(ctx) })
	}
	cancel() // they give up
	wg.Wait()
	close(results)
	for err := range results {
		if !errors.Is(err, ErrBusy) {
			t.Errorf("who gave up: %v", err)
		}
	}
	h.leave()
	if err := h.enter(t.Context()); err != nil {
		t.Errorf("after a slot is free: %v", err)
	}
}

func TestEmails(t *testing.T) {
	for typed, want := range map[string]string{
		" Anne@Aparte.Example ": "anne@aparte.example", "a+b@c.d": "a+b@c.d",
		"": "", "anne": "", "Anne <a@b.c>": "", "a@b.c, d@e.f": "", "a@b.c\r\nBcc: d@e.f": "", "é@b.c": "", "a b@c.d": "",
	} {
		if got, err := checkEmail(typed); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", typed, got, err, want)
		}
	}
}
