package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"aparte/sfu/relay"
	"aparte/sfu/transport/tcp"
	"aparte/signaling/front"
)

// wayMetrics tell of what does not come by UDP: connections to the ports that carry
// everything, media over TCP, and the relay.
func wayMetrics(s *server, r *prometheus.Registry) {
	fronts := func() (sum front.Stats) {
		for _, f := range s.fronts {
			one := f.Stats()
			sum.HTTP += one.HTTP
			sum.Media += one.Media
			sum.Relay += one.Relay
			sum.TooMany += one.TooMany
			sum.TooSlow += one.TooSlow
			sum.NoTLS += one.NoTLS
			sum.NotTaken += one.NotTaken
		}
		return sum
	}
	for protocol, pick := range map[string]func(front.Stats) uint64{
		"http":  func(f front.Stats) uint64 { return f.HTTP },
		"media": func(f front.Stats) uint64 { return f.Media },
		"turn":  func(f front.Stats) uint64 { return f.Relay },
	} {
		register(r, "connections_total", "Connections over TCP, by what they speak.", prometheus.Labels{"protocol": protocol}, func() uint64 { return pick(fronts()) })
	}
	byReason(r, "connections_refused_total", "Connections closed before anybody took them, by reason.", fronts, map[string]func(front.Stats) uint64{
		"too_many":  func(f front.Stats) uint64 { return f.TooMany },
		"too_slow":  func(f front.Stats) uint64 { return f.TooSlow },
		"tls":       func(f front.Stats) uint64 { return f.NoTLS },
		"not_taken": func(f front.Stats) uint64 { return f.NotTaken },
	})

	over := s.engine.TCPStats
	register(r, "tcp_received_total", "Packets of media received over TCP.", nil, func() uint64 { return over().Received })
	register(r, "tcp_sent_total", "Packets of media sent over TCP.", nil, func() uint64 { return over().Sent })
	byReason(r, "tcp_dropped_total", "Packets of media to clients over TCP not sent, by reason.", over, map[string]func(tcp.Stats) uint64{
		"queue_full":   func(t tcp.Stats) uint64 { return t.QueueFull },
		"disconnected": func(t tcp.Stats) uint64 { return t.Disconnected },
		"too_long":     func(t tcp.Stats) uint64 { return t.TooLong },
	})
	byReason(r, "tcp_closed_total", "Connections of media over TCP closed by the server, by reason.", over, map[string]func(tcp.Stats) uint64{
		"stalled":        func(t tcp.Stats) uint64 { return t.Stalled },
		"unknown":        func(t tcp.Stats) uint64 { return t.UnknownPeer },
		"malformed":      func(t tcp.Stats) uint64 { return t.Malformed },
		"too_many":       func(t tcp.Stats) uint64 { return t.TooMany },
		"never_declared": func(t tcp.Stats) uint64 { return t.NeverDeclared },
	})

	if s.exchange == nil {
		return
	}
	relayed := s.exchange.Stats
	register(r, "relay_allocations_total", "Allocations of the TURN relay.", nil, func() uint64 { return relayed().Allocations })
	register(r, "relay_received_total", "Packets of clients through the relay.", nil, func() uint64 { return relayed().FromClients })
	register(r, "relay_sent_total", "Packets to clients through the relay.", nil, func() uint64 { return relayed().ToClients })
	byReason(r, "relay_dropped_total", "Packets through the relay dropped, by reason.", relayed, map[string]func(relay.Stats) uint64{
		"unreachable": func(s relay.Stats) uint64 { return s.Unreachable },
		"queue_full":  func(s relay.Stats) uint64 { return s.QueueFull },
		"media_full":  func(s relay.Stats) uint64 { return s.MediaFull },
		"too_long":    func(s relay.Stats) uint64 { return s.TooLong },
		"gone":        func(s relay.Stats) uint64 { return s.Gone },
	})
	byReason(r, "relay_refused_total", "What clients of the relay were refused or closed for, by reason.", relayed, map[string]func(relay.Stats) uint64{
		"not_permitted": func(s relay.Stats) uint64 { return s.NotPermitted },
		"quota":         func(s relay.Stats) uint64 { return s.Quota },
		"credential":    func(s relay.Stats) uint64 { return s.NoCredential },
		"too_many":      func(s relay.Stats) uint64 { return s.TooMany },
		"never_used":    func(s relay.Stats) uint64 { return s.NeverUsed },
		"stalled":       func(s relay.Stats) uint64 { return s.Stalled },
	})
}
