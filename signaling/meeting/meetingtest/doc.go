// Package meetingtest decides whether what a server says about its lobbies can be
// explained by what it was asked and what it acknowledged. Tests alone use it,
// those that kill servers and cut the power.
//
// A test notes every request in a History: when it began, when it was answered,
// with what. A request that was never answered, or with a failure, may have been
// carried out or not. At the end the test notes what it finds (Saw), and Check
// looks for an order of all requests that has everything happen between its
// beginning and its answer, gives each the answer it got, and ends with what was
// found: linearizability, guest by guest. If there is none, something that was
// acknowledged is lost, something refused has happened, or something happened by
// half. model.go says what each request does; browser.go has the keys of those who ask.
package meetingtest
