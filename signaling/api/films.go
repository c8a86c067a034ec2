package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"aparte/signaling/meeting"
	"aparte/signaling/recording"
)

// Films of recordings, which are watched where they are kept.

// Film is what hosts watch of a recording.
type Film struct {
	State    string    `json:"state" enum:"queued,running,done,failed,unavailable" doc:"unavailable: the server has no program that composes; the film waits for one."`
	Since    time.Time `json:"since" doc:"In this state."`
	Ahead    int       `json:"ahead,omitempty" doc:"How many are made before it, while it waits."`
	Stage    string    `json:"stage,omitempty" enum:"opening,sound,pictures,joining" doc:"What is being done, in this order."`
	Progress float64   `json:"progress,omitempty" doc:"Of the stage, from 0 to 1."`
	Left     int       `json:"left,omitempty" doc:"Seconds that it still takes, at the pace until now; absent: nobody can tell."`
	Attempts int       `json:"attempts,omitempty" doc:"That failed."`
	Reason   string    `json:"reason,omitempty" enum:"no-program,no-key,nothing,damaged,too-long,too-costly,no-room,interrupted,error" doc:"Why it failed last. too-costly: it would take more work than one of its length is worth. no-program, no-key and no-room are the operator's to mend."`
	Layout   string    `json:"layout" enum:"grid,speaker" doc:"In which it is made, or was: all of one size, or whoever speaks large."`
	Format   string    `json:"format" enum:"webm,mp4" doc:"In which it is made, or was. A meeting without pictures becomes Ogg or M4A."`
	Made     *MadeFilm `json:"made,omitempty" doc:"What can be watched; absent: nothing yet. While another is made it is the one before."`
}

// MadeFilm is a film that is there.
type MadeFilm struct {
	Take     int       `json:"take" doc:"Which one made of the recording it is, from 1."`
	At       time.Time `json:"at" doc:"When it was made."`
	Layout   string    `json:"layout" enum:"grid,speaker"`
	Format   string    `json:"format" enum:"webm,mp4"`
	Type     string    `json:"type" doc:"Media type: audio of a meeting without pictures."`
	Length   float64   `json:"length" doc:"Seconds."`
	Bytes    int64     `json:"bytes"`
	Captions bool      `json:"captions" doc:"There are captions: who speaks when."`
}

// FilmDraft is how a film is made.
type FilmDraft struct {
	Layout string `json:"layout" enum:"grid,speaker" doc:"All of one size, or whoever speaks large. Either gives the large place to a shared screen."`
	Format string `json:"format" enum:"webm,mp4" doc:"MP4 is what office programs take."`
}

// FilmChapter is a place of a film to go to.
type FilmChapter struct {
	At    float64 `json:"at" doc:"Seconds from its beginning."`
	Title string  `json:"title" doc:"In the language of the meeting's post; has names: show it isolated (bdi)."`
}

// FilmChapters are the chapters of a film.
type FilmChapters struct {
	Chapters []FilmChapter `json:"chapters" nullable:"false" doc:"In order."`
}

type inFilm struct {
	ID        string `path:"id" maxLength:"64"`
	Recording string `path:"recording" maxLength:"64"`
	Save      bool   `query:"save" doc:"It is taken away, not watched: it is not encrypted then, and the audit trail tells each time."`
}

func filmOf(f *meeting.KeptFilm) *Film {
	if f == nil {
		return nil
	}
	film := &Film{
		State: string(f.State), Since: f.Since.UTC(), Ahead: f.Ahead, Stage: string(f.Stage), Progress: float64(f.Progress) / 1000, Left: int(f.Left.Seconds()),
		Attempts: f.Attempts, Reason: string(f.Reason), Layout: string(f.Choice.Layout), Format: string(f.Choice.Format),
	}
	if made := f.Made; made.Take > 0 {
		film.Made = &MadeFilm{
			Take: made.Take, At: made.At.UTC(), Layout: string(made.Choice.Layout), Format: string(made.Choice.Format),
			Type: made.Type, Length: made.Length.Seconds(), Bytes: made.Bytes, Captions: made.Captions,
		}
	}
	return film
}

// filmExtensions are what names of films end in, by their media types.
var filmExtensions = map[string]string{"video/webm": "webm", "audio/ogg": "ogg", "video/mp4": "mp4", "audio/mp4": "m4a"}

