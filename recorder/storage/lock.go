package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// ErrNoLock says that a bucket locks no objects.
var ErrNoLock = errors.New("the bucket has no object lock")

// LockMode is who can delete an object before its retention ends.
type LockMode string

// The modes of object lock. Governance: whoever has the right to that in the store;
// Compliance: nobody.
const (
	Unlocked   LockMode = ""
	Governance LockMode = "governance"
	Compliance LockMode = "compliance"
)

// ParseLockMode reads a mode.
func ParseLockMode(text string) (LockMode, error) {
	switch m := LockMode(text); m {
	case Unlocked, Governance, Compliance:
		return m, nil
	}
	return Unlocked, fmt.Errorf("%.40q is neither governance nor compliance; empty: nothing is locked", text)
}

// Hold is whether an object is under legal hold, which has no end until it is lifted.
type Hold string

// AsItIs changes nothing.
const (
	AsItIs Hold = ""
	On     Hold = "on"
	Lifted Hold = "off"
)

// Lock keeps an object from being deleted by anybody who may only delete.
type Lock struct {
	Mode  LockMode
	Until time.Time // of its retention, in whole seconds; zero: that is left as it is
	Hold  Hold
}

// Equal tells whether two are the same.
func (l Lock) Equal(other Lock) bool {
	return l.Mode == other.Mode && l.Until.Equal(other.Until) && l.Hold == other.Hold
}

// retains tells whether there is a retention in it.
func (l Lock) retains() bool { return l.Mode != Unlocked && !l.Until.IsZero() }

func (l Lock) mode() minio.RetentionMode { return minio.RetentionMode(strings.ToUpper(string(l.Mode))) }

// until is what the store is told: it knows seconds, and never one too many.
func (l Lock) until() time.Time { return l.Until.UTC().Truncate(time.Second) }

// on has an object be put locked.
func (l Lock) on(o *minio.PutObjectOptions) {
	if l.retains() {
		o.Mode, o.RetainUntilDate = l.mode(), l.until()
	}
	if l.Hold == On {
		o.LegalHold = minio.LegalHoldEnabled
	}
}

// PutLocked is Put of an object that is locked from its first moment on. ErrNoLock.
func (s *S3) PutLocked(ctx context.Context, name string, from io.Reader, size int64, l Lock) (Object, error) {
	if err := CheckName(name); err != nil {
		return Object{}, err
	}
	object, err := s.put(ctx, name, from, size, l)
	return object, s.because("put", name, err)
}

// Lock locks an object that is there: ErrNone, ErrNoLock. A retention is only ever made
// longer: where it ends later already it is left as it is.
func (s *S3) Lock(ctx context.Context, name string, l Lock) error {
	if err := CheckName(name); err != nil {
		return err
	}
	err := s.retain(ctx, name, l)
	if err == nil && l.Hold != AsItIs {
		status := minio.LegalHoldDisabled
		if l.Hold == On {
			status = minio.LegalHoldEnabled
		}
		err = s.core.PutObjectLegalHold(ctx, s.location.Bucket, s.prefix+name, minio.PutObjectLegalHoldOptions{Status: &status})
	}
	return s.because("lock", name, err)
}

func (s *S3) retain(ctx context.Context, name string, l Lock) error {
	if !l.retains() {
		return nil
	}
	until := l.until()
	put := func(mode minio.RetentionMode) error {
		return s.core.PutObjectRetention(ctx, s.location.Bucket, s.prefix+name, minio.PutObjectRetentionOptions{Mode: &mode, RetainUntilDate: &until})
	}
	err := put(l.mode())
	if err == nil || isNone(err) {
		return err
	}
	info, asked := s.stat(ctx, name) // not all answer alike where they are asked for the retention alone
	if asked != nil {
		return err
	}
	there, asked := time.Parse(time.RFC3339, info.Metadata.Get("X-Amz-Object-Lock-Retain-Until-Date"))
	mode := minio.RetentionMode(info.Metadata.Get("X-Amz-Object-Lock-Mode"))
	switch {
	case asked != nil:
		return err
	case !there.Before(until): // what nobody may shorten need not be
		return nil
	case mode != l.mode() && mode.IsValid(): // of one that was put under another mode the end alone can be changed
		return put(mode)
	}
	return err
}

// Locks tells whether objects of the bucket can be locked: ErrNoLock.
func (s *S3) Locks(ctx context.Context) error {
	enabled, _, _, _, err := s.core.GetObjectLockConfig(ctx, s.location.Bucket)
	r := minio.ToErrorResponse(err)
	switch {
	case err == nil && enabled == "Enabled":
		return nil
	case err == nil, r.Code == "ObjectLockConfigurationNotFoundError", r.Code == "NotImplemented", r.Code == "MethodNotAllowed":
		err = ErrNoLock
	}
	return s.because("ask for object lock of", s.location.String(), err)
}

// lockProbe is the name of what CheckLock puts.
const lockProbe = "aparte-check-lock"

// CheckLock tells whether objects can be locked here, with these keys: ErrNoLock. What it
// puts stays for two minutes, and goes with the next look after that.
func (s *S3) CheckLock(ctx context.Context, mode LockMode, now time.Time) error {
	if err := s.Locks(ctx); err != nil {
		return err
	}
	const text = "Aparté looks whether it may lock here."
	_, err := s.PutLocked(ctx, lockProbe, strings.NewReader(text), int64(len(text)), Lock{Mode: mode, Until: now.Add(2 * time.Minute), Hold: On})
	if err != nil && !errors.Is(err, ErrExists) {
		return err
	}
	if err := s.Lock(ctx, lockProbe, Lock{Hold: Lifted}); err != nil {
		return err
	}
	if err := s.Delete(ctx, lockProbe); err != nil && !errors.Is(err, ErrLocked) {
		return err
	}
	return nil
}

// noLock tells whether a store says that it locks nothing.
func noLock(r minio.ErrorResponse) bool {
	return r.Code == "InvalidRequest" && strings.Contains(strings.ReplaceAll(r.Message, " ", ""), "ObjectLockConfiguration") ||
		r.StatusCode == http.StatusNotFound && r.Code == "ObjectLockConfigurationNotFoundError"
}
