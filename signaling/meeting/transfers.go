package meeting

import (
	"context"
	"errors"
	"io"
	"time"

	"aparte/signaling/role"
)

// Files on their way from and to people. They travel on the goroutines of those who asked;
// the meeting only knows of them, and cuts them once their person may not any more, before
// whoever decided that has the answer.

// maxGetting is how many files one person may get at a time.
const maxGetting = 6

// transfer is a file on its way. Everything but what ends it is set at creation.
type transfer struct {
	identity, grant string // whose it is
	file            string
	coming          bool // from them, not to them
	ctx             context.Context
	cut             context.CancelCauseFunc
}

// begin makes a transfer of somebody in the call.
func (l *live) begin(p Participant, file string, coming bool) *transfer {
	ctx, cut := context.WithCancelCause(context.Background())
	t := &transfer{identity: p.Identity, grant: p.grant, file: file, coming: coming, ctx: ctx, cut: cut}
	if l.files.transfers == nil {
		l.files.transfers = make(map[*transfer]struct{})
	}
	l.files.transfers[t] = struct{}{}
	l.undo = append(l.undo, func() { l.over(t) })
	return t
}

// over forgets a transfer that has ended.
func (l *live) over(t *transfer) {
	delete(l.files.transfers, t)
	t.cut(context.Canceled)
}

// goesOn says why a transfer may not go on, or nil.
func (l *live) goesOn(t *transfer) error {
	g, err := l.grantOf(t.identity)
	switch f, known := l.files.known[t.file]; {
	case err != nil:
		return err
	case g.ID != t.grant:
		return ErrNotAdmitted
	case !known || !t.coming && f.stage != fileSent:
		return ErrNoFile
	case !t.coming:
		return g.Role.Check(role.ReadFile)
	case !g.Permissions.Files:
		return ErrFilesClosed
	}
	return g.Role.Check(role.SendFile)
}

// cutTransfers ends those that may not go on after what was decided. Of a decision that
// could not be stored only who had to leave is known.
func (l *live) cutTransfers(outcomes []outcome, stored bool) {
	if stored {
		for t := range l.files.transfers {
			if why := l.goesOn(t); why != nil {
				delete(l.files.transfers, t)
				t.cut(why)
			}
		}
		return
	}
	for _, out := range outcomes {
		for _, who := range out.leave {
			for t := range l.files.transfers {
				if t.identity == who.identity {
					delete(l.files.transfers, t)
					t.cut(ErrNotAdmitted)
				}
			}
		}
	}
}

// read passes on what may still pass.
func (t *transfer) read(from io.Reader, p []byte) (int, error) {
	if t.ctx.Err() != nil {
		return 0, context.Cause(t.ctx)
	}
	n, err := from.Read(p)
	if t.ctx.Err() != nil { // it was cut while this waited
		return 0, context.Cause(t.ctx)
	}
	return n, err
}

// Body is a file as it comes from its sender. Abort has a Read that waits return.
type Body interface {
	io.Reader
	Abort()
}

type guarded struct {
	t    *transfer
	from io.Reader
}

func (g guarded) Read(p []byte) (int, error) { return g.t.read(g.from, p) }

// upload is what the meeting answers to who begins to send.
type upload struct {
	*transfer
	shelf Shelf
	size  int64
}

type beginFile struct {
	person
	id string
}

func (beginFile) command() role.Command { return role.SendFile }

func (a beginFile) do(l *live, _ time.Time) (any, error) {
	p, f, err := l.fileOf(a.person, a.id, fileAnnounced)
	if err != nil {
		return nil, err
	}
	if l.files.shelf == nil {
		shelf, err := l.cfg.NewShelf()
		if err != nil {
			return nil, err
		}
		l.files.shelf = shelf
	}
	coming := *f
	coming.stage = fileComing
	l.setFile(a.id, &coming)
	return upload{l.begin(p, a.id, true), l.files.shelf, f.Size}, nil
}

// SendFile takes the body of a file that its sender has announced, and has the call told
// of it once it is whole. Of one that breaks off, is cut or has another length nothing is
// left; one that came and could not be stored (ErrUnavailable) may be sent again. Besides what AnnounceFile refuses with: ErrNoFile, and what the shelf and the body
// say.
func (m *Meetings) SendFile(ctx context.Context, who InCall, id string, body Body) (Message, error) {
	up, err := answer[upload](ctx, m, who.meeting, beginFile{who.person, id})
	if err != nil {
		return Message{}, err
	}
	stop := context.AfterFunc(up.ctx, body.Abort)
	err = up.shelf.Keep(id, guarded{up.transfer, body}, up.size)
	stop()
	if up.ctx.Err() != nil {
		err = context.Cause(up.ctx)
	}
	var sent Message
	if err == nil {
		sent, err = answer[Message](ctx, m, who.meeting, finishFile{who.person, id})
	}
	// Not for whoever waits: it must not be left over, whether or not they are still there.
	m.tellOnly(who.meeting, abandonFile{id: id, transfer: up.transfer, again: errors.Is(err, ErrUnavailable)})
	return sent, err
}

// Download is a file on its way to somebody. Close it.
type Download struct {
	File File
	body io.ReadCloser
	t    *transfer
	over func()
}

// Read reads the file; once it is cut, why.
func (d *Download) Read(p []byte) (int, error) { return d.t.read(d.body, p) }

// WhenCut has f called in a goroutine of its own once nothing more may be read: whoever
// may have it was removed, or it was deleted. stop takes that back.
func (d *Download) WhenCut(f func()) (stop func() bool) { return context.AfterFunc(d.t.ctx, f) }

// Close ends it.
func (d *Download) Close() error {
	d.over()
	return d.body.Close()
}

type getting struct {
	*transfer
	shelf Shelf
	file  File
}

type getFile struct {
	person
	id string
}

func (getFile) command() role.Command { return role.ReadFile }

func (a getFile) do(l *live, _ time.Time) (any, error) {
	p, err := l.participant(a.person)
	if err != nil {
		return nil, err
	}
	f, ok := l.files.known[a.id]
	if !ok || f.stage != fileSent || !l.chat.mayRead(p, f.message) {
		return nil, ErrNoFile
	}
	many := 0
	for t := range l.files.transfers {
		if t.identity == p.Identity && !t.coming {
			many++
		}
	}
	if many >= maxGetting {
		return nil, &TooOftenError{time.Second}
	}
	return getting{l.begin(p, a.id, false), l.files.shelf, f.File}, nil
}

type endTransfer struct {
	byServer
	transfer *transfer
}

func (endTransfer) command() role.Command { return role.Keep }

func (a endTransfer) do(l *live, _ time.Time) (any, error) {
	l.over(a.transfer)
	return struct{}{}, nil
}

// GetFile opens a file for somebody in the call whom it is for. ErrNoFile: there is none,
// or it is for others.
func (m *Meetings) GetFile(ctx context.Context, who InCall, id string) (*Download, error) {
	got, err := answer[getting](ctx, m, who.meeting, getFile{who.person, id})
	if err != nil {
		return nil, err
	}
	over := func() { m.tellOnly(who.meeting, endTransfer{transfer: got.transfer}) }
	body, err := got.shelf.Open(id)
	if err != nil {
		if got.ctx.Err() != nil {
			err = context.Cause(got.ctx)
		}
		over()
		return nil, err
	}
	return &Download{got.file, body, got.transfer, over}, nil
}

// errStopping is why a transfer ends with the server.
var errStopping = errors.New("the server is stopping")
