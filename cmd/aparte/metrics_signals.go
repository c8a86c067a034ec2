package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"aparte/sfu"
	"aparte/signaling/wire"
)

// signalMetrics are about joins, the signal channel and data packets.
func signalMetrics(s *server, r *prometheus.Registry) {
	register := func(name, help string, labels prometheus.Labels, value func() uint64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Namespace: "aparte", Name: name, Help: help, ConstLabels: labels,
		}, func() float64 { return float64(value()) }))
	}
	for reason, pick := range map[string]func(wire.Stats) uint64{
		"refused":           func(w wire.Stats) uint64 { return w.Refused },
		"refused_after":     func(w wire.Stats) uint64 { return w.RefusedLate },
		"joining_too_often": func(w wire.Stats) uint64 { return w.TooOften },
		"message_too_long":  func(w wire.Stats) uint64 { return w.TooLong },
		"message_malformed": func(w wire.Stats) uint64 { return w.NotDecoded },
		"too_many_messages": func(w wire.Stats) uint64 { return w.TooMany },
		"client_takes_none": func(w wire.Stats) uint64 { return w.QueueFull },
		"bug":               func(w wire.Stats) uint64 { return w.Panics },
		"token_not_renewed": func(w wire.Stats) uint64 { return w.TokensFailed },
	} {
		register("signal_refused_total", "Joins, signal messages and connections refused or ended, by reason.",
			prometheus.Labels{"reason": reason}, func() uint64 { return pick(s.signals.Stats()) })
	}
	for reason, pick := range map[string]func(sfu.Stats) uint64{
		"not_allowed":    func(u sfu.Stats) uint64 { return u.DataNotAllowed },
		"malformed":      func(u sfu.Stats) uint64 { return u.DataMalformed },
		"repeated":       func(u sfu.Stats) uint64 { return u.DataRepeated },
		"lossy_full":     func(u sfu.Stats) uint64 { return u.DataLossyFull },
		"too_early":      func(u sfu.Stats) uint64 { return u.DataTooEarly },
		"stale_signal":   func(u sfu.Stats) uint64 { return u.StaleSignals },
		"event_overflow": func(u sfu.Stats) uint64 { return u.EventsDropped },
	} {
		register("data_dropped_total", "Data packets, signal messages and events not passed on, by reason.",
			prometheus.Labels{"reason": reason}, func() uint64 { return pick(s.rooms.Stats()) })
	}
	register("data_replayed_total", "Reliable data packets sent again after a resume.", nil,
		func() uint64 { return s.rooms.Stats().DataReplayed })
	register("slow_receivers_total", "Sessions ended because they took no data.", nil,
		func() uint64 { return s.rooms.Stats().SlowReceivers })
}
