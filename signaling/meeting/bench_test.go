package meeting_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aparte/signaling/link"
	"aparte/signaling/login"
	"aparte/signaling/meeting"
	"aparte/signaling/store"
)

// BenchmarkKnocks is a crowd that opens links and knocks, in many meetings at a
// time and on a real disk: two durable writes for each knock.
func BenchmarkKnocks(b *testing.B) {
	for _, meetings := range []int{1, 32} {
		b.Run(fmt.Sprintf("meetings=%d", meetings), func(b *testing.B) { benchmarkKnocks(b, meetings) })
	}
}

func benchmarkKnocks(b *testing.B, meetings int) {
	s, err := store.Open(b.Context(), b.TempDir(), quiet)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if err := s.AddPost(b.Context(), dakar, ""); err != nil {
		b.Fatal(err)
	}
	if err := s.AddAccount(b.Context(), login.Account{ID: anne.Account, Name: anne.Name, Email: "a@aparte.example", Posts: inDakar, CreatedAt: start},
		login.Code{Account: anne.Account, CreatedAt: start, ExpiresAt: start}); err != nil {
		b.Fatal(err)
	}
	all := meeting.NewMeetings(meeting.Config{Store: s, Media: new(call), Now: func() time.Time { return start }, Random: rand.Reader, Log: quiet})
	defer all.Close()
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	var wg sync.WaitGroup
	for range meetings {
		wg.Go(func() {
			for left.Load() > 0 {
				if err := crowd(b, all, &left); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "knocks/s")
}

// crowd has 16 guests at a time knock through as many links of a new meeting.
func crowd(b *testing.B, all *meeting.Meetings, left *atomic.Int64) error {
	m, err := all.Create(b.Context(), anne, meeting.Draft{Title: "Foule"})
	if err != nil {
		return err
	}
	failed := make(chan error, 16)
	for range 16 {
		go func() { failed <- through(b, all, m.ID, left) }()
	}
	for range 16 {
		if e := <-failed; e != nil {
			err = e
		}
	}
	return err
}

func through(b *testing.B, all *meeting.Meetings, id string, left *atomic.Int64) error {
	secret, hash, err := link.MakeSecret(rand.Reader)
	if err != nil {
		return err
	}
	l, err := all.CreateLink(b.Context(), anne, id, link.Draft{Kind: link.Shared, ExpiresAt: start.Add(time.Hour), CodeHash: hash})
	if err != nil {
		return err
	}
	raw, err := base64.RawURLEncoding.DecodeString(secret)
	if err != nil {
		return err
	}
	code, err := link.Code(raw)
	if err != nil {
		return err
	}
	for range 20 { // as many as may wait through one link
		if left.Add(-1) < 0 {
			return nil
		}
		token, _, err := all.Redeem(b.Context(), l.ID, base64.RawURLEncoding.EncodeToString(code), nil)
		if err != nil {
			return err
		}
		c, err := all.Recognise(b.Context(), token)
		if err != nil {
			return err
		}
		if _, err := all.Knock(b.Context(), c, meeting.Asking{Name: "Inês", Organisation: "MNE"}); err != nil {
			return err
		}
	}
	return nil
}
