package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"aparte/signaling/meeting"
	"aparte/signaling/post"
	"aparte/signaling/profile"
)

// Text is a text in the languages of the product. Administrators write French and
// English.
type Text struct {
	French  string `json:"fr" minLength:"1" maxLength:"400"`
	English string `json:"en" minLength:"1" maxLength:"400"`
	Arabic  string `json:"ar,omitempty" maxLength:"400" readOnly:"true" doc:"Of texts that ship with the program, for as long as they are not reworded. Not read in requests."`
}

func (t Text) text() profile.Text { return profile.Text{French: t.French, English: t.English} }

// ProfileRules are the lines of a security profile.
type ProfileRules struct {
	Guests          bool               `json:"guests" doc:"Somebody may come in by a guest link."`
	SharedLinks     bool               `json:"shared_links" doc:"Shared links let in."`
	PersonalLinks   bool               `json:"personal_links" doc:"Personal links let in."`
	PIN             bool               `json:"pin" doc:"Every link needs a PIN."`
	LinkHours       int                `json:"link_hours" minimum:"0" maximum:"2160" doc:"How long a link lives at most, in hours from when it was made or last issued anew; 0: the meeting's own hours."`
	SpokenCode      bool               `json:"spoken_code" doc:"A host hears a verification code from every guest."`
	Lobby           profile.Lobby      `json:"lobby" enum:"guests,all-but-hosts" doc:"Who has to wait in the lobby."`
	Encryption      profile.Encryption `json:"encryption" enum:"optional,on,required" doc:"End-to-end encryption."`
	Recording       profile.Recording  `json:"recording" enum:"consent,sealed,impossible" doc:"Recording on the server."`
	GuestShare      profile.Giving     `json:"guest_share" enum:"allowed,granted,off" doc:"Whether guests may share their screen: as a matter of course, if a host grants it, or never."`
	GuestFiles      profile.Giving     `json:"guest_files" enum:"allowed,granted,off" doc:"Whether guests may send files."`
	Watermark       bool               `json:"watermark" doc:"Names are shown on the video."`
	PrivateMessages profile.Writing    `json:"private_messages" enum:"all,hosts,off" doc:"Who may write to one person in the call; hosts: to or from a host."`
	KeepChat        bool               `json:"keep_chat" doc:"What is written to everybody in the call is stored; private messages never are."`
	LastHost        profile.LastHost   `json:"last_host" enum:"end,wait,promote" doc:"What happens once no host is in the call any more."`
	LastHostDelay   int                `json:"last_host_delay" minimum:"0" maximum:"3600" doc:"After how many seconds."`
}

// Profile is a security profile in its newest version.
type Profile struct {
	ID       string       `json:"id"`
	Version  int          `json:"version"`
	Name     Text         `json:"name"`
	Sentence Text         `json:"sentence" doc:"What everybody in a meeting is told of it."`
	Rules    ProfileRules `json:"rules"`
	// Needs makes the profile unavailable.
	Needs     []profile.Need `json:"needs" nullable:"false" enum:"end-to-end-encryption,spoken-code" doc:"What the profile needs and this version lacks; not empty: it cannot be chosen."`
	ChangedAt *time.Time     `json:"changed_at,omitempty" doc:"Absent: as it shipped."`
	ChangedBy string         `json:"changed_by,omitempty" doc:"Name of the administrator."`
}

// ProfileList is a post's security profiles, the least strict that ships first.
type ProfileList struct {
	Profiles []Profile `json:"profiles" nullable:"false"`
}

// ProfileHistory is a profile and all its versions, newest first.
type ProfileHistory struct {
	Profile  Profile   `json:"profile"`
	Versions []Profile `json:"versions" nullable:"false"`
}

// ProfileDraft is a security profile to create.
type ProfileDraft struct {
	ID       string       `json:"id" minLength:"2" maxLength:"32" pattern:"^[a-z0-9]+(-[a-z0-9]+)*$" doc:"What meetings name; it never changes."`
	Name     Text         `json:"name"`
	Sentence Text         `json:"sentence"`
	Rules    ProfileRules `json:"rules"`
}

// ProfileEdit is the next version of a security profile.
type ProfileEdit struct {
	Version  int          `json:"version" minimum:"1" doc:"The version that the edit began from; another one has come since: conflict."`
	Name     Text         `json:"name"`
	Sentence Text         `json:"sentence"`
	Rules    ProfileRules `json:"rules"`
}

// ProfileChange is what an edit did.
type ProfileChange struct {
	Profile Profile        `json:"profile"`
	Effects ProfileEffects `json:"effects"`
}

// ProfileEffects are what an edit does to the meetings that have the profile.
type ProfileEffects struct {
	Needs    []profile.Need   `json:"needs" nullable:"false" enum:"end-to-end-encryption,spoken-code" doc:"What makes it unavailable: refused while a meeting has the profile."`
	InUse    int              `json:"in_use" doc:"How many meetings that are not over have the profile, 200 at most."`
	More     bool             `json:"more" doc:"There are more, which are not looked at here; the edit concerns them, too."`
	Meetings []MeetingEffects `json:"meetings" nullable:"false" doc:"Those to which something happens."`
}

// MeetingEffects are what a profile does to one meeting when it comes into force.
// Whatever is not in them stays as it is.
type MeetingEffects struct {
	Meeting string          `json:"meeting"`
	Title   string          `json:"title"`
	State   string          `json:"state" enum:"scheduled,open,ended"`
	Links   []LinkEffect    `json:"links" nullable:"false" doc:"Guest links that stop working, or work for a shorter time."`
	Waiting []WaitingEffect `json:"waiting" nullable:"false" doc:"Guests in the lobby who cannot be let in any more."`
	Guests  []GuestEffect   `json:"guests" nullable:"false" doc:"Guests who were let in and are concerned."`
	Lobby   []Participant   `json:"lobby" nullable:"false" doc:"Those in the call who would have to go through the lobby; they stay until they leave or are removed."`
	// Freed are named like those who wait, without a line that would keep them out.
	Freed  []FreedEffect `json:"freed" nullable:"false" doc:"Agents in the lobby who need not wait any more and may come in."`
	Chat   string        `json:"chat" enum:"unchanged,kept,not-kept" doc:"What becomes of what is written to everybody from then on. What was written before stays as it is."`
	Stored int           `json:"stored" doc:"not-kept: how many messages stay stored all the same, until they are deleted."`
	Files  int           `json:"files" doc:"Files that guests have sent, where they may send no more: they stay until somebody deletes them, or the meeting ends."`
	Heard  bool          `json:"heard" doc:"Somebody is in the call: what was said and shown cannot be unsaid."`
}

// LinkEffect is a guest link that stops working, or works for a shorter time.
type LinkEffect struct {
	ID        string     `json:"id"`
	Label     string     `json:"label"`
	Kind      string     `json:"kind" enum:"personal,shared"`
	GuestName string     `json:"guest_name,omitempty"`
	Line      string     `json:"line" doc:"The line of the profile that does it."`
	From      *time.Time `json:"from,omitempty" doc:"When it begins to work."`
	Until     *time.Time `json:"until,omitempty" doc:"Until when it works; absent: it does not work any more."`
}

// WaitingEffect is a guest in the lobby who cannot be let in any more.
type WaitingEffect struct {
	Knock string `json:"knock"`
	Name  string `json:"name" doc:"As typed; show it isolated (bdi)."`
	Line  string `json:"line" doc:"The line of the profile that does it."`
}

// FreedEffect is an agent in the lobby who may come in without being let in.
type FreedEffect struct {
	Knock string `json:"knock"`
	Name  string `json:"name"`
}

// GuestEffect is a guest who was let in and is concerned.
type GuestEffect struct {
	Identity   string `json:"identity"`
	Name       string `json:"name" doc:"As typed; show it isolated (bdi)."`
	InCall     bool   `json:"in_call"`
	LosesShare bool   `json:"loses_share" doc:"May not share a screen any more, unless a host grants it where that is possible."`
	LosesFiles bool   `json:"loses_files" doc:"May not send files any more, unless a host grants it where that is possible."`
	Stays      string `json:"stays,omitempty" doc:"The line by which this guest would not be let in now. That is not undone: a host may remove them."`
}

