package main

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// filmNiceness leaves the machine to those who speak. What composes starts ffmpeg with the
// same.
const filmNiceness = 10

// startApart starts a process at low priority that dies with this one. The calling
// goroutine has to be locked to its thread, and to wait for the process there: it belongs
// to that thread.
func startApart(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, filmNiceness) // of this thread; one that is lower already may refuse
	return cmd.Start()
}
