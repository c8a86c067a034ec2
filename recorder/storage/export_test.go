package storage

// For tests that may not be in this package, since they use storagetest.
var (
	Obeys    = obeys
	Read     = read
	DigestOf = digestOf
)

// InPieces has a storage send in pieces what is larger than one.
func (s *S3) InPieces(size int64) { s.whole, s.piece = size, size }
