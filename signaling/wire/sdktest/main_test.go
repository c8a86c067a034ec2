package sdktest

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/stdr"
	"github.com/livekit/protocol/logger"
	lksdk "github.com/livekit/server-sdk-go/v2"
)

// binVariable has no APARTE_ in front: the program refuses unknown variables
// of that name.
const binVariable = "BIN_APARTE"

// patience is how long anything may take before a test gives up. It is far
// more than anything needs, because two slow cores may run other things too.
const patience = 40 * time.Second

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run sets up what all tests share. Those without the program fail, they are
// never skipped.
func run(m *testing.M) int {
	if program := os.Getenv(decidedVariable); program != "" {
		becomeDecided(program)
	}
	path, err := program()
	if err == nil {
		err = readRows()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// The tests mostly wait for media in real time: more of them fit beside
	// one another than there are cores.
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		if err := f.Value.Set("6"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	quiet := logr.Discard()
	if os.Getenv("SDK_LOG") != "" {
		quiet = stdr.New(log.New(os.Stderr, "sdk: ", log.Lmicroseconds))
	}
	lksdk.SetLogger(logger.LogRLogger(quiet))

	dir, err := os.MkdirTemp("", "sdktest")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if clips, err = makeFixtures(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err = trustCertificate(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if shared, err = start(path, filepath.Join(dir, "data")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	if code != 0 && os.Getenv("SERVER_LOG") != "" {
		fmt.Fprintln(os.Stderr, shared.logs())
	}
	return code
}

func program() (string, error) {
	path := os.Getenv(binVariable)
	if path == "" {
		return "", fmt.Errorf("%s is not set: these tests need the built program. Run 'make test-nested' in the repository, or: make build && %s=$PWD/bin/aparte go test ./... in here", binVariable, binVariable)
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s: %w. Build it with 'make build'", binVariable, err)
	}
	return path, nil
}

// Set by run before the tests, only read by them.
var (
	shared *server  // the server of all tests that do not need one of their own
	clips  fixtures // what is sent
)
