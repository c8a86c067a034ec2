package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Salt is 128 random bits that keep a text of few possibilities, such as a name,
// from being guessed from its hash. In text lower-case hex.
type Salt [16]byte

// MarshalText writes hex.
func (s Salt) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(s[:])), nil }

// UnmarshalText reads what MarshalText wrote. No other length will do: HMAC pads
// keys with zeros, so a longer one could give the same hash.
func (s *Salt) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != len(s) {
		return fmt.Errorf("salt of %d characters", len(text))
	}
	*s = Salt(raw)
	return nil
}

// Digest is HMAC-SHA-256 of a text under its salt.
type Digest = Hash

// Personal is what lies beside an event and can be purged.
type Personal struct {
	Salt Salt   `json:"salt"`
	Text string `json:"text"`
}

// Digest is what stands for the text in the chain.
func (p Personal) Digest() Digest {
	mac := hmac.New(sha256.New, p.Salt[:])
	mac.Write([]byte(p.Text))
	return Digest(mac.Sum(nil))
}
