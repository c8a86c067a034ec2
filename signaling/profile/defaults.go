package profile

import "slices"

// Standard, Protected and Sensitive are the ids of the profiles that ship.
const (
	Standard  = "standard"
	Protected = "protected"
	Sensitive = "sensitive"
)

// Defaults are the profiles that every post begins with, in version 1, from the least
// to the most strict.
func Defaults() []Profile {
	return []Profile{
		{
			ID: Standard, Version: 1, Name: Text{"Standard", "Standard", "عادي"},
			Sentence: Text{
				"Chacun entre par un lien et attend qu’un hôte l’admette ; le partage d’écran est ouvert à tous.",
				"Everybody comes in by a link and waits until a host lets them in; anyone may share their screen.",
				"يدخل الجميع برابط وينتظرون إلى أن يُدخلهم مضيف، ومشاركة الشاشة متاحة للجميع.",
			},
			Rules: Rules{
				Guests: true, SharedLinks: true, PersonalLinks: true, LinkHours: 90 * 24, Lobby: LobbyGuests,
				Encryption: EncryptionOptional, Recording: RecordingConsent, GuestShare: Allowed, GuestFiles: Allowed,
				PrivateMessages: WritingAll, LastHost: LastHostWait,
			},
		},
		{
			ID: Protected, Version: 1, Name: Text{"Protégé", "Protected", "محمي"},
			Sentence: Text{
				"Chaque invité entre par un lien à son nom et un code PIN ; la réunion est chiffrée de bout en bout.",
				"Every guest comes in by a link in their name and a PIN; the meeting is encrypted from end to end.",
				"يدخل كل ضيف برابط باسمه ورمز PIN، والاجتماع مشفّر من طرف إلى طرف.",
			},
			Rules: Rules{
				Guests: true, PersonalLinks: true, PIN: true, LinkHours: 7 * 24, Lobby: LobbyGuests,
				Encryption: EncryptionOn, Recording: RecordingSealed, GuestShare: Granted, GuestFiles: Granted,
				PrivateMessages: WritingHosts, LastHost: LastHostPromote, LastHostDelay: 120,
			},
		},
		{
			ID: Sensitive, Version: 1, Name: Text{"Sensible", "Sensitive", "حساس"},
			Sentence: Text{
				"Tous passent par la salle d’attente, rien ne peut être enregistré et les noms sont inscrits sur les images.",
				"Everybody goes through the waiting room, nothing can be recorded, and names are written on the pictures.",
				"يمر الجميع بقاعة الانتظار، ولا يمكن تسجيل أي شيء، والأسماء مكتوبة على الصور.",
			},
			Rules: Rules{
				Guests: true, PersonalLinks: true, PIN: true, SpokenCode: true, Lobby: LobbyAllButHosts,
				Encryption: EncryptionRequired, Recording: RecordingImpossible, GuestShare: Off, GuestFiles: Off,
				Watermark: true, PrivateMessages: WritingOff, LastHost: LastHostEnd, LastHostDelay: 60,
			},
		},
	}
}

// former are the texts that earlier versions shipped, in French and English, by profile.
// Whoever changed a rule of such a profile has them stored as if they had written them.
func former() map[string][]Text {
	return map[string][]Text{
		Standard: {{
			French:  "Chacun entre par un lien et attend qu'un hôte l'admette ; le partage d'écran est ouvert à tous.",
			English: "Everybody comes in by a link and waits until a host lets them in; anyone may share their screen.",
		}},
		Protected: {{
			French:  "Chaque invité entre par un lien à son nom et un code PIN ; la réunion est chiffrée de bout en bout.",
			English: "Every guest comes in by a link in their name and a PIN; the meeting is encrypted from end to end.",
		}},
		Sensitive: {
			{
				French:  "Tous passent par la salle d'attente, rien ne peut être enregistré et les noms sont inscrits sur les images.",
				English: "Everybody goes through the lobby, nothing can be recorded, and names are written on the pictures.",
			},
			{
				French:  "Tous passent par la salle d’attente, rien ne peut être enregistré et les noms sont inscrits sur les images.",
				English: "Everybody goes through the lobby, nothing can be recorded, and names are written on the pictures.",
			},
		},
	}
}

// Translated returns the profile with those of its texts that nobody has reworded as
// they ship today, in every language: whoever changes a rule does not lose the further
// ones, nor keep the words of the version that they changed it in.
func (p Profile) Translated() Profile {
	for _, shipped := range Defaults() {
		if shipped.ID == p.ID {
			p.Name = p.Name.translatedAs(shipped.Name)
			p.Sentence = p.Sentence.translatedAs(shipped.Sentence, former()[p.ID]...)
		}
	}
	return p
}

// translatedAs returns what ships if that, or what shipped before, is all that t says.
func (t Text) translatedAs(shipped Text, former ...Text) Text {
	written := Text{French: t.French, English: t.English}
	if written == (Text{French: shipped.French, English: shipped.English}) || slices.Contains(former, written) {
		return shipped
	}
	return t
}
