package api

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"aparte/signaling/audit"
	"aparte/signaling/meeting"
)

// Trail keeps what the API refused. What it did is told by those who did it.
type Trail interface {
	Note(ctx context.Context, acts ...audit.Draft) error
}

// toldByLogin are the calls whose refusals login tells itself, knowing more.
var toldByLogin = []string{"sign-in", "sign-in-once", "set-up"}

// toldThoughRead are the calls that change nothing and whose refusals are told: what they
// give leaves the server.
var toldThoughRead = []string{"download-recording", "watch-recording", "get-recording-captions", "get-recording-chapters"}

// ledFromElsewhere refuses such a call where a page of another site has led the browser to
// it: what comes would be told as taken, and be on the disk of somebody who asked for
// nothing. What changes something is refused before (http.CrossOriginProtection).
func ledFromElsewhere(ctx context.Context, op huma.Operation) error {
	if !slices.Contains(toldThoughRead, op.OperationID) {
		return nil
	}
	switch request(ctx).Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return problem(http.StatusForbidden, codeForbidden, "requests from other sites are refused")
	}
	return nil
}

// noteRefused tells the audit trail of a call that would have changed something, or taken
// something away, and was refused to this caller, as far as refusals are told. The refusal stands
// whether or not it can be written.
func (a *API) noteRefused(ctx context.Context, op huma.Operation, in any, p *Problem) {
	refusal := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusTooManyRequests}
	if a.trail == nil || op.Method == http.MethodGet && !slices.Contains(toldThoughRead, op.OperationID) || !slices.Contains(refusal, p.Status) || slices.Contains(toldByLogin, op.OperationID) {
		return
	}
	d := aimed(audit.Did(audit.CallRefused), in).By(audit.Nobody, "").
		With("operation", op.OperationID).With("problem", strings.TrimPrefix(p.Type, problemURN))
	// Naming ids writes into the trail of no post but one's own. Who opens a guest
	// link or came by one is the business of the link's post.
	if !strings.HasPrefix(op.Path, "/guest") {
		d.Within = []string{}
	}
	if k := theAgent(ctx); k.account.ID != "" {
		d = d.By(audit.Agent, k.account.ID)
		d.Within = append(d.Within, k.account.Posts.IDs()...)
	}
	if guest := theGuest(ctx); guest != (meeting.Caller{}) {
		d.Actor, d.Meeting = guest.Actor(), guest.Meeting()
	}
	d, ok := a.refusals.Admit(a.source(request(ctx)), d)
	if !ok {
		return
	}
	if err := a.trail.Note(ctx, d); err != nil && ctx.Err() == nil {
		a.log.WarnContext(ctx, "refused call is not in the audit trail", "operation", op.OperationID, "err", err)
	}
}

// aimed adds what a call was about, by the ids in its input: whoever is refused
// may have made them up, so only their form is believed.
func aimed(d audit.Draft, in any) audit.Draft {
	id := func(v reflect.Value, field string) string {
		if v.Kind() == reflect.Struct {
			if f := v.FieldByName(field); f.Kind() == reflect.String && isID(f.String()) {
				return f.String()
			}
		}
		return ""
	}
	v := reflect.ValueOf(in)
	d.Meeting = id(v, "ID")
	d = d.On(audit.Link, id(v, "Link")).On(audit.Knock, id(v, "Knock")).On(audit.OfPost, id(v, "Post")).On(audit.Account, id(v, "Account")).On(audit.OfRecording, id(v, "Recording"))
	if v.FieldByName("Body").IsValid() { // of those who open a link
		d = d.On(audit.Link, id(v.FieldByName("Body"), "LinkID"))
	}
	return d
}

// isID reports whether a text from a path has the form of an id: 16 bytes in
// base64url.
func isID(text string) bool {
	if len(text) != 22 {
		return false
	}
	for _, b := range []byte(text) {
		letter := 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
		if !letter && b != '-' && b != '_' {
			return false
		}
	}
	return true
}
