package sfu

import (
	"fmt"
	"testing"
	"time"
)

// sent is an outbox that has sent packets of the given senders, in order, each of
// ten bytes and with the next number of its sender.
func sent(o *outbox, channel uint64, at time.Time, senders ...*Session) {
	for _, from := range senders {
		seq := uint32(1)
		for _, p := range o.past {
			if p.from == from {
				seq = p.seq + 1
			}
		}
		o.remember(parcel{from, seq, make([]byte, 10)}, channel, at)
	}
}

func queued(o *outbox) (out string) {
	for _, p := range o.reliable {
		out += fmt.Sprintf("%s%d ", p.from.sid, p.seq)
	}
	return out
}

func TestReplay(t *testing.T) {
	a, b := &Session{sid: "a"}, &Session{sid: "b"}
	now := time.Now()
	for _, tt := range []struct {
		name     string
		last     map[string]uint32
		channel  uint64 // that is written to now
		buffered uint64 // by it
		want     string
	}{
		{"everything has arrived", map[string]uint32{"a": 3, "b": 2}, 1, 0, ""},
		{"the last of one are missing", map[string]uint32{"a": 1, "b": 2}, 1, 0, "a2 a3 "},
		{"of two, in the order they were sent", map[string]uint32{"a": 1, "b": 1}, 1, 0, "b2 a2 a3 "},
		{"a sender it has not heard", map[string]uint32{"a": 3}, 1, 0, "b1 b2 "},
		{"numbers from the future", map[string]uint32{"a": 9, "b": 9}, 1, 0, ""},
		{"still on its way: SCTP brings it, and what came before is there", map[string]uint32{"a": 1, "b": 1}, 1, 10, "b2 "},
		{"all of it is on its way", map[string]uint32{"a": 1, "b": 1}, 1, 50, ""},
		{"on its way in a channel that is gone", map[string]uint32{"a": 1, "b": 2}, 2, 0, "a2 a3 "},
	} {
		o := newOutbox(1000, &counters{})
		sent(o, 1, now, a, b, b, a, a)
		waiting := parcel{a, 4, make([]byte, 10)}
		if o.add(waiting.from, waiting.seq, waiting.packet) != nil {
			t.Fatal("no room")
		}
		size := o.size
		n := o.replay(tt.last, tt.channel, tt.buffered)
		if got, want := queued(o), tt.want+"a4 "; got != want {
			t.Errorf("%s: %s, want %s", tt.name, got, want)
		}
		if o.size != size+10*n || o.pastSize != 50-10*n || len(o.past) != 5-n {
			t.Errorf("%s: %d bytes wait, %d are kept of %d packets", tt.name, o.size, o.pastSize, len(o.past))
		}
		for len(o.reliable) > 0 {
			o.pop()
		}
		if o.size != 0 || len(o.share) != 0 {
			t.Errorf("%s: %d bytes, shares %v after everything went", tt.name, o.size, o.share)
		}
	}
}

// What is kept is bounded by bytes and by age; packets without a number nobody can
// ask for, and those on their way outlast their age.
func TestWhatIsKeptForAReplayIsBounded(t *testing.T) {
	a := &Session{sid: "a"}
	now := time.Now()
	o := newOutbox(1000, &counters{})
	for range 100 {
		sent(o, 1, now, a)
	}
	if o.pastSize != 1000/shares || o.past[len(o.past)-1].seq != 100 {
		t.Errorf("%d bytes are kept, the last is %d", o.pastSize, o.past[len(o.past)-1].seq)
	}
	o.remember(parcel{nil, 0, make([]byte, 10)}, 1, now)
	if n := len(o.past); o.past[n-1].seq != 100 {
		t.Error("a packet without a number is kept")
	}
	o.forget(1, 40, now.Add(time.Second)) // the last four, one of them without a number
	if len(o.past) != 3 {
		t.Errorf("%d are kept of the 3 on their way", len(o.past))
	}
	o.forget(2, 0, now.Add(time.Second))
	if len(o.past) != 0 || o.pastSize != 0 {
		t.Errorf("%d are kept, %d bytes", len(o.past), o.pastSize)
	}
	o.close()
	if o.replay(nil, 1, 0) != 0 {
		t.Error("a closed outbox replays")
	}
}
