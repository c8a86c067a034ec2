package threats

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/cmd/aparte-load/client"
	"aparte/cmd/aparte-load/media"
	"aparte/recorder/storage/storagetest"
	"aparte/signaling/api"
)

// shows has somebody send a picture of so many bits a second into the call.
func (p *person) shows(token api.MediaToken, messages string, bitrateBps int) *client.Client {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	pulse := client.NewPulse()
	c, err := client.Join(ctx, client.Config{
		URL: "ws" + strings.TrimPrefix(p.p.url, "http"), Token: token.Token, Single: true, Figures: new(client.Figures), Pulse: pulse,
		Sources: []client.Source{{Kind: livekit.TrackSource_CAMERA, Layers: []media.Layer{{Width: 1280, Height: 720, BitrateBps: bitrateBps, FPS: 30}}}},
	})
	if err != nil {
		pulse.Close()
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		c.Leave()
		pulse.Close()
	})
	p.eventually("in the call", func() bool { return p.call("GET", messages, nil).status == http.StatusOK })
	return c
}

// eventually waits for what other processes do.
func (p *person) eventually(what string, is func() bool) {
	p.t.Helper()
	for until := time.Now().Add(patience); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			p.t.Fatalf("never: %s", what)
		}
	}
}

// sent is what every packet of [person.shows] has in it, of these days: the beginning of its stamp.
func sent() string {
	stamp := make([]byte, media.StampBytes)
	media.PutStamp(stamp, time.Now())
	return string(stamp[:5]) // the next byte changes each three days
}

