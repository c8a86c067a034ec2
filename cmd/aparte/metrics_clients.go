package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"aparte/sfu"
	"aparte/sfu/forward"
	"aparte/sfu/publish"
	"aparte/sfu/transport"
	"aparte/signaling/wire"
)

// clientMetrics tell what clients sent that was of no use, and how wide the ways
// to them are. All clients are added up: one by one they would be personal data.
func clientMetrics(s *server, r *prometheus.Registry) {
	rtp := func(pick func(publish.Stats) uint64) func() uint64 {
		return func() uint64 { return pick(s.engine.Receiving()) }
	}
	register(r, "rtp_received_packets_total", "RTP packets of clients, retransmissions and padding included.", nil,
		rtp(func(p publish.Stats) uint64 { return p.Packets }))
	register(r, "rtp_recovered_packets_total", "Lost RTP packets that came by retransmission.", nil,
		rtp(func(p publish.Stats) uint64 { return p.Recovered }))
	byReason(r, "rtp_dropped_total", "RTP packets of clients not stored, by reason.", s.engine.Receiving, map[string]func(publish.Stats) uint64{
		"malformed":      func(p publish.Stats) uint64 { return p.Malformed },
		"unknown_source": func(p publish.Stats) uint64 { return p.UnknownSource },
		"not_published":  func(p publish.Stats) uint64 { return p.NoTrack },
		"unknown_codec":  func(p publish.Stats) uint64 { return p.UnknownCodec },
		"duplicate":      func(p publish.Stats) uint64 { return p.Duplicate },
		"late":           func(p publish.Stats) uint64 { return p.Late },
		"padding":        func(p publish.Stats) uint64 { return p.Padding },
		"oversized":      func(p publish.Stats) uint64 { return p.Oversized },
		"too_many_ssrcs": func(p publish.Stats) uint64 { return p.Overflow },
		"flood":          func(p publish.Stats) uint64 { return p.Flooded },
		"no_structure":   func(p publish.Stats) uint64 { return p.NoStructure },
		"silenced":       func(p publish.Stats) uint64 { return p.Silenced },
	})

	byReason(r, "transport_refused_total", "What clients' connections were refused or ended for, by reason.", s.engine.Refusals, map[string]func(transport.Stats) uint64{
		"session_description": func(t transport.Stats) uint64 { return t.Descriptions },
		"candidate":           func(t transport.Stats) uint64 { return t.Candidates },
		"data_channel":        func(t transport.Stats) uint64 { return t.Channels },
		"sctp_malformed":      func(t transport.Stats) uint64 { return t.Associations },
		"too_many_ssrcs":      func(t transport.Stats) uint64 { return t.SSRCs },
		"srtp_forged":         func(t transport.Stats) uint64 { return t.Forged },
		"srtp_replayed":       func(t transport.Stats) uint64 { return t.Replayed },
		"never_connected":     func(t transport.Stats) uint64 { return t.NeverConnected },
		"connection_lost":     func(t transport.Stats) uint64 { return t.ConnectionsLost },
		"never_closed":        func(t transport.Stats) uint64 { return t.Stuck },
	})

	byReason(r, "signal_refused_total", "Joins and signal messages refused, and signal connections closed, by reason.", s.signals.Stats, map[string]func(wire.Stats) uint64{
		"status":              func(w wire.Stats) uint64 { return w.Refused },
		"after_upgrade":       func(w wire.Stats) uint64 { return w.RefusedLate },
		"joining_too_often":   func(w wire.Stats) uint64 { return w.TooOften },
		"message_too_long":    func(w wire.Stats) uint64 { return w.TooLong },
		"message_not_decoded": func(w wire.Stats) uint64 { return w.NotDecoded },
		"messages_too_many":   func(w wire.Stats) uint64 { return w.TooMany },
		"queue_full":          func(w wire.Stats) uint64 { return w.QueueFull },
		"panic":               func(w wire.Stats) uint64 { return w.Panics },
		"token_failed":        func(w wire.Stats) uint64 { return w.TokensFailed },
	})

	byReason(r, "room_dropped_total", "What rooms dropped or refused besides media, by reason.", s.rooms.Stats, map[string]func(sfu.Stats) uint64{
		"not_allowed":    func(r sfu.Stats) uint64 { return r.DataNotAllowed },
		"malformed":      func(r sfu.Stats) uint64 { return r.DataMalformed },
		"too_long":       func(r sfu.Stats) uint64 { return r.DataTooLong },
		"repeated":       func(r sfu.Stats) uint64 { return r.DataRepeated },
		"lossy_full":     func(r sfu.Stats) uint64 { return r.DataLossyFull },
		"not_connected":  func(r sfu.Stats) uint64 { return r.DataTooEarly },
		"slow_receiver":  func(r sfu.Stats) uint64 { return r.SlowReceivers },
		"stale_signal":   func(r sfu.Stats) uint64 { return r.StaleSignals },
		"track_refused":  func(r sfu.Stats) uint64 { return r.TracksRefused },
		"event_not_told": func(r sfu.Stats) uint64 { return r.EventsDropped },
	})

	register(r, "data_replayed_total", "Reliable data packets sent again after a resume.", nil, func() uint64 { return s.rooms.Stats().DataReplayed })
	register(r, "udp_unknown_total", "Datagrams of nobody who is connected.", nil, func() uint64 { return s.engine.Stats().Unknown })

	path := func(pick func(forward.PathStats) uint64) func() uint64 {
		return func() uint64 { return pick(s.engine.Paths()) }
	}
	for name, c := range map[string]struct {
		help string
		pick func(forward.PathStats) uint64
	}{
		"feedbacks_total":          {"Transport-wide feedback messages of subscribers.", func(p forward.PathStats) uint64 { return p.Feedbacks }},
		"feedback_malformed_total": {"Of them, those that did not parse.", func(p forward.PathStats) uint64 { return p.Malformed }},
		"lost_packets_total":       {"Packets that subscribers did not get, by their feedback.", func(p forward.PathStats) uint64 { return p.Lost }},
		"overuses_total":           {"Times an estimate fell because of delay.", func(p forward.PathStats) uint64 { return p.Overuses }},
		"probes_total":             {"Probes for more bandwidth.", func(p forward.PathStats) uint64 { return p.Probes }},
		"probes_good_total":        {"Probes that showed what was hoped for.", func(p forward.PathStats) uint64 { return p.ProbesGood }},
		"paced_packets_total":      {"Packets that waited in a pacer.", func(p forward.PathStats) uint64 { return p.Paced }},
		"paced_drops_total":        {"Video packets dropped because a pacer's queue was full.", func(p forward.PathStats) uint64 { return p.PacedDrops }},
		"pacer_overflows_total":    {"Times that happened.", func(p forward.PathStats) uint64 { return p.Overflows }},
	} {
		register(r, "congestion_"+name, c.help, nil, path(c.pick))
	}
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "aparte", Name: "congestion_estimate_bps", Help: "Sum of what the ways to the connected subscribers are thought to carry, in bits a second.",
	}, func() float64 { return float64(s.engine.Paths().EstimateBps) }))
}
