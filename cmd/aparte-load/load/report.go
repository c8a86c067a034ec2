package load

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"aparte/cmd/aparte-load/measure"
)

// Report is what came of a load. Durations are in nanoseconds, sizes in bytes.
type Report struct {
	Plan        string  `json:"plan"`
	Interrupted bool    `json:"interrupted"`
	RampSeconds float64 `json:"ramp_seconds"`

	Participants uint64         `json:"participants"`
	Joined       uint64         `json:"joined"`
	Failures     map[string]int `json:"failures"`
	Tracks       int64          `json:"tracks_received"`
	TracksWanted int64          `json:"tracks_wanted"`

	Sent             uint64 `json:"packets_sent"`
	Received         uint64 `json:"packets_received"`
	Lost             uint64 `json:"packets_lost"`
	Reordered        uint64 `json:"packets_out_of_order"`
	Duplicates       uint64 `json:"packets_duplicate"`
	Recovered        uint64 `json:"packets_recovered"`
	Padding          uint64 `json:"packets_padding"`
	Resent           uint64 `json:"packets_resent"`
	WriteErrors      uint64 `json:"write_errors"`
	KeyframeRequests uint64 `json:"keyframe_requests"`

	// Of the steady time, between the last join and the first to leave:
	SteadySeconds   float64 `json:"steady_seconds"`
	SentBps         float64 `json:"sent_bps"`
	ReceivedBps     float64 `json:"received_bps"`
	SentPerSecond   float64 `json:"sent_packets_per_second"`
	ReceivedPerSec  float64 `json:"received_packets_per_second"`
	ServerCPU       float64 `json:"server_cpu_seconds,omitempty"`
	ServerCPUShare  float64 `json:"server_cpu_cores,omitempty"`
	CPUPerForwarded float64 `json:"server_cpu_ns_per_forwarded_packet,omitempty"`

	AudioLatency  measure.Summary `json:"audio_latency"`
	VideoLatency  measure.Summary `json:"video_latency"`
	JoinResponse  measure.Summary `json:"join_response"`
	Connected     measure.Summary `json:"connected"`
	FirstMedia    measure.Summary `json:"first_media"`
	FirstAudio    measure.Summary `json:"first_audio"`
	FirstKeyframe measure.Summary `json:"first_keyframe"`

	Memory struct {
		Idle  *Memory `json:"idle,omitempty"`
		Peak  *Memory `json:"peak,omitempty"`
		After *Memory `json:"after,omitempty"`
	} `json:"server_memory"`
}

// Memory of the server.
type Memory struct {
	RSSBytes   int64 `json:"rss_bytes,omitempty"`
	LiveBytes  int64 `json:"live_and_stack_bytes,omitempty"` // objects still used
	InUseBytes int64 `json:"heap_and_stack_bytes,omitempty"` // the spans they are in
	HeapBytes  int64 `json:"heap_bytes,omitempty"`
	StackBytes int64 `json:"stack_bytes,omitempty"`
	Goroutines int64 `json:"goroutines,omitempty"`
}

func (r *Report) steady(before, after sample, cpu bool) {
	d := after.at.Sub(before.at).Seconds()
	r.SteadySeconds = d
	r.SentBps, r.ReceivedBps = float64(after.sentBytes-before.sentBytes)*8/d, float64(after.gotten-before.gotten)*8/d
	r.SentPerSecond, r.ReceivedPerSec = float64(after.sent-before.sent)/d, float64(after.received-before.received)/d
	if !cpu {
		return
	}
	r.ServerCPU = (after.cpu - before.cpu).Seconds()
	r.ServerCPUShare = r.ServerCPU / d
	if n := after.received - before.received; n > 0 {
		r.CPUPerForwarded = r.ServerCPU * 1e9 / float64(n)
	}
}

// OK tells whether everybody got in.
func (r *Report) OK() bool { return r.Joined == r.Participants && r.Participants > 0 }

func (p *Plan) describe() string {
	var what []string
	if p.Audio {
		what = append(what, "audio")
	}
	if p.Video != VideoNone {
		what = append(what, "video "+p.Video)
	}
	if p.Screen > 0 {
		what = append(what, fmt.Sprintf("%d screens", p.Screen))
	}
	if len(what) == 0 || p.Publishers+p.Mesh == 0 {
		what = []string{"nothing published"}
	}
	return fmt.Sprintf("%d rooms of %d publishers, %d subscribers, mesh of %d: %s",
		p.Rooms, p.Publishers, p.Subscribers, p.Mesh, strings.Join(what, ", "))
}

// JSON writes the report as one object.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Text writes it for a person.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-15s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("plan", "%s", r.Plan)
	if r.Interrupted {
		line("interrupted", "what follows is what was until then")
	}
	line("joined", "%d of %d in %.1f s, %d of %d tracks received", r.Joined, r.Participants, r.RampSeconds, r.Tracks, r.TracksWanted)
	for _, reason := range slices.Sorted(maps.Keys(r.Failures)) {
		line("failure", "%d × %s", r.Failures[reason], reason)
	}
	line("packets", "%d sent, %d received, %d lost, %d out of order, %d duplicate, %d recovered, %d padding",
		r.Sent, r.Received, r.Lost, r.Reordered, r.Duplicates, r.Recovered, r.Padding)
	if r.Resent+r.WriteErrors > 0 {
		line("publishers", "%d packets sent again, %d not taken by the system", r.Resent, r.WriteErrors)
	}
	line("key frames", "%d asked for", r.KeyframeRequests)
	line("steady", "%.1f s: %.2f Mbit/s in %.0f packets/s sent, %.2f Mbit/s in %.0f packets/s received",
		r.SteadySeconds, r.SentBps/1e6, r.SentPerSecond, r.ReceivedBps/1e6, r.ReceivedPerSec)
	for _, t := range []struct {
		name string
		s    measure.Summary
	}{
		{"audio latency", r.AudioLatency},
		{"video latency", r.VideoLatency},
		{"join response", r.JoinResponse},
		{"transport up", r.Connected},
		{"first media", r.FirstMedia},
		{"  all audio", r.FirstAudio},
		{"  key frames", r.FirstKeyframe},
	} {
		if t.s.Count > 0 {
			line(t.name, "p50 %s  p95 %s  p99 %s  max %s  (%d)", ms(t.s.P50), ms(t.s.P95), ms(t.s.P99), ms(t.s.Max), t.s.Count)
		}
	}
	if r.ServerCPU > 0 {
		line("server CPU", "%.2f s, %.2f cores, %.0f ns a forwarded packet", r.ServerCPU, r.ServerCPUShare, r.CPUPerForwarded)
	}
	for _, m := range []struct {
		name string
		m    *Memory
	}{{"memory idle", r.Memory.Idle}, {"memory peak", r.Memory.Peak}, {"memory after", r.Memory.After}} {
		if m.m != nil {
			line(m.name, "%s", m.m)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }

// String tells what is known.
func (m *Memory) String() string {
	var parts []string
	if m.RSSBytes > 0 {
		parts = append(parts, fmt.Sprintf("RSS %.1f MiB", mib(m.RSSBytes)))
	}
	if m.InUseBytes > 0 {
		parts = append(parts, fmt.Sprintf("heap %.1f and stacks %.1f MiB in use, %d goroutines", mib(m.HeapBytes), mib(m.StackBytes), m.Goroutines))
	}
	return strings.Join(parts, ", ")
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }
