package hook

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/livekit/protocol/auth"
)

// Limits on a receiver. The URLs are the operator's own, so they may lead to
// machines inside; what the receiver answers leads nowhere: redirects are not
// followed, and nothing of the answer but its status counts.
const (
	postLimit  = 10 * time.Second // for one request
	tokenLife  = 5 * time.Minute
	maxAnswer  = 4 << 10 // bytes read, so that the connection can be used again
	maxHeaders = 16 << 10
)

// errRefused is wrapped by an answer that another try will not change.
var errRefused = errors.New("refused")

func newClient(transport http.RoundTripper) *http.Client {
	if transport == nil {
		transport = &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			MaxResponseHeaderBytes: maxHeaders,
			DisableCompression:     true, // an answer that grows when it is read
			MaxIdleConnsPerHost:    lanes,
			IdleConnTimeout:        time.Minute,
			TLSHandshakeTimeout:    postLimit,
			ForceAttemptHTTP2:      true,
		}
	}
	return &http.Client{
		Transport:     transport,
		Timeout:       postLimit,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post is one try.
func (l *lane) post(p parcel) error {
	token, err := l.s.sign(p.body)
	if err != nil {
		return backoff.Permanent(err)
	}
	req, err := http.NewRequestWithContext(l.s.ctx, http.MethodPost, l.url.String(), bytes.NewReader(p.body))
	if err != nil {
		return backoff.Permanent(err)
	}
	req.Header.Set("Content-Type", "application/webhook+json")
	req.Header.Set("Authorization", token)
	req.Header.Set("User-Agent", "aparte")
	resp, err := l.s.client.Do(req)
	if err != nil {
		return withoutURL(err)
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer) // what is longer costs the connection, nothing else
	switch {
	case resp.StatusCode/100 == 2:
		return nil
	case resp.StatusCode/100 == 5, resp.StatusCode == http.StatusTooManyRequests,
		resp.StatusCode == http.StatusRequestTimeout, resp.StatusCode == http.StatusTooEarly:
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return backoff.Permanent(fmt.Errorf("%w with status %d", errRefused, resp.StatusCode))
}

// sign makes the token that goes with a body. It is made for each try: it does
// not live long.
func (s *Sender) sign(body []byte) (string, error) {
	sum := sha256.Sum256(body)
	return auth.NewAccessToken(s.cfg.Key, s.cfg.Secret).
		SetValidFor(tokenLife).
		SetSha256(base64.StdEncoding.EncodeToString(sum[:])).
		ToJWT()
}

// withoutURL keeps what a URL may hold, such as a password, out of the log.
func withoutURL(err error) error {
	if u := (&url.Error{}); errors.As(err, &u) {
		return u.Err
	}
	return err
}
