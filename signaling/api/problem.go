package api

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aparte/signaling/name"
)

// Codes of problems; the type of a problem is problemURN + code.
const (
	codeInvalid         = "invalid"
	codeUnauthenticated = "unauthenticated"
	codeForbidden       = "forbidden"
	codeNotFound        = "not-found"
	codeConflict        = "conflict"
	codeLastAdmin       = "last-administrator"
	codeOwnAccount      = "own-account"
	codeDisabled        = "account-disabled"
	codeOtherPosts      = "other-posts"
	codeLinkUnknown     = "link-unknown"
	codeLinkEarly       = "link-early"
	codeLinkExpired     = "link-expired"
	codeLinkRevoked     = "link-revoked"
	codeLinkFull        = "link-full"
	codeLinkInUse       = "link-in-use"
	codeProofInvalid    = "proof-invalid"
	codePINRequired     = "pin-required"
	codePINWrong        = "pin-wrong"
	codeDenied          = "denied"
	codeBanned          = "banned"
	codeMeetingEnded    = "meeting-ended"
	codeNotOpen         = "meeting-not-open"
	codeMustKnock       = "must-knock"
	codeNoHost          = "no-host"
	codeMeetingLocked   = "meeting-locked"
	codeProfileRefuses  = "profile-refuses"
	codeProfileLacking  = "profile-unavailable"
	codeNoRecorder      = "recording-unavailable"
	codeQuota           = "recording-quota"
	codeHeld            = "recording-held"
	codeStoreLocked     = "recording-locked"
	codeChatFull        = "chat-full"
	codeFileTooLarge    = "file-too-large"
	codeFileBroken      = "file-not-whole"
	codeFilesMany       = "too-many-files"
	codeFilesFull       = "files-full"
	codeFilesNoRoom     = "no-room-for-files"
	codeTooMany         = "too-many"
	codeNotStored       = "not-stored"
	codeUnavailable     = "unavailable"
	codeInternal        = "internal"
)

const problemURN = "urn:aparte:problem:"

// Problem is what every refused call answers (RFC 9457), as
// application/problem+json.
type Problem struct { //nolint:errname // it is what RFC 9457 calls a problem, and the name of the schema
	Type     string         `json:"type" enum:"urn:aparte:problem:invalid,urn:aparte:problem:unauthenticated,urn:aparte:problem:forbidden,urn:aparte:problem:not-found,urn:aparte:problem:conflict,urn:aparte:problem:last-administrator,urn:aparte:problem:own-account,urn:aparte:problem:account-disabled,urn:aparte:problem:other-posts,urn:aparte:problem:link-unknown,urn:aparte:problem:link-early,urn:aparte:problem:link-expired,urn:aparte:problem:link-revoked,urn:aparte:problem:link-full,urn:aparte:problem:link-in-use,urn:aparte:problem:proof-invalid,urn:aparte:problem:pin-required,urn:aparte:problem:pin-wrong,urn:aparte:problem:denied,urn:aparte:problem:banned,urn:aparte:problem:meeting-ended,urn:aparte:problem:meeting-locked,urn:aparte:problem:meeting-not-open,urn:aparte:problem:must-knock,urn:aparte:problem:no-host,urn:aparte:problem:profile-refuses,urn:aparte:problem:profile-unavailable,urn:aparte:problem:recording-unavailable,urn:aparte:problem:recording-quota,urn:aparte:problem:recording-held,urn:aparte:problem:recording-locked,urn:aparte:problem:chat-full,urn:aparte:problem:file-too-large,urn:aparte:problem:file-not-whole,urn:aparte:problem:too-many-files,urn:aparte:problem:files-full,urn:aparte:problem:no-room-for-files,urn:aparte:problem:too-many,urn:aparte:problem:not-stored,urn:aparte:problem:unavailable,urn:aparte:problem:internal" doc:"What kind of problem; decide by this, not by the words."`
	Title    string         `json:"title" doc:"The kind of problem in English."`
	Status   int            `json:"status" doc:"The HTTP status."`
	Detail   string         `json:"detail,omitempty" doc:"This occurrence in English."`
	Instance string         `json:"instance,omitempty" doc:"Support number of an internal problem, found in the log."`
	Errors   []ProblemField `json:"errors,omitempty" nullable:"false" doc:"The fields at fault."`

	ValidFrom *time.Time `json:"valid_from,omitempty" doc:"link-early: when the link begins to work."`
	Host      string     `json:"host,omitempty" doc:"link-expired, link-early, link-in-use and profile-refuses: whom to ask for a new link."`
	Line      string     `json:"line,omitempty" doc:"profile-refuses: the line of the security profile."`
	Profile   *Text      `json:"profile,omitempty" doc:"profile-refuses of a guest link: the name of the security profile."`
	Needs     []string   `json:"needs,omitempty" nullable:"false" doc:"profile-unavailable: what this version lacks."`
	Limit     int64      `json:"limit,omitempty" doc:"file-too-large: the bytes that a file may have; recording-quota: those that the recordings of the post may."`
	Used      int64      `json:"used,omitempty" doc:"recording-quota: the bytes that they have."`
	TriesLeft *int       `json:"tries_left,omitempty" doc:"pin-wrong: tries before each costs a pause."`

	retryAfter time.Duration
}

