package api

import (
	"context"
	"time"

	"aparte/signaling/meeting"
)

// Visit is somebody's time in the call of a meeting.
type Visit struct {
	Name         string     `json:"name" doc:"As typed by a guest, of the account of an agent; show it isolated (bdi)."`
	Organisation string     `json:"organisation,omitempty"`
	Role         string     `json:"role" enum:"host,cohost,participant,guest,observer" doc:"When they came in."`
	CameAt       time.Time  `json:"came_at"`
	LeftAt       *time.Time `json:"left_at,omitempty" doc:"Absent of whoever is in, and where a server went down under them."`
	Present      bool       `json:"present" doc:"They are in."`
}

// Attendance is a stretch of who came to a meeting, newest first. It is kept as long as
// the meeting.
type Attendance struct {
	Visits []Visit `json:"visits" nullable:"false"`
	Total  int     `json:"total" doc:"How many visits of the meeting are stored."`
}

type attendanceStretch struct {
	ID   string `path:"id" maxLength:"64"`
	Skip int    `query:"skip" minimum:"0" maximum:"10000000" doc:"How many of the newest are left out."`
}

func attendanceOf(v meeting.Attendance) Attendance {
	out := Attendance{Visits: make([]Visit, len(v.Visits)), Total: v.Total}
	for i, one := range v.Visits {
		out.Visits[i] = Visit{
			Name: one.Name, Organisation: one.Organisation, Role: string(one.Role),
			CameAt: one.CameAt.UTC(), LeftAt: optional(one.LeftAt), Present: one.Present,
		}
	}
	return out
}

func (a *API) listAttendance(ctx context.Context, in *attendanceStretch) (*output[Attendance], error) {
	v, err := a.meetings.Attendance(ctx, theAgent(ctx).agent(), in.ID, in.Skip)
	if err != nil {
		return nil, err
	}
	return &output[Attendance]{attendanceOf(v)}, nil
}
