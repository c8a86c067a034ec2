package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"aparte/signaling/audit"
	"aparte/signaling/post"
)

// AuditEvent is an act in the trail of a post.
type AuditEvent struct {
	Seq      uint64            `json:"seq" doc:"Number in the chain, from 1."`
	Time     time.Time         `json:"time"`
	Act      string            `json:"act"`
	Actor    AuditActor        `json:"actor"`
	Meeting  string            `json:"meeting,omitempty" doc:"Id of the meeting."`
	Subjects map[string]string `json:"subjects,omitempty" doc:"Ids of what the act was done to."`
	Detail   map[string]string `json:"detail,omitempty"`
	Texts    map[string]string `json:"texts,omitempty" doc:"What persons typed, as far as it was not purged. Show it as text, isolated (bdi)."`
	Hash     string            `json:"hash" doc:"SHA-256 of the event and the hash before it, in hex."`
}

// AuditActor is who acted.
type AuditActor struct {
	Kind string `json:"kind" enum:"agent,guest,server,nobody"`
	ID   string `json:"id,omitempty"`
}

// AuditPage is events, newest first.
type AuditPage struct {
	Events []AuditEvent      `json:"events" nullable:"false"`
	Next   uint64            `json:"next,omitempty" doc:"Where the next page begins (before), whatever is added meanwhile; absent at the end of the trail. A page may be empty and have a next one: a filter leaves out what a page looked at."`
	Names  map[string]string `json:"names" doc:"What ids in the events are called now, as far as it is known: accounts, meetings, guest links, guests. It is no part of the chain. Show it as text, isolated (bdi)."`
}

// AuditVerification is what was found in a post's chain.
type AuditVerification struct {
	CheckedAt    time.Time      `json:"checked_at"`
	Intact       bool           `json:"intact" doc:"Nothing is wrong with what is there. What that proves, and what not, is in docs/audit.md."`
	Events       uint64         `json:"events"`
	Last         uint64         `json:"last" doc:"Number of the last event that was read."`
	LastHash     string         `json:"last_hash" doc:"Of that event, in hex."`
	PublicKey    string         `json:"public_key" doc:"That signed the head, in base64url."`
	Texts        uint64         `json:"texts" doc:"Texts of persons that are there and fit."`
	Purged       uint64         `json:"purged" doc:"Texts of persons that were deleted."`
	Findings     []AuditFinding `json:"findings" nullable:"false"`
	MoreFindings int            `json:"more_findings" doc:"Beyond those that are listed."`
}

// AuditFinding is one thing wrong with a chain.
type AuditFinding struct {
	Seq  uint64 `json:"seq,omitempty" doc:"Number of the event; absent: the chain as a whole."`
	What string `json:"what" doc:"In English."`
}

// AuditStretch chooses what of a chain to export.
type AuditStretch struct {
	Since time.Time `json:"since,omitzero" doc:"From the first event at or after this time."`
	Until time.Time `json:"until,omitzero" doc:"To the last event before this time."`
}

