package wire

import (
	"encoding/base64"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"

	"aparte/sfu"
)

func FuzzJoinRequest(f *testing.F) {
	body, err := proto.Marshal(&livekit.JoinRequest{
		ClientInfo:     &livekit.ClientInfo{Protocol: 17},
		PublisherOffer: &livekit.SessionDescription{Type: "offer", Sdp: "v=0"},
	})
	if err != nil {
		f.Fatal(err)
	}
	wrapped, err := proto.Marshal(&livekit.WrappedJoinRequest{JoinRequest: body})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wrapped)
	f.Add([]byte{8, 1, 18, 2, 0x1f, 0x8b})
	f.Fuzz(func(t *testing.T, raw []byte) {
		req, err := decodeJoinRequest(encodeForTest(raw))
		if err != nil {
			return
		}
		if req.ClientInfo == nil || req.ConnectionSettings == nil {
			t.Error("a decoded request lacks what the code relies on")
		}
		if proto.Size(req) > 2*maxJoinRequest {
			t.Errorf("%d bytes decoded", proto.Size(req))
		}
	})
}

func FuzzQuery(f *testing.F) {
	f.Add("1,CAP_PACKET_TRAILER,deflate", "eyJhIjoiYiJ9")
	f.Fuzz(func(t *testing.T, capabilities, attributes string) {
		for _, c := range parseCapabilities(capabilities) {
			if _, known := livekit.ClientInfo_Capability_name[int32(c)]; !known || c == 0 {
				t.Errorf("capability %d", c)
			}
		}
		if m, err := parseAttributes(attributes); err != nil && m != nil {
			t.Error("attributes beside an error")
		}
	})
}

// Whatever decodes can be refused, which copies parts of it into the answer.
func FuzzSignalRequest(f *testing.F) {
	for _, m := range []*livekit.SignalRequest{
		{Message: &livekit.SignalRequest_Ping{Ping: 1}},
		{Message: &livekit.SignalRequest_AddTrack{AddTrack: &livekit.AddTrackRequest{Cid: "c"}}},
		{Message: &livekit.SignalRequest_UpdateMetadata{UpdateMetadata: &livekit.UpdateParticipantMetadata{Name: "n"}}},
	} {
		raw, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, false)
	}
	f.Add([]byte(`{"pingReq":{"timestamp":"1"}}`), true)
	f.Add([]byte(`{"addTrack":null}`), true)
	f.Fuzz(func(t *testing.T, raw []byte, text bool) {
		kind := websocket.BinaryMessage
		if text {
			kind = websocket.TextMessage
		}
		m, err := decode(kind, raw)
		if err != nil {
			return
		}
		if _, err := proto.Marshal(sfu.Refusal(m, livekit.RequestResponse_LIMIT_EXCEEDED, "no")); err != nil {
			t.Errorf("refusal does not encode: %v", err)
		}
	})
}

func encodeForTest(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }
