package api

import (
	"context"

	"aparte/signaling/link"
)

// GuestList is what a file of guests says. With errors nothing of it should be
// used.
type GuestList struct {
	Guests  []ListedGuest `json:"guests" nullable:"false"`
	Errors  []LineError   `json:"errors" nullable:"false"`
	More    int           `json:"more,omitempty" doc:"Errors beyond those listed."`
	Ignored []string      `json:"ignored" nullable:"false" doc:"Columns that are not understood, as written."`
	Latin   bool          `json:"latin" doc:"Not UTF-8: read as Windows-1252. Have a look at the accents."`
}

// ListedGuest is a guest of the list, ready for a personal link.
type ListedGuest struct {
	Line         int    `json:"line" doc:"In the file, from 1."`
	Name         string `json:"name"`
	Organisation string `json:"organisation,omitempty"`
	Label        string `json:"label,omitempty"`
	Language     string `json:"language,omitempty" doc:"BCP 47."`
	Role         string `json:"role" enum:"guest,observer" doc:"What the guest comes in as."`
	PIN          bool   `json:"pin"`
	DuplicateOf  int    `json:"duplicate_of,omitempty" doc:"An earlier line with the same name and label."`
	Invited      bool   `json:"invited" doc:"A link that still works has the same name and label."`
}

// LineError says what is wrong with a line.
type LineError struct {
	Line    int    `json:"line" doc:"In the file, from 1; 0: the file as a whole."`
	Column  string `json:"column,omitempty" enum:"name,organisation,label,language,pin,role" doc:"Absent: the line as a whole."`
	Code    string `json:"code" enum:"too-large,encoding,empty,too-many,twice,missing,columns,text,language,pin,role,quotation" doc:"What is wrong; decide by this, not by the words."`
	Message string `json:"message" doc:"Completes: this column ..., or this line ..."`
}

func (a *API) checkGuestList(ctx context.Context, in *meetingCSV) (*output[GuestList], error) {
	list, err := a.meetings.CheckGuestList(ctx, theAgent(ctx).agent(), in.ID, in.RawBody)
	if err != nil {
		return nil, err
	}
	return &output[GuestList]{guestListOf(list)}, nil
}

func guestListOf(v link.GuestList) GuestList {
	out := GuestList{
		Guests: make([]ListedGuest, len(v.Guests)), Errors: make([]LineError, len(v.Errors)),
		Ignored: append([]string{}, v.Ignored...), More: v.More, Latin: v.Latin,
	}
	for i, g := range v.Guests {
		out.Guests[i] = ListedGuest{
			Line: g.Line, Name: g.Name, Organisation: g.Organisation, Label: g.Label, Language: g.Language,
			Role: string(g.Role), PIN: g.PIN, DuplicateOf: g.DuplicateOf, Invited: g.Invited,
		}
	}
	for i, e := range v.Errors {
		out.Errors[i] = LineError{Line: e.Line, Column: e.Column, Code: e.Code, Message: e.Reason}
	}
	return out
}
