package sdktest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A disk that the test decides about: every fdatasync of a file in one folder comes back only
// when the test lets it, and how much room statfs finds there is what the test says. The
// program under test is the built one, and knows nothing of it: before it is executed, its
// process asks the kernel to have these calls decided by the test (seccomp_unotify(2)), which
// looks whose file it is and lets it go on, now or later, or answers itself. All other calls,
// and those of other files, such as the database's, pass. Nobody needs a right for that, as
// they would to mount a disk of its own.

// decidedVariable has this test's program become the program that it names, with a socket as
// file 3 on which it says how its calls are decided.
const decidedVariable = "SDKTEST_DECIDED_PROGRAM"

// becomeDecided does not return.
func becomeDecided(program string) {
	fmt.Fprintln(os.Stderr, func() error {
		runtime.LockOSThread() // the filter is the thread's, and what it executes
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return err
		}
		filter := []unix.SockFilter{
			{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the call's number
			{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_FDATASYNC, Jt: 1},
			{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_STATFS, Jf: 1},
			{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF},
			{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		}
		all := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
		listener, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&all)))
		if errno != 0 {
			return fmt.Errorf("seccomp: %w", errno)
		}
		if err := unix.Sendmsg(3, []byte{0}, unix.UnixRights(int(listener)), nil, 0); err != nil {
			return err
		}
		unix.CloseOnExec(3)
		unix.CloseOnExec(int(listener))
		return unix.Exec(program, append([]string{program}, os.Args[1:]...), slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, decidedVariable+"=") }))
	}())
	os.Exit(1)
}

// decidedDisk decides how long the disk of a folder takes, and how full it is.
type decidedDisk struct {
	folder string
	socket int // on which the listener comes

	mu    sync.Mutex
	takes time.Duration // guarded by mu: each sync; 0: as long as it does
	stuck chan struct{} // guarded by mu: not nil: no sync comes back before it is closed
	held  int           // guarded by mu: syncs that have not come back
	late  int           // guarded by mu: that came back late
	left  uint64        // guarded by mu: bytes of it; 0: as many as there are
}

// newDecidedDisk makes one, for a server that ownServerAs starts with its prepare.
func newDecidedDisk(t *testing.T, folder string) (d *decidedDisk, prepare func(*exec.Cmd)) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "socket")
	d = &decidedDisk{folder: folder, socket: pair[0]}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := d.decide(); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { // the server is gone
		_ = theirs.Close()
		<-ended
		_ = unix.Close(d.socket)
	})
	return d, func(cmd *exec.Cmd) {
		cmd.Env = append(cmd.Env, decidedVariable+"="+cmd.Path)
		cmd.Path, cmd.ExtraFiles = "/proc/self/exe", []*os.File{theirs}
	}
}

// notified is struct seccomp_notif, decided struct seccomp_notif_resp.
type notified struct {
	ID          uint64
	PID, Flags  uint32
	Call        int32
	Arch        uint32
	Instruction uint64
	Args        [6]uint64
}

type decided struct {
	ID    uint64
	Value int64
	Error int32
	Flags uint32
}

// decide lets calls go on until the server is gone.
func (d *decidedDisk) decide() error {
	rights := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(d.socket, make([]byte, 1), rights, 0)
	if err != nil {
		return fmt.Errorf("the program did not say how its calls are decided: %w", err)
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil || len(messages) != 1 {
		return fmt.Errorf("the program ended before it was one: %d, %w", len(messages), err)
	}
	listeners, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return err
	}
	defer unix.Close(listeners[0])
	var going sync.WaitGroup
	defer going.Wait()
	for {
		ready := []unix.PollFd{{Fd: int32(listeners[0]), Events: unix.POLLIN}}
		if _, err := unix.Poll(ready, -1); errors.Is(err, unix.EINTR) {
			continue
		} else if err != nil {
			return err
		}
		if ready[0].Revents&unix.POLLIN == 0 { // nobody has the filter any more
			return nil
		}
		var call notified
		switch _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listeners[0]), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&call))); errno {
		case 0:
		case unix.EINTR, unix.ENOENT: // it is gone
			continue
		default:
			return fmt.Errorf("what is to be decided: %w", errno)
		}
		going.Go(func() {
			answer := decided{ID: call.ID, Flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
			if call.Call == unix.SYS_FDATASYNC {
				d.wait(call)
			} else if is, err := d.room(call); err != nil {
				answer.Flags, answer.Error = 0, -int32(unix.EIO) // its recording ends, for another reason than the test wants
			} else if is {
				answer.Flags = 0
			}
			// Whoever asked may be gone meanwhile.
			_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(listeners[0]), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&answer)))
		})
	}
}

