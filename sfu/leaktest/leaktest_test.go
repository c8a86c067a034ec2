package leaktest

import (
	"strings"
	"testing"
	"time"
)

// lingering is what a test leaves: it ends when it is let.
func lingering(let <-chan struct{}) { <-let }

func TestWhatIsLeftBehindIsFound(t *testing.T) {
	let := make(chan struct{})
	go lingering(let)
	var said strings.Builder
	if code := after(0, 0, &said); code != 1 || !strings.Contains(said.String(), "leaktest.lingering") {
		t.Errorf("%d: %s", code, said.String())
	}
	if code := after(3, 0, &said); code != 3 {
		t.Errorf("tests that failed with 3 end with %d", code)
	}
	time.AfterFunc(600*time.Millisecond, func() { close(let) }) // longer than goleak searches by itself
	said.Reset()
	if code := after(0, wait, &said); code != 0 || said.Len() > 0 {
		t.Errorf("what ends late is told as left behind: %d, %s", code, said.String())
	}
}
