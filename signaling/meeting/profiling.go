package meeting

import (
	"context"
	"errors"
	"strconv"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/lobby"
	"aparte/signaling/name"
	"aparte/signaling/profile"
	"aparte/signaling/role"
)

// What a meeting's security profile means for it. The profile in force is l.profile;
// profiles.go has what administrators do with profiles.

func (m Meeting) hours() profile.Hours { return profile.Hours{From: m.StartsAt, To: m.EndsAt} }

// suits says whether the meeting can be held under a profile: nil, a
// *profile.UnavailableError or a *name.Error.
func (m Meeting) suits(p profile.Profile) error {
	if err := p.Available(); err != nil {
		return err
	}
	if p.Rules.Guests && p.Rules.LinkHours == 0 && (m.StartsAt.IsZero() || m.EndsAt.IsZero()) {
		return &name.Error{At: "ends_at", Reason: "is required with a start by the security profile " + p.ID + ": guest links live for the meeting's own hours"}
	}
	return nil
}

// under puts the meeting under a profile.
func (l *live) under(p profile.Profile) {
	l.profile = p
	l.lobby.Under(l.terms(p))
}

func (l *live) terms(p profile.Profile) profile.Terms {
	return profile.Terms{Rules: p.Rules, Hours: l.meeting.hours()}
}

// admits says whether somebody who waits may be let in.
func (l *live) admits(k lobby.Knock) error {
	if k.OfAgent() {
		return nil
	}
	via, _ := l.lobby.Link(k.Link)
	return l.terms(l.profile).Admits(via, l.lobby.SessionOf(k))
}

// Usual are the permissions of which a host did not speak, among those that the profile
// rules: they are given as it has it.
type Usual struct{ Share, Files bool }

// given are permissions as a host gives them, on the profile's terms. had are those that
// the guest has already.
func (l *live) given(p lobby.Permissions, usual Usual, had lobby.Permissions) (lobby.Permissions, error) {
	rules := l.profile.Rules
	for _, right := range []struct {
		line, at   string
		rule       profile.Giving
		usual, had bool
		on         *bool
	}{
		{"guest_share", "share", rules.GuestShare, usual.Share, had.Share, &p.Share},
		{"guest_files", "files", rules.GuestFiles, usual.Files, had.Files, &p.Files},
	} {
		switch {
		case right.usual && right.rule == profile.Off:
			*right.on = false
		case right.usual && right.rule == profile.Granted:
			*right.on = *right.on && right.had
		case *right.on && right.rule == profile.Off:
			return p, &profile.RefusedError{Line: right.line, At: right.at, Reason: "is off for guests in this meeting's security profile"}
		}
	}
	return p, nil
}

// givenTo is given for somebody who waits; what guests may share is no rule for agents.
func (l *live) givenTo(k lobby.Knock, p lobby.Permissions, usual Usual) (lobby.Permissions, error) {
	if k.OfAgent() {
		return p, nil
	}
	return l.given(p, usual, lobby.Permissions{})
}

// permissionsNow are those of an admitted guest.
func (l *live) permissionsNow(identity string) lobby.Permissions {
	for _, k := range l.admitted() {
		if k.Identity == identity {
			return k.Permissions
		}
	}
	return lobby.Permissions{}
}

// admitted are the guests who were let in.
func (l *live) admitted() (all []lobby.Knock) {
	for _, k := range l.lobby.Knocks() {
		if k.Status == lobby.Admitted && !k.OfAgent() {
			all = append(all, k)
		}
	}
	return all
}

// takes are the permissions that a guest keeps when another profile comes into force:
// what was given as a matter of course has to be granted where the profile says so.
func takes(before, after profile.Rules, p lobby.Permissions) lobby.Permissions {
	takes := func(before, after profile.Giving) bool {
		return before == profile.Allowed && after != profile.Allowed || after == profile.Off
	}
	p.Share = p.Share && !takes(before.GuestShare, after.GuestShare)
	p.Files = p.Files && !takes(before.GuestFiles, after.GuestFiles)
	return p
}

