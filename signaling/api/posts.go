package api

import (
	"context"
	"errors"
	"time"

	"aparte/signaling/name"
	"aparte/signaling/post"
)

// Post is an embassy, a consulate or a department, with what one is there.
type Post struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	TimeZone  string    `json:"time_zone" doc:"IANA, such as Africa/Dakar."`
	Languages []string  `json:"languages" nullable:"false" doc:"BCP 47, the one preferred first."`
	Contact   Contact   `json:"contact"`
	CreatedAt time.Time `json:"created_at"`
	Role      string    `json:"role" enum:"agent,administrator,auditor" doc:"What one is at the post."`
}

// Contact is how a post is reached.
type Contact struct {
	Address string `json:"address,omitempty" maxLength:"1000" doc:"Postal, of several lines."`
	Phone   string `json:"phone,omitempty" maxLength:"80"`
	Email   string `json:"email,omitempty" maxLength:"254"`
	Web     string `json:"web,omitempty" maxLength:"300" doc:"http or https."`
}

// PostDraft is what is said about a post.
type PostDraft struct {
	Name      string   `json:"name" minLength:"1" maxLength:"200"`
	TimeZone  string   `json:"time_zone" minLength:"1" maxLength:"64" doc:"IANA, such as Africa/Dakar."`
	Languages []string `json:"languages" minItems:"1" maxItems:"10" nullable:"false" doc:"BCP 47, the one preferred first."`
	Contact   Contact  `json:"contact,omitzero"`
}

// NewPost is a post to make.
type NewPost struct {
	PostDraft
	Administrator string `json:"administrator,omitempty" maxLength:"254" doc:"Address of the account that is the post's first administrator; absent: one's own. Only the post's administrators name others afterwards."`
}

// CreatedPost is a post that one has made.
type CreatedPost struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	Own       bool      `json:"own" doc:"Whether one administers it oneself. Otherwise one is nothing there."`
}

// PostList is one's posts by name.
type PostList struct {
	Posts []Post `json:"posts" nullable:"false"`
}

// PostMember is somebody of a post.
type PostMember struct {
	Account string    `json:"account" doc:"Id of the account."`
	Name    string    `json:"name"`
	Email   string    `json:"email"`
	Role    string    `json:"role" enum:"agent,administrator,auditor"`
	Since   time.Time `json:"since"`
}

// PostMemberList is the people of a post by name.
type PostMemberList struct {
	Members []PostMember `json:"members" nullable:"false"`
}

// PostMemberDraft is somebody to add to a post.
type PostMemberDraft struct {
	Email string `json:"email" minLength:"3" maxLength:"254" doc:"Address that the account signs in with."`
	Role  string `json:"role" enum:"agent,administrator,auditor"`
}

// PostMemberRole is what a member shall be.
type PostMemberRole struct {
	Role string `json:"role" enum:"agent,administrator,auditor"`
}

// Figures are what a post did within a period, counted from its audit trail.
type Figures struct {
	Since    time.Time `json:"since" doc:"Beginning of the first day in the post's time zone."`
	Until    time.Time `json:"until" doc:"End of the last day in the post's time zone; not included."`
	Held     int       `json:"held" doc:"Meetings that were opened."`
	Minutes  int       `json:"minutes" doc:"How long the meetings that ended had been open, each rounded down."`
	Admitted int       `json:"admitted" doc:"Admissions of guests: who was let in twice counts twice."`
	Refused  int       `json:"refused" doc:"Guests refused or banned."`
	Removed  int       `json:"removed" doc:"Removals from the call."`
}

func postDraft(d PostDraft) post.Draft {
	return post.Draft{Name: d.Name, TimeZone: d.TimeZone, Languages: d.Languages, Contact: post.Contact(d.Contact)}
}

func postOf(m post.Membership) Post {
	p := m.Post
	return Post{
		ID: p.ID, Name: p.Name, TimeZone: p.TimeZone, Languages: append([]string{}, p.Languages...),
		Contact: Contact(p.Contact), CreatedAt: p.CreatedAt.UTC(), Role: string(m.Role),
	}
}

func postMemberOf(m post.Member) PostMember {
	return PostMember{Account: m.Account, Name: m.Name, Email: m.Email, Role: string(m.Role), Since: m.Since.UTC()}
}

