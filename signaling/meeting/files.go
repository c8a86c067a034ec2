package meeting

import (
	"context"
	"errors"
	"io"
	"mime"
	"slices"
	"strconv"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/name"
	"aparte/signaling/profile"
	"aparte/signaling/role"
	"aparte/signaling/throttle"
)

// Files that are sent in the call. One is announced first, so that whoever may not send it
// is told before a byte of it travels; then it comes (transfers.go), and once it is whole
// it is a message like any other, for the same readers.
//
//	announced ──▶ coming ──▶ sent ──▶ deleted
//	    │            │
//	    └────────────┴──▶ gone: given up, cut, too late, no room
//
// They are kept until the meeting ends, on a shelf that belongs to this call.

// Shelf keeps the files of one call. Keep reads exactly size bytes; whoever has opened a
// file may read on after it was removed, and no method is called after Close.
type Shelf interface {
	Keep(id string, body io.Reader, size int64) error
	Open(id string) (io.ReadCloser, error)
	Remove(id string)
	Close()
}

// FileLimits bound the files of a meeting; those that are still coming count. Zero values
// are the defaults.
type FileLimits struct {
	Size     int64 // bytes of one file; 20 MB
	Bytes    int64 // bytes of all of a meeting; 500 MB
	OwnBytes int64 // bytes of one person's; a fifth of Bytes, and one file at least
	Count    int   // files of a meeting; 200
	OwnCount int   // files of one person; 50
}

func (f FileLimits) withDefaults() FileLimits {
	if f.Size == 0 {
		f.Size = 20_000_000
	}
	if f.Bytes == 0 {
		f.Bytes = 500_000_000
	}
	if f.OwnBytes == 0 {
		f.OwnBytes = max(f.Bytes/5, f.Size)
	}
	if f.Count == 0 {
		f.Count = 200
	}
	if f.OwnCount == 0 {
		f.OwnCount = 50
	}
	return f
}

// maxComing is how many files one person may send at a time.
const maxComing = 4

// announcedFor is how long a file that was announced has to begin to come.
const announcedFor = time.Minute

// fileRate is how often somebody may announce one.
var fileRate = throttle.Rate{Every: time.Second, Burst: 5}

// Why something about a file is refused.
var (
	ErrFilesClosed = errors.New("a host has not given this person the right to send files")
	ErrManyFiles   = errors.New("this person has sent as many files as one may in a meeting")
	ErrFilesFull   = errors.New("the meeting holds as many files as it can")
	ErrNoFile      = errors.New("no such file, or not for this person")
	ErrNotSender   = errors.New("somebody else has sent this file")
)

// FileTooLargeError says how many bytes a file may have.
type FileTooLargeError struct{ Limit int64 }

func (e *FileTooLargeError) Error() string {
	return "the file is larger than " + strconv.FormatInt(e.Limit, 10) + " bytes"
}

// File is one that was sent in the call.
type File struct {
	ID         string
	Name       string // safe to keep anywhere
	Kind       string // what follows the last dot of the name, in lower case
	Type       string // media type, as the sender tells it; nobody has looked
	Size       int64  // bytes
	Outside    bool   // a guest has sent it
	Risky      bool   // systems run files of this kind
	Suspicious bool   // the name could deceive the eye
	Deleted    bool   // nothing is left of it but that there was one
}

// FileDraft is a file as it is announced.
type FileDraft struct {
	Name, Type, To string
	Size           int64
}

// files are those of the call.
type files struct {
	shelf     Shelf // nil: none was sent yet
	known     map[string]*fileState
	spent     map[string]throttle.Bucket // by identity
	transfers map[*transfer]struct{}
}

type fileStage int

const (
	fileAnnounced fileStage = iota
	fileComing
	fileSent
)

// fileState is what is known of a file. It is replaced, never changed, so that what a
// failed commit decided can be taken back.
type fileState struct {
	File
	stage     fileStage
	from, to  string // identities; or ToEveryone, ToHosts
	sender    audit.Actor
	announced time.Time
	message   Message // once it was sent
}

// ofGuests is how many files of guests are there.
func (f *files) ofGuests() (n int) {
	for _, one := range f.known {
		if one.stage == fileSent && one.Outside {
			n++
		}
	}
	return n
}

