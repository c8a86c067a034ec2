package api

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// torn is something of which what comes after a place cannot be read.
type torn struct {
	*bytes.Reader
	after int64
	err   error
}

func (c *torn) Read(b []byte) (int, error) {
	at, _ := c.Seek(0, io.SeekCurrent)
	if at >= c.after {
		return 0, c.err
	}
	return c.Reader.Read(b[:min(int64(len(b)), c.after-at)])
}

// What is kept and cannot be read to its end never looks whole, be it that HTTP/2 has no
// length that somebody would miss, and an administrator reads why.
func TestWhatCannotBeReadToItsEndIsBrokenOff(t *testing.T) {
	const size = 1_000_000
	for _, c := range []struct {
		name  string
		err   error // of a read after the middle; nil: there is none
		asked string
		whole int // bytes that come; -1: it breaks off
		told  string
	}{
		{"whole", nil, "", size, ""},
		{"a range", nil, "bytes=600000-", 400_000, ""},
		{"the disk fails", errors.New("input/output error"), "", -1, "input/output error"},
		{"it ends before its end", io.EOF, "", -1, "unexpected EOF"},
		{"before the middle it is whole", io.EOF, "bytes=0-499999", 500_000, ""},
		{"after the middle it is not there", io.EOF, "bytes=600000-", -1, "unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			a := &API{log: slog.New(slog.NewTextHandler(&log, nil)), now: time.Now, timing: Timing{Piece: time.Minute}}
			content := &torn{bytes.NewReader(make([]byte, size)), size, io.EOF}
			if c.err != nil {
				content.after, content.err = size/2, c.err
			}
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				a.give(w, r, time.Time{}, content, func() error { return nil })
			}))
			server.EnableHTTP2 = true
			server.StartTLS()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/part", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if c.asked != "" {
				request.Header.Set("Range", c.asked)
			}
			got, err := server.Client().Do(request)
			if err == nil {
				var body []byte
				body, err = io.ReadAll(got.Body)
				_ = got.Body.Close()
				if got.ProtoMajor != 2 || err == nil && len(body) != c.whole {
					t.Errorf("%s: %d bytes come, want %d", got.Proto, len(body), c.whole)
				}
			}
			server.Close() // then it has said what it has to say
			// Browsers take the plain end of a stream for the end of what is in it, whatever was
			// said of its length.
			if broken := err != nil && strings.Contains(err.Error(), "INTERNAL_ERROR"); broken != (c.whole < 0) || err != nil && !broken {
				t.Errorf("it ends with %v", err)
			}
			if told := log.String(); (c.told == "") != (told == "") || !strings.Contains(told, c.told) {
				t.Errorf("the log tells %q, want %q", told, c.told)
			}
		})
	}
}