// wait returns when a call may go on.
func (d *decidedDisk) wait(call notified) {
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", call.PID, call.Args[0]))
	if err != nil || !strings.HasPrefix(path, d.folder+"/") {
		return
	}
	d.mu.Lock()
	takes, stuck := d.takes, d.stuck
	d.held++
	d.mu.Unlock()
	if stuck != nil {
		<-stuck
	} else {
		time.Sleep(takes)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held--
	if takes > 0 || stuck != nil {
		d.late++
	}
}

// room answers a statfs of the folder, or of what is in it, if the test has said how much is
// left. Of anything else it says false.
func (d *decidedDisk) room(call notified) (is bool, err error) {
	d.mu.Lock()
	left := d.left
	d.mu.Unlock()
	if left == 0 {
		return false, nil
	}
	// The calling thread waits: its memory is as it was when it called. It is this program's
	// child, of which it may read and write what it likes.
	memory, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", call.PID), os.O_RDWR, 0)
	if err != nil {
		return false, err
	}
	defer memory.Close()
	name := make([]byte, unix.PathMax)
	n, err := memory.ReadAt(name, int64(call.Args[0])) // fewer where the memory ends
	name, _, ended := bytes.Cut(name[:n], []byte{0})
	if !ended {
		return false, fmt.Errorf("the path of a statfs: %w", err)
	}
	if path := string(name); path != d.folder && !strings.HasPrefix(path, d.folder+"/") {
		return false, nil
	}
	var found unix.Statfs_t
	if err := unix.Statfs(string(name), &found); err != nil {
		return false, err
	}
	found.Bfree = left / uint64(found.Bsize)
	found.Bavail = found.Bfree
	_, err = memory.WriteAt(unsafe.Slice((*byte)(unsafe.Pointer(&found)), unsafe.Sizeof(found)), int64(call.Args[1]))
	return err == nil, err
}

// fill leaves so many bytes of it from now on.
func (d *decidedDisk) fill(left uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = left
}

// slow has each sync take so long from now on.
func (d *decidedDisk) slow(takes time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.takes = takes
}

// stick has no sync come back until free.
func (d *decidedDisk) stick() (free func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	stuck := make(chan struct{})
	d.stuck = stuck
	return sync.OnceFunc(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.stuck, d.takes = nil, 0
		close(stuck)
	})
}

func (d *decidedDisk) counts() (held, late int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.held, d.late
}

// A disk for recordings that takes seconds for what it is given, and then does not answer at
// all, in a call: nobody in it notices. What comes while it is slow is written once it can
// be, in order and without a gap; a withdrawal is answered while a sync is stuck, and holds;
// the recording ends by itself, with its reason, while the disk is silent, and what was
// written verifies.
func TestASlowDiskDelaysNobody(t *testing.T) {
	t.Parallel()
	const (
		takes = 3 * time.Second // a sync, six times as long as between two
		// For a packet's way, which takes some milliseconds on a machine at rest. A busy one may
		// stand still for as long now and then; a packet that waits for the disk does so at every sync.
		soon = 2 * time.Second
	)
	data := t.TempDir()
	disk, prepare := newDecidedDisk(t, filepath.Join(data, "recordings"))
	r := newRecordedAt(t, data, ownServerAs(t, prepare, data))
	for empty := r.size(); r.size() < empty+10_000; {
		r.speak(10, "TAKEN")
	}
	var ways []time.Duration
	delayed := 0
	speak := func(word string) {
		t.Helper()
		began := time.Now()
		r.speak(1, word)
		took := time.Since(began)
		if ways = append(ways, took); took > soon {
			delayed++
		}
	}
	disk.slow(takes)
	const syncs = 3
	for _, late := disk.counts(); late < syncs; _, late = disk.counts() {
		speak("TAKEN")
	}
	taken := r.sent

	free := disk.stick()
	t.Cleanup(free)
	for stuck := time.Now(); ; { // one of before may still be held
		if held, _ := disk.counts(); held > 0 && time.Since(stuck) > takes {
			break
		}
		speak("WAITING")
	}
	began := time.Now()
	rescue := time.AfterFunc(patience, free)
	r.says("decline")
	// Well before the recorder gives the disk up, after half a minute.
	if took := time.Since(began); !rescue.Stop() || took > 15*time.Second {
		t.Fatalf("while a sync is stuck a withdrawal is answered after %s", took)
	}
	var list struct {
		Recordings []struct{ State, Because string }
	}
	// It ends while the disk is still silent: half a minute until the recorder gives up, and
	// as long again for the file, which it cannot close.
	for began := time.Now(); len(list.Recordings) == 0 || list.Recordings[0].State != "stopped"; {
		for range 25 {
			speak("LATER")
		}
		status, answer := r.send("GET", r.agent, "", "meetings/"+r.meetingRoom.id+"/recordings", nil)
		if err := json.Unmarshal(answer, &list); err != nil || status != http.StatusOK || time.Since(began) > 4*patience {
			t.Fatalf("it goes on: %d %s, %v", status, answer, err)
		}
	}
	if got := list.Recordings[0].Because; got != "failed" {
		t.Errorf("it stopped because of %q", got)
	}
	slices.Sort(ways)
	t.Logf("%d packets to the other one: half within %s, 99 of 100 within %s, all within %s; a sync took %s and more", len(ways), ways[len(ways)/2], ways[len(ways)*99/100], ways[len(ways)-1], takes)
	if delayed >= syncs {
		t.Errorf("%d packets took more than %s to the other one, while %d syncs took %s each", delayed, soon, syncs, takes)
	}

	free() // what was stuck is written after all, and counts
	folder := filepath.Join(data, "recordings", r.id)
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) { // nobody tells when the file is closed
		out, err := r.command("record", "verify", folder)
		if err == nil && strings.Contains(out, "(the disk does not answer)") {
			t.Log(out)
			break
		}
		if time.Since(began) > patience {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	opened := filepath.Join(t.TempDir(), "opened")
	if out, err := r.command("record", "open", folder, "-i", filepath.Join(data, "archive.key"), "-o", opened); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	journal, err := os.ReadFile(filepath.Join(opened, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(journal, []byte("LATER ")); n > 0 {
		t.Errorf("in the journal are %d packets of after the withdrawal", n)
	}
	first, next := 0, 0
	for _, match := range regexp.MustCompile(`(?:TAKEN|WAITING) ([0-9]+)`).FindAllSubmatch(journal, -1) {
		n, _ := strconv.Atoi(string(match[1]))
		if next == 0 {
			first, next = n, n
		}
		if n != next {
			t.Fatalf("packet %d comes where %d should", n, next)
		}
		next = n + 1
	}
	if first == 0 || first > 25 || next <= taken {
		t.Errorf("in the journal are the packets from %d to %d, of %d that it had to take", first, next-1, taken)
	}
}
