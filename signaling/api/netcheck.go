package api

import (
	"context"
	"time"

	"aparte/signaling/netcheck"
)

// CheckTokens issues the media tokens of network checks.
type CheckTokens interface {
	Issue(s netcheck.Seat, ends time.Time) (string, error)
}

// NetworkCheck is a room in which a client meets itself.
type NetworkCheck struct {
	URL       string          `json:"url" doc:"ws or wss origin to connect to."`
	Sender    string          `json:"sender" doc:"Media token of the participant who sends a picture and a sound."`
	Receivers []CheckReceiver `json:"receivers" nullable:"false"`
	EndsAt    time.Time       `json:"ends_at" doc:"The room closes then, or when the next check begins."`
}

// CheckReceiver is a participant who receives by one way.
type CheckReceiver struct {
	Way   string `json:"way" enum:"any,udp,tcp,relay" doc:"any: as in a call. A way that is not listed is one that this server does not have."`
	Token string `json:"token"`
}

func (a *API) checkNetwork(ctx context.Context, _ *none) (*output[NetworkCheck], error) {
	return a.beginCheck(ctx, checkOf(theAgent(ctx).session.ID))
}

// checkOf names the checks of an agent's session.
func checkOf(session string) string { return "agent " + session }

func (a *API) guestCheckNetwork(ctx context.Context, _ *none) (*output[NetworkCheck], error) {
	if err := a.meetings.CheckWay(ctx, theGuest(ctx)); err != nil {
		return nil, err
	}
	return a.beginCheck(ctx, "guest "+theGuest(ctx).Session())
}

func (a *API) beginCheck(ctx context.Context, session string) (*output[NetworkCheck], error) {
	made, err := a.checks.Begin(session, a.source(request(ctx)))
	if err != nil {
		return nil, err
	}
	out := NetworkCheck{URL: a.socketURL(request(ctx)), EndsAt: made.Ends.UTC()}
	if out.Sender, err = a.checkTokens.Issue(made.Sender, made.Ends); err != nil {
		return nil, err
	}
	for _, seat := range made.Receivers {
		text, err := a.checkTokens.Issue(seat, made.Ends)
		if err != nil {
			return nil, err
		}
		out.Receivers = append(out.Receivers, CheckReceiver{Way: string(seat.Way), Token: text})
	}
	return &output[NetworkCheck]{out}, nil
}

func (a *API) endCheck(ctx context.Context, _ *none) (*none, error) {
	a.checks.End(checkOf(theAgent(ctx).session.ID))
	return &none{}, nil
}

func (a *API) guestEndCheck(ctx context.Context, _ *none) (*none, error) {
	a.checks.End("guest " + theGuest(ctx).Session())
	return &none{}, nil
}
