package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aparte/recorder/seal"
)

func TestTheServersKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.key")
	made, err := loadServerKey(path)
	if err != nil || !made.is() {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its file: %v, %v", info, err)
	}
	if again, err := loadServerKey(path); err != nil || again.public.String() != made.public.String() {
		t.Errorf("read again: %v", err)
	}
	if none, err := loadServerKey(""); err != nil || none.is() {
		t.Errorf("none: %v", err)
	}
	// One that was replaced stands beside it: it opens what it did, so that it is no archive's either.
	replaced, public, err := seal.NewIdentityFile(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(made.text+string(replaced)), 0o600); err != nil {
		t.Fatal(err)
	}
	if both, err := loadServerKey(path); err != nil || both.public.String() != made.public.String() || !both.opens(made.public) || !both.opens(public) || made.opens(public) {
		t.Errorf("two keys: %v", err)
	}
	secret := made.text[strings.Index(made.text, "AGE-SECRET"):][:60]
	for _, wrong := range []struct {
		what string
		mode os.FileMode
	}{{"nothing of the kind", 0o600}, {made.text, 0o644}} {
		if err := errors.Join(os.WriteFile(path, []byte(wrong.what), wrong.mode), os.Chmod(path, wrong.mode)); err != nil {
			t.Fatal(err)
		}
		if _, err := loadServerKey(path); !errors.As(err, &usageError{}) || strings.Contains(err.Error(), secret) {
			t.Errorf("%.10q, mode %o: %v", wrong.what, wrong.mode, err)
		}
	}
}
