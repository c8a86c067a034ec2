// Package health holds the rules by which what was measured on a server becomes a list
// of findings for its administrators. Start at Judge: figures in, findings out.
//
// It measures nothing and words nothing: a finding is a code with its figures, and the
// client has a sentence and a remedy for each code in every language. What could not be
// measured is a finding too, of the level Unknown: nothing here is guessed.
package health

import "time"

// Area is what a finding is about.
type Area string

// The areas, in the order in which they are told.
const (
	AreaServer      Area = "server"
	AreaDatabase    Area = "database"
	AreaDisk        Area = "disk"
	AreaMedia       Area = "media"
	AreaWays        Area = "ways" // by which media comes in: addresses, UDP, TCP, TURN
	AreaCertificate Area = "certificate"
	AreaClock       Area = "clock"
	AreaRecordings  Area = "recordings"
)

// Level is how a finding stands.
type Level string

// The levels. Attention works today and will not, or works for some; Broken does not
// work now. Unknown could not be measured, which says nothing against it.
const (
	Fine      Level = "fine"
	Attention Level = "attention"
	Broken    Level = "broken"
	Unknown   Level = "unknown"
)

// Unit says what a value is.
type Unit string

// The units. Count has none; Text and Moment are no numbers.
const (
	Bytes        Unit = "bytes"
	Milliseconds Unit = "milliseconds"
	Seconds      Unit = "seconds"
	Days         Unit = "days"
	Percent      Unit = "percent"
	Count        Unit = "count"
	Text         Unit = "text"
	Moment       Unit = "moment"
)

// Value is one figure of a finding; which of the fields holds it is said by Unit.
type Value struct {
	Name   string // what the client's sentence calls it
	Unit   Unit
	Number float64
	Text   string
	At     time.Time
}

// Finding is one thing that is so.
type Finding struct {
	Area   Area
	Level  Level
	Code   Code
	Values []Value
}

// Report is what was found at a moment.
type Report struct {
	At       time.Time
	Findings []Finding
}

// Code names what is found. Where a figure alone makes the difference, one code has
// several levels.
type Code string

// The codes, by area.
const (
	ServerRuns    Code = "server-runs"
	ServerTrial   Code = "server-trial" // --dev: its API key is known to everybody
	ServerLoad    Code = "server-load"
	LoadUnknown   Code = "load-unknown"
	ServerMemory  Code = "server-memory"
	MemoryUnknown Code = "memory-unknown"

	DatabaseAnswers Code = "database-answers"
	DatabaseRefuses Code = "database-refuses" // it answers that it cannot be written
	DatabaseSilent  Code = "database-silent"
	BackupUnknown   Code = "backup-unknown"

	DiskData       Code = "disk-data"
	DiskRecordings Code = "disk-recordings"
	DiskUnknown    Code = "disk-unknown"

	MediaSent  Code = "media-sent"
	MediaQuiet Code = "media-quiet"

	AddressLocal    Code = "address-local"    // pages and media are for this machine alone
	AddressLoopback Code = "address-loopback" // pages are for others, media is not
	AddressNone     Code = "address-none"     // no public one is announced
	AddressPublic   Code = "address-public"
	UDPOpen         Code = "udp-open"
	UDPSilent       Code = "udp-silent"
	TCPOpen         Code = "tcp-open"
	TCPNone         Code = "tcp-none"
	TURNOpen        Code = "turn-open"
	TURNPlain       Code = "turn-plain" // without TLS
	TURNOff         Code = "turn-off"

	CertificateEnds   Code = "certificate-ends"
	CertificateOver   Code = "certificate-over"
	CertificateEarly  Code = "certificate-early" // it begins in the future, by this clock
	CertificateName   Code = "certificate-name"  // it is not for the public address
	CertificateUnread Code = "certificate-unread"
	CertificateProxy  Code = "certificate-proxy"
	TLSMissing        Code = "tls-missing"
	TLSLocal          Code = "tls-local"

	ClockKept           Code = "clock-kept"
	ClockUnsynchronised Code = "clock-unsynchronised"
	ClockUnknown        Code = "clock-unknown"
	ClockJumped         Code = "clock-jumped"

	RecordingsOn  Code = "recordings-on"
	RecordingsOff Code = "recordings-off"

	RecordingsStored Code = "recordings-stored" // where they go while they are made
	StoreSilent      Code = "store-silent"
	StoreRefuses     Code = "store-refuses" // it answers, and does not do what it should
	StoreLocks       Code = "store-locks"   // it keeps recordings from being deleted, as is decided
	StoreLockless    Code = "store-lockless"
	// RecordingsQuota is told of each post that has used up most of its room.
	RecordingsQuota Code = "recordings-quota"
	// RecordingsNobody is told of each id that the settings give room to and no post has.
	RecordingsNobody Code = "recordings-nobody"
	FilmsOn          Code = "films-on" // the server holds a key of its own
	FilmsUnavailable Code = "films-unavailable"
)

func number(name string, unit Unit, n float64) Value { return Value{Name: name, Unit: unit, Number: n} }

func count[N int | int64 | uint64](name string, n N) Value { return number(name, Count, float64(n)) }

func text(name, s string) Value { return Value{Name: name, Unit: Text, Text: s} }

func moment(name string, at time.Time) Value { return Value{Name: name, Unit: Moment, At: at} }

func seconds(name string, d time.Duration) Value { return number(name, Seconds, d.Seconds()) }

// above grades what should be small.
func above(n, attention, broken float64) Level {
	switch {
	case n > broken:
		return Broken
	case n > attention:
		return Attention
	default:
		return Fine
	}
}

// below grades what should be large.
func below(n, attention, broken float64) Level { return above(-n, -attention, -broken) }

// worse is the worse of two levels that were measured.
func worse(a, b Level) Level {
	if a == Broken || b == Fine {
		return a
	}
	return b
}
