package storage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3 is a Storage in a bucket of an S3-compatible store. What is put is signed with its
// SHA-256 and carries it: the store refuses what arrives otherwise, and says what it has.
// Where it does not say so, the object is read back.
type S3 struct {
	// Set at creation.
	core     minio.Core
	location Location
	prefix   string // of names, with its slash; may be empty

	mu       sync.Mutex // guards what follows
	asked    bool       // whether it keeps versions
	versions bool       // the bucket keeps what was deleted

	// Up to which size an object is sent in one piece. Larger ones go in pieces, none of
	// which is of use alone, and are read back.
	whole, piece int64
}

// How long a store may take, apart from the bytes themselves, for which the caller's
// context is there.
const (
	dialTime   = 5 * time.Second
	answerTime = 30 * time.Second
)

// digestKey is the metadata that says an object's SHA-256 where the store's own checksum
// does not.
const digestKey = "Sha256"

// OpenS3 is the storage of a location. It asks nobody anything: Check does, and whoever
// uses it.
func OpenS3(l Location, c Credentials) (*S3, error) {
	client, err := minio.NewCore(l.Endpoint, &minio.Options{
		Creds:  credentials.NewStaticV4(c.AccessKey, c.SecretKey, ""),
		Secure: l.Secure, Region: l.Region, MaxRetries: 1,
		TrailingHeaders: true, // else the library lets nobody give a checksum
		Transport: &http.Transport{
			Proxy:       http.ProxyFromEnvironment,
			DialContext: (&net.Dialer{Timeout: dialTime}).DialContext, TLSHandshakeTimeout: dialTime,
			ResponseHeaderTimeout: answerTime, ExpectContinueTimeout: time.Second, IdleConnTimeout: time.Minute,
			MaxIdleConnsPerHost: 4, DisableCompression: true,
		},
	})
	if err != nil {
		return nil, err
	}
	s := &S3{core: *client, location: l, whole: 64 << 20, piece: 16 << 20}
	if l.Prefix != "" {
		s.prefix = l.Prefix + "/"
	}
	return s, nil
}

// probe is the name of what Check puts and deletes.
const probe = "aparte-check"

// Check tells whether the place can be used: that it is there, may be listed, written to
// and deleted from.
func (s *S3) Check(ctx context.Context) error {
	// First what is answered in words if it is refused.
	if _, err := s.List(ctx, probe); err != nil {
		return err
	}
	if _, err := s.keepsVersions(ctx); err != nil {
		return err
	}
	const text = "Aparté looks whether it may write here."
	if _, err := s.Put(ctx, probe, strings.NewReader(text), int64(len(text))); err != nil && !errors.Is(err, ErrExists) {
		return err
	}
	// Where objects are locked it stays, and is found there the next time.
	if err := s.Delete(ctx, probe); err != nil && !errors.Is(err, ErrLocked) {
		return err
	}
	return nil
}

