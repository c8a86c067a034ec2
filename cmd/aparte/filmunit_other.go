//go:build !linux

package main

import "os/exec"

// startApart starts a process. Here it is not known how to give it less of the machine; it
// ends when its standard input does.
func startApart(cmd *exec.Cmd) error { return cmd.Start() }
