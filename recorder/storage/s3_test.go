package storage_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aparte/recorder/storage"
	"aparte/recorder/storage/storagetest"
)

func s3At(t *testing.T, address string, keys storage.Credentials) *storage.S3 {
	t.Helper()
	location, err := storage.ParseLocation(address)
	if err != nil {
		t.Fatal(err)
	}
	s, err := storage.OpenS3(location, keys)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// One store for all that does not end it.
func TestS3(t *testing.T) {
	gateway := storagetest.Start(t)
	address := gateway.Bucket(t, "records", false)
	t.Run("obeys", func(t *testing.T) { storage.Obeys(t, gateway.Open(t, address)) })
	t.Run("many", func(t *testing.T) { many(t, gateway, gateway.Open(t, address)) })
	t.Run("large", func(t *testing.T) { large(t, gateway.Open(t, address)) })
	t.Run("damaged on the way", func(t *testing.T) { damagedOnTheWay(t, gateway, address) })
	t.Run("start", func(t *testing.T) { whatStartTells(t, gateway, address) })

	t.Run("versions", func(t *testing.T) {
		versioned := gateway.Bucket(t, "versions", false)
		gateway.KeepVersions(t, "versions")
		s := gateway.Open(t, versioned)
		storage.Obeys(t, s)
		if n := gateway.Versions(t, "versions"); n != 0 {
			t.Errorf("%d versions are left of what was deleted", n)
		}
	})

	t.Run("locked", func(t *testing.T) {
		locked := gateway.Bucket(t, "locked", true)
		s := gateway.Open(t, locked)
		if _, err := s.Put(t.Context(), "R/x", strings.NewReader("x"), 1); err != nil {
			t.Fatal(err)
		}
		err := s.Delete(t.Context(), "R/x")
		if !errors.Is(err, storage.ErrLocked) || !strings.Contains(err.Error(), "retention") {
			t.Errorf("deleted: %v", err)
		}
		if got := storage.Read(t, s, "R/x"); string(got) != "x" {
			t.Errorf("it is %q", got)
		}
		if err := s.Check(t.Context()); err != nil {
			t.Errorf("another start: %v", err)
		}
	})

	t.Run("lock", func(t *testing.T) { lock(t, gateway, address) })

	t.Run("away", func(t *testing.T) {
		s := gateway.Open(t, address)
		gateway.Stop()
		_, put := s.Put(t.Context(), "R/x", strings.NewReader("x"), 1)
		_, open := s.Open(t.Context(), "R/x")
		_, list := s.List(t.Context(), "")
		for what, err := range map[string]error{"put": put, "open": open, "list": list, "delete": s.Delete(t.Context(), "R/x"), "check": s.Check(t.Context())} {
			if !errors.Is(err, storage.ErrUnreachable) || !strings.Contains(err.Error(), "can this machine reach it") {
				t.Errorf("%s: %v", what, err)
			}
		}
		gateway.Again(t)
		if _, err := s.Put(t.Context(), "R/x", strings.NewReader("x"), 1); err != nil {
			t.Errorf("back: %v", err)
		}
	})
}

// Objects are put locked, their retention only ever grows, and a legal hold comes and goes.
func lock(t *testing.T, gateway *storagetest.Gateway, unlockable string) {
	s := gateway.Open(t, gateway.Lockable(t, "lockable"))
	now := time.Now()
	for range 2 { // another start finds what the first one left
		if err := s.CheckLock(t.Context(), storage.Governance, now); err != nil {
			t.Fatal(err)
		}
	}
	until := now.Add(time.Hour)
	told := func(at time.Time) string { return at.UTC().Truncate(time.Second).Format(time.RFC3339) }
	put := func(name string, l storage.Lock) {
		t.Helper()
		object, err := s.PutLocked(t.Context(), name, strings.NewReader("x"), 1, l)
		if err != nil || object.SHA256 != storage.DigestOf([]byte("x")) {
			t.Fatalf("%s: %+v, %v", name, object, err)
		}
	}
	is := func(name, want string) {
		t.Helper()
		if got := gateway.Locked(t, "lockable", "aparte/"+name); got != want {
			t.Errorf("%s is locked %q, want %q", name, got, want)
		}
	}
	for _, mode := range []storage.LockMode{storage.Governance, storage.Compliance} {
		name, word := "R/"+string(mode), strings.ToUpper(string(mode))+" "
		put(name, storage.Lock{Mode: mode, Until: until})
		is(name, word+told(until)+" -")
		if err := s.Delete(t.Context(), name); !errors.Is(err, storage.ErrLocked) {
			t.Errorf("%s deleted: %v", mode, err)
		}
		for _, end := range []time.Time{until, until.Add(time.Minute), until} { // the same, longer, and never shorter
			if err := s.Lock(t.Context(), name, storage.Lock{Mode: mode, Until: end}); err != nil {
				t.Errorf("%s until %s: %v", mode, told(end), err)
			}
		}
		is(name, word+told(until.Add(time.Minute))+" -")
	}

	// What was put under another mode keeps it, and gets the longer end.
	if err := s.Lock(t.Context(), "R/governance", storage.Lock{Mode: storage.Compliance, Until: until.Add(time.Hour)}); err != nil {
		t.Error(err)
	}
	is("R/governance", "GOVERNANCE "+told(until.Add(time.Hour))+" -")

	put("R/held", storage.Lock{Hold: storage.On})
	is("R/held", "- ON")
	if err := s.Delete(t.Context(), "R/held"); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("held, deleted: %v", err)
	}
	if err := s.Lock(t.Context(), "R/held", storage.Lock{Hold: storage.Lifted}); err != nil {
		t.Error(err)
	}
	is("R/held", "- OFF")
	if err := s.Delete(t.Context(), "R/held"); err != nil {
		t.Errorf("lifted, deleted: %v", err)
	}
	put("R/later", storage.Lock{})
	if err := s.Lock(t.Context(), "R/later", storage.Lock{Mode: storage.Governance, Until: until, Hold: storage.On}); err != nil {
		t.Error(err)
	}
	is("R/later", "GOVERNANCE "+told(until)+" ON")
	if err := s.Lock(t.Context(), "R/none", storage.Lock{Mode: storage.Governance, Until: until}); !errors.Is(err, storage.ErrNone) {
		t.Errorf("of nothing: %v", err)
	}

	// In pieces, too.
	s.InPieces(5 << 20)
	content := make([]byte, 6<<20)
	if _, err := s.PutLocked(t.Context(), "R/large", bytes.NewReader(content), int64(len(content)), storage.Lock{Mode: storage.Compliance, Until: until}); err != nil {
		t.Fatal(err)
	}
	is("R/large", "COMPLIANCE "+told(until)+" -")

	without := gateway.Open(t, unlockable)
	_, err := without.PutLocked(t.Context(), "R/lock", strings.NewReader("x"), 1, storage.Lock{Mode: storage.Governance, Until: until})
	for what, err := range map[string]error{"look": without.CheckLock(t.Context(), storage.Compliance, now), "put": err} {
		if !errors.Is(err, storage.ErrNoLock) || !strings.Contains(err.Error(), "recordings.store_lock") || strings.Contains(err.Error(), "\n") {
			t.Errorf("without object lock: %s: %v", what, err)
		}
	}
}

