package profile

import (
	"slices"
	"testing"
)

func TestWhatShipsIsInEveryLanguage(t *testing.T) {
	for _, p := range Defaults() {
		for _, text := range []Text{p.Name, p.Sentence} {
			if text.French == "" || text.English == "" || text.Arabic == "" {
				t.Errorf("%s: a text lacks a language: %+v", p.ID, text)
			}
		}
		if _, err := Check(p); err != nil {
			t.Errorf("%s: %v", p.ID, err)
		}
	}
}

func TestTextsOfAnAdministratorHaveNoOldTranslation(t *testing.T) {
	shipped := Defaults()[0]
	written := func(p Profile) Profile { // as an administrator's page sends it
		p.Name.Arabic, p.Sentence.Arabic = "", ""
		return p
	}
	ruled := written(shipped)
	ruled.Rules.KeepChat = true
	reworded := written(shipped)
	reworded.Sentence.English = "Something else."
	other := written(shipped)
	other.ID = "other"
	for _, tc := range []struct {
		what           string
		p              Profile
		name, sentence string
	}{
		{"another rule", ruled, shipped.Name.Arabic, shipped.Sentence.Arabic},
		{"another sentence", reworded, shipped.Name.Arabic, ""},
		{"another profile with the same words", other, "", ""},
	} {
		got, err := Check(tc.p)
		if err != nil || got.Name.Arabic != tc.name || got.Sentence.Arabic != tc.sentence {
			t.Errorf("%s: %q, %q, %v", tc.what, got.Name.Arabic, got.Sentence.Arabic, err)
		}
	}
}

func TestTextsThatShippedBeforeAreThoseOfToday(t *testing.T) {
	for id, texts := range former() {
		for _, text := range texts {
			shipped := Defaults()[slices.IndexFunc(Defaults(), func(p Profile) bool { return p.ID == id })]
			if text == (Text{French: shipped.Sentence.French, English: shipped.Sentence.English}) || text.Arabic != "" {
				t.Errorf("%s: %q is no former text", id, text)
			}
			stored := Profile{ID: id, Version: 3, Name: Text{French: shipped.Name.French, English: "Ours"}, Sentence: text}
			got := stored.Translated()
			if got.Sentence != shipped.Sentence || got.Name != stored.Name {
				t.Errorf("%s: %q is shown as %+v", id, text.English, got)
			}
			stored.Sentence.English = "Ours."
			if got := stored.Translated(); got.Sentence != stored.Sentence {
				t.Errorf("%s: what was reworded is shown as %+v", id, got.Sentence)
			}
		}
	}
}
