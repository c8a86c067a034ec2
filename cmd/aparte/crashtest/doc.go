// Package crashtest kills the built program while hosts and guests act on it, and
// starts it again on the same data: what it had acknowledged must be there, what
// it had refused must not, and a media token must open the call for who is
// admitted and for nobody else. program_test.go starts and kills, actors_test.go
// acts over HTTP, crash_test.go is the loop; whether what is found can be
// explained is decided by signaling/meeting/meetingtest. consent_test.go does the
// same to those who are asked whether to be recorded.
//
// What the system had not written to the disk outlives a killed process: power
// failures are signaling/store's.
package crashtest
