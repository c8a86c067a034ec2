package login

import (
	"net/netip"
	"strings"

	"github.com/mileusna/useragent"
)

// From is where a request comes from, as login keeps it.
type From struct {
	Source  string // for throttling and refusals: an address, or its network
	Browser Browser
	Place   string // Shorten(Source)
}

// Browser is what a browser says of itself, so far that its owner knows it again
// and no further: two words of the lists below. What is not in them is "".
type Browser struct{ Family, System string }

// maxUserAgent bounds what is looked at of a header, in bytes; browsers send about 120.
const maxUserAgent = 512

// families and systems are what can be told, by the names that clients send.
var (
	families = map[string]string{
		useragent.Firefox: "Firefox", useragent.Chrome: "Chrome", useragent.HeadlessChrome: "Chrome", useragent.Edge: "Edge",
		useragent.Safari: "Safari", useragent.MobileSafari: "Safari", useragent.Opera: "Opera", useragent.OperaTouch: "Opera", useragent.OperaMini: "Opera",
		useragent.Vivaldi: "Vivaldi", useragent.SamsungBrowser: "Samsung Internet",
		// In Sec-CH-UA.
		"Google Chrome": "Chrome", "HeadlessChrome": "Chrome", "Microsoft Edge": "Edge", "Brave": "Brave", "Samsung Internet": "Samsung Internet", "Chromium": "Chromium",
	}
	systems = map[string]string{
		useragent.Windows: "Windows", useragent.MacOS: "macOS", useragent.IOS: "iOS", useragent.Android: "Android",
		useragent.Linux: "Linux", useragent.ChromeOS: "ChromeOS", useragent.CrOS: "ChromeOS", useragent.FreeBSD: "FreeBSD",
		// In Sec-CH-UA-Platform.
		"Chrome OS": "ChromeOS", "Chromium OS": "ChromeOS",
	}
)

// DescribeBrowser reads User-Agent and, where the browser sends them, the client
// hints Sec-CH-UA and Sec-CH-UA-Platform, which tell apart browsers that all call
// themselves Chrome.
func DescribeBrowser(userAgent, brands, platform string) Browser {
	if len(userAgent) > maxUserAgent {
		userAgent = userAgent[:maxUserAgent]
	}
	parsed := useragent.Parse(userAgent)
	found := Browser{Family: families[parsed.Name], System: systems[parsed.OS]}
	if brand := brandOf(brands); brand != "" {
		found.Family = brand
	}
	if hinted := systems[strings.Trim(platform, `"`)]; hinted != "" {
		found.System = hinted
	}
	return found
}

// brandOf is the brand of a Sec-CH-UA list that says most: its own rather than the
// Chromium that it is made of.
func brandOf(list string) string {
	if len(list) > maxUserAgent {
		return ""
	}
	best := ""
	for quoted := range strings.SplitSeq(list, `"`) { // names and versions are what lies in quotes
		known := families[quoted]
		if known != "" && (best == "" || best == "Chromium") {
			best = known
		}
	}
	return best
}

// Shorten is the network of an address, or of a network: /24 for IPv4, /48 for IPv6,
// which tells a city or an office and no household. "" for what is neither.
func Shorten(source string) string {
	addr, err := netip.ParseAddr(source)
	if err != nil {
		network, err := netip.ParsePrefix(source)
		if err != nil {
			return ""
		}
		addr = network.Addr()
	}
	addr = addr.Unmap().WithZone("")
	bits := 48
	if addr.Is4() {
		bits = 24
	}
	short, err := addr.Prefix(bits)
	if err != nil {
		return ""
	}
	return short.String()
}
