package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"aparte/recorder"
	"aparte/recorder/journal"
	"aparte/recorder/seal"
	"aparte/sfu/tap"
)

// capture records a meeting of a few segments: capture DATA ID RECIPIENT-FILE SEGMENTS,
// and leaves the recording open for another part if "suspend" follows.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 4 {
		ts.Fatalf("usage: capture DATA ID RECIPIENT-FILE SEGMENTS [suspend]")
	}
	data := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(data, 0o700))
	key, err := seal.LoadNodeKey(data, "paris-1")
	ts.Check(err)
	recipients, err := seal.ParseRecipients(ts.ReadFile(args[2]))
	ts.Check(err)
	segments, err := strconv.Atoi(args[3])
	ts.Check(err)
	ctx := context.Background()
	r, err := recorder.Start(recorder.Config{Dir: filepath.Join(data, "recordings"), Key: key, Recipients: recipients, Spare: 1},
		recorder.About{ID: args[1], Room: "room-1", Policy: "protected", By: "anne"})
	ts.Check(err)
	ts.Check(r.Note(journal.Joined{Identity: "anne", Name: "Anne Bernard", Kind: "host"}))
	ts.Check(r.Note(journal.Consent{Identity: "anne", Answer: journal.Given, Wording: "2027-1"}))
	r.Begin(tap.Stream{ID: 1, Identity: "anne", Track: "TR_a", Source: "microphone", Mime: "audio/opus"})
	for n := range segments {
		r.Packet(1, time.Now(), fmt.Appendf(nil, "RTP packet %d", n))
		ts.Check(r.Flush(ctx))
	}
	if len(args) > 4 {
		ts.Check(r.Suspend(ctx))
		return
	}
	ts.Check(r.Stop(ctx, "anne", ""))
}

// spoil changes a file as somebody might: spoil FILE cut BYTES, spoil FILE drop
// MEMBER..., spoil FILE flip MEMBER, spoil FILE swap MEMBER MEMBER.
func spoil(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	b, err := os.ReadFile(path)
	ts.Check(err)
	at := func(member string) (start, end int) {
		for start < len(b) {
			size, err := strconv.ParseInt(string(bytes.Trim(b[start+124:start+136], " \x00")), 8, 64)
			ts.Check(err)
			end = start + 512 + int(size+511)/512*512
			if string(bytes.TrimRight(b[start:start+100], "\x00")) == member {
				return start, end
			}
			start = end
		}
		ts.Fatalf("no member %s", member)
		return 0, 0
	}
	switch args[1] {
	case "cut":
		n, err := strconv.Atoi(args[2])
		ts.Check(err)
		b = b[:len(b)-n]
	case "drop":
		for _, member := range args[2:] {
			start, end := at(member)
			b = slices.Delete(b, start, end)
		}
	case "flip":
		start, _ := at(args[2])
		b[start+512+1650] ^= 1 // of what is encrypted: the header of one recipient is shorter
	case "swap":
		s1, e1 := at(args[2])
		s2, e2 := at(args[3])
		b = slices.Concat(b[:s1], b[s2:e2], b[e1:s2], b[s1:e1], b[e2:])
	default:
		ts.Fatalf("what is %q", args[1])
	}
	ts.Check(os.WriteFile(path, b, 0o600))
}

// mode wants a file to have these permissions: mode 600 FILE.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := strconv.FormatUint(uint64(info.Mode().Perm()), 8); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// What a file says that anybody may have made controls no terminal.
func TestNothingOfAFileControlsATerminal(t *testing.T) {
	const evil = "\x1b]0;evil\a\u202e\r\n\u009b31m"
	var out bytes.Buffer
	printRecording(&out, &seal.Report{
		Parts:    []seal.PartReport{{Name: "part-0001.tar", Binding: &seal.Binding{Recording: evil, Room: evil, Policy: evil}, Closing: &seal.Closing{Reason: evil}}},
		Findings: []seal.Finding{{Kind: seal.Added, Detail: "member " + evil + " after the closing"}}, Unclosed: evil,
	})
	dir := t.TempDir()
	journalOf := journal.Append(nil, 0, journal.Head{Part: 1, Began: time.Unix(1_800_000_000, 0)})
	journalOf = journal.Append(journalOf, 0, journal.Begin{Stream: tap.Stream{ID: 1, Identity: evil, Track: evil, Mime: "audio/" + evil, ClockRate: 8000}})
	if err := os.WriteFile(filepath.Join(dir, "journal"), journalOf, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&recordExport{Recording: dir, Output: filepath.Join(dir, "media")}).Run(t.Context(), &process{stdout: &out, stderr: &out}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "evil") || strings.ContainsAny(strings.ReplaceAll(out.String(), "\n", ""), "\x1b\a\r\u202e\u009b") || strings.Count(out.String(), "\n") != 5 {
		t.Errorf("printed %q", out.String())
	}
}
