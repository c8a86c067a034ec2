package profile

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

// Translated returns the profile with the further languages of those of its texts
// that are still what shipped: whoever changes a rule does not lose them.
func (p Profile) Translated() Profile {
	for _, shipped := range Defaults() {
		if shipped.ID == p.ID {
			p.Name = p.Name.translatedAs(shipped.Name)
			p.Sentence = p.Sentence.translatedAs(shipped.Sentence)
		}
	}
	return p
}

func (t Text) translatedAs(shipped Text) Text {
	if t.French == shipped.French && t.English == shipped.English {
		return shipped
	}
	return t
}
