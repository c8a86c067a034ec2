package compose

import "fmt"

// Language is what chapters and labels are written in.
type Language string

// The languages there are.
const (
	French  Language = "fr"
	English Language = "en"
	Arabic  Language = "ar"
)

// words are the few that a film has.
type words struct {
	start, joined, shared, unshared, paused, interrupted, screen, more, captions string
}

var vocabulary = map[Language]words{
	French: {
		start: "Début", joined: "Arrivée : %s", shared: "Écran partagé : %s", unshared: "Fin du partage d’écran",
		paused: "Reprise après une pause (%s)", interrupted: "Reprise après une interruption (%s)",
		screen: "%s – écran", more: "et %d de plus", captions: "En bas : qui parle. En haut : les messages écrits à tous par les personnes enregistrées, sans fichiers ni messages privés.",
	},
	English: {
		start: "Beginning", joined: "Arrival: %s", shared: "Shared screen: %s", unshared: "End of the shared screen",
		paused: "Resumed after a pause (%s)", interrupted: "Resumed after an interruption (%s)",
		screen: "%s – screen", more: "and %d more", captions: "Below: who speaks. Above: messages to everybody from those who are recorded, without files and private messages.",
	},
	Arabic: {
		start: "البداية", joined: "انضمام: %s", shared: "شاشة مشتركة: %s", unshared: "انتهاء مشاركة الشاشة",
		paused: "استئناف بعد توقف مؤقت (%s)", interrupted: "استئناف بعد انقطاع (%s)",
		screen: "%s – الشاشة", more: "و%d آخرون", captions: "في الأسفل: من يتكلم. في الأعلى: الرسائل المكتوبة إلى الجميع ممن شملهم التسجيل، دون الملفات والرسائل الخاصة.",
	},
}

// More says how many people have no place in the picture.
func (l Language) More(n int) string { return fmt.Sprintf(vocabulary[l].more, n) }
