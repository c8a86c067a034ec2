package brand

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// colours are values by the name of their token (tokens.css), such as "#0b5563".
type colours map[string]string

// Themes of the client, in the order in which their tokens stand in tokens.css.
const (
	light = "light"
	dark  = "dark"
)

var (
	block = regexp.MustCompile(`:root[^{]*\{([^{}]*)\}`)
	token = regexp.MustCompile(`--([\w-]+):\s*(#[0-9a-f]{6})`)
)

// themesOf reads the client's own colours: the first block is the light theme, the second
// what the dark one changes in it.
func themesOf(css string) (map[string]colours, error) {
	blocks := block.FindAllStringSubmatch(css, -1)
	if len(blocks) < 2 {
		return nil, fmt.Errorf("the client's colours: %d blocks, want two and more", len(blocks))
	}
	read := func(of string, into colours) colours {
		for _, found := range token.FindAllStringSubmatch(of, -1) {
			into[found[1]] = found[2]
		}
		return into
	}
	bright := read(blocks[0][1], colours{})
	return map[string]colours{light: bright, dark: read(blocks[1][1], maps.Clone(bright))}, nil
}

// pair is a colour that is read, or seen, before another, and the least contrast that
// this needs.
type pair struct {
	front, ground string
	least         float64
}

func (p *pair) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&p.front, &p.ground, &p.least})
}

// shortfall is the first pair that a pack's colours leave with too little contrast.
func shortfall(own colours, all colours, pairs []pair) error {
	for _, p := range pairs {
		_, front := own[p.front]
		_, ground := own[p.ground]
		if !front && !ground {
			continue
		}
		if got := contrast(all[p.front], all[p.ground]); got < p.least {
			return fmt.Errorf("%s on %s has a contrast of %.1f, needs %.1f", p.front, p.ground, math.Floor(got*10)/10, p.least)
		}
	}
	return nil
}

// contrast is the ratio of WCAG 2.2, from 1 to 21.
func contrast(a, b string) float64 {
	l := []float64{luminance(a), luminance(b)}
	slices.Sort(l)
	return (l[1] + 0.05) / (l[0] + 0.05)
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(colour string) float64 {
	n, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32)
	if err != nil {
		return math.NaN() // which no contrast is enough for
	}
	var out float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := float64(n>>(16-8*i)&0xff) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		out += weight * c
	}
	return out
}
