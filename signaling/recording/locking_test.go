package recording

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestHowARecordingIsLocked(t *testing.T) {
	day := func(n int) time.Time { return keptFrom.AddDate(0, 0, n) }
	begun := Recording{State: Running, StartedAt: keptFrom, KeepDays: 30}
	ended := Recording{State: Stopped, StartedAt: keptFrom, EndedAt: day(1), KeepDays: 30}
	hold, deletion := &Hold{Since: keptFrom}, &Deletion{Since: keptFrom}
	for name, c := range map[string]struct {
		entry  Entry
		policy bool
		want   Lock
	}{
		"nothing asks for it":             {Entry{ended, Keeping{}}, false, Lock{}},
		"nor where it is on hold":         {Entry{ended, Keeping{Hold: hold}}, false, Lock{}},
		"while it runs":                   {Entry{begun, Keeping{}}, true, Lock{Until: day(30)}},
		"once it has ended":               {Entry{ended, Keeping{Lock: Lock{Until: day(30)}}}, true, Lock{Until: day(31)}},
		"never brought forward":           {Entry{ended, Keeping{Lock: Lock{Until: day(40)}}}, true, Lock{Until: day(40)}},
		"on hold":                         {Entry{ended, Keeping{Hold: hold}}, true, Lock{Until: day(31), Hold: HeldThere}},
		"lifted":                          {Entry{ended, Keeping{Lock: Lock{Until: day(31), Hold: HeldThere}}}, true, Lock{Until: day(31), Hold: HoldOver}},
		"lifted long ago":                 {Entry{ended, Keeping{Lock: Lock{Until: day(31), Hold: HoldOver}}}, true, Lock{Until: day(31), Hold: HoldOver}},
		"held again":                      {Entry{ended, Keeping{Hold: hold, Lock: Lock{Until: day(31), Hold: HoldOver}}}, true, Lock{Until: day(31), Hold: HeldThere}},
		"being deleted":                   {Entry{ended, Keeping{Deletion: deletion}}, true, Lock{}},
		"being deleted, after a hold":     {Entry{ended, Keeping{Deletion: deletion, Lock: Lock{Until: day(30), Hold: HeldThere}}}, true, Lock{Until: day(30), Hold: HoldOver}},
		"no longer asked for: as it was":  {Entry{ended, Keeping{Lock: Lock{Until: day(30)}}}, false, Lock{Until: day(30)}},
		"no longer asked for, and held":   {Entry{ended, Keeping{Hold: hold, Lock: Lock{Until: day(30)}}}, false, Lock{Until: day(30), Hold: HeldThere}},
		"no longer asked for, and lifted": {Entry{ended, Keeping{Lock: Lock{Until: day(30), Hold: HeldThere}}}, false, Lock{Until: day(30), Hold: HoldOver}},
	} {
		if got := c.entry.LockNow(c.policy); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// Whatever happens in whatever order, what is locked is never locked for longer than people
// were told that it is kept, and an end never comes nearer.
func TestALockIsNeverLongerThanWhatPeopleWereTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := Entry{Recording: Recording{State: Running, StartedAt: keptFrom, KeepDays: rapid.IntRange(1, 1830).Draw(t, "days")}}
		told := func(end time.Time) time.Time { return end.AddDate(0, 0, e.KeepDays) }
		now := keptFrom
		for range rapid.IntRange(1, 8).Draw(t, "acts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "minutes")) * time.Minute)
			switch rapid.SampledFrom([]string{"stop", "hold", "lift", "delete"}).Draw(t, "act") {
			case "stop":
				if e.EndedAt.IsZero() {
					e.State, e.EndedAt = Stopped, now
				}
			case "hold":
				if e.Deletion == nil {
					e.Hold = &Hold{Since: now}
				}
			case "lift":
				e.Hold = nil
			case "delete":
				if e.May(ToDelete, Access{Host: true}, now) == nil {
					e.Deletion = &Deletion{Since: now}
				}
			}
			before := e.Lock
			e.Lock = e.LockNow(rapid.Bool().Draw(t, "policy"))
			end := e.EndedAt
			if end.IsZero() {
				end = now // it ends no earlier
			}
			if e.Lock.Until.After(told(end)) || e.Lock.Until.Before(before.Until) {
				t.Fatalf("locked until %s, before until %s; told until %s", e.Lock.Until, before.Until, told(end))
			}
			if e.Lock.Hold == HeldThere && e.Hold == nil {
				t.Fatal("held in the store alone")
			}
		}
	})
}
