package threats

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"aparte/signaling/api"
)

// Names that lie, break out or break down, in everything that a guest or a host may name:
// refused with the field, or kept as they are and marked; never markup in an answer.
func TestHostileNamesAreInertAndMarked(t *testing.T) {
	t.Parallel()
	p := start(t)
	host := p.administrator()
	m := host.meeting()
	desk := host.hostSocket(m.ID)
	desk.next()
	for _, c := range []struct {
		what, name string
		refused    bool // else kept
		marked     bool
	}{
		{what: "an ordinary name", name: "Inês Duarte"},
		{what: "letters of Vietnam", name: "Nguyễn Thị Ái"},
		{what: "Persian with its joiner", name: "می\u200cخواهم"},
		{what: "Cyrillic in a Latin word", name: "Аnne Bernard", marked: true},
		{what: "full width", name: "Ａｎｎｅ", marked: true},
		{what: "mathematical letters", name: "𝐀𝐧𝐧𝐞", marked: true},
		{what: "a bidi override", name: "Anne \u202eexe.tnemucod", marked: true},
		{what: "a bidi isolate", name: "\u2067Anne\u2069", marked: true},
		{what: "zero width", name: "An\u200bne", marked: true},
		{what: "a soft hyphen", name: "An\u00adne", marked: true},
		{what: "tags", name: "Anne\U000e0041", marked: true},
		{what: "a tower of marks", name: "A" + strings.Repeat("\u0301", 12) + "nne", marked: true},
		{what: "markup", name: `<img src=x onerror=alert(1)>`},
		{what: "a script", name: `</script><script>alert(1)</script>`},
		{what: "an attribute", name: `" onmouseover="alert(1)`},
		{what: "a template", name: `{{constructor.constructor('x')()}}`},
		{what: "a formula", name: `=HYPERLINK("http://evil.example")`},
		{what: "a new line", name: "Anne\r\nBcc: all@evil.example", refused: true},
		{what: "a line separator", name: "Anne\u2028Bernard", refused: true},
		{what: "NUL", name: "Anne\x00", refused: true},
		{what: "an escape", name: "\x1b[2JAnne", refused: true},
		{what: "private use", name: "Anne\ue000", refused: true},
		{what: "no character", name: "Anne\ufffe", refused: true},
		{what: "the replacement character", name: "Anne\ufffd", refused: true},
		{what: "nothing that is seen", name: "\u200b\u2060\u00a0", refused: true},
		{what: "81 characters", name: strings.Repeat("a", 81), refused: true},
		{what: "60 kB", name: strings.Repeat("a", 60<<10), refused: true},
		{what: "80 characters", name: strings.Repeat("é", 80)},
	} {
		t.Run(c.what, func(t *testing.T) {
			l := host.link(m.ID, api.LinkDraft{})
			guest := p.open(l)
			got := guest.call("POST", "/guest/knock", api.GuestName{Name: c.name})
			inert(t, got)
			if c.refused {
				if got.code() != "invalid" || !bytes.Contains(got.body, []byte(`"location":"body.name"`)) {
					t.Errorf("a guest's name: %d %s", got.status, got.body)
				}
				for field, refusal := range map[string]answer{
					"body.organisation": guest.call("POST", "/guest/knock", api.GuestName{Name: "Anne", Organisation: c.name + "…"}),
					"body.title":        host.call("POST", "/meetings", api.MeetingDraft{Title: c.name + strings.Repeat("…", 40)}),
					"body.label":        host.call("POST", "/meetings/"+m.ID+"/links", draft(l, c.name+strings.Repeat("…", 40))),
				} {
					onlyBlank := strings.HasPrefix(c.what, "nothing")
					if !onlyBlank && (refusal.code() != "invalid" || !bytes.Contains(refusal.body, []byte(`"location":"`+field+`"`))) {
						t.Errorf("%s: %d %s", field, refusal.status, refusal.body)
					}
					inert(t, refusal)
				}
				return
			}
			notice, _ := desk.until(c.what, func(v api.HostMessage) bool { return v.Knock != nil && v.Knock.Link.ID == l.ID })
			if k := notice.Knock; k.NameSuspicious != c.marked || k.Name == "" {
				t.Errorf("the notice says %q, suspicious %t, want %t", k.Name, k.NameSuspicious, c.marked)
			}
			inert(t, host.call("GET", "/meetings/"+m.ID+"/knocks", nil))
			host.decide(m.ID, *notice.Knock, "admit")
			in := p.join(do[api.MediaToken](guest, "POST", "/guest/token", nil).Token)
			in.leave()
		})
	}
	for what, body := range map[string]string{
		"invalid UTF-8":         "{\"name\":\"Anne\xff\"}",
		"an overlong form":      "{\"name\":\"Anne\xc0\x80\"}",
		"half a surrogate":      `{"name":"Anne\ud800"}`,
		"a surrogate in UTF-8":  "{\"name\":\"Anne\xed\xa0\x80\"}",
		"a name that is a list": `{"name":["Anne"]}`,
		"a name that is null":   `{"name":null}`,
	} {
		guest := p.open(host.link(m.ID, api.LinkDraft{}))
		if got := guest.raw("POST", "/api/v1/guest/knock", body); got.code() != "invalid" {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}
	// A name that imitates the invited one is marked, whatever its letters are.
	l := host.link(m.ID, api.LinkDraft{Kind: "personal", GuestName: "Anne Bernard"})
	if _, k := host.waiting(m.ID, l, "Anne Bernаrd"); !k.NameSuspicious || !k.NameDiffers {
		t.Errorf("a look-alike of the invited name: %+v", k)
	}
}

func draft(l madeLink, label string) api.LinkDraft {
	return api.LinkDraft{Kind: "shared", Label: label, ExpiresAt: l.ExpiresAt, CodeHash: strings.Repeat("A", 43)}
}

// inert says that an answer is data, and stays data when somebody shows it as a page.
func inert(t *testing.T, got answer) {
	t.Helper()
	kind := got.header.Get("Content-Type")
	if kind != "application/json" && kind != "application/problem+json" || got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("answered as %q", kind)
	}
	if !json.Valid(got.body) || bytes.ContainsAny(got.body, "<>\x00\x1b\u2028") || len(got.body) > 256<<10 {
		t.Errorf("%d: not inert: %.300q", got.status, got.body)
	}
	if got.status >= http.StatusInternalServerError {
		t.Errorf("%d %s", got.status, got.body)
	}
}
