// Package client is a participant as the load needs it: it joins any server that
// speaks the LiveKit protocol, publishes synthetic media, counts what it receives,
// and can lose its connections in every way that people lose theirs.
//
// It follows livekit-client in both of its forms: /rtc with two connections, and
// /rtc/v1 with one. One goroutine (run, in client.go) owns the state; Pion and the
// socket tell it by messages.
//
// In file order: token.go, dial.go (the socket), client.go (the goroutine), signals.go
// (what the server says), peer.go (a connection), layout.go (its SDP), negotiate.go,
// publish.go and outlet.go (what is sent), tap.go (what is received), figures.go.
package client
