package store

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/meeting"
)

// crashDir names the data directory to a child process that will be killed.
const crashDir = "APARTE_TEST_CRASH_DIR"

type noCall struct{}

func (noCall) Remove(string, string, livekit.DisconnectReason) bool { return false }
func (noCall) CloseRoom(string, livekit.DisconnectReason) bool      { return false }

// crashChild lets guests knock and a host decide as fast as it can, and prints
// each acknowledgement, until it is killed.
func crashChild(dir string) {
	ctx := context.Background()
	die := func(err error) {
		if err != nil {
			fmt.Println("FAILED", err)
			os.Exit(1)
		}
	}
	s, err := Open(ctx, dir, quiet)
	die(err)
	a, err := addHost(ctx, s)
	die(err)
	meetings := meeting.NewMeetings(meeting.Config{Store: s, Media: noCall{}, Now: time.Now, Random: rand.Reader, Log: quiet})
	host := meeting.Agent{Account: a.ID, Name: a.Name, Session: "x"}
	m, err := meetings.Create(ctx, host, meeting.Draft{Title: "Crash"})
	die(err)
	fmt.Println("meeting", m.ID)
	for range 4 {
		secret, hash, err := link.MakeSecret(rand.Reader)
		die(err)
		raw, err := base64.RawURLEncoding.DecodeString(secret)
		die(err)
		code, err := link.Code(raw)
		die(err)
		l, err := meetings.CreateLink(ctx, host, m.ID, link.Draft{Kind: link.Shared, ExpiresAt: time.Now().Add(time.Hour), CodeHash: hash})
		die(err)
		go func() {
			for i := 0; ; i++ {
				token, _, err := meetings.Redeem(ctx, l.ID, base64.RawURLEncoding.EncodeToString(code), nil)
				die(err)
				caller, err := meetings.Recognise(ctx, token)
				die(err)
				_, err = meetings.Knock(ctx, caller, meeting.Asking{Name: fmt.Sprintf("%s-%d", l.ID, i)})
				die(err)
				fmt.Printf("knocked %s-%d\n", l.ID, i)
			}
		}()
	}
	for turn := 0; ; turn++ {
		knocks, err := meetings.Knocks(ctx, host, m.ID)
		die(err)
		for _, k := range knocks {
			if k.Status != lobby.Waiting {
				continue
			}
			if turn++; turn%2 == 0 {
				_, err = meetings.Admit(ctx, host, m.ID, k.ID, lobby.Everything())
				die(err)
				fmt.Println("admitted", k.Name)
			} else {
				_, err = meetings.Deny(ctx, host, m.ID, k.ID, "")
				die(err)
				fmt.Println("denied", k.Name)
			}
		}
	}
}

// TestAcknowledgedDecisionsSurviveKill kills a process at moments nobody chose.
// What it had acknowledged must be there; it says nothing about a power failure.
func TestAcknowledgedDecisionsSurviveKill(t *testing.T) {
	for round := range 4 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			dir := t.TempDir()
			child := exec.CommandContext(t.Context(), os.Args[0])
			child.Env = append(os.Environ(), crashDir+"="+dir)
			out, err := child.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			acknowledged, id := make(map[string]lobby.Status), ""
			lines := bufio.NewScanner(out)
			for n := 0; lines.Scan(); n++ {
				verb, what, _ := strings.Cut(lines.Text(), " ")
				switch verb {
				case "meeting":
					id = what
				case "knocked":
					if acknowledged[what] == "" { // a decision may be printed first
						acknowledged[what] = lobby.Waiting
					}
				case "admitted":
					acknowledged[what] = lobby.Admitted
				case "denied":
					acknowledged[what] = lobby.Denied
				default:
					t.Fatalf("child says %s", lines.Text())
				}
				if n == 50+37*round {
					if err := child.Process.Kill(); err != nil {
						t.Fatal(err)
					}
				}
			}
			_ = child.Wait()
			s := open(t, dir)
			stored, err := s.LoadMeeting(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			found := make(map[string]lobby.Knock)
			places := make(map[int64]bool)
			for _, k := range stored.Lobby.Knocks {
				if places[k.Place] {
					t.Errorf("place %d twice", k.Place)
				}
				found[k.Name], places[k.Place] = k, true
				if (k.Status == lobby.Admitted) != (k.Admission != "") {
					t.Errorf("knock %s is %s with admission %q", k.Name, k.Status, k.Admission)
				}
			}
			for name, want := range acknowledged {
				// A decision may be stored though its acknowledgement was not printed any more.
				if got := found[name].Status; got != want && (want != lobby.Waiting || got == "") {
					t.Errorf("%s was acknowledged as %s and is %q", name, want, got)
				}
			}
			if len(acknowledged) < 10 {
				t.Errorf("only %d knocks before the kill", len(acknowledged))
			}
		})
	}
}
