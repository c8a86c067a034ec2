package sdktest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is one that works in a server's folder.
type process struct {
	pid  int
	args string
}

// workingIn are the processes whose working folder is within one: what makes a film, and ffmpeg.
func workingIn(t *testing.T, folder string) (all []process) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if at, err := os.Readlink(link); err != nil || !strings.HasPrefix(at, folder) {
			continue // it has ended, or works elsewhere
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		if err != nil {
			t.Fatal(err)
		}
		args, _ := os.ReadFile(filepath.Join(filepath.Dir(link), "cmdline")) // may have ended
		all = append(all, process{pid, string(bytes.ReplaceAll(args, []byte{0}, []byte{' '}))})
	}
	return all
}

// stopped stops a process; false: it has ended.
func stopped(t *testing.T, pid int) bool {
	t.Helper()
	if syscall.Kill(pid, syscall.SIGSTOP) != nil {
		return false
	}
	for until := time.Now().Add(patience); time.Now().Before(until); {
		stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if err != nil {
			return false
		}
		switch stat[bytes.LastIndexByte(stat, ')')+2] { // proc(5)
		case 'T':
			return true
		case 'Z', 'X':
			return false
		}
	}
	t.Fatalf("process %d does not stop", pid)
	return false
}

// holding are the files below a folder that have a word in them.
func holding(t *testing.T, folder, word string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && !entry.Type().IsRegular() {
			return nil // gone meanwhile
		}
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if bytes.Contains(text, []byte(word)) {
			found = append(found, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return found
}

func (r *recorded) eventually(what string, is func() bool) {
	r.t.Helper()
	for until := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			r.t.Fatalf("never: %s\n%s", what, r.srv.logs())
		}
	}
}

// film is that of the recording, as its host reads it.
func (r *recorded) film() (f struct {
	State, Reason string
	Attempts      int
	Made          struct {
		Type   string
		Length float64
	}
},
) {
	r.t.Helper()
	var list struct {
		Recordings []struct{ Film json.RawMessage }
	}
	status, answer := r.send("GET", r.agent, "", "meetings/"+r.meetingRoom.id+"/recordings", nil)
	if err := json.Unmarshal(answer, &list); err != nil || status != http.StatusOK || len(list.Recordings) != 1 {
		r.t.Fatalf("recordings: %d %s, %v", status, answer, err)
	}
	if film := list.Recordings[0].Film; film != nil {
		unmarshal(r.t, film, &f)
	}
	return f
}

// A server that is killed in the middle of a film takes what makes it along. The next one
// finishes the film, and leaves nothing of it that is not sealed.
func TestAServerIsKilledInTheMiddleOfAFilm(t *testing.T) {
	t.Parallel()
	const word = "WHAT-WAS-SAID"
	data, flags := t.TempDir(), []string{"--recordings-server-key", filepath.Join(t.TempDir(), "server.key")}
	r := newRecordedAt(t, data, ownServer(t, data, flags...))
	r.breathe(150, word)
	r.must(r.agent, "", r.call("recording/stop"), nil, nil)

	// ffmpeg is stopped in its tracks, so that what waits for it neither is done nor ends.
	films := filepath.Join(data, "films")
	var maker, tool int
	r.eventually("a film is made", func() bool {
		for _, p := range workingIn(t, films) {
			if strings.Contains(p.args, "record film") {
				maker = p.pid
			} else if stopped(t, p.pid) {
				tool = p.pid
			}
		}
		return maker > 0 && tool > 0
	})
	if got := r.film(); got.State != "running" || len(holding(t, films, word)) == 0 || len(workingIn(t, films)) != 2 {
		t.Fatalf("the film is %+v, made by %+v", got, workingIn(t, films))
	}
	r.srv.kill()
	r.eventually("nothing outlives the server", func() bool { return len(workingIn(t, data)) == 0 })
	if left := holding(t, data, word); len(left) == 0 {
		t.Error("what is half made is gone: it is not what a crash leaves")
	}

	r.srv = ownServer(t, data, flags...)
	r.eventually("the film is made", func() bool { return r.film().State == "done" })
	if got := r.film(); got.Made.Type != "audio/ogg" || got.Made.Length < 2 || got.Attempts != 0 {
		t.Errorf("made: %+v", got)
	}
	status, film := r.send("GET", r.agent, "", "meetings/"+r.meetingRoom.id+"/recordings/"+r.id+"/film", nil)
	if status != http.StatusOK || !bytes.HasPrefix(film, []byte("OggS")) {
		t.Errorf("watched: %d %.60q", status, film)
	}
	if left, err := os.ReadDir(films); err != nil || len(left) != 0 {
		t.Errorf("on the way is left %v, %v", left, err)
	}
	if left := holding(t, data, word); len(left) != 0 {
		t.Errorf("in the clear is %q", left)
	}
	if left := workingIn(t, data); len(left) != 0 {
		t.Errorf("still there: %+v", left)
	}
}
