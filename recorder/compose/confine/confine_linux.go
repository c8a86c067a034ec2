package confine

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/landlock-lsm/go-landlock/landlock"
	access "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// Missing says what of it all this system does not have: it is done without.
func Missing() []string {
	var all []string
	if v, err := access.LandlockGetABIVersion(); err != nil || v < 1 {
		all = append(all, "this kernel has no Landlock: it may read what this user may")
	}
	if filtered() == nil {
		all = append(all, "there are no system calls to keep from it on "+runtime.GOARCH)
	}
	return all
}

// become confines the calling thread: an exec ends all others.
func become(rules Rules, path string, args []string) error {
	runtime.LockOSThread()
	if err := dropCapabilities(); err != nil {
		return fmt.Errorf("confine: give up capabilities: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("confine: gain no rights: %w", err)
	}
	if err := restrict(rules, path); err != nil {
		return fmt.Errorf("confine: see only some files: %w", err)
	}
	if err := filter(filtered()); err != nil {
		return fmt.Errorf("confine: keep system calls from it: %w", err)
	}
	if err := limit(rules); err != nil {
		return fmt.Errorf("confine: set limits: %w", err)
	}
	if err := unix.Exec(path, args, []string{}); err != nil {
		return fmt.Errorf("confine: become %s: %w", path, err)
	}
	return nil
}

// dropCapabilities has what is executed get none, whoever the user is. Whoever may not do
// that has none to give up.
func dropCapabilities() error {
	for c := range uintptr(64) {
		switch err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); {
		case errors.Is(err, unix.EINVAL): // there are no more
			return nil
		case errors.Is(err, unix.EPERM):
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

// What any program needs that is not its own: folders, of which not every system has each.
var system = []string{
	"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/usr", "/nix/store",
	"/etc/fonts", "/var/cache/fontconfig", "/sys/devices/system/cpu", "/proc/self",
}

// Files, too.
var systemFiles = []string{"/etc/ld.so.cache", "/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"}

// restrict is about files, and about processes outside (Landlock).
func restrict(rules Rules, path string) error {
	const (
		read  = access.AccessFSReadFile | access.AccessFSReadDir
		write = read | access.AccessFSWriteFile | access.AccessFSTruncate | access.AccessFSMakeReg | access.AccessFSRemoveFile
	)
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	all := []landlock.Rule{
		landlock.RODirs(system...).IgnoreIfMissing(),
		landlock.ROFiles(systemFiles...).IgnoreIfMissing(),
		landlock.PathAccess(access.AccessFSReadFile|access.AccessFSWriteFile, "/dev/null"),
		landlock.RODirs(filepath.Dir(path), filepath.Dir(target)),
	}
	if len(rules.Read) > 0 {
		all = append(all, landlock.PathAccess(read, rules.Read...))
	}
	if len(rules.Write) > 0 {
		all = append(all, landlock.PathAccess(write, rules.Write...))
	}
	fd, flags, err := landlock.V7.BestEffort().NewRulesetFD(all...)
	if err != nil || fd < 0 {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	return access.LandlockRestrictSelf(fd, flags)
}

// limit is about how much of everything.
func limit(rules Rules) error {
	for _, l := range []struct {
		resource int
		most     uint64
	}{
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_FSIZE, rules.File},
		{unix.RLIMIT_NOFILE, rules.Open},
		{unix.RLIMIT_CPU, uint64(rules.CPU / time.Second)}, //nolint:gosec // it is not negative
		{unix.RLIMIT_AS, rules.Memory},
	} {
		var now syscall.Rlimit
		if err := syscall.Getrlimit(l.resource, &now); err != nil {
			return err
		}
		most := min(l.most, now.Max)
		// Not x/sys's: the runtime would give back the limit of open files that it found.
		if err := syscall.Setrlimit(l.resource, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
			return err
		}
	}
	return nil
}