// end deletes everything and cuts what is on its way.
func (f *files) end(why error) {
	for t := range f.transfers {
		t.cut(why)
	}
	if f.shelf != nil {
		f.shelf.Close()
	}
	*f = files{}
}

// room says whether there is room for one more.
func (f *files) room(limits FileLimits, sender audit.Actor, size int64, now time.Time) error {
	count, own, coming := 0, 0, 0
	bytes, ownBytes := size, size
	for id, one := range f.known {
		if one.stage == fileAnnounced && now.Sub(one.announced) > announcedFor {
			delete(f.known, id)
			continue
		}
		count++
		bytes += one.Size
		if one.sender == sender {
			own++
			ownBytes += one.Size
			if one.stage != fileSent {
				coming++
			}
		}
	}
	switch {
	case own >= limits.OwnCount || ownBytes > limits.OwnBytes:
		return ErrManyFiles
	case count >= limits.Count || bytes > limits.Bytes:
		return ErrFilesFull
	case coming >= maxComing:
		return &TooOftenError{time.Second}
	}
	return nil
}

// maySendFiles refuses whom the profile or a host does not let.
func (l *live) maySendFiles(p Participant) error {
	if p.Role == role.Guest && l.profile.Rules.GuestFiles == profile.Off {
		return &profile.RefusedError{Line: "guest_files", At: "files", Reason: "are off for guests in this meeting's security profile"}
	}
	g, err := l.grantOf(p.Identity)
	if err == nil && !g.Permissions.Files {
		err = ErrFilesClosed
	}
	return err
}

// fileOf is a file at a stage of its way, for its sender, who is in the call and may send
// files still.
func (l *live) fileOf(who person, id string, at fileStage) (Participant, *fileState, error) {
	p, err := l.participant(who)
	if err != nil {
		return p, nil, err
	}
	if err := l.maySendFiles(p); err != nil {
		return p, nil, err
	}
	f, ok := l.files.known[id]
	if !ok || f.stage != at || f.from != p.Identity {
		return p, nil, ErrNoFile
	}
	return p, f, nil
}

// mediaType is a type as it is told, or "" where it is none.
func mediaType(told string) string {
	plain, _, err := mime.ParseMediaType(told)
	if err != nil || len(plain) > 127 {
		return ""
	}
	return plain
}

// setFile changes what is known of a file, or (nil) forgets it, unless the batch cannot be
// stored.
func (l *live) setFile(id string, after *fileState) {
	before, known := l.files.known[id]
	if after == nil {
		delete(l.files.known, id)
	} else {
		if l.files.known == nil {
			l.files.known = make(map[string]*fileState)
		}
		l.files.known[id] = after
	}
	l.undo = append(l.undo, func() {
		if known {
			l.files.known[id] = before
		} else {
			delete(l.files.known, id)
		}
	})
}

type announceFile struct {
	person
	draft FileDraft
}

func (announceFile) command() role.Command { return role.SendFile }

func (a announceFile) do(l *live, now time.Time) (any, error) {
	p, err := l.participant(a.person)
	if err != nil {
		return nil, err
	}
	if err := l.maySendFiles(p); err != nil {
		return nil, err
	}
	if l.cfg.NewShelf == nil {
		return nil, ErrUnavailable
	}
	called, err := name.File("name", a.draft.Name)
	if err != nil {
		return nil, err
	}
	switch limits := l.cfg.Files; {
	case a.draft.Size < 1:
		return nil, &name.Error{At: "size", Reason: "must be that of a file that is not empty"}
	case a.draft.Size > limits.Size:
		return nil, &FileTooLargeError{limits.Size}
	}
	if err := l.address(&Message{To: a.draft.To}, p); err != nil {
		return nil, err
	}
	if err := l.files.room(l.cfg.Files, p.actor, a.draft.Size, now); err != nil {
		return nil, err
	}
	if err := spend(&l.files.spent, p.Identity, fileRate, now); err != nil {
		return nil, err
	}
	id, err := newID(l.cfg.Random)
	if err != nil {
		return nil, err
	}
	f := &fileState{
		File: File{
			ID: id, Name: called.Name, Kind: called.Kind, Type: mediaType(a.draft.Type), Size: a.draft.Size,
			Outside: p.Role == role.Guest, Risky: called.Risky, Suspicious: called.Suspicious,
		},
		from: p.Identity, to: a.draft.To, sender: p.actor, announced: now,
	}
	l.setFile(id, f)
	return f.File, nil
}

