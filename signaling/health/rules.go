package health

import (
	"net/netip"
	"slices"
	"time"
)

// Measured is what was measured. A part that is nil could not be.
type Measured struct {
	Program  Program
	Load     *Load
	Memory   *Memory
	Database Database
	Disks    []Disk
	Traffic  *Traffic
	Ways     Ways
	TLS      TLS
	Clock    Clock
	// Posts is how many posts have keys of their own for recordings, Recipients how many the
	// server has for the others; none of either: nothing can be recorded.
	Posts      int
	Recipients int
	Rooms      []Room
	Store      *Store // nil: recordings stay on this server
	Films      *Films // of recordings that hosts may watch; nil: there are none
}

// Films are what is made of recordings to be watched on the server.
type Films struct {
	Waiting  int  // that are to be made
	Possible bool // there is a program that composes
}

// Store is where recordings go while they are made.
type Store struct {
	Place    string
	Answered bool          // within seconds
	Failed   bool          // it refused, just now or when something was last brought there
	Parts    int           // on their way
	Behind   time.Duration // for how long the oldest that was written is not there

	Locks      bool          // what is there is to be locked
	Lockless   bool          // and it locks nothing
	Unlocked   int           // recordings that are not locked there as was decided
	LockBehind time.Duration // for how long there have been any
}

// Program is the running program.
type Program struct {
	Version, Commit string // as built; "": not known
	Up              time.Duration
	Trial           bool // --dev
}

// Load is how much the machine has to do.
type Load struct {
	Average      float64 // tasks that ran or wanted to, over five minutes
	Cores        int     // that this process may use
	Participants int     // in calls now
}

// Memory is that of the machine, in bytes.
type Memory struct{ Available, Total int64 }

// Database is how it took a write.
type Database struct {
	Answered bool
	Failed   bool          // it answered that it could not
	Took     time.Duration // so far, if it has not answered
}

// Use is what a disk is for.
type Use string

// The uses of disks.
const (
	ForData       Use = "data"
	ForRecordings Use = "recordings"
)

// Disk is the file system of a folder.
type Disk struct {
	Use         Use
	Folder      string
	Known       bool
	Free, Total int64  // bytes
	Device      uint64 // tells file systems apart
}

// Traffic is what was sent to people in calls lately.
type Traffic struct {
	Over          time.Duration
	Sent, Dropped uint64 // packets; dropped ones this machine had no time or room for
}

// Ways are how people come in.
type Ways struct {
	Addresses []netip.Addr // announced for media
	HereOnly  bool         // the public address is this machine's loopback
	// Packets received since the start, of people who were connected.
	ByUDP, ByOthers uint64
	TCP             bool // media over TCP is offered
	TURN, TURNS     bool // and TURN, over TLS too
}

// TLS is how browsers come to the pages.
type TLS struct {
	Secure      bool // the public address is https
	HereOnly    bool // it is this machine's loopback
	Certificate *Shown
	Host        string // of the public address
}

// Shown is the certificate that the server itself shows.
type Shown struct {
	From, Until time.Time
	ForHost     bool // it is for TLS.Host
	Unread      bool // the files hold another one by now, which cannot be used
}

// Clock is the machine's.
type Clock struct {
	Kept *bool // something keeps it in step with others; nil: not known
	Jump *Jump // nil: none lately
}

// Room is how much of what they may take the recordings of a post take.
type Room struct {
	Post        string // its name
	Used, Limit int64  // bytes
	Unknown     bool   // there is no such post: Post is the id that the settings name
}

// What the rules go by.
const (
	nearQuota, fullQuota = 80, 100 // percent, from which on

	slowDatabase, brokenDatabase = 100 * time.Millisecond, time.Second

	// Files and recordings are refused below about 500 MB (signaling/file, recorder).
	lowDisk, fullDisk           = 2_000_000_000, 500_000_000
	lowDiskShare, fullDiskShare = 10, 2 // percent
	// amplyFree is left by a day of ten people recorded: from there on a small share
	// of a large disk is no reason to worry.
	amplyFree = 50_000_000_000

	endsSoon, endsNow = 21, 3 // days

	lowMemory, outOfMemory = 10, 3 // percent
	busy, overloaded       = 100, 200

	manyDrops, tooManyDrops = 1, 5 // percent
	enoughPackets           = 1000 // to say something about shares of them
)

// Judge turns what was measured into findings, by area, in the order of the areas. now is
// the wall clock's.
func Judge(now time.Time, m Measured) []Finding {
	return slices.Concat(
		ofProgram(m.Program), ofMachine(m.Load, m.Memory), ofDatabase(m.Database), ofDisks(m.Disks), ofTraffic(m.Traffic),
		ofWays(m.Ways), ofTLS(now, m.TLS), ofClock(m.Clock), ofRecordings(m.Recipients, m.Posts, m.Rooms), ofStore(m.Store), ofFilms(m.Films),
	)
}

