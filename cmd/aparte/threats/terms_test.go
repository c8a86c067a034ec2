package threats

import (
	"fmt"
	"net/http"
	"testing"

	"aparte/signaling/api"
	"aparte/signaling/lobby"
	"aparte/signaling/profile"
)

// The matrix under other security profiles than the standard one, and in a locked meeting.
// The profile is chosen, and the meeting locked, once the guest is where the policy wants
// it: what a guest got under milder rules must open nothing that the stricter ones refuse.

// terms are what the meeting is held under; zero: the standard profile, not locked.
type terms struct {
	profile string // standard, personal only, shared only, PIN, no guests
	lock    string // unlocked, locked
}

var (
	profiles = []string{"standard", "personal only", "shared only", "PIN", "no guests"}
	locks    = []string{"unlocked", "locked"}
)

// profileRules are the rules of the profiles, by the line that differs from the standard one.
var profileRules = map[string]func(*api.ProfileRules){
	"personal only": func(r *api.ProfileRules) { r.SharedLinks = false },
	"shared only":   func(r *api.ProfileRules) { r.PersonalLinks = false },
	"PIN":           func(r *api.ProfileRules) { r.PIN = true },
	"no guests":     func(r *api.ProfileRules) { r.Guests, r.SharedLinks, r.PersonalLinks = false, false, false },
}

var profileIDs = map[string]string{"standard": profile.Standard, "personal only": "personal-only", "shared only": "shared-only", "PIN": "pin", "no guests": "no-guests"}

// makeProfiles makes those that the matrix needs.
func makeProfiles(admin *person) {
	standard := do[api.ProfileHistory](admin, "GET", "/profiles/"+profile.Standard, nil).Versions[0]
	for name, change := range profileRules {
		rules := standard.Rules
		change(&rules)
		do[api.Profile](admin, "POST", "/profiles", api.ProfileDraft{ID: profileIDs[name], Name: standard.Name, Sentence: standard.Sentence, Rules: rules})
	}
}

// allowed: the profile lets somebody in by such a link.
func (p policy) allowed() bool {
	switch p.profile {
	case "personal only":
		return p.kind == "personal"
	case "shared only":
		return p.kind == "shared"
	case "PIN":
		return p.pin != "none"
	case "no guests":
		return false
	}
	return true
}

// admissible: a host may let in who waits.
func (p policy) admissible() bool {
	return p.lock != "locked" && p.allowed() && (p.profile != "PIN" || p.pin == "passed")
}

// setTerms puts the meeting under what it is to be held under.
func (s *scene) setTerms() {
	if s.profile != "" && s.profile != "standard" {
		do[api.MeetingEffects](s.host, "PUT", "/meetings/"+s.meeting+"/profile", api.ProfileChoice{Profile: profileIDs[s.profile]})
	}
	if s.lock == "locked" {
		do[struct{}](s.host, "PUT", "/meetings/"+s.meeting+"/call/lock", api.Lock{Locked: true})
	}
}

// admissions is how many knocks a host has let in.
func (s *scene) admissions() (n int) {
	for _, k := range do[api.KnockList](s.host, "GET", "/meetings/"+s.meeting+"/knocks", nil).Knocks {
		if k.Status == string(lobby.Admitted) {
			n++
		}
	}
	return n
}

// letIn has the host let in each who waits, and says how many of them came in.
func (s *scene) letIn() string {
	waiting, in := 0, 0
	for _, k := range do[api.KnockList](s.host, "GET", "/meetings/"+s.meeting+"/knocks", nil).Knocks {
		if k.Status != string(lobby.Waiting) {
			continue
		}
		waiting++
		got := s.host.call("POST", "/meetings/"+s.meeting+"/knocks/"+k.ID+"/admit", map[string]any{})
		if got.status == http.StatusOK {
			in++
		}
		if want := s.admissible(); want != (got.status == http.StatusOK) {
			s.t.Errorf("%s %s %s: let in: %d %s, want %t", s.policy, s.profile, s.lock, got.status, got.body, want)
		}
	}
	return fmt.Sprintf("%d/%d", in, waiting)
}

// underTerms are policies under every profile and lock. All combinations would be ten times
// the matrix; what decides is who tries by what link (kind and PIN) in which state, so that
// the list has every triple of a profile or a lock with two other sides of a policy that can
// be, found by taking again and again the policy that has most triples not seen yet.
func underTerms() (all []policy) {
	var some []policy
	for _, p := range policies() {
		if p.senseless() != "" || p.link == "expired" { // as revoked, and costs the time until it is
			continue
		}
		for _, profile := range profiles {
			for _, lock := range locks {
				if profile != "standard" || lock != "unlocked" { // which the whole matrix has
					p.terms = terms{profile, lock}
					some = append(some, p)
				}
			}
		}
	}
	seen := map[[3]string]bool{}
	for {
		best, most := -1, 0
		for i, p := range some {
			n := 0
			for _, one := range p.triples() {
				if !seen[one] {
					n++
				}
			}
			if n > most {
				best, most = i, n
			}
		}
		if best < 0 {
			return all
		}
		all = append(all, some[best])
		for _, one := range some[best].triples() {
			seen[one] = true
		}
	}
}

// triples are those of the sides of a policy that say something of its terms.
func (p policy) triples() (all [][3]string) {
	sides := []string{"k " + p.kind, "l " + p.link, "n " + p.pin, "m " + p.meeting, "g " + p.guest, "p " + p.profile, "t " + p.lock}
	for i := range sides {
		for j := i + 1; j < len(sides); j++ {
			for k := j + 1; k < len(sides); k++ {
				if k >= 5 {
					all = append(all, [3]string{sides[i], sides[j], sides[k]})
				}
			}
		}
	}
	return all
}

// Nobody is let in by what the profile refuses, or into a locked meeting, and nobody comes in
// by itself, wherever the guest stood when the terms changed.
func TestTheMatrixUnderProfilesAndLocks(t *testing.T) {
	t.Parallel()
	playAll(t, underTerms(), "terms.golden")
}
