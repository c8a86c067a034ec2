// Package export makes media files of a recording's journal: one for each track that
// somebody published, as it was sent, and an index that says whose each is, when it
// begins, and what happened in the meeting.
//
// It reads the journal twice. The first time (survey.go) it only learns: who was there,
// which streams there are, and when what was captured (package clock). The second time
// (files.go) it writes: packets become frames (package jitter), the frames of a track's
// layers one stream (track.go), and that a file (package mux). So the whole recording is
// in hand, and no more of it in memory than some seconds of each track.
//
// What is in a journal was sent by strangers. Nothing in it is believed: names become
// file names by names.go, and what makes no frame is left out and counted.
package export
