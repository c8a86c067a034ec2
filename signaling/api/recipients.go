package api

import (
	"context"
	"time"

	"aparte/signaling/post"
)

// Recipient is the public key of an archive that can open a post's recordings.
type Recipient struct {
	ID          string    `json:"id"`
	Name        string    `json:"name" doc:"What the post calls the archive."`
	Key         string    `json:"key" doc:"Of age, hybrid: begins with age1pq1."`
	Fingerprint string    `json:"fingerprint" doc:"Of the key: the first half of its SHA-256, in hexadecimal."`
	AddedBy     string    `json:"added_by" doc:"Name of whoever added it."`
	AddedAt     time.Time `json:"added_at"`
}

// RecipientList is to whom a post's recordings are sealed.
type RecipientList struct {
	Recipients []Recipient `json:"recipients" nullable:"false" doc:"The post's own, the oldest first."`
	Server     int         `json:"server" doc:"How many keys the server has for posts without any of their own. Without these neither, nothing can be recorded there."`
	ChangedAt  *time.Time  `json:"changed_at,omitempty" doc:"When the post's list was changed last; absent: never."`
	ChangedBy  string      `json:"changed_by,omitempty" doc:"Name of whoever changed it."`
}

// RecipientDraft is a key to add.
type RecipientDraft struct {
	Name string `json:"name" minLength:"1" maxLength:"160" doc:"What the post calls the archive."`
	Key  string `json:"key" minLength:"1" maxLength:"8000" doc:"What aparte keygen printed: begins with age1pq1."`
}

func recipientOf(r post.Recipient) Recipient {
	return Recipient{ID: r.ID, Name: r.Name, Key: r.Key, Fingerprint: r.Fingerprint, AddedBy: r.AddedByName, AddedAt: r.AddedAt.UTC()}
}

func (a *API) listRecipients(ctx context.Context, in *inPost) (*output[RecipientList], error) {
	all, err := a.posts.Recipients(ctx, theAgent(ctx).account.ID, in.Post)
	if err != nil {
		return nil, err
	}
	list := RecipientList{Recipients: make([]Recipient, len(all.Own)), Server: all.Server, ChangedAt: optional(all.Changed), ChangedBy: all.ChangedBy}
	for i, r := range all.Own {
		list.Recipients[i] = recipientOf(r)
	}
	return &output[RecipientList]{list}, nil
}

func (a *API) addRecipient(ctx context.Context, in *postBody[RecipientDraft]) (*output[Recipient], error) {
	r, err := a.posts.AddRecipient(ctx, theAgent(ctx).account.ID, in.Post, in.Body.Name, in.Body.Key)
	if err != nil {
		return nil, err
	}
	return &output[Recipient]{recipientOf(r)}, nil
}

func (a *API) removeRecipient(ctx context.Context, in *inRecipient) (*none, error) {
	return &none{}, a.posts.RemoveRecipient(ctx, theAgent(ctx).account.ID, in.Post, in.Recipient)
}