// A store's lists have a thousand objects each.
func many(t *testing.T, gateway *storagetest.Gateway, s *storage.S3) {
	const n = 1003
	dir := filepath.Join(gateway.Dir, "records/aparte/many")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%08d.tar", i+1)), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.List(t.Context(), "many")
	if err != nil || len(all) != n || all[0].Name != "many/00000001.tar" || all[n-1].Name != "many/00001003.tar" {
		t.Fatalf("%d objects: %v", len(all), err)
	}
}

// What goes in pieces is whole as well, or is not there.
func large(t *testing.T, s *storage.S3) {
	s.InPieces(5 << 20)
	content := make([]byte, 6<<20)
	_, _ = rand.Read(content)
	object, err := s.Put(t.Context(), "large", bytes.NewReader(content), int64(len(content)))
	if err != nil || object.SHA256 != storage.DigestOf(content) || object.Size != int64(len(content)) {
		t.Errorf("put: %+v, %v", object, err)
	}
	if !bytes.Equal(storage.Read(t, s, "large"), content) {
		t.Error("it comes back as something else")
	}
	if _, err := s.Put(t.Context(), "cut", bytes.NewReader(content[1:]), int64(len(content))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut: %v", err)
	}
	if _, err := s.Open(t.Context(), "cut"); !errors.Is(err, storage.ErrNone) {
		t.Errorf("cut is there: %v", err)
	}
}