// keepsVersions tells whether deleting an object of the bucket leaves it there.
func (s *S3) keepsVersions(ctx context.Context) (bool, error) {
	s.mu.Lock()
	asked, versions := s.asked, s.versions
	s.mu.Unlock()
	if asked {
		return versions, nil
	}
	versioning, err := s.core.GetBucketVersioning(ctx, s.location.Bucket)
	switch code := minio.ToErrorResponse(err).Code; {
	case err == nil:
		versions = versioning.Status != ""
	case code == "NotImplemented", code == "VersioningNotConfigured", code == "MethodNotAllowed": // it cannot
	default:
		return false, s.because("ask for versions of", s.location.String(), err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked, s.versions = true, versions
	return versions, nil
}

// Put implements [Storage].
func (s *S3) Put(ctx context.Context, name string, from io.Reader, size int64) (Object, error) {
	if err := CheckName(name); err != nil {
		return Object{}, err
	}
	object, err := s.put(ctx, name, from, size, Lock{})
	return object, s.because("put", name, err)
}

func (s *S3) put(ctx context.Context, name string, from io.Reader, size int64, lock Lock) (Object, error) {
	if err := ctx.Err(); err != nil {
		return Object{}, err
	}
	// Not every store knows conditions; so few may write here that asking first is enough there.
	switch _, err := s.stat(ctx, name); {
	case err == nil:
		return Object{}, ErrExists
	case !isNone(err):
		return Object{}, err
	}
	if size > s.whole {
		return s.putLarge(ctx, name, from, size, lock)
	}
	content := bytes.NewBuffer(make([]byte, 0, size))
	if _, err := io.CopyN(content, &untilDone{ctx, from}, size); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return Object{}, err
	}
	sum := sha256.Sum256(content.Bytes())
	digest := hex.EncodeToString(sum[:])
	told := base64.StdEncoding.EncodeToString(sum[:])
	send := func(conditional bool) (minio.UploadInfo, error) {
		options := minio.PutObjectOptions{
			UserMetadata:         map[string]string{minio.ChecksumSHA256.Key(): told, digestKey: digest},
			DisableContentSha256: true, // of pieces: the whole is signed
		}
		lock.on(&options)
		if conditional {
			options.SetMatchETagExcept("*")
		}
		return s.core.PutObject(ctx, s.location.Bucket, s.prefix+name, bytes.NewReader(content.Bytes()), size, "", digest, options)
	}
	info, err := send(true)
	if minio.ToErrorResponse(err).Code == "NotImplemented" {
		info, err = send(false)
	}
	if err != nil {
		return Object{}, err
	}
	if info.ChecksumSHA256 == told {
		return Object{Name: name, Size: size, SHA256: digest, Modified: time.Now()}, nil
	}
	return s.confirm(ctx, name, size, digest)
}

// putLarge sends an object in pieces.
func (s *S3) putLarge(ctx context.Context, name string, from io.Reader, size int64, lock Lock) (Object, error) {
	digest := sha256.New()
	sent := &watched{from: io.TeeReader(&untilDone{ctx, from}, digest), left: size}
	options := minio.PutObjectOptions{PartSize: uint64(s.piece), NumThreads: 1}
	lock.on(&options)
	_, err := s.core.Client.PutObject(ctx, s.location.Bucket, s.prefix+name, sent, size, options)
	if sent.err != nil {
		err = sent.err // the client tells of its connection instead
	}
	if err != nil {
		return Object{}, err
	}
	return s.confirm(ctx, name, size, hex.EncodeToString(digest.Sum(nil)))
}

// watched reads so many bytes, and keeps what failed.
type watched struct {
	from io.Reader
	left int64
	err  error
}

func (r *watched) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n, err := r.from.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	switch {
	case errors.Is(err, io.EOF) && r.left > 0:
		err = io.ErrUnexpectedEOF
		r.err = err
	case err != nil && !errors.Is(err, io.EOF):
		r.err = err
	}
	return n, err
}

// confirm compares what the store has with what was sent. What is something else goes.
func (s *S3) confirm(ctx context.Context, name string, size int64, digest string) (Object, error) {
	file, err := s.Open(ctx, name)
	if err != nil {
		return Object{}, err
	}
	defer file.Close()
	object := file.Object()
	found := sha256.New()
	if _, err := io.Copy(found, file); err != nil {
		return Object{}, err
	}
	if object.Size != size || hex.EncodeToString(found.Sum(nil)) != digest {
		return Object{}, errors.Join(ErrDamaged, s.discard(ctx, name))
	}
	object.SHA256 = digest
	return object, nil
}

// stat asks for an object.
func (s *S3) stat(ctx context.Context, name string) (minio.ObjectInfo, error) {
	return s.core.StatObject(ctx, s.location.Bucket, s.prefix+name, minio.StatObjectOptions{Checksum: true})
}

// Open implements [Storage].
func (s *S3) Open(ctx context.Context, name string) (File, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	info, err := s.stat(ctx, name)
	if err != nil {
		return nil, s.because("open", name, err)
	}
	return &s3File{store: s, ctx: ctx, etag: info.ETag, object: Object{
		Name: name, Size: info.Size, SHA256: digestIn(info), Modified: info.LastModified,
	}}, nil
}

// digestIn is the SHA-256 that a store tells: its own, or the one that came with the
// object. One of pieces' checksums is none.
func digestIn(info minio.ObjectInfo) string {
	if sum, err := base64.StdEncoding.DecodeString(info.ChecksumSHA256); err == nil && len(sum) == sha256.Size {
		return hex.EncodeToString(sum)
	}
	if told := info.UserMetadata[digestKey]; isDigest(told) {
		return told
	}
	return ""
}