// ProblemField names a field at fault and says why.
type ProblemField struct {
	Location string `json:"location" doc:"Such as body.title or path.id."`
	Message  string `json:"message" doc:"Completes 'the field ...', in English."`
	Code     string `json:"code,omitempty" enum:"form,taken,required,too-long,unshowable,id-form,unknown-value,out-of-range,no-way-in,no-guests,spoken-code-shared,encrypted-recording,delay-without-end,private-key,classic-key,damaged-key,key-there" doc:"What kind of mistake, where it is one of these; decide by this, not by the words. form: not as this document describes it. taken: there is one already."`
}

// Kinds of mistakes that are found here; those that the rules find are in packages name
// and profile.
const (
	codeOfForm  name.Code = "form"
	codeOfTaken name.Code = "taken"
)

var titles = map[string]string{
	codeInvalid:         "Some of what was sent is not valid",
	codeUnauthenticated: "Sign in first",
	codeForbidden:       "Not allowed",
	codeNotFound:        "Not found",
	codeConflict:        "Not possible in the present state",
	codeLastAdmin:       "A post, and the installation, keeps one administrator at least",
	codeOwnAccount:      "Not for one's own account",
	codeDisabled:        "The account is disabled",
	codeOtherPosts:      "The account belongs to other posts, too",
	codeLinkUnknown:     "This link is not valid",
	codeLinkEarly:       "This link is not valid yet",
	codeLinkExpired:     "This link has expired",
	codeLinkRevoked:     "This link was revoked",
	codeLinkFull:        "This link has no places left",
	codeLinkInUse:       "This link is in use by somebody else",
	codeProofInvalid:    "The proof of the browser's key does not hold",
	codePINRequired:     "This link asks for a PIN",
	codePINWrong:        "This is not the PIN of this link",
	codeDenied:          "The request to enter was not accepted",
	codeBanned:          "A host has closed this way in",
	codeMeetingEnded:    "The meeting has ended",
	codeNotOpen:         "The meeting is not open yet",
	codeNoRecorder:      "This call cannot be recorded",
	codeQuota:           "The post has no room for another recording",
	codeHeld:            "The recording is on hold",
	codeStoreLocked:     "The recording is locked in its store",
	codeMustKnock:       "One has to ask to enter this meeting",
	codeNoHost:          "No host is in the meeting",
	codeMeetingLocked:   "The meeting is locked",
	codeProfileRefuses:  "The security profile does not allow it",
	codeProfileLacking:  "This security profile is not available",
	codeFileTooLarge:    "The file is too large",
	codeFileBroken:      "The file did not come whole",
	codeFilesMany:       "No more files of this person",
	codeFilesFull:       "No more files in this meeting",
	codeFilesNoRoom:     "The server has no room for files",
	codeTooMany:         "Too many attempts",
	codeNotStored:       "Done in the call, but not stored: repeat it",
	codeUnavailable:     "Not available for the moment",
	codeInternal:        "Something went wrong on the server",
}

func problem(status int, code, detail string) *Problem {
	return &Problem{Type: problemURN + code, Title: titles[code], Status: status, Detail: detail}
}

func fieldProblem(location, message string) *Problem {
	p := problem(http.StatusUnprocessableEntity, codeInvalid, message)
	p.Errors = []ProblemField{{Location: location, Message: message}}
	return p
}

// typedProblem is what is wrong with something that was typed.
func typedProblem(location string, e *name.Error) *Problem {
	p := fieldProblem(location, e.Reason)
	p.Errors[0].Code = string(e.Code)
	return p
}

func tooMany(wait time.Duration) *Problem {
	p := problem(http.StatusTooManyRequests, codeTooMany, "try again later")
	p.retryAfter = wait
	return p
}

// Error makes a Problem an error that handlers return.
func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

// GetStatus is the HTTP status, for huma.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is the media type of a problem, for huma.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders gives Retry-After where there is something to wait for.
func (p *Problem) GetHeaders() http.Header {
	if p.retryAfter <= 0 {
		return nil
	}
	seconds := int((p.retryAfter + time.Second - 1) / time.Second)
	return http.Header{"Retry-After": {strconv.Itoa(seconds)}}
}

// ours turns huma's own findings (validation, body limits) into a Problem, and
// leaves out the values huma echoes: a password has no place in an answer.
func ours(_ huma.Context, _ string, v any) (any, error) {
	model, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	code := codeInvalid
	if model.Status >= http.StatusInternalServerError {
		code = codeInternal
	}
	p := problem(model.Status, code, model.Detail)
	for _, d := range model.Errors {
		if d != nil {
			p.Errors = append(p.Errors, locate(d))
		}
	}
	return p, nil
}

// locate names the missing field itself, where huma names its parent.
func locate(d *huma.ErrorDetail) ProblemField {
	f := ProblemField{Location: d.Location, Message: d.Message, Code: string(codeOfForm)}
	if rest, ok := strings.CutPrefix(d.Message, "expected required property "); ok {
		if missing, ok := strings.CutSuffix(rest, " to be present"); ok {
			f.Location += "." + missing
			f.Message = "is required"
			f.Code = string(name.CodeRequired)
		}
	}
	return f
}