// take puts the meeting under another profile, or another version of its own, and
// says what that does.
func (l *live) take(p profile.Profile, act audit.Act, now time.Time) Effects {
	effects := l.effects(p, now)
	before := l.profile
	d := audit.Did(act).With("profile", p.ID).With("version", strconv.Itoa(p.Version))
	if before.ID != p.ID {
		d = d.With("from", before.ID)
	}
	l.note(d)
	m := l.meeting
	m.Profile, m.ProfileVersion = p.ID, p.Version
	l.setMeeting(m)
	l.under(p)
	for _, k := range l.admitted() {
		if kept := takes(before.Rules, p.Rules, k.Permissions); kept != k.Permissions {
			if after, err := l.lobby.Permit(k.Identity, kept); err == nil {
				k = after
			}
		}
		l.permit = append(l.permit, permitOf(l.ruled(l.admittedGrant(k))))
	}
	for _, m := range l.members() {
		l.settle(m.Account)
	}
	for _, s := range l.seats {
		if l.seated(s) == nil {
			l.permit = append(l.permit, permitOf(l.ruled(l.seatGrant(s))))
		}
	}
	for _, k := range l.lobby.Knocks() {
		l.retell[k.Who()] = struct{}{}
	}
	return effects
}

// catchUp takes up the version of the profile that came into force while the meeting
// was not in memory, or could not be stored.
func (l *live) catchUp(newest profile.Profile, now time.Time) outcome {
	if l.profile.ID == newest.ID && l.profile.Version == newest.Version {
		return outcome{}
	}
	return l.decide(renewProfile{profile: newest}, now)
}

// renewProfile has a meeting take up a version of its profile.
type renewProfile struct {
	byServer
	profile profile.Profile
}

func (renewProfile) command() role.Command { return role.Keep }

func (a renewProfile) do(l *live, now time.Time) (any, error) {
	p := a.profile
	if l.meeting.Post != p.Post || l.profile.ID != p.ID || l.profile.Version >= p.Version || l.meeting.State == Ended {
		return Effects{}, nil
	}
	return l.take(p, audit.ProfileApplied, now), nil
}

type chooseProfile struct {
	byAgent
	profile profile.Profile
}

func (chooseProfile) command() role.Command { return role.ChooseProfile }

func (a chooseProfile) do(l *live, now time.Time) (any, error) {
	if err := a.check(l); err != nil {
		return nil, err
	}
	if l.profile.ID == a.profile.ID && l.profile.Version >= a.profile.Version {
		return l.effects(l.profile, now), nil
	}
	return l.take(a.profile, audit.ProfileChosen, now), nil
}

func (a chooseProfile) check(l *live) error {
	if _, err := a.alive(l); err != nil {
		return err
	}
	err := l.meeting.suits(a.profile)
	if _, ok := errors.AsType[*name.Error](err); ok {
		return &name.Error{At: "profile", Reason: "needs the meeting's start and end: guest links live for its own hours"}
	}
	return err
}

type previewProfile struct{ chooseProfile }

func (previewProfile) command() role.Command { return role.PreviewProfile }

func (a previewProfile) do(l *live, now time.Time) (any, error) {
	if err := a.check(l); err != nil {
		return nil, err
	}
	return l.effects(a.profile, now), nil
}

// ChooseProfile puts a meeting under another security profile, at once, and says what
// that did. Refusals are profile.ErrNotFound, a *profile.UnavailableError or a *name.Error.
func (m *Meetings) ChooseProfile(ctx context.Context, by Agent, id, chosen string) (Effects, error) {
	p, err := m.profileFor(ctx, by, id, chosen)
	if err != nil {
		return Effects{}, err
	}
	done, err := answer[Effects](ctx, m, id, chooseProfile{byAgent{by}, p})
	if err != nil {
		return Effects{}, err
	}
	// It may have been edited since it was read, when the meeting did not have it yet.
	newest, err := m.newestProfile(ctx, p.Post, p.ID)
	if err == nil && newest.Version > p.Version {
		_, err = m.ask(ctx, id, renewProfile{profile: newest})
	}
	return done, err
}

// PreviewChoice says what ChooseProfile would do.
func (m *Meetings) PreviewChoice(ctx context.Context, by Agent, id, chosen string) (Effects, error) {
	p, err := m.profileFor(ctx, by, id, chosen)
	if err != nil {
		return Effects{}, err
	}
	return answer[Effects](ctx, m, id, previewProfile{chooseProfile{byAgent{by}, p}})
}

// profileFor is the newest version of a profile of the meeting's post.
func (m *Meetings) profileFor(ctx context.Context, by Agent, id, chosen string) (profile.Profile, error) {
	found, err := m.Get(ctx, by, id)
	if err != nil {
		return profile.Profile{}, err
	}
	return m.newestProfile(ctx, found.Post, chosen)
}
