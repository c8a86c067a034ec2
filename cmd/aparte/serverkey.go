package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"aparte/recorder/seal"
)

// serverKey is a key by which this server opens what hosts may watch on it: its own, which
// opens those of the recordings, or that of one recording. The zero serverKey is none.
type serverKey struct {
	text       string // as it is in its file
	identities []seal.Identity
	public     seal.Recipient
}

// opens tells whether this key opens what is sealed to a recipient, or one that stands
// beside it in its file, as one does that was replaced.
func (k serverKey) opens(r seal.Recipient) bool { return k.opensFor(r.String()) }

// opensFor is opens, of a recipient as it is written.
func (k serverKey) opensFor(recipient string) bool {
	return slices.ContainsFunc(k.identities, func(one seal.Identity) bool {
		public, hybrid := one.Recipient()
		return hybrid && public.String() == recipient
	})
}

func (k serverKey) is() bool { return len(k.identities) > 0 }

// loadServerKey reads the key, or makes it where there is none. Of a configured file what
// is wrong is the operator's to mend.
func loadServerKey(path string) (serverKey, error) {
	if path == "" {
		return serverKey{}, nil
	}
	wrong := func(err error) (serverKey, error) {
		return serverKey{}, usageError{fmt.Errorf("recordings.server_key: %w", err)}
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		made, _, makeErr := seal.NewIdentityFile(time.Now())
		if makeErr != nil {
			return serverKey{}, makeErr
		}
		if err := seal.WriteSecret(path, made); err != nil {
			return wrong(err)
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return wrong(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return wrong(err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return wrong(fmt.Errorf("%s: others may read this key: chmod 600", path))
	}
	key, err := parseKey(text)
	switch {
	case errors.Is(err, errClassicKey):
		return wrong(fmt.Errorf("%s is no hybrid key: move it away, and one is made", path))
	case err != nil:
		return wrong(fmt.Errorf("%s: %w", path, err))
	}
	return key, nil
}

var errClassicKey = errors.New("it is no hybrid key")

// parseKey reads a key as its file has it.
func parseKey(text []byte) (serverKey, error) {
	identities, err := seal.ParseIdentities(text)
	if err != nil {
		return serverKey{}, err
	}
	public, ok := identities[0].Recipient()
	if !ok {
		return serverKey{}, errClassicKey
	}
	return serverKey{string(text), identities, public}, nil
}
