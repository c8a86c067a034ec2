package confine

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// What is kept from a confined program is what no decoder does and what most ways out of
// a process have begun with: sockets, other processes and their memory, namespaces and
// mounts, keys, modules, and the kernel's own virtual machines and queues. What is not
// named stays allowed: a C library may begin to need a new call, and a film that fails
// at that would be no safer.

// machine is what the calls are numbered by.
type machine struct {
	audit uint32   // AUDIT_ARCH_*
	calls []uint32 // that are kept from it
}

// common are kept from it on every machine.
var common = []uint32{
	unix.SYS_SOCKET, unix.SYS_SOCKETPAIR, unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_ACCEPT, unix.SYS_ACCEPT4,
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_KCMP, unix.SYS_PIDFD_OPEN, unix.SYS_PIDFD_GETFD,
	unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT,
	unix.SYS_OPEN_TREE, unix.SYS_MOVE_MOUNT, unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR,
	unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL,
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD, unix.SYS_REBOOT,
	unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_ACCT, unix.SYS_QUOTACTL, unix.SYS_SYSLOG, unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME,
	unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_CLOCK_ADJTIME, unix.SYS_ADJTIMEX,
	unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_FANOTIFY_INIT, unix.SYS_LOOKUP_DCOOKIE, unix.SYS_MEMFD_SECRET,
	unix.SYS_MBIND, unix.SYS_MIGRATE_PAGES, unix.SYS_MOVE_PAGES, unix.SYS_VHANGUP, unix.SYS_PERSONALITY,
}

// filtered is what is known of this machine; nil: nothing.
func filtered() *machine {
	switch runtime.GOARCH {
	case "amd64":
		return &machine{unix.AUDIT_ARCH_X86_64, common}
	case "arm64":
		return &machine{unix.AUDIT_ARCH_AARCH64, common}
	}
	return nil
}

const (
	offsetCall    = 0       // of the call's number in seccomp_data
	offsetMachine = 4       // of the machine whose numbers it is by
	otherNumbers  = 1 << 30 // from here on amd64 numbers calls in yet another way (x32)
	forbidden     = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
)

// filter keeps system calls from the calling thread and whatever it becomes
// (seccomp(2)): they fail with EPERM. Calls by the numbers of another machine, which
// would be others, end the program.
func filter(m *machine) error {
	if m == nil {
		return nil
	}
	program := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offsetMachine, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: m.audit, SkipTrue: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_KILL_PROCESS},
		bpf.LoadAbsolute{Off: offsetCall, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpLessThan, Val: otherNumbers, SkipTrue: 1},
		bpf.RetConstant{Val: forbidden},
	}
	for _, call := range m.calls {
		program = append(program, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: call, SkipTrue: 1}, bpf.RetConstant{Val: forbidden})
	}
	program = append(program, bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW})
	assembled, err := bpf.Assemble(program)
	if err != nil {
		return err
	}
	raw := make([]unix.SockFilter, len(assembled))
	for i, one := range assembled {
		raw[i] = unix.SockFilter{Code: one.Op, Jt: one.Jt, Jf: one.Jf, K: one.K}
	}
	all := unix.SockFprog{Len: uint16(len(raw)), Filter: &raw[0]} //nolint:gosec // some hundred
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&all)))
	runtime.KeepAlive(raw)
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}
