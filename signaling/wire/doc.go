// Package wire speaks the LiveKit client protocol: it upgrades /rtc and
// /rtc/v1, reads SignalRequest messages, writes SignalResponse messages, and
// leaves what they mean to sfu. Unmodified LiveKit SDKs are the clients.
//
// Read server.go (paths, cross-origin headers, refusals before the upgrade),
// request.go (the query and the join_request of protocol v1), join.go (from a
// request to a session), conn.go (one WebSocket, its queue and its limits) and
// refresh.go (tokens that follow the grant).
//
// Who may be where is asked of an Authorizer at every join, resume and
// validation; nothing here trusts an earlier answer.
//
// docs/conformance.md lists the protocol's rules, and for each the tests in sdktest
// and web/e2e that show it to hold.
package wire
