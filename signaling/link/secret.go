package link

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
)

// authInfo separates the redemption code from the other keys that a browser
// derives from the same secret.
const authInfo = "aparte/link/auth"

// Code derives the redemption code from the 32 bytes of a link's secret, as
// browsers do: HKDF-SHA-256 (RFC 5869) without salt.
func Code(secret []byte) ([]byte, error) {
	if len(secret) != 32 {
		return nil, fmt.Errorf("link secret of %d bytes", len(secret))
	}
	return hkdf.Key(sha256.New, secret, nil, authInfo, sha256.Size)
}

// MakeSecret makes a secret where no browser is at hand, with its code hash for
// the draft. Such a link is unbound: mark the draft so.
func MakeSecret(random io.Reader) (secret, codeHash string, err error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", "", fmt.Errorf("make link secret: %w", err)
	}
	code, err := Code(raw)
	if err != nil {
		return "", "", err
	}
	sum := sha256.Sum256(code)
	return base64.RawURLEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(sum[:]), nil
}
