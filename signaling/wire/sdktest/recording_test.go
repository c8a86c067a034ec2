package sdktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"
)

// recorded is a call that is recorded: a guest's voice, which the test sends packet by
// packet, and a witness, who gets each.
type recorded struct {
	*meetingRoom
	data    string // the server's folder
	id      string // of the recording
	guest   invited
	voice   *rawTrack
	witness *rawClient
	sent    int
}

// newRecorded begins one. The guest agrees, the host too.
func newRecorded(t *testing.T, data string) *recorded {
	t.Helper()
	return newRecordedAt(t, data, ownServer(t, data))
}

// newRecordedAt begins one on a server, whose folder is data.
func newRecordedAt(t *testing.T, data string, srv *server) *recorded {
	t.Helper()
	r := &recorded{meetingRoom: newMeetingOn(t, srv, false), data: data}
	w := r.invite("Témoin")
	r.guest = r.invite("Inês Duarte")
	r.witness = r.join(w.identity, w.token, false)
	speaker := r.join(r.guest.identity, r.guest.token, false)
	r.voice = speaker.publish(livekit.TrackType_AUDIO, "voice", microphone)
	stop := r.voice.play() // until the way to the witness stands
	r.witness.receives(r.voice.sid(), 5)
	stop()
	r.witness.moreOf(r.meetingRoom.voice.sid(), 5) // what was on its way has come
	var asked struct{ ID string }
	r.must(r.agent, "", r.call("recording/ask"), map[string]string{"purpose": "Compte rendu"}, &asked)
	r.id = asked.ID
	r.says("agree")
	r.must(r.agent, "", r.call("recording/answer"), map[string]string{"recording": r.id, "answer": "agree"}, nil)
	r.must(r.agent, "", r.call("recording/start"), nil, nil)
	return r
}

func (r *recorded) call(path string) string { return "meetings/" + r.meetingRoom.id + "/call/" + path }

// says is the guest's answer.
func (r *recorded) says(answer string) {
	r.t.Helper()
	r.must(http.DefaultClient, r.guest.session, "guest/call/recording/answer", map[string]string{"recording": r.id, "answer": answer}, nil)
}

// speak sends n packets of the guest's voice at the pace of the host's, each once the one
// before has come: none is lost.
func (r *recorded) speak(n int, word string) {
	r.t.Helper()
	r.paced(n, func(n int) []byte { return fmt.Appendf(nil, "%s %d", word, n) })
}

// breathe is speak in Opus that decodes: frames of silence, with a word in what pads them
// (RFC 6716, section 3.2.5).
func (r *recorded) breathe(n int, word string) {
	r.t.Helper()
	r.paced(n, func(int) []byte { return append([]byte{0xfb, 0x41, byte(len(word)), 0xff, 0xfe}, word...) })
}

func (r *recorded) paced(n int, payload func(n int) []byte) {
	r.t.Helper()
	for range n {
		before := r.witness.packetsOf(r.voice.sid())
		r.sent++
		r.voice.write(uint32(r.sent)*960, true, payload(r.sent))
		r.witness.receives(r.voice.sid(), before+1)
		r.witness.moreOf(r.meetingRoom.voice.sid(), 1)
	}
}

// size is how much of the recording is on the disk.
func (r *recorded) size() (n int64) {
	parts, err := filepath.Glob(filepath.Join(r.data, "recordings", r.id, "part-*.tar"))
	if err != nil {
		r.t.Fatal(err)
	}
	for _, part := range parts {
		if info, err := os.Stat(part); err == nil {
			n += info.Size()
		}
	}
	return n
}

// command runs the program on the recording's files.
func (r *recorded) command(args ...string) (string, error) {
	r.t.Helper()
	return r.offline(append(args, "--node-key", filepath.Join(r.data, "node-key.json"))...)
}

// offline runs the program with what is given alone.
func (r *recorded) offline(args ...string) (string, error) {
	r.t.Helper()
	path, err := program()
	if err != nil {
		r.t.Fatal(err)
	}
	out, err := exec.CommandContext(r.t.Context(), path, args...).CombinedOutput()
	return string(out), err
}

