//go:build !linux

package recorder

import "os"

func syncData(f *os.File) error { return f.Sync() }
