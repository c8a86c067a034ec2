// Package token issues and verifies media tokens: JSON web tokens as LiveKit
// clients expect them. There are two kinds, which never open each other's rooms:
// meeting.go signs with an internal key for the rooms of meetings,
// integration.go accepts what API keys signed for the rooms of integrations.
package token
