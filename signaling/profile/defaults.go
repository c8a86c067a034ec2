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
			ID: Standard, Version: 1, Name: Text{"Standard", "Standard"},
			Sentence: Text{
				"Chacun entre par un lien et attend qu’un hôte l’admette ; le partage d’écran est ouvert à tous.",
				"Everybody comes in by a link and waits until a host lets them in; anyone may share their screen.",
			},
			Rules: Rules{
				Guests: true, SharedLinks: true, PersonalLinks: true, LinkHours: 90 * 24, Lobby: LobbyGuests,
				Encryption: EncryptionOptional, Recording: RecordingConsent, GuestShare: Allowed, GuestFiles: Allowed,
				PrivateMessages: WritingAll, LastHost: LastHostWait,
			},
		},
		{
			ID: Protected, Version: 1, Name: Text{"Protégé", "Protected"},
			Sentence: Text{
				"Chaque invité entre par un lien à son nom et un code PIN ; la réunion est chiffrée de bout en bout.",
				"Every guest comes in by a link in their name and a PIN; the meeting is encrypted from end to end.",
			},
			Rules: Rules{
				Guests: true, PersonalLinks: true, PIN: true, LinkHours: 7 * 24, Lobby: LobbyGuests,
				Encryption: EncryptionOn, Recording: RecordingSealed, GuestShare: Granted, GuestFiles: Granted,
				PrivateMessages: WritingHosts, LastHost: LastHostPromote, LastHostDelay: 120,
			},
		},
		{
			ID: Sensitive, Version: 1, Name: Text{"Sensible", "Sensitive"},
			Sentence: Text{
				"Tous passent par la salle d’attente, rien ne peut être enregistré et les noms sont inscrits sur les images.",
				"Everybody goes through the lobby, nothing can be recorded, and names are written on the pictures.",
			},
			Rules: Rules{
				Guests: true, PersonalLinks: true, PIN: true, SpokenCode: true, Lobby: LobbyAllButHosts,
				Encryption: EncryptionRequired, Recording: RecordingImpossible, GuestShare: Off, GuestFiles: Off,
				Watermark: true, PrivateMessages: WritingOff, LastHost: LastHostEnd, LastHostDelay: 60,
			},
		},
	}
}