// A disk for recordings that fills up during a call: the recording ends by itself and hosts
// read why, every packet goes on to everybody, and what was written verifies.
func TestAFullDiskEndsTheRecordingAndNotTheCall(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	disk, prepare := newDecidedDisk(t, filepath.Join(data, "recordings"))
	disk.fill(1 << 30)
	r := newRecordedAt(t, data, ownServerAs(t, prepare, data))
	for empty := r.size(); r.size() < empty+20_000; {
		r.speak(25, "EARLIER")
	}
	disk.fill(64 << 20) // less than is left to others
	var list struct {
		Recordings []struct{ State, Because string }
	}
	for began := time.Now(); len(list.Recordings) == 0 || list.Recordings[0].State != "stopped"; {
		r.speak(25, "MEANWHILE")
		status, answer := r.send("GET", r.agent, "", "meetings/"+r.meetingRoom.id+"/recordings", nil)
		if err := json.Unmarshal(answer, &list); err != nil || status != http.StatusOK || time.Since(began) > patience {
			t.Fatalf("it goes on: %d %s, %v", status, answer, err)
		}
	}
	if got := list.Recordings[0].Because; got != "no-room" {
		t.Errorf("it stopped because of %q", got)
	}
	if status, answer := r.send("GET", r.agent, "", r.call("recording"), nil); status != http.StatusOK || !strings.Contains(string(answer), `"state":"none"`) {
		t.Errorf("then %d %s", status, answer)
	}
	written := r.size()
	r.speak(50, "AFTERWARDS")
	if got := r.size(); got != written {
		t.Errorf("%d bytes were written after it had ended", got-written)
	}
	r.inTheClear("EARLIER ", "MEANWHILE ", "AFTERWARDS ")
	if out, err := r.command("record", "verify", filepath.Join(disk.folder, r.id)); err != nil || !strings.Contains(out, "(no room on the disk)") {
		t.Errorf("%v\n%s", err, out)
	}
}

// comesLate is a guest who comes while it runs, is heard by the others, and never answers.
func (r *recorded) comesLate() *rawTrack {
	r.t.Helper()
	g := r.invite("Yusuf Adeyemi")
	voice := r.join(g.identity, g.token, false).publish(livekit.TrackType_AUDIO, "unasked", microphone)
	stop := voice.play() // until the way to the others stands
	for _, other := range []*rawClient{r.witness, r.host} {
		other.receives(voice.sid(), 5)
	}
	stop()
	return voice
}

// opened is the folder in which the archive has opened the recording.
func (r *recorded) opened() string {
	r.t.Helper()
	opened := filepath.Join(r.t.TempDir(), "opened")
	if out, err := r.command("record", "open", filepath.Join(r.data, "recordings", r.id), "-i", filepath.Join(r.data, "archive.key"), "-o", opened); err != nil {
		r.t.Fatalf("%v\n%s", err, out)
	}
	return opened
}

// inTheClear looks for words of the media in all that the server has on its disk.
func (r *recorded) inTheClear(words ...string) {
	r.t.Helper()
	for _, word := range words {
		if found := holding(r.t, r.data, word); len(found) > 0 {
			r.t.Errorf("%q is in the clear in %q", word, found)
		}
	}
	if len(holding(r.t, r.data, "Inês Duarte")) == 0 { // the database knows who was let in
		r.t.Error("it was not looked where the server writes")
	}
}

