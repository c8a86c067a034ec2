package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"aparte/signaling/meeting"
)

// Files in the call. They are the only bodies that are neither JSON nor held in memory:
// they pass through piece by piece, each with so much time, and only for as long as their
// person may.

// FileDraft announces a file.
type FileDraft struct {
	Name string `json:"name" minLength:"1" maxLength:"1024" doc:"As its sender has it. What no system takes, nobody sees or misleads is replaced by _, and marked."`
	Size int64  `json:"size" minimum:"1" doc:"In bytes; the file that follows has as many."`
	Type string `json:"type,omitempty" maxLength:"255" doc:"Media type as the sender's system tells it."`
	To   string `json:"to" minLength:"1" maxLength:"64" doc:"everyone, hosts, or the identity of one who is in the call."`
}

// CallFile is a file in the call.
type CallFile struct {
	ID         string `json:"id"`
	Name       string `json:"name" doc:"Safe to keep anywhere; show it isolated (bdi)."`
	Kind       string `json:"kind" doc:"What follows the last dot of the name, in lower case; may be empty."`
	Type       string `json:"type" doc:"Media type as its sender told it: nobody has looked, and nothing may be decided by it."`
	Size       int64  `json:"size" doc:"In bytes."`
	Outside    bool   `json:"outside" doc:"A guest has sent it."`
	Risky      bool   `json:"risky" doc:"Systems run files of this kind, or what is in them."`
	Suspicious bool   `json:"suspicious" doc:"The name could deceive the eye, or was mended."`
	Deleted    bool   `json:"deleted" doc:"It is there no more; the rest is empty."`
}

func callFileOf(f meeting.File) CallFile {
	return CallFile{ID: f.ID, Name: f.Name, Kind: f.Kind, Type: f.Type, Size: f.Size, Outside: f.Outside, Risky: f.Risky, Suspicious: f.Suspicious, Deleted: f.Deleted}
}

type (
	inFile struct {
		ID   string `path:"id" maxLength:"64"`
		File string `path:"file" maxLength:"64"`
	}
	inGuestFile struct {
		File string `path:"file" maxLength:"64"`
	}
)

// octets are the calls whose body is a file.
var octets = map[string]bool{"send-file": true, "guest-send-file": true}

// octetsOut are the calls that answer with a file.
var octetsOut = map[string]bool{"get-file": true, "guest-get-file": true}

const octetStream = "application/octet-stream"

func octetContent() map[string]*huma.MediaType {
	return map[string]*huma.MediaType{octetStream: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
}

func (a *API) announce(ctx context.Context, who meeting.InCall, d FileDraft) (*output[CallFile], error) {
	f, err := a.meetings.AnnounceFile(ctx, who, meeting.FileDraft{Name: d.Name, Type: d.Type, To: d.To, Size: d.Size})
	if err != nil {
		return nil, err
	}
	return &output[CallFile]{callFileOf(f)}, nil
}

func (a *API) announceFile(ctx context.Context, in *meetingBody[FileDraft]) (*output[CallFile], error) {
	return a.announce(ctx, agentIn(ctx, in.ID), in.Body)
}

func (a *API) guestAnnounceFile(ctx context.Context, in *input[FileDraft]) (*output[CallFile], error) {
	return a.announce(ctx, guestIn(ctx), in.Body)
}

func (a *API) sendFile(ctx context.Context, in *inFile) (*output[CallMessage], error) {
	return a.takeFile(ctx, agentIn(ctx, in.ID), in.File)
}

func (a *API) guestSendFile(ctx context.Context, in *inGuestFile) (*output[CallMessage], error) {
	return a.takeFile(ctx, guestIn(ctx), in.File)
}

func (a *API) takeFile(ctx context.Context, who meeting.InCall, id string) (*output[CallMessage], error) {
	body := &incoming{body: request(ctx).Body, pace: a.newPace(http.NewResponseController(writer(ctx)).SetReadDeadline)}
	m, err := a.meetings.SendFile(ctx, who, id, body)
	if err != nil {
		return nil, err
	}
	return &output[CallMessage]{callMessageOf(m)}, nil
}

func (a *API) getFile(ctx context.Context, in *inFile) (*huma.StreamResponse, error) {
	return a.giveFile(ctx, agentIn(ctx, in.ID), in.File)
}

func (a *API) guestGetFile(ctx context.Context, in *inGuestFile) (*huma.StreamResponse, error) {
	return a.giveFile(ctx, guestIn(ctx), in.File)
}

func (a *API) giveFile(ctx context.Context, who meeting.InCall, id string) (*huma.StreamResponse, error) {
	file, err := a.meetings.GetFile(ctx, who, id)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer func() { _ = file.Close() }() // it was only read
		r, w := humago.Unwrap(ctx)
		h := w.Header()
		handOver(h, octetStream, file.File.Name)
		h.Set("Content-Length", strconv.FormatInt(file.File.Size, 10))
		h.Set("Accept-Ranges", "none")
		w.WriteHeader(http.StatusOK)
		if r.Method == http.MethodHead {
			return
		}
		deadlines := http.NewResponseController(w).SetWriteDeadline
		out := &outgoing{w: w, pace: a.newPace(deadlines)}
		stop := file.WhenCut(out.pace.end)
		n, err := io.Copy(out, file)
		if !stop() || err != nil || n != file.File.Size {
			// Nothing else tells whoever reads that the file is not whole.
			panic(http.ErrAbortHandler)
		}
		_ = deadlines(time.Time{}) // the connection goes on
	}}, nil
}

