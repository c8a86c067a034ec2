// Package post holds the rules of posts: an embassy, a consulate, a department.
// Everything belongs to one post, and an account acts for one or several. Start
// at New, which checks what is said about a post; role.go says what a role may;
// posts.go is what administrators and auditors ask.
package post

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strings"
	"time"
	_ "time/tzdata" // the same zones on every machine, also where the system has none

	"golang.org/x/text/language"

	"aparte/signaling/name"
)

// Post is an embassy, a consulate or a department.
type Post struct {
	ID        string
	Name      string
	TimeZone  string   // IANA, such as Africa/Dakar
	Languages []string // BCP 47, the one preferred first; never empty
	Contact   Contact
	CreatedAt time.Time
}

// Contact is how a post is reached; what is not known is empty.
type Contact struct {
	Address string // lines separated by \n
	Phone   string
	Email   string
	Web     string // http or https
}

// Draft is what an administrator says about a post.
type Draft struct {
	Name      string
	TimeZone  string
	Languages []string
	Contact   Contact
}

// Why something about a post is refused.
var (
	// ErrNotFound is also the answer to whoever has no business with the post.
	ErrNotFound  = errors.New("no such post, or not yours")
	ErrForbidden = errors.New("your role at the post does not allow it")
	ErrMember    = errors.New("already a member of the post")
	ErrNoMember  = errors.New("no such member of the post")
	ErrLastAdmin = errors.New("a post needs an administrator: name another one first")
	ErrNone      = errors.New("you act for no post")
)

// Limits of what a post says about itself.
const (
	maxLanguages    = 10
	maxAddressLines = 8
	maxAddressLine  = 120
	maxPhone        = 40
	maxAddress      = 254 // of mail (RFC 5321, section 4.5.3.1.3, less the brackets)
	maxURL          = 300
)

// New checks a draft and makes the post. A refusal is a *name.Error.
func New(d Draft, id string, now time.Time) (Post, error) {
	return Post{ID: id, CreatedAt: now}.Edit(d)
}

// Edit returns the post as a draft says. A refusal is a *name.Error.
func (p Post) Edit(d Draft) (Post, error) {
	var err error
	if p.Name, err = name.Required("name", d.Name, name.MaxTitle); err != nil {
		return Post{}, err
	}
	if _, err = Zone(d.TimeZone); err != nil {
		return Post{}, err
	}
	p.TimeZone = d.TimeZone
	if p.Languages, err = languages(d.Languages); err != nil {
		return Post{}, err
	}
	if p.Contact, err = contact(d.Contact); err != nil {
		return Post{}, err
	}
	return p, nil
}

// Zone finds a time zone by its IANA name. A refusal is a *name.Error.
func Zone(zone string) (*time.Location, error) {
	unknown := &name.Error{At: "time_zone", Reason: "must be a time zone's IANA name, such as Europe/Paris"}
	// Each part of a zone's name begins with a capital. What does not is another
	// file beside the zones ("localtime", "posix/…"), or Go's "Local" and "".
	for part := range strings.SplitSeq(zone, "/") {
		if part == "" || part[0] < 'A' || part[0] > 'Z' {
			return nil, unknown
		}
	}
	if zone == "Local" || len(zone) > 64 {
		return nil, unknown
	}
	found, err := time.LoadLocation(zone)
	if err != nil {
		return nil, unknown
	}
	return found, nil
}

// languages are tags in their canonical form, each once.
func languages(tags []string) ([]string, error) {
	switch {
	case len(tags) == 0:
		return nil, &name.Error{At: "languages", Reason: "must name one language at least"}
	case len(tags) > maxLanguages:
		return nil, &name.Error{At: "languages", Reason: fmt.Sprintf("are more than %d", maxLanguages)}
	}
	kept := make([]string, 0, len(tags))
	seen := make(map[string]bool, len(tags))
	for i, tag := range tags {
		parsed, err := language.Parse(tag)
		if err != nil || parsed == language.Und {
			return nil, &name.Error{At: fmt.Sprintf("languages[%d]", i), Reason: "must be a language tag such as fr or pt-BR (BCP 47)"}
		}
		if canonical := parsed.String(); !seen[canonical] {
			seen[canonical] = true
			kept = append(kept, canonical)
		}
	}
	return kept, nil
}

func contact(c Contact) (Contact, error) {
	address, err := addressLines(c.Address)
	if err != nil {
		return Contact{}, err
	}
	phone, err := name.Optional("contact.phone", c.Phone, maxPhone)
	if err != nil {
		return Contact{}, err
	}
	if strings.Trim(phone, "+0123456789 ().-/") != "" {
		return Contact{}, &name.Error{At: "contact.phone", Reason: "must be a telephone number, such as +33 1 43 17 53 53"}
	}
	email := strings.TrimSpace(c.Email)
	if email != "" {
		parsed, err := mail.ParseAddress(email)
		if err != nil || parsed.Address != email || len(email) > maxAddress || strings.ContainsFunc(email, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return Contact{}, &name.Error{At: "contact.email", Reason: "is not an email address"}
		}
	}
	web := strings.TrimSpace(c.Web)
	if web != "" {
		u, err := url.Parse(web)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(web) > maxURL {
			return Contact{}, &name.Error{At: "contact.web", Reason: "must be a web address, such as https://dakar.ambassade.example"}
		}
		web = u.String()
	}
	return Contact{Address: address, Phone: phone, Email: email, Web: web}, nil
}

// addressLines keeps the lines of a postal address without empty ones around.
func addressLines(typed string) (string, error) {
	if len(typed) > 16*maxAddressLines*maxAddressLine {
		return "", &name.Error{At: "contact.address", Reason: "is too long"}
	}
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(typed, "\r\n", "\n")), "\n")
	if len(lines) > maxAddressLines {
		return "", &name.Error{At: "contact.address", Reason: fmt.Sprintf("has more than %d lines", maxAddressLines)}
	}
	for i, line := range lines {
		kept, err := name.Optional("contact.address", line, maxAddressLine)
		if err != nil {
			return "", err
		}
		lines[i] = kept
	}
	return strings.Join(lines, "\n"), nil
}
