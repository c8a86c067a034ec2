package link

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"aparte/signaling/role"
)

func TestGuestLists(t *testing.T) {
	ines := ListedGuest{Line: 2, Name: "Inês Duarte", Organisation: "MNE", Label: "ines@mne.example", Language: "pt", Role: role.Guest, PIN: true}
	latin, err := charmap.Windows1252.NewEncoder().String("Nom;Organisation;Courriel;Langue;Code PIN\r\nInês Duarte;MNE;ines@mne.example;pt;oui\r\n")
	if err != nil {
		t.Fatal(err)
	}
	for what, file := range map[string]string{
		"French, semicolons":     "Nom;Organisation;Courriel;Langue;Code PIN\nInês Duarte;MNE;ines@mne.example;pt;oui\n",
		"English, commas":        "Name,Organization,E-mail,Language,PIN\nInês Duarte,MNE,ines@mne.example,pt,yes",
		"tabs":                   "name\torganisation\tlabel\tlanguage\tpin\nInês Duarte\tMNE\tines@mne.example\tpt\t1\n",
		"byte order mark, CRLF":  "\ufeffNOM;organisme;Mél;langue;PIN\r\nInês Duarte;MNE;ines@mne.example;PT;Oui\r\n",
		"Windows-1252":           latin,
		"two columns of names":   "Prénom;Nom;Société;Adresse e-mail;Langue;PIN\nInês;Duarte;MNE;ines@mne.example;pt;o\n",
		"another order":          "PIN;Label;Name;Language;Company;Phone\nx;ines@mne.example;Inês Duarte;pt;MNE;123\n",
		"a line break in quotes": "Nom;Organisation;Courriel;Langue;PIN\n\"Inês\nDuarte\";\"MNE\";ines@mne.example;pt;oui\n",
		"a role":                 "Nom;Organisation;Courriel;Langue;PIN;Rôle\nInês Duarte;MNE;ines@mne.example;pt;oui;Invitée\n",
		"Arabic":                 "الاسم;المؤسسة;البريد الإلكتروني;اللغة;الرمز;الدور\nInês Duarte;MNE;ines@mne.example;pt;نعم;ضيف\n",
		"empty lines":            "Nom;Organisation;Courriel;Langue;PIN\nInês Duarte;MNE;ines@mne.example;pt;oui\n\n;;;;\n",
	} {
		got := ParseGuestList([]byte(file))
		if len(got.Errors) != 0 || len(got.Guests) != 1 || got.Guests[0] != ines {
			t.Errorf("%s: %+v", what, got)
		}
		if got.Latin != (what == "Windows-1252") || (len(got.Ignored) == 1) != (what == "another order") {
			t.Errorf("%s: latin %t, ignored %q", what, got.Latin, got.Ignored)
		}
	}
}

