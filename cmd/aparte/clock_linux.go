package main

import "golang.org/x/sys/unix"

// clockKept tells whether something keeps the machine's clock in step with others
// (adjtimex(2)); nil where one may not ask.
func clockKept() *bool {
	var state unix.Timex // without modes: nothing is set
	status, err := unix.Adjtimex(&state)
	if err != nil {
		return nil
	}
	kept := status != unix.TIME_ERROR && state.Status&unix.STA_UNSYNC == 0
	return &kept
}
