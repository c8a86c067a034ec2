package render

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A job sees no network, no environment and no terminal, and has limits.
func TestAUnitIsKeptApart(t *testing.T) {
	found := tool(t)
	apart := found.Shared == ""
	if !apart { // as in a container that may not: then nobody may here
		t.Logf("no network of its own: %s", found.Shared)
		for _, args := range [][]string{{"--user", "--net", "true"}, {"--net", "true"}} {
			if err := exec.CommandContext(t.Context(), "unshare", args...).Run(); err == nil {
				t.Errorf("this system gives one to unshare %q", args)
			}
		}
	}
	t.Setenv("SECRET_OF_OURS", "1")
	shell := &Tool{path: "/bin/sh", isolation: found.isolation}
	dir := t.TempDir()
	// The limits come right after the start.
	text, err := shell.said(t, dir, `until grep -q '^Max cpu time  *600 ' /proc/self/limits; do :; done
echo "in $(pwd)"; env; cat /proc/net/dev /proc/self/limits; cut -d' ' -f19 /proc/self/stat; read -r line || echo no input`)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"in " + dir, "no input", "\n10\n", "Max core file size        0 ", "Max address space         8589934592 ", "lo:"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	for _, never := range []string{"SECRET_OF_OURS", "HOME="} {
		if strings.Contains(text, never) {
			t.Errorf("%q is in\n%s", never, text)
		}
	}
	var network []string
	for line := range strings.Lines(text) {
		if name, rest, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && len(strings.Fields(rest)) == 16 {
			network = append(network, name)
		}
	}
	if apart && (len(network) != 1 || network[0] != "lo") {
		t.Errorf("interfaces %v", network)
	}
	// What it complains about is told on one line, and controls no terminal.
	_, err = shell.said(t, dir, `printf 'a\033[31m\nb\n' >&2; exit 3`)
	var failed *jobError
	if !errors.As(err, &failed) || !strings.HasSuffix(err.Error(), "exit status 3: a [31m b") {
		t.Errorf("%v", err)
	}
}

func (t *Tool) said(tt *testing.T, dir, script string) (string, error) {
	var b strings.Builder
	err := t.run(tt.Context(), job{args: []string{"-c", script}, dir: dir, read: func(line string) error {
		b.WriteString(line + "\n")
		return nil
	}})
	return b.String(), err
}

// Without the program, or with one that cannot do it, it is said what is missing.
func TestUnavailable(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	_, err := Find(t.Context(), "ffmpeg")
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "apt-get install ffmpeg") {
		t.Errorf("%v", err)
	}
	write := func(script string) string {
		path := filepath.Join(dir, "ffmpeg")
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := write("echo broken >&2; exit 1")
	if _, err = Find(t.Context(), "ffmpeg"); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), path+" does not run: "+path+": exit status 1: broken") {
		t.Errorf("%v", err)
	}
	filters := strings.Join(filtersNeeded[1:], "\n . ")
	write(`case "$*" in
*-version) echo ffmpeg version 7;;
*-encoders) echo ' V....D libvpx-vp9 x'; echo ' A..... libopus x'; echo ' A..... flac x'; echo ' V..... mpeg4 x';;
*-filters) echo ' . ` + filters + `';;
esac`)
	found, err := Find(t.Context(), "ffmpeg")
	if err != nil {
		t.Fatal(err)
	}
	for format, want := range map[Format]string{
		WebM: "filter adelay, which webm needs",
		MP4:  "filter adelay and encoder libx264 and encoder aac, which mp4 needs",
	} {
		err := found.Check(format)
		var missing *MissingError
		if !errors.As(err, &missing) || !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "composition unavailable: "+path+" lacks "+want) {
			t.Errorf("%s: %v", format, err)
		}
	}
	if err := found.Check("avi"); err == nil || err.Error() != `format "avi": there are webm and mp4` {
		t.Errorf("%v", err)
	}
}
