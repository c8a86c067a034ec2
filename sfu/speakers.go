package sfu

import (
	"github.com/livekit/protocol/livekit"

	"aparte/sfu/publish"
)

// levelStep is the smallest change of a level worth telling.
const levelStep = 0.1

// tellSpeakers sends to each member what changed since it was last told, about
// itself and those it receives audio of: only deltas, with those who stopped.
func (r *room) tellSpeakers() {
	now := r.levels()
	r.bridgePauses(now)
	changed := map[string]*livekit.SpeakerInfo{}
	for sid, level := range now {
		before, was := r.speaking[sid]
		if !was || max(level-before, before-level) >= levelStep {
			changed[sid] = &livekit.SpeakerInfo{Sid: sid, Level: level, Active: true}
		}
	}
	r.speaking = now
	r.showSpeakers()
	for _, m := range r.members {
		if update := m.speakerDelta(r.heard(m), now, changed); len(update) > 0 {
			m.s.send(&livekit.SignalResponse{Message: &livekit.SignalResponse_SpeakersChanged{
				SpeakersChanged: &livekit.SpeakersChanged{Speakers: update},
			}})
		}
	}
}

// repeatSpeakers tells a member of everyone it hears, silent or not: it may have
// missed who began and who stopped.
func (r *room) repeatSpeakers(m *member) {
	var list []*livekit.SpeakerInfo
	clear(m.told)
	for sid := range r.heard(m) {
		level, speaks := r.speaking[sid]
		if speaks {
			m.told[sid] = true
		}
		list = append(list, &livekit.SpeakerInfo{Sid: sid, Level: level, Active: speaks})
	}
	m.s.send(&livekit.SignalResponse{Message: &livekit.SignalResponse_SpeakersChanged{
		SpeakersChanged: &livekit.SpeakersChanged{Speakers: list},
	}})
}

// pauseTicks is how many ticks of silence are a pause between words: the mark
// around a speaker's picture shall not flicker.
const pauseTicks = 2

// bridgePauses keeps those active who only draw breath. Who mutes stops at once.
func (r *room) bridgePauses(now map[string]float32) {
	for sid := range r.silent {
		if _, speaks := now[sid]; speaks {
			delete(r.silent, sid)
		}
	}
	open := map[string]bool{}
	for _, t := range r.tracks {
		if t.media.Kind() == publish.Audio && !t.info.Muted {
			open[t.owner.info.Sid] = true
		}
	}
	for sid, level := range r.speaking {
		if _, speaks := now[sid]; speaks {
			continue
		}
		if r.silent[sid]++; r.silent[sid] > pauseTicks || !open[sid] {
			delete(r.silent, sid)
			continue
		}
		now[sid] = level
	}
}

// levels are those of everyone who speaks now, by participant sid.
func (r *room) levels() map[string]float32 {
	out := map[string]float32{}
	for _, t := range r.tracks {
		if t.media.Kind() != publish.Audio || t.info.Muted {
			continue
		}
		if level, speaking := t.media.Level(); speaking {
			sid := t.owner.info.Sid
			out[sid] = max(out[sid], float32(level))
		}
	}
	r.simulatedLevels(out)
	return out
}

// heard are the sids a member is told about: its own and those whose audio it receives.
func (r *room) heard(m *member) map[string]bool {
	out := map[string]bool{m.info.Sid: true}
	for _, t := range r.tracks {
		if t.media.Kind() == publish.Audio && !t.owner.hidden() && wants(m, t) {
			out[t.owner.info.Sid] = true
		}
	}
	return out
}

func (m *member) speakerDelta(heard map[string]bool, now map[string]float32, changed map[string]*livekit.SpeakerInfo) []*livekit.SpeakerInfo {
	var out []*livekit.SpeakerInfo
	for sid, level := range now {
		switch {
		case !heard[sid]:
		case !m.told[sid]: // also one it just began to hear
			m.told[sid] = true
			out = append(out, &livekit.SpeakerInfo{Sid: sid, Level: level, Active: true})
		case changed[sid] != nil:
			out = append(out, changed[sid])
		}
	}
	for sid := range m.told {
		if _, speaks := now[sid]; !speaks || !heard[sid] {
			delete(m.told, sid)
			out = append(out, &livekit.SpeakerInfo{Sid: sid})
		}
	}
	return out
}
