// Package storagetest runs a real S3-compatible store for tests: versitygw, over a folder.
package storagetest

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"aparte/recorder/storage"
)

// The keys of the store's own user.
const (
	AccessKey = "archivist"
	SecretKey = "not-a-secret-but-long-enough"
)

// Gateway is a store, in a process of its own.
type Gateway struct {
	Addr    string // host:port
	Dir     string // in which each bucket is a folder, and each object a file
	Keys    storage.Credentials
	program string
	folders []string // its arguments
	command *exec.Cmd
	logged  *bytes.Buffer
}

// Start starts one, which ends with the test.
func Start(t testing.TB) *Gateway {
	t.Helper()
	g := &Gateway{Dir: t.TempDir(), Keys: storage.Credentials{AccessKey: AccessKey, SecretKey: SecretKey}, program: program(t)}
	g.folders = []string{"--versioning-dir", t.TempDir(), g.Dir}
	g.Addr = Reserved(t)
	t.Cleanup(g.Stop)
	g.Again(t)
	return g
}

// program is where make put it.
func program(t testing.TB) string {
	t.Helper()
	path := os.Getenv("BIN_VERSITYGW")
	if path == "" {
		_, here, _, _ := runtime.Caller(0)
		path = filepath.Join(filepath.Dir(here), "../../../.tools/bin/versitygw")
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: build it with  make .tools/bin/versitygw", err)
	}
	return path
}

// Again starts it where it was, after Stop.
func (g *Gateway) Again(t testing.TB) {
	t.Helper()
	arguments := append([]string{"--port", g.Addr, "--quiet", "--keep-alive", "posix"}, g.folders...)
	g.logged = new(bytes.Buffer)
	g.command = exec.CommandContext(context.WithoutCancel(t.Context()), g.program, arguments...)
	g.command.Env = []string{"PATH=" + os.Getenv("PATH"), "ROOT_ACCESS_KEY=" + AccessKey, "ROOT_SECRET_KEY=" + SecretKey}
	g.command.Stdout, g.command.Stderr = g.logged, g.logged
	if err := g.command.Start(); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(30 * time.Second); ; {
		connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", g.Addr)
		if err == nil {
			_ = connection.Close()
			return
		}
		if time.Now().After(until) {
			g.Stop()
			t.Fatalf("versitygw does not come up: %s", g.logged)
		}
		time.Sleep(20 * time.Millisecond) // it tells nobody when it listens
	}
}

// Stop kills it, as a machine that is gone. What it has acknowledged is in Dir.
func (g *Gateway) Stop() {
	if g.command == nil {
		return
	}
	_ = g.command.Process.Kill()
	_ = g.command.Wait()
	g.command = nil
}

// Bucket makes one, and is its address. Locked: nothing in it can be deleted for a day.
func (g *Gateway) Bucket(t testing.TB, name string, locked bool) string {
	t.Helper()
	client := g.client(t)
	if err := client.MakeBucket(t.Context(), name, minio.MakeBucketOptions{ObjectLocking: locked}); err != nil {
		t.Fatal(err)
	}
	if locked {
		mode, days, unit := minio.Compliance, uint(1), minio.Days
		if err := client.SetObjectLockConfig(t.Context(), name, &mode, &days, &unit); err != nil {
			t.Fatal(err)
		}
	}
	return "s3://" + name + "/aparte?endpoint=http://" + g.Addr
}

// Lockable makes a bucket whose objects can be locked, and are not by themselves, and is
// its address.
func (g *Gateway) Lockable(t testing.TB, name string) string {
	t.Helper()
	if err := g.client(t).MakeBucket(t.Context(), name, minio.MakeBucketOptions{ObjectLocking: true}); err != nil {
		t.Fatal(err)
	}
	return "s3://" + name + "/aparte?endpoint=http://" + g.Addr
}

// Locked is how an object of a bucket is locked, by its whole name: mode and end of its
// retention, and whether it is under legal hold, as "GOVERNANCE 2026-01-02T03:04:05Z ON".
func (g *Gateway) Locked(t testing.TB, bucket, name string) string {
	t.Helper()
	info, err := g.client(t).StatObject(t.Context(), bucket, name, minio.StatObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	said := "-"
	if mode := info.Metadata.Get("X-Amz-Object-Lock-Mode"); mode != "" {
		until, err := time.Parse(time.RFC3339, info.Metadata.Get("X-Amz-Object-Lock-Retain-Until-Date"))
		if err != nil {
			t.Fatal(err)
		}
		said = mode + " " + until.UTC().Format(time.RFC3339)
	}
	hold := info.Metadata.Get("X-Amz-Object-Lock-Legal-Hold")
	if hold == "" {
		hold = "-"
	}
	return said + " " + hold
}

// KeepVersions has a bucket keep what is deleted or replaced.
func (g *Gateway) KeepVersions(t testing.TB, bucket string) {
	t.Helper()
	if err := g.client(t).EnableVersioning(t.Context(), bucket); err != nil {
		t.Fatal(err)
	}
}

// Versions counts what a bucket holds, also of what was deleted.
func (g *Gateway) Versions(t testing.TB, bucket string) int {
	t.Helper()
	n := 0
	for info := range g.client(t).ListObjectsIter(t.Context(), bucket, minio.ListObjectsOptions{WithVersions: true, Recursive: true}) {
		if info.Err != nil {
			t.Fatal(info.Err)
		}
		n++
	}
	return n
}

func (g *Gateway) client(t testing.TB) *minio.Client {
	t.Helper()
	client, err := minio.New(g.Addr, &minio.Options{Creds: credentials.NewStaticV4(AccessKey, SecretKey, ""), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Open is the storage of an address at this store, looked at.
func (g *Gateway) Open(t testing.TB, address string) *storage.S3 {
	t.Helper()
	location, err := storage.ParseLocation(address)
	if err != nil {
		t.Fatal(err)
	}
	s, err := storage.OpenS3(location, g.Keys)
	if err := errors.Join(err, s.Check(t.Context())); err != nil {
		t.Fatal(err)
	}
	return s
}