func ofProgram(p Program) []Finding {
	all := []Finding{{AreaServer, Fine, ServerRuns, []Value{text("version", p.Version), text("commit", p.Commit), seconds("up", p.Up)}}}
	if p.Trial {
		all = append(all, Finding{AreaServer, Attention, ServerTrial, nil})
	}
	return all
}

func ofMachine(l *Load, m *Memory) []Finding {
	load, memory := Finding{AreaServer, Unknown, LoadUnknown, nil}, Finding{AreaServer, Unknown, MemoryUnknown, nil}
	if l != nil && l.Cores > 0 {
		share := 100 * l.Average / float64(l.Cores)
		load = Finding{AreaServer, above(share, busy, overloaded), ServerLoad, []Value{number("share", Percent, share), count("cores", l.Cores), count("participants", l.Participants)}}
	}
	if m != nil && m.Total > 0 {
		share := percent(m.Available, m.Total)
		memory = Finding{AreaServer, below(share, lowMemory, outOfMemory), ServerMemory, []Value{number("available", Bytes, float64(m.Available)), number("total", Bytes, float64(m.Total)), number("share", Percent, share)}}
	}
	return []Finding{load, memory}
}

func ofDatabase(d Database) []Finding {
	took := number("took", Milliseconds, float64(d.Took)/float64(time.Millisecond))
	answer := Finding{AreaDatabase, above(float64(d.Took), float64(slowDatabase), float64(brokenDatabase)), DatabaseAnswers, []Value{took}}
	switch {
	case !d.Answered:
		answer = Finding{AreaDatabase, Broken, DatabaseSilent, []Value{seconds("waited", d.Took)}}
	case d.Failed:
		answer = Finding{AreaDatabase, Broken, DatabaseRefuses, nil}
	}
	// It is copied by other programs, which do not tell.
	return []Finding{answer, {AreaDatabase, Unknown, BackupUnknown, nil}}
}

func ofDisks(disks []Disk) (all []Finding) {
	told := make(map[uint64]bool)
	for _, d := range disks {
		if !d.Known || d.Total <= 0 {
			all = append(all, Finding{AreaDisk, Unknown, DiskUnknown, []Value{text("folder", d.Folder)}})
			continue
		}
		if told[d.Device] {
			continue
		}
		told[d.Device] = true
		code, share := DiskData, percent(d.Free, d.Total)
		if d.Use == ForRecordings {
			code = DiskRecordings
		}
		level := below(float64(d.Free), lowDisk, fullDisk)
		if d.Free < amplyFree {
			level = worse(level, below(share, lowDiskShare, fullDiskShare))
		}
		all = append(all, Finding{AreaDisk, level, code, []Value{
			text("folder", d.Folder), number("free", Bytes, float64(d.Free)), number("total", Bytes, float64(d.Total)), number("share", Percent, share),
		}})
	}
	return all
}

func ofTraffic(t *Traffic) []Finding {
	if t == nil || t.Sent+t.Dropped < enoughPackets {
		return []Finding{{AreaMedia, Fine, MediaQuiet, nil}}
	}
	share := 100 * float64(t.Dropped) / float64(t.Sent+t.Dropped)
	return []Finding{{AreaMedia, above(share, manyDrops, tooManyDrops), MediaSent, []Value{
		count("sent", t.Sent), count("dropped", t.Dropped), number("share", Percent, share), seconds("over", t.Over),
	}}}
}

func ofWays(w Ways) []Finding {
	address := Finding{AreaWays, Attention, AddressNone, nil}
	public := 0
	for _, a := range w.Addresses {
		if isPublic(a) {
			public++
		}
	}
	switch {
	case w.HereOnly:
		address = Finding{AreaWays, Fine, AddressLocal, nil}
	case !slices.ContainsFunc(w.Addresses, func(a netip.Addr) bool { return !a.IsLoopback() }):
		address = Finding{AreaWays, Broken, AddressLoopback, nil}
	case public > 0:
		address = Finding{AreaWays, Fine, AddressPublic, []Value{count("addresses", public)}}
	}
	udp, tcp, turn := Finding{AreaWays, Fine, UDPOpen, nil}, Finding{AreaWays, Attention, TCPNone, nil}, Finding{AreaWays, Fine, TURNOff, nil}
	if w.ByUDP == 0 && w.ByOthers >= enoughPackets {
		udp = Finding{AreaWays, Attention, UDPSilent, []Value{count("others", w.ByOthers)}}
	}
	if w.TCP {
		tcp = Finding{AreaWays, Fine, TCPOpen, nil}
	}
	switch {
	case w.TURNS:
		turn.Code = TURNOpen
	case w.TURN:
		turn.Code = TURNPlain
	}
	return []Finding{address, udp, tcp, turn}
}

// shared is what carriers give to many customers at once (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

// isPublic tells whether an address can be reached from outside, as far as its number says.
func isPublic(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsGlobalUnicast() && !a.IsPrivate() && !shared.Contains(a)
}

