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

// start starts a job. It belongs to the thread that calls: see Tool.run.
func (i isolation) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Cloneflags: i.flags}
	if i.flags&unix.CLONE_NEWUSER != 0 {
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, niceness) // of this thread; one that is lower already may refuse
	return cmd.Start()
}

// cpuOf is what a process has used of processors, all its threads; false: it is no more.
func cpuOf(pid int) (time.Duration, bool) {
	// The clock of a process, as clock_getcpuclockid(3) makes its number.
	const scheduled = 2
	var at unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &at); err != nil { //nolint:gosec // ids of processes have 22 bits
		return 0, false
	}
	return time.Duration(at.Nano()), true
}

// OwnCPU is what this process has used of processors since it began, without those that it
// started; 0 where the system does not tell.
func OwnCPU() time.Duration {
	var at unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &at); err != nil {
		return 0
	}
	return time.Duration(at.Nano())
}
