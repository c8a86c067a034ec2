package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"aparte/recorder"
	"aparte/recorder/compose"
	"aparte/recorder/compose/render"
	"aparte/recorder/export"
	"aparte/recorder/seal"
	"aparte/signaling/recording"
)

// What composes a film for a server is a process of its own, the same program under a verb
// that nobody types: it decodes what strangers sent, at low priority, and takes nothing
// down with it. It is told what to do on its standard input, the key included, which
// stays open for as long as the server lives: when it ends, so does the process.

// filmOrder is what is to be made: the first line of the standard input, in JSON.
type filmOrder struct {
	Recording string           `json:"recording"` // id
	Parts     string           `json:"parts"`     // folder of the recording's parts, sealed
	Work      string           `json:"work"`      // folder for what is made on the way, in the clear
	Sealed    string           `json:"sealed"`    // folder for what comes out, sealed to whom the recording is
	Identity  string           `json:"identity"`  // private key that opens the parts
	NodeKey   string           `json:"node_key"`  // public, of this server
	Language  compose.Language `json:"language"`
	Layout    compose.Layout   `json:"layout"`
	Format    render.Format    `json:"format"`
	FFmpeg    string           `json:"ffmpeg"`
	Threads   int              `json:"threads"`
	Spent     time.Duration    `json:"spent"` // of processors, by those that were interrupted
}

// filmNews is a line of the standard output, in JSON.
type filmNews struct {
	Stage    recording.FilmStage  `json:"stage,omitempty"`
	Progress int                  `json:"progress,omitempty"` // thousandths
	Spent    time.Duration        `json:"spent,omitempty"`    // of processors, with the order's
	Failed   recording.FilmReason `json:"failed,omitempty"`   // the error itself goes to the standard error
	Made     *filmMade            `json:"made,omitempty"`
}

// filmMade is what was made.
type filmMade struct {
	Type     string        `json:"type"`
	Length   time.Duration `json:"length"`
	Bytes    int64         `json:"bytes"`
	Captions bool          `json:"captions"`
}

// The folders within the work folder of a film, besides those of 'aparte record compose'.
const (
	workParts  = "parts"
	workSealed = "sealed"
	workOut    = "out"
)

type recordFilm struct{}

// Run makes one film as it is told.
func (*recordFilm) Run(ctx context.Context, p *process) error {
	in := bufio.NewReader(p.stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return usageError{errors.New("this is how a server has films made: nobody else calls it ('aparte record compose' makes one of files)")}
	}
	var order filmOrder
	if err := json.Unmarshal(line, &order); err != nil {
		return usageError{fmt.Errorf("order: %w", err)}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		_, _ = io.Copy(io.Discard, in)
		cancel(errors.New("the server is gone"))
	}()
	w := &filmWork{filmOrder: order, news: json.NewEncoder(p.stdout)}
	made, err := w.make(ctx)
	if err != nil {
		return errors.Join(err, w.tell(filmNews{Failed: filmReason(err)}))
	}
	return w.tell(filmNews{Made: made})
}

// filmReason is why a film failed, as hosts and operators are told.
func filmReason(err error) recording.FilmReason {
	for _, known := range []struct {
		is  error
		why recording.FilmReason
	}{
		{render.ErrUnavailable, recording.FilmNoProgram},
		{seal.ErrNotForUs, recording.FilmNoKey},
		{seal.ErrTampered, recording.FilmDamaged},
		{compose.ErrNothing, recording.FilmNothing},
		{compose.ErrTooLong, recording.FilmTooLong},
		{render.ErrTooCostly, recording.FilmTooCostly},
		{syscall.ENOSPC, recording.FilmNoRoom},
		{syscall.EDQUOT, recording.FilmNoRoom},
		{recorder.ErrLowDisk, recording.FilmNoRoom},
	} {
		if errors.Is(err, known.is) {
			return known.why
		}
	}
	return recording.FilmError
}

// filmWork is a film that is being made.
type filmWork struct {
	filmOrder
	news *json.Encoder
}

func (w *filmWork) tell(n filmNews) error { return w.news.Encode(n) }

func (w *filmWork) make(ctx context.Context) (*filmMade, error) {
	tool, err := render.Find(ctx, w.FFmpeg, confiner())
	if err == nil {
		err = tool.Check(w.Format)
	}
	if err != nil {
		return nil, err
	}
	if err := w.tell(filmNews{Stage: recording.FilmOpening}); err != nil {
		return nil, err
	}
	media, index, err := w.open(ctx)
	if err != nil {
		return nil, err
	}
	out := filepath.Join(w.Work, workOut)
	if err := errors.Join(os.RemoveAll(out), os.Mkdir(out, 0o700)); err != nil {
		return nil, err
	}
	result, err := render.Compose(ctx, render.Config{
		Tool: tool, Index: index, Media: media, Work: filepath.Join(w.Work, workFilm), Dir: out,
		Layout: w.Layout, Language: w.Language, Format: w.Format, Threads: w.Threads, Progress: w.progress,
		Spent: w.Spent + render.OwnCPU(), // opening it, too
	})
	if err != nil {
		return nil, err
	}
	return w.seal(out, result)
}

