// Package keep keeps the parts of recordings that package recorder writes: it says their
// SHA-256, and where there is a store it brings them there while they are written.
//
// A part's file is what crash safety rests on. It is deleted here only once every byte of
// it is in the store and was found to be the same there, by its checksum. Nothing that is
// recorded ever waits for the store: what has been synced is read from the file, and if
// the store is away it waits there.
//
// Start at Keeper. A part's way is job.go (what is due?) → store.go (what lies where) →
// the store; reader.go is the way back, fetch.go that of an archive without a server.
package keep
