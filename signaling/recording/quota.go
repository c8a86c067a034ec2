package recording

import "fmt"

// Quotas are how many bytes the recordings of a post may take.
type Quotas struct {
	Each int64            // of every post; 0: no bound
	Of   map[string]int64 // by id of the post, where it is another; 0: no bound
}

// For is the quota of a post; 0: none.
func (q Quotas) For(post string) int64 {
	if own, ok := q.Of[post]; ok {
		return own
	}
	return q.Each
}

// None tells whether no post has one.
func (q Quotas) None() bool {
	for _, own := range q.Of {
		if own > 0 {
			return false
		}
	}
	return q.Each == 0
}

// nearQuota is from which share of it on a quota is said to be nearly used up, in percent.
const nearQuota = 80

// Usage is how much of its quota a post's recordings take, in bytes: those that are kept
// and those under way.
type Usage struct{ Used, Limit int64 }

// Full tells whether there is no room for another recording.
func (u Usage) Full() bool { return u.Limit > 0 && u.Used >= u.Limit }

// Near tells whether hosts are told.
func (u Usage) Near() bool { return u.Limit > 0 && u.Used >= u.Limit/100*nearQuota }

// QuotaError says that the recordings of the post take all they may.
type QuotaError struct{ Usage }

func (e *QuotaError) Error() string {
	return fmt.Sprintf("the recordings of the post take %d of %d bytes", e.Used, e.Limit)
}
