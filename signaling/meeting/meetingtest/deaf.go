package meetingtest

import "github.com/livekit/protocol/livekit"

// Deaf is a call in which nobody is: a meeting.Media to embed where a test looks at
// some of it, or at none.
type Deaf struct{}

// Remove finds nobody.
func (Deaf) Remove(string, string, livekit.DisconnectReason) bool { return false }

// CloseRoom finds no room.
func (Deaf) CloseRoom(string, livekit.DisconnectReason) bool { return false }

// SetPermission finds nobody.
func (Deaf) SetPermission(string, string, *livekit.ParticipantPermission) bool { return false }

// Silence finds nobody.
func (Deaf) Silence(string, string, ...livekit.TrackSource) bool { return false }

// Describe finds no room.
func (Deaf) Describe(string, string) bool { return false }

// SetAttributes finds nobody.
func (Deaf) SetAttributes(string, string, map[string]string) bool { return false }

// Tell finds nobody.
func (Deaf) Tell(string, string, []byte, ...string) bool { return false }
