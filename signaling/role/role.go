// Package role says who may do what in a meeting: the roles, and one table of
// role × command (table.go), which docs/roles.md shows and the tests walk.
//
// A command exists only as a row of the table. Every act of a live meeting and
// every call of the API about one names its command, so neither can be made
// without somebody having decided who may use it.
package role

import "fmt"

// Role is what somebody is in a meeting.
type Role string

// The roles. Host and co-host moderate. Door is whoever opened a guest link and is
// not in: before the waiting room, waiting in it, or refused. Administrator is whoever
// administers the meeting's post, which is no role in the meeting: it counts where
// nobody hosts it any more, and for holds on its recordings. Colleague is whom a
// recording of the meeting is shared with: that recording is theirs, and nothing else.
// Server is the program itself.
const (
	Host          Role = "host"        // the organiser
	Cohost        Role = "cohost"      // named by the host
	Participant   Role = "participant" // an agent who was named, without moderating
	Guest         Role = "guest"       // came by a guest link and was let in
	Observer      Role = "observer"    // hears and sees: an agent who was named, or by a guest link for observers
	Door          Role = "door"
	Administrator Role = "administrator"
	Colleague     Role = "colleague"
	Server        Role = "server"
)

// Roles are those of people, in the order of the table's columns.
func Roles() []Role {
	return []Role{Host, Cohost, Participant, Guest, Observer, Door, Colleague, Administrator}
}

// Moderates tells whether the role is a host's or a co-host's.
func (r Role) Moderates() bool { return r == Host || r == Cohost }

// RefusedError says that a role may not use a command.
type RefusedError struct {
	Role    Role
	Command Command
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("not for the role %s: %s", e.Role, e.Command)
}

// Check is nil if the role may use the command, else a *RefusedError.
func (r Role) Check(c Command) error {
	if c.May(r) {
		return nil
	}
	return &RefusedError{r, c}
}
