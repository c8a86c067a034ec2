package link

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"aparte/signaling/name"
	"aparte/signaling/role"
)

// Limits of guest lists.
const (
	MaxGuestList  = 20 << 20 // bytes
	MaxListed     = 5000     // guests
	maxIgnored    = 100      // columns that are told
	maxLineErrors = 200      // that are told
)

// GuestList is what a CSV file of guests says. It can be used as a whole or, with
// errors, not at all.
type GuestList struct {
	Guests  []ListedGuest
	Errors  []LineError
	More    int      // errors beyond those told
	Ignored []string // columns that are not understood, as written; the first 100
	// Latin says that the file was not UTF-8 and was read as Windows-1252: what
	// spreadsheets write in the west of Europe. Have a look at the accents.
	Latin bool
}

// ListedGuest is a guest of the list.
type ListedGuest struct {
	Line         int // in the file, from 1
	Name         string
	Organisation string
	Label        string
	Language     string    // BCP 47; ""
	Role         role.Role // guest or observer
	PIN          bool
	DuplicateOf  int  // line of an earlier guest with the same name and label; 0: none
	Invited      bool // a link that still works has the same name and label
}

// Same is equal for guests with the same name and label.
func (g ListedGuest) Same() string { return sameGuest(g.Name, g.Label) }

// Same is equal for links of guests with the same name and label.
func (l Link) Same() string { return sameGuest(l.GuestName, l.Label) }

func sameGuest(guest, label string) string {
	return name.Folded(guest) + "\n" + strings.ToLower(label)
}

// LineError says what is wrong with a line.
type LineError struct {
	Line   int    // in the file, from 1; 0: the file as a whole
	Column string // a field of ListedGuest as the API calls it; "": the line as a whole
	Code   string // one of those below
	Reason string // completes "the column ..." or "the line ..."
}

// What can be wrong with a line, by its code.
const (
	lineTooLarge  = "too-large"
	lineEncoding  = "encoding"
	lineEmpty     = "empty"
	lineTooMany   = "too-many"
	lineTwice     = "twice"
	lineMissing   = "missing"
	lineColumns   = "columns"
	lineText      = "text"
	lineLanguage  = "language"
	linePIN       = "pin"
	lineRole      = "role"
	lineQuotation = "quotation"
)

// column is what a column of the list is for.
type column int

const (
	ignoredColumn column = iota
	nameColumn
	firstNameColumn
	organisationColumn
	labelColumn
	languageColumn
	pinColumn
	roleColumn
)

// columnNames are how columns are called, folded, in French, English and Arabic.
var columnNames = map[string]column{
	"nom": nameColumn, "name": nameColumn, "invite": nameColumn, "invitee": nameColumn, "guest": nameColumn, "full name": nameColumn, "last name": nameColumn,
	"et nom prenom": nameColumn, "nom prenom": nameColumn, "complet nom": nameColumn, "de famille nom": nameColumn,
	"prenom": firstNameColumn, "first name": firstNameColumn, "given name": firstNameColumn,
	"organisation": organisationColumn, "organization": organisationColumn, "organisme": organisationColumn, "institution": organisationColumn,
	"societe": organisationColumn, "company": organisationColumn,
	"libelle": labelColumn, "label": labelColumn, "email": labelColumn, "e mail": labelColumn, "mail": labelColumn, "mel": labelColumn,
	"courriel": labelColumn, "adresse": labelColumn, "address email": labelColumn, "adresse e mail": labelColumn, "adresse courriel": labelColumn,
	"langue": languageColumn, "language": languageColumn, "lang": languageColumn,
	"pin": pinColumn, "code": pinColumn, "code pin": pinColumn,
	"role": roleColumn, "statut": roleColumn, "qualite": roleColumn,
	"الاسم": nameColumn, "اسم": nameColumn, "الضيف": nameColumn, "الاسم الكامل": nameColumn,
	"الموسسة": organisationColumn, // folded, without its hamza
	"الجهة":   organisationColumn,
	"البريد":  labelColumn, "الالكتروني البريد": labelColumn, "التسمية": labelColumn,
	"اللغة": languageColumn, "الرمز": pinColumn, "الدور": roleColumn,
}

var yes = map[string]bool{
	"": false, "non": false, "no": false, "n": false, "0": false, "false": false, "faux": false,
	"oui": true, "yes": true, "o": true, "y": true, "1": true, "true": true, "vrai": true, "x": true,
	"لا": false, "نعم": true,
}

// listedRoles are how a role is written in a list, folded, in French, English and Arabic.
var listedRoles = map[string]role.Role{
	"": role.Guest, "invite": role.Guest, "invitee": role.Guest, "guest": role.Guest,
	"observateur": role.Observer, "observatrice": role.Observer, "observer": role.Observer,
	"ضيف": role.Guest, "ضيفة": role.Guest, "مراقب": role.Observer, "مراقبة": role.Observer,
}

