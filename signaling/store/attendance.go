package store

import (
	"context"
	"fmt"

	"aparte/signaling/meeting"
)

func saveVisits(ctx context.Context, q queries, id string, visits []meeting.Visit) error {
	for _, v := range visits {
		// A commit that was reported as failed may be on the disk after all.
		_, err := q.ExecContext(ctx, `INSERT INTO attendance (meeting_id, identity, came_at, left_at, name, organisation, role)
			VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (meeting_id, identity, came_at) DO UPDATE SET left_at = coalesce(excluded.left_at, attendance.left_at)`,
			id, v.Identity, ms(v.CameAt), ms(v.LeftAt), v.Name, v.Organisation, v.Role)
		if err != nil {
			return fmt.Errorf("keep who came: %w", err)
		}
	}
	return nil
}

// Attendance lists who came to a meeting, newest first, after those that are skipped,
// limit at most.
func (s *Store) Attendance(ctx context.Context, id string, skip, limit int) (out meeting.Attendance, err error) {
	if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM attendance WHERE meeting_id = $1`, id).Scan(&out.Total); err != nil {
		return out, classify(fmt.Errorf("count who came: %w", err))
	}
	rows, err := s.read.QueryContext(ctx, `SELECT identity, name, organisation, role, came_at, left_at FROM attendance
		WHERE meeting_id = $1 ORDER BY came_at DESC, identity LIMIT $2 OFFSET $3`, id, limit, skip)
	out.Visits, err = collect(rows, err, func(row scanner) (v meeting.Visit, err error) {
		err = row.Scan(&v.Identity, &v.Name, &v.Organisation, &v.Role, at(&v.CameAt), at(&v.LeftAt))
		return v, err
	})
	if err != nil {
		return out, classify(fmt.Errorf("read who came: %w", err))
	}
	return out, nil
}