// progress tells how far it is; who does not hear it any more is found out elsewhere.
func (w *filmWork) progress(now render.Progress) {
	n := filmNews{Spent: now.Spent, Stage: map[string]recording.FilmStage{"": recording.FilmOpening, "sound": recording.FilmSound, "pictures": recording.FilmPictures, "film": recording.FilmJoining}[now.Stage]}
	if now.Of > 0 {
		n.Progress = int(1000 * now.Done / now.Of)
	}
	_ = w.tell(n)
}

// open decrypts the recording and makes media files of it.
func (w *filmWork) open(ctx context.Context) (folder string, index *export.Index, err error) {
	identities, err := seal.ParseIdentities([]byte(w.Identity))
	if err != nil {
		return "", nil, err
	}
	key, err := seal.ParsePublicKey(w.NodeKey)
	if err != nil {
		return "", nil, err
	}
	opened, folder := filepath.Join(w.Work, workOpened), filepath.Join(w.Work, workExport)
	if err := errors.Join(os.RemoveAll(opened), os.RemoveAll(folder), os.Mkdir(opened, 0o700)); err != nil {
		return "", nil, err
	}
	err = recordingFiles(ctx, w.Parts, func(files *recorder.Files) error {
		if err := w.ours(files.Parts); err != nil {
			return err
		}
		return journalOf(files, key, identities, filepath.Join(opened, "journal"))
	})
	if err != nil {
		return "", nil, err
	}
	index, err = export.Export(ctx, export.Config{Open: func() (io.ReadCloser, error) { return os.Open(filepath.Join(opened, "journal")) }, Into: export.OnDisk(folder)})
	if err != nil {
		return "", nil, err
	}
	return folder, index, os.RemoveAll(opened) // what is exported suffices from here on
}

// journalOf verifies parts and writes their journal. What their manifests say is in it, too.
func journalOf(files *recorder.Files, key seal.PublicKey, with []seal.Identity, path string) error {
	report, err := seal.Verify(files.Parts, key, files.Lone)
	if err != nil {
		return err
	}
	if report.Tampered() {
		return seal.ErrTampered
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(out, 1<<20)
	_, err = report.Journal(files.Parts, key, with, buffered)
	return errors.Join(err, buffered.Flush(), out.Close())
}

// ours refuses parts of another recording: whoever may write where they are kept could put
// them in the place of this one's, to be shown to its hosts. Their signatures are right;
// opening them verifies those, and with them that what is said here is true.
func (w *filmWork) ours(parts []seal.Source) error {
	for _, part := range parts {
		b, err := seal.Peek(part)
		if err != nil {
			return fmt.Errorf("%w: %w", seal.ErrTampered, err)
		}
		if b.Recording != w.Recording {
			return fmt.Errorf("%s: %w: it is of recording %q", part.Name, seal.ErrTampered, b.Recording)
		}
	}
	return nil
}

// seal seals what was made to all that the recording is sealed to.
func (w *filmWork) seal(out string, result *render.Result) (*filmMade, error) {
	to, err := recipientsOf(w.Parts)
	if err != nil {
		return nil, err
	}
	recipients, err := seal.ParseRecipients(to...)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.RemoveAll(w.Sealed), os.Mkdir(w.Sealed, 0o700)); err != nil {
		return nil, err
	}
	put := func(file recording.FilmFile, from io.Reader) (n int64, err error) {
		to, err := os.OpenFile(filepath.Join(w.Sealed, string(file)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return 0, err
		}
		sealed, err := seal.NewFile(to, recipients)
		if err == nil {
			n, err = io.Copy(sealed, from)
			err = errors.Join(err, sealed.Close())
		}
		return n, errors.Join(err, to.Close())
	}
	made := &filmMade{Type: filmTypes[filepath.Ext(result.Film)], Length: result.Plan.Length, Captions: result.Captions != ""}
	putFile := func(file recording.FilmFile, name string) (int64, error) {
		from, err := os.Open(filepath.Join(out, name))
		if err != nil {
			return 0, err
		}
		defer from.Close()
		return put(file, from)
	}
	if made.Bytes, err = putFile(recording.TheFilm, result.Film); err != nil {
		return nil, err
	}
	if made.Captions {
		if _, err := putFile(recording.FilmCaptions, result.Captions); err != nil {
			return nil, err
		}
	}
	chapters := make([]recording.FilmChapter, len(result.Plan.Chapters))
	for i, c := range result.Plan.Chapters {
		chapters[i] = recording.FilmChapter{At: c.At.Seconds(), Title: c.Title}
	}
	text, err := json.Marshal(chapters)
	if err == nil {
		_, err = put(recording.FilmChapters, strings.NewReader(string(text)))
	}
	return made, err
}

// filmTypes are the media types of films, by what their names end in.
var filmTypes = map[string]string{".webm": "video/webm", ".ogg": "audio/ogg", ".mp4": "video/mp4", ".m4a": "audio/mp4"}

// filmLanguage is the one of a film whose words we have.
func filmLanguage(tag string) compose.Language {
	language, _, _ := strings.Cut(strings.ToLower(tag), "-")
	switch l := compose.Language(language); l {
	case compose.English, compose.Arabic:
		return l
	default:
		return compose.French
	}
}

// freeFolder makes a folder that others cannot read, or finds one.
func freeFolder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err == nil && (!info.IsDir() || info.Mode().Perm()&0o077 != 0) {
		err = fmt.Errorf("%s: others may read this folder, and what is made in it is not encrypted: chmod 700: %w", path, fs.ErrPermission)
	}
	return err
}
