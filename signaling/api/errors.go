package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aparte/signaling/file"
	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/login"
	"aparte/signaling/meeting"
	"aparte/signaling/name"
	"aparte/signaling/netcheck"
	"aparte/signaling/post"
	"aparte/signaling/profile"
	"aparte/signaling/recording"
	"aparte/signaling/role"
	"aparte/signaling/store"
)

// crowdedWait is what a guest is told to wait when a lobby is full.
const crowdedWait = 30 * time.Second

// known errors and the problems they are. The first that matches counts.
var problems = []struct {
	err    error
	status int
	code   string
}{
	{login.ErrRefused, http.StatusUnauthorized, codeUnauthenticated},
	{login.ErrNoSession, http.StatusUnauthorized, codeUnauthenticated},
	{lobby.ErrNoSession, http.StatusUnauthorized, codeUnauthenticated},
	{login.ErrTaken, http.StatusConflict, codeConflict},
	{login.ErrSetUp, http.StatusConflict, codeConflict},
	{login.ErrNoAccount, http.StatusNotFound, codeNotFound},
	{login.ErrOwn, http.StatusConflict, codeOwnAccount},
	{login.ErrDisabled, http.StatusConflict, codeDisabled},
	{login.ErrOtherPosts, http.StatusForbidden, codeOtherPosts},
	{login.ErrAdminOnly, http.StatusForbidden, codeForbidden},
	{link.ErrUnknown, http.StatusNotFound, codeLinkUnknown},
	{link.ErrExpired, http.StatusGone, codeLinkExpired},
	{link.ErrRevoked, http.StatusGone, codeLinkRevoked},
	{link.ErrFull, http.StatusConflict, codeLinkFull},
	{link.ErrInUse, http.StatusConflict, codeLinkInUse},
	{link.ErrProof, http.StatusForbidden, codeProofInvalid},
	{link.ErrPINRequired, http.StatusForbidden, codePINRequired},
	{meeting.ErrTooManyLinks, http.StatusConflict, codeConflict},
	{lobby.ErrDenied, http.StatusForbidden, codeDenied},
	{lobby.ErrBanned, http.StatusForbidden, codeBanned},
	{lobby.ErrNothingSaid, http.StatusConflict, codeConflict},
	{lobby.ErrNoKnock, http.StatusNotFound, codeNotFound},
	{lobby.ErrState, http.StatusConflict, codeConflict},
	{meeting.ErrNotFound, http.StatusNotFound, codeNotFound},
	{meeting.ErrNoPost, http.StatusForbidden, codeForbidden},
	{post.ErrNotFound, http.StatusNotFound, codeNotFound},
	{post.ErrNoMember, http.StatusNotFound, codeNotFound},
	{post.ErrForbidden, http.StatusForbidden, codeForbidden},
	{post.ErrMember, http.StatusConflict, codeConflict},
	{post.ErrManyRecipients, http.StatusConflict, codeConflict},
	{post.ErrNoRecipient, http.StatusNotFound, codeNotFound},
	{post.ErrLastAdmin, http.StatusConflict, codeLastAdmin},
	{meeting.ErrEnded, http.StatusGone, codeMeetingEnded},
	{login.ErrNoSuch, http.StatusNotFound, codeNotFound},
	{errNoSchedule, http.StatusConflict, codeConflict},
	{meeting.ErrLocked, http.StatusConflict, codeMeetingLocked},
	{meeting.ErrHosted, http.StatusConflict, codeConflict},
	{meeting.ErrNobody, http.StatusNotFound, codeNotFound},
	{meeting.ErrMayNotNow, http.StatusConflict, codeConflict},
	{meeting.ErrNotAdmitted, http.StatusConflict, codeConflict},
	{meeting.ErrNotOpen, http.StatusConflict, codeNotOpen},
	{meeting.ErrMustKnock, http.StatusForbidden, codeMustKnock},
	{meeting.ErrNoHost, http.StatusConflict, codeNoHost},
	{meeting.ErrNoMember, http.StatusNotFound, codeNotFound},
	{meeting.ErrMembers, http.StatusConflict, codeConflict},
	{meeting.ErrOfModerator, http.StatusConflict, codeConflict},
	{meeting.ErrOfHost, http.StatusConflict, codeConflict},
	{meeting.ErrNotCohost, http.StatusConflict, codeConflict},
	{meeting.ErrOfGuest, http.StatusConflict, codeConflict},
	{profile.ErrNotFound, http.StatusNotFound, codeNotFound},
	{profile.ErrChanged, http.StatusConflict, codeConflict},
	{meeting.ErrNotInCall, http.StatusConflict, codeConflict},
	{meeting.ErrChatFull, http.StatusConflict, codeChatFull},
	{recording.ErrNone, http.StatusNotFound, codeNotFound},
	{recording.ErrNoAsking, http.StatusConflict, codeConflict},
	{recording.ErrStoreAway, http.StatusServiceUnavailable, codeUnavailable},
	{recording.ErrNoKey, http.StatusConflict, codeConflict},
	{recording.ErrWriting, http.StatusConflict, codeConflict},
	{recording.ErrState, http.StatusConflict, codeConflict},
	{recording.ErrOngoing, http.StatusConflict, codeConflict},
	{recording.ErrOther, http.StatusConflict, codeConflict},
	{recording.ErrHeld, http.StatusConflict, codeHeld},
	{recording.ErrLocked, http.StatusConflict, codeStoreLocked},
	{recording.ErrNotHeld, http.StatusConflict, codeConflict},
	{recording.ErrDeleting, http.StatusConflict, codeConflict},
	{recording.ErrShares, http.StatusConflict, codeConflict},
	{recording.ErrNotTheirs, http.StatusForbidden, codeForbidden},
	{recording.ErrNoRecorder, http.StatusConflict, codeNoRecorder},
	{recording.ErrFailed, http.StatusConflict, codeNoRecorder},
	{meeting.ErrNoReader, http.StatusConflict, codeConflict},
	{meeting.ErrFilesClosed, http.StatusForbidden, codeForbidden},
	{meeting.ErrNotSender, http.StatusForbidden, codeForbidden},
	{meeting.ErrManyFiles, http.StatusConflict, codeFilesMany},
	{meeting.ErrFilesFull, http.StatusConflict, codeFilesFull},
	{meeting.ErrNoFile, http.StatusNotFound, codeNotFound},
	{file.ErrGone, http.StatusNotFound, codeNotFound},
	{file.ErrFull, http.StatusInsufficientStorage, codeFilesNoRoom},
	{meeting.ErrForbidden, http.StatusForbidden, codeForbidden},
	{meeting.ErrChatClosed, http.StatusForbidden, codeForbidden},
	{meeting.ErrNotPrivately, http.StatusForbidden, codeForbidden},
	{netcheck.ErrBusy, http.StatusServiceUnavailable, codeUnavailable},
	{login.ErrBusy, http.StatusServiceUnavailable, codeUnavailable},
	{meeting.ErrNotStored, http.StatusServiceUnavailable, codeNotStored},
	{meeting.ErrUnavailable, http.StatusServiceUnavailable, codeUnavailable},
	{store.ErrUnavailable, http.StatusServiceUnavailable, codeUnavailable},
}

