package wire

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"
)

// maxJoinRequest bounds the decompressed join_request: 64 kB of gzip can hold
// 64 MB of zeros.
const maxJoinRequest = 1 << 20

// decodeJoinRequest unwraps base64url(WrappedJoinRequest(compressed JoinRequest)).
func decodeJoinRequest(text string) (*livekit.JoinRequest, error) {
	raw, err := decodeBase64URL(text)
	if err != nil {
		return nil, err
	}
	var wrapped livekit.WrappedJoinRequest
	if err := proto.Unmarshal(raw, &wrapped); err != nil {
		return nil, err
	}
	body := wrapped.JoinRequest
	switch wrapped.Compression {
	case livekit.WrappedJoinRequest_NONE:
	case livekit.WrappedJoinRequest_GZIP:
		if body, err = gunzip(body); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("unknown compression %d", wrapped.Compression)
	}
	var req livekit.JoinRequest
	if err := proto.Unmarshal(body, &req); err != nil {
		return nil, err
	}
	if req.ClientInfo == nil {
		req.ClientInfo = &livekit.ClientInfo{}
	}
	if req.ConnectionSettings == nil {
		req.ConnectionSettings = &livekit.ConnectionSettings{}
	}
	return &req, nil
}

func gunzip(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(z, maxJoinRequest+1))
	if err != nil {
		return nil, err
	}
	if len(out) > maxJoinRequest {
		return nil, fmt.Errorf("over %d bytes when decompressed", maxJoinRequest)
	}
	return out, nil
}
