package login

import (
	"context"
	"errors"
	"strings"

	"aparte/signaling/audit"
)

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

// made tells each post of a new account, with the role there, or else the
// installation.
func (l *Login) made(act audit.Act, by string, a Account) []audit.Draft {
	d := l.did(act, by).On(audit.Account, a.ID).WithFlag("admin", a.Admin).Typed("name", a.Name).Typed("email", a.Email)
	if len(a.Posts) == 0 {
		d.Post = audit.Installation
		return []audit.Draft{d}
	}
	var all []audit.Draft
	for _, m := range a.Posts {
		told := d.With("role", string(m.Role))
		told.Post = m.Post.ID
		all = append(all, told)
	}
	return all
}

// noteRefused tells of an attempt that failed, as far as they are told. The
// refusal stands whether or not it can be written.
func (l *Login) noteRefused(ctx context.Context, d audit.Draft, err error, source string) {
	switch many := (*TooManyError)(nil); {
	case errors.As(err, &many):
		d = d.With("problem", "too_many")
	case errors.Is(err, ErrRefused), errors.Is(err, ErrCurrent):
		d = d.With("problem", "wrong")
	default:
		return // busy, or our fault
	}
	d, ok := l.refusals.Admit(source, d)
	if !ok {
		return
	}
	if err := l.store.Note(ctx, d); err != nil && ctx.Err() == nil {
		l.log.WarnContext(ctx, "refused sign-in is not in the audit trail", "err", err)
	}
}

// maxTyped bounds what a refusal keeps of a text that nothing else has bounded.
const maxTyped = 254

func bounded(text string) string {
	if len(text) > maxTyped {
		text = text[:maxTyped]
	}
	return strings.ToValidUTF8(text, "")
}
