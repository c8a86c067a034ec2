package meeting

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/name"
	"aparte/signaling/role"
)

// A meeting is orphaned when it is not over and nobody who hosts it acts for its post
// any more. Administrators of the post then see that there is such a meeting, give it
// another host or end it; of meetings that somebody hosts they learn nothing. Whoever
// was the host is it again when they act for the post again before that.

// maxOrphans is how many are listed.
const maxOrphans = 200

// ErrHosted refuses an administrator.
var ErrHosted = errors.New("somebody hosts this meeting")

// orphaned tells whether nobody can moderate the meeting.
func (m Meeting) orphaned() bool { return m.State != Ended && len(m.hosts()) == 0 }

// byAdministrator is part of what an administrator of a post asks, as the caller has
// made sure of.
type byAdministrator struct {
	agent Agent
	post  string
}

// as is the administrator's role where the meeting is of that post; elsewhere there is
// no such meeting.
func (b byAdministrator) as(l *live, _ time.Time) (role.Role, error) {
	if l.meeting.Post != b.post {
		return "", ErrNotFound
	}
	return role.Administrator, nil
}

func (b byAdministrator) actor() audit.Actor {
	return audit.Actor{Kind: audit.Agent, ID: b.agent.Account}
}

func (b byAdministrator) orphan(l *live) error {
	switch {
	case l.meeting.State == Ended:
		return ErrEnded
	case !l.meeting.orphaned():
		return ErrHosted
	}
	return nil
}

type mayAppoint struct{ byAdministrator }

func (mayAppoint) command() role.Command { return role.AppointHost }

func (a mayAppoint) do(l *live, _ time.Time) (any, error) { return struct{}{}, a.orphan(l) }

type appointHost struct {
	byAdministrator
	person Person
}

func (appointHost) command() role.Command { return role.AppointHost }

func (a appointHost) do(l *live, _ time.Time) (any, error) {
	if err := a.orphan(l); err != nil {
		return nil, err
	}
	if !l.meeting.Acting[a.person.Account] {
		return nil, notOfPost()
	}
	l.setMeeting(l.meeting.appointed(a.person))
	l.note(audit.Did(audit.HostAppointed).On(audit.Account, a.person.Account))
	l.roleChanged(a.person.Account)
	return l.summaryFor(Agent{Account: a.person.Account}), nil
}

// appointed is the meeting with another host. Whoever was it before is nobody in it.
func (m Meeting) appointed(to Person) Meeting {
	m = m.without(to.Account)
	m.Organiser = to
	return m
}

type endOrphan struct{ byAdministrator }

func (endOrphan) command() role.Command { return role.EndOrphan }

func (a endOrphan) do(l *live, now time.Time) (any, error) {
	if err := a.orphan(l); err != nil {
		return nil, err
	}
	l.endForGood(now)
	l.close = true
	return l.meeting, nil
}

func notOfPost() error {
	return &name.Error{At: "email", Reason: "is not the address of somebody who acts for the post"}
}

// Orphans lists the meetings of a post that nobody hosts any more, newest first. Whether
// whoever asks administers the post is for the caller to know; so it is below.
func (m *Meetings) Orphans(ctx context.Context, post string) ([]Meeting, error) {
	return m.cfg.Store.OrphansOf(ctx, post, maxOrphans)
}

// AppointHost gives an orphaned meeting of a post another host, by the address of
// somebody who acts for the post. Refusals of its own are ErrHosted and a *name.Error.
func (m *Meetings) AppointHost(ctx context.Context, by Agent, post, id, email string) (Meeting, error) {
	of := byAdministrator{by, post}
	if _, err := m.ask(ctx, id, mayAppoint{of}); err != nil {
		return Meeting{}, err
	}
	p, err := m.cfg.Store.AgentByEmail(ctx, id, strings.ToLower(strings.TrimSpace(email)))
	if errors.Is(err, ErrNoAccount) {
		return Meeting{}, notOfPost()
	}
	if err != nil {
		return Meeting{}, fmt.Errorf("find account: %w", err)
	}
	s, err := answer[Summary](ctx, m, id, appointHost{of, p})
	return s.Meeting, err
}

// EndOrphan ends an orphaned meeting of a post for all, at once. ErrHosted refuses one
// that somebody hosts.
func (m *Meetings) EndOrphan(ctx context.Context, by Agent, post, id string) (Meeting, error) {
	return answer[Meeting](ctx, m, id, endOrphan{byAdministrator{by, post}})
}
