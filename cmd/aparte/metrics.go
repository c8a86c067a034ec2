package main

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics are what an operator watches. Every drop has a reason of its own.
func metrics(s *server) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	counter := func(name, help string, labels prometheus.Labels, value func() uint64) {
		register(r, name, help, labels, value)
	}
	forwarding, sockets := s.engine.Forwarding, s.engine.Stats
	counter("forwarded_packets_total", "RTP packets written to subscribers.", nil, func() uint64 { return forwarding().Packets })
	counter("retransmitted_packets_total", "RTP packets sent again because a subscriber asked.", nil, func() uint64 { return forwarding().Retransmitted })
	counter("began_at_kept_key_frame_total", "Pictures that began with a key frame that was still there, without asking for another.", nil, func() uint64 { return forwarding().Replays })
	for reason, value := range map[string]func() uint64{
		"overrun":          func() uint64 { return forwarding().Overrun },
		"write_error":      func() uint64 { return forwarding().WriteErrors },
		"unknown_codec":    func() uint64 { return forwarding().UnknownCodec },
		"before_switch":    func() uint64 { return forwarding().OldPackets },
		"requests_full":    func() uint64 { return forwarding().RequestsDropped },
		"nack_too_late":    func() uint64 { return forwarding().NACKMisses },
		"nack_throttled":   func() uint64 { return forwarding().NACKThrottled },
		"path_too_narrow":  func() uint64 { return forwarding().PacedDrops },
		"bad_feedback":     func() uint64 { return forwarding().BadFeedback },
		"pli_deferred":     func() uint64 { return forwarding().PLIsDeferred },
		"nack_limited":     func() uint64 { return forwarding().NACKLimited },
		"rtcp_flood":       func() uint64 { return forwarding().Flooded },
		"socket_full":      func() uint64 { return sockets().SocketFull },
		"refused_by_os":    func() uint64 { return sockets().Refused },
		"datagram_too_big": func() uint64 { return sockets().TooLong },
		"truncated":        func() uint64 { return sockets().Truncated },
		"message_too_long": s.engine.OversizedMessages,
	} {
		counter("media_dropped_total", "Packets or requests not served, by reason.", prometheus.Labels{"reason": reason}, value)
	}
	if s.hooks != nil {
		counter("webhooks_delivered_total", "Webhooks that a receiver took.", nil, func() uint64 { return s.hooks.Stats().Delivered })
		counter("webhook_retries_total", "Tries to deliver a webhook that were repeated.", nil, func() uint64 { return s.hooks.Stats().Retries })
		for reason, value := range map[string]func() uint64{
			"queue_full": func() uint64 { return s.hooks.Stats().Full },
			"refused":    func() uint64 { return s.hooks.Stats().Refused },
			"gave_up":    func() uint64 { return s.hooks.Stats().GaveUp },
			"stopped":    func() uint64 { return s.hooks.Stats().Stopped },
		} {
			counter("webhooks_dropped_total", "Webhooks not delivered, by reason.", prometheus.Labels{"reason": reason}, value)
		}
	}
	clientMetrics(s, r)
	storeMetrics(s.kept, r)
	wayMetrics(s, r)
	counter("udp_received_total", "Datagrams received.", nil, func() uint64 { return sockets().Received })
	counter("udp_sent_total", "Datagrams sent.", nil, func() uint64 { return sockets().Sent })
	counter("udp_send_calls_total", "System calls that sent them.", nil, func() uint64 { return sockets().Calls })
	return r
}

// register adds a counter that is read when it is asked for.
func register(r *prometheus.Registry, name, help string, labels prometheus.Labels, value func() uint64) {
	r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Namespace: "aparte", Name: name, Help: help, ConstLabels: labels,
	}, func() float64 { return float64(value()) }))
}

// byReason adds one counter for each reason, picked from the same Stats.
func byReason[S any](r *prometheus.Registry, name, help string, stats func() S, reasons map[string]func(S) uint64) {
	for reason, pick := range reasons {
		register(r, name, help, prometheus.Labels{"reason": reason}, func() uint64 { return pick(stats()) })
	}
}
