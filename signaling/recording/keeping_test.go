package recording

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var keptFrom = time.Date(2027, 3, 2, 9, 0, 0, 0, time.UTC)

// Who may do what is told here in other words than in the rules: by sentences, each of
// which allows one act.
func mayInWords(act Act, e Entry, who Access, now time.Time) bool {
	readable := e.Deletion == nil && (e.EndedAt.IsZero() || now.Before(e.EndedAt.AddDate(0, 0, e.KeepDays)))
	switch act {
	case ToDownload: // hosts for as long as it is kept; colleagues until their time is over
		return readable && (who.Host || who.Cohost || who.SharedUntil.After(now))
	case ToWatch: // whoever gets it, once it has stopped, where the server has a key
		return e.Watchable && e.State == Stopped && mayInWords(ToDownload, e, who, now)
	case ToCompose: // hosts who may watch it, unless it is on hold: the film that is there would go
		return (who.Host || who.Cohost) && e.Hold == nil && mayInWords(ToWatch, e, who, now)
	case ToShare: // hosts, once it is known until when it is kept
		return readable && e.State == Stopped && (who.Host || who.Cohost)
	case ToDelete: // the host alone, and nobody while it is on hold or locked in the store
		return who.Host && e.State == Stopped && e.Hold == nil && !e.Lock.Until.After(now)
	case ToHold: // administrators, before anything deletes it
		return who.Administrator && e.Hold == nil && e.Deletion == nil
	case ToLift:
		return who.Administrator && e.Hold != nil
	}
	return false
}

func TestWhoMayDoWhatWithARecording(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := Entry{Recording: Recording{State: rapid.SampledFrom([]State{Running, Paused, Interrupted, Stopping, Stopped}).Draw(t, "state"), StartedAt: keptFrom, KeepDays: 1}}
		if e.State == Stopping || e.State == Stopped {
			e.EndedAt = keptFrom
		}
		e.Watchable = rapid.Bool().Draw(t, "watchable")
		if rapid.Bool().Draw(t, "held") {
			e.Hold = &Hold{Since: keptFrom}
		} else if rapid.Bool().Draw(t, "deleting") {
			e.Deletion = &Deletion{Since: keptFrom}
		}
		if rapid.Bool().Draw(t, "locked") {
			e.Lock.Until = keptFrom.AddDate(0, 0, 1)
		}
		who := Access{
			Host: rapid.Bool().Draw(t, "host"), Cohost: rapid.Bool().Draw(t, "cohost"), Administrator: rapid.Bool().Draw(t, "administrator"),
			SharedUntil: rapid.SampledFrom([]time.Time{{}, keptFrom, keptFrom.Add(time.Hour), keptFrom.AddDate(0, 0, 1)}).Draw(t, "shared"),
		}
		now := keptFrom.Add(rapid.SampledFrom([]time.Duration{-time.Second, 0, time.Second, time.Hour, 24*time.Hour - 1, 24 * time.Hour, 25 * time.Hour}).Draw(t, "now"))
		var want []Act
		for _, act := range Acts() {
			err := e.May(act, who, now)
			if (err == nil) != mayInWords(act, e, who, now) {
				t.Fatalf("%s: %v", act, err)
			}
			if err == nil {
				want = append(want, act)
			}
		}
		if got := e.Allowed(who, now); !slices.Equal(got, want) {
			t.Fatalf("allowed %q, want %q", got, want)
		}
		if (who == Access{} || who == Access{SharedUntil: keptFrom}) && now.After(keptFrom) && (len(want) > 0 || e.Listed(who, now)) {
			t.Fatalf("a stranger may %q", want)
		}
		// Nothing expires by itself that is held, or could still be read.
		if e.Expire(now) == nil && (e.Hold != nil || mayInWords(ToDownload, e, Access{Host: true}, now)) {
			t.Fatal("it expires")
		}
	})
}

