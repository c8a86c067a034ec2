package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// fullDir names the data directory to a child process whose disk is full.
const fullDir = "APARTE_TEST_FULL_DIR"

// fullChild asks for its health before and after its files may grow no more: what
// a full disk is to it.
func fullChild(dir string) {
	ctx := context.Background()
	s, err := Open(ctx, dir, quiet)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("with room:", s.Healthy(ctx))
	info, err := os.Stat(filepath.Join(dir, fileName+"-wal"))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	size := uint64(info.Size())
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: size}); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("without is unavailable:", errors.Is(s.Healthy(ctx), ErrUnavailable))
	os.Exit(0)
}

func TestAFullDiskIsNotHealthy(t *testing.T) {
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), fullDir+"="+t.TempDir())
	out, err := child.CombinedOutput()
	if want := "with room: <nil>\nwithout is unavailable: true\n"; err != nil || !bytes.Equal(out, []byte(want)) {
		t.Errorf("%v:\n%s\nwant\n%s", err, out, want)
	}
}