// A store of recordings is somebody else's: it gets what is sealed and names nobody, while
// the call runs; whoever may have it gets it through the server, an archive from the store
// alone, and nothing is left there when it is deleted. The store is gone in between.
func TestWhatAStoreGets(t *testing.T) {
	t.Parallel()
	gateway := storagetest.Start(t)
	address := gateway.Bucket(t, "records", false)
	dir := t.TempDir()
	keys := filepath.Join(dir, "store.keys")
	if err := os.WriteFile(keys, []byte("aws_access_key_id = "+gateway.Keys.AccessKey+"\naws_secret_access_key = "+gateway.Keys.SecretKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	public, err := command(t, "keygen", filepath.Join(dir, "archive.key")).Output()
	if err != nil {
		t.Fatal(err)
	}
	p := startOn(t, dir, "--recordings-recipients", strings.TrimSpace(string(public)), "--recordings-store", address, "--recordings-store-keys-file", keys)
	anne := p.administrator()
	meeting := anne.meeting().ID
	at := "/meetings/" + meeting
	maria, _ := anne.admitted(meeting, anne.link(meeting, api.LinkDraft{}), "Maria Oliveira")
	anne.shows(do[api.MediaToken](anne, "POST", at+"/join", nil), at+"/call/messages", 12_000_000)
	maria.shows(do[api.MediaToken](maria, "POST", "/guest/token", nil), "/guest/call/messages", 12_000_000)
	id := do[api.CallRecording](anne, "POST", at+"/call/recording/ask", api.RecordingDraft{Purpose: "Entretien préalable"}).ID
	do[api.CallRecording](anne, "POST", at+"/call/recording/answer", api.RecordingSaid{Recording: id, Answer: "agree"})
	do[api.CallRecording](maria, "POST", "/guest/call/recording/answer", api.RecordingSaid{Recording: id, Answer: "agree"})
	do[api.CallRecording](anne, "POST", at+"/call/recording/start", nil)

	bucket := filepath.Join(gateway.Dir, "records", "aparte")
	object := func(n int) string { return filepath.Join(bucket, id, "part-0001", fmt.Sprintf("%08d.tar", n)) }
	there := func(path string) bool {
		_, err := os.Stat(path)
		return err == nil
	}
	listed := func() api.Recording { return do[api.RecordingList](anne, "GET", at+"/recordings", nil).Recordings[0] }
	anne.eventually("an object while it runs", func() bool { return there(object(1)) })
	if r := listed(); r.State != "running" || r.Parts[0].Stored != "uploading" || r.Parts[0].SHA256 != "" {
		t.Errorf("while it runs: %+v", r)
	}
	gateway.Stop()
	before := listed().Parts[0].Bytes
	anne.eventually("more of it without the store", func() bool { return listed().Parts[0].Bytes > before+4<<20 })
	began := time.Now()
	do[api.CallRecording](anne, "POST", at+"/call/recording/stop", nil)
	anne.eventually("stopped", func() bool { return listed().State == "stopped" })
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("to stop it took %s without the store", took)
	}
	if !there(filepath.Join(dir, "data", "recordings", id, "part-0001.tar")) {
		t.Error("without the store there is no file here")
	}
	gateway.Again(t)
	anne.eventually("all of it there", func() bool { return listed().Parts[0].Stored == "there" })
	if there(filepath.Join(dir, "data", "recordings", id, "part-0001.tar")) {
		t.Error("its file is still here")
	}
	packets := sent()
	if found, looked := holding(t, gateway.Dir, "Anne Bernard", "Maria Oliveira", "Entretien", packets); looked < 3 || len(found) > 0 {
		t.Errorf("in the clear, of %d files: %q", looked, found)
	}
	if found, _ := holding(t, filepath.Join(dir, "data"), packets); len(found) > 0 {
		t.Errorf("media in the clear here: %q", found)
	}
	if found, _ := holding(t, filepath.Join(dir, "data"), "Entretien"); len(found) == 0 { // the database knows what for
		t.Error("it was not looked where the server writes")
	}

	// A host has it through the server, an archive from the store alone.
	away := filepath.Join(dir, "away")
	archivist := func(args ...string) string {
		t.Helper()
		cmd := command(t, args...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v: %s", args, err, out)
		}
		return string(out)
	}
	part := listed().Parts[0]
	if got := archivist("record", "fetch", address, id, "-o", away, "--keys-file", keys); !strings.Contains(got, part.SHA256) {
		t.Errorf("fetched %s, listed is %s", got, part.SHA256)
	}
	nodeKey := filepath.Join(dir, "data", "node-key.json")
	archivist("record", "verify", away, "--node-key", nodeKey)
	archivist("record", "open", away, "-i", filepath.Join(dir, "archive.key"), "-o", filepath.Join(dir, "opened"), "--node-key", nodeKey)
	if journal, err := os.ReadFile(filepath.Join(dir, "opened", "journal")); err != nil || !bytes.Contains(journal, []byte("Maria Oliveira")) || bytes.Count(journal, []byte(packets)) < 1000 {
		t.Errorf("opened: %d bytes, %d packets, %v", len(journal), bytes.Count(journal, []byte(packets)), err)
	}
	whole, err := os.ReadFile(filepath.Join(away, "part-0001.tar"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.Stat(object(1))
	if err != nil {
		t.Fatal(err)
	}
	from := second.Size() - 100 // over the seam of two objects
	anne.header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, from+199))
	got := anne.call("GET", at+"/recordings/"+id+"/parts/1", nil)
	anne.header.Del("Range")
	if got.status != http.StatusPartialContent || !bytes.Equal(got.body, whole[from:from+200]) {
		t.Errorf("a range: %d, %d bytes", got.status, len(got.body))
	}
	if got := maria.call("GET", at+"/recordings/"+id+"/parts/1", nil); got.status < 400 {
		t.Errorf("a guest: %d", got.status)
	}

	do[struct{}](anne, "DELETE", at+"/recordings/"+id, nil)
	for _, gone := range []string{filepath.Join(bucket, id), filepath.Join(dir, "data", "recordings", id)} {
		if _, err := os.Stat(gone); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("deleted, and there is %s: %v", gone, err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if strings.Contains(p.log.String(), gateway.Keys.SecretKey) {
		t.Error("the log tells the store's secret")
	}
}
