package faulty

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Disk is a folder whose files, as SQLite sees them, are on a disk that fails.
// Methods may be called from any goroutine.
type Disk struct {
	dir   string
	layer *layer

	mu      sync.Mutex // guards everything below
	rule    Rule
	off     bool // the power is cut
	serial  int
	done    map[Op]int // by Act and File alone
	largest map[File]int64
	names   map[string]*image // what a program finds in the folder
	kept    map[string]*image // what it would find after a power failure
}

// NewDisk makes a disk of a folder. What is in the folder already is durable.
// Close it when no database of it is open any more.
func NewDisk(dir string) (*Disk, error) {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	d := &Disk{dir: dir, done: make(map[Op]int), largest: make(map[File]int64), names: make(map[string]*image)}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if fileOf(e.Name()) == Other {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		d.names[e.Name()] = &image{durable: data}
	}
	d.kept = maps.Clone(d.names)
	d.layer, err = installed()
	if err != nil {
		return nil, err
	}
	d.layer.add(d)
	return d, nil
}

// Close ends the disk; the folder is an ordinary one again.
func (d *Disk) Close() { d.layer.remove(d) }

// SetRule has a rule decide about each operation; nil lets all succeed.
func (d *Disk) SetRule(r Rule) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rule = r
}

// Cut cuts the power: nothing succeeds any more.
func (d *Disk) Cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = true
}

// Dead reports whether the power is cut.
func (d *Disk) Dead() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.off
}

// Done is how often something was tried on a kind of file.
func (d *Disk) Done(a Act, f File) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.done[Op{Act: a, File: f}]
}

// Largest is up to where a kind of file was written at most, in bytes.
func (d *Disk) Largest(f File) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.largest[f]
}

// Restart brings the power back: random decides what is left of what was not
// durable. No database of the disk may be open. The rule is gone, too.
func (d *Disk) Restart(random *rand.Rand) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	share := []float64{0, 0.5, 1, random.Float64()}[random.IntN(4)]
	found := make(map[string]*image)
	for name := range union(d.names, d.kept) {
		entry := d.kept[name]
		if d.names[name] != entry && random.Float64() < share {
			entry = d.names[name]
		}
		if entry != nil {
			found[name] = entry
		}
	}
	lost := make(map[*image]bool)
	for _, m := range found { // a file may have two names by now
		if !lost[m] {
			lost[m] = true
			m.lose(random, share)
		}
	}
	for name := range union(d.names, d.kept) {
		if err := os.Remove(filepath.Join(d.dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	for name, m := range found {
		if err := os.WriteFile(filepath.Join(d.dir, name), m.durable, 0o600); err != nil {
			return err
		}
		if fileOf(name) != Database {
			continue
		}
		// Nobody may believe what lies in the shared memory's file.
		if err := os.WriteFile(filepath.Join(d.dir, name+"-shm"), rubbish(random), 0o600); err != nil {
			return err
		}
	}
	d.names, d.kept = found, maps.Clone(found)
	d.off, d.serial, d.rule = false, 0, nil
	return nil
}

func rubbish(random *rand.Rand) []byte {
	data := make([]byte, 32<<10)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return data
}

func union(a, b map[string]*image) map[string]bool {
	all := make(map[string]bool)
	for name := range a {
		all[name] = true
	}
	for name := range b {
		all[name] = true
	}
	return all
}

// fileOf tells by its name what a file is.
func fileOf(name string) File {
	switch {
	case strings.HasSuffix(name, "-wal"):
		return Log
	case strings.HasSuffix(name, "-journal"):
		return Journal
	case strings.HasSuffix(name, ".db"):
		return Database
	default:
		return Other
	}
}

// begin counts an operation and says what goes wrong with it. d.mu is held.
func (d *Disk) begin(o Op) Fault {
	d.done[Op{Act: o.Act, File: o.File}]++
	if d.off {
		return Fault{Code: IOError}
	}
	if o.changes() {
		d.serial++
		o.Serial = d.serial
	}
	var f Fault
	if d.rule != nil {
		f = d.rule(o)
	}
	if f.Cut {
		d.off = true
		f.Code = IOError
	}
	return f
}

// opened notes that a program has opened a name, which may be new.
func (d *Disk) opened(name string) (*image, error) {
	if m, ok := d.names[name]; ok {
		return m, nil
	}
	// Made by this opening, or by the program itself: its content, if any, is
	// as little durable as its name.
	data, err := os.ReadFile(filepath.Join(d.dir, name))
	if err != nil {
		return nil, fmt.Errorf("new file: %w", err)
	}
	m := &image{}
	if len(data) > 0 {
		m.write(0, data)
	}
	d.names[name] = m
	return m, nil
}

// syncNames makes the names in the folder durable.
func (d *Disk) syncNames() { d.kept = maps.Clone(d.names) }
