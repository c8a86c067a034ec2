package faulty

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// The layer between SQLite and the operating system's files: SQLite calls it a
// VFS (https://www.sqlite.org/vfs.html). It is the default one of this process
// from the first Disk on, so that what is tested needs to know nothing of it,
// and passes everything on that is not in a Disk's folder.

// installed puts the layer in place, once: SQLite's list of layers is one for
// the process.
var installed = sync.OnceValues(install)

// layer finds the disk of a file. SQLite holds no reference that Go's garbage
// collector knows, so that everything it was given hangs here.
type layer struct {
	lower   uintptr // the operating system's layer
	methods uintptr // of our open files
	keep    []any   // the functions that SQLite has pointers to

	mu    sync.Mutex // guards what follows
	disks map[string]*Disk
	files map[uintptr]*file
	last  uintptr // key in files
}

// file is an open file.
type file struct {
	disk    *Disk
	kind    File
	image   *image
	newName bool // the folder is synced with the file's first sync
}

// header is how our open files begin in SQLite's memory; the lower layer's
// follows.
type header struct {
	base sqlite3.Tsqlite3_file
	key  uintptr // in files; 0: not on a Disk
}

const headerSize = unsafe.Sizeof(header{})

// at reads memory that is not Go's.
func at[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

// outside copies a value to memory that is not Go's, where it stays.
func outside[T any](tls *libc.TLS, v T) uintptr {
	p := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(v)))
	*at[T](p) = v
	return p
}

// function turns what SQLite keeps of a function into one.
func function[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&p)) }

// pointer turns a function into what SQLite keeps of it.
func pointer[F any](l *layer, f F) uintptr {
	l.keep = append(l.keep, f)
	return *(*uintptr)(unsafe.Pointer(&f))
}

// Functions of a file, by what they take.
type (
	ofFile   = func(*libc.TLS, uintptr) int32
	ofInt    = func(*libc.TLS, uintptr, int32) int32
	ofSize   = func(*libc.TLS, uintptr, int64) int32
	ofResult = func(*libc.TLS, uintptr, uintptr) int32
	ofBytes  = func(*libc.TLS, uintptr, uintptr, int32, int64) int32
	ofOpen   = func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32
	ofName   = func(*libc.TLS, uintptr, uintptr, int32) int32
)

func install() (*layer, error) {
	tls := libc.NewTLS()
	defer tls.Close()
	l := &layer{disks: make(map[string]*Disk), files: make(map[uintptr]*file)}
	if l.lower = sqlite3.Xsqlite3_vfs_find(tls, 0); l.lower == 0 {
		return nil, fmt.Errorf("SQLite has no files")
	}
	name, err := libc.CString("faulty")
	if err != nil {
		return nil, err
	}
	l.methods = outside(tls, sqlite3.Tsqlite3_io_methods{
		FiVersion:               2, // without memory-mapped pages: they would go past us
		FxClose:                 pointer(l, l.close),
		FxRead:                  pointer(l, l.read),
		FxWrite:                 pointer(l, l.write),
		FxTruncate:              pointer(l, l.truncate),
		FxSync:                  pointer(l, l.sync),
		FxShmMap:                pointer(l, l.shmMap),
		FxFileSize:              pointer(l, below[ofResult](func(m *sqlite3.Tsqlite3_io_methods) uintptr { return m.FxFileSize }).result),
		FxCheckReservedLock:     pointer(l, below[ofResult](func(m *sqlite3.Tsqlite3_io_methods) uintptr { return m.FxCheckReservedLock }).result),
		FxLock:                  pointer(l, below[ofInt](func(m *sqlite3.Tsqlite3_io_methods) uintptr { return m.FxLock }).int),
		FxUnlock:                pointer(l, below[ofInt](func(m *sqlite3.Tsqlite3_io_methods) uintptr { return m.FxUnlock }).int),
		FxShmUnmap:              pointer(l, below[ofInt](func(m *sqlite3.Tsqlite3_io_methods) uintptr { return m.FxShmUnmap }).int),
		FxSectorSize:            pointer(l, below[ofFile](func(m *sqlite3.Tsqlite3_io_methods) uintptr { return m.FxSectorSize }).file),
		FxDeviceCharacteristics: pointer(l, below[ofFile](func(m *sqlite3.Tsqlite3_io_methods) uintptr { return m.FxDeviceCharacteristics }).file),
		FxFileControl: pointer(l, func(tls *libc.TLS, p uintptr, op int32, arg uintptr) int32 {
			return function[func(*libc.TLS, uintptr, int32, uintptr) int32](lowerMethods(p).FxFileControl)(tls, lowerFile(p), op, arg)
		}),
		FxShmLock: pointer(l, func(tls *libc.TLS, p uintptr, offset, n, flags int32) int32 {
			return function[func(*libc.TLS, uintptr, int32, int32, int32) int32](lowerMethods(p).FxShmLock)(tls, lowerFile(p), offset, n, flags)
		}),
		FxShmBarrier: pointer(l, func(tls *libc.TLS, p uintptr) {
			function[func(*libc.TLS, uintptr)](lowerMethods(p).FxShmBarrier)(tls, lowerFile(p))
		}),
	})
	// What has to do with no file works with either layer as its own.
	self := *at[sqlite3.Tsqlite3_vfs](l.lower)
	self.FzName, self.FpNext = name, 0
	self.FszOsFile += int32(headerSize)
	self.FxOpen = pointer(l, l.open)
	self.FxDelete = pointer(l, l.delete)
	if code := sqlite3.Xsqlite3_vfs_register(tls, outside(tls, self), 1); code != sqlite3.SQLITE_OK {
		return nil, fmt.Errorf("register with SQLite: code %d", code)
	}
	return l, nil
}

