package main

import (
	"fmt"
	"net/url"

	"aparte/cmd/aparte-load/client"
	"aparte/cmd/aparte-load/measure"
)

// server says which one is under load and what may be read of it.
type server struct {
	URL         string `default:"ws://127.0.0.1:7880" help:"The server; ws, wss, http or https."`
	APIKey      string `name:"api-key" default:"devkey" help:"Key that tokens are signed with."`
	APISecret   string `name:"api-secret" default:"secret" help:"Its secret."`
	Signal      string `enum:"v0,v1" default:"v1" help:"v0: two connections, /rtc. v1: one, /rtc/v1."`
	ServerPID   int    `name:"server-pid" help:"Read CPU and memory of this process of this machine (Linux)."`
	ServerPprof string `name:"server-pprof" placeholder:"URL" help:"Read heap, stacks and goroutines of a Go server here: what /debug/pprof/ is below, for aparte its admin listener."`
}

func (s *server) keys() client.Keys { return client.Keys{Key: s.APIKey, Secret: s.APISecret} }

// open finds the process and the profiles, where they were named.
func (s *server) open() (*measure.Process, *measure.GoServer, error) {
	if u, err := url.Parse(s.URL); err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss" && u.Scheme != "http" && u.Scheme != "https" {
		return nil, nil, usageError{fmt.Errorf("--url: %q is not ws://host:port or wss://host", s.URL)}
	}
	var process *measure.Process
	var server *measure.GoServer
	if s.ServerPID != 0 {
		var err error
		if process, err = measure.OpenProcess(s.ServerPID); err != nil {
			return nil, nil, usageError{fmt.Errorf("--server-pid: %w", err)}
		}
	}
	if s.ServerPprof != "" {
		if u, err := url.Parse(s.ServerPprof); err != nil || u.Host == "" {
			return nil, nil, usageError{fmt.Errorf("--server-pprof: %q is not http://host:port", s.ServerPprof)}
		}
		server = measure.NewGoServer(s.ServerPprof)
	}
	return process, server, nil
}