// ProfileChoice is the security profile that a meeting shall have.
type ProfileChoice struct {
	Profile string `json:"profile" minLength:"1" maxLength:"32" doc:"Its id."`
}

type (
	inProfiles struct {
		Post string `query:"post" maxLength:"64" doc:"Whose profiles; may be left out by who acts for one post alone."`
	}
	inProfile struct {
		Profile string `path:"profile" maxLength:"32"`
		Post    string `query:"post" maxLength:"64" doc:"Whose profile; may be left out by who acts for one post alone."`
	}
	profilesBody struct {
		Post string `query:"post" maxLength:"64" doc:"Whose profile; may be left out by who administers one post alone."`
		Body ProfileDraft
	}
	profileBody struct {
		Profile string `path:"profile" maxLength:"32"`
		Post    string `query:"post" maxLength:"64" doc:"Whose profile; may be left out by who administers one post alone."`
		Body    ProfileEdit
	}
)

// reads is the post whose profiles an agent may look at, administers the one whose
// profiles they may change.
func (k known) reads(wanted string) (string, error) {
	return onePost(wanted, k.account.Posts.IDs())
}

func (k known) administers(wanted string) (string, error) {
	mine := k.account.Posts.Administering()
	if len(mine) == 0 || wanted != "" && !slices.Contains(mine, wanted) && slices.Contains(k.account.Posts.IDs(), wanted) {
		return "", problem(http.StatusForbidden, codeForbidden, "for administrators of the post")
	}
	return onePost(wanted, mine)
}

func onePost(wanted string, mine []string) (string, error) {
	switch {
	case wanted != "" && slices.Contains(mine, wanted):
		return wanted, nil
	case wanted != "" || len(mine) == 0:
		return "", post.ErrNotFound
	case len(mine) > 1:
		return "", fieldProblem("query.post", "is required: you act for several posts")
	}
	return mine[0], nil
}

func needsOf(all []profile.Need) []profile.Need {
	if all == nil {
		return []profile.Need{}
	}
	return all
}

func profileOf(p profile.Profile) Profile {
	return Profile{
		ID: p.ID, Version: p.Version, Name: Text(p.Name), Sentence: Text(p.Sentence), Rules: ProfileRules(p.Rules),
		Needs: needsOf(p.Rules.Needs()), ChangedAt: optional(p.ChangedAt), ChangedBy: p.ChangedByName,
	}
}

func profilesOf(all []profile.Profile) []Profile {
	out := make([]Profile, len(all))
	for i, p := range all {
		out[i] = profileOf(p)
	}
	return out
}

func (a *API) listProfiles(ctx context.Context, in *inProfiles) (*output[ProfileList], error) {
	of, err := theAgent(ctx).reads(in.Post)
	if err != nil {
		return nil, err
	}
	all, err := a.meetings.Profiles(ctx, of)
	if err != nil {
		return nil, err
	}
	return &output[ProfileList]{ProfileList{profilesOf(all)}}, nil
}

func (a *API) getProfile(ctx context.Context, in *inProfile) (*output[ProfileHistory], error) {
	of, err := theAgent(ctx).reads(in.Post)
	if err != nil {
		return nil, err
	}
	all, err := a.meetings.ProfileVersions(ctx, of, in.Profile)
	if err != nil {
		return nil, err
	}
	return &output[ProfileHistory]{ProfileHistory{Profile: profileOf(all[0]), Versions: profilesOf(all)}}, nil
}

func (a *API) createProfile(ctx context.Context, in *profilesBody) (*output[Profile], error) {
	k, b := theAgent(ctx), in.Body
	of, err := k.administers(in.Post)
	if err != nil {
		return nil, err
	}
	p, err := a.meetings.AddProfile(ctx, k.agent(), profile.Profile{
		Post: of, ID: b.ID, Name: b.Name.text(), Sentence: b.Sentence.text(), Rules: profile.Rules(b.Rules),
	})
	if err != nil {
		return nil, err
	}
	return &output[Profile]{profileOf(p)}, nil
}

