package meeting

import (
	"context"
	"errors"
	"maps"
	"time"

	"aparte/signaling/role"
)

// Who acts for the post of a meeting may change while it runs.

type memberChange struct {
	byServer
	account, post string
	acts          bool
}

func (memberChange) command() role.Command { return role.Keep }

func (a memberChange) do(l *live, _ time.Time) (any, error) {
	if l.meeting.Post != a.post {
		return struct{}{}, nil
	}
	acting := maps.Clone(l.meeting.Acting)
	if a.acts {
		if acting == nil {
			acting = make(map[string]bool)
		}
		acting[a.account] = true
		l.meeting.Acting = acting
		return struct{}{}, nil
	}
	delete(acting, a.account)
	l.meeting.Acting = acting
	l.settle(a.account)
	for w := range l.hosts {
		if w.agent.Account == a.account {
			l.dropHost(w)
		}
	}
	for w := range l.agents {
		if w.who == a.account {
			l.dropAgent(w)
		}
	}
	if l.meeting.orphaned() { // who waits is told that no host knows any more
		for _, k := range l.lobby.Knocks() {
			l.retell[k.Who()] = struct{}{}
		}
		l.dirty = true
	}
	return struct{}{}, nil
}

// MemberChanged has the meetings of a post follow whether an account acts for it,
// as it is stored already. Whoever does not any more hosts nothing there, has left
// every call there and follows nothing once it returns; what was named before
// counts again once the account acts again.
func (m *Meetings) MemberChanged(ctx context.Context, account, post string, acts bool) error {
	ids, err := m.cfg.Store.EnteredAt(ctx, account, post)
	if err != nil {
		return err
	}
	// A meeting that is not in memory now is loaded with what is stored.
	m.mu.Lock()
	for id := range m.live {
		ids = append(ids, id)
	}
	m.mu.Unlock()
	var all error
	for _, id := range ids {
		_, err := m.ask(ctx, id, memberChange{account: account, post: post, acts: acts})
		if err != nil && !errors.Is(err, ErrNotFound) {
			all = errors.Join(all, err)
		}
	}
	if !acts { // last: until now the meetings may have posted to them
		m.board.endAccount(account)
	}
	return all
}
