package lobby

import "time"

// Agents who have to wait, because the meeting's security profile has everybody but hosts
// wait. Their knocks stand in the same queue. One belongs to the account, whatever
// browser its agent is at: all of them wait, are let in and are refused together.
//
// Whether an agent has to knock is not decided here: whoever owns the lobby asks Spare of
// it for those who need not any more, and LetStay for those who were in already.

// Agent is an agent who knocks.
type Agent struct{ Account, Name string }

// KnockOfAgent returns an agent's knock, if they ever knocked.
func (l *Lobby) KnockOfAgent(account string) (Knock, bool) {
	k, ok := l.knocks[l.byWho[account]]
	return k, ok && k.OfAgent()
}

// AdmissionOf returns the knock of an agent who is admitted.
func (l *Lobby) AdmissionOf(account string) (Knock, bool) {
	k, ok := l.KnockOfAgent(account)
	return k, ok && k.Status == Admitted
}

// AgentKeptOut says why an agent may not ask to enter: nil, ErrDenied or ErrBanned.
func (l *Lobby) AgentKeptOut(account string) error {
	switch k, _ := l.KnockOfAgent(account); {
	case k.Banned():
		return ErrBanned
	case k.Status == Denied:
		return ErrDenied
	}
	return nil
}

// KnockAsAgent asks to enter. newID becomes the knock's id if the agent never knocked.
// Who waits or is admitted keeps what they have.
func (l *Lobby) KnockAsAgent(by Agent, newID string, now time.Time) (Knock, error) {
	if err := l.AgentKeptOut(by.Account); err != nil {
		return Knock{}, err
	}
	k, knocked := l.KnockOfAgent(by.Account)
	switch {
	case k.Status == Waiting || k.Status == Admitted:
		return k, nil
	case knocked:
		bucket, wait, ok := l.again[by.Account].Take(l.limits.KnockAgain, now)
		if !ok {
			return Knock{}, &TooSoonError{wait}
		}
		l.again[by.Account] = bucket
	}
	k = l.begin(by, k, newID, now)
	l.setKnock(k)
	return k, nil
}

// begin is an agent's knock as it begins to wait.
func (l *Lobby) begin(by Agent, k Knock, newID string, now time.Time) Knock {
	if k.ID == "" {
		k = Knock{ID: newID, Meeting: l.meeting, Account: by.Account}
	}
	l.place++
	k = k.again(by.Name, "", l.place, now)
	k.ExpiresAt = now.Add(SessionLife)
	return k
}

// LetStay admits an agent who is in the call and has to knock from now on, until they
// leave it: what was decided before is not undone, a denial neither. newID is as in
// KnockAsAgent.
func (l *Lobby) LetStay(by Agent, newID string, now time.Time) Knock {
	k, _ := l.KnockOfAgent(by.Account)
	if k.Status == Admitted || k.Status == Denied {
		return k
	}
	k = l.begin(by, k, newID, now)
	k.Status, k.DecidedAt, k.Permissions, k.UntilLeft = Admitted, now, Everything(), true
	l.setKnock(k)
	return k
}

// AgentLeft ends the admission of an agent who was let stay and has left.
func (l *Lobby) AgentLeft(account string) {
	if k, ok := l.AdmissionOf(account); ok && k.UntilLeft {
		l.setKnock(k.lapse())
	}
}

// Spare ends waiting and admission of an agent who needs neither, or has no role any
// more. A denial stands, unless the agent hosts now: then it is lifted.
func (l *Lobby) Spare(account string, hosts bool) {
	k, _ := l.KnockOfAgent(account)
	switch {
	case k.Status == Waiting || k.Status == Admitted:
		l.setKnock(k.lapse())
	case k.Status == Denied && hosts:
		k = k.lapse()
		k.Message, k.RemovedAt, k.BannedAt = "", time.Time{}, time.Time{}
		l.setKnock(k)
	}
}

// WithdrawAgent stops waiting.
func (l *Lobby) WithdrawAgent(account string) (Knock, error) {
	k, ok := l.KnockOfAgent(account)
	if !ok {
		return Knock{}, ErrState
	}
	return l.change(k.ID, Knock.withdraw)
}

// ReplyAsAgent is a waiting agent's answer to the hosts.
func (l *Lobby) ReplyAsAgent(account, text string, now time.Time) (Knock, error) {
	k, _ := l.KnockOfAgent(account)
	return l.reply(k, text, now)
}

// RenewAgent lets the waiting of an agent live on who is here. Once in half a life is
// enough.
func (l *Lobby) RenewAgent(account string, now time.Time) {
	k, _ := l.KnockOfAgent(account)
	if k.Status == Waiting && k.ExpiresAt.Sub(now) <= SessionLife/2 {
		k.ExpiresAt = now.Add(SessionLife)
		l.setKnock(k)
	}
}

// SendBackAgent returns an admitted agent to waiting, with the place they had.
func (l *Lobby) SendBackAgent(account string, now time.Time) (Knock, error) {
	k, ok := l.KnockOfAgent(account)
	if !ok {
		return Knock{}, ErrNoKnock
	}
	return l.change(k.ID, func(k Knock) (Knock, error) {
		k, err := k.sendBack(now)
		if err == nil {
			k.ExpiresAt = now.Add(SessionLife)
		}
		return k, err
	})
}

// RemoveAgent ends an agent's admission. Unlike a guest they may knock again at once.
func (l *Lobby) RemoveAgent(account string, by Host, now time.Time) (Knock, error) {
	k, ok := l.KnockOfAgent(account)
	if !ok {
		return Knock{}, ErrNoKnock
	}
	return l.change(k.ID, func(k Knock) (Knock, error) {
		if k.Status != Admitted {
			return k, ErrState
		}
		k = k.decide(Expired, by, now).lapse()
		k.RemovedAt = now
		return k, nil
	})
}
