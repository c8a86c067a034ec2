package meeting

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"aparte/signaling/role"
)

// recipientsChange is that a post has so many keys for its recordings now.
type recipientsChange struct {
	byServer
	post string
	n    int
}

func (recipientsChange) command() role.Command { return role.Keep }

func (a recipientsChange) do(l *live, _ time.Time) (any, error) {
	if l.meeting.Post == a.post {
		l.postRecipients = a.n
	}
	return struct{}{}, nil
}

// RecipientsChanged has the meetings of a post follow how many keys it has for recordings,
// as it is stored already: whether hosts may ask for one. A part that is being written keeps
// those that it began with.
func (m *Meetings) RecipientsChanged(ctx context.Context, post string, n int) error {
	m.mu.Lock() // a meeting that is not in memory is loaded with what is stored
	ids := slices.Collect(maps.Keys(m.live))
	m.mu.Unlock()
	var all error
	for _, id := range ids {
		if _, err := m.ask(ctx, id, recipientsChange{post: post, n: n}); err != nil && !errors.Is(err, ErrNotFound) {
			all = errors.Join(all, err)
		}
	}
	return all
}
