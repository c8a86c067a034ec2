package meeting

import (
	"context"
	"time"

	"aparte/signaling/role"
)

// Who came: kept with the meeting, under the name and role that they came in with. The
// audit trail tells the same of ids, and to others: its auditors.

// Visit is somebody's time in the call, from coming in until leaving. Coming back on a
// new connection is the same visit.
type Visit struct {
	Identity     string
	Name         string
	Organisation string
	Role         role.Role // when they came in
	CameAt       time.Time
	// LeftAt is zero while they are in, and for good where a server went down under them.
	LeftAt time.Time
	// Present tells the two apart.
	Present bool
}

// came notes that somebody comes into the call who was not in it.
func (l *live) came(p Participant, organisation string) {
	l.visit(Visit{Identity: p.Identity, Name: p.Name, Organisation: organisation, Role: p.Role, CameAt: p.Since})
}

// went notes that somebody has left it.
func (l *live) went(p Participant, now time.Time) {
	l.visit(Visit{Identity: p.Identity, Name: p.Name, Role: p.Role, CameAt: p.Since, LeftAt: now})
}

// visit keeps a coming or going until it is stored: like its audit event, which goes
// with it, it happens whether or not the disk takes it.
func (l *live) visit(v Visit) {
	if len(l.visits) < maxOwed {
		l.visits = append(l.visits, v)
	}
}

// Attendance is a stretch of who came, newest first.
type Attendance struct {
	Visits []Visit
	Total  int // of the meeting
}

// attendancePage is how many visits a stretch has.
const attendancePage = 500

type readAttendance struct{ byAgent }

func (readAttendance) command() role.Command { return role.Attendance }

func (a readAttendance) do(l *live, _ time.Time) (any, error) {
	present := make(map[string]time.Time, len(l.inCall))
	for identity, p := range l.inCall {
		present[identity] = p.Since
	}
	return present, nil
}

// Attendance returns who came, without the newest that are skipped, during the meeting
// and afterwards.
func (m *Meetings) Attendance(ctx context.Context, by Agent, id string, skip int) (Attendance, error) {
	present, err := answer[map[string]time.Time](ctx, m, id, readAttendance{byAgent{by}})
	if err != nil {
		return Attendance{}, err
	}
	out, err := m.cfg.Store.Attendance(ctx, id, skip, attendancePage)
	for i, v := range out.Visits {
		since, in := present[v.Identity]
		out.Visits[i].Present = in && v.LeftAt.IsZero() && since.Equal(v.CameAt)
	}
	return out, err
}
