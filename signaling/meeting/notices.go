package meeting

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"aparte/signaling/lobby"
)

// Hosts are told of those who wait wherever they are signed in, not only on the
// page of the meeting.

// Notice says that guests wait in a meeting. It names nobody: it is shown beside
// whatever the host is doing, and by the system.
type Notice struct {
	Meeting string
	Title   string
	Waiting int
	// Newest is when somebody last knocked of those who wait; zero if all were
	// sent back from the call.
	Newest time.Time
}

// ErrTooManyWatches refuses more sockets of one account than people have pages.
var ErrTooManyWatches = errors.New("too many pages follow the notices of this account")

const (
	// maxNoticeWatches bounds the pages of one account.
	maxNoticeWatches = 20
	// maxNotices bounds the meetings that one page is told of; the newest win.
	maxNotices = 100
)

// NoticeWatch is a page that follows where guests wait for its agent. Only the
// latest list waits.
type NoticeWatch struct {
	// Notices is closed when the watch ends. Whoever knocked last comes first.
	Notices <-chan []Notice

	board   *board
	agent   Agent
	notices chan []Notice

	// Guarded by board.mu.
	known  map[string]Notice // by meeting; Waiting 0: told since the watch began
	loaded bool
}

// board passes notices from the meetings to the pages.
type board struct {
	mu      sync.Mutex
	closed  bool
	watches map[string]map[*NoticeWatch]struct{} // by account
}

func newBoard() *board { return &board{watches: make(map[string]map[*NoticeWatch]struct{})} }

// WatchNotices follows where guests wait for an agent, beginning with the
// present list. End it with Unwatch.
func (m *Meetings) WatchNotices(ctx context.Context, by Agent) (*NoticeWatch, error) {
	notices := make(chan []Notice, 1)
	w := &NoticeWatch{Notices: notices, notices: notices, board: m.board, agent: by, known: make(map[string]Notice)}
	// First the watch, then the list: what changes in between comes by post and
	// is newer than what the list says.
	if err := m.board.add(w); err != nil {
		return nil, err
	}
	stored, err := m.cfg.Store.WaitingFor(ctx, by.Account, m.cfg.now(), maxNotices)
	if err != nil {
		w.Unwatch()
		return nil, err
	}
	m.board.fill(w, stored)
	return w, nil
}

// Unwatch ends the watch.
func (w *NoticeWatch) Unwatch() {
	w.board.mu.Lock()
	defer w.board.mu.Unlock()
	w.board.drop(w)
}

func (b *board) add(w *NoticeWatch) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	of := b.watches[w.agent.Account]
	switch {
	case b.closed:
		return ErrUnavailable
	case len(of) >= maxNoticeWatches:
		return ErrTooManyWatches
	case of == nil:
		of = make(map[*NoticeWatch]struct{})
		b.watches[w.agent.Account] = of
	}
	of[w] = struct{}{}
	return nil
}

// fill gives a new watch what was stored when it began.
func (b *board) fill(w *NoticeWatch, stored []Notice) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range stored {
		if _, newer := w.known[n.Meeting]; !newer {
			w.known[n.Meeting] = n
		}
	}
	w.loaded = true
	b.push(w)
}

// post tells the pages of hosts how many wait in one meeting.
func (b *board) post(hosts []string, n Notice) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, account := range hosts {
		for w := range b.watches[account] {
			if n.Waiting > 0 || !w.loaded {
				w.known[n.Meeting] = n
			} else {
				delete(w.known, n.Meeting)
			}
			if w.loaded {
				b.push(w)
			}
		}
	}
}

// push leaves the list for the page's reader, in place of one not read yet.
func (b *board) push(w *NoticeWatch) {
	if _, watching := b.watches[w.agent.Account][w]; !watching {
		return
	}
	var list []Notice
	for id, n := range w.known {
		if n.Waiting == 0 {
			delete(w.known, id)
			continue
		}
		list = append(list, n)
	}
	slices.SortFunc(list, func(a, b Notice) int {
		return cmp.Or(b.Newest.Compare(a.Newest), cmp.Compare(a.Meeting, b.Meeting))
	})
	for _, n := range list[min(len(list), maxNotices):] {
		delete(w.known, n.Meeting)
	}
	select {
	case <-w.notices:
	default:
	}
	w.notices <- list[:min(len(list), maxNotices)]
}

// drop ends a watch; the caller holds mu.
func (b *board) drop(w *NoticeWatch) {
	of := b.watches[w.agent.Account]
	if _, ok := of[w]; !ok {
		return
	}
	delete(of, w)
	if len(of) == 0 {
		delete(b.watches, w.agent.Account)
	}
	close(w.notices)
}

// endSession ends the pages of an agent's session.
func (b *board) endSession(session string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, of := range b.watches {
		for w := range of {
			if w.agent.Session == session {
				b.drop(w)
			}
		}
	}
}

// endAccount ends the pages of an account: they come back for a fresh list.
func (b *board) endAccount(account string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for w := range b.watches[account] {
		b.drop(w)
	}
}

// close ends every watch, for good.
func (b *board) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, of := range b.watches {
		for w := range of {
			b.drop(w)
		}
	}
}

// notice is what pages elsewhere are told of this meeting.
func (l *live) notice() Notice {
	n := Notice{Meeting: l.id, Title: l.meeting.Title}
	for _, k := range l.lobby.Knocks() {
		if k.Status != lobby.Waiting {
			continue
		}
		n.Waiting++
		if k.SentBackAt.IsZero() && k.Since.After(n.Newest) {
			n.Newest = k.Since
		}
	}
	return n
}