// A bit that falls over on the way there is found, with a store that looks at checksums
// and with one that does not.
func damagedOnTheWay(t *testing.T, gateway *storagetest.Gateway, address string) {
	target := &url.URL{Scheme: "http", Host: gateway.Addr}
	location, err := storage.ParseLocation(address)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		flip, mute bool
		want       error
	}{
		"told":             {flip: true, want: storage.ErrDamaged},
		"silent":           {mute: true},
		"silent-and-false": {mute: true, flip: true, want: storage.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := httptest.NewServer(&httputil.ReverseProxy{
				Rewrite: func(r *httputil.ProxyRequest) {
					r.SetURL(target)
					r.Out.Host = r.In.Host // it is signed
				},
				ModifyResponse: func(r *http.Response) error {
					if c.mute {
						r.Header.Del("X-Amz-Checksum-Sha256")
					}
					if c.mute && c.flip && r.Request.Method == http.MethodGet { // it had been kept wrongly
						r.Body = struct {
							io.Reader
							io.Closer
						}{flipping(r.Body), r.Body}
					}
					return nil
				},
				Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
					if c.flip && !c.mute && r.Method == http.MethodPut {
						r.Body = io.NopCloser(flipping(r.Body))
					}
					return http.DefaultTransport.RoundTrip(r)
				}),
			})
			defer proxy.Close()
			there := location
			there.Endpoint = strings.TrimPrefix(proxy.URL, "http://")
			s, err := storage.OpenS3(there, gateway.Keys)
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Put(t.Context(), "way/"+name, strings.NewReader("sealed"), 6)
			if !errors.Is(err, c.want) || (c.want == nil) != (err == nil) {
				t.Errorf("put: %v", err)
			}
			if _, err := gateway.Open(t, address).Open(t.Context(), "way/"+name); (err == nil) != (c.want == nil) {
				t.Errorf("is it there? %v", err)
			}
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// flipping changes the first byte.
func flipping(from io.Reader) io.Reader {
	first := make([]byte, 1)
	n, _ := io.ReadFull(from, first)
	first[0] ^= 1
	return io.MultiReader(bytes.NewReader(first[:n]), from)
}

// What is wrong at the start is one line that says what to do.
func whatStartTells(t *testing.T, gateway *storagetest.Gateway, address string) {
	wrong := gateway.Keys
	wrong.SecretKey = "another-secret-that-is-wrong"
	unknown := storage.Credentials{AccessKey: "nobody", SecretKey: "not-a-secret-but-long-enough"}
	for _, c := range []struct {
		name, address string
		keys          storage.Credentials
		want          string
	}{
		{"bucket", strings.Replace(address, "records", "missing", 1), gateway.Keys, "there is no bucket missing at " + gateway.Addr},
		{"secret", address, wrong, "the secret key is wrong"},
		{"access key", address, unknown, "the store does not know this access key"},
	} {
		err := s3At(t, c.address, c.keys).Check(t.Context())
		if !errors.Is(err, storage.ErrRefused) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), c.keys.SecretKey) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if left, err := gateway.Open(t, address).List(t.Context(), ""); err != nil || len(left) == 0 || strings.Contains(fmt.Sprint(left), "aparte-check") {
		t.Errorf("the look left %v, %v", left, err)
	}
}