// List implements [Storage]. A store's lists tell no checksums.
func (s *S3) List(ctx context.Context, below string) ([]Object, error) {
	prefix := s.prefix
	if below != "" {
		if err := CheckName(below); err != nil {
			return nil, err
		}
		prefix += below + "/"
	}
	var all []Object
	for info := range s.core.ListObjectsIter(ctx, s.location.Bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if info.Err != nil {
			return nil, s.because("list", s.location.String(), info.Err)
		}
		if name := strings.TrimPrefix(info.Key, s.prefix); CheckName(name) == nil {
			all = append(all, Object{Name: name, Size: info.Size, Modified: info.LastModified})
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, s.because("list", s.location.String(), err)
	}
	slices.SortFunc(all, func(a, b Object) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// Delete implements [Storage]. In a bucket that keeps versions all of them are deleted;
// ErrLocked: the bucket keeps it until its time is over.
func (s *S3) Delete(ctx context.Context, name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	return s.because("delete", name, s.remove(ctx, name))
}

func (s *S3) remove(ctx context.Context, name string) error {
	versions, err := s.keepsVersions(ctx)
	if err != nil {
		return err
	}
	if !versions {
		return noneIsFine(s.core.RemoveObject(ctx, s.location.Bucket, s.prefix+name, minio.RemoveObjectOptions{}))
	}
	for info := range s.core.ListObjectsIter(ctx, s.location.Bucket, minio.ListObjectsOptions{Prefix: s.prefix + name, WithVersions: true, Recursive: true}) {
		if info.Err != nil {
			return info.Err
		}
		if info.Key != s.prefix+name {
			continue
		}
		err := s.core.RemoveObject(ctx, s.location.Bucket, info.Key, minio.RemoveObjectOptions{VersionID: info.VersionID})
		if err := noneIsFine(err); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// discard takes what arrived damaged out of the way. What is locked already stays below a
// mark of deletion, and goes with the other versions of its name.
func (s *S3) discard(ctx context.Context, name string) error {
	err := s.because("delete", name, s.remove(ctx, name))
	if errors.Is(err, ErrLocked) {
		err = s.core.RemoveObject(ctx, s.location.Bucket, s.prefix+name, minio.RemoveObjectOptions{})
	}
	return err
}

func noneIsFine(err error) error {
	if isNone(err) {
		return nil
	}
	return err
}

func isNone(err error) bool {
	code := minio.ToErrorResponse(err).Code
	return code == minio.NoSuchKey || code == "NoSuchVersion"
}

// s3File reads an object as it was when it was opened: Read over one request for as long
// as nobody seeks, ReadAt with one each.
type s3File struct {
	store  *S3
	ctx    context.Context // Open's
	etag   string
	object Object

	at     int64
	stream io.ReadCloser // from at; nil: there is none
}

func (f *s3File) Object() Object { return f.object }

// from asks for bytes; to is behind the last.
func (f *s3File) from(at, to int64) (io.ReadCloser, error) {
	options := minio.GetObjectOptions{}
	if err := errors.Join(options.SetMatchETag(f.etag), options.SetRange(at, to-1)); err != nil {
		return nil, err
	}
	stream, _, _, err := f.store.core.GetObject(f.ctx, f.store.location.Bucket, f.store.prefix+f.object.Name, options)
	return stream, err
}

func (f *s3File) Read(p []byte) (int, error) {
	if f.at >= f.object.Size {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	if f.stream == nil {
		var err error
		if f.stream, err = f.from(f.at, f.object.Size); err != nil {
			return 0, f.store.because("read", f.object.Name, err)
		}
	}
	n, err := f.stream.Read(p)
	f.at += int64(n)
	switch {
	case errors.Is(err, io.EOF) && f.at < f.object.Size:
		err = io.ErrUnexpectedEOF
	case errors.Is(err, io.EOF):
		err = nil // the next Read says so
	}
	if err != nil {
		err = errors.Join(f.store.because("read", f.object.Name, err), f.drop())
	}
	return n, err
}

func (f *s3File) drop() error {
	if f.stream == nil {
		return nil
	}
	stream := f.stream
	f.stream = nil
	return stream.Close()
}

func (f *s3File) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += f.object.Size
	}
	if offset < 0 || whence < io.SeekStart || whence > io.SeekEnd {
		return 0, fmt.Errorf("seek %s: no such place", f.object.Name)
	}
	if offset == f.at {
		return offset, nil
	}
	f.at = offset
	return offset, f.drop()
}

func (f *s3File) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 {
		return 0, fmt.Errorf("read %s: no such place", f.object.Name)
	}
	to := min(at+int64(len(p)), f.object.Size)
	if at >= to {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	stream, err := f.from(at, to)
	if err != nil {
		return 0, f.store.because("read", f.object.Name, err)
	}
	n, err := io.ReadFull(stream, p[:to-at])
	if err := errors.Join(err, stream.Close()); err != nil {
		return n, f.store.because("read", f.object.Name, err)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *s3File) Close() error { return f.drop() }
