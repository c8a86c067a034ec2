package render

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A job sees no network, no environment, no terminal and no files but its own and the
// system's, can gain no rights, and has limits.
func TestAUnitIsKeptApart(t *testing.T) {
	found := tool(t)
	apart := true
	for _, lack := range found.Lacks { // as in a container that may not: then nobody may here
		t.Log(lack)
		if strings.Contains(lack, "no network") {
			apart = false
			for _, args := range [][]string{{"--user", "--net", "true"}, {"--net", "true"}} {
				if err := exec.CommandContext(t.Context(), "unshare", args...).Run(); err == nil {
					t.Errorf("this system gives one to unshare %q", args)
				}
			}
		}
	}
	t.Setenv("SECRET_OF_OURS", "1")
	shell := &Tool{path: "/bin/sh", isolation: found.isolation, confiner: found.confiner}
	dir, sees, others := t.TempDir(), t.TempDir(), t.TempDir()
	for _, d := range []string{sees, others} {
		if err := os.WriteFile(filepath.Join(d, "file"), []byte("content of "+d+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// It reads by itself: what is in /proc/self is its own, whoever it starts has another.
	text, err := shell.said(t, dir, sees, `show() { while IFS= read -r line; do echo "$line"; done <"$1"; }
echo "in $(pwd)"; env; show /proc/self/net/dev; show /proc/self/limits; show /proc/self/status; read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ nice _ </proc/self/stat; echo "nice $nice"
read -r line || echo no input
echo made >made; show made; mv made moved; rm moved && echo deleted
show `+sees+`/file; ls `+sees+`
cat `+others+`/file; ls `+others+`; echo x >`+others+`/file; echo x >`+others+`/new; echo x >`+sees+`/file; rm `+sees+`/file; mkdir folder; cat /etc/passwd; ls /
perl -MSocket -e 'socket(my $s, AF_INET, SOCK_STREAM, 0) ? print "socket\n" : print "no socket: $!\n"; socket($s, AF_UNIX, SOCK_STREAM, 0) ? print "socket\n" : print "no other: $!\n"'
unshare --user true; echo "unshare $?"`)
	if err != nil {
		t.Fatal(err)
	}
	wants := []string{
		"in " + dir, "no input", "nice 10", "Max core file size        0 ", "Max address space         8589934592 ", "Max open files            1024 ",
		"Max cpu time              600 ", "lo:", "NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000",
		"made\ndeleted\n", "content of " + sees, "no socket: Operation not permitted", "no other: Operation not permitted", "unshare 1\n",
	}
	if os.Getuid() != 0 { // who has none to begin with keeps what cannot be had
		wants = slices.DeleteFunc(wants, func(want string) bool { return strings.HasPrefix(want, "CapBnd") })
	}
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	for _, never := range []string{"SECRET_OF_OURS", "HOME=", "content of " + others, "root:x:"} {
		if strings.Contains(text, never) {
			t.Errorf("%q is in\n%s", never, text)
		}
	}
	if _, err := os.Stat(filepath.Join(others, "new")); err == nil {
		t.Error("it wrote where it may not")
	}
	for _, d := range []string{sees, others} {
		if text, err := os.ReadFile(filepath.Join(d, "file")); err != nil || !strings.HasPrefix(string(text), "content of ") {
			t.Errorf("a file of others: %q, %v", text, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "folder")); err == nil {
		t.Error("it made a folder")
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
	_, err = shell.said(t, dir, sees, `printf 'a\033[31m\nb\n' >&2; exit 3`)
	var failed *jobError
	if !errors.As(err, &failed) || !strings.HasSuffix(err.Error(), "exit status 3: a [31m b") {
		t.Errorf("%v", err)
	}
}

func (t *Tool) said(tt *testing.T, dir, sees, script string) (string, error) {
	var b strings.Builder
	err := t.run(tt.Context(), job{args: []string{"-c", script}, dir: dir, sees: []string{sees}, read: func(line string) error {
		b.WriteString(line + "\n")
		return nil
	}})
	return b.String(), err
}

// Without the program, or with one that cannot do it, it is said what is missing.
func TestUnavailable(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	_, err := Find(t.Context(), "ffmpeg", confiner)
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
	if _, err = Find(t.Context(), "ffmpeg", confiner); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), path+" does not run: "+path+": exit status 1: broken") {
		t.Errorf("%v", err)
	}
	filters := strings.Join(filtersNeeded[1:], "\n . ")
	write(`case "$*" in
*-version) echo ffmpeg version 7;;
*-encoders) echo ' V....D libvpx-vp9 x'; echo ' A..... libopus x'; echo ' A..... flac x'; echo ' V..... mpeg4 x';;
*-filters) echo ' . ` + filters + `';;
esac`)
	found, err := Find(t.Context(), "ffmpeg", confiner)
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
