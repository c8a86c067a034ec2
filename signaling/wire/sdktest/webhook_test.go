package sdktest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"github.com/livekit/protocol/webhook"
	lksdk "github.com/livekit/server-sdk-go/v2"

	"aparte/signaling/wire/sdktest/conform"
)

// hooks is a webhook receiver as LiveKit's own package makes one.
type hooks struct {
	j *journal

	mu     sync.Mutex
	events []*livekit.WebhookEvent
	failed bool // the first one was turned away
}

func (h *hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if ct := r.Header.Get("Content-Type"); ct != "application/webhook+json" {
		h.j.t.Errorf("content type %q", ct)
	}
	e, err := webhook.ReceiveWebhookEvent(r, auth.NewSimpleKeyProvider(devKey, devSecret))
	if err != nil {
		h.j.t.Errorf("webhook: %v", err)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.failed {
		h.failed = true
		w.WriteHeader(http.StatusInternalServerError) // it is to come again, before all others
		return
	}
	h.events = append(h.events, e)
	h.j.note("webhook: %s %s %s", e.Event, e.Participant.GetIdentity(), e.Track.GetSid())
}

func (h *hooks) names() (out []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.events {
		name := e.Event
		if who := e.Participant.GetIdentity(); who != "" {
			name += " " + who
		}
		out = append(out, name)
	}
	return out
}

// The life of a room as its webhooks tell it, in order; of a meeting they say
// nothing.
func TestWebhooks(t *testing.T) {
	proves(t, conform.Go, "hooks")
	j := newJournal(t)
	h := &hooks{j: j}
	receiver := httptest.NewServer(h)
	t.Cleanup(receiver.Close) // after the server: it may still deliver
	srv := ownServer(t, t.TempDir(), "--webhooks-urls", receiver.URL+"/hook")
	name := roomName(t)
	service := lksdk.NewRoomServiceClient(srv.base.String(), devKey, devSecret)

	ann := join(t, j, "ann", setup{room: name, server: srv})
	mic, _ := audioTrack(t, j, &clips.speech)
	pub := ann.publish(mic, &lksdk.TrackPublicationOptions{Name: "mic", Source: livekit.TrackSource_MICROPHONE})
	want := []string{"room_started", "participant_joined ann", "track_published ann"}
	j.wait("the room began", func() bool { return slices.Equal(h.names(), want) })
	ann.unpublish(pub.SID())
	want = append(want, "track_unpublished ann")
	j.wait("the track ended", func() bool { return slices.Equal(h.names(), want) })
	if _, err := service.DeleteRoom(t.Context(), &livekit.DeleteRoomRequest{Room: name}); err != nil {
		t.Error(err)
	}
	want = append(want, "participant_left ann", "room_finished")
	j.wait("the room ended", func() bool { return slices.Equal(h.names(), want) })

	h.mu.Lock()
	defer h.mu.Unlock()
	ids := map[string]bool{}
	for _, e := range h.events {
		ids[e.Id] = true
		if e.Room.GetName() != name || e.Room.GetSid() != h.events[0].Room.GetSid() || e.CreatedAt == 0 {
			t.Errorf("event %v", e)
		}
		if e.Track != nil && e.Track.Sid != pub.SID() {
			t.Errorf("event %v, want track %s", e, pub.SID())
		}
	}
	if len(ids) != len(h.events) {
		t.Errorf("%d ids of %d events", len(ids), len(h.events))
	}
}