func postMemberAnswer(m post.Member, err error) (*output[PostMember], error) {
	if err != nil {
		return nil, err
	}
	return &output[PostMember]{postMemberOf(m)}, nil
}

func (a *API) listPosts(ctx context.Context, _ *none) (*output[PostList], error) {
	all, err := a.posts.Of(ctx, theAgent(ctx).account.ID)
	if err != nil {
		return nil, err
	}
	list := PostList{Posts: make([]Post, len(all))}
	for i, m := range all {
		list.Posts[i] = postOf(m)
	}
	return &output[PostList]{list}, nil
}

// postAnswer is to an administrator of the post.
func postAnswer(p post.Post, err error) (*output[Post], error) {
	if err != nil {
		return nil, err
	}
	return &output[Post]{postOf(post.Membership{Post: p, Role: post.Administrator})}, nil
}

func (a *API) createPost(ctx context.Context, in *input[NewPost]) (*output[CreatedPost], error) {
	by := theAgent(ctx).account
	email := in.Body.Administrator
	if email == "" {
		email = by.Email
	}
	made, administrator, err := a.posts.CreateFor(ctx, by.ID, postDraft(in.Body.PostDraft), email)
	if errors.Is(err, post.ErrNoMember) {
		err = &name.Error{At: "administrator", Reason: "is nobody's who may sign in: create an account"}
	}
	if err != nil {
		return nil, err
	}
	return &output[CreatedPost]{CreatedPost{ID: made.ID, Name: made.Name, CreatedAt: made.CreatedAt.UTC(), Own: administrator == by.ID}}, nil
}

func (a *API) editPost(ctx context.Context, in *postBody[PostDraft]) (*output[Post], error) {
	return postAnswer(a.posts.Edit(ctx, theAgent(ctx).account.ID, in.Post, postDraft(in.Body)))
}

func (a *API) listPostMembers(ctx context.Context, in *inPost) (*output[PostMemberList], error) {
	all, err := a.posts.Members(ctx, theAgent(ctx).account.ID, in.Post)
	if err != nil {
		return nil, err
	}
	list := PostMemberList{Members: make([]PostMember, len(all))}
	for i, m := range all {
		list.Members[i] = postMemberOf(m)
	}
	return &output[PostMemberList]{list}, nil
}

func (a *API) addPostMember(ctx context.Context, in *postBody[PostMemberDraft]) (*output[PostMember], error) {
	m, err := a.posts.AddMember(ctx, theAgent(ctx).account.ID, in.Post, in.Body.Email, in.Body.Role)
	if errors.Is(err, post.ErrNoMember) {
		err = &name.Error{At: "email", Reason: "is nobody's who may sign in: create an account"}
	}
	return postMemberAnswer(m, err)
}

func (a *API) setPostMember(ctx context.Context, in *postMemberBody[PostMemberRole]) (*output[PostMember], error) {
	return postMemberAnswer(a.posts.SetRole(ctx, theAgent(ctx).account.ID, in.Post, in.Account, in.Body.Role))
}

func (a *API) removePostMember(ctx context.Context, in *inPostMember) (*none, error) {
	return &none{}, a.posts.RemoveMember(ctx, theAgent(ctx).account.ID, in.Post, in.Account)
}

// day reads a date without a time; absent is zero.
func day(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, fieldProblem("query."+field, "must be a day such as 2027-03-02")
	}
	return t, nil
}

type inFigures struct {
	Post string `path:"post" maxLength:"64"`
	From string `query:"from" maxLength:"10" doc:"First day, such as 2027-03-01, in the post's time zone; absent: 29 days before the last."`
	To   string `query:"to" maxLength:"10" doc:"Last day; absent: today."`
}

func (a *API) getFigures(ctx context.Context, in *inFigures) (*output[Figures], error) {
	from, err := day("from", in.From)
	if err != nil {
		return nil, err
	}
	to, err := day("to", in.To)
	if err != nil {
		return nil, err
	}
	f, err := a.posts.FiguresOf(ctx, theAgent(ctx).account.ID, in.Post, post.Days{From: from, To: to})
	if err != nil {
		return nil, err
	}
	return &output[Figures]{Figures{
		Since: f.Since.UTC(), Until: f.Until.UTC(), Held: f.Held, Minutes: f.Minutes,
		Admitted: f.Admitted, Refused: f.Refused, Removed: f.Removed,
	}}, nil
}
