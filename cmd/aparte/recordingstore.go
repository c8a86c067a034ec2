package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"aparte/recorder/storage"
	"aparte/signaling/health"
)

// storeTime is how long the store has for an answer while the server starts.
const storeTime = 10 * time.Second

// openStore opens the store of recordings, and looks whether it can be used; nil: there
// is none. What would never work is refused. A store that does not answer now, is full, or
// refuses everybody whose clock is not its own is no reason not to serve: recordings wait for
// it here, and the health page says so. full tells that it is.
func openStore(ctx context.Context, c *Config, log *slog.Logger) (store *storage.S3, place string, full bool, err error) {
	if c.Recordings.Store == "" {
		return nil, "", false, nil
	}
	s, place, err := s3At(c.Recordings.Store, c.storeCredentials)
	if err != nil {
		return nil, "", false, usageError{fmt.Errorf("recordings.store: %w", err)}
	}
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	err = s.Check(ctx)
	if mode := storage.LockMode(c.Recordings.StoreLock); err == nil && mode != storage.Unlocked {
		if err = s.CheckLock(ctx, mode, time.Now()); errors.Is(err, storage.ErrNoLock) {
			return nil, "", false, usageError{oneLine([]error{fmt.Errorf("recordings.store_lock: %w", err)})}
		}
	}
	switch {
	case errors.Is(err, storage.ErrUnreachable):
		log.Warn("the store of recordings does not answer: recordings stay on this server until it does", "err", err)
	case errors.Is(err, storage.ErrFull), errors.Is(err, storage.ErrClock):
		log.Warn("the store of recordings takes nothing: recordings stay on this server until it does", "err", err)
	case err != nil:
		return nil, "", false, usageError{oneLine([]error{fmt.Errorf("recordings.store: %w", err)})}
	}
	return s, place, errors.Is(err, storage.ErrFull), nil
}

// storeCredentials are what the settings say.
func (c *Config) storeCredentials() (storage.Credentials, error) {
	if c.Recordings.StoreKeysFile != "" {
		return storage.ReadCredentials(c.Recordings.StoreKeysFile)
	}
	return storage.Credentials{AccessKey: c.Recordings.StoreAccessKey, SecretKey: c.Recordings.StoreSecretKey}, nil
}

// s3At is the storage of an address, and what it is called.
func s3At(address string, credentials func() (storage.Credentials, error)) (*storage.S3, string, error) {
	location, err := storage.ParseLocation(address)
	if err != nil {
		return nil, "", err
	}
	with, err := credentials()
	if err != nil {
		return nil, "", err
	}
	s, err := storage.OpenS3(location, with)
	return s, location.Place(), err
}

// look asks the store something, so that it is seen whether it answers; of one that was full
// when the server started, whether it has room by now, be there a recording to bring or not.
func (k *kept) look(ctx context.Context) error {
	if err := k.keeper.Look(ctx); err != nil || !k.full.Load() {
		return err
	}
	err := k.store.Check(ctx)
	if err == nil {
		k.full.Store(false)
	}
	return err
}

// stored is how the store is, after it was looked at; nil: there is none.
func (k *kept) stored(looked error, answered bool) *health.Store {
	if k.place == "" {
		return nil
	}
	s := k.keeper.Stats()
	failed := errors.Join(looked, s.Err)
	told := &health.Store{
		Place: k.place, Answered: answered && !errors.Is(looked, storage.ErrUnreachable), Failed: failed != nil && !errors.Is(failed, storage.ErrUnreachable),
		Parts: s.Parts, Behind: s.Behind, Locks: k.locks.mode != storage.Unlocked,
	}
	if told.Lockless = errors.Is(failed, storage.ErrNoLock); told.Lockless {
		told.Failed = false // that says it all
	}
	told.Unlocked, told.LockBehind = k.locks.behind()
	return told
}

// storeMetrics are those of recordings on their way to a store.
func storeMetrics(k *kept, r *prometheus.Registry) {
	if k.place == "" {
		return
	}
	stats := k.keeper.Stats
	register(r, "recording_objects_stored_total", "Objects of recordings that were brought to the store.", nil, func() uint64 { return stats().Objects })
	register(r, "recording_stored_bytes_total", "Bytes of recordings that were brought to the store.", nil, func() uint64 { return stats().Bytes })
	register(r, "recording_store_failures_total", "Tries to reach the store that failed; each is repeated.", nil, func() uint64 { return stats().Failures })
	gauge := func(name, help string, value func() float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "aparte", Name: name, Help: help}, value))
	}
	gauge("recording_parts_on_their_way", "Parts of recordings that are not in the store yet, or not whole.", func() float64 { return float64(stats().Parts) })
	gauge("recording_store_behind_seconds", "For how long the oldest that was recorded is not in the store; about a minute while there is a recording.", func() float64 { return stats().Behind.Seconds() })
}
