package meeting

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"

	"github.com/livekit/protocol/livekit"

	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/recording"
)

// Meetings are the meetings of this process. All methods may be called from any
// goroutine; those that change something return after the change is durable and
// the call has obeyed.
type Meetings struct {
	cfg  Config
	ctx  context.Context // of the meetings' goroutines; ends with Close
	stop context.CancelFunc

	challenges *link.Challenges // for browsers that come back

	presence sync.WaitGroup // removals that follow presence events
	board    *board

	sittings recording.Sittings
	deleted  sync.Mutex // one deletion of a recording at a time is told

	mu     sync.Mutex
	closed bool
	clock  uint64 // grows with each use
	live   map[string]*live
}

// leaving is somebody who has to leave the call.
type leaving struct {
	identity string
	reason   livekit.DisconnectReason
}

// permitting is somebody in the call who may do something else from now on.
type permitting struct {
	identity   string
	permission *livekit.ParticipantPermission
	may        lobby.Permissions // the chat too, of which the media know nothing
}

func permitOf(g Grant) permitting { return permitting{g.Identity, g.Permission(), g.Permissions} }

// NewMeetings makes the meetings of this process; end them with Close.
func NewMeetings(cfg Config) *Meetings {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Lobby == (lobby.Limits{}) {
		cfg.Lobby = lobby.DefaultLimits()
	}
	if cfg.Lobby.Guesses == nil {
		cfg.Lobby.Guesses = link.NewGuesses(cfg.Now)
	}
	if cfg.LastHost == "" {
		cfg.LastHost = WaitForHost
	}
	if cfg.LastHostAfter == 0 {
		cfg.LastHostAfter = lastHostAfter
	}
	if cfg.KeepChatDays == 0 {
		cfg.KeepChatDays = keepChatDays
	}
	if cfg.MaxKeptChat == 0 {
		cfg.MaxKeptChat = maxKeptChat
	}
	if cfg.KeepRecordingDays == 0 {
		cfg.KeepRecordingDays = keepRecordingDays
	}
	if cfg.RecordingAlone == 0 {
		cfg.RecordingAlone = recordingAlone
	}
	cfg.Files = cfg.Files.withDefaults()
	if cfg.IdleMeetings == 0 {
		cfg.IdleMeetings = 64
	}
	if cfg.HostQueue == 0 {
		cfg.HostQueue = 512
	}
	ctx, stop := context.WithCancel(context.Background())
	return &Meetings{
		cfg: cfg, ctx: ctx, stop: stop, challenges: link.NewChallenges(cfg.Random), board: newBoard(),
		live: make(map[string]*live),
	}
}

// Close ends every recording and every watch, and waits for the goroutines. Calls that
// come later are refused with ErrUnavailable.
func (m *Meetings) Close() {
	m.closeRecordings()
	m.mu.Lock()
	all := m.live
	m.live, m.closed = make(map[string]*live), true
	m.mu.Unlock()
	for _, l := range all {
		close(l.stop)
	}
	for _, l := range all {
		<-l.stopped
	}
	m.presence.Wait()
	m.board.close()
	m.stop()
}

// acquire returns the live meeting, started if need be, and keeps it until
// release.
func (m *Meetings) acquire(id string) (*live, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, ErrUnavailable
	}
	l, ok := m.live[id]
	if !ok {
		l = newLive(id, &m.cfg, m.board, func() { m.lookAround(m.ctx, []string{id}) })
		m.live[id] = l
		go l.run(m.ctx)
	}
	l.refs++
	m.clock++
	l.lastUsed = m.clock
	return l, nil
}

// release lets the live meeting go. Idle ones beyond the limit leave memory,
// longest unused first; what does not exist leaves at once.
func (m *Meetings) release(l *live) {
	m.mu.Lock()
	l.refs--
	var out *live
	if l.refs == 0 && m.live[l.id] == l {
		if l.gone.Load() {
			out = l
		} else {
			out = m.excess()
		}
	}
	if out != nil {
		delete(m.live, out.id)
	}
	m.mu.Unlock()
	if out != nil {
		close(out.stop) // nobody holds it: its queue is empty
	}
}

