// Package jitter puts the RTP packets of one stream in order and makes frames of them,
// with the whole recording in hand: it can wait for a late packet as long as one may
// take, because nobody waits for it.
//
//	Stream.Push ─▶ order.go: by sequence number ─▶ frame.go: packets of one moment ─▶ Frame
//
// Packets come from strangers. Whatever they hold, a Stream keeps a bounded number of
// them and gives frames that are whole: of pictures none that needs one that is missing.
package jitter