func (l *layer) add(d *Disk) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.disks[d.dir] = d
}

func (l *layer) remove(d *Disk) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.disks, d.dir)
}

// find returns the disk that a path is on, or nil.
func (l *layer) find(path string) *Disk {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.disks[filepath.Dir(path)]
}

// on returns the open file behind SQLite's, or nil if it is on no disk of ours.
func (l *layer) on(p uintptr) *file {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.files[at[header](p).key]
}

func lowerFile(p uintptr) uintptr { return p + headerSize }

func lowerMethods(p uintptr) *sqlite3.Tsqlite3_io_methods {
	return at[sqlite3.Tsqlite3_io_methods](at[sqlite3.Tsqlite3_file](lowerFile(p)).FpMethods)
}

// below passes a call on that no disk has an opinion on.
type below[F any] func(*sqlite3.Tsqlite3_io_methods) uintptr

func (b below[F]) file(tls *libc.TLS, p uintptr) int32 {
	return function[ofFile](b(lowerMethods(p)))(tls, lowerFile(p))
}

func (b below[F]) int(tls *libc.TLS, p uintptr, n int32) int32 {
	return function[ofInt](b(lowerMethods(p)))(tls, lowerFile(p), n)
}

func (b below[F]) result(tls *libc.TLS, p, result uintptr) int32 {
	return function[ofResult](b(lowerMethods(p)))(tls, lowerFile(p), result)
}

func (l *layer) open(tls *libc.TLS, _, name, p uintptr, flags int32, outFlags uintptr) int32 {
	*at[header](p) = header{}
	var disk *Disk
	path := ""
	if name != 0 { // else temporary
		path = libc.GoString(name)
		disk = l.find(path)
	}
	base := filepath.Base(path)
	if disk != nil {
		disk.mu.Lock()
		defer disk.mu.Unlock()
		if f := disk.begin(Op{Act: Open, File: fileOf(base)}); f.Code != 0 {
			return f.code(Open)
		}
	}
	*at[sqlite3.Tsqlite3_file](lowerFile(p)) = sqlite3.Tsqlite3_file{}
	if code := function[ofOpen](at[sqlite3.Tsqlite3_vfs](l.lower).FxOpen)(tls, l.lower, name, lowerFile(p), flags, outFlags); code != sqlite3.SQLITE_OK {
		return code
	}
	h := at[header](p)
	h.base.FpMethods = l.methods
	if disk == nil {
		return sqlite3.SQLITE_OK
	}
	m, err := disk.opened(base)
	if err != nil {
		_ = function[ofFile](lowerMethods(p).FxClose)(tls, lowerFile(p))
		h.base.FpMethods = 0
		return sqlite3.SQLITE_CANTOPEN
	}
	kind := fileOf(base)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	h.key = l.last
	l.files[h.key] = &file{
		disk: disk, kind: kind, image: m,
		newName: flags&sqlite3.SQLITE_OPEN_CREATE != 0 && (kind == Log || kind == Journal),
	}
	return sqlite3.SQLITE_OK
}

func (l *layer) close(tls *libc.TLS, p uintptr) int32 {
	l.mu.Lock()
	delete(l.files, at[header](p).key)
	l.mu.Unlock()
	return function[ofFile](lowerMethods(p).FxClose)(tls, lowerFile(p))
}

