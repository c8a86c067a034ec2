package login

import (
	"net/netip"
	"slices"
	"testing"
)

func TestBrowsersAreKnownAgain(t *testing.T) {
	const chromeUA = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
	for _, c := range []struct {
		name, userAgent, brands, platform string
		want                              Browser
	}{
		{"Firefox on Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "", "", Browser{"Firefox", "Windows"}},
		{"Firefox on Linux", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "", "", Browser{"Firefox", "Linux"}},
		{"Firefox on Android", "Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "", "", Browser{"Firefox", "Android"}},
		{"Safari on a Mac", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15", "", "", Browser{"Safari", "macOS"}},
		{"Safari on a phone", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1", "", "", Browser{"Safari", "iOS"}},
		{"Firefox on a phone", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/140.0 Mobile/15E148 Safari/605.1.15", "", "", Browser{"Firefox", "iOS"}},
		{"Edge", chromeUA + " Edg/131.0.0.0", `"Microsoft Edge";v="131", "Chromium";v="131", "Not_A Brand";v="24"`, `"Windows"`, Browser{"Edge", "Windows"}},
		{"Edge without hints", chromeUA + " Edg/131.0.0.0", "", "", Browser{"Edge", "Windows"}},
		{"Chrome", chromeUA, `"Google Chrome";v="131", "Chromium";v="131", "Not_A Brand";v="24"`, `"Windows"`, Browser{"Chrome", "Windows"}},
		{"Chromium, which calls itself Chrome", chromeUA, `"Chromium";v="131", "Not_A Brand";v="24"`, `"Linux"`, Browser{"Chromium", "Linux"}},
		{"Brave, which calls itself Chrome", chromeUA, `"Chromium";v="131", "Brave";v="131", "Not A(Brand";v="24"`, `"macOS"`, Browser{"Brave", "macOS"}},
		{"Chromebook", "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36", "", `"Chrome OS"`, Browser{"Chrome", "ChromeOS"}},
		{"a tool", "curl/8.5.0", "", "", Browser{}},
		{"nothing", "", "", "", Browser{}},
		{"markup", `<script>alert(1)</script>`, `"<b>";v="1"`, `"<i>"`, Browser{}},
	} {
		if got := DescribeBrowser(c.userAgent, c.brands, c.platform); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestAddressesAreShortened(t *testing.T) {
	for source, want := range map[string]string{
		"203.0.113.77": "203.0.113.0/24", "203.0.113.0/28": "203.0.113.0/24", "::ffff:203.0.113.77": "203.0.113.0/24",
		"2001:db8:1:2:3::4": "2001:db8:1::/48", "2001:db8:1:2::/64": "2001:db8:1::/48", "fe80::1%eth0": "fe80::/48",
		"": "", "here": "", "203.0.113.77:443": "",
	} {
		if got := Shorten(source); got != want {
			t.Errorf("%q: %q, want %q", source, got, want)
		}
	}
}

// What a browser says of itself is bytes of the network: nothing of it is kept that
// is not in our lists.
func FuzzDescribeBrowser(f *testing.F) {
	f.Add("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "", "", "203.0.113.77")
	f.Add("Mozilla/5.0 (Linux; Android 10; K) Chrome/131", `"Chromium";v="131"`, `"Android"`, "2001:db8::/64")
	f.Add("(((;;", `"""`, `"`, "%")
	var known, kinds []string
	for _, v := range families {
		known = append(known, v)
	}
	for _, v := range systems {
		kinds = append(kinds, v)
	}
	f.Fuzz(func(t *testing.T, userAgent, brands, platform, source string) {
		b := DescribeBrowser(userAgent, brands, platform)
		if b.Family != "" && !slices.Contains(known, b.Family) || b.System != "" && !slices.Contains(kinds, b.System) {
			t.Errorf("%q %q %q: %+v", userAgent, brands, platform, b)
		}
		if short := Shorten(source); short != "" {
			if p, err := netip.ParsePrefix(short); err != nil || p.Bits() != 24 && p.Bits() != 48 || p != p.Masked() {
				t.Errorf("%q: %q", source, short)
			}
		}
	})
}
