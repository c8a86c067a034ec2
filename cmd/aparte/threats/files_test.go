package threats

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aparte/signaling/api"
)

// "Path traversal by room, user or file name", "protected files were public", and a disk
// that is read by somebody else: files of a call are nobody's but those it is for, and
// nothing of them can be read on the disk, while the call runs or after a power cut.

// holding are the files below a folder in which one of the words can be read.
func holding(t *testing.T, folder string, words ...string) (found []string, looked int) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // the database tidies up meanwhile
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		looked++
		for _, word := range words {
			if bytes.Contains(data, []byte(word)) {
				found = append(found, path+": "+word)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, looked
}

// comesIn connects somebody to the call, and waits until the meeting has heard of it.
func (p *person) comesIn(token api.MediaToken, messages string) {
	p.t.Helper()
	p.p.join(token.Token)
	p.eventually("the meeting hears that somebody is in the call", func() bool { return p.call("GET", messages, nil).status == http.StatusOK })
}

// sends announces a file and sends it, and returns its id.
func (p *person) sends(files, name, to, content string) string {
	p.t.Helper()
	f := do[api.CallFile](p, "POST", files, api.FileDraft{Name: name, Size: int64(len(content)), To: to})
	if got := p.raw("PUT", api.Prefix+files+"/"+f.ID, content); got.status != http.StatusOK {
		p.t.Fatalf("send %s: %d %s", name, got.status, got.body)
	}
	return f.ID
}

func TestFilesOfACallAreNobodyElses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := startOn(t, dir)
	anne := p.administrator()
	meeting := anne.meeting().ID
	hostCall, guestCall := "/meetings/"+meeting+"/call", "/guest/call"
	anne.comesIn(do[api.MediaToken](anne, "POST", "/meetings/"+meeting+"/join", nil), hostCall+"/messages")
	link := anne.link(meeting, api.LinkDraft{})
	maria, mariaIn := anne.admitted(meeting, link, "Maria")
	luc, _ := anne.admitted(meeting, link, "Luc")
	for _, guest := range []*person{maria, luc} {
		guest.comesIn(do[api.MediaToken](guest, "POST", "/guest/token", nil), guestCall+"/messages")
	}
	door, _ := anne.waiting(meeting, link, "At the door")

	secret := "aparte-threats-secret-content "
	content := strings.Repeat(secret, 5000)
	id := maria.sends(guestCall+"/files", "../../../etc/cron.d/tres-secret.pdf", "hosts", content)
	if got := anne.raw("GET", api.Prefix+hostCall+"/files/"+id, ""); got.status != http.StatusOK || string(got.body) != content ||
		got.header.Get("Content-Disposition") != "attachment; filename=tres-secret.pdf" || got.header.Get("Content-Type") != "application/octet-stream" {
		t.Fatalf("the host gets %d with %v", got.status, got.header)
	}
	stranger := anne.agent("Stranger", "stranger@aparte.example")
	for who, by := range map[string]*person{"a third": luc, "one at the door": door, "nobody": p.person(), "an agent of no role": stranger} {
		for _, path := range []string{guestCall + "/files/" + id, hostCall + "/files/" + id, guestCall + "/files/..%2f1.age", guestCall + "/files/%00"} {
			for _, method := range []string{"GET", "HEAD", "DELETE"} {
				if got := by.raw(method, api.Prefix+path, ""); got.status < 400 || bytes.Contains(got.body, []byte(secret)) {
					t.Errorf("%s: %s %s: %d", who, method, path, got.status)
				}
			}
		}
	}
	found, looked := holding(t, dir, secret, "cron.d")
	if len(found) > 0 || looked < 3 {
		t.Errorf("of %d files on the disk, in some it can be read: %v", looked, found)
	}
	if sealed, _ := filepath.Glob(filepath.Join(dir, "data", "files", "*.age")); len(sealed) != 1 {
		t.Errorf("files on the disk: %v", sealed)
	}
	if strings.Contains(p.logs(), "tres-secret") {
		t.Error("the log has what a file is called")
	}

	do[struct{}](anne, "POST", "/meetings/"+meeting+"/participants/"+mariaIn.Identity+"/remove", nil)
	for _, method := range []string{"GET", "DELETE"} {
		if got := maria.raw(method, api.Prefix+guestCall+"/files/"+id, ""); got.status < 400 {
			t.Errorf("%s after the sender was removed: %d", method, got.status)
		}
	}

	// What a power cut leaves is gone with the next start, and readable by nobody before.
	left := filepath.Join(dir, "data", "files", "1.age")
	sealed, err := os.ReadFile(left)
	if err != nil {
		t.Fatal(err)
	}
	p.stop()
	if err := os.WriteFile(left, sealed, 0o600); err != nil {
		t.Fatal(err)
	}
	startOn(t, dir)
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was left of the call before is still there: %v", err)
	}
}
