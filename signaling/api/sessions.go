package api

import (
	"context"
	"time"

	"aparte/signaling/login"
)

// OwnSession is a browser in which an account is signed in, one's own or one that one
// administers.
type OwnSession struct {
	ID        string    `json:"id" doc:"It opens nothing."`
	Current   bool      `json:"current" doc:"The one that asks."`
	Browser   string    `json:"browser,omitempty" doc:"Such as Firefox, as it says of itself; absent: not known."`
	System    string    `json:"system,omitempty" doc:"Such as Windows; absent: not known."`
	Place     string    `json:"place,omitempty" doc:"Network that it was last used from: the address shortened to /24 (IPv4) or /48 (IPv6). Absent: not known."`
	ByCode    bool      `json:"by_code" doc:"It began with a one-time link."`
	CreatedAt time.Time `json:"created_at"`
	UsedAt    time.Time `json:"used_at" doc:"To within five minutes."`
	EndsAt    time.Time `json:"ends_at" doc:"When it ends by itself if it is not used, or however it is used."`
}

// OwnSessions are those of an account, last used first.
type OwnSessions struct {
	Sessions []OwnSession `json:"sessions" nullable:"false"`
}

type inSession struct {
	Session string `path:"session" maxLength:"64"`
}

func (a *API) listSessions(ctx context.Context, _ *none) (*output[OwnSessions], error) {
	own := theAgent(ctx).session
	all, err := a.login.Sessions(ctx, own)
	if err != nil {
		return nil, err
	}
	return sessionList(all, own), nil
}

// sessionList is sessions as told to whoever asks in the session own.
func sessionList(all []login.Session, own login.Session) *output[OwnSessions] {
	out := OwnSessions{Sessions: make([]OwnSession, len(all))}
	for i, s := range all {
		out.Sessions[i] = sessionOf(s, own)
	}
	return &output[OwnSessions]{out}
}

func sessionOf(s, own login.Session) OwnSession {
	ends := s.UsedAt.Add(login.SessionIdle)
	if last := s.CreatedAt.Add(login.SessionAbsolute); last.Before(ends) {
		ends = last
	}
	return OwnSession{
		ID: s.ID, Current: s.ID == own.ID, Browser: s.Browser.Family, System: s.Browser.System, Place: s.Place,
		ByCode: s.ByCode, CreatedAt: s.CreatedAt.UTC(), UsedAt: s.UsedAt.UTC(), EndsAt: ends.UTC(),
	}
}

// endSession ends one of one's own sessions, calls and sockets included.
func (a *API) endSession(ctx context.Context, in *inSession) (*none, error) {
	if err := a.login.EndSession(ctx, theAgent(ctx).session, in.Session); err != nil {
		return nil, err
	}
	return &none{}, a.leave(ctx, []string{in.Session})
}
