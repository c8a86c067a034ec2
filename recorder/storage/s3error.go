package storage

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"
)

// ErrLocked says that an object cannot be deleted yet.
var ErrLocked = errors.New("the bucket does not let it be deleted before its time")

// because is what went wrong, in the words of all storages, with what an operator can do.
// It quotes no credentials: the store's own words have none.
func (s *S3) because(op, name string, err error) error {
	if err == nil {
		return nil
	}
	if known := (*Error)(nil); errors.As(err, &known) {
		return err
	}
	e := &Error{Op: op, Name: name, Err: err}
	r := minio.ToErrorResponse(err)
	switch {
	case errors.Is(err, ErrExists), errors.Is(err, ErrDamaged):
		return &Error{Op: op, Name: name, Err: err}
	case errors.Is(err, ErrNoLock), noLock(r):
		e.Kind, e.Err, e.Remedy = ErrNoLock, nil, "make a bucket with object lock, which most stores only do when it is made, or set no recordings.store_lock"
	case errors.Is(err, context.Canceled), errors.Is(err, io.ErrUnexpectedEOF) && op == "put":
	case r.Code == minio.NoSuchBucket:
		e.Kind, e.Err, e.Remedy = ErrRefused, nil, "there is no bucket "+s.location.Bucket+" at "+s.location.Endpoint+": make it, or name another"
	case r.Code == "InvalidAccessKeyId", strings.HasSuffix(r.Code, "UserNotFound"):
		e.Kind, e.Remedy = ErrRefused, "the store does not know this access key"
	case r.Code == "SignatureDoesNotMatch":
		e.Kind, e.Remedy = ErrRefused, "the secret key is wrong, or the region is not "+s.location.Region
	case r.Code == "AuthorizationHeaderMalformed", r.Code == "InvalidRegion":
		e.Kind, e.Remedy = ErrRefused, "name the bucket's region: ?region=..."
	case r.Code == "RequestTimeTooSkewed":
		e.Kind, e.Err, e.Remedy = ErrClock, nil, "keep both with NTP"
	case isNone(err):
		e.Kind, e.Err = ErrNone, nil
	case r.Code == "ObjectLocked", op == "delete" && locks(r):
		e.Kind, e.Remedy = ErrLocked, "its retention or a legal hold keeps it: it goes with a later sweep"
	case r.StatusCode == http.StatusForbidden, r.Code == "AccessDenied":
		e.Kind, e.Remedy = ErrRefused, "let the access key list, read, write and delete below "+s.location.String()+" (docs/operating.md)"
		if op == "lock" {
			e.Remedy = "let the access key set retention and legal holds below " + s.location.String() + " (docs/operating.md)"
		}
	case r.StatusCode == http.StatusPreconditionFailed, r.Code == "ConditionalRequestConflict":
		e.Kind = ErrExists
		if op == "read" {
			e.Kind = ErrDamaged // it was replaced meanwhile
		}
	case r.Code == "BadDigest", r.Code == "XAmzContentSHA256Mismatch", r.Code == "XAmzContentChecksumMismatch", r.Code == "InvalidDigest":
		e.Kind = ErrDamaged
	case r.StatusCode == http.StatusInsufficientStorage, strings.Contains(r.Code, "QuotaExceeded"), strings.Contains(r.Code, "StorageFull"):
		e.Kind, e.Remedy = ErrFull, "make room in the store, or raise the bucket's quota"
	case r.StatusCode >= http.StatusInternalServerError, r.StatusCode == http.StatusTooManyRequests, broken(err):
		e.Kind, e.Remedy = ErrUnreachable, "is "+s.location.Endpoint+" up, and can this machine reach it?"
	}
	return e
}

// locks tells whether a refusal to delete is that of a lock, which not all stores name.
func locks(r minio.ErrorResponse) bool {
	text := strings.ToLower(r.Message)
	return strings.Contains(text, "worm") || strings.Contains(text, "retention") || strings.Contains(text, "locked") || strings.Contains(text, "object lock")
}

// broken tells whether it was the connection.
func broken(err error) bool {
	network := net.Error(nil)
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded)
}