// ParseGuestList reads a list of guests in CSV (RFC 4180): commas, semicolons or
// tabs, with or without a byte order mark, line breaks within quotes. The first
// line names the columns; the one with the name is required.
func ParseGuestList(data []byte) GuestList {
	var out GuestList
	if len(data) > MaxGuestList {
		out.fail(0, "", lineTooLarge, fmt.Sprintf("is larger than %d MB", MaxGuestList>>20))
		return out
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		decoded, err := charmap.Windows1252.NewDecoder().Bytes(data)
		if err != nil {
			out.fail(0, "", lineEncoding, "is neither UTF-8 nor Windows-1252")
			return out
		}
		data, out.Latin = decoded, true
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma = delimiter(data)
	r.FieldsPerRecord = -1
	header, err := r.Read()
	if err != nil {
		out.failRead(err)
		return out
	}
	columns, ok := out.columns(header)
	if !ok {
		return out
	}
	seen := make(map[string]int)
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil { // where the next line begins is unknown
			out.failRead(err)
			return out
		}
		if strings.TrimSpace(strings.Join(record, "")) == "" {
			continue
		}
		line, _ := r.FieldPos(0)
		if len(out.Guests) == MaxListed {
			out.fail(line, "", lineTooMany, fmt.Sprintf("is beyond the %d guests that a list may have", MaxListed))
			return out
		}
		g := out.guest(line, columns, record)
		g.DuplicateOf = seen[g.Same()]
		if g.DuplicateOf == 0 {
			seen[g.Same()] = line
		}
		out.Guests = append(out.Guests, g)
	}
	if len(out.Guests) == 0 {
		out.fail(0, "", lineEmpty, "names no guest")
	}
	return out
}

// delimiter is what the first line is divided by.
func delimiter(data []byte) rune {
	first, _, _ := bytes.Cut(data, []byte("\n"))
	best, most := ',', 0
	for _, d := range ",;\t" {
		if n := bytes.Count(first, []byte(string(d))); n > most {
			best, most = d, n
		}
	}
	return best
}

func (l *GuestList) columns(header []string) ([]column, bool) {
	columns := make([]column, len(header))
	taken := make(map[column]bool)
	for i, title := range header {
		c := columnNames[name.Folded(title)]
		switch {
		case c == ignoredColumn && strings.TrimSpace(title) != "" && len(l.Ignored) < maxIgnored:
			l.Ignored = append(l.Ignored, shortened(title))
		case c != ignoredColumn && taken[c]:
			l.fail(1, fieldOf[c], lineTwice, "is there twice")
		}
		columns[i], taken[c] = c, true
	}
	if !taken[nameColumn] {
		l.fail(1, "name", lineMissing, "is missing: one column must be called nom or name")
	}
	return columns, len(l.Errors) == 0
}

// fieldOf is how the API calls a column.
var fieldOf = map[column]string{
	nameColumn: "name", firstNameColumn: "name", organisationColumn: "organisation",
	labelColumn: "label", languageColumn: "language", pinColumn: "pin", roleColumn: "role",
}

func (l *GuestList) guest(line int, columns []column, record []string) ListedGuest {
	g := ListedGuest{Line: line}
	said := make(map[column]string)
	for i, text := range record {
		if i < len(columns) && columns[i] != ignoredColumn {
			// A line break within quotes is a space, as it is on the screen.
			said[columns[i]] = strings.Join(strings.Fields(text), " ")
		}
		if i >= len(columns) && strings.TrimSpace(text) != "" {
			l.fail(line, "", lineColumns, "has more columns than the first line")
			break
		}
	}
	called := strings.TrimSpace(said[firstNameColumn] + " " + said[nameColumn])
	keep := func(c column, check func(field string) (string, error)) string {
		kept, err := check(fieldOf[c])
		if e, ok := errors.AsType[*name.Error](err); ok {
			code := lineText
			switch {
			case c == languageColumn:
				code = lineLanguage
			case c == nameColumn && called == "":
				code = lineMissing
			}
			l.fail(line, e.At, code, e.Reason)
		}
		return kept
	}
	g.Name = keep(nameColumn, func(f string) (string, error) { return name.Required(f, called, name.MaxName) })
	g.Organisation = keep(organisationColumn, func(f string) (string, error) {
		return name.Optional(f, said[organisationColumn], name.MaxName)
	})
	g.Label = keep(labelColumn, func(f string) (string, error) { return name.Optional(f, said[labelColumn], name.MaxTitle) })
	g.Language = keep(languageColumn, func(f string) (string, error) { return parseLanguage(f, said[languageColumn]) })
	pin, ok := yes[strings.ToLower(said[pinColumn])]
	if !ok {
		l.fail(line, "pin", linePIN, "must be oui, non, yes, no or empty")
	}
	g.PIN = pin
	if g.Role, ok = listedRoles[name.Folded(said[roleColumn])]; !ok {
		l.fail(line, "role", lineRole, "must be invité, observateur, guest, observer or empty")
	}
	return g
}

func (l *GuestList) fail(line int, at, code, reason string) {
	if len(l.Errors) == maxLineErrors {
		l.More++
		return
	}
	l.Errors = append(l.Errors, LineError{line, at, code, reason})
}

func (l *GuestList) failRead(err error) {
	switch broken, ok := errors.AsType[*csv.ParseError](err); {
	case errors.Is(err, io.EOF):
		l.fail(0, "", lineEmpty, "is empty")
	case ok:
		l.fail(broken.StartLine, "", lineQuotation, fmt.Sprintf("has a quotation mark out of place (line %d, column %d)", broken.Line, broken.Column))
	default:
		l.fail(0, "", lineQuotation, "cannot be read")
	}
}

// shortened keeps what is told of a stranger's text small.
func shortened(s string) string {
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "\ufffd")
	if r := []rune(s); len(r) > name.MaxName {
		return string(r[:name.MaxName]) + "…"
	}
	return s
}
