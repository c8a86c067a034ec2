package meetingtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"aparte/signaling/link"
)

// Browser is a guest's browser that keeps a key.
type Browser struct{ key *ecdsa.PrivateKey }

// NewBrowser makes a browser's key.
func NewBrowser() (*Browser, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make browser's key: %w", err)
	}
	return &Browser{key}, nil
}

// Sign proves the key over a statement, as WebCrypto does.
func (b *Browser) Sign(statement string) (link.Proof, error) {
	public, err := b.key.PublicKey.Bytes()
	if err != nil {
		return link.Proof{}, fmt.Errorf("sign: %w", err)
	}
	p := link.Proof{PublicKey: base64.RawURLEncoding.EncodeToString(public)}
	sum := sha256.Sum256([]byte(statement + "\n" + p.PublicKey))
	r, s, err := ecdsa.Sign(rand.Reader, b.key, sum[:])
	if err != nil {
		return link.Proof{}, fmt.Errorf("sign: %w", err)
	}
	raw := make([]byte, 64)
	r.FillBytes(raw[:32])
	s.FillBytes(raw[32:])
	p.Signature = base64.RawURLEncoding.EncodeToString(raw)
	return p, nil
}
