// Package threats holds what somebody hostile can try at the door of the built
// program, one test for each line of the list of threats that needs no media. Every
// test talks to bin/aparte, or another named by BIN_APARTE, over its sockets alone.
//
// What needs media lies with the client that speaks the protocol by hand, in
// signaling/wire/sdktest; what needs a browser, in web/e2e.
package threats
