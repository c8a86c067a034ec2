package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aparte/recorder/keep"
	"aparte/recorder/seal"
	"aparte/recorder/storage"
	"aparte/recorder/storage/storagetest"
	"aparte/signaling/health"
	"aparte/signaling/profile"
	"aparte/signaling/recording"
)

// storingServer is a server, not started, whose recordings go to a store.
func storingServer(t *testing.T, gateway *storagetest.Gateway, address string) (*server, *Config, string) {
	t.Helper()
	return recordingServerWith(t, func(c *Config) {
		c.Recordings.Store, c.Recordings.StoreAccessKey, c.Recordings.StoreSecretKey = address, gateway.Keys.AccessKey, gateway.Keys.SecretKey
	})
}

// settled waits until nothing is on its way: a process of its own is asked.
func settled(t *testing.T, k *keep.Keeper) {
	t.Helper()
	for until := time.Now().Add(time.Minute); k.Stats().Parts > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("still on its way: %+v", k.Stats())
		}
	}
}

// summedUp waits until a recording's parts, which stay here, have their marks.
func summedUp(t *testing.T, s *server, id string) {
	t.Helper()
	for until := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		all, err := s.kept.keeper.Parts(t.Context(), id)
		if err == nil && len(all) > 0 && !slices.ContainsFunc(all, func(p keep.Part) bool { return p.SHA256 == "" }) {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("not summed up: %+v, %v", all, err)
		}
	}
}

