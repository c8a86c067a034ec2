package meeting

import (
	"context"
	"time"

	"aparte/signaling/recording"
	"aparte/signaling/role"
)

// How much room the recordings of a post have. It is looked at when hosts ask, start and
// resume, and by the sweeps; nothing is counted while packets come in.

type mayRecord struct{ byAgent }

func (mayRecord) command() role.Command { return role.Record }

func (mayRecord) do(l *live, _ time.Time) (any, error) { return l.meeting.Post, nil }

// usageFor is how much of its quota the post of a meeting uses, for who may record it.
func (m *Meetings) usageFor(ctx context.Context, by Agent, id string) (recording.Usage, error) {
	if m.cfg.Quotas.None() {
		return recording.Usage{}, nil
	}
	post, err := answer[string](ctx, m, id, mayRecord{byAgent{by}})
	if err != nil || m.cfg.Quotas.For(post) == 0 {
		return recording.Usage{}, err
	}
	all, err := m.cfg.Store.RecordingsTake(ctx, post)
	if err != nil {
		return recording.Usage{}, err
	}
	u := recording.Usage{Limit: m.cfg.Quotas.For(post)}
	for _, p := range all {
		u.Used += m.take(ctx, p)
	}
	return u, nil
}

// take is how many bytes the recordings of a post take. What is being written is larger
// than what is known of it.
func (m *Meetings) take(ctx context.Context, p PostRecordings) int64 {
	bytes := p.Stopped
	for _, r := range p.Ongoing {
		parts, err := m.cfg.Kept.Parts(ctx, r.ID)
		if err != nil {
			m.cfg.Log.WarnContext(ctx, "look how large a recording is", "meeting", r.Meeting, "recording", r.ID, "err", err)
		}
		bytes += max(bytesOf(parts), r.Bytes)
	}
	return bytes
}

// PostUsage is how much of its quota a post uses.
type PostUsage struct {
	Post, Name string
	recording.Usage
}

// RecordingUsage lists the posts that have recordings and a quota, by name.
func (m *Meetings) RecordingUsage(ctx context.Context) ([]PostUsage, error) {
	if m.cfg.Quotas.None() {
		return nil, nil
	}
	all, err := m.cfg.Store.RecordingsTake(ctx, "")
	if err != nil {
		return nil, err
	}
	var used []PostUsage
	for _, p := range all {
		if limit := m.cfg.Quotas.For(p.Post); limit > 0 {
			used = append(used, PostUsage{p.Post, p.Name, recording.Usage{Used: m.take(ctx, p), Limit: limit}})
		}
	}
	return used, nil
}

// overQuota ends a recording for which its post has no room left.
type overQuota struct {
	byServer
	recording string
}

func (overQuota) command() role.Command { return role.Keep }

func (a overQuota) do(l *live, now time.Time) (any, error) {
	if r := l.recording; r != nil && r.ID == a.recording && r.State.Live() && !r.StartedAt.IsZero() {
		l.stopRecording(recording.OverQuota, now)
	}
	return struct{}{}, nil
}

// SweepQuotas stops the recordings under way of posts that have no room left for them.
// The meetings go on. Call it every minute or so, from a goroutine of its own: it waits for
// whoever has their files.
func (m *Meetings) SweepQuotas(ctx context.Context) {
	if m.cfg.Quotas.None() {
		return
	}
	all, err := m.cfg.Store.RecordingsTake(ctx, "")
	if err != nil {
		m.cfg.Log.WarnContext(ctx, "look how much recordings take", "err", err)
	}
	for _, p := range all {
		u := recording.Usage{Limit: m.cfg.Quotas.For(p.Post)}
		if u.Limit == 0 || len(p.Ongoing) == 0 {
			continue
		}
		if u.Used = m.take(ctx, p); !u.Full() {
			continue
		}
		for _, r := range p.Ongoing {
			if _, err := m.ask(ctx, r.Meeting, overQuota{recording: r.ID}); err != nil {
				m.cfg.Log.WarnContext(ctx, "stop recording for which its post has no room", "meeting", r.Meeting, "recording", r.ID, "err", err)
			}
		}
	}
}
