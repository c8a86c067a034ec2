package front

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// recheck is how long a changed file may go unnoticed.
const recheck = 10 * time.Second

// Certificate is a certificate with its key in two files that are read again when
// they change, which is how renewals come.
type Certificate struct {
	// Set at creation.
	certFile, keyFile string
	now               func() time.Time
	log               *slog.Logger

	// Guarded by mu.
	mu      sync.Mutex
	current *tls.Certificate
	looked  time.Time // when the files were last looked at
	unread  bool      // then they held what cannot be used
	version [2]fileVersion
}

type fileVersion struct {
	changed time.Time
	size    int64
}

// LoadCertificate reads the files. The certificate's comes with those of its issuers, in PEM.
func LoadCertificate(certFile, keyFile string, now func() time.Time, log *slog.Logger) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile, now: now, log: log}
	c.looked = now()
	version, err := c.look()
	if err != nil {
		return nil, err
	}
	if err := c.read(version); err != nil {
		return nil, err
	}
	return c, nil
}

// Config is for a server that shows this certificate, TLS 1.2 and later.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.get(), nil },
	}
}

// get returns what the files hold; if they hold nothing good any more, what they last held.
func (c *Certificate) get() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.looked) >= recheck {
		c.looked = now
		version, err := c.look()
		if err == nil && version != c.version {
			if err = c.read(version); err == nil {
				c.log.Info("certificate read again", "file", c.certFile, "until", c.current.Leaf.NotAfter)
			}
		}
		c.unread = err != nil
		if err != nil {
			c.log.Error("certificate cannot be read again; the old one stays", "error", err)
		}
	}
	return c.current
}

// Shown is the certificate that browsers see now; unread says that the files hold another
// one by now, or none, which cannot be used.
func (c *Certificate) Shown() (leaf *x509.Certificate, unread bool) {
	current := c.get()
	c.mu.Lock()
	defer c.mu.Unlock()
	return current.Leaf, c.unread
}

func (c *Certificate) look() (v [2]fileVersion, err error) {
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return v, err
		}
		v[i] = fileVersion{info.ModTime(), info.Size()}
	}
	return v, nil
}

// read takes what the files hold now. Requires mu, but for the first time.
func (c *Certificate) read(version [2]fileVersion) error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	c.current, c.version = &pair, version
	return nil
}
