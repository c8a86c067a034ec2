package measure

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc/PID/stat, USER_HZ of every Linux in use.
const tick = 10 * time.Millisecond

// Process reads another process of this machine (Linux).
type Process struct{ pid int }

// OpenProcess tells whether there is such a process and what it is called.
func OpenProcess(pid int) (*Process, error) {
	p := &Process{pid}
	if _, err := p.CPU(); err != nil {
		return nil, err
	}
	return p, nil
}

// CPU is the user and system time of all its threads so far, to 10 ms.
func (p *Process) CPU() (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		return 0, err
	}
	return parseCPU(raw)
}

// parseCPU reads proc_pid_stat(5): the name in brackets may hold anything, utime and
// stime are the fields 14 and 15.
func parseCPU(raw []byte) (time.Duration, error) {
	f := bytes.Fields(raw[bytes.LastIndexByte(raw, ')')+1:])
	if len(f) < 13 {
		return 0, fmt.Errorf("/proc stat of %d fields", len(f))
	}
	user, err1 := strconv.ParseInt(string(f[11]), 10, 64)
	system, err2 := strconv.ParseInt(string(f[12]), 10, 64)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("/proc stat with times %q and %q", f[11], f[12])
	}
	return time.Duration(user+system) * tick, nil
}

// RSS is its resident memory in bytes.
func (p *Process) RSS() (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		return 0, err
	}
	return parseRSS(string(raw))
}

func parseRSS(status string) (int64, error) {
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("no VmRSS in /proc status")
}
