// Package render makes the film that package compose plans, with ffmpeg: a program of its
// own, which may be missing. Nothing of it is linked.
//
// Start at [Compose]. tool.go finds the program and what it can; unit.go runs it, one job
// at a time, with nothing that the job does not need. loudness.go measures each sound,
// sound.go mixes them, picture.go draws the plan's intervals with names.go's labels, and
// film.go joins all. work.go remembers what is made, so that whoever is interrupted goes
// on from there.
//
// What is decoded was sent by strangers, and a decoder may have a hole. A job has no
// environment, no network and no terminal; it works in a folder that is ours, at low
// priority and within limits, and is killed with everything it started. It is told what
// the media are, and guesses nothing. Texts of others go to it in files, never in its
// arguments, and are escaped there.
package render
