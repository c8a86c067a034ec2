package post

import (
	"slices"
	"time"

	"aparte/signaling/name"
)

// Role is what an account is at a post: one role at each.
//
//	                                    agent  administrator  auditor
//	make and host meetings (Acts)         x          x
//	edit the post, its people                        x
//	figures                                          x           x
//	audit trail                                                  x
//
// Whoever administers does not audit: the trail is about administrators, too.
type Role string

// The roles at a post.
const (
	Agent         Role = "agent"
	Administrator Role = "administrator"
	Auditor       Role = "auditor"
)

// Roles are all roles.
func Roles() []Role { return []Role{Agent, Administrator, Auditor} }

// ParseRole reads a role. A refusal is a *name.Error.
func ParseRole(text string) (Role, error) {
	if r := Role(text); slices.Contains(Roles(), r) {
		return r, nil
	}
	return "", &name.Error{At: "role", Reason: "must be agent, administrator or auditor"}
}

// Acts reports whether the role makes and hosts meetings of the post.
func (r Role) Acts() bool { return r == Agent || r == Administrator }

// Administers reports whether the role edits the post and its people.
func (r Role) Administers() bool { return r == Administrator }

// SeesFigures reports whether the role reads the post's figures.
func (r Role) SeesFigures() bool { return r == Administrator || r == Auditor }

// Audits reports whether the role reads the post's audit trail.
func (r Role) Audits() bool { return r == Auditor }

// Membership is that an account acts for a post.
type Membership struct {
	Post Post
	Role Role
}

// Memberships are those of one account.
type Memberships []Membership

// At finds the membership of a post.
func (all Memberships) At(id string) (Membership, bool) {
	for _, m := range all {
		if m.Post.ID == id {
			return m, true
		}
	}
	return Membership{}, false
}

// Acting are the ids of the posts whose meetings the account may make and host.
func (all Memberships) Acting() []string { return all.which(Role.Acts) }

// Administering are the ids of the posts that the account administers.
func (all Memberships) Administering() []string { return all.which(Role.Administers) }

// IDs are the ids of all posts of the account.
func (all Memberships) IDs() []string { return all.which(func(Role) bool { return true }) }

func (all Memberships) which(may func(Role) bool) []string {
	var ids []string
	for _, m := range all {
		if may(m.Role) {
			ids = append(ids, m.Post.ID)
		}
	}
	return ids
}

// Member is somebody of a post as its administrators see them. Whatever else the
// person does for other posts is none of this one's business.
type Member struct {
	Account string // id
	Name    string
	Email   string
	Role    Role
	Since   time.Time
}
