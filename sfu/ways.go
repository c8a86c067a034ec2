package sfu

import "aparte/sfu/transport"

// Ways are the ways that media may take to a client, a set; 0: all.
type Ways = transport.Ways

// The ways.
const (
	UDP   = transport.UDP
	TCP   = transport.TCP
	Relay = transport.Relay
)
