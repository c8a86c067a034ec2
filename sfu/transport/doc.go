// Package transport is the only place that talks to pion/webrtc: it turns one
// client connection (ICE, DTLS, SRTP, SCTP) into a Peer that answers or makes
// offers, tells which sections the client sends on, and lends its sending
// sections to forward.DownTrack.
//
// Read engine.go (what all connections share), peer.go (one connection),
// answer.go and offer.go (the two ways of negotiating), sender.go (the bridge
// from Pion's TrackLocal to a DownTrack), section.go (SDP read before Pion
// sees it, with limits) and data.go (data channels).
//
// Media does not pass through Pion's tracks: decrypted packets are taken by
// the BufferFactory tap of publish.Receiver, and sent ones are written by
// forward.Worker to Pion's SRTP stream. OnTrack is never used.
package transport
