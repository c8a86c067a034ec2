package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
)

func TestTheNodesKeyIsMadeOnce(t *testing.T) {
	folder := t.TempDir()
	first, err := LoadNodeKey(folder, "paris-1")
	if err != nil {
		t.Fatal(err)
	}
	second, err := LoadNodeKey(folder, "another name")
	if err != nil || second.Public().String() != first.Public().String() || second.Public().Node() != "paris-1" {
		t.Errorf("%s, then %s: %v", first.Public(), second.Public(), err)
	}
	for name, mode := range map[string]fs.FileMode{NodeKeyFile: 0o600, PublicKeyFile: 0o644} {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 2 {
		t.Errorf("%v, %v", entries, err)
	}
	// What it signs is believed by its public half, as text and as file.
	published, err := os.ReadFile(filepath.Join(folder, PublicKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := sign(&segmentNote{Type: typeSegment, Recording: "rec"}, second)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{first.Public().String(), string(published), " " + first.Public().String() + "\n"} {
		key, err := ParsePublicKey(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := readNote(signed, key, &segmentNote{}); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if json.Unmarshal(published, &map[string]string{}) != nil || bytes.Contains(published, []byte("PRIVATE")) {
		t.Errorf("published: %s", published)
	}
}

func TestANodesKeyThatIsDamaged(t *testing.T) {
	for _, text := range []string{"", "PRIVATE+KEY+paris-1+00000000+AAAA", "rubbish"} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, NodeKeyFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadNodeKey(folder, "paris-1"); err == nil || !strings.Contains(err.Error(), "restore it from a backup") || strings.Contains(err.Error(), "AAAA") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := LoadNodeKey(t.TempDir(), "paris 1"); err == nil || !strings.Contains(err.Error(), "neither spaces nor plus signs") {
		t.Error(err)
	}
	if _, err := LoadNodeKey(filepath.Join(t.TempDir(), "nowhere"), "paris-1"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestPublicKeysThatAreNone(t *testing.T) {
	k := testKeys()
	for _, text := range []string{"", "x", "{}", "{", `{"type":"aparte-node-key","key":"x"}`, "paris-2" + k.node.Public().String()[7:], k.node.Public().String() + "AAAA"} {
		if _, err := ParsePublicKey(text); err == nil {
			t.Errorf("%q is a key", text)
		}
	}
}

func TestASecretIsNeverOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := WriteSecret(path, []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := WriteSecret(path, []byte("second")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("again: %v", err)
	}
	b, err := os.ReadFile(path)
	info, _ := os.Stat(path)
	entries, _ := os.ReadDir(filepath.Dir(path))
	if err != nil || string(b) != "first" || info.Mode() != 0o600 || len(entries) != 1 {
		t.Errorf("%q, %v, %d files: %v", b, info.Mode(), len(entries), err)
	}
}

func TestRecipients(t *testing.T) {
	k := testKeys()
	classic, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	_, other, err := NewIdentityFile(day)
	if err != nil {
		t.Fatal(err)
	}
	to, err := ParseRecipients(k.to.String(), " "+other.String()+"\n")
	if err != nil || len(to) != 2 {
		t.Fatalf("%d: %v", len(to), err)
	}
	// Each of the two opens what is sealed to both.
	file := &memory{}
	p, err := NewPart(file, Binding{Recording: "rec", Part: 1, Began: day}, to, k.node)
	if err != nil {
		t.Fatal(err)
	}
	write(t, p, 1, 2)
	closed(t, p, true)
	if opened, err := Open(sources(file.Bytes()), k.node.Public(), append(k.stranger, k.with...), false, false, &bytes.Buffer{}); err != nil || opened.Segments != 2 {
		t.Errorf("%+v, %v", opened, err)
	}
	secret := strings.TrimSpace(string(k.archive[bytes.Index(k.archive, []byte("AGE-SECRET")):]))
	for _, c := range []struct {
		texts []string
		want  string
	}{
		{nil, "needs a recipient: make an archive's key with 'aparte keygen'"},
		{[]string{classic.Recipient().String()}, "recipient 1, \"age1"},
		{[]string{k.to.String(), "x"}, `recipient 2, "x", is not a hybrid one`},
		{[]string{k.to.String()[:100]}, "is damaged: copy it again"},
		{[]string{k.to.String(), k.to.String()}, "recipient 2 is the same as recipient 1"},
		{[]string{secret}, "is a private key, which does not belong on a server"},
		{make([]string, MaxRecipients+1), "22 recipients, at most 21"},
	} {
		if _, err := ParseRecipients(c.texts...); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret[20:]) {
			t.Errorf("%.30q: %v, want %q", c.texts, err, c.want)
		}
	}
	for _, text := range []string{"", "# nothing\n", "rubbish", secret[:50]} {
		if _, err := ParseIdentities([]byte(text)); err == nil || strings.Contains(err.Error(), secret[10:40]) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A note is written in one way: not even what is no part of what is signed can change.
func TestNotesHaveOneForm(t *testing.T) {
	k := testKeys()
	signed, err := sign(&segmentNote{Type: typeSegment, Recording: "rec", Part: 1, Segment: 1}, k.node)
	if err != nil {
		t.Fatal(err)
	}
	other, err := sign(&segmentNote{Type: typeSegment, Recording: "rec", Part: 1, Segment: 1}, k.other)
	if err != nil {
		t.Fatal(err)
	}
	text := string(signed)
	last := len(text) - len("x=\n") // whose lowest bits base64 ignores
	spare := []byte(text)
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	spare[last] = alphabet[strings.IndexByte(alphabet, spare[last])^1]
	signature := text[strings.Index(text, "— "):]
	for name, message := range map[string]string{
		"spare bits":          string(spare),
		"signed twice":        text + signature,
		"signed by two":       text + string(other[bytes.Index(other, []byte("— ")):]),
		"another line":        text + "\n",
		"a space":             strings.Replace(text, "=\n", "= \n", 1),
		"no signature":        text[:strings.Index(text, "— ")],
		"something before it": " " + text,
	} {
		if message == text {
			t.Fatalf("%s: nothing was changed", name)
		}
		if err := readNote([]byte(message), k.node.Public(), &segmentNote{}); err == nil {
			t.Errorf("%s: believed", name)
		}
	}
	if err := readNote(signed, k.node.Public(), &Closing{}); err == nil {
		t.Error("a segment's note is taken for a closing")
	}
}

// Keys come from editors and mails, which put around their lines what nobody sees.
func TestKeysAmidWhiteSpace(t *testing.T) {
	file, public, err := NewIdentityFile(time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	node, err := LoadNodeKey(t.TempDir(), "paris-1")
	if err != nil {
		t.Fatal(err)
	}
	published, err := json.Marshal(node.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, around := range map[string]func(string) string{
		"as it was":        func(s string) string { return s },
		"trailing spaces":  func(s string) string { return strings.ReplaceAll(s, "\n", " \t\n") + "  " },
		"leading spaces":   func(s string) string { return "  " + strings.ReplaceAll(s, "\n", "\n\u00a0 ") },
		"CRLF":             func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		"Notepad":          func(s string) string { return "\ufeff" + strings.ReplaceAll(s, "\n", "\r\n") },
		"joined, with BOM": func(s string) string { return "\ufeff# mine\n\ufeff" + s + "\u2028" },
		"empty lines":      func(s string) string { return "\n \n" + s + "\n \n" },
	} {
		if with, err := ParseIdentities([]byte(around(string(file)))); err != nil || len(with) != 1 {
			t.Errorf("%s: %v", name, err)
		}
		if name == "joined, with BOM" {
			continue // those have no comments
		}
		if to, err := ParseRecipients(around(public.String() + "\n")); err != nil || to[0].String() != public.String() {
			t.Errorf("%s: public half: %v", name, err)
		}
		for _, text := range []string{node.Public().String() + "\n", string(published) + "\n"} {
			if key, err := ParsePublicKey(around(text)); err != nil || key.String() != node.Public().String() {
				t.Errorf("%s: node's key: %v", name, err)
			}
		}
	}
	if _, err := ParseIdentities([]byte("\ufeff# nothing\n")); err == nil {
		t.Error("a file without a key is one")
	}
}
