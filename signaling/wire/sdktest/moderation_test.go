package sdktest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/livekit/protocol/livekit"
	"golang.org/x/sys/unix"
)

// What a host stops is stopped in the SFU: here by a client that ignores every request and
// goes on sending. "At once" is shown without a clock: once the host has the answer, and
// the packets that were on their way have come, none follows, while others' do.
func TestWhatAHostStopsIsForwardedNoMore(t *testing.T) {
	t.Parallel()
	for _, single := range []bool{false, true} {
		t.Run(fmt.Sprintf("single %t", single), func(t *testing.T) {
			t.Parallel()
			m := newMeeting(t, single)
			w, g := m.invite("Témoin"), m.invite("Inês Duarte")
			witness := m.join(w.identity, w.token, single)
			clinging := m.join(g.identity, g.token, single)
			source := func(s livekit.TrackSource) func(*livekit.AddTrackRequest) {
				return func(r *livekit.AddTrackRequest) { r.Source = s }
			}
			sent := map[string]*rawTrack{
				"voice":       clinging.publish(livekit.TrackType_AUDIO, "voice", microphone),
				"camera":      clinging.publish(livekit.TrackType_VIDEO, "camera"),
				"share":       clinging.publish(livekit.TrackType_VIDEO, "share", source(livekit.TrackSource_SCREEN_SHARE)),
				"share sound": clinging.publish(livekit.TrackType_AUDIO, "sound", source(livekit.TrackSource_SCREEN_SHARE_AUDIO)),
			}
			for _, track := range sent {
				track.play()
			}
			flows := func(when string, names ...string) {
				t.Helper()
				for _, name := range names {
					witness.moreOf(sent[name].sid(), 5)
				}
			}
			// stopped checks that nothing of these tracks arrives any more.
			stopped := func(when string, names ...string) {
				t.Helper()
				witness.moreOf(m.voice.sid(), 5) // 100 ms, for what was on its way
				before := make(map[string]int)
				for _, name := range names {
					before[name] = witness.packetsOf(sent[name].sid())
				}
				witness.moreOf(m.voice.sid(), 25)
				for _, name := range names {
					if n := witness.packetsOf(sent[name].sid()) - before[name]; n > 0 {
						t.Errorf("%s: %d packets of the %s were forwarded", when, n, name)
					}
				}
			}
			act := func(method, path string, body any) {
				t.Helper()
				if status, answer := m.send(method, m.agent, "", "meetings/"+m.id+"/call/"+path, body); status != http.StatusNoContent {
					t.Fatalf("%s: %d %s", path, status, answer)
				}
			}
			reopen := func() {
				for _, track := range sent {
					clinging.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Mute{Mute: &livekit.MuteTrackRequest{Sid: track.sid(), Muted: false}}})
				}
			}
			one := "participants/" + g.identity + "/"
			flows("at first", "voice", "camera", "share", "share sound")

			act("POST", one+"mute", nil)
			stopped("muted", "voice")
			flows("muted", "camera", "share", "share sound")
			act("POST", one+"stop-camera", nil)
			stopped("camera stopped", "voice", "camera")
			flows("camera stopped", "share", "share sound")
			act("POST", one+"stop-share", nil)
			stopped("share stopped", "voice", "camera", "share", "share sound")

			reopen() // it may: nothing was forbidden
			flows("opened again", "voice", "camera", "share", "share sound")
			act("POST", "mute", nil)
			stopped("all muted", "voice")
			flows("all muted", "camera", "share", "share sound")
			reopen()
			flows("opened again", "voice")

			act("PUT", "permissions", map[string]bool{"camera": false, "share": false})
			stopped("forbidden to all", "camera", "share", "share sound")
			flows("forbidden to all", "voice")
			reopen()
			clinging.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: addRequest(livekit.TrackType_VIDEO, "again")}})
			clinging.refusal(livekit.RequestResponse_NOT_ALLOWED)
			stopped("forbidden to all, and tried again", "camera", "share", "share sound")
			act("PUT", "permissions", map[string]bool{"speak": false})
			stopped("nobody may speak", "voice", "camera", "share", "share sound")

			// Who comes in later may not either, nor who comes back.
			l := m.invite("Tardif")
			late := m.join(l.identity, l.token, single)
			late.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: addRequest(livekit.TrackType_AUDIO, "late")}})
			late.refusal(livekit.RequestResponse_NOT_ALLOWED)

			// Locked: who was let in comes back, nobody else is let in.
			act("PUT", "lock", map[string]bool{"locked": true})
			if doors := m.opens(l.token, late.sid()); len(doors) != 8 {
				t.Errorf("the doors that stay open to whoever is in: %v", doors)
			}
			status, answer := m.call(m.agent, "", "meetings/"+m.id+"/knocks/admit-all", map[string]any{})
			if status != http.StatusOK { // nobody waits
				t.Errorf("admission of nobody: %d %s", status, answer)
			}
			stranger := m.comes("Rui")
			status, answer = m.call(m.agent, "", "meetings/"+m.id+"/knocks/admit-all", map[string]any{})
			if !strings.Contains(string(answer), "urn:aparte:problem:meeting-locked") {
				t.Errorf("admission to a locked meeting: %d %s", status, answer)
			}
			if status, answer := m.call(http.DefaultClient, stranger.session, "guest/token", nil); status != http.StatusConflict {
				t.Errorf("who waits at a locked meeting asks for a token: %d %s", status, answer)
			}
		})
	}
}

