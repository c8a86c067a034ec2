package profile

import "strings"

// Need is something that a profile demands and this version of the program lacks.
type Need string

// What is lacking. Each goes from here with the version that brings it.
const (
	NeedsEncryption Need = "end-to-end-encryption"
	NeedsSpokenCode Need = "spoken-code"
)

// Needs is what the rules demand and this version lacks: none where the profile can
// be had. What is merely allowed and lacking is no need: without it nothing is weaker.
func (r Rules) Needs() []Need {
	var all []Need
	if r.Encryption != EncryptionOptional {
		all = append(all, NeedsEncryption)
	}
	if r.SpokenCode {
		all = append(all, NeedsSpokenCode)
	}
	return all
}

// UnavailableError says that a profile cannot be had in this version, and why.
type UnavailableError struct {
	Profile string // its id
	Needs   []Need
	// InUse is how many meetings have the profile that an edit would make
	// unavailable; 0: it is not about an edit.
	InUse int
}

func (e *UnavailableError) Error() string {
	needs := make([]string, len(e.Needs))
	for i, n := range e.Needs {
		needs[i] = strings.ReplaceAll(string(n), "-", " ")
	}
	why := "the security profile " + e.Profile + " needs what this version lacks: " + strings.Join(needs, ", ")
	if e.InUse > 0 {
		why += "; meetings that are not over have it"
	}
	return why
}

// Available is nil where the profile can be had, else an *UnavailableError.
func (p Profile) Available() error {
	if needs := p.Rules.Needs(); len(needs) > 0 {
		return &UnavailableError{Profile: p.ID, Needs: needs}
	}
	return nil
}
