package meeting

import (
	"aparte/signaling/audit"
	"aparte/signaling/lobby"
)

// Rights are what the people of a call may be allowed or forbidden.
type Rights struct{ Speak, Camera, Share, Chat, React, Hand, Files bool }

// named are the rights by their names, in the order in which they are told.
func (r *Rights) named() []struct {
	name string
	on   *bool
} {
	return []struct {
		name string
		on   *bool
	}{{"speak", &r.Speak}, {"camera", &r.Camera}, {"share", &r.Share}, {"chat", &r.Chat}, {"react", &r.React}, {"hand", &r.Hand}, {"files", &r.Files}}
}

// Names are the names of the rights that are set, in a fixed order.
func (r Rights) Names() []string {
	var names []string
	for _, right := range r.named() {
		if *right.on {
			names = append(names, right.name)
		}
	}
	return names
}

// RightsChange says which rights everybody has from now on; nil leaves one as it is.
type RightsChange struct{ Speak, Camera, Share, Chat, React, Hand, Files *bool }

// forbidden is what is forbidden after the change.
func (c RightsChange) forbidden(before Rights) Rights {
	after := before
	for i, may := range []*bool{c.Speak, c.Camera, c.Share, c.Chat, c.React, c.Hand, c.Files} {
		if may != nil {
			*after.named()[i].on = !*may
		}
	}
	return after
}

// decided are the rights that the change speaks of.
func (c RightsChange) decided() (spoken Rights) {
	for i, may := range []*bool{c.Speak, c.Camera, c.Share, c.Chat, c.React, c.Hand} {
		*spoken.named()[i].on = may != nil
	}
	return spoken
}

// from takes what is forbidden from somebody's permissions.
func (r Rights) from(p lobby.Permissions) lobby.Permissions {
	return lobby.Permissions{Speak: p.Speak && !r.Speak, Camera: p.Camera && !r.Camera, Share: p.Share && !r.Share, Chat: p.Chat && !r.Chat, Files: p.Files && !r.Files}
}

// or are the rights that are set here or there.
func (r Rights) or(other Rights) Rights {
	out := r
	for i, right := range other.named() {
		if *right.on {
			*out.named()[i].on = true
		}
	}
	return out
}

// and are the rights that are set here and there.
func (r Rights) and(other Rights) Rights { return r.without(r.without(other)) }

// without are the rights that are set here and not there.
func (r Rights) without(other Rights) Rights {
	out := r
	for i, right := range other.named() {
		if *right.on {
			*out.named()[i].on = false
		}
	}
	return out
}

// rightsOf are permissions as rights.
func rightsOf(p lobby.Permissions) Rights {
	return Rights{Speak: p.Speak, Camera: p.Camera, Share: p.Share, Chat: p.Chat, Files: p.Files}
}

// notePermitted tells the audit trail what everybody may do.
func notePermitted(forbidden Rights) audit.Draft {
	d := audit.Did(audit.MeetingPermitted)
	for _, right := range forbidden.named() {
		d = d.WithFlag(right.name, !*right.on)
	}
	return d
}
