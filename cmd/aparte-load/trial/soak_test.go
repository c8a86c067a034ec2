package trial

import (
	"flag"
	"strings"
	"testing"
	"time"

	"aparte/cmd/aparte-load/soak"
)

// `make soak` makes it ten minutes.
var soakTime = flag.Duration("soak", 20*time.Second, "how long TestSoak comes and goes")

// Participants join, leave, resume, mute, reconnect and vanish; afterwards the server
// has neither more goroutines nor more memory than before.
func TestSoak(t *testing.T) {
	t.Parallel()
	p := start(t)
	cfg := soak.Config{
		URL: p.url, Keys: keys, Rooms: 4, Seats: 3, Stayers: 2, Duration: *soakTime, Warmup: 3 * time.Second,
		Patience: 2 * patience, Seed: 1, Go: p.profiles, Process: p.process,
	}
	if *soakTime >= time.Minute {
		cfg.Rooms, cfg.Seats, cfg.Stayers, cfg.Warmup = 12, 4, 2, time.Minute
	}
	r, err := soak.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := r.Text(&text); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s of coming and going:\n%s", *soakTime, text.String())
	if err := r.Check(); err != nil {
		t.Error(err)
	}
	acts := []string{"joins", "leaves", "resumes", "mutes, unmutes"}
	if *soakTime >= time.Minute { // on a busy machine chance leaves out the rarer ones before
		acts = append(acts, "full reconnects", "vanished, came back", "vanished, others came")
	}
	for _, act := range acts {
		if r.Acts[act] == 0 {
			t.Errorf("no %s in %s", act, *soakTime)
		}
	}
}