// excess is the idle meeting to forget, or nil.
func (m *Meetings) excess() *live {
	idle, oldest := 0, (*live)(nil)
	last := uint64(math.MaxUint64)
	for _, l := range m.live {
		if l.refs > 0 || l.busy.Load() {
			continue
		}
		idle++
		if l.lastUsed < last {
			oldest, last = l, l.lastUsed
		}
	}
	if idle <= m.cfg.IdleMeetings {
		return nil
	}
	return oldest
}

// ask has a live meeting do an act, and makes the call obey the decision. The
// context ends waiting for a place in the queue, never a decision under way.
func (m *Meetings) ask(ctx context.Context, id string, a act) (any, error) {
	l, err := m.acquire(id)
	if err != nil {
		return nil, err
	}
	defer m.release(l)
	reply := make(chan outcome, 1)
	select {
	case l.requests <- request{act: a, reply: reply}:
	case <-l.stop:
		return nil, ErrUnavailable
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case out := <-reply:
		m.obey(l, out)
		return out.answer, out.err
	case <-l.stopped:
	}
	select { // it may have answered last
	case out := <-reply:
		m.obey(l, out)
		return out.answer, out.err
	default:
		return nil, ErrUnavailable
	}
}

// obey carries a durable decision out in the call.
func (m *Meetings) obey(l *live, out outcome) {
	room := l.id
	l.captor.Restrain() // before anybody is told
	for _, who := range out.leave {
		m.cfg.Media.Remove(room, who.identity, who.reason)
	}
	for _, who := range out.permit {
		l.words.enforce(m.cfg.Media, room, who)
	}
	for _, ordered := range slices.Concat(out.anyway, out.orders) {
		ordered(m.cfg.Media, room)
	}
	if out.close {
		m.cfg.Media.CloseRoom(room, livekit.DisconnectReason_ROOM_DELETED)
		return
	}
	told := l.words.say(m.cfg.Media, room, l.captor.Restrain)
	l.captor.Release(told) // nothing is taken before everybody was told
}

// answer asks and returns the answer as T.
func answer[T any](ctx context.Context, m *Meetings, id string, a act) (T, error) {
	var zero T
	v, err := m.ask(ctx, id, a)
	if err != nil {
		return zero, err
	}
	t, ok := v.(T)
	if !ok {
		return zero, fmt.Errorf("meeting %s answered %T", id, v)
	}
	return t, nil
}

// Sweep lets the waiting whose sessions have expired go, in meetings in memory, and
// looks after meetings that hosts have left or that are recorded, wherever they are, and
// deletes stored chat whose time is over. Call it every minute or so, from one goroutine;
// SweepQuotas and SweepRecordings from others, since they wait for files.
func (m *Meetings) Sweep(ctx context.Context) {
	m.sweepChat(ctx)
	left, err := m.cfg.Store.Hostless(ctx, maxHostless)
	if err != nil {
		m.cfg.Log.WarnContext(ctx, "look for meetings without a host", "err", err)
	}
	recorded, err := m.cfg.Store.Recorded(ctx, maxHostless)
	if err != nil {
		m.cfg.Log.WarnContext(ctx, "look for meetings that are recorded", "err", err)
	}
	m.mu.Lock()
	ids := make([]string, 0, len(m.live))
	for id := range m.live {
		ids = append(ids, id)
	}
	for _, id := range slices.Concat(left, recorded) {
		if m.live[id] == nil && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	m.mu.Unlock()
	m.lookAround(ctx, ids)
}

// SweepDue does what the absence of hosts, or of those recorded, leads to where its time
// has come, in meetings in memory. Call it every few seconds.
func (m *Meetings) SweepDue(ctx context.Context) {
	now := m.cfg.now().UnixMilli()
	var ids []string
	m.mu.Lock()
	for id, l := range m.live {
		if due := l.due.Load(); due > 0 && due <= now {
			ids = append(ids, id)
		}
	}
	m.mu.Unlock()
	m.lookAround(ctx, ids)
}

func (m *Meetings) lookAround(ctx context.Context, ids []string) {
	for _, id := range ids {
		// Whatever happens in it happens before any act.
		if _, err := m.ask(ctx, id, lookAround{}); err != nil {
			m.cfg.Log.Debug("sweep meeting", "meeting", id, "err", err)
		}
	}
}

// presentIn is how many are in a call of this process.
func (m *Meetings) presentIn(id string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l, ok := m.live[id]; ok {
		return int(l.present.Load())
	}
	return 0
}