func TestGuestListsAreRefusedLineByLine(t *testing.T) {
	many := func(n int) string {
		var b strings.Builder
		b.WriteString("nom\n")
		for i := range n {
			fmt.Fprintf(&b, "Guest %d\n", i)
		}
		return b.String()
	}
	for _, c := range []struct {
		what, file string
		want       []LineError // of which Reason is a part
	}{
		{"nothing", "", []LineError{{0, "", "empty", "is empty"}}},
		{"a header alone", "nom\n", []LineError{{0, "", "empty", "names no guest"}}},
		{"no name column", "Organisation;PIN\nMNE;oui\n", []LineError{{1, "name", "missing", "is missing"}}},
		{"two of a kind", "nom;courriel;libellé\nA;b;c\n", []LineError{{1, "label", "twice", "is there twice"}}},
		{"mistakes of two lines", "nom;langue;pin\nA;xx-not-a-language;oui\nB;fr;perhaps\n;fr;non\n", []LineError{
			{2, "language", "language", "language tag"}, {3, "pin", "pin", "must be"}, {4, "name", "missing", "is required"},
		}},
		{"lines are those of the file", "nom;pin\n\"A\nB\";oui\nC;?\n", []LineError{{4, "pin", "pin", "must be"}}},
		{"more columns", "nom;pin\nA;oui;b\n", []LineError{{2, "", "columns", "more columns"}}},
		{"a quotation mark", "nom;pin\nA \"x\" b;oui\n", []LineError{{2, "", "quotation", "quotation mark"}}},
		{"an open quotation", "nom;pin\nA;oui\n\"B;non\n", []LineError{{3, "", "quotation", "quotation mark"}}},
		{"a control character", "nom\nA\x07\n", []LineError{{2, "name", "text", "cannot be shown"}}},
		{"too long a name", "nom\n" + strings.Repeat("é", 81) + "\n", []LineError{{2, "name", "text", "longer than 80"}}},
		{"too many", many(MaxListed + 1), []LineError{{MaxListed + 2, "", "too-many", "5000"}}},
	} {
		got := ParseGuestList([]byte(c.file)).Errors
		same := len(got) == len(c.want)
		for i := 0; same && i < len(got); i++ {
			same = got[i].Line == c.want[i].Line && got[i].Column == c.want[i].Column && got[i].Code == c.want[i].Code && strings.Contains(got[i].Reason, c.want[i].Reason)
		}
		if !same {
			t.Errorf("%s: %+v, want %+v", c.what, got, c.want)
		}
	}
	if got := ParseGuestList([]byte(many(MaxListed))); len(got.Errors) != 0 || len(got.Guests) != MaxListed {
		t.Errorf("%d guests, %v", len(got.Guests), got.Errors)
	}
	if got := ParseGuestList(make([]byte, MaxGuestList+1)); len(got.Errors) != 1 || !strings.Contains(got.Errors[0].Reason, "20 MB") {
		t.Errorf("a huge file: %+v", got.Errors)
	}
	if got := ParseGuestList([]byte("nom;pin\n" + strings.Repeat("A;?\n", 300))); len(got.Errors) != maxLineErrors || got.More != 100 {
		t.Errorf("%d errors and %d more", len(got.Errors), got.More)
	}
}

func TestDuplicatesAreMarked(t *testing.T) {
	got := ParseGuestList([]byte("nom;libellé\nInês Duarte;a@x\nDUARTE, Ines;A@X\nInês Duarte;b@x\nInês Duarte;a@x\n")).Guests
	if len(got) != 4 || got[0].DuplicateOf != 0 || got[1].DuplicateOf != 2 || got[2].DuplicateOf != 0 || got[3].DuplicateOf != 2 {
		t.Errorf("%+v", got)
	}
}

// Of what is not understood not more is told than anybody reads.
func TestIgnoredColumnsAreBounded(t *testing.T) {
	got := ParseGuestList([]byte("nom" + strings.Repeat(";x", 1_000_000) + "\nA\n"))
	if len(got.Ignored) != maxIgnored || len(got.Guests) != 1 || len(got.Errors) != 0 {
		t.Errorf("%d ignored, %d guests, %+v", len(got.Ignored), len(got.Guests), got.Errors)
	}
}

func FuzzGuestList(f *testing.F) {
	for _, seed := range []string{"nom;pin\nA;oui\n", "\ufeffname,label\n\"a\nb\",c\n", "\xff\xfe", "nom\n\"", "a;b;nom\n1;2;3;4\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got := ParseGuestList(data)
		if len(got.Guests) == 0 && len(got.Errors) == 0 {
			t.Error("neither a guest nor an error")
		}
		last := 0
		for _, g := range got.Guests {
			if g.Line <= last || g.DuplicateOf >= g.Line || !utf8.ValidString(g.Name+g.Organisation+g.Label) {
				t.Errorf("guest %+v after line %d", g, last)
			}
			last = g.Line
			if len(got.Errors) == 0 && (g.Name == "" || strings.ContainsAny(g.Name+g.Label, "\n\r\x00")) {
				t.Errorf("accepted %+v", g)
			}
		}
	})
}

func TestObserversInAGuestList(t *testing.T) {
	got := ParseGuestList([]byte("Nom;Statut\nInês Duarte;observatrice\nRui Melo;Observer\nLuc Petit;\nMarc;hôte\n"))
	if len(got.Guests) != 4 || got.Guests[0].Role != role.Observer || got.Guests[1].Role != role.Observer || got.Guests[2].Role != role.Guest {
		t.Errorf("%+v", got.Guests)
	}
	if len(got.Errors) != 1 || got.Errors[0].Line != 5 || got.Errors[0].Column != "role" || got.Errors[0].Code != "role" {
		t.Errorf("%+v", got.Errors)
	}
}
