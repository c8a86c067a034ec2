package relay

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

const (
	// credentialLife is how long a credential makes allocations. Clients are given a
	// new one with each join and resume.
	credentialLife = 10 * time.Minute
	// keepLife is how much longer it keeps up what it made. Clients go on with the
	// one they have: a call through the relay must not end after ten minutes.
	keepLife = 24 * time.Hour
)

// Credentials makes username and password for a participant, as "A REST API for
// Access to TURN Services" has them: the expiry is in the username, the password
// proves that it is ours. The participant's name is in neither, since the username
// travels in the clear.
func (s *Server) Credentials(participant string) (username, password string) {
	expires := s.cfg.Now().Add(credentialLife).Unix()
	username = strconv.FormatInt(expires, 10) + ":" + hex.EncodeToString(s.mac("participant", participant)[:8])
	return username, s.password(username)
}

func (s *Server) password(username string) string {
	return base64.RawStdEncoding.EncodeToString(s.mac("password", username)[:20])
}

func (s *Server) mac(purpose, text string) []byte {
	m := hmac.New(sha256.New, s.secret)
	m.Write([]byte(purpose + "\x00" + text))
	return m.Sum(nil)
}

// authenticate tells the key of a username, and who is behind it. Whether the client
// knows it, pion/turn finds out.
func (s *Server) authenticate(r *turn.RequestAttributes) (user string, key []byte, ok bool) {
	expiry, user, ok := strings.Cut(r.Username, ":")
	seconds, err := strconv.ParseInt(expiry, 10, 64)
	if !ok || err != nil || r.Realm != realm {
		s.exchange.stats.noCredential.Add(1)
		return "", nil, false
	}
	until := time.Unix(seconds, 0)
	if r.Method != stun.MethodAllocate {
		until = until.Add(keepLife) // others need an allocation of this user
	}
	if s.cfg.Now().After(until) {
		s.exchange.stats.noCredential.Add(1)
		return "", nil, false
	}
	return user, turn.GenerateAuthKey(r.Username, r.Realm, s.password(r.Username)), true
}
