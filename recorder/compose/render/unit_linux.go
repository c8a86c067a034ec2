package render

import (
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// isolation is how far a job is kept apart.
type isolation struct{ flags uintptr }

// isolations are the ways, the best first: a network of its own, with nothing in it, in a
// user namespace or, for root where there are none, without.
var isolations = []isolation{{unix.CLONE_NEWUSER | unix.CLONE_NEWNET}, {unix.CLONE_NEWNET}, {}}

// niceness leaves the machine to whatever else is done on it.
const niceness = 10

// Limits of a job: addresses, the size of a file, and files open at once.
const (
	memoryMost = 8 << 30
	fileMost   = 64 << 30
	openMost   = 1024
)

// start starts a job. It belongs to the thread that calls: see Tool.run.
func (i isolation) start(cmd *exec.Cmd, cpu time.Duration) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Cloneflags: i.flags}
	if i.flags&unix.CLONE_NEWUSER != 0 {
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, niceness) // of this thread; one that is lower already may refuse
	if err := cmd.Start(); err != nil {
		return err
	}
	for _, l := range []struct {
		resource int
		most     uint64
	}{
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_AS, memoryMost},
		{unix.RLIMIT_FSIZE, fileMost},
		{unix.RLIMIT_NOFILE, openMost},
		{unix.RLIMIT_CPU, uint64(cpu / time.Second)},
	} {
		var now unix.Rlimit
		err := unix.Prlimit(cmd.Process.Pid, l.resource, nil, &now)
		if err == nil {
			most := min(l.most, now.Max)
			err = unix.Prlimit(cmd.Process.Pid, l.resource, &unix.Rlimit{Cur: most, Max: most}, nil)
		}
		if err != nil && err != unix.ESRCH { // it is over already
			_ = cmd.Cancel()
			_ = cmd.Wait()
			return err
		}
	}
	return nil
}
