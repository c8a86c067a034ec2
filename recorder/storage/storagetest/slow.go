package storagetest

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// Slow is a proxy before a store that has read what is put, and has not handed it on yet,
// as whoever put it goes away.
type Slow struct {
	Arrived chan string // paths of puts that are held
	// Release hands on one that is held, and returns once the store has answered.
	Release func()
	holding atomic.Bool
}

// Hold has it hold the next put.
func (s *Slow) Hold() { s.holding.Store(true) }

// Slowly has whoever asks for the store's address from here on reach it by a proxy.
func (g *Gateway) Slowly(t testing.TB) *Slow {
	t.Helper()
	store := g.Addr
	release, answered := make(chan struct{}), make(chan struct{})
	s := &Slow{Arrived: make(chan string, 1), Release: func() { release <- struct{}{}; <-answered }}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // it was called off before all of it was here
		}
		held := r.Method == http.MethodPut && s.holding.CompareAndSwap(true, false)
		if held {
			s.Arrived <- r.URL.Path
			<-release
			defer func() { answered <- struct{}{} }()
		}
		request, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, "http://"+store+r.URL.RequestURI(), bytes.NewReader(body))
		if err != nil {
			t.Error(err)
			return
		}
		request.Header, request.Host = r.Header.Clone(), r.Host // which is signed
		answer, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		maps.Copy(w.Header(), answer.Header)
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	}))
	t.Cleanup(proxy.Close)
	g.Addr = proxy.Listener.Addr().String()
	return s
}