// A recording goes to the bucket, is taken from there through the server's own door and by
// an archive that has nothing but the bucket, and leaves nothing there when it is deleted.
func TestRecordingsInABucket(t *testing.T) {
	gateway := storagetest.Start(t)
	address := gateway.Bucket(t, "records", false)
	s, c, meeting := storingServer(t, gateway, address)
	ctx, id := t.Context(), strings.Repeat("R", 22)
	for n := range 2 {
		capture, err := s.recorder.Start(ctx, recording.Order{ID: id, Part: n + 1, Meeting: meeting, Policy: profile.RecordingSealed})
		if err != nil {
			t.Fatal(err)
		}
		capture.Note(recording.Event{At: time.Now(), Kind: recording.EventAllowed, Identity: "p", Name: "Inês"})
		if all, err := s.kept.Parts(ctx, id); err != nil || len(all) != n+1 || all[n].Closed || all[n].Stored != recording.StoredUploading || all[n].SHA256 != "" {
			t.Errorf("while it is written: %+v, %v", all, err)
		}
		if _, err := capture.Stop(ctx, n == 1, ""); err != nil {
			t.Fatal(err)
		}
		settled(t, s.kept.keeper)
	}
	all, err := s.kept.Parts(ctx, id)
	if err != nil || len(all) != 2 || !all[1].Closed || all[1].Stored != recording.StoredThere || len(all[1].SHA256) != 64 {
		t.Fatalf("there: %+v, %v", all, err)
	}
	if _, err := os.Lstat(filepath.Join(c.DataDir, recordingsFolder, id, seal.PartName(1))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still here: %v", err)
	}

	// Its archive.
	key := filepath.Join(c.DataDir, "node-key.json")
	away := filepath.Join(t.TempDir(), "away")
	t.Setenv("APARTE_RECORDINGS_STORE_ACCESS_KEY", gateway.Keys.AccessKey)
	t.Setenv("APARTE_RECORDINGS_STORE_SECRET_KEY", gateway.Keys.SecretKey)
	run := func(want int, args ...string) string {
		t.Helper()
		var out, said bytes.Buffer
		if code := run(ctx, args, &process{stdout: &out, stderr: &said, environ: os.Environ}); code != want {
			t.Errorf("%q: exit code %d: %s%s", args[:2], code, &out, &said)
		}
		if strings.Contains(out.String()+said.String(), gateway.Keys.SecretKey) {
			t.Errorf("%q tells the secret", args[:2])
		}
		return out.String() + said.String()
	}
	if out := run(0, "record", "fetch", address, id, "-o", away); strings.Count(out, "SHA-256") != 2 || !strings.Contains(out, all[0].SHA256) {
		t.Errorf("fetched: %s", out)
	}
	run(0, "record", "verify", away, "--node-key", key)
	run(0, "record", "open", away, "-i", filepath.Join(c.DataDir, archiveKeyFile), "-o", filepath.Join(t.TempDir(), "opened"), "--node-key", key)
	if out := run(2, "record", "fetch", address, id, "-o", away); !strings.Contains(out, "it is there already") {
		t.Errorf("twice: %s", out)
	}
	if out := run(2, "record", "fetch", address, "nothing", "-o", away+"2"); !strings.Contains(out, "has nothing of a recording") {
		t.Errorf("of nothing: %s", out)
	}
	if out := run(2, "record", "verify", filepath.Join(c.DataDir, recordingsFolder, id), "--node-key", key); !strings.Contains(out, "aparte record fetch") {
		t.Errorf("what is here: %s", out)
	}

	// What the server hands over is the same, from any byte on.
	file, err := s.kept.OpenPart(ctx, id, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	request := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	request.Header.Set("Range", "bytes=600-1699")
	answer := httptest.NewRecorder()
	http.ServeContent(answer, request, "part.tar", file.Modified, file)
	want, err := os.ReadFile(filepath.Join(away, seal.PartName(1)))
	if err != nil || answer.Code != http.StatusPartialContent || !bytes.Equal(answer.Body.Bytes(), want[600:1700]) {
		t.Errorf("a range: %d, %d bytes, %v", answer.Code, answer.Body.Len(), err)
	}

	// The health page, with the store and without.
	at := func(code health.Code) health.Level {
		finding, _ := found(looked(t, s, c), code)
		return finding.Level
	}
	if got := at(health.RecordingsStored); got != health.Fine {
		t.Errorf("stored: %s", got)
	}
	gateway.Stop()
	if got := at(health.StoreSilent); got != health.Broken {
		t.Errorf("silent: %s", got)
	}
	if _, err := s.kept.OpenPart(ctx, id, 1); !errors.Is(err, recording.ErrStoreAway) {
		t.Errorf("taken away without it: %v", err)
	}
	if err := s.kept.Delete(ctx, id); !errors.Is(err, storage.ErrUnreachable) {
		t.Errorf("deleted without it: %v", err)
	}
	gateway.Again(t)
	s.stop(ctx)

	// Its time is over, which another life of the server finds.
	overIn(t, c, id, meeting)
	again := serverOf(t, c, true)
	again.meetings.SweepRecordings(ctx)
	if left, err := gateway.Open(t, address).List(ctx, ""); err != nil || len(left) != 0 {
		t.Errorf("left in the bucket: %v, %v", left, err)
	}
	if parts, err := again.kept.Parts(ctx, id); err != nil || len(parts) != 0 {
		t.Errorf("left: %+v, %v", parts, err)
	}
}

// What is wrong with the store is one line and exit code 2; one that is away is not wrong.
func TestAStoreThatCannotBeUsed(t *testing.T) {
	gateway := storagetest.Start(t)
	address := gateway.Bucket(t, "records", false)
	for _, c := range []struct {
		name, address, secret, want string
	}{
		{"bucket", strings.Replace(address, "records", "missing", 1), gateway.Keys.SecretKey, "there is no bucket missing"},
		{"secret", address, "another-secret-that-is-wrong", "the secret key is wrong"},
	} {
		config := defaults()
		config.Recordings.Store, config.Recordings.StoreAccessKey, config.Recordings.StoreSecretKey = c.address, gateway.Keys.AccessKey, c.secret
		_, _, _, err := openStore(t.Context(), &config, slog.New(slog.DiscardHandler))
		if usage := (usageError{}); !errors.As(err, &usage) || !strings.Contains(err.Error(), "recordings.store: ") || !strings.Contains(err.Error(), c.want) || strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), c.secret) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	gateway.Stop()
	config := defaults()
	config.Recordings.Store, config.Recordings.StoreAccessKey, config.Recordings.StoreSecretKey = address, gateway.Keys.AccessKey, gateway.Keys.SecretKey
	var logged bytes.Buffer
	store, place, _, err := openStore(t.Context(), &config, slog.New(slog.NewTextHandler(&logged, nil)))
	if err != nil || store == nil || !strings.HasPrefix(place, "s3://records/aparte") || !strings.Contains(logged.String(), "does not answer") {
		t.Errorf("away: %v, %s", err, &logged)
	}
}

