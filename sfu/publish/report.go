package publish

import (
	"sync"
	"time"
)

// Report is a sender report (RFC 3550, 6.4.1) as it came.
type Report struct {
	At      time.Time // with a monotonic clock
	SSRC    uint32
	NTP     uint64 // 32.32 fixed point (RFC 5905, 6)
	RTP     uint32
	Packets uint32
	Octets  uint32
}

// keptReports is how many a layer keeps: browsers send one a second or two, and who
// wants all of them reads far more often.
const keptReports = 8

// reports are a layer's newest ones.
type reports struct {
	mu   sync.Mutex // guards all below; held to copy a few reports
	list [keptReports]Report
	n    uint64 // how many ever came
}

func (r *reports) add(one Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list[r.n%keptReports] = one
	r.n++
}

// Reports appends the sender reports to out that came since cursor, as far as they are
// kept, and returns the cursor to go on from.
func (l *Layer) Reports(cursor uint64, out []Report) (next uint64, all []Report) {
	r := &l.reports
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n > keptReports {
		cursor = max(cursor, r.n-keptReports)
	}
	for ; cursor < r.n; cursor++ {
		out = append(out, r.list[cursor%keptReports])
	}
	return r.n, out
}