func (l *layer) read(tls *libc.TLS, p, buffer uintptr, size int32, offset int64) int32 {
	if f := l.on(p); f != nil {
		f.disk.mu.Lock()
		fault := f.disk.begin(Op{Act: Read, File: f.kind, Offset: offset, Size: int(size)})
		f.disk.mu.Unlock()
		if fault.Code != 0 {
			return fault.code(Read)
		}
	}
	return function[ofBytes](lowerMethods(p).FxRead)(tls, lowerFile(p), buffer, size, offset)
}

func (l *layer) write(tls *libc.TLS, p, buffer uintptr, size int32, offset int64) int32 {
	lower := function[ofBytes](lowerMethods(p).FxWrite)
	f := l.on(p)
	if f == nil {
		return lower(tls, lowerFile(p), buffer, size, offset)
	}
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	wasOff := f.disk.off
	fault := f.disk.begin(Op{Act: Write, File: f.kind, Offset: offset, Size: int(size)})
	reaches := size // also when the power goes meanwhile: Restart decides how much
	if wasOff || fault.Code != 0 && !fault.Cut {
		reaches = min(size, int32(fault.Reached))
	}
	if reaches > 0 {
		f.image.write(offset, unsafe.Slice(at[byte](buffer), reaches))
		f.disk.largest[f.kind] = max(f.disk.largest[f.kind], offset+int64(reaches))
		if code := lower(tls, lowerFile(p), buffer, reaches, offset); code != sqlite3.SQLITE_OK {
			return code
		}
	}
	return fault.code(Write)
}

func (l *layer) truncate(tls *libc.TLS, p uintptr, size int64) int32 {
	lower := function[ofSize](lowerMethods(p).FxTruncate)
	f := l.on(p)
	if f == nil {
		return lower(tls, lowerFile(p), size)
	}
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	wasOff := f.disk.off
	fault := f.disk.begin(Op{Act: Truncate, File: f.kind, Offset: size})
	if fault.Code != 0 && (wasOff || !fault.Cut) {
		return fault.code(Truncate)
	}
	f.image.truncate(size)
	if code := lower(tls, lowerFile(p), size); code != sqlite3.SQLITE_OK {
		return code
	}
	return fault.code(Truncate)
}

// sync asks nothing of the real disk: which of the two is durable is decided here.
func (l *layer) sync(tls *libc.TLS, p uintptr, flags int32) int32 {
	f := l.on(p)
	if f == nil {
		return function[ofInt](lowerMethods(p).FxSync)(tls, lowerFile(p), flags)
	}
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	wasOff := f.disk.off
	fault := f.disk.begin(Op{Act: Sync, File: f.kind})
	switch {
	case fault.Cut || wasOff: // Restart decides what is left
	case fault.Code != 0:
		// The pages count as written from now on, though they were not.
		f.image.lose(rand.New(rand.NewPCG(uint64(f.disk.serial), 0)), 0.5)
	case !fault.Lie:
		f.image.sync()
		if f.newName {
			f.newName = false
			f.disk.syncNames()
		}
	}
	return fault.code(Sync)
}

func (l *layer) shmMap(tls *libc.TLS, p uintptr, page, size, extend int32, result uintptr) int32 {
	if f := l.on(p); f != nil {
		f.disk.mu.Lock()
		fault := f.disk.begin(Op{Act: Map, File: f.kind})
		f.disk.mu.Unlock()
		if fault.Code != 0 {
			return fault.code(Map)
		}
	}
	return function[func(*libc.TLS, uintptr, int32, int32, int32, uintptr) int32](lowerMethods(p).FxShmMap)(tls, lowerFile(p), page, size, extend, result)
}

func (l *layer) delete(tls *libc.TLS, _, name uintptr, syncFolder int32) int32 {
	lower := function[ofName](at[sqlite3.Tsqlite3_vfs](l.lower).FxDelete)
	path := libc.GoString(name)
	d := l.find(path)
	if d == nil {
		return lower(tls, l.lower, name, syncFolder)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	wasOff := d.off
	fault := d.begin(Op{Act: Delete, File: fileOf(path)})
	if fault.Code != 0 && (wasOff || !fault.Cut) {
		return fault.code(Delete)
	}
	if code := lower(tls, l.lower, name, 0); code != sqlite3.SQLITE_OK {
		return code
	}
	delete(d.names, filepath.Base(path))
	if syncFolder != 0 && fault.Code == 0 {
		d.syncNames()
	}
	return fault.code(Delete)
}
