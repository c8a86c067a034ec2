// Package sdktest drives the built program with the Go client SDK of LiveKit,
// as its users would: bin/aparte runs as a process of its own, the clients are
// unmodified server-sdk-go v2.13.0, and the media is encoded by ffmpeg. It is a
// module of its own because the SDK builds with another livekit/protocol than
// the server, and it imports nothing of the server.
//
// Read client_test.go first. Between each client and the server stand two
// helpers: proxy_test.go, which sees every signal message and can cut the
// WebSocket, and relay_test.go, which carries the UDP datagrams, counts them
// and can lose some. What is sent is in media_test.go, what arrived is put
// together again in stream_test.go.
//
// The path of the program comes from the environment: BIN_APARTE.
package sdktest
