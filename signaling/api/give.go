package api

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxDownload is how long one request for a part may take, whatever the way; a request
// for the rest goes on where it ended.
const maxDownload = 12 * time.Hour

// mayStillEvery is how often it is looked whether whoever is taking a part away still may.
const mayStillEvery = 10 * time.Second

// give answers with what is kept, or with a range of it, piece by piece, for as long as
// whoever gets it may have it. Where it cannot be given to its end the connection breaks:
// nothing else tells that it is not whole.
func (a *API) give(w http.ResponseWriter, r *http.Request, modified time.Time, content io.ReadSeeker, may func() error) {
	deadlines := http.NewResponseController(w).SetWriteDeadline
	out := &paced{ResponseWriter: w, pace: &pace{set: deadlines, piece: a.timing.Piece, until: time.Now().Add(maxDownload)}, now: a.now, looked: a.now(), may: may}
	kept := &wholly{ReadSeeker: content}
	http.ServeContent(out, oneRange(r), "", modified, kept)
	if kept.err != nil {
		a.log.ErrorContext(r.Context(), "what is kept cannot be read to its end", "call", r.Method+" "+r.URL.Path, "err", kept.err)
	}
	if out.err != nil || kept.err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = deadlines(time.Time{}) // the connection goes on
}

// wholly keeps why something could not be read, which http.ServeContent does not tell.
type wholly struct {
	io.ReadSeeker
	at, size int64 // size: what was said to be there
	err      error
}

func (k *wholly) Seek(offset int64, whence int) (int64, error) {
	at, err := k.ReadSeeker.Seek(offset, whence)
	if k.at = at; whence == io.SeekEnd {
		k.size = at - offset
	}
	k.err = cmp.Or(k.err, err)
	return at, err
}

func (k *wholly) Read(b []byte) (n int, err error) {
	n, err = k.ReadSeeker.Read(b)
	k.at += int64(n)
	switch {
	case errors.Is(err, io.EOF) && k.at < k.size:
		k.err = cmp.Or(k.err, io.ErrUnexpectedEOF)
	case err != nil && !errors.Is(err, io.EOF):
		k.err = cmp.Or(k.err, err)
	}
	return n, err
}

// oneRange is a request as it is answered: one for several ranges is for all (RFC 9110,
// 14.2). No player and no download asks for several, and net/http would read them on a
// goroutine of its own, which goes on after the answer is over and what it reads is closed.
func oneRange(r *http.Request) *http.Request {
	if !strings.Contains(strings.Join(r.Header.Values("Range"), ","), ",") {
		return r
	}
	r = r.Clone(r.Context())
	r.Header.Del("Range")
	return r
}

// paced is an answer each piece of which has its time, and which ends when whoever gets
// it may have it no more.
type paced struct {
	http.ResponseWriter
	pace   *pace
	now    func() time.Time
	looked time.Time    // last, whether they may
	may    func() error // nil: they still may
	err    error        // why it has ended
}

func (p *paced) Write(b []byte) (n int, err error) {
	defer func() { p.err = cmp.Or(p.err, err) }()
	if now := p.now(); now.Sub(p.looked) >= mayStillEvery {
		if p.looked, err = now, p.may(); err != nil {
			return 0, err
		}
	}
	if err := p.pace.next(); err != nil {
		return 0, err
	}
	return p.ResponseWriter.Write(b)
}
