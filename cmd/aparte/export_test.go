package main

import (
	"os"
	"time"

	"github.com/pion/rtp"
	"github.com/rogpeppe/go-internal/testscript"

	"aparte/recorder/journal"
	"aparte/sfu/tap"
)

// speak writes what is spoken to a file: speak FILE.
func speak(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), spoken(), 0o600))
}

// spoken is a journal in which Anne says nothing for a second, into her microphone.
func spoken() []byte {
	b := journal.Append(nil, 0, journal.Head{Part: 1, Began: time.Unix(1_800_000_000, 0)})
	b = journal.Append(b, 0, journal.Started{Recording: "r1", Room: "room-1", By: "anne"})
	b = journal.Append(b, 0, journal.Joined{Identity: "anne", Name: "Anne Bernard", Kind: "host"})
	b = journal.Append(b, 0, journal.Begin{Stream: tap.Stream{
		ID: 1, Identity: "anne", Track: "TR_a", Source: "microphone", Mime: "audio/opus", PayloadType: 111, ClockRate: 48000, Channels: 2,
	}})
	b = journal.Append(b, 0, journal.Begin{Stream: tap.Stream{
		ID: 2, Identity: "anne", Track: "TR_p", Source: "unknown", Mime: "audio/PCMU", ClockRate: 8000, Channels: 1,
	}})
	for n := range uint16(50) {
		at := time.Duration(n+1) * 20 * time.Millisecond
		raw, err := (&rtp.Packet{Header: rtp.Header{
			Version: 2, PayloadType: 111, SequenceNumber: n, Timestamp: uint32(n) * 960,
		}, Payload: []byte{0xf8, 0xff, 0xfe}}).Marshal()
		if err != nil {
			panic(err)
		}
		b = journal.Append(b, at, journal.Packet{Stream: 1, RTP: raw})
	}
	return journal.Append(b, time.Second, journal.Stopped{By: "anne"})
}
