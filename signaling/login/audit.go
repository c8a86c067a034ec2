package login

import "aparte/signaling/audit"

// What of login enters the audit trail, in the transaction of the act itself.

// did begins an act of an account, or of the server without one.
func (l *Login) did(act audit.Act, account string) audit.Draft {
	d := audit.Did(act).By(audit.Agent, account)
	if account == "" {
		d = d.By(audit.Server, "")
	}
	d.Time = l.now()
	return d
}

func (l *Login) signedIn(account string, s Session) audit.Draft {
	return l.did(audit.SessionSignedIn, account).On(audit.Session, s.ID).WithFlag("one_time_code", s.ByCode)
}

func describe(d audit.Draft, a Account) audit.Draft {
	return d.On(audit.Account, a.ID).WithFlag("admin", a.Admin).Typed("name", a.Name).Typed("email", a.Email)
}
