package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"aparte/signaling/audit"
	"aparte/signaling/meeting"
	"aparte/signaling/profile"
)

const profileColumns = `post, id, version, name_fr, name_en, sentence_fr, sentence_en, rules, changed_at, changed_by, changed_by_name`

func scanProfile(row scanner) (p profile.Profile, err error) {
	var rules string
	if err := row.Scan(&p.Post, &p.ID, &p.Version, &p.Name.French, &p.Name.English, &p.Sentence.French, &p.Sentence.English,
		&rules, at(&p.ChangedAt), &p.ChangedBy, &p.ChangedByName); err != nil {
		return p, err
	}
	// A line that this version does not know must not be left out of what it enforces.
	d := json.NewDecoder(bytes.NewReader([]byte(rules)))
	d.DisallowUnknownFields()
	if err := d.Decode(&p.Rules); err != nil {
		return p, fmt.Errorf("read rules of profile %s, version %d: %w", p.ID, p.Version, err)
	}
	return p.Translated(), nil
}

// shipped is version 1 of the profiles that ship, as a post has them.
func shipped(post string) []profile.Profile {
	all := profile.Defaults()
	for i := range all {
		all[i].Post = post
	}
	return all
}

// Profiles lists a post's profiles in their newest versions: those that ship first,
// the others by id.
func (s *Store) Profiles(ctx context.Context, post string) ([]profile.Profile, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+profileColumns+` FROM profiles p WHERE post = $1
		AND version = (SELECT max(version) FROM profiles q WHERE q.post = p.post AND q.id = p.id) ORDER BY id`, post)
	stored, err := collect(rows, err, scanProfile)
	if err != nil {
		return nil, classify(fmt.Errorf("list security profiles: %w", err))
	}
	all := shipped(post)
	for _, p := range stored {
		if i := slices.IndexFunc(all, func(known profile.Profile) bool { return known.ID == p.ID }); i >= 0 {
			all[i] = p
		} else {
			all = append(all, p)
		}
	}
	return all, nil
}

// ProfileVersions lists a profile's versions, newest first, or says
// profile.ErrNotFound.
func (s *Store) ProfileVersions(ctx context.Context, post, id string) ([]profile.Profile, error) {
	all, err := versions(ctx, s.read, post, id)
	return all, classify(err)
}

func versions(ctx context.Context, q queries, post, id string) ([]profile.Profile, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+profileColumns+` FROM profiles WHERE post = $1 AND id = $2 ORDER BY version DESC`, post, id)
	all, err := collect(rows, err, scanProfile)
	if err != nil {
		return nil, fmt.Errorf("read security profile %s: %w", id, err)
	}
	for _, p := range shipped(post) {
		if p.ID == id {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		return nil, profile.ErrNotFound
	}
	return all, nil
}

// profilesOf is the version of its profile that a meeting has taken up, and the one in
// force.
func profilesOf(ctx context.Context, q queries, m meeting.Meeting) (applied, newest profile.Profile, err error) {
	all, err := versions(ctx, q, m.Post, m.Profile)
	if err != nil {
		return applied, newest, err
	}
	i := slices.IndexFunc(all, func(p profile.Profile) bool { return p.Version == m.ProfileVersion })
	if i < 0 {
		return applied, newest, fmt.Errorf("security profile %s has no version %d", m.Profile, m.ProfileVersion)
	}
	return all[i], all[0], nil
}

// AddProfile adds a version that follows on the newest one, or the first:
// profile.ErrChanged or ErrExists if it does not. One that is not available is refused
// with a *profile.UnavailableError while a meeting has the profile.
func (s *Store) AddProfile(ctx context.Context, p profile.Profile, acts ...audit.Draft) error {
	rules, err := json.Marshal(p.Rules)
	if err != nil {
		return fmt.Errorf("write rules: %w", err)
	}
	return s.write.do(ctx, func(ctx context.Context, q queries) error {
		before, err := versions(ctx, q, p.Post, p.ID)
		switch {
		case err == nil && p.Version == 1:
			return profile.ErrExists
		case err == nil && before[0].Version != p.Version-1:
			return profile.ErrChanged
		case err != nil && p.Version > 1:
			return err
		}
		if unfit := p.Rules.Needs(); len(unfit) > 0 {
			having, err := meetingsWith(ctx, q, p.Post, p.ID, 1000)
			if err != nil {
				return err
			}
			if len(having) > 0 {
				return &profile.UnavailableError{Profile: p.ID, Needs: unfit, InUse: len(having)}
			}
		}
		_, err = q.ExecContext(ctx, `INSERT INTO profiles (`+profileColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			p.Post, p.ID, p.Version, p.Name.French, p.Name.English, p.Sentence.French, p.Sentence.English,
			string(rules), ms(p.ChangedAt), p.ChangedBy, p.ChangedByName)
		if err != nil {
			return fmt.Errorf("save security profile: %w", err)
		}
		return s.trail.record(ctx, q, acts)
	})
}

// MeetingsWith lists the meetings that have a profile and are not over, newest first,
// limit at most.
func (s *Store) MeetingsWith(ctx context.Context, post, id string, limit int) ([]string, error) {
	all, err := meetingsWith(ctx, s.read, post, id, limit)
	return all, classify(err)
}

func meetingsWith(ctx context.Context, q queries, post, id string, limit int) ([]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT id FROM meetings WHERE post_id = $1 AND profile = $2 AND state <> 'ended'
		ORDER BY created_at DESC, id LIMIT $3`, post, id, limit)
	return collect(rows, err, func(row scanner) (id string, err error) {
		err = row.Scan(&id)
		return id, err
	})
}