// Nothing of what is said after a withdrawal or a stop has been answered is in the journal,
// whenever the program is killed, nor of somebody who came while it ran and has not answered,
// while all of it reaches everybody in the call. What is in it is on the disk in no other way.
func TestOnlyWhatWasAgreedToIsWritten(t *testing.T) {
	t.Parallel()
	withdrawn := func(segments int) func(*recorded) {
		return func(r *recorded) {
			r.says("decline")
			r.speak(5+40*segments, "LATER")
			r.srv.kill()
		}
	}
	for name, ends := range map[string]func(*recorded){
		"killed at once":         withdrawn(0),
		"killed after a segment": withdrawn(1),
		"killed after two":       withdrawn(2),
		"stopped":                (*recorded).stopsAndGoesOn,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRecorded(t, t.TempDir())
			unasked := r.comesLate()
			heard := r.witness.packetsOf(unasked.sid())
			said := 0
			for empty := r.size(); said < 100 || r.size() < empty+10_000; { // two seconds, and more
				said++
				unasked.write(uint32(said)*960, true, fmt.Appendf(nil, "UNASKED %d", said))
				r.speak(1, "EARLIER")
			}
			r.witness.receives(unasked.sid(), heard+said)
			ends(r)
			r.inTheClear("EARLIER ", "LATER ", "UNASKED ")
			journal, err := os.ReadFile(filepath.Join(r.opened(), "journal"))
			if err != nil {
				t.Fatal(err)
			}
			count := func(word string) int { return bytes.Count(journal, []byte(word)) }
			if count("EARLIER ") == 0 || count("LATER ") > 0 || count("UNASKED ") > 0 {
				t.Errorf("in the journal are %d packets of before the end, %d of after it, and of %d of somebody who had not answered %d",
					count("EARLIER "), count("LATER "), said, count("UNASKED "))
			}
		})
	}
}

// A recording says by itself what its people agreed to, what they were in the meeting, and
// which host did what.
func TestARecordingSaysWhatWasAgreedTo(t *testing.T) {
	t.Parallel()
	r := newRecorded(t, t.TempDir())
	r.speak(10, "EARLIER")
	for _, act := range []string{"pause", "resume"} {
		r.must(r.agent, "", r.call("recording/"+act), nil, nil)
	}
	r.says("decline")
	r.stopsAndGoesOn()
	out := filepath.Join(t.TempDir(), "exported")
	if said, err := r.offline("record", "export", r.opened(), "-o", out); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	text, err := os.ReadFile(filepath.Join(out, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index struct {
		People []struct{ Identity, Kind string }
		Events []struct{ Kind, Identity, Answer, Wording string }
	}
	unmarshal(t, text, &index)
	kinds := map[string]string{}
	for _, p := range index.People {
		kinds[p.Identity] = p.Kind
	}
	if kinds[r.host.name] != "host" || kinds[r.guest.identity] != "guest" || len(kinds) != 2 {
		t.Errorf("people: %v", kinds)
	}
	by, answers := map[string]string{}, 0
	for _, e := range index.Events {
		switch e.Kind {
		case "consent":
			answers++
			var question struct {
				Purpose, Policy, Profile string
				KeepDays                 int `json:"keep_days"`
				ProfileVersion           int `json:"profile_version"`
			}
			unmarshal(t, []byte(e.Wording), &question)
			if question.Purpose != "Compte rendu" || question.Policy != "consent" || question.KeepDays != 90 || question.Profile != "standard" || question.ProfileVersion != 1 {
				t.Errorf("%s has %s to %s", e.Identity, e.Answer, e.Wording)
			}
		case "paused", "resumed", "stopped":
			by[e.Kind] = e.Identity
		}
	}
	if answers != 3 {
		t.Errorf("%d answers, want two and a withdrawal", answers)
	}
	for _, kind := range []string{"paused", "resumed", "stopped"} {
		if by[kind] != r.host.name {
			t.Errorf("%s by %q, want %q", kind, by[kind], r.host.name)
		}
	}
}

// stopsAndGoesOn stops the recording, and has the call go on.
func (r *recorded) stopsAndGoesOn() {
	r.t.Helper()
	r.must(r.agent, "", r.call("recording/stop"), nil, nil)
	r.speak(50, "LATER")
	r.eventually("the recording is closed", func() bool {
		_, err := r.command("record", "verify", filepath.Join(r.data, "recordings", r.id))
		return err == nil
	})
}
