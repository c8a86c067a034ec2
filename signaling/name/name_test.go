package name

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestWhatIsTypedIsKeptAndControlsAreRefused(t *testing.T) {
	for _, c := range []struct{ typed, kept string }{
		{"Maria Oliveira", "Maria Oliveira"},
		{"  Inês  ", "Inês"},
		{"Ine\u0302s", "Inês"}, // composed
		{"<b>Bob</b>", "<b>Bob</b>"},
		{"נועה", "נועה"},
		{"می\u200cخواهم", "می\u200cخواهم"},
		{"李雷", "李雷"},
		{strings.Repeat("é", MaxName), strings.Repeat("é", MaxName)},
		{"", "!"},
		{" \u00a0 ", "!"},
		{"\u200b\u2060", "!"},
		{"a\nb", "!"},
		{"a\x00", "!"},
		{"a\u0085", "!"},
		{"a\u2028b", "!"},
		{"\ufffd", "!"},
		{"\ue000", "!"},
		{"\ufdd0", "!"},
		{"a\xff", "!"},
		{strings.Repeat("é", MaxName+1), "!"},
		{strings.Repeat("a", 1<<20), "!"},
	} {
		kept, err := Required("name", c.typed, MaxName)
		if c.kept == "!" {
			var e *Error
			if !errors.As(err, &e) || e.Field() != "name" {
				t.Errorf("%.20q was kept as %.20q, %v; want a refusal naming the field", c.typed, kept, err)
			}
		} else if err != nil || kept != c.kept {
			t.Errorf("%.20q was kept as %.20q, %v", c.typed, kept, err)
		}
	}
	if kept, err := Optional("organisation", "", MaxName); err != nil || kept != "" {
		t.Errorf("an absent optional field: %q, %v", kept, err)
	}
}

func TestDeceivingNamesAreMarked(t *testing.T) {
	for _, honest := range []string{
		"", "Maria Oliveira", "Jean-Luc d’Ormesson", "Nguyễn Thị Ánh", "Мария Иванова", "Αλέξανδρος", "محمد علي", "נוֹעָה", "山田 太郎", "ヤマダ・タロウ",
		"김철수 (Kim)", "می\u200cخواهم", "Anna Петрова", "Mª Carmen", "O'Brien, 3rd", "<b>x</b>", "Łukasz Żak", "José María", "Dvořák & Søn",
	} {
		if Suspicious(honest) {
			t.Errorf("%q is marked", honest)
		}
	}
	for _, bad := range []string{
		"Anne\u202eBernard", "An\u200bne", "\u2066Anne", "Аnne", "Annе Bernard", "Βernard", "𝐀nne", "Ａnne", "Anne\u00adBernard", "ⒶⓃⓃⒺ",
		"Z\u0310\u0311\u0312\u0313algo", "Anne\U000e0041", "Anne\u3164", "a\u200cb", "\ufeffAnne", "Anne\u2800",
	} {
		if !Suspicious(bad) {
			t.Errorf("%q is not marked", bad)
		}
	}
}

func TestDiffersLooksAtTheNameNotAtItsDress(t *testing.T) {
	for _, c := range []struct {
		typed, invited string
		differs        bool
	}{
		{"Samira Haddad", "Samira Haddad", false},
		{"samira  HADDAD", "Samira Haddad", false},
		{"Haddad, Samira", "Samira Haddad", false},
		{"Ines", "Inês", false},
		{"Samira", "Samira Haddad", true},
		{"Samira Haddad (MNE)", "Samira Haddad", true},
		{"Ѕamira Haddad", "Samira Haddad", true}, // Cyrillic
		{"Karim", "Samira Haddad", true},
	} {
		if got := Differs(c.typed, c.invited); got != c.differs {
			t.Errorf("%q for %q differs: %t, want %t", c.typed, c.invited, got, c.differs)
		}
	}
}

func TestImitationsAreFound(t *testing.T) {
	for _, c := range []struct {
		typed, invited string
		imitates       bool
	}{
		{"Сосо", "Coco", true}, // all Cyrillic: no word mixes scripts
		{"Coco", "Coco", false},
		{"coco", "Coco", false},
		{"C0co", "Coco", true},
		{"Сара", "Sara", false},
		{"Maria", "Coco", false},
	} {
		if got := Imitates(c.typed, c.invited); got != c.imitates {
			t.Errorf("%q imitates %q: %t, want %t", c.typed, c.invited, got, c.imitates)
		}
	}
}

func FuzzNames(f *testing.F) {
	for _, seed := range []string{"Anne", "Аnne", "a\u200cb", "\xff", "Z\u0310\u0311\u0312\u0313", "می\u200cخواهم", "\u1112\u1161\u11ab"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		Suspicious(typed)
		Differs(typed, "Anne")
		Imitates(typed, "Anne")
		kept, err := Required("name", typed, MaxName)
		if err != nil {
			return
		}
		if !utf8.ValidString(kept) || utf8.RuneCountInString(kept) > MaxName || !norm.NFC.IsNormalString(kept) || strings.ContainsFunc(kept, unicode.IsControl) {
			t.Fatalf("%q was kept as %q", typed, kept)
		}
		if again, err := Required("name", kept, MaxName); err != nil || again != kept {
			t.Fatalf("%q is kept as %q the second time, %v", kept, again, err)
		}
	})
}