// asProblem decides by type what the caller is told. What it does not know is
// our fault: logged with a number, which is all the caller gets.
func (a *API) asProblem(ctx context.Context, err error) *Problem {
	if ready, ok := errors.AsType[*Problem](err); ok {
		return ready
	}
	if draft, ok := errors.AsType[*meeting.DraftError](err); ok {
		if field, ok := errors.AsType[*name.Error](err); ok {
			return typedProblem(fmt.Sprintf("body.links[%d].%s", draft.Index, field.Field()), field)
		}
	}
	if field, ok := errors.AsType[*name.Error](err); ok {
		return typedProblem("body."+field.Field(), field)
	}
	if errors.Is(err, profile.ErrExists) {
		p := problem(http.StatusConflict, codeConflict, err.Error())
		p.Errors = []ProblemField{{Location: "body.id", Message: "is that of another security profile", Code: string(codeOfTaken)}}
		return p
	}
	if errors.Is(err, login.ErrCurrent) {
		return fieldProblem("body.current", "is not the present password")
	}
	if refused, ok := errors.AsType[*role.RefusedError](err); ok {
		return problem(http.StatusForbidden, codeForbidden, refused.Error())
	}
	if refused, ok := errors.AsType[*profile.RefusedError](err); ok {
		p := problem(http.StatusForbidden, codeProfileRefuses, refused.Error())
		p.Line = refused.Line
		if ofLink, ok := errors.AsType[*meeting.LinkError](err); ok {
			p.Host, p.Profile = ofLink.Host, new(Text(ofLink.Profile))
		}
		return p
	}
	if lacking, ok := errors.AsType[*profile.UnavailableError](err); ok {
		p := problem(http.StatusConflict, codeProfileLacking, lacking.Error())
		for _, need := range lacking.Needs {
			p.Needs = append(p.Needs, string(need))
		}
		return p
	}
	if many, ok := errors.AsType[*login.TooManyError](err); ok {
		return tooMany(many.Wait)
	}
	if soon, ok := errors.AsType[*lobby.TooSoonError](err); ok {
		return tooMany(soon.Wait)
	}
	if wrong, ok := errors.AsType[*link.PINError](err); ok {
		p := problem(http.StatusForbidden, codePINWrong, wrong.Error())
		p.TriesLeft = &wrong.TriesLeft
		return p
	}
	if pause, ok := errors.AsType[*link.PauseError](err); ok {
		return tooMany(pause.Wait)
	}
	if often, ok := errors.AsType[*lobby.TooManyMessagesError](err); ok {
		return tooMany(often.Wait)
	}
	if often, ok := errors.AsType[*meeting.TooOftenError](err); ok {
		return tooMany(often.Wait)
	}
	if often, ok := errors.AsType[*netcheck.TooOftenError](err); ok {
		return tooMany(often.Wait)
	}
	if large, ok := errors.AsType[*meeting.FileTooLargeError](err); ok {
		p := problem(http.StatusRequestEntityTooLarge, codeFileTooLarge, large.Error())
		p.Limit = large.Limit
		return p
	}
	if over, ok := errors.AsType[*recording.QuotaError](err); ok {
		p := problem(http.StatusConflict, codeQuota, over.Error())
		p.Used, p.Limit = over.Used, over.Limit
		return p
	}
	if broken, ok := errors.AsType[*bodyError](err); ok {
		return problem(http.StatusUnprocessableEntity, codeFileBroken, broken.Error())
	}
	if wrong, ok := errors.AsType[*file.LengthError](err); ok {
		return problem(http.StatusUnprocessableEntity, codeFileBroken, wrong.Error())
	}
	if errors.Is(err, lobby.ErrCrowded) || errors.Is(err, meeting.ErrTooManyWatches) {
		return tooMany(crowdedWait)
	}
	if early, ok := errors.AsType[*link.EarlyError](err); ok {
		p := problem(http.StatusForbidden, codeLinkEarly, early.Error())
		p.ValidFrom = &early.ValidFrom
		return p
	}
	for _, known := range problems {
		if !errors.Is(err, known.err) {
			continue
		}
		p := problem(known.status, known.code, known.err.Error())
		if ofLink, ok := errors.AsType[*meeting.LinkError](err); ok {
			p.Host = ofLink.Host
		}
		if known.status == http.StatusServiceUnavailable {
			a.log.WarnContext(ctx, "call not possible", "err", err)
			p.retryAfter = 5 * time.Second
		}
		return p
	}
	if errors.Is(err, context.Canceled) {
		return problem(499, codeInternal, "the caller left")
	}
	return a.internal(ctx, "err", err)
}

// internal logs our fault under a number that the caller can quote.
func (a *API) internal(ctx context.Context, key string, value any) *Problem {
	number := rand.Text()[:10]
	path := ""
	if r := request(ctx); r != nil {
		path = r.Method + " " + r.URL.Path
	}
	a.log.ErrorContext(ctx, "call failed", "support", number, "call", path, key, value)
	p := problem(http.StatusInternalServerError, codeInternal, "quote the number to your administrator")
	p.Instance = "urn:aparte:support:" + number
	return p
}

// writeProblem answers before huma has read the body.
func writeProblem(ctx huma.Context, p *Problem) {
	for name, values := range p.GetHeaders() {
		ctx.SetHeader(name, values[0])
	}
	ctx.SetHeader("Content-Type", p.ContentType(""))
	ctx.SetStatus(p.Status)
	_ = json.NewEncoder(ctx.BodyWriter()).Encode(p)
}

// sendProblem answers outside huma.
func sendProblem(w http.ResponseWriter, p *Problem) {
	for name, values := range p.GetHeaders() {
		w.Header().Set(name, values[0])
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}