// With a disk that takes nothing any more a host still silences: the call has obeyed once the
// host is answered, who is told to repeat. What gives is not done.
func TestAFullDiskKeepsNoHostFromSilencing(t *testing.T) {
	t.Parallel()
	m := newMeeting(t, false)
	w, g := m.invite("Témoin"), m.invite("Inês Duarte")
	witness := m.join(w.identity, w.token, false)
	clinging := m.join(g.identity, g.token, false)
	voice := clinging.publish(livekit.TrackType_AUDIO, "voice", microphone)
	camera := clinging.publish(livekit.TrackType_VIDEO, "camera")
	voice.play()
	camera.play()
	full := func(is bool) {
		t.Helper()
		limit := &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
		if is {
			limit.Cur = 0
		}
		if err := unix.Prlimit(m.srv.cmd.Process.Pid, unix.RLIMIT_FSIZE, limit, nil); err != nil {
			t.Fatal(err)
		}
	}
	act := func(method, path string, body any, status int, problem string) {
		t.Helper()
		got, answer := m.send(method, m.agent, "", "meetings/"+m.id+"/"+path, body)
		if got != status || !strings.Contains(string(answer), problem) {
			t.Errorf("%s %s: %d %s, want %d and %s", method, path, got, answer, status, problem)
		}
	}
	stopped := func(when string, tracks ...*rawTrack) {
		t.Helper()
		witness.moreOf(m.voice.sid(), 5) // 100 ms, for what was on its way
		before := make([]int, len(tracks))
		for i, track := range tracks {
			before[i] = witness.packetsOf(track.sid())
		}
		witness.moreOf(m.voice.sid(), 25)
		for i, track := range tracks {
			if n := witness.packetsOf(track.sid()) - before[i]; n > 0 {
				t.Errorf("%s: %d packets of the %s were forwarded", when, n, track.cid)
			}
		}
	}
	const notStored, unavailable = "urn:aparte:problem:not-stored", "urn:aparte:problem:unavailable"
	one := "call/participants/" + g.identity + "/"
	rights := "participants/" + g.identity + "/permissions"
	witness.moreOf(voice.sid(), 5)
	witness.moreOf(camera.sid(), 5)

	full(true)
	act("PUT", "call/lock", map[string]bool{"locked": true}, http.StatusServiceUnavailable, unavailable)
	act("POST", one+"mute", nil, http.StatusServiceUnavailable, notStored)
	stopped("muted", voice)
	witness.moreOf(camera.sid(), 5)
	act("POST", one+"stop-camera", nil, http.StatusServiceUnavailable, notStored)
	stopped("camera stopped", voice, camera)
	for _, track := range []*rawTrack{voice, camera} { // it may: nothing was forbidden
		clinging.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Mute{Mute: &livekit.MuteTrackRequest{Sid: track.sid(), Muted: false}}})
		witness.moreOf(track.sid(), 5)
	}
	act("PUT", rights, map[string]bool{"camera": false}, http.StatusServiceUnavailable, notStored)
	stopped("forbidden", camera)
	witness.moreOf(voice.sid(), 5)
	act("PUT", "call/permissions", map[string]bool{"speak": false}, http.StatusServiceUnavailable, notStored)
	stopped("forbidden to all", voice, camera)

	// Nor may the same person by a new token.
	var again struct{ Token string }
	m.must(http.DefaultClient, g.session, "guest/token", nil, &again)
	back := m.join(g.identity, again.Token, false)
	for i, kind := range []livekit.TrackType{livekit.TrackType_AUDIO, livekit.TrackType_VIDEO} {
		back.smuggle(kind, "again")
		back.notAllowed(i + 1)
	}
	full(false)
	act("PUT", "call/permissions", map[string]bool{"speak": true}, http.StatusNoContent, "")
	act("PUT", rights, map[string]bool{}, http.StatusOK, `"camera":true`)
	last := m.join(g.identity, again.Token, false)
	allowed := []*rawTrack{last.publish(livekit.TrackType_AUDIO, "voice", microphone), last.publish(livekit.TrackType_VIDEO, "camera")}
	l := m.invite("Tardif")
	late := m.join(l.identity, l.token, false)
	for _, track := range allowed {
		track.play()
		late.receives(track.sid(), 5)
	}
}
