package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"aparte/recorder"
	"aparte/recorder/keep"
	"aparte/recorder/storage"
)

type recordFetch struct {
	Store     string `arg:"" placeholder:"s3://BUCKET/PREFIX" help:"Where recordings are stored, as recordings.store names it."`
	Recording string `arg:"" placeholder:"ID" help:"Id of the recording."`
	Output    string `required:"" short:"o" placeholder:"DIR" help:"Folder for its parts. It must not exist yet."`
	KeysFile  string `placeholder:"FILE" help:"Keys of the store, as recordings.store_keys_file has them. Without it they are taken from the environment: APARTE_RECORDINGS_STORE_ACCESS_KEY and APARTE_RECORDINGS_STORE_SECRET_KEY."`
}

// Run takes a recording from its store, for verify and open.
func (c *recordFetch) Run(ctx context.Context, p *process) error {
	store, _, err := s3At(c.Store, func() (storage.Credentials, error) { return c.credentials(p.environ()) })
	if err != nil {
		return usageError{fmt.Errorf("store %s: %w", c.Store, err)}
	}
	all, err := keep.Fetch(ctx, store, c.Recording, c.Output)
	switch {
	case errors.Is(err, recorder.ErrNoRecording):
		return usageError{fmt.Errorf("%s has nothing of a recording %q", c.Store, c.Recording)}
	case errors.Is(err, fs.ErrExist):
		return usageError{fmt.Errorf("output %s: it is there already: name another folder", c.Output)}
	case errors.Is(err, storage.ErrRefused), errors.Is(err, storage.ErrClock), errors.Is(err, storage.ErrName):
		return usageError{err}
	case ctx.Err() != nil && err != nil:
		return stoppedError{fmt.Sprintf("what was fetched until then is deleted, and there is no %s", c.Output)}
	case err != nil:
		return err
	}
	for _, part := range all {
		whole := ""
		if !part.Whole {
			whole = ", not closed there yet"
		}
		fmt.Fprintf(p.stdout, "%s: bytes %d, SHA-256 %s%s\n", part.Name, part.Bytes, part.SHA256, whole)
	}
	return nil
}

func (c *recordFetch) credentials(environ []string) (storage.Credentials, error) {
	if c.KeysFile != "" {
		return storage.ReadCredentials(c.KeysFile)
	}
	var keys storage.Credentials
	for _, one := range environ {
		switch name, value, _ := strings.Cut(one, "="); name {
		case "APARTE_RECORDINGS_STORE_ACCESS_KEY":
			keys.AccessKey = value
		case "APARTE_RECORDINGS_STORE_SECRET_KEY":
			keys.SecretKey = value
		}
	}
	if keys.AccessKey == "" || keys.SecretKey == "" {
		return keys, errors.New("the store needs keys: name --keys-file, or set APARTE_RECORDINGS_STORE_ACCESS_KEY and APARTE_RECORDINGS_STORE_SECRET_KEY")
	}
	return keys, nil
}
