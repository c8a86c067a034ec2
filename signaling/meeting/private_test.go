package meeting

import (
	"testing"

	"aparte/signaling/profile"
	"aparte/signaling/role"
)

// The security profile says who may write privately to whom.
func TestWhoMayWritePrivately(t *testing.T) {
	host, guest := Participant{Role: role.Host}, Participant{Role: role.Guest}
	for _, c := range []struct {
		writing                          profile.Writing
		hostGuest, guestHost, guestGuest bool
	}{
		{profile.WritingAll, true, true, true},
		{profile.WritingHosts, true, true, false},
		{profile.WritingOff, false, false, false},
		{"", false, false, false},
	} {
		l := &live{profile: profile.Profile{Rules: profile.Rules{PrivateMessages: c.writing}}}
		if a, b, g := l.mayPrivately(host, false), l.mayPrivately(guest, true), l.mayPrivately(guest, false); a != c.hostGuest || b != c.guestHost || g != c.guestGuest {
			t.Errorf("%q: host to guest %t, guest to host %t, guest to guest %t", c.writing, a, b, g)
		}
	}
}
