package meeting

import (
	"context"
	"errors"
	"strconv"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/profile"
)

// What is asked about the security profiles of a post. An edit is made durable first;
// then every live meeting that has the profile takes it up, and those that are not in
// memory when they are loaded.

// maxPreviewed is of how many meetings an edit's effects are told one by one.
const maxPreviewed = 200

// EditEffects are what an edit of a profile does to the meetings that have it.
type EditEffects struct {
	Needs    []profile.Need // that make it unavailable
	Meetings []Effects      // of those to which something happens
	// InUse is how many meetings that are not over have the profile; at most
	// maxPreviewed are counted and looked at, the newest.
	InUse int
	More  bool // there are more
}

func (m *Meetings) newestProfile(ctx context.Context, post, id string) (profile.Profile, error) {
	all, err := m.cfg.Store.ProfileVersions(ctx, post, id)
	if err != nil {
		return profile.Profile{}, err
	}
	return all[0], nil
}

// Profiles lists a post's security profiles.
func (m *Meetings) Profiles(ctx context.Context, post string) ([]profile.Profile, error) {
	return m.cfg.Store.Profiles(ctx, post)
}

// ProfileVersions lists the versions of a security profile, newest first, or says
// profile.ErrNotFound.
func (m *Meetings) ProfileVersions(ctx context.Context, post, id string) ([]profile.Profile, error) {
	return m.cfg.Store.ProfileVersions(ctx, post, id)
}

// AddProfile makes a new profile. Refusals are a *name.Error or profile.ErrExists.
func (m *Meetings) AddProfile(ctx context.Context, by Agent, p profile.Profile) (profile.Profile, error) {
	p.Version = 1
	return m.storeProfile(ctx, by, p, audit.ProfileCreated)
}

// ChangeProfile makes the next version of a profile, whose last one known to the caller
// is p.Version, and has it come into force at once. The answer says what that did.
// Refusals are a *name.Error, profile.ErrNotFound, profile.ErrChanged or a
// *profile.UnavailableError. A meeting that could not store it takes it up before anything
// else happens in it; the error says so.
func (m *Meetings) ChangeProfile(ctx context.Context, by Agent, p profile.Profile) (profile.Profile, EditEffects, error) {
	p.Version++
	p, err := m.storeProfile(ctx, by, p, audit.ProfileChanged)
	if err != nil {
		return profile.Profile{}, EditEffects{}, err
	}
	// Whoever asked may be gone: what is stored comes into force all the same.
	ctx = context.WithoutCancel(ctx)
	done := EditEffects{Needs: p.Rules.Needs()}
	ids, err := m.cfg.Store.MeetingsWith(ctx, p.Post, p.ID, maxPreviewed+1)
	if err != nil {
		return p, done, err
	}
	done.More, done.InUse = len(ids) > maxPreviewed, min(len(ids), maxPreviewed)
	ids = ids[:done.InUse]
	seen := make(map[string]bool, len(ids))
	for _, id := range ids {
		seen[id] = true
	}
	m.mu.Lock()
	for id := range m.live {
		if !seen[id] {
			ids = append(ids, id)
		}
	}
	m.mu.Unlock()
	var all error
	for _, id := range ids {
		e, err := answer[Effects](ctx, m, id, renewProfile{profile: p})
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			all = errors.Join(all, err)
		case e.Any():
			done.Meetings = append(done.Meetings, e)
		}
	}
	return p, done, all
}

func (m *Meetings) storeProfile(ctx context.Context, by Agent, p profile.Profile, act audit.Act) (profile.Profile, error) {
	p, err := profile.Check(p)
	if err != nil {
		return profile.Profile{}, err
	}
	p.ChangedAt, p.ChangedBy, p.ChangedByName = m.cfg.now(), by.Account, by.Name
	d := audit.Did(act).By(audit.Agent, by.Account).With("profile", p.ID).With("version", strconv.Itoa(p.Version))
	d.Post, d.Time = p.Post, p.ChangedAt
	return p, m.cfg.Store.AddProfile(ctx, p, d)
}

type previewEdit struct{ renewProfile }

func (a previewEdit) do(l *live, now time.Time) (any, error) {
	if l.profile.ID != a.profile.ID || l.meeting.Post != a.profile.Post || l.meeting.State == Ended {
		return Effects{}, nil
	}
	return l.effects(a.profile, now), nil
}

// PreviewProfile says what ChangeProfile would do.
func (m *Meetings) PreviewProfile(ctx context.Context, p profile.Profile) (EditEffects, error) {
	if _, err := m.newestProfile(ctx, p.Post, p.ID); err != nil {
		return EditEffects{}, err
	}
	p, err := profile.Check(p)
	if err != nil {
		return EditEffects{}, err
	}
	ids, err := m.cfg.Store.MeetingsWith(ctx, p.Post, p.ID, maxPreviewed+1)
	if err != nil {
		return EditEffects{}, err
	}
	out := EditEffects{Needs: p.Rules.Needs(), InUse: min(len(ids), maxPreviewed), More: len(ids) > maxPreviewed}
	for _, id := range ids[:out.InUse] {
		e, err := answer[Effects](ctx, m, id, previewEdit{renewProfile{profile: p}})
		if err != nil {
			return EditEffects{}, err
		}
		if e.Any() {
			out.Meetings = append(out.Meetings, e)
		}
	}
	return out, nil
}
