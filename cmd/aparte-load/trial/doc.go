// Package trial holds the tests that load the built program: that the load counts
// right, that a long run leaves nothing behind, and what a participant costs. They
// need bin/aparte, or another named by BIN_APARTE.
package trial
