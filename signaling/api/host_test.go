package api

import "testing"

func TestHost(t *testing.T) {
	for origin, want := range map[string]string{
		"https://visio.example": "visio.example", "http://127.0.0.1:7880": "127.0.0.1", "http://[::1]:7880": "::1",
	} {
		if got := host(origin); got != want {
			t.Errorf("%s: %q, want %q", origin, got, want)
		}
	}
}