func ofTLS(now time.Time, t TLS) []Finding {
	switch {
	case !t.Secure && t.HereOnly:
		return []Finding{{AreaCertificate, Fine, TLSLocal, nil}}
	case !t.Secure:
		return []Finding{{AreaCertificate, Broken, TLSMissing, nil}}
	case t.Certificate == nil:
		return []Finding{{AreaCertificate, Unknown, CertificateProxy, nil}}
	}
	c := t.Certificate
	until := moment("until", c.Until)
	left := c.Until.Sub(now).Hours() / 24
	// In whole days that are left for sure.
	all := []Finding{{AreaCertificate, below(left, endsSoon, endsNow), CertificateEnds, []Value{number("left", Days, float64(int(left))), until}}}
	switch {
	case !now.Before(c.Until):
		all[0] = Finding{AreaCertificate, Broken, CertificateOver, []Value{until}}
	case now.Before(c.From):
		all[0] = Finding{AreaCertificate, Broken, CertificateEarly, []Value{moment("from", c.From)}}
	}
	if !c.ForHost {
		all = append(all, Finding{AreaCertificate, Broken, CertificateName, []Value{text("host", t.Host)}})
	}
	if c.Unread {
		all = append(all, Finding{AreaCertificate, Attention, CertificateUnread, nil})
	}
	return all
}

func ofClock(c Clock) []Finding {
	all := []Finding{{AreaClock, Unknown, ClockUnknown, nil}}
	if c.Kept != nil {
		all[0] = Finding{AreaClock, Fine, ClockKept, nil}
		if !*c.Kept {
			all[0] = Finding{AreaClock, Attention, ClockUnsynchronised, nil}
		}
	}
	if c.Jump != nil {
		all = append(all, Finding{AreaClock, Attention, ClockJumped, []Value{seconds("by", c.Jump.By.Abs()), moment("at", c.Jump.At)}})
	}
	return all
}

func ofRecordings(recipients, posts int, rooms []Room) []Finding {
	all := []Finding{{AreaRecordings, Fine, RecordingsOn, []Value{count("recipients", recipients), count("posts", posts)}}}
	if recipients+posts == 0 {
		all[0] = Finding{AreaRecordings, Fine, RecordingsOff, nil}
	}
	for _, r := range rooms {
		if r.Unknown {
			all = append(all, Finding{AreaRecordings, Attention, RecordingsNobody, []Value{text("post", r.Post)}})
			continue
		}
		if r.Limit <= 0 || percent(r.Used, r.Limit) < nearQuota {
			continue
		}
		level, share := Attention, percent(r.Used, r.Limit)
		if share >= fullQuota {
			level = Broken
		}
		all = append(all, Finding{AreaRecordings, level, RecordingsQuota, []Value{
			text("post", r.Post), number("used", Bytes, float64(r.Used)), number("limit", Bytes, float64(r.Limit)), number("share", Percent, share),
		}})
	}
	return all
}

// An object is a minute of a recording. A store that is away for a quarter of an hour is
// an incident; for longer than a meeting lasts, the disk here has to hold all of it.
const (
	behindAttention = 5 * time.Minute
	behindBroken    = time.Hour
)

func ofStore(s *Store) []Finding {
	if s == nil {
		return nil
	}
	all := []Finding{{AreaRecordings, above(s.Behind.Seconds(), behindAttention.Seconds(), behindBroken.Seconds()), RecordingsStored, []Value{
		text("place", s.Place), count("parts", s.Parts), seconds("behind", s.Behind),
	}}}
	switch {
	case !s.Answered:
		all = append(all, Finding{AreaRecordings, Broken, StoreSilent, []Value{text("place", s.Place)}})
	case s.Failed:
		all = append(all, Finding{AreaRecordings, Broken, StoreRefuses, []Value{text("place", s.Place)}})
	}
	switch {
	case s.Lockless:
		all = append(all, Finding{AreaRecordings, Broken, StoreLockless, []Value{text("place", s.Place)}})
	case s.Locks, s.Unlocked > 0: // without the setting, holds of before are still to be lifted
		all = append(all, Finding{AreaRecordings, above(s.LockBehind.Seconds(), behindAttention.Seconds(), behindBroken.Seconds()), StoreLocks, []Value{
			count("recordings", s.Unlocked), seconds("behind", s.LockBehind),
		}})
	}
	return all
}

func ofFilms(films *Films) []Finding {
	switch {
	case films == nil:
		return nil
	case !films.Possible:
		return []Finding{{AreaRecordings, Attention, FilmsUnavailable, []Value{count("waiting", films.Waiting)}}}
	default:
		return []Finding{{AreaRecordings, Fine, FilmsOn, []Value{count("waiting", films.Waiting)}}}
	}
}

func percent(part, whole int64) float64 { return 100 * float64(part) / float64(whole) }
