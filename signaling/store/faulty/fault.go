package faulty

import sqlite3 "modernc.org/sqlite/lib"

// Act is what is done to a file.
type Act int

// What SQLite does to files.
const (
	Open Act = iota
	Read
	Write
	Sync
	Truncate
	Delete
	Map // a page of the shared memory beside a write-ahead log
)

// File says what a file is to SQLite.
type File int

// The files of a database.
const (
	Database File = iota
	Log           // the write-ahead log
	Journal       // the rollback journal
	Other
)

// Op is one thing about to be done to a file.
type Op struct {
	Serial int // of those that change the disk: 1 is the first since the Disk was made or restarted; 0 for the others
	Act    Act
	File   File
	Offset int64 // Write, Truncate: in bytes
	Size   int   // Read, Write: in bytes
}

// changes reports whether the disk may be another afterwards.
func (o Op) changes() bool {
	return o.Act == Write || o.Act == Sync || o.Act == Truncate || o.Act == Delete
}

// Fault is what goes wrong with an Op; the zero value is nothing.
type Fault struct {
	Code    int  // what SQLite is told: IOError, Full, NoMemory; 0 is success
	Reached int  // Write: how many bytes reach the file before it fails
	Lie     bool // Sync: it says yes and does nothing
	Cut     bool // the power goes while this is done
}

// What SQLite may be told. IOError becomes the code of what was tried.
const (
	IOError  = int(sqlite3.SQLITE_IOERR)
	Full     = int(sqlite3.SQLITE_FULL)
	NoMemory = int(sqlite3.SQLITE_NOMEM)
)

// code is what SQLite is told of a failure.
func (f Fault) code(a Act) int32 {
	if f.Code != IOError {
		return int32(f.Code)
	}
	switch a {
	case Open:
		return sqlite3.SQLITE_CANTOPEN
	case Read:
		return sqlite3.SQLITE_IOERR_READ
	case Write:
		return sqlite3.SQLITE_IOERR_WRITE
	case Sync:
		return sqlite3.SQLITE_IOERR_FSYNC
	case Truncate:
		return sqlite3.SQLITE_IOERR_TRUNCATE
	case Delete:
		return sqlite3.SQLITE_IOERR_DELETE
	case Map:
		return sqlite3.SQLITE_IOERR_SHMMAP
	default:
		return sqlite3.SQLITE_IOERR
	}
}

// Rule decides about each Op. It is called by one goroutine at a time and must
// not use the Disk.
type Rule func(Op) Fault