// handOver sets the headers of a file that leaves the server: whatever it is, it is
// nothing that a browser shows or runs at this origin.
func handOver(h http.Header, mediaType, name string) {
	h.Set("Content-Type", mediaType)
	h.Set("Content-Disposition", attachment(name))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// attachment is a Content-Disposition (RFC 6266) that has a file kept, never shown.
func attachment(name string) string {
	if value := mime.FormatMediaType("attachment", map[string]string{"filename": name}); value != "" {
		return value
	}
	return "attachment"
}

func (a *API) deleteFile(ctx context.Context, in *inFile) (*none, error) {
	return &none{}, a.meetings.DeleteFile(ctx, agentIn(ctx, in.ID), in.File)
}

func (a *API) guestDeleteFile(ctx context.Context, in *inGuestFile) (*none, error) {
	return &none{}, a.meetings.DeleteFile(ctx, guestIn(ctx), in.File)
}

// pace bounds how long each piece of a file takes, and how long all of them.
type pace struct {
	set   func(time.Time) error // the deadline of the connection
	piece time.Duration
	until time.Time

	mu    sync.Mutex
	ended bool
}

func (a *API) newPace(set func(time.Time) error) *pace {
	return &pace{set: set, piece: a.timing.Piece, until: time.Now().Add(a.timing.File)}
}

// next gives the next piece its time.
func (p *pace) next() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return errPaceEnded
	}
	deadline := time.Now().Add(p.piece)
	if deadline.After(p.until) {
		deadline = p.until
	}
	return p.set(deadline)
}

// end has whatever waits for the connection return.
func (p *pace) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	_ = p.set(time.Unix(1, 0)) // a connection that is gone waits for nothing
}

var errPaceEnded = errors.New("nothing more of this file may pass")

// incoming is a file as it comes from a client.
type incoming struct {
	body io.Reader
	pace *pace
}

// bodyError says that a file did not come whole, through no fault of ours.
type bodyError struct{ err error }

func (e *bodyError) Error() string { return fmt.Sprintf("the file did not come whole: %v", e.err) }
func (e *bodyError) Unwrap() error { return e.err }

func (b *incoming) Read(p []byte) (int, error) {
	if err := b.pace.next(); err != nil {
		return 0, &bodyError{err}
	}
	n, err := b.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = &bodyError{err}
	}
	return n, err
}

// Abort has a Read that waits return.
func (b *incoming) Abort() { b.pace.end() }

// outgoing is a file on its way to a client.
type outgoing struct {
	w    io.Writer
	pace *pace
}

func (o *outgoing) Write(p []byte) (int, error) {
	if err := o.pace.next(); err != nil {
		return 0, err
	}
	return o.w.Write(p)
}