type inAudit struct {
	Post    string    `path:"post" maxLength:"64"`
	Act     []string  `query:"act" maxItems:"100" doc:"Only these acts, such as knock.admitted,knock.denied."`
	Actor   string    `query:"actor" pattern:"^[A-Za-z0-9_-]*$" maxLength:"64" doc:"Only acts of this account or lobby session, by id, or of a kind: agent, guest, server, nobody."`
	Meeting string    `query:"meeting" pattern:"^[A-Za-z0-9_-]*$" maxLength:"64" doc:"Only acts about this meeting."`
	Link    string    `query:"link" pattern:"^[A-Za-z0-9_-]*$" maxLength:"64" doc:"Only acts about this guest link."`
	Guest   string    `query:"guest" pattern:"^[A-Za-z0-9_-]*$" maxLength:"64" doc:"Only acts of or on this guest, by the id of the lobby session, the knock or the participant: the others are found as long as they are known."`
	Since   time.Time `query:"since" doc:"Only events from this time on."`
	Until   time.Time `query:"until" doc:"Only events before this time."`
	Before  uint64    `query:"before" maximum:"9007199254740991" doc:"Only events before this one: next of the page before."`
	Limit   int       `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

func (a *API) listAudit(ctx context.Context, in *inAudit) (*output[AuditPage], error) {
	acts := make([]audit.Act, len(in.Act))
	for i, act := range in.Act {
		if acts[i] = audit.Act(act); !acts[i].WellFormed() {
			return nil, fieldProblem(fmt.Sprintf("query.act[%d]", i), "must be an act such as knock.admitted")
		}
	}
	found, err := a.posts.Trail(ctx, theAgent(ctx).account.ID, in.Post, post.Query{
		Acts: acts, Actor: in.Actor, Meeting: in.Meeting, Link: in.Link, Guest: in.Guest,
		Since: in.Since, Until: in.Until, Before: in.Before, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	page := AuditPage{Events: make([]AuditEvent, len(found.Events)), Next: found.Next, Names: found.Names}
	for i, e := range found.Events {
		page.Events[i] = auditEventOf(e)
	}
	return &output[AuditPage]{page}, nil
}

func auditEventOf(e post.Told) AuditEvent {
	out := AuditEvent{
		Seq: e.Seq, Time: e.Time, Act: string(e.Act), Actor: AuditActor{Kind: string(e.Actor.Kind), ID: e.Actor.ID},
		Meeting: e.Meeting, Detail: e.Detail, Texts: e.Texts, Hash: e.Hash.String(),
	}
	for what, id := range e.Subjects {
		if out.Subjects == nil {
			out.Subjects = make(map[string]string, len(e.Subjects))
		}
		out.Subjects[string(what)] = id
	}
	return out
}

type inVerification struct {
	Post  string `path:"post" maxLength:"64"`
	Again bool   `query:"again" doc:"Read the chain anew, rather than answer what was found within five minutes."`
}

func (a *API) verifyAudit(ctx context.Context, in *inVerification) (*output[AuditVerification], error) {
	v, err := a.posts.Verify(ctx, theAgent(ctx).account.ID, in.Post, in.Again)
	if err != nil {
		return nil, err
	}
	out := AuditVerification{
		CheckedAt: v.At.UTC(), Intact: len(v.Findings) == 0, Events: v.Events, Last: v.Last, LastHash: v.LastHash.String(), PublicKey: v.PublicKey.String(),
		Texts: v.Texts, Purged: v.Purged, Findings: make([]AuditFinding, len(v.Findings)), MoreFindings: v.MoreFindings,
	}
	for i, f := range v.Findings {
		out.Findings[i] = AuditFinding{Seq: f.Seq, What: f.What}
	}
	return &output[AuditVerification]{out}, nil
}

// exportAudit answers with what 'aparte audit export' writes. What does not verify is
// not given out. What is read of the chain is held in the database while it is written:
// so whoever takes it has so much time for each piece, as for a file.
func (a *API) exportAudit(ctx context.Context, in *postBody[AuditStretch]) (*huma.StreamResponse, error) {
	export, err := a.posts.Export(ctx, theAgent(ctx).account.ID, in.Post, in.Body.Since, in.Body.Until)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		_, w := humago.Unwrap(ctx)
		handOver(w.Header(), "application/jsonl", "audit.jsonl")
		deadlines := http.NewResponseController(w).SetWriteDeadline
		out := &counted{w: &outgoing{w: w, pace: a.newPace(deadlines)}}
		err := export(ctx.Context(), out)
		switch tampered := (*audit.TamperedError)(nil); {
		case err == nil:
			_ = deadlines(time.Time{}) // the connection goes on
		case out.n > 0:
			panic(http.ErrAbortHandler) // nothing else tells that the file is not whole
		case errors.As(err, &tampered):
			w.Header().Del("Content-Disposition")
			sendProblem(w, problem(http.StatusConflict, codeConflict, "the chain does not verify: "+tampered.Error()))
		default:
			w.Header().Del("Content-Disposition")
			sendProblem(w, a.asProblem(ctx.Context(), err))
		}
	}}, nil
}

// counted counts what is written.
type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
