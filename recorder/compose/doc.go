// Package compose plans one film of a recording: who is to be seen where and when, what
// is heard, the chapters, and who speaks. It runs nothing and reads no media; package
// render does, by this plan.
//
// Start at [New]. It takes the index of an export and works in two times. In the
// recording's time, presence.go says when somebody may be shown at all, and picture.go
// when a file has something to show. timeline.go cuts out what was paused or interrupted
// and goes over to the film's time, which counts in whole frames. There speaker.go says
// whom to follow, and layout.go who stands where; plan.go makes intervals of that, in
// each of which nothing moves.
//
// A film never shows more than its recording has: what is rounded to frames is rounded
// towards showing less, and nobody has a tile, not even one with a name alone, before
// their yes, after its withdrawal, or while they were not there.
package compose
