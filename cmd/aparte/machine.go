package main

import (
	"runtime"

	"github.com/prometheus/procfs"

	"aparte/signaling/health"
)

// machineLoad is how much the machine had to do in the last five minutes; nil where the
// system does not tell. Who is in calls is left to the caller.
func machineLoad() *health.Load {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return nil
	}
	average, err := fs.LoadAvg()
	if err != nil {
		return nil
	}
	return &health.Load{Average: average.Load5, Cores: runtime.GOMAXPROCS(0)}
}

// machineMemory is what of the machine's memory can be had; nil where the system does not
// tell.
func machineMemory() *health.Memory {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return nil
	}
	info, err := fs.Meminfo()
	if err != nil || info.MemAvailableBytes == nil || info.MemTotalBytes == nil {
		return nil
	}
	return &health.Memory{Available: int64(*info.MemAvailableBytes), Total: int64(*info.MemTotalBytes)} //nolint:gosec // no machine has 2^63 bytes
}