type finishFile struct {
	person
	id string
}

func (finishFile) command() role.Command { return role.SendFile }

func (a finishFile) do(l *live, now time.Time) (any, error) {
	p, f, err := l.fileOf(a.person, a.id, fileComing)
	if err != nil {
		return nil, err
	}
	m := Message{Seq: l.chat.seq + 1, From: p.Identity, FromName: p.Name, Role: p.Role, To: f.to, At: now, File: &f.File}
	if err := l.address(&m, p); err != nil {
		return nil, err
	}
	sent := *f
	sent.stage, sent.message = fileSent, m
	l.setFile(a.id, &sent)
	l.post(m)
	to := m.To
	if to != ToEveryone && to != ToHosts {
		to = "one"
	}
	l.note(audit.Did(audit.FileSent).On(audit.Participant, p.Identity).With("size", strconv.FormatInt(f.Size, 10)).With("to", to).Typed("name", f.Name))
	return m, nil
}

// abandonFile gives up one that did not come. again: it came, and could not be stored; its
// sender may send it once more.
type abandonFile struct {
	byServer
	id       string
	transfer *transfer
	again    bool
}

func (abandonFile) command() role.Command { return role.Keep }

func (a abandonFile) do(l *live, now time.Time) (any, error) {
	l.over(a.transfer)
	f, ok := l.files.known[a.id]
	if !ok || f.stage != fileComing {
		return struct{}{}, nil
	}
	delete(l.files.known, a.id)
	l.files.shelf.Remove(a.id)
	if a.again {
		awaited := *f
		awaited.stage, awaited.announced = fileAnnounced, now
		l.files.known[a.id] = &awaited
	}
	return struct{}{}, nil
}

type deleteFile struct {
	person
	id string
}

func (deleteFile) command() role.Command { return role.DeleteFile }

func (a deleteFile) do(l *live, _ time.Time) (any, error) {
	p, err := l.participant(a.person)
	if err != nil {
		return nil, err
	}
	f, ok := l.files.known[a.id]
	switch {
	case !ok || f.stage != fileSent:
		return nil, ErrNoFile
	case p.Role.Moderates() || f.from == p.Identity:
	case l.chat.mayRead(p, f.message):
		return nil, ErrNotSender
	default:
		return nil, ErrNoFile
	}
	l.setFile(a.id, nil)
	l.note(audit.Did(audit.FileDeleted).On(audit.Participant, f.from).With("size", strconv.FormatInt(f.Size, 10)).Typed("name", f.Name))
	l.withdraw(f.message)
	shelf := l.files.shelf
	l.orders = append(l.orders, func(Media, string) { shelf.Remove(a.id) })
	return struct{}{}, nil
}

// withdraw has a message say no more than that there was a file.
func (l *live) withdraw(m Message) {
	m.File = &File{ID: m.File.ID, Deleted: true}
	before := l.chat.kept
	if i := slices.IndexFunc(before, func(one Message) bool { return one.Seq == m.Seq }); i >= 0 {
		l.chat.kept = slices.Clone(before)
		l.chat.kept[i] = m
		l.undo = append(l.undo, func() { l.chat.kept = before })
	}
	l.tellMessage(m)
}

// AnnounceFile asks for the place of a file that is about to come. Refused with
// ErrNotInCall, ErrFilesClosed, a *profile.RefusedError, a *FileTooLargeError,
// ErrManyFiles, ErrFilesFull, ErrNotPrivately, ErrNoReader, a *name.Error or a
// *TooOftenError.
func (m *Meetings) AnnounceFile(ctx context.Context, who InCall, d FileDraft) (File, error) {
	return answer[File](ctx, m, who.meeting, announceFile{who.person, d})
}

// DeleteFile deletes a file for everybody: a host any, others what they have sent.
// Whoever is getting it gets no more of it. Refused with ErrNoFile or ErrNotSender.
func (m *Meetings) DeleteFile(ctx context.Context, who InCall, id string) error {
	_, err := m.ask(ctx, who.meeting, deleteFile{who.person, id})
	return err
}