// A put that hangs ends with its context.
func TestAStoreThatHangs(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	hangs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	defer hangs.Close()
	s := s3At(t, "s3://records?endpoint="+hangs.URL, storage.Credentials{AccessKey: "a", SecretKey: "b"})
	if _, err := s.Put(ctx, "R/x", strings.NewReader("x"), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("put: %v", err)
	}
	// Whose time is over meanwhile has had no answer.
	short, over := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer over()
	if _, err := s.List(short, "R"); !errors.Is(err, storage.ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("list: %v", err)
	}
}

// A store that answers with an error of its own is one that does not answer.
func TestAStoreThatFails(t *testing.T) {
	for status, want := range map[int]error{
		http.StatusServiceUnavailable: storage.ErrUnreachable, http.StatusInternalServerError: storage.ErrUnreachable, http.StatusTooManyRequests: storage.ErrUnreachable,
		http.StatusInsufficientStorage: storage.ErrFull, http.StatusForbidden: storage.ErrRefused,
	} {
		fails := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			w.WriteHeader(status)
		}))
		s := s3At(t, "s3://records?endpoint="+fails.URL, storage.Credentials{AccessKey: "a", SecretKey: "b"})
		if _, err := s.Put(t.Context(), "R/x", strings.NewReader("x"), 1); !errors.Is(err, want) {
			t.Errorf("%d: %v", status, err)
		}
		fails.Close()
	}
}

func TestParseLocation(t *testing.T) {
	for text, want := range map[string]storage.Location{
		"s3://records":                               {Endpoint: "s3.amazonaws.com", Secure: true, Region: "us-east-1", Bucket: "records"},
		"s3://records/a/b/?region=eu-west-3":         {Endpoint: "s3.amazonaws.com", Secure: true, Region: "eu-west-3", Bucket: "records", Prefix: "a/b"},
		"s3://records?endpoint=https://s3.example":   {Endpoint: "s3.example", Secure: true, Region: "us-east-1", Bucket: "records"},
		"s3://r-1?endpoint=http://127.0.0.1:9000":    {Endpoint: "127.0.0.1:9000", Region: "us-east-1", Bucket: "r-1"},
		"s3://r-1?endpoint=http://[::1]:9000":        {Endpoint: "[::1]:9000", Region: "us-east-1", Bucket: "r-1"},
		"s3://r-1?endpoint=http://in.side&plain=yes": {Endpoint: "in.side", Region: "us-east-1", Bucket: "r-1"},
	} {
		got, err := storage.ParseLocation(text)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
		again, err := storage.ParseLocation(got.Place() + "&plain=yes")
		again.Region = got.Region
		if got.Endpoint == "s3.amazonaws.com" {
			again, err = storage.ParseLocation(got.Place() + "?region=" + got.Region)
		}
		if err != nil || again != got {
			t.Errorf("%s: %s is %+v, %v", text, got.Place(), again, err)
		}
	}
	for _, text := range []string{
		"", "/data", "https://s3.example/records", "s3://", "s3://user:secret@records", "s3://records?endpoint=http://s3.example", "s3://records?endpoint=s3.example",
		"s3://records?endpoint=https://user:secret@s3.example", "s3://records?endpoint=ftp://s3.example", "s3://records?secret=x", "s3://records?region=a&region=b",
		"s3://records/../x", "s3://records/é", "s3://records#x", "s3://records?endpoint=https://s3.example/path",
	} {
		if got, err := storage.ParseLocation(text); err == nil || strings.Contains(err.Error(), "user:") {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

func TestReadCredentials(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# of the store\n[default]\naws_access_key_id = A\naws_secret_access_key=B=\n[other]\naws_access_key_id = C\n")
	if got, err := storage.ReadCredentials(path); err != nil || got != (storage.Credentials{AccessKey: "A", SecretKey: "B="}) {
		t.Errorf("%+v, %v", got, err)
	}
	write("[default]\naws_access_key_id = A\n[other]\naws_secret_access_key = secret\n")
	if _, err := storage.ReadCredentials(path); err == nil || strings.Contains(err.Error(), "= secret") {
		t.Errorf("half of them: %v", err)
	}
}
