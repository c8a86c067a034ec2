package sfu

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/livekit/protocol/livekit"
)

// resumes are how often the client was asked to resume.
func (e *ear) resumes() (n int) {
	for _, m := range e.heard {
		if m.GetLeave().GetAction() == livekit.LeaveRequest_RESUME {
			n++
		}
	}
	return n
}

// Both connections of a client fail, the second while the client has just come back
// because of the first: the resume under way restarts both and must not be cut off.
// Long after it a failure is a new one.
func TestTheSecondFailureLeavesTheResumeAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		protocol := &livekit.ClientInfo{Protocol: 17}
		st := newStage(t, protocol, simulcastInfo())
		s := st.owner.s
		fails := func() { (&connectionRequest{s: s, failed: true}).serve(st.room) }
		works := func() { (&connectionRequest{s: s}).serve(st.room) }
		resume := func() *ear {
			e := &ear{}
			reply := make(chan joinReply, 1)
			(&resumeRequest{params: JoinParams{Identity: "ann", Client: protocol, Permission: st.owner.info.Permission}, signal: e, reply: reply}).serve(st.room)
			if r := <-reply; r.err != nil {
				t.Fatal(r.err)
			}
			return e
		}

		first := resume()
		time.Sleep(time.Minute)
		if fails(); first.resumes() != 1 || s.signal.Load() != nil {
			t.Fatalf("asked to resume %d times after the first failure", first.resumes())
		}
		time.Sleep(time.Second)
		second := resume()
		works() // the first connection begins anew
		fails() // and now the other one is seen to have failed
		if second.resumes() != 0 || s.signal.Load() == nil {
			t.Error("the resume under way was cut off")
		}
		if st.owner.failedAt.IsZero() {
			t.Error("the second failure is not known: it would never end the session")
		}
		works()
		time.Sleep(time.Minute)
		if fails(); second.resumes() != 1 {
			t.Errorf("asked to resume %d times by a failure long after", second.resumes())
		}
	})
}