// A store that answers but takes nothing now, because it is full or because of a clock, is
// warned of and shown, and keeps no meeting from being held: recordings wait. One that knows
// the secret for wrong refuses for good.
func TestAStoreThatTakesNothingNow(t *testing.T) {
	var refusal atomic.Pointer[string] // the code with which it refuses to write, or everything
	var everything atomic.Bool
	s3 := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code := refusal.Load()
		switch {
		case code != nil && (everything.Load() || r.Method == http.MethodPut):
			status := http.StatusForbidden
			if *code == "XMinioStorageFull" {
				status = http.StatusInsufficientStorage
			}
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message></Error>", *code)
		case r.Method == http.MethodPut:
			body, _ := io.ReadAll(r.Body)
			sum := sha256.Sum256(body)
			w.Header().Set("X-Amz-Checksum-Sha256", base64.StdEncoding.EncodeToString(sum[:]))
			w.Header().Set("ETag", `"1"`)
		case r.Method == http.MethodDelete:
			w.WriteHeader(http.StatusNoContent)
		case r.Method == http.MethodHead:
			w.WriteHeader(http.StatusNotFound)
		case r.URL.Query().Has("versioning"):
			_, _ = io.WriteString(w, "<VersioningConfiguration/>")
		default:
			_, _ = io.WriteString(w, "<ListBucketResult><Name>records</Name><IsTruncated>false</IsTruncated></ListBucketResult>")
		}
	}))
	defer s3.Close()
	config := func(c *Config) {
		c.Recordings.Store, c.Recordings.StoreAccessKey, c.Recordings.StoreSecretKey = "s3://records/aparte?endpoint="+s3.URL, "key", "secret"
	}
	begin := func(code string, all bool) (*kept, string, error) {
		refusal.Store(&code)
		everything.Store(all)
		c := defaults()
		c.DataDir = t.TempDir()
		config(&c)
		var logged bytes.Buffer
		k, err := openKept(t.Context(), &c, nil, "https://meet.example", slog.New(slog.NewTextHandler(&logged, nil)))
		if k != nil {
			t.Cleanup(func() { _ = k.keeper.Close(context.Background()) })
		}
		return k, logged.String(), err
	}
	for code, all := range map[string]bool{"XMinioStorageFull": false, "RequestTimeTooSkewed": true} {
		k, logged, err := begin(code, all)
		if err != nil || !strings.Contains(logged, "level=WARN") || !strings.Contains(logged, "takes nothing") {
			t.Errorf("%s: %v, log %s", code, err, logged)
			continue
		}
		if told := k.stored(k.look(t.Context()), true); !told.Failed || !told.Answered {
			t.Errorf("%s: shown as %+v", code, told)
		}
		refusal.Store(nil)
		if told := k.stored(k.look(t.Context()), true); told.Failed {
			t.Errorf("%s: once it takes things again shown as %+v", code, told)
		}
	}
	for _, all := range []bool{false, true} {
		_, _, err := begin("SignatureDoesNotMatch", all)
		if usage := (usageError{}); !errors.As(err, &usage) || !strings.Contains(err.Error(), "the secret key is wrong") {
			t.Errorf("a wrong secret: %v", err)
		}
	}
}
