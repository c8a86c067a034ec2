// Package adapttest holds the tests of what the SFU does on narrow paths, one for
// each rule. Rooms, sessions, the engine and real Pion peer connections run in one
// process on Pion's virtual network (vnet), each client behind a link with a rate,
// a queue, a delay and losses; and all of it within a testing/synctest bubble: a
// minute passes in the time that its packets take to process, and a busy machine
// changes nothing.
package adapttest
