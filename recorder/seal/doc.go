// Package seal is the file format of recordings: who can open them, and how a change
// shows. Start with [Part], which writes, [Verify] and [Open]. docs/recording.md tells
// how to do without this program.
//
// # A part
//
// A recording is a folder of parts, part-0001.tar, part-0002.tar ... A server that is
// started again begins a new one. A part is a POSIX tar (ustar) with these members, in
// this order, n being a segment's number in eight digits:
//
//	binding.note   what the part belongs to, signed
//	n.age          a segment: half a second of journal (package journal), sealed
//	n.note         its digest and place, signed
//	...
//	manifest.age   tracks, consents and counts, sealed
//	closing.note   the part's end, signed
//
// and the two empty blocks that end a tar. A part that was cut off by a crash lacks
// everything from there on. Each member has mode 0600, owner 0 and time 0, so that there
// is one way to write it and a change of any byte shows.
//
// An .age member is a complete age file (age-encryption.org/v1) to hybrid recipients
// (ML-KEM-768 with X25519), so that what is there can be opened although what follows
// is lost. A .note is a signed note (c2sp.org/signed-note, Ed25519): one line of JSON,
// an empty line and the signature of the node's key.
//
// # The chain
//
// h(0) is SHA-256 of binding.note, h(n) is SHA-256(h(n-1) ‖ SHA-256(n.age)). The note
// of segment n says recording, part, n, the segment's digest and h(n-1); the closing
// says how many segments there are and the last h. The binding of a later part says
// where the one before ended, as the server found it.
package seal