// The sweep lists what is due and deletes one after the other: what was put on hold
// meanwhile, or is not over, it leaves.
func TestWhatTheSweepLeaves(t *testing.T) {
	over := keptFrom.AddDate(0, 0, 1)
	stopped := Recording{State: Stopped, StartedAt: keptFrom, EndedAt: keptFrom, KeepDays: 1}
	running := Recording{State: Running, StartedAt: keptFrom, KeepDays: 1}
	for _, c := range []struct {
		e    Entry
		now  time.Time
		want error
	}{
		{Entry{stopped, Keeping{}}, over, nil},
		{Entry{stopped, Keeping{}}, over.Add(-1), ErrState},
		{Entry{stopped, Keeping{Hold: &Hold{Since: keptFrom}}}, over, ErrHeld},
		{Entry{stopped, Keeping{Deletion: &Deletion{Since: keptFrom}}}, keptFrom, nil}, // what was begun goes on
		{Entry{running, Keeping{}}, over.AddDate(1, 0, 0), ErrState},
	} {
		if err := c.e.Expire(c.now); !errors.Is(err, c.want) {
			t.Errorf("%+v at %s: %v, want %v", c.e, c.now, err, c.want)
		}
	}
}

func TestSharesEndWithTheRecording(t *testing.T) {
	e := Entry{Recording: Recording{State: Stopped, StartedAt: keptFrom, EndedAt: keptFrom, KeepDays: 1}}
	over := keptFrom.AddDate(0, 0, 1)
	for _, c := range []struct{ until, want time.Time }{
		{time.Time{}, over}, {over.Add(time.Second), over}, {over, over}, {keptFrom.Add(time.Hour), keptFrom.Add(time.Hour)},
	} {
		k, s, err := e.Share(Share{Account: "luc", Since: keptFrom, Until: c.until})
		if err != nil || !s.Until.Equal(c.want) || !k.SharedWith("luc").Equal(c.want) || !k.SharedWith("").IsZero() {
			t.Errorf("until %s: %+v %v", c.until, k, err)
		}
		// Again, it is another time and no second share.
		e := Entry{e.Recording, k}
		if k, _, _ := e.Share(Share{Account: "luc", Since: keptFrom, Until: keptFrom.Add(time.Minute)}); len(k.Shares) != 1 || !k.SharedWith("luc").Equal(keptFrom.Add(time.Minute)) {
			t.Errorf("shared again: %+v", k)
		}
		if k, was := e.Unshare("luc"); !was || len(k.Shares) != 0 {
			t.Errorf("taken back: %+v %t", k, was)
		}
		if _, was := e.Unshare("marc"); was {
			t.Error("taken back from somebody else")
		}
	}
	for i := range MaxShares {
		k, _, err := e.Share(Share{Account: fmt.Sprint(i), Since: keptFrom, Until: keptFrom.Add(time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		e.Keeping = k
	}
	if _, _, err := e.Share(Share{Account: "luc", Since: keptFrom}); !errors.Is(err, ErrShares) {
		t.Errorf("one too many: %v", err)
	}
	if k, _, err := e.Share(Share{Account: "luc", Since: keptFrom.Add(time.Minute)}); err != nil || len(k.Shares) != 1 {
		t.Errorf("those that are over count: %d, %v", len(k.Shares), err)
	}
}

// Whoever began a deletion did it, whoever tries again.
func TestADeletionIsOfWhoBeganIt(t *testing.T) {
	first := Deletion{By: "anne", Because: ByTheHost, Since: keptFrom, Tried: keptFrom}
	k := Entry{}.Delete(first)
	again := Entry{Keeping: k}.Delete(Deletion{Because: ByTime, Since: keptFrom.Add(time.Hour), Tried: keptFrom.Add(time.Hour)})
	if want := (Deletion{By: "anne", Because: ByTheHost, Since: keptFrom, Tried: keptFrom.Add(time.Hour)}); *k.Deletion != first || *again.Deletion != want {
		t.Errorf("%+v, then %+v", k.Deletion, again.Deletion)
	}
}

func TestQuotas(t *testing.T) {
	q := Quotas{Each: 1000, Of: map[string]int64{"dakar": 0, "rome": 10}}
	if q.For("paris") != 1000 || q.For("dakar") != 0 || q.For("rome") != 10 || q.None() || !(Quotas{}).None() || !(Quotas{Of: map[string]int64{"dakar": 0}}).None() {
		t.Errorf("%+v", q)
	}
	for _, c := range []struct {
		used, limit int64
		near, full  bool
	}{{799, 1000, false, false}, {800, 1000, true, false}, {999, 1000, true, false}, {1000, 1000, true, true}, {5000, 0, false, false}} {
		if u := (Usage{c.used, c.limit}); u.Near() != c.near || u.Full() != c.full {
			t.Errorf("%+v: near %t, full %t", u, u.Near(), u.Full())
		}
	}
}
