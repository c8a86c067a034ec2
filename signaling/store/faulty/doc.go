// Package faulty is a disk below SQLite that fails on demand. Tests alone use it.
//
// A Disk is a folder. SQLite reaches the files in it through a layer (vfs.go)
// above the operating system's files: the real files hold what a running
// program reads, the Disk remembers what of it is durable. Each operation may
// be made to fail, wholly or halfway, by a Rule; and the power can be cut, at
// any operation. After Restart the files hold what was synced, and of the rest
// whatever a disk may have kept: sectors in any order, torn ones too.
//
// What the disk promises is what SQLite asks of one (and no more): a sync that
// succeeds makes what was written to its file before durable; the names in a
// folder are durable once the folder is synced, which the operating system's
// layer of SQLite does with the first sync of a new journal or log and with a
// deletion that says so; a write never harms the bytes beside it
// (SQLITE_IOCAP_POWERSAFE_OVERWRITE, which SQLite assumes by default). A sync
// that fails has lost what it was for: the system forgets that it is not
// durable, and a later sync succeeds without it.
package faulty
