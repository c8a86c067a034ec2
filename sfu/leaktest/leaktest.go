// Package leaktest fails the tests of a package when a goroutine outlives them.
package leaktest

import (
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// wait is how long goroutines have to end after the last test: generous, because only what
// never ends takes as long. One search of goleak waits less than half a second, and on a
// loaded machine Pion's agents end later than that.
const wait = 20 * time.Second

// Main ends the process with the tests' result, or with failure if they passed and something
// still runs 20 s later. It is called by TestMain.
func Main(m *testing.M) { os.Exit(Tests{m}.Run()) }

// Runner runs tests and says how the process is to end: [testing.M].
type Runner interface{ Run() (code int) }

// Tests are those of a package, for what wants to run them itself.
type Tests struct{ Runner }

// Run runs them. Its result is theirs, or 1 if they passed and left a goroutine behind.
func (t Tests) Run() (code int) { return after(t.Runner.Run(), wait, os.Stderr) }

func after(code int, wait time.Duration, to io.Writer) int {
	if code != 0 {
		return code // what failed may well have left something
	}
	err := goleak.Find()
	for until := time.Now().Add(wait); err != nil && time.Now().Before(until); {
		err = goleak.Find()
	}
	if err != nil {
		_, _ = fmt.Fprintln(to, "the tests passed, but left goroutines behind:", err)
		return 1
	}
	return 0
}