func filmContent() map[string]*huma.MediaType {
	all := make(map[string]*huma.MediaType)
	for mediaType := range filmExtensions {
		all[mediaType] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	return all
}

// filmResponses are what the calls answer with that are no JSON.
var filmResponses = map[string]*huma.Response{
	"watch-recording":        {Description: "The film; a range of it is 206 (RFC 9110)", Content: filmContent()},
	"get-recording-captions": {Description: "WebVTT", Content: map[string]*huma.MediaType{"text/vtt": {Schema: &huma.Schema{Type: huma.TypeString}}}},
}

func (a *API) watchRecording(ctx context.Context, in *inFilm) (*huma.StreamResponse, error) {
	return a.giveFilm(ctx, in.ID, in.Recording, recording.TheFilm, in.Save)
}

func (a *API) getCaptions(ctx context.Context, in *inRecording) (*huma.StreamResponse, error) {
	return a.giveFilm(ctx, in.ID, in.Recording, recording.FilmCaptions, false)
}

// maxChapters is how large the file of chapters may be, in bytes.
const maxChapters = 4 << 20

func (a *API) getChapters(ctx context.Context, in *inRecording) (*output[FilmChapters], error) {
	file, err := a.meetings.WatchRecording(ctx, theAgent(ctx).agent(), in.ID, in.Recording, recording.FilmChapters, meeting.FilmWatched)
	if err != nil {
		return nil, err
	}
	var chapters []recording.FilmChapter
	err = json.NewDecoder(io.LimitReader(file, maxChapters)).Decode(&chapters)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("chapters of recording %s: %w", in.Recording, err)
	}
	out := FilmChapters{Chapters: make([]FilmChapter, len(chapters))}
	for i, c := range chapters {
		out.Chapters[i] = FilmChapter(c)
	}
	return &output[FilmChapters]{out}, nil
}

func (a *API) filmAgain(ctx context.Context, in *inRecording) (*output[Film], error) {
	f, err := a.meetings.FilmAgain(ctx, theAgent(ctx).agent(), in.ID, in.Recording)
	if err != nil {
		return nil, err
	}
	return &output[Film]{*filmOf(&f)}, nil
}

func (a *API) chooseFilm(ctx context.Context, in *recordingBody[FilmDraft]) (*output[Film], error) {
	choice := recording.FilmChoice{Layout: recording.FilmLayout(in.Body.Layout), Format: recording.FilmFormat(in.Body.Format)}
	f, err := a.meetings.ChooseFilm(ctx, theAgent(ctx).agent(), in.ID, in.Recording, choice)
	if err != nil {
		return nil, err
	}
	return &output[Film]{*filmOf(&f)}, nil
}

// giveFilm answers with a file of a film, or with a range of it, for as long as whoever
// gets it may have it.
func (a *API) giveFilm(ctx context.Context, id, which string, file recording.FilmFile, saved bool) (*huma.StreamResponse, error) {
	use := meeting.FilmWatched
	switch {
	case request(ctx).Method == http.MethodHead:
		use = meeting.FilmLookedAt
	case saved:
		use = meeting.FilmSaved
	}
	film, err := a.meetings.WatchRecording(ctx, theAgent(ctx).agent(), id, which, file, use)
	if err != nil {
		return nil, err
	}
	mediaType := map[recording.FilmFile]string{
		recording.TheFilm: film.Film.Made.Type, recording.FilmCaptions: "text/vtt; charset=utf-8", recording.FilmChapters: "application/json",
	}[file]
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer func() { _ = film.Close() }() // it was only read
		r, w := humago.Unwrap(ctx)
		handOver(w.Header(), mediaType, filmName(film))
		if !saved {
			w.Header().Del("Content-Disposition")
		}
		// A take is made once.
		w.Header().Set("ETag", fmt.Sprintf(`"%s-%s-%d"`, which, file, film.Film.Made.Take))
		a.give(w, r, film.Film.Made.At, film, func() error {
			k, err := a.whoIs(r)
			if err == nil {
				_, err = a.meetings.MayWatch(r.Context(), k.agent(), id, which)
			}
			return err
		})
	}}, nil
}

// filmName is what a film is called when it is taken away.
func filmName(f meeting.WatchedFilm) string {
	return fmt.Sprintf("recording-%s-%s.%s", f.Of.StartedAt.UTC().Format(time.DateOnly), f.Of.ID, filmExtensions[f.Film.Made.Type])
}