func (in *profileBody) edited(k known) (profile.Profile, error) {
	b := in.Body
	of, err := k.administers(in.Post)
	return profile.Profile{
		Post: of, ID: in.Profile, Version: b.Version,
		Name: b.Name.text(), Sentence: b.Sentence.text(), Rules: profile.Rules(b.Rules),
	}, err
}

func (a *API) changeProfile(ctx context.Context, in *profileBody) (*output[ProfileChange], error) {
	k := theAgent(ctx)
	edited, err := in.edited(k)
	if err != nil {
		return nil, err
	}
	p, effects, err := a.meetings.ChangeProfile(ctx, k.agent(), edited)
	if err != nil {
		return nil, err
	}
	return &output[ProfileChange]{ProfileChange{profileOf(p), editEffectsOf(effects)}}, nil
}

func (a *API) previewProfile(ctx context.Context, in *profileBody) (*output[ProfileEffects], error) {
	edited, err := in.edited(theAgent(ctx))
	if err != nil {
		return nil, err
	}
	effects, err := a.meetings.PreviewProfile(ctx, edited)
	if err != nil {
		return nil, err
	}
	return &output[ProfileEffects]{editEffectsOf(effects)}, nil
}

func (a *API) chooseProfile(ctx context.Context, in *meetingBody[ProfileChoice]) (*output[MeetingEffects], error) {
	return effectsAnswer(a.meetings.ChooseProfile(ctx, theAgent(ctx).agent(), in.ID, in.Body.Profile))
}

func (a *API) previewChoice(ctx context.Context, in *meetingBody[ProfileChoice]) (*output[MeetingEffects], error) {
	return effectsAnswer(a.meetings.PreviewChoice(ctx, theAgent(ctx).agent(), in.ID, in.Body.Profile))
}

func effectsAnswer(e meeting.Effects, err error) (*output[MeetingEffects], error) {
	if err != nil {
		return nil, err
	}
	return &output[MeetingEffects]{effectsOf(e)}, nil
}

func editEffectsOf(e meeting.EditEffects) ProfileEffects {
	out := ProfileEffects{Needs: needsOf(e.Needs), InUse: e.InUse, More: e.More, Meetings: make([]MeetingEffects, len(e.Meetings))}
	for i, m := range e.Meetings {
		out.Meetings[i] = effectsOf(m)
	}
	return out
}

func effectsOf(e meeting.Effects) MeetingEffects {
	out := MeetingEffects{
		Meeting: e.Meeting, Title: e.Title, State: string(e.State), Chat: string(e.Chat), Stored: e.Stored, Heard: e.Heard, Files: e.Files,
		Links: make([]LinkEffect, len(e.Links)), Waiting: make([]WaitingEffect, len(e.Waiting)),
		Guests: make([]GuestEffect, len(e.Guests)), Lobby: make([]Participant, len(e.Lobby)), Freed: make([]FreedEffect, len(e.Freed)),
	}
	for i, f := range e.Links {
		out.Links[i] = LinkEffect{
			ID: f.Link.ID, Label: f.Link.Label, Kind: string(f.Link.Kind), GuestName: f.Link.GuestName,
			Line: f.Line, From: optional(f.From), Until: optional(f.Until),
		}
	}
	for i, f := range e.Waiting {
		out.Waiting[i] = WaitingEffect{Knock: f.Knock.ID, Name: f.Knock.Name, Line: f.Line}
	}
	for i, f := range e.Guests {
		out.Guests[i] = GuestEffect{Identity: f.Knock.Identity, Name: f.Knock.Name, InCall: f.InCall, LosesShare: f.LosesShare, LosesFiles: f.LosesFiles, Stays: f.Stays}
	}
	for i, k := range e.Freed {
		out.Freed[i] = FreedEffect{Knock: k.ID, Name: k.Name}
	}
	for i, p := range e.Lobby {
		out.Lobby[i] = Participant{Identity: p.Identity, Name: p.Name, Role: string(p.Role)}
	}
	return out
}
