// Package token issues and verifies media tokens: JSON web tokens as LiveKit
// clients expect them. There are three kinds, which never open each other's rooms:
// meeting.go signs with an internal key for the rooms of meetings, check.go with
// another for network checks, integration.go accepts what API keys signed for the
// rooms of integrations. spaces.go tells them apart.
package token
