package measure

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// GoServer asks a Go program for its memory by net/http/pprof, which Aparté has on
// its admin listener and others on a debug port.
type GoServer struct {
	base   string // http://127.0.0.1:7881
	client *http.Client
}

// NewGoServer takes the address below which /debug/pprof/ is.
func NewGoServer(base string) *GoServer {
	return &GoServer{base: strings.TrimRight(base, "/"), client: &http.Client{Transport: &http.Transport{}}}
}

// Memory of a Go program, in bytes.
type Memory struct {
	// Heap is what spans in use hold, after a collection; Stack the stacks.
	Heap  int64 `json:"heap_bytes"`
	Stack int64 `json:"stack_bytes"`
	// Objects is the part of Heap that live objects take.
	Objects    int64 `json:"object_bytes"`
	Goroutines int64 `json:"goroutines"`
}

// InUse is heap and stack together, with the gaps in the heap's spans.
func (m Memory) InUse() int64 { return m.Heap + m.Stack }

// Live is what live objects and stacks take.
func (m Memory) Live() int64 { return m.Objects + m.Stack }

// collections before the memory is read: pools let go at the second, and stacks that
// were needed once halve at each. In an idle program one comes every two minutes.
const collections = 4

// Memory collects garbage in the program and reads what is left.
func (g *GoServer) Memory(ctx context.Context) (Memory, error) {
	var m Memory
	for range collections {
		err := g.read(ctx, "/debug/pprof/heap?gc=1&debug=1", func(line string) {
			for prefix, to := range map[string]*int64{
				"# HeapInuse = ": &m.Heap, "# HeapAlloc = ": &m.Objects, "# Stack = ": &m.Stack,
			} {
				if value, ok := strings.CutPrefix(line, prefix); ok {
					value, _, _ = strings.Cut(value, " /")
					*to, _ = strconv.ParseInt(value, 10, 64) // a 0 is refused below
				}
			}
		})
		if err != nil {
			return m, err
		}
	}
	if m.Heap == 0 || m.Stack == 0 {
		return m, fmt.Errorf("%s/debug/pprof/heap tells nothing of the heap", g.base)
	}
	var err error
	m.Goroutines, err = g.Goroutines(ctx)
	return m, err
}

// Hangup closes idle connections to the server, which has goroutines for each.
func (g *GoServer) Hangup() { g.client.CloseIdleConnections() }

// Goroutines counts them.
func (g *GoServer) Goroutines(ctx context.Context) (n int64, err error) {
	err = g.read(ctx, "/debug/pprof/goroutine?debug=1", func(line string) {
		if value, ok := strings.CutPrefix(line, "goroutine profile: total "); ok {
			n, _ = strconv.ParseInt(value, 10, 64) // a 0 is refused below
		}
	})
	if err == nil && n == 0 {
		err = fmt.Errorf("%s/debug/pprof/goroutine tells nothing of goroutines", g.base)
	}
	return n, err
}

// Stacks returns the goroutines by what they do, to be read by a person.
func (g *GoServer) Stacks(ctx context.Context) (string, error) {
	var b strings.Builder
	err := g.read(ctx, "/debug/pprof/goroutine?debug=1", func(line string) {
		b.WriteString(line)
		b.WriteByte('\n')
	})
	return b.String(), err
}

func (g *GoServer) read(ctx context.Context, path string, line func(string)) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.base+path, nil)
	if err != nil {
		return err
	}
	resp, err := g.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s%s: %s", g.base, path, resp.Status)
	}
	r := bufio.NewReader(resp.Body)
	for {
		text, err := r.ReadString('\n')
		line(strings.TrimRight(text, "\n"))
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
