package sfu

import (
	"strings"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/sfu/congestion"
	"aparte/sfu/publish"
)

// On a narrow path pictures give way to each other by rank, and the last to go is
// the client told of: it can say so where the picture was, instead of freezing it.

// microphones is how many are heard in a room; not above zero: all.
func (l *Limits) microphones(in SpaceKind) int {
	if in == MeetingSpace {
		return l.Microphones
	}
	return l.IntegrationMicrophones
}

// floorFor is the floor that a new track shares; a screen's sound is no microphone.
func (r *room) floorFor(info *livekit.TrackInfo) *publish.Floor {
	if info.Type != livekit.TrackType_AUDIO || info.Source == livekit.TrackSource_SCREEN_SHARE_AUDIO {
		return nil
	}
	return r.floor
}

// speakerLasts is how long a picture keeps its rank after the last word.
const speakerLasts = 3 * time.Second

// rankSpeakers tells forwarding who speaks.
func (r *room) rankSpeakers(now time.Time) {
	for sid := range r.speaking {
		r.spoke[sid] = now
	}
	for _, t := range r.tracks {
		if t.media.Kind() == publish.Video && t.info.Source != livekit.TrackSource_SCREEN_SHARE {
			at, spoke := r.spoke[t.owner.info.Sid]
			speaking := spoke && now.Sub(at) < speakerLasts
			t.media.SetSpeaking(speaking)
			if t.backup != nil {
				t.backup.SetSpeaking(speaking)
			}
		}
	}
	for sid, at := range r.spoke {
		if now.Sub(at) >= speakerLasts {
			delete(r.spoke, sid)
		}
	}
}

// largeHeight in pixels: from here on a picture is what the client looks at.
const largeHeight = 540

// rank of a picture when not all fit. Who speaks comes before all others.
func (t trackSettings) rank(info *livekit.TrackInfo) congestion.Rank {
	switch {
	case info.Source == livekit.TrackSource_SCREEN_SHARE:
		return congestion.Screen
	case t.priority > 0 || t.height >= largeHeight:
		return congestion.Pinned
	}
	return congestion.Rest
}

// pausedFor is how long a stream is held before the client is told: a probe may
// bring it back, and a picture that stands for a moment needs no words.
const pausedFor = 500 * time.Millisecond

// streamState is what a client knows of one stream. Owned by Session.run.
type streamState struct {
	heldAt time.Time // zero while it flows
	told   bool      // that it is paused
}

// next tells what the client is to hear, if anything.
func (s *streamState) next(held bool, now time.Time) (state livekit.StreamState, tell bool) {
	if !held {
		tell = s.told
		*s = streamState{}
		return livekit.StreamState_ACTIVE, tell
	}
	if s.heldAt.IsZero() {
		s.heldAt = now
	}
	if s.told || now.Sub(s.heldAt) < pausedFor {
		return livekit.StreamState_PAUSED, false
	}
	s.told = true
	return livekit.StreamState_PAUSED, true
}

// tellStreams tells the client which pictures are paused for want of bandwidth,
// and which flow again.
func (s *Session) tellStreams(now time.Time) {
	var list []*livekit.StreamStateInfo
	s.mu.Lock()
	for sid, d := range s.downs {
		if state, tell := d.state.next(d.down.Held(), now); tell {
			owner, _, _ := strings.Cut(d.w.stream, "|")
			list = append(list, &livekit.StreamStateInfo{ParticipantSid: owner, TrackSid: sid, State: state})
		}
	}
	s.mu.Unlock()
	if len(list) > 0 {
		s.send(&livekit.SignalResponse{Message: &livekit.SignalResponse_StreamStateUpdate{
			StreamStateUpdate: &livekit.StreamStateUpdate{StreamStates: list},
		}})
	}
}

// forgetStreams tells all of it anew, what flows as well: the client may have
// missed either.
func (s *Session) forgetStreams() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.downs {
		d.state.told = !d.down.Held()
	}
}
